import Decisions
import ProcessModel
import Values

/// What happens when an event an element waits for occurs.
extension PartitionEngine {
    /// An event occurred that the element instance `ordinal` waits for; `variables` come with it.
    ///
    /// `node` is the event or, of an event with several definitions, the one that occurred. The element is the catch
    /// event itself, the activity of a boundary event, the scope of an event sub-process, or the event-based gateway
    /// before the event. A boundary event or event sub-process that does not interrupt leaves it as it is (BPMN 2.0.2
    /// clause 13.5.3, WCP-19).
    func trigger(
        _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance, variables: VariableDocument
    ) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let performed = instance.process.nodes[Int(element.node)]
        let event = node.triggerOf.map { instance.process.nodes[$0] } ?? node
        if case .multiple(isParallel: true)? = event.event {
            if isWaiting(ordinal, of: instance, forAnyOf: event.triggers) {
                mergeVariables(variables, from: ordinal, of: instance)
                return
            }
            if !event.isInterrupting, event.kind == .boundaryEvent || performed.kind.isScope {
                rearm(event, ordinal, of: instance)
            }
        }
        switch event.kind {
        case .boundaryEvent:
            if event.isInterrupting { terminate(ordinal, of: instance) }
            continueFrom(event, scope: element.scope, of: instance, variables: variables)
        case .startEvent where performed.kind.isScope:
            startEventSubProcess(event, in: ordinal, of: instance, variables: variables)
        case _ where performed.kind == .eventBasedGateway:
            choose(event, behind: ordinal, element, of: instance, variables: variables)
        default:
            if performed.outputs.isEmpty {
                mergeVariables(variables, from: ordinal, of: instance)
            } else {
                for member in variables.members {
                    emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
                }
            }
            steps.append(.leave(instance, ordinal: ordinal))
        }
    }

    /// Waits again for all definitions of an event that has occurred.
    private func rearm(_ event: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        do {
            open(try waits(of: event, evaluatedIn: ordinal, of: instance), ordinal, of: instance, again: true)
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
        }
    }

    /// Performs an event that has occurred and goes on behind it.
    func continueFrom(
        _ node: FlowNode, flow: Int32 = -1, scope: UInt32, of instance: ProcessInstance, variables: VariableDocument
    ) {
        if node.outputs.isEmpty {
            mergeVariables(variables, from: scope, of: instance)
            pass(node, flow: flow, scope: scope, of: instance)
        } else {
            let ordinal = instance.nextOrdinal
            emitActivated(node, flow: flow, scope: scope, role: .single, of: instance)
            for member in variables.members {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            }
            emit(.elementEntered(ordinal: ordinal), on: instance)
            leave(ordinal, of: instance)
        }
        completeScopeIfDone(scope, of: instance)
    }

    // MARK: Event sub-processes

    /// Starts an event sub-process (BPMN 2.0.2 clause 13.5.4): instead of what its scope does when it interrupts, beside
    /// it otherwise.
    func startEventSubProcess(
        _ start: FlowNode, in scope: UInt32, of instance: ProcessInstance, variables: VariableDocument
    ) {
        if start.isInterrupting {
            terminateContents(of: scope, in: instance)
            closeWaits(scope, of: instance) { $0.kind == .startEvent }
            endPlan(scope, of: instance)
        }
        let node = instance.process.nodes[start.scope]
        let ordinal = instance.nextOrdinal
        emitActivated(node, flow: -1, scope: scope, role: .single, of: instance)
        if start.outputs.isEmpty {
            mergeVariables(variables, from: ordinal, of: instance)
        } else {
            for member in variables.members {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            }
            applyOutputs(start, ordinal, scope: ordinal, of: instance)
        }
        enter(ordinal, of: instance)
    }

    // MARK: Conditions

    /// A condition that is waited for became true (BPMN 2.0.2 clause 10.5.5.3).
    func occur(condition key: UInt64, of instance: ProcessInstance) {
        guard state.instances[instance.key] === instance,
            let condition = instance.conditions.first(where: { $0.key == key })
        else { return }
        let node = instance.process.nodes[Int(condition.node)]
        if !staysOpen(node, in: instance.process) { emit(.waitClosed(key: key), on: instance) }
        trigger(node, condition.ordinal, of: instance, variables: .empty)
    }

    /// Evaluates the conditions of instances whose variables changed; each occurs when it becomes true.
    func evaluateConditions() {
        while let instance = changedConditions.popLast() {
            for armed in instance.conditions {
                guard state.instances[instance.key] === instance,
                    let condition = instance.conditions.first(where: { $0.key == armed.key }),
                    case .conditional(let expression)? = instance.process.nodes[Int(condition.node)].event
                else { continue }
                scopeView.point(at: condition.ordinal, of: instance, now: state.now)
                let holds = expression.evaluateCondition(scopeView) == true
                guard holds != condition.holds else { continue }
                emit(.conditionEvaluated(key: condition.key, holds: holds), on: instance)
                if holds { occur(condition: condition.key, of: instance) }
            }
        }
    }

    // MARK: Signals

    /// Delivers a signal to everybody who waits for it, in this partition now and in the others with this batch, and
    /// starts the processes that begin with it.
    @discardableResult
    func broadcast(_ name: String, _ variables: VariableDocument) -> UInt64 {
        let key = newKey()
        emit(.signalBroadcast(key: key, name: name))
        deliver(signal: name, variables)
        for (definition, start) in definitions.signalStarts(name: name) {
            startInstance(
                InstanceCreated(
                    key: newKey(), definitionKey: definition.key.rawValue, parent: 0, parentOrdinal: 0,
                    parentElementKey: 0, depth: 0, businessID: nil),
                start: start, variables: variables)
        }
        for target in 0..<partitionCount where target != partition {
            send(.signal(name: name, variables: variables), to: target)
        }
        return key
    }

    /// Delivers a signal to the instances of this partition, the longest waiting first.
    func deliver(signal name: String, _ variables: VariableDocument) {
        for (key, owner) in (state.signals[name] ?? [:]).sorted(by: { $0.key < $1.key }) {
            guard let instance = instance(owner), let signal = instance.signals.first(where: { $0.key == key }) else {
                continue
            }
            let node = instance.process.nodes[Int(signal.node)]
            emit(.signalCaught(key: key, stays: staysOpen(node, in: instance.process)), on: instance)
            trigger(node, signal.ordinal, of: instance, variables: variables)
        }
    }
}
