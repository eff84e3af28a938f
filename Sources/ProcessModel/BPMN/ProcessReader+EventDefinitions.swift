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
        return readCode(of: .error, definition, node, position).map { .error(code: $0.code) }
    }

    func readEscalation(_ definition: XMLElement, _ node: DraftNode, _ position: EventPosition) -> EventDefinition? {
        readCode(of: .escalation, definition, node, position).map { .escalation(code: $0.code) }
    }

    /// What an event refers to that is told apart by its code.
    private enum Coded: String {
        case error, escalation

        var article: String { self == .error ? "an error" : "an escalation" }
        var tag: BPMNTag { self == .error ? .error : .escalation }
        var unknown: BPMNCode { self == .error ? .unknownError : .unknownEscalation }
        var withoutCode: BPMNCode { self == .error ? .errorWithoutCode : .escalationWithoutCode }
    }

    /// Which codes an event is about.
    private struct CodeReference {
        /// Nil catches every code.
        var code: String?
    }

    /// The code of an error or escalation; nil when there is a finding instead.
    private func readCode(
        of kind: Coded, _ definition: XMLElement, _ node: DraftNode, _ position: EventPosition
    ) -> CodeReference? {
        let noun = kind.rawValue
        guard let reference = definition.attribute("\(noun)Ref"), !reference.isEmpty else {
            if !position.isThrowing { return CodeReference(code: nil) }
            if let code = reader.implied(node.id, for: "\(noun) of \(node.id)", at: definition) {
                return CodeReference(code: code)
            }
            reader.report(
                kind.unknown, at: definition,
                "Expected \(node.id) to name the \(noun) it throws, but it has no \(noun)Ref.",
                remedy: "define <\(noun) id=\"…\" \(noun)Code=\"…\"/> and refer to its id")
            return nil
        }
        guard let target = reader.resolve(reference, as: kind.tag) else {
            if let code = reader.implied(reference, for: "\(noun) of this id", at: definition) {
                return CodeReference(code: code)
            }
            reader.report(
                kind.unknown, at: definition,
                "Expected \(node.id) to name \(kind.article), but there is no \(noun) \(reference).",
                remedy: "define <\(noun) id=\"\(reference)\" \(noun)Code=\"…\"/> under <definitions>")
            return nil
        }
        guard let code = target.attribute("\(noun)Code"), !code.isEmpty else {
            if let code = reader.implied(target.attribute("id"), for: "code of the \(noun)", at: definition) {
                return CodeReference(code: code)
            }
            reader.report(
                kind.withoutCode, at: definition,
                "Expected \(noun) \(reference) to have an \(noun)Code, but it has none; \(node.id) needs it.",
                remedy: "add \(noun)Code; to catch every \(noun), leave \(noun)Ref out")
            return nil
        }
        return fixedCode(code, noun, at: definition).map { CodeReference(code: $0) }
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
