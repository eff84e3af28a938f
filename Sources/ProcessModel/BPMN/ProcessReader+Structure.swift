import Decisions

extension ProcessReader {
    /// Checks the finished graph: starts, ends, conditions, reachability (BPMN 2.0.2 clauses 10.5 and 13.2).
    func checkStructure() {
        for index in nodes.indices {
            let node = nodes[index]
            if node.kind.isScope, !node.isRefused { checkScope(index, members[index]) }
            checkFlows(of: node)
            checkAmbiguity(node.boundaryEvents)
            checkInstantiation(index)
        }
    }

    private func checkScope(_ scope: Int, _ members: [Int]) {
        let node = nodes[scope]
        guard !members.isEmpty else {
            reader.report(
                .emptyProcess, at: node.element,
                "Expected \(node.id) to contain flow nodes, but it is empty.",
                remedy: "add at least a start event and an end event, or remove it")
            return
        }
        let starts = members.filter { nodes[$0].kind == .startEvent }
        switch node.kind {
        case .eventSubProcess: checkEventSubProcess(node, starts)
        case .adHocSubProcess: checkAdHoc(node, starts)
        default: checkStarts(scope, starts)
        }
        checkAmbiguity(starts)
        checkAmbiguity(node.eventSubProcesses.compactMap { nodes[$0].start })
        checkReachability(scope, members)
    }

    private func checkStarts(_ scope: Int, _ starts: [Int]) {
        let node = nodes[scope]
        if starts.isEmpty, node.implicitStarts.isEmpty, !members[scope].contains(where: isInstantiating) {
            reader.report(
                .noStartEvent, at: node.element,
                "Expected \(node.id) to have a start event or a node without incoming flow, but it has none.",
                remedy: "add a start event that leads to the first element")
        }
        for index in starts.filter(isNoneStart).dropFirst() {
            reader.report(
                scope == 0 ? .severalStartEvents : .severalInnerStartEvents, at: nodes[index].element,
                "Expected one none start event in \(node.id), but \(nodes[index].id) is one beside "
                    + "\(node.start.map { nodes[$0].id } ?? "another")"
                    + (scope == 0 ? ", which is the one a start by hand takes." : "."),
                remedy: "keep one and split after it with a parallel gateway")
        }
    }

    private func checkEventSubProcess(_ node: DraftNode, _ starts: [Int]) {
        if starts.count != 1 {
            reader.report(
                starts.isEmpty ? .noStartEvent : .severalInnerStartEvents, at: node.element,
                "Expected the event sub-process \(node.id) to have one start event, but it has \(starts.count).",
                remedy: "keep one start event with the definition of what triggers the sub-process")
        }
        if let flow = node.incoming.first ?? node.outgoing.first {
            reader.report(
                .flowNotAllowed, at: flows[flow].element,
                "Expected no flow at the event sub-process \(node.id), but \(flows[flow].id) is connected to it.",
                remedy: "remove the flow; the event alone starts the sub-process")
        }
    }

    private func checkAdHoc(_ node: DraftNode, _ starts: [Int]) {
        for index in starts {
            reader.report(
                .startInAdHoc, at: nodes[index].element,
                "Expected no start event in the ad-hoc sub-process \(node.id), but found \(nodes[index].id).",
                remedy: "remove it; activities without incoming flow are what can be performed")
        }
        if let adHoc = node.adHoc, adHoc.activities.isEmpty {
            reader.report(
                .emptyProcess, at: node.element,
                "Expected the ad-hoc sub-process \(node.id) to have an activity without incoming flow, but it has none.",
                remedy: "add the activities that can be performed")
        }
    }

    /// Checks what begins a process without a start event: receive tasks and event-based gateways.
    private func checkInstantiation(_ index: Int) {
        let node = nodes[index]
        if node.kind == .eventBasedGateway, !node.isRefused { checkEventGateway(node) }
        guard isInstantiating(index) else { return }
        let isStarted = node.incoming.contains { flow in
            guard node.kind == .receiveTask, let source = flows[flow].source else { return true }
            return nodes[source].kind != .startEvent
        }
        guard node.scope != 0 || isStarted else { return }
        reader.report(
            .badInstantiation, at: node.element,
            "Expected the instantiating \(node.kind.noun) \(node.id) to begin the process, but "
                + (node.scope == 0 ? "a flow leads to it." : "it is inside a sub-process."),
            remedy: "remove instantiate, or the flow into it")
    }

    private func checkEventGateway(_ node: DraftNode) {
        for flow in node.outgoing {
            guard let target = flows[flow].target.map({ nodes[$0] }), !target.isRefused else { continue }
            switch target.kind {
            case .receiveTask: continue
            case .intermediateCatchEvent: if case .link? = target.event { break } else { continue }
            default: break
            }
            reader.report(
                .badEventGateway, at: flows[flow].element,
                "Expected the event-based gateway \(node.id) to lead to events, but \(target.id) is a "
                    + "\(target.kind.noun)" + (target.kind == .intermediateCatchEvent ? " of a link." : "."),
                remedy: "lead its flows to intermediate catch events or receive tasks")
        }
    }

    /// Finds events beside each other that wait for the same message or error: nobody could say which of them acts.
    private func checkAmbiguity(_ events: [Int]) {
        guard events.count > 1 else { return }
        var seen: [String: Int] = [:]
        for event in events {
            for index in nodes[event].triggers.isEmpty ? [event] : nodes[event].triggers {
                guard let trigger = exclusiveTrigger(of: nodes[index]) else { continue }
                guard let first = seen.updateValue(event, forKey: trigger), first != event else { continue }
                reader.report(
                    .ambiguousEvents, at: nodes[event].element,
                    "Expected one event to wait for \(trigger), but \(nodes[first].id) and \(nodes[event].id) both do.",
                    remedy: "remove one, or let it wait for something else")
            }
        }
    }

    /// What only one event of a place can catch, in words.
    private func exclusiveTrigger(of node: DraftNode) -> String? {
        switch node.event {
        case .error(let code)?: return code.map { "error \($0)" } ?? "any error"
        case .escalation(let code)?: return code.map { "escalation \($0)" } ?? "any escalation"
        case .message(let message)?:
            guard case .literal(let name) = message.name else { return nil }
            return "message \(name)"
        case .cancel?: return "the cancellation"
        case .compensation? where node.kind == .startEvent: return "the compensation"
        default: return nil
        }
    }

    private func isNoneStart(_ index: Int) -> Bool {
        if case .none? = nodes[index].event { return true }
        return false
    }

    /// Warns of nodes no token can reach.
    private func checkReachability(_ scope: Int, _ members: [Int]) {
        let node = nodes[scope]
        var pending = members.filter { nodes[$0].kind == .startEvent || isInstantiating($0) }
        pending += node.implicitStarts + (node.adHoc?.activities ?? [])
        guard !pending.isEmpty else { return }
        pending += members.filter { nodes[$0].kind == .eventSubProcess || nodes[$0].isForCompensation }
        var reached = Set(pending)
        while let index = pending.popLast() {
            let next = nodes[index].outgoing.compactMap { flows[$0].target } + nodes[index].boundaryEvents
            for target in next where reached.insert(target).inserted { pending.append(target) }
        }
        for index in members where !reached.contains(index) {
            // Its own finding says why a boundary event without activity cannot be reached.
            if nodes[index].kind == .boundaryEvent, nodes[index].attachedTo == nil { continue }
            if nodes[index].isRefused || nodes[index].kind == .eventTrigger { continue }
            reader.report(
                .unreachable, at: nodes[index].element,
                "No path leads from a start to \(nodes[index].id); it is never performed.",
                remedy: "connect it, or remove it")
        }
    }

    private func checkFlows(of node: DraftNode) {
        switch node.kind {
        case .startEvent where !node.incoming.isEmpty:
            reader.report(
                .startWithIncoming, at: node.element,
                "Expected no flow into start event \(node.id), but \(flows[node.incoming[0]].id) enters it.",
                remedy: "lead the flow to the element after the start event")
        case .endEvent where !node.outgoing.isEmpty:
            reader.report(
                .endWithOutgoing, at: node.element,
                "Expected no flow out of end event \(node.id), but \(flows[node.outgoing[0]].id) leaves it.",
                remedy: "replace the end event, or remove the flow")
        case .boundaryEvent where !node.incoming.isEmpty:
            reader.report(
                .boundaryWithIncoming, at: node.element,
                "Expected no flow into boundary event \(node.id), but \(flows[node.incoming[0]].id) enters it.",
                remedy: "lead the flow to another element")
        case _ where node.isForCompensation:
            guard let flow = node.incoming.first ?? node.outgoing.first else { break }
            reader.report(
                .flowNotAllowed, at: flows[flow].element,
                "Expected no flow at \(node.id), which is for compensation, but \(flows[flow].id) is connected to it.",
                remedy: "remove the flow, or isForCompensation")
        default: break
        }
        if !node.isRefused { checkConditions(of: node) }
    }

    private func checkConditions(of node: DraftNode) {
        guard node.kind.isConditionalGateway || node.kind.isActivity else { return }
        if node.kind == .exclusiveGateway, node.outgoing.count > 1 { checkUnconditionalFlows(of: node) }
        if node.defaultFlow == nil, !node.outgoing.isEmpty, node.outgoing.allSatisfy({ flows[$0].hasCondition }) {
            reader.report(
                .noDefaultFlow, at: node.element,
                "The \(node.kind.noun) \(node.id) has no default flow; when no condition holds, an incident is raised.",
                remedy: "make one of its flows the default")
        }
    }

    private func checkUnconditionalFlows(of node: DraftNode) {
        let unconditional = node.outgoing.filter { !flows[$0].hasCondition && $0 != node.defaultFlow }
        for flow in unconditional {
            reader.report(
                .unconditionalFlow, at: flows[flow].element,
                "Flow \(flows[flow].id) leaves the exclusive gateway \(node.id) without a condition: it is always taken "
                    + "when its turn comes.",
                remedy: "add a condition, or make it the default flow")
        }
    }
}
