import Foundation
import Storage
import StorageTestSupport
import Testing

@Suite struct SourceStateStoreTests {
    private let folder = TemporaryDirectory()

    private func open() throws -> SQLiteSourceStateStore {
        try SQLiteSourceStateStore(directory: self.folder.path)
    }

    @Test func oneOwnerAtATimeUntilItsLeaseIsOver() throws {
        let store = try self.open()
        defer { store.close() }
        #expect(try store.acquire("q", owner: "a", until: 100, now: 0) == 1)
        #expect(try store.acquire("q", owner: "b", until: 150, now: 99) == nil)
        #expect(try store.acquire("other", owner: "b", until: 150, now: 99) == 1)
        #expect(try store.renew("q", owner: "a", fence: 1, until: 200))
        #expect(try store.acquire("q", owner: "b", until: 250, now: 199) == nil)
        #expect(try store.acquire("q", owner: "b", until: 300, now: 200) == 2)
        #expect(try !store.renew("q", owner: "a", fence: 1, until: 400))
        #expect(try !store.release("q", owner: "a", fence: 1))
        #expect(
            try store.find("q") == SourceState(id: "q", owner: "b", fence: 2, leaseUntil: 300), "nothing of a's counts")
    }

    @Test func aLeaseThatIsOverIsRenewedAsLongAsNobodyTookIt() throws {
        let store = try self.open()
        defer { store.close() }
        let fence = try #require(try store.acquire("q", owner: "a", until: 100, now: 0))
        #expect(try store.renew("q", owner: "a", fence: fence, until: 900))
        #expect(try store.acquire("q", owner: "b", until: 950, now: 500) == nil)
    }

    @Test func whoeverWasFencedOutMovesNothing() throws {
        let store = try self.open()
        defer { store.close() }
        let old = try #require(try store.acquire("q", owner: "a", until: 100, now: 0))
        #expect(try store.save("q", fence: old, memory: Array("1".utf8)))
        let new = try #require(try store.acquire("q", owner: "b", until: 300, now: 100))
        #expect(try store.load("q") == Array("1".utf8), "the next owner goes on where the last one was")
        #expect(try store.save("q", fence: new, memory: Array("2".utf8)))
        #expect(try !store.save("q", fence: old, memory: Array("1.5".utf8)))
        #expect(try store.load("q") == Array("2".utf8))
        // The same name again: what ran under it before is out too.
        let newest = try #require(try store.acquire("q", owner: "b", until: 300, now: 150))
        #expect(try !store.save("q", fence: new, memory: []))
        #expect(try store.save("q", fence: newest, memory: []))
        #expect(try store.load("q") == [], "an empty position is one")
    }

    @Test func whatIsReleasedIsFreeAndKeepsItsPosition() throws {
        let store = try self.open()
        defer { store.close() }
        let fence = try #require(try store.acquire("q", owner: "a", until: 1_000, now: 0))
        #expect(try store.save("q", fence: fence, memory: [1]))
        #expect(try store.release("q", owner: "a", fence: fence))
        #expect(try !store.release("q", owner: "a", fence: fence))
        #expect(try !store.save("q", fence: fence, memory: [2]), "nobody owns it")
        #expect(try !store.renew("q", owner: "a", fence: fence, until: 2_000))
        #expect(try store.acquire("q", owner: "b", until: 1_000, now: 1) == fence + 1)
        #expect(try store.load("q") == [1])
    }

    @Test func onlyAPositionNobodyOwnsIsForgotten() throws {
        let store = try self.open()
        defer { store.close() }
        #expect(try store.reset("q", now: 0), "there is none")
        let fence = try #require(try store.acquire("q", owner: "a", until: 100, now: 0))
        #expect(try store.save("q", fence: fence, memory: [1]))
        #expect(try !store.reset("q", now: 99))
        #expect(try store.load("q") == [1])
        #expect(try store.reset("q", now: 100))
        #expect(try store.load("q") == nil)
        #expect(try !store.save("q", fence: fence, memory: [2]), "a is fenced out")
        #expect(try store.acquire("q", owner: "b", until: 300, now: 200) == fence + 1)
        #expect(try !store.save("q", fence: fence, memory: [2]))
    }

    @Test func whatIsUnknownIsNobodys() throws {
        let store = try self.open()
        defer { store.close() }
        #expect(try store.load("q") == nil)
        #expect(try store.find("q") == nil)
        #expect(try !store.save("q", fence: 1, memory: [1]))
        #expect(try !store.renew("q", owner: "a", fence: 1, until: 9))
        #expect(try !store.release("q", owner: "a", fence: 1))
        #expect(try store.list(prefix: "") == [])
    }

    @Test func idsAreListedByWhatTheyBeginWith() throws {
        let store = try self.open()
        defer { store.close() }
        for id in ["trigger:b", "queue:x", "trigger:a", "trigger%"] {
            #expect(try store.acquire(id, owner: "a", until: 9, now: 0) == 1)
        }
        #expect(try store.list(prefix: "trigger:").map(\.id) == ["trigger:a", "trigger:b"])
        #expect(try store.list(prefix: "trigger%").map(\.id) == ["trigger%"])
        #expect(try store.list(prefix: "").count == 4)
    }

    @Test func everythingSurvives() throws {
        let store = try self.open()
        let fence = try #require(try store.acquire("q", owner: "a", until: 100, now: 0))
        #expect(try store.save("q", fence: fence, memory: [0, 255]))
        store.close()
        let again = try self.open()
        defer { again.close() }
        #expect(
            try again.find("q") == SourceState(id: "q", owner: "a", fence: fence, leaseUntil: 100, memory: [0, 255]))
        #expect(try again.acquire("q", owner: "b", until: 200, now: 99) == nil)
        #expect(try again.acquire("q", owner: "a", until: 200, now: 99) == fence + 1)
    }

    /// Any mix of calls of three owners, whose clocks differ, against what the contract says.
    @Test(arguments: 0..<20) func ownersNeverShare(seed: Int) throws {
        let (one, two) = (try self.open(), try self.open())
        defer {
            one.close()
            two.close()
        }
        var random = SeededGenerator(seed: UInt64(seed))
        var model = SourceState(id: "q", owner: nil, fence: 0, leaseUntil: 0)
        var held: [String: Int64] = [:]
        for step in 0..<300 {
            let store = Bool.random(using: &random) ? one : two
            let owner = ["a", "b", "c"].randomElement(using: &random) ?? "a"
            // Clocks that differ by as much as a lease lasts.
            let now = Int64(step) * 10 + Int64.random(in: -50...50, using: &random)
            let fence = held[owner] ?? 0
            let isHolder = fence != 0 && fence == model.fence && model.owner != nil
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<3:
                let free = model.owner == nil || model.owner == owner || model.leaseUntil <= now
                let got = try store.acquire("q", owner: owner, until: now + 50, now: now)
                #expect(got == (free ? model.fence + 1 : nil))
                if let got {
                    held[owner] = got
                    model = SourceState(id: "q", owner: owner, fence: got, leaseUntil: now + 50, memory: model.memory)
                }
            case 3..<5:
                #expect(try store.renew("q", owner: owner, fence: fence, until: now + 50) == isHolder)
                if isHolder { model.leaseUntil = now + 50 }
            case 5..<9:
                let memory = Array("\(step)".utf8)
                #expect(try store.save("q", fence: fence, memory: memory) == isHolder)
                if isHolder { model.memory = memory }
            default:
                #expect(try store.release("q", owner: owner, fence: fence) == isHolder)
                if isHolder { (model.owner, model.leaseUntil) = (nil, 0) }
            }
            #expect(try store.load("q") == model.memory)
        }
        #expect(try one.find("q") == model)
    }

    @Test func aClosedStoreSaysSo() throws {
        let store = try self.open()
        store.close()
        store.close()
        let error = #expect(throws: StoreError.self) { try store.acquire("q", owner: "a", until: 1, now: 0) }
        #expect(error?.code == .closed)
    }

    @Test func theEmbeddedSchemaIsTheOneInTheFile() throws {
        let schema = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "schema")
        for migration in SchemaMigration.sources {
            #expect(migration.sql == (try String(contentsOf: schema.appending(path: migration.file), encoding: .utf8)))
        }
    }

    @Test func aBackupHasThePositions() throws {
        let directory = self.folder.path
        let target = TemporaryDirectory()
        let journal = try SQLiteJournalStore(directory: directory)
        try SQLiteRecordStore(directory: directory).close()
        let store = try self.open()
        let fence = try #require(try store.acquire("q", owner: "a", until: 100, now: 0))
        #expect(try store.save("q", fence: fence, memory: [7]))
        try StoreBackup.copy(directory: directory, to: target.path)
        store.close()
        journal.close()
        let copy = try SQLiteSourceStateStore(directory: target.path)
        defer { copy.close() }
        #expect(try copy.load("q") == [7])
    }
}
