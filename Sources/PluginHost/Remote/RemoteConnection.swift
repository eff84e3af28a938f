internal import ConnectorKit
internal import Synchronization
internal import Values

/// A connection that lives in another process.
final class RemoteConnection: Connection {
    /// How much longer than the call itself its answer may take.
    static let grace: Duration = .seconds(2)

    private let id: String
    private let process: RPCProcess
    private let positions: RemotePositions
    /// The version of the protocol the process speaks.
    private let version: Int64
    /// Operations of which the description says that carrying them out twice does harm.
    private let unsafe: Set<String>
    private let state = Mutex(
        (nextSource: Int64(1), isClosed: false, decidesRepeatability: true, takesBatches: true))

    init(
        _ id: String, _ descriptor: ConnectorDescriptor, _ process: RPCProcess, _ positions: RemotePositions,
        version: Int64
    ) {
        self.positions = positions
        self.version = version
        self.id = id
        self.unsafe = Set(descriptor.operations.filter { !$0.isRepeatable }.map(\.id))
        self.process = process
    }

    /// The process id, while there is a process.
    var processID: Int32? { self.process.processID }

    /// How many calls are out.
    var callCount: Int { self.process.callCount }

    /// Calls a method of the process.
    ///
    /// Throws `ConnectorError`.
    func call(_ method: PluginProtocol.Method, _ params: Value, timeout: Duration) async throws(ConnectorError) -> Value
    {
        if self.state.withLock({ $0.isClosed }) { throw ConnectorError.closed(self.id) }
        switch await self.process.call(method.rawValue, params, timeout: timeout + Self.grace) {
        case .success(let value): return value
        case .failure(let failure): throw PluginErrors.error(failure, connection: self.id)
        }
    }

    func malformed(_ error: PluginCodingError) -> ConnectorError {
        PluginErrors.malformed(error, connection: self.id)
    }

    func test() async throws {
        _ = try await self.call(.test, [:], timeout: .seconds(30))
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            let result = try await self.call(.invoke, PluginCoding.json(call), timeout: call.timeout)
            return try PluginCoding.outcome(result)
        } catch let error as PluginCodingError {
            return .failed(self.malformed(error))
        } catch {
            return .failed(ConnectorError(wrapping: error))
        }
    }

    /// Asks only where the description says no, and a plugin that does not know the question only once.
    func isRepeatable(_ call: OperationCall) async -> Bool? {
        guard self.unsafe.contains(call.operation), self.state.withLock({ $0.decidesRepeatability }) else { return nil }
        do {
            return try await self.call(.isRepeatable, PluginCoding.json(call), timeout: .seconds(5))["repeatable"]?
                .asBoolean
        } catch {
            if error.kind == .unsupported { self.state.withLock { $0.decidesRepeatability = false } }
            return nil
        }
    }

    /// In one message, or one after the other with a plugin that does not know batches, which is asked only once.
    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        guard !calls.isEmpty else { return [] }
        guard self.state.withLock({ $0.takesBatches }) else { return await self.invokeEach(calls) }
        let timeout = calls.map(\.timeout).max() ?? .zero
        do {
            let params: Value = ["calls": .list(calls.map { PluginCoding.json($0) })]
            let result = try await self.call(.invokeBatch, params, timeout: timeout)
            let items = result["outcomes"]?.asList ?? []
            guard items.count == calls.count else {
                throw PluginCodingError(reason: "It gave \(items.count) outcomes for \(calls.count) calls.")
            }
            return items.map { item in
                do throws(PluginCodingError) {
                    return try PluginCoding.outcome(item)
                } catch {
                    return .failed(self.malformed(error))
                }
            }
        } catch {
            let wrapped = (error as? PluginCodingError).map(self.malformed) ?? ConnectorError(wrapping: error)
            guard wrapped.kind == .unsupported else { return calls.map { _ in .failed(wrapped) } }
            self.state.withLock { $0.takesBatches = false }
            return await self.invokeEach(calls)
        }
    }

    private func invokeEach(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes: [Outcome] = []
        outcomes.reserveCapacity(calls.count)
        for call in calls { outcomes.append(await self.invoke(call)) }
        return outcomes
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        if request.replay != nil, self.version < PluginProtocol.positionsVersion {
            throw PluginErrors.noReplay(connection: self.id, version: self.version)
        }
        let number = self.state.withLock { state in
            defer { state.nextSource += 1 }
            return state.nextSource
        }
        let source = RemoteSource(self, number, request)
        self.positions.watch(number, request)
        do {
            try await source.arm()
        } catch {
            self.positions.forget(number)
            throw error
        }
        return source
    }

    /// The source `number` is over.
    func forget(_ number: Int64) { self.positions.forget(number) }

    func close() async {
        self.state.withLock { $0.isClosed = true }
        await self.process.close()
    }
}
