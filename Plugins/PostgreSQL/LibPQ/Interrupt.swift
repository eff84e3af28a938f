internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Ends the waiting of one call from any thread.
///
/// Raised at most once; a call that waits sees it at once, one that does not, when it waits next.
final class Interrupt: Sendable {
    private struct State {
        var isRaised = false
        var waker: Waker?
    }

    private let state = Mutex(State())

    init() {}

    var isRaised: Bool { self.state.withLock { $0.isRaised } }

    /// Ends the waiting.
    func raise() {
        let waker = self.state.withLock { state -> Waker? in
            state.isRaised = true
            return state.waker
        }
        waker?.wake()
    }

    /// From now on `raise` wakes `waker`; `nil`: nobody.
    func attach(_ waker: Waker?) {
        self.state.withLock { $0.waker = waker }
    }
}

/// Wakes a thread out of `poll`.
final class Waker: Sendable {
    /// Readable after `wake`, until `drain`.
    let descriptor: Int32
    private let writer: Int32

    /// `nil` when the process may open no more files.
    init?() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        self.descriptor = ends[0]
        self.writer = ends[1]
    }

    deinit {
        _ = Self.closeDescriptor(self.descriptor)
        _ = Self.closeDescriptor(self.writer)
    }

    func wake() {
        var byte: UInt8 = 1
        // A full pipe wakes just as well.
        _ = write(self.writer, &byte, 1)
    }

    func drain() {
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(self.descriptor, &bytes, bytes.count) > 0 {}
    }

    private static func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
}
