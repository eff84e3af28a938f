import HTTPTypes
import Runtime
import Values

/// Signals for everything that waits for them, and for signal start events.
enum SignalRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/signals/broadcast", "broadcastSignal",
            "Broadcasts a signal: it reaches everything that waits for it now, and starts what begins with it.",
            body: .json(broadcast, required: true), admission: .whenIdle, broadcast)
    ]

    private static let broadcast = [
        RequestField("signalName", .string, required: true, "The signal name."),
        RequestField.variables("Its content."),
        RequestField.tenantID,
    ]

    private static func broadcast(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try object.checkTenant()
        let name = try object.string("signalName") ?? ""
        guard !name.isEmpty else {
            throw ProblemDetails.invalidField("signalName", expected: "the name of a signal", found: "an empty string")
        }
        let key = try await services.workflow.broadcastSignal(
            name: name, variables: object.raw("variables"), actor: try await request.actor())
        return .object { writer in
            writer.member("signalKey", key)
            writer.member("tenantId", defaultTenant)
        }
    }
}
