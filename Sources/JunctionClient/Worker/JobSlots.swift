import Synchronization

/// Counts the jobs a worker may still take.
final class JobSlots: Sendable {
    private struct State {
        var free: Int
        var isClosed = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let capacity: Int
    private let state: Mutex<State>

    init(_ capacity: Int) {
        self.capacity = capacity
        self.state = Mutex(State(free: capacity))
    }

    /// Takes what is free, at most `maximum`, waiting until at least a quarter of it is; 0 when closed.
    ///
    /// Waiting for some to be free keeps activations few under load. One task at a time may call this.
    func take(_ maximum: Int) async -> Int {
        let enough = max(1, min(maximum, self.capacity) / 4)
        while true {
            let taken: Int? = self.state.withLock { state in
                if state.isClosed { return 0 }
                guard state.free >= enough else { return nil }
                let taken = min(state.free, maximum)
                state.free -= taken
                return taken
            }
            if let taken { return taken }
            await withCheckedContinuation { continuation in
                let resumesNow = self.state.withLock { state in
                    if state.isClosed || state.free >= enough { return true }
                    state.waiting = continuation
                    return false
                }
                if resumesNow { continuation.resume() }
            }
        }
    }

    func give(_ count: Int) {
        guard count > 0 else { return }
        self.wake { $0.free += count }
    }

    func close() {
        self.wake { $0.isClosed = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiting = self.state.withLock { state in
            change(&state)
            defer { state.waiting = nil }
            return state.waiting
        }
        waiting?.resume()
    }
}
