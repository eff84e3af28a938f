internal import ConnectorKit
internal import Values

/// What is asked of the database at each look.
struct ODBCPollQuery: Sendable {
    var sql = ""
    /// The columns that say where a row stands, in the order of the query.
    var cursor: [String] = []
    /// The columns that say which row it is.
    var identity: [String] = []
    /// The query's other values.
    var parameters = ODBCText.Parameters.none
    /// How long a look may take.
    var timeout = Duration.seconds(60)
}

/// The parameters of a source of rows, checked.
struct ODBCPollSettings: Sendable {
    /// Where a source begins that never saved a position.
    enum Start: Sendable, Hashable {
        case earliest
        case latest
        case after([Value])
    }

    /// How far before its position a source looks for rows that were committed late.
    enum Lookback: Sendable, Hashable {
        case time(Duration)
        case number(Number)
    }

    /// The rows to emit again: those after `from`, up to and with `to`.
    struct Replay: Sendable, Hashable {
        var from: ODBCPosition
        var to: [Value]?
    }

    static let event = "row"
    static let fetchMaximum = 10_000

    var query = ODBCPollQuery()
    var every = Duration.seconds(30)
    var lookback: Lookback?
    var fetch = 500
    var start = Start.earliest
    var replay: Replay?

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ parameters: Value, replay: Value?) throws {
        let reader = FieldReader(parameters, path: "odbcPoll", code: ConnectorError.Code.invalidParameters)
        reader.require("query")
        reader.require("cursor")
        self.query.sql = reader.string("query") ?? ""
        if reader.has("query"), self.query.sql.allSatisfy(\.isWhitespace) || self.query.sql.utf8.contains(0) {
            reader.add("odbcPoll.query: expected a statement.")
        }
        self.query.cursor = Self.columns(reader, "cursor") ?? []
        self.query.identity = Self.columns(reader, "identity") ?? []
        switch reader.value("parameters") {
        case nil: break
        case .list(let values): self.query.parameters = .listed(values)
        case .context(let values):
            self.query.parameters = .named(values)
            for name in self.query.cursor where values[name] != nil {
                reader.add("odbcPoll.parameters.\(name) is a column of the cursor, whose value is the source's own.")
            }
        default: reader.add("odbcPoll.parameters: expected a list of values, or an object of named values.")
        }
        self.query.timeout = Self.duration(reader, "timeout", atLeast: .milliseconds(100)) ?? self.query.timeout
        self.every = Self.duration(reader, "every", atLeast: .milliseconds(10)) ?? self.every
        self.fetch = reader.integer("fetch", in: 1...Self.fetchMaximum) ?? self.fetch
        self.lookback = Self.lookback(reader)
        switch reader.value("start") {
        case nil: break
        case .string("earliest"): self.start = .earliest
        case .string("latest"): self.start = .latest
        case .context:
            if let values = Self.values("start", reader, self.query.cursor) { self.start = .after(values) }
        default:
            reader.add("odbcPoll.start: expected earliest, latest, or an object with the columns of the cursor.")
        }
        reader.finish()
        var diagnostics = reader.diagnostics
        if let replay {
            let range = FieldReader(replay, path: "replay", code: ConnectorError.Code.invalidParameters)
            range.require("from")
            var from = ODBCPosition.earliest
            if range.value("from") != .string("earliest") {
                from = Self.values("from", range, self.query.cursor).map { .after($0) } ?? from
            }
            let to = range.has("to") ? Self.values("to", range, self.query.cursor) : nil
            range.finish()
            diagnostics += range.diagnostics
            self.replay = Replay(from: from, to: to)
            self.lookback = nil
        }
        if let error = ConnectorError.invalidParameters(diagnostics) { throw error }
    }

    private static func duration(_ reader: FieldReader, _ key: String, atLeast minimum: Duration) -> Duration? {
        guard let duration = reader.duration(key) else { return nil }
        if duration < minimum || duration > .seconds(86_400 * 7) {
            reader.add("\(reader.path).\(key): expected \(Quantity.text(minimum)) to 7d.")
        }
        return duration
    }

    private static func columns(_ reader: FieldReader, _ key: String) -> [String]? {
        guard let names = reader.strings(key) else { return nil }
        let isFine =
            (1...16).contains(names.count) && Set(names).count == names.count && !names.contains(where: \.isEmpty)
        if !isFine { reader.add("\(reader.path).\(key): expected the names of 1 to 16 columns.") }
        return names
    }

    private static func lookback(_ reader: FieldReader) -> Lookback? {
        guard let value = reader.value("lookback") else { return nil }
        if case .number(let number) = value, Number.zero < number { return .number(number) }
        if let duration = value.asString.flatMap({ Quantity.duration($0) }), duration > .zero {
            return .time(duration)
        }
        reader.add("odbcPoll.lookback: expected a length of time such as 2m, or a number above 0.")
        return nil
    }

    /// A value for each column of the cursor.
    private static func values(_ key: String, _ reader: FieldReader, _ columns: [String]) -> [Value]? {
        guard let fields = reader.object(key) else { return nil }
        let values = columns.map { fields.value($0) ?? .null }
        for (column, value) in zip(columns, values) where value.isNull {
            fields.add("\(fields.path).\(column) is missing.", "Give a value for each column of the cursor.")
        }
        fields.finish()
        return values
    }
}
