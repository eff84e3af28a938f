import Decisions

extension ProcessReader {
    /// Reads a task that hands its work to a worker or connector.
    func readJobTask(_ index: Int, _ extensions: Extensions) {
        let node = nodes[index]
        nodes[index].job = readJob(index, extensions)
        if nodes[index].job == nil, !hasJobDefinition(node.element, extensions), !hasErrorsInNode {
            reader.report(
                .noJobDefinition, at: node.element,
                "Expected \(node.kind.noun) \(node.id) to say who does the work, but it names no job type.",
                remedy: "add <zeebe:taskDefinition type=\"…\"/>, camunda:type=\"external\" with camunda:topic, or "
                    + "<apg:call connector=\"…\" operation=\"…\"/>")
        }
    }

    /// Whether anything says that the element becomes a job, complete or not.
    func hasJobDefinition(_ element: XMLElement, _ extensions: Extensions) -> Bool {
        extensions.first(.zeebeTaskDefinition) != nil || extensions.first(.apgCall) != nil
            || element.attribute("type", in: .camunda) != nil || element.attribute("topic", in: .camunda) != nil
    }

    /// The job of a task, from whichever vocabulary defines one; nil when none does or it is wrong.
    func readJob(_ index: Int, _ extensions: Extensions) -> JobDefinition? {
        let node = nodes[index]
        let zeebe = extensions.first(.zeebeTaskDefinition)
        let call = extensions.first(.apgCall)
        let isExternal =
            node.element.attribute("type", in: .camunda) != nil
            || node.element.attribute("topic", in: .camunda) != nil
        guard [zeebe != nil, call != nil, isExternal].count(where: { $0 }) <= 1 else {
            reader.report(
                .conflictingDefinitions, at: node.element,
                "Expected one definition of the work of \(node.id), but found several.",
                remedy: "keep one of zeebe:taskDefinition, camunda:topic and apg:call")
            return nil
        }
        checkCallParts(extensions, hasCall: call != nil)
        let resultVariable = extensions.first(.apgResult).flatMap(readVariable)
        let priority = readPriority(index, extensions)
        if let call {
            return readCall(call, extensions, priority: priority, resultVariable: resultVariable)
        }
        let headers = extensions.first(.zeebeTaskHeaders).map(readHeaders) ?? []
        if let zeebe {
            let retries = reader.integer("retries", of: zeebe, 0...1_000_000, "the retries of \(node.id)")
            return requiredExpressionOrLiteral("type", of: zeebe).map { type in
                JobDefinition(
                    type: type, retries: retries, headers: headers, priority: priority, resultVariable: resultVariable)
            }
        }
        guard isExternal else { return nil }
        return readExternalTask(node).map { type in
            JobDefinition(type: type, headers: headers, priority: priority, resultVariable: resultVariable)
        }
    }

    private func readExternalTask(_ node: DraftNode) -> ExpressionOrLiteral? {
        let type = node.element.attribute("type", in: .camunda)
        guard type == "external" || type == "external-worker" else {
            reader.report(
                .vendorFeatureRefused, at: node.element,
                "Expected camunda:type to be external, but found \"\(type ?? "")\".",
                remedy: "let a job worker do it: camunda:type=\"external\" with camunda:topic")
            return nil
        }
        guard let topic = node.element.attribute("topic", in: .camunda), !topic.isEmpty else {
            reader.report(
                .incompleteExtension, at: node.element,
                "Expected camunda:topic on the external task \(node.id), but it is missing.", remedy: "add it")
            return nil
        }
        return reader.value(topic, of: node.element, "the topic of \(node.id)")
    }

    /// The priority of a job or user task: its own, or that of the scopes around it.
    func readPriority(_ index: Int, _ extensions: Extensions) -> ExpressionOrLiteral? {
        let node = nodes[index]
        let range = node.kind == .userTask ? 0...100 : -1_000_000...1_000_000
        if let element = extensions.first(.zeebePriorityDefinition) {
            return reader.integer("priority", of: element, range, "the priority of \(node.id)")
        }
        let attribute = node.kind == .userTask ? "priority" : "taskPriority"
        return reader.integer(attribute, in: .camunda, of: node.element, range, "the priority of \(node.id)")
            ?? node.priority
    }

    private func readHeaders(_ element: XMLElement) -> [(key: String, value: String)] {
        element.children.filter { $0.name.local == "header" }.compactMap { header in
            requiredText("key", of: header).map { (key: $0, value: header.attribute("value") ?? "") }
        }
    }

    // MARK: Connector calls

    /// A connector call becomes a job of type `connector:<id>`; its static headers say which operation.
    private func readCall(
        _ call: XMLElement, _ extensions: Extensions, priority: ExpressionOrLiteral?, resultVariable: String?
    ) -> JobDefinition? {
        let connector = requiredText("connector", of: call)
        let operation = requiredText("operation", of: call)
        let input = call.children.compactMap { readWith($0) }
        let errors = extensions.first(.apgErrors).map(readErrors) ?? []
        guard let connector, let operation else { return nil }
        var headers = [(key: "operation", value: operation)]
        if let connection = call.attribute("connection") { headers.append((key: "connection", value: connection)) }
        if let profile = extensions.first(.apgResilience).flatMap(readProfile) {
            headers.append((key: "profile", value: profile))
        }
        return JobDefinition(
            type: .literal("connector:\(connector)"), headers: headers, priority: priority, callInput: input,
            resultVariable: resultVariable, errors: errors)
    }

    private func readWith(_ element: XMLElement) -> VariableMapping? {
        guard element.name.space == .apg, element.name.local == "with" else {
            reader.reportUnknownPart(element)
            return nil
        }
        // An empty source is an empty text, which is a value like any other.
        let source =
            element.attribute("source").map {
                reader.value($0, of: element, "source of apg:with")
            } ?? requiredExpressionOrLiteral("source", of: element)
        return readTarget(element).flatMap { target in
            source.map { VariableMapping(source: $0, target: target) }
        }
    }

    private func readErrors(_ element: XMLElement) -> [ResultError] {
        element.children.compactMap { child in
            guard child.name.space == .apg, child.name.local == "error" else {
                reader.reportUnknownPart(child)
                return nil
            }
            let condition = requiredText("when", of: child).flatMap {
                reader.markedExpression($0, of: child, "when of apg:error")
            }
            let code = requiredText("code", of: child)
            guard let condition, let code else { return nil }
            return ResultError(condition: condition, code: code)
        }
    }

    /// The name of the resilience profile; policies written in the model come later.
    private func readProfile(_ element: XMLElement) -> String? {
        for child in element.children {
            reader.report(
                .apgNotYet, at: child,
                "\(child.name.description) inside apg:resilience is not executed by this version.",
                remedy: "name a profile of the connection: <apg:resilience profile=\"…\"/>")
        }
        return requiredText("profile", of: element)
    }

    /// Refuses what only has a meaning beside a call.
    private func checkCallParts(_ extensions: Extensions, hasCall: Bool) {
        guard !hasCall else { return }
        for tag in [ExtensionTag.apgErrors, .apgResilience] {
            guard let element = extensions.first(tag) else { continue }
            reader.report(
                .misplacedExtension, at: element, "Expected \(tag.rawValue) beside apg:call, but there is no call.",
                remedy: "remove it, or call a connector with apg:call")
        }
    }
}
