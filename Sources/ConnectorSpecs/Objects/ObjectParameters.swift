import ConnectorKit
import Values

/// How one source takes the objects of a store.
struct ObjectParameters: Sendable {
    /// What becomes of an object whose events are acknowledged.
    enum Done: Sendable, Hashable {
        case keep
        case delete
        case tag
        /// Moved to this prefix, which replaces that of the source.
        case move(String)
    }

    var bucket: String
    var prefix: String
    var isNotified: Bool
    /// Time between two listings; `nil`: none.
    var reconcile: Duration?
    var done: Done
    /// A larger object is not read.
    var bytesMaximum: Int
    /// The parameters of the queue with the notifications.
    var queue: ValueContext

    private static let names = ["bucket", "prefix", "notify", "reconcile", "done", "maxObject", "connection"]
    /// How far behind the newest object a listing looks for others: uploads in parts are dated at their beginning.
    static let lookback = Duration.seconds(3_600)

    enum Notify: String, CaseIterable, Sendable {
        case queue, none
    }

    private enum DoneWord: String, CaseIterable {
        case none, delete, tag
    }

    init(_ value: Value, of spec: ObjectsSpec, isQueued: Bool) throws(ConnectorError) {
        let all = value.asContext ?? ValueContext()
        var own = ValueContext()
        self.queue = ValueContext()
        for (name, value) in all {
            if Self.names.contains(name) { own[name] = value } else { self.queue[name] = value }
        }
        let reader = FieldReader(.context(own), path: "parameters", code: ConnectorError.Code.invalidParameters)
        reader.require("bucket")
        self.bucket = reader.string("bucket") ?? ""
        self.prefix = reader.string("prefix") ?? ""
        let notify = reader.word("notify", of: Notify.self) ?? (all["queueUrl"] == nil ? Notify.none : .queue)
        self.isNotified = notify == .queue
        self.reconcile = .seconds(900)
        if reader.value("reconcile") == "off" {
            self.reconcile = nil
        } else if let every = reader.duration("reconcile") {
            self.reconcile = every
            if every < .seconds(1) { reader.add("parameters.reconcile: expected 1s or more.") }
        }
        self.bytesMaximum = reader.bytes("maxObject") ?? 64 << 20
        if self.bytesMaximum > 1 << 30 { reader.add("parameters.maxObject: expected 1GiB or less.") }
        self.done = .keep
        if case .context? = reader.value("done"), let fields = reader.object("done") {
            fields.require("move")
            if let target = fields.string("move") {
                self.done = .move(target)
                if target.isEmpty || target == self.prefix {
                    reader.add("parameters.done.move: expected another prefix than that of the source.")
                }
            }
        } else if let word = reader.word("done", of: DoneWord.self) {
            self.done = word == .delete ? .delete : word == .tag ? .tag : .keep
        }
        _ = reader.string("connection")
        if self.isNotified, !isQueued { reader.add("parameters.notify: this store has no queue of notifications.") }
        if !self.isNotified, self.reconcile == nil {
            reader.add("parameters.reconcile: off, but nothing else tells of objects.", "Set notify: queue.")
        }
        let needed: [(Bool, String?)] = [
            (self.done == .delete, spec.delete), (self.done == .tag, spec.tag),
            (self.target != nil, spec.copy), (self.target != nil, spec.delete),
        ]
        if needed.contains(where: { $0 && $1 == nil }) { reader.add("parameters.done: this store cannot do that.") }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    /// Where objects are moved to.
    var target: String? { if case .move(let target) = self.done { target } else { nil } }

    /// Whether an object is one of the source's.
    func includes(_ object: ObjectReference) -> Bool {
        guard object.bucket == self.bucket, object.key.hasPrefix(self.prefix), !object.key.hasSuffix("/") else {
            return false
        }
        return !(self.target.map { object.key.hasPrefix($0) } ?? false)
    }

    static func schema(queue: QueueSpec?) -> Value {
        var properties: ValueContext = [
            "bucket": ["type": "string", "minLength": 1, "description": "The bucket."],
            "prefix": ["type": "string", "description": "Only objects whose key begins so."],
            "reconcile": [
                "type": "string", "default": "15m",
                "description": "Time between two listings, for objects nobody told of; off: none.",
            ],
            "done": [
                "description": "What becomes of an object whose events are acknowledged; { move: PREFIX } moves it.",
                "anyOf": [
                    ["enum": ["none", "delete", "tag"]],
                    [
                        "type": "object", "required": ["move"], "additionalProperties": false,
                        "properties": ["move": ["type": "string", "minLength": 1]],
                    ],
                ],
                "default": "none",
            ],
            "maxObject": ["type": "string", "default": "64MiB", "description": "A larger object is not read."],
        ]
        if let queue {
            properties["notify"] = [
                "enum": ["queue", "none"], "description": "queue: notifications are taken from queueUrl.",
            ]
            let own = QueueParameters.schema(of: queue)["properties"]?.asContext ?? ValueContext()
            for (name, value) in own { properties[name] = value }
        }
        return [
            "type": "object", "additionalProperties": false, "required": ["bucket"],
            "properties": .context(properties),
        ]
    }
}
