internal import ConnectorKit
internal import HTTPTransport
internal import Synchronization
internal import Values

/// The Avro schemas of a connection: those written in its parameters, and those of its registry.
final class SchemaStore: Sendable {
    /// What is known about a number of the registry.
    enum Entry: Sendable {
        case known(AvroSchema)
        /// There is none, or none that can be read; asked again after a while.
        case unusable(String)
    }

    private struct Cached {
        var entry: Entry
        var until: Duration?
        var lastUse: UInt64
    }

    private struct State {
        var byID: [Int32: Cached] = [:]
        var latest: [String: (id: Int32, schema: AvroSchema, until: Duration)] = [:]
        var uses: UInt64 = 0
    }

    private let named: [String: AvroSchema]
    private let byFingerprint: [UInt64: AvroSchema]
    private let registry: HTTPClient?
    private let state = Mutex(State())

    /// Schemas kept; beyond, the one unused for the longest time is forgotten.
    private static let cacheMaximum = 1_000
    /// How long a number without a schema is not asked for again.
    private static let unusableFor = Duration.seconds(30)
    /// How long the latest schema of a subject is taken for the latest.
    private static let latestFor = Duration.seconds(60)

    /// Throws a `ConnectorError` when the client of the registry cannot be set up.
    init(_ settings: KafkaSettings, _ configuration: ConnectionConfiguration) throws {
        self.named = settings.schemas
        self.byFingerprint = Dictionary(
            settings.schemas.values.map { ($0.fingerprint, $0) }, uniquingKeysWith: { first, _ in first })
        self.registry = try settings.registry.map {
            try HTTPClient(
                id: configuration.id, settings: $0, secrets: configuration.secrets, clock: configuration.clock,
                userAgent: "junction")
        }
    }

    /// A schema of the parameters, by name; throws a `ConnectorError` when there is none.
    func schema(named name: String) throws -> AvroSchema {
        if let schema = self.named[name] { return schema }
        let near = ClosestMatch.of(name, in: Array(self.named.keys)).map { " Did you mean \($0)?" } ?? ""
        throw KafkaErrors.schema("The connection has no schema \(name.prefix(80)).\(near)")
    }

    /// Whether there is a registry to ask.
    var hasRegistry: Bool { self.registry != nil }

    /// A schema of the parameters, by the fingerprint of its canonical form.
    func schema(fingerprint: UInt64) -> AvroSchema? { self.byFingerprint[fingerprint] }

    /// What is known about a number of the registry without asking it.
    func cached(_ id: Int32) -> Entry? {
        guard self.registry != nil else { return .unusable("The connection has no schemaRegistry for schema \(id).") }
        return self.state.withLock { state in
            guard var cached = state.byID[id], cached.until.map({ $0 > Monotonic.now }) ?? true else { return nil }
            state.uses += 1
            cached.lastUse = state.uses
            state.byID[id] = cached
            return cached.entry
        }
    }

    /// Asks the registry for a number.
    ///
    /// A number it does not have, or a schema that cannot be read, is remembered. Throws a `ConnectorError` when the
    /// registry does not answer.
    func fetch(_ id: Int32) async throws {
        do {
            let answer = try await self.ask("/schemas/ids/\(id)")
            self.remember(id, try Self.schema(answer, "Schema \(id)"))
        } catch let error as ConnectorError where error.kind == .notFound || error.kind == .validation {
            self.keep(id, Cached(entry: .unusable(error.message), until: Monotonic.now + Self.unusableFor, lastUse: 0))
        }
    }

    /// The newest schema of a subject; throws a `ConnectorError`.
    func latest(_ subject: String) async throws -> (id: Int32, schema: AvroSchema) {
        if let known = self.state.withLock({ $0.latest[subject] }), known.until > Monotonic.now {
            return (known.id, known.schema)
        }
        let answer = try await self.ask("/subjects/\(PercentEncoding.component(subject))/versions/latest")
        guard let id = answer["id"]?.asInt64.flatMap({ Int32(exactly: $0) }) else {
            throw Self.malformed("The subject \(subject.prefix(80))", "it has no id")
        }
        let schema = try Self.schema(answer, "The subject \(subject.prefix(80))")
        self.remember(id, schema)
        self.state.withLock { state in
            if state.latest.count >= Self.cacheMaximum { state.latest.removeAll() }
            state.latest[subject] = (id, schema, Monotonic.now + Self.latestFor)
        }
        return (id, schema)
    }

    func close() async { await self.registry?.close() }

    // MARK: - The registry

    private func ask(_ path: String) async throws -> Value {
        guard let registry = self.registry else {
            throw ConnectorError(
                .validation, code: KafkaErrors.Code.schema, "The connection has no schemaRegistry.",
                remedy: "Set schemaRegistry.baseUrl of the connection.")
        }
        let request = HTTPRequest(
            target: .path(path),
            headers: [(name: "Accept", value: "application/vnd.schemaregistry.v1+json, application/json")],
            timeout: .seconds(10), responseBytesMaximum: 4 << 20)
        let response = try await registry.send(request)
        guard (200..<300).contains(response.status) else { throw registry.failure(response, of: request) }
        do {
            return try JSON.parse(response.bytes)
        } catch {
            throw Self.malformed("The registry's answer", "it is not valid JSON: \(error)")
        }
    }

    private static func schema(_ answer: Value, _ what: String) throws -> AvroSchema {
        let type = answer["schemaType"]?.asString ?? "AVRO"
        guard type == "AVRO" else { throw Self.malformed(what, "it is of type \(type.prefix(40)), not AVRO") }
        guard let text = answer["schema"]?.asString else { throw Self.malformed(what, "the answer has no schema") }
        do {
            return try AvroSchema(.string(text))
        } catch {
            throw Self.malformed(what, error.reason)
        }
    }

    private static func malformed(_ what: String, _ reason: String) -> ConnectorError {
        ConnectorError(
            .validation, code: KafkaErrors.Code.schema, "\(what) cannot be used: \(reason).",
            remedy: "Look at the schema in the registry.")
    }

    // MARK: - The cache

    private func remember(_ id: Int32, _ schema: AvroSchema) {
        self.keep(id, Cached(entry: .known(schema), until: nil, lastUse: 0))
    }

    private func keep(_ id: Int32, _ cached: Cached) {
        self.state.withLock { state in
            if state.byID.count >= Self.cacheMaximum,
                let oldest = state.byID.min(by: { $0.value.lastUse < $1.value.lastUse })
            {
                state.byID[oldest.key] = nil
            }
            state.uses += 1
            var cached = cached
            cached.lastUse = state.uses
            state.byID[id] = cached
        }
    }
}
