import ConnectorKit
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
        ("source for later", "type: file", "type: amqp", ["HB109 5:9"]),
        ("unknown source", "type: file", "type: fiel", ["HB107 5:9"]),
        ("no source type", "  type: file\n", "", ["HB106 5:3"]),
        ("no connection", "  connection: inbox\n", "", ["HB106 5:3"]),
        ("no source block", "  file: { dir", "  flie: { dir", ["HB106 5:3", "HB105 7:3"]),
        ("source block that is none", "file: { dir: in, pattern: \"*.csv\" }", "file: in", ["HB107 7:9"]),
        ("bad expression in the source", "dir: in", "dir: \"=1 +\"", ["HB108 7:16"]),
        ("unknown decode key", "maxBytes", "maxbytes", ["CON-0006 8:9"]),
        ("unknown format", "format: csv", "format: avro", ["CON-0006 8:9"]),
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
        ("target for later", "mode: start", "mode: correlate", ["HB109 13:17"]),
        ("unknown mode", "mode: start", "mode: begin", ["HB107 13:17"]),
        ("no mode", "mode: start, ", "", ["HB106 13:9"]),
        ("no workflow", "workflow: order-intake, ", "", ["HB106 13:9"]),
        ("bad version", "version: latest", "version: newest", ["HB107 13:57"]),
        ("message for a start", "version: latest", "message: m", ["HB109 13:57"]),
        ("concurrency of none", "max: 20", "max: 0", ["HB107 14:21"]),
        ("other overflow", "whenFull: pause", "whenFull: queue", ["HB109 14:35"]),
        ("concurrency per key", "whenFull: pause", "perKey: 1", ["HB109 14:33"]),
        ("other acknowledgement", "at: accepted", "at: completed", ["HB109 15:12"]),
        ("unknown profile", "profile: default", "profile: defualt", ["HB301 16:19"]),
        ("a rate that is none", "rate: 20/s", "rate: fast", ["HB107 17:64"]),
        ("other dead-letter queue", "to: default", "to: mine", ["HB109 17:12"]),
        ("ordering", "ack: { at: accepted }", "ordering: { key: \"=data.id\" }", ["HB109 15:11"]),
        ("no ordering is what it does", "ack: { at: accepted }", "ordering: none", []),
        ("rate limit", "ack: { at: accepted }", "rateLimit: { limit: 200, per: 1s, burst: 10 }", []),
        ("rate limit without a limit", "ack: { at: accepted }", "rateLimit: { per: 1s }", ["HB106 15:12"]),
        ("observation", "ack: { at: accepted }", "observe: { lagAlert: 5m }", ["HB109 15:10"]),
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
        #expect(source.kind == .kafka && source.connection == "bus")
        #expect(source.kind.connector.id == "kafka" && source.kind.connector.event == "record")
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
}
