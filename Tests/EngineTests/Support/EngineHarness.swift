import ProcessModel
import Testing
import Values

@testable import Engine

/// Partitions with a manual clock and in-memory stores that exchange messages, checked after every command.
///
/// Beside each live engine runs a shadow that only ever sees checkpoints and the bytes of committed batches. After each
/// command both must encode to the same bytes and the invariants of DESIGN §8 must hold; `crash` makes the shadow live.
final class EngineHarness {
    /// 2026-01-01T00:00:00Z.
    static let epoch: Int64 = 1_767_225_600_000

    final class Partition {
        var engine: PartitionEngine
        var shadow: PartitionEngine
        let store: MemoryStore
        /// Batches since the last checkpoint.
        var journal: [[UInt8]] = []
        var inbox: [[UInt8]] = []
        /// Jobs in the hands of workers inside the process.
        var taken: Set<UInt64> = []

        init(engine: PartitionEngine, shadow: PartitionEngine, store: MemoryStore) {
            self.engine = engine
            self.shadow = shadow
            self.store = store
        }
    }

    let registry = DefinitionRegistry()
    private(set) var partitions: [Partition] = []
    var now = EngineHarness.epoch
    /// While true, messages between partitions stay where they are.
    var holdsMessages = false
    /// While true, commands stay in an open batch: nothing of it is known outside, and a crash loses it.
    var holdsCommits = false
    /// While false, nothing is checked after commands: for long runs whose end is what matters.
    var checks = true
    /// Told about everything that is wrong.
    var report: (String) -> Void = { Issue.record("\($0)") }
    /// Told about every batch that became durable.
    var committed: (_ partition: Int, _ payload: [UInt8]) -> Void = { _, _ in }
    private(set) var ended: [UInt64: [UInt8]?] = [:]
    private(set) var eventCount = 0
    private(set) var journalBytes = 0
    private(set) var commandCount = 0
    /// After how many commands a restart from checkpoint and journal is compared with the live state; 0 for never.
    var restartsEvery = 0
    /// Every event committed so far, when `recordsEvents`.
    private(set) var events: [Event] = []
    var recordsEvents = false
    private var nextRequest: UInt64 = 1
    private var replies: [UInt64: Reply] = [:]
    private var submitted: [String: NewProcess] = [:]
    private var unconfirmed: [ProcessDeployed] = []
    /// While true, deployments stay unknown to the registry, as before their commit.
    var holdsDeployments = false

    init(partitions count: Int = 1) {
        for index in 0..<count {
            let store = MemoryStore()
            partitions.append(
                Partition(
                    engine: makeEngine(index, of: count, store: store),
                    shadow: makeEngine(index, of: count, store: store), store: store))
        }
    }

    private func makeEngine(_ index: Int, of count: Int, store: MemoryStore) -> PartitionEngine {
        PartitionEngine(partition: index, partitionCount: count, definitions: registry, source: store)
    }

    // MARK: Commands

    /// Carries out a command and everything it sets in motion; returns its reply.
    @discardableResult
    func send(_ command: Command, to partition: Int = 0, actor: String? = nil) -> Reply {
        let request = nextRequest
        nextRequest += 1
        commandCount += 1
        partitions[partition].engine.process(
            CommandEnvelope(command, request: request, actor: actor), now: now)
        guard !holdsCommits else { return .done }
        commit(partition)
        if !holdsMessages { deliver() }
        guard let reply = replies.removeValue(forKey: request) else { return .done }
        return reply
    }

    /// Carries out a command in the partition a key names.
    @discardableResult
    func send(_ command: Command, forKey key: UInt64) -> Reply {
        send(command, to: Key(rawValue: key).partition)
    }

    /// Delivers messages between partitions until none is left.
    func deliver() {
        while let target = partitions.indices.first(where: { !partitions[$0].inbox.isEmpty }) {
            let payload = partitions[target].inbox.removeFirst()
            partitions[target].engine.process(CommandEnvelope(.receive(payload: payload)), now: now)
            commit(target)
        }
    }

    /// Delivers the oldest message that waits for one partition.
    func deliverOne(to target: Int) {
        guard !partitions[target].inbox.isEmpty else { return }
        let payload = partitions[target].inbox.removeFirst()
        partitions[target].engine.process(CommandEnvelope(.receive(payload: payload)), now: now)
        commit(target)
    }

    /// Ends `holdsCommits`: makes every open batch durable.
    func flush() {
        holdsCommits = false
        for index in partitions.indices { commit(index, isOneCommand: false) }
        if !holdsMessages { deliver() }
    }

    /// Makes the commands since the last time durable and lets their effects out.
    private func commit(_ index: Int, isOneCommand: Bool = true) {
        let partition = partitions[index]
        let batch = partition.engine.takeBatch()
        partition.taken = partition.taken.filter { partition.engine.state.owners[$0]?.isQueued == false }
        eventCount += batch.eventCount
        if batch.eventCount > 0 {
            partition.store.keep(batch.blobs)
            journalBytes += batch.payload.count
            partition.journal.append(batch.payload)
            committed(index, batch.payload)
            replay(batch.payload, into: partition.shadow)
            if checks { checkEncoding(batch.payload) }
            if recordsEvents { record(batch.payload) }
        }
        partition.engine.blobsCommitted(batch.blobs.map(\.hash))
        for (target, payload) in batch.outgoing { partitions[target].inbox.append(payload) }
        for effect in batch.effects {
            switch effect {
            case .reply(let request, let reply): replies[request] = reply
            case .deployed(let deployed, let decisions):
                confirm(decisions)
                unconfirmed += deployed
                if !holdsDeployments { confirmDeployments() }
            case .instanceEnded(let key, let result): ended[key] = .some(result)
            case .jobsTaken: report("no worker takes jobs here")
            }
        }
        if checks { check(index, endsWithEvents: isOneCommand && batch.eventCount > 0) }
        if restartsEvery > 0, commandCount % restartsEvery == 0 {
            rebuildShadow(index)
            check(index)
        }
    }

    /// Makes deployments known, as the runtime does once they are durable.
    func confirmDeployments() {
        for process in unconfirmed {
            guard let new = submitted[process.processID + "\n" + String(decoding: process.resource, as: UTF8.self)]
            else { continue }
            registry.add(
                DeployedProcess(
                    key: Key(rawValue: process.key), version: Int(process.version),
                    resourceName: process.resourceName, deploymentKey: Key(rawValue: process.deploymentKey),
                    process: new.process))
        }
        unconfirmed = []
    }

    private func replay(_ payload: [UInt8], into engine: PartitionEngine) {
        do {
            try payload.withUnsafeBytes { try engine.replay($0) }
        } catch {
            report("a committed batch cannot be replayed: \(error)")
        }
    }

    private func record(_ payload: [UInt8]) {
        events += (try? decodeEvents(payload)) ?? []
    }

    /// Hands jobs to a worker inside the process.
    func take(_ type: String, maximum: Int = 100, from index: Int = 0) -> [ActivatedJob] {
        let jobs = partitions[index].engine.takeJobs(type: type, maximum: maximum)
        partitions[index].taken.formUnion(jobs.map(\.key.rawValue))
        return jobs
    }

    // MARK: Time, checkpoints, crashes

    /// Moves the clock and does what has become due, in every partition.
    func advance(milliseconds: Int64) {
        now += milliseconds
        tick()
    }

    func advance(seconds: Int64) { advance(milliseconds: seconds * 1_000) }

    func tick() {
        for _ in 0..<1_000 {
            guard
                let due = partitions.indices.first(where: { (partitions[$0].engine.nextDue ?? .max) <= now })
            else { return }
            send(.tick, to: due)
        }
        report("time does not stop being due")
    }

    /// Writes a checkpoint and rebuilds the shadow from it; with `evicts`, live instances leave memory too.
    func checkpoint(_ index: Int, evicts: Bool = true) {
        let partition = partitions[index]
        partition.store.write(partition.engine.makeCheckpoint())
        partition.journal = []
        partition.engine.checkpointCommitted()
        rebuildShadow(index)
        if checks { check(index) }
        if evicts { partition.engine.evict(downTo: 0) }
    }

    func checkpointAll() {
        for index in partitions.indices { checkpoint(index) }
    }

    /// Loses the memory of a partition: the next engine is built from checkpoint and journal.
    func crash(_ index: Int) {
        let partition = partitions[index]
        partition.engine = partition.shadow
        partition.taken = []
        rebuildShadow(index)
        if checks { check(index) }
    }

    private func rebuildShadow(_ index: Int) {
        let partition = partitions[index]
        let shadow = makeEngine(index, of: partitions.count, store: partition.store)
        do {
            try partition.store.restore(into: shadow)
        } catch {
            report("a checkpoint cannot be restored: \(error)")
        }
        for payload in partition.journal { replay(payload, into: shadow) }
        partition.shadow = shadow
    }

    // MARK: Deployments

    /// Deploys a BPMN document and returns its processes.
    @discardableResult
    func deploy(_ text: String, name: String = "model.bpmn", location: SourceLocation = #_sourceLocation) throws
        -> [DeployedProcess]
    {
        let resource = Array(text.utf8)
        let result = BPMNImporter.read(resource, file: name, checksConstraints: false)
        let errors = result.diagnostics.filter { $0.severity == .error }
        try #require(errors.isEmpty, "\(errors)\n\(text)", sourceLocation: location)
        let processes = result.processes.map { NewProcess(process: $0, resourceName: name, resource: resource) }
        return deploy(processes)
    }

    /// Keeps the graphs of a deployment until it is known.
    func submit(_ processes: [NewProcess]) {
        for process in processes {
            submitted[process.processID + "\n" + String(decoding: process.resource, as: UTF8.self)] = process
        }
    }

    /// Deploys compiled processes.
    @discardableResult
    func deploy(_ processes: [NewProcess]) -> [DeployedProcess] {
        submit(processes)
        guard case .deployed(_, let deployed, _) = send(.deploy(processes)) else {
            report("not deployed")
            return []
        }
        return deployed.compactMap { registry.definition(key: Key(rawValue: $0.key)) }
    }
}

/// Decodes the events of a batch.
func decodeEvents(_ payload: [UInt8]) throws -> [Event] {
    try payload.withUnsafeBytes { bytes in
        var reader = ByteReader(bytes)
        var codec = EventCodec()
        var events: [Event] = []
        while !reader.isAtEnd { events.append(try codec.read(&reader)) }
        return events
    }
}
