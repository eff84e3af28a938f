import Decisions
import ProcessModel
import Values

/// What happens when an element instance begins, by kind of node.
extension PartitionEngine {
    /// Enters an element instance: mappings, then its waits, then its work.
    ///
    /// On failure it stays with an incident, and resolving that enters it again; nothing that cannot be repeated
    /// happens before everything is known to work.
    func enter(_ ordinal: UInt32, of instance: ProcessInstance) {
        guard let position = instance.position(of: ordinal) else { return }
        let element = instance.elements[position]
        let node = instance.process.nodes[Int(element.node)]
        if element.role == .multiInstanceBody {
            enterBody(ordinal, node, of: instance)
            return
        }
        if !node.inputs.isEmpty, element.role != .compensation { applyInputs(node, ordinal, of: instance) }
        do {
            switch node.kind {
            case .sendTask where node.job == nil, .intermediateThrowEvent where node.job == nil:
                try enterThrow(node, ordinal, element, of: instance)
            case .businessRuleTask where node.calledDecision != nil:
                try enterDecision(node, ordinal, of: instance)
            case .serviceTask, .sendTask, .businessRuleTask, .intermediateThrowEvent:
                try enterJob(node, ordinal, element, of: instance)
            case .scriptTask:
                if let script = node.script {
                    try enterScript(script, node, ordinal, of: instance)
                } else {
                    try enterJob(node, ordinal, element, of: instance)
                }
            case .userTask:
                let waits = try outerWaits(node, ordinal, element, of: instance)
                let task = try userTask(node, ordinal, of: instance)
                emit(.elementEntered(ordinal: ordinal), on: instance)
                emit(.userTaskCreated(ordinal: ordinal, task), on: instance)
                open(waits, ordinal, of: instance)
            case .receiveTask, .intermediateCatchEvent:
                if case .link? = node.event {
                    emit(.elementEntered(ordinal: ordinal), on: instance)
                    leave(ordinal, of: instance)
                    return
                }
                var waits = try outerWaits(node, ordinal, element, of: instance)
                waits += try self.waits(of: node, evaluatedIn: ordinal, of: instance)
                emit(.elementEntered(ordinal: ordinal), on: instance)
                open(waits, ordinal, of: instance)
            case .eventBasedGateway:
                try enterEventGateway(node, ordinal, of: instance)
            case .subProcess, .eventSubProcess, .transaction, .adHocSubProcess:
                try enterScope(node, ordinal, element, of: instance)
            case .callActivity:
                try enterCallActivity(node, ordinal, element, of: instance)
            case .endEvent where node.job != nil:
                try enterJob(node, ordinal, element, of: instance)
            case .endEvent:
                enterEndEvent(node, ordinal, element, of: instance)
            case .process:
                reenterProcess(of: instance)
            case .complexGateway where node.incoming.count > 1:
                retry(complex: node, ordinal, scope: element.scope, of: instance)
            case .task, .manualTask, .exclusiveGateway, .parallelGateway, .inclusiveGateway, .complexGateway,
                .startEvent, .boundaryEvent, .eventTrigger:
                emit(.elementEntered(ordinal: ordinal), on: instance)
                leave(ordinal, of: instance)
            }
        } catch {
            raiseIncident(ordinal, of: instance, kind: .activation, type: error.type, message: error.message)
        }
    }

    // MARK: Jobs

    /// A task done by a worker or connector: its job is the wait.
    private func enterJob(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        guard let job = node.job else {
            throw EvaluationFailure(type: "UNKNOWN", message: "\(node.id) has no job definition")
        }
        let waits = try outerWaits(node, ordinal, element, of: instance)
        var type: String?
        var retries: Int32 = 3
        var priority: Int32 = 0
        if case .expression = job.type {
            type = try evaluateString(job.type, what: "job type", ordinal, of: instance)
        }
        if let source = job.retries {
            retries = try evaluateInteger(source, what: "job retries", in: 1...10_000, ordinal, of: instance)
        }
        if let source = job.priority {
            priority = try evaluateInteger(
                source, what: "job priority", in: Int64(Int32.min)...Int64(Int32.max), ordinal, of: instance)
        }
        emit(
            .jobCreated(ordinal: ordinal, key: newKey(), retries: retries, priority: priority, type: type),
            on: instance)
        open(waits, ordinal, of: instance)
    }

    // MARK: Scripts

    private func enterScript(
        _ script: ScriptDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        scopeView.point(at: ordinal, of: instance, now: state.now)
        switch script.work {
        case .expression(let expression):
            accept(expression.evaluateValue(scopeView), script, node, ordinal, of: instance)
        case .actions(let actions):
            switch actions.run(scopeView) {
            case .assignments(let assignments):
                for (name, value) in assignments {
                    mergeVariable(name, VariableValue(value), from: ordinal, of: instance)
                }
            case .error(let code, let message):
                emit(.elementEntered(ordinal: ordinal), on: instance)
                throwError(code, message: message, variables: .empty, from: ordinal, of: instance)
                return
            case .failure(let message):
                throw EvaluationFailure(
                    type: "EXTRACT_VALUE_ERROR",
                    message: "The script of \(node.id) failed: \(message). Correct its cause and resolve the incident.")
            }
        }
        emit(.elementEntered(ordinal: ordinal), on: instance)
        leave(ordinal, of: instance)
    }

    private func accept(
        _ value: Value, _ script: ScriptDefinition, _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) {
        if let name = script.resultVariable {
            if node.outputs.isEmpty {
                mergeVariable(name, VariableValue(value), from: ordinal, of: instance)
            } else {
                emit(.variableSet(scope: ordinal, name: name, value: VariableValue(value)), on: instance)
            }
        } else if case .context(let members) = value {
            for (name, value) in members {
                mergeVariable(name, VariableValue(value), from: ordinal, of: instance)
            }
        }
    }

    // MARK: User tasks

    private func userTask(
        _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> UserTaskCreated {
        let definition = node.userTask ?? UserTaskDefinition()
        return UserTaskCreated(
            key: newKey(),
            assignee: try evaluateOptionalString(definition.assignee, what: "assignee", ordinal, of: instance),
            candidateGroups: try evaluateNames(
                definition.candidateGroups, what: "candidate groups", ordinal, of: instance),
            candidateUsers: try evaluateNames(
                definition.candidateUsers, what: "candidate users", ordinal, of: instance),
            dueDate: try evaluateOptionalString(definition.dueDate, what: "due date", ordinal, of: instance),
            followUpDate: try evaluateOptionalString(
                definition.followUpDate, what: "follow-up date", ordinal, of: instance),
            priority: try definition.priority.map { source throws(EvaluationFailure) in
                try evaluateInteger(source, what: "task priority", in: 0...100, ordinal, of: instance)
            } ?? 50)
    }

    // MARK: Call activities

    /// Starts the called process in the same partition (BPMN 2.0.2 clause 13.3.5).
    private func enterCallActivity(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        guard let called = node.calledElement else {
            throw EvaluationFailure(type: "CALLED_ELEMENT_ERROR", message: "\(node.id) names no process to call")
        }
        let processID = try evaluateString(called.processID, what: "called process id", ordinal, of: instance)
        guard instance.depth < Self.callDepthMax else {
            throw EvaluationFailure(
                type: "CALLED_ELEMENT_ERROR",
                message: """
                    Calls are nested \(Self.callDepthMax) deep at \(node.id): the processes call each other in a \
                    circle. Cancel the root instance and correct the models.
                    """)
        }
        let waits = try outerWaits(node, ordinal, element, of: instance)
        guard let definition = resolve(called.binding, processID, caller: instance.definition),
            definition.process.noneStart != nil || !definition.process.nodes[0].implicitStarts.isEmpty
        else {
            throw EvaluationFailure(
                type: "CALLED_ELEMENT_ERROR",
                message: """
                    Expected a deployed process `\(processID)` with a none start event for \(node.id), but there is \
                    none (binding: \(called.binding)). Deploy it and resolve the incident.
                    """)
        }
        emit(.elementEntered(ordinal: ordinal), on: instance)
        guard open(waits, ordinal, of: instance) else { return }
        let variables =
            called.propagatesAllParentVariables
            ? visibleVariables(from: ordinal, of: instance) : localVariables(ordinal, of: instance)
        let key = newKey()
        emit(.calledInstanceStarted(ordinal: ordinal, key: key), on: instance)
        startInstance(
            InstanceCreated(
                key: key, definitionKey: definition.key.rawValue, parent: instance.key, parentOrdinal: ordinal,
                parentElementKey: element.key, depth: instance.depth + 1, businessID: instance.businessID),
            start: definition.process.noneStart, variables: variables)
    }

    private func resolve(
        _ binding: CalledElement.Binding, _ processID: String, caller: DeployedProcess
    ) -> DeployedProcess? {
        switch binding {
        case .latest: definitions.definition(processID: processID)
        case .version(let version): definitions.definition(processID: processID, version: version)
        case .versionTag(let tag): definitions.definition(processID: processID, versionTag: tag)
        case .deployment: definitions.definition(processID: processID, deploymentKey: caller.deploymentKey)
        }
    }

    // MARK: Throwers

    /// A send task or throw event: what it throws leaves when the other tokens are at rest.
    private func enterThrow(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        switch node.event {
        case nil, .some(.none), .link:
            emit(.elementEntered(ordinal: ordinal), on: instance)
            leave(ordinal, of: instance)
        default:
            let waits = try outerWaits(node, ordinal, element, of: instance)
            yield(thrower: ordinal, of: instance)
            open(waits, ordinal, of: instance)
        }
    }

    private func enterEndEvent(
        _ node: FlowNode, _ ordinal: UInt32, _ element: ElementInstance, of instance: ProcessInstance
    ) {
        switch node.event {
        case .terminate:
            emit(.elementEntered(ordinal: ordinal), on: instance)
            emit(.elementCompleted(ordinal: ordinal), on: instance)
            terminateContents(of: element.scope, in: instance)
            completeScopeIfDone(element.scope, of: instance)
        case .error(let code):
            emit(.elementEntered(ordinal: ordinal), on: instance)
            throwError(
                code ?? "", message: nil, variables: localVariables(ordinal, of: instance), from: ordinal, of: instance)
        case nil, .some(.none):
            emit(.elementEntered(ordinal: ordinal), on: instance)
            leave(ordinal, of: instance)
        default:
            yield(thrower: ordinal, of: instance)
        }
    }
}
