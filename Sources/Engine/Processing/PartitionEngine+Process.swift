import Decisions
import ProcessModel
import Values

/// The processors: from a command to events and effects.
extension PartitionEngine {
    /// Processes one command at a time `now` (Unix milliseconds; a time before the last one counts as the last one).
    ///
    /// The instances it moves run on to their next wait states. Never throws: a command that cannot be carried out is
    /// answered with a rejection and changes nothing.
    public func process(_ envelope: CommandEnvelope, now: Int64) {
        commandCounter += 1
        state.now = Swift.max(state.now, now)
        beginSteps()
        if let actor = envelope.actor {
            record(actor: actor)
            hasActor = true
        } else if hasActor {
            record(actor: "")
            hasActor = false
        }
        let reply = perform(envelope.command, request: envelope.request)
        runSegment()
        handleLocalMessages()
        settleEvents()
        if envelope.request != 0, let reply { effects.append(.reply(request: envelope.request, reply)) }
    }

    private func record(actor: String) {
        if writtenTime != state.now {
            codec.write(.time(state.now), into: &writer)
            writtenTime = state.now
        }
        codec.write(.actor(actor), into: &writer)
    }

    func handleLocalMessages() {
        var next = 0
        while next < localMessages.count {
            let message = localMessages[next]
            next += 1
            beginSteps()
            handle(message)
            runSegment()
        }
        localMessages.removeAll(keepingCapacity: true)
    }

    /// Does what the command asks; nil when the answer was given already.
    private func perform(_ command: Command, request: UInt64) -> Reply? {
        switch command {
        case .createInstance(let new): return createInstance(new)
        case .cancelInstance(let key): return cancelInstance(key)
        case .completeJob(let key, let variables): return completeJob(key, variables)
        case .failJob(let key, let retries, let backoff, let message, let variables):
            return failJob(key, retries, backoff, message, variables)
        case .postponeJob(let key, let milliseconds, let message): return postponeJob(key, milliseconds, message)
        case .throwJobError(let key, let code, let message, let variables):
            return throwJobError(key, code, message, variables)
        case .updateJob(let key, let retries, let timeout): return updateJob(key, retries, timeout)
        case .activateJobs(let activation): return activateJobs(activation)
        case .completeUserTask(let key, let variables): return completeUserTask(key, variables)
        case .assignUserTask(let key, let assignee, let allowOverride):
            return assignUserTask(key, assignee, allowOverride)
        case .resolveIncident(let key): return resolveIncident(key)
        case .setVariables(let scope, let variables, let local):
            return setVariables(scope, variables, local)
        case .publishMessage(let message): return publishMessage(message)
        case .broadcastSignal(let signal): return broadcastSignal(signal)
        case .correlate(let new): return correlateEvent(new)
        case .startByConditions(let definitions, let variables): return startByConditions(definitions, variables)
        case .activateAdHoc(let key, let activities, let cancelsRunning):
            return activateAdHoc(key, activities, cancelsRunning)
        case .evaluateDecision(let decision, let variables): return evaluateDecision(decision, variables)
        case .deploy(let processes, let decisions): return deploy(processes, decisions)
        case .recordDeadLetter(let letter): return recordDeadLetter(letter)
        case .endDeadLetter(let key, let outcome): return endDeadLetter(key, outcome)
        case .changeDeadLetter(let key, let change): return changeDeadLetter(key, change)
        case .purgeDeadLetters(let keys): return purgeDeadLetters(keys)
        case .receive(let payload):
            receive(payload)
            return nil
        case .tick:
            fireDue()
            return nil
        }
    }

    // MARK: Process instances

    private func createInstance(_ new: NewInstance) -> Reply {
        let process = new.definition.process
        guard process.noneStart != nil || !process.nodes[0].implicitStarts.isEmpty else {
            return .rejected(
                CommandRejection(
                    .invalidArgument,
                    "Process \(process.id) has no none start event, so it cannot be started by hand",
                    remedy: "Publish the message it starts with, or add a none start event."))
        }
        let start = process.noneStart
        if let key = new.uniqueKey {
            let text = "start:\(new.definition.process.id):\(key)"
            if let existing = uniqueOwner(text) {
                if new.awaitsEnd, existing.definition != 0 { awaited.insert(existing.owner) }
                return .created(key: existing.owner, definition: existing.definition, alreadyExisted: true)
            }
            let instanceKey = newKey()
            emit(
                .uniqueKeyReserved(
                    key: text, owner: instanceKey, expiresAt: time(after: new.uniqueMilliseconds)))
            return begin(new, instanceKey, start)
        }
        return begin(new, newKey(), start)
    }

    /// Keeps the event behind a command with what came of it, when it is to be kept.
    func keep(_ received: ReceivedEvent?, _ effect: EventEffect, _ key: UInt64) {
        guard let received else { return }
        emit(.eventReceived(EventReceived(key: newKey(), effect: effect, effectKey: key, received: received)))
    }

    private func begin(_ new: NewInstance, _ key: UInt64, _ start: Int?) -> Reply {
        if new.awaitsEnd { awaited.insert(key) }
        keep(new.received, .started, key)
        startInstance(
            InstanceCreated(
                key: key, definitionKey: new.definition.key.rawValue, parent: 0, parentOrdinal: 0,
                parentElementKey: 0, depth: 0, businessID: new.businessID),
            start: start, variables: new.variables)
        return .created(key: key, definition: new.definition.key.rawValue, alreadyExisted: false)
    }

    /// Who holds a unique key, when it is taken and not over; the definition is 0 when the instance has ended.
    func uniqueOwner(_ text: String) -> (owner: UInt64, definition: UInt64)? {
        guard let hash = uniqueSlot(text), let taken = state.uniqueKeys[hash], taken.expiresAt > state.now else {
            return nil
        }
        return (taken.owner, instance(taken.owner)?.definition.key.rawValue ?? 0)
    }

    private func cancelInstance(_ key: UInt64) -> Reply {
        guard let instance = instance(key) else { return .rejected(notFound("process instance", key)) }
        guard instance.parent == 0 else {
            return .rejected(
                CommandRejection(
                    .invalidState, "Process instance \(key) was called by process instance \(instance.parent)",
                    remedy: "Cancel the root instance instead."))
        }
        terminateInstance(instance)
        return .done
    }

    private func setVariables(
        _ scope: UInt64, _ variables: VariableDocument, _ local: Bool
    ) -> Reply {
        guard let (instance, ordinal) = find(scope: scope) else {
            return .rejected(notFound("element instance", scope))
        }
        for member in variables.members {
            if local {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            } else {
                mergeVariable(member.name, member.value, from: ordinal, of: instance)
            }
        }
        return .done
    }

    /// The instance and ordinal behind a scope's key: an instance's own, or that of one of its element instances.
    func find(scope: UInt64) -> (ProcessInstance, UInt32)? {
        if let instance = instance(scope) { return (instance, 0) }
        if let owner = state.owners[scope], let instance = instance(owner.instance),
            instance.ordinal(ofKey: scope) == owner.ordinal
        {
            return (instance, owner.ordinal)
        }
        for instance in state.instances.values {
            if let ordinal = instance.ordinal(ofKey: scope) { return (instance, ordinal) }
        }
        // Not in memory. The job or task of an element has the key after the element's, and its owner is known.
        guard let owner = state.owners[scope &+ 1], let instance = instance(owner.instance),
            let ordinal = instance.ordinal(ofKey: scope)
        else { return nil }
        return (instance, ordinal)
    }

    // MARK: User tasks

    private func completeUserTask(_ key: UInt64, _ variables: VariableDocument) -> Reply {
        guard let owner = state.owners[key], let instance = instance(owner.instance),
            let position = instance.position(of: owner.ordinal),
            instance.elements[position].detail?.userTask?.key == key
        else { return .rejected(notFound("user task", key)) }
        let node = instance.process.nodes[Int(instance.elements[position].node)]
        emit(.userTaskCompleted(ordinal: owner.ordinal), on: instance)
        accept(variables, node, owner.ordinal, of: instance)
        steps.append(.leave(instance, ordinal: owner.ordinal))
        return .done
    }

    private func assignUserTask(_ key: UInt64, _ assignee: String?, _ allowOverride: Bool) -> Reply {
        guard let owner = state.owners[key], let instance = instance(owner.instance),
            let position = instance.position(of: owner.ordinal),
            let task = instance.elements[position].detail?.userTask, task.key == key
        else { return .rejected(notFound("user task", key)) }
        if let current = task.assignee, assignee != nil, current != assignee, !allowOverride {
            return .rejected(
                CommandRejection(
                    .invalidState, "User task \(key) is assigned to \(current)",
                    remedy: "Unassign it first, or allow the assignment to override."))
        }
        if task.assignee != assignee {
            emit(.userTaskAssigned(ordinal: owner.ordinal, assignee: assignee), on: instance)
        }
        return .done
    }

    /// Takes the result of a piece of work: into the element when output mappings follow, else outwards.
    func accept(_ variables: VariableDocument, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        guard !variables.isEmpty else { return }
        if node.outputs.isEmpty {
            mergeVariables(variables, from: ordinal, of: instance)
        } else {
            for member in variables.members {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            }
        }
    }

    // MARK: Incidents

    private func resolveIncident(_ key: UInt64) -> Reply {
        guard let owner = state.owners[key], let instance = instance(owner.instance),
            let position = instance.position(of: owner.ordinal),
            let incident = instance.elements[position].detail?.incident, incident.key == key
        else { return .rejected(notFound("incident", key)) }
        let element = instance.elements[position]
        emit(.incidentResolved(ordinal: owner.ordinal), on: instance)
        switch incident.kind {
        case .job:
            retryJob(owner.ordinal, element, of: instance)
        case .unhandledError where element.job != nil:
            retryJob(owner.ordinal, element, of: instance)
        case .unhandledError where element.role == .multiInstanceBody:
            resumeBody(owner.ordinal, of: instance)
        case .activation, .unhandledError:
            enter(owner.ordinal, of: instance)
        case .completion:
            if element.role == .multiInstanceBody {
                resumeBody(owner.ordinal, of: instance)
            } else if instance.process.nodes[Int(element.node)].adHoc != nil {
                // Its activities may have gone on meanwhile, or still do.
                if element.state == .active, endsAdHoc(owner.ordinal, of: instance) { return .done }
                completeScopeIfDone(owner.ordinal, of: instance)
            } else {
                leave(owner.ordinal, of: instance)
            }
        }
        return .done
    }

    /// Offers the job of a resolved incident again, with the definition's attempts when none are left.
    private func retryJob(_ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance) {
        guard let job = element.job else { return }
        var retries = job.retries
        if retries == 0 {
            retries = 3
            let node = instance.process.nodes[Int(element.node)]
            if let source = node.job?.retries,
                let value = try? evaluateInteger(
                    source, what: "job retries", in: 1...10_000, ordinal, of: instance)
            {
                retries = value
            }
        }
        emit(.jobRetriesUpdated(ordinal: ordinal, retries: retries), on: instance)
    }

    func notFound(_ what: String, _ key: UInt64) -> CommandRejection {
        CommandRejection(
            .notFound, "There is no open \(what) with key \(key)",
            remedy: "It may have ended already; look it up by the process instance it belongs to.")
    }
}
