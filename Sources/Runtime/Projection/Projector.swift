import Engine
import Logging
import Metrics
import Storage
import Synchronization
import Values

/// Turns committed batches into records, exactly once, in large transactions (DESIGN §2, ADR-0002).
///
/// Batches arrive from the committer in memory; what does not fit the queue is read back from the journal. The position
/// moves in the same transaction as the rows.
final class Projector: Sendable {
    private struct Item {
        var partition: Int
        var sequence: UInt64
        var payload: [UInt8]
        var committedAt: Int64
    }

    private struct Inbox {
        var items: [Item] = []
        var bytes = 0
        /// Newest committed sequence of every partition.
        var committed: [UInt64]
        /// When the oldest batch was committed that was not kept in memory, so that the journal has it; nil when none was.
        var gapSince: Int64?
        var isStopping = false
        var isBusy = false
    }

    private struct Progress {
        var projected: [UInt64]
        var durable: [UInt64]
        var waiters: [UInt64: (targets: [(Int, UInt64)], continuation: CheckedContinuation<Bool, Never>)] = [:]
        var nextWaiter: UInt64 = 0
        var isStopped = false
        /// Commit time of the oldest batch not yet projected.
        var oldestCommittedAt: Int64?
        var failure: StoreError?
    }

    private let records: any RecordStore
    private let journal: any JournalStore
    private let definitions: DefinitionRegistry
    private let clock: any RuntimeClock
    private let logger: Logger
    private let intervalNanoseconds: Int64
    private let queueBytesMax: Int
    private let inbox: Mutex<Inbox>
    private let progress: Mutex<Progress>
    private let signal = ThreadSignal()
    private let thread = Mutex<WorkerThread?>(nil)
    /// Lags of the newest transactions in nanoseconds, commit to projected, for the bench.
    let lags = Mutex<[Int64]>([])
    private let lagTimer = Metrics.Timer(label: "projector_lag_nanoseconds")

    /// Events of one transaction, roughly: bounds its memory and duration.
    static let transactionBytesMax = 1 << 20
    static let lagSamplesMax = 100_000
    /// Events that one transaction forgets.
    private static let purgedEventsMax = 2_000
    /// How often events are looked for whose time is over.
    private static let purgeNanoseconds: Int64 = 600_000_000_000
    private static let purgeRetryNanoseconds: Int64 = 60_000_000_000

    init(
        records: any RecordStore, journal: any JournalStore, heads: [PartitionHead], definitions: DefinitionRegistry,
        clock: any RuntimeClock, logger: Logger, intervalMilliseconds: Int64, queueBytesMax: Int
    ) throws(StoreError) {
        self.records = records
        self.journal = journal
        self.definitions = definitions
        self.clock = clock
        self.logger = logger
        self.intervalNanoseconds = intervalMilliseconds * 1_000_000
        self.queueBytesMax = queueBytesMax
        let projected = try records.projectedSequences()
        let committed = heads.map(\.sequence)
        for (partition, sequence) in projected.enumerated() where partition < committed.count {
            guard sequence <= committed[partition] else {
                throw StoreError(
                    .corrupt,
                    """
                    Partition \(partition) is projected up to batch \(sequence), but its journal ends at batch \
                    \(committed[partition]).
                    """,
                    remedy: "Restore both files from the same backup.")
            }
        }
        try Self.checkRetained(projected, journal)
        let now = clock.monotonicNanoseconds()
        self.inbox = Mutex(Inbox(committed: committed, gapSince: projected == committed ? nil : now))
        self.progress = Mutex(Progress(projected: projected, durable: projected))
    }

    /// The records are rebuilt from the journal as far back as it goes.
    ///
    /// What was trimmed is only in them, so an engine that went on without would lose the history silently.
    private static func checkRetained(_ projected: [UInt64], _ journal: any JournalStore) throws(StoreError) {
        for (partition, base) in try journal.retainedSequences().enumerated() {
            let known = partition < projected.count ? projected[partition] : 0
            guard known < base else { continue }
            throw StoreError(
                .trimmed,
                """
                The records have partition \(partition) up to batch \(known), but the journal no longer has the batches \
                before \(base + 1).
                """,
                remedy: """
                    Put records.db back, or restore it from a backup: what it misses is projected from the journal. \
                    When that is too old as well, restore both files from the same backup.
                    """)
        }
    }

    func start() {
        thread.withLock {
            $0 = WorkerThread { self.run() }
        }
    }

    /// Ends after everything committed is projected.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        signal.notify()
        thread.withLock { $0 }?.join()
        let waiters = progress.withLock { progress in
            defer { progress.waiters = [:] }
            progress.isStopped = true
            return progress.waiters
        }
        for waiter in waiters.values { waiter.continuation.resume(returning: false) }
    }

    // MARK: From the committer

    func add(_ batch: PartitionBatch, committedAt: Int64) {
        inbox.withLock { inbox in
            inbox.committed[batch.partition] = batch.sequence
            guard inbox.gapSince == nil, inbox.bytes < queueBytesMax else {
                inbox.gapSince = inbox.gapSince ?? committedAt
                return
            }
            inbox.bytes += batch.payload.count + 64
            inbox.items.append(
                Item(
                    partition: batch.partition, sequence: batch.sequence, payload: batch.payload,
                    committedAt: committedAt))
        }
    }

    func wake() {
        signal.notify()
    }

    // MARK: Progress

    /// The newest sequence of a partition whose records would survive a power failure.
    func durableSequence(_ partition: Int) -> UInt64 {
        progress.withLock { $0.durable[partition] }
    }

    /// Age of the oldest committed batch that is not projected.
    var lagNanoseconds: Int64 {
        guard let oldest = progress.withLock(\.oldestCommittedAt) else { return 0 }
        return Swift.max(0, clock.monotonicNanoseconds() - oldest)
    }

    var isIdle: Bool {
        let committed = inbox.withLock(\.committed)
        return progress.withLock { $0.projected == committed }
    }

    /// Returns true when everything committed before the call is projected, false when the projector stopped or the
    /// task was cancelled.
    func waitUntilProjected() async -> Bool {
        let committed = inbox.withLock(\.committed)
        let id = progress.withLock { progress -> UInt64 in
            progress.nextWaiter += 1
            return progress.nextWaiter
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let known = progress.withLock { progress -> Bool? in
                    let missing = committed.indices.filter { progress.projected[$0] < committed[$0] }
                    if missing.isEmpty { return true }
                    if Task.isCancelled || progress.isStopped { return false }
                    progress.waiters[id] = (missing.map { ($0, committed[$0]) }, continuation)
                    return nil
                }
                if let known { continuation.resume(returning: known) } else { signal.notify() }
            }
        } onCancel: {
            progress.withLock { $0.waiters.removeValue(forKey: id) }?.continuation.resume(returning: false)
        }
    }

    // MARK: The thread

    private func run() {
        guard let reader = openReader() else { return }
        let projection = Projection(records: records, reader: reader, definitions: definitions, logger: logger)
        var lastApplied: Int64 = 0
        var wasLarge = false
        var lastRefresh: Int64 = 0
        var nextPurge = clock.monotonicNanoseconds()
        while true {
            let (items, gapSince, isStopping) = take()
            if items.isEmpty, gapSince == nil {
                if isStopping { return }
                if purgeInbox(at: &nextPurge) { continue }
                // After the last transaction of a busy time the rest of the journal may go, too.
                if !isDurable {
                    signal.wait(nanoseconds: 1_000_000_000)
                    if lastApplied > lastRefresh, clock.monotonicNanoseconds() - lastApplied >= 1_000_000_000 {
                        lastRefresh = clock.monotonicNanoseconds()
                        refreshDurable()
                    }
                } else {
                    signal.wait(nanoseconds: Swift.max(1_000_000, nextPurge - clock.monotonicNanoseconds()))
                }
                // Under load, let a transaction's worth of batches gather: instances that begin and end within it cost
                // one row. Somebody who waits for the records is served at once.
                if wasLarge, progress.withLock(\.waiters.isEmpty) {
                    let rest = intervalNanoseconds - (clock.monotonicNanoseconds() - lastApplied)
                    if rest > 0 { signal.wait(nanoseconds: rest) }
                }
                continue
            }
            do {
                var events = 0
                if let gapSince { events += try catchUp(projection, since: gapSince) }
                events += try apply(items, projection)
                wasLarge = events > 500
                _ = purgeInbox(at: &nextPurge)
                lastApplied = clock.monotonicNanoseconds()
                if lastApplied - lastRefresh > 1_000_000_000 {
                    lastRefresh = lastApplied
                    refreshDurable()
                }
            } catch {
                report(error)
                if isStopping { return }
                // The rows of this transaction are in the journal: read them again when the store works.
                projection.forget()
                let now = clock.monotonicNanoseconds()
                inbox.withLock {
                    $0.gapSince = Swift.min($0.gapSince ?? now, gapSince ?? now, items.first?.committedAt ?? now)
                }
                signal.wait(nanoseconds: 500_000_000)
            }
        }
    }

    /// Forgets a few events of the inbox whose time is over, when it is time to look for them; whether there may be more.
    private func purgeInbox(at next: inout Int64) -> Bool {
        let now = clock.monotonicNanoseconds()
        guard now >= next else { return false }
        do {
            let count = try records.purgeInbox(at: clock.unixMilliseconds(), limit: Self.purgedEventsMax)
            if count == Self.purgedEventsMax { return true }
            next = now + Self.purgeNanoseconds
        } catch {
            report(error)
            next = now + Self.purgeRetryNanoseconds
        }
        return false
    }

    /// A reader of this thread's own; nil when the store was closed before the thread began.
    private func openReader() -> (any StateReader)? {
        do {
            return try journal.makeStateReader()
        } catch {
            report(error)
            return nil
        }
    }

    private func take() -> (items: [Item], gapSince: Int64?, isStopping: Bool) {
        inbox.withLock { inbox in
            defer {
                inbox.items = []
                inbox.bytes = 0
                inbox.gapSince = nil
            }
            return (inbox.items, inbox.gapSince, inbox.isStopping)
        }
    }

    /// Projects from the journal what was not kept in memory.
    private func catchUp(_ projection: Projection, since: Int64) throws(StoreError) -> Int {
        let (committed, projected) = (inbox.withLock(\.committed), progress.withLock(\.projected))
        var events = 0
        for partition in committed.indices where projected[partition] < committed[partition] {
            var pending: [Item] = []
            var bytes = 0
            try journal.readJournal(partition: partition, after: projected[partition]) { (batch) throws(StoreError) in
                pending.append(
                    Item(
                        partition: partition, sequence: batch.sequence, payload: batch.payload, committedAt: since))
                bytes += batch.payload.count
                if bytes > Self.transactionBytesMax {
                    events += try self.apply(pending, projection)
                    pending = []
                    bytes = 0
                }
                return batch.sequence < committed[partition]
            }
            events += try apply(pending, projection)
        }
        return events
    }

    private func apply(_ items: [Item], _ projection: Projection) throws(StoreError) -> Int {
        var events = 0
        var start = 0
        while start < items.count {
            var bytes = 0
            var end = start
            while end < items.count, bytes < Self.transactionBytesMax {
                bytes += items[end].payload.count
                end += 1
            }
            events += try applyTransaction(items[start..<end], projection)
            start = end
        }
        return events
    }

    private func applyTransaction(_ items: ArraySlice<Item>, _ projection: Projection) throws(StoreError) -> Int {
        var projected = progress.withLock(\.projected)
        var oldest: Int64?
        var events = 0
        for item in items where item.sequence > projected[item.partition] {
            guard item.sequence == projected[item.partition] + 1 else {
                // The batch before was left to the journal.
                inbox.withLock { $0.gapSince = $0.gapSince ?? item.committedAt }
                continue
            }
            events += try projection.add(item.payload, partition: item.partition, sequence: item.sequence)
            projected[item.partition] = item.sequence
            if oldest == nil { oldest = item.committedAt }
        }
        guard let oldest else { return 0 }
        progress.withLock { $0.oldestCommittedAt = oldest }
        let batch = try projection.takeBatch()
        CrashPoint.beforeProjection.pass()
        try records.apply(batch)
        CrashPoint.afterProjection.pass()
        let now = clock.monotonicNanoseconds()
        lagTimer.recordNanoseconds(now - oldest)
        lags.withLock { lags in
            if lags.count < Self.lagSamplesMax { lags.append(now - oldest) }
        }
        let ready = progress.withLock { progress -> [CheckedContinuation<Bool, Never>] in
            progress.projected = projected
            progress.oldestCommittedAt = nil
            progress.failure = nil
            var ready: [CheckedContinuation<Bool, Never>] = []
            for (id, waiter) in progress.waiters where waiter.targets.allSatisfy({ projected[$0.0] >= $0.1 }) {
                ready.append(waiter.continuation)
                progress.waiters[id] = nil
            }
            return ready
        }
        for continuation in ready { continuation.resume(returning: true) }
        return events
    }

    /// Whether every projected batch is known to survive a power failure.
    private var isDurable: Bool { progress.withLock { $0.durable == $0.projected } }

    /// Asks the record store what would survive a power failure; called now and then before trimming.
    private func refreshDurable() {
        guard let durable = try? records.durableSequences() else { return }
        progress.withLock { $0.durable = durable }
    }

    private func report(_ error: StoreError) {
        let isNew = progress.withLock { progress in
            defer { progress.failure = error }
            return progress.failure?.code != error.code
        }
        guard isNew else { return }
        logger.error(
            "The records cannot be written; trying again until they can",
            metadata: ["error.code": "\(error.code.rawValue)", "error.message": "\(error)"])
    }
}
