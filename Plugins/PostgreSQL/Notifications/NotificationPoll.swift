internal import ConnectorKit
internal import SQLSupport
internal import Values

/// The rows a source of notifications reads when it is woken, and where it stands among them.
///
/// Not `Sendable`: lives with its source.
struct NotificationPoll {
    private let settings: NotificationSettings.Poll
    private let recordBytesMaximum: Int
    /// The values of the last row that was given out.
    private var position: [String]?
    private var tracker = AcknowledgedPosition<[String]>(.zero)
    private(set) var next = ContinuousClock.now
    private let replay: Replay?
    private var nextBatch: UInt64 = 1
    /// Whether the last row of the range was given out.
    private(set) var isAtEnd = false

    /// A range to read again: the rows after `from`, up to and with `to`.
    struct Replay {
        var from: [String]?
        var to: [String]?

        init(_ value: Value) throws {
            let reader = FieldReader(value, path: "replay", code: ConnectorError.Code.invalidParameters)
            self.from = reader.value("from").map(NotificationSettings.texts)
            self.to = reader.value("to").map(NotificationSettings.texts)
            reader.finish()
            if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        }
    }

    init(_ settings: NotificationSettings.Poll, replay: Replay?, recordBytesMaximum: Int) {
        self.settings = settings
        self.replay = replay
        self.recordBytesMaximum = recordBytesMaximum
    }

    var isReplay: Bool { self.replay != nil }

    /// Starts from what was saved; what is out comes again.
    mutating func restart(_ saved: Value?) {
        let saved = saved?["cursor"]?.asList?.compactMap(\.asString)
        self.position = self.replay.map { $0.from ?? self.settings.initial } ?? saved ?? self.settings.initial
        self.tracker = AcknowledgedPosition(.zero)
        self.next = .now
    }

    /// Something happened, or the time has come.
    mutating func wake(after delay: Duration = .zero) { self.next = .now + delay }

    var backlog: Int { self.tracker.events }

    /// The next rows, at most `maximum`; nil when there are none.
    mutating func rows(
        _ maximum: Int, _ session: PostgresSession, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) -> EventBatch? {
        let text = "SELECT * FROM (\(self.settings.query)\n) AS rows LIMIT \(maximum)"
        let parameters: [String?] = self.position ?? Array(repeating: nil, count: self.settings.cursor.count)
        let (texts, columns) = try session.texts(text, parameters, limits: limits)
        let places = self.settings.cursor.compactMap { name in columns.firstIndex { $0.name == name } }
        guard places.count == self.settings.cursor.count else {
            throw ChangeErrors.setup(
                "The rows of poll.query have no column \(self.settings.cursor.joined(separator: ", ")).",
                remedy: "Select the columns of the cursor too.")
        }
        var events: [SourceEvent] = []
        for row in texts.rows where !self.isAtEnd {
            let cursor = places.map { row[$0].map { String(decoding: $0, as: UTF8.self) } ?? "" }
            if cursor == self.replay?.to { self.isAtEnd = true }
            self.position = cursor
            events.append(self.event(row, columns, cursor))
        }
        guard !events.isEmpty else {
            self.next = .now + self.settings.every
            self.isAtEnd = self.isReplay
            return nil
        }
        let batch = self.nextBatch
        self.nextBatch += 1
        let bytes = events.reduce(0) { $0 + $1.payload.count }
        self.tracker.add(batch: batch, events: events.count, bytes: bytes, position: nil, progress: self.position)
        return EventBatch(id: EventBatch.ID(rawValue: batch), events: events)
    }

    private func event(
        _ row: [[UInt8]?], _ columns: [(name: String, type: PostgresType)], _ cursor: [String]
    ) -> SourceEvent {
        let id = cursor.count == 1 ? cursor[0] : JSON.string(.list(cursor.map { .string($0) }))
        var value = ValueContext()
        var problem: String?
        for (text, column) in zip(row, columns) {
            do throws(PostgresDecoder.Malformed) {
                value[column.name] = try ChangeValue.value(text, column.type)
            } catch {
                problem = "The column \(column.name) is no \(error.what)."
            }
        }
        let payload = JSON.string(.context(value))
        if payload.utf8.count > self.recordBytesMaximum {
            problem = "The row has \(payload.utf8.count) bytes; at most \(self.recordBytesMaximum) are allowed."
        }
        return SourceEvent(
            id: id, payload: Array(payload.utf8), contentType: "application/json",
            body: problem.map { .undecodable(.init(line: 1, reason: $0)) } ?? .value(.context(value)),
            coordinates: ["cursor": .list(cursor.map { .string($0) })])
    }

    /// A batch is done; returns what to save.
    mutating func acknowledge(_ batch: EventBatch.ID) -> Value? {
        guard let cursor = self.tracker.done(batch.rawValue), !self.isReplay else { return nil }
        return ["cursor": .list(cursor.map { .string($0) })]
    }
}
