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
        try replay()
        for unit in core.units {
            for message in try reader.inbox(partition: unit.number) {
                unit.enqueue(
                    QueuedCommand(
                        envelope: CommandEnvelope(.receive(payload: message.payload)), inbox: message.position))
            }
            core.publish(core.figures(of: unit), of: unit.number)
        }
    }

    /// Definitions come first: instances of every partition need them.
    private func restoreDefinitions(_ reader: any StateReader) throws(StoreError) {
        guard let unit = core.units.first else { return }
        var damage: DecodingFailure?
        for kind in EntityKinds.deployed {
            try reader.scan(partition: unit.number, kind: EntityKind(rawValue: kind)) { key, state in
                do throws(DecodingFailure) {
                    try unit.engine.restore(
                        kind: kind, key: key, index: UnsafeRawBufferPointer(start: nil, count: 0), state: state)
                } catch {
                    damage = error
                }
            }
        }
        if let damage { throw corrupt(unit, damage) }
        try register(unit.engine.deployedProcesses, unit.engine.deployedDecisions)
    }

    private func restore(_ unit: PartitionUnit, _ reader: any StateReader) throws(StoreError) {
        var damage: DecodingFailure?
        let empty = UnsafeRawBufferPointer(start: nil, count: 0)
        for kind in EntityKinds.indexed {
            try reader.scanIndex(partition: unit.number, kind: EntityKind(rawValue: kind)) { key, index in
                do throws(DecodingFailure) {
                    try unit.engine.restore(kind: kind, key: key, index: index, state: empty)
                } catch {
                    damage = error
                }
            }
        }
        for kind in EntityKinds.whole {
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

    /// Applies the batches after the checkpoints in one pass.
    ///
    /// They come in commit order, so a deployment comes before anything that uses it.
    private func replay() throws(StoreError) {
        try journal.readJournal(after: core.units.map(\.checkpointSequence)) { (batch) throws(StoreError) in
            let unit = core.units[batch.partition]
            var damage: DecodingFailure?
            let deployed = try deployments(in: batch, unit)
            try register(deployed.processes, deployed.decisions)
            batch.payload.withUnsafeBytes { bytes in
                do throws(DecodingFailure) {
                    try unit.engine.replay(bytes)
                } catch {
                    damage = error
                }
            }
            if let damage { throw corrupt(unit, damage) }
            if let failure = unit.failure { throw failure }
            unit.bytesSinceCheckpoint += batch.payload.count
            return true
        }
    }

    /// What a batch deploys; only the first partition's batches do.
    private func deployments(
        in batch: JournalBatch, _ unit: PartitionUnit
    ) throws(StoreError) -> (processes: [ProcessDeployed], decisions: [DecisionsDeployed]) {
        guard batch.partition == core.units.first?.number else { return ([], []) }
        var found: (processes: [ProcessDeployed], decisions: [DecisionsDeployed]) = ([], [])
        var damage: DecodingFailure?
        batch.payload.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var codec = EventCodec()
            do throws(DecodingFailure) {
                while !reader.isAtEnd {
                    switch try codec.read(&reader) {
                    case .processDeployed(let process): found.processes.append(process)
                    case .decisionsDeployed(let model): found.decisions.append(model)
                    default: continue
                    }
                }
            } catch {
                damage = error
            }
        }
        if let damage { throw corrupt(unit, damage) }
        return found
    }

    /// Makes what was deployed usable.
    ///
    /// Instances of a process that cannot be read would stand still unseen, so the program does not start.
    private func register(
        _ processes: [ProcessDeployed], _ decisions: [DecisionsDeployed]
    ) throws(StoreError) {
        if let first = core.register(processes).first {
            throw unreadable("process \(first.processID), version \(first.version)", first.resourceName)
        }
        if let first = core.register(decisions).first {
            throw unreadable("decision model \(first.requirementsID), version \(first.version)", first.resourceName)
        }
    }

    private func unreadable(_ what: String, _ file: String) -> StoreError {
        StoreError(
            .schema, "The deployed \(what), from \(file) cannot be read by this program.",
            remedy: "Run the version that deployed it, or a newer one.")
    }

    private func corrupt(_ unit: PartitionUnit, _ damage: DecodingFailure) -> StoreError {
        StoreError(
            .corrupt, "The state of partition \(unit.number) cannot be read: \(damage).",
            remedy: "A newer version may have written it. Otherwise run `junction audit verify` and restore a backup.")
    }
}
