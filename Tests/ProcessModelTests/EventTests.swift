import Decisions
import ProcessModel
import Testing
import Values

/// Events: what they wait for, and in which positions they are executed.
@Suite struct EventTests {
    private static let root = """
        <message id="m" name="paid"><extensionElements><zeebe:subscription correlationKey="=order.id"/></extensionElements></message>
        <message id="dynamic" name="= &quot;paid-&quot; + region"><extensionElements><tool:x/>
        <zeebe:subscription correlationKey=" =order.id"/></extensionElements></message>
        <error id="e" errorCode="REFUSED"/>
        <timerEventDefinition id="shared"><timeDuration>PT1H</timeDuration></timerEventDefinition>
        """

    @Test(arguments: [
        ("<startEvent id=\"x\"/>", "none"),
        (
            "<startEvent id=\"x\"><timerEventDefinition><timeCycle>R3/PT10S</timeCycle></timerEventDefinition></startEvent>",
            "cycle R3/PT10S"
        ),
        (
            "<startEvent id=\"x\"><timerEventDefinition><timeDate>2026-01-31T12:00:00Z</timeDate></timerEventDefinition></startEvent>",
            "date 2026-01-31T12:00:00Z"
        ),
        ("<startEvent id=\"x\"><messageEventDefinition messageRef=\"m\"/></startEvent>", "message paid by nothing"),
        ("<startEvent id=\"x\"><eventDefinitionRef>shared</eventDefinitionRef></startEvent>", "duration PT1H"),
    ])
    func startEvents(_ row: (xml: String, event: String)) throws {
        let process = try imported(row.xml, root: Self.root)
        let node = try #require(process.node(id: "x"))
        #expect(node.event?.text == row.event)
        #expect(process.noneStart == (row.event == "none" ? node.index : nil))
        #expect(process.messageStarts == (row.event.hasPrefix("message") ? [node.index] : []))
        let isTimer = !row.event.hasPrefix("message") && row.event != "none"
        #expect(process.timerStarts == (isTimer ? [node.index] : []))
    }

    @Test(arguments: [
        ("<timerEventDefinition><timeDuration>PT5M</timeDuration></timerEventDefinition>", "duration PT5M"),
        (
            "<timerEventDefinition><timeDuration>= due - now()</timeDuration></timerEventDefinition>",
            "duration = due - now()"
        ),
        ("<messageEventDefinition messageRef=\"m\"/>", "message paid by order.id"),
        ("<messageEventDefinition messageRef=\"t:m\"/>", "message paid by order.id"),
        ("<messageEventDefinition><messageRef>m</messageRef></messageEventDefinition>", "message paid by order.id"),
        ("<messageEventDefinition messageRef=\"dynamic\"/>", "message = \"paid-\" + region by order.id"),
    ])
    func intermediateCatchEvents(_ row: (xml: String, event: String)) throws {
        let node = try importedNode(
            "<intermediateCatchEvent id=\"x\">\(row.xml)</intermediateCatchEvent>", root: Self.root)
        #expect(node.event?.text == row.event)
    }

    @Test(arguments: [
        ("", "none"),
        ("<terminateEventDefinition/>", "terminate"),
        ("<errorEventDefinition errorRef=\"e\"/>", "error REFUSED"),
    ])
    func endEvents(_ row: (xml: String, event: String)) throws {
        let process = try imported(
            """
            <startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/>
            <endEvent id="x">\(row.xml)</endEvent>
            """, root: Self.root)
        #expect(process.node(id: "x")?.event?.text == row.event)
    }

    @Test(arguments: [
        ("<errorEventDefinition errorRef=\"e\"/>", "", "error REFUSED", true),
        ("<errorEventDefinition/>", "", "error *", true),
        ("<messageEventDefinition messageRef=\"m\"/>", "cancelActivity=\"true\"", "message paid by order.id", true),
        ("<messageEventDefinition messageRef=\"m\"/>", "cancelActivity=\"0\"", "message paid by order.id", false),
        (
            "<timerEventDefinition><timeCycle>R/PT1H</timeCycle></timerEventDefinition>", "cancelActivity=\"false\"",
            "cycle R/PT1H", false
        ),
    ])
    func boundaryEvents(_ row: (xml: String, attributes: String, event: String, isInterrupting: Bool)) throws {
        let process = try imported(
            around(serviceTask())
                + "<boundaryEvent id=\"b\" attachedToRef=\"x\" \(row.attributes)>\(row.xml)</boundaryEvent>",
            root: Self.root)
        let task = try #require(process.node(id: "x"))
        let event = try #require(process.node(id: "b"))
        #expect(event.event?.text == row.event)
        #expect(event.isInterrupting == row.isInterrupting)
        #expect(event.attachedTo == task.index)
        #expect(task.boundaryEvents == [event.index])
    }

    @Test func aReceiveTaskWaitsForItsMessage() throws {
        let node = try importedNode("<receiveTask id=\"x\" messageRef=\"m\"/>", root: Self.root)
        #expect(node.kind == .receiveTask)
        #expect(node.event?.text == "message paid by order.id")
    }

    @Test func aCatchEventMapsWhatItReceives() throws {
        let node = try importedNode(
            """
            <intermediateCatchEvent id="x"><extensionElements><zeebe:ioMapping>
              <zeebe:output source="=amount" target="paid.amount"/></zeebe:ioMapping></extensionElements>
              <messageEventDefinition messageRef="m"/></intermediateCatchEvent>
            """, root: Self.root)
        #expect(node.outputs.map(\.text) == ["paid.amount ← =amount"])
    }

    @Test func aSubProcessStartsOnlyWithANoneStartEvent() {
        let found = findings(
            around(
                """
                <subProcess id="x"><startEvent id="s"><timerEventDefinition><timeDuration>PT1S</timeDuration>
                </timerEventDefinition></startEvent></subProcess>
                """))
        #expect(codes(found) == ["BP502"])
    }

    @Test(arguments: [
        ("", "BP316"),
        ("<timeDate>2026-01-01T00:00:00Z</timeDate><timeDuration>PT1S</timeDuration>", "BP316"),
        ("<timeDuration></timeDuration>", "BP404"),
        ("<timeDuration>5 minutes</timeDuration>", "BP402"),
        ("<timeDuration>-PT5M</timeDuration>", "BP402"),
        ("<timeDate>tomorrow</timeDate>", "BP402"),
        ("<timeCycle>0 0 * * *</timeCycle>", "BP402"),
        ("<timeDuration>${wait}</timeDuration>", "BP604"),
        ("<timeDuration>=1 +</timeDuration>", "BP401"),
        ("<timeDuration language=\"XPath\">PT1S</timeDuration>", "BP504"),
        ("<timeCycle>R3/PT1S</timeCycle>", "BP322"),
    ])
    func wrongTimersAreFound(_ row: (xml: String, code: String)) {
        let event = """
            <intermediateCatchEvent id="x"><timerEventDefinition>\(row.xml)</timerEventDefinition></intermediateCatchEvent>
            """
        #expect(codes(findings(around(event))) == [row.code])
    }

    @Test(arguments: [
        ("<message id=\"m\" name=\"paid\"/>", "BP308"),
        (
            "<message id=\"m\" name=\"paid\"><extensionElements><zeebe:subscription/></extensionElements></message>",
            "BP308"
        ),
        ("<message id=\"m\"/>", "BP308"),
        ("<message id=\"m\" name=\"${name}\"/>", "BP604"),
        ("<message id=\"other\" name=\"paid\"/>", "BP206"),
        ("<error id=\"m\"/>", "BP206"),
        (
            "<message id=\"m\" name=\"n\"><extensionElements><zeebe:subscription correlationKey=\"key\"/></extensionElements></message>",
            "BP403"
        ),
        (
            "<message id=\"m\" name=\"n\"><extensionElements><zeebe:subscription correlationKey=\"=a +\"/></extensionElements></message>",
            "BP401"
        ),
    ])
    func wrongMessagesAreFound(_ row: (root: String, code: String)) {
        #expect(codes(findings(around("<receiveTask id=\"x\" messageRef=\"m\"/>"), root: row.root)) == [row.code])
    }

    @Test(arguments: [
        ("errorRef=\"missing\"", "", "BP205"),
        ("errorRef=\"e\"", "<error id=\"e\"/>", "BP209"),
        ("errorRef=\"e\"", "<error id=\"e\" errorCode=\"=code\"/>", "BP502"),
        ("errorRef=\"e\" camunda:errorCodeVariable=\"c\"", "<error id=\"e\" errorCode=\"E\"/>", "BP601"),
    ])
    func wrongErrorsAreFound(_ row: (attributes: String, root: String, code: String)) {
        let event =
            "<boundaryEvent id=\"b\" attachedToRef=\"x\"><errorEventDefinition \(row.attributes)/></boundaryEvent>"
        #expect(codes(findings(around(serviceTask()) + event, root: row.root)) == [row.code])
    }

    @Test func anErrorEndEventNeedsItsError() {
        let end = """
            <startEvent id="s"/><sequenceFlow id="f" sourceRef="s" targetRef="x"/>
            <endEvent id="x"><errorEventDefinition/></endEvent>
            """
        #expect(codes(findings(end)) == ["BP205"])
    }

    @Test func aReferenceToNoEventDefinitionIsFound() {
        let event =
            "<intermediateCatchEvent id=\"x\"><eventDefinitionRef>no</eventDefinitionRef></intermediateCatchEvent>"
        #expect(codes(findings(around(event))) == ["BP210"])
    }

    @Test func inputMappingsOnEventsAreRefused() {
        let event = """
            <startEvent id="s"><extensionElements><zeebe:ioMapping><zeebe:input source="=a" target="b"/></zeebe:ioMapping>
            </extensionElements></startEvent>
            """
        #expect(codes(findings(event)) == ["BP610"])
    }
}
