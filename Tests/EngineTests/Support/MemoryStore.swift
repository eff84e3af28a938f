import Engine
import Values

/// The checkpoints of one partition, in memory: what a store would hold.
final class MemoryStore: StateSource {
    struct Name: Hashable {
        var kind: UInt8
        var key: UInt64
    }

    private(set) var rows: [Name: PartitionCheckpoint.Entity] = [:]

    private(set) var blobs: [[UInt8]: [UInt8]] = [:]
    /// Whether large values are kept beside the state.
    var keepsBlobs = false

    func hash(_ bytes: [UInt8]) -> [UInt8]? {
        // Any hash will do here; texts of a test differ in it.
        keepsBlobs ? Array("\(StableHash.fnv1a64(bytes)) \(bytes.count)".utf8) : nil
    }

    func blob(hash: [UInt8]) -> [UInt8]? { blobs[hash] }

    func keep(_ new: [(hash: [UInt8], bytes: [UInt8])]) {
        for blob in new { blobs[blob.hash] = blob.bytes }
    }

    func load(kind: UInt8, key: UInt64) -> [UInt8]? {
        rows[Name(kind: kind, key: key)]?.state
    }

    func write(_ checkpoint: PartitionCheckpoint) {
        for entity in checkpoint.changed { rows[Name(kind: entity.kind, key: entity.key)] = entity }
        for (kind, key) in checkpoint.removed { rows[Name(kind: kind, key: key)] = nil }
    }

    /// The keys of one kind, ascending.
    func keys(of kind: UInt8) -> [UInt64] {
        rows.keys.filter { $0.kind == kind }.map(\.key).sorted()
    }

    /// Restores everything into an engine, as recovery does: definitions before what names them.
    func restore(into engine: PartitionEngine) throws {
        let order = rows.values.sorted { left, right in
            let first = (left.kind == EntityKinds.definition ? 0 : 1, left.kind, left.key)
            return first < (right.kind == EntityKinds.definition ? 0 : 1, right.kind, right.key)
        }
        for row in order {
            try (row.index ?? []).withUnsafeBytes { index in
                try row.state.withUnsafeBytes { state in
                    try engine.restore(kind: row.kind, key: row.key, index: index, state: state)
                }
            }
        }
    }
}
