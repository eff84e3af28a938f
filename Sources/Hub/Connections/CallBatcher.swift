import ConnectorKit
import Synchronization

/// Joins attempts of calls to one operation that are made at the same time into batches of the transport.
///
/// Nothing waits for company: an attempt leaves at once unless enough batches are under way; what comes meanwhile leaves
/// together when one of them has ended, or when a batch is full. Each attempt has gone through the guard of its own call
/// before and gets its own outcome. Safe from any task.
final class CallBatcher: Sendable {
    private struct Waiting {
        var call: OperationCall
        var item: Item
    }

    /// One attempt between its call and its batch.
    private final class Item: Sendable {
        private struct State {
            var continuation: CheckedContinuation<Outcome, Never>?
            var batch: Batch?
            var isCancelled = false
        }

        private let state = Mutex(State())

        func wait(for continuation: CheckedContinuation<Outcome, Never>) {
            self.state.withLock { $0.continuation = continuation }
        }

        func answer(_ outcome: Outcome) {
            self.state.withLock { state in
                defer { state.continuation = nil }
                return state.continuation
            }?.resume(returning: outcome)
        }

        func leaves(in batch: Batch) {
            let isCancelled = self.state.withLock { state in
                state.batch = batch
                return state.isCancelled
            }
            if isCancelled { batch.giveUpOne() }
        }

        func cancel() {
            self.state.withLock { state -> Batch? in
                guard !state.isCancelled else { return nil }
                state.isCancelled = true
                return state.batch
            }?.giveUpOne()
        }
    }

    /// A batch under way; it is cancelled when nobody waits for it any more.
    private final class Batch: Sendable {
        private let state: Mutex<(left: Int, task: Task<Void, Never>?)>

        init(count: Int) {
            self.state = Mutex((count, nil))
        }

        func run(_ body: @escaping @Sendable () async -> Void) {
            let task = Task { await body() }
            let isGivenUp = self.state.withLock { state in
                state.task = task
                return state.left == 0
            }
            if isGivenUp { task.cancel() }
        }

        func giveUpOne() {
            self.state.withLock { state -> Task<Void, Never>? in
                state.left -= 1
                return state.left == 0 ? state.task : nil
            }?.cancel()
        }
    }

    private struct State {
        var waiting: [Waiting] = []
        var underWay = 0
    }

    /// Batches that may be under way before further calls wait for company.
    private static let underWayMax = 2

    private let maximum: Int
    private let state = Mutex(State())

    /// Creates a batcher for batches of at most `maximum` calls.
    init(maximum: Int) {
        self.maximum = max(1, maximum)
    }

    /// Makes an attempt, alone or together with others.
    func invoke(_ call: OperationCall, on connection: any Connection) async -> Outcome {
        let item = Item()
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                item.wait(for: continuation)
                let batch = self.state.withLock { state -> [Waiting] in
                    state.waiting.append(Waiting(call: call, item: item))
                    guard state.underWay < Self.underWayMax || state.waiting.count >= self.maximum else { return [] }
                    return self.take(&state)
                }
                self.send(batch, on: connection)
            }
        } onCancel: {
            // One that has not left yet need not wait for those that have.
            let isWaiting = self.state.withLock { state in
                guard let index = state.waiting.firstIndex(where: { $0.item === item }) else { return false }
                state.waiting.remove(at: index)
                return true
            }
            if isWaiting {
                item.answer(Self.cancelled)
            } else {
                item.cancel()
            }
        }
    }

    private func take(_ state: inout State) -> [Waiting] {
        let batch = Array(state.waiting.prefix(self.maximum))
        state.waiting.removeFirst(batch.count)
        if !batch.isEmpty { state.underWay += 1 }
        return batch
    }

    private func send(_ items: [Waiting], on connection: any Connection) {
        guard !items.isEmpty else { return }
        let batch = Batch(count: items.count)
        batch.run {
            if items.count == 1 {
                items[0].item.answer(await connection.invoke(items[0].call))
            } else {
                let outcomes = await connection.invokeBatch(items.map(\.call))
                for (index, item) in items.enumerated() {
                    item.item.answer(index < outcomes.count ? outcomes[index] : Self.missing)
                }
            }
            let next = self.state.withLock { state in
                state.underWay -= 1
                return self.take(&state)
            }
            self.send(next, on: connection)
        }
        for item in items { item.item.leaves(in: batch) }
    }

    private static var cancelled: Outcome {
        .failed(
            ConnectorError(
                .timeout, code: ConnectorError.Code.cancelled, "The call was cancelled before it was sent.",
                remedy: "Nothing: it comes again."))
    }

    private static var missing: Outcome {
        .failed(
            ConnectorError(
                .unknown, code: ConnectorError.Code.unexpected, "The connector gave no outcome for a call of a batch.",
                remedy: "Report this as a defect of the connector.", mayHaveExecuted: true))
    }
}
