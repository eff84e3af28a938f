internal import ProcessModel
public import Values

/// The binary form of events inside a journal batch.
///
/// A type byte, then the fields: integers as varints, keys as the signed difference to the key before, so that fresh
/// keys take a byte or two. Encoder and decoder must see a batch from its beginning.
public struct EventCodec {
    var previousKey: UInt64 = 0
    var previousTime: Int64 = 0

    /// A codec at the beginning of a batch.
    public init() {}

    private mutating func key(_ key: UInt64, _ writer: inout ByteWriter) {
        writer.zigzag(Int64(bitPattern: key &- previousKey))
        previousKey = key
    }

    /// Appends one event.
    public mutating func write(_ event: Event, into writer: inout ByteWriter) {
        switch event {
        case .time(let milliseconds):
            writer.u8(1)
            writer.zigzag(milliseconds - previousTime)
            previousTime = milliseconds
        case .instance(let key):
            writer.u8(2)
            self.key(key, &writer)
        case .actor(let actor):
            writer.u8(3)
            writer.string(actor)
        case .instanceCreated(let created):
            writer.u8(4)
            self.key(created.key, &writer)
            self.key(created.definitionKey, &writer)
            self.key(created.key, &writer)
            writer.bool(created.parent != 0)
            if created.parent != 0 {
                writer.fixed64LE(created.parent)
                writer.fixed64LE(created.parentElementKey)
                writer.varint(UInt64(created.parentOrdinal))
                writer.varint(UInt64(created.depth))
            }
            writer.optional(created.businessID)
        case .instanceCompleted: writer.u8(5)
        case .instanceTerminated: writer.u8(6)
        case .elementPassed(let node, let flow, let scope, let key):
            writer.u8(7)
            writer.varint(UInt64(node))
            writer.zigzag(Int64(flow))
            writer.varint(UInt64(scope))
            self.key(key, &writer)
        case .elementActivated(let node, let flow, let scope, let key, let role, let loopCounter):
            writer.u8(8)
            writer.varint(UInt64(node))
            writer.zigzag(Int64(flow))
            writer.varint(UInt64(scope))
            self.key(key, &writer)
            writer.u8(role.rawValue)
            writer.varint(UInt64(loopCounter))
        case .elementEntered(let ordinal): writer.ordinal(9, ordinal)
        case .elementCompleting(let ordinal): writer.ordinal(10, ordinal)
        case .elementCompleted(let ordinal): writer.ordinal(11, ordinal)
        case .elementTerminated(let ordinal): writer.ordinal(12, ordinal)
        case .tokenArrived(let flow, let scope):
            writer.u8(13)
            writer.varint(UInt64(flow))
            writer.varint(UInt64(scope))
        case .tokensJoined(let node, let scope):
            writer.u8(14)
            writer.varint(UInt64(node))
            writer.varint(UInt64(scope))
        case .arrivalsDiscarded(let scope): writer.ordinal(15, scope)
        case .loopStarted(let ordinal, let count, let items):
            writer.ordinal(16, ordinal)
            writer.varint(UInt64(count))
            writer.bool(items != nil)
            if let items { ValueCodec.write(.list(items), into: &writer) }
        case .loopOutput(let ordinal, let position, let value):
            writer.ordinal(17, ordinal)
            writer.varint(UInt64(position))
            ValueCodec.write(value, into: &writer)
        case .calledInstanceStarted(let ordinal, let key):
            writer.ordinal(18, ordinal)
            self.key(key, &writer)
        case .variableSet(let scope, let name, let value):
            writer.ordinal(19, scope)
            writer.string(name)
            value.write(into: &writer)
        case .jobCreated(let ordinal, let key, let retries, let priority, let type):
            writer.ordinal(20, ordinal)
            self.key(key, &writer)
            writer.varint(UInt64(retries))
            writer.zigzag(Int64(priority))
            writer.optional(type)
        case .jobActivated(let ordinal, let worker, let until):
            writer.ordinal(21, ordinal)
            writer.string(worker)
            writer.zigzag(until - previousTime)
        case .jobCompleted(let ordinal): writer.ordinal(22, ordinal)
        case .jobFailed(let ordinal, let retries, let until, let message):
            writer.ordinal(23, ordinal)
            writer.varint(UInt64(retries))
            writer.zigzag(until - previousTime)
            writer.string(message)
        case .jobBackoffEnded(let ordinal): writer.ordinal(24, ordinal)
        case .jobLockExpired(let ordinal): writer.ordinal(25, ordinal)
        case .jobRetriesUpdated(let ordinal, let retries):
            writer.ordinal(26, ordinal)
            writer.varint(UInt64(retries))
        case .jobDeadlineUpdated(let ordinal, let until):
            writer.ordinal(27, ordinal)
            writer.zigzag(until - previousTime)
        case .jobErrorThrown(let ordinal, let code, let message):
            writer.ordinal(28, ordinal)
            writer.string(code)
            writer.optional(message)
        case .userTaskCreated(let ordinal, let task):
            writer.ordinal(29, ordinal)
            self.key(task.key, &writer)
            writer.optional(task.assignee)
            writer.strings(task.candidateGroups)
            writer.strings(task.candidateUsers)
            writer.optional(task.dueDate)
            writer.optional(task.followUpDate)
            writer.zigzag(Int64(task.priority))
        case .userTaskAssigned(let ordinal, let assignee):
            writer.ordinal(30, ordinal)
            writer.optional(assignee)
        case .userTaskCompleted(let ordinal): writer.ordinal(31, ordinal)
        case .timerCreated(let ordinal, let key, let node, let dueAt, let repetitions, let interval):
            writer.ordinal(32, ordinal)
            self.key(key, &writer)
            writer.varint(UInt64(node))
            writer.zigzag(dueAt - previousTime)
            writer.zigzag(Int64(repetitions))
            writer.optional(interval)
        case .timerFired(let key):
            writer.u8(33)
            self.key(key, &writer)
        case .timerRescheduled(let key, let dueAt, let repetitions):
            writer.u8(34)
            self.key(key, &writer)
            writer.zigzag(dueAt - previousTime)
            writer.zigzag(Int64(repetitions))
        case .subscriptionOpened(let ordinal, let key, let node, let name, let correlationKey):
            writer.ordinal(35, ordinal)
            self.key(key, &writer)
            writer.varint(UInt64(node))
            writer.string(name)
            writer.string(correlationKey)
        case .subscriptionCorrelated(let key, let messageKey, let stays):
            writer.u8(36)
            self.key(key, &writer)
            writer.fixed64LE(messageKey)
            writer.bool(stays)
        case .incidentRaised(let ordinal, let key, let kind, let type, let message):
            writer.ordinal(37, ordinal)
            self.key(key, &writer)
            writer.u8(kind.rawValue)
            writer.string(type)
            writer.string(message)
        case .incidentResolved(let ordinal): writer.ordinal(38, ordinal)
        case .uniqueKeyReserved(let key, let owner, let expiresAt):
            writer.u8(39)
            writer.string(key)
            self.key(owner, &writer)
            writer.zigzag(expiresAt - previousTime)
        case .uniqueKeyExpired(let hash):
            writer.u8(40)
            writer.fixed64LE(hash)
        case .messagePublished(let message):
            writer.u8(41)
            self.key(message.key, &writer)
            writer.string(message.name)
            writer.string(message.correlationKey)
            writer.optional(message.messageID)
            writer.zigzag(message.expiresAt - previousTime)
            message.variables.write(into: &writer)
        case .eventPublished(let message, let plan):
            writer.u8(77)
            self.key(message.key, &writer)
            writer.string(message.name)
            writer.string(message.correlationKey)
            writer.zigzag(message.expiresAt - previousTime)
            message.variables.write(into: &writer)
            plan.write(into: &writer)
        case .eventKeyReserved(let key, let effect, let owner, let expiresAt):
            writer.u8(78)
            writer.string(key)
            writer.u8(effect.rawValue)
            self.key(owner, &writer)
            writer.zigzag(expiresAt - previousTime)
        case .startLocked(let process, let hash, let instance):
            writer.u8(79)
            writer.fixed64LE(process)
            writer.fixed64LE(hash)
            self.key(instance, &writer)
        case .eventReceived(let event):
            writer.u8(80)
            self.key(event.key, &writer)
            event.write(into: &writer)
        case .messageExpired(let key):
            writer.u8(42)
            self.key(key, &writer)
        case .messageSubscriptionCreated(let subscription):
            writer.u8(43)
            writer.fixed64LE(subscription.key)
            writer.fixed64LE(subscription.hash)
            writer.fixed64LE(subscription.instance)
            writer.fixed64LE(subscription.process)
        case .messageCorrelating(let hash, let subscription, let message):
            writer.correlation(44, hash, subscription, message)
        case .messageCorrelated(let hash, let subscription, let message, let stays):
            writer.correlation(45, hash, subscription, message)
            writer.bool(stays)
        case .messageRejected(let hash, let subscription, let message):
            writer.correlation(46, hash, subscription, message)
        case .messageSubscriptionClosed(let hash, let subscription):
            writer.u8(47)
            writer.fixed64LE(hash)
            writer.fixed64LE(subscription)
        case .messageStartedInstance(let message, let process, let instance):
            writer.correlation(48, process, instance, message)
        case .processDeployed(let deployed):
            // The standard profile, the only one there once was, needs no byte.
            writer.u8(deployed.profile == .standard ? 49 : 73)
            if deployed.profile != .standard { writer.u8(deployed.profile.code) }
            self.key(deployed.key, &writer)
            self.key(deployed.deploymentKey, &writer)
            writer.string(deployed.processID)
            writer.varint(UInt64(deployed.version))
            writer.string(deployed.resourceName)
            writer.bytes(deployed.resource)
        case .startTimerScheduled(let key, let definition, let node, let dueAt, let repetitions, let interval):
            writer.u8(50)
            self.key(key, &writer)
            writer.fixed64LE(definition)
            writer.varint(UInt64(node))
            writer.zigzag(dueAt - previousTime)
            writer.zigzag(Int64(repetitions))
            writer.optional(interval)
        case .startTimerEnded(let key):
            writer.u8(51)
            self.key(key, &writer)
        case .deadLetterRecorded(let letter):
            // Without a context, as they all once were, it needs no further bytes.
            let isPlain = letter.context == DeadLetterContext()
            writer.u8(isPlain ? 52 : 74)
            self.key(letter.key, &writer)
            letter.write(into: &writer)
            if !isPlain { letter.context.write(into: &writer) }
        case .deadLetterEnded(let key, let outcome):
            writer.u8(53)
            self.key(key, &writer)
            writer.u8(outcome)
        case .deadLetterChanged(let key, let change):
            writer.u8(75)
            self.key(key, &writer)
            change.write(into: &writer)
        case .deadLetterPurged(let key):
            writer.u8(76)
            self.key(key, &writer)
        case .signalSubscribed(let ordinal, let key, let node, let name):
            writer.ordinal(54, ordinal)
            self.key(key, &writer)
            writer.varint(UInt64(node))
            writer.string(name)
        case .signalCaught(let key, let stays):
            writer.u8(55)
            self.key(key, &writer)
            writer.bool(stays)
        case .conditionArmed(let ordinal, let key, let node, let holds):
            writer.ordinal(56, ordinal)
            self.key(key, &writer)
            writer.varint(UInt64(node))
            writer.bool(holds)
        case .conditionEvaluated(let key, let holds):
            writer.u8(57)
            self.key(key, &writer)
            writer.bool(holds)
        case .waitClosed(let key):
            writer.u8(58)
            self.key(key, &writer)
        case .tokensConsumed(let node, let scope, let count):
            writer.u8(59)
            writer.varint(UInt64(node))
            writer.varint(UInt64(scope))
            writer.varint(UInt64(count))
        case .gatewayFired(let ordinal, let flows):
            writer.ordinal(60, ordinal)
            writer.indexes(flows)
        case .gatewayReset(let ordinal): writer.ordinal(69, ordinal)
        case .adHocPlanned(let ordinal, let nodes):
            writer.ordinal(61, ordinal)
            writer.indexes(nodes)
        case .compensationRecorded(let scope, let record):
            writer.ordinal(62, scope)
            record.write(into: &writer)
        case .compensationTaken(let scope, let node):
            writer.ordinal(63, scope)
            writer.zigzag(Int64(node))
        case .compensationStarted(let ordinal, let records):
            writer.ordinal(64, ordinal)
            CompensationRecord.write(records, into: &writer)
        case .compensationStepped(let ordinal): writer.ordinal(65, ordinal)
        case .cancelRequested(let ordinal): writer.ordinal(66, ordinal)
        case .decisionsDeployed(let deployed):
            writer.u8(70)
            self.key(deployed.key, &writer)
            self.key(deployed.deploymentKey, &writer)
            deployed.write(into: &writer)
        case .decisionEvaluated(let ordinal, let evaluated):
            writer.ordinal(71, ordinal)
            self.key(evaluated.key, &writer)
            evaluated.write(into: &writer)
        case .decisionEvaluatedAlone(let evaluated):
            writer.u8(72)
            self.key(evaluated.key, &writer)
            evaluated.write(into: &writer)
        case .signalBroadcast(let key, let name):
            writer.u8(67)
            self.key(key, &writer)
            writer.string(name)
        case .dataStoreSet(let name, let value):
            writer.u8(68)
            writer.string(name)
            value.write(into: &writer)
        }
    }
}

extension ByteWriter {
    @inline(__always)
    mutating func ordinal(_ type: UInt8, _ ordinal: UInt32) {
        u8(type)
        varint(UInt64(ordinal))
    }

    mutating func correlation(_ type: UInt8, _ hash: UInt64, _ subscription: UInt64, _ message: UInt64) {
        u8(type)
        fixed64LE(hash)
        fixed64LE(subscription)
        fixed64LE(message)
    }

    mutating func optional(_ text: String?) {
        bool(text != nil)
        if let text { string(text) }
    }

    mutating func indexes(_ indexes: [Int32]) {
        varint(UInt64(indexes.count))
        for index in indexes { varint(UInt64(index)) }
    }

    mutating func strings(_ texts: [String]) {
        varint(UInt64(texts.count))
        for text in texts { string(text) }
    }
}
