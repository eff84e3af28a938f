public import Engine
public import Logging
import Metrics
import ProcessModel
public import Storage
import Synchronization
public import Values

/// The engine at work on one store: partitions on threads, commit pipeline, projector, timers and job dispatch.
///
/// `init` recovers the state; nothing moves before `start()`. `shutdown()` returns after everything accepted is durable
/// and projected.
public final class WorkflowRuntime: WorkflowService {
    /// The deployed processes.
    public let definitions: DefinitionRegistry
    let core: RuntimeCore
    private let journal: any JournalStore
    private let records: any RecordStore
    private let threads: [ProcessingThread]
    private let nextPartition = Atomic<Int>(0)
    private let isStopped = Mutex(false)
    private let startsRefused = Counter(label: "engine_starts_refused_total")

    /// Opens a runtime on its stores: takes ownership, reads the checkpoint's index and replays the journal after it.
    ///
    /// - Throws: `StoreError` when a store cannot be owned or read.
    public init(
        configuration: RuntimeConfiguration = RuntimeConfiguration(), journal: any JournalStore,
        records: any RecordStore, clock: any RuntimeClock = SystemClock(), logger: Logger
    ) throws(StoreError) {
        try CrashPoint.check()
        // Expressions of models may name time zones; a program that has other data installs it before.
        if TimeZones.current == nil { TimeZones.install(FoundationTimeZones()) }
        self.journal = journal
        self.records = records
        let definitions = DefinitionRegistry()
        self.definitions = definitions
        let heads = try journal.acquire()
        let cores = configuration.processingThreads > 0 ? configuration.processingThreads : activeProcessors() - 1
        let threads = (0..<Swift.max(1, Swift.min(cores, heads.count))).map { _ in ProcessingThread() }
        self.threads = threads
        let readers = try threads.map { (_) throws(StoreError) in try journal.makeStateReader() }
        var units: [PartitionUnit] = []
        for (position, head) in heads.enumerated() {
            let thread = position % threads.count
            units.append(
                PartitionUnit(
                    head: head, partitionCount: heads.count, definitions: definitions, reader: readers[thread],
                    thread: threads[thread]))
        }
        let projector = try Projector(
            records: records, journal: journal, heads: heads, definitions: definitions, clock: clock, logger: logger,
            intervalMilliseconds: configuration.projectionIntervalMilliseconds,
            queueBytesMax: configuration.projectorQueueBytesMax)
        self.core = RuntimeCore(
            configuration: configuration, clock: clock, logger: logger, definitions: definitions,
            jobs: JobDispatcher(), committer: Committer(store: journal, clock: clock, logger: logger),
            projector: projector, units: units)
        try Recovery(core: core, journal: journal).run()
    }

    /// What is wrong with the recovered state (DESIGN §8), one line a finding.
    ///
    /// For `junction doctor`; call before `start()`.
    package func examine() throws(StoreError) -> [String] {
        let reader = try journal.makeStateReader()
        var problems: [String] = []
        for unit in core.units {
            var keys: [UInt64] = []
            try reader.scan(partition: unit.number, kind: EntityKind(rawValue: EntityKinds.instance)) { key, _ in
                keys.append(key)
            }
            problems += unit.engine.examine(instances: keys).map { "partition \(unit.number): \($0)" }
        }
        return problems
    }

    /// Starts the threads.
    ///
    /// Call once.
    public func start() {
        // Jobs found by recovery are durable: whoever asks right after the start must see them.
        for unit in core.units { core.jobs.announce(unit.engine.takeOfferedTypes(), recoveredIn: unit.number) }
        core.projector.start()
        core.committer.start(runtime: core)
        for thread in threads {
            thread.start(units: core.units.filter { $0.thread === thread }, runtime: core)
        }
        for unit in core.units { unit.enqueue(QueuedCommand(envelope: CommandEnvelope(.tick))) }
    }

    /// Stops accepting commands, drains what was accepted and ends the threads.
    ///
    /// Idempotent; blocks.
    public func shutdown() {
        let wasStopped = isStopped.withLock { stopped in
            defer { stopped = true }
            return stopped
        }
        guard !wasStopped else { return }
        for thread in threads { thread.stop() }
        core.committer.stop()
        core.projector.stop()
        core.fail(
            StoreError(.closed, "The runtime was shut down", remedy: "Send the command to a running hub."))
    }

    // MARK: Commands

    func send(_ command: Command, to partition: Int, actor: String? = nil, awaitsEnd: Bool = false) async -> Reply {
        await core.requests.reply(awaitsEnd: awaitsEnd) { request in
            core.units[partition].enqueue(
                QueuedCommand(envelope: CommandEnvelope(command, request: request, actor: actor)))
        }
    }

    /// Sends a command whose only answer is that it was done.
    func perform(_ command: Command, on key: Key, actor: String? = nil) async throws(CommandRejection) {
        switch await send(command, to: try partition(of: key), actor: actor) {
        case .rejected(let rejection): throw rejection
        default: return
        }
    }

    private func partition(of key: Key) throws(CommandRejection) -> Int {
        guard key.partition < core.units.count else {
            throw CommandRejection(
                .notFound, "There is nothing with key \(key)", remedy: "Check the key; it belongs to another store.")
        }
        return key.partition
    }

    /// See `WorkflowService.createInstance(_:)`.
    public func createInstance(_ request: CreateInstanceRequest) async throws(CommandRejection) -> CreatedInstance {
        let definition = try resolve(request.target)
        let new = NewInstance(
            definition: definition, variables: try document(request.variables), businessID: request.businessID,
            uniqueKey: request.idempotencyKey, uniqueMilliseconds: request.idempotencyMilliseconds ?? 86_400_000,
            awaitsEnd: request.awaitMilliseconds != nil, received: request.received)
        await pace()
        try checkCapacity()
        let partition: Int
        if let key = request.idempotencyKey {
            partition = Int(StableHash.mixed(StableHash.fnv1a64(key)) % UInt64(core.units.count))
        } else {
            partition = nextPartitionNumber()
        }
        let actor = request.actor.isEmpty ? nil : request.actor
        switch await send(.createInstance(new), to: partition, actor: actor, awaitsEnd: new.awaitsEnd) {
        case .created(let key, let definitionKey, let alreadyExisted):
            let ran =
                definitionKey == 0
                ? definition : definitions.definition(key: Key(rawValue: definitionKey)) ?? definition
            var created = CreatedInstance(
                key: Key(rawValue: key), definition: ran, alreadyExisted: alreadyExisted)
            // Whoever repeats a start waits too, unless the instance has ended: its result is gone then.
            if let milliseconds = request.awaitMilliseconds, !alreadyExisted || definitionKey != 0 {
                created.result = try await result(of: key, within: milliseconds)
            }
            return created
        case .rejected(let rejection): throw rejection
        default: throw unexpected("createInstance")
        }
    }

    /// Spreads what belongs to no partition over all of them.
    func nextPartitionNumber() -> Int {
        (nextPartition.wrappingAdd(1, ordering: .relaxed).newValue & Int.max) % core.units.count
    }

    private func result(of instance: UInt64, within milliseconds: Int64) async throws(CommandRejection) -> [UInt8] {
        let outcome = await withTaskGroup(of: [UInt8]???.self) { group in
            group.addTask { .some(await self.core.requests.end(of: instance)) }
            group.addTask {
                try? await Task.sleep(for: .milliseconds(milliseconds))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        switch outcome {
        case .some(.some(.some(let variables))): return variables
        case .some(.some(.none)):
            throw CommandRejection(
                .invalidState, "Process instance \(instance) was terminated before it completed",
                remedy: "See who ended it with `junction instance show \(instance)`.")
        default:
            if let failure = core.requests.failure { throw failure }
            throw CommandRejection(
                .timeout, "Process instance \(instance) has not ended within \(milliseconds) ms",
                remedy: "It goes on; look it up later with `junction instance show \(instance)`.")
        }
    }

    private func resolve(_ target: CreateInstanceRequest.Target) throws(CommandRejection) -> DeployedProcess {
        switch target {
        case .process(let id, let version):
            if let definition = definitions.definition(processID: id, version: version) { return definition }
            let known = Set(definitions.all.map(\.process.id)).sorted().prefix(10).joined(separator: ", ")
            throw CommandRejection(
                .notFound,
                "There is no deployed process `\(id)`\(version.map { " in version \($0)" } ?? "")",
                remedy: "Deploy it first. Deployed are: \(known.isEmpty ? "none" : known).")
        case .definition(let key):
            if let definition = definitions.definition(key: key) { return definition }
            throw CommandRejection(
                .notFound, "There is no process definition with key \(key)", remedy: "Deploy the process first.")
        }
    }

    /// Holds a start back a little while the records fall behind or commits take long, so that projector and disk keep
    /// up under full load instead of starts being refused later.
    func pace() async {
        var rest = Self.paceStepsMax
        while rest > 0, isBehind {
            rest -= 1
            try? await Task.sleep(for: .milliseconds(5))
        }
    }

    private static let paceStepsMax = 50

    private var isBehind: Bool {
        let configuration = core.configuration
        if core.projector.lagNanoseconds > configuration.pacedLagMilliseconds * 1_000_000 { return true }
        guard !core.committer.isIdle else { return false }
        let commit = core.committer.commitNanoseconds.load(ordering: .relaxed)
        return commit > configuration.pacedCommitMilliseconds * 1_000_000
    }

    /// Refuses starts while the engine, the store or the projector cannot keep up (DESIGN §2, backpressure).
    func checkCapacity() throws(CommandRejection) {
        if let failure = core.requests.failure { throw failure }
        if let failure = core.committer.failure.withLock({ $0 }) {
            startsRefused.increment()
            throw CommandRejection(
                .resourceExhausted, "The journal cannot be written: \(failure.message)", remedy: failure.remedy,
                retryAfterMilliseconds: 1_000)
        }
        let queued = core.requests.count
        guard queued < core.configuration.queuedCommandsMax else {
            startsRefused.increment()
            throw CommandRejection(
                .resourceExhausted, "\(queued) commands wait already",
                remedy: "Try again later, with fewer at once.", retryAfterMilliseconds: 100)
        }
        let lag = Double(core.projector.lagNanoseconds) / 1e6
        guard lag < core.configuration.projectorLagMillisecondsMax else {
            startsRefused.increment()
            throw CommandRejection(
                .resourceExhausted, "The records are \(Int(lag)) ms behind the journal",
                remedy: "Try again later; if it persists, the disk is too slow for the load.",
                retryAfterMilliseconds: 500)
        }
    }

    /// See `WorkflowService.cancelInstance(key:actor:)`.
    public func cancelInstance(key: Key, actor: String) async throws(CommandRejection) {
        try await perform(.cancelInstance(key: key.rawValue), on: key, actor: actor)
    }

    /// See `WorkflowService.publishMessage(_:)`.
    public func publishMessage(_ request: PublishMessageRequest) async throws(CommandRejection) -> Key {
        let message = NewMessage(
            name: request.name, correlationKey: request.correlationKey,
            timeToLiveMilliseconds: request.timeToLiveMilliseconds, messageID: request.messageID,
            variables: try document(request.variables), uniqueKey: request.idempotencyKey,
            uniqueMilliseconds: request.idempotencyMilliseconds ?? 86_400_000)
        let hash = MessageHash.of(name: request.name, correlationKey: request.correlationKey)
        switch await send(.publishMessage(message), to: MessageHash.partition(hash, of: core.units.count)) {
        case .key(let key): return Key(rawValue: key)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("publishMessage")
        }
    }

    /// See `WorkflowService.resolveIncident(key:actor:)`.
    public func resolveIncident(key: Key, actor: String) async throws(CommandRejection) {
        try await perform(.resolveIncident(key: key.rawValue), on: key, actor: actor)
    }

    /// See `WorkflowService.completeUserTask(key:variables:actor:)`.
    public func completeUserTask(key: Key, variables: [UInt8]?, actor: String) async throws(CommandRejection) {
        let document = try document(variables)
        try await perform(.completeUserTask(key: key.rawValue, variables: document), on: key, actor: actor)
    }

    /// See `WorkflowService.assignUserTask(key:assignee:allowOverride:actor:)`.
    public func assignUserTask(
        key: Key, assignee: String?, allowOverride: Bool, actor: String
    ) async throws(CommandRejection) {
        try await perform(
            .assignUserTask(key: key.rawValue, assignee: assignee, allowOverride: allowOverride), on: key, actor: actor)
    }

    /// See `WorkflowService.setVariables(scope:variables:local:actor:)`.
    public func setVariables(
        scope: Key, variables: [UInt8], local: Bool, actor: String
    ) async throws(CommandRejection) {
        let document = try document(variables)
        try await perform(
            .setVariables(scope: scope.rawValue, variables: document, local: local), on: scope, actor: actor)
    }

    // MARK: Jobs

    /// The longest wait of a poll: a day.
    private static let waitMillisecondsMax: Int64 = 86_400_000

    /// See `WorkflowService.completeJob(key:variables:)`.
    public func completeJob(key: Key, variables: [UInt8]?) async throws(CommandRejection) {
        try await perform(.completeJob(key: key.rawValue, variables: try document(variables)), on: key)
    }

    /// See `WorkflowService.failJob(_:)`.
    public func failJob(_ request: FailJobRequest) async throws(CommandRejection) {
        try await perform(
            .failJob(
                key: request.key.rawValue, retries: Int32(clamping: request.retries),
                backoffMilliseconds: request.backoffMilliseconds, message: request.message,
                variables: try document(request.variables)), on: request.key)
    }

    /// See `WorkflowService.throwJobError(_:)`.
    public func throwJobError(_ request: ThrowJobErrorRequest) async throws(CommandRejection) {
        try await perform(
            .throwJobError(
                key: request.key.rawValue, code: request.code, message: request.message,
                variables: try document(request.variables)), on: request.key)
    }

    /// See `WorkflowService.updateJob(key:retries:timeoutMilliseconds:)`.
    public func updateJob(key: Key, retries: Int?, timeoutMilliseconds: Int64?) async throws(CommandRejection) {
        try await perform(
            .updateJob(
                key: key.rawValue, retries: retries.map { Int32(clamping: $0) },
                timeoutMilliseconds: timeoutMilliseconds), on: key)
    }

    /// See `WorkflowService.activateJobs(_:)`.
    public func activateJobs(_ request: ActivateJobsRequest) async throws(CommandRejection) -> [ActivatedJob] {
        guard request.maximum >= 1, request.timeoutMilliseconds >= 1, !request.type.isEmpty else {
            throw CommandRejection(
                .invalidArgument,
                "Expected a job type, at least one job and a timeout of at least 1 ms",
                remedy: "Correct the request.")
        }
        let wait = Swift.min(Swift.max(0, request.waitMilliseconds), Self.waitMillisecondsMax)
        let deadline = core.clock.monotonicNanoseconds() + wait * 1_000_000
        while true {
            let jobs = try await activateOnce(request)
            if !jobs.isEmpty { return jobs }
            let rest = (deadline - core.clock.monotonicNanoseconds()) / 1_000_000
            guard rest > 0, !Task.isCancelled else { return [] }
            if let failure = core.requests.failure { throw failure }
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await self.core.jobs.waitForJobs(request.type) }
                group.addTask { try? await Task.sleep(for: .milliseconds(rest)) }
                await group.next()
                group.cancelAll()
            }
        }
    }

    /// Asks the partitions that have jobs, several at once, until enough are locked or none are left.
    private func activateOnce(_ request: ActivateJobsRequest) async throws(CommandRejection) -> [ActivatedJob] {
        var jobs: [ActivatedJob] = []
        while jobs.count < request.maximum {
            let partitions = core.jobs.partitionsWithJobs(request.type).prefix(16)
            guard !partitions.isEmpty else { return jobs }
            let share = Swift.max(1, (request.maximum - jobs.count + partitions.count - 1) / partitions.count)
            var rest = request.maximum - jobs.count
            var replies: [ActivationReply] = []
            await withTaskGroup(of: ActivationReply.self) { group in
                for (partition, announcement) in partitions where rest > 0 {
                    let wanted = Swift.min(share, rest)
                    rest -= wanted
                    let activation = JobActivation(
                        type: request.type, worker: request.worker, maximum: wanted,
                        timeoutMilliseconds: request.timeoutMilliseconds, fetchVariables: request.fetchVariables)
                    group.addTask {
                        ActivationReply(
                            partition: partition, announcement: announcement, wanted: wanted,
                            reply: await self.send(.activateJobs(activation), to: partition))
                    }
                }
                for await reply in group { replies.append(reply) }
            }
            var refused: CommandRejection?
            for answer in replies {
                switch answer.reply {
                case .jobs(let found):
                    jobs.append(contentsOf: found)
                    if found.count < answer.wanted {
                        core.jobs.exhausted(
                            request.type, partition: answer.partition, announcement: answer.announcement)
                    }
                case .rejected(let rejection): refused = rejection
                default: continue
                }
            }
            if let refused {
                // What is locked already must reach its worker.
                guard jobs.isEmpty else { return jobs }
                throw refused
            }
        }
        return jobs
    }

    /// See `WorkflowService.registerWorker(type:capacity:_:)`.
    public func registerWorker(type: String, capacity: Int, _ handler: @escaping @Sendable ([ActivatedJob]) -> Void) {
        core.jobs.register(type: type, capacity: capacity, handler)
        for (partition, _) in core.jobs.partitionsWithJobs(type) {
            core.jobs.addBacklog(type, partition: partition)
            core.units[partition].enqueue(.poke)
        }
    }

    /// See `WorkflowService.finishJob(key:_:)`.
    public func finishJob(key: Key, _ outcome: JobOutcome) {
        guard key.partition < core.units.count else { return }
        let unit = core.units[key.partition]
        guard let worker = unit.outstanding.withLock({ $0.removeValue(forKey: key.rawValue) }) else { return }
        let command: Command
        switch outcome {
        case .completed(let variables):
            guard let document = try? document(variables) else {
                command = .failJob(
                    key: key.rawValue, retries: 0, backoffMilliseconds: 0,
                    message: "The connector's result is not a JSON object", variables: .empty)
                break
            }
            command = .completeJob(key: key.rawValue, variables: document)
        case .failed(let retries, let backoff, let message):
            command = .failJob(
                key: key.rawValue, retries: Int32(clamping: retries), backoffMilliseconds: backoff, message: message,
                variables: .empty)
        case .error(let code, let message, let variables):
            command = .throwJobError(
                key: key.rawValue, code: code, message: message, variables: (try? document(variables)) ?? .empty)
        case .postponed(let milliseconds, let message):
            command = .postponeJob(key: key.rawValue, milliseconds: milliseconds, message: message)
        }
        // First the capacity, then the command: its partition may have the next job for it.
        let backlog = core.jobs.finished(worker)
        unit.enqueue(QueuedCommand(envelope: CommandEnvelope(command)))
        if let backlog, backlog != key.partition { core.units[backlog].enqueue(.poke) }
    }

    // MARK: Reading

    /// See `WorkflowService.waitForRecords()`.
    public func waitForRecords() async throws(CommandRejection) {
        let outcome = await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await self.core.projector.waitUntilProjected() }
            group.addTask {
                try? await Task.sleep(for: .seconds(2))
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard outcome == true else {
            throw CommandRejection(
                .resourceExhausted, "The records are behind the journal",
                remedy: "Try again later, or read what is there with eventual consistency.",
                retryAfterMilliseconds: 500)
        }
    }

    /// See `WorkflowService.status()`.
    public func status() -> RuntimeStatus {
        let totals = core.totals()
        var status = RuntimeStatus()
        status.residentInstances = totals.resident
        status.liveInstances = totals.live
        status.openJobs = totals.openJobs
        status.openTimers = totals.openTimers
        status.openSubscriptions = totals.subscriptions
        status.queuedCommands = core.units.reduce(0) { $0 + $1.queuedCount }
        status.startedInstances = totals.started
        status.completedInstances = totals.completed
        status.commits = core.committer.commits.load(ordering: .relaxed)
        status.events = core.committer.events.load(ordering: .relaxed)
        status.projectorLagMilliseconds = Double(core.projector.lagNanoseconds) / 1e6
        status.stoppedBy = core.stoppedBy.withLock { $0 }
        status.failure = core.committer.failure.withLock { $0 }
        status.isIdle =
            status.queuedCommands == 0 && core.committer.isIdle && core.projector.isIdle
            && core.units.allSatisfy { $0.outstanding.withLock(\.isEmpty) }
        return status
    }

    /// Commit-to-projected times of the newest projector transactions in nanoseconds, at most 100,000; for benches.
    package var projectorLagSamples: [Int64] { core.projector.lags.withLock { $0 } }

    /// Returns when everything is durable, projected and checkpointed and what may leave memory has left; for benches.
    package func settle() async throws {
        while !status().isIdle { try await Task.sleep(for: .milliseconds(5)) }
        core.isSettling.store(true, ordering: .releasing)
        defer { core.isSettling.store(false, ordering: .releasing) }
        while core.units.contains(where: { !$0.isSettled.load(ordering: .acquiring) }) {
            for unit in core.units { unit.enqueue(.poke) }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    // MARK: Helpers

    func document(_ json: [UInt8]?) throws(CommandRejection) -> VariableDocument {
        guard let json, !json.isEmpty else { return .empty }
        do {
            return try VariableDocument(json: json)
        } catch {
            throw CommandRejection(
                .invalidArgument, "Expected the variables to be a JSON object, but \(error)",
                remedy: "Send an object such as {\"amount\": 100}.")
        }
    }

    func unexpected(_ command: String) -> CommandRejection {
        CommandRejection(
            .storeFailed, "The engine answered `\(command)` with something else",
            remedy: "This is a defect of Junction; report it.")
    }
}

/// What a partition answered to an activation.
private struct ActivationReply: Sendable {
    var partition: Int
    var announcement: UInt64
    var wanted: Int
    var reply: Reply
}
