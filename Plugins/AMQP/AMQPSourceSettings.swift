internal import ConnectorKit
internal import Values

/// The parameters of a source of messages, checked.
struct AMQPSourceSettings: Sendable {
    /// How the queue is declared, where that is asked for.
    struct Declaration: Sendable {
        var isDurable = true
        var isExclusive = false
        var isAutoDelete = false
        /// A field table; empty when there are none.
        var arguments: [UInt8] = []
    }

    /// What becomes of a message longer than the connection allows.
    enum Oversized: String, CaseIterable {
        /// The source fails until a person does something; nothing is lost.
        case stop
        /// Rejected for good: goes to the queue's dead-letter exchange, or nowhere when there is none.
        case setAside
    }

    var queue = ""
    var prefetch = 200
    var isExclusive = false
    /// Empty: the broker makes one up.
    var consumerTag = ""
    /// A field table; empty when there are none.
    var arguments: [UInt8] = []
    /// Whether the queue is made when it is not there.
    var declares = false
    var declaration = Declaration()
    var oversized = Oversized.stop
    var decoding: RecordDecoding

    /// Reads the parameters.
    ///
    /// Throws a `ConnectorError` (`validation`) that names everything wrong.
    init(_ request: SourceRequest) throws {
        self.decoding = request.decoding
        let reader = FieldReader(request.parameters, path: "amqp", code: ConnectorError.Code.invalidParameters)
        reader.require("queue")
        self.queue = Self.name(reader, "queue") ?? ""
        if self.queue.isEmpty, reader.has("queue") {
            reader.add("amqp.queue: expected a name but found an empty text.")
        }
        self.prefetch = reader.integer("prefetch", in: 1...65_535) ?? self.prefetch
        self.isExclusive = reader.boolean("exclusive") ?? self.isExclusive
        self.consumerTag = Self.name(reader, "consumerTag") ?? self.consumerTag
        self.arguments = Self.table(reader, "arguments") ?? []
        self.oversized = reader.word("oversized", of: Oversized.self) ?? self.oversized
        if let fields = reader.object("declare") {
            self.declares = true
            self.declaration.isDurable = fields.boolean("durable") ?? true
            self.declaration.isExclusive = fields.boolean("exclusive") ?? false
            self.declaration.isAutoDelete = fields.boolean("autoDelete") ?? false
            self.declaration.arguments = Self.table(fields, "arguments") ?? []
            fields.finish()
        }
        reader.finish()
        let objections = [request.decoding.messageObjection].compactMap { $0 }
        if let error = ConnectorError.invalidParameters(reader.diagnostics + objections) { throw error }
    }

    private static func name(_ reader: FieldReader, _ key: String) -> String? {
        guard let text = reader.string(key) else { return nil }
        guard text.utf8.count <= 255, !text.utf8.contains(0) else {
            reader.add("\(reader.path).\(key): expected at most 255 bytes, none of them zero.")
            return nil
        }
        return text
    }

    private static func table(_ reader: FieldReader, _ key: String) -> [UInt8]? {
        guard let fields = reader.object(key) else { return nil }
        var context = ValueContext()
        for name in fields.keys() { context[name] = fields.value(name) ?? .null }
        guard !context.isEmpty else { return nil }
        do throws(FieldTable.Refusal) {
            let table = try FieldTable.encode(context)
            guard table.count <= 4_096 else {
                reader.add("\(fields.path): expected at most 4096 bytes of arguments.")
                return nil
            }
            return table
        } catch {
            reader.add("\(fields.path): one of them \(error.reason).")
            return nil
        }
    }
}
