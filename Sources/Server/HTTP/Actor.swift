import Glibc
import HTTPTypes
import NIOCore

extension RouteRequest {
    /// Who asks: the `Junction-Actor` header, else the user at the other end of the Unix socket, else `anonymous`.
    ///
    /// The header is taken as it is: whoever may open the socket is trusted to say who they are.
    func actor() async throws(ProblemDetails) -> String {
        if let name = self.headers[.actor] {
            guard (1...128).contains(name.utf8.count), name.unicodeScalars.allSatisfy({ $0.value >= 32 }) else {
                throw .invalidField("Junction-Actor", expected: "1 to 128 printable characters", found: quoted(name))
            }
            return name
        }
        guard let user = await Self.peerUser(of: self.channel) else { return "anonymous" }
        return "uid:\(user)"
    }

    /// The user id of the process at the other end of a Unix socket (`SO_PEERCRED`); nil for other sockets.
    private static func peerUser(of channel: any Channel) async -> uid_t? {
        guard case .unixDomainSocket = channel.localAddress, let socket = channel as? any SocketOptionProvider else {
            return nil
        }
        let credentials: PeerCredentials? = try? await socket.unsafeGetSocketOption(
            level: .init(rawValue: SOL_SOCKET), name: .init(rawValue: SO_PEERCRED)
        ).get()
        return credentials?.user
    }

    /// `struct ucred` of Linux.
    private struct PeerCredentials: Sendable {
        var process: pid_t = 0
        var user: uid_t = 0
        var group: gid_t = 0
    }
}
