import Decisions
import Engine
import ProcessModel
import Storage
import Testing
import Values

@testable import Runtime
@testable import Server

@Suite struct PathTreeWriterTests {
    private static func element(
        _ ordinal: UInt32, node: Int, scope: UInt32 = 0, endedAt: Int64? = nil,
        _ change: (inout PathElement) -> Void = { _ in }
    ) -> PathElement {
        var element = PathElement(
            ordinal: ordinal, node: node, flow: ordinal == 2 ? 0 : -1, scope: scope,
            key: Key(rawValue: UInt64(ordinal)),
            role: .single, loopCounter: 0, startedAt: 0, endedAt: endedAt)
        change(&element)
        return element
    }

    private static func tree(_ elements: [PathElement], incidents: [IncidentRecord] = []) throws -> [Value] {
        var writer = JSONWriter()
        PathTreeWriter(elements: elements, process: process, incidents: incidents).write(childrenOf: 0, into: &writer)
        return try JSON.parse(writer.bytes).asList ?? []
    }

    /// A trigger is never performed itself.
    private static let kinds: [FlowNodeKind] = FlowNodeKind.allCases.filter { $0 != .eventTrigger }

    /// One node of each kind, at the index of its raw value.
    private static let process = ExecutableProcess(
        id: "p", name: nil, versionTag: nil,
        nodes: kinds.map { kind in
            let event: EventDefinition? =
                switch kind {
                case .intermediateCatchEvent: .timer(.duration(.literal("PT1S")))
                case .receiveTask: .message(MessageDefinition(name: .literal("paid"), correlationKey: nil))
                default: nil
                }
            let job: JobDefinition? =
                switch kind {
                case .serviceTask: JobDefinition(type: .literal("charge"))
                case .sendTask: JobDefinition(type: .literal("connector:http"))
                default: nil
                }
            return FlowNode(
                index: Int(kind.rawValue), id: "\(kind)", name: nil, kind: kind, scope: 0, line: 1, event: event,
                job: job)
        },
        flows: [SequenceFlow(index: 0, id: "f", source: 1, target: 2, condition: nil)], noneStart: nil,
        messageStarts: [], timerStarts: [])

    @Test func everyKindHasItsTypeOfTheWireContract() throws {
        let items = try Self.tree(Self.kinds.enumerated().map { Self.element(UInt32($0 + 1), node: Int($1.rawValue)) })
        #expect(items.map { $0["elementId"]?.asString } == Self.kinds.map { "\($0)" })
        let types = items.compactMap { $0["type"]?.asString }
        #expect(Set(types).count == Self.kinds.count)
        for (kind, type) in zip(Self.kinds, types) {
            #expect(type.replacing("_", with: "").lowercased() == "\(kind)".lowercased())
        }
        #expect(items[1]["sequenceFlowId"] == "f")
    }

    /// An active element, and what it says it waits for.
    static let waits:
        [(kind: FlowNodeKind, change: @Sendable (inout PathElement) -> Void, wait: String?, note: String?)] =
            [
                (.userTask, { $0.userTaskKey = Key(rawValue: 9) }, "PERSON", "waits for a person, task 9"),
                (.serviceTask, { $0.jobKey = Key(rawValue: 8) }, "JOB", "waits for a worker of charge"),
                (
                    .serviceTask,
                    {
                        $0.jobKey = Key(rawValue: 8)
                        $0.failedAttempts = 2
                    }, "JOB", "waits for a worker of charge, 2 failed attempts"
                ),
                (.sendTask, { $0.jobKey = Key(rawValue: 8) }, "CONNECTOR", "calls http"),
                (.intermediateCatchEvent, { _ in }, "TIMER", "waits for a timer"),
                (.receiveTask, { _ in }, "MESSAGE", "waits for message paid"),
                (.callActivity, { $0.calledInstanceKey = Key(rawValue: 7) }, "CHILD", "waits for instance 7"),
                (.serviceTask, { $0.incidentKey = Key(rawValue: 50) }, "INCIDENT", "incident 50: no paper"),
                (.serviceTask, { $0.incidentKey = Key(rawValue: 51) }, "INCIDENT", "incident 51"),
                (.subProcess, { _ in }, nil, nil),
                (
                    .callActivity,
                    {
                        $0.calledInstanceKey = Key(rawValue: 7)
                        $0.endedAt = 5
                        $0.failedAttempts = 1
                    }, nil, "1 failed attempt, called 7"
                ),
            ]

    @Test func activeElementsSayWhatTheyWaitFor() throws {
        let incident = IncidentRecord(
            key: 50, instanceKey: 1, elementInstanceKey: 1, definitionKey: 1, elementID: "x", jobKey: nil, type: "t",
            message: "no paper", remedy: "r", createdAt: 0, resolvedAt: nil)
        for row in Self.waits {
            let items = try Self.tree(
                [Self.element(1, node: Int(row.kind.rawValue), row.change)], incidents: [incident])
            #expect(items.first?["waitsFor"]?.asString == row.wait, "\(row.kind)")
            #expect(items.first?["note"]?.asString == row.note)
        }
    }

    @Test func eventsAndGatewaysSayWhatTheyWaitFor() throws {
        func node(
            _ index: Int, _ kind: FlowNodeKind, _ event: EventDefinition? = nil, outgoing: [Int] = [],
            triggers: [Int] = []
        ) -> FlowNode {
            FlowNode(
                index: index, id: "n\(index)", name: nil, kind: kind, scope: 0, line: 1, outgoing: outgoing,
                event: event, triggers: triggers)
        }
        let condition = try Expression.compile("x > 1")
        let signal = EventDefinition.signal(SignalDefinition(name: .literal("go")))
        let process = ExecutableProcess(
            id: "p", name: nil, versionTag: nil,
            nodes: [
                node(0, .process), node(1, .eventBasedGateway, outgoing: [0, 1]),
                node(2, .intermediateCatchEvent, signal), node(3, .intermediateCatchEvent, .conditional(condition)),
                node(4, .startEvent, .multiple(isParallel: true), triggers: [5, 6]), node(5, .eventTrigger, signal),
                node(6, .eventTrigger, .timer(.duration(.literal("PT1S")))), node(7, .inclusiveGateway),
                node(8, .intermediateCatchEvent, .link(name: "l")),
            ],
            flows: [
                SequenceFlow(index: 0, id: "f", source: 1, target: 2, condition: nil),
                SequenceFlow(index: 1, id: "g", source: 1, target: 3, condition: nil),
            ], noneStart: nil, messageStarts: [], timerStarts: [])
        let rows: [(node: Int, wait: String?, note: String?)] = [
            (1, "SIGNAL", "waits for signal go or x > 1 to be true"), (2, "SIGNAL", "waits for signal go"),
            (3, "CONDITION", "waits for x > 1 to be true"), (4, "SIGNAL", "waits for signal go and a timer"),
            (7, "TOKENS", "waits for tokens"), (8, nil, nil),
        ]
        for row in rows {
            var writer = JSONWriter()
            PathTreeWriter(elements: [Self.element(1, node: row.node)], process: process, incidents: [])
                .write(childrenOf: 0, into: &writer)
            let item = try #require(try JSON.parse(writer.bytes).asList?.first)
            #expect(item["waitsFor"]?.asString == row.wait, "\(row.node)")
            #expect(item["note"]?.asString == row.note, "\(row.node)")
        }
    }

    @Test func elementsStandInsideTheirScope() throws {
        let items = try Self.tree([
            Self.element(1, node: 1, endedAt: 9) { $0.role = .multiInstanceBody },
            Self.element(2, node: 1, scope: 1, endedAt: 9) {
                $0.role = .multiInstanceInner
                $0.loopCounter = 1
            },
            Self.element(3, node: 3, scope: 2, endedAt: 8) { $0.isTerminated = true },
            Self.element(4, node: 99, endedAt: 9),
        ])
        #expect(items.map { $0["type"] } == ["MULTI_INSTANCE_BODY", "UNKNOWN"])
        #expect(items[1]["elementId"] == "#99")
        let inner = items[0]["elements"]?.asList?.first
        #expect(inner?["loopCounter"] == 1)
        #expect(inner?["elements"]?.asList?.first?["state"] == "TERMINATED")
    }
}
