import ConnectorKit
public import HubDocuments
import Values

/// One entry of `tests` in a trigger's document: an event, and what the trigger is expected to do with it.
public struct TriggerTest: Sendable {
    /// What it shows.
    public var name: String
    /// Where it stands.
    public var position: DocumentPosition

    /// The event; its content comes from `payloadFile`, if that is set.
    var event: TriggerEventInput
    /// A file with the payload, as its author named it.
    var payloadFile: String?
    /// When the event is received, in Unix milliseconds.
    var now: Int64
    /// What is expected of each record the event holds.
    var expected: [Expectation]

    /// When events of tests are received unless the test says otherwise: 2025-06-15T15:06:40Z.
    static let nowStandard: Int64 = 1_750_000_000_000

    /// What is expected of one record.
    struct Expectation: Sendable {
        /// What is to be done.
        var kind: TriggerDecision.Kind
        /// Facts that must be there.
        var facts = ValueContext()
        /// The variables, all of them.
        var variablesEqual: Value?
        /// A part of a dead letter's message.
        var message: String?
        /// The dedupe key.
        var dedupeKey: String?
    }
}

extension HubCode {
    /// A test of a trigger that shows nothing: without an event, without an expectation, or with two.
    public static let uselessTriggerTest = HubCode(rawValue: "HB650")
}

// MARK: - Reading

extension TriggerTest {
    /// Reads the list under `tests` of a trigger's document; what is wrong is in the reader's log.
    public static func read(_ root: MappingReader) -> [TriggerTest] {
        root.list("tests").enumerated().compactMap { index, node in
            TriggerTestReader(MappingReader(node, path: root.path(of: "tests[\(index)]"), log: root.log)).read()
        }
    }
}

private struct TriggerTestReader {
    let reader: MappingReader

    init(_ reader: MappingReader) { self.reader = reader }

    func read() -> TriggerTest? {
        let name = self.reader.requiredString("name", example: "name: an order starts the intake")
        let event = self.event()
        let now = self.instant("now", self.reader) ?? TriggerTest.nowStandard
        let expected = self.expectations()
        self.reader.finish()
        guard let name, let event, !expected.isEmpty else { return nil }
        return TriggerTest(
            name: name, position: self.reader.position, event: event.input, payloadFile: event.file, now: now,
            expected: expected)
    }

    private func complain(_ message: String, _ remedy: String, at position: DocumentPosition? = nil) {
        self.reader.log.error(
            .uselessTriggerTest, "\"\(self.reader.path)\" \(message)", remedy: remedy,
            at: position ?? self.reader.position)
    }

    // MARK: Events

    private func event() -> (input: TriggerEventInput, file: String?)? {
        guard let reader = self.reader.requiredMapping("event", example: "event: { json: { orderId: A-1 } }") else {
            return nil
        }
        let file = reader.string("payloadFile")
        var contents: [TriggerEventInput.Content] = []
        if let text = reader.string("payload") { contents.append(.bytes(Array(text.utf8))) }
        if let text = reader.string("base64"), let node = reader.node("base64") {
            if let bytes = Base64.decode(text) {
                contents.append(.bytes(bytes))
            } else {
                reader.reject("base64", node, expected: "base64")
            }
        }
        // A record may be null: the entry itself counts.
        _ = reader.node("json")
        if let entry = reader.entries.first(where: { $0.key == "json" }) { contents.append(.record(entry.value.value)) }
        if contents.count + (file == nil ? 0 : 1) != 1, reader.node("base64") == nil || contents.count > 1 {
            self.complain(
                "has an event without content, or with two.",
                "Write one of payload, payloadFile, base64 and json.", at: reader.position)
        }
        var input = TriggerEventInput(contents.first ?? .bytes([]))
        input.contentType = reader.string("contentType")
        input.headers = self.context("headers", reader)
        input.coordinates = self.context("coordinates", reader)
        input.occurredAtMilliseconds = self.instant("time", reader)
        input.id = reader.string("id") ?? input.id
        input.fileName = file.map { String($0.split(separator: "/").last ?? "") }
        reader.finish()
        return (input, file)
    }

    private func context(_ key: String, _ reader: MappingReader) -> ValueContext {
        guard let node = reader.node(key) else { return ValueContext() }
        if let context = node.value.asContext { return context }
        reader.reject(key, node, expected: "a mapping")
        return ValueContext()
    }

    private func instant(_ key: String, _ reader: MappingReader) -> Int64? {
        guard let node = reader.node(key) else { return nil }
        if case .string(let text) = node.content, let milliseconds = Timestamp.milliseconds(text) {
            return milliseconds
        }
        reader.reject(key, node, expected: "a date and time such as 2026-01-31T12:00:00Z", remedy: "Quote it.")
        return nil
    }

    // MARK: Expectations

    private func expectations() -> [TriggerTest.Expectation] {
        guard let node = self.reader.requiredNode("expect", example: "expect: { start: { variables: { … } } }") else {
            return []
        }
        let path = self.reader.path(of: "expect")
        guard case .list(let items) = node.content else {
            return self.expectation(MappingReader(node, path: path, log: self.reader.log)).map { [$0] } ?? []
        }
        if items.isEmpty { self.complain("expects nothing.", "Say what becomes of each record.", at: node.position) }
        return items.enumerated().compactMap { index, item in
            self.expectation(MappingReader(item, path: "\(path)[\(index)]", log: self.reader.log))
        }
    }

    private func expectation(_ reader: MappingReader) -> TriggerTest.Expectation? {
        let dedupeKey = reader.string("dedupeKey")
        var found: [TriggerTest.Expectation] = []
        for kind in TriggerDecision.Kind.allCases {
            guard let node = reader.node(kind.rawValue) else { continue }
            switch kind {
            case .filtered, .dropped:
                if node.content != .boolean(true) { reader.reject(kind.rawValue, node, expected: "true") }
                found.append(TriggerTest.Expectation(kind: kind))
            default:
                found.append(self.effect(kind, node, reader))
            }
        }
        reader.finish()
        guard found.count == 1, var expectation = found.first else {
            let kinds = TriggerDecision.Kind.allCases.map(\.rawValue).joined(separator: ", ")
            self.complain("expects \(found.count) effects.", "Expect one of \(kinds).", at: reader.position)
            return nil
        }
        expectation.dedupeKey = dedupeKey
        return expectation
    }

    private func effect(
        _ kind: TriggerDecision.Kind, _ node: DocumentNode, _ reader: MappingReader
    ) -> TriggerTest.Expectation {
        var expectation = TriggerTest.Expectation(kind: kind)
        // `start: true` is enough when nothing more is to be said.
        if node.content == .boolean(true) { return expectation }
        let effect = MappingReader(node, path: reader.path(of: kind.rawValue), log: reader.log)
        for name in Self.facts(of: kind) {
            if effect.node(name) != nil || effect.entries.contains(where: { $0.key == name }) {
                expectation.facts[name] = effect.entries.first { $0.key == name }?.value.value
            }
        }
        if kind == .start || kind == .correlate || kind == .signal {
            expectation.variablesEqual = effect.node("variablesEqual")?.value
        }
        if kind == .deadLetter { expectation.message = effect.string("message") }
        effect.finish()
        return expectation
    }

    private static func facts(of kind: TriggerDecision.Kind) -> [String] {
        switch kind {
        case .start: ["workflow", "version", "businessKey", "variables"]
        case .correlate: ["message", "key", "variables", "workflow", "version", "businessKey"]
        case .signal: ["name", "variables"]
        case .call: ["connection", "operation", "input"]
        case .deadLetter: ["code", "stage"]
        case .filtered, .dropped: []
        }
    }
}
