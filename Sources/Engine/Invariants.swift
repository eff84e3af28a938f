import ProcessModel
import Values

extension PartitionEngine {
    /// What is wrong with the state of a partition: the invariants of DESIGN §8 that one partition can see.
    ///
    /// Empty when nothing is. Loads the instances named, which must be all that live, and lets them leave memory again;
    /// jobs handed to in-process workers count as missing from their queue, so call it while there are none.
    public func examine(instances keys: [UInt64]) -> [String] {
        for key in keys { _ = instance(key) }
        defer { evict(downTo: 0) }
        return Invariants(self).problems()
    }
}

/// The invariants of DESIGN §8 that one partition can see.
struct Invariants {
    private let engine: PartitionEngine
    /// The jobs workers inside the process have.
    private let taken: Set<UInt64>

    init(_ engine: PartitionEngine, taken: Set<UInt64> = []) {
        self.engine = engine
        self.taken = taken
    }

    /// What is wrong; empty when nothing is.
    ///
    /// Every live instance must be in memory.
    func problems() -> [String] {
        var problems: [String] = []
        var jobs = 0
        var timers = 0
        var owned: Set<UInt64> = []
        for instance in engine.state.instances.values.sorted(by: { $0.key < $1.key }) {
            problems += elements(of: instance)
            problems += belongings(of: instance)
            for element in instance.elements {
                if let job = element.job {
                    jobs += 1
                    owned.insert(job.key)
                }
                if element.isAddressed(in: instance.process) { owned.insert(element.key) }
                if let task = element.detail?.userTask { owned.insert(task.key) }
                if let incident = element.detail?.incident { owned.insert(incident.key) }
            }
            timers += instance.timers.count
            owned.formUnion(instance.timers.map(\.key))
        }
        if Set(engine.state.owners.keys) != owned {
            let extra = Set(engine.state.owners.keys).subtracting(owned)
            let missing = owned.subtracting(engine.state.owners.keys)
            problems.append("owners: \(extra) outlive their element, \(missing) cannot be found")
        }
        if engine.state.openJobs != jobs { problems.append("openJobs is \(engine.state.openJobs), not \(jobs)") }
        if engine.state.openTimers != timers {
            problems.append("openTimers is \(engine.state.openTimers), not \(timers)")
        }
        if engine.state.liveInstances != engine.state.instances.count {
            problems.append("liveInstances is \(engine.state.liveInstances), not \(engine.state.instances.count)")
        }
        let waiting = engine.state.instances.values.reduce(0) { $0 + $1.signals.count }
        let listed = engine.state.signals.values.reduce(0) { $0 + $1.count }
        if waiting != listed { problems.append("\(listed) signal subscriptions are listed, not \(waiting)") }
        return problems + queues() + messages()
    }

    private func name(_ element: ElementInstance, _ instance: ProcessInstance) -> String {
        "element \(instance.process.nodes[Int(element.node)].id) #\(element.ordinal) of \(instance.key)"
    }

    private func elements(of instance: ProcessInstance) -> [String] {
        var problems: [String] = []
        for element in instance.elements {
            let inside = instance.elements.count { $0.scope == element.ordinal && $0.ordinal != element.ordinal }
            let waiting = instance.arrivals.reduce(0) { $0 + ($1.scope == element.ordinal ? Int($1.count) : 0) }
            if Int(element.children) != inside + waiting {
                problems.append(
                    "\(name(element, instance)) counts \(element.children) children, but has \(inside) + \(waiting)")
            }
            if element.inFlight != 0 { problems.append("\(name(element, instance)) has tokens in flight") }
            if !waits(element, of: instance) {
                problems.append("\(name(element, instance)) is \(element.state) and waits for nothing")
            }
            if element.ordinal != 0, instance.position(of: element.scope) == nil {
                problems.append("\(name(element, instance)) outlives its scope")
            }
        }
        let ordinals = instance.elements.map(\.ordinal)
        if ordinals != ordinals.sorted() || ordinals.first != 0
            || ordinals.last.map({ $0 < instance.nextOrdinal }) != true
        {
            problems.append("ordinals of \(instance.key) are \(ordinals), next \(instance.nextOrdinal)")
        }
        return problems
    }

    /// Whether a live element has a reason to be.
    private func waits(_ element: ElementInstance, of instance: ProcessInstance) -> Bool {
        if element.detail?.incident != nil { return true }
        let adHoc = instance.process.nodes[Int(element.node)].adHoc
        if adHoc != nil, element.state == .completing { return element.children > 0 }
        guard element.state == .active else { return false }
        if adHoc?.completionCondition != nil { return true }
        if let job = element.job { return job.phase != .incident }
        if element.children > 0 || element.detail?.userTask != nil || element.detail?.firedFlows != nil { return true }
        if let called = element.detail?.calledInstance, called != 0 { return engine.state.instances[called] != nil }
        /// Whether an event is what the element itself waits for: its own, one of its definitions, or one behind it.
        func isOwn(_ index: Int32) -> Bool {
            let node = instance.process.nodes[Int(index)]
            let event = node.triggerOf ?? node.index
            return event == Int(element.node)
                || instance.process.nodes[event].incoming.contains { flow in
                    instance.process.flows[flow].source == Int(element.node)
                }
        }
        return instance.timers.contains { $0.ordinal == element.ordinal && isOwn($0.node) }
            || instance.subscriptions.contains { $0.ordinal == element.ordinal && isOwn($0.node) }
            || instance.signals.contains { $0.ordinal == element.ordinal && isOwn($0.node) }
            || instance.conditions.contains { $0.ordinal == element.ordinal && isOwn($0.node) }
    }

    private func belongings(of instance: ProcessInstance) -> [String] {
        var problems: [String] = []
        let live = Set(instance.elements.map(\.ordinal))
        for timer in instance.timers where !live.contains(timer.ordinal) {
            problems.append("timer \(timer.key) outlives its element")
        }
        for subscription in instance.subscriptions where !live.contains(subscription.ordinal) {
            problems.append("subscription \(subscription.key) outlives its element")
        }
        for signal in instance.signals {
            if !live.contains(signal.ordinal) { problems.append("signal \(signal.key) outlives its element") }
            if engine.state.signals[signal.name]?[signal.key] != instance.key {
                problems.append("signal \(signal.key) cannot be found by its name")
            }
        }
        for condition in instance.conditions where !live.contains(condition.ordinal) {
            problems.append("condition \(condition.key) outlives its element")
        }
        for variable in instance.variables where !live.contains(variable.scope) {
            problems.append("variable \(variable.name) outlives scope \(variable.scope)")
        }
        for arrival in instance.arrivals where !live.contains(arrival.scope) || arrival.count <= 0 {
            problems.append("arrival \(arrival) has no scope or no token")
        }
        let waits =
            instance.timers.map { [UInt64($0.ordinal), UInt64($0.node)] }
            + instance.subscriptions.map { [UInt64($0.ordinal), UInt64($0.node)] }
            + instance.signals.map { [UInt64($0.ordinal), UInt64($0.node)] }
            + instance.conditions.map { [UInt64($0.ordinal), UInt64($0.node)] }
        if Set(waits).count != waits.count { problems.append("\(instance.key) waits twice for one event: \(waits)") }
        if instance.parent != 0, engine.state.instances[instance.parent] == nil {
            problems.append("\(instance.key) outlives its caller \(instance.parent)")
        }
        return problems
    }

    /// Every job that may be taken is in its queue, once, unless a worker inside the process has it.
    private func queues() -> [String] {
        var queues = engine.state.jobs
        var entries: [UInt64: Int] = [:]
        for type in queues.names.indices {
            while let key = queues.pop(type: Int32(type)) { entries[key, default: 0] += 1 }
            if queues.counts[type] != 0 {
                return ["queue \(queues.names[type]) counts \(queues.counts[type]) at its end"]
            }
        }
        var problems: [String] = []
        for instance in engine.state.instances.values {
            for element in instance.elements {
                guard let job = element.job, job.phase == .activatable else { continue }
                let isQueued = engine.state.owners[job.key]?.isQueued == true
                if entries[job.key, default: 0] != (isQueued ? 1 : 0) || isQueued == taken.contains(job.key) {
                    problems.append("job \(job.key) is \(entries[job.key] ?? 0) times in its queue")
                }
            }
        }
        return problems
    }

    private func messages() -> [String] {
        var problems: [String] = []
        for message in engine.state.messages.values {
            let key = message.published.key
            if message.pending < 0 || (message.pending == 0 && message.published.expiresAt <= key.time) {
                problems.append("message \(key) has \(message.pending) answers outstanding")
            }
            guard message.plan != nil else { continue }
            if message.pending == 0, !message.sent.isEmpty { problems.append("event \(key) was taken and stays") }
            if message.sent.isEmpty, message.published.expiresAt > engine.state.now,
                engine.state.subscriptions.all(message.hash).contains(where: { $0.correlating == 0 })
            {
                problems.append("event \(key) waits beside a subscription that is free")
            }
        }
        for (instance, _) in engine.state.startLocks.sorted where engine.state.instances[instance] == nil {
            problems.append("a start lock outlives its instance \(instance)")
        }
        return problems
    }
}

extension UInt64 {
    /// The Unix milliseconds in a key.
    fileprivate var time: Int64 { Key(rawValue: self).milliseconds + Key.epochMilliseconds }
}
