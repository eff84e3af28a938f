import Decisions
import ProcessModel
import Values

/// Multi-instance activities (BPMN 2.0.2 clause 13.3.7; WCP-13, WCP-14, WCP-34).
extension PartitionEngine {
    /// How many inner instances one body may have.
    static let loopCountMax: Int64 = 1_000_000

    func enterBody(_ ordinal: UInt32, _ node: FlowNode, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        guard let loop = node.multiInstance else {
            enterLoop(ordinal, node, element, of: instance)
            return
        }
        do {
            let waits = try outerWaits(node, ordinal, element, of: instance)
            let (count, items) = try loopItems(loop, node, ordinal, of: instance)
            emit(.elementEntered(ordinal: ordinal), on: instance)
            emit(.loopStarted(ordinal: ordinal, count: count, items: items), on: instance)
            guard open(waits, ordinal, of: instance) else { return }
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
        // A loop without end never waits, unlike instances of which there are only so many.
        guard node.standardLoop == nil || mayRunOn(node, scope: body, of: instance) else {
            raiseLoopLimit(ordinal, of: instance)
            return
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
        end(ordinal, element, node, of: instance)
        if let loop = node.multiInstance {
            let hadIncident = incident(body, of: instance) != nil
            if throwBehavior(loop.behavior, body, node, of: instance) { return }
            if !hadIncident, incident(body, of: instance) != nil { return }
        }
        continueLoop(body, node, of: instance)
    }

    private func continueLoop(_ body: UInt32, _ node: FlowNode, of instance: ProcessInstance) {
        guard let position = instance.position(of: body), let progress = instance.elements[position].detail?.loop else {
            return
        }
        guard let loop = node.multiInstance else {
            continueLoop(body, node, progress, of: instance)
            return
        }
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

    // MARK: Behaviour events

    /// Throws the events of the behaviour after an instance completed (BPMN 2.0.2 clause 10.3.8).
    ///
    /// They are meant for the boundary events of the activity, which handle them beside it: none ends it. When a complex
    /// behaviour's condition holds, the remaining instances end and the activity is done (ADR-0019).
    /// - Returns: Whether the activity is done, or was ended by what was thrown.
    private func throwBehavior(
        _ behavior: MultiInstanceBehavior, _ body: UInt32, _ node: FlowNode, of instance: ProcessInstance
    ) -> Bool {
        guard let position = instance.position(of: body), let progress = instance.elements[position].detail?.loop
        else { return false }
        var events: [EventDefinition] = []
        var isDone = false
        switch behavior {
        case .all: return false
        case .none(let event): events = [event]
        case .one(let event):
            if progress.completed == 1 { events = [event] }
        case .complex(let rules):
            scopeView.point(at: body, of: instance, now: state.now)
            for rule in rules where rule.condition.evaluateCondition(scopeView) == true {
                if let event = rule.event { events.append(event) }
                isDone = true
            }
        }
        for event in events { throwToBoundary(event, body, node, of: instance) }
        guard state.instances[instance.key] === instance, instance.position(of: body) != nil else { return true }
        guard isDone else { return false }
        terminateContents(of: body, in: instance)
        leaveBody(body, of: instance)
        return true
    }

    private func throwToBoundary(
        _ event: EventDefinition, _ body: UInt32, _ node: FlowNode, of instance: ProcessInstance
    ) {
        guard let position = instance.position(of: body) else { return }
        let scope = instance.elements[position].scope
        let boundary = node.boundaryEvents.lazy.map { instance.process.nodes[$0] }.first { boundary in
            (boundary.triggers.isEmpty ? [boundary.index] : boundary.triggers).contains { definition in
                self.matches(instance.process.nodes[definition].event, event, body, of: instance)
            }
        }
        if let boundary {
            continueFrom(boundary, scope: scope, of: instance, variables: .empty)
        } else {
            throwOnly(event, node, body, of: instance)
        }
    }

    /// Whether an event definition catches what another throws.
    private func matches(
        _ caught: EventDefinition?, _ thrown: EventDefinition, _ ordinal: UInt32, of instance: ProcessInstance
    ) -> Bool {
        switch (caught, thrown) {
        case (.signal(let left)?, .signal(let right)):
            evaluate(left.name, ordinal, of: instance) == evaluate(right.name, ordinal, of: instance)
        case (.message(let left)?, .message(let right)):
            evaluate(left.name, ordinal, of: instance) == evaluate(right.name, ordinal, of: instance)
        case (.escalation(let code)?, .escalation(let other)): code == nil || code == other
        case (.error(let code)?, .error(let other)): code == nil || code == other
        default: false
        }
    }

    // MARK: Standard loops

    /// Begins a loop (BPMN 2.0.2 clause 13.3.6, WCP-21): its rounds are inner instances, one after the other.
    private func enterLoop(
        _ ordinal: UInt32, _ node: FlowNode, _ element: ElementInstance, of instance: ProcessInstance
    ) {
        guard let loop = node.standardLoop else { return }
        do {
            let waits = try outerWaits(node, ordinal, element, of: instance)
            var maximum = Int32.max
            if let source = loop.maximum {
                maximum = try evaluateInteger(
                    .expression(source), what: "loop maximum of \(node.id)", in: 0...Int64(Int32.max), ordinal,
                    of: instance)
            }
            var isWanted = maximum > 0
            if isWanted, loop.testsBefore {
                isWanted = try loopsAgain(loop, node, rounds: 0, ordinal, of: instance)
            }
            emit(.elementEntered(ordinal: ordinal), on: instance)
            emit(.loopStarted(ordinal: ordinal, count: maximum, items: nil), on: instance)
            guard open(waits, ordinal, of: instance) else { return }
            if isWanted {
                pushInner(instance, body: ordinal, position: 0)
            } else {
                leaveBody(ordinal, of: instance)
            }
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
        }
    }

    private func continueLoop(_ body: UInt32, _ node: FlowNode, _ progress: LoopState, of instance: ProcessInstance) {
        guard let loop = node.standardLoop else { return }
        do {
            var isWanted = progress.created < progress.count
            if isWanted { isWanted = try loopsAgain(loop, node, rounds: progress.created, body, of: instance) }
            if isWanted {
                pushInner(instance, body: body, position: progress.created)
            } else {
                leaveBody(body, of: instance)
            }
        } catch {
            raiseIncident(body, of: instance, kind: .completion, type: error.type, message: error.message)
        }
    }

    private func loopsAgain(
        _ loop: StandardLoopDefinition, _ node: FlowNode, rounds: Int32, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> Bool {
        guard let condition = loop.condition else { return true }
        scopeView.point(
            at: ordinal, of: instance, now: state.now, extras: [("loopCounter", .number(Number(Int64(rounds))))])
        if let again = condition.evaluateCondition(scopeView) { return again }
        throw EvaluationFailure(
            type: "CONDITION_ERROR",
            message: """
                Expected the loop condition `\(condition.source)` of \(node.id) to be true or false. Set the variables \
                it reads and resolve the incident.
                """)
    }
}
