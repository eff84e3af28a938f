import Decisions
import ProcessModel
import Values

/// What happens when an element instance has done its work.
extension PartitionEngine {
    /// Leaves an element: output mappings, the flows out, then its end.
    ///
    /// On failure it stays with an incident, and resolving that leaves it again.
    func leave(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard state.instances[instance.key] === instance, let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let node = instance.process.nodes[Int(element.node)]
        if element.role != .multiInstanceBody, !node.outputs.isEmpty {
            applyOutputs(node, ordinal, scope: element.scope, of: instance)
        }
        if element.role == .multiInstanceInner {
            leaveInner(ordinal, element, node, of: instance)
            return
        }
        let isAdHoc = node.scope >= 0 && instance.process.nodes[node.scope].kind == .adHocSubProcess
        switch outgoingFlows(of: node, scope: element.scope, in: instance) {
        case .one(let flow):
            end(ordinal, element, node, of: instance)
            for _ in 0..<node.completionQuantity where flow >= 0 {
                pushTake(instance, flow: flow, scope: element.scope)
            }
            if isAdHoc, endsAdHoc(element.scope, of: instance) { return }
            if flow < 0 { completeScopeIfDone(element.scope, of: instance) }
        case .many(let flows):
            end(ordinal, element, node, of: instance)
            for flow in flows {
                for _ in 0..<node.completionQuantity { pushTake(instance, flow: flow, scope: element.scope) }
            }
            if isAdHoc { _ = endsAdHoc(element.scope, of: instance) }
        case .failed(let type, let message):
            failLeaving(ordinal, element, of: instance, type: type, message: message)
        }
    }

    func failLeaving(
        _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance, type: String, message: String
    ) {
        if element.state != .completing { emit(.elementCompleting(ordinal: ordinal), on: instance) }
        raiseIncident(ordinal, of: instance, kind: .completion, type: type, message: message)
    }

    /// Ends an element that was performed; what can undo it is remembered.
    func end(_ ordinal: UInt32, _ element: ElementInstance, _ node: FlowNode, of instance: ProcessInstance) {
        if node.compensationHandler != nil || node.kind.isScope {
            recordCompensation(of: element, node, of: instance)
        }
        end(ordinal, of: instance)
    }

    /// Records the normal end of an element and closes what it waited for.
    func end(_ ordinal: UInt32, of instance: ProcessInstance) {
        closeSubscriptions(ordinal, of: instance)
        emit(.elementCompleted(ordinal: ordinal), on: instance)
    }

    /// Ends an instance whose process scope is done, and tells whoever waits for it.
    func completeInstance(_ instance: ProcessInstance) {
        let parent = instance.parent
        let wanted = parent != 0 || awaited.contains(instance.key)
        let result = wanted ? localVariables(0, of: instance) : .empty
        closeSubscriptions(0, of: instance)
        emit(.instanceCompleted, on: instance)
        if awaited.remove(instance.key) != nil {
            effects.append(.instanceEnded(key: instance.key, result: resolved(result).json))
        }
        guard parent != 0, let caller = self.instance(parent),
            let position = caller.position(of: instance.parentOrdinal)
        else { return }
        let node = caller.process.nodes[Int(caller.elements[position].node)]
        if !node.outputs.isEmpty {
            for member in result.members {
                emit(
                    .variableSet(scope: instance.parentOrdinal, name: member.name, value: member.value), on: caller)
            }
        } else if node.calledElement?.propagatesAllChildVariables == true {
            mergeVariables(result, from: instance.parentOrdinal, of: caller)
        }
        steps.append(.leave(caller, ordinal: instance.parentOrdinal))
    }

    // MARK: Termination

    /// Ends an element instance and everything inside it from outside.
    func terminate(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        terminateContents(of: ordinal, in: instance)
        if let called = instance.elements[position].detail?.calledInstance, called != 0,
            let child = self.instance(called)
        {
            terminateInstance(child)
        }
        closeSubscriptions(ordinal, of: instance)
        emit(.elementTerminated(ordinal: ordinal), on: instance)
    }

    /// Ends everything inside a scope, which itself stays.
    func terminateContents(of scope: UInt32, in instance: ProcessInstance) {
        dropSteps(instance, scope: scope)
        let inside = instance.elements.filter { $0.scope == scope && $0.ordinal != scope }.map(\.ordinal)
        for ordinal in inside.reversed() { terminate(ordinal, of: instance) }
        if instance.arrivals.contains(where: { $0.scope == scope }) {
            emit(.arrivalsDiscarded(scope: scope), on: instance)
        }
    }

    /// Ends a process instance from outside.
    func terminateInstance(_ instance: ProcessInstance) {
        terminateContents(of: 0, in: instance)
        closeSubscriptions(0, of: instance)
        emit(.instanceTerminated, on: instance)
        if awaited.remove(instance.key) != nil { effects.append(.instanceEnded(key: instance.key, result: nil)) }
    }
}
