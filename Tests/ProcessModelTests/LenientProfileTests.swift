import Decisions
import ProcessModel
import Testing
import Values

/// Models made for other engines: the lenient profile deploys them and says what it made of them.
@Suite struct LenientProfileTests {
    private func lenient(_ content: String, root: String = "") -> ImportResult {
        importOnly(document(content, root: root), file: nil, profile: .lenient)
    }

    private func lenientNode(_ node: String, root: String = "", _ expected: [String]) throws -> FlowNode {
        let result = lenient(around(node), root: root)
        #expect(codes(result.diagnostics) == expected, "\(result.diagnostics)")
        return try #require(result.processes.first?.node(id: "x"))
    }

    @Test(arguments: [
        ("camunda:class=\"org.Work\"", "class:org.Work"),
        ("camunda:delegateExpression=\"${work}\"", "delegateExpression:${work}"),
        ("camunda:expression=\"${bean.work()}\"", "expression:${bean.work()}"),
        ("camunda:type=\"mail\"", "mail"),
    ])
    func codeBecomesAJob(_ row: (attributes: String, type: String)) throws {
        for element in ["serviceTask", "sendTask", "businessRuleTask"] {
            let node = try lenientNode("<\(element) id=\"x\" \(row.attributes)/>", ["BP611"])
            #expect(node.job?.type.text == row.type)
        }
        let event = """
            <intermediateThrowEvent id="x"><messageEventDefinition \(row.attributes)/></intermediateThrowEvent>
            """
        #expect(try lenientNode(event, ["BP611"]).job?.type.text == row.type)
    }

    @Test(arguments: [
        ("camunda", "http://camunda.org/schema/1.0/bpmn"), ("operaton", "http://operaton.org/schema/1.0/bpmn"),
        ("activiti", "http://activiti.org/bpmn"), ("flowable", "http://flowable.org/bpmn"),
    ])
    func fourEnginesShareOneVocabulary(_ row: (prefix: String, uri: String)) {
        let task = "<serviceTask id=\"x\" xmlns:v=\"\(row.uri)\" v:class=\"C\" v:resultVariable=\"r\"/>"
        let job = lenient(around(task)).processes.first?.node(id: "x")?.job
        #expect(job?.type.text == "class:C")
        #expect(job?.resultVariable == "r")
    }

    /// Tools declare BPMN's default language whatever they write.
    @Test(arguments: [
        ("${a &gt; 1}", true), ("$a &gt; 1", true), ("true", true), ("bpmn:getDataObject('a') = 2", true),
        ("$a = 1", false),
    ])
    func expressionsThatSayXPath(_ row: (body: String, isTrue: Bool)) throws {
        let language = "language=\"http://www.w3.org/1999/XPath\""
        let result = lenient(
            """
            <startEvent id="s"/><exclusiveGateway id="x" default="e"/>
            <intermediateCatchEvent id="c"><timerEventDefinition><timeDuration \(language)>PT2H</timeDuration>
            </timerEventDefinition></intermediateCatchEvent><endEvent id="z"/><sequenceFlow id="a" sourceRef="s"
            targetRef="x"/><sequenceFlow id="b" sourceRef="x" targetRef="c"><conditionExpression \(language)>\(row.body)\
            </conditionExpression></sequenceFlow><sequenceFlow id="e" sourceRef="x" targetRef="z"/><sequenceFlow id="f"
            sourceRef="c" targetRef="z"/>
            """)
        #expect(result.diagnostics.isEmpty, "\(result.diagnostics)")
        let process = try #require(result.processes.first)
        let condition = try #require(process.flows.lazy.compactMap(\.condition).first)
        #expect(condition.evaluateCondition(MapScope(["a": 2])) == row.isTrue)
        #expect(process.node(id: "c")?.event?.text == "duration PT2H")
    }

    @Test(arguments: ["serviceTask", "sendTask", "businessRuleTask"])
    func aTaskWithoutWorkIsAJobOfItsID(element: String) throws {
        #expect(try lenientNode("<\(element) id=\"x\"/>", ["BP614"]).job?.type.text == "x")
        #expect(codes(findings(around("<\(element) id=\"x\"/>"))) == ["BP319"])
    }

    @Test(arguments: ["groovy", "javascript", "text/x-python"])
    func foreignScriptsBecomeJobs(format: String) throws {
        let node = try lenientNode(
            "<scriptTask id=\"x\" scriptFormat=\"\(format)\" camunda:resultVariable=\"r\"><script>1</script></scriptTask>",
            ["BP611"])
        #expect(node.job?.type.text == "script:\(format)")
        #expect(node.job?.resultVariable == "r")
        #expect(node.script == nil)
    }

    @Test func aScriptInAFileBecomesAJob() throws {
        let node = try lenientNode("<scriptTask id=\"x\" camunda:resource=\"a.groovy\"/>", ["BP611", "BP612"])
        #expect(node.job?.type.text == "script:a.groovy")
    }

    @Test(arguments: [
        "<camunda:executionListener class=\"L\" event=\"start\"/>",
        "<camunda:taskListener class=\"L\" event=\"create\"/>",
        "<camunda:field name=\"f\"/>",
        "<camunda:connector><camunda:connectorId>http</camunda:connectorId></camunda:connector>",
        "<camunda:errorEventDefinition errorRef=\"e\"/>", "<zeebe:executionListeners/>",
    ])
    func whatIsNotExecutedIsKeptAndReported(xml: String) throws {
        let node = try lenientNode(
            "<serviceTask id=\"x\" camunda:type=\"external\" camunda:topic=\"t\"><extensionElements>\(xml)</extensionElements></serviceTask>",
            ["BP612"])
        #expect(node.job?.type.text == "t")
        let strict = findings(
            around(
                "<serviceTask id=\"x\" camunda:type=\"external\" camunda:topic=\"t\"><extensionElements>\(xml)</extensionElements></serviceTask>"
            ))
        #expect(codes(strict) == ["BP601"])
    }

    @Test(arguments: ["initiator", "skipExpression", "triggerable"])
    func attributesAreKeptToo(attribute: String) throws {
        _ = try lenientNode("<userTask id=\"x\" camunda:\(attribute)=\"v\"/>", ["BP612"])
    }

    @Test func juelIsRead() throws {
        let condition = "<conditionExpression>${amount &gt; 10 &amp;&amp; !empty name}</conditionExpression>"
        let content = around("<exclusiveGateway id=\"x\"/>").replacing(
            "targetRef=\"end\"/>", with: "targetRef=\"end\">\(condition)</sequenceFlow>")
        let process = try #require(lenient(content).processes.first)
        let flow = try #require(process.flows.first { $0.id == "f2" }?.condition)
        #expect(flow.evaluateCondition(MapScope(["amount": 11, "name": "a"])) == true)
        #expect(flow.evaluateCondition(MapScope(["amount": 11, "name": ""])) == false)
        let task = try lenientNode("<userTask id=\"x\" camunda:assignee=\"${user}\" camunda:formKey=\"f\"/>", [])
        #expect(task.userTask?.assignee?.evaluateValue(MapScope(["user": "ada"])) == "ada")
    }

    @Test func wrongJUELIsFound() {
        #expect(codes(lenient(around("<userTask id=\"x\" camunda:assignee=\"${user\"/>")).diagnostics) == ["BP401"])
    }

    @Test(arguments: [
        ("<receiveTask id=\"x\"/>", "", "message x by nothing"),
        (
            "<intermediateThrowEvent id=\"x\"><messageEventDefinition/></intermediateThrowEvent>", "",
            "message x by nothing"
        ),
        ("<intermediateThrowEvent id=\"x\"><signalEventDefinition/></intermediateThrowEvent>", "", "signal x"),
        ("<intermediateThrowEvent id=\"x\"><escalationEventDefinition/></intermediateThrowEvent>", "", "escalation x"),
        ("<sendTask id=\"x\" messageRef=\"mail\"/>", "", "message mail by nothing"),
        (
            "<intermediateThrowEvent id=\"x\"><signalEventDefinition signalRef=\"go\"/></intermediateThrowEvent>", "",
            "signal go"
        ),
        (
            "<intermediateThrowEvent id=\"x\"><escalationEventDefinition escalationRef=\"up\"/></intermediateThrowEvent>",
            "",
            "escalation up"
        ),
        (
            "<intermediateThrowEvent id=\"x\"><escalationEventDefinition escalationRef=\"up\"/></intermediateThrowEvent>",
            "<escalation id=\"up\"/>", "escalation up"
        ),
    ])
    func namesAreImplied(_ row: (xml: String, root: String, event: String)) throws {
        // Who waits is also told that there is no correlation key.
        let expected = row.xml.contains("receiveTask") ? ["BP615", "BP308"] : ["BP615"]
        #expect(try lenientNode(row.xml, root: row.root, expected).event?.text == row.event)
        #expect(findings(around(row.xml), root: row.root).contains { $0.severity == .error })
    }

    @Test(arguments: [
        ("message", "paid", "message paid by nothing"), ("signal", "stop", "signal stop"),
        ("message", "${a}", "message =${a} by nothing"), ("signal", "${a}", "signal =${a}"),
    ])
    func flowableNamesEventsByExpressions(_ row: (kind: String, name: String, event: String)) throws {
        let definition = "<\(row.kind)EventDefinition camunda:\(row.kind)Expression=\"\(row.name)\"/>"
        let node = try lenientNode(
            "<intermediateThrowEvent id=\"x\">\(definition)</intermediateThrowEvent>", [])
        #expect(node.event?.text == row.event)
    }

    @Test(arguments: ["", "<error id=\"bad\"/>"])
    func anErrorWithoutCodeIsThatOfItsID(root: String) throws {
        let content =
            around("<task id=\"x\"/>")
            + "<boundaryEvent id=\"b\" attachedToRef=\"x\"><errorEventDefinition errorRef=\"bad\"/></boundaryEvent>"
        let result = lenient(content, root: root)
        #expect(codes(result.diagnostics) == ["BP615"])
        #expect(result.processes.first?.node(id: "b")?.event?.text == "error bad")
    }

    @Test func anErrorEndEventWithoutErrorThrowsItsID() {
        let result = lenient(
            around("<task id=\"x\"/>").replacing(
                "<endEvent id=\"end\"/>", with: "<endEvent id=\"end\"><errorEventDefinition/></endEvent>"))
        #expect(codes(result.diagnostics) == ["BP615"])
        #expect(result.processes.first?.node(id: "end")?.event?.text == "error end")
    }

    @Test func aDecisionWithoutVariableGivesDecisionResult() throws {
        let node = try lenientNode(
            "<businessRuleTask id=\"x\" camunda:decisionRef=\"d\" camunda:mapDecisionResult=\"singleEntry\"/>",
            ["BP615"])
        #expect(node.calledDecision?.resultVariable == "decisionResult")
    }

    @Test func missingIDsAndMisplacedSettingsAreWarnings() throws {
        let result = lenient(
            around("<userTask id=\"x\" camunda:topic=\"t\"><camunda:properties/></userTask>")
                .replacing("<sequenceFlow id=\"f2\"", with: "<sequenceFlow"))
        #expect(codes(result.diagnostics) == ["BP610", "BP610", "BP202"])
        #expect(result.processes.first?.flows.count == 2)
    }

    @Test(arguments: [
        (
            "<camunda:list><camunda:value>a</camunda:value><camunda:value>=b + 1</camunda:value></camunda:list>",
            "[\"a\", (b + 1)]"
        ),
        (
            """
            <camunda:map><camunda:entry key="k">v</camunda:entry><camunda:entry key="l"><camunda:list/></camunda:entry></camunda:map>
            """, "{\"k\": \"v\", \"l\": []}"
        ),
    ])
    func listsAndMapsAreExpressions(_ row: (xml: String, source: String)) throws {
        let node = try importedNode(
            serviceTask(
                """
                <camunda:inputOutput><camunda:inputParameter name="a">\(row.xml)</camunda:inputParameter></camunda:inputOutput>
                """))
        #expect(node.inputs.map(\.text) == ["a ← =" + row.source])
    }

    @Test(arguments: [
        "<camunda:script scriptFormat=\"groovy\">1</camunda:script>", "<camunda:list><camunda:script/></camunda:list>",
        "<camunda:map><camunda:entry>v</camunda:entry></camunda:map>",
        "<camunda:list><camunda:value>${a}</camunda:value></camunda:list>",
    ])
    func otherParametersAreNotRead(xml: String) throws {
        let parameter = """
            <camunda:inputOutput><camunda:inputParameter name="a">\(xml)</camunda:inputParameter></camunda:inputOutput>
            """
        #expect(try lenientNode(serviceTask(parameter), ["BP612"]).inputs.isEmpty)
        #expect(codes(findings(around(serviceTask(parameter)))) == ["BP601"])
    }

    @Test func dataMayBeVariablesByName() throws {
        let node = try lenientNode(
            """
            <serviceTask id="x" camunda:class="C"><dataInputAssociation><sourceRef>order</sourceRef><targetRef>in</targetRef>
            </dataInputAssociation><multiInstanceLoopCharacteristics><loopDataInputRef>orders</loopDataInputRef>
            <inputDataItem name="one"/></multiInstanceLoopCharacteristics></serviceTask>
            """, ["BP615", "BP615", "BP615", "BP611"])
        #expect(node.inputs.map(\.text) == ["in ← =order"])
        #expect(node.multiInstance?.collection?.source == "orders")
        #expect(node.multiInstance?.inputElement == "one")
    }

    @Test func variablesMayHaveAnyName() throws {
        let parameter = "<camunda:inputParameter name=\"order.line-1\">a</camunda:inputParameter>"
        let node = try lenientNode(serviceTask("<camunda:inputOutput>\(parameter)</camunda:inputOutput>"), [])
        #expect(node.inputs.map(\.target) == [["order.line-1"]])
    }
}
