import HubDocuments
import Values

extension SpecReader {
    func tests(_ root: MappingReader) -> [SpecTest] {
        root.list("tests").enumerated().map { index, node in
            self.test(MappingReader(node, path: root.path(of: "tests[\(index)]"), log: self.log))
        }
    }

    private func test(_ reader: MappingReader) -> SpecTest {
        let name = reader.requiredString("name", example: "name: create maps its fields") ?? ""
        var test = SpecTest(
            name: name, position: reader.position, operation: reader.string("operation"),
            event: reader.string("event"), connection: self.context(reader, "connection") ?? ValueContext(),
            input: reader.node("input")?.value ?? [:], call: self.context(reader, "call") ?? ValueContext(),
            kept: self.context(reader, "kept") ?? ValueContext(), webhook: nil, poll: nil, queue: nil,
            expectedRequests: [], responses: [], expected: .null)
        test.webhook = self.checked(
            reader, "webhook", keys: ["method", "url", "query", "headers", "bodyText", "json", "now"])
        test.poll = self.checked(reader, "poll", keys: ["cursor", "parameters"])
        test.queue = self.checked(reader, "queue", keys: ["parameters", "decode", "then", "delay"])
        let requestKeys = [
            "method", "path", "url", "query", "headers", "absentHeaders", "bodyText", "json", "form",
        ]
        if let one = self.checked(reader, "expectRequest", keys: requestKeys) { test.expectedRequests = [one] }
        test.expectedRequests += self.checkedList(reader, "expectRequests", keys: requestKeys)
        let responseKeys = ["status", "headers", "json", "bodyText", "base64", "fail"]
        if let one = self.checked(reader, "respond", keys: responseKeys) { test.responses = [one] }
        test.responses += self.checkedList(reader, "respondSequence", keys: responseKeys)
        let expectedKeys =
            test.event == nil
            ? [
                "output", "outputEquals", "recordIds", "records", "requests", "attempts", "error", "facts",
                "alreadyDone", "retryable",
            ]
            : [
                "status", "accepted", "event", "dedupeKey", "orderingKey", "occurredAt", "body", "bodyText", "events",
                "reason", "eventIds", "requests", "cursor", "failed", "undecodable", "coordinates", "headers",
            ]
        if let expected = self.checked(reader, "expect", keys: expectedKeys) { test.expected = .context(expected) }
        reader.finish()
        self.checkUse(test, reader)
        return test
    }

    private func checkUse(_ test: SpecTest, _ reader: MappingReader) {
        func complain(_ message: String, _ remedy: String) {
            self.log.error(.uselessTest, "\"\(reader.path)\" \(message)", remedy: remedy, at: reader.position)
        }
        if (test.operation == nil) == (test.event == nil) {
            complain("names neither an operation nor an event, or both.", "Name one.")
        }
        if test.expected.isNull, test.expectedRequests.isEmpty {
            complain("expects nothing.", "Add expect or expectRequest.")
        }
        if test.operation != nil, test.responses.isEmpty, test.expected["error"] == nil {
            complain("has no answer.", "Add respond or respondSequence.")
        }
        if test.event != nil, [test.webhook, test.poll, test.queue].count(where: { $0 != nil }) != 1 {
            complain("has none of webhook, poll and queue, or several.", "Add one of them.")
        }
    }

    private func checked(_ reader: MappingReader, _ key: String, keys: [String]) -> ValueContext? {
        reader.node(key).map { self.checked($0, path: reader.path(of: key), keys: keys) }
    }

    private func checkedList(_ reader: MappingReader, _ key: String, keys: [String]) -> [ValueContext] {
        reader.list(key).enumerated().map { index, node in
            self.checked(node, path: "\(reader.path(of: key))[\(index)]", keys: keys)
        }
    }

    private func checked(_ node: DocumentNode, path: String, keys: [String]) -> ValueContext {
        let reader = MappingReader(node, path: path, log: self.log)
        for key in keys { _ = reader.node(key) }
        reader.finish()
        return node.value.asContext ?? ValueContext()
    }
}
