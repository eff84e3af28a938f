import Decisions
import Values

extension ProcessReader {
    /// Reads what an event waits for or throws.
    func readEvent(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        let position = position(of: node)
        node.isInterrupting = isInterrupting(node, position)
        // What starts a refused sub-process is refused with it.
        if node.kind == .startEvent, nodes[node.scope].isRefused { return }
        if readThrownJob(index, parts) { return }
        switch parts.events.count {
        case 0:
            node.event = EventDefinition.none
            guard position.requiresDefinition, !hasErrorsInNode else { return }
            reader.report(
                .unsupportedEvent, at: node.element,
                "Expected the \(position.noun) \(node.id) to have an event definition, but it has none.",
                remedy: "add the definition of what it waits for")
        case 1:
            node.event = readDefinition(parts.events[0].definition, of: node, at: position, parts)
        default: readTriggers(index, at: position, parts)
        }
    }

    /// Gives an event with several definitions a trigger node for each.
    private func readTriggers(_ index: Int, at position: EventPosition, _ parts: NodeParts) {
        let node = nodes[index]
        node.event = .multiple(isParallel: reader.boolean("parallelMultiple", of: node.element) ?? false)
        for (offset, part) in parts.events.enumerated() {
            let ownID = part.isReferred ? nil : part.definition.attribute("id")
            let trigger = DraftNode(
                element: part.definition, id: ownID ?? "\(node.id)#\(offset + 1)", kind: .eventTrigger,
                scope: node.scope)
            trigger.triggerOf = index
            trigger.isInterrupting = node.isInterrupting
            trigger.event = readDefinition(part.definition, of: node, at: position, parts)
            if case .link? = trigger.event {
                reader.report(
                    .unsupportedEvent, at: part.definition,
                    "Expected the link of \(node.id) to be its only definition, but it has several.",
                    remedy: "split the event in two")
            }
            node.triggers.append(nodes.count)
            nodes.append(trigger)
        }
    }

    /// Reads what a multi-instance activity throws by itself.
    func readImplicitThrow(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        readDefinition(definition, of: node, at: .implicit, NodeParts())
    }

    private func position(of node: DraftNode) -> EventPosition {
        switch node.kind {
        case .startEvent:
            switch nodes[node.scope].kind {
            case .process: .start
            case .eventSubProcess: .eventSubProcessStart
            default: .subProcessStart
            }
        case .endEvent: .end
        case .intermediateThrowEvent: .throwing
        case .boundaryEvent: .boundary
        default: .catching
        }
    }

    private func isInterrupting(_ node: DraftNode, _ position: EventPosition) -> Bool {
        switch position {
        case .boundary: reader.boolean("cancelActivity", of: node.element) ?? true
        case .eventSubProcessStart: reader.boolean("isInterrupting", of: node.element) ?? true
        default: true
        }
    }

    /// Reads one definition of an event; nil and a finding when it is wrong or not allowed there.
    private func readDefinition(
        _ definition: XMLElement, of node: DraftNode, at position: EventPosition, _ parts: NodeParts
    ) -> EventDefinition? {
        guard let tag = definition.tag, let noun = tag.eventNoun else { return nil }
        guard position.allows(tag) else {
            reader.report(
                .unsupportedEvent, at: node.element,
                "Expected the \(position.noun) \(node.id) to have a definition BPMN allows there, but found \(noun).",
                remedy: position.remedy)
            return nil
        }
        reader.checkExtensions(of: definition, on: .definition(tag))
        switch tag {
        case .timerEventDefinition: return readTimer(definition, node).map { .timer($0) }
        case .messageEventDefinition: return readMessageEvent(definition, node, position, parts)
        case .signalEventDefinition: return readSignal(definition, node, position)
        case .errorEventDefinition: return readError(definition, node, position)
        case .escalationEventDefinition: return readEscalation(definition, node, position)
        case .conditionalEventDefinition: return readConditional(definition, node)
        case .linkEventDefinition: return readLink(definition, node)
        case .compensateEventDefinition: return readCompensation(definition, node, position)
        case .cancelEventDefinition: return readCancel(definition, node)
        default: return .terminate
        }
    }

    // MARK: Timers

    private func readTimer(_ definition: XMLElement, _ node: DraftNode) -> TimerDefinition? {
        let parts = definition.children.filter {
            $0.tag == .timeDate || $0.tag == .timeDuration || $0.tag == .timeCycle
        }
        guard parts.count == 1, let part = parts.first, let tag = part.tag else {
            reader.report(
                .badTimer, at: definition,
                "Expected one of timeDate, timeDuration and timeCycle in the timer of \(node.id), "
                    + "but found \(parts.count).",
                remedy: "keep exactly one")
            return nil
        }
        guard !part.text.isEmpty else {
            reader.report(
                .emptyExpression, at: part, "Expected a time in the timer of \(node.id), but it is empty.",
                remedy: "write an ISO 8601 text, or an expression with a leading =")
            return nil
        }
        guard let value = reader.formalValue(part, "the timer of \(node.id)") else { return nil }
        if case .literal(let text) = value, !checkTimer(text, tag, at: part, node) { return nil }
        if tag == .timeCycle, node.isInterrupting, node.kind != .startEvent || nodes[node.scope].kind != .process {
            reader.report(
                .cycleFiresOnce, at: part, "The cycle of \(node.id) fires once, because the wait then ends.",
                remedy: "use timeDuration, or make the event non-interrupting")
        }
        switch tag {
        case .timeDate: return .date(value)
        case .timeDuration: return .duration(value)
        default: return .cycle(value)
        }
    }

    private func checkTimer(_ text: String, _ tag: BPMNTag, at part: XMLElement, _ node: DraftNode) -> Bool {
        let (isValid, expected): (Bool, String) =
            switch tag {
            case .timeDate: (DateTime(text) != nil, "date-time such as 2026-01-31T12:00:00Z")
            case .timeDuration: (ISO8601Duration(text).map { !$0.isNegative } ?? false, "duration such as PT15M")
            default: (ISO8601Repetition(text) != nil, "repeating interval such as R3/PT10M")
            }
        if isValid { return true }
        reader.report(
            .badTimerValue, at: part,
            "Expected an ISO 8601 \(expected) in the timer of \(node.id), but found \"\(text)\".",
            remedy: "correct it, or put = in front when it is an expression")
        return false
    }

    // MARK: Boundary events

    /// Attaches a boundary event to its activity.
    func attach(_ index: Int) {
        let node = nodes[index]
        let reference = node.element.attribute("attachedToRef") ?? ""
        guard let target = nodeIndex(reference), nodes[target].scope == node.scope else {
            reader.report(
                .unknownAttachment, at: node.element,
                "Expected boundary event \(node.id) to be attached to an activity of its scope, but "
                    + (reference.isEmpty ? "attachedToRef is missing." : "\(reference) is none."),
                remedy: "attach it to an activity of the same process or sub-process")
            return
        }
        guard nodes[target].kind.isActivity || nodes[target].isRefused else {
            reader.report(
                .attachedToNonActivity, at: node.element,
                "Expected boundary event \(node.id) to be attached to an activity, but \(nodes[target].id) is a "
                    + "\(nodes[target].kind.noun).",
                remedy: "attach it to a task, sub-process or call activity")
            return
        }
        nodes[index].attachedTo = target
        nodes[target].boundaryEvents.append(index)
    }
}
