import Engine
import HTTPTypes
import ProcessModel
import Runtime
import Values

/// Process instances: started, cancelled, and their variables changed.
enum ProcessInstanceRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/process-instances", "createProcessInstance",
            "Starts a process; with the header Idempotency-Key a repeated call returns the first instance.",
            body: .json(creation, required: true), admission: .whenIdle, create),
        Route(
            .post, "/v2/process-instances/{processInstanceKey}/cancellation", "cancelProcessInstance",
            "Ends an instance and everything inside it.",
            body: .json([.operationReference], required: false), status: 204, cancel),
        Route(
            .put, "/v2/element-instances/{elementInstanceKey}/variables", "setVariables",
            "Sets variables in the scope of an instance or element instance.",
            body: .json(variables, required: true), status: 204, setVariables),
    ]

    // MARK: Start

    private static let creation = [
        RequestField("processDefinitionId", .string, "The process, by its id in the document."),
        RequestField("processDefinitionVersion", .integer(-1...Int64(Int32.max)), "-1, the default, is the newest."),
        RequestField("processDefinitionKey", .key, "The process, by the key of one version."),
        RequestField.variables("The variables of the instance."),
        RequestField("businessId", .string, "A name for the instance in the business."),
        RequestField("awaitCompletion", .boolean, "Answers when the instance has ended."),
        RequestField("requestTimeout", .integer(.any), "Milliseconds to wait with awaitCompletion; 0 is the default."),
        RequestField("fetchVariables", .strings, "The variables of the answer; none or an empty list means all."),
        RequestField("startInstructions", .objects, "Not supported: must be empty."),
        RequestField("runtimeInstructions", .objects, "Not supported: must be empty."),
        RequestField("tags", .strings, "Not supported: must be empty."),
        RequestField.tenantID,
        RequestField.operationReference,
    ]

    private static func create(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try object.checkTenant()
        for name in ["startInstructions", "runtimeInstructions", "tags"] {
            try object.refuse(
                name, because: "The member \(name) is not supported yet.", remedy: "Leave \(name) out.")
        }
        let waits = try object.boolean("awaitCompletion") ?? false
        let timeout = try object.integer("requestTimeout") ?? 0
        let created = try await services.workflow.createInstance(
            CreateInstanceRequest(
                target: try target(object), variables: object.raw("variables"),
                businessID: try object.string("businessId"), idempotencyKey: try idempotencyKey(request.headers),
                awaitMilliseconds: waits ? services.limits.wait(max(0, timeout)) : nil, actor: try await request.actor()
            ))
        let names = try object.strings("fetchVariables") ?? []
        let result = try created.result.map { try members(names, of: $0) }
        var response = APIResponse.object { writer in
            writer.member("processInstanceKey", created.key)
            writer.member("processDefinitionKey", created.definition.key)
            writer.member("processDefinitionId", created.definition.process.id)
            writer.member("processDefinitionVersion", created.definition.version)
            writer.member("tenantId", defaultTenant)
            writer.member("variables", raw: result ?? Array("{}".utf8))
            writer.member("tags", [])
        }
        if created.alreadyExisted { response.headers.append((.idempotencyReplayed, "true")) }
        return response
    }

    private static func target(_ object: RequestObject) throws(ProblemDetails) -> CreateInstanceRequest.Target {
        let key = try object.key("processDefinitionKey")
        let id = try object.string("processDefinitionId")
        let version = try object.integer("processDefinitionVersion") ?? -1
        switch (key, id) {
        case (let key?, nil):
            guard version == -1 else {
                throw .conflictingFields(
                    "processDefinitionKey already names a version.", remedy: "Leave processDefinitionVersion out.",
                    field: "processDefinitionVersion")
            }
            return .definition(key)
        case (nil, let id?):
            guard version != 0 else {
                throw .invalidField(
                    "processDefinitionVersion", expected: "a version of at least 1, or -1 for the newest", found: "0")
            }
            return .process(id: id, version: version < 0 ? nil : Int(version))
        case (nil, nil):
            throw .missingField("processDefinitionId", expected: "or processDefinitionKey")
        case (_?, _?):
            throw .conflictingFields(
                "processDefinitionId and processDefinitionKey exclude each other.", remedy: "Leave one of them out.",
                field: "processDefinitionKey")
        }
    }

    private static func idempotencyKey(_ headers: HTTPFields) throws(ProblemDetails) -> String? {
        guard let key = headers[.idempotencyKey] else { return nil }
        guard (1...255).contains(key.utf8.count) else {
            throw .invalidField("Idempotency-Key", expected: "1 to 255 characters", found: "\(key.utf8.count)")
        }
        return key
    }

    /// The object with only these members; all of them when `names` is empty.
    private static func members(_ names: [String], of document: [UInt8]) throws(JSONError) -> [UInt8] {
        if names.isEmpty { return document }
        var writer = JSONWriter(capacity: document.count)
        writer.beginObject()
        for member in try JSON.members(of: document) where names.contains(member.key) {
            writer.member(member.key, raw: document[member.value])
        }
        writer.endObject()
        return writer.bytes
    }

    // MARK: Cancel, change

    private static func cancel(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try await services.workflow.cancelInstance(key: try request.key(), actor: try await request.actor())
        return .noContent
    }

    private static let variables = [
        RequestField("variables", .object, required: true, "The variables to set."),
        RequestField("local", .boolean, "Sets them in this scope, instead of where each is already defined."),
        RequestField.operationReference,
    ]

    private static func setVariables(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try await services.workflow.setVariables(
            scope: try request.key(), variables: request.object.raw("variables") ?? [],
            local: try request.object.boolean("local") ?? false, actor: try await request.actor())
        return .noContent
    }
}
