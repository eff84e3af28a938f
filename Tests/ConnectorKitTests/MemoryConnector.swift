import ConnectorKit
import Synchronization
import Values

/// A connector to nothing: it echoes, waits, and emits what is put into its mailbox.
///
/// Some of it can be made to misbehave.
struct MemoryConnector: ConnectorModule {
    /// A promise it can be told to break.
    enum Defect: CaseIterable, Sendable {
        case changesDescriptor, badNames, noSchema, acceptsUnknownParameters, cannotConnect, testFails,
            answersWhenClosed
        case acceptsUnknownOperations, acceptsUnknownFields, acceptsUnknownEvents, failsGoodCalls, failsWhenBusy
        case ignoresCancellation, losesEvents, repeatsAcknowledged, changesIDs, repeatsIDs, readFails
        case shortBatches, batchFailsTogether, commitsPastGaps, losesRejected, stallsWhenWithheld
    }

    var defect: Defect?
    let mailbox = Mailbox()

    final class Mailbox: Sendable {
        let events = Mutex<[String]>([])
        let readings = Mutex(0)
    }

    var descriptor: ConnectorDescriptor {
        let schema: Value = ["type": "object", "additionalProperties": false]
        var descriptor = ConnectorDescriptor(
            id: "memory", version: 1, title: "Memory", summary: "Connects to nothing.", parameters: schema,
            operations: ["echo", "wait"].map {
                OperationDescriptor(
                    id: $0, title: "Do it", summary: "Does it.", effect: .read, idempotency: .natural, input: schema,
                    output: true)
            },
            events: [
                EventDescriptor(
                    id: "mail", title: "Mail", summary: "Something was put in.", parameters: schema, payload: true,
                    delivery: .atLeastOnce, isOrdered: true)
            ])
        switch self.defect {
        case .changesDescriptor:
            descriptor.version = self.mailbox.readings.withLock {
                $0 += 1; return $0
            }
        case .badNames:
            descriptor.id = "Memory Lane"
            descriptor.operations[1].id = "echo"
        case .noSchema: descriptor.operations[0].input = "none"
        default: break
        }
        return descriptor
    }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        if self.defect == .cannotConnect { throw ConnectorError(.unavailable, code: "X", "no", remedy: "none") }
        let reader = FieldReader(configuration.parameters, path: "parameters", code: "X")
        reader.finish()
        if self.defect != .acceptsUnknownParameters, let error = ConnectorError.invalidParameters(reader.diagnostics) {
            throw error
        }
        return MemoryConnection(defect: self.defect, module: self)
    }
}

private final class MemoryConnection: Connection {
    let defect: MemoryConnector.Defect?
    let module: MemoryConnector
    let isClosed = Mutex(false)
    let running = Mutex(0)

    init(defect: MemoryConnector.Defect?, module: MemoryConnector) {
        self.defect = defect
        self.module = module
    }

    func test() async throws {
        if self.defect == .testFails { throw ConnectorError(.auth, code: "X", "no", remedy: "none") }
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        if self.isClosed.withLock({ $0 }), self.defect != .answersWhenClosed { return .failed(.closed("memory")) }
        guard ["echo", "wait"].contains(call.operation) || self.defect == .acceptsUnknownOperations else {
            return .failed(.unknownOperation(call.operation, of: self.module.descriptor))
        }
        let reader = FieldReader(call.input, path: "input", code: "X")
        _ = reader.value("text")
        reader.finish()
        if self.defect != .acceptsUnknownFields, let error = ConnectorError.invalidParameters(reader.diagnostics) {
            return .failed(error)
        }
        if self.defect == .failsGoodCalls { return .failed(ConnectorError(.conflict, code: "X", "no", remedy: "none")) }
        let others = self.running.withLock { running in
            running += 1
            return running - 1
        }
        defer { self.running.withLock { $0 -= 1 } }
        if Task.isCancelled {
            return .failed(
                self.defect == .ignoresCancellation
                    ? ConnectorError(.conflict, code: "X", "no", remedy: "none")
                    : ConnectorError(wrapping: CancellationError()))
        }
        for _ in 0..<10 { await Task.yield() }
        if self.defect == .failsWhenBusy, others > 0 {
            return .failed(ConnectorError(.unavailable, code: "X", "busy", remedy: "none"))
        }
        if call.operation == "wait", self.defect != .acceptsUnknownFields {
            do { try await Task.sleep(for: .seconds(60)) } catch { return .failed(ConnectorError(wrapping: error)) }
        }
        return .done(call.input["text"] ?? .null, facts: ValueContext())
    }

    func invokeBatch(_ calls: [OperationCall]) async -> [Outcome] {
        var outcomes: [Outcome] = []
        for call in calls { outcomes.append(await self.invoke(call)) }
        if self.defect == .shortBatches { outcomes = Array(outcomes.dropLast()) }
        if self.defect == .batchFailsTogether, let bad = outcomes.first(where: { $0.error != nil }) {
            outcomes = outcomes.map { _ in bad }
        }
        return outcomes
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        guard request.event == "mail" || self.defect == .acceptsUnknownEvents else {
            throw ConnectorError.unknownEvent(request.event, of: self.module.descriptor)
        }
        return MemorySource(defect: self.defect, mailbox: self.module.mailbox)
    }

    func close() async { self.isClosed.withLock { $0 = true } }
}

private actor MemorySource: EventSource {
    private let defect: MemoryConnector.Defect?
    private let mailbox: MemoryConnector.Mailbox
    /// What was handed out and not acknowledged.
    private var handed: Set<String> = []
    private var out: [EventBatch.ID: [String]] = [:]
    private var batches: UInt64 = 0

    init(defect: MemoryConnector.Defect?, mailbox: MemoryConnector.Mailbox) {
        self.defect = defect
        self.mailbox = mailbox
    }

    func connect() async throws { self.handed = [] }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        if self.defect == .readFails { throw SourceInterruption.endOfInput }
        if self.defect == .stallsWhenWithheld, self.batches > 0, maximum == 10, wait < .seconds(1) { self.batches = 99 }
        if self.batches == 99 { return nil }
        let texts = Array(
            self.mailbox.events.withLock { $0 }.filter { !self.handed.contains($0) }.prefix(maximum))
        guard !texts.isEmpty else { return nil }
        let salt = self.defect == .changesIDs ? "\(self.mailbox.readings.withLock { $0 += 1; return $0 })" : ""
        let events = texts.map { text in
            SourceEvent(
                id: self.defect == .repeatsIDs ? "same" : text + salt, payload: Array(text.utf8),
                contentType: "text/plain")
        }
        self.handed.formUnion(texts)
        self.batches += 1
        let id = EventBatch.ID(rawValue: self.batches)
        self.out[id] = texts
        if self.defect == .losesEvents { self.forget(texts) }
        return EventBatch(id: id, events: events)
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let texts = self.out.removeValue(forKey: batch), self.defect != .repeatsAcknowledged else { return }
        self.forget(self.defect == .commitsPastGaps ? Array(self.handed) : texts)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let texts = self.out.removeValue(forKey: batch) else { return }
        if self.defect == .losesRejected || disposition == .setAside { self.forget(texts) }
        self.handed.subtract(texts)
    }

    func close() async {}

    private func forget(_ texts: [String]) {
        self.mailbox.events.withLock { events in events.removeAll { texts.contains($0) } }
    }
}
