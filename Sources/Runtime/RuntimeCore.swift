import Decisions
import Engine
import Logging
import ProcessModel
import Storage
import Synchronization
import Values

/// What the threads of a runtime share.
final class RuntimeCore: Sendable {
    let configuration: RuntimeConfiguration
    let clock: any RuntimeClock
    let logger: Logger
    let definitions: DefinitionRegistry
    let jobs: JobDispatcher
    let committer: Committer
    let projector: Projector
    let requests = PendingRequests()
    let units: [PartitionUnit]
    /// Whether every change is to be checkpointed at once and evicted.
    let isSettling = Atomic<Bool>(false)
    let residentInstancesPerPartition: Int
    private let figures: Mutex<[UnitFigures]>
    /// What documents on their way through a deployment were compiled to, by resource and id.
    private let deploying = Mutex(Deploying())
    private let trimState: Mutex<TrimState>
    /// The failure that stopped the runtime for good.
    let stoppedBy = Mutex<StoreError?>(nil)

    struct UnitFigures {
        var resident = 0
        var live = 0
        var openJobs = 0
        var openTimers = 0
        var subscriptions = 0
        var started = 0
        var completed = 0
        var checkpointSequence: UInt64 = 0
    }

    private struct Deploying {
        var processes: [String: ExecutableProcess] = [:]
        var models: [String: DecisionModel] = [:]
    }

    private struct TrimState {
        var next = 0
        var lastAt: Int64 = 0
        var trimmed: [UInt64]
    }

    init(
        configuration: RuntimeConfiguration, clock: any RuntimeClock, logger: Logger, definitions: DefinitionRegistry,
        jobs: JobDispatcher, committer: Committer, projector: Projector, units: [PartitionUnit]
    ) {
        self.configuration = configuration
        self.clock = clock
        self.logger = logger
        self.definitions = definitions
        self.jobs = jobs
        self.committer = committer
        self.projector = projector
        self.units = units
        self.residentInstancesPerPartition = Swift.max(
            16, configuration.residentInstancesMax / Swift.max(1, units.count))
        self.figures = Mutex([UnitFigures](repeating: UnitFigures(), count: units.count))
        self.trimState = Mutex(TrimState(trimmed: [UInt64](repeating: 0, count: units.count)))
    }

    func perform(_ effect: Effect) {
        switch effect {
        case .reply(let request, let reply): requests.resume(request, reply)
        case .deployed(let deployed, let decisions):
            register(deployed)
            register(decisions)
        case .instanceEnded(let key, let result): requests.ended(key, result)
        case .jobsTaken(let jobs):
            guard let first = jobs.first,
                let worker = units[first.key.partition].outstanding.withLock({ $0[first.key.rawValue] })
            else { return }
            worker.handler(jobs)
        }
    }

    /// Makes deployed versions usable.
    ///
    /// Returns what this program cannot read, which only recovery can meet: a deployment is read before it is accepted.
    @discardableResult
    func register(_ deployed: [ProcessDeployed]) -> [ProcessDeployed] {
        var unreadable: [ProcessDeployed] = []
        for item in deployed {
            let key = Key(rawValue: item.key)
            guard let graph = compile(item) else {
                unreadable.append(item)
                continue
            }
            definitions.add(
                DeployedProcess(
                    key: key, version: Int(item.version), resourceName: item.resourceName,
                    deploymentKey: Key(rawValue: item.deploymentKey), process: graph))
        }
        return unreadable
    }

    private func compile(_ item: ProcessDeployed) -> ExecutableProcess? {
        if let graph = deploying.withLock({ $0.processes[Self.name(item.processID, item.resource)] }) { return graph }
        let result = BPMNImporter.read(
            item.resource, file: item.resourceName, profile: item.profile, checksConstraints: false)
        return result.processes.first { $0.id == item.processID }
    }

    /// Makes deployed versions of decision models usable; returns what this program cannot read.
    @discardableResult
    func register(_ deployed: [DecisionsDeployed]) -> [DecisionsDeployed] {
        var unreadable: [DecisionsDeployed] = []
        for item in deployed {
            guard let model = compile(item) else {
                unreadable.append(item)
                continue
            }
            let imports = item.imports.compactMap { definitions.decisions.model(key: Key(rawValue: $0)) }
            definitions.decisions.add(DeployedDecisions(item, model: model, imports: imports))
        }
        return unreadable
    }

    private func compile(_ item: DecisionsDeployed) -> DecisionModel? {
        let name = Self.name(item.requirementsID, item.resource)
        if let model = deploying.withLock({ $0.models[name] }) { return model }
        let imports = item.imports.compactMap { definitions.decisions.model(key: Key(rawValue: $0))?.model }
        return DMNImporter.read(
            item.resource, file: item.resourceName,
            imports: Dictionary(imports.map { ($0.namespace, $0) }, uniquingKeysWith: { first, _ in first })
        ).model
    }

    /// Keeps what a deployment compiled until it is durable, to read each document once.
    func remember(_ documents: DeploymentDocuments) {
        deploying.withLock { deploying in
            for item in documents.processes {
                deploying.processes[Self.name(item.processID, item.resource)] = item.process
            }
            for item in documents.decisions { deploying.models[Self.name(item.model.id, item.resource)] = item.model }
        }
    }

    func forgetDeploying(_ documents: DeploymentDocuments) {
        deploying.withLock { deploying in
            for item in documents.processes { deploying.processes[Self.name(item.processID, item.resource)] = nil }
            for item in documents.decisions { deploying.models[Self.name(item.model.id, item.resource)] = nil }
        }
    }

    private static func name(_ id: String, _ resource: [UInt8]) -> String {
        "\(StableHash.fnv1a64(resource)):\(id)"
    }

    /// The store failed for good: answers everybody who waits, so that nobody waits for ever.
    func fail(_ error: StoreError, because reason: String = "The journal cannot be written") {
        defer { jobs.wakeAll() }
        if error.code != .closed { stoppedBy.withLock { $0 = error } }
        requests.failAll(
            CommandRejection(
                .storeFailed, "\(reason): \(error.message)",
                remedy: "\(error.remedy) Then start Junction again; commands with an idempotency key may be repeated."))
    }

    // MARK: Figures

    /// The figures of a partition at this point of its processing.
    func figures(of unit: PartitionUnit) -> UnitFigures {
        let engine = unit.engine
        return UnitFigures(
            resident: engine.residentCount, live: engine.liveCount, openJobs: engine.openJobCount,
            openTimers: engine.openTimerCount, subscriptions: engine.subscriptionCount,
            started: engine.counters.instancesStarted, completed: engine.counters.instancesCompleted,
            checkpointSequence: unit.isCheckpointPending ? 0 : unit.checkpointSequence)
    }

    /// Shows the figures of a partition, once what they count is durable.
    func publish(_ figures: UnitFigures, of partition: Int) {
        self.figures.withLock { all in
            var figures = figures
            // A pending checkpoint is not durable yet: keep what was known before.
            if figures.checkpointSequence == 0 { figures.checkpointSequence = all[partition].checkpointSequence }
            all[partition] = figures
        }
    }

    /// Shows that a checkpoint is durable and what it let memory forget.
    func publishCheckpoint(of unit: PartitionUnit) {
        figures.withLock { all in
            all[unit.number].resident = unit.engine.residentCount
            all[unit.number].checkpointSequence = unit.checkpointSequence
        }
    }

    func totals() -> UnitFigures {
        figures.withLock { all in
            all.reduce(into: UnitFigures()) { sum, unit in
                sum.resident += unit.resident
                sum.live += unit.live
                sum.openJobs += unit.openJobs
                sum.openTimers += unit.openTimers
                sum.subscriptions += unit.subscriptions
                sum.started += unit.started
                sum.completed += unit.completed
            }
        }
    }

    // MARK: Trimming

    /// Drops journal batches that are checkpointed and projected; a little at a time, from the committer's thread.
    func trimJournal(_ store: any JournalStore) {
        let now = clock.monotonicNanoseconds()
        let next = trimState.withLock { state -> Int? in
            guard now - state.lastAt >= 100_000_000 else { return nil }
            state.lastAt = now
            state.next = (state.next + 1) % units.count
            return state.next
        }
        guard let partition = next else { return }
        let checkpoint = figures.withLock { $0[partition].checkpointSequence }
        let target = Swift.min(checkpoint, projector.durableSequence(partition))
        guard target > trimState.withLock({ $0.trimmed[partition] }) else { return }
        do {
            try store.trim(partition: partition, upTo: target)
            CrashPoint.afterTrim.pass()
            trimState.withLock { $0.trimmed[partition] = target }
        } catch {
            logger.warning("The journal could not be trimmed", metadata: ["error.message": "\(error)"])
        }
    }
}
