import Engine
import HTTPTypes
import Runtime
import Values

/// Conditional start events, asked with variables of the caller.
enum ConditionalRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/conditionals/evaluation", "evaluateConditionals",
            "Starts an instance for every conditional start event that holds for the variables.",
            body: .json(evaluation, required: true), admission: .whenIdle, evaluate)
    ]

    private static let evaluation = [
        RequestField("variables", .object, required: true, "What the conditions see and the instances begin with."),
        RequestField("processDefinitionKey", .key, "Only this version of a process; else the newest of each."),
        RequestField.tenantID,
    ]

    private static func evaluate(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try object.checkTenant()
        let started = try await services.workflow.evaluateConditions(
            EvaluateConditionsRequest(
                definition: try object.key("processDefinitionKey"), variables: object.raw("variables"),
                actor: try await request.actor()))
        return .object { writer in
            // The evaluation itself is not kept: its first instance stands for it, or nothing.
            writer.member("conditionalEvaluationKey", started.first?.key ?? Key(rawValue: 0))
            writer.member("tenantId", defaultTenant)
            writer.key("processInstances")
            writer.beginArray()
            for instance in started {
                writer.beginObject()
                writer.member("processDefinitionKey", instance.definition.key)
                writer.member("processInstanceKey", instance.key)
                writer.endObject()
            }
            writer.endArray()
        }
    }
}
