import Foundation
import Storage
import Testing

@Suite struct IdempotencyStoreTests {
    private final class Folder {
        let path = FileManager.default.temporaryDirectory.appending(path: "idem-\(UUID().uuidString)").path

        init() throws { try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true) }

        deinit { try? FileManager.default.removeItem(atPath: self.path) }
    }

    private static let inFlight = IdempotencyRow(
        scope: "s", key: "k", fingerprint: "f", owner: "o", leaseUntil: 5, created: 1, expires: 10)
    private static let done = IdempotencyRow(
        scope: "s", key: "done", fingerprint: "f", status: 201, headers: Array("{}".utf8), body: [0, 255], created: 1,
        expires: 10)

    private func put(_ rows: [IdempotencyRow], in store: SQLiteIdempotencyStore) throws {
        try store.transact { table throws(StoreError) in
            for row in rows { try table.put(row) }
        }
    }

    private func find(_ key: String, in store: SQLiteIdempotencyStore) throws -> IdempotencyRow? {
        try store.transact { table throws(StoreError) in try table.find(scope: "s", key: key) }
    }

    @Test func recordsSurviveAndAreReplaced() throws {
        let folder = try Folder()
        let store = try SQLiteIdempotencyStore(directory: folder.path)
        try self.put([Self.inFlight, Self.done], in: store)
        store.close()
        let again = try SQLiteIdempotencyStore(directory: folder.path)
        defer { again.close() }
        #expect(try self.find("k", in: again) == Self.inFlight)
        #expect(try self.find("done", in: again) == Self.done)
        #expect(try self.find("none", in: again) == nil)
        var taken = Self.inFlight
        taken.owner = "p"
        try self.put([taken], in: again)
        #expect(try self.find("k", in: again) == taken)
        try again.transact { table throws(StoreError) in try table.remove(scope: "s", key: "k") }
        #expect(try self.find("k", in: again) == nil)
    }

    @Test func aTransactionThatThrowsLeavesNothing() throws {
        let folder = try Folder()
        let store = try SQLiteIdempotencyStore(directory: folder.path)
        defer { store.close() }
        #expect(throws: StoreError.self) {
            try store.transact { table throws(StoreError) in
                try table.put(Self.inFlight)
                throw StoreError(.full, "full", remedy: "none")
            }
        }
        #expect(try self.find("k", in: store) == nil)
        try self.put([Self.inFlight], in: store)
    }

    @Test func onlyExpiredAnswersAreForgotten() throws {
        let folder = try Folder()
        let store = try SQLiteIdempotencyStore(directory: folder.path)
        defer { store.close() }
        var young = Self.done
        young.key = "young"
        young.expires = 30
        var other = Self.done
        other.key = "other"
        try self.put([Self.inFlight, Self.done, other, young], in: store)
        func trim(_ now: Int64, _ limit: Int) throws -> Int {
            try store.transact { table throws(StoreError) in try table.removeExpired(before: now, limit: limit) }
        }
        #expect(try trim(10, 9) == 0)
        #expect(try trim(11, 1) == 1)
        #expect(try trim(11, 9) == 1)
        #expect(try self.find("k", in: store) != nil, "nobody knows yet what became of it")
        #expect(try self.find("young", in: store) != nil)
    }

    @Test func aClosedStoreSaysSo() throws {
        let folder = try Folder()
        let store = try SQLiteIdempotencyStore(directory: folder.path)
        store.close()
        store.close()
        #expect(throws: StoreError.self) { try self.put([Self.done], in: store) }
    }

    @Test func theEmbeddedSchemaIsTheOneInTheFile() throws {
        let schema = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "schema")
        for migration in SchemaMigration.idempotency {
            #expect(migration.sql == (try String(contentsOf: schema.appending(path: migration.file), encoding: .utf8)))
        }
    }

    @Test func aBackupHasTheRecords() throws {
        let (folder, target) = (try Folder(), try Folder())
        let journal = try SQLiteJournalStore(directory: folder.path)
        try SQLiteRecordStore(directory: folder.path).close()
        let store = try SQLiteIdempotencyStore(directory: folder.path)
        try self.put([Self.inFlight], in: store)
        try StoreBackup.copy(directory: folder.path, to: target.path)
        store.close()
        journal.close()
        let copy = try SQLiteIdempotencyStore(directory: target.path)
        defer { copy.close() }
        #expect(try self.find("k", in: copy) == Self.inFlight)
    }
}
