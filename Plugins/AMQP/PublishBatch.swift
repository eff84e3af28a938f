internal import ConnectorKit

/// Messages that were published together, and the caller who waits for what becomes of them.
///
/// Belongs to the publisher's thread.
final class PublishBatch {
    let id: Int
    var outcomes: [Outcome?]
    /// Which messages were written.
    var isSent: [Bool]
    var remaining: Int
    let deadline: ContinuousClock.Instant
    let continuation: CheckedContinuation<[Outcome], Never>

    init(
        _ id: Int, _ count: Int, deadline: ContinuousClock.Instant,
        _ continuation: CheckedContinuation<[Outcome], Never>
    ) {
        self.id = id
        self.outcomes = Array(repeating: nil, count: count)
        self.isSent = Array(repeating: false, count: count)
        self.remaining = count
        self.deadline = deadline
        self.continuation = continuation
    }
}

/// One message on its way.
///
/// Belongs to the publisher's thread.
final class PublishFlight {
    let message: OutgoingMessage
    let batch: PublishBatch
    let index: Int
    /// Why the broker gave it back.
    var returned: ConnectorError?

    init(_ message: OutgoingMessage, _ batch: PublishBatch, _ index: Int) {
        self.message = message
        self.batch = batch
        self.index = index
    }

    var isSettled: Bool { self.batch.outcomes[self.index] != nil }
}
