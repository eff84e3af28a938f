internal import ConnectorKit
internal import Values

/// What a consumer has fetched, what is out, and what may be committed.
///
/// Pure: no clock, no I/O.
struct RecordLedger: Sendable {
    /// Records of one partition in a batch.
    private struct Part: Sendable {
        let generation: Int64
        let count: Int
        let span: OffsetTracker.Span?
    }

    /// A batch that is out, or waits to be delivered again.
    private struct Delivery: Sendable {
        var events: [SourceEvent]
        /// In the order of the events.
        var parts: [Part]

        /// Forgets the records of assignments that hold no longer; their new owner gets them.
        mutating func keep(where isCurrent: (Int64) -> Bool) {
            guard !self.parts.allSatisfy({ isCurrent($0.generation) }) else { return }
            var start = 0
            var kept: [SourceEvent] = []
            for part in self.parts {
                if isCurrent(part.generation) { kept += self.events[start..<(start + part.count)] }
                start += part.count
            }
            self.events = kept
            self.parts.removeAll { !isCurrent($0.generation) }
        }
    }

    /// What there is to read.
    enum Next: Sendable {
        case batch(EventBatch)
        /// Schemas must be fetched first.
        case missingSchemas(Set<Int32>)
        /// As many records are out as may be.
        case full
        case nothing
    }

    /// An offset to commit.
    struct Commit: Sendable, Hashable {
        var topic: String
        var partition: Int32
        /// One past the last record that is done.
        var offset: Int64
        var generation: Int64
    }

    /// Partitions by number of their assignment.
    private var partitions: [Int64: AssignedPartition] = [:]
    private var nextGeneration: Int64 = 1
    private var chunks: [RecordChunk] = []
    private(set) var readyCount = 0
    private(set) var readyBytes = 0
    private var out: [EventBatch.ID: Delivery] = [:]
    private(set) var outCount = 0
    private var redeliveries: [(notBefore: Duration, delivery: Delivery)] = []
    private var nextBatch: UInt64
    private let outMaximum: Int

    /// Batches are numbered from `firstBatch` on.
    init(firstBatch: UInt64, outMaximum: Int) {
        self.nextBatch = firstBatch
        self.outMaximum = outMaximum
    }

    /// The number the next batch would have.
    var upcomingBatch: UInt64 { self.nextBatch }

    // MARK: - Assignment

    /// A partition is assigned.
    mutating func assign(topic: String, partition: Int32) -> AssignedPartition {
        let assigned = AssignedPartition(topic: topic, partition: partition, generation: self.nextGeneration)
        self.nextGeneration += 1
        self.partitions[assigned.generation] = assigned
        return assigned
    }

    /// Partitions are assigned no longer: what was fetched of them is forgotten, acknowledgements of what is out no
    /// longer count.
    mutating func revoke(_ generations: Set<Int64>) {
        for generation in generations { self.partitions[generation] = nil }
        for index in self.chunks.indices {
            let before = (self.chunks[index].events.count, self.chunks[index].byteCount)
            self.chunks[index].keep { !generations.contains($0) }
            self.readyCount -= before.0 - self.chunks[index].events.count
            self.readyBytes -= before.1 - self.chunks[index].byteCount
        }
        self.chunks.removeAll { $0.events.isEmpty }
        for index in self.redeliveries.indices {
            let before = self.redeliveries[index].delivery.events.count
            self.redeliveries[index].delivery.keep { !generations.contains($0) }
            self.outCount -= before - self.redeliveries[index].delivery.events.count
        }
        self.redeliveries.removeAll { $0.delivery.events.isEmpty }
    }

    /// The current assignments.
    var generations: Set<Int64> { Set(self.partitions.keys) }

    // MARK: - Records

    /// Records were fetched.
    mutating func add(_ chunk: RecordChunk) {
        guard !chunk.events.isEmpty else { return }
        for run in chunk.runs { self.partitions[run.generation]?.fetched = run.last + 1 }
        self.chunks.append(chunk)
        self.readyCount += chunk.events.count
        self.readyBytes += chunk.byteCount
    }

    /// The next batch, of at most `maximum` events.
    mutating func next(_ maximum: Int, at now: Duration) -> Next {
        if let index = self.redeliveries.firstIndex(where: { $0.notBefore <= now }) {
            return .batch(self.hand(out: self.redeliveries.remove(at: index).delivery))
        }
        guard let first = self.chunks.first else { return .nothing }
        guard first.missingSchemas.isEmpty else { return .missingSchemas(first.missingSchemas) }
        let room = min(maximum, self.outMaximum - self.outCount)
        guard room > 0 else { return .full }
        let chunk = self.chunks[0].removeFirst(room)
        if self.chunks[0].events.isEmpty { self.chunks.removeFirst() }
        self.readyCount -= chunk.events.count
        self.readyBytes -= chunk.byteCount
        self.outCount += chunk.events.count
        let parts = chunk.runs.map { run in
            Part(
                generation: run.generation, count: run.count,
                span: self.partitions[run.generation]?.tracker.deliver(through: run.last))
        }
        return .batch(self.hand(out: Delivery(events: chunk.events, parts: parts)))
    }

    private mutating func hand(out delivery: Delivery) -> EventBatch {
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.out[id] = delivery
        return EventBatch(id: id, events: delivery.events)
    }

    /// When the next rejected batch may be delivered again.
    var nextRedelivery: Duration? { self.redeliveries.map(\.notBefore).min() }

    /// Reads the oldest records again, whose schemas are there now.
    mutating func resolve(with builder: RecordBuilder) {
        guard !self.chunks.isEmpty else { return }
        builder.resolve(&self.chunks[0])
    }

    // MARK: - Acknowledgement

    /// A batch is done; returns whether there is something new to commit.
    mutating func acknowledge(_ batch: EventBatch.ID) -> Bool {
        guard let delivery = self.out.removeValue(forKey: batch) else { return false }
        self.outCount -= delivery.events.count
        var hasMoved = false
        for part in delivery.parts {
            guard let span = part.span else { continue }
            if self.partitions[part.generation]?.tracker.finish(span) == true { hasMoved = true }
        }
        return hasMoved
    }

    /// A batch is not taken and comes again, not before `notBefore`.
    ///
    /// Its records are kept: nothing is fetched twice, and commits wait for them.
    mutating func redeliver(_ batch: EventBatch.ID, notBefore: Duration) {
        guard var delivery = self.out.removeValue(forKey: batch) else { return }
        let before = delivery.events.count
        delivery.keep { self.partitions[$0] != nil }
        self.outCount -= before - delivery.events.count
        if !delivery.events.isEmpty { self.redeliveries.append((notBefore, delivery)) }
    }

    // MARK: - Commits

    /// What may be committed and was not, of all partitions or of some.
    func commits(of generations: Set<Int64>? = nil) -> [Commit] {
        self.partitions.values.compactMap { partition in
            guard generations?.contains(partition.generation) ?? true, partition.tracker.isDirty,
                let offset = partition.tracker.position
            else {
                return nil
            }
            return Commit(
                topic: partition.topic, partition: partition.partition, offset: offset,
                generation: partition.generation)
        }
    }

    /// An offset was committed.
    mutating func committed(_ commit: Commit) {
        self.partitions[commit.generation]?.tracker.commit(commit.offset)
    }

    // MARK: - Figures

    /// The current assignments.
    var assigned: [AssignedPartition] { Array(self.partitions.values) }
}
