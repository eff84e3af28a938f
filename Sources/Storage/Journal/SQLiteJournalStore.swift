internal import Synchronization

/// The journal in one SQLite file: `journal.db` in a data directory that this process owns alone.
///
/// Commits are durable (WAL, `synchronous=FULL`); the log is copied into the file by a background thread. The batches
/// of all partitions lie in commit order, so a group commit writes little more than its payload.
public final class SQLiteJournalStore: JournalStore {
    /// How the store is created and opened.
    public struct Options: Sendable {
        /// Partitions of a new store; an existing store keeps its own number.
        ///
        /// 1 … 1,024.
        public var partitionCount: Int
        /// The file.
        public var database: SQLiteOptions

        /// Creates options.
        public init(partitionCount: Int = 64, database: SQLiteOptions = SQLiteOptions()) {
            self.partitionCount = partitionCount
            self.database = database
        }
    }

    /// The data directory.
    public let directory: String

    let path: String
    let options: Options
    private let owned: OwnedJournal
    private let checkpointer: WALCheckpointer

    /// Opens or creates the store and locks its directory until `close`.
    ///
    /// - Throws: `StoreError.ownedElsewhere` when another process has the directory, `.schema` when a newer program
    ///   wrote it, `.corrupt`, `.io`, `.full`.
    public init(directory: String, options: Options = Options()) throws(StoreError) {
        guard (1...1_024).contains(options.partitionCount) else {
            throw StoreError(
                .misuse, "A store has 1 to 1,024 partitions, not \(options.partitionCount).",
                remedy: "Set another partition count.")
        }
        self.directory = directory
        self.path = directory + "/journal.db"
        self.options = options
        let lock = try DirectoryLock(directory: directory)
        let connection = try SQLiteConnection.writer(
            path: self.path, synchronous: "FULL", options: options.database)
        try SchemaMigration.apply(SchemaMigration.journal, to: connection)
        try makeDurable(directory)
        let owned = OwnedJournal(try JournalWriter(connection, partitionCount: options.partitionCount), lock: lock)
        self.owned = owned
        self.checkpointer = try WALCheckpointer(path: self.path, options: options.database) { pass in
            owned.state.withLock { _ in pass() }
        }
    }

    deinit {
        self.close()
    }

    /// See `JournalStore`.
    public func acquire() throws(StoreError) -> [PartitionHead] {
        try self.withWriter { writer throws(StoreError) in try writer.acquire() }
    }

    /// See `JournalStore`.
    public func commit(_ batches: [PartitionBatch]) throws(StoreError) {
        let pages = try self.withWriter { writer throws(StoreError) in
            try writer.commit(batches)
            return writer.walPages
        }
        self.checkpointer.committed(walPages: pages)
    }

    /// See `JournalStore`.
    public func storeBlobs(_ blobs: [Blob]) throws(StoreError) {
        let pages = try self.withWriter { writer throws(StoreError) in
            try writer.store(blobs)
            return writer.walPages
        }
        self.checkpointer.committed(walPages: pages)
    }

    /// See `JournalStore`.
    public func trim(partition: Int, upTo sequence: UInt64) throws(StoreError) {
        let pages = try self.withWriter { writer throws(StoreError) in
            try writer.trim(partition: partition, upTo: sequence)
            return writer.walPages
        }
        self.checkpointer.committed(walPages: pages)
    }

    /// See `JournalStore`.
    public func readJournal(
        partition: Int, after sequence: UInt64, _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.makeJournalReader().read(partition: partition, after: sequence, body)
    }

    /// See `JournalStore`.
    public func readJournal(
        after sequences: [UInt64], _ body: (JournalBatch) throws(StoreError) -> Bool
    ) throws(StoreError) {
        try self.makeJournalReader().readAll(after: sequences, body)
    }

    /// See `JournalStore`.
    public func retainedSequences() throws(StoreError) -> [UInt64] {
        try self.withWriter { writer throws(StoreError) in writer.heads.map(\.base) }
    }

    /// See `JournalStore`.
    public func makeStateReader() throws(StoreError) -> any StateReader {
        try SQLiteStateReader(self.openReader())
    }

    /// See `JournalStore`.
    public func sizeBytes() -> Int64 {
        databaseBytes(self.path)
    }

    /// See `JournalStore`.
    public func close() {
        self.checkpointer.stop()
        self.owned.state.withLock { state in
            state.writer?.close()
            state = OwnedJournal.State()
        }
    }

    /// Why the background copying of the log failed, while it does; nil when all is well.
    public var checkpointFailure: StoreError? {
        self.checkpointer.failure
    }

    func makeJournalReader() throws(StoreError) -> SQLiteJournalReader {
        try SQLiteJournalReader(self.openReader())
    }

    /// A new reading connection, while the store is open.
    func openReader() throws(StoreError) -> SQLiteConnection {
        try self.withWriter { _ throws(StoreError) in }
        return try SQLiteConnection.reader(path: self.path, options: self.options.database)
    }

    private func withWriter<Result: Sendable>(
        _ body: (JournalWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.owned.state.withLock { (state) throws(StoreError) -> Result in
            guard let writer = state.writer else { throw StoreError.closed(self.path) }
            return try body(writer)
        }
    }
}

/// The writing connection together with the right to use it; one thread at a time.
private final class OwnedJournal: Sendable {
    struct State {
        var writer: JournalWriter?
        var lock: DirectoryLock?
    }

    let state: Mutex<State>

    init(_ writer: sending JournalWriter, lock: DirectoryLock) {
        self.state = Mutex(State(writer: writer, lock: lock))
    }
}
