import ConnectorKit
import Decisions
import HubDocuments
import Values

/// What the HTTP side needs of a trigger.
struct IngressTrigger: Sendable {
    /// The trigger's id.
    var id: String
    /// The source's type.
    var kind: IngressSettings.Kind
    /// The source's own parameters.
    var parameters: ValueTemplate
    /// How payloads are read.
    var decoding: RecordDecoding
    /// Whether a sender is told to come back at the first trouble, instead of waiting a little.
    var rejectsWhenFull: Bool
    /// The file it was read from.
    var file: String
    /// Where the parameters stand in it.
    var position: DocumentPosition?
}

/// The parameters of a source that is fed over HTTP or from within, read and checked.
struct IngressSettings: Sendable {
    /// The types of such sources, as they are called in triggers.
    enum Kind: String, Sendable, CaseIterable {
        case webhook, api, cloudevents, capability
    }

    /// What is answered to what became of an event.
    struct Replies: Sendable, Hashable {
        var accepted = 202
        var duplicate = 200
        var filtered = 204
        var invalid = 400
        var busy = 503
    }

    /// An answer that waits for the instance's end.
    struct Sync: Sendable {
        var wait: Duration
        /// The answer's content, which sees the instance as `run`; `nil` answers with its variables.
        var output: ValueTemplate?
    }

    /// Whether calls of an operation carry idempotency keys.
    enum KeyUse: String, Sendable, CaseIterable {
        case required, optional, none
    }

    var kind: Kind
    /// Where it listens, in its one form; empty for sources fed from within.
    var path = ""
    /// The methods it takes.
    var methods: [String] = ["POST"]
    var schemes: [VerificationScheme] = []
    var replies = Replies()
    var bodyLimit = 1 << 20
    var sync: Sync?
    /// Whether each element of a JSON array is an event of its own.
    var splits = false
    /// The operation, for sources that are part of the API.
    var operation = ""
    var keyUse = KeyUse.optional
    /// Who may call the operation; empty: everybody.
    var callers: [String] = []
    /// The type of the events, for capability sources, and what their source begins with or is.
    var event = ""
    var sourcePattern: String?
    /// Who may send CloudEvents after the handshake; empty: everybody who asks.
    var origins: [String] = []

    /// The paths of the server's own API.
    static let reservedPrefixes = ["/v2", "/hub", "/health", "/metrics", "/ready"]
    static let operationsPath = "/hub/v1/operations/"
    static let eventsPath = "/hub/v1/events"
    private static let bodyLimitMaximum = 64 << 20

    /// How long a request waits for what becomes of its event, besides the time its instance takes.
    static let patience = Duration.seconds(5)

    /// Reads the parameters; what is wrong is in the diagnostics, and with an error there are no settings.
    static func read(_ trigger: IngressTrigger) -> (settings: IngressSettings?, diagnostics: [Diagnostic]) {
        var (parameters, output) = (trigger.parameters, ValueTemplate?.none)
        // The output is computed when the instance has ended, everything else when the trigger is armed.
        if case .context(var pairs) = parameters, let place = pairs.firstIndex(where: { $0.key == "sync" }),
            case .context(var sync) = pairs[place].value, let inner = sync.firstIndex(where: { $0.key == "output" })
        {
            output = sync[inner].value
            sync[inner].value = .literal(.boolean(true))
            pairs[place].value = .context(sync)
            parameters = .context(pairs)
        }
        let name = trigger.kind.rawValue
        let value: Value
        do throws(ValueTemplate.Failure) {
            value = try parameters.evaluate(MapScope(["connection": .context(ValueContext())]))
        } catch {
            let message = "source.\(name).\(error.path): \(error.reason)"
            return (nil, [Self.located(Self.diagnostic(message), trigger)])
        }
        let reader = FieldReader(value, path: "source.\(name)", code: HubCode.invalidIngress.rawValue)
        let settings = IngressSettings(trigger.kind, reader, output)
        reader.finish()
        let diagnostics = reader.diagnostics.map { Self.located($0, trigger) }
        return (diagnostics.contains { $0.severity == .error } ? nil : settings, diagnostics)
    }

    /// Two triggers of `triggers` that claim one path and method.
    static func contradictions(_ triggers: [IngressTrigger]) -> [Diagnostic] {
        var owners: [String: String] = [:]
        var findings: [Diagnostic] = []
        for trigger in triggers {
            guard let settings = Self.read(trigger).settings, !settings.path.isEmpty else { continue }
            for method in settings.methods {
                let place = "\(method) \(settings.path)"
                if let owner = owners[place] {
                    findings.append(
                        Self.located(
                            Diagnostic(
                                code: HubCode.pathTaken.rawValue, severity: .error,
                                message: "The triggers \(owner) and \(trigger.id) both claim \(place).",
                                remedy: "Give one of them another path."), trigger))
                } else {
                    owners[place] = trigger.id
                }
            }
        }
        return findings
    }

    private static func diagnostic(_ message: String) -> Diagnostic {
        Diagnostic(code: HubCode.invalidIngress.rawValue, severity: .error, message: message, remedy: nil)
    }

    private static func located(_ diagnostic: Diagnostic, _ trigger: IngressTrigger) -> Diagnostic {
        var diagnostic = diagnostic
        diagnostic.file = trigger.file
        diagnostic.line = trigger.position?.line
        diagnostic.column = trigger.position?.column
        return diagnostic
    }
}

// MARK: - Reading

extension IngressSettings {
    private init(_ kind: Kind, _ reader: FieldReader, _ output: ValueTemplate?) {
        self.init(kind: kind)
        switch kind {
        case .webhook:
            self.readPath(reader)
            self.readMethods(reader)
            self.schemes = VerificationScheme.read("verify", of: reader)
            self.readLimits(reader)
            self.readSync(reader, output)
            self.splits = reader.boolean("split") ?? false
            if self.splits, self.sync != nil {
                reader.add("\(reader.path): split and sync exclude each other.", "A list has no single answer.")
            }
        case .cloudevents:
            self.readPath(reader)
            self.methods = ["POST", "OPTIONS"]
            self.schemes = VerificationScheme.read("verify", of: reader)
            self.readLimits(reader)
            self.origins = (reader.strings("origins") ?? []).map { $0.lowercased() }
        case .api:
            self.readOperation(reader)
            self.readLimits(reader)
            self.readSync(reader, output)
        case .capability:
            reader.require("event")
            self.event = reader.string("event") ?? ""
            if let condition = reader.object("where") {
                self.sourcePattern = condition.string("source")
                condition.finish()
            }
        }
    }

    private mutating func readPath(_ reader: FieldReader) {
        reader.require("path")
        guard let text = reader.string("path") else { return }
        guard let path = PathText.normalized(text), path == text, path != "/", !text.contains("{") else {
            reader.add(
                "\(reader.path).path: expected a path such as /hooks/orders but found \"\(text.prefix(80))\".",
                "Begin with a slash, end without one; no dot segments, escapes or blanks.")
            return
        }
        if Self.reservedPrefixes.contains(where: { path == $0 || path.hasPrefix($0 + "/") }) {
            reader.add(
                "\(reader.path).path: \(path) belongs to the server's own API.",
                "Choose another, such as /hooks\(path).")
        }
        self.path = path
    }

    private mutating func readMethods(_ reader: FieldReader) {
        guard let methods = reader.strings("methods") else { return }
        let known = ["POST", "PUT", "PATCH", "GET", "DELETE"]
        for method in methods where !known.contains(method) {
            reader.add(
                "\(reader.path).methods: expected \(known.joined(separator: ", ")) but found \"\(method.prefix(20))\".")
        }
        if methods.isEmpty { reader.add("\(reader.path).methods: the list is empty.") }
        self.methods = methods
    }

    private mutating func readLimits(_ reader: FieldReader) {
        if let limit = reader.bytes("bodyLimit") {
            if (1...Self.bodyLimitMaximum).contains(limit) {
                self.bodyLimit = limit
            } else {
                reader.add("\(reader.path).bodyLimit: expected 1 byte to 64MiB.")
            }
        }
        guard let reply = reader.object("reply") else { return }
        let range = 200...599
        self.replies.accepted = reply.integer("accepted", in: 200...299) ?? self.replies.accepted
        self.replies.duplicate = reply.integer("duplicate", in: 200...299) ?? self.replies.duplicate
        self.replies.filtered = reply.integer("filtered", in: 200...299) ?? self.replies.filtered
        self.replies.invalid = reply.integer("invalid", in: range) ?? self.replies.invalid
        // An event that was not taken must never be answered as if it were.
        self.replies.busy = reply.integer("busy", in: 400...599) ?? self.replies.busy
        reply.finish()
    }

    private mutating func readSync(_ reader: FieldReader, _ output: ValueTemplate?) {
        guard let sync = reader.object("sync") else { return }
        sync.require("wait")
        let wait = sync.duration("wait")
        if let wait, !(.milliseconds(100) ... .seconds(300)).contains(wait) {
            sync.add("\(sync.path).wait: expected 100ms to 5m.")
        }
        let literal = sync.value("output")
        sync.finish()
        self.sync = Sync(wait: wait ?? .seconds(10), output: output ?? literal.map { .literal($0) })
    }

    private mutating func readOperation(_ reader: FieldReader) {
        reader.require("operation")
        if let name = reader.string("operation") {
            let isName =
                !name.isEmpty && name.utf8.count <= 128 && PathText.normalized("/" + name) == "/" + name
                && !name.contains("/")
            if !isName {
                reader.add("\(reader.path).operation: expected a name such as orders.submit.")
            }
            self.operation = name
            self.path = Self.operationsPath + name
        }
        self.keyUse = reader.word("idempotency", of: KeyUse.self) ?? .optional
        for entry in reader.strings("authz") ?? [] {
            guard entry.hasPrefix("actor:"), entry.utf8.count > "actor:".utf8.count else {
                reader.add(
                    "\(reader.path).authz: expected actor:NAME but found \"\(entry.prefix(60))\"; this server knows no roles.",
                    "Name the callers, such as authz: [\"actor:shop\"]; a * at the end stands for anything.")
                continue
            }
            self.callers.append(String(entry.dropFirst("actor:".count)))
        }
    }
}

/// Texts that end in `*` stand for everything that begins like them.
enum PrefixPattern {
    static func matches(_ pattern: String, _ text: String) -> Bool {
        pattern.hasSuffix("*") ? text.hasPrefix(pattern.dropLast()) : text == pattern
    }
}
