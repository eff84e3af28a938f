import ConnectorKit
import HTTPTypes
import HubDocuments
import JunctionClient
import Logging
import Storage
import Synchronization
import Testing
import Values

@testable import Hub
@testable import Server

/// Requests to triggers through the real server.
@Suite struct IngressServerTests {
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// An ingress with a trigger at /hooks/a, whose events all start an instance.
    private final class Site: Sendable {
        let ingress: Ingress
        let source: PushSource
        private let count = Atomic(0)

        init(_ kind: IngressSettings.Kind, _ yaml: String) async throws {
            self.ingress = Ingress(
                secrets: FixedSecrets([SecretReference(store: "env", name: "S"): Secret("k")]), requests: nil,
                clock: SystemConnectorClock(), logger: IngressServerTests.logger)
            let log = DiagnosticLog(file: "t.yaml")
            let root = MappingReader(try #require(YAMLDocument.parse("p: \(yaml)\n", log: log)), path: "", log: log)
            let node = try #require(root.node("p"))
            let trigger = IngressTrigger(
                id: "t", kind: kind, parameters: ValueTemplate(node, key: "p", reader: root),
                decoding: RecordDecoding(), rejectsWhenFull: false, file: "t.yaml", position: nil)
            self.ingress.declare([trigger])
            self.source = try self.ingress.source(of: trigger)
            try await self.source.connect()
        }

        var taken: Int { self.count.load(ordering: .relaxed) }

        func run() async {
            while !Task.isCancelled {
                guard let batch = try? await self.source.read(maximum: 100, wait: .seconds(10)) else { continue }
                self.count.add(batch.events.count, ordering: .relaxed)
                for index in batch.events.indices {
                    self.source.settled(batch.id, index: index, .started(Key(rawValue: 9), result: nil))
                }
                try? await self.source.acknowledge(batch.id)
            }
        }
    }

    private func serving(
        _ site: Site, tcp: Bool = false, _ body: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        try await TestServer.run(tcp: tcp, ingress: site.ingress) { server in
            let runner = Task { await site.run() }
            do { try await body(server) } catch {
                runner.cancel()
                throw error
            }
            runner.cancel()
            await runner.value
            await site.source.close()
        }
    }

    @Test func aRequestIsAnsweredByWhatBecameOfItsEvent() async throws {
        let site = try await Site(.webhook, "{ path: /hooks/a, verify: { scheme: none }, bodyLimit: 20 }")
        try await self.serving(site) { server in
            let answer = try await server.call("POST", "/hooks/a", #"{"n":1}"#)
            #expect(answer.status == 202)
            #expect(answer.body == #"{"outcome":"started","processInstanceKey":"9"}"#)
            let answer1 = try await server.call("POST", "/hooks/b", "{}")
            #expect(answer1.status == 404)
            let answer2 = try await server.call("PUT", "/hooks/a", "{}")
            #expect(answer2 == (405, "HB626 METHOD_NOT_ALLOWED"))
            let long = String(repeating: "x", count: 21)
            let answer3 = try await server.call("POST", "/hooks/a", long)
            #expect(answer3 == (413, "HB627 PAYLOAD_TOO_LARGE"))
            let answer4 = try await server.call("POST", "/hooks/%61/", "{}")
            #expect(answer4.status == 202)
            let answer5 = try await server.call("POST", "/hooks/b/../a", "{}")
            #expect(answer5.status == 404)
            #expect(site.taken == 2)
            // The API is where it was.
            let answer6 = try await server.call("GET", "/hub/v1/triggers")
            #expect(answer6.status == 200)
        }
    }

    @Test func aTriggerThatIsNotArmedIsToBeAskedAgain() async throws {
        let site = try await Site(.webhook, "{ path: /hooks/a, verify: { scheme: none } }")
        await site.source.close()
        try await self.serving(site) { server in
            let answer = try await server.call("POST", "/hooks/a", "{}")
            #expect(answer == (503, "HB623 RESOURCE_EXHAUSTED"))
        }
    }

    @Test func onlyWhatProvesItselfMayComeFromAnotherSite() async throws {
        let open = try await Site(.webhook, "{ path: /hooks/a, verify: { scheme: none } }")
        try await self.serving(open, tcp: true) { server in
            let status = try await Self.status(server, origin: "https://evil.example", token: nil)
            #expect(status == 403)
            #expect(open.taken == 0)
        }
        let closed = try await Site(.webhook, "{ path: /hooks/a, verify: { scheme: sharedToken, secret: env:S } }")
        try await self.serving(closed, tcp: true) { server in
            let right = try await Self.status(server, origin: "https://shop.example", token: "k")
            let wrong = try await Self.status(server, origin: "https://shop.example", token: "x")
            #expect((right, wrong) == (202, 401))
        }
    }

    private static func status(_ server: TestServer, origin: String, token: String?) async throws -> Int {
        let client = JunctionClient(endpoint: .http("http://127.0.0.1:\(try #require(server.port))"), actor: "ada")
        var headers = [("Origin", origin)]
        if let token { headers.append(("Authorization", "Bearer " + token)) }
        let status: Int
        do {
            status = try await client.call(
                "POST", "/hooks/a", body: Array("{}".utf8), contentType: "application/json", headers: headers
            ).status
        } catch ClientError.problem(let problem) { status = problem.status }
        await client.shutdown()
        return status
    }

    @Test func anOperationKnowsItsCaller() async throws {
        let site = try await Site(.api, "{ operation: orders.submit, authz: [\"actor:ada\"] }")
        try await self.serving(site) { server in
            let answer7 = try await server.call("POST", "/hub/v1/operations/orders.submit", "{}")
            #expect(answer7.status == 202)
        }
        let other = try await Site(.api, "{ operation: orders.submit, authz: [\"actor:bob\"] }")
        try await self.serving(other) { server in
            let answer = try await server.call("POST", "/hub/v1/operations/orders.submit", "{}")
            #expect(answer == (403, "HB632 FORBIDDEN"))
            #expect(other.taken == 0)
        }
    }

    @Test func eventsOfCapabilitiesComeOverHTTPToo() async throws {
        let site = try await Site(.capability, "{ event: t }")
        try await self.serving(site) { server in
            let event = #"{"specversion":"1.0","id":"1","source":"/s","type":"t"}"#
            let type = "application/cloudevents+json"
            let answer8 = try await server.call("POST", "/hub/v1/events", event, contentType: type)
            #expect(answer8.status == 202)
            #expect(site.taken == 1)
            #expect(
                try await server.call(
                    "POST", "/hub/v1/events", event.replacing(#""t""#, with: #""u""#), contentType: type
                ).status == 204)
        }
    }
}
