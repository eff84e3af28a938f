internal import Synchronization

/// Says once that something happened, to one who waits or comes later.
final class MCPHint: Sendable {
    private struct State {
        var isGiven = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    /// It happened.
    func give() {
        let waiting = self.state.withLock { state in
            state.isGiven = true
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }

    /// Whether it happened since this was asked last.
    func take() -> Bool {
        self.state.withLock { state in
            defer { state.isGiven = false }
            return state.isGiven
        }
    }

    /// Returns when it happens, at once if it did, or when the task is cancelled.
    ///
    /// One task at a time.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = self.state.withLock { state in
                    if state.isGiven || Task.isCancelled { return true }
                    state.waiting = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            let waiting = self.state.withLock { state in
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }
}
