import Values

/// The state of every entity that changed since the last checkpoint, exactly after the last processed command (ADR-0004).
public struct PartitionCheckpoint {
    /// One changed entity.
    public struct Entity {
        /// Its kind (`EntityKinds`).
        public var kind: UInt8
        /// Its key, unique with the kind.
        public var key: UInt64
        /// What recovery needs without loading it.
        public var index: [UInt8]?
        /// The whole state.
        public var state: [UInt8]
    }

    /// Entities to write.
    public var changed: [Entity] = []
    /// Entities that no longer exist.
    public var removed: [(kind: UInt8, key: UInt64)] = []

    /// Whether there is nothing to write.
    public var isEmpty: Bool { changed.isEmpty && removed.isEmpty }
}

extension PartitionEngine {
    /// How many entities changed since the last checkpoint.
    public var changedCount: Int {
        state.dirtyInstances.count + state.removedInstances.count + state.changedEntities.count
    }

    /// Encodes what changed since the last call.
    ///
    /// Call between batches; the result must become durable together with the batch that ends at this point.
    public func makeCheckpoint() -> PartitionCheckpoint {
        var checkpoint = PartitionCheckpoint()
        checkpoint.changed.reserveCapacity(changedCount + 1)
        for instance in state.dirtyInstances {
            instance.isDirty = false
            guard state.instances[instance.key] === instance else { continue }
            instance.isCheckpointed = true
            checkpoint.changed.append(
                PartitionCheckpoint.Entity(
                    kind: EntityKinds.instance, key: instance.key, index: index(of: instance), state: encode(instance)))
        }
        for key in state.removedInstances.sorted() { checkpoint.removed.append((EntityKinds.instance, key)) }
        for name in state.changedEntities.sorted(by: { ($0.kind, $0.key) < ($1.kind, $1.key) }) {
            if let (index, bytes) = encode(name) {
                checkpoint.changed.append(
                    PartitionCheckpoint.Entity(kind: name.kind, key: name.key, index: index, state: bytes))
            } else {
                checkpoint.removed.append((name.kind, name.key))
            }
        }
        // Keys given out to what has ended already must not be given out again either.
        if !checkpoint.isEmpty || state.keys.last.rawValue != checkpointedKey {
            checkpointedKey = state.keys.last.rawValue
            var writer = ByteWriter()
            writer.fixed64LE(state.keys.last.rawValue)
            writer.zigzag(state.now)
            writer.varint(UInt64(state.liveInstances))
            checkpoint.changed.append(
                PartitionCheckpoint.Entity(kind: EntityKinds.partition, key: 0, index: nil, state: writer.bytes))
        }
        state.dirtyInstances = []
        state.removedInFlight = state.removedInstances
        state.removedInstances = []
        state.changedEntities = []
        changedSubscriptionHashes = [:]
        return checkpoint
    }

    /// The last checkpoint is durable: what it holds need not stay in memory.
    public func checkpointCommitted() {
        state.removedInFlight = []
        // The text of a unique key is read back when it is needed: millions of them must not live in memory.
        for hash in checkpointedUniqueKeys { state.uniqueKeys[hash]?.text = nil }
        checkpointedUniqueKeys = []
    }

    /// What recovery must know of an instance that stays on disk: the keys others use for it and what is due.
    private func index(of instance: ProcessInstance) -> [UInt8]? {
        var writer = ByteWriter()
        for element in instance.elements {
            if let job = element.job {
                writer.u8(1)
                writer.fixed64LE(job.key)
                writer.varint(UInt64(element.ordinal))
                writer.u8(job.phase.rawValue)
                writer.zigzag(Int64(job.priority))
                writer.zigzag(job.until)
                writer.string(element.detail?.jobType ?? literalJobType(element.node, of: instance))
            }
            if element.isAddressed(in: instance.process) { writer.named(2, element.key, element.ordinal) }
            if let detail = element.detail {
                if let task = detail.userTask { writer.named(2, task.key, element.ordinal) }
                if let incident = detail.incident { writer.named(2, incident.key, element.ordinal) }
            }
        }
        for timer in instance.timers {
            writer.u8(3)
            writer.fixed64LE(timer.key)
            writer.varint(UInt64(timer.ordinal))
            writer.zigzag(timer.dueAt)
        }
        for signal in instance.signals {
            writer.u8(4)
            writer.fixed64LE(signal.key)
            writer.varint(UInt64(signal.ordinal))
            writer.string(signal.name)
        }
        return writer.count == 0 ? nil : writer.bytes
    }

    /// The stored form of an entity that is no instance; nil when it no longer exists.
    private func encode(_ name: EntityName) -> (index: [UInt8]?, state: [UInt8])? {
        var writer = ByteWriter()
        switch name.kind {
        case EntityKinds.subscription:
            guard let hash = changedSubscriptionHashes[name.key],
                let subscription = state.subscriptions.find(hash, key: name.key)
            else { return nil }
            writer.fixed64LE(hash)
            writer.fixed64LE(subscription.instance)
            writer.fixed64LE(subscription.process)
            writer.varint(subscription.correlating)
            return (writer.bytes, [])
        case EntityKinds.message:
            guard let message = state.messages[name.key] else { return nil }
            var codec = EventCodec()
            codec.write(.time(0), into: &writer)
            if let plan = message.plan {
                codec.write(.eventPublished(message.published, plan), into: &writer)
            } else {
                codec.write(.messagePublished(message.published), into: &writer)
            }
            writer.varint(UInt64(message.pending))
            writer.varint(UInt64(message.sent.count))
            for sent in message.sent {
                writer.fixed64LE(sent.process)
                writer.fixed64LE(sent.subscription)
            }
        case EntityKinds.uniqueKey:
            guard let taken = state.uniqueKeys[name.key] else { return nil }
            writer.fixed64LE(taken.owner)
            writer.zigzag(taken.expiresAt)
            if let effect = taken.effect { writer.u8(effect.rawValue) }
            let index = writer.bytes
            var text = ByteWriter()
            text.string(taken.text ?? uniqueText(name.key) ?? "")
            checkpointedUniqueKeys.append(name.key)
            return (index, text.bytes)
        case EntityKinds.startLock:
            guard let lock = state.startLocks.name(of: name.key) else { return nil }
            writer.fixed64LE(lock.process)
            writer.fixed64LE(lock.hash)
        case EntityKinds.startTimer:
            guard let timer = state.startTimers[name.key] else { return nil }
            writer.fixed64LE(timer.definition)
            writer.varint(UInt64(timer.node))
            writer.zigzag(timer.dueAt)
            writer.zigzag(Int64(timer.repetitions))
            writer.optional(timer.interval)
        case EntityKinds.deadLetter:
            guard let letter = state.deadLetters[name.key] else { return nil }
            var codec = EventCodec()
            codec.write(.deadLetterRecorded(letter), into: &writer)
        case EntityKinds.dataStore:
            guard let store = state.dataStores[name.key] else { return nil }
            writer.string(store.name)
            store.value.write(into: &writer)
        case EntityKinds.definition:
            guard let deployed = deployments[name.key] else { return nil }
            var codec = EventCodec()
            codec.write(.processDeployed(deployed), into: &writer)
        case EntityKinds.decisions:
            guard let deployed = decisionDeployments[name.key] else { return nil }
            var codec = EventCodec()
            codec.write(.decisionsDeployed(deployed), into: &writer)
        default:
            return nil
        }
        return (nil, writer.bytes)
    }

    // MARK: Unique keys

    /// The slot of a unique key: where it is, or where it would go.
    ///
    /// Different texts with one hash probe onwards.
    func uniqueSlot(_ text: String) -> UInt64? {
        var hash = StableHash.mixed(StableHash.fnv1a64(text))
        for _ in 0..<8 {
            guard state.uniqueKeys[hash] != nil, uniqueText(hash) != text else { return hash }
            hash = StableHash.mixed(hash &+ 1)
        }
        return nil
    }

    private func uniqueText(_ hash: UInt64) -> String? {
        if let text = state.uniqueKeys[hash]?.text { return text }
        return source.load(kind: EntityKinds.uniqueKey, key: hash).flatMap { bytes in
            bytes.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                return try? reader.string()
            }
        }
    }

    // MARK: Eviction

    /// Instances in memory.
    public var residentCount: Int { state.instances.count }
    /// Instances that have not ended, in memory or not.
    public var liveCount: Int { state.liveInstances }
    /// Jobs that have not ended.
    public var openJobCount: Int { state.openJobs }
    /// Timers that run.
    public var openTimerCount: Int { state.openTimers }
    /// Message subscriptions that wait here.
    public var subscriptionCount: Int { state.subscriptions.count }

    /// Drops the least recently used unchanged instances from memory until at most `limit` are left, if possible.
    public func evict(downTo limit: Int) {
        guard state.instances.count > limit else { return }
        let clean = state.instances.values.filter { !$0.isDirty && $0.isCheckpointed }
        let surplus = state.instances.count - limit
        if clean.count <= surplus {
            for instance in clean { state.instances[instance.key] = nil }
        } else {
            for instance in clean.sorted(by: { $0.lastUse < $1.lastUse }).prefix(surplus) {
                state.instances[instance.key] = nil
            }
        }
    }
}

extension ByteWriter {
    fileprivate mutating func named(_ type: UInt8, _ key: UInt64, _ ordinal: UInt32) {
        u8(type)
        fixed64LE(key)
        varint(UInt64(ordinal))
    }
}
