internal import ConnectorKit
internal import Values

/// Which records are read again: `{ from: { offset | time }, to: { offset | time }, partitions }`, both ends included.
///
/// Without `from` it begins with the oldest record the brokers have, without `to` it ends with the newest of now.
struct ReplayRange: Sendable {
    enum Position: Sendable, Hashable {
        case offset(Int64)
        /// Unix milliseconds.
        case time(Int64)
    }

    var from: Position?
    var to: Position?
    /// `nil`: all.
    var partitions: Set<Int32>?

    /// Throws a `ConnectorError`.
    init(_ value: Value) throws(ConnectorError) {
        let reader = FieldReader(value, path: "replay", code: ConnectorError.Code.invalidParameters)
        self.from = Self.position("from", reader)
        self.to = Self.position("to", reader)
        if let list = reader.value("partitions") {
            let numbers = list.asList?.compactMap { $0.asInt64.flatMap(Int32.init(exactly:)) } ?? []
            if numbers.isEmpty || numbers.count != list.asList?.count || numbers.contains(where: { $0 < 0 }) {
                reader.add("replay.partitions: expected a list of numbers of partitions.")
            }
            self.partitions = Set(numbers)
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func position(_ key: String, _ reader: FieldReader) -> Position? {
        guard let fields = reader.object(key) else { return nil }
        defer { fields.finish() }
        let offset = fields.integer("offset").map { Position.offset(Int64($0)) }
        var time: Position?
        if let text = fields.string("time") {
            time = Timestamp.milliseconds(text).map { .time($0) }
            if time == nil { fields.add("replay.\(key).time: expected a timestamp.") }
        }
        if fields.has("offset") == fields.has("time") { fields.add("replay.\(key): expected an offset or a time.") }
        return offset ?? time
    }
}
