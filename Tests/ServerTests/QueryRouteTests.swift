import JunctionClient
import Storage
import Testing
import Values

@testable import Server

/// Searches and single reads over records on disk.
@Suite struct QueryRouteTests {
    static let startedAt: Int64 = 1_769_850_300_000

    static var batch: RecordBatch {
        var batch = RecordBatch()
        batch.definitions = [
            ProcessDefinitionRecord(
                key: 11, processID: "order", version: 3, versionTag: "t", name: "Order", resourceName: "order.bpmn",
                deploymentKey: 10, resource: Array("<xml/>".utf8), deployedAt: startedAt)
        ]
        batch.instances = [
            ProcessInstanceRecord(
                key: 20, definitionKey: 11, parentInstanceKey: nil, parentElementInstanceKey: nil, businessID: "b-1",
                state: .active, startedAt: startedAt, endedAt: nil, openIncidents: 1, path: []),
            ProcessInstanceRecord(
                key: 22, definitionKey: 11, parentInstanceKey: 20, parentElementInstanceKey: 21, businessID: nil,
                state: .completed, startedAt: startedAt, endedAt: startedAt + 1_500, openIncidents: 0, path: []),
        ]
        batch.variables = [
            VariableRecord(instanceKey: 20, scopeKey: 20, name: "amount", value: VariableValue(12)),
            VariableRecord(instanceKey: 20, scopeKey: 21, name: "line", value: VariableValue("x")),
            VariableRecord(
                instanceKey: 20, scopeKey: 20, name: "text",
                value: VariableValue(.string(String(repeating: "y", count: 9_000)))),
        ]
        batch.jobs = [
            JobRecord(
                key: 30, instanceKey: 20, elementInstanceKey: 21, definitionKey: 11, elementID: "charge",
                type: "charge",
                state: 2, retries: 1, priority: 0, worker: "w", deadline: startedAt, errorMessage: "no",
                createdAt: startedAt),
            JobRecord(
                key: 31, instanceKey: 20, elementInstanceKey: 23, definitionKey: 11, elementID: "ship", type: "ship",
                state: 0, retries: 3, priority: 0, worker: nil, deadline: nil, errorMessage: nil, createdAt: startedAt),
        ]
        batch.userTasks = [
            UserTaskRecord(
                key: 40, instanceKey: 20, elementInstanceKey: 24, definitionKey: 11, elementID: "approve",
                name: "Approve", state: 0, assignee: "ada", candidateGroups: ["managers"], candidateUsers: [],
                priority: 50, dueDate: nil, followUpDate: nil, formKey: nil, createdAt: startedAt, endedAt: nil)
        ]
        batch.incidents = [
            IncidentRecord(
                key: 50, instanceKey: 20, elementInstanceKey: 21, definitionKey: 11, elementID: "charge", jobKey: 30,
                type: "JOB_NO_RETRIES", message: "no", remedy: "Give it retries.", createdAt: startedAt, resolvedAt: nil
            ),
            IncidentRecord(
                key: 51, instanceKey: 20, elementInstanceKey: 21, definitionKey: 11, elementID: "charge", jobKey: nil,
                type: "UNKNOWN", message: "old", remedy: "r", createdAt: startedAt, resolvedAt: startedAt + 1),
        ]
        batch.deadLetters = [
            DeadLetterRecord(
                key: 60, origin: "orders", coordinates: Array(#"{"file":"a.csv","line":3}"#.utf8), dedupeKey: nil,
                stage: "decode", errorCode: "HB201", errorMessage: "bad", contentType: "text/csv",
                payload: Array("1;2".utf8), state: 0, redriveCount: 0, createdAt: startedAt, endedAt: nil)
        ]
        batch.audit = [
            AuditRecord(key: 70, at: startedAt, actor: "ada", action: "complete-task", object: "40", detail: nil)
        ]
        return batch
    }

    /// A search, and the keys of what it finds.
    static let searches: [(path: String, body: String?, member: String, keys: [String])] = [
        ("/v2/process-instances", nil, "processInstanceKey", ["20", "22"]),
        ("/v2/process-instances", #"{"filter":{"state":"COMPLETED"}}"#, "processInstanceKey", ["22"]),
        (
            "/v2/process-instances", #"{"sort":[{"field":"processInstanceKey","order":"DESC"}],"page":{"limit":1}}"#,
            "processInstanceKey", ["22"]
        ),
        ("/v2/process-definitions", #"{"filter":{"isLatestVersion":true}}"#, "processDefinitionKey", ["11"]),
        ("/v2/process-definitions", #"{"filter":{"hasStartForm":true}}"#, "processDefinitionKey", []),
        ("/v2/jobs", nil, "jobKey", ["30", "31"]), ("/v2/jobs", #"{"filter":{"state":"FAILED"}}"#, "jobKey", ["30"]),
        ("/v2/jobs", #"{"filter":{"state":{"$in":["CREATED","COMPLETED"]}}}"#, "jobKey", ["31"]),
        ("/v2/jobs", #"{"filter":{"state":"COMPLETED"}}"#, "jobKey", []),
        ("/v2/user-tasks", #"{"filter":{"candidateGroup":"managers"}}"#, "userTaskKey", ["40"]),
        ("/v2/user-tasks", #"{"filter":{"assignee":"bob"}}"#, "userTaskKey", []),
        ("/v2/incidents", nil, "incidentKey", ["50", "51"]),
        ("/v2/incidents", #"{"filter":{"state":"ACTIVE"}}"#, "incidentKey", ["50"]),
        ("/v2/incidents", #"{"filter":{"state":{"$neq":"ACTIVE"}}}"#, "incidentKey", ["51"]),
        ("/v2/incidents", #"{"filter":{"state":"PENDING"}}"#, "incidentKey", []),
        ("/v2/variables", #"{"filter":{"processInstanceKey":"20"}}"#, "name", ["amount", "text", "line"]),
        (
            "/v2/variables", #"{"filter":{"processInstanceKey":"20","scopeKey":"20","value":{"$like":"1*"}}}"#, "name",
            ["amount"]
        ),
        (
            "/v2/variables",
            #"{"filter":{"processInstanceKey":"20"},"sort":[{"field":"name","order":"DESC"}],"page":{"from":1,"limit":1}}"#,
            "name", ["line"]
        ),
        ("/hub/v1/dead-letters", #"{"filter":{"state":"PARKED","origin":"orders"}}"#, "deadLetterKey", ["60"]),
        (
            "/hub/v1/dead-letters", #"{"filter":{"kind":"TRIGGER","connection":{"$exists":false}}}"#, "deadLetterKey",
            ["60"]
        ),
        ("/hub/v1/dead-letters", #"{"filter":{"kind":"JOB"}}"#, "deadLetterKey", []),
        ("/hub/v1/audit", #"{"filter":{"actorId":"ada"}}"#, "auditLogKey", ["70"]),
    ]

    @Test func searchesFindWhatTheirFilterSays() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            for row in Self.searches {
                let answer = try await server.client.call(
                    "POST", row.path + "/search", body: row.body.map { Array($0.utf8) })
                let value = try answer.value
                #expect(
                    value["items"]?.asList?.compactMap { $0[row.member]?.asString } == row.keys,
                    "\(row.path) \(row.body ?? "")")
                #expect(value["page"]?["hasMoreTotalItems"] == false)
            }
        }
    }

    @Test func singleItemsAreReadByKeyOrNotFound() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            let instance = try await server.client.get(.processInstances, Key(rawValue: 22))
            #expect(instance["startDate"] == "2026-01-31T09:05:00.000Z")
            #expect(instance["endDate"] == "2026-01-31T09:05:01.500Z")
            #expect(instance["parentProcessInstanceKey"] == "20")
            #expect(instance["processDefinitionName"] == "Order")
            let task = try await server.client.get(.userTasks, Key(rawValue: 40))
            #expect(task["state"] == "CREATED")
            #expect(task["candidateGroups"] == ["managers"])
            let incident = try await server.client.get(.incidents, Key(rawValue: 50))
            #expect(incident["errorType"] == "JOB_NO_RETRIES")
            #expect(incident["remedy"] == "Give it retries.")
            let definition = try await server.client.get(.processDefinitions, Key(rawValue: 11))
            #expect(definition["versionTag"] == "t")
            let xml = try await server.client.call("GET", "/v2/process-definitions/11/xml")
            #expect(xml.body == Array("<xml/>".utf8))
            let letter = try await server.client.get(.deadLetters, Key(rawValue: 60))
            #expect(letter["payload"] == "1;2")
            #expect(letter["coordinates"] == ["file": "a.csv", "line": 3])
            let payload = try await server.client.call("GET", "/hub/v1/dead-letters/60/payload")
            #expect(payload.body == Array("1;2".utf8))
            for path in [
                "/v2/process-instances/9", "/v2/user-tasks/9", "/v2/incidents/9", "/v2/process-definitions/9",
                "/hub/v1/dead-letters/9", "/hub/v1/process-instances/9/path",
            ] {
                #expect(try await server.call("GET", path).status == 404, "\(path)")
            }
        }
    }

    @Test func longValuesAreCutUnlessAskedFor() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            let body = Array(#"{"filter":{"processInstanceKey":"20","name":"text"}}"#.utf8)
            for (query, length) in [("", 8_191), ("?truncateValues=true", 8_191), ("?truncateValues=false", 9_002)] {
                let item = try await server.client.call("POST", "/v2/variables/search" + query, body: body)
                    .value["items"]?.asList?.first
                #expect(item?["value"]?.asString?.count == length)
                #expect(item?["isTruncated"] == .boolean(length == 8_191))
            }
            #expect(try await server.call("POST", "/v2/variables/search?cut=no", "{}").status == 400)
            #expect(try await server.call("POST", "/v2/variables/search?truncateValues=1", "{}").status == 400)
            #expect(try await server.call("POST", "/v2/variables/search", "{}").body.hasPrefix("AP403"))
        }
    }

    @Test func variablesArePagedByCursor() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            var filter = ValueContext()
            filter["processInstanceKey"] = "20"
            var names: [String] = []
            var cursor: String?
            repeat {
                let page = try await server.client.search(.variables, filter: filter, limit: 2, after: cursor)
                names += page.items.compactMap { $0["name"]?.asString }
                #expect(page.totalItems == 3)
                cursor = page.endCursor
            } while cursor != nil
            #expect(names == ["amount", "text", "line"])
            let wrong = #"{"filter":{"processInstanceKey":"20"},"page":{"after":"nope"}}"#
            #expect(try await server.call("POST", "/v2/variables/search", wrong).status == 400)
            let foreign = #"{"page":{"after":"nope"}}"#
            #expect(try await server.call("POST", "/v2/jobs/search", foreign).body.hasPrefix("ST109"))
        }
    }

    @Test func theServerDescribesItself() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            let topology = try await server.client.get("/v2/topology")
            #expect(topology["partitionsCount"] == 2)
            #expect(topology["brokers"]?.asList?.first?["partitions"]?.asList?.count == 2)
            #expect(try await server.client.get("/v2/license")["validLicense"] == true)
            let status = try await server.client.get("/hub/v1/status")
            #expect(status["engine"]?["liveInstances"] == 5)
            #expect(status["engine"]?["projectorLagMilliseconds"] == 2)
            #expect(status["records"]?["openUserTasks"] == 1)
            #expect(status["records"]?["parkedDeadLetters"] == 1)
            #expect(try await server.client.get("/hub/v1/openapi.json")["openapi"] == "3.0.3")
            #expect(try await server.client.get("/hub/v1/triggers")["items"] == [])
            #expect(try await server.client.get("/hub/v1/connections")["items"] == [])
            let verification = try await server.client.get("/hub/v1/audit/verification")
            #expect(verification["items"]?.asList?.allSatisfy { $0["verified"] == true } == true)
        }
    }

    @Test func deadLettersAreDiscardedAndReplayedThroughTheHub() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            try await server.client.discardDeadLetter(Key(rawValue: 60))
            #expect(server.workflow.calls == ["end dead letter 60 as discarded by ada"])
            // Its trigger is not declared here.
            let error = await #expect(throws: ClientError.self) {
                _ = try await server.client.replayDeadLetter(Key(rawValue: 60), payload: [65], dryRun: true)
            }
            #expect(error?.status == 404)
            #expect(error?.code == "HB301")
        }
    }

    @Test func deadLettersAreCorrectedQueuedAndCounted() async throws {
        try await TestServer.run(batch: Self.batch) { server in
            let patch: Value = [["op": "replace", "path": "", "value": "1;3"]]
            let edited = try await server.client.editDeadLetter(Key(rawValue: 60), patch: patch)
            #expect(edited["before"] == "1;2" && edited["after"] == "1;3")
            #expect(server.workflow.calls == ["edit dead letter 60 by ada"])
            for wrong: Value in [[["op": "melt", "path": ""]], [["op": "remove", "path": "/a"]]] {
                await #expect(throws: ClientError.self) {
                    _ = try await server.client.editDeadLetter(Key(rawValue: 60), patch: wrong)
                }
            }
            let forecast = try await server.client.replayDeadLetters(["origin": "orders", "dryRun": true])
            #expect(forecast["queued"] == 0)
            #expect(forecast["forecast"]?.asList?.map { $0["result"] } == ["REFUSED"])
            #expect(try await server.client.replayDeadLetters(["origin": "others"])["queued"] == 0)
            for wrong: ValueContext in [
                ["where": "1 +"], ["rate": "fast"], ["kind": "LETTER"], ["minimumAge": "old"],
                ["deadLetterKeys": ["x"]],
                ["limit": 0], ["unknown": 1],
            ] {
                let error = await #expect(throws: ClientError.self) {
                    _ = try await server.client.replayDeadLetters(wrong)
                }
                #expect(error?.status == 400, "\(wrong)")
            }
            let status = try await server.client.get("/hub/v1/dead-letter-status")
            #expect(status["parked"] == 1 && status["resolved"] == 0 && status["alerts"] == [])
        }
    }
}
