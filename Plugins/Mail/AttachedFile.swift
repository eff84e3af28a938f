#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Reads a file below a directory, for sending: never through a link, never outside, never more than allowed.
enum AttachedFile {
    /// Why it cannot be read.
    struct Failure: Error {
        var reason: String
    }

    static func contents(of path: String, below root: String, bytesMax: Int) throws(Failure) -> [UInt8] {
        let names = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !names.isEmpty, !names.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." || $0.utf8.contains(0) })
        else { throw Failure(reason: "\"\(path.prefix(80))\" is no path below attachmentsRoot") }
        var descriptor = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { _ = close(descriptor) } }
        for (index, name) in names.enumerated() where descriptor >= 0 {
            let isLast = index + 1 == names.count
            let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (isLast ? 0 : O_DIRECTORY)
            let next = openat(descriptor, String(name), flags)
            let number = errno
            _ = close(descriptor)
            descriptor = next
            errno = number
        }
        guard descriptor >= 0 else {
            throw Failure(reason: "\(path.prefix(80)) cannot be read: \(String(cString: strerror(errno)))")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(reason: "\(path.prefix(80)) is no regular file")
        }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure(reason: "\(path.prefix(80)) cannot be read: \(String(cString: strerror(errno)))")
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else {
                throw Failure(reason: "\(path.prefix(80)) has more than \(bytesMax) bytes")
            }
        }
    }
}
