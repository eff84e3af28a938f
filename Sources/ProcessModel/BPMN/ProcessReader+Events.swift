import Decisions
import Values

extension ProcessReader {
    /// Reads what an event waits for or throws.
    func readEvent(_ index: Int, _ definitions: [XMLElement]) {
        if nodes[index].kind == .boundaryEvent {
            nodes[index].isInterrupting = reader.boolean("cancelActivity", of: nodes[index].element) ?? true
        }
        let node = nodes[index]
        // What starts a refused sub-process is refused with it.
        if node.kind == .startEvent, nodes[node.scope].isRefused { return }
        if definitions.count > 1 {
            refuseEvent(index, "The event \(node.id) has several definitions, which is not executed by this version.")
            return
        }
        guard let definition = definitions.first, let tag = definition.name.tag else {
            nodes[index].event = EventDefinition.none
            if node.kind == .boundaryEvent || node.kind == .intermediateCatchEvent, !hasErrorsInNode {
                refuseEvent(index, "Expected \(node.id) to wait for something, but it has no event definition.")
            }
            return
        }
        if let refused = tag.refusedEvent {
            refuseEvent(index, "The \(refused) event \(node.id) is not executed by this version.")
            return
        }
        guard isAllowed(tag, on: node) else {
            refuseEvent(index, "The \(tag.eventNoun) \(node.kind.noun) \(node.id) is not executed by this version.")
            return
        }
        reader.checkExtensions(of: definition, on: .other("event definition"))
        switch tag {
        case .timerEventDefinition: nodes[index].event = readTimer(definition, node).map { .timer($0) }
        case .messageEventDefinition: nodes[index].event = readMessageEvent(definition, node)
        case .errorEventDefinition: nodes[index].event = readError(definition, node)
        default: nodes[index].event = .terminate
        }
    }

    private func refuseEvent(_ index: Int, _ message: String) {
        reader.report(
            .unsupportedEvent, at: nodes[index].element, message,
            remedy: "use a timer, message or error event where BPMN allows it")
    }

    private func isAllowed(_ tag: BPMNTag, on node: DraftNode) -> Bool {
        switch node.kind {
        case .startEvent: node.scope == 0 && (tag == .timerEventDefinition || tag == .messageEventDefinition)
        case .endEvent: tag == .errorEventDefinition || tag == .terminateEventDefinition
        case .intermediateCatchEvent: tag == .timerEventDefinition || tag == .messageEventDefinition
        default: tag != .terminateEventDefinition
        }
    }

    // MARK: Timers

    private func readTimer(_ definition: XMLElement, _ node: DraftNode) -> TimerDefinition? {
        let parts = definition.children.filter {
            $0.name.tag == .timeDate || $0.name.tag == .timeDuration || $0.name.tag == .timeCycle
        }
        guard parts.count == 1, let part = parts.first, let tag = part.name.tag else {
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
        guard reader.checkLanguage(of: part, nil, "the timer of \(node.id)"),
            let value = reader.value(part.text, of: part, "the timer of \(node.id)")
        else { return nil }
        if case .literal(let text) = value, !checkTimer(text, tag, at: part, node) { return nil }
        if tag == .timeCycle, node.kind != .startEvent, node.isInterrupting {
            reader.report(
                .cycleFiresOnce, at: part, "The cycle of \(node.id) fires once, because the wait then ends.",
                remedy: "use timeDuration, or make the boundary event non-interrupting")
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

    // MARK: Messages

    /// Reads what a receive task waits for.
    func readReceiveTask(_ index: Int) {
        let node = nodes[index]
        nodes[index].event = readMessage(node.element.attribute("messageRef"), at: node.element, node)
    }

    private func readMessageEvent(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        let reference =
            definition.attribute("messageRef")
            ?? definition.children.first { $0.name.local == "messageRef" }?.text
        return readMessage(reference, at: definition, node)
    }

    private func readMessage(_ reference: String?, at element: XMLElement, _ node: DraftNode) -> EventDefinition? {
        guard let reference, let message = reader.resolve(reference, as: .message) else {
            reader.report(
                .unknownMessage, at: element,
                "Expected \(node.id) to name a message, but "
                    + (reference.map { "there is no message \($0)." } ?? "it has no messageRef."),
                remedy: "define <message id=\"…\" name=\"…\"/> and refer to its id")
            return nil
        }
        guard let name = reader.attributeValue("name", of: message, "the name of message \(reference)") else {
            if !hasErrorsInNode {
                reader.report(
                    .noCorrelation, at: element,
                    "Expected message \(reference) to have a name, but it has none; \(node.id) cannot wait for it.",
                    remedy: "give it the name under which it is published")
            }
            return nil
        }
        // A message start event creates an instance for each message, whatever its key.
        if node.kind == .startEvent { return .message(MessageDefinition(name: name, correlationKey: nil)) }
        guard let source = correlationKey(of: message) else {
            reader.report(
                .noCorrelation, at: element,
                "Expected message \(reference) to say which instance it is for, but it has no correlation key.",
                remedy: "add <zeebe:subscription correlationKey=\"=…\"/> to the message's extensionElements")
            return nil
        }
        return reader.markedExpression(source, of: element, "the correlation key of message \(reference)").map {
            .message(MessageDefinition(name: name, correlationKey: $0))
        }
    }

    private func correlationKey(of message: XMLElement) -> String? {
        for child in message.children where child.name.tag == .extensionElements {
            for item in child.children where item.name.extensionTag == .zeebeSubscription {
                return item.attribute("correlationKey").flatMap { $0.isEmpty ? nil : $0 }
            }
        }
        return nil
    }

    // MARK: Errors

    private func readError(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        if node.kind == .boundaryEvent, !node.isInterrupting {
            reader.report(
                .errorNotInterrupting, at: node.element,
                "Expected the error boundary event \(node.id) to interrupt, but cancelActivity is false.",
                remedy: "remove cancelActivity; an error always ends the activity")
        }
        guard let reference = definition.attribute("errorRef"), !reference.isEmpty else {
            if node.kind == .boundaryEvent { return .error(code: nil) }
            reader.report(
                .unknownError, at: definition,
                "Expected \(node.id) to name the error it throws, but it has no errorRef.",
                remedy: "define <error id=\"…\" errorCode=\"…\"/> and refer to its id")
            return nil
        }
        guard let error = reader.resolve(reference, as: .error) else {
            reader.report(
                .unknownError, at: definition,
                "Expected \(node.id) to name an error, but there is no error \(reference).",
                remedy: "define <error id=\"\(reference)\" errorCode=\"…\"/> under <definitions>")
            return nil
        }
        guard let code = error.attribute("errorCode"), !code.isEmpty else {
            reader.report(
                .errorWithoutCode, at: definition,
                "Expected error \(reference) to have an errorCode, but it has none; \(node.id) needs it.",
                remedy: "add errorCode; to catch every error, leave errorRef out")
            return nil
        }
        if code.hasPrefix("=") || code.contains("${") {
            reader.report(
                .unsupportedEvent, at: definition, "Expected a fixed error code, but found the expression \(code).",
                remedy: "write the code itself")
            return nil
        }
        return .error(code: code)
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

extension BPMNTag {
    fileprivate var eventNoun: String {
        switch self {
        case .timerEventDefinition: "timer"
        case .messageEventDefinition: "message"
        case .errorEventDefinition: "error"
        default: "terminate"
        }
    }
}
