import HTTPTypes
import Runtime
import Values

/// Messages for waiting instances and message start events.
enum MessageRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/messages/publication", "publishMessage",
            "Publishes a message: it correlates now, or is buffered for its time to live.",
            body: .json(publication, required: true), admission: .whenIdle, publish)
    ]

    private static let publication = [
        RequestField("name", .string, required: true, "The message name."),
        RequestField("correlationKey", .string, "Which instance it is for; empty reaches message start events only."),
        RequestField("timeToLive", .integer(.notNegative), "Milliseconds it may wait for a receiver; default 0."),
        RequestField("messageId", .string, "Unique for its name and correlation key while it is buffered."),
        RequestField.variables("Its content."),
        RequestField.tenantID,
    ]

    private static func publish(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try object.checkTenant()
        let name = try object.string("name") ?? ""
        guard !name.isEmpty else {
            throw ProblemDetails.invalidField("name", expected: "the name of a message", found: "an empty string")
        }
        let key = try await services.workflow.publishMessage(
            PublishMessageRequest(
                name: name, correlationKey: try object.string("correlationKey") ?? "",
                timeToLiveMilliseconds: try object.integer("timeToLive") ?? 0,
                messageID: try object.string("messageId"), variables: object.raw("variables")))
        return .object { writer in
            writer.member("messageKey", key)
            writer.member("tenantId", defaultTenant)
        }
    }
}
