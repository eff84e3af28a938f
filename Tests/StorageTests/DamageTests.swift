import CSQLite
import Foundation
import Storage
import StorageTestSupport
import Testing

/// Runs SQL on a closed file, as somebody with the sqlite3 shell could.
func forge(_ path: String, _ sql: String) throws {
    var handle: OpaquePointer?
    defer { sqlite3_close(handle) }
    try #require(sqlite3_open(path, &handle) == SQLITE_OK)
    try #require(sqlite3_exec(handle, sql, nil, nil, nil) == SQLITE_OK, "\(String(cString: sqlite3_errmsg(handle)))")
}

@Suite struct DamageTests {
    /// A closed store with 200 batches in each of 4 partitions.
    private func makeFixture() throws -> StoreFixture {
        let fixture = try StoreFixture()
        for number in 0..<200 {
            try fixture.store.commit((0..<4).map { fixture.batch($0, [UInt8](repeating: UInt8(number), count: 200)) })
        }
        fixture.store.close()
        return fixture
    }

    struct Forgery: Sendable, CustomStringConvertible {
        let description: String
        let sql: String
        let sequence: UInt64
    }

    @Test(arguments: [
        Forgery(
            description: "a changed payload",
            sql: "UPDATE journal SET payload = zeroblob(200) WHERE partition = 2 AND sequence = 40", sequence: 40),
        Forgery(
            description: "a changed hash",
            sql: "UPDATE journal SET hash = zeroblob(32) WHERE partition = 2 AND sequence = 70", sequence: 70),
        Forgery(
            description: "a missing batch", sql: "DELETE FROM journal WHERE partition = 2 AND sequence = 33",
            sequence: 33),
        Forgery(
            description: "a batch renumbered",
            sql: "UPDATE journal SET sequence = 5000 WHERE partition = 2 AND sequence = 9",
            sequence: 9),
        Forgery(
            description: "a missing index row",
            sql: "DELETE FROM journal_index WHERE partition = 2 AND first_sequence = 63", sequence: 63),
    ])
    func readingNamesTheFirstBatchAfter(_ forgery: Forgery) throws {
        let fixture = try self.makeFixture()
        try forge(fixture.path("journal.db"), forgery.sql)
        try fixture.reopen()
        var read: UInt64 = 0
        let error = try storeError {
            try fixture.store.readJournal(partition: 2, after: 0) { (batch) throws(StoreError) in
                read = batch.sequence
                return true
            }
        }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("batch \(forgery.sequence) of partition 2") == true, "\(error?.message ?? "")")
        #expect(read == forgery.sequence - 1)
    }

    @Test func theIndexIsRebuiltFromTheBatchesWhenItsNewestRowsAreGone() throws {
        let fixture = try self.makeFixture()
        try forge(fixture.path("journal.db"), "DELETE FROM journal_index")
        try fixture.reopen()
        #expect(try fixture.store.payloads(partitionCount: 4)[2].count == 200)
    }

    @Test func verificationReportsEveryBrokenChain() throws {
        let fixture = try self.makeFixture()
        try forge(
            fixture.path("journal.db"),
            """
            UPDATE journal SET payload = x'00' WHERE partition = 1 AND sequence = 12;
            UPDATE journal SET payload = x'00' WHERE partition = 3 AND sequence = 80;
            """)
        try fixture.reopen()
        let reports = try fixture.store.verifyChains()
        #expect(reports.map(\.lastSequence) == [200, 11, 200, 79])
        #expect(reports.map { $0.failure?.code } == [nil, .corrupt, nil, .corrupt])
        #expect(reports.map(\.eventCount) == [200, 11, 200, 79])
        #expect(reports[0].hash == fixture.heads[0].hash)
        #expect(reports[1].hash != nil)
    }

    @Test func aForgedNewestBatchIsFoundWhenAcquiring() throws {
        let fixture = try self.makeFixture()
        try forge(
            fixture.path("journal.db"), "UPDATE journal SET payload = x'00' WHERE partition = 1 AND sequence = 200")
        let error = try storeError { try fixture.reopen() }
        #expect(error?.code == .corrupt)
        #expect(error?.message.contains("batch 200 of partition 1") == true, "\(error?.message ?? "")")
    }

    @Test func anInMemoryForgeryIsFoundToo() throws {
        let disk = InMemoryDisk(partitionCount: 1)
        let store = try InMemoryJournalStore(disk: disk)
        let head = try store.acquire()[0]
        for sequence: UInt64 in 1...3 {
            try store.commit([
                PartitionBatch(partition: 0, epoch: head.epoch, sequence: sequence, eventCount: 1, payload: [1])
            ])
        }
        #expect(disk.damage(partition: 0, sequence: 2))
        #expect(!disk.damage(partition: 0, sequence: 9))
        #expect(try store.verifyChains()[0].lastSequence == 1)
    }

    @Test(arguments: [0, 20, 60, 99])
    func aTornLogLosesOnlyWhatWasNotComplete(percentKept: Int) throws {
        let fixture = try StoreFixture(database: SQLiteOptions(walBytes: 1 << 40))
        for number in 0..<50 {
            try fixture.store.commit([fixture.batch(0, [UInt8](repeating: UInt8(number), count: 999))])
        }
        let copy = try fixture.copyAfterCrash()
        let log = copy.path + "/journal.db-wal"
        let size = try #require(FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
        truncate(log, off_t(size * percentKept / 100))
        try self.expectWholePrefix(copy, of: 50)
    }

    @Test(arguments: [0.2, 0.5, 0.9])
    func aDamagedLogEndsBeforeTheDamage(position: Double) throws {
        let fixture = try StoreFixture(database: SQLiteOptions(walBytes: 1 << 40))
        for number in 0..<50 {
            try fixture.store.commit([fixture.batch(0, [UInt8](repeating: UInt8(number), count: 999))])
        }
        let copy = try fixture.copyAfterCrash()
        let log = try FileHandle(forUpdating: URL(fileURLWithPath: copy.path + "/journal.db-wal"))
        try log.seek(toOffset: UInt64(Double(try log.seekToEnd()) * position))
        log.write(Data([0xDE, 0xAD, 0xBE, 0xEF]))
        try log.close()
        try self.expectWholePrefix(copy, of: 50)
    }

    /// A store that lost its tail has a whole prefix and says so to whoever saw more.
    private func expectWholePrefix(_ directory: TemporaryDirectory, of count: Int) throws {
        let store = try SQLiteJournalStore(directory: directory.path, options: .init(partitionCount: 4))
        defer { store.close() }
        let heads = try store.acquire()
        let payloads = try store.payloads(partitionCount: 4)[0]
        #expect(payloads == (0..<payloads.count).map { [UInt8](repeating: UInt8($0), count: 999) })
        #expect(payloads.count == Int(heads[0].sequence))
        #expect(payloads.count < count)
        let error = try storeError {
            try store.readJournal(partition: 0, after: UInt64(count)) { (_) throws(StoreError) in true }
        }
        #expect(error?.code == .corrupt)
    }

    @Test func aDamagedPageIsReportedNotRead() throws {
        let fixture = try self.makeFixture()
        let records = try SQLiteRecordStore(directory: fixture.directory.path)
        records.close()
        #expect(try StoreDoctor.examine(directory: fixture.directory.path).isEmpty)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.path("journal.db")))
        for page in stride(from: UInt64(12), through: 30, by: 3) {
            try file.seek(toOffset: page * 4_096)
            file.write(Data(repeating: 0xFF, count: 100))
        }
        try file.close()
        #expect(try !StoreDoctor.examine(directory: fixture.directory.path).isEmpty)
        let error = try storeError {
            try fixture.reopen()
            _ = try fixture.store.payloads(partitionCount: 4)
        }
        #expect(error?.code == .corrupt)
    }

    @Test(arguments: ["journal.db", "records.db"])
    func aFileThatIsNoDatabaseIsRefused(_ file: String) throws {
        let directory = TemporaryDirectory()
        try Data(repeating: 65, count: 8_192).write(to: URL(fileURLWithPath: directory.path + "/" + file))
        let error = try storeError {
            if file == "journal.db" {
                _ = try SQLiteJournalStore(directory: directory.path)
            } else {
                _ = try SQLiteRecordStore(directory: directory.path)
            }
        }
        #expect(error?.code == .corrupt)
    }
}
