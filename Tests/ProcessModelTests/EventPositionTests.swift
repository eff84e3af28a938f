import ProcessModel
import Testing
import Values

/// Every event definition in every position: executed where BPMN 2.0.2 allows it, refused elsewhere.
@Suite struct EventPositionTests {
    private static let root = """
        <message id="m" name="paid"/><signal id="s" name="stop"/><error id="e" errorCode="E"/>
        <escalation id="c" escalationCode="C"/>
        """

    /// The definitions by their BPMN name: how they are written, and what is read.
    private static let definitions: [(name: String, xml: String, event: String)] = [
        ("message", "<messageEventDefinition messageRef=\"m\"/>", "message paid by nothing"),
        ("timer", "<timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>", "duration PT1S"),
        ("error", "<errorEventDefinition errorRef=\"e\"/>", "error E"),
        ("escalation", "<escalationEventDefinition escalationRef=\"c\"/>", "escalation C"),
        ("cancel", "<cancelEventDefinition/>", "cancel"),
        ("compensation", "<compensateEventDefinition/>", "compensation *"),
        (
            "conditional", "<conditionalEventDefinition><condition>a > 1</condition></conditionalEventDefinition>",
            "conditional a > 1"
        ),
        ("link", "<linkEventDefinition name=\"l\"/>", "link l"),
        ("signal", "<signalEventDefinition signalRef=\"s\"/>", "signal stop"),
        ("terminate", "<terminateEventDefinition/>", "terminate"),
    ]

    /// A position: the definitions it allows, and a process body around an event `x` there.
    struct Position: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let allowed: Set<String>
        let body: @Sendable (_ definition: String) -> String
    }

    static let positions = [
        Position(
            testDescription: "start", allowed: ["message", "timer", "conditional", "signal"],
            body: { "<startEvent id=\"x\">\($0)</startEvent>" }),
        Position(
            testDescription: "sub-process start", allowed: [],
            body: { around("<subProcess id=\"sub\"><startEvent id=\"x\">\($0)</startEvent></subProcess>", id: "sub") }),
        Position(
            testDescription: "event sub-process start",
            allowed: ["message", "timer", "error", "escalation", "compensation", "conditional", "signal"],
            body: {
                around("<task id=\"t\"/>", id: "t") + """
                    <subProcess id="sub" triggeredByEvent="true"><startEvent id="x">\($0)</startEvent></subProcess>
                    """
            }),
        Position(
            testDescription: "catch", allowed: ["message", "timer", "conditional", "link", "signal"],
            body: {
                // A link begins a path of its own.
                $0.contains("link")
                    ? around("<intermediateThrowEvent id=\"l\">\($0)</intermediateThrowEvent>", id: "l")
                        .replacing("sourceRef=\"l\"", with: "sourceRef=\"x\"")
                        + "<intermediateCatchEvent id=\"x\">\($0)</intermediateCatchEvent>"
                    : around("<intermediateCatchEvent id=\"x\">\($0)</intermediateCatchEvent>")
            }),
        Position(
            testDescription: "throw", allowed: ["message", "escalation", "link", "compensation", "signal"],
            body: {
                $0.contains("link")
                    ? around("<intermediateThrowEvent id=\"x\">\($0)</intermediateThrowEvent>")
                        .replacing("sourceRef=\"x\"", with: "sourceRef=\"l\"")
                        + "<intermediateCatchEvent id=\"l\">\($0)</intermediateCatchEvent>"
                    : around("<intermediateThrowEvent id=\"x\">\($0)</intermediateThrowEvent>")
            }),
        Position(
            testDescription: "boundary",
            allowed: [
                "message", "timer", "error", "escalation", "cancel", "compensation", "conditional", "signal",
            ],
            body: {
                around("<transaction id=\"t\"><startEvent id=\"in\"/></transaction>", id: "t") + """
                    <boundaryEvent id="x" attachedToRef="t">\($0)</boundaryEvent><task id="h" isForCompensation="true"/>
                    <association sourceRef="x" targetRef="h"/>
                    """
            }),
        Position(
            testDescription: "end",
            allowed: ["message", "error", "escalation", "cancel", "compensation", "signal", "terminate"],
            body: {
                around(
                    """
                    <transaction id="t"><startEvent id="in"/><sequenceFlow id="g" sourceRef="in" targetRef="x"/>
                    <endEvent id="x">\($0)</endEvent></transaction>
                    """, id: "t")
            }),
    ]

    @Test(arguments: positions)
    func definitionsAreExecutedWhereTheStandardAllowsThem(position: Position) {
        for definition in Self.definitions {
            let result = importOnly(document(position.body(definition.xml), root: Self.root), file: nil)
            let errors = result.diagnostics.filter { $0.severity == .error }
            if position.allowed.contains(definition.name) {
                #expect(errors == [], "\(definition.name)")
                let event = result.processes.first?.node(id: "x")?.event
                #expect(event?.text == definition.event)
            } else {
                #expect(errors.map(\.code).contains("BP502"), "\(definition.name): \(errors)")
                #expect(result.processes.isEmpty)
            }
        }
    }

    @Test(arguments: [
        ("start", true), ("sub-process start", true), ("throw", true), ("end", true),
        ("event sub-process start", false),
        ("catch", false), ("boundary", false),
    ])
    func onlyEventsThatWaitNeedADefinition(_ row: (position: String, isExecuted: Bool)) throws {
        let position = try #require(Self.positions.first { $0.testDescription == row.position })
        let result = importOnly(document(position.body("")), file: nil)
        #expect(codes(result.diagnostics) == (row.isExecuted ? [] : ["BP502"]))
        if row.isExecuted { #expect(result.processes.first?.node(id: "x")?.event?.text == "none") }
    }

    @Test(arguments: ["<eventDefinition/>", "<timerEventDefinition/><eventDefinition/>"])
    func aGenericDefinitionIsRefused(xml: String) {
        #expect(codes(findings("<startEvent id=\"x\">\(xml)</startEvent>")).contains("BP502"))
    }

    // MARK: Interrupting

    @Test(arguments: [
        ("message", "false", false), ("signal", "false", false), ("timer", "0", false), ("escalation", "false", false),
        ("conditional", "false", false), ("message", "true", true), ("compensation", "false", true),
    ])
    func eventsMayLetTheirScopeGoOn(_ row: (definition: String, value: String, isInterrupting: Bool)) throws {
        let xml = try #require(Self.definitions.first { $0.name == row.definition }).xml
        let inner = Self.positions[2].body(xml).replacing("id=\"x\"", with: "id=\"x\" isInterrupting=\"\(row.value)\"")
        #expect(try imported(inner, root: Self.root).node(id: "x")?.isInterrupting == row.isInterrupting)
        let boundary = Self.positions[5].body(xml)
            .replacing("id=\"x\" att", with: "id=\"x\" cancelActivity=\"\(row.value)\" att")
        #expect(try imported(boundary, root: Self.root).node(id: "x")?.isInterrupting == row.isInterrupting)
    }

    @Test(arguments: [(2, "error"), (5, "error"), (5, "cancel")])
    func errorsAndCancellationsAlwaysInterrupt(_ row: (position: Int, definition: String)) throws {
        let xml = try #require(Self.definitions.first { $0.name == row.definition }).xml
        let body = Self.positions[row.position].body(xml)
            .replacing("id=\"x\"", with: "id=\"x\" cancelActivity=\"false\" isInterrupting=\"false\"")
        #expect(codes(findings(body, root: Self.root)).contains("BP309"))
    }

    // MARK: Several definitions

    @Test func anEventWithSeveralDefinitionsHasATriggerForEach() throws {
        let process = try imported(
            """
            <startEvent id="x" parallelMultiple="true"><messageEventDefinition id="own" messageRef="m"/>
              <eventDefinitionRef>shared</eventDefinitionRef><signalEventDefinition signalRef="s"/></startEvent>
            """,
            root: Self.root + "<timerEventDefinition id=\"shared\"><timeCycle>R/PT1H</timeCycle></timerEventDefinition>"
        )
        let event = try #require(process.node(id: "x"))
        #expect(event.event?.text == "parallel multiple")
        let triggers = event.triggers.map { process.nodes[$0] }
        #expect(triggers.map(\.id) == ["own", "x#2", "x#3"])
        #expect(triggers.compactMap(\.event?.text) == ["message paid by nothing", "cycle R/PT1H", "signal stop"])
        #expect(triggers.allSatisfy { $0.kind == .eventTrigger && $0.triggerOf == event.index && $0.scope == 0 })
        #expect(process.messageStarts == [event.triggers[0]])
        #expect(process.timerStarts == [event.triggers[1]])
        #expect(process.signalStarts == [event.triggers[2]])
        #expect(process.noneStart == nil)
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6])
    func severalDefinitionsAreAllowedWhereOneIs(position: Int) throws {
        let place = Self.positions[position]
        let allowed = Self.definitions.filter { place.allowed.contains($0.name) && $0.name != "link" }
        let xml = allowed.prefix(2).map(\.xml).joined()
        guard allowed.count > 1 else {
            #expect(
                codes(findings(place.body(Self.definitions[0].xml + Self.definitions[1].xml), root: Self.root)) == [
                    "BP502", "BP502",
                ])
            return
        }
        let process = try imported(place.body(xml), root: Self.root)
        let event = try #require(process.node(id: "x"))
        #expect(event.event?.text == "multiple")
        #expect(event.triggers.compactMap { process.nodes[$0].event?.text } == allowed.prefix(2).map(\.event))
    }

    @Test func triggersInterruptLikeTheirEvent() throws {
        let body = Self.positions[5].body(Self.definitions[0].xml + Self.definitions[1].xml)
            .replacing("id=\"x\" att", with: "id=\"x\" cancelActivity=\"false\" att")
        let process = try imported(body, root: Self.root)
        let event = try #require(process.node(id: "x"))
        #expect(event.triggers.allSatisfy { !process.nodes[$0].isInterrupting })
    }

    @Test func aLinkIsTheOnlyDefinitionOfItsEvent() {
        let body = around(
            """
            <intermediateThrowEvent id="x"><linkEventDefinition name="l"/><signalEventDefinition signalRef="s"/>
            </intermediateThrowEvent>
            """)
        #expect(codes(findings(body, root: Self.root)) == ["BP502"])
    }

    // MARK: References

    @Test(arguments: [
        ("<signalEventDefinition/>", "", "BP214"),
        ("<signalEventDefinition signalRef=\"no\"/>", "", "BP214"),
        ("<escalationEventDefinition/>", "", "BP212"),
        ("<escalationEventDefinition escalationRef=\"no\"/>", "", "BP212"),
        ("<escalationEventDefinition escalationRef=\"k\"/>", "<escalation id=\"k\"/>", "BP213"),
        ("<escalationEventDefinition escalationRef=\"k\"/>", "<escalation id=\"k\" escalationCode=\"=c\"/>", "BP502"),
        ("<compensateEventDefinition activityRef=\"start\"/>", "", "BP215"),
        ("<compensateEventDefinition activityRef=\"no\"/>", "", "BP215"),
        ("<linkEventDefinition/>", "", "BP216"),
        ("<linkEventDefinition name=\"nowhere\"/>", "", "BP216"),
        ("<messageEventDefinition/>", "", "BP206"),
    ])
    func wrongThrowsAreFound(_ row: (xml: String, root: String, code: String)) {
        let found = findings(
            around("<intermediateThrowEvent id=\"x\">\(row.xml)</intermediateThrowEvent>"), root: row.root)
        #expect(codes(found) == [row.code])
    }

    @Test(arguments: [
        ("<conditionalEventDefinition/>", "BP404"),
        ("<conditionalEventDefinition><condition></condition></conditionalEventDefinition>", "BP404"),
        ("<conditionalEventDefinition><condition>a &gt;</condition></conditionalEventDefinition>", "BP401"),
        ("<linkEventDefinition name=\"nowhere\"/>", "BP216"),
    ])
    func wrongWaitsAreFound(_ row: (xml: String, code: String)) {
        let found = findings(around("<intermediateCatchEvent id=\"x\">\(row.xml)</intermediateCatchEvent>"))
        #expect(codes(found) == [row.code])
    }

    @Test func boundaryEventsWithoutReferenceCatchAll() throws {
        let process = try imported(
            around(serviceTask()) + """
                <boundaryEvent id="a" attachedToRef="x"><escalationEventDefinition/></boundaryEvent>
                <boundaryEvent id="b" attachedToRef="x"><errorEventDefinition/></boundaryEvent>
                """)
        #expect(process.node(id: "a")?.event?.text == "escalation *")
        #expect(process.node(id: "b")?.event?.text == "error *")
    }

    @Test(arguments: [("=\"st\" + \"op\"", "signal stop"), ("stop", "signal stop"), ("", "signal s")])
    func theSignalOfAStartIsFixed(_ row: (name: String, event: String)) throws {
        let root = "<signal id=\"s\" name=\"\(row.name.replacing("\"", with: "&quot;"))\"/>"
        let start = "<startEvent id=\"x\"><signalEventDefinition signalRef=\"s\"/></startEvent>"
        let process = try imported(start, root: root)
        #expect(process.node(id: "x")?.event?.text == row.event)
        #expect(process.signalStarts == [1])
        #expect(codes(findings(start, root: "<signal id=\"s\" name=\"=region\"/>")) == ["BP401"])
    }

    @Test func conditionsStartProcesses() throws {
        let process = try imported(
            """
            <startEvent id="x"><conditionalEventDefinition><condition>=level &gt; 3</condition></conditionalEventDefinition>
            </startEvent>
            """)
        #expect(process.conditionalStarts == [1])
        #expect(process.noneStart == nil)
    }

    @Test(arguments: ["subProcess", "adHocSubProcess"])
    func aCancelNeedsATransaction(element: String) {
        let end =
            "<task id=\"i\"/><sequenceFlow id=\"g\" sourceRef=\"i\" targetRef=\"c\"/>"
            + "<endEvent id=\"c\"><cancelEventDefinition/></endEvent>"
        #expect(codes(findings(around("<\(element) id=\"x\">\(end)</\(element)>"))) == ["BP502"])
        let boundary = "<boundaryEvent id=\"b\" attachedToRef=\"x\"><cancelEventDefinition/></boundaryEvent>"
        #expect(codes(findings(around("<\(element) id=\"x\"><task id=\"t\"/></\(element)>") + boundary)) == ["BP502"])
    }

    @Test func aCancelMayComeFromInsideASubProcessOfTheTransaction() throws {
        let process = try imported(
            around(
                """
                <transaction id="x"><subProcess id="sub"><startEvent id="s"/><endEvent id="c"><cancelEventDefinition/></endEvent>
                <sequenceFlow id="g" sourceRef="s" targetRef="c"/></subProcess></transaction>
                """))
        #expect(process.node(id: "c")?.event?.text == "cancel")
        #expect(process.node(id: "x")?.kind == .transaction)
    }
}
