import Engine
import HTTPTypes
import ProcessModel
import Runtime
import Values

/// Deployments of process documents.
enum DeploymentRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/deployments", "createDeployment", "Deploys documents together: all of them or none.",
            body: .multipart, deploy)
    ]

    private static func deploy(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let form = try MultipartForm(request.body, contentType: request.headers[.contentType] ?? "")
        var resources: [DeploymentResource] = []
        var profile = ImportProfile.standard
        for part in form.parts {
            if part.name == "profile", part.fileName == nil {
                profile = try self.profile(String(decoding: part.bytes, as: UTF8.self))
                continue
            }
            if part.name == "tenantId", part.fileName == nil {
                let tenant = String(decoding: part.bytes, as: UTF8.self)
                guard tenant == defaultTenant else {
                    throw ProblemDetails.unsupported(
                        "There is no tenant \(quoted(tenant)).", remedy: "Leave tenantId out.", field: "tenantId")
                }
                continue
            }
            guard let name = part.fileName, !name.isEmpty else {
                throw ProblemDetails.unknownField(part.name, known: ["resources", "tenantId", "profile"])
            }
            guard !resources.contains(where: { $0.name == name }) else {
                throw ProblemDetails.conflictingFields(
                    "Two resources have the name \(quoted(name)).", remedy: "Give each resource its own file name.",
                    field: "resources")
            }
            resources.append(DeploymentResource(name: name, bytes: part.bytes))
        }
        guard !resources.isEmpty else {
            throw ProblemDetails.missingField("resources", expected: "at least one file part")
        }
        let deployment = try await services.workflow.deploy(
            resources, profile: profile, actor: try await request.actor())
        return .object(capacity: 512) { writer in
            writer.member("deploymentKey", deployment.key)
            writer.member("tenantId", defaultTenant)
            writer.key("deployments")
            writer.beginArray()
            for definition in deployment.definitions {
                writer.beginObject()
                writer.key("processDefinition")
                writer.beginObject()
                writer.member("processDefinitionId", definition.process.id)
                writer.member("processDefinitionVersion", definition.version)
                writer.member("resourceName", definition.resourceName)
                writer.member("tenantId", defaultTenant)
                writer.member("processDefinitionKey", definition.key)
                writer.endObject()
                writer.endObject()
            }
            for model in deployment.decisions { writer.decisions(model) }
            writer.endArray()
            if !deployment.diagnostics.isEmpty {
                writer.key("diagnostics")
                writer.beginArray()
                for diagnostic in deployment.diagnostics { writer.diagnostic(diagnostic) }
                writer.endArray()
            }
        }
    }

    private static func profile(_ text: String) throws(ProblemDetails) -> ImportProfile {
        guard let profile = ImportProfile(rawValue: text) else {
            throw .invalidField(
                "profile", expected: "one of " + ImportProfile.allCases.map(\.rawValue).joined(separator: ", "),
                found: quoted(text))
        }
        return profile
    }
}

extension JSONWriter {
    /// The items of a decision model in a deployment: its decisions, then itself.
    fileprivate mutating func decisions(_ model: DeployedDecisions) {
        for decision in model.decisions {
            self.beginObject()
            self.key("decisionDefinition")
            self.beginObject()
            self.member("decisionDefinitionId", decision.id)
            self.member("version", decision.version)
            self.member("name", decision.name)
            self.member("tenantId", defaultTenant)
            self.member("decisionRequirementsId", model.requirementsID)
            self.member("decisionDefinitionKey", decision.key)
            self.member("decisionRequirementsKey", model.key)
            self.endObject()
            self.endObject()
        }
        self.beginObject()
        self.key("decisionRequirements")
        self.beginObject()
        self.member("decisionRequirementsId", model.requirementsID)
        self.member("decisionRequirementsName", model.name)
        self.member("version", model.version)
        self.member("resourceName", model.resourceName)
        self.member("tenantId", defaultTenant)
        self.member("decisionRequirementsKey", model.key)
        self.endObject()
        self.endObject()
    }
}
