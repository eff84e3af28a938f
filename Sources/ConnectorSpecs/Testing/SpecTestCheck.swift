import ConnectorKit
import HTTPTransport
import Values

/// Compares what a test saw with what it expects.
struct SpecTestCheck {
    private(set) var failures: [String] = []

    mutating func fail(_ message: String) { self.failures.append(message) }

    private mutating func expect(_ what: String, _ expected: Value, _ found: Value) {
        guard !Self.matches(expected, found) else { return }
        self.fail("Expected \(what) \(Self.excerpt(expected)) but found \(Self.excerpt(found)).")
    }

    private mutating func expectEqual(_ what: String, _ expected: Value?, _ found: Value) {
        guard let expected, expected != found else { return }
        self.fail("Expected \(what) \(Self.excerpt(expected)) but found \(Self.excerpt(found)).")
    }

    private static func excerpt(_ value: Value) -> String {
        let text = JSON.string(value)
        return text.count > 400 ? String(text.prefix(400)) + "…" : text
    }

    /// Whether `found` has everything `expected` has; lists are as long, and match item by item.
    static func matches(_ expected: Value, _ found: Value) -> Bool {
        switch (expected, found) {
        case (.context(let expected), .context(let found)):
            expected.allSatisfy { key, value in
                found[key].map { Self.matches(value, $0) } ?? value.isNull
            }
        case (.list(let expected), .list(let found)):
            expected.count == found.count && zip(expected, found).allSatisfy { Self.matches($0, $1) }
        default: expected == found
        }
    }

    // MARK: - Requests

    mutating func requests(_ expected: [ValueContext], _ found: [SpecRequest]) {
        for (index, fields) in expected.enumerated() {
            let name = expected.count == 1 ? "request" : "request \(index + 1)"
            guard found.indices.contains(index) else {
                self.fail("Expected a \(name) but there were \(found.count).")
                return
            }
            self.request(name, fields, found[index])
        }
    }

    private mutating func request(_ name: String, _ expected: ValueContext, _ found: SpecRequest) {
        self.expectEqual("the \(name)'s method", expected["method"], .string(found.method))
        self.expectEqual("the \(name)'s url", expected["url"], .string(found.url))
        let address = HTTPAddress(found.url)
        self.expectEqual("the \(name)'s path", expected["path"], .string(address?.path ?? ""))
        if let query = expected["query"] { self.query(name, query, address?.query ?? "") }
        for (header, value) in expected["headers"]?.asContext ?? ValueContext() {
            let sent = found.header(header).map { Value.string($0) } ?? .null
            self.expectEqual("the \(name)'s header \(header)", value.plainText.map { .string($0) } ?? .null, sent)
        }
        for header in expected["absentHeaders"]?.asList ?? [] {
            guard let header = header.asString, let value = found.header(header) else { continue }
            self.fail("Expected no header \(header) in the \(name) but found \(value.prefix(80)).")
        }
        let text = String(decoding: found.body ?? [], as: UTF8.self)
        self.expectEqual("the \(name)'s body", expected["bodyText"], .string(text))
        if let json = expected["json"] {
            let body = (try? JSON.parse(text)) ?? .string(text)
            self.expectEqual("the \(name)'s body", json, body)
        }
        if let form = expected["form"] {
            self.expectEqual("the \(name)'s form", Self.texts(form), Self.pairs(text))
        }
    }

    private mutating func query(_ name: String, _ expected: Value, _ found: String) {
        self.expectEqual("the \(name)'s query", Self.texts(expected), Self.pairs(found))
    }

    /// The values as texts; null members left out.
    private static func texts(_ value: Value) -> Value {
        .context(
            ValueContext(
                (value.asContext ?? ValueContext()).compactMap { key, value in
                    switch value {
                    case .null: nil
                    case .list(let items): (key, .list(items.map { .string($0.plainText ?? "") }))
                    default: (key, .string(value.plainText ?? ""))
                    }
                }))
    }

    /// A query or form taken apart; a name that comes several times has a list.
    private static func pairs(_ text: String) -> Value {
        var pairs = ValueContext()
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = URLEncoding.decode(parts[0], isForm: true)
            let value = Value.string(parts.count > 1 ? URLEncoding.decode(parts[1], isForm: true) : "")
            switch pairs[name] {
            case nil: pairs[name] = value
            case .list(let items): pairs[name] = .list(items + [value])
            case let earlier?: pairs[name] = .list([earlier, value])
            }
        }
        return .context(pairs)
    }

    // MARK: - Outcomes

    mutating func outcome(
        _ expected: Value, _ answer: OperationRunner.Answer?, _ error: ConnectorError?, attempts: Int, requests: Int
    ) {
        self.expectEqual("requests", expected["requests"], .number(Number(requests)))
        self.expectEqual("attempts", expected["attempts"], .number(Number(attempts)))
        if let wanted = expected["error"] {
            guard let error else { return self.fail("Expected an error but the operation succeeded.") }
            return self.error(wanted, error)
        }
        guard let answer else {
            return self.fail("Expected success but found \(error.map { "\($0)" } ?? "nothing").")
        }
        if let output = expected["output"] { self.expect("the output", output, answer.value) }
        self.expectEqual("the output", expected["outputEquals"], answer.value)
        if let records = expected["records"] { self.expect("the records", records, .list(answer.records)) }
        self.expectEqual("the record ids", expected["recordIds"], .list(answer.records.map { $0["id"] ?? .null }))
        if let facts = expected["facts"] { self.expect("the facts", facts, .context(answer.facts)) }
        self.expectEqual("alreadyDone", expected["alreadyDone"], .boolean(answer.isAlreadyDone))
    }

    private mutating func error(_ expected: Value, _ error: ConnectorError) {
        self.expectEqual("the error's kind", expected["kind"], .string(error.kind.rawValue))
        self.expectEqual("retryable", expected["retryable"], .boolean(error.isRetryable))
        self.expectEqual("mayHaveExecuted", expected["mayHaveExecuted"], .boolean(error.mayHaveExecuted))
        self.expectEqual("the error's code", expected["code"], error.details["code"] ?? .string(error.code))
        if let details = expected["details"] { self.expect("the error's details", details, .context(error.details)) }
        if let text = expected["message"]?.asString, !error.message.contains(text) {
            self.fail("Expected a message with \"\(text)\" but found \"\(error.message)\".")
        }
        if let wanted = expected["retryAfter"].flatMap({ ErrorMapper.duration($0) }), wanted != error.retryAfter {
            self.fail(
                "Expected retryAfter \(Quantity.text(wanted)) but found "
                    + "\(error.retryAfter.map { Quantity.text($0) } ?? "none").")
        }
    }

    // MARK: - Events

    mutating func verdict(_ expected: Value, _ verdict: WebhookVerdict) {
        let reply = verdict.reply
        self.expectEqual("the status", expected["status"], .number(Number(reply.status)))
        var event: WebhookEvent?
        if case .event(let found, _) = verdict { event = found }
        var reason = ""
        if case .refused(_, let text) = verdict { reason = text }
        if let accepted = expected["accepted"], accepted != .boolean(event != nil) {
            self.fail("Expected accepted \(accepted) but it is not so\(reason.isEmpty ? "" : ": \(reason)").")
        }
        if let text = expected["reason"]?.asString, !reason.contains(text) {
            self.fail("Expected a reason with \"\(text)\" but found \"\(reason)\".")
        }
        if let wanted = expected["event"] { self.expect("the event", wanted, event?.payload ?? .null) }
        self.expectEqual("the dedupe key", expected["dedupeKey"], event?.dedupeKey.map { .string($0) } ?? .null)
        self.expectEqual("the ordering key", expected["orderingKey"], event?.orderingKey.map { .string($0) } ?? .null)
        self.expectEqual(
            "the time", expected["occurredAt"], event?.occurredAtMilliseconds.map { .number(Number($0)) } ?? .null)
        let text = String(decoding: reply.body, as: UTF8.self)
        self.expectEqual("the reply", expected["bodyText"], .string(text))
        if let body = expected["body"] { self.expect("the reply", body, (try? JSON.parse(text)) ?? .string(text)) }
    }

    mutating func found(_ expected: Value, _ found: [Poller.Found], _ cursor: PollCursor, requests: Int) {
        self.expectEqual("requests", expected["requests"], .number(Number(requests)))
        if let events = expected["events"] { self.expect("the events", events, .list(found.map(\.payload))) }
        self.expectEqual("the event ids", expected["eventIds"], .list(found.map { .string($0.id) }))
        let last = found.compactMap(\.position).max()
        self.expectEqual("the cursor", expected["cursor"], cursor.value(last))
    }

    /// Compares messages of a queue: `events` with what they hold, texts where nothing looked inside.
    mutating func messages(_ expected: Value, _ found: [QueueClient.Message], requests: Int) {
        self.expectEqual("requests", expected["requests"], .number(Number(requests)))
        self.expectEqual("the event ids", expected["eventIds"], .list(found.map { .string($0.id) }))
        if let events = expected["events"] {
            self.expect(
                "the events", events,
                .list(
                    found.map { message in
                        if case .value(let value) = message.event.body { return value }
                        return .string(String(decoding: message.event.payload, as: UTF8.self))
                    }))
        }
        if let coordinates = expected["coordinates"] {
            self.expect("the coordinates", coordinates, .list(found.map { .context($0.event.coordinates) }))
        }
        if let headers = expected["headers"] {
            self.expect("the headers", headers, .list(found.map { .context($0.event.headers) }))
        }
        self.expectEqual(
            "the times", expected["occurredAt"],
            .list(found.map { $0.event.occurredAtMilliseconds.map { .number(Number($0)) } ?? .null }))
        self.expectEqual(
            "the undecodable", expected["undecodable"],
            .list(
                found.filter { if case .undecodable = $0.event.body { true } else { false } }.map { .string($0.id) }))
    }

    /// Compares the messages an operation failed for.
    mutating func failed(_ expected: Value, _ found: [Int]) {
        self.expectEqual("the failed", expected["failed"], .list(found.map { .number(Number($0)) }))
    }
}
