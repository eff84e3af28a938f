import Decisions

extension ProcessReader {
    /// The element that names the decision of a business rule task.
    func decisionElement(_ node: DraftNode, _ extensions: Extensions) -> XMLElement? {
        extensions.first(.zeebeCalledDecision)
            ?? (node.element.attribute("decisionRef", in: .camunda) == nil ? nil : node.element)
    }

    /// Reads which decision a business rule task evaluates.
    func readCalledDecision(_ node: DraftNode, _ extensions: Extensions) -> CalledDecision? {
        if let zeebe = extensions.first(.zeebeCalledDecision) {
            let decision = requiredExpressionOrLiteral("decisionId", of: zeebe)
            let variable = requiredText("resultVariable", of: zeebe).flatMap { variableName($0, of: zeebe) }
            let binding = readBinding(
                zeebe.attribute("bindingType"), versionTag: zeebe.attribute("versionTag"), version: nil, at: zeebe)
            guard let decision, let variable, let binding else { return nil }
            return CalledDecision(decisionID: decision, binding: binding, resultVariable: variable)
        }
        return readCamundaDecision(node)
    }

    private func readCamundaDecision(_ node: DraftNode) -> CalledDecision? {
        let element = node.element
        let decision = reader.attributeValue("decisionRef", in: .camunda, of: element, "the decision of \(node.id)")
        let binding = readBinding(
            element.attribute("decisionRefBinding", in: .camunda),
            versionTag: element.attribute("decisionRefVersionTag", in: .camunda),
            version: element.attribute("decisionRefVersion", in: .camunda), at: element)
        checkResultMapping(element)
        guard let decision, let binding else { return nil }
        let result =
            element.attribute("resultVariable", in: .camunda).flatMap { $0.isEmpty ? nil : $0 }
            ?? reader.implied("decisionResult", for: "result variable of \(node.id)", at: element)
        guard let result else {
            reader.report(
                .incompleteExtension, at: element,
                "Expected camunda:resultVariable beside camunda:decisionRef on \(node.id), but it is missing.",
                remedy: "name the variable that receives the result")
            return nil
        }
        return variableName(result, of: element).map {
            CalledDecision(decisionID: decision, binding: binding, resultVariable: $0)
        }
    }

    /// A result has the shape DMN gives it, which for one entry is also Camunda's.
    private func checkResultMapping(_ element: XMLElement) {
        let mapping = element.attribute("mapDecisionResult", in: .camunda) ?? "resultList"
        switch mapping {
        case "singleEntry": return
        case "singleResult", "collectEntries", "resultList":
            reader.report(
                .resultMappingIgnored, at: element,
                "camunda:mapDecisionResult \"\(mapping)\" is not applied: the result has the shape DMN gives it.",
                remedy: "check what reads the result, or choose its parts with an output mapping")
        default:
            reportChoice(
                mapping, "mapDecisionResult", ["singleEntry", "singleResult", "collectEntries", "resultList"],
                at: element)
        }
    }
}
