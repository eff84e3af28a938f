internal import ConnectorKit
internal import Values

/// The entries of a stream that are read again: `{ from, to }`, both included, each an entry's id or a timestamp.
struct StreamRange: Sendable {
    var from = "-"
    var to = "+"

    /// Throws a `ConnectorError`.
    init(_ value: Value) throws {
        let reader = FieldReader(value, path: "replay", code: ConnectorError.Code.invalidParameters)
        self.from = Self.end("from", reader) ?? self.from
        self.to = Self.end("to", reader) ?? self.to
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    /// An id without its second part stands for all entries of its millisecond, at either end.
    private static func end(_ key: String, _ reader: FieldReader) -> String? {
        guard let text = reader.string(key) else { return nil }
        if let moment = Timestamp.milliseconds(text), moment >= 0 { return String(moment) }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ UInt64($0) != nil }) else {
            reader.add("replay.\(key): expected the id of an entry, as 1700000000000-0, or a timestamp.")
            return nil
        }
        return text
    }
}

/// Reads entries of a stream again, past the group: nothing becomes pending, and nothing is acknowledged there.
actor StreamReplay: EventSource {
    private let settings: StreamSourceSettings
    private let range: StreamRange
    private let session: SourceSession
    /// Where the next page begins; `nil`: everything was read.
    private var cursor: String?
    private var batches: [EventBatch.ID: [SourceEvent]] = [:]
    private var held: [HeldBatch<SourceEvent>] = []
    private var nextBatch: UInt64 = 1
    private var isConnected = false

    /// So many batches are out at a time.
    private static let batchesMaximum = 100

    init(_ settings: StreamSourceSettings, _ range: StreamRange, _ session: RedisSession) {
        self.settings = settings
        self.range = range
        self.session = SourceSession(session)
    }

    /// Begins the range again.
    func connect() async throws {
        self.isConnected = false
        try await self.session.reopen()
        self.cursor = self.range.from
        self.batches = [:]
        self.held = []
        self.isConnected = true
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        guard self.isConnected else { throw SourceInterruption.notConnected(reason: "connect was not called") }
        let deadline = ContinuousClock.now + wait
        while true {
            if let index = self.held.firstIndex(where: { $0.due <= .now }) {
                return self.batch(self.held.remove(at: index).items)
            }
            if let cursor, self.batches.count < Self.batchesMaximum {
                let events = try await self.page(from: cursor, min(max(1, maximum), 10_000))
                if !events.isEmpty { return self.batch(events) }
            } else if self.cursor == nil, self.batches.isEmpty, self.held.isEmpty {
                throw SourceInterruption.endOfInput
            } else {
                // Only an acknowledgement, or the time of a rejected batch, makes a difference.
                let left = deadline - .now
                guard left > .zero else { return nil }
                try await Task.sleep(for: min(left, .milliseconds(20)))
            }
        }
    }

    private func page(from cursor: String, _ maximum: Int) async throws -> [SourceEvent] {
        let reply: RedisReply
        do {
            reply = try await self.session.run(
                ["XRANGE", .init(self.settings.stream), .init(cursor), .init(self.range.to), "COUNT", .init(maximum)])
        } catch let interruption as SourceInterruption {
            self.isConnected = false
            throw interruption
        }
        let entries = try StreamEntry.list(reply)
        self.cursor = entries.count < maximum ? nil : entries.last.map { "(\($0.id)" }
        return entries.compactMap { $0.event(self.settings) }
    }

    private func batch(_ events: [SourceEvent]) -> EventBatch {
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.batches[id] = events
        return EventBatch(id: id, events: events)
    }

    /// The batch is done; the server is not told.
    func acknowledge(_ batch: EventBatch.ID) async throws { self.batches[batch] = nil }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let events = self.batches.removeValue(forKey: batch) else { return }
        if case .redeliver(let after) = disposition { self.held.append(HeldBatch(events, after: after)) }
    }

    func close() async {
        self.isConnected = false
        await self.session.close()
    }

    func backlog() async -> Int? { self.batches.values.reduce(0) { $0 + $1.count } }
}
