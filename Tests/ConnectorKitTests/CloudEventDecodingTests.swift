import Testing
import Values

@testable import ConnectorKit

@Suite("CloudEvents in messages, files and dead letters")
struct CloudEventDecodingTests {
    private static let structured =
        #"{"specversion":"1.0","id":"7","source":"/shop","type":"order.created","time":"2026-01-02T03:04:05Z","#
        + #""region":"eu","data":{"orderId":"A-1"}}"#
    private static let binary: ValueContext = [
        "ce_specversion": "1.0", "ce_id": "7", "ce_source": "/shop", "ce_type": "order.created", "ce_region": "eu",
        "content-type": "application/json",
    ]

    private static func event(
        _ payload: String, _ contentType: String, headers: ValueContext = ValueContext()
    ) -> SourceEvent {
        SourceEvent(
            id: "topic/0/1", payload: Array(payload.utf8), contentType: contentType, coordinates: ["offset": 1],
            headers: headers)
    }

    private static func decoding(_ format: RecordDecoding.Format = .cloudevents) -> RecordDecoding {
        var decoding = RecordDecoding()
        decoding.format = format
        return decoding
    }

    static let rows: [(name: String, event: SourceEvent, format: RecordDecoding.Format)] = [
        ("structured", event(structured, "application/cloudevents+json; charset=utf-8"), .cloudevents),
        ("structured, by its media type alone", event(structured, "application/cloudevents+json"), .auto),
        ("structured, of a broker without media types", event(structured, "application/octet-stream"), .cloudevents),
        (
            "binary, headers of Kafka", event(#"{"orderId":"A-1"}"#, "application/octet-stream", headers: binary),
            .cloudevents
        ),
        (
            "binary, headers of HTTP",
            event(
                #"{"orderId":"A-1"}"#, "application/json",
                headers: [
                    "Ce-Specversion": "1.0", "ce-id": "7", "ce-source": "/shop", "ce-type": "order.created",
                    "ce-region": "eu",
                ]), .cloudevents
        ),
        (
            "binary, headers of AMQP",
            event(
                #"{"orderId":"A-1"}"#, "application/json",
                headers: [
                    "cloudEvents:specversion": "1.0", "cloudEvents:id": "7", "cloudEvents:source": "/shop",
                    "cloudEvents:type": "order.created", "cloudEvents:region": "eu",
                ]), .cloudevents
        ),
    ]

    @Test(arguments: rows)
    func anEventIsOpened(_ row: (name: String, event: SourceEvent, format: RecordDecoding.Format)) {
        let opened = Self.decoding(row.format).opened(row.event)
        guard case .value(let data) = opened.body else { return #expect(Bool(false), "\(row.name): \(opened.body)") }
        #expect(data == ["orderId": "A-1"])
        #expect(opened.coordinates["cloudEvent"]?["id"] == "7")
        #expect(opened.coordinates["cloudEvent"]?["source"] == "/shop")
        #expect(opened.coordinates["cloudEvent"]?["region"] == "eu")
        #expect(opened.coordinates["offset"] == 1)
        #expect(opened.id == row.event.id)
        #expect(opened.payload == row.event.payload, "what came is kept for replay")
    }

    @Test func theTimeOfTheEventIsItsOwn() {
        let opened = Self.decoding().opened(Self.event(Self.structured, CloudEvent.mediaType))
        #expect(opened.occurredAtMilliseconds == 1_767_323_045_000)
    }

    @Test func anEventThatIsReadAsJSONKeepsItsEnvelope() {
        var event = Self.event(Self.structured, CloudEvent.mediaType)
        event.body = .value(["specversion": "1.0"])
        guard case .value(let value) = Self.decoding(.json).opened(event).body else { return #expect(Bool(false)) }
        #expect(value == ["specversion": "1.0"])
    }

    static let bad: [(name: String, event: SourceEvent, reason: String)] = [
        ("no JSON", event("{", CloudEvent.mediaType), "no JSON"),
        ("no id", event(#"{"specversion":"1.0","source":"/s","type":"t"}"#, CloudEvent.mediaType), "id is missing"),
        (
            "another version", event(#"{"specversion":"0.3","id":"1","source":"/s","type":"t"}"#, CloudEvent.mediaType),
            "specversion"
        ),
        ("a batch as a message", event("[]", CloudEvent.batchMediaType), "batch"),
        ("another format", event("x", "application/cloudevents+protobuf"), "not read"),
        ("nothing of a CloudEvent", event("hello", "text/plain"), "no JSON"),
        ("too long", event(String(repeating: " ", count: 2 << 20), CloudEvent.mediaType), "maxBytes"),
    ]

    @Test(arguments: bad)
    func anEventThatIsNoneSaysWhy(_ row: (name: String, event: SourceEvent, reason: String)) {
        guard case .undecodable(let finding) = Self.decoding().opened(row.event).body else {
            return #expect(Bool(false), "\(row.name)")
        }
        #expect(finding.reason.contains(row.reason), "\(row.name): \(finding.reason)")
    }

    @Test func aCorrectedLetterHasTheAttributesItHasThen() {
        var letter = Self.decoding().opened(Self.event(Self.structured, CloudEvent.mediaType))
        letter.payload = Array(Self.structured.replacing("\"7\"", with: "\"8\"").utf8)
        #expect(Self.decoding().opened(letter).coordinates["cloudEvent"]?["id"] == "8")
        letter.payload = []
        #expect(Self.decoding().opened(letter).coordinates["cloudEvent"] == nil)
    }

    @Test func aFileHoldsABatchOrAnEventALine() {
        for (name, text) in [
            ("events.json", "[\(Self.structured),\(Self.structured)]"),
            ("events.ndjson", "\(Self.structured)\n\(Self.structured)\n"),
        ] {
            var decoder = RecordDecoder(Array(text.utf8), name: name, decoding: Self.decoding())
            var count = 0
            while let record = decoder.next() {
                count += 1
                let event = SourceEvent(
                    id: "1", payload: decoder.payload(of: record), contentType: decoder.contentType, body: record.body)
                guard case .value(let data) = Self.decoding().opened(event).body else {
                    return #expect(Bool(false), "\(name)")
                }
                #expect(data == ["orderId": "A-1"])
            }
            #expect(count == 2, "\(name)")
        }
    }
}
