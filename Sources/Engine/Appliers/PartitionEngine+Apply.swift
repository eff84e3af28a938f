import ProcessModel
import Values

/// The appliers: the only code that changes state. Used by live processing and by replay alike, and so blind to
/// anything that is not in the event or the state. Events that no longer fit the state are a defect of this program.
extension PartitionEngine {
    func apply(_ event: Event) {
        switch event {
        case .time(let milliseconds):
            state.now = Swift.max(state.now, milliseconds)
        case .instance(let key):
            cursor = instance(key)
        case .actor:
            break
        case .instanceCreated(let created):
            applyInstanceCreated(created)
        case .uniqueKeyReserved(let key, let owner, let expiresAt):
            reserve(key, UniqueKeyState(owner: owner, expiresAt: expiresAt, text: key))
        case .eventKeyReserved(let key, let effect, let owner, let expiresAt):
            reserve(key, UniqueKeyState(owner: owner, expiresAt: expiresAt, effect: effect, text: key))
        case .uniqueKeyExpired(let hash):
            state.uniqueKeys[hash] = nil
            changed(EntityKinds.uniqueKey, hash)
        case .eventReceived(let event):
            noteKey(event.key)
        case .messagePublished, .eventPublished, .startLocked, .messageExpired, .messageSubscriptionCreated,
            .messageCorrelating, .messageCorrelated, .messageRejected, .messageSubscriptionClosed,
            .messageStartedInstance:
            applyMessageEvent(event)
        case .processDeployed(let deployed):
            noteKey(deployed.key)
            noteDeployed(deployed)
            changed(EntityKinds.definition, deployed.key)
        case .decisionsDeployed, .decisionEvaluatedAlone:
            applyDecisionEvent(event)
        case .startTimerScheduled(let key, let definition, let node, let dueAt, let repetitions, let interval):
            noteKey(key)
            state.startTimers[key] = StartTimerState(
                key: key, definition: definition, node: node, dueAt: dueAt, repetitions: repetitions,
                interval: interval)
            state.deadlines.insert(Deadline(at: dueAt, key: key, kind: .startTimer))
            changed(EntityKinds.startTimer, key)
        case .startTimerEnded(let key):
            state.startTimers[key] = nil
            changed(EntityKinds.startTimer, key)
        case .signalBroadcast(let key, _):
            noteKey(key)
        case .dataStoreSet(let name, let value):
            let hash = StableHash.fnv1a64(name)
            state.dataStores[hash] = DataStoreState(name: name, value: value)
            changed(EntityKinds.dataStore, hash)
        case .deadLetterRecorded(let letter):
            noteKey(letter.key)
            state.deadLetters[letter.key] = letter
            changed(EntityKinds.deadLetter, letter.key)
        case .deadLetterEnded(let key, _):
            state.deadLetters[key] = nil
            changed(EntityKinds.deadLetter, key)
        case .deadLetterChanged(let key, let change):
            state.deadLetters[key] = state.deadLetters[key]?.changed(by: change)
            changed(EntityKinds.deadLetter, key)
        case .deadLetterPurged: break
        default:
            guard let instance = cursor else { return }
            markDirty(instance)
            apply(event, to: instance)
        }
    }

    private func reserve(_ key: String, _ taken: UniqueKeyState) {
        guard let hash = uniqueSlot(key) else { return }
        state.uniqueKeys[hash] = taken
        state.deadlines.insert(Deadline(at: taken.expiresAt, key: hash, kind: .uniqueKey))
        changed(EntityKinds.uniqueKey, hash)
    }

    /// Remembers a version for the numbering of the next ones.
    func noteDeployed(_ deployed: ProcessDeployed) {
        deployments[deployed.key] = deployed
        if let newest = state.versions[deployed.processID], newest.version > deployed.version { return }
        state.versions[deployed.processID] = (
            deployed.version, deployed.key, deployed.checksum
        )
    }

    func changed(_ kind: UInt8, _ key: UInt64) {
        state.changedEntities.insert(EntityName(kind: kind, key: key))
    }

    /// Keeps the key generator ahead of every key in the journal.
    func noteKey(_ key: UInt64) {
        if key > state.keys.last.rawValue { state.keys = KeyGenerator(partition: partition, last: Key(rawValue: key)) }
    }

    private func applyInstanceCreated(_ created: InstanceCreated) {
        noteKey(created.key)
        guard let definition = definitions.definition(key: Key(rawValue: created.definitionKey)) else {
            // The deployment precedes every instance in the journal, so this is a damaged or foreign store.
            noteDamage("instance \(created.key) names definition \(created.definitionKey), which is not deployed")
            cursor = nil
            return
        }
        let instance = ProcessInstance(
            key: created.key, definition: definition, parent: created.parent, parentOrdinal: created.parentOrdinal,
            depth: created.depth, businessID: created.businessID, startedAt: state.now)
        instance.elements.append(
            ElementInstance(ordinal: 0, node: 0, scope: 0, state: .active, role: .single, key: created.key))
        instance.nextOrdinal = 1
        instance.lastUse = commandCounter
        state.instances[created.key] = instance
        state.liveInstances += 1
        counters.instancesStarted += 1
        cursor = instance
        markDirty(instance)
    }

    private func removeInstance(_ instance: ProcessInstance) {
        // All that is left are the event sub-processes of the process itself, and an incident of its.
        for element in instance.elements { forgetBelongings(of: element, in: instance) }
        state.instances[instance.key] = nil
        state.liveInstances -= 1
        if instance.isCheckpointed { state.removedInstances.insert(instance.key) }
        if !state.startLocks.isEmpty, let name = state.startLocks.remove(instance: instance.key) {
            changed(EntityKinds.startLock, instance.key)
            unsettled.append(Unsettled(hash: name.hash))
        }
    }

    private func apply(_ event: Event, to instance: ProcessInstance) {
        switch event {
        case .instanceCompleted:
            counters.instancesCompleted += 1
            removeInstance(instance)
        case .instanceTerminated:
            counters.instancesTerminated += 1
            removeInstance(instance)
        case .elementPassed(_, _, _, let key):
            noteKey(key)
            instance.nextOrdinal += 1
            counters.elementsStarted += 1
        case .elementActivated(let node, _, let scope, let key, let role, let loopCounter):
            noteKey(key)
            instance.elements.append(
                ElementInstance(
                    ordinal: instance.nextOrdinal, node: node, scope: scope, loopCounter: loopCounter,
                    state: .activating, role: role, key: key))
            instance.nextOrdinal += 1
            counters.elementsStarted += 1
            if let position = instance.position(of: scope) {
                instance.elements[position].children += 1
                if role == .multiInstanceInner { instance.elements[position].detail?.loop?.created = loopCounter }
            }
        case .elementEntered(let ordinal):
            begin(.active, ordinal, of: instance)
        case .elementCompleting(let ordinal):
            begin(.completing, ordinal, of: instance)
        case .elementCompleted(let ordinal):
            removeElement(ordinal, from: instance, completed: true)
        case .elementTerminated(let ordinal):
            removeElement(ordinal, from: instance, completed: false)
        case .tokenArrived(let flow, let scope):
            if let position = instance.arrivals.firstIndex(where: { $0.scope == scope && $0.flow == flow }) {
                instance.arrivals[position].count += 1
            } else {
                instance.arrivals.append(JoinArrival(scope: scope, flow: flow, count: 1))
            }
            if let position = instance.position(of: scope) { instance.elements[position].children += 1 }
        case .tokensJoined(let node, let scope):
            for flow in instance.process.nodes[Int(node)].incoming {
                takeToken(of: Int32(flow), in: scope, of: instance)
            }
        case .arrivalsDiscarded(let scope):
            let discarded = instance.arrivals.reduce(0) { $0 + ($1.scope == scope ? $1.count : 0) }
            instance.arrivals.removeAll { $0.scope == scope }
            if let position = instance.position(of: scope) { instance.elements[position].children -= discarded }
        case .loopStarted(let ordinal, let count, let items):
            detail(ordinal, of: instance)?.loop = LoopState(items: items, count: count)
        case .loopOutput(let ordinal, let position, let value):
            detail(ordinal, of: instance)?.loop?.outputs[position] = value
        case .calledInstanceStarted(let ordinal, let key):
            detail(ordinal, of: instance)?.calledInstance = key
        case .variableSet(let scope, let name, let value):
            guard let owner = instance.position(of: scope) else { return }
            // A scope without variables need not be looked for among those of all others: there may be thousands.
            if instance.elements[owner].hasLocals,
                let position = instance.variablePosition(scope: scope, name: name)
            {
                instance.variables[position].value = value
                instance.variables[position].parsed = nil
            } else {
                instance.variables.append(ScopedVariable(scope: scope, name: name, value: value))
                instance.elements[owner].hasLocals = true
            }
        case .jobCreated, .jobActivated, .jobCompleted, .jobFailed, .jobBackoffEnded, .jobLockExpired,
            .jobRetriesUpdated, .jobDeadlineUpdated, .jobErrorThrown:
            applyJobEvent(event, to: instance)
        case .userTaskCreated(let ordinal, let task):
            noteKey(task.key)
            detail(ordinal, of: instance)?.userTask = UserTaskState(key: task.key, assignee: task.assignee)
            state.owners[task.key] = KeyOwner(instance: instance.key, ordinal: ordinal)
        case .userTaskAssigned(let ordinal, let assignee):
            detail(ordinal, of: instance)?.userTask?.assignee = assignee
        case .userTaskCompleted(let ordinal):
            if let detail = detail(ordinal, of: instance), let task = detail.userTask {
                state.owners[task.key] = nil
                detail.userTask = nil
            }
        case .timerCreated(let ordinal, let key, let node, let dueAt, let repetitions, let interval):
            noteKey(key)
            instance.timers.append(
                TimerState(
                    key: key, ordinal: ordinal, node: node, dueAt: dueAt, repetitions: repetitions, interval: interval))
            if let position = instance.position(of: ordinal) { instance.elements[position].hasEvents = true }
            state.owners[key] = KeyOwner(instance: instance.key, ordinal: ordinal)
            state.openTimers += 1
            state.deadlines.insert(Deadline(at: dueAt, key: key, kind: .timer))
        case .timerFired(let key):
            instance.timers.removeAll { $0.key == key }
            if state.owners.removeValue(forKey: key) != nil { state.openTimers -= 1 }
        case .timerRescheduled(let key, let dueAt, let repetitions):
            if let position = instance.timers.firstIndex(where: { $0.key == key }) {
                instance.timers[position].dueAt = dueAt
                instance.timers[position].repetitions = repetitions
                state.deadlines.insert(Deadline(at: dueAt, key: key, kind: .timer))
            }
        case .subscriptionOpened(let ordinal, let key, let node, let name, let correlationKey):
            noteKey(key)
            instance.subscriptions.append(
                SubscriptionState(key: key, ordinal: ordinal, node: node, name: name, correlationKey: correlationKey))
            if let position = instance.position(of: ordinal) { instance.elements[position].hasEvents = true }
        case .subscriptionCorrelated(let key, _, let stays):
            if !stays { instance.subscriptions.removeAll { $0.key == key } }
        case .signalSubscribed, .signalCaught, .conditionArmed, .conditionEvaluated, .waitClosed:
            applyWaitEvent(event, to: instance)
        case .tokensConsumed, .gatewayFired, .gatewayReset, .adHocPlanned, .compensationRecorded,
            .compensationTaken, .compensationStarted, .compensationStepped, .cancelRequested:
            applyScopeEvent(event, to: instance)
        case .decisionEvaluated(_, let evaluated):
            noteKeys(of: evaluated)
        case .incidentRaised(let ordinal, let key, let kind, let type, let message):
            noteKey(key)
            detail(ordinal, of: instance)?.incident = IncidentState(key: key, kind: kind, type: type, message: message)
            state.owners[key] = KeyOwner(instance: instance.key, ordinal: ordinal)
            counters.incidentsRaised += 1
        case .incidentResolved(let ordinal):
            if let detail = detail(ordinal, of: instance), let incident = detail.incident {
                state.owners[incident.key] = nil
                detail.incident = nil
            }
        default:
            break
        }
    }

    private func begin(_ elementState: ElementState, _ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        instance.elements[position].state = elementState
        if instance.elements[position].isAddressed(in: instance.process) {
            state.owners[instance.elements[position].key] = KeyOwner(instance: instance.key, ordinal: ordinal)
        }
    }

    /// Ends an element instance with everything that belongs to it.
    private func removeElement(_ ordinal: UInt32, from instance: ProcessInstance, completed: Bool) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        forgetBelongings(of: element, in: instance)
        if element.hasLocals { instance.variables.removeAll { $0.scope == ordinal } }
        instance.elements.remove(at: position)
        guard ordinal != 0, let scope = instance.position(of: element.scope) else { return }
        instance.elements[scope].children -= 1
        if completed, element.role == .multiInstanceInner { instance.elements[scope].detail?.loop?.completed += 1 }
    }

    /// Takes what belongs to an element instance that ends out of the partition's tables.
    private func forgetBelongings(of element: ElementInstance, in instance: ProcessInstance) {
        if let job = element.job { removeJob(job) }
        if element.isAddressed(in: instance.process) { state.owners[element.key] = nil }
        if let detail = element.detail {
            if let task = detail.userTask { state.owners[task.key] = nil }
            if let incident = detail.incident { state.owners[incident.key] = nil }
        }
        if element.hasEvents {
            for timer in instance.timers where timer.ordinal == element.ordinal {
                if state.owners.removeValue(forKey: timer.key) != nil { state.openTimers -= 1 }
            }
            instance.timers.removeAll { $0.ordinal == element.ordinal }
            instance.subscriptions.removeAll { $0.ordinal == element.ordinal }
            for signal in instance.signals where signal.ordinal == element.ordinal { forgetSignal(signal) }
            instance.signals.removeAll { $0.ordinal == element.ordinal }
            instance.conditions.removeAll { $0.ordinal == element.ordinal }
        }
    }

    /// The detail of an element instance, created when it has none.
    func detail(_ ordinal: UInt32, of instance: ProcessInstance) -> ElementDetail? {
        guard let position = instance.position(of: ordinal) else { return nil }
        if let detail = instance.elements[position].detail { return detail }
        let detail = ElementDetail()
        instance.elements[position].detail = detail
        return detail
    }
}
