import ConnectorKit
import Engine
import HubDocuments
import Logging
import Metrics
import Resilience
import Runtime
import Storage
import Synchronization
import Values

/// The record of one call whose effect must not happen twice: made before its first attempt is sent.
final class CallRecord: Sendable {
    let ledger: IdempotencyLedger
    let scope: String
    let key: String
    private let policy: IdempotencyRecord.Policy
    private let isMade = Mutex(false)

    init(_ ledger: IdempotencyLedger, scope: String, key: String, policy: IdempotencyRecord.Policy) {
        self.ledger = ledger
        self.scope = scope
        self.key = key
        self.policy = policy
    }

    /// What an earlier run of the call left behind.
    enum Past: Sendable {
        /// Nothing, or a failure that was shown to somebody who decided to try again.
        case none
        /// Its answer.
        case answer([UInt8])
        /// Another run may still be at work; come back then.
        case inProgress(after: Duration)
        /// It was interrupted after its first attempt may have left.
        case interrupted
    }

    /// Looks for an earlier run; one that was interrupted is taken over, so that it is reported once.
    func past() async throws(StoreError) -> Past {
        guard let record = try await self.ledger.record(scope: self.scope, key: self.key) else { return .none }
        if case .inFlight(self.ledger.owner, _) = record.state {
            self.isMade.withLock { $0 = true }
            return .none
        }
        switch try await self.ledger.begin(self.request, policy: self.policy) {
        case .replay(let answer): return .answer(answer.body)
        case .refuse(.inProgress(let wait)): return .inProgress(after: wait)
        case .recover: return .interrupted
        case .execute:
            self.isMade.withLock { $0 = true }
            return .none
        case .executeUnkeyed, .refuse: return .none
        }
    }

    /// Makes the record, unless it is made; called before every attempt.
    func make() async throws(StoreError) {
        guard !self.isMade.withLock({ $0 }) else { return }
        _ = try await self.ledger.begin(self.request, policy: self.policy)
        self.isMade.withLock { $0 = true }
    }

    /// Keeps the answer.
    func complete(_ body: [UInt8]) async throws(StoreError) {
        guard self.isMade.withLock({ $0 }) else { return }
        try await self.ledger.complete(
            .init(status: 200, body: body), scope: self.scope, key: self.key, owner: self.ledger.owner)
    }

    /// Forgets the call: nothing of it can have happened.
    func release() async throws(StoreError) {
        guard self.isMade.withLock({ $0 }) else { return }
        try await self.ledger.release(scope: self.scope, key: self.key, owner: self.ledger.owner)
    }

    /// The call ended with `result`: keeps its answer, or forgets it when nothing can have happened.
    ///
    /// What may have happened stays on record as in flight.
    func close(_ result: CallDriver.Result, _ outcome: JobOutcome?) async throws(StoreError) {
        let mayHaveExecuted: Bool
        switch result {
        case .succeeded:
            guard case .completed(let variables)? = outcome else { return }
            return try await self.complete(variables ?? [])
        case .postponed(let reschedule, _): mayHaveExecuted = reschedule.failure?.mayHaveExecuted ?? false
        case .failed(let ending, _): mayHaveExecuted = ending.failure.mayHaveExecuted
        case .stopped(let may): mayHaveExecuted = may
        }
        if !mayHaveExecuted { try await self.release() }
    }

    private var request: IdempotencyRecord.Request {
        // The key alone says which call it is; a corrected input is still the same one.
        IdempotencyRecord.Request(
            scope: self.scope, key: self.key, fingerprint: "", owner: self.ledger.owner)
    }
}

extension ConnectorWorker {
    /// The record a call needs; nil when none is kept.
    func record(of request: Request, _ safety: RepeatSafety, _ connection: String) -> CallRecord? {
        guard let ledger, request.profile.recording.applies(to: safety) else { return nil }
        var policy = IdempotencyRecord.Policy()
        policy.retention = request.profile.recording.retention
        policy.lease = request.profile.totalTimeout
        return CallRecord(
            ledger, scope: "call/\(connection)/\(request.operation.id)", key: request.idempotencyKey,
            policy: policy)
    }

    /// What becomes of the job because of an earlier run; nil when the call is to be made.
    func outcome(of past: CallRecord.Past, _ lane: ConnectionLane) -> JobOutcome? {
        switch past {
        case .none:
            return nil
        case .answer(let body):
            lane.metrics.replayed.increment()
            return .completed(variables: body.isEmpty ? nil : body)
        case .inProgress(let wait):
            lane.metrics.postponed.increment()
            return .postponed(
                milliseconds: max(1, wait.wholeMilliseconds),
                message: "An earlier run of this call may still be at work.")
        case .interrupted:
            lane.metrics.failed.increment()
            return .failed(
                retries: 0, backoffMilliseconds: 0,
                message:
                    "\(HubCode.interrupted): A call through connection \(lane.declaration.id) was interrupted after "
                    + "it may have been sent; it is not repeated, because the operation is not idempotent. Check the "
                    + "remote, then resolve the incident to send it again, or complete the task by hand.")
        }
    }

    /// The store of records failed: the call is not made, and comes again.
    func unrecordable(_ error: StoreError) -> JobOutcome {
        self.logger.error("idempotency records cannot be kept", metadata: ["error.code": "\(error.code.rawValue)"])
        return .postponed(milliseconds: 5_000, message: "The call cannot be recorded: \(error.message)")
    }
}
