import Engine
import Synchronization

/// Requests that wait for the reply of a partition, and those that wait for an instance to end.
final class PendingRequests: Sendable {
    /// What is known of an instance whose end somebody awaits.
    private struct AwaitedEnd {
        /// Requests that will ask, or are waiting.
        var interested = 0
        var waiters: [UInt64: CheckedContinuation<[UInt8]??, Never>] = [:]
        /// How it ended; nil while it lives.
        var result: [UInt8]??
    }

    private struct PendingReply {
        var continuation: CheckedContinuation<Reply, Never>
        var awaitsEnd: Bool
    }

    private struct Content {
        var next: UInt64 = 1
        var replies: [UInt64: PendingReply] = [:]
        var ends: [UInt64: AwaitedEnd] = [:]
        /// Instances that ended before the reply to whoever started them was released: it follows in the same group.
        var ended: [UInt64: [UInt8]?] = [:]
        var failure: CommandRejection?
    }

    private let content = Mutex(Content())

    var count: Int { content.withLock { $0.replies.count } }

    /// Requests that wait for the end of an instance, or are about to.
    var waiting: Int { content.withLock { $0.ends.values.reduce(0) { $0 + $1.interested } } }

    /// Why nothing is answered any more; nil while everything is.
    var failure: CommandRejection? { content.withLock(\.failure) }

    /// Registers a request and sends it; returns the reply.
    ///
    /// - Parameter awaitsEnd: Whether the caller goes on to `end(of:)` when the reply is an instance that has not ended.
    func reply(awaitsEnd: Bool = false, _ send: (UInt64) -> Void) async -> Reply {
        await withCheckedContinuation { continuation in
            let (id, failure) = content.withLock { content -> (UInt64, CommandRejection?) in
                if let failure = content.failure { return (0, failure) }
                let id = content.next
                content.next += 1
                content.replies[id] = PendingReply(continuation: continuation, awaitsEnd: awaitsEnd)
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
        let pending = content.withLock { content -> PendingReply? in
            guard let pending = content.replies.removeValue(forKey: request) else { return nil }
            if pending.awaitsEnd, case .created(let instance, let definition, let alreadyExisted) = reply,
                !alreadyExisted || definition != 0
            {
                content.ends[instance, default: AwaitedEnd()].interested += 1
                if let result = content.ended[instance] { content.ends[instance]?.result = .some(result) }
            }
            return pending
        }
        pending?.continuation.resume(returning: reply)
    }

    func failAll(_ rejection: CommandRejection) {
        let (replies, waiters) = content.withLock { content in
            defer {
                content.failure = rejection
                content.replies = [:]
                content.ends = [:]
            }
            return (content.replies.values.map(\.continuation), content.ends.values.flatMap(\.waiters.values))
        }
        for continuation in replies { continuation.resume(returning: .rejected(rejection)) }
        for continuation in waiters { continuation.resume(returning: nil) }
    }

    // MARK: Ends of instances

    /// Waits until an instance has ended: its root variables, an inner nil when it was terminated, an outer nil when
    /// the wait was given up.
    ///
    /// Once for every reply that was asked for with `awaitsEnd`.
    func end(of instance: UInt64) async -> [UInt8]?? {
        let id = content.withLock { content -> UInt64 in
            content.next += 1
            return content.next
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { (continuation: CheckedContinuation<[UInt8]??, Never>) in
                let known = content.withLock { content -> [UInt8]??? in
                    if let result = content.ends[instance]?.result { return .some(.some(result)) }
                    if Task.isCancelled || content.failure != nil { return .some(nil) }
                    content.ends[instance, default: AwaitedEnd()].waiters[id] = continuation
                    return nil
                }
                if let known { continuation.resume(returning: known) }
            }
        } onCancel: {
            content.withLock { $0.ends[instance]?.waiters.removeValue(forKey: id) }?.resume(returning: nil)
        }
        content.withLock { content in
            content.ends[instance]?.interested -= 1
            if let end = content.ends[instance], end.interested <= 0 { content.ends[instance] = nil }
        }
        return result
    }

    func ended(_ instance: UInt64, _ result: [UInt8]?) {
        let waiters = content.withLock { content -> [CheckedContinuation<[UInt8]??, Never>] in
            guard let end = content.ends[instance] else {
                content.ended[instance] = .some(result)
                return []
            }
            content.ends[instance]?.result = .some(result)
            content.ends[instance]?.waiters = [:]
            return Array(end.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: .some(result)) }
    }

    /// The effects of a group are released: ends nobody asked for by now are not asked for later.
    func forgetEnds() {
        content.withLock { content in
            if !content.ended.isEmpty { content.ended = [:] }
        }
    }
}
