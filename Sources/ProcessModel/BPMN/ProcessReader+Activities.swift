import Decisions
import Values

extension ProcessReader {
    // MARK: User tasks

    /// Reads who may do a user task, and when.
    func readUserTask(_ index: Int, _ parts: NodeParts) -> UserTaskDefinition {
        let node = nodes[index]
        let extensions = parts.extensions
        let people = readPeople(parts.resourceRoles, of: node)
        let assignment = extensions.first(.zeebeAssignmentDefinition)
        let schedule = extensions.first(.zeebeTaskSchedule)
        func value(_ local: String, _ zeebe: XMLElement?) -> ExpressionOrLiteral? {
            if let zeebe, let value = reader.attributeValue(local, of: zeebe, "\(local) of \(node.id)") { return value }
            return reader.attributeValue(local, in: .camunda, of: node.element, "\(local) of \(node.id)")
        }
        return UserTaskDefinition(
            assignee: value("assignee", assignment) ?? people.assignee,
            candidateGroups: value("candidateGroups", assignment) ?? people.candidateGroups,
            candidateUsers: value("candidateUsers", assignment) ?? people.candidateUsers,
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

    /// Reads a script task: FEEL in the model, assignments (`apg:set`), a script of a registered language, or a job.
    func readScriptTask(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        let extensions = parts.extensions
        if hasJobDefinition(node.element, extensions) {
            node.job = readJob(index, extensions)
            return
        }
        let resultVariable = readResultVariable(node, extensions)
        if let zeebe = extensions.first(.zeebeScript) {
            let variable = requiredText("resultVariable", of: zeebe).flatMap { variableName($0, of: zeebe) }
            let source = requiredText("expression", of: zeebe)
            let expression = source.flatMap { reader.expression($0, of: zeebe, "the script of \(node.id)") }
            node.script = expression.map { ScriptDefinition(work: .expression($0), resultVariable: variable) }
        } else if let script = parts.script {
            readScript(script, into: index, resultVariable, extensions)
        } else if !extensions.all(.apgSet).isEmpty {
            node.script = readAssignments(extensions.all(.apgSet), of: node)
        } else if reader.profile == .lenient, let resource = node.element.attribute("resource", in: .camunda) {
            reader.reportDelegate("resource", type: "script:\(resource)", at: node.element)
            node.job = job(index, .literal("script:\(resource)"), extensions)
        } else if !hasErrorsInNode {
            reader.report(
                .noScript, at: node.element, "Expected a script in \(node.id), but found none.",
                remedy: "add <script>, zeebe:script or apg:set")
        }
    }

    private func readScript(_ script: XMLElement, into index: Int, _ resultVariable: String?, _ extensions: Extensions)
    {
        let node = nodes[index]
        let format = node.element.attribute("scriptFormat") ?? node.element.attribute("scriptLanguage") ?? ""
        let what = "the script of \(node.id)"
        // Without a format, a script is FEEL unless the registry has another default.
        let isMarked = script.text.hasPrefix("=") || script.text.isEmpty
        if format.isFEEL || format.isEmpty && (isMarked || !reader.hasDefaultScripts) {
            node.script = reader.expression(script.text, of: script, what).map {
                ScriptDefinition(work: .expression($0), resultVariable: resultVariable)
            }
            return
        }
        switch reader.script(script.text, format: format, of: script, what) {
        case .expression(let expression)?:
            node.script = ScriptDefinition(work: .expression(expression), resultVariable: resultVariable)
        case .actions(let actions)?:
            node.script = ScriptDefinition(work: .actions(actions), resultVariable: resultVariable)
        case .job(let type)?:
            reader.reportDelegate("script", type: type, at: script)
            node.job = job(index, .literal(type), extensions)
        case nil: return
        }
    }

    private func readResultVariable(_ node: DraftNode, _ extensions: Extensions) -> String? {
        if let result = extensions.first(.apgResult) { return readVariable(result) }
        return node.element.attribute("resultVariable", in: .camunda).flatMap { variableName($0, of: node.element) }
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
            ScriptDefinition(work: .expression($0), resultVariable: nil)
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
        if let target = reader.resolve(reference), let tag = target.tag, tag != .process, tag.globalTaskKind == nil {
            reader.report(
                .unsupportedElement, at: node.element,
                "Expected \(node.id) to call a process or global task, but \(reference) is a <\(tag.rawValue)>.",
                remedy: "refer to the id of a process or global task")
            return nil
        }
        let processID = reader.value(calledID(reference), of: node.element, "the called element of \(node.id)")
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

    /// The id in a qualified name (`prefix:id`), which an expression is not.
    private func calledID(_ reference: String) -> String {
        guard let colon = reference.firstIndex(of: ":"), reference.firstIndex(of: "{") == nil,
            reference.first != "="
        else { return reference }
        return String(reference[reference.index(after: colon)...])
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

    func readBinding(
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
}
