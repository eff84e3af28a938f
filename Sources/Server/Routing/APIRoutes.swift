/// Every operation of the API, in one explicit table.
enum APIRoutes {
    static let all: [Route] =
        DeploymentRoutes.routes + ProcessInstanceRoutes.routes + JobRoutes.routes + MessageRoutes.routes
        + UserTaskRoutes.routes + IncidentRoutes.routes
}
