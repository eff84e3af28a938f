import Dispatch
import Storage
import StorageTestSupport
import Testing

@Suite struct MaintenanceTests {
    /// Journal and records of two partitions, ten batches each, projected up to batch 8, trimmed up to 4.
    private func makeStore() throws -> (journal: StoreFixture, records: SQLiteRecordStore) {
        let fixture = try StoreFixture(partitionCount: 2)
        let records = try SQLiteRecordStore(directory: fixture.directory.path, partitionCount: 2)
        let checkpoint = CheckpointDelta(changed: [], removed: [])
        for number in 1...10 {
            try fixture.store.commit((0..<2).map { fixture.batch($0, [UInt8(number)], checkpoint: checkpoint) })
        }
        var batch = RecordBatch()
        batch.positions = [(0, 8), (1, 8)]
        batch.instances = [.sample(key: 1), .sample(key: 2, state: .completed)]
        try records.apply(batch)
        for partition in 0..<2 { try fixture.store.trim(partition: partition, upTo: 4) }
        return (fixture, records)
    }

    @Test func aStoreInUseIsHealthy() throws {
        let (fixture, records) = try self.makeStore()
        defer { records.close() }
        #expect(try StoreDoctor.examine(directory: fixture.directory.path).isEmpty)
    }

    @Test(arguments: [
        ("records.db", "UPDATE projection SET sequence = 11 WHERE partition = 1", "ends at 10"),
        ("records.db", "UPDATE projection SET sequence = 3 WHERE partition = 1", "begins after 4"),
        ("records.db", "DELETE FROM projection WHERE partition = 0", "projected up to batch 0"),
        (
            "records.db", "UPDATE process_instance SET state = 1",
            "definition 100 is said to have 1 instances in state 0"
        ),
        ("records.db", "DELETE FROM process_instance_total", "but has 1"),
        ("journal.db", "UPDATE partition SET checkpoint_sequence = 12", "checkpointed up to 12 and ends at 10"),
        ("journal.db", "UPDATE journal_base SET base_sequence = 11", "trimmed up to 11"),
        ("journal.db", "DELETE FROM journal_base WHERE partition = 0", "partition table"),
    ])
    func theDoctorFinds(_ row: (file: String, sql: String, problem: String)) throws {
        let (fixture, records) = try self.makeStore()
        records.close()
        fixture.store.close()
        try forge(fixture.path(row.file), row.sql)
        let findings = try StoreDoctor.examine(directory: fixture.directory.path).map(\.description)
        #expect(findings.contains { $0.contains(row.problem) && $0.contains(row.file) }, "\(findings)")
    }

    @Test func aBackupContinuesWhereItWasTaken() throws {
        let (fixture, records) = try self.makeStore()
        defer { records.close() }
        let target = TemporaryDirectory()
        let path = target.path + "/backup"
        try StoreBackup.copy(directory: fixture.directory.path, to: path)
        try fixture.store.commit([fixture.batch(0, [99])])

        #expect(try StoreDoctor.examine(directory: path).isEmpty)
        let copy = try SQLiteJournalStore(directory: path)
        defer { copy.close() }
        let heads = try copy.acquire()
        #expect(heads.map(\.sequence) == [10, 10])
        #expect(try copy.retainedSequences() == [4, 4])
        #expect(try copy.verifyChains().allSatisfy { $0.failure == nil && $0.lastSequence == 10 })
        let copiedRecords = try SQLiteRecordStore(directory: path, partitionCount: 2)
        defer { copiedRecords.close() }
        #expect(try copiedRecords.projectedSequences() == [8, 8])
        #expect(try copiedRecords.instance(key: 2)?.state == .completed)
        try copy.commit([
            PartitionBatch(partition: 0, epoch: heads[0].epoch, sequence: 11, eventCount: 1, payload: [7])
        ])
    }

    @Test func aBackupNeverOverwritesAStore() throws {
        let (fixture, records) = try self.makeStore()
        defer { records.close() }
        let target = TemporaryDirectory()
        try StoreBackup.copy(directory: fixture.directory.path, to: target.path)
        let again = try storeError { try StoreBackup.copy(directory: fixture.directory.path, to: target.path) }
        #expect(again?.code == .misuse)
        let own = try storeError {
            try StoreBackup.copy(directory: fixture.directory.path, to: fixture.directory.path)
        }
        #expect(own?.code == .ownedElsewhere)
    }

    @Test func backupsTakenUnderLoadAreWhole() throws {
        let fixture = try StoreFixture(partitionCount: 2, database: SQLiteOptions(walBytes: 64 << 10))
        let records = try SQLiteRecordStore(directory: fixture.directory.path, partitionCount: 2)
        defer { records.close() }
        let (store, epoch) = (fixture.store, fixture.heads[0].epoch)
        @Sendable func write(_ number: UInt64) throws {
            let entity = CheckpointDelta.Entity(kind: EntityKind(rawValue: 1), key: 1, index: nil, state: [1])
            try store.commit(
                (0..<2).map { partition in
                    PartitionBatch(
                        partition: partition, epoch: epoch, sequence: number, eventCount: 1, payload: [1, 2, 3],
                        checkpoint: CheckpointDelta(changed: [entity], removed: []))
                })
            var batch = RecordBatch()
            batch.positions = [(0, number), (1, number)]
            batch.instances = [.sample(key: number)]
            try records.apply(batch)
            for partition in 0..<2 { try store.trim(partition: partition, upTo: number) }
        }
        try write(1)
        let target = TemporaryDirectory()
        let directory = fixture.directory.path
        DispatchQueue.concurrentPerform(iterations: 2) { thread in
            #expect(throws: Never.self) {
                if thread == 0 {
                    for number: UInt64 in 2...300 { try write(number) }
                } else {
                    for copy in 0..<5 { try StoreBackup.copy(directory: directory, to: target.path + "/\(copy)") }
                }
            }
        }
        for copy in 0..<5 {
            #expect(try StoreDoctor.examine(directory: target.path + "/\(copy)").map(\.description) == [])
        }
    }
}
