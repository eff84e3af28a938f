import HTTPTypes
import Storage
import Values

/// Jobs, user tasks and incidents, read from the records.
enum WorkQueries {
    static let routes: [Route] = [
        Route(
            .post, "/v2/jobs/search", "searchJobs", "Searches jobs that have not ended.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await jobs.answer($0, $1) },
        Route(
            .post, "/v2/user-tasks/search", "searchUserTasks", "Searches user tasks.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await userTasks.answer($0, $1) },
        Route(.get, "/v2/user-tasks/{userTaskKey}", "getUserTask", "One user task.") { request, services in
            var filter = UserTaskFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await userTasks.answer(filter, orNo: "user task", request, services)
        },
        Route(
            .post, "/v2/incidents/search", "searchIncidents", "Searches incidents.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await incidents.answer($0, $1) },
        Route(.get, "/v2/incidents/{incidentKey}", "getIncident", "One incident.") { request, services in
            var filter = IncidentFilter()
            filter.key = [.equal(try request.key().rawValue)]
            return try await incidents.answer(filter, orNo: "incident", request, services)
        },
    ]

    // MARK: Jobs

    /// A job that has ended leaves the records: the states of ended jobs match nothing.
    private static let jobStates: [(String, [UInt8])] = [
        ("CREATED", [0, 1]), ("FAILED", [2, 3]), ("COMPLETED", []), ("CANCELED", []), ("ERROR_THROWN", []),
        ("MIGRATED", []), ("RETRIES_UPDATED", []), ("TIMED_OUT", []),
    ]

    static let jobs = SearchOperation<JobFilter, WithDefinition<JobRecord>>(
        ignoredSortFields: [
            "tenantId", "kind", "listenerEventType", "isDenied", "deniedReason", "endTime", "errorCode",
        ],
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = JobFilter()
            filter.key = try reader.keys("jobKey")
            filter.definition = try reader.definition()
            filter.instanceKey = try reader.keys("processInstanceKey")
            filter.elementInstanceKey = try reader.keys("elementInstanceKey")
            filter.elementID = try reader.strings("elementId")
            filter.type = try reader.strings("type")
            filter.state = try reader.words("state", jobStates)
            filter.retries = try reader.integers("retries")
            filter.worker = try reader.strings("worker")
            filter.deadline = try reader.instants("deadline")
            filter.errorMessage = try reader.strings("errorMessage")
            filter.createdAt = try reader.instants("creationTime")
            filter.hasFailedWithRetriesLeft = try reader.boolean("hasFailedWithRetriesLeft")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.jobs(query) },
        write: { item, writer in
            let record = item.record
            writer.member("jobKey", Key(rawValue: record.key))
            writer.member("type", record.type)
            writer.member("state", record.state >= 2 ? "FAILED" : "CREATED")
            writer.member("retries", record.retries)
            writer.member("hasFailedWithRetriesLeft", record.state == 2 && record.retries > 0)
            writer.member("worker", record.worker ?? "")
            writer.member("deadline", instant: record.deadline)
            writer.member("errorMessage", nullable: record.errorMessage)
            writer.member("elementId", record.elementID)
            writer.member("elementInstanceKey", Key(rawValue: record.elementInstanceKey))
            writer.member("processInstanceKey", Key(rawValue: record.instanceKey))
            writer.definition(item.definition, key: record.definitionKey)
            writer.member("kind", "BPMN_ELEMENT")
            writer.member("listenerEventType", "UNSPECIFIED")
            writer.member("creationTime", instant: record.createdAt)
            writer.member("tenantId", defaultTenant)
            writer.member("customHeaders", raw: "{}".utf8)
        })

    // MARK: User tasks

    private static let userTaskStates: [(String, [UInt8])] = [
        ("CREATED", [0]), ("COMPLETED", [1]), ("CANCELED", [2]), ("CREATING", []), ("ASSIGNING", []),
        ("UPDATING", []), ("COMPLETING", []), ("CANCELING", []), ("FAILED", []),
    ]

    static let userTasks = SearchOperation<UserTaskFilter, WithDefinition<UserTaskRecord>>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = UserTaskFilter()
            filter.key = try reader.keys("userTaskKey")
            filter.definition = try reader.definition()
            filter.instanceKey = try reader.keys("processInstanceKey")
            filter.elementInstanceKey = try reader.keys("elementInstanceKey")
            filter.elementID = try reader.strings("elementId")
            filter.name = try reader.strings("name")
            filter.state = try reader.words("state", userTaskStates)
            filter.assignee = try reader.strings("assignee")
            filter.candidateGroup = try reader.strings("candidateGroup")
            filter.candidateUser = try reader.strings("candidateUser")
            filter.priority = try reader.integers("priority")
            filter.dueDate = try reader.strings("dueDate")
            filter.followUpDate = try reader.strings("followUpDate")
            filter.createdAt = try reader.instants("creationDate")
            filter.endedAt = try reader.instants("completionDate")
            filter.instanceVariables = try reader.variables("processInstanceVariables")
            filter.localVariables = try reader.variables("localVariables")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.userTasks(query) },
        write: { item, writer in
            let record = item.record
            writer.member("userTaskKey", Key(rawValue: record.key))
            writer.member("name", nullable: record.name)
            writer.member("state", userTaskStates[min(2, Int(record.state))].0)
            writer.member("assignee", nullable: record.assignee)
            writer.member("candidateGroups", record.candidateGroups)
            writer.member("candidateUsers", record.candidateUsers)
            writer.member("priority", record.priority)
            writer.member("dueDate", nullable: record.dueDate)
            writer.member("followUpDate", nullable: record.followUpDate)
            writer.member("creationDate", instant: record.createdAt)
            writer.member("completionDate", instant: record.endedAt)
            writer.member("elementId", record.elementID)
            writer.member("elementInstanceKey", Key(rawValue: record.elementInstanceKey))
            writer.member("processInstanceKey", Key(rawValue: record.instanceKey))
            writer.definition(item.definition, key: record.definitionKey)
            writer.member("processName", nullable: item.definition?.name)
            writer.member("formKey", nullable: record.formKey)
            writer.member("externalFormReference", nullable: nil as String?)
            writer.member("customHeaders", raw: "{}".utf8)
            writer.member("tenantId", defaultTenant)
            writer.member("tags", [])
        })

    // MARK: Incidents

    private static let incidentStates: [(String, [Bool])] = [
        ("ACTIVE", [false]), ("RESOLVED", [true]), ("PENDING", []), ("MIGRATED", []),
    ]

    static let incidents = SearchOperation<IncidentFilter, WithDefinition<IncidentRecord>>(
        filter: { (reader) throws(ProblemDetails) in
            try reader.tenant()
            var filter = IncidentFilter()
            filter.key = try reader.keys("incidentKey")
            filter.definition = try reader.definition()
            filter.instanceKey = try reader.keys("processInstanceKey")
            filter.elementInstanceKey = try reader.keys("elementInstanceKey")
            filter.elementID = try reader.strings("elementId")
            filter.jobKey = try reader.keys("jobKey")
            filter.type = try reader.strings("errorType")
            filter.message = try reader.strings("errorMessage")
            filter.createdAt = try reader.instants("creationTime")
            let states = try reader.words("state", incidentStates)
            let possible = [false, true].filter { isAllowed($0, by: states) }
            switch possible.count {
            case 1: filter.isResolved = possible[0]
            case 0: filter.key.append(.oneOf([]))
            default: break
            }
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.incidents(query) },
        write: { item, writer in
            let record = item.record
            writer.member("incidentKey", Key(rawValue: record.key))
            writer.member("errorType", record.type)
            writer.member("errorMessage", record.message)
            writer.member("remedy", record.remedy)
            writer.member("state", record.resolvedAt == nil ? "ACTIVE" : "RESOLVED")
            writer.member("creationTime", instant: record.createdAt)
            writer.member("resolutionTime", instant: record.resolvedAt)
            writer.member("elementId", record.elementID)
            writer.member("elementInstanceKey", Key(rawValue: record.elementInstanceKey))
            writer.member("processInstanceKey", Key(rawValue: record.instanceKey))
            writer.definition(item.definition, key: record.definitionKey)
            writer.member("jobKey", nullable: record.jobKey.map { Key(rawValue: $0) })
            writer.member("tenantId", defaultTenant)
        })
}
