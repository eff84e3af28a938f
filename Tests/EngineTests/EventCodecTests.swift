import ProcessModel
import Testing
import Values

@testable import Engine

/// The bytes of every event are fixed for ever: a journal written by any released version must be readable.
///
/// A changed meaning is a new case with a new type number; rows are only ever added here.
@Suite("Event encoding")
struct EventCodecTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var event: Event
        var hex: String

        var testDescription: String { String("\(event)".prefix(60)) }
    }

    private static let key: UInt64 = 0x0123_4567_89AB_CDEF
    private static let document = VariableDocument(
        members: [("a", VariableValue(json: Array("[1]".utf8))), ("b", VariableValue(.string("t")))])

    static let rows: [Row] = [
        Row(event: .time(1_767_225_600_000), hex: "0180a0d5edee66"),
        Row(event: .instance(key: key), hex: "02deb7de9af1d9a2a302"),
        Row(event: .actor("ann"), hex: "0303616e6e"),
        Row(
            event: .instanceCreated(
                InstanceCreated(
                    key: key, definitionKey: key - 5, parent: 0, parentOrdinal: 0, parentElementKey: 0, depth: 0,
                    businessID: nil)), hex: "04deb7de9af1d9a2a302090a0000"),
        Row(
            event: .instanceCreated(
                InstanceCreated(
                    key: key, definitionKey: key - 5, parent: 7, parentOrdinal: 300, parentElementKey: 9, depth: 2,
                    businessID: "order 1")),
            hex: "04deb7de9af1d9a2a302090a0107000000000000000900000000000000ac020201076f726465722031"),
        Row(event: .instanceCompleted, hex: "05"),
        Row(event: .instanceTerminated, hex: "06"),
        Row(event: .elementPassed(node: 3, flow: -1, scope: 0, key: 1), hex: "0703010002"),
        Row(
            event: .elementActivated(node: 200, flow: 4, scope: 1, key: 1, role: .multiInstanceInner, loopCounter: 2),
            hex: "08c8010801020202"),
        Row(event: .elementEntered(ordinal: 1), hex: "0901"),
        Row(event: .elementCompleting(ordinal: 2), hex: "0a02"),
        Row(event: .elementCompleted(ordinal: 300), hex: "0bac02"),
        Row(event: .elementTerminated(ordinal: 4), hex: "0c04"),
        Row(event: .tokenArrived(flow: 5, scope: 1), hex: "0d0501"),
        Row(event: .tokensJoined(node: 5, scope: 1), hex: "0e0501"),
        Row(event: .arrivalsDiscarded(scope: 1), hex: "0f01"),
        Row(event: .loopStarted(ordinal: 1, count: 3, items: nil), hex: "10010300"),
        Row(
            event: .loopStarted(ordinal: 1, count: 2, items: [.number(Number(7)), .string("x")]),
            hex: "100102010602030e050178"),
        Row(event: .loopOutput(ordinal: 1, position: 2, value: .boolean(true)), hex: "11010202"),
        Row(event: .calledInstanceStarted(ordinal: 1, key: key), hex: "1201deb7de9af1d9a2a302"),
        Row(
            event: .variableSet(scope: 1, name: "x", value: VariableValue(json: Array("12".utf8))),
            hex: "1301017800023132"),
        Row(event: .variableSet(scope: 0, name: "ü", value: VariableValue(.null)), hex: "130002c3bc0100"),
        Row(event: .jobCreated(ordinal: 1, key: 2, retries: 3, priority: -4, type: nil), hex: "140104030700"),
        Row(
            event: .jobCreated(ordinal: 1, key: 2, retries: 3, priority: 50, type: "work"),
            hex: "14010403640104776f726b"),
        Row(event: .jobActivated(ordinal: 1, worker: "w", until: 1_000), hex: "15010177d00f"),
        Row(event: .jobCompleted(ordinal: 1), hex: "1601"),
        Row(event: .jobFailed(ordinal: 1, retries: 2, until: 1_000, message: "no"), hex: "170102d00f026e6f"),
        Row(event: .jobBackoffEnded(ordinal: 1), hex: "1801"),
        Row(event: .jobLockExpired(ordinal: 1), hex: "1901"),
        Row(event: .jobRetriesUpdated(ordinal: 1, retries: 5), hex: "1a0105"),
        Row(event: .jobDeadlineUpdated(ordinal: 1, until: -1), hex: "1b0101"),
        Row(event: .jobErrorThrown(ordinal: 1, code: "E", message: nil), hex: "1c01014500"),
        Row(event: .jobErrorThrown(ordinal: 1, code: "E", message: "why"), hex: "1c0101450103776879"),
        Row(
            event: .userTaskCreated(
                ordinal: 1,
                UserTaskCreated(
                    key: 2, assignee: "ann", candidateGroups: ["g"], candidateUsers: [], dueDate: "d",
                    followUpDate: nil, priority: 50)), hex: "1d01040103616e6e010167000101640064"),
        Row(event: .userTaskAssigned(ordinal: 1, assignee: nil), hex: "1e0100"),
        Row(event: .userTaskCompleted(ordinal: 1), hex: "1f01"),
        Row(
            event: .timerCreated(ordinal: 1, key: 2, node: 3, dueAt: 1_000, repetitions: -1, interval: "PT1M"),
            hex: "20010403d00f0101045054314d"),
        Row(event: .timerFired(key: 2), hex: "2104"),
        Row(event: .timerRescheduled(key: 2, dueAt: 1_000, repetitions: 4), hex: "2204d00f08"),
        Row(
            event: .subscriptionOpened(ordinal: 1, key: 2, node: 3, name: "m", correlationKey: "k"),
            hex: "23010403016d016b"),
        Row(event: .subscriptionCorrelated(key: 2, messageKey: key, stays: true), hex: "2404efcdab896745230101"),
        Row(event: .incidentRaised(ordinal: 1, key: 2, kind: .job, type: "T", message: "m"), hex: "250104020154016d"),
        Row(event: .incidentResolved(ordinal: 1), hex: "2601"),
        Row(event: .uniqueKeyReserved(key: "k", owner: 2, expiresAt: 1_000), hex: "27016b04d00f"),
        Row(event: .uniqueKeyExpired(hash: key), hex: "28efcdab8967452301"),
        Row(
            event: .messagePublished(
                MessagePublished(
                    key: 2, name: "m", correlationKey: "k", messageID: "i", expiresAt: 1_000, variables: document)),
            hex: "2904016d016b010169d00f02016100035b315d016201050174"),
        Row(event: .messageExpired(key: 2), hex: "2a04"),
        Row(
            event: .messageSubscriptionCreated(
                MessageSubscriptionCreated(key: 1, hash: key, instance: 3, process: 4)),
            hex: "2b0100000000000000efcdab896745230103000000000000000400000000000000"),
        Row(
            event: .messageCorrelating(hash: key, subscription: 2, message: 3),
            hex: "2cefcdab896745230102000000000000000300000000000000"),
        Row(
            event: .messageCorrelated(hash: key, subscription: 2, message: 3, stays: false),
            hex: "2defcdab89674523010200000000000000030000000000000000"),
        Row(
            event: .messageRejected(hash: key, subscription: 2, message: 3),
            hex: "2eefcdab896745230102000000000000000300000000000000"),
        Row(event: .messageSubscriptionClosed(hash: key, subscription: 2), hex: "2fefcdab89674523010200000000000000"),
        Row(
            event: .messageStartedInstance(message: 1, process: 2, instance: 3),
            hex: "30020000000000000003000000000000000100000000000000"),
        Row(
            event: .processDeployed(
                ProcessDeployed(
                    key: 3, deploymentKey: 2, processID: "p", version: 1, resourceName: "f", resource: [1, 2])),
            hex: "3106010170010166020102"),
        Row(
            event: .startTimerScheduled(key: 2, definition: 1, node: 3, dueAt: 5, repetitions: 0, interval: nil),
            hex: "32040100000000000000030a0000"),
        Row(event: .startTimerEnded(key: 2), hex: "3304"),
        Row(
            event: .deadLetterRecorded(
                DeadLetterRecorded(
                    key: 2, origin: "o", coordinates: [1], dedupeKey: "d", stage: "s", errorCode: "c",
                    errorMessage: "m", contentType: "t", payload: [9], redriveCount: 1)),
            hex: "3404016f010101016401730163016d0174010901"),
        Row(event: .deadLetterEnded(key: 2, outcome: 1), hex: "350401"),
        Row(
            event: .deadLetterRecorded(
                DeadLetterRecorded(
                    key: 2, origin: "o", coordinates: [1], dedupeKey: "d", stage: "s", errorCode: "c",
                    errorMessage: "m", contentType: "t", payload: [9], redriveCount: 1, context: richContext)),
            hex: "4a04016f0101010164017301630" + "16d0174010901" + "0104" + "010163" + "0500000000000000"
                + "0600000000000000" + "01016f" + "010173" + "0107" + "0108" + "010102"),
        Row(
            event: .deadLetterChanged(key: 2, richChange), hex: "4b04" + "0203" + "010109" + "06" + "010108" + "010164"),
        Row(
            event: .deadLetterChanged(key: 2, DeadLetterChanged(.park)),
            hex: "4b04" + "00ff" + "00" + "01" + "00" + "00"),
        Row(event: .deadLetterPurged(key: 2), hex: "4c04"),
        Row(event: .signalSubscribed(ordinal: 1, key: 2, node: 3, name: "s"), hex: "36010403" + "0173"),
        Row(event: .signalCaught(key: 2, stays: true), hex: "370401"),
        Row(event: .conditionArmed(ordinal: 1, key: 2, node: 300, holds: false), hex: "380104ac0200"),
        Row(event: .conditionEvaluated(key: 2, holds: true), hex: "390401"),
        Row(event: .waitClosed(key: 2), hex: "3a04"),
        Row(event: .tokensConsumed(node: 3, scope: 1, count: 2), hex: "3b030102"),
        Row(event: .gatewayFired(ordinal: 1, flows: [0, 300]), hex: "3c010200ac02"),
        Row(event: .adHocPlanned(ordinal: 1, nodes: []), hex: "3d0100"),
        Row(event: .adHocPlanned(ordinal: 1, nodes: [7]), hex: "3d010107"),
        Row(event: .compensationRecorded(scope: 1, record), hex: "3e01" + recordHex),
        Row(event: .compensationTaken(scope: 1, node: -1), hex: "3f0101"),
        Row(event: .compensationStarted(ordinal: 1, records: []), hex: "400100"),
        Row(event: .compensationStarted(ordinal: 1, records: [record]), hex: "400101" + recordHex),
        Row(event: .compensationStepped(ordinal: 1), hex: "4101"),
        Row(event: .cancelRequested(ordinal: 1), hex: "4201"),
        Row(event: .signalBroadcast(key: 2, name: "s"), hex: "43040173"),
        Row(event: .dataStoreSet(name: "d", value: VariableValue(.null)), hex: "4401640100"),
        Row(event: .gatewayReset(ordinal: 1), hex: "4501"),
        Row(
            event: .decisionsDeployed(
                DecisionsDeployed(
                    key: 3, deploymentKey: 2, requirementsID: "m", name: "n", version: 1, resourceName: "f",
                    resource: [1, 2], imports: [5], decisions: [.init(key: 4, id: "d", version: 2)])),
            hex: "460601016d016e010166020102010500000000000000" + "0101016402"),
        Row(
            event: .decisionEvaluated(
                ordinal: 1,
                DecisionEvaluated(
                    key: 2, decisionKey: 7, output: VariableValue(.null), failure: nil,
                    decisions: [
                        .init(
                            key: 3, decisionKey: 6, output: VariableValue(json: Array("1".utf8)), failure: "x",
                            trace: [9])
                    ])), hex: "4701040700000000000000" + "01000001" + "01010001310101780109"),
        Row(
            event: .decisionEvaluatedAlone(
                DecisionEvaluated(
                    key: 2, decisionKey: 7, output: VariableValue(.null), failure: "e", decisions: [])),
            hex: "4804070000000000000001000101" + "6500"),
        Row(
            event: .processDeployed(
                ProcessDeployed(
                    key: 3, deploymentKey: 2, processID: "p", version: 1, resourceName: "f", resource: [1, 2],
                    profile: .lenient)), hex: "490006010170010166020102"),
        Row(
            event: .eventPublished(
                MessagePublished(
                    key: 2, name: "m", correlationKey: "k", messageID: nil, expiresAt: 1_000, variables: document),
                CorrelationPlan(isForAll: true, process: nil, version: 0, businessID: nil)),
            hex: "4d04016d016bd00f02016100035b315d016201050174" + "01000000"),
        Row(
            event: .eventPublished(
                MessagePublished(
                    key: 2, name: "m", correlationKey: "k", messageID: nil, expiresAt: 1_000, variables: .empty),
                CorrelationPlan(isForAll: false, process: "p", version: 300, businessID: "b")),
            hex: "4d04016d016bd00f00" + "00010170ac02010162"),
        Row(
            event: .eventKeyReserved(key: "k", effect: .buffered, owner: 2, expiresAt: 1_000), hex: "4e016b0304d00f"),
        Row(
            event: .startLocked(process: key, hash: 2, instance: 3), hex: "4fefcdab8967452301020000000000000006"),
        Row(
            event: .eventReceived(
                EventReceived(
                    key: 2, effect: .started, effectKey: 3,
                    received: ReceivedEvent(
                        trigger: "t", eventID: "e", dedupeKey: "d", contentType: "c", payload: [1, 255],
                        headers: [2], coordinates: [3], receivedAt: 5, retainMilliseconds: 6))),
            hex: "5004010300000000000000" + "01740165010164016302" + "01ff0102010" + "30a0c"),
    ]

    private static let record = CompensationRecord(
        node: 5, variables: document,
        children: [CompensationRecord(node: 6, variables: .empty, children: [])])
    private static let recordHex = "05" + "02016100035b315d016201050174" + "01" + "060000"

    private func bytes(_ events: [Event]) -> [UInt8] {
        var writer = ByteWriter()
        var codec = EventCodec()
        for event in events { codec.write(event, into: &writer) }
        return writer.bytes
    }

    @Test("an event has exactly these bytes", arguments: rows)
    func golden(_ row: Row) throws {
        #expect(bytes([row.event]).hex == row.hex)
        let decoded = try decodeEvents(bytes([row.event]))
        try #require(decoded.count == 1)
        #expect(bytes(decoded) == bytes([row.event]))
        #expect("\(decoded[0])" == "\(row.event)")
    }

    @Test("every type number from 1 on has a row")
    func complete() {
        #expect(Set(Self.rows.compactMap { bytes([$0.event]).first }) == Set(1...80))
    }

    @Test("keys and times are differences to those before, so a batch reads only from its beginning")
    func batch() throws {
        let events = Self.rows.map(\.event)
        let encoded = bytes(events + events)
        #expect(bytes(try decodeEvents(encoded)) == encoded)
        #expect(bytes([.instance(key: Self.key), .instance(key: Self.key + 1)]).count == 10 + 2)
    }

    @Test("an event that is cut, or of an unknown type, is refused", arguments: rows)
    func damaged(_ row: Row) {
        let whole = bytes([row.event])
        for length in 1..<max(whole.count, 1) {
            #expect(throws: DecodingFailure.self) { try decodeEvents(Array(whole[..<length])) }
        }
        #expect(throws: DecodingFailure.self) { try decodeEvents([200]) }
        #expect(throws: DecodingFailure.self) { try decodeEvents([0]) }
    }

    @Test("random damage is refused or read as something else, never more", arguments: [1, 2_026, 0xDEAD_BEEF])
    func fuzzed(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let whole = bytes(Self.rows.map(\.event))
        for _ in 0..<400 {
            var damaged = whole
            for _ in 0...random.below(4) { damaged[random.below(damaged.count)] = UInt8(random.below(256)) }
            if let events = try? decodeEvents(damaged) { #expect(events.count <= damaged.count) }
        }
    }

    @Test("numbers outside their range are refused")
    func outOfRange() {
        let huge: [UInt8] = [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01]
        for prefix: [UInt8] in [[9], [7], [7, 0], [13], [20, 1, 2, 3], [8, 0, 0, 0, 0, 9], [37, 1, 2, 9]] {
            #expect(throws: DecodingFailure.self) { try decodeEvents(prefix + huge) }
        }
    }

    @Test("messages between partitions keep their bytes and refuse damage")
    func partitionMessages() throws {
        let messages: [(PartitionMessage, String)] = [
            (
                .openSubscription(
                    MessageSubscriptionCreated(key: 1, hash: 2, instance: 3, process: 4), name: "m", correlationKey: "k"
                ),
                "01010000000000000002000000000000000300000000000000040000000000000001" + "6d016b"
            ), (.closeSubscription(hash: 2, key: 1), "0202000000000000000100000000000000"),
            (
                .correlate(
                    PartitionMessage.Correlation(
                        instance: 1, subscription: 2, hash: 3, message: 4, name: "m", correlationKey: "k",
                        variables: Self.document)), ""
            ),
            (
                .correlated(hash: 1, key: 2, message: 3, stays: true),
                "0401000000000000000200000000000000030000000000000001"
            ), (.rejected(hash: 1, key: 2, message: 3), "05010000000000000002000000000000000300000000000000"),
            (
                .publish(
                    NewMessage(
                        name: "m", correlationKey: "k", timeToLiveMilliseconds: 5, messageID: "i",
                        variables: Self.document)), "06016d016b0a0101" + "6902016100035b315d016201050174"
            ), (.signal(name: "s", variables: .empty), "07017300"),
            (.dataStore(name: "d", value: VariableValue(.null)), "0801640100"),
        ]
        for (message, hex) in messages {
            var writer = ByteWriter()
            message.write(into: &writer)
            if !hex.isEmpty { #expect(writer.bytes.hex == hex) }
            let bytes = writer.bytes
            for length in 0...bytes.count {
                let read = try? bytes[..<length].withUnsafeBytes { buffer in
                    var reader = ByteReader(buffer)
                    return try PartitionMessage.read(&reader)
                }
                #expect((read != nil) == (length == bytes.count), "\(length) of \(bytes.count) bytes")
                if let read {
                    var again = ByteWriter()
                    read.write(into: &again)
                    #expect(again.bytes == bytes)
                }
            }
        }
        let unknown: [UInt8] = [9]
        #expect(throws: DecodingFailure.self) {
            try unknown.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                _ = try PartitionMessage.read(&reader)
            }
        }
    }
}

private let richContext: DeadLetterContext = {
    var context = DeadLetterContext()
    context.kind = 1
    context.state = 4
    context.connection = "c"
    context.jobKey = 5
    context.parentKey = 6
    context.orderingKey = "o"
    context.schemaID = "s"
    context.headers = [7]
    context.report = [8]
    context.originalPayload = [2]
    return context
}()

private let richChange: DeadLetterChanged = {
    var change = DeadLetterChanged(.replay)
    change.state = 3
    change.payload = [9]
    change.redriveCount = 3
    change.report = [8]
    change.detail = "d"
    return change
}()
