import HTTPTypes
import Storage
import Values

/// Process instances and their variables, read from the records.
enum ProcessInstanceQueries {
    static let routes: [Route] = [
        Route(
            .post, "/v2/process-instances/search", "searchProcessInstances", "Searches process instances.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await search.answer($0, $1) },
        Route(
            .get, "/v2/process-instances/{processInstanceKey}", "getProcessInstance", "One process instance."
        ) { request, services in
            var filter = ProcessInstanceFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await search.answer(filter, orNo: "process instance", request, services)
        },
    ]

    static let states: [(String, [LifecycleState])] = [
        ("ACTIVE", [.active]), ("COMPLETED", [.completed]), ("TERMINATED", [.terminated]),
    ]

    static let search = SearchOperation<ProcessInstanceFilter, WithDefinition<ProcessInstanceRecord>>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = ProcessInstanceFilter()
            filter.key = try reader.keys("processInstanceKey")
            filter.definition = try reader.definition()
            filter.definition.name = try reader.strings("processDefinitionName")
            filter.definition.version = try reader.integers("processDefinitionVersion")
            filter.definition.versionTag = try reader.strings("processDefinitionVersionTag")
            filter.state = try reader.words("state", states)
            filter.hasIncident = try reader.boolean("hasIncident")
            filter.businessID = try reader.strings("businessId")
            filter.startedAt = try reader.instants("startDate")
            filter.endedAt = try reader.instants("endDate")
            filter.parentInstanceKey = try reader.keys("parentProcessInstanceKey")
            filter.parentElementInstanceKey = try reader.keys("parentElementInstanceKey")
            filter.variables = try reader.variables("variables")
            filter.errorMessage = try reader.strings("errorMessage")
            filter.hasRetriesLeft = try reader.boolean("hasRetriesLeft")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.processInstances(query) },
        write: { item, writer in write(item, into: &writer) })

    static func write(_ item: WithDefinition<ProcessInstanceRecord>, into writer: inout JSONWriter) {
        let record = item.record
        writer.member("processInstanceKey", Key(rawValue: record.key))
        writer.definition(item.definition, key: record.definitionKey)
        writer.member("processDefinitionName", item.definition?.name ?? item.definition?.processID ?? "")
        writer.member("processDefinitionVersionTag", nullable: item.definition?.versionTag)
        writer.member("state", states[Int(record.state.rawValue)].0)
        writer.member("hasIncident", record.openIncidents > 0)
        writer.member("startDate", instant: record.startedAt)
        writer.member("endDate", instant: record.endedAt)
        writer.member("parentProcessInstanceKey", nullable: record.parentInstanceKey.map { Key(rawValue: $0) })
        writer.member("parentElementInstanceKey", nullable: record.parentElementInstanceKey.map { Key(rawValue: $0) })
        writer.member("businessId", nullable: record.businessID)
        writer.member("tenantId", defaultTenant)
        writer.member("tags", [])
    }
}
