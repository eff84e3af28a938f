import Engine
import HTTPTypes
import Runtime
import Values

/// Incidents: what an instance cannot get past.
enum IncidentRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/incidents/{incidentKey}/resolution", "resolveIncident",
            "Retries what an incident is about, exactly there.",
            body: .json([.operationReference], required: false), status: 204, resolve)
    ]

    private static func resolve(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try await services.workflow.resolveIncident(key: try request.key(), actor: try await request.actor())
        return .noContent
    }
}
