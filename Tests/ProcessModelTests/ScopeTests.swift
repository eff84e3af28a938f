import Decisions
import ProcessModel
import Testing
import Values

/// Sub-processes of every kind, and where their tokens begin.
@Suite struct ScopeTests {
    private static func wait(_ id: String, _ attributes: String = "") -> String {
        """
        <intermediateCatchEvent id="\(id)" \(attributes)><timerEventDefinition><timeDuration>PT1S</timeDuration>
        </timerEventDefinition></intermediateCatchEvent>
        """
    }

    private static func flow(_ from: String, _ to: String) -> String {
        "<sequenceFlow id=\"\(from)-\(to)\" sourceRef=\"\(from)\" targetRef=\"\(to)\"/>"
    }

    @Test func tokensBeginAtNodesWithoutIncomingFlow() throws {
        let process = try imported("<task id=\"a\"/><task id=\"b\"/>\(Self.flow("b", "c"))<task id=\"c\"/>")
        #expect(process.nodes[0].implicitStarts.map { process.nodes[$0].id } == ["a", "b"])
        #expect(process.nodes[0].start == nil)
        #expect(process.noneStart == nil)
    }

    @Test func aStartEventAloneBeginsItsScope() throws {
        let found = findings(around("<task id=\"x\"/>") + "<task id=\"alone\"/>")
        #expect(codes(found) == ["BP302"])
        let process = try imported(around("<task id=\"x\"/>") + "<task id=\"alone\"/>")
        #expect(process.nodes[0].implicitStarts == [])
    }

    @Test func aStartByHandTakesTheFirstNoneStartEvent() throws {
        let content = "<startEvent id=\"a\"/><startEvent id=\"b\"/>"
        #expect(codes(findings(content)) == ["BP313"])
        #expect(try imported(content).noneStart == 1)
        #expect(codes(findings(around("<subProcess id=\"x\">\(content)</subProcess>"))) == ["BP326"])
    }

    // MARK: Event sub-processes

    @Test func anEventSubProcessBelongsToItsScope() throws {
        let process = try imported(
            around(
                """
                <subProcess id="x"><task id="t"/><subProcess id="e" triggeredByEvent="true">
                <startEvent id="s" isInterrupting="false"><timerEventDefinition><timeCycle>R3/PT1S</timeCycle></timerEventDefinition>
                </startEvent>\(Self.flow("s", "u"))<task id="u"/></subProcess></subProcess>
                """))
        let inner = try #require(process.node(id: "e"))
        #expect(inner.kind == .eventSubProcess)
        #expect(process.node(id: "x")?.eventSubProcesses == [inner.index])
        #expect(inner.start == process.node(id: "s")?.index)
        #expect(inner.implicitStarts == [])
        #expect(process.timerStarts == [])
    }

    @Test(arguments: [
        Case("no start event", eventSubProcess("<task id=\"u\"/>"), "BP301"),
        Case(
            "two start events",
            eventSubProcess(
                """
                <startEvent id="s"><errorEventDefinition/></startEvent>
                <startEvent id="r"><escalationEventDefinition/></startEvent>
                """), "BP326"),
        Case(
            "a flow into it",
            eventSubProcess("<startEvent id=\"s\"><errorEventDefinition/></startEvent>") + flow("x", "e"), "BP328"),
        Case(
            "two for one error",
            eventSubProcess("<startEvent id=\"s\"><errorEventDefinition/></startEvent>") + """
                <subProcess id="e2" triggeredByEvent="true"><startEvent id="s2"><errorEventDefinition/></startEvent></subProcess>
                """, "BP325"),
    ])
    func wrongEventSubProcesses(_ row: Case) { row.check() }

    private static func eventSubProcess(_ content: String) -> String {
        around("<task id=\"x\"/>") + "<subProcess id=\"e\" triggeredByEvent=\"true\">\(content)</subProcess>"
    }

    // MARK: Ad-hoc sub-processes

    @Test func whatCanBePerformedHasNoIncomingFlow() throws {
        let node = try importedNode(
            """
            <adHocSubProcess id="x" ordering="Sequential" cancelRemainingInstances="false"><extensionElements>
            <zeebe:adHoc activeElementsCollection="=chosen"/></extensionElements><completionCondition>=done</completionCondition>
            <task id="a"/>\(Self.flow("a", "b"))<task id="b"/><userTask id="c"/><task id="u" isForCompensation="true"/>
            </adHocSubProcess>
            """)
        #expect(node.kind == .adHocSubProcess)
        let adHoc = try #require(node.adHoc)
        #expect(adHoc.isSequential)
        #expect(!adHoc.cancelsRemainingInstances)
        #expect(adHoc.completionCondition?.source == "done")
        #expect(adHoc.activeElements?.source == "chosen")
        #expect(adHoc.activities == [node.index + 1, node.index + 3])
    }

    @Test func anAdHocSubProcessIsParallelAndCancelsUnlessTold() throws {
        let adHoc = try #require(importedNode("<adHocSubProcess id=\"x\"><task id=\"a\"/></adHocSubProcess>").adHoc)
        #expect(!adHoc.isSequential)
        #expect(adHoc.cancelsRemainingInstances)
        #expect(adHoc.completionCondition == nil)
        #expect(adHoc.activeElements == nil)
    }

    @Test(arguments: [
        Case(
            "start event", around("<adHocSubProcess id=\"x\"><startEvent id=\"s\"/><task id=\"a\"/></adHocSubProcess>"),
            "BP329"),
        Case("nothing to perform", around("<adHocSubProcess id=\"x\"><endEvent id=\"a\"/></adHocSubProcess>"), "BP312"),
        Case(
            "ordering", around("<adHocSubProcess id=\"x\" ordering=\"Random\"><task id=\"a\"/></adHocSubProcess>"),
            "BP109"),
        Case(
            "an event nothing leads to",
            around("<adHocSubProcess id=\"x\"><task id=\"a\"/>\(wait("w"))</adHocSubProcess>"), "BP302"),
        Case(
            "completion condition of a plain one",
            around("<subProcess id=\"x\"><completionCondition>a</completionCondition><task id=\"a\"/></subProcess>"),
            "BP501"),
    ])
    func wrongAdHocSubProcesses(_ row: Case) { row.check() }

    // MARK: Gateways

    @Test func gatewaysKeepTheirConditions() throws {
        let process = try imported(
            """
            <startEvent id="s"/>\(Self.flow("s", "i"))<inclusiveGateway id="i" default="d"/>
            <sequenceFlow id="c" sourceRef="i" targetRef="k"><conditionExpression>a</conditionExpression></sequenceFlow>
            <sequenceFlow id="d" sourceRef="i" targetRef="k"/>
            <complexGateway id="k"><activationCondition>activationCount &gt;= 1</activationCondition></complexGateway>
            """)
        let inclusive = try #require(process.node(id: "i"))
        #expect(inclusive.kind == .inclusiveGateway)
        #expect(inclusive.defaultFlow == inclusive.outgoing[1])
        #expect(process.flows[inclusive.outgoing[0]].condition?.source == "a")
        #expect(process.node(id: "k")?.kind == .complexGateway)
        #expect(process.node(id: "k")?.activationCondition?.source == "activationCount >= 1")
    }

    @Test(arguments: [
        ("", EventGatewayType.exclusive), ("instantiate=\"true\"", .instantiatingExclusive),
        ("instantiate=\"true\" eventGatewayType=\"Parallel\"", .instantiatingParallel),
        ("instantiate=\"false\" eventGatewayType=\"Exclusive\"", .exclusive),
    ])
    func anEventBasedGatewayWaitsForItsEvents(_ row: (attributes: String, type: EventGatewayType)) throws {
        let isFirst = row.type != .exclusive
        let process = try imported(
            (isFirst ? "" : "<startEvent id=\"s\"/>\(Self.flow("s", "x"))") + """
                <eventBasedGateway id="x" \(row.attributes)/>\(Self.flow("x", "m"))\(Self.flow("x", "r"))\(Self.flow("x", "t"))
                <intermediateCatchEvent id="m"><messageEventDefinition messageRef="a"/></intermediateCatchEvent>
                <receiveTask id="r" messageRef="b"/>\(Self.wait("t"))
                """, root: "<message id=\"a\" name=\"a\"/><message id=\"b\" name=\"b\"/>")
        let node = try #require(process.node(id: "x"))
        #expect(node.kind == .eventBasedGateway)
        #expect(node.eventGatewayType == row.type)
        #expect(process.messageStarts.map { process.nodes[$0].id } == (isFirst ? ["m", "r"] : []))
        #expect(process.timerStarts.map { process.nodes[$0].id } == (isFirst ? ["t"] : []))
        #expect(process.nodes[0].implicitStarts == [])
    }

    @Test(arguments: [
        Case("a task behind it", around("<eventBasedGateway id=\"x\"/>"), "BP331"),
        Case(
            "a link behind it",
            around("<eventBasedGateway id=\"x\"/>").replacing("targetRef=\"end\"", with: "targetRef=\"l\"")
                .replacing(
                    "<endEvent id=\"end\"/>",
                    with: "<intermediateCatchEvent id=\"l\"><linkEventDefinition name=\"l\"/></intermediateCatchEvent>"),
            "BP331", "BP216"),
        Case(
            "an unknown type",
            wait("w") + "<eventBasedGateway id=\"x\" instantiate=\"true\" eventGatewayType=\"Any\"/>\(flow("x", "w"))",
            "BP109"),
        Case(
            "parallel without instantiating",
            "<eventBasedGateway id=\"x\" eventGatewayType=\"Parallel\"/>\(flow("x", "w"))" + wait("w"), "BP503"),
        Case(
            "instantiating behind a start event",
            "<startEvent id=\"s\"/>\(flow("s", "x"))<eventBasedGateway id=\"x\" instantiate=\"true\"/>\(flow("x", "w"))"
                + wait("w"),
            "BP330"),
        Case(
            "instantiating in a sub-process",
            around(
                "<subProcess id=\"x\"><eventBasedGateway id=\"g\" instantiate=\"true\"/>\(flow("g", "w"))\(wait("w"))</subProcess>"
            ),
            "BP330"),
    ])
    func wrongGateways(_ row: Case) {
        let found = findings(row.content)
        #expect(Set(codes(found)) == Set(row.codes), "\(found)")
    }

    // MARK: Receive tasks that begin a process

    private static let message = "<message id=\"m\" name=\"order\"/>"

    @Test(arguments: ["", "<startEvent id=\"s\"/><sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"x\"/>"])
    func aReceiveTaskBeginsAProcess(before: String) throws {
        let process = try imported(
            before + "<receiveTask id=\"x\" instantiate=\"true\" messageRef=\"m\"/>", root: Self.message)
        let task = try #require(process.node(id: "x"))
        #expect(task.isInstantiating)
        #expect(task.event?.text == "message order by nothing")
        #expect(process.messageStarts == [task.index])
        #expect(process.nodes[0].implicitStarts == [])
        #expect((process.noneStart == nil) == before.isEmpty)
    }

    @Test func aReceiveTaskBehindATaskBeginsNothing() {
        let content =
            "<task id=\"t\"/>\(Self.flow("t", "x"))<receiveTask id=\"x\" instantiate=\"true\" messageRef=\"m\"/>"
        #expect(codes(findings(content, root: Self.message)) == ["BP302", "BP330"])
    }
}
