import Synchronization

/// Holds the outcome of work that ended in another task.
final class ResultBox<Success: Sendable>: Sendable {
    private let outcome = Mutex<Result<Success?, any Error>?>(nil)

    var value: Result<Success?, any Error>? { self.outcome.withLock { $0 } }

    func set(_ outcome: Result<Success?, any Error>) {
        self.outcome.withLock { $0 = outcome }
    }
}
