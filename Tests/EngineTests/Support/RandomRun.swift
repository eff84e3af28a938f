import ProcessModel
import Testing
import Values

@testable import Engine

/// One random path through random processes, written down so that a failure can be read.
final class RandomRun {
    let harness: EngineHarness
    private var random: SplitMix64
    private let processes: [NewProcess]
    private var deployments = 0
    private(set) var trace: [String] = []
    private(set) var problems: [String] = []
    /// How many commands were carried out.
    var steps: Int { harness.commandCount }
    /// Whether something was left that only waits for what cannot come.
    private(set) var wasStuck = false

    init(_ processes: [NewProcess], hasDecisions: Bool, seed: UInt64) throws {
        random = SplitMix64(seed: seed)
        harness = EngineHarness(partitions: 1 + random.below(3))
        self.processes = processes
        harness.restartsEvery = random.pick([0, 0, 0, 5])
        if hasDecisions { try harness.deploy(decisions: [ProcessGenerator.decisions]) }
        harness.deploy(processes)
        harness.report = { [unowned self] in self.problems.append($0) }
    }

    /// Does random things, then brings all instances to their end.
    func run(actions: Int) throws {
        try start()
        for _ in 0..<actions where problems.isEmpty { try act() }
        harness.holdsMessages = false
        harness.flush()
        try driveToTheEnd()
        // Whatever the start timers still begin.
        harness.advance(seconds: 120)
        try driveToTheEnd()
        if problems.isEmpty { checkNothingIsLeft() }
    }

    private func driveToTheEnd() throws {
        for _ in 0..<2_000 where problems.isEmpty {
            if harness.instances.isEmpty { return }
            if try !drive() { cancelStuck() }
            harness.checkSubscriptions()
        }
        if problems.isEmpty { problems.append("the instances do not end; live: \(harness.live)") }
    }

    private func start() throws {
        let partition = random.below(harness.partitions.count)
        let variables = random.chance(80) ? #"{"key":"k","x":\#(random.below(4))}"# : #"{"key":"k"}"#
        let unique = random.chance(30) ? "u\(random.below(2))" : nil
        trace.append("start in \(partition) of \(harness.partitions.count) with \(variables), key \(unique ?? "none")")
        let registry = harness.registry
        let implicit = random.chance(15) ? registry.definition(processID: "by-implicit") : nil
        guard let definition = implicit ?? registry.definition(processID: "p") else { return }
        harness.send(
            .createInstance(
                NewInstance(
                    definition: definition, variables: try document(variables), uniqueKey: unique,
                    uniqueMilliseconds: 10_000)), to: partition)
    }

    /// Deploys the same processes as a new version.
    private func deploy() {
        guard !harness.holdsCommits else { return }
        deployments += 1
        trace.append("deploy version \(deployments + 1)")
        harness.deploy(
            processes.map {
                NewProcess(
                    process: $0.process, resourceName: $0.resourceName, resource: $0.resource + [UInt8(deployments)])
            })
    }

    private func checkNothingIsLeft() {
        harness.advance(seconds: 86_400)
        harness.checkSubscriptions()
        for (index, partition) in harness.partitions.enumerated() {
            harness.check(index)
            let engine = partition.engine
            if engine.liveCount + engine.openJobCount + engine.openTimerCount + engine.subscriptionCount != 0
                || !engine.state.owners.isEmpty || !engine.state.messages.isEmpty
            {
                problems.append("partition \(index) is not empty at the end")
            }
            harness.checkpoint(index)
            if partition.store.keys(of: EntityKinds.instance) != [] {
                problems.append("partition \(index) keeps an instance in its checkpoint")
            }
        }
    }

    // MARK: Random actions

    private func act() throws {
        switch random.below(100) {
        case 0..<22: try completeJob()
        case 22..<24: harness.flush()
        case 24..<32: try failJob()
        case 32..<38: try throwError()
        case 38..<46: try completeUserTask()
        case 46..<54:
            let name = random.pick(ProcessGenerator.messages + ProcessGenerator.startMessages)
            let isStart = ProcessGenerator.startMessages.contains(name)
            try publish(name, isStart ? "" : "k", ttl: random.pick([0, 0, 5_000, 60_000]))
        case 54..<61: try broadcast(random.pick(ProcessGenerator.signals + [ProcessGenerator.startSignal]))
        case 61..<68:
            let milliseconds = Int64(random.pick([1, 1_000, 3_000, 7_000, 20_000]))
            trace.append("advance \(milliseconds)")
            harness.advance(milliseconds: milliseconds)
        case 68..<76: try resolve(fixing: random.chance(50))
        case 76..<80: try setVariables()
        case 80..<84: activateOrTake()
        case 84..<86: updateJob()
        case 86..<91:
            let partition = random.below(harness.partitions.count)
            trace.append("checkpoint \(partition)")
            harness.flush()
            harness.checkpoint(partition, evicts: random.chance(70))
        case 91..<95: crash()
        case 95:
            trace.append(harness.holdsCommits ? "flush" : "hold commits")
            if harness.holdsCommits { harness.flush() } else { harness.holdsCommits = true }
        case 96:
            trace.append(harness.holdsMessages ? "deliver" : "hold messages")
            harness.holdsMessages.toggle()
            if !harness.holdsMessages, !harness.holdsCommits { harness.deliver() }
        case 97:
            if random.chance(50), let instance = harness.instances.first {
                trace.append("cancel \(instance.process.id)")
                harness.send(.cancelInstance(key: instance.key), forKey: instance.key)
            }
        case 98:
            switch random.below(3) {
            case 0: try start()
            case 1: deploy()
            default: try evaluateConditions()
            }
        default:
            if let task = harness.userTasks.first {
                harness.send(
                    .assignUserTask(key: task.key, assignee: random.pick(["ann", "bob", nil]), allowOverride: true),
                    forKey: task.key)
            }
        }
        if !harness.holdsMessages, !harness.holdsCommits { harness.checkSubscriptions() }
    }

    /// Starts what begins with a condition that holds.
    private func evaluateConditions() throws {
        trace.append("evaluate conditions")
        let variables = try VariableDocument(json: Array(result.utf8))
        harness.send(.startByConditions(harness.registry.newest, variables: variables))
    }

    private var result: String { #"{"x":\#(random.below(4))}"# }

    private func completeJob() throws {
        let jobs = harness.jobs
        guard !jobs.isEmpty else { return }
        let job = random.pick(jobs)
        let variables = random.chance(70) ? result : "{}"
        trace.append("complete \(job.element) (\(job.phase)) with \(variables)")
        harness.send(.completeJob(key: job.key, variables: try document(variables)), forKey: job.key)
    }

    private func failJob() throws {
        let jobs = harness.jobs
        guard !jobs.isEmpty else { return }
        let job = random.pick(jobs)
        let (retries, backoff) = (Int32(random.below(3)), Int64(random.pick([0, 2_000])))
        trace.append("fail \(job.element) (\(job.phase)), \(retries) retries, backoff \(backoff)")
        if random.chance(20) {
            harness.send(.postponeJob(key: job.key, milliseconds: backoff, message: "later"), forKey: job.key)
        } else {
            harness.send(
                .failJob(
                    key: job.key, retries: retries, backoffMilliseconds: backoff, message: "no",
                    variables: try document(random.chance(30) ? #"{"f":1}"# : "{}")), forKey: job.key)
        }
    }

    private func throwError() throws {
        let jobs = harness.jobs
        guard !jobs.isEmpty else { return }
        let job = random.pick(jobs)
        let code = random.pick(ProcessGenerator.errors)
        trace.append("throw \(code) from \(job.element)")
        harness.send(
            .throwJobError(key: job.key, code: code, message: nil, variables: try document(result)), forKey: job.key)
    }

    private func completeUserTask() throws {
        let tasks = harness.userTasks
        guard !tasks.isEmpty else { return }
        let task = random.pick(tasks)
        trace.append("complete user task \(task.element)")
        harness.send(.completeUserTask(key: task.key, variables: try document(result)), forKey: task.key)
    }

    private func publish(_ name: String, _ key: String, ttl: Int64) throws {
        let id = random.chance(30) ? "id\(random.below(3))" : nil
        trace.append("publish \(name) for `\(key)`, ttl \(ttl), id \(id ?? "none")")
        try harness.publish(name, key, ttl: ttl, id: id, random.chance(50) ? result : "{}")
    }

    private func broadcast(_ name: String) throws {
        let partition = random.below(harness.partitions.count)
        trace.append("broadcast \(name) in \(partition)")
        harness.send(
            .broadcastSignal(NewSignal(name: name, variables: try document(random.chance(50) ? result : "{}"))),
            to: partition)
    }

    private func resolve(fixing: Bool) throws {
        let incidents = harness.incidents
        guard !incidents.isEmpty else { return }
        let incident = random.pick(incidents)
        trace.append("resolve \(incident.type) of \(incident.element), \(fixing ? "fixed" : "as it is")")
        if fixing, let instance = harness.instances.first(where: { holds(incident, $0) }) {
            harness.send(
                .setVariables(scope: instance.key, variables: try document(#"{"x":1,"key":"k"}"#), local: true),
                forKey: instance.key)
        }
        harness.send(.resolveIncident(key: incident.key), forKey: incident.key)
    }

    private func holds(_ incident: OpenIncident, _ instance: ProcessInstance) -> Bool {
        instance.elements.contains { $0.detail?.incident?.key == incident.key }
    }

    private func setVariables() throws {
        let instances = harness.instances
        guard !instances.isEmpty else { return }
        let instance = random.pick(instances)
        let element = random.pick(instance.elements)
        let variables = random.pick([result, #"{"z":[1,{"a":null}]}"#])
        let local = random.chance(30) && element.ordinal == 0
        trace.append("set \(variables) at #\(element.ordinal)")
        harness.send(
            .setVariables(scope: element.key, variables: try document(variables), local: local), forKey: element.key)
    }

    private func activateOrTake() {
        let partition = random.below(harness.partitions.count)
        let type = random.pick(["w1", "w2"])
        if random.chance(50) {
            trace.append("take \(type) in \(partition)")
            _ = harness.take(type, maximum: 1 + random.below(3), from: partition)
        } else {
            trace.append("activate \(type) in \(partition)")
            harness.send(
                .activateJobs(
                    JobActivation(
                        type: type, worker: "w", maximum: 1 + random.below(3), timeoutMilliseconds: 2_500)),
                to: partition)
        }
    }

    private func updateJob() {
        let jobs = harness.jobs
        guard !jobs.isEmpty else { return }
        let job = random.pick(jobs)
        trace.append("update \(job.element)")
        harness.send(
            .updateJob(
                key: job.key, retries: Int32(random.below(4)), timeoutMilliseconds: random.chance(50) ? 1_000 : nil),
            forKey: job.key)
    }

    private func crash() {
        let partition = random.below(harness.partitions.count)
        trace.append("crash \(partition)")
        harness.crash(partition)
    }

    // MARK: Driving to the end

    /// Does one thing that brings an instance nearer to its end; false when there is none.
    private func drive() throws -> Bool {
        if random.chance(5) { crash() }
        if !harness.incidents.isEmpty {
            try resolve(fixing: true)
        } else if !harness.jobs.isEmpty {
            try completeJob()
        } else if !harness.userTasks.isEmpty {
            try completeUserTask()
        } else {
            return try occur()
        }
        return true
    }

    /// Lets one of the events occur that an instance waits for and that end the wait.
    private func occur() throws -> Bool {
        var choices: [() throws -> Void] = []
        for instance in harness.instances {
            func ends(_ node: Int32) -> Bool {
                let trigger = instance.process.nodes[Int(node)]
                let event = trigger.triggerOf.map { instance.process.nodes[$0] } ?? trigger
                return event.isInterrupting
            }
            for timer in instance.timers {
                choices.append {
                    self.trace.append("advance to \(timer.dueAt)")
                    self.harness.advance(milliseconds: Swift.max(0, timer.dueAt - self.harness.now))
                }
            }
            for subscription in instance.subscriptions
            where ends(subscription.node) && !ProcessGenerator.startMessages.contains(subscription.name) {
                choices.append { try self.publish(subscription.name, subscription.correlationKey, ttl: 0) }
            }
            for signal in instance.signals where ends(signal.node) && signal.name != ProcessGenerator.startSignal {
                choices.append { try self.broadcast(signal.name) }
            }
            for condition in instance.conditions where ends(condition.node) {
                guard let position = instance.position(of: condition.ordinal) else { continue }
                let scope = instance.elements[position].key
                choices.append {
                    let variables = #"{"x":\#(self.random.below(4)),"object":\#(self.random.below(2))}"#
                    self.trace.append("set \(variables) for a condition")
                    self.harness.send(
                        .setVariables(scope: scope, variables: try document(variables), local: false), forKey: scope)
                }
            }
        }
        guard !choices.isEmpty else { return false }
        try random.pick(choices)()
        return true
    }

    /// Cancels instances that wait for what the generator knows may never come; anything else is a problem.
    private func cancelStuck() {
        wasStuck = true
        let instances = harness.instances
        var isExplained = false
        for instance in instances where instance.parent == 0 {
            let family = instances.filter { root(of: $0, in: instances) == instance.key }
            guard family.contains(where: mayWait) else { continue }
            isExplained = true
            trace.append("cancel \(instance.process.id)")
            harness.send(.cancelInstance(key: instance.key), forKey: instance.key)
        }
        if !isExplained {
            problems.append("nothing can move the instances any more; live: \(harness.live), tokens: \(arrivals)")
        }
    }

    /// The flows whose tokens wait at joins.
    private var arrivals: [String] {
        harness.instances.flatMap { instance in
            instance.arrivals.map { "\($0.count) of \(instance.process.flows[Int($0.flow)].id)" }
        }
    }

    private func root(of instance: ProcessInstance, in instances: [ProcessInstance]) -> UInt64 {
        guard instance.parent != 0, let parent = instances.first(where: { $0.key == instance.parent }) else {
            return instance.key
        }
        return root(of: parent, in: instances)
    }

    /// Whether something in an instance may wait for ever.
    private func mayWait(_ instance: ProcessInstance) -> Bool {
        let nodes = instance.process.nodes
        return instance.elements.contains { element in
            let node = nodes[Int(element.node)]
            return node.id.hasPrefix("w") || node.adHoc?.completionCondition != nil
        } || instance.arrivals.contains { nodes[instance.process.flows[Int($0.flow)].target].id.hasPrefix("w") }
    }
}
