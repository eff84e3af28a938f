import Foundation
import Storage
import StorageTestSupport

/// A SQLite journal in a directory of its own.
final class StoreFixture {
    let directory = TemporaryDirectory()
    let options: SQLiteJournalStore.Options
    private(set) var store: SQLiteJournalStore
    var heads: [PartitionHead]

    init(partitionCount: Int = 4, database: SQLiteOptions = SQLiteOptions()) throws {
        self.options = SQLiteJournalStore.Options(partitionCount: partitionCount, database: database)
        self.store = try SQLiteJournalStore(directory: self.directory.path, options: self.options)
        self.heads = try self.store.acquire()
    }

    deinit {
        self.store.close()
    }

    /// The path of a file in the directory.
    func path(_ file: String) -> String {
        self.directory.path + "/" + file
    }

    /// The next batch of a partition.
    func batch(_ partition: Int, _ payload: [UInt8], checkpoint: CheckpointDelta? = nil) -> PartitionBatch {
        self.heads[partition].sequence += 1
        return PartitionBatch(
            partition: partition, epoch: self.heads[partition].epoch, sequence: self.heads[partition].sequence,
            eventCount: 1, payload: payload, checkpoint: checkpoint)
    }

    /// Closes and opens again.
    func reopen() throws {
        self.store.close()
        self.store = try SQLiteJournalStore(directory: self.directory.path, options: self.options)
        self.heads = try self.store.acquire()
    }

    /// A copy of the files as they are on disk now, as a crash would leave them.
    func copyAfterCrash() throws -> TemporaryDirectory {
        let copy = TemporaryDirectory()
        for file in ["journal.db", "journal.db-wal"] where FileManager.default.fileExists(atPath: self.path(file)) {
            try FileManager.default.copyItem(atPath: self.path(file), toPath: copy.path + "/" + file)
        }
        return copy
    }
}

extension JournalStore {
    /// The payloads of every partition.
    func payloads(partitionCount: Int) throws -> [[[UInt8]]] {
        var payloads: [[[UInt8]]] = Array(repeating: [], count: partitionCount)
        try self.readJournal(after: Array(repeating: 0, count: partitionCount)) { (batch) throws(StoreError) in
            payloads[batch.partition].append(batch.payload)
            return true
        }
        return payloads
    }
}

/// The error that `body` throws; nil when it throws none.
func storeError(_ body: () throws -> Void) rethrows -> StoreError? {
    do {
        try body()
        return nil
    } catch let error as StoreError {
        return error
    }
}
