/// Tasks, sub-processes and call activities (BPMN 2.0.2 clause 10.3).
extension ConstraintChecker {
    func checkActivity(_ activity: XMLElement, _ kind: ElementKind) {
        checkQuantity("startQuantity", of: activity, .startQuantity)
        checkQuantity("completionQuantity", of: activity, .completionQuantity)
        checkLoops(of: activity, kind)
        let outgoing = outgoing(activity)
        if !outgoing.isSeveral, let flow = outgoing.first(where: { _ in true }),
            part(.conditionExpression, of: flow) != nil
        {
            report(
                .lonelyConditionalFlow, at: flow,
                "Expected another flow out of \(called(activity)) beside conditional \(called(flow)), but there is "
                    + "none.")
        }
        switch kind {
        case .serviceTask: checkServiceTask(activity)
        case .sendTask: checkSendTask(activity)
        case .receiveTask: checkReceiveTask(activity)
        case .scriptTask: checkScriptTask(activity)
        case .callActivity: checkCall(activity)
        default: break
        }
    }

    private func checkQuantity(_ attribute: String, of activity: XMLElement, _ constraint: Constraint) {
        guard let text = activity.attribute(attribute), Int(text).map({ $0 < 1 }) ?? true else { return }
        report(
            constraint, at: activity,
            "Expected \(attribute) of \(called(activity)) to be a whole number of one or more, but found \"\(text)\".")
    }

    private func checkLoops(of activity: XMLElement, _ kind: ElementKind) {
        var count = 0
        for child in activity.children {
            switch self.kind(child) {
            case .standardLoopCharacteristics, .multiInstanceLoopCharacteristics: count += 1
            default: break
            }
        }
        guard count > 1 else { return }
        let constraint: Constraint =
            switch kind {
            case .adHocSubProcess: .twoLoopsOnAdHoc
            case .callActivity, .transaction: .twoLoopsOnCallOrTransaction
            default: .twoLoops
            }
        report(constraint, at: activity, "Expected one loop marker on \(called(activity)), but found \(count).")
    }

    // MARK: Tasks

    private func checkServiceTask(_ task: XMLElement) {
        guard let operation = resolve("operationRef", of: task, as: .operation) else { return }
        let data = part(.ioSpecification, of: task)
        let inputs = data.map { parts(.dataInput, of: $0) } ?? []
        let outputs = data.map { parts(.dataOutput, of: $0) } ?? []
        let inputSets = data.map { parts(.inputSet, of: $0) } ?? []
        let outputSets = data.map { parts(.outputSet, of: $0) } ?? []
        if inputSets.count != 1 || inputs.count != 1 {
            report(
                .serviceTaskInputs, at: task,
                "Expected one input set with one data input on \(called(task)), but found \(inputSets.count) with "
                    + "\(inputs.count).")
        } else if let message = resolve(texts(.inMessageRef, of: operation).first),
            !Item.agree(item(of: inputs[0]), item(of: message))
        {
            report(
                .serviceTaskInputItem, at: inputs[0],
                "Expected the item of \(called(message)) as input of \(called(task)), but it has another.")
        }
        guard let answer = texts(.outMessageRef, of: operation).first else {
            if outputSets.count > 1 || !outputs.isEmpty {
                report(
                    .serviceTaskOutputs, at: task,
                    "Expected no data output on \(called(task)), because its operation does not answer, but found "
                        + "\(outputs.count).")
            }
            return
        }
        if outputSets.count != 1 || outputs.count != 1 {
            report(
                .serviceTaskOutputs, at: task,
                "Expected one output set with one data output on \(called(task)), but found \(outputSets.count) with "
                    + "\(outputs.count).")
        } else if let message = resolve(answer), !Item.agree(item(of: outputs[0]), item(of: message)) {
            report(
                .serviceTaskOutputItem, at: outputs[0],
                "Expected the item of \(called(message)) as output of \(called(task)), but it has another.")
        }
    }

    private func checkSendTask(_ task: XMLElement) {
        guard let message = resolve("messageRef", of: task, as: .message),
            let data = part(.ioSpecification, of: task)
        else { return }
        let sets = parts(.inputSet, of: data).count
        let inputs = parts(.dataInput, of: data)
        if sets > 1 {
            report(.sendTaskInputSets, at: task, "Expected one input set on \(called(task)), but found \(sets).")
        }
        if inputs.count > 1 {
            report(.sendTaskInputs, at: task, "Expected one data input on \(called(task)), but found \(inputs.count).")
        }
        for input in inputs where !Item.agree(item(of: input), item(of: message)) {
            report(
                .sendTaskItem, at: input,
                "Expected the item of \(called(message)) as input of \(called(task)), but it has another.")
        }
    }

    private func checkReceiveTask(_ task: XMLElement) {
        if isTrue("instantiate", of: task), !incoming(task).isEmpty {
            report(
                .instantiatingReceiveTask, at: task,
                "Expected no sequence flow into instantiating \(called(task)), but there is one.")
        }
        guard let message = resolve("messageRef", of: task, as: .message),
            let data = part(.ioSpecification, of: task)
        else { return }
        let sets = parts(.outputSet, of: data).count
        let outputs = parts(.dataOutput, of: data)
        if sets > 1 {
            report(.receiveTaskOutputSets, at: task, "Expected one output set on \(called(task)), but found \(sets).")
        }
        if outputs.count > 1 {
            report(
                .receiveTaskOutputs, at: task,
                "Expected one data output on \(called(task)), but found \(outputs.count).")
        }
        for output in outputs where !Item.agree(item(of: output), item(of: message)) {
            report(
                .receiveTaskItem, at: output,
                "Expected the item of \(called(message)) as output of \(called(task)), but it has another.")
        }
    }

    private func checkScriptTask(_ task: XMLElement) {
        guard isExecutable(task) else { return }
        guard let format = value("scriptFormat", of: task) else {
            if part(.script, of: task) != nil {
                report(
                    .scriptWithoutFormat, at: task,
                    "Expected a scriptFormat on \(called(task)), because it has a script, but there is none.")
            }
            return
        }
        guard !FormalText.isMIMEType(format) else { return }
        report(
            .scriptFormat, at: task,
            "Expected scriptFormat of \(called(task)) to be a MIME type, but found \"\(format)\".")
    }

    func checkResourceRole(_ role: XMLElement) {
        let hasResource = part(.resourceRef, of: role) != nil
        let hasBindings = part(.resourceParameterBinding, of: role) != nil
        if hasResource || hasBindings, part(.resourceAssignmentExpression, of: role) != nil {
            report(
                .resourceAndAssignment, at: role,
                "Expected either a resource or an assignment expression on \(called(role)), but found both.")
        }
        if hasBindings, !hasResource {
            report(
                .bindingWithoutResource, at: role,
                "Expected a resourceRef for the parameter bindings of \(called(role)), but there is none.")
        }
    }

    // MARK: Sub-processes

    func checkSubProcess(_ subProcess: XMLElement, _ kind: ElementKind) {
        if isEventSubProcess(subProcess) { checkEventSubProcess(subProcess) }
        if kind == .adHocSubProcess { checkAdHoc(subProcess) }
        if kind == .transaction, let method = subProcess.attribute("method") {
            let isKnown = ["##Compensate", "##Image", "##Store"].contains(method)
            if !isKnown, !FormalText.isURI(method) {
                report(
                    .transactionMethod, at: subProcess,
                    "Expected the method of \(called(subProcess)) to be a URI, but found \"\(method)\".")
            }
        }
        if let data = part(.ioSpecification, of: subProcess) {
            report(
                .subProcessData, at: data,
                "Expected no ioSpecification on \(called(subProcess)), but there is one.")
        }
    }

    private func checkEventSubProcess(_ subProcess: XMLElement) {
        for flow in [incoming(subProcess), outgoing(subProcess)] {
            guard let flow = flow.first(where: { _ in true }) else { continue }
            report(
                .eventSubProcessWithFlow, at: subProcess,
                "Expected no sequence flow at event \(called(subProcess)), but \(called(flow)) is connected to it.")
        }
        let starts = parts(.startEvent, of: subProcess).count
        if starts != 1 {
            report(
                .eventSubProcessStarts, at: subProcess,
                "Expected one start event in event \(called(subProcess)), but found \(starts).")
        }
    }

    private func checkAdHoc(_ subProcess: XMLElement) {
        if !subProcess.children.contains(where: { traits($0).contains(.activity) }) {
            report(.emptyAdHoc, at: subProcess, "Expected an activity in \(called(subProcess)), but there is none.")
        }
        for child in subProcess.children {
            let kind = kind(child)
            let isMisplaced =
                kind == .startEvent || kind == .endEvent || kind == .conversationLink
                || !kind.traits.isDisjoint(with: [.conversationNode, .choreographyActivity])
            guard isMisplaced else { continue }
            report(
                .adHocContent, at: child,
                "Expected only activities and what connects them in \(called(subProcess)), but found \(called(child)).")
        }
    }

    func checkChoreographyActivity(_ activity: XMLElement) {
        guard let level = activity.parent else { return }
        if kind(level) == .process {
            report(
                .choreographyInProcess, at: activity,
                "Expected no choreography activity in \(called(level)), but found \(called(activity)).")
        } else if traits(level).contains(.subProcess) {
            report(
                .choreographyInSubProcess, at: activity,
                "Expected no choreography activity in \(called(level)), but found \(called(activity)).")
        }
    }

    // MARK: Calls

    private func checkCall(_ activity: XMLElement) {
        guard let called = resolve(value("calledElement", of: activity)), traits(called).contains(.callable) else {
            return
        }
        checkCallData(activity, called)
        let starts = parts(.startEvent, of: called)
        if !starts.isEmpty, starts.allSatisfy({ hasTrigger($0) }) {
            report(
                .calledWithoutNoneStart, at: activity,
                "Expected a start event without trigger in \(self.called(called)), because "
                    + "\(self.called(activity)) calls it, but there is none.")
        }
    }

    private func hasTrigger(_ event: XMLElement) -> Bool {
        event.children.contains { traits($0).contains(.eventDefinition) || kind($0) == .eventDefinitionRef }
    }

    private func checkCallData(_ activity: XMLElement, _ callable: XMLElement) {
        let own = part(.ioSpecification, of: activity)
        let other = part(.ioSpecification, of: callable)
        for kind in [ElementKind.dataInput, .dataOutput] {
            let offered = own.map { parts(kind, of: $0) } ?? []
            var expected = other.map { parts(kind, of: $0) } ?? []
            var isMatch = offered.count == expected.count
            for data in offered where isMatch {
                let item = item(of: data)
                if let match = expected.firstIndex(where: { Item.agree(self.item(of: $0), item) }) {
                    expected.remove(at: match)
                } else {
                    isMatch = false
                }
            }
            guard !isMatch else { continue }
            report(
                .callData, at: activity,
                "Expected the \(kind.noun)s of \(called(activity)) to match those of \(called(callable)), but they "
                    + "differ.")
        }
    }

    /// Rules 064 and 065: a callable element that offers operations says which of its data each one uses.
    func checkBindings(_ callable: XMLElement, _ kind: ElementKind) {
        let bindings = parts(.ioBinding, of: callable)
        let interfaces = texts(.supportedInterfaceRef, of: callable).compactMap { resolve($0) }
        guard !bindings.isEmpty || !interfaces.isEmpty else { return }
        let operations = interfaces.flatMap { parts(.operation, of: $0) }
        for operation in operations {
            let isBound = bindings.contains { binding in
                resolve("operationRef", of: binding, as: .operation)?.index == operation.index
            }
            guard !isBound else { continue }
            report(
                .missingIOBinding, at: callable,
                "Expected an ioBinding for \(called(operation)) of \(called(callable)), but there is none.")
        }
        let data = part(.ioSpecification, of: callable)
        for binding in bindings {
            let operation = resolve("operationRef", of: binding, as: .operation)
            let input = resolve("inputDataRef", of: binding, as: .inputSet)
            let output = resolve("outputDataRef", of: binding, as: .outputSet)
            if let operation, !operations.contains(where: { $0.index == operation.index }) {
                report(
                    .wrongIOBinding, at: binding,
                    "Expected an operation of an interface of \(called(callable)), but found \(called(operation)).")
            }
            let isOwn = [input, output].allSatisfy { $0 != nil && $0?.parent?.index == data?.index }
            guard isOwn else {
                report(
                    .wrongIOBinding, at: binding,
                    "Expected an input set and an output set of \(called(callable)), but found others or none.")
                continue
            }
            guard let operation else { continue }
            checkBinding(binding, input, .dataInputRefs, operation, .inMessageRef)
            checkBinding(binding, output, .dataOutputRefs, operation, .outMessageRef)
        }
    }

    private func checkBinding(
        _ binding: XMLElement, _ set: XMLElement?, _ dataKind: ElementKind, _ operation: XMLElement,
        _ messageKind: ElementKind
    ) {
        guard let set, let message = resolve(texts(messageKind, of: operation).first) else { return }
        let data = texts(dataKind, of: set).compactMap { resolve($0) }
        guard data.count != 1 || !Item.agree(item(of: data[0]), item(of: message)) else { return }
        report(
            .wrongIOBinding, at: binding,
            "Expected \(called(set)) to hold the item of \(called(message)), but it holds another.")
    }
}
