import Decisions
import Engine
import Logging
import ProcessModel
import Storage
import Values

/// From events to record changes, merged over one projector transaction.
///
/// Used by the projector's thread alone.
final class Projection {
    private let records: any RecordStore
    let definitions: DefinitionRegistry
    let logger: Logger
    /// Reads large values.
    private let reader: any StateReader
    /// Live instances the projector remembers between transactions; bounded, the rest comes back from their rows.
    private var instances: [UInt64: InstanceProjection] = [:]
    private var changed: [InstanceProjection] = []

    var batch = RecordBatch()
    private var jobs: [UInt64: NewJob] = [:]
    private var jobChanges: [UInt64: JobChange] = [:]
    private var userTasks: [UInt64: UserTaskRecord] = [:]
    private var incidents: [UInt64: IncidentRecord] = [:]
    private var messages: [UInt64: MessageRecord] = [:]
    private var timers: [UInt64: TimerRecord] = [:]
    private var deadLetters: [UInt64: DeadLetterRecord] = [:]
    private var variables: [VariableName: VariableValue] = [:]
    private var positions: [Int: UInt64] = [:]

    // Context while reading a batch.
    private(set) var now: Int64 = 0
    private var actor = ""
    private var auditKey: UInt64 = 0
    private var instance: InstanceProjection?
    private var cursorKey: UInt64 = 0
    private var failure: StoreError?

    static let rememberedInstancesMax = 50_000

    private struct VariableName: Hashable {
        var instance: UInt64
        var scope: UInt64
        var name: String
    }

    /// A job made in this transaction; its record is built only if it is still there at the end.
    private struct NewJob {
        var instance: InstanceProjection
        var node: Int32
        var elementKey: UInt64
        var type: String?
        var retries: Int32
        var priority: Int32
        var createdAt: Int64
        var change: JobChange?
    }

    init(records: any RecordStore, reader: any StateReader, definitions: DefinitionRegistry, logger: Logger) {
        self.reader = reader
        self.records = records
        self.definitions = definitions
        self.logger = logger
    }

    /// Drops everything remembered: after a transaction that failed.
    func forget() {
        instances = [:]
        clear()
    }

    private func clear() {
        changed = []
        batch = RecordBatch()
        jobs = [:]
        jobChanges = [:]
        userTasks = [:]
        incidents = [:]
        messages = [:]
        timers = [:]
        deadLetters = [:]
        variables = [:]
        positions = [:]
    }

    /// Reads one journal batch; returns how many events it held.
    func add(_ payload: [UInt8], partition: Int, sequence: UInt64) throws(StoreError) -> Int {
        positions[partition] = sequence
        var count = 0
        var damage: DecodingFailure?
        actor = ""
        auditKey = UInt64(partition) << 53 | (sequence & 0xFF_FFFF_FFFF) << 13
        instance = nil
        payload.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var codec = EventCodec()
            do throws(DecodingFailure) {
                while !reader.isAtEnd {
                    apply(try codec.read(&reader))
                    count += 1
                }
            } catch {
                damage = error
            }
        }
        if let failure {
            self.failure = nil
            throw failure
        }
        if let damage {
            throw StoreError(
                .corrupt, "Batch \(sequence) of partition \(partition) cannot be projected: \(damage).",
                remedy: "Run `junction audit verify`; a batch of a newer version needs that version.")
        }
        return count
    }

    /// The merged changes since the last call, with the positions they reach.
    func takeBatch() throws(StoreError) -> RecordBatch {
        var batch = self.batch
        batch.positions = positions.map { ($0.key, $0.value) }
        batch.instances.reserveCapacity(changed.count)
        for instance in changed {
            instance.isChanged = false
            instance.record.path = instance.path.take()
            batch.instances.append(instance.record)
            instance.record.path = []
            if instance.record.state != .active { instances[instance.record.key] = nil }
        }
        for (key, job) in jobs { batch.jobs.append(record(key, job)) }
        batch.jobChanges = Array(jobChanges.values)
        batch.userTasks = Array(userTasks.values)
        batch.incidents = Array(incidents.values)
        batch.messages = Array(messages.values)
        batch.timers = Array(timers.values)
        batch.deadLetters = Array(deadLetters.values)
        for (name, value) in variables {
            batch.variables.append(
                VariableRecord(
                    instanceKey: name.instance, scopeKey: name.scope, name: name.name, value: try resolved(value)))
        }
        clear()
        if instances.count > Self.rememberedInstancesMax { instances = [:] }
        return batch
    }

    /// The value behind what the journal keeps.
    private func resolved(_ value: VariableValue) throws(StoreError) -> VariableValue {
        guard let reference = value.reference else { return value }
        guard let json = try reader.blob(hash: reference.hash) else {
            throw StoreError(
                .corrupt, "A large value of \(reference.byteCount) bytes is missing from the journal.",
                remedy: "Restore a backup; the journal names a value that is not there.")
        }
        return VariableValue(json: json)
    }

    private func record(_ key: UInt64, _ job: NewJob) -> JobRecord {
        let node = job.instance.definition?.process.nodes[Int(job.node)]
        return JobRecord(
            key: key, instanceKey: job.instance.record.key, elementInstanceKey: job.elementKey,
            definitionKey: job.instance.record.definitionKey, elementID: node?.id ?? "",
            type: job.type ?? node?.job?.type.constant?.asString ?? "", state: job.change?.state ?? 0,
            retries: job.change?.retries ?? Int(job.retries), priority: Int(job.priority), worker: job.change?.worker,
            deadline: job.change?.deadline, errorMessage: job.change?.errorMessage, createdAt: job.createdAt)
    }

    // MARK: Events

    private func apply(_ event: Event) {
        switch event {
        case .time(let milliseconds): now = milliseconds
        case .actor(let name): actor = name
        case .instance(let key):
            cursorKey = key
            instance = load(key)
        case .instanceCreated(let created): begin(created)
        case .uniqueKeyReserved, .eventKeyReserved, .uniqueKeyExpired, .startLocked, .messageSubscriptionCreated,
            .messageSubscriptionClosed, .messageRejected:
            break
        case .messagePublished(let message), .eventPublished(let message, _):
            messages[message.key] = MessageRecord(
                key: message.key, name: message.name, correlationKey: message.correlationKey,
                messageID: message.messageID, state: 0, instanceKey: nil, publishedAt: now, expiresAt: message.expiresAt
            )
            audit("publish-message", "\(message.key)")
        case .messageExpired(let key): change(message: key, state: 2, instance: nil)
        case .messageCorrelating: break
        case .messageCorrelated(_, _, let message, _): change(message: message, state: 1, instance: nil)
        case .messageStartedInstance(let message, _, let instance):
            change(message: message, state: 1, instance: instance)
        case .processDeployed(let deployed): add(deployed)
        case .decisionsDeployed(let deployed): add(deployed)
        case .decisionEvaluatedAlone(let evaluated):
            add(evaluated, of: nil, elementKey: nil)
            audit("evaluate-decision", "\(evaluated.key)", "\(evaluated.decisionKey)")
        case .signalBroadcast(let key, let name): audit("broadcast-signal", "\(key)", name)
        case .dataStoreSet: break
        case .startTimerScheduled(let key, let definition, let node, let dueAt, _, _):
            let id = definitions.definition(key: Key(rawValue: definition))?.process.nodes[Int(node)].id ?? ""
            timers[key] = TimerRecord(
                key: key, instanceKey: nil, elementInstanceKey: nil, definitionKey: definition, elementID: id,
                dueAt: dueAt)
        case .startTimerEnded(let key): end(timer: key)
        case .deadLetterRecorded(let letter):
            deadLetters[letter.key] = record(letter)
        case .deadLetterEnded(let key, let outcome):
            change(DeadLetterChange(key: key, state: outcome, endedAt: now))
            audit(outcome == 1 ? "resolve-dead-letter" : "discard-dead-letter", "\(key)")
        case .deadLetterChanged(let key, let changed):
            change(DeadLetterChange(key: key, changed, at: now))
            audit("\(changed.action)-dead-letter", "\(key)", changed.detail)
        case .eventReceived(let event): batch.inbox.append(InboxRecord(event))
        case .deadLetterPurged(let key):
            deadLetters[key] = nil
            batch.purgedDeadLetters.append(key)
        default:
            guard let instance else { return }
            if !instance.isChanged {
                instance.isChanged = true
                changed.append(instance)
            }
            apply(event, to: instance)
        }
    }

    private func load(_ key: UInt64) -> InstanceProjection? {
        if let known = instances[key] { return known }
        do throws(StoreError) {
            guard let record = try records.instance(key: key) else { return nil }
            let loaded = InstanceProjection(
                record: record, definition: definitions.definition(key: Key(rawValue: record.definitionKey)))
            do {
                try loaded.restore(from: record.path)
            } catch {
                throw StoreError(
                    .corrupt, "The path of process instance \(key) cannot be read: \(error).",
                    remedy: "Stop Junction and restore records.db from a backup: the journal has what it misses.")
            }
            loaded.record.path = []
            instances[key] = loaded
            return loaded
        } catch {
            failure = error
            return nil
        }
    }

    private func begin(_ created: InstanceCreated) {
        let begun = InstanceProjection(
            record: ProcessInstanceRecord(
                key: created.key, definitionKey: created.definitionKey,
                parentInstanceKey: created.parent == 0 ? nil : created.parent,
                parentElementInstanceKey: created.parent == 0 ? nil : created.parentElementKey,
                businessID: created.businessID, state: .active, startedAt: now, endedAt: nil, openIncidents: 0,
                path: []),
            definition: definitions.definition(key: Key(rawValue: created.definitionKey)))
        instances[created.key] = begun
        begun.isChanged = true
        changed.append(begun)
        instance = begun
        cursorKey = created.key
        if created.parent == 0 { audit("start-instance", "\(created.key)") }
    }

    private func apply(_ event: Event, to instance: InstanceProjection) {
        let startedAt = instance.record.startedAt
        switch event {
        case .instanceCompleted:
            instance.record.state = .completed
            instance.record.endedAt = now
            endTimersOfProcess(instance)
        case .instanceTerminated:
            instance.record.state = .terminated
            instance.record.endedAt = now
            endTimersOfProcess(instance)
            audit("cancel-instance", "\(instance.record.key)")
        case .elementPassed(let node, let flow, let scope, let key):
            instance.path.passed(node, flow: flow, scope: scope, key: key, at: now, since: startedAt)
            instance.nextOrdinal += 1
        case .elementActivated(let node, let flow, let scope, let key, let role, let loopCounter):
            instance.path.began(
                node, flow: flow, scope: scope, key: key, role: role, loopCounter: loopCounter, at: now,
                since: startedAt)
            instance.live.append(InstanceProjection.Live(ordinal: instance.nextOrdinal, node: node, key: key))
            instance.nextOrdinal += 1
        case .elementCompleted(let ordinal):
            instance.path.mark(.completed, ordinal, at: now, since: startedAt)
            end(ordinal, of: instance)
        case .elementTerminated(let ordinal):
            instance.path.mark(.terminated, ordinal, at: now, since: startedAt)
            end(ordinal, of: instance)
        case .calledInstanceStarted(let ordinal, let key):
            instance.path.mark(.calledInstance, ordinal, key: key, at: now, since: startedAt)
        case .variableSet(let scope, let name, let value):
            variables[
                VariableName(instance: instance.record.key, scope: instance.key(of: scope), name: name)] = value
        case .jobCreated(let ordinal, let key, let retries, let priority, let type):
            instance.path.mark(.job, ordinal, key: key, at: now, since: startedAt)
            guard let position = instance.position(of: ordinal) else { return }
            instance.live[position].job = key
            instance.live[position].isAnswered = false
            jobs[key] = NewJob(
                instance: instance, node: instance.live[position].node, elementKey: instance.live[position].key,
                type: type, retries: retries, priority: priority, createdAt: now)
        case .jobActivated(let ordinal, let worker, let until):
            change(jobOf: ordinal, instance) { key in JobChange(key: key, state: 1, worker: worker, deadline: until) }
        case .jobCompleted(let ordinal), .jobErrorThrown(let ordinal, _, _):
            guard let position = instance.position(of: ordinal) else { return }
            end(job: instance.live[position].job)
            instance.live[position].job = 0
            instance.live[position].isAnswered = true
        case .jobFailed(let ordinal, let retries, let until, let message):
            logger.debug(
                "A job attempt failed",
                metadata: [
                    "process.instance.id": "\(instance.record.key)",
                    "element.instance.id": "\(instance.key(of: ordinal))", "job.retries": "\(retries)",
                ])
            instance.path.mark(.jobFailed, ordinal, at: now, since: startedAt)
            let (state, now) = (UInt8(retries == 0 ? 3 : 2), now)
            change(jobOf: ordinal, instance) { key in
                JobChange(
                    key: key, state: until > now || retries == 0 ? state : 0, retries: Int(retries),
                    deadline: until > now ? until : nil, errorMessage: message)
            }
        case .jobBackoffEnded(let ordinal), .jobLockExpired(let ordinal):
            change(jobOf: ordinal, instance) { key in JobChange(key: key, state: 0) }
        case .jobRetriesUpdated(let ordinal, let retries):
            guard let position = instance.position(of: ordinal) else { return }
            // New attempts offer a job again when they follow the end of its incident; else it stays as it is.
            let state: UInt8? = instance.live[position].isResolved ? 0 : nil
            instance.live[position].isResolved = false
            change(jobOf: ordinal, instance) { key in JobChange(key: key, state: state, retries: Int(retries)) }
        case .jobDeadlineUpdated(let ordinal, let until):
            change(jobOf: ordinal, instance) { key in JobChange(key: key, state: nil, deadline: until) }
        case .userTaskCreated(let ordinal, let task): begin(task, ordinal, of: instance)
        case .userTaskAssigned(let ordinal, let assignee):
            guard let key = instance.position(of: ordinal).map({ instance.live[$0].userTask }) else { return }
            if userTasks[key] != nil {
                userTasks[key]?.assignee = assignee
            } else {
                batch.userTaskChanges.append(UserTaskChange(key: key, assignee: .some(assignee)))
            }
            audit("assign-task", "\(key)", assignee)
        case .userTaskCompleted(let ordinal):
            guard let position = instance.position(of: ordinal) else { return }
            audit("complete-task", "\(instance.live[position].userTask)")
            end(userTask: instance.live[position].userTask, state: 1)
            instance.live[position].userTask = 0
            instance.live[position].isAnswered = true
        case .timerCreated(let ordinal, let key, let node, let dueAt, _, _):
            instance.timers.append((key, ordinal))
            timers[key] = TimerRecord(
                key: key, instanceKey: instance.record.key, elementInstanceKey: instance.key(of: ordinal),
                definitionKey: instance.record.definitionKey, elementID: instance.elementID(node), dueAt: dueAt)
        case .timerFired(let key):
            end(timer: key)
            instance.timers.removeAll { $0.key == key }
        case .waitClosed(let key):
            // Of a timer, or of a wait the records do not show.
            end(timer: key)
            instance.timers.removeAll { $0.key == key }
        case .timerRescheduled(let key, let dueAt, _):
            if timers[key] != nil {
                timers[key]?.dueAt = dueAt
            } else {
                batch.timerChanges.append(TimerChange(key: key, dueAt: dueAt))
            }
        case .subscriptionCorrelated(_, let message, _):
            change(message: message, state: 1, instance: instance.record.key)
        case .decisionEvaluated(let ordinal, let evaluated):
            add(evaluated, of: instance, elementKey: instance.key(of: ordinal))
        case .incidentRaised(let ordinal, let key, _, let type, let message):
            instance.path.mark(.incident, ordinal, key: key, at: now, since: startedAt)
            instance.record.openIncidents += 1
            guard let position = instance.position(of: ordinal) else { return }
            instance.live[position].incident = key
            if instance.live[position].isAnswered {
                instance.path.mark(.answered, ordinal, at: now, since: startedAt)
            }
            let live = instance.live[position]
            let parts = IncidentText(message)
            incidents[key] = IncidentRecord(
                key: key, instanceKey: instance.record.key, elementInstanceKey: live.key,
                definitionKey: instance.record.definitionKey, elementID: instance.elementID(live.node),
                jobKey: live.job == 0 ? nil : live.job, type: type, message: parts.message, remedy: parts.remedy,
                createdAt: now, resolvedAt: nil)
            logger.warning(
                "An incident was raised",
                metadata: [
                    "process.instance.id": "\(instance.record.key)",
                    "process.id": "\(instance.definition?.process.id ?? "")",
                    "element.id": "\(instance.elementID(live.node))", "element.instance.id": "\(live.key)",
                    "incident.id": "\(key)", "error.code": "\(type)",
                ])
        case .incidentResolved(let ordinal):
            instance.path.mark(.incidentResolved, ordinal, at: now, since: startedAt)
            guard let position = instance.position(of: ordinal) else { return }
            audit("resolve-incident", "\(instance.live[position].incident)")
            end(incident: instance.live[position].incident, of: instance)
            instance.live[position].incident = 0
            instance.live[position].isResolved = true
        default:
            break
        }
    }

    private func begin(_ task: UserTaskCreated, _ ordinal: UInt32, of instance: InstanceProjection) {
        instance.path.mark(.userTask, ordinal, key: task.key, at: now, since: instance.record.startedAt)
        guard let position = instance.position(of: ordinal) else { return }
        instance.live[position].userTask = task.key
        instance.live[position].isAnswered = false
        let live = instance.live[position]
        let node = instance.definition?.process.nodes[Int(live.node)]
        userTasks[task.key] = UserTaskRecord(
            key: task.key, instanceKey: instance.record.key, elementInstanceKey: live.key,
            definitionKey: instance.record.definitionKey, elementID: node?.id ?? "", name: node?.name, state: 0,
            assignee: task.assignee, candidateGroups: task.candidateGroups, candidateUsers: task.candidateUsers,
            priority: Int(task.priority), dueDate: task.dueDate, followUpDate: task.followUpDate,
            formKey: node?.userTask?.formKey, createdAt: now, endedAt: nil)
    }

    /// An element instance ended: so did whatever belongs to it.
    private func end(_ ordinal: UInt32, of instance: InstanceProjection) {
        guard let position = instance.position(of: ordinal) else { return }
        let live = instance.live.remove(at: position)
        if live.job != 0 { end(job: live.job) }
        if live.userTask != 0 { end(userTask: live.userTask, state: 2) }
        if live.incident != 0 { end(incident: live.incident, of: instance) }
        if instance.definition?.process.nodes[Int(live.node)].hasTimers ?? true {
            endTimers(live.key, ordinal, of: instance)
        }
    }

    private func endTimers(_ elementKey: UInt64, _ ordinal: UInt32, of instance: InstanceProjection) {
        for timer in instance.timers where timer.ordinal == ordinal { end(timer: timer.key) }
        instance.timers.removeAll { $0.ordinal == ordinal }
        batch.endedTimerOwners.append((instance.record.key, elementKey))
    }

    /// The timers of event sub-processes of the process itself end with the instance.
    private func endTimersOfProcess(_ instance: InstanceProjection) {
        guard instance.definition?.process.nodes[0].hasTimers ?? true else { return }
        endTimers(instance.record.key, 0, of: instance)
    }

    // MARK: Rows

    private func change(jobOf ordinal: UInt32, _ instance: InstanceProjection, _ make: (UInt64) -> JobChange) {
        guard let position = instance.position(of: ordinal), instance.live[position].job != 0 else { return }
        let key = instance.live[position].job
        var change = make(key)
        if let earlier = jobs[key]?.change ?? jobChanges[key] {
            if change.state == nil {
                change.state = earlier.state
                if change.worker == nil { change.worker = earlier.worker }
                if change.deadline == nil { change.deadline = earlier.deadline }
            }
            if change.retries == nil { change.retries = earlier.retries }
            if change.errorMessage == nil { change.errorMessage = earlier.errorMessage }
        }
        if jobs[key] != nil { jobs[key]?.change = change } else { jobChanges[key] = change }
    }

    private func end(job key: UInt64) {
        guard key != 0, jobs.removeValue(forKey: key) == nil else { return }
        jobChanges[key] = nil
        batch.endedJobs.append(key)
    }

    private func end(userTask key: UInt64, state: UInt8) {
        if userTasks[key] != nil {
            userTasks[key]?.state = state
            userTasks[key]?.endedAt = now
        } else {
            batch.userTaskChanges.append(UserTaskChange(key: key, state: state, endedAt: now))
        }
    }

    private func end(incident key: UInt64, of instance: InstanceProjection) {
        instance.record.openIncidents -= 1
        if incidents[key] != nil {
            incidents[key]?.resolvedAt = now
        } else {
            batch.incidentChanges.append(IncidentChange(key: key, resolvedAt: now))
        }
    }

    private func end(timer key: UInt64) {
        if timers.removeValue(forKey: key) == nil { batch.endedTimers.append(key) }
    }

    private func change(message key: UInt64, state: UInt8, instance: UInt64?) {
        if let known = messages[key] {
            messages[key]?.state = known.state == 1 ? 1 : state
            if let instance { messages[key]?.instanceKey = instance }
        } else {
            batch.messageChanges.append(MessageChange(key: key, state: state, instanceKey: instance))
        }
    }

    private func add(_ deployed: ProcessDeployed) {
        let process = definitions.definition(key: Key(rawValue: deployed.key))?.process
        batch.definitions.append(
            ProcessDefinitionRecord(
                key: deployed.key, processID: deployed.processID, version: Int(deployed.version),
                versionTag: process?.versionTag, name: process?.name, resourceName: deployed.resourceName,
                deploymentKey: deployed.deploymentKey, resource: deployed.resource, deployedAt: now))
        audit("deploy", "\(deployed.key)", deployed.processID)
        logger.info(
            "A process was deployed",
            metadata: [
                "process.definition.id": "\(deployed.key)", "process.id": "\(deployed.processID)",
                "process.version": "\(deployed.version)",
            ])
    }

    /// Applies a change to a dead letter of this transaction, or notes it for one of an earlier one.
    private func change(_ change: DeadLetterChange) {
        if deadLetters[change.key] == nil {
            batch.deadLetterChanges.append(change)
        } else {
            deadLetters[change.key]?.apply(change)
        }
    }

    private func record(_ letter: DeadLetterRecorded) -> DeadLetterRecord {
        var record = DeadLetterRecord(
            key: letter.key, origin: letter.origin, coordinates: letter.coordinates, dedupeKey: letter.dedupeKey,
            stage: letter.stage, errorCode: letter.errorCode, errorMessage: letter.errorMessage,
            contentType: letter.contentType, payload: letter.payload, state: letter.context.state,
            redriveCount: Int(letter.redriveCount), createdAt: now, endedAt: nil)
        record.kind = letter.context.kind
        record.connection = letter.context.connection
        record.jobKey = letter.context.jobKey == 0 ? nil : letter.context.jobKey
        record.parentKey = letter.context.parentKey == 0 ? nil : letter.context.parentKey
        record.orderingKey = letter.context.orderingKey
        record.schemaID = letter.context.schemaID
        record.headers = letter.context.headers
        record.report = letter.context.report
        record.originalPayload = letter.context.originalPayload
        return record
    }

    /// Notes what somebody asked for; what the engine did by itself is in the path.
    func audit(_ action: String, _ object: String, _ detail: String? = nil) {
        guard !actor.isEmpty else { return }
        batch.audit.append(
            AuditRecord(key: auditKey, at: now, actor: actor, action: action, object: object, detail: detail))
        auditKey += 1
    }
}

/// Splits an incident's text into what happened and what to do: the last sentence is the remedy.
private struct IncidentText {
    let message: String
    let remedy: String

    init(_ text: String) {
        guard let end = text.range(of: ". ", from: text.endIndex) else {
            message = text
            remedy = "Remove the cause, then resolve the incident."
            return
        }
        message = text[..<end.lowerBound] + "."
        remedy = String(text[end.upperBound...])
    }
}

extension String {
    /// The last occurrence of a text, found without Foundation.
    fileprivate func range(of needle: String, from end: Index) -> Range<Index>? {
        guard let found = self[..<end].ranges(of: needle).last else { return nil }
        return found
    }
}

extension FlowNode {
    /// Whether element instances of this node may have timers.
    var hasTimers: Bool {
        if case .timer? = event { return true }
        return !boundaryEvents.isEmpty || !triggers.isEmpty || !eventSubProcesses.isEmpty || kind == .eventBasedGateway
    }
}

extension DeadLetterChange {
    /// The change an event stands for.
    fileprivate init(key: UInt64, _ changed: DeadLetterChanged, at now: Int64) {
        self.init(key: key, updatedAt: now)
        self.state = changed.state
        self.payload = changed.payload
        self.redriveCount = changed.redriveCount.map { Int($0) }
        self.report = changed.report
    }
}
