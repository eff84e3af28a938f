import Decisions
import ProcessModel
import Values

/// Decisions: deployed, called by business rule tasks, evaluated alone (BPMN 2.0.2 clause 10.3.3; DMN).
extension PartitionEngine {
    // MARK: Deployment

    /// The keys of decision models when none of them is new; nil when one is.
    func unchangedModels(_ decisions: [NewDecisions]) -> [UInt64]? {
        var keys: [UInt64] = []
        for new in decisions {
            let checksum = checksum(new, imports: keys)
            guard let newest = state.decisionModels[new.model.id], newest.checksum == checksum else { return nil }
            keys.append(newest.key)
        }
        return keys
    }

    /// Adds the versions that are new; returns the keys of all models, and what was added.
    func deploy(_ decisions: [NewDecisions], _ deployment: UInt64) -> (keys: [UInt64], added: [DecisionsDeployed]) {
        var keys: [UInt64] = []
        var added: [DecisionsDeployed] = []
        for new in decisions {
            let newest = state.decisionModels[new.model.id]
            if let newest, newest.checksum == checksum(new, imports: keys) {
                keys.append(newest.key)
                continue
            }
            let deployed = DecisionsDeployed(
                key: newKey(), deploymentKey: deployment, requirementsID: new.model.id, name: new.model.name,
                version: (newest?.version ?? 0) + 1, resourceName: new.resourceName, resource: new.resource,
                imports: new.imports.map { key(of: $0, among: keys) },
                decisions: new.model.decisions.map { decision in
                    DecisionsDeployed.DecisionVersion(
                        key: newKey(), id: decision.versionedID,
                        version: (state.decisionVersions[decision.versionedID] ?? 0) + 1)
                })
            emit(.decisionsDeployed(deployed))
            keys.append(deployed.key)
            added.append(deployed)
        }
        return (keys, added)
    }

    private func key(of model: NewDecisions.Import, among keys: [UInt64]) -> UInt64 {
        switch model {
        case .deployed(let key): key
        case .together(let position): keys.indices.contains(position) ? keys[position] : 0
        }
    }

    /// Differs when a version would mean something else: by its document, or by what it imports.
    private func checksum(_ new: NewDecisions, imports keys: [UInt64]) -> UInt64 {
        Self.checksum(new.resource, imports: new.imports.map { key(of: $0, among: keys) })
    }

    private static func checksum(_ resource: [UInt8], imports: [UInt64]) -> UInt64 {
        imports.reduce(StableHash.fnv1a64(resource)) { StableHash.mixed($0 ^ $1) }
    }

    /// Remembers a version of a decision model for the numbering of the next ones.
    func noteDeployed(_ deployed: DecisionsDeployed) {
        decisionDeployments[deployed.key] = deployed
        for decision in deployed.decisions {
            state.decisionVersions[decision.id] = Swift.max(
                state.decisionVersions[decision.id] ?? 0, decision.version)
        }
        if let newest = state.decisionModels[deployed.requirementsID], newest.version > deployed.version { return }
        state.decisionModels[deployed.requirementsID] = (
            deployed.version, deployed.key, Self.checksum(deployed.resource, imports: deployed.imports)
        )
    }

    // MARK: Appliers

    func applyDecisionEvent(_ event: Event) {
        switch event {
        case .decisionsDeployed(let deployed):
            noteKey(deployed.decisions.last?.key ?? deployed.key)
            noteDeployed(deployed)
            changed(EntityKinds.decisions, deployed.key)
        case .decisionEvaluatedAlone(let evaluated):
            noteKeys(of: evaluated)
        default:
            break
        }
    }

    func noteKeys(of evaluated: DecisionEvaluated) {
        noteKey(evaluated.decisions.last?.key ?? evaluated.key)
    }

    // MARK: Evaluation

    /// A business rule task: its decision is evaluated at once.
    ///
    /// Every evaluation is recorded, failed ones too; resolving the incident evaluates again.
    func enterDecision(
        _ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) {
        guard let called = node.calledDecision else { return }
        let id = try evaluateString(called.decisionID, what: "called decision id", ordinal, of: instance)
        guard let decision = resolve(called.binding, id, caller: instance.definition) else {
            let known = definitions.decisions.ids.prefix(10).map { "`\($0)`" }.joined(separator: ", ")
            throw EvaluationFailure(
                type: "CALLED_DECISION_ERROR",
                message: """
                    Expected a deployed decision `\(id)` for \(node.id), but there is none (binding: \
                    \(called.binding)); deployed are: \(known.isEmpty ? "none" : known). Deploy it and resolve the \
                    incident.
                    """)
        }
        scopeView.point(at: ordinal, of: instance, now: state.now)
        let evaluated = evaluate(decision, in: scopeView)
        emit(.decisionEvaluated(ordinal: ordinal, evaluated), on: instance)
        if let failure = evaluated.failure {
            throw EvaluationFailure(
                type: "DECISION_EVALUATION_ERROR",
                message: """
                    The decision `\(id)` called by \(node.id) failed: \(failure). Correct the variables it reads, or \
                    deploy a corrected decision, and resolve the incident.
                    """)
        }
        if node.outputs.isEmpty {
            mergeVariable(called.resultVariable, evaluated.output, from: ordinal, of: instance)
        } else {
            emit(
                .variableSet(scope: ordinal, name: called.resultVariable, value: evaluated.output), on: instance)
        }
        emit(.elementEntered(ordinal: ordinal), on: instance)
        leave(ordinal, of: instance)
    }

    private func resolve(
        _ binding: CalledElement.Binding, _ id: String, caller: DeployedProcess
    ) -> DeployedDecision? {
        let decisions = definitions.decisions
        return switch binding {
        case .latest: decisions.decision(id: id)
        case .version(let version): decisions.decision(id: id, version: version)
        case .versionTag(let tag): decisions.decision(id: id, versionTag: tag)
        case .deployment: decisions.decision(id: id, deploymentKey: caller.deploymentKey)
        }
    }

    func evaluateDecision(_ decision: DeployedDecision, _ variables: VariableDocument) -> Reply {
        let evaluated = evaluate(decision, in: DocumentScope(variables, now: state.now))
        emit(.decisionEvaluatedAlone(evaluated))
        return .evaluated(evaluated)
    }
}

/// The variables of a request as a scope.
final class DocumentScope: VariableScope {
    private let document: VariableDocument
    private var parsed: [String: Value] = [:]
    let now: DateTime

    init(_ document: VariableDocument, now milliseconds: Int64) {
        self.document = document
        self.now = DateTime(epochMilliseconds: milliseconds) ?? .feelEpoch
    }

    func variable(_ name: String) -> Value? {
        if let known = parsed[name] { return known }
        guard let member = document.members.first(where: { $0.name == name }) else { return nil }
        let value = member.value.value
        parsed[name] = value
        return value
    }
}
