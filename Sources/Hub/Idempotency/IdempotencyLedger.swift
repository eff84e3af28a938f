import Foundation
public import Resilience
public import Storage
import Synchronization
import Values

/// Remembers requests by their idempotency keys, durably: reserves before the effect, keeps the answer after it.
///
/// `IdempotencyRecord` decides, the store remembers; requests that come at once share one transaction. Safe from any
/// thread; nothing blocks the caller's.
public final class IdempotencyLedger: Sendable {
    private struct Pending: Sendable {
        var run: @Sendable (any IdempotencyTable) throws(StoreError) -> Void
        var done: @Sendable (StoreError?) -> Void
    }

    private struct State {
        var pending: [Pending] = []
        var isRunning = false
        var transactions = 0
    }

    private let store: any IdempotencyStore
    private let now: @Sendable () -> Int64
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "idempotency")

    /// Who this process is: different after each start.
    public let owner: String

    /// Expired records are forgotten after this many transactions, and so many at once.
    private static let trimInterval = 64
    private static let trimMax = 1_000

    /// Creates a ledger over `store`; `now` is the wall clock in Unix milliseconds.
    public init(
        store: any IdempotencyStore,
        owner: String = String(UInt64.random(in: .min ... .max), radix: 36),
        now: @escaping @Sendable () -> Int64
    ) {
        self.store = store
        self.owner = owner
        self.now = now
    }

    /// What to do with `request`; a record that is to be made or taken over is durable when this returns.
    public func begin(
        _ request: IdempotencyRecord.Request, policy: IdempotencyRecord.Policy
    ) async throws(StoreError) -> IdempotencyRecord.Decision {
        let now = self.now()
        guard let key = request.key else {
            return IdempotencyRecord.decide(request, existing: nil, policy: policy, atMilliseconds: now)
        }
        return try await self.perform { table throws(StoreError) in
            let existing = try table.find(scope: request.scope, key: key).flatMap { IdempotencyRecord($0) }
            let decision = IdempotencyRecord.decide(
                request, existing: existing, policy: policy, atMilliseconds: now)
            switch decision {
            case .execute(let record), .recover(let record): try table.put(IdempotencyRow(record))
            case .executeUnkeyed, .replay, .refuse: break
            }
            return decision
        }
    }

    /// The record of a key, if there is one that counts.
    public func record(scope: String, key: String) async throws(StoreError) -> IdempotencyRecord? {
        let now = self.now()
        return try await self.perform { table throws(StoreError) in
            guard let record = try table.find(scope: scope, key: key).flatMap({ IdempotencyRecord($0) }) else {
                return nil
            }
            return record.counts(atMilliseconds: now) ? record : nil
        }
    }

    /// Keeps the answer; false when `owner` does not hold the record any more.
    @discardableResult
    public func complete(
        _ answer: IdempotencyRecord.StoredAnswer, scope: String, key: String, owner: String
    ) async throws(StoreError) -> Bool {
        try await self.perform { table throws(StoreError) in
            guard var record = try table.find(scope: scope, key: key).flatMap({ IdempotencyRecord($0) }),
                record.complete(answer, owner: owner)
            else { return false }
            try table.put(IdempotencyRow(record))
            return true
        }
    }

    /// Frees the key after a failure that left no effect; false when `owner` does not hold the record any more.
    @discardableResult
    public func release(scope: String, key: String, owner: String) async throws(StoreError) -> Bool {
        try await self.perform { table throws(StoreError) in
            guard let record = try table.find(scope: scope, key: key).flatMap({ IdempotencyRecord($0) }),
                record.mayBeReleased(by: owner)
            else { return false }
            try table.remove(scope: scope, key: key)
            return true
        }
    }

    // MARK: Transactions

    private final class Slot<Value: Sendable>: Sendable {
        let value = Mutex<Value?>(nil)
    }

    private func perform<Value: Sendable>(
        _ body: @escaping @Sendable (any IdempotencyTable) throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let slot = Slot<Value>()
        let failure: StoreError? = await withCheckedContinuation { continuation in
            self.submit(
                Pending(
                    run: { table throws(StoreError) in
                        let value = try body(table)
                        slot.value.withLock { $0 = value }
                    },
                    done: { continuation.resume(returning: $0) }))
        }
        if let failure { throw failure }
        guard let value = slot.value.withLock({ $0 }) else { fatalError("a transaction that succeeded left no result") }
        return value
    }

    private func submit(_ pending: Pending) {
        let isFirst = self.state.withLock { state in
            state.pending.append(pending)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        if isFirst { self.queue.async { self.drain() } }
    }

    private func drain() {
        while true {
            let (batch, trims) = self.state.withLock { state -> ([Pending], Bool) in
                guard !state.pending.isEmpty else {
                    state.isRunning = false
                    return ([], false)
                }
                defer { state.pending = [] }
                state.transactions += 1
                return (state.pending, state.transactions % Self.trimInterval == 0)
            }
            guard !batch.isEmpty else { return }
            let now = self.now()
            var failure: StoreError?
            do {
                try self.store.transact { table throws(StoreError) in
                    for each in batch { try each.run(table) }
                    if trims { _ = try table.removeExpired(before: now, limit: Self.trimMax) }
                }
            } catch {
                failure = error
            }
            for each in batch { each.done(failure) }
        }
    }
}

// MARK: - Rows

extension IdempotencyRecord {
    /// A record as it was stored; nil for one that makes no sense.
    init?(_ row: IdempotencyRow) {
        let state: State
        if let status = row.status {
            let headers = row.headers.flatMap { try? JSON.parse($0) }?.asContext ?? ValueContext()
            state = .done(
                StoredAnswer(
                    status: status,
                    headers: headers.compactMap { name, value in
                        value.asString.map { StoredAnswer.Header(name: name, value: $0) }
                    }, body: row.body ?? []))
        } else {
            guard let owner = row.owner, let leaseUntil = row.leaseUntil else { return nil }
            state = .inFlight(owner: owner, leaseUntilMilliseconds: leaseUntil)
        }
        self.init(
            scope: row.scope, key: row.key, fingerprint: row.fingerprint, state: state,
            createdMilliseconds: row.created, expiresMilliseconds: row.expires)
    }
}

extension IdempotencyRow {
    init(_ record: IdempotencyRecord) {
        self.init(
            scope: record.scope, key: record.key, fingerprint: record.fingerprint,
            created: record.createdMilliseconds, expires: record.expiresMilliseconds)
        switch record.state {
        case .inFlight(let owner, let leaseUntil):
            self.owner = owner
            self.leaseUntil = leaseUntil
        case .done(let answer):
            self.status = answer.status
            var headers: [UInt8] = []
            let fields = ValueContext(answer.headers.map { ($0.name, .string($0.value)) })
            JSON.write(.context(fields), into: &headers)
            self.headers = headers
            self.body = answer.body
        }
    }
}
