internal import CMailShim
internal import ConnectorKit
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// A connection to a server, logged in: bytes out, lines and bytes in.
///
/// Belongs to one thread, and blocks it. `cancel` may be called from any.
final class MailSession {
    /// Ends what a session does, from any thread.
    ///
    /// `@unchecked Sendable`: the pointer is only given to `jmail_cancel` by other threads than the session's, which is what the
    /// shim allows, and stays valid because this object owns it.
    final class Handle: @unchecked Sendable {
        fileprivate let pointer: OpaquePointer

        init() throws {
            guard let pointer = jmail_create() else {
                throw ConnectorError(
                    .unavailable, code: MailErrors.Code.unreachable, "libcurl cannot be set up.",
                    remedy: "Check the limits on memory of this process.")
            }
            self.pointer = pointer
        }

        deinit { jmail_destroy(self.pointer) }

        func cancel() { jmail_cancel(self.pointer) }
    }

    let handle: Handle
    let server: MailServer
    private let name: String
    private var buffer: [UInt8] = []
    private var start = 0
    private var chunk = [UInt8](repeating: 0, count: 64 << 10)
    /// Until when everything has to be done.
    private var deadline = Duration.zero
    private let clock = SystemConnectorClock()
    /// Whether the connection can no longer be used.
    private(set) var isBroken = false
    /// What the server said until it was connected.
    private(set) var greeting = ""

    init(_ server: MailServer, protocolName: String, handle: Handle) {
        self.server = server
        self.handle = handle
        self.name = "\(protocolName)://\(server.host):\(server.port)"
    }

    /// Gives what follows this much time.
    func allow(_ duration: Duration) { self.deadline = self.clock.now + duration }

    // MARK: - Connecting

    /// Connects and logs in.
    func connect(protocolName: String, secret: Secret?) throws {
        var request = jmail_request()
        request.port = Int32(self.server.port)
        request.timeout_ms =
            min(self.server.connectTimeout, max(self.deadline - self.clock.now, .milliseconds(1)))
            .wholeMilliseconds
        request.security =
            switch self.server.security {
            case .none: Int32(JMAIL_PLAIN)
            case .starttls: Int32(JMAIL_STARTTLS)
            case .implicit: Int32(JMAIL_IMPLICIT_TLS)
            }
        let isToken = if case .token = self.server.credential { true } else { false }
        let code = protocolName.withCString { protocolName in
            self.server.host.withCString { host in
                Self.withOptional(self.server.user) { user in
                    Self.withOptional(secret?.reveal { $0 }) { secret in
                        Self.withOptional(self.server.caFile) { caFile in
                            request.protocol = protocolName
                            request.host = host
                            request.user = user
                            request.password = isToken ? nil : secret
                            request.token = isToken ? secret : nil
                            request.ca_file = caFile
                            return jmail_connect(self.handle.pointer, &request)
                        }
                    }
                }
            }
        }
        self.greeting = String(cString: jmail_greeting(self.handle.pointer))
        guard Int(code) == JMAIL_OK else {
            self.isBroken = true
            throw self.failure(code)
        }
    }

    private static func withOptional<Result>(
        _ text: String?, _ body: (UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let text else { return body(nil) }
        return text.withCString { body($0) }
    }

    private func failure(_ code: Int32, mayHaveExecuted: Bool = false) -> ConnectorError {
        let words = String(cString: jmail_error(self.handle.pointer))
        func error(
            _ kind: ConnectorError.Kind, _ code: String, _ message: String, _ remedy: String, _ isRetryable: Bool? = nil
        ) -> ConnectorError {
            ConnectorError(
                kind, code: code, "\(self.name) \(message)", remedy: remedy, isRetryable: isRetryable,
                mayHaveExecuted: mayHaveExecuted)
        }
        switch Int(code) {
        case JMAIL_CANCELLED:
            var error = ConnectorError(wrapping: CancellationError())
            error.mayHaveExecuted = mayHaveExecuted
            return error
        case JMAIL_UNREACHABLE:
            return error(
                .unavailable, MailErrors.Code.unreachable, "cannot be reached: \(words).",
                "Check that the server runs and that host and port are right.")
        case JMAIL_TIMEOUT:
            return error(
                .timeout, MailErrors.Code.timeout, "gave no answer in time.",
                "Allow more time if the server is known to be slow.")
        case JMAIL_UNTRUSTED:
            return error(
                .unavailable, MailErrors.Code.insecure, "shows a certificate that is not trusted: \(words).",
                "Check the certificate; set caFile for an authority of your own.", false)
        case JMAIL_INSECURE:
            return error(
                .unavailable, MailErrors.Code.insecure, "offers no secure connection: \(words).",
                "Use the right port and tls; a server without TLS needs tls: none and allowPlaintext: true.", false)
        case JMAIL_DENIED: return self.loginFailure()
        default:
            return error(
                .transient, MailErrors.Code.interrupted,
                words.isEmpty ? "closed the connection." : "closed the connection: \(words).",
                "Usually passes; look at the server's log if it does not.")
        }
    }

    /// What the server said last tells a wrong password from a server that is busy.
    private func loginFailure() -> ConnectorError {
        let lines = self.greeting.split(whereSeparator: \.isNewline)
        let last = lines.last.map { String($0.prefix(300)) } ?? ""
        if let reply = SMTPReply(last), reply.code >= 400 {
            var error = MailErrors.smtp(reply, to: "the login")
            if !error.isRetryable {
                error.kind = .auth
                error.code = MailErrors.Code.denied
            }
            return error
        }
        let isBusy = last.uppercased().contains("[UNAVAILABLE]")
        return ConnectorError(
            isBusy ? .unavailable : .auth, code: MailErrors.Code.denied, "\(self.name) refused the login: \(last)",
            remedy: "Check user and password of the connection.", details: ["message": .string(last)])
    }

    // MARK: - Bytes

    func send(_ bytes: [UInt8], mayHaveExecuted: Bool = false) throws {
        let left = max(self.deadline - self.clock.now, .zero)
        let code = jmail_send(self.handle.pointer, bytes, bytes.count, left.wholeMilliseconds)
        guard Int(code) == JMAIL_OK else {
            self.isBroken = true
            throw self.failure(code, mayHaveExecuted: mayHaveExecuted)
        }
    }

    func send(_ text: String) throws { try self.send(Array(text.utf8)) }

    /// The next line, without its end.
    func line(bytesMax: Int, mayHaveExecuted: Bool = false) throws -> [UInt8] {
        var searched = self.start
        while true {
            if let end = Self.lineEnd(self.buffer, from: searched) {
                var line = self.buffer[self.start..<end]
                if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
                guard line.count <= bytesMax else { throw self.broken("a line of \(line.count) bytes") }
                let result = Array(line)
                self.start = end + 1
                return result
            }
            searched = self.buffer.count
            guard self.buffer.count - self.start <= bytesMax else { throw self.broken("a line without an end") }
            let removed = try self.receive(mayHaveExecuted)
            searched -= removed
        }
    }

    private static func lineEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress, start < buffer.count,
                let found = memchr(base + start, 10, buffer.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// The next `count` bytes.
    func bytes(_ count: Int) throws -> [UInt8] {
        while self.buffer.count - self.start < count { _ = try self.receive(false) }
        defer { self.start += count }
        return Array(self.buffer[self.start..<self.start + count])
    }

    /// Adds what comes to the buffer; by how much its beginning was cut off.
    private func receive(_ mayHaveExecuted: Bool) throws -> Int {
        let removed = self.start
        self.buffer.removeFirst(removed)
        self.start = 0
        let left = max(self.deadline - self.clock.now, .zero)
        let count = jmail_receive(self.handle.pointer, &self.chunk, self.chunk.count, left.wholeMilliseconds)
        guard count > 0 else {
            self.isBroken = true
            throw self.failure(Int32(-count), mayHaveExecuted: mayHaveExecuted)
        }
        self.buffer += self.chunk[..<Int(count)]
        return removed
    }

    /// The error of a server that does not keep to the protocol; the connection is not used again.
    func broken(_ reason: String) -> ConnectorError {
        self.isBroken = true
        return MailErrors.malformed(self.name, reason)
    }
}

extension Duration {
    /// Cut off.
    var wholeMilliseconds: Int64 {
        self.components.seconds * 1_000 + self.components.attoseconds / 1_000_000_000_000_000
    }
}
