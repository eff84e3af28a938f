import Decisions
import ProcessModel
import Values

/// Joins that depend on where the other tokens are: inclusive and complex gateways (BPMN 2.0.2 clauses 13.4.3, 13.4.5).
extension PartitionEngine {
    /// Remembers that a join of the instance may have become possible; looked at when the segment's tokens are at rest.
    func noteJoins(_ instance: ProcessInstance) {
        if openJoins.last !== instance { openJoins.append(instance) }
    }

    /// Fires the joins that no token can reach any more; true when one did.
    func fireJoins() -> Bool {
        var fired = false
        while let instance = openJoins.popLast() {
            guard state.instances[instance.key] === instance else { continue }
            openJoins.removeAll { $0 === instance }
            if fireJoin(of: instance) {
                openJoins.append(instance)
                fired = true
                break
            }
        }
        return fired
    }

    private func fireJoin(of instance: ProcessInstance) -> Bool {
        for element in instance.elements {
            let node = instance.process.nodes[Int(element.node)]
            guard node.kind == .complexGateway, let flows = element.detail?.firedFlows, element.state == .active else {
                continue
            }
            let awaited = node.incoming.filter { !flows.contains(Int32($0)) }
            if isEnabled(node, awaited, scope: element.scope, of: instance) {
                reset(node, element, of: instance)
                return true
            }
        }
        for arrival in instance.arrivals {
            let node = instance.process.nodes[instance.process.flows[Int(arrival.flow)].target]
            guard node.kind == .inclusiveGateway || node.kind == .complexGateway && node.activationCondition == nil,
                isEnabled(node, node.incoming, scope: arrival.scope, of: instance)
            else { continue }
            emit(.tokensJoined(node: Int32(node.index), scope: arrival.scope), on: instance)
            pass(node, flow: -1, scope: arrival.scope, of: instance)
            return true
        }
        return false
    }

    /// Whether a join may fire: each of the flows has a token, or none can get one from a token elsewhere in the scope
    /// that could not as well get to a flow that has one, without passing the join.
    private func isEnabled(
        _ join: FlowNode, _ flows: [Int], scope: UInt32, of instance: ProcessInstance
    ) -> Bool {
        let arrivals = instance.arrivals.filter { $0.scope == scope }
        var empty: [Int] = []
        var full: [Int] = []
        for flow in flows {
            if arrivals.contains(where: { $0.flow == Int32(flow) }) { full.append(flow) } else { empty.append(flow) }
        }
        if empty.isEmpty { return true }
        var tokens: [Int] = []
        for element in instance.elements where element.scope == scope && element.ordinal != scope {
            let node = instance.process.nodes[Int(element.node)]
            if node.kind == .complexGateway, element.detail?.firedFlows != nil, !canEmitOnReset(node, instance.process)
            {
                continue
            }
            tokens.append(node.index)
        }
        for arrival in arrivals {
            let target = instance.process.flows[Int(arrival.flow)].target
            if target != join.index { tokens.append(target) }
        }
        if tokens.isEmpty { return true }
        let toEmpty = sources(of: empty, avoiding: join.index, in: instance.process)
        if !tokens.contains(where: { toEmpty.contains($0) }) { return true }
        let toFull = sources(of: full, avoiding: join.index, in: instance.process)
        return !tokens.contains { toEmpty.contains($0) && !toFull.contains($0) }
    }

    /// The nodes from which a token can come to one of the flows without passing `join`.
    private func sources(of flows: [Int], avoiding join: Int, in process: ExecutableProcess) -> Set<Int> {
        var found: Set<Int> = []
        var frontier = flows.map { process.flows[$0].source }
        while let index = frontier.popLast() {
            guard index != join, found.insert(index).inserted else { continue }
            let node = process.nodes[index]
            for flow in node.incoming { frontier.append(process.flows[flow].source) }
            if let activity = node.attachedTo { frontier.append(activity) }
        }
        return found
    }

    // MARK: Complex gateways

    /// A token reaches a complex gateway that joins.
    func arrive(atComplex node: FlowNode, flow: Int32, scope: UInt32, of instance: ProcessInstance) {
        if flow >= 0 { emit(.tokenArrived(flow: flow, scope: scope), on: instance) }
        fire(complex: node, scope: scope, of: instance)
    }

    /// Fires a complex gateway that waits for its start and whose activation condition holds.
    private func fire(complex node: FlowNode, scope: UInt32, of instance: ProcessInstance) {
        guard let condition = node.activationCondition else { return }
        let isWaiting = instance.elements.contains { $0.scope == scope && $0.node == Int32(node.index) }
        guard !isWaiting else { return }
        let arrived = node.incoming.compactMap { flow in
            instance.arrivals.first { $0.scope == scope && $0.flow == Int32(flow) }
        }
        guard !arrived.isEmpty else { return }
        let count = arrived.reduce(0) { $0 + Int64($1.count) }
        scopeView.point(
            at: scope, of: instance, now: state.now, extras: [("activationCount", .number(Number(count)))])
        guard let holds = condition.evaluateCondition(scopeView) else {
            failFiring(
                node, scope: scope, of: instance,
                message: """
                    Expected the activation condition `\(condition.source)` of \(node.id) to be true or false. Set the \
                    variables it reads and resolve the incident.
                    """)
            return
        }
        guard holds else { return }
        let flows = arrived.map(\.flow)
        let chosen: [Int]
        switch outgoingFlows(of: node, scope: scope, in: instance, extras: Self.starting) {
        case .one(let flow): chosen = flow >= 0 ? [flow] : []
        case .many(let several): chosen = several
        case .failed(_, let message):
            failFiring(node, scope: scope, of: instance, message: message)
            return
        }
        emit(.tokensJoined(node: Int32(node.index), scope: scope), on: instance)
        if flows.count == node.incoming.count {
            emit(.elementPassed(node: Int32(node.index), flow: -1, scope: scope, key: newKey()), on: instance)
        } else {
            waitForReset(node, flows, scope: scope, of: instance)
        }
        for flow in chosen { pushTake(instance, flow: flow, scope: scope) }
    }

    /// Raises an incident at a gateway that can say neither yes nor no; its tokens go on waiting.
    private func failFiring(_ node: FlowNode, scope: UInt32, of instance: ProcessInstance, message: String) {
        let ordinal = instance.nextOrdinal
        emitActivated(node, flow: -1, scope: scope, role: .single, of: instance)
        raiseIncident(ordinal, of: instance, kind: .activation, type: "CONDITION_ERROR", message: message)
    }

    /// Asks a complex gateway again that could not say whether it fires.
    func retry(complex node: FlowNode, _ ordinal: UInt32, scope: UInt32, of instance: ProcessInstance) {
        emit(.elementTerminated(ordinal: ordinal), on: instance)
        fire(complex: node, scope: scope, of: instance)
        completeScopeIfDone(scope, of: instance)
    }

    private static let starting: [(name: String, value: Value)] = [("waitingForStart", .boolean(true))]
    private static let resetting: [(name: String, value: Value)] = [("waitingForStart", .boolean(false))]

    private func waitForReset(_ node: FlowNode, _ flows: [Int32], scope: UInt32, of instance: ProcessInstance) {
        let ordinal = instance.nextOrdinal
        emitActivated(node, flow: -1, scope: scope, role: .single, of: instance)
        emit(.elementEntered(ordinal: ordinal), on: instance)
        emit(.gatewayFired(ordinal: ordinal, flows: flows), on: instance)
    }

    /// The gateway is ready for its next start; flows whose condition asks for it get a token now.
    ///
    /// A flow without condition got its token when the gateway fired and gets no second one: that is the discriminator
    /// (WCP-9) the element exists for.
    private func reset(_ node: FlowNode, _ element: ElementInstance, of instance: ProcessInstance) {
        emit(.gatewayReset(ordinal: element.ordinal), on: instance)
        scopeView.point(at: element.scope, of: instance, now: state.now, extras: Self.resetting)
        let chosen = node.outgoing.filter { flow in
            instance.process.flows[flow].condition?.evaluateCondition(scopeView) == true
        }
        emit(.elementCompleted(ordinal: element.ordinal), on: instance)
        for flow in chosen { pushTake(instance, flow: flow, scope: element.scope) }
        fire(complex: node, scope: element.scope, of: instance)
        completeScopeIfDone(element.scope, of: instance)
    }

    /// Whether a reset may let tokens out.
    private func canEmitOnReset(_ node: FlowNode, _ process: ExecutableProcess) -> Bool {
        node.outgoing.contains { process.flows[$0].condition != nil }
    }

    // MARK: Event-based gateways

    /// Waits for the events behind an event-based gateway (WCP-16 Deferred Choice; BPMN 2.0.2 clause 13.4.4).
    func enterEventGateway(
        _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance, except occurred: Int? = nil
    ) throws(EvaluationFailure) {
        var waits: [Wait] = []
        for flow in node.outgoing {
            let target = instance.process.flows[flow].target
            guard target != occurred else { continue }
            waits += try self.waits(of: instance.process.nodes[target], evaluatedIn: ordinal, of: instance)
        }
        emit(.elementEntered(ordinal: ordinal), on: instance)
        open(waits, ordinal, of: instance)
    }

    /// One of the events behind a gateway occurred: the others are no longer waited for, unless all are needed.
    func choose(
        _ event: FlowNode, behind ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance,
        variables: VariableDocument
    ) {
        let gateway = instance.process.nodes[Int(element.node)]
        if gateway.eventGatewayType == .instantiatingParallel {
            let others = gateway.outgoing.map { instance.process.flows[$0].target }.flatMap { target in
                [target] + instance.process.nodes[target].triggers
            }
            if !isWaiting(ordinal, of: instance, forAnyOf: others) { end(ordinal, of: instance) }
        } else {
            end(ordinal, of: instance)
        }
        let flow = event.incoming.first { instance.process.flows[$0].source == gateway.index } ?? -1
        continueFrom(event, flow: Int32(flow), scope: element.scope, of: instance, variables: variables)
    }
}
