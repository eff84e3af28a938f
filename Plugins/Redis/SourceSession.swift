internal import ConnectorKit
internal import Values

/// How sources use a session: what a new connection may mend is an interruption, all else an error for a person.
struct SourceSession: Sendable {
    private let session: RedisSession
    /// So long an answer may take, beyond what the command itself waits for.
    private static let patience = Duration.seconds(10)

    init(_ session: RedisSession) { self.session = session }

    /// Opens a new connection.
    ///
    /// Throws `ConnectorError`.
    func reopen() async throws {
        await self.session.disconnect()
        try await self.session.open()
    }

    /// Sends commands and returns their replies, none of which is an error.
    ///
    /// Throws `SourceInterruption.notConnected` or `ConnectorError`.
    func run(_ commands: [RedisCommand], waiting: Duration = .zero) async throws -> [RedisReply] {
        let replies: [RedisReply]
        do {
            replies = try await self.session.run(commands, timeout: waiting + Self.patience)
        } catch {
            throw await self.interruption(ConnectorError(wrapping: error))
        }
        for case .error(let text) in replies { throw await self.interruption(RedisErrors.refusal(text)) }
        return replies
    }

    /// The only reply to one command.
    func run(_ command: RedisCommand, waiting: Duration = .zero) async throws -> RedisReply {
        try await self.run([command], waiting: waiting).first ?? .null
    }

    /// Messages of subscriptions.
    func messages(maximum: Int, wait: Duration) async throws -> [RedisReply] {
        do {
            return try await self.session.messages(maximum: maximum, wait: wait)
        } catch {
            throw await self.interruption(ConnectorError(wrapping: error))
        }
    }

    func close() async { await self.session.close() }

    /// What did not get through, or was cut short, leaves the connection in doubt: only a new one is known to be good.
    private func interruption(_ error: ConnectorError) async -> any Error {
        guard error.code != ConnectorError.Code.closed else { return error }
        switch error.kind {
        case .unavailable, .timeout, .transient:
            await self.session.disconnect()
            return SourceInterruption.notConnected(reason: error.message)
        default:
            return error
        }
    }
}

/// A rejected batch that is kept until it may come again.
struct HeldBatch<Item: Sendable>: Sendable {
    var items: [Item]
    var due: ContinuousClock.Instant

    /// A message that was rejected comes again no sooner than this, so that one nobody can process costs little.
    static var delayMinimum: Duration { .milliseconds(250) }

    init(_ items: [Item], after: Duration) {
        self.items = items
        self.due = ContinuousClock.now + max(after, Self.delayMinimum)
    }
}

extension [UInt8] {
    /// 128 bits that differ for different contents, as text.
    var digest: String {
        let first = StableHash.fnv1a64(self)
        let second = StableHash.fnv1a64(self, state: StableHash.mixed(first ^ UInt64(self.count)))
        return String(first, radix: 36) + "-" + String(second, radix: 36)
    }
}
