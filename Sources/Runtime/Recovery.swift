import Engine
import ProcessModel
import Storage
import Values

/// Brings the partitions back to where their journals end: the checkpoint's index, then the batches after it.
struct Recovery {
    let core: RuntimeCore
    let journal: any JournalStore

    func run() throws(StoreError) {
        let reader = try journal.makeStateReader()
        try restoreDefinitions(reader)
        for unit in core.units { try restore(unit, reader) }
        for unit in core.units {
            try replay(unit)
            for message in try reader.inbox(partition: unit.number) {
                unit.enqueue(
                    QueuedCommand(
                        envelope: CommandEnvelope(.receive(payload: message.payload)), inbox: message.position))
            }
            core.publishFigures(of: unit)
        }
    }

    /// Definitions come first: instances of every partition need them.
    private func restoreDefinitions(_ reader: any StateReader) throws(StoreError) {
        guard let unit = core.units.first else { return }
        var damage: DecodingFailure?
        var deployed: [ProcessDeployed] = []
        try reader.scan(partition: unit.number, kind: EntityKind(rawValue: EntityKinds.definition)) { key, state in
            do throws(DecodingFailure) {
                try unit.engine.restore(
                    kind: EntityKinds.definition, key: key, index: UnsafeRawBufferPointer(start: nil, count: 0),
                    state: state)
            } catch {
                damage = error
            }
        }
        if let damage { throw corrupt(unit, damage) }
        deployed.append(contentsOf: unit.engine.deployedProcesses)
        core.register(deployed)
        // A deployment may lie after the checkpoint, and instances of other partitions use it.
        try journal.readJournal(partition: unit.number, after: unit.checkpointSequence) {
            (batch) throws(StoreError) in
            let found = try deployments(in: batch, unit)
            if !found.isEmpty { core.register(found) }
            return true
        }
    }

    private func deployments(in batch: JournalBatch, _ unit: PartitionUnit) throws(StoreError) -> [ProcessDeployed] {
        var found: [ProcessDeployed] = []
        var damage: DecodingFailure?
        batch.payload.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var codec = EventCodec()
            do throws(DecodingFailure) {
                while !reader.isAtEnd {
                    if case .processDeployed(let process) = try codec.read(&reader) { found.append(process) }
                }
            } catch {
                damage = error
            }
        }
        if let damage { throw corrupt(unit, damage) }
        return found
    }

    private func restore(_ unit: PartitionUnit, _ reader: any StateReader) throws(StoreError) {
        var damage: DecodingFailure?
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        for kind in [EntityKinds.instance, EntityKinds.subscription, EntityKinds.uniqueKey] {
            try reader.scanIndex(partition: unit.number, kind: EntityKind(rawValue: kind)) { key, index in
                do throws(DecodingFailure) {
                    try unit.engine.restore(kind: kind, key: key, index: index, state: empty)
                } catch {
                    damage = error
                }
            }
        }
        for kind in [EntityKinds.partition, EntityKinds.message, EntityKinds.startTimer, EntityKinds.deadLetter] {
            try reader.scan(partition: unit.number, kind: EntityKind(rawValue: kind)) { key, state in
                do throws(DecodingFailure) {
                    try unit.engine.restore(kind: kind, key: key, index: empty, state: state)
                } catch {
                    damage = error
                }
            }
        }
        if let damage { throw corrupt(unit, damage) }
    }

    private func replay(_ unit: PartitionUnit) throws(StoreError) {
        try journal.readJournal(partition: unit.number, after: unit.checkpointSequence) {
            (batch) throws(StoreError) in
            var damage: DecodingFailure?
            batch.payload.withUnsafeBytes { bytes in
                do throws(DecodingFailure) {
                    try unit.engine.replay(bytes) { _ in }
                } catch {
                    damage = error
                }
            }
            if let damage { throw corrupt(unit, damage) }
            unit.bytesSinceCheckpoint += batch.payload.count
            return true
        }
    }

    private func corrupt(_ unit: PartitionUnit, _ damage: DecodingFailure) -> StoreError {
        StoreError(
            .corrupt, "The state of partition \(unit.number) cannot be read: \(damage).",
            remedy: "A newer version may have written it. Otherwise run `junction audit verify` and restore a backup.")
    }
}
