/// Collaborations, choreographies and processes as a whole (BPMN 2.0.2 clauses 9 to 11).
extension ConstraintChecker {
    func checkProcess(_ process: XMLElement) {
        guard process.attribute("processType") == "Public", isTrue("isExecutable", of: process) else { return }
        report(
            .publicExecutable, at: process,
            "Expected public \(called(process)) not to be executable, but isExecutable is true.")
    }

    func checkCollaboration(_ collaboration: XMLElement, _ kind: ElementKind) {
        let choreographies = parts(.choreographyRef, of: collaboration)
        if kind != .collaboration, let reference = choreographies.first {
            report(
                .choreographyReference, at: reference,
                "Expected no choreographyRef in \(called(collaboration)), but found \(reference.text).")
        }
        if kind == .globalConversation { checkGlobalConversation(collaboration) }
        guard kind == .collaboration else { return }
        for reference in choreographies {
            guard let choreography = resolve(reference.text), traits(choreography).contains(.choreography),
                isTrue("isClosed", of: choreography)
            else { continue }
            checkClosed(choreography, in: collaboration)
        }
    }

    private func checkGlobalConversation(_ conversation: XMLElement) {
        for child in conversation.children {
            switch kind(child) {
            case .conversation, .subConversation, .callConversation, .conversationLink, .conversationAssociation,
                .participantAssociation, .messageFlowAssociation, .association, .group, .textAnnotation, .artifact:
                report(
                    .globalConversationContent, at: child,
                    "Expected only participants and message flows in \(called(conversation)), but found "
                        + "\(called(child)).")
            default: continue
            }
        }
    }

    /// Rule 033: what a closed choreography does not have may not happen beside it.
    private func checkClosed(_ choreography: XMLElement, in collaboration: XMLElement) {
        let allowed = parts(.messageFlow, of: choreography).map(\.index)
        var mapped: Set<Int32> = []
        for association in parts(.messageFlowAssociation, of: collaboration) {
            guard let outer = resolve("outerMessageFlowRef", of: association, as: .messageFlow),
                let inner = resolve("innerMessageFlowRef", of: association, as: .messageFlow)
            else { continue }
            if allowed.contains(inner.index) { mapped.insert(outer.index) }
            if allowed.contains(outer.index) { mapped.insert(inner.index) }
        }
        for flow in parts(.messageFlow, of: collaboration) where !mapped.contains(flow.index) {
            report(
                .closedChoreography, at: flow,
                "Expected \(called(flow)) to be one of closed \(called(choreography)), but it is not.")
        }
    }

    func checkMultiplicity(_ multiplicity: XMLElement) {
        let minimum = multiplicity.attribute("minimum").map { Int($0) } ?? 0
        let maximum = multiplicity.attribute("maximum").map { Int($0) } ?? 1
        if minimum.map({ $0 < 0 }) ?? true {
            report(
                .participantMinimum, at: multiplicity,
                "Expected a minimum of zero or more, but found \"\(multiplicity.attribute("minimum") ?? "")\".")
        }
        if maximum.map({ $0 < max(1, minimum ?? 0) }) ?? true {
            report(
                .participantMaximum, at: multiplicity,
                "Expected a maximum of one or more and not below the minimum, but found "
                    + "\"\(multiplicity.attribute("maximum") ?? "1")\".")
        }
    }

    // MARK: Message flows

    func checkMessageFlow(_ flow: XMLElement) {
        let source = resolve(flow.attribute("sourceRef"))
        let target = resolve(flow.attribute("targetRef"))
        if let source { checkMessageEnd(source, of: flow, "begin", .messageFlowFromArtifact) }
        if let target { checkMessageEnd(target, of: flow, "end", .messageFlowToArtifact) }
        for (attribute, end) in [("sourceRef", source), ("targetRef", target)]
        where end == nil && value(attribute, of: flow) == nil {
            report(
                .reference, at: flow, "Expected \(attribute) to name an interaction node, but it is missing.",
                weight: .doubtful)
        }
        guard let source, let target, let pool = pool(of: source), pool == self.pool(of: target) else { return }
        report(
            .messageFlowEnds, at: flow,
            "Expected \(called(flow)) to connect two pools, but \(called(source)) and \(called(target)) are in one.")
    }

    private func checkMessageEnd(
        _ node: XMLElement, of flow: XMLElement, _ verb: String, _ artifact: Constraint
    ) {
        let traits = traits(node)
        if traits.contains(.artifact) {
            report(
                artifact, at: flow,
                "Expected \(called(flow)) to \(verb) at a pool, activity or event, but it does at \(called(node)).")
        } else if !traits.contains(.interactionNode) || isEventSubProcess(node) {
            report(
                .messageFlowEnds, at: flow,
                "Expected \(called(flow)) to \(verb) at a pool, activity or event, but it does at \(called(node)).")
        }
    }

    /// A number for the pool an element belongs to: its process, or the participant itself when it is a black box.
    private func pool(of element: XMLElement) -> Int32? {
        switch kind(element) {
        case .participant:
            return resolve("processRef", of: element, as: .process)?.index ?? element.index
        case .conversation, .subConversation, .callConversation:
            return nil
        default:
            return container(of: element).flatMap { kind($0) == .process ? $0.index : nil }
        }
    }
}
