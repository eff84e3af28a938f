import Storage
import StorageTestSupport
import Testing

/// Fails the N-th write or sync of a real file for N = 1, 2, … until the script runs through.
@Suite struct DiskFaultTests {
    struct Row: Sendable, CustomStringConvertible {
        let description: String
        let fault: FaultVFS.Fault
        let codes: Set<StoreError.Code>
    }

    static let rows = [
        Row(
            description: "a full disk", fault: .init(.write, number: 0, isFull: true), codes: [.full]),
        Row(
            description: "a disk that stays full", fault: .init(.write, number: 0, isPersistent: true, isFull: true),
            codes: [.full]),
        Row(
            description: "a write that fails", fault: .init(.write, number: 0), codes: [.io, .unknownOutcome]),
        Row(
            description: "a write that fails after all", fault: .init(.write, number: 0, takesEffect: true),
            codes: [.io, .unknownOutcome]),
        Row(
            description: "a sync that fails", fault: .init(.sync, number: 0), codes: [.unknownOutcome]),
        Row(
            description: "a sync that fails after all", fault: .init(.sync, number: 0, takesEffect: true),
            codes: [.unknownOutcome]),
        Row(
            description: "a disk that fails for ever", fault: .init(.write, number: 0, isPersistent: true),
            codes: [.io, .unknownOutcome]),
    ]

    @Test(arguments: rows)
    func nothingIsLostOrHalfWrittenBy(_ row: Row) throws {
        var number = 0
        var failures = 0
        repeat {
            number += 1
            var fault = row.fault
            fault.number = number
            failures += try self.run(row, fault: fault) ? 1 : 0
            try #require(number < 200, "the script never ran through")
        } while failures == number
        #expect(failures > 3)
    }

    /// Commits groups until one fails, checks what a crash would leave, heals the disk and goes on; whether it failed.
    private func run(_ row: Row, fault: FaultVFS.Fault) throws -> Bool {
        let vfs = FaultVFS()
        // The log is not copied in the background: every write belongs to the script.
        let fixture = try StoreFixture(database: SQLiteOptions(walBytes: 1 << 40, vfs: vfs.name))
        var model: [[[UInt8]]] = Array(repeating: [], count: 4)
        vfs.arm(fault)
        var wasHit = false
        for step in 0..<6 {
            let entity = CheckpointDelta.Entity(kind: EntityKind(rawValue: 1), key: 1, index: nil, state: [UInt8(step)])
            let payload = [UInt8](repeating: UInt8(step), count: 3_000)
            let heads = fixture.heads
            let group = [
                fixture.batch(step % 4, payload, checkpoint: CheckpointDelta(changed: [entity], removed: [])),
                fixture.batch((step + 1) % 4, [UInt8(step)]),
            ]
            var written = model
            for batch in group { written[batch.partition].append(batch.payload) }
            let error = try storeError { try fixture.store.commit(group) }
            guard let error else {
                model = written
                continue
            }
            wasHit = true
            #expect(row.codes.contains(error.code), "write \(fault.number), step \(step): \(error)")
            let crashed = try self.payloadsAfterCrash(fixture)
            if error.code == .unknownOutcome {
                #expect(crashed == model || crashed == written, "write \(fault.number), step \(step)")
                #expect(try storeError { try fixture.store.commit(group) }?.code == .fenced)
            } else {
                #expect(crashed == model, "write \(fault.number), step \(step)")
            }
            vfs.arm(nil)
            if error.code == .unknownOutcome {
                fixture.heads = try fixture.store.acquire()
                let settled = try fixture.store.payloads(partitionCount: 4)
                #expect(settled == model || settled == written, "write \(fault.number), step \(step)")
                model = settled
                #expect(try self.payloadsAfterCrash(fixture) == model)
            } else {
                fixture.heads = heads
                #expect(try fixture.store.payloads(partitionCount: 4) == model)
            }
        }
        vfs.arm(nil)
        try fixture.reopen()
        #expect(try fixture.store.payloads(partitionCount: 4) == model)
        #expect(fixture.heads.map { Int($0.sequence) } == model.map(\.count))
        return wasHit
    }

    private func payloadsAfterCrash(_ fixture: StoreFixture) throws -> [[[UInt8]]] {
        let copy = try fixture.copyAfterCrash()
        let store = try SQLiteJournalStore(directory: copy.path, options: .init(partitionCount: 4))
        defer { store.close() }
        _ = try store.acquire()
        return try store.payloads(partitionCount: 4)
    }

    @Test func aDiskThatFillsUpRefusesCommitsUntilThereIsSpace() throws {
        let vfs = FaultVFS()
        let fixture = try StoreFixture(database: SQLiteOptions(pageCountMaximum: 100, vfs: vfs.name))
        var committed = 0
        var failure: StoreError?
        while failure == nil, committed < 1_000 {
            let heads = fixture.heads
            let batch = fixture.batch(0, [UInt8](repeating: 1, count: 10_000))
            failure = try storeError { try fixture.store.commit([batch]) }
            if failure == nil { committed += 1 } else { fixture.heads = heads }
        }
        #expect(failure?.code == .full)
        #expect(try fixture.store.payloads(partitionCount: 4)[0].count == committed)
        #expect(committed > 10)
        // Small batches still find room in the pages there are.
        try fixture.store.commit([fixture.batch(1, [1])])
    }

    @Test func commitsGoOnWhileTheLogCannotBeCopied() throws {
        let vfs = FaultVFS()
        let fixture = try StoreFixture(database: SQLiteOptions(walBytes: 40_960, vfs: vfs.name))
        vfs.arm(.init(.write, number: 1, isPersistent: true, isDatabaseOnly: true))
        var committed = 0
        while fixture.store.checkpointFailure == nil, committed < 5_000 {
            try fixture.store.commit([fixture.batch(0, [UInt8](repeating: 1, count: 10_000))])
            committed += 1
        }
        #expect(fixture.store.checkpointFailure?.code == .io)
        vfs.arm(nil)
        while fixture.store.checkpointFailure != nil, committed < 10_000 {
            try fixture.store.commit([fixture.batch(0, [UInt8](repeating: 1, count: 10_000))])
            committed += 1
        }
        #expect(fixture.store.checkpointFailure == nil)
        try fixture.reopen()
        #expect(fixture.heads[0].sequence == UInt64(committed))
    }
}
