import ConnectorKit
import HubDocuments
import Logging
import Synchronization
import Testing
import Values

@testable import Hub

/// Requests to triggers, from the path to the answer.
@Suite struct IngressEndpointTests {
    private static let plain = "path: /hooks/a\nverify: { scheme: none }"
    private static let cloud = "path: /events\nverify: { scheme: none }"
    private static let event = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}}"#

    @Test func anEventIsTakenInWithWhatIsKnownOfIt() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        let reply = await site.send(
            "/hooks/a", #"{"n":1}"#,
            headers: [
                ("Content-Type", "application/json"), ("X-Kind", "order"), ("Authorization", "Bearer x"),
                ("Cookie", "c"),
            ], query: "shop=7&shop=8&x=%20")
        #expect(reply.status == 202)
        #expect(reply.text == #"{"outcome":"started","processInstanceKey":"1"}"#)
        let event = try #require(site.runner.taken.first)
        #expect(event.id.hasPrefix("sha256:"))
        #expect(event.coordinates["query"] == ["shop": ["7", "8"], "x": " "])
        #expect(event.coordinates["path"] == "/hooks/a")
        #expect(event.headers == ["content-type": "application/json", "x-kind": "order"])
        guard case .value(["n": 1]) = event.body else {
            Issue.record("expected the decoded body")
            return
        }
        await site.runner.stop()
    }

    @Test func everyOutcomeHasItsAnswer() async throws {
        let outcomes: [(EventOutcome, Int, String?)] = [
            (.started(Key(rawValue: 1), result: nil), 202, nil), (.correlated(Key(rawValue: 1)), 202, nil),
            (.accepted, 202, nil), (.duplicate(Key(rawValue: 1)), 200, nil), (.filtered, 204, nil),
            (.dropped, 204, nil),
            (.deadLettered(Key(rawValue: 1), code: "HB201", message: "bad"), 400, "HB628"),
            (.deadLettered(Key(rawValue: 1), code: "HB208", message: "parked"), 202, nil),
        ]
        for (outcome, status, code) in outcomes {
            let site = try await IngressSite(.webhook, Self.plain) { _, _ in outcome }
            let reply = await site.send("/hooks/a", "x")
            #expect(reply.status == status, "\(outcome)")
            #expect(reply.problem?.code == code, "\(outcome)")
            #expect(status != 204 || reply.body.isEmpty)
            await site.runner.stop()
        }
    }

    @Test func answersAreAsDeclared() async throws {
        let yaml = Self.plain + "\nreply: { accepted: 200, invalid: 200, busy: 429 }"
        let outcomes: [EventOutcome] = [
            .accepted, .deadLettered(Key(rawValue: 1), code: "HB201", message: "bad"),
            .failed(reason: "full", retryAfter: .seconds(2)),
        ]
        let site = try await IngressSite(.webhook, yaml, rejectsWhenFull: true) { _, number in outcomes[number] }
        #expect(await site.send("/hooks/a", "1").status == 200)
        #expect(await site.send("/hooks/a", "2").status == 200)
        let busy = await site.send("/hooks/a", "3")
        #expect(busy.status == 429)
        #expect(busy.problem?.retryAfterMilliseconds == 2_000)
        await site.runner.stop()
    }

    @Test func pathsAreKnownWhetherArmedOrNot() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        #expect(await site.send("/hooks/b", "x").status == 404)
        let other = await site.send("/hooks/a", method: "GET")
        #expect(other.status == 405)
        #expect(other.headers.map(\.value) == ["POST"])
        await site.runner.stop()
        let paused = await site.send("/hooks/a", "x")
        #expect(paused.status == 503)
        #expect(paused.problem?.code == "HB623")
        #expect(paused.problem?.retryAfterMilliseconds == 5_000)
        site.ingress.declare([])
        #expect(await site.send("/hooks/a", "x").status == 404)
    }

    @Test func aReplacedTriggerKeepsItsPathUntilItLetsGo() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        let moved = try ingressTrigger(.webhook, "path: /hooks/b\nverify: { scheme: none }")
        site.ingress.declare([moved])
        #expect(await site.send("/hooks/a", "x").status == 202)
        #expect(await site.send("/hooks/b", "x").status == 503)
        await site.runner.stop()
        #expect(await site.send("/hooks/a", "x").status == 404)
        let runner = TestRunner(try site.ingress.source(of: moved))
        try await runner.start()
        #expect(await site.send("/hooks/b", "x").status == 202)
        await runner.stop()
    }

    @Test func aPathHasOneOwner() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        let rival = try ingressTrigger(.webhook, Self.plain, id: "rival")
        let source = try site.ingress.source(of: rival)
        await #expect(throws: HubError.self) { try await source.connect() }
        await source.close()
        #expect(await site.send("/hooks/a", "x").status == 202)
        await site.runner.stop()
    }

    @Test func nothingForgedIsLookedAt() async throws {
        let site = try await IngressSite(
            .webhook, "path: /hooks/a\nverify: { scheme: github, secret: env:S }", secrets: ["S": "k"])
        for body in ["", "{", String(repeating: "[", count: 1_000)] {
            let reply = await site.send("/hooks/a", body, headers: [("X-Hub-Signature-256", "sha256=00")])
            #expect(reply.status == 401)
            #expect(reply.problem?.code == "HB622")
        }
        site.secrets.set("S", nil)
        let reply = await site.send("/hooks/a", "x", headers: [("X-Hub-Signature-256", "sha256=00")])
        #expect(reply.status == 503)
        #expect(reply.problem?.code == "HB625")
        #expect(site.runner.taken.isEmpty)
        await site.runner.stop()
    }

    @Test func aRotatedSecretIsUsedAtOnce() async throws {
        let site = try await IngressSite(
            .webhook, "path: /hooks/a\nverify: { scheme: sharedToken, secret: env:S }", secrets: ["S": "old"])
        #expect(await site.send("/hooks/a", "x", headers: [("Authorization", "Bearer old")]).status == 202)
        site.secrets.set("S", "new")
        #expect(await site.send("/hooks/a", "x", headers: [("Authorization", "Bearer old")]).status == 401)
        #expect(await site.send("/hooks/a", "x", headers: [("Authorization", "Bearer new")]).status == 202)
        await site.runner.stop()
    }

    @Test func tokensAreNoPartOfAnEvent() async throws {
        let site = try await IngressSite(
            .webhook, "path: /hooks/a\nmethods: [GET]\nverify: { scheme: sharedToken, secret: env:S, query: token }",
            secrets: ["S": "hush"])
        #expect(await site.send("/hooks/a", method: "GET", query: "n=1&token=hush").status == 202)
        let event = try #require(site.runner.taken.first)
        #expect(String(decoding: event.payload, as: UTF8.self) == #"{"n":"1"}"#)
        #expect(!"\(event)".contains("hush"))
        await site.runner.stop()
    }

    @Test func bodiesHaveALimit() async throws {
        let site = try await IngressSite(.webhook, Self.plain + "\nbodyLimit: 10")
        #expect(await site.send("/hooks/a", "0123456789").status == 202)
        let reply = await site.send("/hooks/a", "0123456789a")
        #expect(reply.status == 413)
        #expect(reply.problem?.code == "HB627")
        await site.runner.stop()
    }

    @Test func theSameDeliveryHasTheSameID() async throws {
        let cases: [(String, [(String, String)], String, String)] = [
            ("github", [("X-GitHub-Delivery", "72d3162e")], "x", "72d3162e"),
            ("stripe", [], #"{"id":"evt_1"}"#, "evt_1"), ("slack", [], #"{"event_id":"Ev1"}"#, "Ev1"),
            ("standardWebhooks", [("webhook-id", "msg_1")], "x", "msg_1"),
        ]
        for (name, headers, body, id) in cases {
            let trigger = try ingressTrigger(.webhook, "path: /h\nverify: { scheme: \(name), secret: env:S }")
            let settings = try #require(IngressSettings.read(trigger).settings)
            let request = IngressRequest(
                method: "POST", path: "/h", headers: headers.map { ($0.0.lowercased(), $0.1) }, body: Array(body.utf8),
                peer: "unix")
            let found = IngressEndpoint.identity(
                of: request, by: settings.schemes[0], (try? JSON.parse(body)) ?? .null)
            #expect(found == id)
        }
    }

    @Test func slackAsksWhetherWeAreThere() async throws {
        let site = try await IngressSite(
            .webhook, "path: /hooks/a\nverify: { scheme: slack, secret: env:S }", secrets: ["S": "k"],
            clock: ManualConnectorClock(unixMilliseconds: 1_000_000))
        let body = #"{"token":"t","challenge":"3eZbrw1a","type":"url_verification"}"#
        let signature = TestCrypto.hmacSHA256Hex("k", "v0:1000:" + body)
        let headers = [("X-Slack-Request-Timestamp", "1000"), ("X-Slack-Signature", "v0=" + signature)]
        let reply = await site.send("/hooks/a", body, headers: headers)
        #expect(reply.status == 200)
        #expect(reply.text == "3eZbrw1a")
        #expect(await site.send("/hooks/a", body, headers: [headers[0], ("X-Slack-Signature", "v0=00")]).status == 401)
        #expect(site.runner.taken.isEmpty)
        await site.runner.stop()
    }

    @Test func formsAreRecords() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        let type = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
        #expect(await site.send("/hooks/a", "a=1+2&b=%C3%A4&b=x", headers: [type]).status == 202)
        #expect(
            site.runner.taken.first.map { String(decoding: $0.payload, as: UTF8.self) } == #"{"a":"1 2","b":["ä","x"]}"#
        )
        await site.runner.stop()
    }

    @Test func listsMayBeSplit() async throws {
        let site = try await IngressSite(.webhook, Self.plain + "\nsplit: true") { _, number in
            number == 1
                ? .deadLettered(Key(rawValue: 9), code: "HB203", message: "bad")
                : .started(Key(rawValue: 1), result: nil)
        }
        let reply = await site.send("/hooks/a", #"[{"a":1},{"a":2},{"a":3}]"#)
        #expect(reply.status == 202)
        #expect(
            try JSON.parse(reply.text)["outcomes"]?.asList?.compactMap { $0["outcome"]?.asString }
                == ["started", "deadLettered", "started"])
        #expect(site.runner.taken.map { $0.coordinates["index"] } == [0, 1, 2])
        #expect(Set(site.runner.taken.map(\.id)).count == 3)
        #expect(await site.send("/hooks/a", "[]").status == 204)
        #expect(await site.send("/hooks/a", "{").status == 202)
        await site.runner.stop()
    }

    @Test func aBatchOfWhichOneCannotBeTakenIsToComeAgain() async throws {
        let site = try await IngressSite(.webhook, Self.plain + "\nsplit: true", rejectsWhenFull: true) { _, number in
            number == 1 ? .failed(reason: "full", retryAfter: nil) : .accepted
        }
        #expect(await site.send("/hooks/a", "[1,2,3]").status == 503)
        #expect(await site.send("/hooks/a", "[1,2,3]").status == 202)
        await site.runner.stop()
    }

    @Test func anAnswerWaitsForTheEnd() async throws {
        let yaml = Self.plain + "\nsync: { wait: 1s, output: { total: \"=run.output.a + 1\", key: \"=run.key\" } }"
        let results: [[UInt8]?] = [Array(#"{"a":41}"#.utf8), nil, Array("{}".utf8)]
        let site = try await IngressSite(.webhook, yaml) { _, number in
            .started(Key(rawValue: 5), result: results[number])
        }
        let answer = await site.send("/hooks/a", "1")
        #expect(answer.status == 200)
        #expect(answer.text == #"{"total":42,"key":"5"}"#)
        let late = await site.send("/hooks/a", "2")
        #expect(late.status == 202)
        #expect(late.headers.map(\.value) == ["/v2/process-instances/5"])
        let broken = await site.send("/hooks/a", "3")
        #expect(broken.status == 500)
        #expect(broken.problem?.code == "HB633")
        await site.runner.stop()
    }

    // MARK: - Operations

    @Test func anOperationIsNamedByItsKey() async throws {
        let site = try await IngressSite(
            .api, "operation: orders.submit\nidempotency: required\nauthz: [\"actor:shop*\"]")
        let path = "/hub/v1/operations/orders.submit"
        #expect(await site.send(path, "{}", headers: [("Idempotency-Key", "k")], actor: "ada").problem?.code == "HB632")
        #expect(await site.send(path, "{}", actor: "shop-1").problem?.code == "HB630")
        #expect(
            await site.send(path, "{}", headers: [("Idempotency-Key", "k")], actor: "shop-1").status == 202)
        #expect(site.runner.taken.map(\.id) == ["shop-1/k"])
        #expect(site.runner.taken.first?.coordinates["operation"] == "orders.submit")
        await site.runner.stop()
    }

    @Test func withoutAKeyEveryCallIsItsOwn() async throws {
        let site = try await IngressSite(.api, "operation: a")
        for _ in 0..<2 { #expect(await site.send("/hub/v1/operations/a", "{}").status == 202) }
        #expect(Set(site.runner.taken.map(\.id)).count == 2)
        await site.runner.stop()
    }

    // MARK: - CloudEvents

    @Test func cloudEventsComeInAllThreeModes() async throws {
        let site = try await IngressSite(.cloudevents, Self.cloud)
        let structured = ("Content-Type", "application/cloudevents+json; charset=utf-8")
        #expect(await site.send("/events", Self.event, headers: [structured]).status == 202)
        #expect(
            await site.send(
                "/events", #"{"a":1}"#,
                headers: [
                    ("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "/s"), ("ce-type", "t"),
                    ("ce-subject", "Euro%20%E2%82%AC"), ("Content-Type", "application/json"),
                ]
            ).status == 202)
        let batch = ("Content-Type", "application/cloudevents-batch+json")
        let reply = await site.send("/events", "[\(Self.event),\(Self.event)]", headers: [batch])
        #expect(reply.status == 202)
        let taken = site.runner.taken
        #expect(taken.map(\.id) == ["/s 1", "/s 1", "/s 1", "/s 1"])
        #expect(taken.map { $0.coordinates["cloudEvent"]?["type"] } == ["t", "t", "t", "t"])
        #expect(taken[1].coordinates["cloudEvent"]?["subject"] == "Euro €")
        for event in taken {
            guard case .value(["a": 1]) = event.body else {
                Issue.record("expected the data")
                return
            }
        }
        await site.runner.stop()
    }

    @Test func whatIsNoCloudEventIsHandedOnAsSuch() async throws {
        let site = try await IngressSite(.cloudevents, Self.cloud) { event, _ in
            if case .undecodable(let finding) = event.body {
                .deadLettered(Key(rawValue: 1), code: "HB201", message: finding.reason)
            } else {
                .accepted
            }
        }
        let structured = ("Content-Type", "application/cloudevents+json")
        #expect(
            await site.send("/events", "{}", headers: [structured]).problem?.detail == "HB201: specversion is missing.")
        #expect(await site.send("/events", "{", headers: [structured]).status == 400)
        let batch = ("Content-Type", "application/cloudevents-batch+json")
        #expect(await site.send("/events", "[{},\(Self.event)]", headers: [batch]).status == 202)
        #expect(await site.send("/events", "{}", headers: [batch]).problem?.code == "HB626")
        #expect(await site.send("/events", "{}").problem?.code == "HB626")
        let avro = ("Content-Type", "application/cloudevents+avro")
        #expect(await site.send("/events", "x", headers: [avro]).status == 415)
        await site.runner.stop()
    }

    @Test func theHandshakeSaysWhoMaySend() async throws {
        let site = try await IngressSite(.cloudevents, Self.cloud + "\norigins: [eventemitter.example.com]")
        let allowed = await site.send(
            "/events", method: "OPTIONS",
            headers: [("WebHook-Request-Origin", "eventemitter.example.com"), ("WebHook-Request-Rate", "120")])
        #expect(allowed.status == 200)
        #expect(
            allowed.headers.map { "\($0.name): \($0.value)" } == [
                "Allow: POST, OPTIONS", "WebHook-Allowed-Origin: eventemitter.example.com", "WebHook-Allowed-Rate: 120",
            ])
        #expect(
            await site.send("/events", method: "OPTIONS", headers: [("WebHook-Request-Origin", "evil.example.com")])
                .status == 403)
        await site.runner.stop()
    }

    // MARK: - Capabilities

    @Test func anEventReachesEveryTriggerThatWantsIt() async throws {
        let site = try await IngressSite(.capability, "event: invoice.posted.v1\nwhere: { source: finance/* }")
        let second = try ingressTrigger(.capability, "event: invoice.posted.v1", id: "u")
        site.ingress.declare([
            try ingressTrigger(.capability, "event: invoice.posted.v1\nwhere: { source: finance/* }"), second,
        ])
        let event = try CloudEvent(id: "1", source: "finance/eu", type: "invoice.posted.v1", data: .value(["n": 1]))
        await #expect(throws: HubError.self, "one that is not armed is not passed over") {
            try await site.ingress.publish(event)
        }
        let runner = TestRunner(try site.ingress.source(of: second))
        try await runner.start()
        let deliveries = try await site.ingress.publish(event)
        #expect(deliveries.map { "\($0.trigger) \($0.outcome)" } == ["t started", "u started"])
        let other = try CloudEvent(id: "2", source: "sales", type: "invoice.posted.v1")
        #expect(try await site.ingress.publish(other).map(\.trigger) == ["u"])
        #expect(try await site.ingress.publish(CloudEvent(id: "3", source: "sales", type: "other")).isEmpty)
        let reply = await site.send(
            "/hub/v1/events", String(decoding: event.json, as: UTF8.self),
            headers: [("Content-Type", "application/cloudevents+json")])
        #expect(reply.status == 202)
        #expect(
            await site.send(
                "/hub/v1/events", "{}", headers: [("Content-Type", "application/cloudevents+json")]
            ).problem?.code == "HB626")
        await runner.stop()
        await site.runner.stop()
    }

    @Test func aRangeCannotBeAskedForAgain() async throws {
        let site = try await IngressSite(.webhook, Self.plain)
        #expect(throws: HubError.self) {
            try site.ingress.source(of: ingressTrigger(.webhook, Self.plain), replay: ["from": "x"])
        }
        await site.runner.stop()
    }
}
