import Decisions
public import HubDocuments
public import Resilience
public import Values

/// One declared connection: a named way to one remote.
public struct ConnectionDeclaration: Sendable {
    /// Unique name.
    public var id: String
    /// The connector it belongs to.
    public var connector: String
    /// Parameters after the connector's schema; secrets stand in it as references (`{ secret: "env:NAME" }`).
    public var parameters: Value
    /// What differs in the parameters from endpoint to endpoint; empty when there is one.
    public var endpoints: [ValueContext]
    /// How its calls are guarded.
    public var profile: ResilienceProfile
    /// How the calls of some operations are guarded instead, by operation id.
    public var operations: [String: ResilienceProfile]
    /// How many calls run at once.
    public var concurrencyMax: Int
    /// Whether the connector runs apart from this program; nil: as is usual for the connector.
    public var isolation: Isolation?
    /// Where it is declared, for messages.
    public var file: String
    /// The line it is declared on.
    public var line: Int

    /// Where the connector of a connection runs.
    public enum Isolation: String, Sendable, Hashable, CaseIterable {
        /// In this process.
        case none
        /// In a process of its own, so that a crash there ends nothing here.
        case process
    }

    /// How many calls of a connection run at once unless it says otherwise.
    public static let concurrencyStandard = 25

    /// Creates a declaration.
    public init(
        id: String, connector: String, parameters: Value, endpoints: [ValueContext] = [],
        profile: ResilienceProfile = .standard, operations: [String: ResilienceProfile] = [:],
        concurrencyMax: Int = ConnectionDeclaration.concurrencyStandard, isolation: Isolation? = nil,
        file: String = "", line: Int = 1
    ) {
        self.id = id
        self.connector = connector
        self.parameters = parameters
        self.endpoints = endpoints
        self.profile = profile
        self.operations = operations
        self.concurrencyMax = concurrencyMax
        self.isolation = isolation
        self.file = file
        self.line = line
    }

    /// The parameters of one endpoint.
    public func parameters(endpoint: Int) -> Value {
        guard self.endpoints.indices.contains(endpoint), var merged = self.parameters.asContext else {
            return self.parameters
        }
        for (key, value) in self.endpoints[endpoint] { merged[key] = value }
        return .context(merged)
    }
}

/// How the calls of a connector are guarded unless a connection says otherwise.
public struct ConnectorGuards: Sendable {
    /// The profile of its calls.
    public var profile: ResilienceProfile
    /// The profiles of operations that differ, by id.
    public var operations: [String: ResilienceProfile]

    /// Creates the defaults of a connector.
    public init(profile: ResilienceProfile, operations: [String: ResilienceProfile] = [:]) {
        self.profile = profile
        self.operations = operations
    }
}

/// What a connections file declares.
public struct ConnectionsDocument: Sendable {
    /// Named resilience profiles, the built-in ones included.
    public var profiles: [ResilienceProfile] = ResilienceProfile.builtIn
    /// The connections, in document order.
    public var connections: [ConnectionDeclaration] = []

    /// Creates a document without connections.
    public init() {}

    /// Reads a connections document; everything found is in `log`, and the result holds what was right.
    ///
    ///     apiVersion: hub/v1
    ///     kind: Connections
    ///     profiles:
    ///       patient: { base: background, retry: { max: 20 } }
    ///     connections:
    ///       vendor-registry:
    ///         connector: http
    ///         parameters: { baseUrl: "http://127.0.0.1:8090", token: { secret: "env:VENDOR_TOKEN" } }
    ///         endpoints: [{ baseUrl: "http://a" }, { baseUrl: "http://b" }]    # what differs between them
    ///         resilience: patient            # or an object: { base: patient, breaker: { open: 5s } }
    ///         operations:
    ///           request: { resilience: { timeout: { attempt: 5s } } }    # base: the connection's profile
    ///         concurrency: { max: 25 }
    ///         isolation: process             # or none; the default is none for all but amqp and odbc
    ///     credentials:                       # whole objects, put in place of { credential: NAME } or credential: NAME
    ///       vendor: { type: basic, user: junction, password: { secret: "vault:vendor" } }
    ///
    /// Texts in `parameters` that begin with `=` are FEEL expressions over `variables`, evaluated once, here. Without
    /// variables they are only compiled, and stay in the parameters as written.
    ///
    /// `guards` tells how the calls of a connector are guarded where the document says nothing else.
    public static func read(
        _ text: String, log: DiagnosticLog, variables: ValueContext? = nil,
        guards: (_ connector: String) -> ConnectorGuards? = { _ in nil }
    ) -> ConnectionsDocument {
        var document = ConnectionsDocument()
        guard let node = YAMLDocument.parse(text, log: log) else { return document }
        let root = MappingReader(node, log: log)
        for (key, word) in [("apiVersion", "hub/v1"), ("kind", "Connections")] {
            if let node = root.requiredNode(key, example: "\(key): \(word)"), node.content != .string(word) {
                root.reject(key, node, expected: word)
            }
        }
        document.readProfiles(root)
        document.readConnections(root, NamedCredentials(root, variables: variables), variables, guards)
        root.finish()
        return document
    }

    private mutating func readProfiles(_ root: MappingReader) {
        guard let reader = root.mapping("profiles") else { return }
        for entry in reader.entries {
            guard let node = reader.node(entry.key),
                let profile = self.profile(node, name: entry.key, path: reader.path(of: entry.key), log: root.log)
            else { continue }
            self.profiles.removeAll { $0.name == entry.key }
            self.profiles.append(profile)
        }
    }

    private mutating func readConnections(
        _ root: MappingReader, _ credentials: NamedCredentials, _ variables: ValueContext?,
        _ guards: (String) -> ConnectorGuards?
    ) {
        guard let reader = root.mapping("connections") else { return }
        for entry in reader.entries {
            guard let fields = reader.mapping(entry.key) else { continue }
            let connector = fields.requiredName("connector", example: "connector: http")
            let parameters = fields.mapping("parameters").map {
                credentials.inserted(into: Self.parameters($0, variables), at: $0)
            }
            let endpoints = self.endpoints(fields, credentials, variables)
            let usual = connector.flatMap { guards($0) }
            let base = usual?.profile ?? .standard
            let resilience = fields.node("resilience").map {
                self.profile($0, name: entry.key, path: fields.path(of: "resilience"), log: root.log, base: base)
            }
            let profile = (resilience ?? nil) ?? base
            // What the connection says counts for all of its operations, unless it says otherwise of one.
            var operations = resilience == nil ? usual?.operations ?? [:] : [:]
            operations.merge(self.operations(fields, of: entry.key, base: profile)) { _, own in own }
            var concurrencyMax = ConnectionDeclaration.concurrencyStandard
            if let concurrency = fields.mapping("concurrency") {
                concurrencyMax = concurrency.integer("max", in: 1...10_000) ?? concurrencyMax
                concurrency.finish()
            }
            let isolation = fields.word("isolation", ConnectionDeclaration.Isolation.self)
            fields.finish()
            guard let connector else { continue }
            self.connections.append(
                ConnectionDeclaration(
                    id: entry.key, connector: connector,
                    parameters: .context(parameters ?? ValueContext()), endpoints: endpoints, profile: profile,
                    operations: operations, concurrencyMax: concurrencyMax, isolation: isolation,
                    file: root.log.file, line: entry.position.line))
        }
    }

    private func endpoints(
        _ fields: MappingReader, _ credentials: NamedCredentials, _ variables: ValueContext?
    ) -> [ValueContext] {
        fields.list("endpoints").enumerated().map { index, node in
            let reader = MappingReader(node, path: fields.path(of: "endpoints[\(index)]"), log: fields.log)
            return credentials.inserted(into: Self.parameters(reader, variables), at: reader)
        }
    }

    private func operations(
        _ fields: MappingReader, of connection: String, base: ResilienceProfile
    ) -> [String: ResilienceProfile] {
        guard let reader = fields.mapping("operations") else { return [:] }
        var profiles: [String: ResilienceProfile] = [:]
        for entry in reader.entries {
            guard let operation = reader.mapping(entry.key) else { continue }
            if let node = operation.requiredNode("resilience") {
                profiles[entry.key] = self.profile(
                    node, name: "\(connection).\(entry.key)", path: operation.path(of: "resilience"), log: reader.log,
                    base: base)
            }
            operation.finish()
        }
        return profiles
    }

    /// The parameters, each expression replaced by its value.
    static func parameters(_ reader: MappingReader, _ variables: ValueContext?) -> ValueContext {
        let scope = variables.map { MapScope($0) }
        var parameters = ValueContext()
        for entry in reader.entries {
            let template = ValueTemplate(entry.value, key: entry.key, reader: reader)
            guard let scope else {
                parameters[entry.key] = entry.value.value
                continue
            }
            do {
                parameters[entry.key] = try template.evaluate(scope)
            } catch {
                let place = error.path.isEmpty ? entry.key : "\(entry.key).\(error.path)"
                reader.log.error(
                    .invalidExpression, "\"\(reader.path(of: place))\" has no value: \(error.reason)",
                    remedy: "Expressions here see \(scope.variables.keys.sorted().joined(separator: ", ")).",
                    at: entry.value.position)
            }
        }
        return parameters
    }

    /// A profile by name, or one that changes another: the one it names, else `base`.
    private func profile(
        _ node: DocumentNode, name: String, path: String, log: DiagnosticLog, base: ResilienceProfile = .standard
    ) -> ResilienceProfile? {
        if case .string(let reference) = node.content { return self.profile(named: reference, at: node.position, log) }
        let reader = MappingReader(node, path: path, log: log)
        var base = base
        if let reference = reader.string("base"), let node = reader.node("base") {
            guard let found = self.profile(named: reference, at: node.position, log) else { return nil }
            base = found
        }
        let fields = reader.entries.filter { $0.key != "base" }.map { ($0.key, $0.value.value) }
        var diagnostics: [Diagnostic] = []
        let profile = ResilienceProfile(
            .context(ValueContext(fields)), name: name, base: base, path: path, diagnostics: &diagnostics)
        log.add(diagnostics, at: node.position)
        return profile
    }

    private func profile(named name: String, at position: DocumentPosition, _ log: DiagnosticLog) -> ResilienceProfile?
    {
        if let profile = self.profiles.first(where: { $0.name == name }) { return profile }
        let names = self.profiles.map(\.name)
        log.error(
            .unknownName, "There is no resilience profile \"\(name)\".",
            remedy: ClosestMatch.of(name, in: names).map { "Did you mean \"\($0)\"?" }
                ?? "Use one of \(names.joined(separator: ", ")).", at: position)
        return nil
    }
}
