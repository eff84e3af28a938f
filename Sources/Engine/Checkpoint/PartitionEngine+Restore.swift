public import Values

/// Recovery: the tables from the checkpoint's index, then the journal after it.
extension PartitionEngine {
    /// Takes in one checkpointed entity.
    ///
    /// For instances only `index` is needed; for other kinds, index and state.
    ///
    /// Restore entities of kind `EntityKinds.definition` first and of all partitions' definitions before any instance.
    /// - Throws: `DecodingFailure` when the bytes are damaged or newer than this program.
    public func restore(
        kind: UInt8, key: UInt64, index: UnsafeRawBufferPointer, state bytes: UnsafeRawBufferPointer
    ) throws(DecodingFailure) {
        var index = ByteReader(index)
        var reader = ByteReader(bytes)
        switch kind {
        case EntityKinds.instance:
            try restoreIndex(of: key, &index)
        case EntityKinds.subscription:
            let hash = try index.fixed64LE()
            state.subscriptions.restore(
                MessageSubscription(
                    key: key, instance: try index.fixed64LE(), process: try index.fixed64LE(),
                    correlating: try index.varint()), hash: hash)
        case EntityKinds.message:
            var codec = EventCodec()
            _ = try codec.read(&reader)
            let published: MessagePublished
            var plan: CorrelationPlan?
            switch try codec.read(&reader) {
            case .messagePublished(let message): published = message
            case .eventPublished(let message, let planned): (published, plan) = (message, planned)
            default: throw reader.failure(.invalidValue)
            }
            var message = MessageState(
                published: published,
                hash: MessageHash.of(name: published.name, correlationKey: published.correlationKey))
            message.plan = plan
            message.pending = try reader.int32()
            for _ in 0..<(try reader.count(minimumByteCount: 16)) {
                message.sent.append((try reader.fixed64LE(), try reader.fixed64LE()))
            }
            insertMessage(message)
        case EntityKinds.uniqueKey:
            let owner = try index.fixed64LE()
            let expiresAt = try index.zigzag()
            var effect: EventEffect?
            if !index.isAtEnd {
                effect = EventEffect(rawValue: try index.u8())
                guard effect != nil else { throw index.failure(.invalidValue) }
            }
            state.uniqueKeys[key] = UniqueKeyState(owner: owner, expiresAt: expiresAt, effect: effect, text: nil)
            state.deadlines.insert(Deadline(at: expiresAt, key: key, kind: .uniqueKey))
        case EntityKinds.startLock:
            state.startLocks.insert(
                StartLocks.Name(process: try reader.fixed64LE(), hash: try reader.fixed64LE()), instance: key)
        case EntityKinds.startTimer:
            let timer = StartTimerState(
                key: key, definition: try reader.fixed64LE(), node: try reader.int32(), dueAt: try reader.zigzag(),
                repetitions: try reader.signed32(), interval: try reader.optionalString())
            state.startTimers[key] = timer
            state.deadlines.insert(Deadline(at: timer.dueAt, key: key, kind: .startTimer))
        case EntityKinds.deadLetter:
            var codec = EventCodec()
            guard case .deadLetterRecorded(let letter) = try codec.read(&reader) else {
                throw reader.failure(.invalidValue)
            }
            state.deadLetters[key] = letter
        case EntityKinds.dataStore:
            state.dataStores[key] = DataStoreState(
                name: try reader.string(), value: try VariableValue.read(&reader))
        case EntityKinds.definition:
            var codec = EventCodec()
            guard case .processDeployed(let deployed) = try codec.read(&reader) else {
                throw reader.failure(.invalidValue)
            }
            noteDeployed(deployed)
        case EntityKinds.decisions:
            var codec = EventCodec()
            guard case .decisionsDeployed(let deployed) = try codec.read(&reader) else {
                throw reader.failure(.invalidValue)
            }
            noteDeployed(deployed)
        case EntityKinds.partition:
            state.keys = KeyGenerator(partition: partition, last: Key(rawValue: try reader.fixed64LE()))
            state.now = try reader.zigzag()
            state.liveInstances = Int(try reader.varint())
        default:
            throw reader.failure(.unknownTag(kind))
        }
    }

    private func restoreIndex(of instance: UInt64, _ reader: inout ByteReader) throws(DecodingFailure) {
        while !reader.isAtEnd {
            let type = try reader.u8()
            let key = try reader.fixed64LE()
            let ordinal = try reader.ordinal()
            var owner = KeyOwner(instance: instance, ordinal: ordinal)
            switch type {
            case 1:
                guard let phase = JobPhase(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
                let priority = try reader.signed32()
                let until = try reader.zigzag()
                owner.jobType = state.jobs.number(of: try reader.string())
                state.openJobs += 1
                switch phase {
                case .activatable:
                    owner.isQueued = true
                    state.jobs.push(key, type: owner.jobType, priority: priority)
                    offeredTypes.insert(owner.jobType)
                case .activated: state.deadlines.insert(Deadline(at: until, key: key, kind: .jobLock))
                case .backingOff: state.deadlines.insert(Deadline(at: until, key: key, kind: .jobBackoff))
                case .incident: break
                }
            case 2: break
            case 4:
                state.signals[try reader.string(), default: [:]][key] = instance
                continue
            case 3:
                state.openTimers += 1
                state.deadlines.insert(Deadline(at: try reader.zigzag(), key: key, kind: .timer))
            default: throw reader.failure(.unknownTag(type))
            }
            state.owners[key] = owner
        }
    }

    /// What was deployed, in the order of keys (the deployment partition only).
    public var deployedProcesses: [ProcessDeployed] { deployments.values.sorted { $0.key < $1.key } }

    /// The decision models that were deployed, in the order of keys (the deployment partition only).
    public var deployedDecisions: [DecisionsDeployed] { decisionDeployments.values.sorted { $0.key < $1.key } }

    /// Applies the events of a committed batch; what it deploys must be known before.
    ///
    /// - Throws: `DecodingFailure` when the batch is damaged or was written by a newer version.
    public func replay(_ payload: UnsafeRawBufferPointer) throws(DecodingFailure) {
        var reader = ByteReader(payload)
        var codec = EventCodec()
        cursor = nil
        commandCounter += 1
        while !reader.isAtEnd {
            apply(try codec.read(&reader))
        }
        cursor = nil
        cursorWritten = false
        // What had to be done about it is in the journal too.
        unsettled.removeAll(keepingCapacity: true)
    }

    /// Encodes the whole state canonically, resident instances and tables, to compare two engines byte for byte.
    public func canonicalState() -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed64LE(state.keys.last.rawValue)
        writer.zigzag(state.now)
        for (key, instance) in state.instances.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(key)
            writer.bytes(encode(instance))
        }
        for (key, owner) in state.owners.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(key)
            writer.fixed64LE(owner.instance)
            writer.varint(UInt64(owner.ordinal))
            writer.optional(owner.jobType < 0 ? nil : state.jobs.names[Int(owner.jobType)])
        }
        for (key, message) in state.messages.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(key)
            writer.varint(UInt64(message.pending))
            for sent in message.sent { writer.fixed64LE(sent.process ^ sent.subscription) }
            message.plan?.write(into: &writer)
        }
        for (hash, taken) in state.uniqueKeys.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(hash)
            writer.fixed64LE(taken.owner)
            writer.zigzag(taken.expiresAt)
            if let effect = taken.effect { writer.u8(effect.rawValue) }
        }
        for (instance, name) in state.startLocks.sorted {
            writer.fixed64LE(instance)
            writer.fixed64LE(name.process)
            writer.fixed64LE(name.hash)
        }
        for (key, timer) in state.startTimers.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(key)
            writer.zigzag(timer.dueAt)
            writer.zigzag(Int64(timer.repetitions))
        }
        for (hash, subscription) in state.subscriptions.sorted {
            writer.fixed64LE(hash)
            writer.fixed64LE(subscription.key)
            writer.fixed64LE(subscription.instance ^ subscription.process)
            writer.fixed64LE(subscription.correlating)
        }
        for (name, waiting) in state.signals.sorted(by: { $0.key < $1.key }) {
            writer.string(name)
            for (key, instance) in waiting.sorted(by: { $0.key < $1.key }) {
                writer.fixed64LE(key)
                writer.fixed64LE(instance)
            }
        }
        for (hash, store) in state.dataStores.sorted(by: { $0.key < $1.key }) {
            writer.fixed64LE(hash)
            store.value.write(into: &writer)
        }
        for key in state.deadLetters.keys.sorted() { writer.fixed64LE(key) }
        writer.varint(UInt64(state.subscriptions.count))
        writer.varint(UInt64(state.liveInstances))
        writer.varint(UInt64(state.openJobs))
        writer.varint(UInt64(state.openTimers))
        return writer.bytes
    }
}
