import ProcessModel
import Testing
import Values

/// One model, what is written into it, and the codes of the errors and warnings that must be found.
struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let content: String
    var root = ""
    var process = ""
    let codes: [String]

    init(_ name: String, _ content: String, root: String = "", process: String = "", _ codes: String...) {
        self.name = name
        self.content = content
        self.root = root
        self.process = process
        self.codes = codes
    }

    var testDescription: String { name }

    func check() {
        let found = findings(content, root: root, process: process)
        #expect(ProcessModelTests.codes(found) == codes, "\(found)")
        #expect(found.allSatisfy { $0.line != nil && $0.remedy?.isEmpty == false })
    }
}

/// Models that are wrong, one row per rule.
@Suite struct DiagnosticTests {
    @Test(arguments: [
        Case("duplicate id", around("<task id=\"x\"/>"), root: "<message id=\"x\"/>", "BP201"),
        Case("missing id", "<startEvent/>", "BP202"),
        Case("empty id", "<startEvent id=\"\"/>", "BP202"),
        Case("missing source", around("<task id=\"x\"/>") + "<sequenceFlow id=\"d\" targetRef=\"x\"/>", "BP203"),
        Case(
            "dangling target", around("<task id=\"x\"/>") + "<sequenceFlow id=\"d\" sourceRef=\"x\" targetRef=\"no\"/>",
            "BP203"),
        Case(
            "flow to a note",
            around("<task id=\"x\"/>") + "<textAnnotation id=\"n\"/>"
                + "<sequenceFlow id=\"d\" sourceRef=\"x\" targetRef=\"n\"/>", "BP203"),
        Case("flow of another node", around("<task id=\"x\"><outgoing>f1</outgoing></task>"), "BP204"),
        Case("no such flow", around("<task id=\"x\"><incoming>nope</incoming></task>"), "BP204"),
        Case(
            "boundary at nothing",
            around("<task id=\"x\"/>")
                + "<boundaryEvent id=\"b\"><errorEventDefinition/></boundaryEvent>", "BP207"),
        Case(
            "boundary at a stranger",
            around("<task id=\"x\"/>")
                + "<boundaryEvent id=\"b\" attachedToRef=\"no\"><errorEventDefinition/></boundaryEvent>", "BP207"),
        Case(
            "boundary at an inner task",
            around(
                "<subProcess id=\"x\"><startEvent id=\"in\"/><task id=\"t\"/><sequenceFlow id=\"g\" sourceRef=\"in\" targetRef=\"t\"/></subProcess>"
            )
                + "<boundaryEvent id=\"b\" attachedToRef=\"t\"><errorEventDefinition/></boundaryEvent>", "BP207"),
        Case("default of another node", around("<exclusiveGateway id=\"x\" default=\"f1\"/>"), "BP208"),
        Case("no called process", around("<callActivity id=\"x\"/>"), "BP211"),
        Case(
            "called message", around("<callActivity id=\"x\" calledElement=\"g\"/>"), root: "<message id=\"g\"/>",
            "BP501"),
    ])
    func wrongReferences(_ row: Case) { row.check() }

    @Test(arguments: [
        Case("no start", ring("r"), "BP301"),
        Case("no start in a sub-process", around("<subProcess id=\"x\">\(ring("r"))</subProcess>"), "BP301"),
        Case("unreachable", around("<task id=\"x\"/>") + "<task id=\"alone\"/>", "BP302"),
        Case(
            "flow out of a sub-process",
            around(
                "<subProcess id=\"x\"><startEvent id=\"in\"/><sequenceFlow id=\"g\" sourceRef=\"in\" targetRef=\"end\"/></subProcess>"
            ),
            "BP303"),
        Case(
            "flow into a start event",
            around("<task id=\"x\"/>")
                + "<sequenceFlow id=\"d\" sourceRef=\"x\" targetRef=\"start\"/>", "BP304"),
        Case(
            "flow out of an end event",
            around("<task id=\"x\"/>")
                + "<sequenceFlow id=\"d\" sourceRef=\"end\" targetRef=\"x\"/>", "BP305"),
        Case(
            "flow into a boundary event",
            around(serviceTask())
                + "<boundaryEvent id=\"b\" attachedToRef=\"x\"><errorEventDefinition/></boundaryEvent>"
                + "<sequenceFlow id=\"d\" sourceRef=\"x\" targetRef=\"b\"/>", "BP307"),
        Case(
            "error boundary that does not interrupt",
            around(serviceTask())
                + "<boundaryEvent id=\"b\" attachedToRef=\"x\" cancelActivity=\"false\"><errorEventDefinition/></boundaryEvent>",
            "BP309"),
        Case("empty process", "<documentation/>", "BP312"),
        Case("empty sub-process", around("<subProcess id=\"x\"/>"), "BP312"),
        Case("two none start events", "<startEvent id=\"a\"/><startEvent id=\"b\"/>", "BP313"),
        Case(
            "boundary at a gateway",
            around("<parallelGateway id=\"x\"/>")
                + "<boundaryEvent id=\"b\" attachedToRef=\"x\"><errorEventDefinition/></boundaryEvent>", "BP314"),
        Case(
            "two boundary events for one error",
            around(serviceTask())
                + "<boundaryEvent id=\"b\" attachedToRef=\"x\"><errorEventDefinition/></boundaryEvent>"
                + "<boundaryEvent id=\"c\" attachedToRef=\"x\"><errorEventDefinition/></boundaryEvent>", "BP325"),
        Case(
            "two start events for one message",
            "<startEvent id=\"a\"><messageEventDefinition messageRef=\"m\"/></startEvent>"
                + "<startEvent id=\"b\"><messageEventDefinition messageRef=\"m\"/></startEvent>",
            root: "<message id=\"m\" name=\"n\"/>", "BP325"),
        Case(
            "events that differ",
            "<startEvent id=\"a\"><messageEventDefinition messageRef=\"m\"/></startEvent>"
                + "<startEvent id=\"b\"><messageEventDefinition messageRef=\"m2\"/></startEvent>"
                + "<startEvent id=\"c\"><messageEventDefinition messageRef=\"m3\"/></startEvent>"
                + "<startEvent id=\"d\"><messageEventDefinition messageRef=\"m3\"/></startEvent><startEvent id=\"e\"/>",
            root: "<message id=\"m\" name=\"n\"/><message id=\"m2\" name=\"n2\"/><message id=\"m3\" name=\"=n\"/>"),
        Case("service task without job", around("<serviceTask id=\"x\"/>"), "BP319"),
        Case("business rule task without job", around("<businessRuleTask id=\"x\"/>"), "BP319"),
        Case("script task without script", around("<scriptTask id=\"x\"/>"), "BP324"),
        Case(
            "bad boolean", around("<receiveTask id=\"x\" instantiate=\"maybe\" messageRef=\"m\"/>"),
            root:
                "<message id=\"m\" name=\"n\"><extensionElements><zeebe:subscription correlationKey=\"=k\"/></extensionElements></message>",
            "BP109"),
    ])
    func wrongStructure(_ row: Case) { row.check() }

    /// Two tasks that lead to each other.
    private static func ring(_ id: String) -> String {
        """
        <task id="\(id)1"/><sequenceFlow id="\(id)2" sourceRef="\(id)1" targetRef="\(id)3"/>
        <task id="\(id)3"/><sequenceFlow id="\(id)4" sourceRef="\(id)3" targetRef="\(id)1"/>
        """
    }

    /// Two flows out of `x`, with these attributes and conditions.
    private static func split(_ node: String, _ first: String, _ second: String) -> String {
        """
        <startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="x"/>\(node)<endEvent id="a"/><endEvent id="b"/>
        <sequenceFlow id="f1" sourceRef="x" targetRef="a">\(first)</sequenceFlow>
        <sequenceFlow id="f2" sourceRef="x" targetRef="b">\(second)</sequenceFlow>
        """
    }

    private static func wait(_ id: String) -> String {
        """
        <intermediateCatchEvent id="\(id)"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>
        </intermediateCatchEvent>
        """
    }

    private static func condition(_ source: String, _ attributes: String = "") -> String {
        "<conditionExpression \(attributes)>\(source)</conditionExpression>"
    }

    @Test(arguments: [
        Case("no default", split("<exclusiveGateway id=\"x\"/>", condition("a"), condition("b")), "BP306"),
        Case("no condition", split("<exclusiveGateway id=\"x\"/>", condition("a"), ""), "BP320"),
        Case("default beside a condition", split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition("a"), "")),
        Case(
            "condition on the default",
            split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition("a"), condition("b")),
            "BP321"),
        Case("conditions on a task", split("<task id=\"x\"/>", condition("a"), condition("b")), "BP306"),
        Case("one condition on a task", split("<task id=\"x\"/>", condition("a"), "")),
        Case("conditions and a default on a task", split("<task id=\"x\" default=\"f2\"/>", condition("a"), "")),
        Case("condition after a parallel gateway", split("<parallelGateway id=\"x\"/>", condition("a"), ""), "BP327"),
        Case(
            "condition after an event-based gateway",
            split("<eventBasedGateway id=\"x\"/>", condition("a"), "")
                .replacing("<endEvent id=\"a\"/>", with: wait("a")).replacing("<endEvent id=\"b\"/>", with: wait("b")),
            "BP315"),
        Case(
            "condition after an event",
            split("<startEvent id=\"x2\"/><task id=\"x\"/>", "", "")
                .replacing("<startEvent id=\"x2\"/>", with: "")
                .replacing(
                    "targetRef=\"x\"/>",
                    with: "targetRef=\"x\"><conditionExpression>a</conditionExpression></sequenceFlow>"),
            "BP315"),
        Case("wrong FEEL", split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition("a >"), ""), "BP401"),
        Case("empty condition", split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition(" = "), ""), "BP404"),
        Case("JUEL", split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition("${a}"), ""), "BP604"),
        Case("deferred JUEL", split("<exclusiveGateway id=\"x\" default=\"f2\"/>", condition("#{a}"), ""), "BP604"),
        Case(
            "other language",
            split(
                "<exclusiveGateway id=\"x\" default=\"f2\"/>",
                condition("a", "language=\"http://www.w3.org/1999/XPath\""), ""), "BP504"),
        Case(
            "script resource",
            split(
                "<exclusiveGateway id=\"x\" default=\"f2\"/>",
                condition("a", "camunda:resource=\"r\""), ""), "BP601"),
    ])
    func wrongConditions(_ row: Case) { row.check() }

    @Test func aFEELErrorNamesItsPlaceInside() throws {
        let found = findings(
            Self.split("<exclusiveGateway id=\"x\" default=\"f2\"/>", "\n" + Self.condition("=amount >"), ""))
        let finding = try #require(found.first { $0.code == "BP401" })
        #expect(finding.elementID == "f1")
        #expect(finding.line == 5)
        #expect(finding.message.contains("at 1:"))
        #expect(finding.message.contains("`amount >`"))
    }

    @Test(arguments: [
        Case(
            "retries that are no number",
            around(serviceTask("").replacing("type=\"work\"", with: "type=\"w\" retries=\"many\"")),
            "BP405"),
        Case(
            "negative retries", around(serviceTask("").replacing("type=\"work\"", with: "type=\"w\" retries=\"-1\"")),
            "BP405"),
        Case("priority out of range", around("<userTask id=\"x\" camunda:priority=\"101\"/>"), "BP405"),
        Case("due date that is no date", around("<userTask id=\"x\" camunda:dueDate=\"soon\"/>"), "BP405"),
        Case(
            "target that is no name",
            around(
                serviceTask(
                    "<zeebe:ioMapping><zeebe:input source=\"=a\" target=\"b c\"/></zeebe:ioMapping>")), "BP406"),
        Case(
            "target with an empty part",
            around(
                serviceTask(
                    "<zeebe:ioMapping><zeebe:output source=\"=a\" target=\"b..c\"/></zeebe:ioMapping>")), "BP406"),
        Case("result path instead of a name", around(serviceTask("<apg:result variable=\"a.b\"/>")), "BP406"),
        Case(
            "name that begins with a digit",
            around("<scriptTask id=\"x\" camunda:resultVariable=\"1a\"><script>1</script></scriptTask>"),
            "BP406"),
        Case(
            "wrong FEEL in a mapping",
            around(
                serviceTask(
                    "<zeebe:ioMapping><zeebe:input source=\"=a +\" target=\"b\"/></zeebe:ioMapping>")), "BP401"),
        Case(
            "collection that is a literal",
            around(
                serviceTask(
                    children: """
                        <multiInstanceLoopCharacteristics><extensionElements><zeebe:loopCharacteristics inputCollection="items"/>
                        </extensionElements></multiInstanceLoopCharacteristics>
                        """)), "BP403"),
    ])
    func wrongExpressionsAndValues(_ row: Case) { row.check() }

    private static func loop(_ content: String, _ attributes: String = "") -> String {
        around(
            serviceTask(
                children:
                    "<multiInstanceLoopCharacteristics \(attributes)>\(content)</multiInstanceLoopCharacteristics>"))
    }

    @Test(arguments: [
        Case("nothing to count", loop(""), "BP323"),
        Case("both to count", loop("<loopCardinality>3</loopCardinality>", "camunda:collection=\"items\""), "BP323"),
        Case(
            "output without element",
            loop(
                "<extensionElements><zeebe:loopCharacteristics inputCollection=\"=i\" outputCollection=\"o\"/></extensionElements>"
            ),
            "BP323"),
        Case("JUEL collection", loop("", "camunda:collection=\"${items}\""), "BP604"),
        Case("other language", loop("<loopCardinality language=\"groovy\">3</loopCardinality>"), "BP504"),
        Case("behaviour", loop("<loopCardinality>3</loopCardinality>", "behavior=\"One\""), "BP210"),
        Case("unknown behaviour", loop("<loopCardinality>3</loopCardinality>", "behavior=\"Some\""), "BP109"),
        Case("complex behaviour", loop("<loopCardinality>3</loopCardinality>", "behavior=\"Complex\""), "BP323"),
        Case("data input", loop("<loopDataInputRef>d</loopDataInputRef>"), "BP218"),
        Case(
            "data output", loop("<loopCardinality>3</loopCardinality><loopDataOutputRef>d</loopDataOutputRef>"), "BP218"
        ),
        Case("negative", loop("<loopCardinality>-1</loopCardinality>"), "BP323"),
        Case("a part of an instance", loop("<loopCardinality>= 1.5</loopCardinality>"), "BP323"),
        Case("unknown part", loop("<loopCardinality>3</loopCardinality><nonsense/>"), "BP508"),
        Case(
            "extension of the activity",
            loop(
                "<extensionElements><zeebe:taskDefinition type=\"t\"/><tool:x/></extensionElements><loopCardinality>3</loopCardinality>"
            ),
            "BP610"),
        Case(
            "index variable", loop("<loopCardinality>3</loopCardinality>", "camunda:elementIndexVariable=\"i\""),
            "BP601"),
    ])
    func wrongLoops(_ row: Case) { row.check() }

    @Test(arguments: [
        Case("itself", call("p", "p"), "BP310"),
        Case("itself after a task", call("p", "p", before: "<task id=\"t-p\"/>"), "BP310"),
        Case("itself after a gateway", call("p", "p", before: "<exclusiveGateway id=\"t-p\"/>"), "BP311"),
        Case(
            "itself after an event",
            call(
                "p", "p",
                before: """
                    <intermediateCatchEvent id="t-p"><timerEventDefinition><timeDuration>PT1S</timeDuration></timerEventDefinition>
                    </intermediateCatchEvent>
                    """), "BP311"),
        Case(
            "itself for each item",
            call(
                "p", "p",
                inside: """
                    <multiInstanceLoopCharacteristics><loopCardinality>2</loopCardinality></multiInstanceLoopCharacteristics>
                    """), "BP311"),
        Case(
            "itself from a sub-process",
            "<startEvent id=\"s\"/><sequenceFlow id=\"f\" sourceRef=\"s\" targetRef=\"sub\"/><subProcess id=\"sub\">"
                + call("q", "p") + "</subProcess>", "BP310"),
        Case("each other", call("p", "q"), root: other("q", call("q", "p")), "BP310", "BP310"),
        Case(
            "each other, one sometimes", call("p", "q"),
            root: other("q", call("q", "p", before: "<exclusiveGateway id=\"t-q\"/>")), "BP311", "BP311"),
        Case("another that does not call back", call("p", "q"), root: other("q", "<startEvent id=\"q-start\"/>")),
        Case("into a circle without being in it", call("p", "q"), root: other("q", call("q", "q")), "BP310"),
        Case(
            "interrupted",
            call("p", "p") + """
                <boundaryEvent id="b" attachedToRef="c-p"><errorEventDefinition/></boundaryEvent>
                """, "BP311"),
    ])
    func recursion(_ row: Case) { row.check() }

    private static func other(_ id: String, _ content: String) -> String {
        "<process id=\"\(id)\" isExecutable=\"true\">\(content)</process>"
    }

    /// A process body that calls a process, after another node.
    private static func call(_ id: String, _ called: String, before: String = "", inside: String = "") -> String {
        let first = before.isEmpty ? "c-\(id)" : "t-\(id)"
        return """
            <startEvent id="\(id)-start"/><sequenceFlow id="\(id)-f" sourceRef="\(id)-start" targetRef="\(first)"/>\(before)
            <callActivity id="c-\(id)" calledElement="\(called)">\(inside)</callActivity>
            """ + (before.isEmpty ? "" : "<sequenceFlow id=\"\(id)-g\" sourceRef=\"\(first)\" targetRef=\"c-\(id)\"/>")
    }
}
