import Engine
import Logging
import Metrics
import Storage
import Synchronization
import Values

/// A batch on its way to the store, with what may happen once it is durable.
struct PendingBatch {
    var unit: PartitionUnit
    /// Nil when there is nothing to write, only effects that must not overtake earlier batches.
    var batch: PartitionBatch?
    /// Large values that the batch names: durable before it.
    var blobs: [Blob] = []
    var effects: [Effect]
    var offeredTypes: [String]
    /// What the partition counts after the batch.
    var figures: RuntimeCore.UnitFigures
}

/// Writes the batches of all partitions in group commits, then releases their effects in order (DESIGN §2).
///
/// While one group syncs, the next accumulates. Nothing leaves before it is durable. When the store cannot write (full
/// disk, I/O error) the same group is tried again until it can: nothing is lost, starts are refused meanwhile. An error
/// that retrying cannot heal stops the runtime (ADR-0010).
final class Committer: Sendable {
    private struct Inbox {
        var pending: [PendingBatch] = []
        var bytes = 0
        var isStopping = false
        var isAbandoned = false
        var isBusy = false
    }

    private let store: any JournalStore
    private let clock: any RuntimeClock
    private let logger: Logger
    private let inbox = Mutex(Inbox())
    private let signal = ThreadSignal()
    private let room = ThreadSignal()
    private let thread = Mutex<WorkerThread?>(nil)
    /// Why the store cannot write at the moment.
    let failure = Mutex<StoreError?>(nil)
    let commits = Atomic<Int>(0)
    let events = Atomic<Int>(0)
    /// How long the newest commit took.
    let commitNanoseconds = Atomic<Int64>(0)

    private let commitDuration = Metrics.Timer(label: "engine_commit_duration_nanoseconds")
    private let commitCounter = Counter(label: "engine_commits_total")
    private let eventCounter = Counter(label: "engine_events_total")

    /// Bytes waiting before processing threads are held back.
    static let pendingBytesMax = 32 << 20

    init(store: any JournalStore, clock: any RuntimeClock, logger: Logger) {
        self.store = store
        self.clock = clock
        self.logger = logger
    }

    func start(runtime: RuntimeCore) {
        thread.withLock {
            $0 = WorkerThread { self.run(runtime) }
        }
    }

    /// Ends after everything submitted is durable and released, or the store has failed for good.
    func stop() {
        inbox.withLock { $0.isStopping = true }
        signal.notify()
        thread.withLock { $0 }?.join()
    }

    /// Ends after the group that is being written: what waits is thrown away.
    func abandon() {
        inbox.withLock { $0.isAbandoned = true }
        signal.notify()
    }

    /// Whether nothing waits and nothing is being written.
    var isIdle: Bool { inbox.withLock { $0.pending.isEmpty && !$0.isBusy } }

    func submit(_ batch: PendingBatch) {
        let bytes = batch.batch?.payload.count ?? 0
        let isFull = inbox.withLock { inbox in
            inbox.pending.append(batch)
            inbox.bytes += bytes
            return inbox.bytes > Self.pendingBytesMax
        }
        signal.notify()
        if isFull { room.wait(nanoseconds: 1_000_000_000) }
    }

    private func run(_ runtime: RuntimeCore) {
        while true {
            let (pending, isStopping, isAbandoned) = inbox.withLock { inbox in
                inbox.isBusy = !inbox.pending.isEmpty && !inbox.isAbandoned
                defer {
                    inbox.pending = []
                    inbox.bytes = 0
                }
                return (inbox.pending, inbox.isStopping, inbox.isAbandoned)
            }
            if isAbandoned { return }
            if pending.isEmpty {
                if isStopping { return }
                runtime.trimJournal(store)
                signal.wait(nanoseconds: 200_000_000)
                continue
            }
            room.notify()
            guard write(pending, runtime) else { return }
            release(pending, runtime)
            runtime.trimJournal(store)
            inbox.withLock { $0.isBusy = false }
        }
    }

    /// Makes a group durable; false when the store has failed for good.
    private func write(_ pending: [PendingBatch], _ runtime: RuntimeCore) -> Bool {
        let batches = pending.compactMap(\.batch)
        let blobs = pending.flatMap(\.blobs)
        guard !batches.isEmpty else { return true }
        var delayMilliseconds: Int64 = 50
        while true {
            let began = clock.monotonicNanoseconds()
            do {
                CrashPoint.beforeCommit.pass()
                if !blobs.isEmpty { try store.storeBlobs(blobs) }
                try store.commit(batches)
                CrashPoint.afterCommit.pass()
                if batches.contains(where: { $0.checkpoint != nil }) { CrashPoint.duringCheckpoint.pass() }
                let took = clock.monotonicNanoseconds() - began
                commitDuration.recordNanoseconds(took)
                commitNanoseconds.store(took, ordering: .relaxed)
                commitCounter.increment()
                commits.wrappingAdd(1, ordering: .relaxed)
                let count = batches.reduce(0) { $0 + $1.eventCount }
                events.wrappingAdd(count, ordering: .relaxed)
                eventCounter.increment(by: count)
                failure.withLock { $0 = nil }
                return true
            } catch {
                let isFirst = failure.withLock { failure in
                    defer { failure = error }
                    return failure?.code != error.code
                }
                switch error.code {
                case .full, .io:
                    if isFirst {
                        logger.error(
                            "The journal cannot be written; trying again until it can",
                            metadata: ["error.code": "\(error.code.rawValue)", "error.message": "\(error)"])
                    }
                    if inbox.withLock(\.isStopping) {
                        runtime.fail(error)
                        return false
                    }
                    room.wait(nanoseconds: delayMilliseconds * 1_000_000)
                    delayMilliseconds = Swift.min(delayMilliseconds * 2, 1_000)
                default:
                    logger.critical(
                        "The journal failed for good; stopping",
                        metadata: ["error.code": "\(error.code.rawValue)", "error.message": "\(error)"])
                    runtime.fail(error)
                    return false
                }
            }
        }
    }

    /// Lets out what the durable batches caused, in their order.
    private func release(_ pending: [PendingBatch], _ runtime: RuntimeCore) {
        let now = clock.monotonicNanoseconds()
        for item in pending {
            // What was deployed is known before anybody reads of it: the projector asks for names.
            for effect in item.effects {
                if case .deployed = effect { runtime.perform(effect) }
            }
            if let batch = item.batch {
                item.unit.durableSequence.store(batch.sequence, ordering: .releasing)
                runtime.projector.add(batch, committedAt: now)
                for outgoing in batch.outgoing {
                    runtime.units[outgoing.target].enqueue(
                        QueuedCommand(
                            envelope: CommandEnvelope(.receive(payload: outgoing.payload)),
                            inbox: InboxPosition(source: batch.partition, sourceSequence: batch.sequence)))
                }
            }
            runtime.publish(item.figures, of: item.unit.number)
            // Jobs first: whoever is told that an instance started finds its jobs.
            if !item.offeredTypes.isEmpty, runtime.jobs.announce(item.offeredTypes, partition: item.unit.number) {
                item.unit.enqueue(.poke)
            }
            for effect in item.effects {
                if case .deployed = effect { continue }
                runtime.perform(effect)
            }
        }
        runtime.requests.forgetEnds()
        runtime.projector.wake()
        CrashPoint.afterRelease.pass()
    }
}
