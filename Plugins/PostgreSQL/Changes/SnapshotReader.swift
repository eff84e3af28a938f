internal import ConnectorKit
internal import SQLSupport
internal import Values

/// How far a snapshot is read; what the source remembers.
struct SnapshotProgress: Sendable, Hashable {
    /// The table being read, and the texts of the key of its last row that is done.
    var table: String?
    var after: [String] = []
    var isDone = false
}

/// Reads the rows that are there, page by page, in one snapshot of the database.
///
/// Not `Sendable`: lives on the thread of its session. Throws `ConnectorError`.
final class SnapshotReader {
    /// Rows, and what is true when they are done.
    struct Page {
        var events: [SourceEvent]
        var bytes: Int
        var progress: SnapshotProgress
    }

    /// A page has about as many bytes.
    private static let pageBytes = 2 << 20

    private let session: PostgresSession
    private let origin: ChangeEvent.Origin
    private let slot: String?
    private let outbox: OutboxSettings?
    private let decoding: RecordDecoding
    private var tables: ArraySlice<ChangeCatalog.Table>
    private var start: [String]
    private var cursors = 0
    private var isOpen = false
    private var pageRows = 100

    /// Begins the transaction: in the snapshot `name` that was exported, or in one of its own.
    ///
    /// Goes on where `progress` is.
    init(
        _ session: PostgresSession, snapshot name: String?, tables: [ChangeCatalog.Table],
        progress: SnapshotProgress?, origin: LogPosition, slot: String?, outbox: OutboxSettings?,
        decoding: RecordDecoding, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) {
        self.session = session
        self.origin = ChangeEvent.Origin(position: origin)
        self.slot = slot
        self.outbox = outbox
        self.decoding = decoding
        self.tables = tables[...]
        self.start = []
        if let progress, let place = tables.firstIndex(where: { $0.shape.path == progress.table }) {
            self.tables = tables[place...]
            // Without a key, a table is read from its first row again; the ids are the same.
            if progress.after.count == tables[place].shape.key.count { self.start = progress.after }
        }
        try session.texts(
            "SET idle_in_transaction_session_timeout = 0", "SET statement_timeout = 0",
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", limits: limits)
        if let name { try session.texts("SET TRANSACTION SNAPSHOT \(PostgresLiteral.text(name))", limits: limits) }
    }

    func close() { self.session.connection.close() }

    /// Whether the server still holds the other end.
    var isBroken: Bool { self.session.connection.isBroken }

    /// The next rows, at most `maximum`; nil at the end.
    func next(maximum: Int, _ limits: PostgresSession.CallLimits) throws(ConnectorError) -> Page? {
        while let table = self.tables.first {
            if !self.isOpen { try self.open(table, limits) }
            let texts = try self.session.texts(
                "FETCH FORWARD \(max(1, min(maximum, self.pageRows))) FROM snapshot_\(self.cursors)", limits: limits)
            if !texts.rows.isEmpty { return self.page(texts, of: table) }
            try self.session.texts("CLOSE snapshot_\(self.cursors)", limits: limits)
            self.isOpen = false
            self.start = []
            self.tables.removeFirst()
        }
        return nil
    }

    private func open(_ table: ChangeCatalog.Table, _ limits: PostgresSession.CallLimits) throws(ConnectorError) {
        let shape = table.shape
        let columns = shape.columns.map { SQLText.quotedName($0.name) } + (shape.key.isEmpty ? ["ctid"] : [])
        let key = shape.key.map { SQLText.quotedName(shape.columns[$0].name) }
        var conditions: [String] = []
        if let filter = table.filter { conditions.append("(\(filter))") }
        if !self.start.isEmpty {
            let values = self.start.map(PostgresLiteral.text).joined(separator: ", ")
            conditions.append("ROW(\(key.joined(separator: ", "))) > ROW(\(values))")
        }
        let condition = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        let order = key.isEmpty ? "" : " ORDER BY " + key.joined(separator: ", ")
        self.cursors += 1
        try self.session.texts(
            "DECLARE snapshot_\(self.cursors) NO SCROLL CURSOR FOR "
                + "SELECT \(columns.joined(separator: ", ")) FROM \(table.source)\(condition)\(order)", limits: limits)
        self.isOpen = true
    }

    private func page(_ texts: PostgresTexts, of table: ChangeCatalog.Table) -> Page {
        let shape = table.shape
        var page = Page(events: [], bytes: 0, progress: SnapshotProgress(table: shape.path))
        for row in texts.rows {
            let event = self.event(row, shape)
            page.bytes += event.payload.count
            page.events.append(event)
        }
        if let last = texts.rows.last, !shape.key.isEmpty {
            page.progress.after = shape.key.map { String(decoding: last[$0] ?? [], as: UTF8.self) }
        }
        let average = max(1, page.bytes / page.events.count)
        self.pageRows = max(1, min(2_000, Self.pageBytes / average))
        return page
    }

    private func event(_ texts: [[UInt8]?], _ shape: TableShape) -> SourceEvent {
        let places = shape.key.isEmpty ? [shape.columns.count] : shape.key
        let key = places.map { texts[$0].map { String(decoding: $0, as: UTF8.self) } ?? "" }
        let keyText = key.count == 1 ? key[0] : JSON.string(.list(key.map { .string($0) }))
        let id = "\(self.origin.position):\(shape.path):\(keyText)"
        let coordinates: ValueContext = [
            "table": .string(shape.path), "lsn": .string(self.origin.position.description), "operation": "read",
        ]
        if let outbox {
            return outbox.event(
                shape, decoding: self.decoding, coordinates: coordinates, fallbackID: id, occurredAt: nil,
                text: { texts[$0] })
        }
        var row = ValueContext()
        for (text, column) in zip(texts, shape.columns) {
            do throws(PostgresDecoder.Malformed) {
                row[column.name] = try ChangeValue.value(text, column.type)
            } catch {
                return SourceEvent(
                    id: id, payload: texts.compactMap { $0 }.joined(separator: [0x0A]).map { $0 },
                    contentType: "application/octet-stream",
                    body: .undecodable(.init(line: 1, reason: "A value of \(shape.path) is no \(error.what).")),
                    coordinates: coordinates)
            }
        }
        return ChangeEvent(operation: .read, shape: shape, after: row, origin: self.origin, index: 0)
            .event(id: id, slot: self.slot, payloadMaximum: self.decoding.recordBytesMaximum)
    }
}
