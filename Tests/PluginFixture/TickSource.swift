import ConnectorKit
import Values

/// Counts on from the position it saved last.
actor TickSource: EventSource {
    static let event = EventDescriptor(
        id: "tick", title: "Tick", summary: "Counts.", parameters: true, payload: true, delivery: .atLeastOnce,
        isOrdered: true)

    private let memory: any SourceMemory
    private var last: Int64 = 0

    init(_ request: SourceRequest) { self.memory = request.memory }

    func connect() async throws { self.last = try await self.memory.load()?["at"]?.asInt64 ?? 0 }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        self.last += 1
        return EventBatch(
            id: .init(rawValue: UInt64(self.last)),
            events: [SourceEvent(id: "tick-\(self.last)", payload: [], contentType: "text/plain")])
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        try await self.memory.save(["at": .number(Number(Int64(batch.rawValue)))])
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {}

    func close() async {}
}
