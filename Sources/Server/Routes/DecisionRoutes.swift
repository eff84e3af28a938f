import Engine
import HTTPTypes
import Runtime
import Storage
import Values

/// Decisions, evaluated without a process.
enum DecisionRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/decision-definitions/evaluation", "evaluateDecision",
            "Evaluates a decision with everything it requires; the evaluation is recorded.",
            body: .json(evaluation, required: true), admission: .whenIdle, evaluate)
    ]

    private static let evaluation = [
        RequestField("decisionDefinitionId", .string, "The decision, by its id in the document: the newest version."),
        RequestField("decisionDefinitionKey", .key, "The decision, by the key of one version."),
        RequestField.variables("What the decision sees."),
        RequestField.tenantID,
    ]

    private static func evaluate(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try object.checkTenant()
        let outcome = try await services.workflow.evaluateDecision(
            EvaluateDecisionRequest(
                target: try target(object), variables: object.raw("variables"), actor: try await request.actor()))
        let registry = services.workflow.definitions.decisions
        return .object(capacity: 1_024) { write(outcome, registry, into: &$0) }
    }

    private static func target(_ object: RequestObject) throws(ProblemDetails) -> EvaluateDecisionRequest.Target {
        switch (try object.key("decisionDefinitionKey"), try object.string("decisionDefinitionId")) {
        case (let key?, nil): return .version(key)
        case (nil, let id?): return .decision(id: id)
        case (nil, nil): throw .missingField("decisionDefinitionId", expected: "or decisionDefinitionKey")
        case (_?, _?):
            throw .conflictingFields(
                "decisionDefinitionId and decisionDefinitionKey exclude each other.", remedy: "Leave one of them out.",
                field: "decisionDefinitionKey")
        }
    }

    private static func write(
        _ outcome: DecisionResult, _ registry: DecisionRegistry, into writer: inout JSONWriter
    ) {
        let (decision, evaluation) = (outcome.decision, outcome.evaluation)
        writer.member("decisionDefinitionKey", decision.key)
        writer.member("decisionDefinitionId", decision.id)
        writer.member("decisionDefinitionName", decision.name)
        writer.member("decisionDefinitionVersion", decision.version)
        writer.member("decisionRequirementsKey", decision.requirements.key)
        writer.member("decisionRequirementsId", decision.requirements.requirementsID)
        writer.member("decisionEvaluationKey", Key(rawValue: evaluation.key))
        writer.member("decisionInstanceKey", Key(rawValue: evaluation.key))
        writer.member("output", String(decoding: evaluation.output.json, as: UTF8.self))
        let failed = evaluation.decisions.first { $0.failure != nil }
        let failedID = failed.flatMap { registry.decision(key: Key(rawValue: $0.decisionKey))?.id }
        writer.member(
            "failedDecisionDefinitionId", nullable: evaluation.failure == nil ? nil : failedID ?? decision.id)
        writer.member("failureMessage", nullable: evaluation.failure)
        writer.member("tenantId", defaultTenant)
        writer.key("evaluatedDecisions")
        writer.beginArray()
        for evaluated in evaluation.decisions {
            let version = registry.decision(key: Key(rawValue: evaluated.decisionKey))
            writer.beginObject()
            writer.member("decisionEvaluationInstanceKey", Key(rawValue: evaluated.key))
            writer.member("decisionDefinitionKey", Key(rawValue: evaluated.decisionKey))
            writer.member("decisionDefinitionId", version?.id ?? "")
            writer.member("decisionDefinitionName", version?.name ?? "")
            writer.member("decisionDefinitionVersion", version?.version ?? 0)
            writer.member("decisionDefinitionType", (version?.type ?? .other).word)
            writer.member("output", String(decoding: evaluated.output.json, as: UTF8.self))
            if let failure = evaluated.failure { writer.member("failureMessage", failure) }
            writer.trace((try? DecisionTrace(evaluated.trace)) ?? DecisionTrace(inputs: [], rules: []))
            writer.member("tenantId", defaultTenant)
            writer.endObject()
        }
        writer.endArray()
    }
}
