import ConnectorKit
import GraphQLConnector
import Testing
import Values

@Suite("Answers of services that are broken or hostile")
struct GraphQLBadAnswerTests {
    private static func query(_ server: CannedServer, _ more: ValueContext = [:]) async throws -> Outcome {
        try await Service.with(server.url, more) { connection in
            await connection.invoke(Service.call("query", ["document": "{ hello(name: \"x\") }"]))
        }
    }

    @Test(arguments: [
        "", "{", "null", "[]", "\"text\"", "{}", "{\"data\":null}", "{\"data\":[1]}", "{\"data\":\"x\"}",
        "{\"data\":{},\"errors\":{\"message\":\"x\"}}", "{\"errors\":[]}", "\u{FEFF}{\"data\":{}}",
        String(repeating: "[", count: 100_000), "<html>hello</html>",
    ])
    func aBodyThatIsNoResponseIsNamed(_ body: String) async throws {
        let outcome = try await Self.query(try CannedServer(body))
        #expect(outcome.error?.code == "CON-3203", "\(outcome)")
        #expect(outcome.error?.kind == .unknown)
    }

    @Test func bytesThatAreNoUTF8AreNamed() async throws {
        var answer = Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n".utf8)
        answer += Array("{\"data\":{\"a\":\"".utf8) + [0xFF, 0xFE]
        #expect(try await Self.query(try CannedServer(answer)).error?.code == "CON-3203")
    }

    @Test func aTruncatedAnswerIsTransient() async throws {
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{\"data\":{"
        let error = try #require(try await Self.query(try CannedServer(Array(answer.utf8))).error)
        #expect(error.kind == .transient)
        #expect(error.mayHaveExecuted)
    }

    @Test func anOversizedAnswerIsRefused() async throws {
        let body = "{\"data\":{\"a\":\"\(String(repeating: "x", count: 100_000))\"}}"
        let error = try #require(try await Self.query(try CannedServer(body), ["maxResponse": "10KiB"]).error)
        #expect(error.code == "CON-1007")
    }

    @Test func errorsOfAnyShapeAreShown() async throws {
        let body = """
            {"errors":[7,{"message":5,"path":"x"},{"message":"a\\nb","extensions":7,"path":[1,"b",null]},
            {"message":"\(String(repeating: "m", count: 5_000))"}]}
            """
        let error = try #require(try await Self.query(try CannedServer(body)).error)
        #expect(error.kind == .validation)
        #expect(error.message.contains("and 3 more"))
        let errors = try #require(error.details["errors"]?.asList)
        #expect(errors.count == 4)
        #expect(errors[2]["message"] == "a b")
        #expect(errors[2]["path"] == "1.b.null")
        #expect(errors[3]["message"]?.asString?.count == 300)
    }

    @Test func manyErrorsAreCutOff() async throws {
        let body = "{\"errors\":[\(Array(repeating: "{\"message\":\"m\"}", count: 5_000).joined(separator: ","))]}"
        let error = try #require(try await Self.query(try CannedServer(body)).error)
        #expect(error.details["errors"]?.asList?.count == 20)
    }

    @Test(arguments: [
        (
            status: 400, type: "application/graphql-response+json", body: #"{"errors":[{"message":"bad syntax"}]}"#,
            kind: ConnectorError.Kind.validation, code: "CON-3201", word: "bad syntax"
        ),
        (400, "application/json", #"{"errors":[{"message":"bad syntax"}]}"#, .validation, "CON-3201", "bad syntax"),
        (401, "application/json", #"{"errors":[{"message":"no token"}]}"#, .auth, "CON-3201", "no token"),
        (403, "application/json", #"{"message":"Forbidden"}"#, .permission, "CON-1001", "Forbidden"),
        (500, "text/html", "<html>oops</html>", .transient, "CON-1001", "500"),
        (502, "text/plain", "bad gateway", .transient, "CON-1001", "bad gateway"),
        (503, "application/json", #"{"errors":[{"message":"down"}]}"#, .unavailable, "CON-3201", "down"),
        (
            200, "application/json", #"{"data":null,"errors":[{"message":"gone","type":"NOT_FOUND","path":["a"]}]}"#,
            .notFound, "CON-3201", "gone"
        ),
        (
            200, "application/graphql-response+json",
            #"{"errors":[{"message":"later","extensions":{"code":"RATE_LIMITED"}},{"message":"never","type":"FORBIDDEN"}]}"#,
            .permission, "CON-3201", "never"
        ),
    ])
    func statusAndErrorsTogetherSayWhatIsWrong(
        _ row: (status: Int, type: String, body: String, kind: ConnectorError.Kind, code: String, word: String)
    ) async throws {
        let server = try CannedServer(status: row.status, type: row.type, row.body)
        let error = try #require(try await Self.query(server).error)
        #expect(error.kind == row.kind, "\(error)")
        #expect(error.code == row.code)
        #expect(error.message.contains(row.word))
    }

    @Test func limitsInHeaderFieldsAreFacts() async throws {
        let headers = "X-RateLimit-Limit: 5000\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 30\r\n"
        let good = try CannedServer(headers: headers, #"{"data":{"rateLimit":{"cost":3,"limit":5000,"remaining":0}}}"#)
        let facts = try await Self.query(good).facts
        #expect(facts["actualCost"] == 3)
        #expect(facts["rateLimit"] == 5_000)
        #expect(facts["rateResetsAtSeconds"] == 30)
        let limited = try CannedServer(headers: headers, #"{"errors":[{"message":"slow","type":"RATE_LIMITED"}]}"#)
        let outcome = try await Self.query(limited)
        guard case .retry(let after, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(after == .seconds(30))
        let told = try CannedServer(
            status: 429, headers: "Retry-After: 7\r\n", #"{"errors":[{"message":"slow"}]}"#)
        #expect(try await Self.query(told).error?.retryAfter == .seconds(7))
    }

    @Test func anAnswerTheServiceRepeatsIsASuccessOfBefore() async throws {
        let server = try CannedServer(headers: "Idempotency-Replayed: true\r\n", #"{"data":{"a":1}}"#)
        let outcome = try await Service.with(server.url) { connection in
            await connection.invoke(Service.call("mutate", ["document": "mutation { a }"], key: "k"))
        }
        guard case .alreadyDone(let value, _) = outcome else {
            Issue.record("\(outcome)")
            return
        }
        #expect(value["data"] == ["a": 1])
    }

    @Test func nobodyThereIsUnavailable() async throws {
        let error = try await Service.with("http://127.0.0.1:1") { connection in
            await connection.invoke(Service.call("query", ["document": "{ a }"])).error
        }
        #expect(error?.kind == .unavailable)
        #expect(error?.mayHaveExecuted == false)
    }

    @Test func privateAddressesAreRefusedUnlessAllowed() async throws {
        let server = try CannedServer(#"{"data":{}}"#)
        #expect(try await Self.query(server, ["allowPrivate": false]).error?.kind == .permission)
    }
}
