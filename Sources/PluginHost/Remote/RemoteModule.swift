public import ConnectorKit
internal import Values

/// A connector in a process of its own: every connection is one process, so that no remote, no library and no defect
/// of one reaches another, or this program.
public struct RemoteModule: ConnectorModule {
    /// Takes what a process writes to its error stream and what is to be said about it, with the connection's name.
    public typealias Log = @Sendable (_ connection: String, PeerLogLine) -> Void

    /// What the connector says about itself.
    public private(set) var descriptor: ConnectorDescriptor
    private let launch: LaunchSpecification
    private let limits: RPCLimits
    private let log: Log

    /// Creates a module whose description is known: that of a built-in module hosted apart.
    public init(
        _ descriptor: ConnectorDescriptor, launch: LaunchSpecification, limits: RPCLimits = RPCLimits(),
        log: @escaping Log = { _, _ in }
    ) {
        self.descriptor = descriptor
        self.launch = launch
        self.limits = limits
        self.log = log
    }

    /// Starts a plugin for as long as it takes to describe itself.
    ///
    /// Throws `ConnectorError`.
    public static func load(
        _ launch: LaunchSpecification, name: String, limits: RPCLimits = RPCLimits(),
        log: @escaping Log = { _, _ in }
    ) async throws -> RemoteModule {
        let process = RPCProcess(
            launch, dialect: PluginProtocol.dialect(limits: limits, connect: nil), limits: limits,
            handlers: .init(notification: Self.logHandler(name, log), log: { log(name, $0) }))
        let result = await process.start()
        await process.close()
        switch result {
        case .failure(let failure):
            throw PluginErrors.error(failure, connection: name)
        case .success(let answers):
            do {
                let descriptor = try PluginCoding.descriptor(answers.first?["descriptor"] ?? .null)
                return RemoteModule(descriptor, launch: launch, limits: limits, log: log)
            } catch {
                throw PluginErrors.malformed(error, connection: name)
            }
        }
    }

    /// The same module under another id.
    public func named(_ id: String) -> RemoteModule {
        var copy = self
        copy.descriptor.id = id
        return copy
    }

    /// Starts the process of a connection, and connects there.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let secrets = PermittedSecrets(configuration)
        let positions = RemotePositions()
        let name = configuration.id
        let process = RPCProcess(
            self.launch,
            dialect: PluginProtocol.dialect(
                limits: self.limits,
                connect: [
                    "id": .string(name), "tenant": .string(configuration.tenant),
                    "parameters": configuration.parameters,
                ]),
            limits: self.limits,
            handlers: .init(
                request: { method, params in
                    if method == PluginProtocol.save { return await positions.save(params) }
                    return await secrets.answer(method, params)
                },
                notification: Self.logHandler(name, self.log),
                log: { [log] in log(name, $0) }))
        switch await process.start() {
        case .failure(let failure):
            await process.close()
            throw PluginErrors.error(failure, connection: name)
        case .success(let answers):
            let version = answers.first?["protocolVersion"]?.asInt64 ?? 1
            return RemoteConnection(name, self.descriptor, process, positions, version: version)
        }
    }

    private static func logHandler(_ name: String, _ log: @escaping Log) -> @Sendable (String, Value) -> Void {
        { method, params in
            guard method == PluginProtocol.log, let message = params["message"]?.asString else { return }
            let level = params["level"]?.asString.flatMap { PeerLogLine.Level(rawValue: $0) } ?? .info
            log(name, PeerLogLine(level, String(message.prefix(8_192))))
        }
    }
}

/// Gives a process the secrets its connection refers to, and no others.
private struct PermittedSecrets: Sendable {
    private let references: Set<SecretReference>
    private let resolver: any SecretResolver

    init(_ configuration: ConnectionConfiguration) {
        var found: Set<SecretReference> = []
        Self.collect(configuration.parameters, into: &found, depth: 0)
        self.references = found
        self.resolver = configuration.secrets
    }

    private static func collect(_ value: Value, into found: inout Set<SecretReference>, depth: Int) {
        guard depth < 64 else { return }
        if let reference = SecretReference(value) { found.insert(reference) }
        for element in value.asList ?? value.asContext?.values ?? [] {
            Self.collect(element, into: &found, depth: depth + 1)
        }
    }

    func answer(_ method: String, _ params: Value) async -> Result<Value, RPCError> {
        guard method == PluginProtocol.secret else {
            return .failure(RPCError(code: RPCError.methodNotFound, message: "The hub has no method \(method)."))
        }
        guard let reference = params["reference"]?.asString.flatMap({ SecretReference($0) }),
            self.references.contains(reference)
        else {
            return .failure(
                RPCError(code: RPCError.invalidParams, message: "The connection refers to no such secret."))
        }
        do {
            let secret = try await self.resolver.secret(reference)
            return .success(["secret": .string(secret.reveal { $0 })])
        } catch {
            let error = ConnectorError(wrapping: error)
            return .failure(
                RPCError(
                    code: PluginProtocol.connectorError, message: error.message, data: PluginCoding.json(error)))
        }
    }
}
