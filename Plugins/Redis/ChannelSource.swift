internal import ConnectorKit
internal import Values

/// Subscribes to channels: what is published while nobody listens is lost.
actor ChannelSource: EventSource {
    private let settings: ChannelSourceSettings
    private let session: SourceSession
    /// Tells the messages of this source's life from those of another.
    private let life = String(UInt64.random(in: .min ... .max), radix: 36)
    private var messageCount = 0
    private var nextBatch: UInt64 = 1
    private var nextPing = ContinuousClock.now

    /// How often the server is asked whether it is still there.
    private static let pingInterval = Duration.seconds(15)

    init(_ settings: ChannelSourceSettings, _ session: RedisSession) {
        self.settings = settings
        self.session = SourceSession(session)
    }

    func connect() async throws {
        try await self.session.reopen()
        // One reply each.
        var commands = self.settings.channels.map { ["SUBSCRIBE", .init($0)] as RedisCommand }
        commands += self.settings.patterns.map { ["PSUBSCRIBE", .init($0)] as RedisCommand }
        _ = try await self.session.run(commands)
        self.nextPing = .now + Self.pingInterval
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        if self.nextPing <= .now {
            _ = try await self.session.run([["PING"]])
            self.nextPing = .now + Self.pingInterval
        }
        let messages = try await self.session.messages(maximum: max(1, maximum), wait: wait)
        let events = messages.compactMap { self.event($0) }
        guard !events.isEmpty else { return nil }
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        return EventBatch(id: id, events: events)
    }

    /// Nothing to do: the server does not remember what it has published.
    func acknowledge(_ batch: EventBatch.ID) async throws {}

    /// Nothing to do: what was published does not come again.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {}

    func close() async { await self.session.close() }

    /// `["message", channel, payload]` or `["pmessage", pattern, channel, payload]`.
    private func event(_ message: RedisReply) -> SourceEvent? {
        guard let parts = message.elements, parts.count >= 3, let payload = parts[parts.count - 1].bytes,
            let channel = parts[parts.count - 2].text
        else { return nil }
        self.messageCount += 1
        var coordinates: ValueContext = ["channel": .string(channel)]
        if parts.count == 4, let pattern = parts[1].text { coordinates["pattern"] = .string(pattern) }
        let (type, body) = self.settings.decoding.message(payload, contentType: self.settings.contentType)
        return SourceEvent(
            id: "\(channel):\(self.life)-\(self.messageCount)", payload: payload, contentType: type, body: body,
            coordinates: coordinates)
    }
}
