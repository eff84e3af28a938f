internal import ConnectorKit
internal import PluginHost
internal import Values

/// A session over the standard streams of a process; a process that is lost is replaced with the next call.
struct MCPProcessSession: MCPSession {
    let serverName: String
    private let name: String
    private let process: RPCProcess

    static func open(
        _ name: String, _ launch: LaunchSpecification, limits: RPCLimits, log: @escaping RemoteModule.Log,
        onNotice: @escaping @Sendable (MCPNotice) -> Void
    ) async throws -> MCPProcessSession {
        let dialect = RPCDialect(
            handshake: [
                .request(
                    method: MCPProtocol.initialize, params: MCPProtocol.initializeParams, check: MCPProtocol.refusal),
                .notify(method: MCPProtocol.initialized, params: [:]),
            ], pingMethod: MCPProtocol.ping, cancelMethod: MCPProtocol.cancelled, cancelField: "requestId")
        let process = RPCProcess(
            launch, dialect: dialect, limits: limits,
            handlers: .init(
                request: { method, _ in MCPRequests.answer(method) },
                notification: { method, params in
                    if method == MCPProtocol.message { log(name, MCPRequests.logLine(params)) }
                    if let notice = MCPNotice(method, params) { onNotice(notice) }
                },
                log: { log(name, $0) }))
        switch await process.start() {
        case .success(let answers):
            return MCPProcessSession(
                serverName: MCPProtocol.serverName(answers.first ?? .null), name: name, process: process)
        case .failure(let failure):
            await process.close()
            throw failure.connectorError(connection: name)
        }
    }

    func call(_ method: String, _ params: Value, timeout: Duration) async throws -> Value {
        switch await self.process.call(method, params, timeout: timeout) {
        case .success(let value): return value
        case .failure(.refused(let error)): throw MCPErrors.refused(error)
        case .failure(let failure): throw failure.connectorError(connection: self.name)
        }
    }

    func close() async {
        await self.process.close()
    }
}

/// What a server may ask and tell us.
enum MCPRequests {
    /// The answer to a request of a server: only pings are answered, for nothing else was offered.
    static func answer(_ method: String) -> Result<Value, RPCError> {
        if method == MCPProtocol.ping { return .success([:]) }
        return .failure(RPCError(code: RPCError.methodNotFound, message: "There is no method \(method) here."))
    }

    static func logLine(_ params: Value) -> PeerLogLine {
        let level: PeerLogLine.Level =
            switch params["level"]?.asString {
            case "debug": .debug
            case "warning": .warning
            case "error", "critical", "alert", "emergency": .error
            default: .info
            }
        let data = params["data"] ?? .null
        return PeerLogLine(level, String((data.asString ?? JSON.string(data)).prefix(8_192)))
    }
}
