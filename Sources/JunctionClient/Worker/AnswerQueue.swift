import Synchronization

/// What handlers have finished and the server does not know yet; drained in batches.
///
/// Bounded by the capacity of its worker, which does not take more jobs than it may leave unanswered.
final class AnswerQueue<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var isFinished = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func append(_ element: Element) {
        let waiting = self.state.withLock { state in
            state.elements.append(element)
            return state.waiting.popLast()
        }
        waiting?.resume()
    }

    /// No more elements come; those that are there are still handed out.
    func finish() {
        let waiting = self.state.withLock { state in
            state.isFinished = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    /// The oldest elements, at most `maximum`; waits for the first one.
    ///
    /// Empty when the queue has finished.
    func next(_ maximum: Int) async -> [Element] {
        while true {
            let (batch, isFinished) = self.state.withLock { state in
                let batch = Array(state.elements.prefix(maximum))
                state.elements.removeFirst(batch.count)
                return (batch, state.isFinished)
            }
            if !batch.isEmpty || isFinished { return batch }
            await withCheckedContinuation { continuation in
                let resumesNow = self.state.withLock { state in
                    if !state.elements.isEmpty || state.isFinished { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        }
    }
}
