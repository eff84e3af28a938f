public import Storage

/// What every journal store must do, as cases that run against any implementation.
///
/// Run each case as one parameterised test. A case throws `ConformanceFailure` when the store breaks a promise, or the
/// store's own error when it fails at all.
public struct StoreConformance: Sendable, CustomStringConvertible {
    /// A way to open the same durable storage again and again.
    public struct Subject: Sendable {
        /// How many partitions the store has; at least 4.
        public var partitionCount: Int
        /// Opens the storage.
        ///
        /// Called again after the store before was closed, it must find everything committed.
        public var open: @Sendable () throws(StoreError) -> any JournalStore

        /// Creates a subject with storage of its own.
        public init(partitionCount: Int, open: @escaping @Sendable () throws(StoreError) -> any JournalStore) {
            self.partitionCount = partitionCount
            self.open = open
        }
    }

    /// What the case shows.
    public let name: String
    let body: @Sendable (ConformanceRun) throws -> Void

    /// The name.
    public var description: String { self.name }

    /// Runs the case on fresh storage.
    public func run(on subject: Subject) throws {
        let run = ConformanceRun(subject: subject, store: try subject.open())
        defer { run.store.close() }
        try self.body(run)
    }

    /// All cases.
    public static let cases: [StoreConformance] =
        Self.journalCases + Self.refusalCases + Self.stateCases + Self.inboxCases + Self.trimCases + Self.lifeCases
}

/// A promise that a store did not keep.
public struct ConformanceFailure: Error, CustomStringConvertible {
    /// What was expected and what happened.
    public let description: String
}

/// A store under test with helpers that keep cases short.
final class ConformanceRun {
    let subject: StoreConformance.Subject
    var store: any JournalStore
    var heads: [PartitionHead] = []

    init(subject: StoreConformance.Subject, store: any JournalStore) {
        self.subject = subject
        self.store = store
    }

    /// Acquires and remembers the heads.
    @discardableResult
    func acquire() throws -> [PartitionHead] {
        self.heads = try self.store.acquire()
        return self.heads
    }

    /// Closes, opens and acquires again.
    func restart() throws {
        self.store.close()
        self.store = try self.subject.open()
        try self.acquire()
    }

    /// The next batch of a partition.
    func batch(
        _ partition: Int, _ payload: [UInt8] = [1, 2, 3], outgoing: [OutgoingMessages] = [],
        consumed: [InboxPosition] = [], checkpoint: CheckpointDelta? = nil
    ) -> PartitionBatch {
        self.heads[partition].sequence += 1
        let head = self.heads[partition]
        return PartitionBatch(
            partition: partition, epoch: head.epoch, sequence: head.sequence, eventCount: payload.count,
            payload: payload, outgoing: outgoing, consumedInbox: consumed, checkpoint: checkpoint)
    }

    /// Commits the next batch of a partition.
    func commit(
        _ partition: Int, _ payload: [UInt8] = [1, 2, 3], outgoing: [OutgoingMessages] = [],
        consumed: [InboxPosition] = [], checkpoint: CheckpointDelta? = nil
    ) throws {
        try self.store.commit([
            self.batch(partition, payload, outgoing: outgoing, consumed: consumed, checkpoint: checkpoint)
        ])
    }

    /// The batches of a partition after a sequence.
    func read(_ partition: Int, after sequence: UInt64 = 0) throws -> [JournalBatch] {
        var batches: [JournalBatch] = []
        try self.store.readJournal(partition: partition, after: sequence) { (batch) throws(StoreError) in
            batches.append(batch)
            return true
        }
        return batches
    }

    /// Fails unless a condition holds.
    func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
        if !condition { throw ConformanceFailure(description: what()) }
    }

    /// Fails unless two values are equal.
    func expect<T: Equatable>(_ value: T, equals expected: T, _ what: String) throws {
        try self.expect(value == expected, "\(what): expected \(expected), but got \(value)")
    }

    /// Fails unless `body` throws an error with a code.
    func expect(_ code: StoreError.Code, _ what: String, _ body: () throws -> Void) throws {
        do {
            try body()
        } catch let error as StoreError {
            try self.expect(error.code, equals: code, what)
            return
        }
        throw ConformanceFailure(description: "\(what): expected \(code.rawValue), but nothing was thrown")
    }
}
