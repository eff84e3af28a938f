import ConnectorKit
import Testing
import Values

/// Events as in the examples of the specification's JSON format and bindings.
@Suite struct CloudEventTests {
    private static let example = """
        {"specversion":"1.0","type":"com.example.someevent","source":"/mycontext","subject":null,"id":"C234-1234-1234",
         "time":"2018-04-05T17:31:00Z","comexampleextension1":"value","comexampleothervalue":5,
         "datacontenttype":"application/json","data":{"appinfoA":"abc","appinfoB":123,"appinfoC":true}}
        """

    /// With the required attributes in place of `BASE`.
    private static func json(_ text: String) -> [UInt8] {
        Array(text.replacing("BASE", with: #""specversion":"1.0","id":"1","source":"s","type":"t""#).utf8)
    }

    private func reason(_ json: String) -> String? {
        do {
            _ = try CloudEvent.structured(Self.json(json))
            return nil
        } catch { return error.reason }
    }

    @Test func readsTheExampleOfTheJSONFormat() throws {
        let event = try CloudEvent.structured(Array(Self.example.utf8))
        #expect(event.type == "com.example.someevent")
        #expect(event.subject == nil)
        #expect(event.key == "/mycontext C234-1234-1234")
        #expect(event.occurredAtMilliseconds == 1_522_949_460_000)
        #expect(event.extensions == ["comexampleextension1": "value", "comexampleothervalue": 5])
        #expect(event.data == .value(["appinfoA": "abc", "appinfoB": 123, "appinfoC": true]))
    }

    @Test func anEventIsReadAgainAsItWasWritten() throws {
        for data: CloudEvent.Data in [
            .none, .value(["a": [1, 2]]), .text("<much wow=\"xml\"/>"), .bytes([0, 255, 7]),
        ] {
            let type =
                switch data {
                case .text: "text/xml"
                case .bytes: "application/octet-stream"
                default: "application/json"
                }
            let event = try CloudEvent(
                id: "1", source: "urn:x", type: "t", subject: "s", time: "2026-01-01T00:00:00Z", dataContentType: type,
                dataSchema: "https://example.com/s", extensions: ["traceid": "ä", "flag": true], data: data)
            #expect(try CloudEvent.structured(event.json) == event)
        }
    }

    @Test func binaryDataOfTheJSONFormatIsBytes() throws {
        let event = try CloudEvent.structured(
            Self.json(#"{BASE,"datacontenttype":"application/vnd.x","data_base64":"AP8H"}"#))
        #expect(event.data == .bytes([0, 255, 7]))
        #expect(event.dataValue == "AP8H")
    }

    @Test func dataWithoutATypeIsJSON() throws {
        let event = try CloudEvent.structured(
            Self.json(#"{BASE,"data":"text"}"#))
        #expect(event.data == .value("text"))
    }

    @Test(arguments: [
        (#"{"id":"1","source":"s","type":"t"}"#, "specversion is missing."),
        (
            #"{"specversion":"0.3","id":"1","source":"s","type":"t"}"#,
            "specversion is not \"1.0\", the one version that is read."
        ),
        (#"{"specversion":"1.0","source":"s","type":"t"}"#, "id is missing."),
        (#"{"specversion":"1.0","id":"","source":"s","type":"t"}"#, "id is empty."),
        (#"{"specversion":"1.0","id":7,"source":"s","type":"t"}"#, "id is a number, not a text."),
        (
            #"{"specversion":"1.0","id":"1","source":"a b","type":"t"}"#,
            "source is no URI reference: it has a blank in it."
        ),
        (#"{BASE,"time":"yesterday"}"#, "time is no date and time after RFC 3339."),
        (
            #"{BASE,"Big":"x"}"#,
            "\"Big\" is no name of an attribute: only a to z and 0 to 9 are allowed."
        ),
        (
            #"{BASE,"x":{}}"#,
            "x is a context; attributes are texts, numbers or true or false."
        ),
        (#"{BASE,"x":3000000000}"#, "x is no whole number of 32 bits."),
        (#"{"specversion":"1.0","id":"1","source":"s","type":"a\u0007"}"#, "type has a control character in it."),
        (
            #"{BASE,"data":1,"data_base64":"AA=="}"#,
            "The event has both data and data_base64."
        ),
        (#"{BASE,"data_base64":"?"}"#, "data_base64 is no base64."),
        ("[]", "The event is a list, not a JSON object."),
    ])
    func refusesWhatIsNoEvent(json: String, reason: String) {
        #expect(self.reason(json) == reason)
    }

    @Test func refusesCutOffJSON() {
        for length in 0..<Self.example.utf8.count {
            #expect(throws: CloudEvent.Problem.self) {
                try CloudEvent.structured(Array(Self.example.utf8.prefix(length)))
            }
        }
    }

    @Test(arguments: ["ce_", "ce-", "cloudEvents:", "cloudEvents_", "CE-"])
    func binaryModeHasItsAttributesInHeaders(prefix: String) throws {
        let headers: [(key: String, value: Value)] = [
            (prefix + "specversion", "1.0"), (prefix + "id", "1"), (prefix + "source", "/a"), (prefix + "type", "t"),
            (prefix + "traceid", "z"), ("Content-Type", "application/json"), ("other", "x"),
        ]
        let event = try CloudEvent.binary(
            attributes: CloudEvent.attributes(inHeaders: headers), contentType: "application/json; charset=utf-8",
            content: Array(#"{"a":1}"#.utf8))
        #expect(event.extensions == ["traceid": "z"])
        #expect(event.data == .value(["a": 1]))
        #expect(event.dataContentType == "application/json; charset=utf-8")
    }

    @Test func binaryContentIsWhatItsTypeSays() throws {
        let attributes: ValueContext = ["specversion": "1.0", "id": "1", "source": "s", "type": "t"]
        func data(_ type: String?, _ content: [UInt8]) throws -> CloudEvent.Data {
            try CloudEvent.binary(attributes: attributes, contentType: type, content: content).data
        }
        #expect(try data("text/plain", [0x68, 0x69]) == .text("hi"))
        #expect(try data(nil, [1]) == .bytes([1]))
        #expect(try data("application/json", []) == .none)
        #expect(throws: CloudEvent.Problem.self) { try data("text/plain", [0xFF]) }
        #expect(throws: CloudEvent.Problem.self) { try data("application/json", [0x7B]) }
    }

    @Test func aBadEventOfABatchLeavesTheOthersAlone() throws {
        let batch = #"[{BASE},{"id":"2"}, {BASE,"subject":"3"}]"#
        let items = try CloudEvent.batch(Self.json(batch))
        #expect(items.map { (try? $0.event.get())?.id } == ["1", nil, "1"])
        #expect(try CloudEvent.batch(Array("[]".utf8)).isEmpty)
        #expect(throws: CloudEvent.Problem.self) { try CloudEvent.batch(Self.json(batch), countMaximum: 2) }
        #expect(throws: CloudEvent.Problem.self) { try CloudEvent.batch(Array("{}".utf8)) }
    }

    @Test func theMediaTypeSaysHowEventsAreCarried() {
        #expect(CloudEvent.Mode(contentType: "application/cloudevents+json; charset=UTF-8") == .structured)
        #expect(CloudEvent.Mode(contentType: "Application/CloudEvents-Batch+json") == .batch)
        #expect(CloudEvent.Mode(contentType: "application/json") == .binary)
        #expect(CloudEvent.Mode(contentType: nil) == .binary)
        #expect(
            CloudEvent.Mode(contentType: "application/cloudevents+avro") == .unsupported("application/cloudevents+avro")
        )
    }

    @Test func anEventIsTakenInUnderItsKeyWithItsAttributes() throws {
        let event = try CloudEvent.structured(Array(Self.example.utf8)).sourceEvent
        #expect(event.id == "/mycontext C234-1234-1234")
        #expect(event.coordinates["cloudEvent"]?["type"] == "com.example.someevent")
        #expect(try CloudEvent.structured(event.payload).id == "C234-1234-1234")
    }
}
