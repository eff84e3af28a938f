import Storage

extension StoreConformance {
    static let journalCases: [StoreConformance] = [
        StoreConformance(name: "a new store has empty partitions and an epoch") { run in
            let heads = try run.acquire()
            try run.expect(heads.map(\.partition), equals: Array(0..<run.subject.partitionCount), "partitions")
            for head in heads {
                try run.expect(head.epoch > 0, "an acquired partition has an epoch above 0")
                try run.expect(head.sequence, equals: 0, "sequence")
                try run.expect(head.checkpointSequence, equals: 0, "checkpoint sequence")
                try run.expect(head.hash, equals: [UInt8](repeating: 0, count: 32), "hash")
                try run.expect(try run.read(head.partition).isEmpty, "a new journal is empty")
            }
        },
        StoreConformance(name: "batches are read back in order with their chain") { run in
            try run.acquire()
            let payloads: [[UInt8]] = [[], [7], [UInt8](repeating: 9, count: 5_000), [1, 2], [3]]
            for payload in payloads { try run.commit(2, payload) }
            var hash = [UInt8](repeating: 0, count: 32)
            let batches = try run.read(2)
            try run.expect(batches.map(\.payload), equals: payloads, "payloads")
            try run.expect(batches.map(\.sequence), equals: [1, 2, 3, 4, 5], "sequences")
            try run.expect(batches.map(\.eventCount), equals: payloads.map(\.count), "event counts")
            for batch in batches {
                hash = ContentHash.sha256(hash + batch.payload)
                try run.expect(batch.hash, equals: hash, "hash of batch \(batch.sequence)")
            }
            try run.restart()
            try run.expect(run.heads[2].hash, equals: hash, "hash of the head")
        },
        StoreConformance(name: "reading begins after a sequence and ends when the reader has enough") { run in
            try run.acquire()
            for number in 1...200 { try run.commit(1, [UInt8(number)]) }
            try run.expect(try run.read(1, after: 150).first?.sequence, equals: 151, "first batch")
            try run.expect(try run.read(1, after: 150).count, equals: 50, "batches")
            try run.expect(try run.read(1, after: 200).count, equals: 0, "batches after the end")
            var read = 0
            try run.store.readJournal(partition: 1, after: 10) { (_) throws(StoreError) in
                read += 1
                return read < 3
            }
            try run.expect(read, equals: 3, "batches until the reader had enough")
        },
        StoreConformance(name: "a group holds batches of many partitions and several of one") { run in
            try run.acquire()
            var group = (0..<run.subject.partitionCount).map { run.batch($0, [UInt8($0)]) }
            group.append(run.batch(0, [100]))
            group.append(run.batch(0, [101]))
            try run.store.commit(group)
            try run.store.commit([])
            try run.expect(try run.read(0).map(\.payload), equals: [[0], [100], [101]], "partition 0")
            try run.expect(try run.read(3).map(\.payload), equals: [[3]], "partition 3")
        },
        StoreConformance(name: "all partitions are read in one pass, each after its own sequence") { run in
            try run.acquire()
            for round in 0..<70 {
                try run.store.commit((0..<3).map { run.batch($0, [UInt8(round), UInt8($0)]) })
            }
            var after = [UInt64](repeating: 0, count: run.subject.partitionCount)
            (after[0], after[1], after[2]) = (70, 30, 69)
            var read: [[UInt64]] = Array(repeating: [], count: run.subject.partitionCount)
            try run.store.readJournal(after: after) { (batch) throws(StoreError) in
                read[batch.partition].append(batch.sequence)
                return true
            }
            try run.expect(read[0], equals: [], "partition 0")
            try run.expect(read[1], equals: Array(31...70), "partition 1")
            try run.expect(read[2], equals: [70], "partition 2")
            var count = 0
            try run.store.readJournal(after: after) { (_) throws(StoreError) in
                count += 1
                return count < 2
            }
            try run.expect(count, equals: 2, "batches until the reader had enough")
        },
        StoreConformance(name: "a batch of a megabyte survives a restart") { run in
            try run.acquire()
            let payload = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try run.commit(0, payload)
            try run.restart()
            try run.expect(try run.read(0).first?.payload == payload, "the payload is the same")
            try run.expect(run.store.sizeBytes() >= 1_048_576, "the size counts the payload")
        },
    ]

    static let refusalCases: [StoreConformance] = [
        StoreConformance(name: "nothing is committed before partitions are acquired") { run in
            try run.expect(.fenced, "commit") {
                try run.store.commit([
                    PartitionBatch(partition: 0, epoch: 0, sequence: 1, eventCount: 1, payload: [1])
                ])
            }
            try run.acquire()
            try run.expect(try run.read(0).count, equals: 0, "batches")
        },
        StoreConformance(name: "a batch of an older epoch is fenced") { run in
            try run.acquire()
            let stale = run.batch(1)
            try run.acquire()
            try run.expect(.fenced, "commit under the old epoch") { try run.store.commit([stale]) }
            try run.commit(1, [9])
            try run.expect(try run.read(1).map(\.payload), equals: [[9]], "batches")
        },
        StoreConformance(name: "a batch that does not follow the head is refused") { run in
            try run.acquire()
            try run.commit(0)
            for sequence: UInt64 in [0, 1, 3] {
                var batch = run.batch(0)
                batch.sequence = sequence
                run.heads[0].sequence -= 1
                try run.expect(.misuse, "sequence \(sequence) after 1") { try run.store.commit([batch]) }
            }
            try run.commit(0)
        },
        StoreConformance(name: "partitions that do not exist are refused") { run in
            try run.acquire()
            let count = run.subject.partitionCount
            var batch = run.batch(0)
            batch.partition = count
            try run.expect(.misuse, "batch") { try run.store.commit([batch]) }
            run.heads[0].sequence -= 1
            try run.expect(.misuse, "message") {
                try run.commit(0, outgoing: [OutgoingMessages(target: count, payload: [1])])
            }
            try run.expect(.misuse, "read") { _ = try run.read(count) }
            try run.expect(.misuse, "read of all") {
                try run.store.readJournal(after: [0]) { (_) throws(StoreError) in true }
            }
            try run.expect(.misuse, "trim") { try run.store.trim(partition: count, upTo: 1) }
        },
        StoreConformance(name: "a refused group leaves nothing behind") { run in
            try run.acquire()
            let entity = CheckpointDelta.Entity(kind: .probe, key: 5, index: [1], state: [2])
            let good = run.batch(
                0, outgoing: [OutgoingMessages(target: 1, payload: [4])],
                checkpoint: CheckpointDelta(changed: [entity], removed: []))
            var bad = run.batch(1)
            bad.sequence += 1
            try run.expect(.misuse, "commit") { try run.store.commit([good, bad]) }
            let reader = try run.store.makeStateReader()
            try run.expect(try run.read(0).count, equals: 0, "batches")
            try run.expect(try reader.load(partition: 0, kind: .probe, key: 5) == nil, "no entity is written")
            try run.expect(try reader.inbox(partition: 1).count, equals: 0, "messages")
            try run.store.commit([good])
            try run.restart()
            try run.expect(run.heads[0].sequence, equals: 1, "sequence after the good batch alone")
            try run.expect(run.heads[0].checkpointSequence, equals: 1, "checkpoint sequence")
        },
        StoreConformance(name: "a reader that knows more than the journal is told so") { run in
            try run.acquire()
            try run.commit(3)
            try run.expect(.corrupt, "reading after batch 2 of 1") { _ = try run.read(3, after: 2) }
        },
    ]
}

extension EntityKind {
    /// A kind for tests.
    static let probe = EntityKind(rawValue: 7)
    /// Another kind for tests.
    static let other = EntityKind(rawValue: 8)
}
