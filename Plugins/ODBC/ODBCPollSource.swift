internal import ConnectorKit
internal import Values

/// Emits the rows of a query as they appear: those after a position, in the order of the cursor's columns.
///
/// The position is that of the last row before which everything is acknowledged; it is saved with each acknowledgement
/// and taken up at `connect`. A row's id is made of its identity and its position, so that a row that is read again has
/// the id it had, and one that changed its position is another event. With a look-back each round begins before the
/// position, and emits what was not there the last time.
actor ODBCPollSource: EventSource {
    private struct Row {
        var event: SourceEvent
        var cursor: [Value]
        var mark: ODBCWindow.Mark
    }

    /// A batch on its way, or waiting to be sent again.
    private struct Entry {
        enum State: Hashable {
            case out
            case again(at: Duration)
            case done
        }

        var id: EventBatch.ID
        var rows: [Row]
        var state = State.out
    }

    /// Rows that may be out; beyond that nothing more is read.
    private static let outstandingMaximum = 2 * ODBCPollSettings.fetchMaximum
    /// Rows of a look that only searches for the newest.
    private static let skippedRows = 10_000

    private let settings: ODBCPollSettings
    private let connection: ODBCConnection
    private let memory: any SourceMemory
    private let clock: any ConnectorClock
    private var isConnected = false
    private var isClosed = false
    /// Where it begins as long as it saw no row.
    private var origin = ODBCPosition.earliest
    /// Before it everything is acknowledged, and saved.
    private var durable: [Value]?
    /// The farthest row that was read.
    private var farthest: [Value]?
    /// Where the next look of this round begins; nil between rounds.
    private var position: ODBCPosition?
    private var nextRound = Duration.zero
    private var isOver = false
    private var window = ODBCWindow()
    /// Read and not emitted yet, oldest first.
    private var buffer: [Row] = []
    private var bufferStart = 0
    /// In the order in which they were emitted first.
    private var entries: [Entry] = []
    private var nextBatch: UInt64 = 1

    init(
        _ settings: ODBCPollSettings, connection: ODBCConnection, memory: any SourceMemory, clock: any ConnectorClock
    ) {
        self.settings = settings
        self.connection = connection
        self.memory = memory
        self.clock = clock
    }

    /// Takes up the saved position; a source that begins with what is new finds out where that is, and saves it.
    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed("source of rows") }
        self.isConnected = false
        self.origin = .earliest
        self.durable = nil
        self.farthest = nil
        self.position = nil
        self.window = ODBCWindow()
        self.buffer = []
        self.bufferStart = 0
        self.entries = []
        if let replay = self.settings.replay {
            self.origin = replay.from
        } else {
            try await self.restore()
        }
        self.nextRound = self.clock.now
        self.isConnected = true
    }

    private func restore() async throws {
        if let saved = try await self.memory.load() {
            let columns = saved["columns"]?.asList?.compactMap(\.asString) ?? []
            let cursor = saved["cursor"]?.asList
            guard saved["version"] == 1, columns == self.settings.query.cursor, cursor?.count == columns.count else {
                throw ODBCErrors.cursorForeign(
                    saved: columns.isEmpty ? "another kind" : columns.joined(separator: ", "),
                    wanted: self.settings.query.cursor.joined(separator: ", "))
            }
            self.durable = cursor
            self.farthest = cursor
            self.window.restore(saved["seen"], at: cursor ?? [])
            return
        }
        switch self.settings.start {
        case .earliest: return
        case .after(let values):
            // Not `farthest`: there is nothing before it to look back to.
            self.origin = .after(values)
        case .latest:
            var position = ODBCPosition.earliest
            while true {
                let page = try await self.page(after: position, rows: Self.skippedRows)
                guard let last = page.rows.last else { break }
                position = .after(last.cursor)
                if !page.isFull { break }
            }
            // Before the first event: a restart must not begin with what is new then.
            guard case .after(let values) = position else { return }
            self.durable = values
            self.farthest = values
            try await self.save()
        }
    }

    private func save() async throws {
        guard let durable, self.settings.replay == nil else { return }
        var value: ValueContext = [
            "version": 1, "columns": .list(self.settings.query.cursor.map { .string($0) }), "cursor": .list(durable),
        ]
        if self.settings.lookback != nil { value["seen"] = self.window.saved }
        try await self.memory.save(.context(value))
    }

    private func page(after position: ODBCPosition, rows: Int) async throws -> ODBCPage {
        do {
            return try await self.connection.page(self.settings.query, after: position, rows: rows)
        } catch let error as ConnectorError where error.isRetryable && error.code != ConnectorError.Code.cancelled {
            self.isConnected = false
            throw SourceInterruption.notConnected(reason: "\(error.code): \(error.message)")
        }
    }

    // MARK: - Reading

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected, !self.isClosed else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            if let batch = self.again() ?? self.fresh(max(1, maximum)) { return batch }
            if self.isOver, self.entries.allSatisfy({ $0.state == .out }) { throw SourceInterruption.endOfInput }
            let isHeld = self.outstanding >= Self.outstandingMaximum || self.isOver
            if !isHeld, self.position != nil || self.clock.now >= self.nextRound {
                try await self.look()
                continue
            }
            var next = isHeld ? deadline : min(deadline, self.nextRound)
            for case .again(let moment) in self.entries.map(\.state) { next = min(next, moment) }
            let now = self.clock.now
            guard now < deadline else { return nil }
            if next > now { try await self.clock.sleep(for: next - now) }
        }
    }

    private var outstanding: Int { self.entries.reduce(0) { $0 + $1.rows.count } }

    /// A rejected batch whose time has come.
    private func again() -> EventBatch? {
        let now = self.clock.now
        for index in self.entries.indices {
            guard case .again(let moment) = self.entries[index].state, moment <= now else { continue }
            self.entries[index].state = .out
            self.entries[index].id = self.batchID()
            return EventBatch(id: self.entries[index].id, events: self.entries[index].rows.map(\.event))
        }
        return nil
    }

    private func fresh(_ maximum: Int) -> EventBatch? {
        let rows = Array(self.buffer[self.bufferStart...].prefix(maximum))
        guard !rows.isEmpty else { return nil }
        self.bufferStart += rows.count
        if self.bufferStart == self.buffer.count {
            self.buffer = []
            self.bufferStart = 0
        }
        let entry = Entry(id: self.batchID(), rows: rows)
        self.entries.append(entry)
        return EventBatch(id: entry.id, events: rows.map(\.event))
    }

    private func batchID() -> EventBatch.ID {
        defer { self.nextBatch += 1 }
        return EventBatch.ID(rawValue: self.nextBatch)
    }

    /// Reads the next page of this round, or the first of a new one.
    private func look() async throws {
        let position = self.position ?? self.beginning()
        let page = try await self.page(after: position, rows: self.settings.fetch)
        guard !self.isClosed else { return }
        for row in page.rows {
            if let to = self.settings.replay?.to, ODBCPosition.compareWholly(row.cursor, to) > 0 {
                self.isOver = true
                break
            }
            if self.isFarther(row.cursor, than: self.farthest) { self.farthest = row.cursor }
            let event = self.event(row)
            let mark = ODBCWindow.Mark(event.id)
            if self.settings.lookback != nil {
                if self.window.contains(mark) { continue }
                self.window.insert(mark, at: row.cursor)
            }
            self.buffer.append(Row(event: event, cursor: row.cursor, mark: mark))
        }
        if let last = page.rows.last { self.position = .after(last.cursor) }
        guard !page.isFull || page.rows.isEmpty else { return }
        self.position = nil
        self.nextRound = self.clock.now + self.settings.every
        self.isOver = self.isOver || self.settings.replay != nil
    }

    private func beginning() -> ODBCPosition {
        guard let farthest else { return self.origin }
        guard let lookback = self.settings.lookback, let earlier = ODBCPosition.before(farthest, by: lookback) else {
            return .after(farthest)
        }
        self.window.trim(before: earlier)
        return .after(earlier)
    }

    /// Whether `cursor` lies behind `other`, as far as that can be seen; with a look-back, late rows do not.
    private func isFarther(_ cursor: [Value], than other: [Value]?) -> Bool {
        guard let other, self.settings.lookback != nil else { return true }
        return (ODBCPosition.compare(cursor, other) ?? ODBCPosition.compare([cursor[0]], [other[0]]) ?? 1) >= 0
    }

    private func event(_ row: ODBCPage.Row) -> SourceEvent {
        let data = Value.context(row.data)
        let columns = self.settings.query.cursor
        var cursor = ValueContext()
        for (name, value) in zip(columns, row.cursor) { cursor[name] = value["value"] ?? .null }
        var occurred: Int64?
        if case .dateTime(let dateTime)? = columns.first.flatMap({ row.data[$0] }) {
            occurred = dateTime.epochMilliseconds
        }
        return SourceEvent(
            id: Self.id(row.identity + row.cursor), payload: Array(JSON.string(data).utf8),
            contentType: "application/json",
            body: row.problem.map { .undecodable(.init(line: 1, reason: $0)) } ?? .value(data),
            coordinates: ["cursor": .context(cursor)], occurredAtMilliseconds: occurred)
    }

    /// The values with `|` between them; what is long is cut, and stands for itself by its hash.
    private static func id(_ values: [Value]) -> String {
        let text = values.map { value in
            let text = value.isNull ? "\\N" : ODBCPosition.text(value)
            guard text.utf8.contains(where: { $0 == 0x5C || $0 == 0x7C }), !value.isNull else { return text }
            return text.replacing("\\", with: "\\\\").replacing("|", with: "\\|")
        }.joined(separator: "|")
        return text.utf8.count <= 200 ? text : text.prefix(100) + "#" + ODBCWindow.Mark(text).text
    }

    // MARK: - Acknowledging

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let index = self.entries.firstIndex(where: { $0.id == batch && $0.state == .out }) else { return }
        self.entries[index].state = .done
        try await self.advance()
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let index = self.entries.firstIndex(where: { $0.id == batch && $0.state == .out }) else { return }
        switch disposition {
        case .redeliver(let after): self.entries[index].state = .again(at: self.clock.now + after)
        case .setAside:
            // A table has no place for such rows.
            self.entries[index].state = .done
            try await self.advance()
        }
    }

    /// Moves the position over everything that is done without a gap.
    private func advance() async throws {
        var count = 0
        while count < self.entries.count, self.entries[count].state == .done { count += 1 }
        guard count > 0 else { return }
        for entry in self.entries.prefix(count) {
            for row in entry.rows where self.isFarther(row.cursor, than: self.durable) { self.durable = row.cursor }
            if self.settings.lookback != nil { self.window.acknowledge(entry.rows.lazy.map(\.mark)) }
        }
        self.entries.removeFirst(count)
        try await self.save()
    }

    func close() async {
        self.isClosed = true
        self.isConnected = false
        self.buffer = []
        self.bufferStart = 0
        self.entries = []
    }

    /// Rows read and not acknowledged.
    func backlog() async -> Int? { self.buffer.count - self.bufferStart + self.outstanding }
}
