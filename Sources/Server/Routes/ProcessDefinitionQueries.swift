import HTTPTypes
import Storage
import Values

/// Process definitions, read from the records.
enum ProcessDefinitionQueries {
    static let routes: [Route] = [
        Route(
            .post, "/v2/process-definitions/search", "searchProcessDefinitions", "Searches process definitions.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await search.answer($0, $1) },
        Route(
            .get, "/v2/process-definitions/{processDefinitionKey}", "getProcessDefinition", "One process definition."
        ) { request, services in
            let definition = try await definition(request, services)
            return .object { write(definition, into: &$0) }
        },
        Route(
            .get, "/v2/process-definitions/{processDefinitionKey}/xml", "getProcessDefinitionXML",
            "The document of a process definition, as deployed."
        ) { request, services in
            APIResponse(status: .ok, contentType: "text/xml", body: try await definition(request, services).resource)
        },
    ]

    static let search = SearchOperation<ProcessDefinitionFilter, ProcessDefinitionRecord>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = ProcessDefinitionFilter()
            filter.definition = try reader.definition()
            filter.definition.name = try reader.strings("name")
            filter.definition.version = try reader.integers("version")
            filter.definition.versionTag = try reader.strings("versionTag")
            filter.resourceName = try reader.strings("resourceName")
            filter.deploymentKey = try reader.keys("deploymentKey")
            filter.isLatest = try reader.boolean("isLatestVersion")
            if try reader.boolean("hasStartForm") == true { filter.deploymentKey.append(.oneOf([])) }
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.processDefinitions(query) },
        write: { write($0, into: &$1) })

    private static func definition(
        _ request: RouteRequest, _ services: RouteServices
    ) async throws -> ProcessDefinitionRecord {
        let key = try request.key()
        let found = try await services.read { records throws(StoreError) in
            try records.processDefinition(key: key.rawValue)
        }
        guard let found else { throw ProblemDetails.notFound("process definition", key) }
        return found
    }

    private static func write(_ record: ProcessDefinitionRecord, into writer: inout JSONWriter) {
        writer.member("processDefinitionKey", Key(rawValue: record.key))
        writer.member("processDefinitionId", record.processID)
        writer.member("name", nullable: record.name)
        writer.member("version", record.version)
        writer.member("versionTag", nullable: record.versionTag)
        writer.member("resourceName", record.resourceName)
        writer.member("deploymentKey", Key(rawValue: record.deploymentKey))
        writer.member("deployedAt", instant: record.deployedAt)
        writer.member("hasStartForm", false)
        writer.member("tenantId", defaultTenant)
    }
}
