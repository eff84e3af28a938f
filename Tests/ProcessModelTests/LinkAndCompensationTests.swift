import ProcessModel
import Testing
import Values

/// What flows do not connect: links and compensation.
@Suite struct LinkAndCompensationTests {
    private static func thrown(_ id: String, _ name: String) -> String {
        "<intermediateThrowEvent id=\"\(id)\"><linkEventDefinition name=\"\(name)\"/></intermediateThrowEvent>"
    }

    private static func caught(_ id: String, _ name: String) -> String {
        "<intermediateCatchEvent id=\"\(id)\"><linkEventDefinition name=\"\(name)\"/></intermediateCatchEvent>"
    }

    /// A split whose branches end in two throws; what catches them leads to the end.
    private static func links(_ events: String) -> String {
        """
        <startEvent id="s"/><sequenceFlow id="f1" sourceRef="s" targetRef="g"/><parallelGateway id="g"/>
        <sequenceFlow id="f2" sourceRef="g" targetRef="a"/><sequenceFlow id="f3" sourceRef="g" targetRef="b"/>
        \(thrown("a", "go"))\(thrown("b", "go"))\(events)<sequenceFlow id="f4" sourceRef="c" targetRef="e"/>
        <endEvent id="e"/>
        """
    }

    @Test func aFlowLeadsFromEachThrownLinkToItsCatch() throws {
        let process = try imported(Self.links(Self.caught("c", "go")))
        let caught = try #require(process.node(id: "c"))
        let flows = caught.incoming.map { process.flows[$0] }
        #expect(flows.map(\.id) == ["link:go:a", "link:go:b"])
        #expect(flows.map { process.nodes[$0.source].id } == ["a", "b"])
        #expect(process.node(id: "a")?.outgoing == [flows[0].index])
        #expect(process.flows.indices.allSatisfy { process.flows[$0].index == $0 })
    }

    @Test(arguments: [
        Case("another name", links(caught("c", "stop")), "BP216", "BP216", "BP216"),
        Case("two that catch", links(caught("c", "go") + caught("d", "go")), "BP302", "BP216"),
        Case(
            "in another scope",
            links(caught("c", "stay") + thrown("t", "stay"))
                + "<subProcess id=\"sub\">\(caught("i", "go"))</subProcess>", "BP216", "BP216", "BP302", "BP302"),
    ])
    func aLinkNeedsOnePartner(_ row: Case) {
        let found = codes(findings(row.content))
        #expect(found.contains("BP216"), "\(found)")
    }

    // MARK: Compensation

    private static let undone = """
        <boundaryEvent id="b" attachedToRef="x"><compensateEventDefinition/></boundaryEvent>
        <task id="undo" isForCompensation="true"/>
        """

    @Test(arguments: [
        "<association sourceRef=\"b\" targetRef=\"undo\"/>", "<association sourceRef=\"undo\" targetRef=\"b\"/>",
        "<association sourceRef=\"b\" targetRef=\"undo\"/><textAnnotation id=\"n\"/><association sourceRef=\"b\" targetRef=\"n\"/>",
    ])
    func anAssociationLeadsToTheHandler(association: String) throws {
        let process = try imported(around("<task id=\"x\"/>") + Self.undone + association)
        let handler = try #require(process.node(id: "undo"))
        #expect(process.node(id: "x")?.compensationHandler == handler.index)
        #expect(handler.isForCompensation)
        #expect(process.nodes[0].implicitStarts == [])
        #expect(process.node(id: "b")?.attachedTo == process.node(id: "x")?.index)
    }

    @Test(arguments: [
        Case("no association", around("<task id=\"x\"/>") + undone, "BP217"),
        Case(
            "to an activity of the flow",
            around("<task id=\"x\"/>") + undone + "<association sourceRef=\"b\" targetRef=\"x\"/>", "BP217"),
        Case(
            "to two activities",
            around("<task id=\"x\"/>") + undone
                + """
                <task id="more" isForCompensation="true"/><association sourceRef="b" targetRef="undo"/>
                <association sourceRef="b" targetRef="more"/>
                """, "BP217"),
        Case(
            "two events",
            around("<task id=\"x\"/>") + undone
                + """
                <boundaryEvent id="c" attachedToRef="x"><compensateEventDefinition/></boundaryEvent>
                <task id="more" isForCompensation="true"/><association sourceRef="b" targetRef="undo"/>
                <association sourceRef="c" targetRef="more"/>
                """, "BP325"),
    ])
    func aHandlerIsOneActivityForCompensation(_ row: Case) { row.check() }

    @Test func aThrowNamesWhatItUndoes() throws {
        let process = try imported(
            around(
                """
                <subProcess id="x"><startEvent id="i"/><sequenceFlow id="g" sourceRef="i" targetRef="t"/><task id="t"/>
                <sequenceFlow id="h" sourceRef="t" targetRef="u"/>
                <endEvent id="u"><compensateEventDefinition activityRef="q:t" waitForCompletion="false"/></endEvent></subProcess>
                """))
        let task = try #require(process.node(id: "t"))
        #expect(process.node(id: "u")?.event?.text == "compensation \(task.index) without waiting")
    }

    @Test func aHandlerIsNoStartOfAScopeWithoutStartEvent() throws {
        let process = try imported(
            """
            <task id="x"/>\(Self.undone)<association sourceRef="b" targetRef="undo"/>
            <subProcess id="e" triggeredByEvent="true"><startEvent id="s"><errorEventDefinition/></startEvent></subProcess>
            \(Self.caught("l", "go"))<sequenceFlow id="f" sourceRef="x" targetRef="k"/>\(Self.thrown("k", "go"))
            """)
        #expect(process.nodes[0].implicitStarts.map { process.nodes[$0].id } == ["x"])
        #expect(process.nodes[0].eventSubProcesses.map { process.nodes[$0].id } == ["e"])
    }
}
