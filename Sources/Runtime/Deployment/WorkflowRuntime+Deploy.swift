public import Engine
public import ProcessModel
import Values

extension WorkflowRuntime {
    /// See `WorkflowService.deploy(_:profile:actor:)`.
    public func deploy(
        _ resources: [DeploymentResource], profile: ImportProfile, actor: String
    ) async throws(CommandRejection) -> Deployment {
        let documents = DeploymentDocuments(resources, profile: profile, registry: definitions.decisions)
        if documents.diagnostics.contains(where: { $0.severity == .error })
            || documents.processes.isEmpty && documents.decisions.isEmpty
        {
            throw CommandRejection(
                .invalidArgument,
                documents.diagnostics.isEmpty
                    ? "There is no executable process and no decision in the deployment"
                    : "The deployment has errors",
                remedy: "Correct what the diagnostics name; `junction lint` shows them without deploying.",
                diagnostics: documents.diagnostics)
        }
        core.remember(documents)
        defer { core.forgetDeploying(documents) }
        switch await send(.deploy(documents.processes, decisions: documents.decisions), to: 0, actor: actor) {
        case .deployed(let key, let processes, let decisions):
            return Deployment(
                key: Key(rawValue: key),
                definitions: processes.compactMap { definitions.definition(key: Key(rawValue: $0.key)) },
                decisions: decisions.compactMap { definitions.decisions.model(key: Key(rawValue: $0)) },
                diagnostics: documents.diagnostics)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("deploy")
        }
    }
}

extension WorkflowService {
    /// Deploys documents in the standard profile.
    public func deploy(
        _ resources: [DeploymentResource], actor: String
    ) async throws(CommandRejection) -> Deployment {
        try await deploy(resources, profile: .standard, actor: actor)
    }
}
