import Decisions

extension ProcessReader {
    /// Checks the finished graph: starts, ends, conditions, reachability (BPMN 2.0.2 clauses 10.5 and 13.2).
    func checkStructure() {
        var members: [[Int]] = Array(repeating: [], count: nodes.count)
        for index in nodes.indices.dropFirst() { members[nodes[index].scope].append(index) }
        for index in nodes.indices {
            let node = nodes[index]
            if node.kind == .process || node.kind == .subProcess, !node.isRefused {
                checkScope(index, members[index])
            }
            checkFlows(of: node)
            checkAmbiguity(node.boundaryEvents)
        }
    }

    private func checkScope(_ scope: Int, _ members: [Int]) {
        guard !members.isEmpty else {
            reader.report(
                .emptyProcess, at: nodes[scope].element,
                "Expected \(nodes[scope].id) to contain flow nodes, but it is empty.",
                remedy: "add at least a start event and an end event, or remove it")
            return
        }
        let starts = members.filter { nodes[$0].kind == .startEvent }
        let noneStarts = starts.filter { isNoneStart($0) }
        nodes[scope].start = noneStarts.first
        if starts.isEmpty {
            reader.report(
                .noStartEvent, at: nodes[scope].element,
                "Expected \(nodes[scope].id) to have a start event, but it has none.",
                remedy: "add a start event that leads to the first element")
        }
        for index in noneStarts.dropFirst() {
            reader.report(
                .severalStartEvents, at: nodes[index].element,
                "Expected one none start event in \(nodes[scope].id), but \(nodes[noneStarts[0]].id) is one too.",
                remedy: "keep one and split after it with a parallel gateway")
        }
        checkAmbiguity(starts)
        checkReachability(members)
    }

    /// Finds events beside each other that wait for the same message or error: nobody could say which of them acts.
    private func checkAmbiguity(_ events: [Int]) {
        guard events.count > 1 else { return }
        var seen: [String: Int] = [:]
        for index in events {
            let trigger: String
            switch nodes[index].event {
            case .error(let code)?: trigger = code.map { "error \($0)" } ?? "any error"
            case .message(let message)?:
                guard case .literal(let name) = message.name else { continue }
                trigger = "message \(name)"
            default: continue
            }
            guard let first = seen.updateValue(index, forKey: trigger) else { continue }
            reader.report(
                .ambiguousEvents, at: nodes[index].element,
                "Expected one event to wait for \(trigger), but \(nodes[first].id) and \(nodes[index].id) both do.",
                remedy: "remove one, or give it another message or error")
        }
    }

    private func isNoneStart(_ index: Int) -> Bool {
        if case .none? = nodes[index].event { return true }
        return false
    }

    /// Warns of nodes no token can reach, unless the scope has no start event, which was said already.
    private func checkReachability(_ members: [Int]) {
        var pending = members.filter { nodes[$0].kind == .startEvent }
        guard !pending.isEmpty else { return }
        var reached = Set(pending)
        while let index = pending.popLast() {
            let next = nodes[index].outgoing.compactMap { flows[$0].target } + nodes[index].boundaryEvents
            for target in next where reached.insert(target).inserted { pending.append(target) }
        }
        for index in members where !reached.contains(index) {
            // Its own finding says why a boundary event without activity cannot be reached.
            if nodes[index].kind == .boundaryEvent, nodes[index].attachedTo == nil { continue }
            if nodes[index].isRefused { continue }
            reader.report(
                .unreachable, at: nodes[index].element,
                "No path leads from a start event to \(nodes[index].id); it is never performed.",
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
        default: break
        }
        if !node.isRefused { checkConditions(of: node) }
    }

    private func checkConditions(of node: DraftNode) {
        guard node.kind == .exclusiveGateway || node.kind.isActivity else { return }
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
