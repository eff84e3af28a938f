import Engine
import HTTPTypes
import Runtime
import Values

/// Tasks of people: completed and assigned.
enum UserTaskRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/user-tasks/{userTaskKey}/completion", "completeUserTask", "Completes a user task.",
            body: .json(completion, required: false), status: 204, complete),
        Route(
            .post, "/v2/user-tasks/{userTaskKey}/assignment", "assignUserTask", "Gives a user task to somebody.",
            body: .json(assignment, required: true), status: 204, assign),
        Route(
            .delete, "/v2/user-tasks/{userTaskKey}/assignee", "unassignUserTask",
            "Takes a user task from its assignee.",
            status: 204, unassign),
    ]

    private static let action = RequestField("action", .string, "Accepted for listeners; there are none.")

    private static let completion = [RequestField.variables("The result."), action]

    private static func complete(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try await services.workflow.completeUserTask(
            key: try request.key(), variables: request.object.raw("variables"), actor: try await request.actor())
        return .noContent
    }

    private static let assignment = [
        RequestField("assignee", .string, required: true, "Who gets it."),
        RequestField("allowOverride", .boolean, "Whether it may be taken from somebody else; default true."),
        action,
    ]

    private static func assign(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let assignee = try request.object.string("assignee") ?? ""
        guard !assignee.isEmpty else {
            throw ProblemDetails.invalidField("assignee", expected: "the name of a user", found: "an empty string")
        }
        try await services.workflow.assignUserTask(
            key: try request.key(), assignee: assignee,
            allowOverride: try request.object.boolean("allowOverride") ?? true, actor: try await request.actor())
        return .noContent
    }

    private static func unassign(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try await services.workflow.assignUserTask(
            key: try request.key(), assignee: nil, allowOverride: true, actor: try await request.actor())
        return .noContent
    }
}
