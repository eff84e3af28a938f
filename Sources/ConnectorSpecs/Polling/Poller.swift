import ConnectorKit
import Crypto
import Decisions
import HTTPTransport
import Values

/// Fetches the events of a poll, once each call.
struct Poller: Sendable {
    let spec: PollSpec
    let runner: OperationRunner
    let cursor: PollCursor

    init(spec: PollSpec, runner: OperationRunner) {
        self.spec = spec
        self.runner = runner
        self.cursor = PollCursor(spec: spec)
    }

    /// One event as it was fetched.
    struct Found: Sendable {
        var id: String
        var payload: Value
        /// Where it stands; `nil` when it does not say.
        var position: Number?
        var occurredAtMilliseconds: Int64?
    }

    /// The events at and after `position`, oldest first, the lookback included.
    func fetch(
        after position: Number?, source: ValueContext, timeout: Duration
    ) async throws -> [Found] {
        let from = position.map { self.cursor.lookingBack($0) }
        let now = DateTime(epochMilliseconds: self.runner.clock.unixMilliseconds) ?? .feelEpoch
        let scope = MapScope(
            [
                "connection": .context(self.runner.connection), "cursor": self.cursor.value(from),
                "source": .context(source),
            ], now: now)
        var input = self.spec.input.value(scope).withoutNulls.asContext ?? ValueContext()
        if let more = source["input"]?.asContext { input.merge(more) }
        let answer = try await self.runner.run(
            OperationCall(operation: self.spec.operation, input: .context(input), timeout: timeout))
        var found: [Found] = []
        found.reserveCapacity(answer.records.count)
        for record in answer.records {
            let map = MapScope(
                ["event": record, "connection": .context(self.runner.connection), "source": .context(source)], now: now)
            found.append(
                Found(
                    id: self.spec.dedupeKey?.text(map) ?? Self.digest(record), payload: record,
                    position: self.cursor.position(self.spec.cursorField.value(map)),
                    occurredAtMilliseconds: self.spec.occurredAt.flatMap { EventTime.milliseconds($0.value(map)) }))
        }
        if !answer.isComplete { try self.checkOrder(found) }
        return found.enumerated().sorted { a, b in
            guard let first = a.element.position, let second = b.element.position, first != second else {
                return a.offset < b.offset
            }
            return first < second
        }.map(\.element)
    }

    /// A list that was not read to its end is a beginning only if its oldest events come first; else the older ones
    /// would be lost when the cursor moves on.
    private func checkOrder(_ found: [Found]) throws(ConnectorError) {
        let positions = found.map(\.position)
        let isAscending = zip(positions, positions.dropFirst()).allSatisfy { earlier, later in
            guard let earlier, let later else { return false }
            return earlier <= later
        }
        guard !isAscending else { return }
        throw ConnectorError(
            .unknown, code: SpecErrorCode.pagination,
            "\(self.spec.operation) lists more than \(found.count) events, newest first: the older ones cannot be read.",
            remedy: "Begin the source later (start), poll more often, or let the specification read more pages.")
    }

    /// The same for equal events.
    private static func digest(_ value: Value) -> String {
        Hex.encode(SHA256.hash(data: Array(JSON.string(value).utf8)).prefix(16))
    }
}
