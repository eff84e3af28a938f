/// Sequence flows and what every flow node must obey (BPMN 2.0.2 clauses 7.6 and 8.4.13).
extension ConstraintChecker {
    func checkSequenceFlow(_ flow: XMLElement) {
        checkEnds(of: flow)
        if isExecutable(flow), !isTrue("isImmediate", of: flow, default: true) {
            report(.notImmediate, at: flow, "Expected an immediate sequence flow, but isImmediate is false.")
        }
        checkLists(of: flow)
    }

    private func checkEnds(of flow: XMLElement) {
        checkEnd("sourceRef", of: flow, source(of: flow))
        checkEnd("targetRef", of: flow, target(of: flow))
        if let source = source(of: flow) {
            let traits = traits(source)
            if traits.contains(.artifact) {
                report(
                    .flowFromArtifact, at: flow,
                    "Expected the sequence flow to begin at a flow node, but \(called(source)) is an artifact.")
            } else if !traits.contains(.flowNode) || isEventSubProcess(source) {
                report(
                    .flowSource, at: flow,
                    "Expected the sequence flow to begin at an activity, gateway or event, but it begins at "
                        + "\(isEventSubProcess(source) ? "event " : "")\(called(source)).")
            }
        }
        if let target = target(of: flow) {
            let traits = traits(target)
            if traits.contains(.artifact) {
                report(
                    .flowToArtifact, at: flow,
                    "Expected the sequence flow to lead to a flow node, but \(called(target)) is an artifact.")
            } else if !traits.contains(.flowNode) || isEventSubProcess(target) {
                report(
                    .flowTarget, at: flow,
                    "Expected the sequence flow to lead to an activity, gateway or event, but it leads to "
                        + "\(isEventSubProcess(target) ? "event " : "")\(called(target)).")
            }
        }
        checkLevels(of: flow)
    }

    private func checkEnd(_ attribute: String, of flow: XMLElement, _ end: XMLElement?) {
        let name = value(attribute, of: flow)
        if let name, resolve(name) != nil { return }
        report(
            .reference, at: flow,
            "Expected \(attribute) to name a flow node, but "
                + (name.map { "there is no element \"\($0)\"." } ?? "it is missing."),
            weight: end == nil ? .execution : .formal)
    }

    private func checkLevels(of flow: XMLElement) {
        guard let source = source(of: flow), let target = target(of: flow), traits(source).contains(.flowNode),
            traits(target).contains(.flowNode), let from = source.parent, let to = target.parent,
            from.index != to.index
        else { return }
        if container(of: source)?.index != container(of: target)?.index {
            report(
                .flowAcrossPools, at: flow,
                "Expected both ends in one process, but \(called(source)) stands in \(called(from)) and "
                    + "\(called(target)) in \(called(to)).")
        } else {
            report(
                .flowAcrossLevels, at: flow,
                "Expected both ends on one level, but \(called(source)) stands in \(called(from)) and "
                    + "\(called(target)) in \(called(to)).")
        }
    }

    /// Rule 023: both ends list the flow.
    ///
    /// That lists are absent only matters in the strict profile: the schema lets them be left out.
    private func checkLists(of flow: XMLElement) {
        guard profile == .strict, let id = flow.attribute("id") else { return }
        if let source = source(of: flow), traits(source).contains(.flowNode), !lists(source, .outgoing, id) {
            report(.unlistedFlow, at: source, "Expected \(called(source)) to list \(id) as outgoing, but it does not.")
        }
        if let target = target(of: flow), traits(target).contains(.flowNode), !lists(target, .incoming, id) {
            report(.unlistedFlow, at: target, "Expected \(called(target)) to list \(id) as incoming, but it does not.")
        }
    }

    private func lists(_ node: XMLElement, _ kind: ElementKind, _ id: String) -> Bool {
        for child in node.children where self.kind(child) == kind {
            let text = child.text
            if text == id || (text.hasSuffix(id) && text.dropLast(id.utf8.count).last == ":") { return true }
        }
        return false
    }

    // MARK: Nodes

    func checkFlowNode(_ node: XMLElement, _ kind: ElementKind, _ traits: ElementTraits) {
        checkListed(by: node)
        checkDefaultFlow(of: node)
        if traits.contains(.activity) { checkActivity(node, kind) }
        if traits.contains(.gateway) { checkGateway(node, kind) }
        if traits.contains(.subProcess) { checkSubProcess(node, kind) }
        if traits.contains(.choreographyActivity) { checkChoreographyActivity(node) }
    }

    private func checkListed(by node: XMLElement) {
        for child in node.children {
            let kind = kind(child)
            guard kind == .incoming || kind == .outgoing, let flow = resolve(child.text),
                self.kind(flow) == .sequenceFlow
            else { continue }
            let end = kind == .incoming ? target(of: flow) : source(of: flow)
            guard end?.index != node.index else { continue }
            report(
                .unlistedFlow, at: child,
                "Expected \(kind) to name a flow of \(called(node)), but \(child.text) belongs to "
                    + (end.map(called) ?? "nothing") + ".")
        }
    }

    private func checkDefaultFlow(of node: XMLElement) {
        guard let flow = resolve("default", of: node, as: .sequenceFlow), source(of: flow)?.index != node.index else {
            return
        }
        report(
            .foreignDefaultFlow, at: node,
            "Expected the default flow of \(called(node)) to begin there, but \(called(flow)) begins at "
                + (source(of: flow).map(called) ?? "nothing") + ".")
    }

    // MARK: Levels

    /// Rules about the nodes of one process or sub-process taken together.
    func checkLevel(_ level: XMLElement, _ kind: ElementKind) {
        var starts: XMLElement?
        var ends: XMLElement?
        for child in level.children {
            switch self.kind(child) {
            case .startEvent: starts = starts ?? child
            case .endEvent: ends = ends ?? child
            default: break
            }
        }
        if let ends, starts == nil {
            report(
                .noStartEvent, at: ends,
                "Expected a start event beside the end events of \(called(level)), but there is none.")
        }
        if let starts, ends == nil {
            report(
                .noEndEvent, at: starts,
                "Expected an end event beside the start events of \(called(level)), but there is none.")
        }
        guard kind != .adHocSubProcess, starts != nil || ends != nil else { return }
        for node in level.children { checkConnection(of: node, in: level) }
    }

    /// Rules 150 and 151: beside start and end events, activities and gateways are connected on both sides.
    private func checkConnection(of node: XMLElement, in level: XMLElement) {
        let traits = traits(node)
        guard !traits.isDisjoint(with: [.activity, .gateway, .choreographyActivity]), !isHandler(node),
            !isEventSubProcess(node)
        else { return }
        if incoming(node).isEmpty, !isTrue("instantiate", of: node) {
            report(
                .noIncoming, at: node,
                "Expected a sequence flow into \(called(node)), because \(called(level)) has start or end events, but "
                    + "there is none.")
        }
        if outgoing(node).isEmpty {
            report(
                .noOutgoing, at: node,
                "Expected a sequence flow out of \(called(node)), because \(called(level)) has start or end events, but "
                    + "there is none.")
        }
    }
}
