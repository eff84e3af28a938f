import Decisions
import Values

extension ProcessReader {
    // MARK: Signals

    func readSignal(_ definition: XMLElement, _ node: DraftNode, _ position: EventPosition) -> EventDefinition? {
        let what = "the name of the signal of \(node.id)"
        guard let name = signalName(definition, node, what) else { return nil }
        guard position == .start, case .expression(let expression) = name else {
            return .signal(SignalDefinition(name: name))
        }
        if let text = expression.constant?.asString { return .signal(SignalDefinition(name: .literal(text))) }
        reader.report(
            .badExpression, at: definition,
            "Expected \(what) to be fixed, because it starts a process, but it depends on variables.",
            remedy: "write the name itself")
        return nil
    }

    private func signalName(_ definition: XMLElement, _ node: DraftNode, _ what: String) -> ExpressionOrLiteral? {
        if let name = reader.attributeValue("signalExpression", in: .camunda, of: definition, what) { return name }
        let reference = definition.attribute("signalRef")
        if let signal = reference.flatMap({ reader.resolve($0, as: .signal) }) { return reader.name(of: signal, what) }
        let missing = reference == nil ? "signal of \(node.id)" : "signal of this id"
        if let implied = reader.implied(reference ?? node.id, for: missing, at: definition) {
            return .literal(implied)
        }
        reader.report(
            .unknownSignal, at: definition,
            "Expected \(node.id) to name a signal, but "
                + (reference.map { "there is no signal \($0)." } ?? "it has no signalRef."),
            remedy: "define <signal id=\"…\" name=\"…\"/> under <definitions> and refer to its id")
        return nil
    }

    // MARK: Errors and escalations

    func readError(_ definition: XMLElement, _ node: DraftNode, _ position: EventPosition) -> EventDefinition? {
        checkInterrupting(node, "error")
        guard let reference = definition.attribute("errorRef"), !reference.isEmpty else {
            if !position.isThrowing { return .error(code: nil) }
            if let code = reader.implied(node.id, for: "error of \(node.id)", at: definition) {
                return .error(code: code)
            }
            reader.report(
                .unknownError, at: definition,
                "Expected \(node.id) to name the error it throws, but it has no errorRef.",
                remedy: "define <error id=\"…\" errorCode=\"…\"/> and refer to its id")
            return nil
        }
        guard let error = reader.resolve(reference, as: .error) else {
            if let code = reader.implied(reference, for: "error of this id", at: definition) {
                return .error(code: code)
            }
            reader.report(
                .unknownError, at: definition,
                "Expected \(node.id) to name an error, but there is no error \(reference).",
                remedy: "define <error id=\"\(reference)\" errorCode=\"…\"/> under <definitions>")
            return nil
        }
        guard let code = error.attribute("errorCode"), !code.isEmpty else {
            if let code = reader.implied(error.attribute("id"), for: "code of the error", at: definition) {
                return .error(code: code)
            }
            reader.report(
                .errorWithoutCode, at: definition,
                "Expected error \(reference) to have an errorCode, but it has none; \(node.id) needs it.",
                remedy: "add errorCode; to catch every error, leave errorRef out")
            return nil
        }
        return fixedCode(code, "error", at: definition).map { .error(code: $0) }
    }

    func readEscalation(_ definition: XMLElement, _ node: DraftNode, _ position: EventPosition) -> EventDefinition? {
        guard let reference = definition.attribute("escalationRef"), !reference.isEmpty else {
            if !position.isThrowing { return .escalation(code: nil) }
            if let code = reader.implied(node.id, for: "escalation of \(node.id)", at: definition) {
                return .escalation(code: code)
            }
            reader.report(
                .unknownEscalation, at: definition,
                "Expected \(node.id) to name the escalation it throws, but it has no escalationRef.",
                remedy: "define <escalation id=\"…\" escalationCode=\"…\"/> and refer to its id")
            return nil
        }
        guard let escalation = reader.resolve(reference, as: .escalation) else {
            if let code = reader.implied(reference, for: "escalation of this id", at: definition) {
                return .escalation(code: code)
            }
            reader.report(
                .unknownEscalation, at: definition,
                "Expected \(node.id) to name an escalation, but there is no escalation \(reference).",
                remedy: "define <escalation id=\"\(reference)\" escalationCode=\"…\"/> under <definitions>")
            return nil
        }
        guard let code = escalation.attribute("escalationCode"), !code.isEmpty else {
            if let code = reader.implied(escalation.attribute("id"), for: "code of the escalation", at: definition) {
                return .escalation(code: code)
            }
            reader.report(
                .escalationWithoutCode, at: definition,
                "Expected escalation \(reference) to have an escalationCode, but it has none; \(node.id) needs it.",
                remedy: "add escalationCode; to catch every escalation, leave escalationRef out")
            return nil
        }
        return fixedCode(code, "escalation", at: definition).map { .escalation(code: $0) }
    }

    private func fixedCode(_ code: String, _ noun: String, at definition: XMLElement) -> String? {
        guard code.hasPrefix("=") || code.contains("${") else { return code }
        reader.report(
            .unsupportedEvent, at: definition, "Expected a fixed \(noun) code, but found the expression \(code).",
            remedy: "write the code itself")
        return nil
    }

    /// Errors and cancellations always end what they stand on.
    private func checkInterrupting(_ node: DraftNode, _ noun: String) {
        guard !node.isInterrupting else { return }
        let attribute = node.kind == .boundaryEvent ? "cancelActivity" : "isInterrupting"
        reader.report(
            .errorNotInterrupting, at: node.element,
            "Expected the \(noun) \(node.kind.noun) \(node.id) to interrupt, but \(attribute) is false.",
            remedy: "remove \(attribute); an event of this kind always ends what it stands on")
    }

    // MARK: Conditions, links, compensation, cancellation

    func readConditional(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        guard let condition = definition.children.first(where: { $0.tag == .condition }) else {
            reader.report(
                .emptyExpression, at: definition,
                "Expected the conditional event \(node.id) to have a condition, but it has none.",
                remedy: "add <condition>…</condition>")
            return nil
        }
        return reader.formalExpression(condition, "the condition of \(node.id)").map { .conditional($0) }
    }

    func readLink(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        if let name = definition.attribute("name"), !name.isEmpty { return .link(name: name) }
        reader.report(
            .linkWithoutPartner, at: definition,
            "Expected the link event \(node.id) to have a name, but its definition has none.",
            remedy: "give the definitions of both link events the same name")
        return nil
    }

    func readCompensation(_ definition: XMLElement, _ node: DraftNode, _ position: EventPosition) -> EventDefinition? {
        let waits = reader.boolean("waitForCompletion", of: definition) ?? true
        guard position.isThrowing else {
            // The attribute says nothing for compensation: what it stands on has completed.
            node.isInterrupting = true
            return .compensation(CompensationDefinition(activity: nil, waitsForCompletion: waits))
        }
        guard let reference = definition.attribute("activityRef"), !reference.isEmpty else {
            return .compensation(CompensationDefinition(activity: nil, waitsForCompletion: waits))
        }
        guard let activity = nodeIndex(reference), nodes[activity].kind.isActivity else {
            reader.report(
                .unknownActivity, at: definition,
                "Expected activityRef of \(node.id) to name an activity of the process, but \(reference) is none.",
                remedy: "refer to an activity with a compensation boundary event, or leave activityRef out")
            return nil
        }
        return .compensation(CompensationDefinition(activity: activity, waitsForCompletion: waits))
    }

    func readCancel(_ definition: XMLElement, _ node: DraftNode) -> EventDefinition? {
        checkInterrupting(node, "cancel")
        if node.kind == .endEvent {
            var scope = node.scope
            while scope > 0, nodes[scope].kind != .transaction { scope = nodes[scope].scope }
            if scope > 0 { return .cancel }
        } else if let reference = node.element.attribute("attachedToRef") {
            // An attachment to nothing has a finding of its own.
            guard let target = nodeIndex(reference), nodes[target].kind != .transaction else { return .cancel }
        } else {
            return .cancel
        }
        reader.report(
            .unsupportedEvent, at: node.element,
            "Expected the cancel event \(node.id) to belong to a transaction, but there is none.",
            remedy: "use a <transaction> instead of the sub-process, or another event")
        return nil
    }
}
