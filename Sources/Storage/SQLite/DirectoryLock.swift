internal import Glibc

/// The exclusive right to use a data directory: an advisory lock on its file `lock`, which names the owner's process.
///
/// The kernel releases it when the process dies, however it dies.
final class DirectoryLock: Sendable {
    private let descriptor: Int32

    /// How long to wait for a process that is just ending: the kernel frees the lock of a killed one a moment later.
    private static let waitMilliseconds: UInt32 = 1_000
    private static let pauseMilliseconds: UInt32 = 20

    /// Takes the lock, creating the directory when it is missing; waits up to a second for its owner to end.
    ///
    /// - Throws: `StoreError.ownedElsewhere` with the owner's process id; `.io` when the directory cannot be used.
    init(directory: String) throws(StoreError) {
        try Self.createDirectory(directory)
        let path = directory + "/lock"
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        if let reason = Self.lock(descriptor) {
            let owner = Self.owner(descriptor)
            Glibc.close(descriptor)
            guard reason == EWOULDBLOCK else { throw Self.failure("lock", path, reason) }
            throw StoreError(
                .ownedElsewhere,
                "The data directory \(directory) is in use by process \(owner).",
                remedy: "Talk to the running server instead, stop it, or choose another data directory.")
        }
        self.descriptor = descriptor
        let text = "\(getpid())\n"
        let written = text.utf8.withContiguousStorageIfAvailable { bytes in
            ftruncate(descriptor, 0) == 0 ? pwrite(descriptor, bytes.baseAddress, bytes.count, 0) : -1
        }
        guard written == text.utf8.count else {
            Glibc.close(descriptor)
            throw Self.failure("write", path)
        }
    }

    deinit {
        Glibc.close(self.descriptor)
    }

    /// Takes the lock; the error number when it cannot be had in time.
    private static func lock(_ descriptor: Int32) -> Int32? {
        var waited: UInt32 = 0
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let reason = errno
            guard reason == EWOULDBLOCK || reason == EINTR, waited < Self.waitMilliseconds else { return reason }
            usleep(Self.pauseMilliseconds * 1_000)
            waited += Self.pauseMilliseconds
        }
        return nil
    }

    /// The process id found in a lock file, or "unknown".
    private static func owner(_ descriptor: Int32) -> String {
        var buffer = [UInt8](repeating: 0, count: 20)
        let count = pread(descriptor, &buffer, buffer.count, 0)
        let digits = buffer.prefix(max(0, count)).prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
        return digits.isEmpty ? "unknown" : String(decoding: digits, as: UTF8.self)
    }

    /// Creates a directory with its parents, for this user only.
    private static func createDirectory(_ path: String) throws(StoreError) {
        var partial = path.hasPrefix("/") ? "/" : ""
        for component in path.split(separator: "/") {
            partial += (partial.isEmpty || partial.hasSuffix("/") ? "" : "/") + component
            if mkdir(partial, 0o700) != 0 && errno != EEXIST { throw Self.failure("create", partial) }
        }
    }

    private static func failure(_ action: String, _ path: String, _ reason: Int32 = errno) -> StoreError {
        StoreError(
            .io, "Cannot \(action) \(path): \(String(cString: strerror(reason))).",
            remedy: "Check that the data directory is on a writable volume and belongs to this user.")
    }
}
