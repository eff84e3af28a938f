public import ConnectorKit
import Engine
import HubDocuments
public import Logging
public import Runtime
public import Storage
import Synchronization
public import Values

/// The integration hub: runs the declared triggers, carries out the connector calls of processes, replays dead letters.
///
/// Connector calls are served from `start()` on; triggers run inside `run()`. All other methods may be called from any
/// task at any time.
public final class HubService: Sendable {
    private let service: any WorkflowService
    private let clock: any ConnectorClock
    private let logger: Logger
    private let pool: ConnectionPool
    private let lanes: [ConnectionLane]
    private let workers: [ConnectorWorker]
    private let runners: [TriggerRunner]
    private let hasStarted = Mutex(false)

    /// The connectors there are.
    public let registry: ConnectorRegistry
    /// What was declared.
    public let configuration: HubConfiguration
    /// Answers repeated requests of the API; nil when nothing is remembered.
    public let requests: RequestGate?

    /// Creates a hub that does nothing yet.
    ///
    /// - Parameters:
    ///   - service: The engine.
    ///   - modules: The connectors, listed by the application.
    ///   - isolated: Ids of those that run in a process of their own unless a connection says otherwise.
    ///   - isolate: Hosts one of them in a process of its own.
    ///   - configuration: What is declared; see `HubConfiguration.load`.
    ///   - clock: The time.
    ///   - random: Numbers in [0, 1), for jitter.
    ///   - idempotency: Where calls are remembered that must not be made twice; nil: nowhere.
    ///   - environment: Looks up the variables secrets refer to.
    ///   - vault: The secrets kept encrypted; nil: none.
    ///   - logger: Where it logs: at `info` and lower, and a warning when faults are rehearsed.
    public init(
        service: any WorkflowService, modules: [any ConnectorModule], isolated: Set<String> = [],
        isolate: @escaping ConnectorRegistry.Isolator = { _ in nil }, configuration: HubConfiguration,
        clock: any ConnectorClock = SystemConnectorClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        idempotency: (any IdempotencyStore)? = nil,
        environment: (@Sendable (String) -> String?)? = nil, vault: SecretVault? = nil, logger: Logger
    ) {
        let registry = ConnectorRegistry(modules, isolated: isolated, isolate: isolate)
        let secrets = SecretStore(
            environment: environment ?? { DiskFile.environment($0) },
            file: { DiskFile.bytes($0, maximum: SecretStore.bytesMax) }, vault: vault)
        let pool = ConnectionPool(configuration.connections, registry: registry, secrets: secrets, clock: clock)
        let lanes = configuration.connections.map { ConnectionLane($0, logger: logger) }
        let ledger = idempotency.map { store in
            IdempotencyLedger(store: store) { clock.unixMilliseconds }
        }
        self.requests = ledger.map { RequestGate($0) }
        self.service = service
        self.clock = clock
        self.logger = logger
        self.registry = registry
        self.configuration = configuration
        self.pool = pool
        self.lanes = lanes
        self.workers = registry.modules.map { module in
            ConnectorWorker(
                module, lanes: lanes.filter { $0.declaration.connector == module.descriptor.id },
                profiles: configuration.profiles, service: service, pool: pool, clock: clock, random: random,
                ledger: ledger, logger: logger)
        }
        self.runners = configuration.triggers.map {
            TriggerRunner($0, service: service, pool: pool, clock: clock, random: random, logger: logger)
        }
    }

    /// Registers a worker for every connector.
    ///
    /// Idempotent; `run` calls it.
    public func start() {
        let isFirst = self.hasStarted.withLock { hasStarted in
            defer { hasStarted = true }
            return !hasStarted
        }
        guard isFirst else { return }
        for declaration in self.configuration.connections {
            guard let rehearsal = declaration.rehearsal else { continue }
            self.logger.warning(
                "rehearsal: faults are injected into the calls of this connection",
                metadata: ["connection.id": "\(declaration.id)", "faults": "\(rehearsal)"])
        }
        for worker in self.workers { worker.start() }
    }

    /// Serves until the task is cancelled, then stops the triggers, ends the calls that run, and closes the connections.
    ///
    /// What was not acknowledged or answered by then comes again when a hub starts on the same data.
    public func run() async {
        self.start()
        await withTaskGroup(of: Void.self) { group in
            for runner in self.runners {
                group.addTask { await runner.run() }
            }
            // Without triggers, and when all of them have ended, calls are still served until the end.
            group.addTask {
                let (stream, continuation) = AsyncStream<Void>.makeStream()
                for await _ in stream {}
                continuation.finish()
            }
            await group.waitForAll()
        }
        await self.shutdown()
    }

    /// Ends the calls that run and closes the connections; for a hub that was started and not run.
    ///
    /// Idempotent; `run` ends with it.
    public func shutdown() async {
        for worker in self.workers { await worker.stop() }
        await self.pool.close()
    }
}

// MARK: - Status and operators

extension HubService {
    /// The triggers, in the order declared.
    public func triggers() -> [TriggerStatus] {
        self.runners.map(\.status)
    }

    /// The connections, in the order declared.
    public func connections() -> [ConnectionStatus] {
        let now = self.clock.now
        return self.lanes.map { lane in
            lane.status(isConnected: self.pool.isConnected(lane.declaration.id), at: now)
        }
    }

    /// Stops a trigger after the records it works on.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func pauseTrigger(_ id: String) throws(HubError) {
        try self.runner(id).pause()
    }

    /// Arms a paused trigger again.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func resumeTrigger(_ id: String) throws(HubError) {
        try self.runner(id).resume()
    }

    /// One connection.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func connection(_ id: String) throws(HubError) -> ConnectionStatus {
        let lane = try self.lane(id)
        return lane.status(isConnected: self.pool.isConnected(id), at: self.clock.now)
    }

    /// Does `command` to the breakers of a connection, for all its hosts and profiles, present and to come; what it
    /// imposes holds until it is changed or the hub ends.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func setBreaker(
        _ command: BreakerCommand, connection id: String, actor: String
    ) throws(HubError) {
        try self.lane(id).setMode(command.mode, actor: actor)
    }

    private func lane(_ id: String) throws(HubError) -> ConnectionLane {
        guard let lane = self.lanes.first(where: { $0.declaration.id == id }) else {
            throw HubError.unknownConnection(id, known: self.lanes.map(\.declaration.id))
        }
        return lane
    }

    /// Finds out whether a connection's remote answers.
    ///
    /// Throws `HubError` or `ConnectorError`.
    public func testConnection(_ id: String) async throws {
        try await self.pool.connection(id).test()
    }

    private func runner(_ id: String) throws(HubError) -> TriggerRunner {
        guard let runner = self.runners.first(where: { $0.declaration.id == id }) else {
            throw HubError.unknownTrigger(id, known: self.runners.map(\.declaration.id))
        }
        return runner
    }
}

// MARK: - Dead letters

extension HubService {
    /// What a replay did, or would do.
    public enum ReplayResult: Sendable, Equatable {
        /// It started this instance.
        case started(Key)
        /// An earlier replay, interrupted before it was recorded, had started this instance.
        case alreadyStarted(Key)
        /// The trigger's filter stops it now: nothing was started.
        case filtered
        /// It failed again: a new dead letter, with the reason, replaces the old one.
        case deadLettered(Key, reason: String)
        /// A dry run: it would fail again.
        case wouldFail(reason: String)
        /// A dry run: it would start this process with these variables (a JSON object document).
        case wouldStart(workflow: String, variables: [UInt8])
    }

    /// Sends a dead letter through its trigger again, from the start, and ends it as replayed.
    ///
    /// The trigger's dedupe key does not count: a replay starts although the event was seen. Repeating an interrupted
    /// replay starts nothing twice. A letter that fails again is replaced by a new one, which names it and counts the
    /// replays; when the engine cannot be reached, the letter stays as it is.
    ///
    /// - Parameters:
    ///   - letter: The dead letter, from the records.
    ///   - payload: Sent instead of the letter's own payload, in the same format; nil for the original.
    ///   - isDryRun: Only says what would happen.
    ///   - actor: Who asks.
    /// - Throws: `HubError`: `HB301` when the trigger is gone, `HB304` when the letter ended or was replayed too often,
    ///   `HB305` when the engine does not take it now.
    public func replay(
        _ letter: DeadLetterRecord, payload: [UInt8]? = nil, isDryRun: Bool = false, actor: String
    ) async throws(HubError) -> ReplayResult {
        let runner = try self.runner(letter.origin)
        guard letter.state == 0 else {
            throw HubError(
                .deadLetterState, "The dead letter \(letter.key) was \(letter.state == 1 ? "replayed" : "discarded").",
                remedy: "Only parked dead letters can be replayed.")
        }
        let limit = runner.declaration.redriveMax
        guard letter.redriveCount < limit else {
            throw HubError(
                .deadLetterState, "The dead letter \(letter.key) was replayed \(letter.redriveCount) times already.",
                remedy: "Correct the payload or the trigger, raise dlq.redrive.maxCount, or discard it.")
        }
        let event = letter.event(payload: payload, decoding: runner.declaration.decoding)
        let key = Key(rawValue: letter.key)
        let pipeline = TriggerPipeline(runner.declaration)
        let redrive = TriggerPipeline.Redrive(key: key, count: letter.redriveCount + 1)
        switch pipeline.verdict(on: event, receivedAt: self.clock.unixMilliseconds, redrive: redrive) {
        case .start(let request):
            if isDryRun {
                return .wouldStart(workflow: runner.declaration.target.workflow, variables: request.variables ?? [])
            }
            let created: CreatedInstance
            do {
                created = try await self.service.createInstance(request)
            } catch  where error.code == .invalidArgument {
                let refusal = TriggerPipeline.Refusal(
                    stage: .commit, code: .startRefused, message: error.description, disposition: .dlq)
                return try await self.replace(
                    key, by: pipeline.deadLetter(for: event, refusal: refusal, redrive: redrive), actor: actor)
            } catch {
                throw HubError(.replayFailed, "The replay failed: \(error.message)", remedy: error.remedy)
            }
            try await self.end(key, as: .replayed, actor: actor)
            return created.alreadyExisted ? .alreadyStarted(created.key) : .started(created.key)
        case .filtered, .dropped:
            if !isDryRun { try await self.end(key, as: .replayed, actor: actor) }
            return .filtered
        case .deadLetter(let again):
            if isDryRun { return .wouldFail(reason: again.errorMessage) }
            return try await self.replace(key, by: again, actor: actor)
        }
    }

    /// Writes the new letter before the old one ends, so that none is lost in between.
    private func replace(
        _ key: Key, by letter: NewDeadLetter, actor: String
    ) async throws(HubError) -> ReplayResult {
        let newKey: Key
        do {
            newKey = try await self.service.recordDeadLetter(letter)
        } catch {
            throw HubError(.replayFailed, "The replay failed: \(error.message)", remedy: error.remedy)
        }
        try await self.end(key, as: .replayed, actor: actor)
        return .deadLettered(newKey, reason: letter.errorMessage)
    }

    /// Ends a dead letter without doing anything about it.
    ///
    /// Throws `HubError` (`HB304`) when there is no such parked letter.
    public func discard(deadLetter key: Key, actor: String) async throws(HubError) {
        try await self.end(key, as: .discarded, actor: actor)
    }

    private func end(_ key: Key, as outcome: DeadLetterOutcome, actor: String) async throws(HubError) {
        do {
            try await self.service.endDeadLetter(key: key, as: outcome, actor: actor)
        } catch {
            throw HubError(.deadLetterState, error.message, remedy: error.remedy)
        }
    }
}

extension DeadLetterRecord {
    /// The event as its source gave it, with another payload if one is given.
    func event(payload: [UInt8]?, decoding: RecordDecoding) -> SourceEvent {
        let bytes = payload ?? self.payload
        let known = (try? JSON.parse(self.coordinates))?.asContext ?? ValueContext()
        var coordinates = known
        for key in ["eventId", "triggerRevision", "headers", "redriveOf"] { coordinates[key] = nil }
        let headers = known["headers"]?.asContext ?? ValueContext()
        let columns = (headers["columns"]?.asList ?? []).compactMap(\.asString)
        return SourceEvent(
            id: known["eventId"]?.asString ?? "dead-letter:\(self.key)", payload: bytes, contentType: self.contentType,
            body: RecordDecoder.decode(
                record: bytes, contentType: self.contentType, columns: columns, decoding: decoding),
            coordinates: coordinates, headers: headers)
    }
}
