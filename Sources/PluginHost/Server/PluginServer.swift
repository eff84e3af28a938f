internal import CSpawnShim
public import ConnectorKit
internal import Synchronization
internal import Values

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#else
    internal import Darwin
#endif

/// Offers a connector to the hub over this process's standard streams: the whole main program of a plugin in Swift.
///
///     @main struct MyPlugin {
///         static func main() async { await PluginServer.serve(MyModule()) }
///     }
public enum PluginServer {
    /// Serves until the hub ends the session.
    ///
    /// What anybody prints meanwhile goes to the error stream, and so to the hub's log.
    public static func serve(_ module: any ConnectorModule) async {
        signal(SIGPIPE, SIG_IGN)
        let output = dup(1)
        _ = dup2(2, 1)
        jn_line_buffer_output()
        await Self.serve(module, input: 0, output: output)
        if output >= 0 { close(output) }
    }

    static func serve(_ module: any ConnectorModule, input: Int32, output: Int32) async {
        let server = RPCServer(
            input: input, output: output, cancelMethod: PluginProtocol.cancel, cancelField: "id")
        let session = PluginSession(module, server)
        await server.serve { method, params in await session.answer(method, params) }
        await session.end()
    }
}

/// What the hub has opened here.
private actor PluginSession {
    private let module: any ConnectorModule
    private let server: RPCServer
    private var connection: (any Connection)?
    private var sources: [Int64: any EventSource] = [:]

    init(_ module: any ConnectorModule, _ server: RPCServer) {
        self.module = module
        self.server = server
    }

    func answer(_ method: String, _ params: Value) async -> Result<Value, RPCError> {
        guard let known = PluginProtocol.Method(rawValue: method) else {
            return .failure(RPCError(code: RPCError.methodNotFound, message: "There is no method \(method)."))
        }
        do {
            return .success(try await self.answer(known, params))
        } catch let error as RPCError {
            return .failure(error)
        } catch let error as PluginCodingError {
            return .failure(RPCError(code: RPCError.invalidParams, message: error.reason))
        } catch {
            let error = ConnectorError(wrapping: error)
            return .failure(
                RPCError(
                    code: PluginProtocol.connectorError, message: error.description, data: PluginCoding.json(error)))
        }
    }

    func end() async {
        for source in self.sources.values { await source.close() }
        self.sources = [:]
        await self.connection?.close()
    }

    private func answer(_ method: PluginProtocol.Method, _ params: Value) async throws -> Value {
        switch method {
        case .initialize: return try self.initialize(params)
        case .ping: return [:]
        case .connect:
            try await self.connect(params)
            return [:]
        case .close:
            await self.end()
            return [:]
        case .test:
            try await self.opened().test()
            return [:]
        case .invoke:
            let connection = try self.opened()
            return PluginCoding.json(await connection.invoke(try PluginCoding.call(params)))
        case .isRepeatable:
            let isRepeatable = try await self.opened().isRepeatable(try PluginCoding.call(params))
            return ["repeatable": isRepeatable.map { .boolean($0) } ?? .null]
        case .invokeBatch:
            let connection = try self.opened()
            let calls = try PluginCoding.Fields(params, "params").list("calls", PluginCoding.call)
            return ["outcomes": .list(await connection.invokeBatch(calls).map { PluginCoding.json($0) })]
        case .arm:
            let id = try PluginCoding.Fields(params, "params").integer("source")
            let memory = HubMemory(self.server, source: id, position: params["position"])
            let source = try await self.opened().armSource(try PluginCoding.request(params, memory: memory))
            if let old = self.sources.updateValue(source, forKey: id) { await old.close() }
            return [:]
        case .open, .read, .acknowledge, .reject, .backlog, .disarm:
            return try await self.answer(method, params, try PluginCoding.Fields(params, "params"))
        }
    }

    private func answer(
        _ method: PluginProtocol.Method, _ params: Value, _ fields: PluginCoding.Fields
    ) async throws -> Value {
        let id = try fields.integer("source")
        if method == .disarm {
            await self.sources.removeValue(forKey: id)?.close()
            return [:]
        }
        guard let source = self.sources[id] else {
            throw RPCError(code: PluginProtocol.unknownSource, message: "There is no source \(id).")
        }
        switch method {
        case .open:
            do {
                try await source.connect()
            } catch let interruption as SourceInterruption {
                return PluginCoding.json(.interruption(interruption))
            }
        case .read:
            let maximum = Int(clamping: try fields.integer("maximum"))
            let wait = try fields.optionalDuration("waitMilliseconds") ?? .zero
            do {
                return PluginCoding.json(.batch(try await source.read(maximum: maximum, wait: wait)))
            } catch let interruption as SourceInterruption {
                return PluginCoding.json(.interruption(interruption))
            }
        case .acknowledge:
            try await source.acknowledge(try Self.batch(fields))
        case .reject:
            try await source.reject(
                try Self.batch(fields), try PluginCoding.disposition(fields.value("disposition")))
        case .backlog:
            let count = await source.backlog()
            return ["count": count.map { PluginCoding.number($0) } ?? .null]
        default:
            break
        }
        return [:]
    }

    private static func batch(_ fields: PluginCoding.Fields) throws -> EventBatch.ID {
        EventBatch.ID(rawValue: UInt64(max(0, try fields.integer("batch"))))
    }

    private func initialize(_ params: Value) throws -> Value {
        let offered = params["protocolVersions"]?.asList?.compactMap(\.asInt64) ?? []
        guard let version = PluginProtocol.versions.first(where: { offered.contains(Int64($0)) }) else {
            throw RPCError(
                code: RPCError.invalidParams,
                message: "This plugin speaks the protocol versions "
                    + "\(PluginProtocol.versions.map(String.init).joined(separator: ", ")), the hub none of them.")
        }
        return [
            "protocolVersion": PluginCoding.number(version), "descriptor": PluginCoding.json(self.module.descriptor),
        ]
    }

    private func connect(_ params: Value) async throws {
        guard self.connection == nil else {
            throw RPCError(code: RPCError.invalidParams, message: "A process has one connection, and it is open.")
        }
        let fields = try PluginCoding.Fields(params, "params")
        let configuration = ConnectionConfiguration(
            id: try fields.string("id"), tenant: try fields.optionalString("tenant") ?? "<default>",
            parameters: fields.value("parameters") ?? [:], secrets: HubSecrets(server: self.server))
        self.connection = try await self.module.connect(configuration)
    }

    private func opened() throws -> any Connection {
        guard let connection = self.connection else {
            throw RPCError(code: RPCError.invalidParams, message: "There is no connection yet; call connect first.")
        }
        return connection
    }
}

/// Keeps the position of a source with the hub.
private final class HubMemory: SourceMemory {
    private let server: RPCServer
    private let source: Int64
    private let position: Mutex<Value?>

    init(_ server: RPCServer, source: Int64, position: Value?) {
        self.server = server
        self.source = source
        self.position = Mutex(position)
    }

    func load() -> Value? { self.position.withLock { $0 } }

    func save(_ value: Value) async throws {
        let answer = await self.server.request(
            PluginProtocol.save, ["source": PluginCoding.number(self.source), "position": value])
        switch answer {
        case .success: self.position.withLock { $0 = value }
        case .failure(let error):
            if let data = error.data, let own = try? PluginCoding.error(data) { throw own }
            throw ConnectorError(
                .unavailable, code: PluginErrors.Code.lost, "The hub did not keep the position: \(error.message)",
                remedy: "Arm the source again; it goes on from the position before.")
        }
    }
}

/// Asks the hub for secrets, each time one is needed.
private struct HubSecrets: SecretResolver {
    let server: RPCServer

    func secret(_ reference: SecretReference) async throws -> Secret {
        let answer = await self.server.request(
            PluginProtocol.secret, ["reference": .string(reference.description)])
        guard case .success(let value) = answer, let text = value["secret"]?.asString else {
            throw ConnectorError.secretUnavailable(reference)
        }
        return Secret(text)
    }
}
