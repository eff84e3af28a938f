import Storage

extension StoreConformance {
    static let stateCases: [StoreConformance] = [
        StoreConformance(name: "a checkpoint writes, changes and removes entities") { run in
            try run.acquire()
            try run.commit(0, checkpoint: CheckpointDelta(changed: [.probe(1), .probe(2), .probe(3)], removed: []))
            try run.commit(0)
            var changed = CheckpointDelta.Entity.probe(2)
            changed.state = [99]
            changed.index = nil
            let removed: [(kind: EntityKind, key: UInt64)] = [(.probe, 3), (.probe, 404)]
            try run.commit(0, checkpoint: CheckpointDelta(changed: [changed], removed: removed))
            for _ in 0..<2 {
                let reader = try run.store.makeStateReader()
                try run.expect(try reader.load(partition: 0, kind: .probe, key: 1), equals: [1, 1, 1], "entity 1")
                try run.expect(try reader.load(partition: 0, kind: .probe, key: 2), equals: [99], "entity 2")
                try run.expect(try reader.load(partition: 0, kind: .probe, key: 3), equals: nil, "entity 3")
                try run.expect(try reader.count(partition: 0, kind: .probe), equals: 2, "count")
                try run.expect(try reader.indexes(0, .probe).map(\.key), equals: [1], "keys with an index entry")
                try run.restart()
                try run.expect(run.heads[0].checkpointSequence, equals: 3, "checkpoint sequence")
            }
        },
        StoreConformance(name: "entities are apart by partition and kind and scanned in key order") { run in
            try run.acquire()
            let keys: [UInt64] = [5, 1, .max, 1 << 63, (1 << 63) - 1, 0, 1_000_000]
            let other = CheckpointDelta.Entity(kind: .other, key: 1, index: nil, state: [])
            try run.commit(1, checkpoint: CheckpointDelta(changed: keys.map { .probe($0) } + [other], removed: []))
            try run.commit(2, checkpoint: CheckpointDelta(changed: [.probe(77)], removed: []))
            let reader = try run.store.makeStateReader()
            try run.expect(try reader.indexes(1, .probe).map(\.key), equals: keys.sorted(), "keys by index")
            try run.expect(
                try reader.indexes(1, .probe).map(\.bytes),
                equals: keys.sorted().map { [UInt8(truncatingIfNeeded: $0)] },
                "index entries")
            try run.expect(try reader.states(1, .probe).map(\.key), equals: keys.sorted(), "keys by state")
            try run.expect(try reader.states(1, .other).map(\.bytes), equals: [[]], "an empty state")
            try run.expect(try reader.indexes(1, .other).count, equals: 0, "index entries of the other kind")
            try run.expect(try reader.load(partition: 1, kind: .other, key: 1), equals: [], "an empty state")
            try run.expect(try reader.states(2, .probe).map(\.key), equals: [77], "partition 2")
            try run.expect(try reader.states(0, .probe).count, equals: 0, "partition 0")
        },
        StoreConformance(name: "a reader sees what is committed after it was made") { run in
            try run.acquire()
            let reader = try run.store.makeStateReader()
            for key: UInt64 in 1...3 {
                try run.commit(0, checkpoint: CheckpointDelta(changed: [.probe(key)], removed: []))
                try run.expect(try reader.count(partition: 0, kind: .probe), equals: Int(key), "count")
                try run.expect(try reader.load(partition: 0, kind: .probe, key: key) != nil, "entity \(key) is there")
            }
        },
        StoreConformance(name: "values are kept once by their hash") { run in
            try run.acquire()
            let value = [UInt8](repeating: 5, count: 40_000)
            let blob = Blob(hash: ContentHash.sha256(value), bytes: value)
            try run.store.storeBlobs([blob])
            try run.store.storeBlobs([blob, Blob(hash: ContentHash.sha256([]), bytes: [])])
            try run.restart()
            let reader = try run.store.makeStateReader()
            try run.expect(try reader.blob(hash: blob.hash) == value, "the value is there after a restart")
            try run.expect(try reader.blob(hash: ContentHash.sha256([])), equals: [], "an empty value")
            try run.expect(try reader.blob(hash: ContentHash.sha256([1])), equals: nil, "a value never stored")
        },
    ]

    static let inboxCases: [StoreConformance] = [
        StoreConformance(name: "messages wait in their inbox until consumed, over restarts") { run in
            try run.acquire()
            try run.commit(
                2,
                outgoing: [
                    OutgoingMessages(target: 1, payload: [1]), OutgoingMessages(target: 0, payload: [2]),
                    OutgoingMessages(target: 1, payload: [3]),
                ])
            try run.commit(2, outgoing: [OutgoingMessages(target: 1, payload: [4])])
            try run.commit(0, outgoing: [OutgoingMessages(target: 1, payload: [5])])
            try run.commit(1, outgoing: [OutgoingMessages(target: 1, payload: [6])])
            try run.restart()
            var inbox = try run.store.makeStateReader().inbox(partition: 1)
            try run.expect(inbox.map(\.payload), equals: [[5], [6], [1], [3], [4]], "payloads by source and sequence")
            try run.expect(
                inbox.map(\.position),
                equals: [.init(0, 1), .init(1, 1), .init(2, 1), .init(2, 1), .init(2, 2)], "positions")
            try run.commit(1, consumed: [.init(2, 1), .init(0, 1)])
            try run.restart()
            inbox = try run.store.makeStateReader().inbox(partition: 1)
            try run.expect(inbox.map(\.payload), equals: [[6], [4]], "payloads left")
            try run.expect(try run.store.makeStateReader().inbox(partition: 0).count, equals: 1, "the other inbox")
        },
        StoreConformance(name: "a message is consumed once") { run in
            try run.acquire()
            try run.commit(0, outgoing: [OutgoingMessages(target: 1, payload: [1])])
            try run.commit(1, consumed: [.init(0, 1)])
            try run.expect(.misuse, "consuming it again") { try run.commit(1, consumed: [.init(0, 1)]) }
            run.heads[1].sequence -= 1
            try run.expect(.misuse, "consuming one never sent") { try run.commit(1, consumed: [.init(3, 9)]) }
            run.heads[1].sequence -= 1
            try run.commit(1)
        },
    ]
}

extension CheckpointDelta.Entity {
    /// An entity whose bytes tell its key.
    static func probe(_ key: UInt64) -> CheckpointDelta.Entity {
        let byte = UInt8(truncatingIfNeeded: key)
        return CheckpointDelta.Entity(kind: .probe, key: key, index: [byte], state: [byte, byte, byte])
    }
}

extension InboxPosition {
    /// A position in short.
    init(_ source: Int, _ sourceSequence: UInt64) {
        self.init(source: source, sourceSequence: sourceSequence)
    }
}

extension StateReader {
    /// All index entries of a kind.
    func indexes(_ partition: Int, _ kind: EntityKind) throws -> [(key: UInt64, bytes: [UInt8])] {
        var entries: [(key: UInt64, bytes: [UInt8])] = []
        try self.scanIndex(partition: partition, kind: kind) { entries.append(($0, [UInt8]($1))) }
        return entries
    }

    /// All states of a kind.
    func states(_ partition: Int, _ kind: EntityKind) throws -> [(key: UInt64, bytes: [UInt8])] {
        var states: [(key: UInt64, bytes: [UInt8])] = []
        try self.scan(partition: partition, kind: kind) { states.append(($0, [UInt8]($1))) }
        return states
    }
}
