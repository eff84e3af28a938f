/// Every operation of the API, in one explicit table.
enum APIRoutes {
    static let all: [Route] = [
        DeploymentRoutes.routes, ProcessDefinitionQueries.routes, ProcessInstanceRoutes.routes,
        ProcessInstanceQueries.routes, JobRoutes.routes, WorkQueries.routes, MessageRoutes.routes,
        UserTaskRoutes.routes, IncidentRoutes.routes, VariableQueries.routes, PathRoutes.routes, TriggerRoutes.routes,
        HubRoutes.routes, DeadLetterRoutes.routes, SystemRoutes.routes, VerificationRoutes.routes,
        DecisionQueries.routes, DecisionRoutes.routes, SignalRoutes.routes, ConditionalRoutes.routes,
        AdHocRoutes.routes,
    ].flatMap { $0 }
}
