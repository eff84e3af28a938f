import ConnectorKit
import Values

/// What became of an event.
enum EventOutcome: Sendable {
    /// It started an instance; `result` has the variables at its end, a JSON object document, when the trigger waits for
    /// that.
    case started(Key, result: [UInt8]?)
    /// It reached an instance that waited for it.
    case correlated(Key)
    /// It was taken: a message that waits for somebody, a signal, a call that was made.
    case accepted
    /// Its dedupe key was known; the instance of the first one, where that is known.
    case duplicate(Key?)
    /// The filter stopped it.
    case filtered
    /// It was wrong, and the trigger forgets such events.
    case dropped
    /// It was wrong, and is kept for a person.
    case deadLettered(Key, code: String, message: String)
    /// It cannot be taken now.
    case failed(reason: String, retryAfter: Duration?)
}

/// A source whose senders wait to hear what became of their events.
///
/// `settled` is called for each event of each batch: with `failed` any number of times, then once with what it came to,
/// before the batch is acknowledged.
protocol OutcomeReceiver: EventSource {
    func settled(_ batch: EventBatch.ID, index: Int, _ outcome: EventOutcome)
}
