import ConnectorKit
import HubDocuments
import Resilience
import Testing
import Values

@testable import Hub

/// `tests` in trigger documents, and dry runs.
@Suite struct TriggerTestingTests {
    private static let base = """
        apiVersion: hub/v1
        kind: Trigger
        metadata: { id: orders }
        source: { type: kafka, connection: bus, kafka: { topics: [orders], group: intake } }
        schema: { inline: { type: object, required: [orderId, total] } }
        filter: { all: [{ expr: "=data.total > 0" }, { not: { headers.kind: probe } }] }
        dedupe: { key: "=data.orderId" }
        transform: { set: { order: "=data", seen: "=event.receivedAt" } }
        target: { mode: start, workflow: order-intake, businessKey: "=data.orderId" }

        """

    /// A trigger with `tests`, which is right.
    private static func trigger(_ tests: String, replacing: [(String, String)] = []) throws -> TriggerDeclaration {
        var text = Self.base
        for (old, new) in replacing { text = text.replacing(old, with: new) }
        let (trigger, log) = readTrigger(text + tests)
        return try #require(trigger, "\(log.diagnostics)")
    }

    private static func failures(
        _ tests: String, replacing: [(String, String)] = [], files: [String: String] = [:]
    ) throws -> [String] {
        let trigger = try Self.trigger("tests:\n  - name: one\n    " + tests, replacing: replacing)
        let runner = TriggerTestRunner(trigger) { files[$0].map { Array($0.utf8) } }
        let results = runner.run(trigger.tests)
        #expect(results.map(\.name) == ["one"])
        return results.flatMap(\.failures)
    }

    @Test(arguments: [
        (
            "start", "event: { json: { orderId: A-1, total: 5 } }",
            "start: { workflow: order-intake, businessKey: A-1, variables: { order: { total: 5 } } }, dedupeKey: A-1"
        ),
        (
            "start, in full",
            "event: { payload: '{\"orderId\": \"A-1\", \"total\": 5}' }, now: \"2026-01-02T03:04:05Z\"",
            "start: { variablesEqual: { order: { orderId: A-1, total: 5 }, seen: \"2026-01-02T03:04:05.000Z\" } }"
        ),
        ("start, and nothing more to say", "event: { json: { orderId: A-1, total: 5 } }", "start: true"),
        ("filtered", "event: { json: { orderId: A-1, total: 0 } }", "filtered: true"),
        (
            "filtered by a header", "event: { json: { orderId: A-1, total: 1 }, headers: { kind: probe } }",
            "filtered: true"
        ),
        (
            "dead letter", "event: { json: { orderId: A-1 } }",
            "deadLetter: { code: HB203, stage: validate, message: \"total\" }"
        ),
        ("undecodable", "event: { payload: \"{\" }", "deadLetter: { code: HB201, stage: decode }"),
        ("base64", "event: { base64: eyJvcmRlcklkIjoiQS0xIiwidG90YWwiOjV9 }", "start: true, dedupeKey: A-1"),
    ])
    func aTestThatHoldsPasses(_ row: (name: String, event: String, expect: String)) throws {
        let parts = row.event.replacing(", now:", with: "\n    now:")
        #expect(try Self.failures("\(parts)\n    expect: { \(row.expect) }") == [], "\(row.name)")
    }

    @Test(arguments: [
        (
            "another value, inside", "start: { variables: { order: { total: 6 } } }",
            ["start.variables.order.total: Expected 6 but found 5."]
        ),
        (
            "a member that is missing", "start: { variables: { order: { vat: 1 } } }",
            ["start.variables.order.vat: Expected 1 but found nothing."]
        ),
        (
            "a member too many", "start: { variablesEqual: { order: { orderId: A-1, total: 5 } } }",
            ["start.variables.seen: Expected nothing but found \"2025-06-15T15:06:40.000Z\"."]
        ),
        ("another effect", "filtered: true", ["Expected filtered but found start of order-intake."]),
        ("another key", "start: true, dedupeKey: A-2", ["dedupeKey: Expected \"A-2\" but found \"A-1\"."]),
        (
            "another name", "start: { workflow: billing, businessKey: null }",
            [
                "start.workflow: Expected \"billing\" but found \"order-intake\".",
                "start.businessKey: Expected null but found \"A-1\".",
            ]
        ),
    ])
    func aTestThatDoesNotHoldSaysWhere(_ row: (name: String, expect: String, failures: [String])) throws {
        let found = try Self.failures(
            "event: { json: { orderId: A-1, total: 5 } }\n    expect: { \(row.expect) }")
        #expect(found == row.failures, "\(row.name)")
    }

    @Test func everyEffectCanBeExpected() throws {
        let start = "mode: start, workflow: order-intake, businessKey: \"=data.orderId\""
        let event = "event: { json: { orderId: A-1, total: 5 } }\n    expect: "
        for (target, expect) in [
            (
                "mode: correlate, message: paid, correlationKey: \"=data.orderId\"",
                "{ correlate: { message: paid, key: A-1, variables: { order: { total: 5 } } } }"
            ),
            (
                "mode: startOrCorrelate, workflow: w, message: paid, correlationKey: \"=data.orderId\"",
                "{ correlate: { message: paid, workflow: w } }"
            ),
            ("mode: signal, signal: stock", "{ signal: { name: stock, variables: { order: { total: 5 } } } }"),
            (
                "mode: capability, connection: c, operation: o, input: { id: \"=data.orderId\" }",
                "{ call: { connection: c, operation: o, input: { id: A-1 } } }"
            ),
        ] {
            #expect(try Self.failures(event + expect, replacing: [(start, target)]) == [], "\(target)")
        }
        #expect(
            try Self.failures(
                "event: { json: { orderId: A-1 } }\n    expect: { dropped: true }",
                replacing: [("schema: { inline", "schema: { onError: drop, inline")]) == [])
    }

    @Test func theRecordsOfAFileAreExpectedOneByOne() throws {
        let source = "source: { type: kafka, connection: bus, kafka: { topics: [orders], group: intake } }"
        let file = "source: { type: file, connection: inbox, file: { dir: in, pattern: \"*.csv\" } }"
        let replacing = [(source, file), ("filter:", "decode: { columns: { total: number } }\nfilter:")]
        let test = """
            event: { payloadFile: data/orders.csv }
                expect:
                  - { start: { variables: { order: { orderId: A-1, total: 5 } } } }
                  - filtered: true
                  - deadLetter: { code: HB201, message: \"line 4\" }
            """
        let files = ["data/orders.csv": "orderId,total\nA-1,5\nA-2,0\nA-3,x\n"]
        #expect(try Self.failures(test, replacing: replacing, files: files) == [])
        #expect(
            try Self.failures(
                "event: { payloadFile: data/orders.csv }\n    expect: { start: true }", replacing: replacing,
                files: files) == ["Expected 1 record but the event holds 3."])
        #expect(
            try Self.failures("event: { payloadFile: nowhere.csv }\n    expect: { start: true }")
                == ["The payload file nowhere.csv cannot be read, or has more than 16777216 bytes."])
    }

    @Test(arguments: [
        ("no name", "- { event: { json: 1 }, expect: { filtered: true } }", "HB106"),
        ("no event", "- { name: x, expect: { filtered: true } }", "HB106"),
        ("no expectation", "- { name: x, event: { json: 1 } }", "HB106"),
        ("an event without content", "- { name: x, event: { contentType: a/b }, expect: { filtered: true } }", "HB650"),
        ("two contents", "- { name: x, event: { json: 1, payload: a }, expect: { filtered: true } }", "HB650"),
        ("two effects", "- { name: x, event: { json: 1 }, expect: { filtered: true, start: true } }", "HB650"),
        ("no effect", "- { name: x, event: { json: 1 }, expect: { dedupeKey: a } }", "HB650"),
        ("an empty list", "- { name: x, event: { json: 1 }, expect: [] }", "HB650"),
        ("an unknown key", "- { name: x, event: { json: 1 }, expect: { start: { vars: {} } } }", "HB105"),
        ("no base64", "- { name: x, event: { base64: \"*\" }, expect: { filtered: true } }", "HB107"),
        ("no time", "- { name: x, event: { json: 1, time: today }, expect: { filtered: true } }", "HB107"),
        ("filtered: false", "- { name: x, event: { json: 1 }, expect: { filtered: false } }", "HB107"),
    ])
    func aTestThatIsWrongIsFound(_ row: (name: String, test: String, code: String)) {
        let (trigger, log) = readTrigger(Self.base + "tests:\n  \(row.test)\n")
        #expect(trigger == nil, "\(row.name)")
        #expect(log.diagnostics.map(\.code).contains(row.code), "\(row.name): \(log.diagnostics)")
    }

    @Test func aNullRecordIsARecord() throws {
        let (trigger, log) = readTrigger(
            Self.base + "tests:\n  - { name: x, event: { json: null }, expect: { deadLetter: { code: HB203 } } }\n")
        let read = try #require(trigger, "\(log.diagnostics)")
        #expect(TriggerTestRunner(read).run(read.tests).flatMap(\.failures) == [])
    }

    // MARK: - Dry runs

    private static func steps(_ text: String, headers: ValueContext = ValueContext()) throws -> [String] {
        var input = TriggerEventInput(.bytes(Array(text.utf8)))
        input.headers = headers
        let runs = try Self.trigger("").dryRun(input, now: 1_750_000_000_000)
        #expect(runs.count == 1)
        return runs.flatMap(\.steps).map { "\($0.name) \($0.state.rawValue)" }
    }

    @Test func aDryRunSaysWhatEachStepDoes() throws {
        #expect(
            try Self.steps("{\"orderId\": \"A-1\", \"total\": 5}") == [
                "decode passed", "validate passed", "filter passed", "dedupe passed", "order none", "transform passed",
                "decide passed",
            ])
        #expect(
            try Self.steps("{\"orderId\": \"A-1\", \"total\": 0}") == [
                "decode passed", "validate passed", "filter stopped", "dedupe skipped", "order skipped",
                "transform skipped", "decide skipped",
            ])
        #expect(
            try Self.steps("{\"orderId\": null, \"total\": 1}").first { $0.hasSuffix("failed") } == "dedupe failed")
        #expect(try Self.steps("{").first == "decode failed")
        #expect(try Self.steps("[]")[1] == "validate failed")
    }

    private static let noEvents: [(fields: ValueContext, reason: String)] = [
        ([:], "neither"), (["payload": "a", "payloadBase64": "YQ=="], "both"),
        (["payloadBase64": "*"], "no base64"), (["payload": "a", "time": "now"], "date and time"),
    ]

    @Test(arguments: noEvents)
    func anEventThatIsNoneIsRefused(_ row: (fields: ValueContext, reason: String)) {
        let error = #expect(throws: HubError.self) { try TriggerEventInput(row.fields) }
        #expect(error?.code == .invalidTriggerEvent)
        #expect(error?.message.contains(row.reason) == true)
    }

    // MARK: - Replays

    @Test func aReplayIsARangeOfItsOrigin() throws {
        let source = try TriggerReplayRequest(["range": ["from": ["offset": 5]], "rate": "50/s"], actor: "a")
        #expect(source.origin == .source)
        #expect(source.range == ["from": ["offset": 5]])
        #expect(source.rate?.limit == 50)
        let inbox = try TriggerReplayRequest(
            ["source": "inbox", "from": "2026-01-01T00:00:00Z", "to": "2026-01-02T00:00:00Z", "dryRun": true],
            actor: "a")
        #expect(inbox.from == 1_767_225_600_000)
        #expect(inbox.to == 1_767_312_000_000)
        #expect(inbox.isDryRun)
        #expect(try TriggerReplayRequest(["source": "letters"], actor: "a").from == nil)
    }

    private static let noRanges: [(name: String, fields: ValueContext)] = [
        ("no range", [:]), ("an origin that is none", ["source": "queue", "from": "x"]),
        ("both ways of a range", ["from": "x", "range": [:]]),
        ("words of its own for the inbox", ["source": "inbox", "range": ["from": 1]]),
        ("no moment", ["source": "letters", "from": "yesterday"]),
        ("backwards", ["source": "inbox", "from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"]),
        ("no rate", ["from": "x", "rate": "fast"]),
    ]

    @Test(arguments: noRanges)
    func aRangeThatIsNoneIsRefused(_ row: (name: String, fields: ValueContext)) {
        let error = #expect(throws: HubError.self) { try TriggerReplayRequest(row.fields, actor: "a") }
        #expect(error?.code == .invalidReplay, "\(row.name)")
    }

    // MARK: - Comparison

    @Test func valuesAreComparedInPartOrAsAWhole() {
        let found: Value = ["a": ["b": [1, 2]], "c": .null]
        func texts(_ expected: Value, _ rule: ValueComparison.Rule = .part) -> [String] {
            ValueComparison.mismatches(expected, found, rule: rule).map(\.description)
        }
        #expect(texts(["a": ["b": [1, 2]]]) == [])
        #expect(texts(["d": .null]) == [])
        #expect(texts(["a": ["b": [1, 3]]]) == ["a.b[1]: Expected 3 but found 2."])
        #expect(texts(["a": ["b": [1]]]) == ["a.b: Expected [1] but found [1,2]."])
        #expect(texts(["a": ["b": [1, 2]]], .whole) == ["c: Expected nothing but found null."])
        #expect(texts(["x": 1, "y": 2]).count == 2)
    }
}
