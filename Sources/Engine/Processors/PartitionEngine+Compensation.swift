import ProcessModel
import Values

/// Compensation and cancelling (BPMN 2.0.2 clauses 10.7, 13.5.5): completed activities are undone, the last first, each
/// by the handler at its compensation boundary event, by its compensation event sub-process, or by compensating what was
/// completed inside it.
///
/// The element that asks for it becomes a scope in which the handlers run, one after the other.
extension PartitionEngine {
    /// Remembers a completed activity in its scope, when it can be compensated.
    func recordCompensation(of element: ElementInstance, _ node: FlowNode, of instance: ProcessInstance) {
        guard element.role == .single || element.role == .multiInstanceBody || element.role == .multiInstanceInner
        else { return }
        let children = element.detail?.compensable ?? []
        if element.role == .multiInstanceInner {
            // The body hands on what its instances leave behind.
            for child in children {
                emit(.compensationRecorded(scope: element.scope, child), on: instance)
            }
            return
        }
        guard node.kind != .eventSubProcess else { return }
        let handlesItself = compensationStart(of: node, in: instance.process) != nil
        guard node.compensationHandler != nil || handlesItself || !children.isEmpty else { return }
        let variables =
            node.kind.isScope && element.role == .single ? localVariables(element.ordinal, of: instance) : .empty
        emit(
            .compensationRecorded(
                scope: element.scope,
                CompensationRecord(node: Int32(node.index), variables: variables, children: children)),
            on: instance)
    }

    /// The start event of the compensation event sub-process of a scope.
    private func compensationStart(of node: FlowNode, in process: ExecutableProcess) -> FlowNode? {
        for index in node.eventSubProcesses {
            guard let start = process.nodes[index].start else { continue }
            let event = process.nodes[start]
            for definition in event.triggers.isEmpty ? [start] : event.triggers {
                if case .compensation? = process.nodes[definition].event { return event }
            }
        }
        return nil
    }

    /// Compensates what a throw event names.
    ///
    /// - Returns: Whether the thrower waits for it.
    func compensate(
        _ definition: CompensationDefinition, thrower ordinal: UInt32, of instance: ProcessInstance
    ) -> Bool {
        guard let position = instance.position(of: ordinal) else { return false }
        let thrower = instance.elements[position]
        let node = definition.activity.map { Int32($0) } ?? -1
        var records: [CompensationRecord] = []
        var scope = thrower.scope
        // What an event sub-process throws is about the scope it belongs to.
        while let place = instance.position(of: scope) {
            let found = (instance.elements[place].detail?.compensable ?? []).filter { node < 0 || $0.node == node }
            if !found.isEmpty {
                emit(.compensationTaken(scope: scope, node: node), on: instance)
                records.insert(contentsOf: found, at: 0)
            }
            let kind = instance.process.nodes[Int(instance.elements[place].node)].kind
            guard kind == .eventSubProcess, scope != 0 else { break }
            scope = instance.elements[place].scope
        }
        guard !records.isEmpty else { return false }
        var driver = ordinal
        if !definition.waitsForCompletion {
            driver = instance.nextOrdinal
            emitActivated(
                instance.process.nodes[Int(thrower.node)], flow: -1, scope: thrower.scope, role: .compensation,
                of: instance)
            emit(.elementEntered(ordinal: driver), on: instance)
        }
        emit(.compensationStarted(ordinal: driver, records: records), on: instance)
        completeScopeIfDone(driver, of: instance)
        return definition.waitsForCompletion
    }

    /// Begins with the next activity to compensate, or goes on behind the compensation.
    func continueCompensation(_ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance) {
        guard let record = element.detail?.compensating?.last else {
            if element.detail?.isCancelling == true {
                finishCancelling(ordinal, element, of: instance)
            } else if element.role == .compensation {
                end(ordinal, of: instance)
                completeScopeIfDone(element.scope, of: instance)
            } else {
                leave(ordinal, of: instance)
            }
            return
        }
        emit(.compensationStepped(ordinal: ordinal), on: instance)
        let node = instance.process.nodes[Int(record.node)]
        if let handler = node.compensationHandler {
            create(instance.process.nodes[handler], flow: -1, scope: ordinal, of: instance)
            completeScopeIfDone(ordinal, of: instance)
            return
        }
        // The completed sub-process is there again, with its variables, for its handlers to run in.
        let scope = instance.nextOrdinal
        emitActivated(node, flow: -1, scope: ordinal, role: .compensation, of: instance)
        for member in record.variables.members {
            emit(.variableSet(scope: scope, name: member.name, value: member.value), on: instance)
        }
        for child in record.children { emit(.compensationRecorded(scope: scope, child), on: instance) }
        enter(scope, of: instance)
    }

    /// Compensates a completed sub-process from inside: by its event sub-process, or all it completed.
    func beginCompensation(of node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        if let start = compensationStart(of: node, in: instance.process) {
            emit(.compensationStarted(ordinal: ordinal, records: []), on: instance)
            startEventSubProcess(start, in: ordinal, of: instance, variables: .empty)
        } else {
            let records = instance.position(of: ordinal).flatMap { instance.elements[$0].detail?.compensable } ?? []
            emit(.compensationTaken(scope: ordinal, node: -1), on: instance)
            emit(.compensationStarted(ordinal: ordinal, records: records), on: instance)
        }
        completeScopeIfDone(ordinal, of: instance)
    }

    // MARK: Transactions

    /// Cancels the transaction around a cancel end event: what still runs in it ends, what was completed is compensated,
    /// then its cancel boundary event goes on (BPMN 2.0.2 clause 13.5.3).
    func cancelTransaction(around ordinal: UInt32, of instance: ProcessInstance) {
        var scope = ordinal
        while let position = instance.position(of: scope) {
            let element = instance.elements[position]
            if instance.process.nodes[Int(element.node)].kind == .transaction, element.role != .multiInstanceBody {
                cancel(scope, element, of: instance)
                return
            }
            if scope == 0 { break }
            scope = element.scope
        }
        raiseIncident(
            ordinal, of: instance, kind: .activation, type: "UNKNOWN",
            message: "Expected a transaction around the cancel event, but there is none. Deploy a corrected version.")
    }

    private func cancel(_ scope: UInt32, _ element: ElementInstance, of instance: ProcessInstance) {
        let records = element.detail?.compensable ?? []
        emit(.cancelRequested(ordinal: scope), on: instance)
        terminateContents(of: scope, in: instance)
        closeWaits(scope, of: instance) { _ in true }
        emit(.compensationTaken(scope: scope, node: -1), on: instance)
        emit(.compensationStarted(ordinal: scope, records: records), on: instance)
        completeScopeIfDone(scope, of: instance)
    }

    private func finishCancelling(_ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance) {
        let node = instance.process.nodes[Int(element.node)]
        var body = element
        if element.role == .multiInstanceInner, let position = instance.position(of: element.scope) {
            body = instance.elements[position]
        }
        let boundary = node.boundaryEvents.first { index in
            let event = instance.process.nodes[index]
            return (event.triggers.isEmpty ? [index] : event.triggers).contains { definition in
                if case .cancel? = instance.process.nodes[definition].event { true } else { false }
            }
        }
        terminate(body.ordinal, of: instance)
        if let boundary {
            continueFrom(instance.process.nodes[boundary], scope: body.scope, of: instance, variables: .empty)
        } else {
            completeScopeIfDone(body.scope, of: instance)
        }
    }
}
