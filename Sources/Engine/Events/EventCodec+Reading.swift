internal import ProcessModel
public import Values

extension EventCodec {
    private mutating func key(_ reader: inout ByteReader) throws(DecodingFailure) -> UInt64 {
        previousKey = previousKey &+ UInt64(bitPattern: try reader.zigzag())
        return previousKey
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
            return .deadLetterRecorded(try DeadLetterRecorded.read(key: try key(&reader), &reader))
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
        case 74:
            var letter = try DeadLetterRecorded.read(key: try key(&reader), &reader)
            letter.context = try DeadLetterContext.read(&reader)
            return .deadLetterRecorded(letter)
        case 75: return .deadLetterChanged(key: try key(&reader), try DeadLetterChanged.read(&reader))
        case 76: return .deadLetterPurged(key: try key(&reader))
        case 77:
            return .eventPublished(
                MessagePublished(
                    key: try key(&reader), name: try reader.string(), correlationKey: try reader.string(),
                    messageID: nil, expiresAt: previousTime &+ (try reader.zigzag()),
                    variables: try VariableDocument.read(&reader)), try CorrelationPlan.read(&reader))
        case 78:
            let text = try reader.string()
            guard let effect = EventEffect(rawValue: try reader.u8()) else { throw reader.failure(.invalidValue) }
            return .eventKeyReserved(
                key: text, effect: effect, owner: try key(&reader), expiresAt: previousTime &+ (try reader.zigzag()))
        case 79:
            return .startLocked(
                process: try reader.fixed64LE(), hash: try reader.fixed64LE(), instance: try key(&reader))
        case 80: return .eventReceived(try EventReceived.read(key: try key(&reader), &reader))
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
    var code: UInt8 {
        switch self {
        case .lenient: 0
        case .standard: 1
        case .strict: 2
        }
    }

    init?(code: UInt8) {
        guard let profile = Self.allCases.first(where: { $0.code == code }) else { return nil }
        self = profile
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
