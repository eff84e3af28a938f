import Decisions
import ProcessModel
import Values

/// Multi-instance activities (BPMN 2.0.2 clause 13.3.7; WCP-13, WCP-14, WCP-34).
extension PartitionEngine {
    /// How many inner instances one body may have.
    static let loopCountMax: Int64 = 1_000_000

    func enterBody(_ ordinal: UInt32, _ node: FlowNode, of instance: ProcessInstance) {
        guard let loop = node.multiInstance, let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        do {
            let waits = try boundaryWaits(node, ordinal, element, of: instance)
            let (count, items) = try loopItems(loop, node, ordinal, of: instance)
            emit(.elementEntered(ordinal: ordinal), on: instance)
            emit(.loopStarted(ordinal: ordinal, count: count, items: items), on: instance)
            open(waits, ordinal, of: instance)
            if count == 0 {
                leaveBody(ordinal, of: instance)
            } else if loop.isSequential {
                pushInner(instance, body: ordinal, position: 0)
            } else {
                for position in 0..<count { pushInner(instance, body: ordinal, position: position) }
            }
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
        }
    }

    private func loopItems(
        _ loop: MultiInstanceDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> (count: Int32, items: [Value]?) {
        if let collection = loop.collection {
            let value = evaluate(collection, ordinal, of: instance)
            guard case .list(let items) = value else {
                throw EvaluationFailure(
                    type: "EXTRACT_VALUE_ERROR",
                    message: """
                        Expected the collection `\(collection.source)` of \(node.id) to be a list, but it is \
                        \(value.typeName). Set the variables it reads and resolve the incident.
                        """)
            }
            guard items.count <= Int(Self.loopCountMax) else { throw tooMany(node, items.count) }
            return (Int32(items.count), items)
        }
        guard let cardinality = loop.cardinality else { return (0, nil) }
        let value = evaluate(cardinality, ordinal, of: instance)
        guard let count = value.asInt64, count >= 0 else {
            throw EvaluationFailure(
                type: "EXTRACT_VALUE_ERROR",
                message: """
                    Expected the cardinality `\(cardinality.source)` of \(node.id) to be a whole number from 0, but it \
                    is \(value.typeName). Set the variables it reads and resolve the incident.
                    """)
        }
        guard count <= Self.loopCountMax else { throw tooMany(node, Int(count)) }
        return (Int32(count), nil)
    }

    private func tooMany(_ node: FlowNode, _ count: Int) -> EvaluationFailure {
        EvaluationFailure(
            type: "EXTRACT_VALUE_ERROR",
            message: """
                Expected at most \(Self.loopCountMax) instances of \(node.id), but \(count) were asked for. Split the \
                collection and resolve the incident.
                """)
    }

    /// Creates and enters the inner instance at a position of the loop.
    func createInner(_ index: Int32, of body: UInt32, in instance: ProcessInstance) {
        guard let position = instance.position(of: body) else { return }
        let node = instance.process.nodes[Int(instance.elements[position].node)]
        let items = instance.elements[position].detail?.loop?.items
        let ordinal = instance.nextOrdinal
        emitActivated(
            node, flow: -1, scope: body, role: .multiInstanceInner, loopCounter: index + 1, of: instance)
        if let name = node.multiInstance?.inputElement, let items, Int(index) < items.count {
            emit(
                .variableSet(scope: ordinal, name: name, value: VariableValue(items[Int(index)])), on: instance)
        }
        enter(ordinal, of: instance)
    }

    /// Ends an inner instance: collects its output, then goes on with the loop.
    func leaveInner(_ ordinal: UInt32, _ element: ElementInstance, _ node: FlowNode, of instance: ProcessInstance) {
        let body = element.scope
        if let loop = node.multiInstance, loop.outputCollection != nil, let output = loop.outputElement {
            let value = evaluate(output, ordinal, of: instance)
            emit(.loopOutput(ordinal: body, position: element.loopCounter - 1, value: value), on: instance)
        }
        end(ordinal, of: instance)
        continueLoop(body, node, of: instance)
    }

    private func continueLoop(_ body: UInt32, _ node: FlowNode, of instance: ProcessInstance) {
        guard let loop = node.multiInstance, let position = instance.position(of: body),
            let progress = instance.elements[position].detail?.loop
        else { return }
        if let condition = loop.completionCondition {
            scopeView.point(at: body, of: instance, now: state.now)
            guard let isDone = condition.evaluateCondition(scopeView) else {
                raiseIncident(
                    body, of: instance, kind: .completion, type: "CONDITION_ERROR",
                    message: """
                        Expected the completion condition `\(condition.source)` of \(node.id) to be true or false. \
                        Set the variables it reads and resolve the incident.
                        """)
                return
            }
            if isDone {
                terminateContents(of: body, in: instance)
                leaveBody(body, of: instance)
                return
            }
        }
        if loop.isSequential, progress.created < progress.count {
            pushInner(instance, body: body, position: progress.created)
        } else if progress.completed == progress.count {
            leaveBody(body, of: instance)
        }
    }

    /// Ends a body: its output collection becomes a variable of the enclosing scope.
    func leaveBody(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let node = instance.process.nodes[Int(element.node)]
        if let name = node.multiInstance?.outputCollection, let loop = element.detail?.loop {
            let values = (0..<loop.count).map { loop.outputs[$0] ?? .null }
            mergeVariable(name, VariableValue(.list(values)), from: element.scope, of: instance)
        }
        leave(ordinal, of: instance)
    }

    /// Goes on after an incident of a body: its completion condition while it is active, leaving it afterwards.
    func resumeBody(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        if element.state == .completing {
            leaveBody(ordinal, of: instance)
        } else {
            continueLoop(ordinal, instance.process.nodes[Int(element.node)], of: instance)
        }
    }
}
