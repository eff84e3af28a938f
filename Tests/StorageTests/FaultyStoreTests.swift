import CSQLite
import Storage
import StorageTestSupport
import Testing

@Suite struct FaultyStoreTests {
    private func batch(_ head: PartitionHead, _ sequence: UInt64) -> PartitionBatch {
        PartitionBatch(
            partition: 0, epoch: head.epoch, sequence: sequence, eventCount: 1, payload: [UInt8(sequence)])
    }

    @Test func aRefusedWriteCanBeRepeated() throws {
        let store = FaultyStore(
            try InMemoryJournalStore(), fault: .init(write: 2, outcome: .refused(.full)))
        let head = try store.acquire()[0]
        try store.commit([self.batch(head, 1)])
        #expect(try storeError { try store.commit([self.batch(head, 2)]) }?.code == .full)
        #expect(store.wasHit)
        try store.commit([self.batch(head, 2)])
        try store.storeBlobs([])
        try store.trim(partition: 0, upTo: 0)
        #expect(store.writeCount == 5)
    }

    @Test func aPersistentFaultStaysUntilHealed() throws {
        let store = FaultyStore(
            try InMemoryJournalStore(), fault: .init(write: 1, isPersistent: true, outcome: .refused(.io)))
        let head = try store.acquire()[0]
        for _ in 0..<3 { #expect(try storeError { try store.commit([self.batch(head, 1)]) }?.code == .io) }
        store.setFault(nil)
        try store.commit([self.batch(head, 1)])
    }

    @Test(arguments: [(FaultyStore.Fault.Outcome.writtenButUnknown, UInt64(1)), (.lostAndUnknown, 0)])
    func anUnknownOutcomeIsSettledByAcquiring(_ row: (outcome: FaultyStore.Fault.Outcome, sequence: UInt64)) throws {
        let store = FaultyStore(try InMemoryJournalStore(), fault: .init(write: 1, outcome: row.outcome))
        let head = try store.acquire()[0]
        #expect(try storeError { try store.commit([self.batch(head, 1)]) }?.code == .unknownOutcome)
        #expect(try storeError { try store.commit([self.batch(head, 1)]) }?.code == .fenced)
        let settled = try store.acquire()[0]
        #expect(settled.sequence == row.sequence)
        try store.commit([self.batch(settled, row.sequence + 1)])
    }

    @Test func aCrashKeepsWhatIsCommittedOnly() throws {
        let store = try InMemoryJournalStore()
        let head = try store.acquire()[0]
        try store.commit([self.batch(head, 1)])
        let next = try store.survivingCrash()
        #expect(try storeError { try store.commit([self.batch(head, 2)]) }?.code == .closed)
        #expect(try next.acquire()[0].sequence == 1)
        #expect(try storeError { try next.commit([self.batch(head, 2)]) }?.code == .fenced)
    }

    @Test func randomnessIsReproducible() {
        var (first, second) = (SeededGenerator(seed: 7), SeededGenerator(seed: 7))
        #expect(first.bytes(21) == second.bytes(21))
        #expect(first.bytes(5).count == 5 && first.bytes(0).isEmpty)
        // The second value of the published SplitMix64 for seed 0.
        var zero = SeededGenerator(seed: 0)
        #expect((zero.next(), zero.next()) == (0xE220_A839_7B1D_CDAF, 0x6E78_9E6A_A1B9_65F4))
    }

    @Test(arguments: [
        (SQLITE_FULL, StoreError.Code.full), (SQLITE_CORRUPT, .corrupt), (SQLITE_NOTADB, .corrupt),
        (SQLITE_CANTOPEN, .io), (SQLITE_READONLY, .io), (SQLITE_IOERR, .io), (SQLITE_IOERR | 4 << 8, .io),
        (SQLITE_BUSY, .io), (SQLITE_BUSY | 2 << 8, .io), (SQLITE_MISUSE, .misuse), (SQLITE_CONSTRAINT, .misuse),
        (SQLITE_NOMEM, .io),
    ])
    func resultsOfSQLiteAreTranslated(_ row: (result: Int32, code: StoreError.Code)) {
        let error = StoreError(sqlite: row.result, detail: "why", path: "/data/journal.db", doing: "writing")
        #expect(error.code == row.code)
        #expect(error.message.contains("writing in /data/journal.db: why (SQLite result \(row.result))"))
        #expect(!error.remedy.isEmpty)
    }

    @Test func errorsSayWhatHappenedAndWhatToDo() {
        let error = StoreError(.full, "The disk is full.", remedy: "Free space.")
        #expect(error.description == "ST101: The disk is full. — Free space.")
    }
}
