public import ConnectorKit
public import PluginHost
internal import Values

/// A server of the Model Context Protocol as a connector: its tools are the operations, with their schemas.
///
/// Speaks the revisions of `MCPProtocol.versions`, over standard streams or streamable HTTP.
public struct MCPModule: ConnectorModule {
    /// How the server is reached.
    public enum Transport: Sendable, Hashable {
        /// Started here, spoken to over its standard streams; every connection is one process.
        case process(LaunchSpecification)
        /// The URL of its endpoint.
        case http(String)
    }

    /// What the connector says about itself: what the server said when it was asked.
    public let descriptor: ConnectorDescriptor
    private let opener: MCPOpener

    /// Asks a server for its tools.
    ///
    /// - Parameters:
    ///   - id: The id of the connector.
    ///   - transport: How the server is reached.
    ///   - token: Gives the bearer token for this question, over HTTP.
    ///   - limits: Bounds of messages and times.
    ///   - log: Takes what the server logs, with the name of the connection.
    /// - Throws: `ConnectorError`.
    public static func load(
        id: String, _ transport: Transport, token: Secret? = nil, limits: RPCLimits = RPCLimits(),
        log: @escaping RemoteModule.Log = { _, _ in }
    ) async throws -> MCPModule {
        var limits = limits
        // A server that works in one thread answers no ping while a tool runs.
        limits.pingTimeout = .seconds(120)
        let opener = MCPOpener(transport: transport, limits: limits, log: log)
        let session = try await opener.open(id, token: { token }, onNotice: { _ in })
        do {
            let table = try await MCPToolTable.read(from: session)
            await session.close()
            return MCPModule(descriptor: Self.describe(id, transport, session.serverName, table), opener: opener)
        } catch {
            await session.close()
            throw error
        }
    }

    private static func describe(
        _ id: String, _ transport: Transport, _ serverName: String, _ table: MCPToolTable
    ) -> ConnectorDescriptor {
        var properties: ValueContext = [:]
        var secrets: [SecretDescriptor] = []
        if case .http = transport {
            properties["token"] = ["type": "object", "description": "Bearer token: { secret: \"env:NAME\" }."]
            secrets = [SecretDescriptor(parameter: "token", title: "Bearer token", isRequired: false)]
        }
        return ConnectorDescriptor(
            id: id, version: 1, title: serverName.isEmpty ? id : serverName,
            summary: "The tools of the Model Context Protocol server \(serverName.isEmpty ? id : serverName).",
            parameters: ["type": "object", "additionalProperties": false, "properties": .context(properties)],
            secrets: secrets, operations: table.operations, events: [MCPResourceSettings.event])
    }

    /// Opens a session with the server.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let reader = FieldReader(
            configuration.parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        var reference: SecretReference?
        if case .http = self.opener.transport, let value = reader.value("token") {
            reference = SecretReference(value)
            if reference == nil { reader.add("parameters.token: expected { secret: \"env:NAME\" }.") }
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        let secrets = configuration.secrets
        let connection = MCPConnection(configuration.id, self.descriptor, clock: configuration.clock)
        let session = try await self.opener.open(
            configuration.id,
            token: { [reference] in
                guard let reference else { return nil }
                return try await secrets.secret(reference)
            },
            onNotice: { [weak connection] in connection?.note($0) })
        do {
            try await connection.begin(session)
        } catch {
            await session.close()
            throw error
        }
        return connection
    }
}

/// Opens sessions of one server.
struct MCPOpener: Sendable {
    let transport: MCPModule.Transport
    let limits: RPCLimits
    let log: RemoteModule.Log

    /// Opens a session and agrees on a version.
    func open(
        _ name: String, token: @escaping @Sendable () async throws -> Secret?,
        onNotice: @escaping @Sendable (MCPNotice) -> Void
    ) async throws -> any MCPSession {
        switch self.transport {
        case .process(let launch):
            try await MCPProcessSession.open(
                name, launch, limits: self.limits, log: self.log, onNotice: onNotice)
        case .http(let url):
            try await MCPHTTPSession.open(
                name, url, token: token, bytesMax: self.limits.frameBytesMax, onNotice: onNotice)
        }
    }
}
