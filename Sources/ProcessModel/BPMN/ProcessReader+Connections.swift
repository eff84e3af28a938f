import Decisions

extension ProcessReader {
    // MARK: Links

    /// Adds a flow from each link that is thrown to the one of the same name that catches it, in the same scope.
    func connectLinks() {
        var catching: [Link: Int] = [:]
        var throwing: [(link: Link, node: Int)] = []
        for index in nodes.indices {
            let node = nodes[index]
            guard case .link(let name)? = node.event, node.kind != .eventTrigger else { continue }
            let link = Link(scope: node.scope, name: name)
            if node.kind == .intermediateThrowEvent {
                throwing.append((link, index))
            } else if let first = catching.updateValue(index, forKey: link) {
                reader.report(
                    .linkWithoutPartner, at: node.element,
                    "Expected one catch event for link \(name), but \(nodes[first].id) and \(node.id) both catch it.",
                    remedy: "give one of them another name")
            }
        }
        var caught: Set<Int> = []
        for (link, source) in throwing {
            guard let target = catching[link] else {
                reportLink(source, "Expected a catch event for link \(link.name) in the scope of \(nodes[source].id)")
                continue
            }
            caught.insert(target)
            connect(source, to: target, link.name)
        }
        for (link, target) in catching.sorted(by: { $0.value < $1.value }) where !caught.contains(target) {
            reportLink(target, "Expected a throw event for link \(link.name) in the scope of \(nodes[target].id)")
        }
    }

    private struct Link: Hashable {
        let scope: Int
        let name: String
    }

    private func connect(_ source: Int, to target: Int, _ name: String) {
        var flow = DraftFlow(
            element: nodes[source].element, id: "link:\(name):\(nodes[source].id)", scope: nodes[source].scope)
        flow.source = source
        flow.target = target
        nodes[source].outgoing.append(flows.count)
        nodes[target].incoming.append(flows.count)
        flows.append(flow)
    }

    private func reportLink(_ node: Int, _ expectation: String) {
        reader.report(
            .linkWithoutPartner, at: nodes[node].element, "\(expectation), but there is none.",
            remedy: "add it, with the same name in its linkEventDefinition")
    }

    // MARK: Compensation handlers

    /// Gives each activity with a compensation boundary event the handler at the other end of its association.
    func connectCompensationHandlers() {
        let events = nodes.indices.filter { index in
            guard nodes[index].kind == .boundaryEvent, nodes[index].attachedTo != nil else { return false }
            return isCompensation(index)
        }
        guard !events.isEmpty else { return }
        var partners: [Int: [Int]] = [:]
        for association in associations {
            guard let source = nodeIndex(association.source), let target = nodeIndex(association.target) else {
                continue
            }
            partners[source, default: []].append(target)
            partners[target, default: []].append(source)
        }
        for event in events { connectHandler(of: event, candidates: partners[event] ?? []) }
    }

    private func isCompensation(_ index: Int) -> Bool {
        if case .compensation? = nodes[index].event { return true }
        return nodes[index].triggers.contains { isCompensation($0) }
    }

    private func connectHandler(of event: Int, candidates: [Int]) {
        let activities = candidates.filter { nodes[$0].kind.isActivity && nodes[$0].scope == nodes[event].scope }
        guard let activity = nodes[event].attachedTo else { return }
        guard activities.count == 1, let handler = activities.first else {
            reader.report(
                .noCompensationHandler, at: nodes[event].element,
                "Expected an association from the compensation event \(nodes[event].id) to one handler beside it, but "
                    + "found \(activities.count).",
                remedy: "draw an association to the activity that undoes \(nodes[activity].id)")
            return
        }
        guard nodes[handler].isForCompensation else {
            reader.report(
                .noCompensationHandler, at: nodes[event].element,
                "Expected the handler of \(nodes[event].id) to be an activity for compensation, but "
                    + "\(nodes[handler].id) is not marked so.",
                remedy: "set isForCompensation=\"true\" on \(nodes[handler].id)")
            return
        }
        if let other = nodes[activity].compensationHandler, other != handler {
            reader.report(
                .ambiguousEvents, at: nodes[event].element,
                "Expected one compensation handler for \(nodes[activity].id), but \(nodes[other].id) and "
                    + "\(nodes[handler].id) both are.",
                remedy: "keep one, and do both in a sub-process for compensation")
        }
        nodes[activity].compensationHandler = handler
    }

    // MARK: Starts

    /// Finds where the tokens of each scope begin (BPMN 2.0.2 clause 13.2).
    func findStarts() {
        members = Array(repeating: [], count: nodes.count)
        for index in nodes.indices.dropFirst() { members[nodes[index].scope].append(index) }
        for scope in nodes.indices where nodes[scope].kind.isScope {
            let node = nodes[scope]
            let starts = members[scope].filter { nodes[$0].kind == .startEvent }
            if node.kind == .adHocSubProcess {
                node.adHoc = node.adHoc?.with(
                    activities: members[scope].filter { isFree($0) && nodes[$0].kind.isActivity })
            } else if node.kind == .eventSubProcess {
                node.start = starts.first
            } else if starts.isEmpty, !members[scope].contains(where: isInstantiating) {
                node.implicitStarts = members[scope].filter(isFree)
            } else {
                node.start = starts.first { if case EventDefinition.none? = nodes[$0].event { true } else { false } }
            }
        }
    }

    /// Whether no flow leads to a node, and neither an event nor a compensation.
    private func isFree(_ index: Int) -> Bool {
        let node = nodes[index]
        guard node.incoming.isEmpty, !node.isForCompensation else { return false }
        switch node.kind {
        case .boundaryEvent, .eventSubProcess, .eventTrigger: return false
        case .intermediateCatchEvent: if case .link? = node.event { return false } else { return true }
        default: return true
        }
    }

    /// Whether a node begins a process without a start event.
    func isInstantiating(_ index: Int) -> Bool {
        nodes[index].isInstantiating || nodes[index].eventGatewayType != .exclusive
    }

    /// What can start the process other than by hand: events, with those of multiple events and behind gateways.
    var eventStarts: [Int] {
        var starts: [Int] = []
        func add(_ index: Int) {
            if nodes[index].triggers.isEmpty { starts.append(index) } else { starts += nodes[index].triggers }
        }
        for index in nodes.indices where nodes[index].scope == 0 {
            let node = nodes[index]
            if node.kind == .startEvent || node.isInstantiating { add(index) }
            guard node.eventGatewayType != .exclusive else { continue }
            for flow in node.outgoing { flows[flow].target.map(add) }
        }
        return starts
    }
}

extension AdHocDefinition {
    fileprivate func with(activities: [Int]) -> AdHocDefinition {
        AdHocDefinition(
            isSequential: isSequential, completionCondition: completionCondition,
            cancelsRemainingInstances: cancelsRemainingInstances, activities: activities, activeElements: activeElements
        )
    }
}
