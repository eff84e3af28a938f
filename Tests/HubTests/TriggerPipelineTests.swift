import ConnectorKit
import Decisions
import HubDocuments
import Runtime
import Testing
import Values

@testable import Hub

@Suite struct TriggerPipelineTests {
    private static func pipeline(_ changes: [(String, String)] = []) throws -> TriggerPipeline {
        var text = goodTrigger
        for (part, replacement) in changes {
            #expect(text.contains(part))
            text = text.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
                .joined(separator: replacement)
        }
        let (trigger, log) = readTrigger(text)
        #expect(log.diagnostics == [])
        return TriggerPipeline(try #require(trigger))
    }

    private static func event(
        _ body: SourceEvent.Body, payload: String = "o-1,5", line: Int64 = 2, id: String = "file-1#2"
    ) -> SourceEvent {
        SourceEvent(
            id: id, payload: Array(payload.utf8), contentType: "text/csv", body: body,
            coordinates: ["file": "orders.csv", "line": .number(Number(line))], headers: ["h": "v"])
    }

    private static let order: Value = ["orderId": "o-1", "amount": 5]

    /// A verdict in one line.
    private static func summary(_ verdict: TriggerPipeline.Verdict) -> String {
        switch verdict {
        case .start(let request): "start \(request.idempotencyKey ?? "") \(text(request.variables))"
        case .correlate(let request):
            "correlate \(request.message) \(request.correlationKey) \(request.idempotencyKey ?? "") \(text(request.variables))"
        case .signal(let request): "signal \(request.name) \(request.idempotencyKey) \(text(request.variables))"
        case .call(let request):
            "call \(request.connection).\(request.operation) \(request.idempotencyKey) \(text(request.input.objectJSON))"
        case .filtered: "filtered"
        case .dropped: "dropped"
        case .deadLetter(let letter): "dead \(letter.stage) \(letter.errorCode) \(letter.errorMessage)"
        }
    }

    @Test(
        arguments: [
            (
                "a good record starts", [], .value(order),
                "start orders:o-1 {\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}"
            ),
            (
                "a malformed record", [], .undecodable(.init(line: 7, column: 3, reason: "Bad quote.")),
                "dead decode HB201 line 7, column 3: Bad quote."
            ),
            (
                "a malformed line", [], .undecodable(.init(line: 7, reason: "Bad quote.")),
                "dead decode HB201 line 7: Bad quote."
            ),
            (
                "nobody can read it", [], .undecoded,
                "dead decode HB201 The format of the content (text/csv) is not known; set decode.format."
            ),
            (
                "malformed and forgotten", [("format: csv", "format: csv, onError: drop")],
                .undecodable(.init(line: 1, reason: "x")), "dropped"
            ),
            (
                "schema", [], .value(["orderId": "o-1"]),
                "dead validate HB203 Expected the member \"amount\" but it is missing."
            ),
            (
                "schema and forgotten", [("schema: {", "schema: { onError: drop,")], .value(["orderId": "o-1"]),
                "dropped"
            ),
            ("filtered", [], .value(["orderId": "o-1", "amount": 0]), "filtered"),
            ("the filter cannot say", [], .value(["orderId": "o-1", "amount": "x"]), "dead filter HB204"),
            (
                "the filter cannot say and drops", [("filter: {", "filter: { onError: drop,")],
                .value(["orderId": "o-1", "amount": "x"]), "dropped"
            ),
            (
                "the filter cannot say and accepts", [("filter: {", "filter: { onError: accept,")],
                .value(["orderId": "o-1", "amount": "x"]),
                "start orders:o-1 {\"order\":{\"orderId\":\"o-1\",\"amount\":\"x\"},\"via\":\"file\"}"
            ),
            ("no dedupe key", [], .value(["orderId": .null, "amount": 5]), "dead validate HB205"),
            ("an empty dedupe key", [], .value(["orderId": "", "amount": 5]), "dead validate HB205"),
            (
                "a number as dedupe key", [], .value(["orderId": 12, "amount": 5]),
                "start orders:12 {\"order\":{\"orderId\":12,\"amount\":5},\"via\":\"file\"}"
            ),
            (
                "one scope for all triggers", [("ttl: 7d", "scope: workflow")], .value(order),
                "start workflow:o-1 {\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}"
            ),
            (
                "reprocessing", [("ttl: 7d", "onDuplicate: reprocess")], .value(order),
                "start orders:o-1:file-1#2 {\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}"
            ),
            (
                "the transform cannot be computed", [("via: file", "via: [1, {x: \"=data.amount + data.orderId\"}]")],
                .value(order), "dead transform HB206"
            ),
            (
                "the business key cannot be computed",
                [("businessKey: \"=data.orderId\"", "businessKey: \"=data.amount + data.orderId\"")], .value(order),
                "dead transform HB206"
            ),
            (
                "no transform takes the members", [("transform: { set: { order: \"=data\", via: file } }\n", "")],
                .value(order), "start orders:o-1 {\"orderId\":\"o-1\",\"amount\":5}"
            ),
            (
                "event and trigger are visible",
                [
                    (
                        "order: \"=data\", via: file",
                        "f: \"=event.subject\", l: \"=event.coordinates.line\", h: \"=event.headers.h\", t: \"=trigger.labels.tier\", r: \"=event.receivedAt\""
                    )
                ], .value(order),
                "start orders:o-1 {\"f\":\"orders.csv\",\"l\":2,\"h\":\"v\",\"t\":\"gold\",\"r\":\"1970-01-01T00:00:01.000Z\"}"
            ),
            (
                "attributes filter",
                [
                    (
                        "{ expr: \"=data.amount > 0\" }",
                        "{ all: [ { subject: { prefix: orders, suffix: .csv } }, { any: [ { type: x }, { type: file } ] }, { not: { contentType: a } } ] }"
                    )
                ], .value(order), "start orders:o-1 {\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}"
            ),
            (
                "attributes stop", [("{ expr: \"=data.amount > 0\" }", "{ subject: { exact: other.csv } }")],
                .value(order), "filtered"
            ),
            (
                "an attribute that is not there stops", [("{ expr: \"=data.amount > 0\" }", "{ nothing: x }")],
                .value(order), "filtered"
            ),
        ] as [(String, [(String, String)], SourceEvent.Body, String)])
    func aRecordGetsItsVerdict(
        _ row: (name: String, changes: [(String, String)], body: SourceEvent.Body, verdict: String)
    ) throws {
        let verdict = try Self.pipeline(row.changes).verdict(on: Self.event(row.body), receivedAt: 1_000)
        let summary = Self.summary(verdict)
        if row.verdict.hasPrefix("dead filter") || row.verdict.hasPrefix("dead transform")
            || row.verdict.hasSuffix("HB205")
        {
            // The rest is the words of the expression language.
            #expect(summary.hasPrefix(row.verdict + " "), "\(row.name)")
        } else {
            #expect(summary == row.verdict, "\(row.name)")
        }
    }

    @Test func startsNameTheirTargetActorAndMemory() throws {
        guard case .start(let request) = try Self.pipeline().verdict(on: Self.event(.value(Self.order)), receivedAt: 0)
        else {
            Issue.record("expected a start")
            return
        }
        #expect(request.businessID == "o-1")
        #expect(request.actor == "trigger:orders")
        #expect(request.idempotencyMilliseconds == 604_800_000)
        guard case .process("order-intake", nil) = request.target else {
            Issue.record("unexpected target \(request.target)")
            return
        }
    }

    @Test func variablesThatAreNoObjectAreDeadLettered() throws {
        let pipeline = try Self.pipeline([
            ("transform: { set: { order: \"=data\", via: file } }\n", ""),
            ("schema: { inline: { type: object, required: [orderId, amount] } }\n", ""),
            ("filter: { expr: \"=data.amount > 0\" }\n", ""), ("key: \"=data.orderId\"", "key: \"=data\""),
            ("businessKey: \"=data.orderId\"", "businessKey: \"=data\""),
        ])
        let summary = Self.summary(pipeline.verdict(on: Self.event(.value("text")), receivedAt: 0))
        #expect(
            summary == "dead transform HB206 Expected the start variables to be an object but found string.")
    }

    @Test func deadLettersCarryTheEventAndWhereItStood() throws {
        let event = Self.event(.undecodable(.init(line: 2, reason: "x")), payload: "a,b,c")
        guard case .deadLetter(let letter) = try Self.pipeline().verdict(on: event, receivedAt: 0) else {
            Issue.record("expected a dead letter")
            return
        }
        #expect(letter.origin == "orders")
        #expect(text(letter.payload) == "a,b,c")
        #expect(letter.contentType == "text/csv")
        #expect(letter.redriveCount == 0)
        #expect(
            try JSON.parse(letter.coordinates) == [
                "file": "orders.csv", "line": 2, "type": "file", "eventId": "file-1#2", "triggerRevision": 7,
            ])
        #expect(try JSON.parse(letter.headers) == ["h": "v"])
        #expect(letter.connection == "inbox" && letter.kind == .trigger)
        let report = DeadLetterReport(json: letter.report)
        #expect(report.first == report.last && report.first?.stage == "decode" && report.first?.code == "HB201")
        #expect(report.history.map(\.count) == [1] && report.attempts == 1 && report.revision == 7)
    }

    @Test func theSameBadRecordHasTheSameDeadLetterKey() throws {
        let pipeline = try Self.pipeline()
        func key(_ payload: String, line: Int64, id: String) -> String? {
            let event = Self.event(.undecoded, payload: payload, line: line, id: id)
            guard case .deadLetter(let letter) = pipeline.verdict(on: event, receivedAt: 0) else { return nil }
            return letter.dedupeKey
        }
        #expect(key("a", line: 2, id: "first") == key("a", line: 2, id: "second"))
        #expect(key("a", line: 2, id: "first") != key("a", line: 3, id: "first"))
        #expect(key("a", line: 2, id: "first") != key("b", line: 2, id: "first"))
    }

    @Test func longDedupeKeysAreShortenedWithoutCollision() throws {
        let pipeline = try Self.pipeline()
        func key(_ id: String) -> String? {
            let event = Self.event(.value(["orderId": .string(id), "amount": 1]))
            guard case .start(let request) = pipeline.verdict(on: event, receivedAt: 0) else { return nil }
            return request.idempotencyKey
        }
        let long = String(repeating: "x", count: 300)
        #expect((key(long)?.utf8.count ?? 999) < 60)
        #expect(key(long) == key(long))
        #expect(key(long) != key(long + "y"))
    }

    @Test func aReplayHasAKeyOfItsOwn() throws {
        let pipeline = try Self.pipeline()
        var earlier = DeadLetterReport()
        earlier.died(
            DeadLetterReport.Failure(
                code: "HB203", errorClass: "event", isRetryable: false, stage: "validate", message: "first", at: 5))
        let redrive = TriggerPipeline.Redrive(key: Key(rawValue: 77), count: 2, report: earlier)
        let good = pipeline.verdict(on: Self.event(.value(Self.order)), receivedAt: 0, redrive: redrive)
        #expect(Self.summary(good).hasPrefix("start orders:redrive:77 "))
        guard
            case .deadLetter(let letter) = pipeline.verdict(
                on: Self.event(.undecoded), receivedAt: 0, redrive: redrive)
        else {
            Issue.record("expected a dead letter")
            return
        }
        #expect(letter.redriveCount == 2)
        #expect(letter.dedupeKey == "orders:redrive:77")
        #expect(try JSON.parse(letter.coordinates)["redriveOf"] == "77")
        #expect(letter.parent == Key(rawValue: 77))
        let report = DeadLetterReport(json: letter.report)
        #expect(report.first?.message == "first" && report.last?.code == "HB201")
        #expect(report.history.map(\.code) == ["HB203", "HB201"] && report.ancestors == [Key(rawValue: 77)])
    }

    @Test func filtersThatCannotSayAreNotOverruledByOthers() throws {
        let undecided = EventFilter.expression(try Expression.compile("1"))
        let pass = EventFilter.expression(try Expression.compile("true"))
        let stop = EventFilter.not(pass)
        let scope = MapScope()
        func verdict(_ filter: EventFilter) -> EventFilter.Verdict {
            filter.verdict(event: ValueContext(), scope: scope)
        }
        func isUndecided(_ filter: EventFilter) -> Bool {
            if case .undecided = verdict(filter) { true } else { false }
        }
        #expect(isUndecided(.all([pass, undecided])))
        #expect(verdict(.all([undecided, stop])) == .stop)
        #expect(isUndecided(.any([stop, undecided])))
        #expect(verdict(.any([undecided, pass])) == .pass)
        #expect(verdict(.any([stop, stop])) == .stop)
        #expect(isUndecided(.not(undecided)))
        #expect(verdict(.not(stop)) == .pass)
    }
}
