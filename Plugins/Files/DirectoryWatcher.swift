internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#endif

/// Tells that something may have changed in a directory: a hint, never the truth.
///
/// A thread of its own drains inotify, so that the kernel's queue does not overflow while the reader is busy. What the
/// events say does not matter, as each only asks for a look at the whole directory; an overflow asks for the same.
/// Changes made by other machines on a shared file system give no hint at all.
final class DirectoryWatcher: Sendable {
    private struct State {
        var hasHint = false
        var isLost = false
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var nextWaiter: UInt64 = 1
    }

    private let state = Mutex(State())
    private let stopPipe: Int32

    /// Watches an open directory.
    ///
    /// `nil` when the kernel has no watch left; then only periodic looks find changes.
    static func watch(_ directory: Int32) -> DirectoryWatcher? {
        let notifications = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard notifications >= 0 else { return nil }
        let mask = UInt32(IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_ONLYDIR)
        // Through the handle, so that it is the very directory that is read later.
        guard inotify_add_watch(notifications, "/proc/self/fd/\(directory)", mask) >= 0 else {
            close(notifications)
            return nil
        }
        var pipes: [Int32] = [-1, -1]
        guard pipe(&pipes) == 0 else {
            close(notifications)
            return nil
        }
        for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let watcher = DirectoryWatcher(stopPipe: pipes[1])
        let run = Run(notifications: notifications, stop: pipes[0], watcher: watcher)
        var thread = pthread_t()
        let box = Unmanaged.passRetained(run)
        guard pthread_create(&thread, nil, directoryWatcherMain, box.toOpaque()) == 0 else {
            box.release()
            close(notifications)
            close(pipes[0])
            return nil
        }
        pthread_detach(thread)
        return watcher
    }

    private init(stopPipe: Int32) {
        self.stopPipe = stopPipe
    }

    deinit { close(self.stopPipe) }

    /// Whether the directory itself is gone.
    var isLost: Bool { self.state.withLock { $0.isLost } }

    /// Whether there was a hint since the last time.
    func takeHint() -> Bool {
        self.state.withLock { state in
            defer { state.hasHint = false }
            return state.hasHint
        }
    }

    /// Returns at the next hint, or when the task is cancelled.
    func hint() async {
        let id = self.state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = self.state.withLock { state in
                    if state.hasHint || state.isLost || Task.isCancelled { return true }
                    state.waiters[id] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: id) }?.resume()
        }
    }

    private func signal(isLost: Bool) {
        let waiters = self.state.withLock { state in
            state.hasHint = true
            state.isLost = state.isLost || isLost
            defer { state.waiters.removeAll() }
            return state.waiters.values.map { $0 }
        }
        for waiter in waiters { waiter.resume() }
    }

    /// What the thread works on.
    ///
    /// The watcher is held weakly: when it goes, its end of the pipe closes and the thread ends.
    ///
    /// `@unchecked Sendable`: only the thread touches it.
    fileprivate final class Run: @unchecked Sendable {
        private let notifications: Int32
        private let stop: Int32
        private weak var watcher: DirectoryWatcher?

        init(notifications: Int32, stop: Int32, watcher: DirectoryWatcher) {
            self.notifications = notifications
            self.stop = stop
            self.watcher = watcher
        }

        deinit {
            close(self.notifications)
            close(self.stop)
        }

        func loop() {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                var sources = [
                    pollfd(fd: self.notifications, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: self.stop, events: Int16(POLLIN), revents: 0),
                ]
                guard poll(&sources, 2, -1) > 0 || errno == EINTR else { return }
                if sources[1].revents != 0 { return }
                let count = read(self.notifications, &buffer, buffer.count)
                guard count > 0 else { continue }
                self.watcher?.signal(isLost: DirectoryWatcher.tellsOfLoss(buffer[0..<count]))
            }
        }

    }

    /// Whether events, as the kernel writes them, say that the directory itself is gone.
    ///
    /// That the kernel dropped events (IN_Q_OVERFLOW) says no such thing: it is a hint like any other, and the look it
    /// asks for finds what the dropped ones were about.
    static func tellsOfLoss(_ bytes: ArraySlice<UInt8>) -> Bool {
        let lost = UInt32(IN_IGNORED) | UInt32(IN_UNMOUNT) | UInt32(IN_DELETE_SELF) | UInt32(IN_MOVE_SELF)
        return Self.masks(bytes).contains { $0 & lost != 0 }
    }

    /// The masks of the events in `bytes`: wd, mask, cookie, length (32 bits each), then a name of that length.
    private static func masks(_ bytes: ArraySlice<UInt8>) -> [UInt32] {
        bytes.withUnsafeBytes { raw in
            var masks: [UInt32] = []
            var position = 0
            while position + 16 <= raw.count {
                masks.append(raw.loadUnaligned(fromByteOffset: position + 4, as: UInt32.self))
                position += 16 + Int(raw.loadUnaligned(fromByteOffset: position + 12, as: UInt32.self))
            }
            return masks
        }
    }
}

/// The thread's main function.
///
/// A name, because C takes no method.
private func directoryWatcherMain(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<DirectoryWatcher.Run>.fromOpaque(context).takeRetainedValue().loop()
    return nil
}
