internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// An open regular file, read piece by piece.
///
/// Owns its handle.
struct FileHandleReader: ~Copyable {
    /// The size of a piece.
    static let chunkBytes = 1 << 20

    /// What the file was when it was opened.
    let entry: RootDirectory.Entry
    private let handle: Int32

    /// Opens `name` in an open directory; throws what `RootDirectory.read` would.
    init(_ directory: Int32, _ name: String) throws {
        // O_NONBLOCK: a pipe must not make the open wait for its other end.
        let handle = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard handle >= 0 else {
            if errno == ELOOP { throw FileErrors.notAFile(name, "is a symbolic link") }
            throw FileErrors.system(.last("open", name))
        }
        var status = stat()
        guard fstat(handle, &status) == 0 else {
            let failure = FileFailure.last("stat", name)
            Glibc.close(handle)
            throw FileErrors.system(failure)
        }
        let entry = RootDirectory.Entry(name, status)
        guard entry.kind == .file else {
            Glibc.close(handle)
            throw FileErrors.notAFile(name, "is no regular file")
        }
        self.entry = entry
        self.handle = handle
    }

    deinit { Glibc.close(self.handle) }

    /// What the file is now.
    func entryNow() throws -> RootDirectory.Entry {
        var status = stat()
        guard fstat(self.handle, &status) == 0 else { throw FileErrors.system(.last("stat", self.entry.name)) }
        return RootDirectory.Entry(self.entry.name, status)
    }

    /// Up to `count` bytes from `offset` on; fewer only at the end of the file.
    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var result = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let read = result[filled...].withUnsafeMutableBytes {
                pread(self.handle, $0.baseAddress, $0.count, off_t(offset + filled))
            }
            if read < 0, errno == EINTR { continue }
            guard read >= 0 else { throw FileErrors.system(.last("read", self.entry.name)) }
            guard read > 0 else { break }
            filled += read
        }
        result.removeLast(count - filled)
        return result
    }

    /// Gives the content to `body`, a piece at a time, and stops between pieces when the task is cancelled.
    func forEachChunk(_ body: ([UInt8]) throws -> Void) throws {
        var offset = 0
        while true {
            try Task.checkCancellation()
            let chunk = try self.bytes(at: offset, count: Self.chunkBytes)
            if chunk.isEmpty { return }
            try body(chunk)
            offset += chunk.count
        }
    }
}
