import Decisions
import ProcessModel
import Values

/// Scopes: processes, sub-processes of all kinds (BPMN 2.0.2 clause 13.3.4, 13.3.5).
extension PartitionEngine {
    /// Begins a scope: its data objects, the events it waits for, then its first tokens.
    func enterScope(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        declareDataObjects(of: node, ordinal, of: instance)
        var waits = try outerWaits(node, ordinal, element, of: instance)
        let activities = try node.adHoc.map { adHoc throws(EvaluationFailure) in
            try adHocActivities(adHoc, node, ordinal, of: instance)
        }
        if element.state == .activating { emit(.elementEntered(ordinal: ordinal), on: instance) }
        if element.role == .compensation {
            beginCompensation(of: node, ordinal, of: instance)
            return
        }
        // A condition that holds already acts before anything inside begins.
        let conditions = waits.filter { if case .condition = $0 { true } else { false } }
        waits.removeAll { if case .condition = $0 { true } else { false } }
        open(waits, ordinal, of: instance)
        guard open(conditions, ordinal, of: instance) else { return }
        if isInterrupted(ordinal, of: instance) { return }
        if let activities {
            emit(.adHocPlanned(ordinal: ordinal, nodes: activities), on: instance)
            startPlanned(ordinal, of: instance)
            if activities.isEmpty, endsAdHoc(ordinal, of: instance) { return }
        } else {
            begin(node, ordinal, of: instance)
        }
        completeScopeIfDone(ordinal, of: instance)
    }

    /// Whether an interrupting event sub-process has taken the place of what a scope does.
    private func isInterrupted(_ scope: UInt32, of instance: ProcessInstance) -> Bool {
        instance.elements.contains { element in
            guard element.scope == scope, element.ordinal != scope else { return false }
            let node = instance.process.nodes[Int(element.node)]
            guard node.kind == .eventSubProcess, let start = node.start else { return false }
            return instance.process.nodes[start].isInterrupting
        }
    }

    /// Puts the first tokens of a scope on its start event, or on every node nothing leads to.
    private func begin(_ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        if let start = node.start {
            activate(instance.process.nodes[start], flow: -1, scope: ordinal, of: instance)
            return
        }
        // All of them have begun before the scope may end.
        if let position = instance.position(of: ordinal) { instance.elements[position].inFlight += 1 }
        for start in node.implicitStarts {
            guard state.instances[instance.key] === instance, instance.position(of: ordinal) != nil else { return }
            activate(instance.process.nodes[start], flow: -1, scope: ordinal, of: instance)
        }
        if let position = instance.position(of: ordinal), instance.elements[position].inFlight > 0 {
            instance.elements[position].inFlight -= 1
        }
    }

    func declareDataObjects(of node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        for name in node.dataObjects where instance.variablePosition(scope: ordinal, name: name) == nil {
            emit(.variableSet(scope: ordinal, name: name, value: VariableValue(.null)), on: instance)
        }
    }

    // MARK: Process instances

    /// Begins a process instance with a token where it starts: a start event, a trigger of one, an instantiating receive
    /// task, or an event behind an instantiating gateway; nil for a process that begins wherever nothing leads to.
    func startInstance(_ created: InstanceCreated, start: Int?, variables: VariableDocument) {
        emit(.instanceCreated(created))
        guard let instance = cursor else { return }
        cursorWritten = true
        for member in variables.members {
            emit(.variableSet(scope: 0, name: member.name, value: member.value), on: instance)
        }
        let root = instance.process.nodes[0]
        if !root.dataObjects.isEmpty || !root.eventSubProcesses.isEmpty {
            guard openProcessScope(start, of: instance) else { return }
        }
        begin(instance, at: start)
    }

    /// Declares what belongs to the process itself; false when its tokens must not begin.
    private func openProcessScope(_ start: Int?, of instance: ProcessInstance) -> Bool {
        let root = instance.process.nodes[0]
        declareDataObjects(of: root, 0, of: instance)
        do {
            let waits = try outerWaits(root, 0, instance.elements[0], of: instance)
            guard open(waits, 0, of: instance), !isInterrupted(0, of: instance) else { return false }
            return true
        } catch {
            // What is still to start; resolving the incident begins there.
            emit(.adHocPlanned(ordinal: 0, nodes: start.map { [Int32($0)] } ?? []), on: instance)
            raiseIncident(0, of: instance, kind: .activation, type: error.type, message: error.message)
            return false
        }
    }

    /// Tries again what a process instance could not begin with.
    func reenterProcess(of instance: ProcessInstance) {
        let start = instance.elements[0].detail?.planned.first.map { Int($0) }
        emit(.adHocPlanned(ordinal: 0, nodes: []), on: instance)
        if openProcessScope(start, of: instance) { begin(instance, at: start) }
    }

    private func begin(_ instance: ProcessInstance, at start: Int?) {
        let process = instance.process
        guard let start else {
            begin(process.nodes[0], 0, of: instance)
            completeScopeIfDone(0, of: instance)
            return
        }
        let node = process.nodes[start]
        let event = node.triggerOf.map { process.nodes[$0] } ?? node
        if case .multiple(isParallel: true)? = event.event {
            waitForOthers(event, occurred: start, of: instance)
        } else if event.kind == .startEvent {
            activate(event, flow: -1, scope: 0, of: instance)
        } else if let flow = event.incoming.first(where: {
            process.nodes[process.flows[$0].source].kind == .eventBasedGateway
        }) {
            begin(instance, behind: process.nodes[process.flows[flow].source], flow, event)
        } else {
            continueFrom(event, scope: 0, of: instance, variables: .empty)
        }
        completeScopeIfDone(0, of: instance)
    }

    /// A parallel multiple start event whose first trigger began the instance: the others are waited for inside it.
    private func waitForOthers(_ event: FlowNode, occurred: Int, of instance: ProcessInstance) {
        let ordinal = instance.nextOrdinal
        emitActivated(event, flow: -1, scope: 0, role: .single, of: instance)
        do {
            var waits: [Wait] = []
            for trigger in event.triggers where trigger != occurred {
                waits += try self.waits(of: instance.process.nodes[trigger], evaluatedIn: ordinal, of: instance)
            }
            emit(.elementEntered(ordinal: ordinal), on: instance)
            open(waits, ordinal, of: instance)
            if waits.isEmpty { steps.append(.leave(instance, ordinal: ordinal)) }
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
        }
    }

    /// An event behind an instantiating gateway began the instance (BPMN 2.0.2 clause 10.6.6).
    private func begin(_ instance: ProcessInstance, behind gateway: FlowNode, _ flow: Int, _ event: FlowNode) {
        if gateway.eventGatewayType == .instantiatingParallel {
            let ordinal = instance.nextOrdinal
            emitActivated(gateway, flow: -1, scope: 0, role: .single, of: instance)
            do {
                try enterEventGateway(gateway, ordinal, of: instance, except: event.index)
            } catch {
                raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
            }
        } else {
            emit(.elementPassed(node: Int32(gateway.index), flow: -1, scope: 0, key: newKey()), on: instance)
        }
        continueFrom(event, flow: Int32(flow), scope: 0, of: instance, variables: .empty)
    }

    // MARK: Ad-hoc sub-processes

    /// The activities an ad-hoc sub-process performs, in document order.
    private func adHocActivities(
        _ adHoc: AdHocDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> [Int32] {
        guard let source = adHoc.activeElements else { return adHoc.activities.map { Int32($0) } }
        let value = evaluate(source, ordinal, of: instance)
        guard let ids = value.asList?.map(\.asString) else {
            throw mismatch(.expression(source), "active elements of \(node.id)", "a list of activity ids", value)
        }
        var chosen: [Int32] = []
        for id in ids {
            guard let index = adHoc.activities.first(where: { instance.process.nodes[$0].id == id }) else {
                throw EvaluationFailure(
                    type: "EXTRACT_VALUE_ERROR",
                    message: """
                        Expected the active elements of \(node.id) to be activities inside it without incoming flow, \
                        but found \(id.map { "`\($0)`" } ?? "something that is no text"). Set the variables \
                        `\(source.source)` reads and resolve the incident.
                        """)
            }
            chosen.append(Int32(index))
        }
        return chosen
    }

    /// Starts activities an ad-hoc sub-process has planned: all, or the next one when they run one by one.
    func startPlanned(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let node = instance.process.nodes[Int(element.node)]
        var planned = element.detail?.planned ?? []
        guard !planned.isEmpty else { return }
        let next = node.adHoc?.isSequential == true ? [planned.removeFirst()] : planned
        emit(
            .adHocPlanned(ordinal: ordinal, nodes: node.adHoc?.isSequential == true ? planned : []), on: instance)
        if let position = instance.position(of: ordinal) { instance.elements[position].inFlight += 1 }
        for index in next {
            guard state.instances[instance.key] === instance, instance.position(of: ordinal) != nil else { return }
            activate(instance.process.nodes[Int(index)], flow: -1, scope: ordinal, of: instance)
        }
        if let position = instance.position(of: ordinal), instance.elements[position].inFlight > 0 {
            instance.elements[position].inFlight -= 1
        }
        completeScopeIfDone(ordinal, of: instance)
    }

    /// Asks for the completion condition of an ad-hoc sub-process after one of its activities ended.
    ///
    /// One that has a condition ends by it alone: while it does not hold and nothing runs, the sub-process waits for
    /// somebody to activate more (BPMN 2.0.2 clause 13.3.5).
    ///
    /// - Returns: Whether the sub-process was left.
    func endsAdHoc(_ ordinal: UInt32, of instance: ProcessInstance) -> Bool {
        guard let position = instance.position(of: ordinal) else { return false }
        let node = instance.process.nodes[Int(instance.elements[position].node)]
        guard let adHoc = node.adHoc, let condition = adHoc.completionCondition,
            instance.elements[position].state == .active
        else { return false }
        scopeView.point(at: ordinal, of: instance, now: state.now)
        guard let isDone = condition.evaluateCondition(scopeView) else {
            raiseIncident(
                ordinal, of: instance, kind: .completion, type: "CONDITION_ERROR",
                message: """
                    Expected the completion condition `\(condition.source)` of \(node.id) to be true or false. Set the \
                    variables it reads and resolve the incident.
                    """)
            return true
        }
        guard isDone else { return false }
        clearPlan(ordinal, of: instance)
        guard adHoc.cancelsRemainingInstances else {
            emit(.elementCompleting(ordinal: ordinal), on: instance)
            return false
        }
        terminateContents(of: ordinal, in: instance)
        leave(ordinal, of: instance)
        return true
    }

    /// Lets an ad-hoc sub-process whose activities were interrupted end with what interrupted them.
    func endPlan(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal), instance.elements[position].state == .active,
            instance.process.nodes[Int(instance.elements[position].node)].adHoc != nil
        else { return }
        clearPlan(ordinal, of: instance)
        emit(.elementCompleting(ordinal: ordinal), on: instance)
    }

    private func clearPlan(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal),
            instance.elements[position].detail?.planned.isEmpty == false
        else { return }
        emit(.adHocPlanned(ordinal: ordinal, nodes: []), on: instance)
    }
}
