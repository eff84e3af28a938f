internal import Synchronization

/// The query model in one SQLite file: `records.db` in the data directory whose lock the journal store holds.
///
/// Transactions survive the death of the process at once and a power failure a little later (`synchronous=NORMAL`):
/// what is lost then is projected again, because the positions are lost with it. `durableSequences` tells what the
/// journal may forget.
public final class SQLiteRecordStore: RecordStore {
    let path: String
    let options: SQLiteOptions
    private let partitionCount: Int
    private let writer: OwnedRecords
    private let checkpointer: WALCheckpointer

    /// Opens or creates the file in a directory that exists.
    ///
    /// - Throws: `StoreError.schema` when a newer program wrote it, `.corrupt`, `.io`, `.full`.
    public init(
        directory: String, partitionCount: Int = 64,
        options: SQLiteOptions = SQLiteOptions(walBytes: 16 << 20)
    ) throws(StoreError) {
        self.path = directory + "/records.db"
        self.options = options
        self.partitionCount = partitionCount
        let connection = try SQLiteConnection.writer(path: self.path, synchronous: "NORMAL", options: options)
        try SchemaMigration.apply(SchemaMigration.records, to: connection)
        try makeDurable(directory)
        let writer = OwnedRecords(try RecordWriter(connection))
        self.writer = writer
        self.checkpointer = try WALCheckpointer(path: self.path, options: options) { pass in
            writer.writer.withLock { _ in pass() }
        }
    }

    deinit {
        self.close()
    }

    /// See `RecordStore`.
    public func projectedSequences() throws(StoreError) -> [UInt64] {
        let count = self.partitionCount
        return try self.withWriter { writer throws(StoreError) in try writer.projectedSequences(count: count) }
    }

    /// See `RecordStore`.
    public func durableSequences() throws(StoreError) -> [UInt64] {
        let sequences = try self.projectedSequences()
        try makeDurable(self.path + "-wal")
        return sequences
    }

    /// See `RecordStore`.
    public func apply(_ batch: RecordBatch) throws(StoreError) {
        let pages = try self.withWriter { writer throws(StoreError) in
            try writer.apply(batch)
            return writer.walPages
        }
        self.checkpointer.committed(walPages: pages)
    }

    /// See `RecordStore`.
    public func purgeInbox(at milliseconds: Int64, limit: Int) throws(StoreError) -> Int {
        let (count, pages) = try self.withWriter { writer throws(StoreError) in
            (try writer.purgeInbox(at: milliseconds, limit: limit), writer.walPages)
        }
        self.checkpointer.committed(walPages: pages)
        return count
    }

    /// See `RecordStore`.
    public func instance(key: UInt64) throws(StoreError) -> ProcessInstanceRecord? {
        try self.withWriter { writer throws(StoreError) in try writer.instance(key: key) }
    }

    /// See `RecordStore`.
    public func sizeBytes() -> Int64 {
        databaseBytes(self.path)
    }

    /// See `RecordStore`.
    public func close() {
        self.checkpointer.stop()
        self.writer.writer.withLock { writer in
            writer?.close()
            writer = nil
        }
    }

    /// Why the background copying of the log failed, while it does; nil when all is well.
    public var checkpointFailure: StoreError? {
        self.checkpointer.failure
    }

    private func withWriter<Result: Sendable>(
        _ body: (RecordWriter) throws(StoreError) -> Result
    ) throws(StoreError) -> Result {
        try self.writer.writer.withLock { (writer) throws(StoreError) -> Result in
            guard let writer else { throw StoreError.closed(self.path) }
            return try body(writer)
        }
    }
}

/// The writing connection; one thread at a time.
private final class OwnedRecords: Sendable {
    let writer: Mutex<RecordWriter?>

    init(_ writer: sending RecordWriter) {
        self.writer = Mutex(writer)
    }
}
