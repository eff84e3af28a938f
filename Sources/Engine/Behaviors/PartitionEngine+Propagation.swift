import ProcessModel
import Values

/// Errors and escalations on their way outwards, to the nearest catcher (BPMN 2.0.2 clause 13.5.3).
extension PartitionEngine {
    /// Where an error or escalation is caught.
    private struct Catcher {
        var instance: ProcessInstance
        /// The activity of the boundary event, or the scope of the event sub-process.
        var ordinal: UInt32
        /// The boundary event, or the start event of the event sub-process.
        var event: FlowNode
    }

    /// Throws a BPMN error: the nearest enclosing boundary event or event sub-process that catches the code, the exact
    /// code before any code, interrupts its activity; called processes pass it on to their caller.
    ///
    /// Uncaught, it becomes an incident where it was thrown.
    func throwError(
        _ code: String, message: String?, variables: VariableDocument, from ordinal: UInt32,
        of instance: ProcessInstance
    ) {
        let catcher = catcher(from: ordinal, of: instance) { definition in
            guard case .error(let caught) = definition else { return nil }
            return Self.rank(caught, code)
        }
        if let catcher {
            occur(catcher, variables: variables)
            return
        }
        let detail = message.map { ": \($0)" } ?? ""
        raiseIncident(
            ordinal, of: instance, kind: .unhandledError, type: "UNHANDLED_ERROR_EVENT",
            message: """
                Expected an error boundary event or event sub-process for the code `\(code)`\(detail), but none of the \
                enclosing scopes has one. Resolving the incident tries the element again; to handle the error, deploy \
                a version that catches it.
                """)
    }

    /// Throws an escalation; nobody needs to catch it.
    func throwEscalation(
        _ code: String, variables: VariableDocument, from ordinal: UInt32, of instance: ProcessInstance
    ) {
        let catcher = catcher(from: ordinal, of: instance) { definition in
            guard case .escalation(let caught) = definition else { return nil }
            return Self.rank(caught, code)
        }
        if let catcher { occur(catcher, variables: variables) }
    }

    /// How well a catcher fits a code: 2 for this code, 1 for any code, nil not at all.
    private static func rank(_ caught: String?, _ code: String) -> Int? {
        guard let caught else { return 1 }
        return caught == code ? 2 : nil
    }

    private func occur(_ catcher: Catcher, variables: VariableDocument) {
        guard let position = catcher.instance.position(of: catcher.ordinal) else { return }
        if catcher.event.kind == .startEvent {
            startEventSubProcess(catcher.event, in: catcher.ordinal, of: catcher.instance, variables: variables)
        } else {
            let scope = catcher.instance.elements[position].scope
            if catcher.event.isInterrupting { terminate(catcher.ordinal, of: catcher.instance) }
            continueFrom(catcher.event, scope: scope, of: catcher.instance, variables: variables)
        }
    }

    /// Looks for a catcher from an element outwards.
    ///
    /// What comes out of an event sub-process is not for the other event sub-processes of the same scope: an interrupting
    /// one has ended what they could handle.
    private func catcher(
        from ordinal: UInt32, of instance: ProcessInstance, _ rank: (EventDefinition) -> Int?
    ) -> Catcher? {
        var current = ordinal
        var place = instance
        var cameFromEventSubProcess = false
        while let position = place.position(of: current) {
            let element = place.elements[position]
            let node = place.process.nodes[Int(element.node)]
            let isThrower = current == ordinal && place === instance
            if node.kind.isScope, !isThrower, element.role != .multiInstanceBody, !cameFromEventSubProcess {
                let starts = node.eventSubProcesses.compactMap { place.process.nodes[$0].start }
                if let start = best(of: starts, in: place.process, rank) {
                    return Catcher(instance: place, ordinal: current, event: start)
                }
            }
            cameFromEventSubProcess = node.kind == .eventSubProcess
            if element.role != .multiInstanceInner, element.role != .compensation,
                let boundary = best(of: node.boundaryEvents, in: place.process, rank)
            {
                return Catcher(instance: place, ordinal: current, event: boundary)
            }
            if current != 0 {
                current = element.scope
            } else if place.parent != 0, let caller = self.instance(place.parent) {
                current = place.parentOrdinal
                place = caller
                cameFromEventSubProcess = false
            } else {
                return nil
            }
        }
        return nil
    }

    private func best(
        of events: [Int], in process: ExecutableProcess, _ rank: (EventDefinition) -> Int?
    ) -> FlowNode? {
        var found: (event: FlowNode, rank: Int)?
        for index in events {
            let event = process.nodes[index]
            for definition in event.triggers.isEmpty ? [index] : event.triggers {
                guard let definition = process.nodes[definition].event, let rank = rank(definition) else { continue }
                if rank > found?.rank ?? 0 { found = (event, rank) }
            }
        }
        return found?.event
    }
}
