internal import ConnectorKit
internal import PluginHost
internal import Synchronization
internal import Values

/// One session with a server, and its tools as they are now.
final class MCPConnection: Connection {
    private struct State {
        var session: (any MCPSession)?
        var table = MCPToolTable()
        var isStale = false
        var isClosed = false
        var hints: [ObjectIdentifier: (uri: String, hint: MCPHint)] = [:]
    }

    private let id: String
    private let descriptor: ConnectorDescriptor
    private let state = Mutex(State())

    private let clock: any ConnectorClock

    init(_ id: String, _ descriptor: ConnectorDescriptor, clock: any ConnectorClock) {
        self.clock = clock
        self.id = id
        self.descriptor = descriptor
    }

    /// Takes the session, and its tools.
    func begin(_ session: any MCPSession) async throws {
        let table = try await MCPToolTable.read(from: session)
        self.state.withLock { state in
            state.session = session
            state.table = table
        }
    }

    /// Takes what the server tells: after a change of its tools, the next call asks for them first.
    func note(_ notice: MCPNotice) {
        switch notice {
        case .toolsChanged: self.state.withLock { $0.isStale = true }
        case .resourceUpdated(let uri):
            let hints = self.state.withLock { state in state.hints.values.filter { $0.uri == uri }.map(\.hint) }
            for hint in hints { hint.give() }
        }
    }

    /// `hint` is given from now on when the server says that the resource was updated.
    func watch(_ uri: String, _ hint: MCPHint) {
        self.state.withLock { $0.hints[ObjectIdentifier(hint)] = (uri, hint) }
    }

    /// `hint` is not given any more.
    func unwatch(_ hint: MCPHint) {
        _ = self.state.withLock { $0.hints.removeValue(forKey: ObjectIdentifier(hint)) }
    }

    func session() throws -> any MCPSession {
        try self.state.withLock { state in
            guard !state.isClosed, let session = state.session else { throw ConnectorError.closed(self.id) }
            return session
        }
    }

    func test() async throws {
        _ = try await self.session().call(MCPProtocol.ping, [:], timeout: .seconds(30))
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            let session = try self.session()
            if Task.isCancelled {
                var error = ConnectorError(wrapping: CancellationError())
                error.mayHaveExecuted = false
                return .failed(error)
            }
            let tool = try await self.tool(call.operation, session)
            if let problem = tool.problem(with: call.input) {
                throw ConnectorError(
                    .validation, code: ConnectorError.Code.invalidParameters, problem,
                    remedy: "Correct the field named.")
            }
            var params: ValueContext = ["name": .string(tool.name), "arguments": call.input]
            var meta = ValueContext()
            meta["junction/idempotencyKey"] = call.idempotencyKey.map { .string($0) }
            meta["traceparent"] = call.traceparent.map { .string($0) }
            if !meta.isEmpty { params["_meta"] = .context(meta) }
            let answer = try await session.call(MCPProtocol.callTool, .context(params), timeout: call.timeout)
            return Self.outcome(answer, tool.name)
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// The tool of an operation; the list is read again when it changed, or does not hold it.
    private func tool(_ operation: String, _ session: any MCPSession) async throws -> MCPToolTable.Tool {
        let known = self.state.withLock { $0.isStale ? nil : $0.table.tools[operation] }
        if let known { return known }
        self.state.withLock { $0.isStale = false }
        let table = try await MCPToolTable.read(from: session)
        self.state.withLock { $0.table = table }
        guard let tool = table.tools[operation] else {
            var descriptor = self.descriptor
            descriptor.operations = table.operations
            throw ConnectorError.unknownOperation(operation, of: descriptor)
        }
        return tool
    }

    static func outcome(_ answer: Value, _ tool: String) -> Outcome {
        guard let content = answer["content"]?.asList else {
            return .failed(MCPErrors.malformed("a result without content"))
        }
        let text = content.filter { $0["type"] == "text" }.compactMap { $0["text"]?.asString }
            .joined(separator: "\n")
        if answer["isError"] == true { return .reject(MCPErrors.toolFailed(tool, text)) }
        var value: ValueContext = ["text": .string(text), "content": .list(content)]
        value["structured"] = answer["structuredContent"]
        return .done(.context(value), facts: ["tool": .string(tool)])
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard request.event == MCPResourceSettings.event.id else {
            throw ConnectorError.unknownEvent(request.event, of: self.descriptor)
        }
        guard request.replay == nil else { throw MCPErrors.noReplay }
        return MCPResourceSource(
            try MCPResourceSettings(request.parameters), connection: self, memory: request.memory, clock: self.clock)
    }

    func close() async {
        let session = self.state.withLock { state in
            state.isClosed = true
            defer { state.session = nil }
            return state.session
        }
        await session?.close()
    }
}
