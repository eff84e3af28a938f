public import Storage
internal import Synchronization

/// A journal store that fails when told to; everything else goes to the store it wraps.
public final class FaultyStore: JournalStore {
    /// What happens instead of a write.
    public struct Fault: Sendable {
        /// Whether the write took place although it fails.
        public enum Outcome: Sendable {
            /// Nothing is written; the caller gets this error.
            case refused(StoreError.Code)
            /// Everything is written, but the caller is told that nobody knows.
            case writtenButUnknown
            /// Nothing is written, and the caller is told that nobody knows.
            case lostAndUnknown
        }

        /// Which write fails, counted from 1 over `commit`, `storeBlobs` and `trim`.
        public var write: Int
        /// Whether all later writes fail as well.
        public var isPersistent: Bool
        /// What happens.
        public var outcome: Outcome

        /// Creates a fault.
        public init(write: Int, isPersistent: Bool = false, outcome: Outcome) {
            self.write = write
            self.isPersistent = isPersistent
            self.outcome = outcome
        }
    }

    private struct State {
        var fault: Fault?
        var writes = 0
        var needsAcquire = false
        var wasHit = false
    }

    private let store: any JournalStore
    private let state: Mutex<State>

    /// Wraps a store; without a fault it only counts.
    public init(_ store: any JournalStore, fault: Fault? = nil) {
        self.store = store
        self.state = Mutex(State(fault: fault))
    }

    /// Replaces the fault; nil heals the store.
    ///
    /// Writes are counted on.
    public func setFault(_ fault: Fault?) {
        self.state.withLock { $0.fault = fault }
    }

    /// How many writes were asked for.
    ///
    /// A test fails write 1, 2, … until `wasHit` stays false.
    public var writeCount: Int { self.state.withLock { $0.writes } }

    /// Whether the fault has happened.
    public var wasHit: Bool { self.state.withLock { $0.wasHit } }

    /// See `JournalStore`.
    public func acquire() throws(StoreError) -> [PartitionHead] {
        let heads = try self.store.acquire()
        self.state.withLock { $0.needsAcquire = false }
        return heads
    }

    /// See `JournalStore`.
    public func commit(_ batches: [PartitionBatch]) throws(StoreError) {
        try self.write { () throws(StoreError) in try self.store.commit(batches) }
    }

    /// See `JournalStore`.
    public func storeBlobs(_ blobs: [Blob]) throws(StoreError) {
        try self.write { () throws(StoreError) in try self.store.storeBlobs(blobs) }
    }

    /// See `JournalStore`.
    public func trim(partition: Int, upTo sequence: UInt64) throws(StoreError) {
        try self.write { () throws(StoreError) in try self.store.trim(partition: partition, upTo: sequence) }
    }

    /// See `JournalStore`.
    public func readJournal(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.store.readJournal(partition: partition, after: sequence, body)
    }

    /// See `JournalStore`.
    public func readJournal(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.store.readJournal(after: sequences, body)
    }

    /// See `JournalStore`.
    public func retainedSequences() throws(StoreError) -> [UInt64] {
        try self.store.retainedSequences()
    }

    /// See `JournalStore`.
    public func makeStateReader() throws(StoreError) -> any StateReader {
        try self.store.makeStateReader()
    }

    /// See `JournalStore`.
    public func sizeBytes() -> Int64 {
        self.store.sizeBytes()
    }

    /// See `JournalStore`.
    public func close() {
        self.store.close()
    }

    private func write(_ body: () throws(StoreError) -> Void) throws(StoreError) {
        let outcome = try self.state.withLock { (state) throws(StoreError) -> Fault.Outcome? in
            if state.needsAcquire { throw StoreError.notAcquired("a faulty store") }
            state.writes += 1
            guard let fault = state.fault else { return nil }
            let isHit = fault.isPersistent ? state.writes >= fault.write : state.writes == fault.write
            guard isHit else { return nil }
            state.wasHit = true
            if case .refused = fault.outcome { return fault.outcome }
            state.needsAcquire = true
            return fault.outcome
        }
        switch outcome {
        case nil:
            try body()
        case .refused(let code):
            throw StoreError(code, "An injected fault refused the write.", remedy: "None; this is a test.")
        case .writtenButUnknown:
            try body()
            throw Self.unknown
        case .lostAndUnknown:
            throw Self.unknown
        }
    }

    private static let unknown = StoreError(
        .unknownOutcome, "An injected fault hides whether the write took place.",
        remedy: "Acquire the partitions again.")
}
