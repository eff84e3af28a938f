import ProcessModel
import Values

/// What happens when an event an element waits for occurs.
extension PartitionEngine {
    /// The event of a catch event, receive task or boundary event occurred.
    ///
    /// `variables` come with it. For a non-interrupting boundary event the activity stays (WCP-19 and Event-based
    /// triggers; BPMN 2.0.2 clause 13.5.3).
    func trigger(
        _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance, variables: VariableDocument
    ) {
        guard let position = instance.position(of: ordinal) else { return }
        guard node.kind == .boundaryEvent else {
            if node.outputs.isEmpty {
                mergeVariables(variables, from: ordinal, of: instance)
            } else {
                for member in variables.members {
                    emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
                }
            }
            steps.append(.leave(instance, ordinal: ordinal))
            return
        }
        let scope = instance.elements[position].scope
        if node.isInterrupting { terminate(ordinal, of: instance) }
        continueFrom(node, scope: scope, of: instance, variables: variables)
    }

    /// Performs an event that has occurred and goes on behind it.
    func continueFrom(_ node: FlowNode, scope: UInt32, of instance: ProcessInstance, variables: VariableDocument) {
        if node.outputs.isEmpty {
            mergeVariables(variables, from: scope, of: instance)
            pass(node, flow: -1, scope: scope, of: instance)
        } else {
            let ordinal = instance.nextOrdinal
            emitActivated(node, flow: -1, scope: scope, role: .single, of: instance)
            for member in variables.members {
                emit(.variableSet(scope: ordinal, name: member.name, value: member.value), on: instance)
            }
            emit(.elementEntered(ordinal: ordinal), on: instance)
            leave(ordinal, of: instance)
        }
        completeScopeIfDone(scope, of: instance)
    }

    /// Throws a BPMN error: the nearest enclosing boundary event that catches the code, the exact code before any
    /// code, interrupts its activity; called processes pass it on to their caller (BPMN 2.0.2 clause 13.5.3).
    ///
    /// Uncaught, it becomes an incident where it was thrown.
    func throwError(
        _ code: String, message: String?, variables: VariableDocument, from ordinal: UInt32,
        of instance: ProcessInstance
    ) {
        var current = ordinal
        var place = instance
        while let position = place.position(of: current) {
            let element = place.elements[position]
            let node = place.process.nodes[Int(element.node)]
            if element.role != .multiInstanceInner, let boundary = catcher(of: code, at: node, in: place.process) {
                terminate(current, of: place)
                continueFrom(boundary, scope: element.scope, of: place, variables: variables)
                return
            }
            if current != 0 {
                current = element.scope
            } else if place.parent != 0, let caller = self.instance(place.parent) {
                current = place.parentOrdinal
                place = caller
            } else {
                break
            }
        }
        let detail = message.map { ": \($0)" } ?? ""
        raiseIncident(
            ordinal, of: instance, kind: .unhandledError, type: "UNHANDLED_ERROR_EVENT",
            message: """
                Expected an error boundary event for the code `\(code)`\(detail), but none of the enclosing activities \
                has one. Resolving the incident tries the element again; to handle the error, deploy a version that \
                catches it.
                """)
    }

    private func catcher(of code: String, at node: FlowNode, in process: ExecutableProcess) -> FlowNode? {
        var any: FlowNode?
        for index in node.boundaryEvents {
            let boundary = process.nodes[index]
            guard case .error(let caught)? = boundary.event else { continue }
            if caught == code { return boundary }
            if caught == nil, any == nil { any = boundary }
        }
        return any
    }
}
