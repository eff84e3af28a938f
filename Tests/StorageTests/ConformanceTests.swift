import Storage
import StorageTestSupport
import Testing

@Suite struct ConformanceTests {
    @Test(arguments: StoreConformance.cases)
    func theSQLiteStoreConforms(_ conformance: StoreConformance) throws {
        let directory = TemporaryDirectory()
        try conformance.run(
            on: StoreConformance.Subject(partitionCount: 5) { () throws(StoreError) in
                try SQLiteJournalStore(directory: directory.path, options: .init(partitionCount: 5))
            })
    }

    @Test(arguments: StoreConformance.cases)
    func theInMemoryStoreConforms(_ conformance: StoreConformance) throws {
        let disk = InMemoryDisk(partitionCount: 5)
        try conformance.run(
            on: StoreConformance.Subject(partitionCount: 5) { () throws(StoreError) in
                try InMemoryJournalStore(disk: disk)
            })
    }

    @Test(arguments: StoreConformance.cases)
    func aFaultyStoreWithoutFaultConforms(_ conformance: StoreConformance) throws {
        let disk = InMemoryDisk(partitionCount: 4)
        try conformance.run(
            on: StoreConformance.Subject(partitionCount: 4) { () throws(StoreError) in
                FaultyStore(try InMemoryJournalStore(disk: disk))
            })
    }
}
