import Decisions

extension ProcessReader {
    /// Reads a service, send or business rule task: a job, a message or a decision.
    func readWork(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        let extensions = parts.extensions
        if hasJobDefinition(node.element, extensions) {
            if node.kind == .businessRuleTask, let decision = decisionElement(node, extensions) {
                reportConflict(node, at: decision, "zeebe:taskDefinition, camunda:topic, apg:call and the decision")
            }
            node.job = readJob(index, extensions)
        } else if node.kind == .businessRuleTask, decisionElement(node, extensions) != nil {
            checkCallParts(extensions, hasCall: false)
            node.calledDecision = readCalledDecision(node, extensions)
        } else if node.kind == .sendTask, hasMessage(node.element) {
            checkCallParts(extensions, hasCall: false)
            readSendTask(index, parts)
        } else {
            checkCallParts(extensions, hasCall: false)
            node.job = readImpliedJob(index, extensions)
        }
    }

    /// A job whose type no vocabulary names: that of the operation or, in the lenient profile, of the task itself.
    private func readImpliedJob(_ index: Int, _ extensions: Extensions) -> JobDefinition? {
        let node = nodes[index]
        let named = operation(of: node.element).flatMap { $0.attribute("name") ?? $0.attribute("id") }
        let type = named.flatMap { $0.isEmpty ? nil : $0 } ?? (reader.profile == .lenient ? node.id : nil)
        guard let type else {
            guard !hasErrorsInNode else { return nil }
            reader.report(
                .noJobDefinition, at: node.element,
                "Expected \(node.kind.noun) \(node.id) to say who does the work, but it names no job type.",
                remedy: "add <zeebe:taskDefinition type=\"…\"/>, camunda:type=\"external\" with camunda:topic, or "
                    + "<apg:call connector=\"…\" operation=\"…\"/>")
            return nil
        }
        reader.report(
            .impliedJobType, at: node.element,
            "\(node.id) names no job type; it becomes a job of type \(type), the "
                + (named == nil ? "id of the task." : "name of its operation."),
            remedy: "let a worker take jobs of this type, or name one with zeebe:taskDefinition")
        return job(index, .literal(type), extensions)
    }

    /// Whether anything says that the element becomes a job, complete or not.
    func hasJobDefinition(_ element: XMLElement, _ extensions: Extensions) -> Bool {
        extensions.first(.zeebeTaskDefinition) != nil || extensions.first(.apgCall) != nil || isExternal(element)
            || delegate(of: element) != nil
    }

    private func isExternal(_ element: XMLElement) -> Bool {
        element.attribute("type", in: .camunda) != nil || element.attribute("topic", in: .camunda) != nil
    }

    /// The Java code that does the work, in the lenient profile, as a job type.
    private func delegate(of element: XMLElement) -> (attribute: String, type: String)? {
        guard reader.profile == .lenient, element.hasQualifiedAttributes else { return nil }
        for attribute in ["class", "delegateExpression", "expression"] {
            guard let text = element.attribute(attribute, in: .camunda), !text.isEmpty else { continue }
            return (attribute, "\(attribute):\(text)")
        }
        return nil
    }

    /// The job of a task, from whichever vocabulary defines one; nil when none does or it is wrong.
    func readJob(_ index: Int, _ extensions: Extensions) -> JobDefinition? {
        let node = nodes[index]
        let zeebe = extensions.first(.zeebeTaskDefinition)
        let call = extensions.first(.apgCall)
        let delegate = delegate(of: node.element)
        guard [zeebe != nil, call != nil, isExternal(node.element), delegate != nil].count(where: { $0 }) <= 1 else {
            reportConflict(node, at: node.element, "zeebe:taskDefinition, camunda:topic and apg:call")
            return nil
        }
        checkCallParts(extensions, hasCall: call != nil)
        if let call {
            return readCall(
                call, extensions, priority: readPriority(index, extensions),
                resultVariable: extensions.first(.apgResult).flatMap(readVariable))
        }
        if let zeebe {
            let retries = reader.integer("retries", of: zeebe, 0...1_000_000, "the retries of \(node.id)")
            return requiredExpressionOrLiteral("type", of: zeebe).map { job(index, $0, extensions, retries: retries) }
        }
        if let delegate {
            reader.reportDelegate(delegate.attribute, type: delegate.type, at: node.element)
            return job(index, .literal(delegate.type), extensions)
        }
        return readExternalType(node.element, node).map { job(index, $0, extensions) }
    }

    /// A job with the settings every vocabulary shares.
    func job(
        _ index: Int, _ type: ExpressionOrLiteral, _ extensions: Extensions, retries: ExpressionOrLiteral? = nil
    ) -> JobDefinition {
        let variable =
            extensions.first(.apgResult).flatMap(readVariable)
            ?? nodes[index].element.attribute("resultVariable", in: .camunda).flatMap {
                variableName($0, of: nodes[index].element)
            }
        return JobDefinition(
            type: type, retries: retries, headers: extensions.first(.zeebeTaskHeaders).map(readHeaders) ?? [],
            priority: readPriority(index, extensions), resultVariable: variable)
    }

    private func reportConflict(_ node: DraftNode, at element: XMLElement, _ choices: String) {
        reader.report(
            .conflictingDefinitions, at: element,
            "Expected one definition of the work of \(node.id), but found several.", remedy: "keep one of \(choices)")
    }

    /// Reads the job that throws a message or does what a throw event stands for; whether there is one.
    func readThrownJob(_ index: Int, _ parts: NodeParts) -> Bool {
        let node = nodes[index]
        guard node.kind.isThrowing, parts.events.count <= 1 else { return false }
        let definition = parts.events.first.flatMap {
            $0.definition.tag == .messageEventDefinition ? $0.definition : nil
        }
        if parts.extensions.first(.zeebeTaskDefinition) != nil {
            guard definition != nil else {
                reader.report(
                    .misplacedExtension, at: node.element,
                    "Expected zeebe:taskDefinition only on an event that throws a message, but found it on \(node.id).",
                    remedy: "remove it, or use a service task")
                return true
            }
            node.job = readJob(index, parts.extensions)
        } else if let definition, isExternal(definition) {
            node.job = readExternalType(definition, node).map { job(index, $0, parts.extensions) }
        } else if let definition, let delegate = delegate(of: definition) {
            reader.reportDelegate(delegate.attribute, type: delegate.type, at: definition)
            node.job = job(index, .literal(delegate.type), parts.extensions)
        } else {
            return false
        }
        node.event = EventDefinition.none
        return true
    }

    private func readExternalType(_ element: XMLElement, _ node: DraftNode) -> ExpressionOrLiteral? {
        let type = element.attribute("type", in: .camunda)
        guard type == "external" || type == "external-worker" else {
            if let type, !type.isEmpty, reader.profile == .lenient {
                reader.reportDelegate("type", type: type, at: element)
                return .literal(type)
            }
            reader.report(
                .vendorFeatureRefused, at: node.element,
                "Expected camunda:type to be external, but found \"\(type ?? "")\".",
                remedy: "let a job worker do it: camunda:type=\"external\" with camunda:topic")
            return nil
        }
        guard let topic = element.attribute("topic", in: .camunda), !topic.isEmpty else {
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
        if let element = extensions.first(.apgResilience) { headers += readResilience(element) }
        return JobDefinition(
            type: .literal("connector:\(connector)"), headers: headers, priority: priority, callInput: input,
            resultVariable: resultVariable, errors: errors)
    }

    private func readWith(_ element: XMLElement) -> VariableMapping? {
        guard element.space == .apg, element.name.local == "with" else {
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
            guard child.space == .apg, child.name.local == "error" else {
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
