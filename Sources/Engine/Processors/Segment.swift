import Decisions
import ProcessModel
import Values

/// One thing to do next within a segment: the stretch from a command to the wait states it leads to.
enum Step {
    /// A token moves along a flow of a scope.
    case take(ProcessInstance, flow: Int32, scope: UInt32)
    /// A multi-instance body creates its next inner instance; `position` counts from 0.
    case createInner(ProcessInstance, body: UInt32, position: Int32)
    /// An element's work is done: leave it.
    case leave(ProcessInstance, ordinal: UInt32)
    /// A scope goes on with what it still has to do one by one, however much that is.
    case proceed(ProcessInstance, scope: UInt32)
    /// Dropped: its scope was terminated.
    case none
}

/// A node of a scope that a token came to.
struct Visit: Hashable {
    var instance: UInt64
    var scope: UInt32
    var node: Int32
}

/// Runs tokens from wait state to wait state. Breadth first, so that parallel branches advance in document order; no
/// recursion, so depth is bounded by the nesting of scopes alone.
extension PartitionEngine {
    func pushTake(_ instance: ProcessInstance, flow: Int, scope: UInt32) {
        if let position = instance.position(of: scope) { instance.elements[position].inFlight += 1 }
        steps.append(.take(instance, flow: Int32(flow), scope: scope))
    }

    func pushInner(_ instance: ProcessInstance, body: UInt32, position: Int32) {
        if let place = instance.position(of: body) { instance.elements[place].inFlight += 1 }
        steps.append(.createInner(instance, body: body, position: position))
    }

    /// Runs until every token waits: first those on their way, then joins, then throwers.
    func runSegment() {
        while true {
            runSteps()
            if !openJoins.isEmpty, fireJoins() { continue }
            guard nextThrower < throwers.count else { break }
            let (instance, ordinal) = throwers[nextThrower]
            nextThrower += 1
            performThrow(ordinal, of: instance)
        }
        throwers.removeAll(keepingCapacity: true)
        nextThrower = 0
    }

    private func runSteps() {
        while nextStep < steps.count || !changedConditions.isEmpty {
            if !changedConditions.isEmpty {
                evaluateConditions()
                continue
            }
            let step = steps[nextStep]
            nextStep += 1
            stepsTaken += 1
            switch step {
            case .take(let instance, let flow, let scope):
                guard arrive(instance, scope) else { continue }
                let target = instance.process.flows[Int(flow)].target
                activate(instance.process.nodes[target], flow: flow, scope: scope, of: instance)
                completeScopeIfDone(scope, of: instance)
            case .createInner(let instance, let body, let position):
                guard arrive(instance, body) else { continue }
                createInner(position, of: body, in: instance)
            case .leave(let instance, let ordinal):
                leave(ordinal, of: instance)
            case .proceed(let instance, let scope):
                completeScopeIfDone(scope, of: instance, proceeds: true)
            case .none:
                continue
            }
        }
        steps.removeAll(keepingCapacity: true)
        nextStep = 0
    }

    /// Takes one in-flight token off a scope; false when the scope has ended meanwhile.
    private func arrive(_ instance: ProcessInstance, _ scope: UInt32) -> Bool {
        guard state.instances[instance.key] === instance, let position = instance.position(of: scope) else {
            return false
        }
        instance.elements[position].inFlight -= 1
        return true
    }

    /// Forgets the tokens on their way in a scope.
    func dropSteps(_ instance: ProcessInstance, scope: UInt32) {
        for position in nextStep..<Swift.max(nextStep, steps.count) {
            switch steps[position] {
            case .take(let other, _, let token) where other === instance && token == scope:
                steps[position] = .none
            case .createInner(let other, let body, _) where other === instance && body == scope:
                steps[position] = .none
            default: continue
            }
        }
        if let position = instance.position(of: scope) { instance.elements[position].inFlight = 0 }
    }

    // MARK: Endless loops

    /// Starts counting steps: for a command, a message, something due.
    func beginSteps() {
        stepsTaken = 0
        if !visits.isEmpty { visits.removeAll() }
    }

    /// Whether a token may go on at a node, or has come round too often without a wait.
    func mayRunOn(_ node: FlowNode, scope: UInt32, of instance: ProcessInstance) -> Bool {
        guard stepsTaken > Self.stepsPerCommandMax else { return true }
        let visit = Visit(instance: instance.key, scope: scope, node: Int32(node.index))
        visits[visit, default: 0] += 1
        return visits[visit, default: 0] <= Self.visitsMax && stepsTaken <= Self.stepsMax
    }

    // MARK: Entering a node

    /// A token reaches a node (BPMN 2.0.2 clause 13.2–13.4).
    func activate(_ node: FlowNode, flow: Int32, scope: UInt32, of instance: ProcessInstance) {
        if node.startQuantity > 1, flow >= 0, !takeQuantity(node, flow, scope: scope, of: instance) { return }
        switch node.kind {
        case .inclusiveGateway where node.incoming.count > 1:
            emit(.tokenArrived(flow: flow, scope: scope), on: instance)
        case .complexGateway where node.incoming.count > 1:
            arrive(atComplex: node, flow: flow, scope: scope, of: instance)
        case .parallelGateway where node.incoming.count > 1:
            emit(.tokenArrived(flow: flow, scope: scope), on: instance)
            guard isJoined(node, scope: scope, of: instance) else { return }
            emit(.tokensJoined(node: Int32(node.index), scope: scope), on: instance)
            pass(node, flow: -1, scope: scope, of: instance)
        case .exclusiveGateway, .parallelGateway, .inclusiveGateway, .complexGateway, .task, .manualTask, .startEvent,
            .endEvent, .intermediateThrowEvent, .intermediateCatchEvent:
            if isPassThrough(node, in: instance.process), mayRunOn(node, scope: scope, of: instance) {
                pass(node, flow: flow, scope: scope, of: instance)
            } else {
                create(node, flow: flow, scope: scope, of: instance)
            }
        default:
            create(node, flow: flow, scope: scope, of: instance)
        }
    }

    /// Whether performing the node needs no element instance that lasts.
    private func isPassThrough(_ node: FlowNode, in process: ExecutableProcess) -> Bool {
        guard node.inputs.isEmpty, node.outputs.isEmpty, node.multiInstance == nil, node.standardLoop == nil,
            node.boundaryEvents.isEmpty, node.job == nil
        else { return false }
        // Each activity of an ad-hoc sub-process asks for its completion condition when it ends.
        if process.nodes[node.scope].kind == .adHocSubProcess { return false }
        switch node.event {
        case nil, .some(.none), .link: return true
        default: return node.kind == .startEvent
        }
    }

    /// Takes the tokens an activity needs to begin (`startQuantity`); false when there are not enough yet.
    private func takeQuantity(_ node: FlowNode, _ flow: Int32, scope: UInt32, of instance: ProcessInstance) -> Bool {
        emit(.tokenArrived(flow: flow, scope: scope), on: instance)
        let count = instance.arrivals.reduce(0) { sum, arrival in
            arrival.scope == scope && node.incoming.contains(Int(arrival.flow)) ? sum + Int(arrival.count) : sum
        }
        guard count >= node.startQuantity else { return false }
        emit(
            .tokensConsumed(node: Int32(node.index), scope: scope, count: Int32(node.startQuantity)), on: instance)
        return true
    }

    /// Whether every incoming flow of a join has a token (WCP-3 Synchronization).
    private func isJoined(_ node: FlowNode, scope: UInt32, of instance: ProcessInstance) -> Bool {
        node.incoming.allSatisfy { flow in
            instance.arrivals.contains { $0.scope == scope && $0.flow == Int32(flow) }
        }
    }

    /// Performs a node that begins and ends at once.
    func pass(_ node: FlowNode, flow: Int32, scope: UInt32, of instance: ProcessInstance) {
        switch outgoingFlows(of: node, scope: scope, in: instance) {
        case .one(let next):
            emit(.elementPassed(node: Int32(node.index), flow: flow, scope: scope, key: newKey()), on: instance)
            for _ in 0..<node.completionQuantity where next >= 0 { pushTake(instance, flow: next, scope: scope) }
        case .many(let chosen):
            emit(.elementPassed(node: Int32(node.index), flow: flow, scope: scope, key: newKey()), on: instance)
            for next in chosen {
                for _ in 0..<node.completionQuantity { pushTake(instance, flow: next, scope: scope) }
            }
        case .failed(let type, let message):
            let ordinal = instance.nextOrdinal
            emitActivated(node, flow: flow, scope: scope, role: .single, of: instance)
            emit(.elementCompleting(ordinal: ordinal), on: instance)
            raiseIncident(ordinal, of: instance, kind: .completion, type: type, message: message)
        }
    }

    func emitActivated(
        _ node: FlowNode, flow: Int32, scope: UInt32, role: ElementRole, loopCounter: Int32 = 0,
        of instance: ProcessInstance
    ) {
        emit(
            .elementActivated(
                node: Int32(node.index), flow: flow, scope: scope, key: newKey(), role: role,
                loopCounter: loopCounter), on: instance)
    }

    /// Creates an element instance and enters it.
    func create(_ node: FlowNode, flow: Int32, scope: UInt32, of instance: ProcessInstance) {
        let ordinal = instance.nextOrdinal
        let isRepeated = node.multiInstance != nil || node.standardLoop != nil
        let role: ElementRole = isRepeated ? .multiInstanceBody : .single
        emitActivated(node, flow: flow, scope: scope, role: role, of: instance)
        guard mayRunOn(node, scope: scope, of: instance) else {
            raiseLoopLimit(ordinal, of: instance)
            return
        }
        enter(ordinal, of: instance)
    }

    func raiseLoopLimit(_ ordinal: UInt32, of instance: ProcessInstance) {
        raiseIncident(
            ordinal, of: instance, kind: .activation, type: "LOOP_LIMIT",
            message: """
                Expected a wait state within \(Self.stepsPerCommandMax) steps, but the process ran on without one. \
                Check the loop's exit condition; resolving the incident continues here.
                """)
    }

    // MARK: Leaving

    enum OutgoingFlows {
        /// A single flow, −1 when the token ends here.
        case one(Int)
        case many([Int])
        case failed(type: String, message: String)
    }

    /// Chooses the flows a token leaves by: WCP-4 Exclusive Choice at exclusive gateways, WCP-2 Parallel Split and
    /// WCP-6 Multi-Choice (conditional flows) elsewhere (BPMN 2.0.2 clause 13.3.1, 13.4).
    func outgoingFlows(
        of node: FlowNode, scope: UInt32, in instance: ProcessInstance, extras: [(name: String, value: Value)] = []
    ) -> OutgoingFlows {
        let process = instance.process
        if node.outgoing.count == 1, process.flows[node.outgoing[0]].condition == nil { return .one(node.outgoing[0]) }
        if node.outgoing.isEmpty { return .one(-1) }
        let isExclusive = node.kind == .exclusiveGateway
        if node.kind == .parallelGateway { return .many(node.outgoing) }
        scopeView.point(at: scope, of: instance, now: state.now, extras: extras)
        var chosen: [Int] = []
        for index in node.outgoing where index != node.defaultFlow {
            let flow = process.flows[index]
            guard let condition = flow.condition else {
                if isExclusive { return .one(index) }
                chosen.append(index)
                continue
            }
            guard let holds = condition.evaluateCondition(scopeView) else {
                let evaluation = condition.evaluate(scopeView)
                let hints = evaluation.warnings.prefix(3).map(\.message).joined(separator: "; ")
                return .failed(
                    type: "CONDITION_ERROR",
                    message: """
                        Expected the condition `\(condition.source)` of flow \(flow.id) to be true or false, but it is \
                        \(evaluation.value.typeName)\(hints.isEmpty ? "" : " (\(hints))"). Set the variables it reads \
                        (\(condition.variableNames.joined(separator: ", "))) and resolve the incident.
                        """)
            }
            guard holds else { continue }
            if isExclusive { return .one(index) }
            chosen.append(index)
        }
        if chosen.count == 1 { return .one(chosen[0]) }
        if !chosen.isEmpty { return .many(chosen) }
        if let flow = node.defaultFlow { return .one(flow) }
        return .failed(
            type: "CONDITION_ERROR",
            message: """
                Expected one of the flows leaving \(node.id) to be taken, but no condition holds and there is no \
                default flow. Correct the variables and resolve the incident, or deploy a version with a default flow.
                """)
    }

    /// Goes on with a scope whose contents have ended: with what it still has to do, or by leaving it.
    func completeScopeIfDone(_ scope: UInt32, of instance: ProcessInstance, proceeds: Bool = false) {
        guard state.instances[instance.key] === instance, let position = instance.position(of: scope) else { return }
        let element = instance.elements[position]
        guard element.children == 0, element.inFlight == 0, element.state != .activating,
            element.role != .multiInstanceBody, element.detail?.incident == nil
        else { return }
        if let detail = element.detail, detail.hasExtras {
            guard proceeds || detail.compensating == nil && detail.planned.isEmpty else {
                steps.append(.proceed(instance, scope: scope))
                return
            }
            if detail.compensating != nil {
                continueCompensation(scope, element, of: instance)
                return
            }
            if !detail.planned.isEmpty {
                startPlanned(scope, of: instance)
                return
            }
            if detail.firedFlows != nil { return }
        }
        // An ad-hoc sub-process with a completion condition ends by it alone.
        let node = instance.process.nodes[Int(element.node)]
        if node.kind == .adHocSubProcess, element.state == .active, node.adHoc?.completionCondition != nil { return }
        if scope == 0 { completeInstance(instance) } else { leave(scope, of: instance) }
    }

    func raiseIncident(
        _ ordinal: UInt32, of instance: ProcessInstance, kind: IncidentKind, type: String, message: String
    ) {
        guard incident(ordinal, of: instance) == nil else { return }
        emit(
            .incidentRaised(ordinal: ordinal, key: newKey(), kind: kind, type: type, message: message), on: instance)
    }
}
