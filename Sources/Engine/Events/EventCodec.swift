internal import ProcessModel
public import Values

/// The binary form of events inside a journal batch.
///
/// A type byte, then the fields: integers as varints, keys as the signed difference to the key before, so that fresh
/// keys take a byte or two. Encoder and decoder must see a batch from its beginning.
public struct EventCodec {
    private var previousKey: UInt64 = 0
    private var previousTime: Int64 = 0

    /// A codec at the beginning of a batch.
    public init() {}

    private mutating func key(_ key: UInt64, _ writer: inout ByteWriter) {
        writer.zigzag(Int64(bitPattern: key &- previousKey))
        previousKey = key
    }

    private mutating func key(_ reader: inout ByteReader) throws(DecodingFailure) -> UInt64 {
        previousKey = previousKey &+ UInt64(bitPattern: try reader.zigzag())
        return previousKey
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
            writer.u8(52)
            self.key(letter.key, &writer)
            writer.string(letter.origin)
            writer.bytes(letter.coordinates)
            writer.optional(letter.dedupeKey)
            writer.string(letter.stage)
            writer.string(letter.errorCode)
            writer.string(letter.errorMessage)
            writer.string(letter.contentType)
            writer.bytes(letter.payload)
            writer.varint(UInt64(letter.redriveCount))
        case .deadLetterEnded(let key, let outcome):
            writer.u8(53)
            self.key(key, &writer)
            writer.u8(outcome)
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

    /// Reads one event.
    ///
    /// - Throws: `DecodingFailure`, for an unknown type too: the batch was written by a newer version or is damaged.
    public mutating func read(_ reader: inout ByteReader) throws(DecodingFailure) -> Event {
        let type = try reader.u8()
        switch type {
        case 1:
            previousTime &+= try reader.zigzag()
            return .time(previousTime)
        case 2: return .instance(key: try key(&reader))
        case 3: return .actor(try reader.string())
        case 4:
            let own = try key(&reader)
            let definition = try key(&reader)
            _ = try key(&reader)
            var created = InstanceCreated(
                key: own, definitionKey: definition, parent: 0, parentOrdinal: 0, parentElementKey: 0, depth: 0,
                businessID: nil)
            if try reader.bool() {
                created.parent = try reader.fixed64LE()
                created.parentElementKey = try reader.fixed64LE()
                created.parentOrdinal = try reader.ordinal()
                created.depth = try reader.int32()
            }
            created.businessID = try reader.optionalString()
            return .instanceCreated(created)
        case 5: return .instanceCompleted
        case 6: return .instanceTerminated
        case 7:
            return .elementPassed(
                node: try reader.int32(), flow: try reader.signed32(), scope: try reader.ordinal(),
                key: try key(&reader))
        case 8:
            let node = try reader.int32()
            let flow = try reader.signed32()
            let scope = try reader.ordinal()
            let own = try key(&reader)
            guard let role = ElementRole(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
            return .elementActivated(
                node: node, flow: flow, scope: scope, key: own, role: role, loopCounter: try reader.int32())
        case 9: return .elementEntered(ordinal: try reader.ordinal())
        case 10: return .elementCompleting(ordinal: try reader.ordinal())
        case 11: return .elementCompleted(ordinal: try reader.ordinal())
        case 12: return .elementTerminated(ordinal: try reader.ordinal())
        case 13: return .tokenArrived(flow: try reader.int32(), scope: try reader.ordinal())
        case 14: return .tokensJoined(node: try reader.int32(), scope: try reader.ordinal())
        case 15: return .arrivalsDiscarded(scope: try reader.ordinal())
        case 16:
            let ordinal = try reader.ordinal()
            let count = try reader.int32()
            var items: [Value]?
            if try reader.bool() { items = try ValueCodec.read(&reader).asList ?? [] }
            return .loopStarted(ordinal: ordinal, count: count, items: items)
        case 17:
            return .loopOutput(
                ordinal: try reader.ordinal(), position: try reader.int32(), value: try ValueCodec.read(&reader))
        case 18: return .calledInstanceStarted(ordinal: try reader.ordinal(), key: try key(&reader))
        case 19:
            return .variableSet(
                scope: try reader.ordinal(), name: try reader.string(), value: try VariableValue.read(&reader))
        case 20:
            return .jobCreated(
                ordinal: try reader.ordinal(), key: try key(&reader), retries: try reader.int32(),
                priority: try reader.signed32(), type: try reader.optionalString())
        case 21:
            return .jobActivated(
                ordinal: try reader.ordinal(), worker: try reader.string(), until: previousTime &+ (try reader.zigzag())
            )
        case 22: return .jobCompleted(ordinal: try reader.ordinal())
        case 23:
            return .jobFailed(
                ordinal: try reader.ordinal(), retries: try reader.int32(),
                until: previousTime &+ (try reader.zigzag()),
                message: try reader.string())
        case 24: return .jobBackoffEnded(ordinal: try reader.ordinal())
        case 25: return .jobLockExpired(ordinal: try reader.ordinal())
        case 26: return .jobRetriesUpdated(ordinal: try reader.ordinal(), retries: try reader.int32())
        case 27:
            return .jobDeadlineUpdated(ordinal: try reader.ordinal(), until: previousTime &+ (try reader.zigzag()))
        case 28:
            return .jobErrorThrown(
                ordinal: try reader.ordinal(), code: try reader.string(), message: try reader.optionalString())
        case 29:
            let ordinal = try reader.ordinal()
            let own = try key(&reader)
            return .userTaskCreated(
                ordinal: ordinal,
                UserTaskCreated(
                    key: own, assignee: try reader.optionalString(), candidateGroups: try reader.strings(),
                    candidateUsers: try reader.strings(), dueDate: try reader.optionalString(),
                    followUpDate: try reader.optionalString(), priority: try reader.signed32()))
        case 30: return .userTaskAssigned(ordinal: try reader.ordinal(), assignee: try reader.optionalString())
        case 31: return .userTaskCompleted(ordinal: try reader.ordinal())
        case 32:
            return .timerCreated(
                ordinal: try reader.ordinal(), key: try key(&reader), node: try reader.int32(),
                dueAt: previousTime &+ (try reader.zigzag()), repetitions: try reader.signed32(),
                interval: try reader.optionalString())
        case 33: return .timerFired(key: try key(&reader))
        case 34:
            return .timerRescheduled(
                key: try key(&reader), dueAt: previousTime &+ (try reader.zigzag()), repetitions: try reader.signed32())
        case 35:
            return .subscriptionOpened(
                ordinal: try reader.ordinal(), key: try key(&reader), node: try reader.int32(),
                name: try reader.string(), correlationKey: try reader.string())
        case 36:
            return .subscriptionCorrelated(
                key: try key(&reader), messageKey: try reader.fixed64LE(), stays: try reader.bool())
        case 37:
            let ordinal = try reader.ordinal()
            let own = try key(&reader)
            guard let kind = IncidentKind(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
            return .incidentRaised(
                ordinal: ordinal, key: own, kind: kind, type: try reader.string(), message: try reader.string())
        case 38: return .incidentResolved(ordinal: try reader.ordinal())
        case 39:
            return .uniqueKeyReserved(
                key: try reader.string(), owner: try key(&reader), expiresAt: previousTime &+ (try reader.zigzag()))
        case 40: return .uniqueKeyExpired(hash: try reader.fixed64LE())
        case 41:
            return .messagePublished(
                MessagePublished(
                    key: try key(&reader), name: try reader.string(), correlationKey: try reader.string(),
                    messageID: try reader.optionalString(), expiresAt: previousTime &+ (try reader.zigzag()),
                    variables: try VariableDocument.read(&reader)))
        case 42: return .messageExpired(key: try key(&reader))
        case 43:
            return .messageSubscriptionCreated(
                MessageSubscriptionCreated(
                    key: try reader.fixed64LE(), hash: try reader.fixed64LE(), instance: try reader.fixed64LE(),
                    process: try reader.fixed64LE()))
        case 44:
            return .messageCorrelating(
                hash: try reader.fixed64LE(), subscription: try reader.fixed64LE(), message: try reader.fixed64LE())
        case 45:
            return .messageCorrelated(
                hash: try reader.fixed64LE(), subscription: try reader.fixed64LE(), message: try reader.fixed64LE(),
                stays: try reader.bool())
        case 46:
            return .messageRejected(
                hash: try reader.fixed64LE(), subscription: try reader.fixed64LE(), message: try reader.fixed64LE())
        case 47:
            return .messageSubscriptionClosed(hash: try reader.fixed64LE(), subscription: try reader.fixed64LE())
        case 48:
            let process = try reader.fixed64LE()
            let instance = try reader.fixed64LE()
            return .messageStartedInstance(message: try reader.fixed64LE(), process: process, instance: instance)
        case 49: return .processDeployed(try processDeployed(&reader, .standard))
        case 50:
            return .startTimerScheduled(
                key: try key(&reader), definition: try reader.fixed64LE(), node: try reader.int32(),
                dueAt: previousTime &+ (try reader.zigzag()), repetitions: try reader.signed32(),
                interval: try reader.optionalString())
        case 51: return .startTimerEnded(key: try key(&reader))
        case 52:
            return .deadLetterRecorded(
                DeadLetterRecorded(
                    key: try key(&reader), origin: try reader.string(), coordinates: try reader.byteArray(),
                    dedupeKey: try reader.optionalString(), stage: try reader.string(),
                    errorCode: try reader.string(), errorMessage: try reader.string(),
                    contentType: try reader.string(), payload: try reader.byteArray(),
                    redriveCount: try reader.int32()))
        case 53: return .deadLetterEnded(key: try key(&reader), outcome: try reader.u8())
        case 54:
            return .signalSubscribed(
                ordinal: try reader.ordinal(), key: try key(&reader), node: try reader.int32(),
                name: try reader.string())
        case 55: return .signalCaught(key: try key(&reader), stays: try reader.bool())
        case 56:
            return .conditionArmed(
                ordinal: try reader.ordinal(), key: try key(&reader), node: try reader.int32(),
                holds: try reader.bool())
        case 57: return .conditionEvaluated(key: try key(&reader), holds: try reader.bool())
        case 58: return .waitClosed(key: try key(&reader))
        case 59:
            return .tokensConsumed(
                node: try reader.int32(), scope: try reader.ordinal(), count: try reader.int32())
        case 60: return .gatewayFired(ordinal: try reader.ordinal(), flows: try reader.indexes())
        case 61: return .adHocPlanned(ordinal: try reader.ordinal(), nodes: try reader.indexes())
        case 62:
            return .compensationRecorded(scope: try reader.ordinal(), try CompensationRecord.read(&reader))
        case 63: return .compensationTaken(scope: try reader.ordinal(), node: try reader.signed32())
        case 64:
            return .compensationStarted(
                ordinal: try reader.ordinal(), records: try CompensationRecord.readList(&reader))
        case 65: return .compensationStepped(ordinal: try reader.ordinal())
        case 66: return .cancelRequested(ordinal: try reader.ordinal())
        case 67: return .signalBroadcast(key: try key(&reader), name: try reader.string())
        case 69: return .gatewayReset(ordinal: try reader.ordinal())
        case 70:
            return .decisionsDeployed(
                try DecisionsDeployed.read(key: try key(&reader), deploymentKey: try key(&reader), &reader))
        case 71:
            return .decisionEvaluated(
                ordinal: try reader.ordinal(), try DecisionEvaluated.read(key: try key(&reader), &reader))
        case 72: return .decisionEvaluatedAlone(try DecisionEvaluated.read(key: try key(&reader), &reader))
        case 73:
            guard let profile = ImportProfile(code: try reader.u8()) else { throw reader.failure(.invalidValue) }
            return .processDeployed(try processDeployed(&reader, profile))
        case 68: return .dataStoreSet(name: try reader.string(), value: try VariableValue.read(&reader))
        default: throw reader.failure(.unknownTag(type))
        }
    }

    private mutating func processDeployed(
        _ reader: inout ByteReader, _ profile: ImportProfile
    ) throws(DecodingFailure) -> ProcessDeployed {
        ProcessDeployed(
            key: try key(&reader), deploymentKey: try key(&reader), processID: try reader.string(),
            version: try reader.int32(), resourceName: try reader.string(), resource: try reader.byteArray(),
            profile: profile)
    }
}

extension ImportProfile {
    /// How stored deployments call it.
    fileprivate var code: UInt8 {
        switch self {
        case .lenient: 0
        case .standard: 1
        case .strict: 2
        }
    }

    fileprivate init?(code: UInt8) {
        guard let profile = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = profile
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

extension ByteReader {
    mutating func ordinal() throws(DecodingFailure) -> UInt32 {
        guard let ordinal = UInt32(exactly: try varint()) else { throw failure(.invalidValue) }
        return ordinal
    }

    mutating func int32() throws(DecodingFailure) -> Int32 {
        guard let value = Int32(exactly: try varint()) else { throw failure(.invalidValue) }
        return value
    }

    mutating func signed32() throws(DecodingFailure) -> Int32 {
        guard let value = Int32(exactly: try zigzag()) else { throw failure(.invalidValue) }
        return value
    }

    mutating func optionalString() throws(DecodingFailure) -> String? {
        try bool() ? try string() : nil
    }

    mutating func indexes() throws(DecodingFailure) -> [Int32] {
        let count = try count()
        var indexes: [Int32] = []
        for _ in 0..<count { indexes.append(try int32()) }
        return indexes
    }

    mutating func strings() throws(DecodingFailure) -> [String] {
        let count = try count()
        var texts: [String] = []
        for _ in 0..<count { texts.append(try string()) }
        return texts
    }
}
