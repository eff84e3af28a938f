import JunctionClient
import NIOHTTP1
import Testing
import Values

@Suite struct CallTests {
    /// A typed call, and the request it must be.
    struct Row: Sendable {
        var call: @Sendable (JunctionClient) async throws -> Void
        var method = "POST"
        var path: String
        var body = ""
    }

    private static let key = Key(rawValue: 7)

    static let rows: [Row] = [
        Row(call: { try await $0.cancelInstance(key) }, path: "/v2/process-instances/7/cancellation"),
        Row(
            call: { try await $0.setVariables(Array("{\"a\":1}".utf8), scope: key, local: true) }, method: "PUT",
            path: "/v2/element-instances/7/variables", body: #"{"variables":{"a":1},"local":true}"#),
        Row(call: { try await $0.completeJob(key) }, path: "/v2/jobs/7/completion"),
        Row(
            call: { try await $0.completeJob(key, variables: Array("{}".utf8)) }, path: "/v2/jobs/7/completion",
            body: #"{"variables":{}}"#),
        Row(
            call: { try await $0.failJob(key, retries: 2, message: "no", backoff: .seconds(1), variables: nil) },
            path: "/v2/jobs/7/failure", body: #"{"retries":2,"errorMessage":"no","retryBackOff":1000}"#),
        Row(
            call: { try await $0.failJob(key, retries: 0, message: "", variables: Array("{}".utf8)) },
            path: "/v2/jobs/7/failure", body: #"{"retries":0,"errorMessage":"","retryBackOff":0,"variables":{}}"#),
        Row(
            call: { try await $0.throwJobError(key, code: "E", message: "m", variables: Array("{}".utf8)) },
            path: "/v2/jobs/7/error", body: #"{"errorCode":"E","errorMessage":"m","variables":{}}"#),
        Row(
            call: { try await $0.throwJobError(key, code: "E") }, path: "/v2/jobs/7/error", body: #"{"errorCode":"E"}"#),
        Row(
            call: { try await $0.setRetries(3, ofJob: key) }, method: "PATCH", path: "/v2/jobs/7",
            body: #"{"changeset":{"retries":3}}"#),
        Row(call: { try await $0.completeUserTask(key) }, path: "/v2/user-tasks/7/completion"),
        Row(
            call: { try await $0.assignUserTask(key, to: "bob", allowOverride: false) },
            path: "/v2/user-tasks/7/assignment", body: #"{"assignee":"bob","allowOverride":false}"#),
        Row(
            call: { try await $0.assignUserTask(key, to: nil) }, method: "DELETE", path: "/v2/user-tasks/7/assignee"),
        Row(call: { try await $0.resolveIncident(key) }, path: "/v2/incidents/7/resolution"),
        Row(call: { try await $0.discardDeadLetter(key) }, path: "/hub/v1/dead-letters/7/discard"),
        Row(
            call: { _ = try await $0.replayDeadLetter(key, payload: Array("x".utf8), dryRun: true) },
            path: "/hub/v1/dead-letters/7/replay", body: #"{"payload":"x","dryRun":true}"#),
        Row(call: { _ = try await $0.get(.incidents, key) }, method: "GET", path: "/v2/incidents/7"),
        Row(call: { _ = try await $0.get("/hub/v1/status") }, method: "GET", path: "/hub/v1/status"),
    ]

    @Test func typedCallsAreTheseRequests() async throws {
        try await StubServer.run({ _ in StubAnswer() }) { server in
            for (index, row) in Self.rows.enumerated() {
                try await row.call(server.client)
                let request = try #require(server.sent.last)
                #expect(server.sent.count == index + 1)
                #expect(request.method == row.method, "\(row.path)")
                #expect(request.path == row.path)
                #expect(request.text == row.body)
                #expect(request.headers["junction-actor"] == ["ada"])
                #expect(request.headers["content-type"] == (row.body.isEmpty ? [] : ["application/json"]))
            }
        }
    }

    @Test func startsSayWhatToStartAndHowLongToWait() async throws {
        let answer = #"""
            {"processInstanceKey":"20","processDefinitionKey":"11","processDefinitionId":"order",
             "processDefinitionVersion":2,"variables":{"a": 1.50}}
            """#
        try await StubServer.run({ _ in StubAnswer(body: answer, headers: [("Idempotency-Replayed", "true")]) }) {
            server in
            let started = try await server.client.startInstance(
                .process(id: "order", version: 2), variables: Array("{}".utf8), businessID: "b", idempotencyKey: "k",
                awaitCompletion: .milliseconds(1_500))
            #expect(started.key == Key(rawValue: 20))
            #expect(started.definitionKey == Key(rawValue: 11))
            #expect(started.version == 2)
            #expect(started.alreadyExisted)
            #expect(started.variables == Array(#"{"a": 1.50}"#.utf8))
            let request = try #require(server.sent.last)
            #expect(request.headers["idempotency-key"] == ["k"])
            #expect(
                request.value == [
                    "processDefinitionId": "order", "processDefinitionVersion": 2, "variables": [:], "businessId": "b",
                    "awaitCompletion": true, "requestTimeout": 1500,
                ])
            _ = try await server.client.startInstance(.definition(Key(rawValue: 11)))
            #expect(server.sent.last?.text == #"{"processDefinitionKey":"11"}"#)
        }
    }

    @Test func messagesReturnTheirKey() async throws {
        try await StubServer.run({ _ in StubAnswer(body: #"{"messageKey":"30"}"#) }) { server in
            let key = try await server.client.publishMessage(
                "paid", correlationKey: "o", timeToLive: .seconds(2), messageID: "m", variables: Array("{}".utf8))
            #expect(key == Key(rawValue: 30))
            #expect(
                server.sent.last?.text
                    == #"{"name":"paid","correlationKey":"o","timeToLive":2000,"messageId":"m","variables":{}}"#)
        }
    }

    @Test func searchesSendFilterSortAndPage() async throws {
        let page = #"{"items":[{"a":1}],"page":{"totalItems":9,"hasMoreTotalItems":true,"endCursor":"c"}}"#
        try await StubServer.run({ _ in StubAnswer(body: page) }) { server in
            let found = try await server.client.search(
                .jobs, filter: ["type": "t"], sort: [("jobKey", true), ("type", false)], limit: 5, after: "b")
            #expect(found.items == [["a": 1]])
            #expect(found.totalItems == 9)
            #expect(found.hasMoreTotalItems)
            #expect(found.endCursor == "c")
            let request = try #require(server.sent.last)
            #expect(request.path == "/v2/jobs/search")
            #expect(
                request.value == [
                    "page": ["limit": 5, "after": "b"], "filter": ["type": "t"],
                    "sort": [["field": "jobKey", "order": "DESC"], ["field": "type", "order": "ASC"]],
                ])
        }
    }

    static let unexpected: [(call: @Sendable (JunctionClient) async throws -> Void, body: String)] = [
        ({ _ = try await $0.search(.jobs) }, "{}"), ({ _ = try await $0.search(.jobs) }, #"{"items":[],"page":{}}"#),
        ({ _ = try await $0.get("/x") }, "<html>"), ({ _ = try await $0.publishMessage("m") }, "{}"),
        ({ _ = try await $0.publishMessage("m") }, #"{"messageKey":"x"}"#),
        ({ _ = try await $0.activateJobs("t", worker: "w", maximum: 1, lock: .seconds(1)) }, "nope"),
        ({ _ = try await $0.deploy([]) }, #"{"deploymentKey":"1","deployments":[{"processDefinition":{}}]}"#),
    ]

    @Test func answersThatAreNotTheAPIAreSaidToBeSo() async throws {
        for row in Self.unexpected {
            try await StubServer.run({ _ in StubAnswer(body: row.body) }) { server in
                let error = await #expect(throws: ClientError.self) { try await row.call(server.client) }
                #expect(error?.code == "JC102", "\(row.body)")
                #expect(error?.status == nil)
            }
        }
    }

    @Test func problemsKeepWhatTheServerSaid() async throws {
        let body = #"""
            {"title":"INVALID_ARGUMENT","status":400,"detail":"The deployment has errors","code":"EN400",
             "remedy":"Correct them.","diagnostics":[{"code":"BP201","severity":"warning","message":"m","line":3},{}]}
            """#
        try await StubServer.run({ _ in StubAnswer(status: 400, body: body) }) { server in
            let error = await #expect(throws: ClientError.self) { try await server.client.completeJob(Self.key) }
            #expect(error?.status == 400)
            #expect(error?.code == "EN400")
            #expect(
                error?.description
                    == "EN400: The deployment has errors — Correct them.\n  3: warning BP201: m")
        }
        try await StubServer.run({ _ in StubAnswer(status: 502, body: "<html>") }) { server in
            let error = await #expect(throws: ClientError.self) { try await server.client.completeJob(Self.key) }
            #expect(error?.description == "HTTP 502: <html>")
        }
    }

    static let unreachable: [(endpoint: Endpoint, reason: String)] = [
        (.unixSocket("no-such-folder/s"), "nobody listens there"),
        (.http("http://127.0.0.1:1"), "nobody listens there"),
    ]

    @Test(arguments: unreachable)
    func aServerThatIsNotThereIsUnreachable(_ row: (endpoint: Endpoint, reason: String)) async throws {
        let client = JunctionClient(endpoint: row.endpoint)
        let error = await #expect(throws: ClientError.self) { try await client.completeJob(Self.key) }
        #expect(
            error?.description
                == "JC101: no answer from \(row.endpoint): \(row.reason) — check that `junction serve` runs there")
        await client.shutdown()
    }

    @Test func aServerThatHangsUpIsUnreachable() async throws {
        try await StubServer.run({ _ in StubAnswer(hangsUp: true) }) { server in
            let error = await #expect(throws: ClientError.self) { try await server.client.completeJob(Self.key) }
            #expect(error?.code == "JC101")
        }
    }
}
