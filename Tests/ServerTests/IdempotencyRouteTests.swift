import Engine
import JunctionClient
import Testing
import Values

/// Requests with an idempotency key are carried out once.
@Suite(.timeLimit(.minutes(1))) struct IdempotencyRouteTests {
    private static let path = "/v2/messages/publication"
    private static let message = #"{"name": "paid", "correlationKey": "1"}"#

    private static func publish(
        _ server: TestServer, key: String, _ body: String = Self.message
    ) async throws -> (status: Int, body: String) {
        try await server.call("POST", Self.path, body, headers: [("Idempotency-Key", key)])
    }

    @Test func aRepeatedRequestGetsTheFirstAnswer() async throws {
        try await TestServer.run(remembersRequests: true) { server in
            let first = try await Self.publish(server, key: "k")
            #expect(first.status == 200)
            // Blanks make no other request.
            let again = try await Self.publish(server, key: "k", #"{ "name":"paid","correlationKey": "1" }"#)
            #expect(again == first)
            #expect(server.workflow.calls.count == 1)
            _ = try await Self.publish(server, key: "other")
            _ = try await server.call("POST", Self.path, Self.message)
            #expect(server.workflow.calls.count == 3)
        }
    }

    @Test func aKeyBelongsToOneRequest() async throws {
        try await TestServer.run(remembersRequests: true) { server in
            _ = try await Self.publish(server, key: "k")
            let other = try await Self.publish(server, key: "k", #"{"name": "paid", "correlationKey": "2"}"#)
            #expect(other.status == 422 && other.body.hasPrefix("AP422"))
            let long = try await Self.publish(server, key: String(repeating: "x", count: 256))
            #expect(long.status == 400)
            #expect(server.workflow.calls.count == 1)
        }
    }

    @Test func aRefusalFreesTheKey() async throws {
        try await TestServer.run(remembersRequests: true) { server in
            server.workflow.reject(.resourceExhausted)
            let busy = try await Self.publish(server, key: "k")
            let wrong = try await Self.publish(server, key: "k", "{}")
            server.workflow.reject(nil)
            let good = try await Self.publish(server, key: "k")
            #expect([busy.status, wrong.status, good.status] == [503, 400, 200])
        }
    }

    @Test func whatIsInDoubtIsNotRepeated() async throws {
        try await TestServer.run(remembersRequests: true) { server in
            server.workflow.reject(.unknownOutcome)
            let lost = try await Self.publish(server, key: "k")
            #expect(lost.status >= 500)
            server.workflow.reject(nil)
            let again = try await Self.publish(server, key: "k")
            #expect(again.status == 409 && again.body.hasPrefix("AP409"))
        }
    }
}
