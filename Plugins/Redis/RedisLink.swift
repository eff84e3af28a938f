internal import CRedisShim
internal import ConnectorKit

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// One open connection to a server.
///
/// For one thread at a time. After it threw, it is of no use.
final class RedisLink {
    let server: String
    private let connection: OpaquePointer

    /// Opens a connection and logs in.
    ///
    /// Blocks up to twice the connect timeout.
    init(_ settings: RedisSettings, password: Secret?, name: String) throws(ConnectorError) {
        self.server = settings.server
        var error = [CChar](repeating: 0, count: 128)
        let opened = jrd_open(
            settings.host, Int32(settings.port), Int32(clamping: settings.connectTimeout.milliseconds),
            settings.replyBytesMaximum, settings.replyElementsMaximum, &error)
        guard let opened else {
            let reason = String(decoding: error.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            throw RedisErrors.unreachable(settings.server, reason)
        }
        self.connection = opened
        var commands: [RedisCommand] = []
        if let password {
            commands.append(
                password.reveal { RedisCommand(["AUTH"] + (settings.user.map { [.init($0)] } ?? []) + [.init($0)]) })
        }
        if settings.database != 0 { commands.append(["SELECT", RedisArgument(settings.database)]) }
        // Shown by CLIENT LIST; blanks are not allowed there. Also says whether a password is needed.
        let shown = String(name.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
        commands.append(["CLIENT", "SETNAME", RedisArgument(shown)])
        let deadline = ContinuousClock.now + settings.connectTimeout
        for reply in try self.exchange(commands, deadline: deadline) {
            if case .error(let text) = reply, !text.hasPrefix("NOPERM") { throw RedisErrors.refusal(text) }
        }
    }

    deinit { jrd_destroy(self.connection) }

    var descriptor: Int32 { jrd_descriptor(self.connection) }

    /// Adds a command to what is to be written.
    func append(_ command: RedisCommand) throws(ConnectorError) {
        var bytes: [UInt8] = []
        var ends: [Int] = []
        for argument in command.arguments {
            bytes += argument.bytes
            ends.append(bytes.count)
        }
        let code = bytes.withUnsafeBufferPointer { buffer in
            var start = 0
            let parts = ends.map { end in
                defer { start = end }
                return jrd_bytes(bytes: buffer.baseAddress.map { $0 + start }, count: end - start)
            }
            return jrd_append(self.connection, parts, Int32(parts.count))
        }
        if code != 0 { throw RedisErrors.lost(self.server, "out of memory") }
    }

    /// Writes what the socket takes; true when more is left.
    func write() throws(ConnectorError) -> Bool {
        let code = jrd_write(self.connection)
        if code < 0 { throw RedisErrors.lost(self.server, self.reason) }
        return code > 0
    }

    /// The replies that are complete by now, at most about `maximum`, and whether more may be there.
    func read(maximum: Int) throws(ConnectorError) -> (replies: [RedisReply], hasMore: Bool) {
        var replies = try self.takeReplies()
        // A server that never stops sending must not keep the caller here.
        for _ in 0..<256 where replies.count < maximum {
            let code = jrd_read(self.connection)
            if code < 0 {
                // What came before the end still counts; the end is found again by the next call.
                if !replies.isEmpty { return (replies, true) }
                throw self.readingFailure
            }
            if code == 0 { return (replies, false) }
            replies += try self.takeReplies()
        }
        return (replies, true)
    }

    private func takeReplies() throws(ConnectorError) -> [RedisReply] {
        var replies: [RedisReply] = []
        while true {
            var reply: OpaquePointer?
            let code = jrd_next(self.connection, &reply)
            guard code >= 0 else {
                if replies.isEmpty { throw RedisErrors.violation(self.server, self.reason) }
                return replies
            }
            guard let reply else { return replies }
            replies.append(RedisReply(reply))
            jrd_reply_free(reply)
        }
    }

    private var reason: String { String(cString: jrd_error(self.connection)) }

    private var readingFailure: ConnectorError {
        let reason = self.reason
        return reason.contains("larger than allowed")
            ? RedisErrors.violation(self.server, reason) : RedisErrors.lost(self.server, reason)
    }

    /// Sends commands and waits for their replies, on this thread.
    private func exchange(
        _ commands: [RedisCommand], deadline: ContinuousClock.Instant
    ) throws(ConnectorError) -> [RedisReply] {
        for command in commands { try self.append(command) }
        var replies: [RedisReply] = []
        while true {
            let hasMoreToWrite = try self.write()
            replies += try self.read(maximum: commands.count).replies
            if replies.count >= commands.count { return replies }
            let left = (deadline - ContinuousClock.now).milliseconds
            guard left > 0 else { throw RedisErrors.unreachable(self.server, "no answer to the login in time") }
            var polled = pollfd(
                fd: self.descriptor, events: Int16(POLLIN) | (hasMoreToWrite ? Int16(POLLOUT) : 0), revents: 0)
            _ = poll(&polled, 1, Int32(clamping: left))
        }
    }
}
