public import ConnectorKit
import Engine
import HubDocuments
public import Logging
import Resilience
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
    let clock: any ConnectorClock
    let random: @Sendable () -> Double
    let logger: Logger
    let pool: ConnectionPool
    let lanes: [ConnectionLane]
    private let workers: [ConnectorWorker]
    let triggerSet: TriggerSet
    let direct: DirectCalls
    let triggerHost: TriggerHost
    private let modes: BreakerModes
    private let hasStarted = Mutex(false)

    /// The connectors there are.
    public let registry: ConnectorRegistry
    /// What was declared.
    public let configuration: HubConfiguration
    /// Answers repeated requests of the API; nil when nothing is remembered.
    public let requests: RequestGate?
    /// What could not be delivered.
    public let deadLetters: DeadLetters
    /// Where the events of triggers arrive that are sent here.
    public let ingress: Ingress
    /// Who reads which source; nil when every node reads all of them.
    public let ownership: SourceOwnership?

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
    ///   - records: Where dead letters are found again; nil: only single ones, given by the caller, can be replayed.
    ///   - letters: How dead letters are kept, replayed and watched.
    ///   - sources: Who reads which source, and how far; nil: this hub is alone, and positions end with it.
    ///   - node: Names this hub among those that share `sources`; the same after a restart.
    ///   - breakerFile: Where imposed breaker modes are kept; nil: they end with the hub.
    ///   - logger: Where it logs: at `info` and lower, and a warning when faults are rehearsed.
    public init(
        service: any WorkflowService, modules: [any ConnectorModule], isolated: Set<String> = [],
        isolate: @escaping ConnectorRegistry.Isolator = { _ in nil }, configuration: HubConfiguration,
        clock: any ConnectorClock = SystemConnectorClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        idempotency: (any IdempotencyStore)? = nil,
        environment: (@Sendable (String) -> String?)? = nil, vault: SecretVault? = nil,
        records: (any RecordReader)? = nil, letters: DeadLetterSettings = DeadLetterSettings(),
        sources: (any SourceStateStore)? = nil, node: String = "hub", breakerFile: String? = nil, logger: Logger
    ) {
        let registry = ConnectorRegistry(modules, isolated: isolated, isolate: isolate)
        let secrets = SecretStore(
            environment: environment ?? { DiskFile.environment($0) },
            file: { DiskFile.bytes($0, maximum: SecretStore.bytesMax) }, vault: vault)
        let pool = ConnectionPool(configuration.connections, registry: registry, secrets: secrets, clock: clock)
        let modes = BreakerModes(path: breakerFile, logger: logger)
        let lanes = configuration.connections.map {
            ConnectionLane($0, mode: modes.imposed(on: $0.id)?.command.mode ?? .automatic, logger: logger)
        }
        let direct = DirectCalls(lanes: lanes, registry: registry, pool: pool, clock: clock, random: random)
        let effects = TriggerEffects(service: service, calls: direct)
        let deadLetters = DeadLetters(
            effects: effects, triggers: configuration.triggers, records: records, settings: letters,
            seal: LetterSeal(vault: vault, mode: letters.encryption), clock: clock, logger: logger)
        let ledger = idempotency.map { store in
            IdempotencyLedger(store: store) { clock.unixMilliseconds }
        }
        let requests = ledger.map { RequestGate($0) }
        let ingress = Ingress(secrets: secrets, requests: requests, clock: clock, logger: logger)
        ingress.declare(configuration.triggers.compactMap(\.ingress))
        let ownership = sources.map {
            SourceOwnership(store: $0, node: node, clock: clock, random: random)
        }
        let host = TriggerHost(
            service: service, effects: effects,
            sources: SourceFactory(pool: pool, ingress: ingress, clock: clock) { trigger in
                await deadLetters.hasRunningInstance(of: trigger)
            },
            ownership: ownership, letters: deadLetters, clock: clock, random: random, logger: logger)
        self.requests = requests
        self.ingress = ingress
        self.ownership = ownership
        self.service = service
        self.clock = clock
        self.random = random
        self.logger = logger
        self.registry = registry
        self.configuration = configuration
        self.pool = pool
        self.lanes = lanes
        self.modes = modes
        self.deadLetters = deadLetters
        self.direct = direct
        self.triggerHost = host
        self.workers = registry.modules.map { module in
            ConnectorWorker(
                module, lanes: lanes.filter { $0.declaration.connector == module.descriptor.id },
                profiles: configuration.profiles, service: service, pool: pool, clock: clock, random: random,
                ledger: ledger, letters: deadLetters, logger: logger)
        }
        let byID = Dictionary(lanes.map { ($0.declaration.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.triggerSet = TriggerSet(configuration.triggers) {
            TriggerRunner($0, host: host, watch: OutageWatch(trigger: $0, service: service, lanes: byID))
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
        self.deadLetters.reportSeal()
        for declaration in self.configuration.connections {
            guard let rehearsal = declaration.rehearsal else { continue }
            self.logger.warning(
                "rehearsal: faults are injected into the calls of this connection",
                metadata: ["connection.id": "\(declaration.id)", "faults": "\(rehearsal)"])
        }
        for lane in self.lanes {
            guard let imposed = self.modes.imposed(on: lane.declaration.id) else { continue }
            self.logger.info(
                "circuit breaker is still as an operator set it",
                metadata: [
                    "connection.id": "\(lane.declaration.id)", "breaker.mode": "\(imposed.command.rawValue)",
                    "actor": "\(imposed.actor)",
                ])
        }
        for worker in self.workers { worker.start() }
    }

    /// Serves until the task is cancelled, then stops the triggers, ends the calls that run, and closes the connections.
    ///
    /// What was not acknowledged or answered by then comes again when a hub starts on the same data.
    public func run() async {
        self.start()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.triggerSet.run() }
            group.addTask { await self.deadLetters.run() }
            await group.waitForAll()
        }
        await self.shutdown()
    }

    /// Ends the calls that run and closes the connections; for a hub that was started and not run.
    ///
    /// Idempotent; `run` ends with it.
    public func shutdown() async {
        await self.deadLetters.stop()
        for worker in self.workers { await worker.stop() }
        await self.pool.close()
    }
}

// MARK: - Status and operators

extension HubService {
    /// The connections, in the order declared.
    public func connections() -> [ConnectionStatus] {
        let now = self.clock.now
        return self.lanes.map { self.status(of: $0, at: now) }
    }

    private func status(of lane: ConnectionLane, at now: Duration) -> ConnectionStatus {
        let id = lane.declaration.id
        var status = lane.status(isConnected: self.pool.isConnected(id), at: now)
        status.imposedBy = self.modes.imposed(on: id)?.actor
        status.pausedTriggers = self.triggerSet.runners.map(\.status).filter { $0.heldBy == id }.map(\.id)
        return status
    }

    /// One connection.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func connection(_ id: String) throws(HubError) -> ConnectionStatus {
        self.status(of: try self.lane(id), at: self.clock.now)
    }

    /// Does `command` to the breakers of a connection, for all its hosts and profiles, present and to come; what it
    /// imposes holds until it is changed, over restarts of the hub too.
    ///
    /// Throws `HubError`: `HB301` when there is none of this id, `HB318` when the command cannot be kept.
    public func setBreaker(
        _ command: BreakerCommand, connection id: String, actor: String
    ) throws(HubError) {
        let lane = try self.lane(id)
        try self.modes.set(command, connection: id, actor: actor, at: self.clock.unixMilliseconds)
        lane.setMode(command.mode, actor: actor)
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

}

// MARK: - Dead letters

extension HubService {
    /// See `DeadLetters.replay(_:payload:usesNewKey:isDryRun:actor:)`.
    public func replay(
        _ letter: DeadLetterRecord, payload: [UInt8]? = nil, usesNewKey: Bool = false, isDryRun: Bool = false,
        actor: String
    ) async throws(HubError) -> ReplayResult {
        try await self.deadLetters.replay(
            letter, payload: payload, usesNewKey: usesNewKey, isDryRun: isDryRun, actor: actor)
    }

    /// See `DeadLetters.discard(_:actor:)`.
    public func discard(deadLetter key: Key, actor: String) async throws(HubError) {
        try await self.deadLetters.discard(key, actor: actor)
    }
}
