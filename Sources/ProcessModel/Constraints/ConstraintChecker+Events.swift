/// Events by their position (BPMN 2.0.2 clauses 10.5.2 to 10.5.4).
extension ConstraintChecker {
    func checkEvent(_ event: XMLElement, _ kind: ElementKind, _ traits: ElementTraits) {
        let definitions = definitions(of: event)
        switch kind {
        case .startEvent: checkStart(event, definitions)
        case .endEvent: checkEnd(event, definitions)
        case .boundaryEvent: checkBoundary(event, definitions)
        case .intermediateCatchEvent, .intermediateThrowEvent: checkIntermediate(event, kind, definitions)
        default: break
        }
        if traits.contains(.throwEvent) {
            for definition in definitions { checkThrownCode(definition, by: event, kind) }
        }
        checkData(of: event, traits, definitions)
        for definition in definitions where self.kind(definition) == .linkEventDefinition {
            checkLink(definition, of: event, kind)
        }
        for definition in definitions where self.kind(definition) == .compensateEventDefinition {
            checkCompensation(definition, of: event, kind)
        }
    }

    // MARK: Start events

    private func checkStart(_ event: XMLElement, _ definitions: [XMLElement]) {
        if let flow = incoming(event).first(where: { _ in true }) {
            report(
                .startEventWithIncoming, at: event,
                "Expected no sequence flow into \(called(event)), but \(called(flow)) leads there.")
        }
        if outgoing(event).isEmpty {
            report(
                .startEventWithoutOutgoing, at: event,
                "Expected a sequence flow out of \(called(event)), but there is none.",
                weight: isAlone(event) ? .formal : nil)
        }
        for flow in index.messageFlowsFrom[event.index] ?? [] {
            report(
                .startEventSendsMessage, at: document.element(at: Int(flow)),
                "Expected \(called(event)) to receive messages only, but it sends one.")
        }
        let isMessage = definitions.contains { kind($0) == .messageEventDefinition }
        if !isMessage, let flow = index.messageFlowsTo[event.index]?.first {
            report(
                .startEventReceivesMessage, at: document.element(at: Int(flow)),
                "Expected a message trigger on \(called(event)), because a message flow leads there, but it has none.")
        }
        guard let level = event.parent else { return }
        if isEventSubProcess(level) {
            checkEventSubProcessStart(event, definitions)
        } else if traits(level).contains(.subProcess) {
            if hasDefinitions(event) {
                report(
                    .subProcessStartDefinition, at: event,
                    "Expected no trigger on \(called(event)) of \(called(level)), but it has one.")
            }
        } else if kind(level) == .process {
            for definition in definitions where !EventForms.starts.contains(kind(definition)) {
                report(
                    .startEventDefinition, at: definition,
                    "Expected a message, timer, conditional or signal on \(called(event)), but it has a "
                        + "\(kind(definition).noun).")
            }
        }
    }

    /// Whether there is nothing on its level that a start event could lead to.
    private func isAlone(_ event: XMLElement) -> Bool {
        event.parent?.children.allSatisfy { kind($0) == .startEvent || !traits($0).contains(.flowNode) } ?? true
    }

    private func checkEventSubProcessStart(_ event: XMLElement, _ definitions: [XMLElement]) {
        if !hasDefinitions(event) {
            report(
                .eventSubProcessTrigger, at: event,
                "Expected a trigger on \(called(event)) of an event sub-process, but it has none.")
        }
        let isInterrupting = isTrue("isInterrupting", of: event, default: true)
        for definition in definitions {
            let kind = kind(definition)
            if !EventForms.eventSubProcessStarts.contains(kind) {
                report(
                    .eventSubProcessTrigger, at: definition,
                    "Expected a trigger that can start an event sub-process on \(called(event)), but it has a "
                        + "\(kind.noun).")
            } else if !isInterrupting, kind == .errorEventDefinition || kind == .compensateEventDefinition {
                report(
                    .eventSubProcessTrigger, at: definition,
                    "Expected \(called(event)) with a \(kind.noun) to interrupt, but isInterrupting is false.")
            }
        }
    }

    /// Whether an event has a definition, even one that cannot be found.
    private func hasDefinitions(_ event: XMLElement) -> Bool {
        event.children.contains { traits($0).contains(.eventDefinition) || kind($0) == .eventDefinitionRef }
    }

    // MARK: End events

    private func checkEnd(_ event: XMLElement, _ definitions: [XMLElement]) {
        if let flow = outgoing(event).first(where: { _ in true }) {
            report(
                .endEventWithOutgoing, at: event,
                "Expected no sequence flow out of \(called(event)), but \(called(flow)) begins there.")
        }
        if incoming(event).isEmpty {
            report(
                .endEventWithoutIncoming, at: event,
                "Expected a sequence flow into \(called(event)), but there is none.")
        }
        for flow in index.messageFlowsTo[event.index] ?? [] {
            report(
                .endEventReceivesMessage, at: document.element(at: Int(flow)),
                "Expected \(called(event)) to send messages only, but it receives one.")
        }
        let isMessage = definitions.contains { kind($0) == .messageEventDefinition }
        if !isMessage, let flow = index.messageFlowsFrom[event.index]?.first {
            report(
                .endEventSendsMessage, at: document.element(at: Int(flow)),
                "Expected a message definition on \(called(event)), because a message flow begins there, but it has "
                    + "none.")
        }
        for definition in definitions {
            if !EventForms.ends.contains(kind(definition)) {
                report(
                    .endEventDefinition, at: definition,
                    "Expected a result on \(called(event)), but it has a \(kind(definition).noun).")
            } else if kind(definition) == .cancelEventDefinition, !isInsideTransaction(event) {
                report(
                    .cancelOutsideTransaction, at: definition,
                    "Expected \(called(event)) to stand in a transaction, because it cancels, but it does not.")
            }
        }
    }

    private func isInsideTransaction(_ element: XMLElement) -> Bool {
        var next = element.parent
        while let candidate = next, !traits(candidate).isDisjoint(with: .processLevel) {
            if kind(candidate) == .transaction { return true }
            next = candidate.parent
        }
        return false
    }

    private func checkThrownCode(_ definition: XMLElement, by event: XMLElement, _ kind: ElementKind) {
        guard isExecutable(event) else { return }
        switch self.kind(definition) {
        case .errorEventDefinition where kind == .endEvent:
            let error = resolve("errorRef", of: definition, as: .error)
            guard error.flatMap({ value("errorCode", of: $0) }) == nil else { return }
            report(
                .errorWithoutCode, at: event,
                "Expected \(called(event)) to throw an error with a code, but \(error.map(called) ?? "it") has none.")
        case .escalationEventDefinition:
            let escalation = resolve("escalationRef", of: definition, as: .escalation)
            guard escalation.flatMap({ value("escalationCode", of: $0) }) == nil else { return }
            report(
                .escalationWithoutCode, at: event,
                "Expected \(called(event)) to throw an escalation with a code, but \(escalation.map(called) ?? "it") "
                    + "has none.")
        default: return
        }
    }

    // MARK: Boundary events

    private func checkBoundary(_ event: XMLElement, _ definitions: [XMLElement]) {
        let isInterrupting = isTrue("cancelActivity", of: event, default: true)
        let isCompensation = definitions.contains { kind($0) == .compensateEventDefinition }
        if let flow = incoming(event).first(where: { _ in true }) {
            report(
                .boundaryEventWithIncoming, at: event,
                "Expected no sequence flow into \(called(event)), but \(called(flow)) leads there.")
        }
        if outgoing(event).isEmpty, !isCompensation {
            report(
                .boundaryWithoutOutgoing, at: event,
                "Expected a sequence flow out of \(called(event)), but there is none.")
        }
        if !hasDefinitions(event) {
            report(.boundaryWithoutDefinition, at: event, "Expected a trigger on \(called(event)), but it has none.")
        }
        for definition in definitions {
            let kind = kind(definition)
            if !EventForms.boundaries.contains(kind) {
                report(
                    .boundaryDefinition, at: definition,
                    "Expected a trigger that can interrupt an activity on \(called(event)), but it has a \(kind.noun).")
            } else if !isInterrupting, EventForms.alwaysInterrupting.contains(kind) {
                report(
                    .boundaryNotInterrupting, at: definition,
                    "Expected \(called(event)) with a \(kind.noun) to interrupt, but cancelActivity is false.")
            }
            guard kind == .cancelEventDefinition, let host = resolve(event.attribute("attachedToRef")),
                self.kind(host) != .transaction
            else { continue }
            report(
                definition.parent?.index == event.index ? .cancelBoundary : .cancelBoundaryByReference, at: event,
                "Expected \(called(event)) to stand on a transaction, because it catches its cancellation, but it "
                    + "stands on \(called(host)).")
        }
        checkMessageDirection(event, isMessage: definitions.contains { kind($0) == .messageEventDefinition })
    }

    private func checkMessageDirection(_ event: XMLElement, isMessage: Bool) {
        guard isMessage else { return }
        let isThrow = traits(event).contains(.throwEvent)
        let wrong = isThrow ? index.messageFlowsTo : index.messageFlowsFrom
        guard let flow = wrong[event.index]?.first else { return }
        report(
            .messageFlowDirection, at: document.element(at: Int(flow)),
            "Expected \(called(event)) to \(isThrow ? "send" : "receive") messages only, but a message flow "
                + (isThrow ? "leads there." : "begins there."))
    }

    // MARK: Intermediate events

    private func checkIntermediate(_ event: XMLElement, _ kind: ElementKind, _ definitions: [XMLElement]) {
        let isCatch = kind == .intermediateCatchEvent
        let isLink = definitions.contains { self.kind($0) == .linkEventDefinition }
        if incoming(event).isEmpty {
            if !(isLink && isCatch) {
                report(
                    .intermediateWithoutIncoming, at: event,
                    "Expected a sequence flow into \(called(event)), but there is none.")
            }
        } else if isLink, isCatch {
            report(
                .linkWithFlow, at: event,
                "Expected no sequence flow into \(called(event)), because it catches a link, but there is one.")
        }
        if outgoing(event).isEmpty {
            if !(isLink && !isCatch) {
                report(
                    .intermediateWithoutOutgoing, at: event,
                    "Expected a sequence flow out of \(called(event)), but there is none.")
            }
        } else if isLink, !isCatch {
            report(
                .linkWithFlow, at: event,
                "Expected no sequence flow out of \(called(event)), because it throws a link, but there is one.")
        }
        if isCatch, !hasDefinitions(event) {
            report(.catchWithoutDefinition, at: event, "Expected a trigger on \(called(event)), but it has none.")
            report(.catchDefinition, at: event, "Expected a trigger on \(called(event)), but it has none.")
        }
        let allowed = isCatch ? EventForms.catches : EventForms.throwing
        for definition in definitions where !allowed.contains(self.kind(definition)) {
            report(
                isCatch ? .catchDefinition : .throwDefinition, at: definition,
                "Expected \(called(event)) to have a definition of an intermediate "
                    + "\(isCatch ? "catch" : "throw") event, but it has a \(self.kind(definition).noun).")
        }
        checkMessageDirection(event, isMessage: definitions.contains { self.kind($0) == .messageEventDefinition })
    }
}

/// Which definitions an event may have in which position (BPMN 2.0.2 tables 10.84 to 10.91).
enum EventForms {
    static let starts: Set<ElementKind> = [
        .messageEventDefinition, .timerEventDefinition, .conditionalEventDefinition, .signalEventDefinition,
    ]
    static let eventSubProcessStarts: Set<ElementKind> = starts.union([
        .escalationEventDefinition, .errorEventDefinition, .compensateEventDefinition,
    ])
    static let boundaries: Set<ElementKind> = eventSubProcessStarts.union([.cancelEventDefinition])
    static let alwaysInterrupting: Set<ElementKind> = [
        .errorEventDefinition, .cancelEventDefinition, .compensateEventDefinition,
    ]
    static let catches: Set<ElementKind> = starts.union([.linkEventDefinition])
    static let throwing: Set<ElementKind> = [
        .messageEventDefinition, .escalationEventDefinition, .compensateEventDefinition, .linkEventDefinition,
        .signalEventDefinition,
    ]
    static let ends: Set<ElementKind> = [
        .messageEventDefinition, .errorEventDefinition, .escalationEventDefinition, .cancelEventDefinition,
        .compensateEventDefinition, .signalEventDefinition, .terminateEventDefinition,
    ]
}
