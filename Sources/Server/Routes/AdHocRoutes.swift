import HTTPTypes
import Runtime
import Values

/// Ad-hoc sub-processes, whose activities somebody outside may start.
enum AdHocRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/element-instances/ad-hoc-activities/{adHocSubProcessInstanceKey}/activation",
            "activateAdHocSubProcessActivities", "Starts activities of an ad-hoc sub-process that runs.",
            body: .json(activation, required: true), status: 204, activate)
    ]

    private static let activation = [
        RequestField("elements", .objects, required: true, "The activities: `{elementId, variables}`."),
        RequestField("cancelRemainingInstances", .boolean, "Ends first what runs inside; default false."),
    ]

    private static let element = [
        RequestField("elementId", .string, required: true, "The id of the activity in the document."),
        RequestField.variables("Variables of the sub-process, set before the activity starts."),
    ]

    private static func activate(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let elements = try request.object.objects("elements", fields: element, maximum: 1_000)
        guard !elements.isEmpty else {
            throw ProblemDetails.invalidField("elements", expected: "at least one activity", found: "an empty list")
        }
        var activities: [(elementID: String, variables: [UInt8]?)] = []
        for element in elements {
            activities.append((try element.string("elementId") ?? "", element.raw("variables")))
        }
        try await services.workflow.activateAdHoc(
            ActivateAdHocRequest(
                key: try request.key(), activities: activities,
                cancelsRunning: try request.object.boolean("cancelRemainingInstances") ?? false,
                actor: try await request.actor()))
        return .noContent
    }
}
