import ConnectorKit
import Decisions
import Values

/// Carries out what a specification says about a queue, one call at a time.
struct QueueClient: Sendable {
    let event: EventSpec
    let spec: QueueSpec
    let runner: OperationRunner
    let parameters: QueueParameters
    let decoding: RecordDecoding

    /// A message as it was taken.
    struct Message: Sendable {
        var id: String
        var handle: String
        /// As the service gave it.
        var raw: Value
        var event: SourceEvent
    }

    /// A message for which an operation failed.
    struct Failure: Sendable, Hashable {
        /// Which of the messages of the call.
        var index: Int
        /// Whether trying again is of no use.
        var isFinal: Bool
        var reason: String
    }

    /// Takes at most `maximum` messages.
    func receive(maximum: Int) async throws -> [Message] {
        let count = min(maximum, self.spec.receive.maximum)
        let queue: ValueContext = [
            "maximum": .number(Number(count)), "wait": Self.seconds(self.parameters.wait),
            "lock": self.parameters.lock.map { Self.seconds($0) } ?? .null,
        ]
        let input = self.spec.receive.input.value(self.scope(["queue": .context(queue)])).withoutNulls
        let answer = try await self.runner.run(
            OperationCall(
                operation: self.spec.receive.operation, input: input, timeout: self.parameters.wait + .seconds(20)))
        switch self.spec.receive.messages.value(self.scope(["output": answer.value])) {
        case .null: return []
        case .list(let items): return try items.map { try self.message($0) }
        case let other:
            throw self.unexpected("no list of messages but \(other.typeName.lowercased())")
        }
    }

    private func message(_ raw: Value) throws(ConnectorError) -> Message {
        var map = self.scope(["message": raw, "content": .null])
        if let text = self.spec.message.envelope?.value(map).asString, let content = try? JSON.parse(text) {
            map = self.scope(["message": raw, "content": content])
        }
        let said = self.spec.message
        guard let id = said.id.text(map), !id.isEmpty, let handle = said.handle.text(map), !handle.isEmpty else {
            throw self.unexpected("a message without id or handle")
        }
        var coordinates: ValueContext = ["event": .string(self.event.id)]
        coordinates.merge(said.coordinates?.value(map).withoutNulls.asContext ?? ValueContext())
        if let deliveries = said.deliveries?.value(map), !deliveries.isNull {
            coordinates["deliveries"] =
                deliveries.asString.flatMap { Int64($0) }.map { .number(Number($0)) } ?? deliveries
        }
        if let key = said.orderingKey?.text(map) { coordinates["orderingKey"] = .string(key) }
        let (payload, contentType, content) = self.content(of: said.body.value(map), raw, map)
        return Message(
            id: id, handle: handle, raw: raw,
            event: SourceEvent(
                id: id, payload: payload, contentType: contentType, body: content, coordinates: coordinates,
                headers: said.headers?.value(map).withoutNulls.asContext ?? ValueContext(),
                occurredAtMilliseconds: said.occurredAt.flatMap { EventTime.milliseconds($0.value(map)) }))
    }

    /// The payload, its media type, and what it holds.
    private func content(
        of body: Value, _ raw: Value, _ map: MapScope
    ) -> (payload: [UInt8], contentType: String, body: SourceEvent.Body) {
        var stated = self.spec.message.contentType?.text(map)
        let payload: [UInt8]
        switch (body, self.spec.message.encoding) {
        case (.null, _):
            // A message that is not what the source was told: all of it goes to whoever looks at dead letters.
            return (
                Array(JSON.string(raw).utf8), "application/json",
                .undecodable(.init(line: 1, reason: "The message has no body where the source looks for it."))
            )
        case (.string(let text), .base64):
            guard let bytes = Base64.decode(text) else {
                return (
                    Array(text.utf8), "text/plain; charset=utf-8",
                    .undecodable(.init(line: 1, reason: "The body of the message is no base64 text."))
                )
            }
            payload = bytes
        case (.string(let text), .text): payload = Array(text.utf8)
        default:
            payload = Array(JSON.string(body).utf8)
            stated = stated ?? "application/json"
        }
        if stated == nil {
            let first = payload.first { $0 > 0x20 }
            let isJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
            stated = isJSON ? "application/json" : self.spec.message.encoding == .text ? "text/plain" : nil
        }
        let (contentType, content) = self.decoding.message(payload, contentType: stated)
        return (payload, contentType, content)
    }

    /// How many messages one call of `action` is about.
    func batch(of action: QueueSpec.Action) -> Int { self.parameters.batches ? action.batchMaximum : 1 }

    /// Carries out `action` on messages, at most `batch(of:)`, and returns those it failed for.
    ///
    /// Throws what concerns all of them.
    func perform(
        _ action: QueueSpec.Action, on messages: [Message], lock: Duration? = nil, delay: Duration = .zero
    ) async throws -> [Failure] {
        let values = messages.enumerated().map { index, message -> Value in
            [
                "key": .string("m\(index)"), "id": .string(message.id), "handle": .string(message.handle),
                "message": message.raw,
            ]
        }
        var variables: [String: Value] = [
            "messages": .list(values), "message": values.first ?? .null,
            "queue": ["lock": lock.map { Self.seconds($0) } ?? .null, "delay": Self.seconds(delay)],
        ]
        if let condition = action.condition, !condition.holds(self.scope(variables)) { return [] }
        let answer: OperationRunner.Answer
        do {
            answer = try await self.runner.run(
                OperationCall(
                    operation: action.operation, input: action.input.value(self.scope(variables)).withoutNulls,
                    idempotencyKey: messages.count == 1 ? messages[0].id : nil, timeout: .seconds(20)))
        } catch let error as ConnectorError where action.batchMaximum == 1 && Self.isLost(error) {
            return [Failure(index: 0, isFinal: true, reason: error.message)]
        }
        guard let failed = action.failed else { return [] }
        variables["queue"] = nil
        variables["output"] = answer.value
        return (failed.value(self.scope(variables)).asList ?? []).compactMap { item in
            guard let key = item["key"]?.asString, key.hasPrefix("m"), let index = Int(key.dropFirst()),
                messages.indices.contains(index)
            else { return nil }
            return Failure(
                index: index, isFinal: item["final"] == .boolean(true), reason: item["reason"]?.plainText ?? "")
        }
    }

    /// The message is no longer ours, or is gone.
    private static func isLost(_ error: ConnectorError) -> Bool { error.kind == .notFound || error.kind == .conflict }

    private func scope(_ variables: [String: Value]) -> MapScope {
        var all = variables
        all["connection"] = .context(self.runner.connection)
        all["source"] = .context(self.parameters.source)
        return MapScope(all, now: DateTime(epochMilliseconds: self.runner.clock.unixMilliseconds) ?? .feelEpoch)
    }

    /// Whole seconds, a part of one counted as one.
    private static func seconds(_ duration: Duration) -> Value {
        let (seconds, rest) = duration.components
        return .number(Number(rest > 0 ? seconds + 1 : seconds))
    }

    private func unexpected(_ what: String) -> ConnectorError {
        ConnectorError(
            .unknown, code: SpecErrorCode.unexpectedAnswer,
            "\(self.runner.spec.metadata.title) answered \(self.spec.receive.operation) with \(what).",
            remedy: "Compare the answer with the specification; the service may have changed.")
    }
}
