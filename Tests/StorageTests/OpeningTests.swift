import Foundation
import Storage
import StorageTestSupport
import Testing

@Suite struct OpeningTests {
    @Test(arguments: [
        ("journal", SchemaMigration.journal), ("records", SchemaMigration.records),
    ])
    func theEmbeddedSchemaIsTheOneInTheFiles(_ row: (kind: String, migrations: [SchemaMigration])) throws {
        let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("schema")
        let files = try FileManager.default.contentsOfDirectory(
            atPath: schema.appendingPathComponent("sqlite/\(row.kind)").path
        ).filter { $0.hasSuffix(".sql") }.sorted()
        #expect(row.migrations.map(\.file) == files.map { "sqlite/\(row.kind)/\($0)" })
        for (index, migration) in row.migrations.enumerated() {
            #expect(migration.version == index + 1)
            #expect(
                migration.sql
                    == (try String(contentsOf: schema.appendingPathComponent(migration.file), encoding: .utf8)))
        }
    }

    @Test(arguments: ["journal.db", "records.db"])
    func aStoreOfANewerProgramIsRefused(_ file: String) throws {
        let fixture = try StoreFixture()
        try SQLiteRecordStore(directory: fixture.directory.path).close()
        fixture.store.close()
        try forge(fixture.path(file), "INSERT INTO schema_version VALUES (99, 'future.sql')")
        let error = try storeError {
            try fixture.reopen()
            try SQLiteRecordStore(directory: fixture.directory.path).close()
        }
        #expect(error?.code == .schema)
        #expect(error?.message.contains("99") == true)
    }

    @Test func theOwnerOfADirectoryIsNamed() throws {
        let fixture = try StoreFixture()
        let error = try storeError { _ = try SQLiteJournalStore(directory: fixture.directory.path) }
        #expect(error?.code == .ownedElsewhere)
        #expect(error?.message.contains("process \(getpid())") == true, "\(error?.message ?? "")")
    }

    @Test func theLockDiesWithItsProcess() throws {
        let directory = TemporaryDirectory()
        let child = Process()
        let output = Pipe()
        // The child locks like a server would, says so, and waits to be killed.
        child.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        child.arguments = ["flock", "-o", directory.path + "/lock", "sh", "-c", "echo locked; exec cat"]
        child.standardInput = Pipe()
        child.standardOutput = output
        try child.run()
        #expect(String(decoding: output.fileHandleForReading.availableData, as: UTF8.self) == "locked\n")
        let error = try storeError { _ = try SQLiteJournalStore(directory: directory.path) }
        #expect(error?.code == .ownedElsewhere)
        kill(child.processIdentifier, SIGKILL)
        (child.standardInput as? Pipe)?.fileHandleForWriting.closeFile()
        child.waitUntilExit()
        _ = output.fileHandleForReading.readDataToEndOfFile()
        try SQLiteJournalStore(directory: directory.path).close()
    }

    @Test func directoriesAreCreatedForTheOwnerOnly() throws {
        let directory = TemporaryDirectory()
        let path = directory.path + "/a/b"
        let store = try SQLiteJournalStore(directory: path)
        defer { store.close() }
        #expect(store.directory == path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o700)
    }

    @Test func aDirectoryThatCannotBeMadeIsAnIOError() throws {
        let directory = TemporaryDirectory()
        try Data().write(to: URL(fileURLWithPath: directory.path + "/file"))
        for path in [directory.path + "/file", directory.path + "/file/below"] {
            #expect(try storeError { _ = try SQLiteJournalStore(directory: path) }?.code == .io)
        }
    }

    @Test(arguments: [0, -1, 1_025])
    func partitionCountsAreBounded(_ count: Int) throws {
        let directory = TemporaryDirectory()
        let error = try storeError {
            _ = try SQLiteJournalStore(directory: directory.path, options: .init(partitionCount: count))
        }
        #expect(error?.code == .misuse)
    }

    @Test func aStoreKeepsItsNumberOfPartitions() throws {
        let directory = TemporaryDirectory()
        try SQLiteJournalStore(directory: directory.path, options: .init(partitionCount: 3)).close()
        let store = try SQLiteJournalStore(directory: directory.path, options: .init(partitionCount: 8))
        defer { store.close() }
        #expect(try store.acquire().count == 3)
    }

    @Test func theLogStaysBounded() throws {
        let fixture = try StoreFixture(database: SQLiteOptions(walBytes: 256 << 10))
        let log = fixture.path("journal.db-wal")
        var largest = 0
        for _ in 0..<400 {
            try fixture.store.commit([fixture.batch(0, [UInt8](repeating: 1, count: 20_000))])
            largest = max(largest, try #require(FileManager.default.attributesOfItem(atPath: log)[.size] as? Int))
        }
        // Eight megabytes were written.
        #expect(largest < 3 << 20)
    }
}
