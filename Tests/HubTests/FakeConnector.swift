import ConnectorKit
import Synchronization
import Values

/// A connector whose answers and events are written by the test.
final class FakeConnector: ConnectorModule {
    struct State {
        /// Answers to calls, in order; when they are used up, every call succeeds.
        var outcomes: [Outcome] = []
        var calls: [OperationCall] = []
        /// How long each call takes, on the manual clock.
        var callDuration = Duration.zero
        var connectErrors: [any Error] = []
        var connections = 0
        var closed = 0
        var isRepeatable: Bool?
        /// What the sources give: batches of events by id.
        var batches: [[SourceEvent]] = []
        var interruptions: [any Error] = []
        var acknowledged: [EventBatch.ID] = []
        var acknowledgeErrors: [any Error] = []
        var armed: [SourceRequest] = []
        /// Ends the source when everything was read, instead of waiting for more.
        var endsInput = false
        /// Whether a batch that is out is given again.
        var repeatsBatches = false
    }

    let state = Mutex(State())
    private let clock: ManualConnectorClock?
    private let id: String

    init(id: String = "fake", clock: ManualConnectorClock? = nil) {
        self.id = id
        self.clock = clock
    }

    func change<Result: Sendable>(_ body: @Sendable (inout State) -> Result) -> Result {
        self.state.withLock { body(&$0) }
    }

    var calls: [OperationCall] { self.state.withLock { $0.calls } }

    var descriptor: ConnectorDescriptor {
        func operation(_ id: String, _ effect: Effect, _ idempotency: OperationIdempotency) -> OperationDescriptor {
            OperationDescriptor(
                id: id, title: id, summary: id, effect: effect, idempotency: idempotency, input: true, output: true)
        }
        return ConnectorDescriptor(
            id: self.id, version: 1, title: "Fake", summary: "Does what the test says.", parameters: true,
            operations: [
                operation("act", .create, .key(window: nil)), operation("once", .create, .none),
                operation("look", .read, .natural),
            ])
    }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let error = self.change { state -> (any Error)? in
            state.connections += 1
            return state.connectErrors.isEmpty ? nil : state.connectErrors.removeFirst()
        }
        if let error { throw error }
        if let reference = SecretReference(configuration.parameters["token"] ?? .null) {
            _ = try await configuration.secrets.secret(reference)
        }
        return FakeConnection(module: self)
    }

    private struct FakeConnection: Connection {
        let module: FakeConnector

        func test() async throws {}

        func isRepeatable(_ call: OperationCall) -> Bool? { self.module.change { $0.isRepeatable } }

        func invoke(_ call: OperationCall) async -> Outcome {
            await Task.yield()
            let (outcome, duration) = self.module.change { state -> (Outcome, Duration) in
                state.calls.append(call)
                let next = state.outcomes.isEmpty ? .done(["ok": true], facts: [:]) : state.outcomes.removeFirst()
                return (next, state.callDuration)
            }
            self.module.clock?.advance(by: duration)
            return outcome
        }

        func armSource(_ request: SourceRequest) async throws -> any EventSource {
            self.module.change { $0.armed.append(request) }
            return FakeSource(module: self.module)
        }

        func close() async { self.module.change { $0.closed += 1 } }
    }

    /// Gives the batches that were not acknowledged, from the first one, as a source does after a restart.
    private actor FakeSource: EventSource {
        let module: FakeConnector
        var next = 0

        init(module: FakeConnector) { self.module = module }

        func connect() async throws { self.next = 0 }

        func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
            await Task.yield()
            let start = self.next
            let result = self.module.change { state -> Result<EventBatch?, any Error> in
                if !state.interruptions.isEmpty { return .failure(state.interruptions.removeFirst()) }
                for index in start..<max(start, state.batches.count) {
                    let id = EventBatch.ID(rawValue: UInt64(index))
                    if state.acknowledged.contains(id) { continue }
                    return .success(EventBatch(id: id, events: state.batches[index]))
                }
                return state.endsInput ? .failure(SourceInterruption.endOfInput) : .success(nil)
            }
            if let batch = try result.get() {
                if !self.module.change({ $0.repeatsBatches }) { self.next = Int(batch.id.rawValue) + 1 }
                return batch
            }
            if wait > .zero { try await Task.sleep(for: .milliseconds(2)) }
            return nil
        }

        func acknowledge(_ batch: EventBatch.ID) async throws {
            let error = self.module.change { state -> (any Error)? in
                if !state.acknowledgeErrors.isEmpty { return state.acknowledgeErrors.removeFirst() }
                state.acknowledged.append(batch)
                return nil
            }
            if let error { throw error }
        }

        func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {}

        func close() async {}
    }
}
