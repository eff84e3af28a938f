import ConnectorKit
import Decisions
import HubDocuments
import Resilience
import Testing
import Values

@testable import Hub

/// A trigger document that is right; tests change one part of it.
let goodTrigger = """
    apiVersion: hub/v1
    kind: Trigger
    metadata: { id: orders, revision: 7, owner: sales, labels: { tier: gold } }
    source:
      type: file
      connection: inbox
      file: { dir: in, pattern: "*.csv" }
    decode: { format: csv, maxBytes: 64KiB, columns: { amount: number } }
    schema: { inline: { type: object, required: [orderId, amount] } }
    filter: { expr: "=data.amount > 0" }
    dedupe: { key: "=data.orderId", ttl: 7d }
    transform: { set: { order: "=data", via: file } }
    target: { mode: start, workflow: order-intake, version: latest, businessKey: "=data.orderId" }
    concurrency: { max: 20, whenFull: pause }
    ack: { at: accepted }
    retry: { profile: default, max: 5, elapsed: 15m }
    dlq: { to: default, retain: 10d, redrive: { maxCount: 3, rate: 20/s } }

    """

func readTrigger(
    _ text: String, schemas: @escaping (String) -> String? = { _ in nil }
) -> (trigger: TriggerDeclaration?, log: DiagnosticLog) {
    let log = DiagnosticLog(file: "trigger.yaml")
    return (TriggerDeclaration.read(text, log: log, schemas: schemas), log)
}

@Suite struct TriggerReaderTests {
    @Test func everySectionIsRead() throws {
        let (trigger, log) = readTrigger(goodTrigger)
        #expect(log.diagnostics == [])
        let read = try #require(trigger)
        #expect(read.id == "orders")
        #expect(read.revision == 7)
        #expect(read.owner == "sales")
        #expect(read.labels.map { "\($0.key)=\($0.value)" } == ["tier=gold"])
        #expect(read.isEnabled)
        #expect(read.source.connection == "inbox")
        #expect(read.decoding.format == .csv)
        #expect(read.decoding.recordBytesMaximum == 65_536)
        #expect(read.decoding.columnTypes == ["amount": .number])
        #expect(read.schema != nil)
        #expect(read.dedupe.timeToLive == .seconds(7 * 86_400))
        #expect(read.dedupe.scope == .trigger)
        #expect(read.target.workflow == "order-intake")
        #expect(read.target.version == nil)
        #expect(read.concurrencyMax == 20)
        #expect(read.retry.maximumAttempts == 5)
        #expect(read.retryElapsedMax == .seconds(900))
        #expect(read.redriveMax == 3 && read.retention == .seconds(864_000))
        #expect(read.redriveRate == RateLimiter.Policy(limit: 20, period: .seconds(1), burst: 1))
        #expect(read.context["labels"] == ["tier": "gold"])
    }

    @Test func optionalSectionsHaveDefaults() throws {
        let (trigger, log) = readTrigger(
            """
            apiVersion: hub/v1
            kind: Trigger
            metadata: { id: orders }
            enabled: false
            source: { type: file, connection: inbox, file: {} }
            dedupe: { key: "=data.id" }
            target: { mode: start, workflow: p, version: 3 }
            """)
        #expect(log.diagnostics == [])
        let read = try #require(trigger)
        #expect(read.revision == 1)
        #expect(!read.isEnabled)
        #expect(read.decodeErrors == .dlq)
        #expect(read.filterErrors == .dlq)
        #expect(read.schema == nil)
        #expect(read.filter == nil)
        #expect(read.variables == nil)
        #expect(read.target.version == 3)
        #expect(read.concurrencyMax == TriggerDeclaration.concurrencyStandard)
        #expect(read.redriveMax == 5)
        #expect(read.dedupe.onDuplicate == .ack)
        #expect(read.retry == RetryPolicy())
    }

    /// Each row replaces one line of the good document.
    @Test(arguments: [
        ("wrong version", "apiVersion: hub/v1", "apiVersion: hub/v2", ["HB107 1:13"]),
        ("wrong kind", "kind: Trigger", "kind: Triger", ["HB107 2:7"]),
        ("no id", "metadata: { id: orders, ", "metadata: { ", ["HB106 3:11"]),
        ("id with a blank", "id: orders", "id: my orders", ["HB107 3:17"]),
        ("no metadata", "metadata:", "x-metadata:", ["HB106 1:1", "HB105 3:1"]),
        ("a source whose parameters are missing", "type: file", "type: amqp", ["HB106 5:3", "HB105 7:3"]),
        (
            "a source of the hub's own with a connection", "type: file", "type: cron",
            ["HB109 6:15", "HB106 5:3", "HB105 7:3"]
        ),
        ("an event of any connector", "type: file", "type: plugin", ["HB106 5:3", "HB106 5:3", "HB105 7:3"]),
        ("unknown source", "type: file", "type: fiel", ["HB107 5:9"]),
        ("no source type", "  type: file\n", "", ["HB106 5:3"]),
        ("no connection", "  connection: inbox\n", "", ["HB106 5:3"]),
        ("no source block", "  file: { dir", "  flie: { dir", ["HB106 5:3", "HB105 7:3"]),
        ("source block that is none", "file: { dir: in, pattern: \"*.csv\" }", "file: in", ["HB107 7:9"]),
        ("bad expression in the source", "dir: in", "dir: \"=1 +\"", ["HB108 7:16"]),
        ("unknown decode key", "maxBytes", "maxbytes", ["CON-0006 8:9"]),
        ("unknown format", "format: csv", "format: parquet", ["CON-0006 8:9"]),
        ("schema without a place", "schema: { inline: ", "schema: { inlin: ", ["HB106 9:9", "HB105 9:11"]),
        (
            "schema file that is not there", "inline: { type: object, required: [orderId, amount] }", "ref: x.json",
            ["HB111 9:16"]
        ),
        ("schema twice", "schema: { inline:", "schema: { ref: x.json, inline:", ["HB110 9:16"]),
        ("schema with an unknown keyword", "type: object, ", "nonsense: [], ", ["HB105 9:21"]),
        ("filter without a condition", "{ expr: \"=data.amount > 0\" }", "{ onError: drop }", ["HB106 10:9"]),
        ("filter that does not compile", "=data.amount > 0", "=data.amount >", ["HB108 10:17"]),
        ("filter with an unknown dialect", "{ expr: \"=data.amount > 0\" }", "{ type: { sufix: x } }", ["HB105 10:19"]),
        ("no dedupe", "dedupe:", "dedup:", ["HB106 1:1", "HB105 11:1"]),
        ("dedupe without a key", "key: \"=data.orderId\", ttl", "ttl", ["HB106 11:9"]),
        ("dedupe key that is no expression", "key: \"=data.orderId\", ttl", "key: orderId, ttl", ["HB107 11:16"]),
        ("dedupe for too short", "ttl: 7d", "ttl: 1s", ["HB107 11:38"]),
        ("transform without set", "transform: { set:", "transform: { sets:", ["HB106 12:12", "HB105 12:14"]),
        ("transform of a list", "{ order: \"=data\", via: file }", "[1]", ["HB107 12:19"]),
        ("transform that does not compile", "order: \"=data\"", "order: \"=(\"", ["HB108 12:28"]),
        (
            "a message without name and key", "mode: start", "mode: correlate",
            ["HB106 13:9", "HB106 13:9", "HB109 13:38", "HB109 13:61", "HB109 13:82"]
        ),
        ("unknown mode", "mode: start", "mode: begin", ["HB107 13:17"]),
        ("no mode", "mode: start, ", "", ["HB106 13:9"]),
        ("no workflow", "workflow: order-intake, ", "", ["HB106 13:9"]),
        ("bad version", "version: latest", "version: newest", ["HB107 13:57"]),
        ("message for a start", "version: latest", "message: m", ["HB109 13:57"]),
        ("concurrency of none", "max: 20", "max: 0", ["HB107 14:21"]),
        ("other overflow", "whenFull: pause", "whenFull: queue", ["HB109 14:35"]),
        ("nobody to be told to come back", "whenFull: pause", "whenFull: reject", ["HB110 14:35"]),
        ("a limit per key without order", "whenFull: pause", "perKey: 1", ["HB110 14:33"]),
        ("an acknowledgement there is not", "at: accepted", "at: once", ["HB107 15:12"]),
        ("held for how long?", "at: accepted", "at: completed", ["HB106 15:12"]),
        ("held", "at: accepted", "at: completed, maxHold: 1h", []),
        ("a start that correlates", "at: accepted", "at: correlated", ["HB110 15:12"]),
        ("unknown profile", "profile: default", "profile: defualt", ["HB301 16:19"]),
        ("a rate that is none", "rate: 20/s", "rate: fast", ["HB107 17:64"]),
        ("other dead-letter queue", "to: default", "to: mine", ["HB109 17:12"]),
        ("ordering", "ack: { at: accepted }", "ordering: { key: \"=data.id\", onFailure: block }", []),
        ("ordering by nothing", "ack: { at: accepted }", "ordering: { onFailure: skip }", ["HB106 15:11"]),
        ("an inbox", "ack: { at: accepted }", "inbox: { retain: 7d }", []),
        ("an inbox for how long?", "ack: { at: accepted }", "inbox: {}", ["HB106 15:8"]),
        ("no ordering is what it does", "ack: { at: accepted }", "ordering: none", []),
        ("rate limit", "ack: { at: accepted }", "rateLimit: { limit: 200, per: 1s, burst: 10 }", []),
        ("rate limit without a limit", "ack: { at: accepted }", "rateLimit: { per: 1s }", ["HB106 15:12"]),
        ("observation", "ack: { at: accepted }", "observe: { lagAlert: 5m, stallAfter: 2m }", []),
        ("a sample", "ack: { at: accepted }", "observe: { sample: 1% }", ["HB109 15:20"]),
        ("misspelt section", "retry:", "retyr:", ["HB105 16:1"]),
    ])
    func whatIsWrongIsReportedWhereItStands(
        _ row: (name: String, part: String, replacement: String, places: [String])
    ) throws {
        #expect(goodTrigger.contains(row.part), "\(row.name)")
        let parts = goodTrigger.split(separator: row.part, maxSplits: 1, omittingEmptySubsequences: false)
        let (trigger, log) = readTrigger(parts.joined(separator: row.replacement))
        #expect(places(log.diagnostics) == row.places, "\(row.name): \(log.diagnostics)")
        #expect((trigger == nil) == !row.places.isEmpty, "\(row.name)")
    }

    @Test func everythingWrongIsReportedAtOnce() {
        let (_, log) = readTrigger("kind: Trigger\nsource: {}\ntarget: {}\n")
        #expect(log.diagnostics.count == 5)
    }

    @Test func recordsOfTopicsAreASourceToo() throws {
        let (trigger, log) = readTrigger(
            """
            apiVersion: hub/v1
            kind: Trigger
            metadata: { id: orders }
            source: { type: kafka, connection: bus, kafka: { topics: [orders], group: intake } }
            dedupe: { key: "=event.id" }
            target: { mode: start, workflow: p }
            """)
        #expect(log.diagnostics == [])
        let source = try #require(trigger?.source)
        #expect(source.type == .kafka && source.connection == "bus" && source.event == "record")
    }

    @Test func schemasComeFromFilesToo() {
        let text = goodTrigger.split(separator: "inline: { type: object, required: [orderId, amount] }")
            .joined(separator: "ref: order.json, onError: drop")
        let (trigger, log) = readTrigger(text) { $0 == "order.json" ? "{\"type\": \"object\"}" : nil }
        #expect(log.diagnostics == [])
        #expect(trigger?.schemaErrors == .drop)
        #expect(trigger?.schema?.violations(of: 1).count == 1)
        let (_, bad) = readTrigger(text) { _ in "{\"typ\": 1}" }
        #expect(bad.diagnostics.map(\.description).first?.hasPrefix("order.json:1:2: error HB105") == true)
    }

    /// A trigger on a source of this type that ends as `tail` says.
    private static func trigger(_ source: String, _ tail: String) -> String {
        """
        apiVersion: hub/v1
        kind: Trigger
        metadata: { id: t }
        source: \(source)
        \(tail)
        """
    }

    private static let start = "target: { mode: start, workflow: p }"

    @Test(arguments: [
        (
            "an AMQP server takes back after 30 min", "{ type: amqp, connection: c, amqp: { queue: q } }", "30m",
            ["HB110 5:12"]
        ),
        ("less is fine", "{ type: amqp, connection: c, amqp: { queue: q } }", "25m", []),
        ("Kafka after 5", "{ type: kafka, connection: c, kafka: { topics: [t], group: g } }", "5m", ["HB110 5:12"]),
        ("SQS after 12 h", "{ type: sqs, connection: c, sqs: {} }", "11h", []),
        ("a file waits", "{ type: file, connection: c, file: {} }", "12h", []),
    ])
    func whatASourceTakesBackIsNotHeld(_ row: (name: String, source: String, hold: String, places: [String])) {
        let (_, log) = readTrigger(
            Self.trigger(
                row.source,
                "ack: { at: completed, maxHold: \(row.hold) }\ndedupe: { key: \"=event.id\" }\n\(Self.start)\n"))
        #expect(places(log.diagnostics) == row.places, "\(row.name): \(log.diagnostics)")
    }

    @Test func onlyEventsThatSayWhoTheyAreNeedNoDedupeKey() throws {
        for type in SourceType.all {
            let connection = type.isOwn ? "" : "connection: c, " + (type == .plugin ? "event: e, " : "")
            let (trigger, log) = readTrigger(
                Self.trigger("{ type: \(type.name), \(connection)\(type.name): {} }", Self.start))
            #expect((trigger != nil) == type.identifiesEvents, "\(type.name): \(log.diagnostics)")
            if let trigger { #expect(trigger.dedupe.key.source == "event.id") }
        }
    }

    @Test(
        arguments: [
            (
                "{ mode: correlate, message: m, correlationKey: \"=data.id\" }",
                TriggerTarget.NoMatch.buffer(.seconds(3_600)), "m"
            ),
            (
                "{ mode: correlate, message: m, correlationKey: \"=data.id\", onNoMatch: dlq, onManyMatches: all }",
                .dlq,
                "m"
            ),
            (
                "{ mode: correlate, message: m, correlationKey: \"=data.id\", onNoMatch: { action: buffer, ttl: 5m } }",
                .buffer(.seconds(300)), "m"
            ),
            (
                "{ mode: startOrCorrelate, workflow: p, message: m, correlationKey: \"=data.id\" }", .start, "p"
            ),
            ("{ mode: signal, signal: s }", .start, "s"),
            ("{ mode: capability, connection: c, operation: o, input: { a: \"=data.a\" } }", .start, "c.o"),
        ] as [(String, TriggerTarget.NoMatch, String)])
    func targetsAreRead(_ row: (text: String, noMatch: TriggerTarget.NoMatch, name: String)) throws {
        let (trigger, log) = readTrigger(Self.trigger("{ type: cron, cron: {} }", "target: \(row.text)"))
        #expect(log.diagnostics == [])
        let target = try #require(trigger?.target)
        #expect(target.noMatch == row.noMatch && target.name == row.name)
    }

    @Test(
        arguments: [
            (
                "{ mode: correlate, message: m, correlationKey: \"=data.id\", onNoMatch: start }", ["HB107 5:79"]
            ),
            (
                "{ mode: startOrCorrelate, workflow: p, message: m, correlationKey: \"=data.id\", onNoMatch: dlq }",
                ["HB110 5:99"]
            ),
            ("{ mode: signal }", ["HB106 5:9"]),
            ("{ mode: signal, signal: s, message: m }", ["HB109 5:45"]),
            ("{ mode: capability, connection: c }", ["HB106 5:9"]),
        ] as [(String, [String])])
    func targetsThatCannotBeAreRefused(_ row: (text: String, places: [String])) {
        let (_, log) = readTrigger(Self.trigger("{ type: cron, cron: {} }", "target: \(row.text)"))
        #expect(places(log.diagnostics) == row.places, "\(log.diagnostics)")
    }

    @Test func theIdentityIsThatOfTheMeaning() throws {
        func identity(_ part: String, _ replacement: String) throws -> UInt64 {
            let text = goodTrigger.split(separator: part, maxSplits: 1, omittingEmptySubsequences: false)
                .joined(separator: replacement)
            return try #require(readTrigger(text).trigger).identity
        }
        let one = try identity("revision: 7", "revision: 7")
        #expect(try identity("revision: 7", "revision: 8") == one)
        #expect(try identity("owner: sales", "owner: IT") == one)
        #expect(try identity("kind: Trigger", "kind: Trigger\nenabled: false") == one)
        #expect(try identity("data.amount > 0", "data.amount > 1") != one)
    }
}
