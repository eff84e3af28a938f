import Engine
import Synchronization
import Values

/// Requests that wait for the reply of a partition, and those that wait for an instance to end.
final class PendingRequests: Sendable {
    private struct Content {
        var next: UInt64 = 1
        var replies: [UInt64: CheckedContinuation<Reply, Never>] = [:]
        var ends: [UInt64: CheckedContinuation<[UInt8]??, Never>] = [:]
        /// Instances that ended before their waiter came.
        var ended: [UInt64: [UInt8]?] = [:]
        var failure: CommandRejection?
    }

    private let content = Mutex(Content())

    var count: Int { content.withLock { $0.replies.count } }

    /// Registers a request and sends it; returns the reply.
    func reply(_ send: (UInt64) -> Void) async -> Reply {
        await withCheckedContinuation { continuation in
            let (id, failure) = content.withLock { content -> (UInt64, CommandRejection?) in
                if let failure = content.failure { return (0, failure) }
                let id = content.next
                content.next += 1
                content.replies[id] = continuation
                return (id, nil)
            }
            if let failure {
                continuation.resume(returning: .rejected(failure))
            } else {
                send(id)
            }
        }
    }

    func resume(_ request: UInt64, _ reply: Reply) {
        content.withLock { $0.replies.removeValue(forKey: request) }?.resume(returning: reply)
    }

    func failAll(_ rejection: CommandRejection) {
        let (replies, ends) = content.withLock { content in
            defer {
                content.failure = rejection
                content.replies = [:]
                content.ends = [:]
            }
            return (content.replies, content.ends)
        }
        for continuation in replies.values { continuation.resume(returning: .rejected(rejection)) }
        for continuation in ends.values { continuation.resume(returning: nil) }
    }

    // MARK: Ends of instances

    /// Waits until an instance that was created with `awaitsEnd` has ended: its root variables, an inner nil when it was
    /// terminated, an outer nil when the wait was given up.
    func end(of instance: UInt64) async -> [UInt8]?? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = content.withLock { content -> [UInt8]??? in
                    if let result = content.ended.removeValue(forKey: instance) { return .some(.some(result)) }
                    if Task.isCancelled || content.failure != nil { return .some(nil) }
                    content.ends[instance] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            content.withLock { $0.ends.removeValue(forKey: instance) }?.resume(returning: nil)
        }
    }

    func ended(_ instance: UInt64, _ result: [UInt8]?) {
        let waiter = content.withLock { content -> CheckedContinuation<[UInt8]??, Never>? in
            if let waiter = content.ends.removeValue(forKey: instance) { return waiter }
            if content.ended.count < 10_000 { content.ended[instance] = result }
            return nil
        }
        waiter?.resume(returning: .some(result))
    }
}
