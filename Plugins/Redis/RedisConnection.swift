internal import ConnectorKit
internal import Values

/// One server and database.
///
/// Calls share a connection to the server; each source has one of its own, since waiting for events holds it up.
struct RedisConnection: Connection {
    private let settings: RedisSettings
    private let configuration: ConnectionConfiguration
    private let operations: RedisOperations
    private let session: RedisSession

    init(_ settings: RedisSettings, _ configuration: ConnectionConfiguration) throws {
        self.settings = settings
        self.configuration = configuration
        self.operations = RedisOperations(settings: settings)
        self.session = try RedisSession(
            settings, configuration, name: "junction-\(configuration.id)", for: .calls)
    }

    func test() async throws {
        let replies = try await self.session.run([["PING"]], timeout: self.settings.connectTimeout)
        for case .error(let text) in replies { throw RedisErrors.refusal(text) }
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            let plan = try self.operations.plan(call)
            return plan.outcome(try await self.session.run(plan.commands, timeout: call.timeout))
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// All commands are sent at once; a call that is wrong fails by itself.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        let plans = calls.map { call in Result { try self.operations.plan(call) } }
        let commands = plans.flatMap { (try? $0.get())?.commands ?? [] }
        let timeout = calls.map(\.timeout).min() ?? .zero
        let replies: Result<[RedisReply], any Error>
        do {
            replies = .success(try await self.session.run(commands, timeout: timeout))
        } catch {
            replies = .failure(error)
        }
        var position = 0
        return plans.map { plan in
            do {
                let plan = try plan.get()
                defer { position += plan.commands.count }
                return plan.outcome(Array(try replies.get()[position..<position + plan.commands.count]))
            } catch {
                return .failed(ConnectorError(wrapping: error))
            }
        }
    }

    func isRepeatable(_ call: OperationCall) async -> Bool? {
        (try? self.operations.plan(call))?.isRepeatable
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard RedisModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: RedisModule.description)
        }
        if request.replay != nil, request.event != "stream" { throw RedisErrors.noReplay(request.event) }
        let name = "junction-\(self.configuration.id)-\(request.event)"
        switch request.event {
        case "stream":
            let source = try StreamSourceSettings(request, connection: self.configuration.id)
            if let replay = request.replay {
                return StreamReplay(
                    source, try StreamRange(replay),
                    try RedisSession(self.settings, self.configuration, name: name, for: .source))
            }
            return StreamSource(
                source, try RedisSession(self.settings, self.configuration, name: name, for: .source))
        case "list":
            let source = try ListSourceSettings(request, connection: self.configuration.id)
            return ListSource(source, try RedisSession(self.settings, self.configuration, name: name, for: .source))
        default:
            let source = try ChannelSourceSettings(request)
            return ChannelSource(
                source, try RedisSession(self.settings, self.configuration, name: name, for: .subscriber))
        }
    }

    func close() async {
        await self.session.close()
    }
}
