internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Files below the root a connection allows: no part of a path may be `..` or a link.
enum CopyFile {
    /// Opens the directory a path lies in; returns it with the last part of the path.
    private static func openParent(_ root: String, _ path: String) throws(ConnectorError) -> (Int32, String) {
        let parts = path.split(separator: "/", omittingEmptySubsequences: true).map(String.init)
        guard let name = parts.last, !path.hasPrefix("/"), !path.utf8.contains(0),
            !parts.contains(where: { $0 == ".." || $0 == "." })
        else {
            throw PostgresErrors.file(path, "leads out of fileRoot", kind: .permission)
        }
        var directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        for part in parts.dropLast() where directory >= 0 {
            let next = openat(directory, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            closeDescriptor(directory)
            directory = next
        }
        guard directory >= 0 else { throw Self.failure(path, errno) }
        return (directory, name)
    }

    fileprivate static func failure(_ path: String, _ number: Int32) -> ConnectorError {
        let kind: ConnectorError.Kind =
            switch number {
            case ENOENT: .notFound
            case EACCES, EPERM, ELOOP, ENOTDIR: .permission
            case ENOSPC, EDQUOT: .quotaExhausted
            default: .validation
            }
        return PostgresErrors.file(path, "cannot be used: \(String(cString: strerror(number)))", kind: kind)
    }

    /// Reads a file piece by piece.
    final class Reader {
        private let path: String
        private let descriptor: Int32

        init(root: String, path: String) throws(ConnectorError) {
            let (directory, name) = try CopyFile.openParent(root, path)
            defer { closeDescriptor(directory) }
            self.path = path
            self.descriptor = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
            guard self.descriptor >= 0 else { throw CopyFile.failure(path, errno) }
            var status = stat()
            guard fstat(self.descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw PostgresErrors.file(path, "is no regular file")
            }
        }

        deinit { if self.descriptor >= 0 { closeDescriptor(self.descriptor) } }

        /// The next bytes; none at the end.
        func next(_ maximum: Int) throws(ConnectorError) -> [UInt8] {
            var bytes = [UInt8](repeating: 0, count: maximum)
            while true {
                let count = read(self.descriptor, &bytes, maximum)
                if count >= 0 { return Array(bytes[..<count]) }
                guard errno == EINTR else { throw CopyFile.failure(self.path, errno) }
            }
        }
    }

    /// Writes a file under another name, which it keeps until it is complete.
    final class Writer {
        private let path: String
        private let directory: Int32
        private let name: String
        private let temporary: String
        private let descriptor: Int32
        private var isFinished = false

        init(root: String, path: String) throws(ConnectorError) {
            (self.directory, self.name) = try CopyFile.openParent(root, path)
            self.path = path
            self.temporary = ".\(self.name).\(UInt64.random(in: 0 ... .max))"
            self.descriptor = openat(
                self.directory, self.temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o640)
            guard self.descriptor >= 0 else { throw CopyFile.failure(path, errno) }
        }

        deinit {
            if self.descriptor >= 0 {
                closeDescriptor(self.descriptor)
                if !self.isFinished { unlinkat(self.directory, self.temporary, 0) }
            }
            closeDescriptor(self.directory)
        }

        func append(_ bytes: [UInt8]) throws(ConnectorError) {
            var start = 0
            while start < bytes.count {
                let count = bytes[start...].withUnsafeBytes { write(self.descriptor, $0.baseAddress, $0.count) }
                if count > 0 {
                    start += count
                } else if errno != EINTR {
                    throw CopyFile.failure(self.path, errno)
                }
            }
        }

        /// Gives the file its name; what had it before is replaced.
        func finish() throws(ConnectorError) {
            guard fsync(self.descriptor) == 0,
                renameat(self.directory, self.temporary, self.directory, self.name) == 0
            else { throw CopyFile.failure(self.path, errno) }
            self.isFinished = true
            fsync(self.directory)
        }
    }
}

/// `close`, where a method has that name.
private func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
