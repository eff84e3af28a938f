internal import ConnectorKit
internal import Values

/// The parameters of a source of notifications, checked.
struct NotificationSettings: Sendable {
    /// Rows in place of what the notifications say: they only wake.
    struct Poll: Sendable {
        /// A query in the order of `cursor`, with $1, $2, … for the values of the last row that was taken.
        var query = ""
        var cursor: [String] = []
        /// What stands for the last row before there is one; nothing stands for NULL.
        var initial: [String]?
        /// How long nothing may wake before the query runs all the same.
        var every = Duration.seconds(30)
    }

    var channels: [String] = []
    var poll: Poll?

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        let one = reader.string("channel")
        if one == nil { reader.require("channels") }
        self.channels = (reader.strings("channels") ?? []) + (one.map { [$0] } ?? [])
        if reader.has("channels") || one != nil, self.channels.isEmpty || self.channels.count > 100 {
            reader.add("parameters.channels: expected 1 to 100 names.")
        }
        for channel in self.channels where channel.isEmpty || channel.utf8.count > 63 || channel.utf8.contains(0) {
            reader.add("parameters.channels: expected names of 1 to 63 bytes.")
        }
        self.poll = Self.poll(reader.object("poll"))
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func poll(_ reader: FieldReader?) -> Poll? {
        guard let reader else { return nil }
        var poll = Poll()
        for key in ["query", "cursor"] { reader.require(key) }
        poll.query = reader.string("query") ?? ""
        if let problem = PostgresWords.problem(poll.query, inTransaction: false), reader.has("query") {
            reader.add("\(reader.path).query: it \(problem).", "Give one SELECT.")
        }
        poll.cursor = reader.strings("cursor") ?? []
        if let value = reader.value("initial") { poll.initial = Self.texts(value) }
        if let initial = poll.initial, initial.count != poll.cursor.count {
            reader.add("\(reader.path).initial: expected as many values as cursor has columns.")
        }
        poll.every = reader.duration("every") ?? poll.every
        if poll.every < .milliseconds(10) { reader.add("\(reader.path).every: expected at least 10ms.") }
        reader.finish()
        return poll
    }

    /// Values of a cursor as texts, as the server reads them.
    static func texts(_ value: Value) -> [String] {
        (value.asList ?? [value]).map { $0.asString ?? JSON.string($0) }
    }
}
