internal import ConnectorKit
internal import Values

/// One change of a row, or of a table, and the event it becomes.
struct ChangeEvent {
    enum Operation: String, Sendable, CaseIterable {
        case insert, update, delete, truncate
        /// A row that was there before the changes.
        case read
    }

    /// What all changes of a transaction share; of a snapshot, where and when it was made.
    struct Origin: Sendable, Hashable {
        var position: LogPosition
        var committedAtMilliseconds: Int64?
        var transaction: UInt32?
    }

    var operation: Operation
    var shape: TableShape
    var before: ValueContext?
    var after: ValueContext?
    /// Columns that are in neither, because they are large and were not touched.
    var unchanged: [String] = []
    var origin: Origin
    /// Which change of the transaction it is, from 0.
    var index: Int

    /// Milliseconds since 1970 of microseconds since 2000.
    static func milliseconds(_ microseconds: Int64) -> Int64 {
        let (whole, rest) = microseconds.quotientAndRemainder(dividingBy: 1_000)
        return (rest < 0 ? whole - 1 : whole) + 946_684_800_000
    }

    /// The event, under `id`.
    func event(id: String, slot: String?, payloadMaximum: Int) -> SourceEvent {
        let row = self.after ?? self.before
        let position = self.origin.position.description
        var value = ValueContext()
        value.reserveCapacity(11)
        value["operation"] = .string(self.operation.rawValue)
        value["schema"] = .string(self.shape.schema)
        value["table"] = .string(self.shape.name)
        value["key"] = self.shape.keyContext(row)
        value["before"] = self.before.map { .context($0) } ?? .null
        value["after"] = self.after.map { .context($0) } ?? .null
        if !self.unchanged.isEmpty { value["unchanged"] = .list(self.unchanged.map { .string($0) }) }
        value["lsn"] = .string(position)
        value["committedAt"] = self.origin.committedAtMilliseconds.map { .string(Timestamp.text($0)) } ?? .null
        value["transactionId"] = self.origin.transaction.map { .number(Number(Int64($0))) } ?? .null
        value["index"] = .number(Number(self.index))
        var payload: [UInt8] = []
        payload.reserveCapacity(256)
        JSON.write(.context(value), into: &payload)
        var coordinates = ValueContext()
        coordinates.reserveCapacity(6)
        coordinates["table"] = .string(self.shape.path)
        if let key = self.shape.keyText(row) { coordinates["key"] = .string("\(self.shape.path)/\(key)") }
        coordinates["lsn"] = .string(position)
        coordinates["index"] = value["index"] ?? .null
        coordinates["operation"] = value["operation"] ?? .null
        if let slot { coordinates["slot"] = .string(slot) }
        let body: SourceEvent.Body
        if payload.count <= payloadMaximum {
            body = .value(.context(value))
        } else {
            let size = "The change has \(payload.count) bytes; at most \(payloadMaximum) are allowed."
            body = .undecodable(.init(line: 1, reason: size))
        }
        return SourceEvent(
            id: id, payload: payload, contentType: "application/json", body: body, coordinates: coordinates,
            occurredAtMilliseconds: self.origin.committedAtMilliseconds)
    }
}
