public import Engine
import ProcessModel
import Values

extension WorkflowRuntime {
    /// See `WorkflowService.evaluateDecision(_:)`.
    public func evaluateDecision(
        _ request: EvaluateDecisionRequest
    ) async throws(CommandRejection) -> DecisionResult {
        let decision = try resolve(request.target)
        let document = try document(request.variables)
        let partition = nextPartitionNumber()
        let actor = request.actor.isEmpty ? nil : request.actor
        switch await send(.evaluateDecision(decision, variables: document), to: partition, actor: actor) {
        case .evaluated(let evaluation): return DecisionResult(decision: decision, evaluation: evaluation)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("evaluateDecision")
        }
    }

    private func resolve(_ target: EvaluateDecisionRequest.Target) throws(CommandRejection) -> DeployedDecision {
        switch target {
        case .decision(let id):
            if let decision = definitions.decisions.decision(id: id) { return decision }
            let known = definitions.decisions.ids.prefix(10).joined(separator: ", ")
            throw CommandRejection(
                .notFound, "There is no deployed decision `\(id)`",
                remedy: "Deploy it first. Deployed are: \(known.isEmpty ? "none" : known).")
        case .version(let key):
            if let decision = definitions.decisions.decision(key: key) { return decision }
            throw CommandRejection(
                .notFound, "There is no decision definition with key \(key)", remedy: "Deploy the decision first.")
        }
    }

    /// See `WorkflowService.evaluateConditions(_:)`.
    public func evaluateConditions(
        _ request: EvaluateConditionsRequest
    ) async throws(CommandRejection) -> [CreatedInstance] {
        let candidates: [DeployedProcess]
        if let key = request.definition {
            guard let definition = definitions.definition(key: key) else {
                throw CommandRejection(
                    .notFound, "There is no process definition with key \(key)", remedy: "Deploy the process first.")
            }
            candidates = [definition]
        } else {
            candidates = definitions.newest.filter { !$0.process.conditionalStarts.isEmpty }
        }
        let document = try document(request.variables)
        try checkCapacity()
        let command = Command.startByConditions(candidates, variables: document)
        let actor = request.actor.isEmpty ? nil : request.actor
        switch await send(command, to: nextPartitionNumber(), actor: actor) {
        case .started(let started):
            return started.compactMap { instance in
                definitions.definition(key: Key(rawValue: instance.definition)).map {
                    CreatedInstance(key: Key(rawValue: instance.key), definition: $0, alreadyExisted: false)
                }
            }
        case .rejected(let rejection): throw rejection
        default: throw unexpected("evaluateConditions")
        }
    }

    /// See `WorkflowService.activateAdHoc(_:)`.
    public func activateAdHoc(_ request: ActivateAdHocRequest) async throws(CommandRejection) {
        var activities: [AdHocActivation] = []
        for activity in request.activities {
            activities.append(
                AdHocActivation(elementID: activity.elementID, variables: try document(activity.variables)))
        }
        try await perform(
            .activateAdHoc(
                key: request.key.rawValue, activities: activities, cancelsRunning: request.cancelsRunning),
            on: request.key, actor: request.actor.isEmpty ? nil : request.actor)
    }
}
