import Storage

extension StoreConformance {
    static let trimCases: [StoreConformance] = [
        StoreConformance(name: "batches are dropped up to the checkpoint and not beyond") { run in
            try run.acquire()
            for number in 1...100 {
                let isCheckpoint = number == 90
                try run.commit(
                    0, [UInt8(number)], checkpoint: isCheckpoint ? CheckpointDelta(changed: [], removed: []) : nil)
                try run.commit(1, [UInt8(number)])
            }
            try run.expect(.misuse, "trimming beyond the checkpoint") { try run.store.trim(partition: 0, upTo: 91) }
            try run.trim(0, upTo: 70)
            try run.store.trim(partition: 0, upTo: 70)
            try run.store.trim(partition: 0, upTo: 3)
            try run.expect(Array(try run.store.retainedSequences().prefix(2)), equals: [70, 0], "retained sequences")
            for _ in 0..<2 {
                try run.expect(.trimmed, "reading what was dropped") { _ = try run.read(0, after: 69) }
                try run.expect(try run.read(0, after: 70).map(\.sequence), equals: Array(71...100), "what is left")
                try run.expect(try run.read(0, after: 80).count, equals: 20, "a part of what is left")
                try run.expect(try run.read(1).count, equals: 100, "the other partition")
                try run.restart()
            }
            try run.expect(run.heads[0].sequence, equals: 100, "sequence of the head")
        },
        StoreConformance(name: "the chain continues after everything was dropped") { run in
            try run.acquire()
            for _ in 0..<5 { try run.commit(0, checkpoint: CheckpointDelta(changed: [], removed: [])) }
            try run.restart()
            let hash = run.heads[0].hash
            try run.trim(0, upTo: 5)
            try run.restart()
            try run.expect(run.heads[0].hash, equals: hash, "hash of the head")
            try run.commit(0, [42])
            let batches = try run.read(0, after: 5)
            try run.expect(batches.map(\.hash), equals: [ContentHash.sha256(hash + [42])], "hash of the next batch")
        },
        StoreConformance(name: "trimming of partitions that move at different speeds keeps what is needed") { run in
            try run.acquire()
            let checkpoint = CheckpointDelta(changed: [], removed: [])
            try run.commit(3, [3])
            for round in 1...30 {
                for step in 1...50 {
                    try run.store.commit([
                        run.batch(0, [UInt8(step)], checkpoint: checkpoint),
                        run.batch(1, [UInt8(step)], checkpoint: checkpoint),
                    ])
                }
                try run.trim(0, upTo: UInt64(round * 50))
                if round % 10 == 0 { try run.trim(1, upTo: UInt64(round * 50 - 7)) }
            }
            try run.expect(try run.read(0, after: 1_500).count, equals: 0, "partition 0")
            try run.expect(try run.read(1, after: 1_493).map(\.sequence), equals: Array(1_494...1_500), "partition 1")
            try run.expect(try run.read(3).map(\.payload), equals: [[3]], "the resting partition")
            try run.commit(3, [4], checkpoint: checkpoint)
            try run.trim(3, upTo: 1)
            try run.restart()
            try run.expect(try run.read(3, after: 1).map(\.payload), equals: [[4]], "the resting partition after all")
            try run.commit(0, [5])
            try run.expect(try run.read(0, after: 1_500).map(\.payload), equals: [[5]], "partition 0 goes on")
        },
    ]

    static let lifeCases: [StoreConformance] = [
        StoreConformance(name: "every acquisition raises the epochs and keeps the rest") { run in
            let first = try run.acquire()
            try run.commit(1)
            let second = try run.acquire()
            try run.restart()
            for (earlier, later) in [(first, second), (second, run.heads)] {
                for (old, new) in zip(earlier, later) {
                    try run.expect(new.epoch > old.epoch, "epoch \(new.epoch) is above \(old.epoch)")
                }
            }
            try run.expect(run.heads[1].sequence, equals: 1, "sequence")
            try run.commit(1)
        },
        StoreConformance(name: "one store at a time") { run in
            try run.expect(.ownedElsewhere, "opening a second time") { try run.subject.open().close() }
            try run.acquire()
            try run.commit(0)
        },
        StoreConformance(name: "a closed store says so") { run in
            try run.acquire()
            let batch = run.batch(0)
            run.store.close()
            run.store.close()
            try run.expect(.closed, "acquire") { _ = try run.store.acquire() }
            try run.expect(.closed, "commit") { try run.store.commit([batch]) }
            try run.expect(.closed, "blobs") { try run.store.storeBlobs([]) }
            try run.expect(.closed, "read") { _ = try run.read(0) }
            try run.expect(.closed, "trim") { try run.store.trim(partition: 0, upTo: 0) }
            try run.expect(.closed, "reader") { _ = try run.store.makeStateReader() }
        },
    ]
}

extension ConformanceRun {
    /// Trims until everything asked for is dropped; a store may take several calls.
    func trim(_ partition: Int, upTo sequence: UInt64) throws {
        for _ in 0..<100 {
            try self.store.trim(partition: partition, upTo: sequence)
            do {
                _ = try self.read(partition, after: sequence - 1)
            } catch let error as StoreError where error.code == .trimmed {
                return
            }
        }
        throw ConformanceFailure(description: "100 calls did not trim partition \(partition) up to \(sequence)")
    }
}
