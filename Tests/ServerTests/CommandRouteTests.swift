import Engine
import JunctionClient
import Testing
import Values

@testable import Server

/// Requests of clients become exactly these commands.
@Suite struct CommandRouteTests {
    /// A request, and the command that comes of it.
    struct Row: Sendable, CustomTestStringConvertible {
        var method = "POST"
        var path: String
        var body: String?
        var headers: [(String, String)] = []
        var status = 204
        var command: String

        var testDescription: String { "\(self.method) \(self.path) \(self.body ?? "")" }
    }

    static let commands: [Row] = [
        Row(path: "/v2/jobs/1/completion", command: "complete 1 nil"),
        Row(path: "/v2/jobs/1/completion", body: "{}", command: "complete 1 nil"),
        Row(
            path: "/v2/jobs/1/completion", body: #"{"variables":{"a": 1.0}}"#, command: #"complete 1 {"a": 1.0}"#),
        Row(path: "/v2/jobs/1/completion", body: #"{"variables":null,"result":null}"#, command: "complete 1 nil"),
        Row(path: "/v2/jobs/1/failure", command: #"fail 1 retries 0 after 0 "" nil"#),
        Row(
            path: "/v2/jobs/1/failure",
            body: #"{"retries":2,"errorMessage":"no","retryBackOff":500,"variables":{"x":1}}"#,
            command: #"fail 1 retries 2 after 500 "no" {"x":1}"#),
        Row(path: "/v2/jobs/1/error", body: #"{"errorCode":"E"}"#, command: "error 1 E nil nil"),
        Row(
            path: "/v2/jobs/1/error", body: #"{"errorCode":"E","errorMessage":"m","variables":{}}"#,
            command: "error 1 E m {}"),
        Row(
            method: "PATCH", path: "/v2/jobs/1", body: #"{"changeset":{"retries":4}}"#,
            command: "update 1 retries 4 timeout nil"),
        Row(
            method: "PATCH", path: "/v2/jobs/1", body: #"{"changeset":{"timeout":9,"retries":null}}"#,
            command: "update 1 retries nil timeout 9"),
        Row(path: "/v2/process-instances/20/cancellation", command: "cancel 20 by ada"),
        Row(
            path: "/v2/process-instances/20/cancellation", body: #"{"operationReference":7}"#,
            command: "cancel 20 by ada"),
        Row(
            method: "PUT", path: "/v2/element-instances/20/variables", body: #"{"variables":{"a":1},"local":true}"#,
            command: #"set {"a":1} in 20 local true by ada"#),
        Row(path: "/v2/user-tasks/5/completion", command: "complete task 5 nil by ada"),
        Row(
            path: "/v2/user-tasks/5/completion", body: #"{"variables":{"ok":true},"action":"approve"}"#,
            command: #"complete task 5 {"ok":true} by ada"#),
        Row(
            path: "/v2/user-tasks/5/assignment", body: #"{"assignee":"bob"}"#,
            command: "assign task 5 to bob override true by ada"),
        Row(
            path: "/v2/user-tasks/5/assignment", body: #"{"assignee":"bob","allowOverride":false}"#,
            command: "assign task 5 to bob override false by ada"),
        Row(
            method: "DELETE", path: "/v2/user-tasks/5/assignee", command: "assign task 5 to nobody override true by ada"
        ),
        Row(path: "/v2/incidents/6/resolution", command: "resolve 6 by ada"),
        Row(
            path: "/v2/messages/publication", body: #"{"name":"paid"}"#, status: 200,
            command: "publish paid to  for 0 id nil nil"),
        Row(
            path: "/v2/messages/publication",
            body: #"{"name":"paid","correlationKey":"o1","timeToLive":60000,"messageId":"m","variables":{"x":1}}"#,
            status: 200, command: #"publish paid to o1 for 60000 id m {"x":1}"#),
        Row(
            path: "/v2/process-instances", body: #"{"processDefinitionId":"order"}"#, status: 200,
            command: "create order@newest nil business nil key nil await nil by ada"),
        Row(
            path: "/v2/process-instances",
            body: #"{"processDefinitionId":"order","processDefinitionVersion":2,"variables":{"a":1},"businessId":"b"}"#,
            headers: [("Idempotency-Key", "k1")], status: 200,
            command: #"create order@2 {"a":1} business b key k1 await nil by ada"#),
        Row(
            path: "/v2/process-instances",
            body: #"{"processDefinitionKey":"11","awaitCompletion":true,"requestTimeout":500,"tags":[]}"#, status: 200,
            command: "create #11 nil business nil key nil await 500 by ada"),
        Row(
            path: "/v2/process-instances", body: #"{"processDefinitionKey":"11","awaitCompletion":true}"#, status: 200,
            command: "create #11 nil business nil key nil await 10000 by ada"),
        Row(
            path: "/v2/jobs/activation", body: #"{"type":"t","timeout":5,"maxJobsToActivate":2,"requestTimeout":-1}"#,
            status: 200, command: "activate 2 t for 5 by  fetching all"),
        Row(
            path: "/v2/jobs/activation",
            body: #"{"type":"t","worker":"w","timeout":5,"maxJobsToActivate":2,"fetchVariable":["a","b"],"#
                + #""requestTimeout":-1,"tenantIds":["<default>"]}"#,
            status: 200, command: "activate 2 t for 5 by w fetching a,b"),
    ]

    @Test func requestsBecomeCommands() async throws {
        try await TestServer.run { server in
            for (index, row) in Self.commands.enumerated() {
                let answer = try await server.call(row.method, row.path, row.body, headers: row.headers)
                #expect(answer.status == row.status, "\(row.testDescription): \(answer.body)")
                #expect(server.workflow.calls.count == index + 1, "\(row.testDescription)")
                #expect(server.workflow.calls.last == row.command)
            }
        }
    }

    /// A request that is refused before anything happens.
    struct Refusal: Sendable {
        var method = "POST"
        var path: String
        var body: String?
        var contentType = "application/json"
        var status = 400
        var code: String
    }

    static let refusals: [Refusal] = [
        Refusal(path: "/v2/jobs/x/completion", code: "AP402"),
        Refusal(path: "/v2/jobs/1/completion", body: "[1]", code: "AP400"),
        Refusal(path: "/v2/jobs/1/completion", body: #"{"variables":[]}"#, code: "AP402"),
        Refusal(path: "/v2/jobs/1/completion", body: #"{"result":{"type":"userTask"}}"#, code: "AP407"),
        Refusal(path: "/v2/jobs/1/completion", body: "{}", contentType: "text/plain", status: 415, code: "AP415"),
        Refusal(path: "/v2/jobs/1/failure", body: #"{"retries":-1}"#, code: "AP402"),
        Refusal(path: "/v2/jobs/1/error", status: 415, code: "AP415"),
        Refusal(path: "/v2/jobs/1/error", body: "{}", code: "AP403"),
        Refusal(method: "PATCH", path: "/v2/jobs/1", body: #"{"changeset":{}}"#, code: "AP403"),
        Refusal(method: "PATCH", path: "/v2/jobs/1", body: #"{"changeset":{"retrys":1}}"#, code: "AP401"),
        Refusal(method: "GET", path: "/v2/jobs/1", status: 405, code: "AP405"),
        Refusal(method: "GET", path: "/v3/jobs", status: 404, code: "AP404"),
        Refusal(path: "/v2/process-instances", body: "{}", code: "AP403"),
        Refusal(
            path: "/v2/process-instances", body: #"{"processDefinitionId":"a","processDefinitionKey":"1"}"#,
            code: "AP406"),
        Refusal(
            path: "/v2/process-instances", body: #"{"processDefinitionKey":"1","processDefinitionVersion":1}"#,
            code: "AP406"),
        Refusal(
            path: "/v2/process-instances", body: #"{"processDefinitionId":"a","processDefinitionVersion":0}"#,
            code: "AP402"),
        Refusal(
            path: "/v2/process-instances", body: #"{"processDefinitionId":"a","tags":["t"]}"#, code: "AP407"),
        Refusal(
            path: "/v2/process-instances", body: #"{"processDefinitionId":"a","tenantId":"other"}"#, code: "AP407"),
        Refusal(path: "/v2/messages/publication", body: #"{"name":""}"#, code: "AP402"),
        Refusal(path: "/v2/user-tasks/1/assignment", body: #"{"assignee":""}"#, code: "AP402"),
        Refusal(
            path: "/v2/jobs/activation",
            body: #"{"type":"t","timeout":5,"maxJobsToActivate":2,"tenantIds":["other"]}"#, code: "AP407"),
        Refusal(
            path: "/v2/jobs/activation", body: #"{"type":"t","timeout":0,"maxJobsToActivate":2}"#, code: "AP402"),
        Refusal(path: "/v2/deployments", body: "{}", status: 415, code: "AP415"),
        Refusal(
            path: "/v2/deployments", body: "--B--", contentType: "multipart/form-data; boundary=B", code: "AP403"),
        Refusal(
            path: "/v2/deployments", body: multipart(#"name="r"; filename="a""#, #"name="s"; filename="a""#),
            contentType: "multipart/form-data; boundary=B", code: "AP406"),
        Refusal(
            path: "/v2/deployments", body: multipart(#"name="comment""#),
            contentType: "multipart/form-data; boundary=B", code: "AP401"),
        Refusal(
            path: "/v2/deployments", body: multipart(#"name="tenantId""#),
            contentType: "multipart/form-data; boundary=B", code: "AP407"),
    ]

    private static func multipart(_ dispositions: String...) -> String {
        dispositions.map { "--B\r\nContent-Disposition: form-data; \($0)\r\n\r\nx\r\n" }.joined() + "--B--"
    }

    @Test func wrongRequestsAreRefusedBeforeAnythingHappens() async throws {
        try await TestServer.run { server in
            for row in Self.refusals {
                let answer = try await server.call(row.method, row.path, row.body, contentType: row.contentType)
                #expect(answer.status == row.status, "\(row.method) \(row.path) \(row.body ?? ""): \(answer.body)")
                #expect(answer.body.hasPrefix(row.code), "\(row.method) \(row.path) \(row.body ?? ""): \(answer.body)")
            }
            #expect(server.workflow.calls == [])
        }
    }

    @Test func deploymentsCarryFilesAndAnswerWithDefinitions() async throws {
        try await TestServer.run { server in
            server.workflow.warn([Diagnostic(code: "BP501", severity: .warning, message: "careful")])
            let deployment = try await server.client.deploy([
                DeploymentDocument(name: "a.bpmn", bytes: [1, 2, 3]),
                DeploymentDocument(name: "ü \"b\".bpmn", bytes: []),
            ])
            #expect(server.workflow.calls == ["deploy a.bpmn:3,ü %22b%22.bpmn:0 by ada"])
            #expect(deployment.key == Key(rawValue: 10))
            #expect(deployment.processes.map(\.id) == ["order"])
            #expect(deployment.processes.map(\.version) == [3])
            #expect(deployment.diagnostics.map(\.code) == ["BP501"])
        }
    }

    @Test func startsAnswerWithTheInstanceAndSayWhenItIsTheFirstOne() async throws {
        try await TestServer.run { server in
            server.workflow.answer(result: #"{"a":1,"b":[2.50],"c":null}"#)
            let value = try await server.client.call(
                "POST", "/v2/process-instances",
                body: Array(#"{"processDefinitionId":"order","awaitCompletion":true,"fetchVariables":["b"]}"#.utf8)
            ).value
            #expect(value["variables"].map { JSON.string($0) } == #"{"b":[2.5]}"#)
            #expect(value["processInstanceKey"] == "20")
            #expect(value["processDefinitionVersion"] == 3)
            #expect(value["tenantId"] == "<default>")

            let first = try await server.client.startInstance(
                .process(id: "order"), idempotencyKey: "k", awaitCompletion: .seconds(1))
            #expect(!first.alreadyExisted)
            #expect(first.variables == Array(#"{"a":1,"b":[2.50],"c":null}"#.utf8))
            server.workflow.answer(result: nil, alreadyExisted: true)
            let second = try await server.client.startInstance(.definition(Key(rawValue: 11)), idempotencyKey: "k")
            #expect(second.alreadyExisted)
            #expect(second.key == first.key)
        }
    }

    @Test func activatedJobsCarryEverythingAWorkerNeeds() async throws {
        try await TestServer.run { server in
            server.workflow.offer([FakeWorkflow.job(100)])
            let job = try #require(
                try await server.client.activateJobs("charge", worker: "w", maximum: 1, lock: .seconds(5)).first)
            #expect(job.key == Key(rawValue: 100))
            #expect(job.type == "charge")
            #expect(job.elementID == "charge")
            #expect(job.processID == "order")
            #expect(job.processInstanceKey == Key(rawValue: 20))
            #expect(job.headers["region"] == "eu")
            #expect(job.retries == 3)
            #expect(job.deadline == 1_700_000_000_000)
            #expect(job.variables == Array(#"{"amount": 1.50}"#.utf8))
            #expect(job.idempotencyKey == FakeWorkflow.job(100).idempotencyKey)
        }
    }

    @Test func manyCompletionsSucceedOrFailOneByOne() async throws {
        try await TestServer.run { server in
            let problems = try await server.client.completeJobs([
                (Key(rawValue: 1), nil), (Key(rawValue: 404), nil), (Key(rawValue: 3), Array(#"{"a":1}"#.utf8)),
            ])
            #expect(problems.mapValues(\.status) == [Key(rawValue: 404): 404])
            #expect(server.workflow.calls.sorted() == ["complete 1 nil", #"complete 3 {"a":1}"#])
        }
    }

    @Test func rejectionsReachTheClientWithRetryAfter() async throws {
        try await TestServer.run { server in
            server.workflow.reject(.resourceExhausted, retryAfterMilliseconds: 1_200)
            let error = await #expect(throws: ClientError.self) {
                try await server.client.completeJob(Key(rawValue: 1))
            }
            guard case .problem(let problem)? = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(problem.status == 503)
            #expect(problem.code == "EN503")
            #expect(problem.remedy == "Do this.")
            #expect(problem.retryAfterMilliseconds == 1_200)
        }
    }
}
