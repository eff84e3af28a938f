import ConnectorKit
import Decisions
public import HubDocuments
public import Resilience
import Values

extension TriggerDeclaration {
    /// Reads a trigger document; nil when something forbids using it.
    ///
    /// Everything found is in `log`.
    ///
    /// `schemas` gives the text of a schema file named by `schema.ref`; `profiles` the named resilience profiles.
    public static func read(
        _ text: String, log: DiagnosticLog, profiles: [ResilienceProfile] = ResilienceProfile.builtIn,
        schemas: @escaping (String) -> String?
    ) -> TriggerDeclaration? {
        guard let node = YAMLDocument.parse(text, log: log) else { return nil }
        let reader = TriggerReader(
            root: MappingReader(node, log: log), identity: node.value.triggerIdentity, profiles: profiles,
            schemas: schemas)
        let declaration = reader.read()
        return log.isAcceptable ? declaration : nil
    }
}

/// Reads one trigger document, section by section, in the order in which an event passes them.
struct TriggerReader {
    let root: MappingReader
    let identity: UInt64
    let profiles: [ResilienceProfile]
    let schemas: (String) -> String?

    var log: DiagnosticLog { self.root.log }

    func read() -> TriggerDeclaration? {
        self.expect("apiVersion", "hub/v1")
        self.expect("kind", "Trigger")
        let metadata = self.metadata()
        let isEnabled = self.root.boolean("enabled") ?? true
        let source = self.source()
        let decoding = self.decoding()
        let schema = self.schema()
        let filter = self.filter()
        let dedupe = self.dedupe(of: source?.type)
        let variables = self.variables()
        let target = self.target()
        let ordering = self.ordering()
        let concurrency = self.concurrency(ordering, source?.type)
        let acknowledgement = self.acknowledgement(source?.type, target)
        let inboxRetention = self.inbox()
        let retry = self.retry()
        let letters = self.deadLetters()
        let rate = self.rate()
        let pausedBy = self.root.node("pausedBy").map { _ in self.root.strings("pausedBy") }
        let observation = self.observation()
        let tests = TriggerTest.read(self.root)
        self.root.finish()
        guard let metadata, let source, let dedupe, let target else { return nil }
        return TriggerDeclaration(
            id: metadata.id, revision: metadata.revision, owner: metadata.owner, labels: metadata.labels,
            isEnabled: isEnabled, file: self.log.file, identity: self.identity, source: source,
            decoding: decoding.value,
            decodeErrors: decoding.errors, schema: schema.value, schemaErrors: schema.errors, filter: filter.value,
            filterErrors: filter.errors, dedupe: dedupe, variables: variables, target: target, ordering: ordering,
            concurrencyMax: concurrency.max, concurrencyPerKey: concurrency.perKey, whenFull: concurrency.whenFull,
            acknowledgement: acknowledgement, inboxRetention: inboxRetention, retry: retry.policy,
            retryElapsedMax: retry.elapsed,
            redriveMax: letters.redriveMax, rate: rate, schemaID: schema.id, redriveRate: letters.rate,
            retention: letters.retention, pausedBy: pausedBy, observation: observation, tests: tests)
    }

    private func expect(_ key: String, _ word: String) {
        guard let node = self.root.requiredNode(key, example: "\(key): \(word)") else { return }
        if node.content != .string(word) { self.root.reject(key, node, expected: word) }
    }
}

// MARK: - Where events come from

extension TriggerReader {
    private func metadata() -> (id: String, revision: Int, owner: String?, labels: [(key: String, value: String)])? {
        guard let reader = self.root.requiredMapping("metadata", example: "metadata: { id: orders.created }") else {
            return nil
        }
        let id = reader.requiredName("id", example: "id: orders.created")
        let revision = reader.integer("revision", in: 0...1_000_000_000) ?? 1
        let owner = reader.string("owner")
        var labels: [(key: String, value: String)] = []
        if let mapping = reader.mapping("labels") {
            labels = mapping.entries.compactMap { entry in mapping.string(entry.key).map { (entry.key, $0) } }
        }
        reader.finish()
        return id.map { ($0, revision, owner, labels) }
    }

    private func decoding() -> (value: RecordDecoding, errors: ErrorDisposition) {
        guard let reader = self.root.mapping("decode") else { return (RecordDecoding(), .dlq) }
        let errors = reader.word("onError", ErrorDisposition.self) ?? .dlq
        var fields = ValueContext()
        for entry in reader.entries where entry.key != "onError" { fields[entry.key] = entry.value.value }
        var diagnostics: [Diagnostic] = []
        let decoding = RecordDecoding(.context(fields), path: "decode", diagnostics: &diagnostics)
        self.log.add(diagnostics, at: reader.position)
        return (decoding, errors)
    }
}

// MARK: - What passes

extension TriggerReader {
    private func schema() -> (value: JSONSchema?, id: String?, errors: ErrorDisposition) {
        guard let reader = self.root.mapping("schema") else { return (nil, nil, .dlq) }
        let errors = reader.word("onError", ErrorDisposition.self) ?? .dlq
        let schema: JSONSchema?
        var id: String?
        if let node = reader.node("inline") {
            schema = JSONSchema(node, path: "schema.inline", log: self.log)
            if let reference = reader.node("ref") {
                self.log.error(
                    .contradiction, "Expected \"schema.ref\" or \"schema.inline\" but found both.",
                    remedy: "Keep one of them.", at: reference.position)
            }
        } else if let path = reader.requiredString("ref", example: "ref: schema/order.json") {
            schema = self.schema(path, at: reader.node("ref")?.position)
            id = path
        } else {
            schema = nil
        }
        reader.finish()
        return (schema, id, errors)
    }

    private func schema(_ path: String, at position: DocumentPosition?) -> JSONSchema? {
        guard let text = self.schemas(path) else {
            self.log.error(
                .unreadable, "The schema file \(path) cannot be read.",
                remedy: "Paths of schema files are relative to the trigger's file.", at: position)
            return nil
        }
        let log = DiagnosticLog(file: path)
        defer { self.log.add(log.diagnostics) }
        return YAMLDocument.parse(text, log: log).map { JSONSchema($0, path: "", log: log) }
    }

    private func filter() -> (value: EventFilter?, errors: FilterErrorDisposition) {
        guard let reader = self.root.mapping("filter") else { return (nil, .dlq) }
        let errors = reader.word("onError", FilterErrorDisposition.self) ?? .dlq
        let filter = EventFilter(reader, excluding: ["onError"])
        return (filter, errors)
    }

    private func variables() -> ValueTemplate? {
        guard let reader = self.root.mapping("transform") else { return nil }
        var template: ValueTemplate?
        if let node = reader.requiredNode("set", example: "set: { order: \"=data\" }") {
            _ = MappingReader(node, path: reader.path(of: "set"), log: self.log)
            template = ValueTemplate(node, key: "set", reader: reader)
        }
        reader.finish()
        return template
    }

    private func retry() -> (policy: RetryPolicy, elapsed: Duration) {
        let elapsed = Duration.seconds(900)
        guard let reader = self.root.mapping("retry") else { return (RetryPolicy(), elapsed) }
        var policy = RetryPolicy()
        if let name = reader.string("profile"), let node = reader.node("profile") {
            if let profile = self.profiles.first(where: { $0.name == name }) {
                policy = profile.retry
            } else {
                let names = self.profiles.map(\.name)
                self.log.error(
                    .unknownName, "There is no resilience profile \"\(name)\".",
                    remedy: ClosestMatch.of(name, in: names).map { "Did you mean \"\($0)\"?" }
                        ?? "Use one of \(names.joined(separator: ", ")).", at: node.position)
            }
        }
        policy.maximumAttempts = reader.integer("max", in: 1...1_000) ?? policy.maximumAttempts
        let limit = reader.duration("elapsed", in: .seconds(1)...(.seconds(86_400))) ?? elapsed
        reader.finish()
        return (policy, limit)
    }

    private func rate() -> RateLimiter.Policy? {
        guard let reader = self.root.mapping("rateLimit") else { return nil }
        _ = reader.requiredNode("limit", example: "limit: 200")
        let limit = reader.integer("limit", in: 1...1_000_000)
        let period = reader.duration("per", in: .milliseconds(1)...(.seconds(86_400))) ?? .seconds(1)
        let burst = reader.integer("burst", in: 1...1_000_000)
        reader.finish()
        return limit.map { RateLimiter.Policy(limit: $0, period: period, burst: burst) }
    }

    private func deadLetters() -> (redriveMax: Int, rate: RateLimiter.Policy?, retention: Duration?) {
        let standard = 5
        guard let reader = self.root.mapping("dlq") else { return (standard, nil, nil) }
        self.expectOnly(reader, "to", "default")
        reader.refuse("after", "retries before a dead letter are those of \"retry\".", remedy: "Use retry.max.")
        let retention = reader.duration("retain", in: DeadLetterSettings.retentionRange)
        var (max, rate) = (standard, RateLimiter.Policy?.none)
        if let redrive = reader.mapping("redrive") {
            max = redrive.integer("maxCount", in: 0...1_000) ?? standard
            rate = redrive.eventRate("rate")
            redrive.finish()
        }
        reader.finish()
        return (max, rate, retention)
    }

    /// Accepts one word and names every other as something for later.
    private func expectOnly(_ reader: MappingReader, _ key: String, _ word: String) {
        guard let node = reader.node(key), node.content != .string(word) else { return }
        self.log.error(
            .notSupported,
            "\"\(reader.path(of: key))\": this version supports only \(word), but found \(node.summary).",
            remedy: "Write \(key): \(word), or remove it.", at: node.position)
    }
}

extension Value {
    /// A digest of what makes a trigger what it is.
    fileprivate var triggerIdentity: UInt64 {
        guard var document = self.asContext else { return 0 }
        for key in ["enabled", "tests"] { document[key] = nil }
        if var metadata = document["metadata"]?.asContext {
            for key in ["owner", "labels", "revision"] { metadata[key] = nil }
            document["metadata"] = .context(metadata)
        }
        return StableHash.fnv1a64(Value.context(document).objectJSON)
    }
}
