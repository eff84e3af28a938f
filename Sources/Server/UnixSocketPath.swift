import Glibc

/// Why a server could not be opened.
public struct ServerError: Error, Sendable, CustomStringConvertible {
    /// The code, with a page in `docs/errors/`.
    public let code: String
    /// What happened.
    public let message: String
    /// What to do next.
    public let remedy: String

    init(_ code: String, _ message: String, remedy: String) {
        self.code = code
        self.message = message
        self.remedy = remedy
    }

    /// Code, message and remedy.
    public var description: String { "\(self.code): \(self.message) — \(self.remedy)" }
}

/// The file system side of a Unix domain socket: a socket appears at its path only when it listens, readable for its
/// owner alone, and one that is left over is replaced only when nobody answers there.
struct UnixSocketPath: Sendable {
    /// Bytes a socket address has room for on Linux, the final zero not counted.
    static let byteCountMax = 107

    let path: String
    /// Where the socket is opened before it moves to `path`.
    let temporaryPath: String

    init(_ path: String) throws(ServerError) {
        self.path = path
        self.temporaryPath = path + ".\(getpid())"
        guard self.temporaryPath.utf8.count <= Self.byteCountMax else {
            throw ServerError(
                "SV101", "The socket path \(path) is longer than \(Self.byteCountMax - 8) bytes.",
                remedy: "Use a data directory with a shorter path, or run in its parent directory.")
        }
    }

    /// Refuses when somebody listens at the path.
    func checkFree() throws(ServerError) {
        guard Self.answers(self.path) else { return }
        throw ServerError(
            "SV102", "Another server answers on \(self.path).",
            remedy: "Use that one, stop it first, or choose another data directory.")
    }

    /// Makes the open socket visible: permissions first, then the name.
    func publish() throws(ServerError) {
        guard chmod(self.temporaryPath, 0o600) == 0, rename(self.temporaryPath, self.path) == 0 else {
            throw ServerError(
                "SV103", "The socket \(self.path) could not be put in place: \(String(cString: strerror(errno))).",
                remedy: "Check that the directory can be written.")
        }
    }

    /// Removes the closed socket, unless another server has put its own in its place.
    func remove() {
        if !Self.answers(self.path) { unlink(self.path) }
        unlink(self.temporaryPath)
    }

    /// Whether a connection to the socket at `path` is accepted.
    static func answers(_ path: String) -> Bool {
        guard path.utf8.count <= byteCountMax else { return false }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}

/// The Unix socket of a data directory.
public enum APISocket {
    /// The name of the socket in its directory.
    public static let fileName = "junction.sock"

    /// Whether a server accepts connections on the socket at `path`.
    public static func answers(_ path: String) -> Bool {
        UnixSocketPath.answers(path)
    }
}
