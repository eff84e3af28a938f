import Engine
import Logging
import Storage
import Synchronization
import Values

/// Processes the commands of its partitions, one partition at a time, and hands the batches to the committer.
final class ProcessingThread: Sendable {
    private struct Inbox {
        var ready: [PartitionUnit] = []
        var isStopping = false
    }

    private let inbox = Mutex(Inbox())
    private let signal = ThreadSignal()
    /// The earliest due time of all its partitions that the thread knows of; Unix milliseconds.
    private let thread = Mutex<WorkerThread?>(nil)

    /// Commands processed before the batch so far is handed over, so that one busy partition delays nobody for long.
    static let commandsPerBatchMax = 2_000
    static let batchBytesMax = 256 * 1024

    func makeReady(_ unit: PartitionUnit) {
        inbox.withLock { $0.ready.append(unit) }
        signal.notify()
    }

    func start(units: [PartitionUnit], runtime: RuntimeCore) {
        thread.withLock {
            $0 = WorkerThread { self.run(units: units, runtime: runtime) }
        }
    }

    func stop() {
        inbox.withLock { $0.isStopping = true }
        signal.notify()
        thread.withLock { $0 }?.join()
    }

    private func run(units: [PartitionUnit], runtime: RuntimeCore) {
        var nextSweep: Int64 = 0
        while true {
            let (ready, isStopping) = inbox.withLock { inbox in
                defer { inbox.ready.removeAll(keepingCapacity: true) }
                return (inbox.ready, inbox.isStopping)
            }
            for unit in ready { process(unit, runtime) }
            if isStopping, ready.isEmpty { return }
            let now = runtime.clock.unixMilliseconds()
            if now >= nextSweep || now < nextSweep - 1_000 {
                nextSweep = sweep(units, now: now, runtime)
            }
            if ready.isEmpty {
                signal.wait(nanoseconds: Swift.max(0, nextSweep - now) * 1_000_000)
            }
        }
    }

    /// Does what is due in any partition; returns when to look again, at most 100 ms from now.
    private func sweep(_ units: [PartitionUnit], now: Int64, _ runtime: RuntimeCore) -> Int64 {
        var next = now + 100
        for unit in units where !unit.isStopped {
            if let due = unit.engine.nextDue, due <= now {
                unit.engine.process(CommandEnvelope(.tick), now: now)
                finish(unit, now: now, runtime)
            } else if unit.isCheckpointDurable {
                finish(unit, now: now, runtime)
            } else if unit.engine.changedCount > 0,
                now - unit.lastCheckpointAt >= runtime.configuration.checkpointIntervalMilliseconds
            {
                finish(unit, now: now, runtime)
            }
            if let due = unit.engine.nextDue { next = Swift.min(next, Swift.max(due, now + 1)) }
        }
        return next
    }

    private func process(_ unit: PartitionUnit, _ runtime: RuntimeCore) {
        let commands = unit.drain()
        var sinceBatch = 0
        for command in commands {
            guard !isDamaged(unit, runtime) else { return }
            if !command.isPoke {
                unit.engine.process(command.envelope, now: runtime.clock.unixMilliseconds())
            }
            if let inbox = command.inbox { unit.consumedInbox.append(inbox) }
            sinceBatch += 1
            if sinceBatch >= Self.commandsPerBatchMax || unit.engine.batchBytes >= Self.batchBytesMax {
                finish(unit, now: runtime.clock.unixMilliseconds(), runtime)
                sinceBatch = 0
            }
        }
        finish(unit, now: runtime.clock.unixMilliseconds(), runtime)
    }

    /// Whether what a partition stored could not be read.
    ///
    /// What is in memory is thrown away then, with everything since the batch before, and the runtime stops for good
    /// (ADR-0010).
    private func isDamaged(_ unit: PartitionUnit, _ runtime: RuntimeCore) -> Bool {
        guard !unit.isStopped else { return true }
        guard let failure = unit.failure else { return false }
        unit.isStopped = true
        runtime.logger.critical(
            "The state of a partition cannot be read; stopping",
            metadata: ["error.code": "\(failure.code.rawValue)", "error.message": "\(failure)"])
        runtime.committer.abandon()
        runtime.fail(failure, because: "The engine cannot read its state")
        return true
    }

    /// Hands out jobs, closes the batch, checkpoints when it is time, and gives everything to the committer.
    private func finish(_ unit: PartitionUnit, now: Int64, _ runtime: RuntimeCore) {
        guard !isDamaged(unit, runtime) else { return }
        let jobs = runtime.jobs.takeJobs(from: unit)
        if let next = runtime.jobs.nextBacklog(after: unit.number) { runtime.units[next].enqueue(.poke) }
        let offered = runtime.jobs.pendingOffers(of: unit)
        let engine = unit.engine
        if unit.isCheckpointDurable {
            unit.isCheckpointPending = false
            engine.checkpointCommitted()
            engine.evict(downTo: runtime.residentInstancesPerPartition)
            runtime.publishCheckpoint(of: unit)
        }
        let isSettling = runtime.isSettling.load(ordering: .acquiring)
        if isSettling, !unit.isCheckpointPending, engine.changedCount == 0, engine.residentCount > 0 {
            engine.evict(downTo: 0)
            runtime.publishCheckpoint(of: unit)
        }
        unit.isSettled.store(engine.changedCount == 0 && engine.residentCount == 0, ordering: .releasing)
        let isDue =
            !unit.isCheckpointPending && engine.changedCount > 0
            && (isSettling || engine.changedCount >= runtime.configuration.checkpointEntities
                || unit.bytesSinceCheckpoint >= runtime.configuration.checkpointBytes
                || now - unit.lastCheckpointAt >= runtime.configuration.checkpointIntervalMilliseconds)
        guard engine.hasBatch || isDue || !jobs.isEmpty || !unit.consumedInbox.isEmpty || !offered.isEmpty else {
            return
        }
        var batch = engine.takeBatch()
        for group in jobs { batch.effects.append(.jobsTaken(group)) }
        if let first = unit.pendingBlobs.first, first.sequence <= unit.durableSequence.load(ordering: .acquiring) {
            engine.blobsCommitted(first.hashes)
            unit.pendingBlobs.removeFirst()
        }
        var checkpoint: CheckpointDelta?
        if isDue {
            checkpoint = CheckpointDelta(engine.makeCheckpoint())
            unit.isCheckpointPending = true
            unit.bytesSinceCheckpoint = 0
            unit.lastCheckpointAt = now
        }
        unit.bytesSinceCheckpoint += batch.payload.count
        var storeBatch: PartitionBatch?
        if !batch.payload.isEmpty || checkpoint != nil || !batch.outgoing.isEmpty || !unit.consumedInbox.isEmpty {
            unit.sequence += 1
            storeBatch = PartitionBatch(
                partition: unit.number, epoch: unit.epoch, sequence: unit.sequence, eventCount: batch.eventCount,
                payload: batch.payload,
                outgoing: batch.outgoing.map { OutgoingMessages(target: $0.target, payload: $0.payload) },
                consumedInbox: unit.consumedInbox, checkpoint: checkpoint)
            unit.consumedInbox.removeAll(keepingCapacity: true)
            if checkpoint != nil { unit.checkpointSequence = unit.sequence }
            if !batch.blobs.isEmpty { unit.pendingBlobs.append((unit.sequence, batch.blobs.map(\.hash))) }
        }
        // Jobs and checkpoint may have been read from the store, too.
        guard !isDamaged(unit, runtime) else { return }
        runtime.committer.submit(
            PendingBatch(
                unit: unit, batch: storeBatch,
                blobs: batch.blobs.map { Blob(hash: $0.hash, bytes: $0.bytes) }, effects: batch.effects,
                offeredTypes: offered,
                figures: runtime.figures(of: unit)))
    }
}

extension CheckpointDelta {
    /// A checkpoint in the store's terms.
    init(_ checkpoint: PartitionCheckpoint) {
        self.init(
            changed: checkpoint.changed.map {
                Entity(kind: EntityKind(rawValue: $0.kind), key: $0.key, index: $0.index, state: $0.state)
            },
            removed: checkpoint.removed.map { (EntityKind(rawValue: $0.kind), $0.key) })
    }
}
