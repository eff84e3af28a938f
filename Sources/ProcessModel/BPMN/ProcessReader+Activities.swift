import Decisions
import Values

extension ProcessReader {
    // MARK: User tasks

    /// Reads who may do a user task, and when.
    func readUserTask(_ index: Int, _ extensions: Extensions) -> UserTaskDefinition {
        let node = nodes[index]
        let assignment = extensions.first(.zeebeAssignmentDefinition)
        let schedule = extensions.first(.zeebeTaskSchedule)
        func value(_ local: String, _ zeebe: XMLElement?) -> ExpressionOrLiteral? {
            if let zeebe, let value = reader.attributeValue(local, of: zeebe, "\(local) of \(node.id)") { return value }
            return reader.attributeValue(local, in: .camunda, of: node.element, "\(local) of \(node.id)")
        }
        return UserTaskDefinition(
            assignee: value("assignee", assignment), candidateGroups: value("candidateGroups", assignment),
            candidateUsers: value("candidateUsers", assignment),
            dueDate: dateTime(value("dueDate", schedule), of: node),
            followUpDate: dateTime(value("followUpDate", schedule), of: node),
            priority: readPriority(index, extensions), formKey: readFormKey(node, extensions))
    }

    private func dateTime(_ value: ExpressionOrLiteral?, of node: DraftNode) -> ExpressionOrLiteral? {
        if case .literal(let text)? = value, DateTime(text) == nil {
            reader.report(
                .badLiteral, at: node.element,
                "Expected an ISO 8601 date-time for a date of \(node.id), but found \"\(text)\".",
                remedy: "write one such as 2026-01-31T12:00:00Z, or an expression with a leading =")
        }
        return value
    }

    private func readFormKey(_ node: DraftNode, _ extensions: Extensions) -> String? {
        let form = extensions.first(.zeebeFormDefinition)
        let candidates = [
            form?.attribute("formId"), form?.attribute("formKey"), form?.attribute("externalReference"),
            node.element.attribute("formKey", in: .camunda), node.element.attribute("formRef", in: .camunda),
        ]
        return candidates.lazy.compactMap { $0 }.first { !$0.isEmpty }
    }

    // MARK: Scripts

    /// Reads a script task: FEEL in the model, assignments (`apg:set`), or a job.
    func readScriptTask(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        let extensions = parts.extensions
        if hasJobDefinition(node.element, extensions) {
            nodes[index].job = readJob(index, extensions)
            return
        }
        let resultVariable = readResultVariable(node, extensions)
        if let zeebe = extensions.first(.zeebeScript) {
            let variable = requiredText("resultVariable", of: zeebe).flatMap { variableName($0, of: zeebe) }
            let source = requiredText("expression", of: zeebe)
            let expression = source.flatMap { reader.expression($0, of: zeebe, "the script of \(node.id)") }
            nodes[index].script = expression.map { ScriptDefinition(expression: $0, resultVariable: variable) }
        } else if let script = parts.script {
            guard checkScriptFormat(node) else { return }
            let expression = reader.expression(script.text, of: script, "the script of \(node.id)")
            nodes[index].script = expression.map { ScriptDefinition(expression: $0, resultVariable: resultVariable) }
        } else if !extensions.all(.apgSet).isEmpty {
            nodes[index].script = readAssignments(extensions.all(.apgSet), of: node)
        } else if !hasErrorsInNode {
            reader.report(
                .noScript, at: node.element, "Expected a script in \(node.id), but found none.",
                remedy: "add <script>, zeebe:script or apg:set")
        }
    }

    private func readResultVariable(_ node: DraftNode, _ extensions: Extensions) -> String? {
        if let result = extensions.first(.apgResult) { return readVariable(result) }
        return node.element.attribute("resultVariable", in: .camunda).flatMap { variableName($0, of: node.element) }
    }

    private func checkScriptFormat(_ node: DraftNode) -> Bool {
        guard let format = node.element.attribute("scriptFormat"), !format.isEmpty else { return true }
        if format.lowercased().contains("feel") { return true }
        reader.report(
            .unsupportedScriptFormat, at: node.element,
            "Expected a FEEL script in \(node.id), but its format is \(format).",
            remedy: "rewrite it in FEEL with scriptFormat=\"feel\", or let a job worker do it (zeebe:taskDefinition)")
        return false
    }

    /// `apg:set` elements become one context whose members are merged; later ones see earlier ones.
    private func readAssignments(_ elements: [XMLElement], of node: DraftNode) -> ScriptDefinition? {
        let entries = elements.compactMap { element -> String? in
            let value = requiredValue("value", of: element) { reader, element in
                reader.attributeValue("value", of: element, "value of apg:set")
            }
            guard let variable = readVariable(element), let value else { return nil }
            switch value {
            case .literal(let text): return "\(variable): \(JSON.string(.string(text)))"
            case .expression(let expression): return "\(variable): (\(expression.source))"
            }
        }
        guard entries.count == elements.count else { return nil }
        return reader.expression("{" + entries.joined(separator: ", ") + "}", of: node.element, "apg:set").map {
            ScriptDefinition(expression: $0, resultVariable: nil)
        }
    }

    // MARK: Call activities

    /// Reads which process a call activity starts, and what the two see of each other.
    func readCalledElement(_ index: Int, _ extensions: Extensions) -> CalledElement? {
        let node = nodes[index]
        if let zeebe = extensions.first(.zeebeCalledElement) {
            let processID = requiredExpressionOrLiteral("processId", of: zeebe)
            let binding = readBinding(
                zeebe.attribute("bindingType"), versionTag: zeebe.attribute("versionTag"), version: nil, at: zeebe)
            let parent = reader.boolean("propagateAllParentVariables", of: zeebe) ?? true
            let child = reader.boolean("propagateAllChildVariables", of: zeebe) ?? true
            guard let processID, let binding else { return nil }
            return CalledElement(
                processID: processID, binding: binding, propagatesAllParentVariables: parent,
                propagatesAllChildVariables: child)
        }
        guard let reference = node.element.attribute("calledElement"), !reference.isEmpty else {
            reader.report(
                .noCalledElement, at: node.element,
                "Expected call activity \(node.id) to name a process, but it does not.",
                remedy: "add zeebe:calledElement processId=\"…\" or the attribute calledElement")
            return nil
        }
        if let target = reader.resolve(reference), let tag = target.name.tag, tag != .process {
            reader.report(
                .unsupportedElement, at: node.element,
                "Expected \(node.id) to call a process, but \(reference) is a <\(tag.rawValue)>.",
                remedy: "put the global task into a process and call that")
            return nil
        }
        let processID = reader.value(reference, of: node.element, "the called element of \(node.id)")
        let binding = readBinding(
            node.element.attribute("calledElementBinding", in: .camunda),
            versionTag: node.element.attribute("calledElementVersionTag", in: .camunda),
            version: node.element.attribute("calledElementVersion", in: .camunda), at: node.element)
        guard let processID, let binding else { return nil }
        return CalledElement(
            processID: processID, binding: binding,
            propagatesAllParentVariables: propagation(extensions, .camundaIn, node.element),
            propagatesAllChildVariables: propagation(extensions, .camundaOut, node.element))
    }

    /// Camunda 7 hands over only what `camunda:in` and `camunda:out` name; plain BPMN hands over everything.
    private func propagation(_ extensions: Extensions, _ tag: ExtensionTag, _ element: XMLElement) -> Bool {
        if let all = extensions.all(tag).first(where: { $0.attribute("variables") != nil }) {
            if all.attribute("variables") == "all" { return true }
            reportChoice(all.attribute("variables") ?? "", "variables", ["all"], at: all)
        }
        return extensions.first(.camundaIn) == nil && extensions.first(.camundaOut) == nil
            && element.attribute("calledElementBinding", in: .camunda) == nil
    }

    private func readBinding(
        _ binding: String?, versionTag: String?, version: String?, at element: XMLElement
    ) -> CalledElement.Binding? {
        switch binding {
        case nil, "latest": return .latest
        case "deployment": return .deployment
        case "versionTag":
            if let versionTag, !versionTag.isEmpty { return .versionTag(versionTag) }
        case "version":
            if let version, let number = Int(version), number > 0 { return .version(number) }
        case let other?:
            reportChoice(other, "the binding", ["latest", "deployment", "versionTag", "version"], at: element)
            return nil
        }
        reader.report(
            .incompleteExtension, at: element, "Expected the binding \(binding ?? "") to say which, but it does not.",
            remedy: "add the version tag, or the version as a number from 1")
        return nil
    }

    // MARK: Multi-instance

    /// Reads how often an activity is performed.
    func readLoop(_ loop: XMLElement) -> MultiInstanceDefinition? {
        var cardinality: Expression?
        var completionCondition: Expression?
        var extensions = Extensions()
        reader.checkAttributes(of: loop, on: .loop)
        for child in loop.children {
            switch child.name.tag {
            case .documentation: continue
            case .extensionElements: reader.readExtensions(child, on: .loop, into: &extensions)
            case .loopCardinality: cardinality = loopExpression(child, "the loop cardinality")
            case .completionCondition: completionCondition = loopExpression(child, "the completion condition")
            case let tag?:
                reader.report(
                    .unsupportedData, at: child, "<\(tag.rawValue)> of a multi-instance marker is not executed.",
                    remedy: "name the list with zeebe:loopCharacteristics inputCollection=\"=…\"")
            case nil: reader.reportUnknown(child)
            }
        }
        if let behavior = loop.attribute("behavior"), behavior != "All" {
            reader.report(
                .unsupportedMarker, at: loop,
                "The multi-instance behaviour \(behavior) is not executed by this version.",
                remedy: "remove the attribute; a boundary event on a sub-process can react to events inside")
        }
        let zeebe = extensions.first(.zeebeLoopCharacteristics)
        let collection = readCollection(loop, zeebe)
        checkLoop(loop, zeebe, collection: collection, cardinality: cardinality)
        let output = zeebe.flatMap { zeebe in
            zeebe.attribute("outputElement").flatMap { source in
                source.isEmpty ? nil : reader.markedExpression(source, of: zeebe, "the output element")
            }
        }
        return MultiInstanceDefinition(
            isSequential: reader.boolean("isSequential", of: loop) ?? false, collection: collection,
            cardinality: cardinality,
            inputElement: loopName("inputElement", zeebe)
                ?? loop.attribute("elementVariable", in: .camunda).flatMap { variableName($0, of: loop) },
            outputCollection: loopName("outputCollection", zeebe), outputElement: output,
            completionCondition: completionCondition)
    }

    private func loopExpression(_ element: XMLElement, _ what: String) -> Expression? {
        reader.checkLanguage(of: element, element.text, what) ? reader.expression(element.text, of: element, what) : nil
    }

    private func loopName(_ local: String, _ zeebe: XMLElement?) -> String? {
        guard let zeebe, let text = zeebe.attribute(local), !text.isEmpty else { return nil }
        return variableName(text, of: zeebe)
    }

    private func readCollection(_ loop: XMLElement, _ zeebe: XMLElement?) -> Expression? {
        if let zeebe, let source = zeebe.attribute("inputCollection"), !source.isEmpty {
            return reader.markedExpression(source, of: zeebe, "the input collection")
        }
        return loop.attribute("collection", in: .camunda).flatMap {
            reader.expression($0, of: loop, "the collection")
        }
    }

    private func checkLoop(_ loop: XMLElement, _ zeebe: XMLElement?, collection: Expression?, cardinality: Expression?)
    {
        func refuse(_ found: String, remedy: String) {
            reader.report(
                .badLoop, at: loop, "Expected a multi-instance marker to count its instances, but \(found).",
                remedy: remedy)
        }
        if collection != nil, cardinality != nil {
            refuse("it has both a collection and a cardinality", remedy: "remove one")
        } else if collection == nil, cardinality == nil, !hasErrorsInNode {
            refuse(
                "it has neither collection nor cardinality", remedy: "add zeebe:loopCharacteristics or loopCardinality")
        }
        let outputs = [zeebe?.attribute("outputCollection"), zeebe?.attribute("outputElement")]
        if outputs.count(where: { $0?.isEmpty == false }) == 1 {
            refuse("it has only one of outputCollection and outputElement", remedy: "add the other")
        }
    }
}
