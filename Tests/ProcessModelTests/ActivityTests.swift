import Decisions
import ProcessModel
import Testing
import Values

/// Tasks, call activities and multi-instance markers in the vocabularies of the standard, Zeebe and Camunda.
@Suite struct ActivityTests {
    // MARK: Jobs

    @Test func aZeebeTaskDefinitionBecomesAJob() throws {
        let node = try importedNode(
            """
            <serviceTask id="x"><extensionElements>
              <zeebe:taskDefinition type="= &quot;ship-&quot; + carrier" retries="5"/>
              <zeebe:taskHeaders><zeebe:header key="a" value="1"/><zeebe:header key="b"/></zeebe:taskHeaders>
              <zeebe:priorityDefinition priority="=order.urgency"/>
              <zeebe:ioMapping><zeebe:input source="=order.total" target="total"/><zeebe:input source="EUR" target="currency"/>
                <zeebe:output source="=result" target="order.shipment"/></zeebe:ioMapping>
              <zeebe:properties/>
            </extensionElements></serviceTask>
            """)
        let job = try #require(node.job)
        #expect(job.type.text == "= \"ship-\" + carrier")
        #expect(job.retries?.text == "5")
        #expect(job.headers.map(\.key) == ["a", "b"])
        #expect(job.headers.map(\.value) == ["1", ""])
        #expect(job.priority?.text == "=order.urgency")
        #expect(job.callInput == nil)
        #expect(node.inputs.map(\.text) == ["total ← =order.total", "currency ← EUR"])
        #expect(node.outputs.map(\.text) == ["order.shipment ← =result"])
    }

    @Test(arguments: ["serviceTask", "sendTask", "businessRuleTask", "scriptTask"])
    func everyJobBasedTaskHasAJob(element: String) throws {
        let node = try importedNode(
            "<\(element) id=\"x\"><extensionElements><zeebe:taskDefinition type=\"t\"/></extensionElements></\(element)>"
        )
        #expect(node.job?.type.text == "t")
        #expect(node.script == nil)
    }

    @Test(arguments: ["external", "external-worker"])
    func aCamundaExternalTaskBecomesAJob(type: String) throws {
        let node = try importedNode(
            """
            <serviceTask id="x" camunda:type="\(type)" camunda:topic="charge" camunda:taskPriority="70"
              camunda:asyncBefore="true" camunda:modelerTemplate="t"><extensionElements><camunda:inputOutput>
              <camunda:inputParameter name="amount">=total</camunda:inputParameter>
              <camunda:inputParameter name="mode">fast</camunda:inputParameter>
              <camunda:outputParameter name="receipt">=id</camunda:outputParameter>
            </camunda:inputOutput></extensionElements></serviceTask>
            """)
        #expect(node.job?.type.text == "charge")
        #expect(node.job?.priority?.text == "70")
        #expect(node.inputs.map(\.text) == ["amount ← =total", "mode ← fast"])
        #expect(node.outputs.map(\.text) == ["receipt ← =id"])
    }

    @Test func anAPGCallBecomesAConnectorJob() throws {
        let node = try importedNode(
            """
            <serviceTask id="x"><extensionElements>
              <apg:call connector="http" operation="request" connection="vendors">
                <apg:with target="path" source="=&quot;/vendors/&quot; + id"/><apg:with target="query.full" source=""/>
              </apg:call>
              <apg:result variable="vendor"/><apg:resilience profile="fast"/><apg:priority value="80"/>
              <apg:errors><apg:error when="=result.status = 404" code="UNKNOWN"/>
                <apg:error when="=result.status = 410" code="GONE"/></apg:errors>
            </extensionElements></serviceTask>
            """)
        let job = try #require(node.job)
        #expect(job.type.text == "connector:http")
        #expect(job.headers.map(\.key) == ["operation", "connection", "profile"])
        #expect(job.headers.map(\.value) == ["request", "vendors", "fast"])
        #expect(job.callInput?.map(\.text) == ["path ← =\"/vendors/\" + id", "query.full ← "])
        #expect(job.resultVariable == "vendor")
        #expect(job.errors.map(\.code) == ["UNKNOWN", "GONE"])
        #expect(job.errors.first?.condition.source == "result.status = 404")
        #expect(job.priority?.text == "80")
    }

    @Test func policiesOfACallBecomeOneJobHeader() throws {
        let node = try importedNode(
            """
            <serviceTask id="x"><extensionElements>
              <apg:call connector="http" operation="request" connection="vendors"/>
              <apg:resilience profile="patient">
                <apg:timeout attempt="5s" total="60s"/>
                <apg:retry max="6"><apg:backoff kind="fullJitter" base="500ms" cap="20s"/></apg:retry>
                <apg:breaker enabled="false"/><apg:hedge after="2s" max="1"/>
                <apg:rateLimit limit="5" per="1s"/><apg:bulkhead max="3"/>
              </apg:resilience>
            </extensionElements></serviceTask>
            """)
        let job = try #require(node.job)
        #expect(job.headers.map(\.key) == ["operation", "connection", "profile", "resilience"])
        let policies = try JSON.parse(Array((job.headers.last?.value ?? "").utf8))
        #expect(
            policies == [
                "timeout": ["attempt": "5s", "total": "60s"],
                "retry": ["max": 6, "backoff": ["kind": "fullJitter", "base": "500ms", "cap": "20s"]],
                "breaker": false, "hedge": ["after": "2s", "max": 1], "rateLimit": ["limit": 5, "per": "1s"],
                "concurrency": ["max": 3],
            ])
    }

    @Test func aPriorityIsInheritedByTheTasksInside() throws {
        let task =
            "<serviceTask id=\"%\"><extensionElements><zeebe:taskDefinition type=\"t\"/></extensionElements></serviceTask>"
        let process = try imported(
            """
            <extensionElements><apg:priority value="10"/></extensionElements><startEvent id="s"/>
            \(task.replacing("%", with: "outer"))
            <subProcess id="sub"><extensionElements><apg:priority value="=p"/></extensionElements>
              <startEvent id="s2"/><sequenceFlow id="g" sourceRef="s2" targetRef="inner"/>\(task.replacing("%", with: "inner"))
            </subProcess><userTask id="u"/>
            <sequenceFlow id="a" sourceRef="s" targetRef="outer"/><sequenceFlow id="b" sourceRef="outer" targetRef="sub"/>
            <sequenceFlow id="c" sourceRef="sub" targetRef="u"/>
            """)
        #expect(process.node(id: "outer")?.job?.priority?.text == "10")
        #expect(process.node(id: "inner")?.job?.priority?.text == "=p")
        #expect(process.node(id: "u")?.userTask?.priority?.text == "10")
    }

    @Test(arguments: ["<task id=\"x\"/>", "<manualTask id=\"x\"/>"])
    func tasksWithoutBehaviourNeedNothing(xml: String) throws {
        #expect(try importedNode(xml).job == nil)
    }

    // MARK: User tasks

    @Test func aZeebeUserTaskSaysWhoAndWhen() throws {
        let node = try importedNode(
            """
            <userTask id="x"><extensionElements><zeebe:userTask/>
              <zeebe:assignmentDefinition assignee="=owner" candidateGroups="a, b" candidateUsers="=users"/>
              <zeebe:taskSchedule dueDate="2026-01-31T12:00:00+01:00" followUpDate="=now()"/>
              <zeebe:priorityDefinition priority="90"/><zeebe:formDefinition formId="approve"/>
              <zeebe:taskHeaders><zeebe:header key="a" value="1"/></zeebe:taskHeaders>
            </extensionElements></userTask>
            """)
        let task = try #require(node.userTask)
        #expect(task.assignee?.text == "=owner")
        #expect(task.candidateGroups?.text == "a, b")
        #expect(task.candidateUsers?.text == "=users")
        #expect(task.dueDate?.text == "2026-01-31T12:00:00+01:00")
        #expect(task.followUpDate?.text == "=now()")
        #expect(task.priority?.text == "90")
        #expect(task.formKey == "approve")
    }

    @Test func aCamundaUserTaskSaysWhoAndWhen() throws {
        let node = try importedNode(
            """
            <userTask id="x" camunda:assignee="ada" camunda:candidateGroups="g" camunda:candidateUsers="u"
              camunda:dueDate="=due" camunda:followUpDate="2026-01-01T00:00:00Z" camunda:priority="7" camunda:formKey="f"/>
            """)
        let task = try #require(node.userTask)
        #expect(task.assignee?.text == "ada")
        #expect(task.candidateGroups?.text == "g")
        #expect(task.candidateUsers?.text == "u")
        #expect(task.dueDate?.text == "=due")
        #expect(task.followUpDate?.text == "2026-01-01T00:00:00Z")
        #expect(task.priority?.text == "7")
        #expect(task.formKey == "f")
    }

    @Test(arguments: [
        ("<zeebe:formDefinition formKey=\"k\"/>", "k"), ("<zeebe:formDefinition externalReference=\"r\"/>", "r"),
        ("<zeebe:formDefinition formId=\"\" formKey=\"k\"/>", "k"), ("", nil),
    ])
    func aFormHasOneOfSeveralNames(_ row: (xml: String, key: String?)) throws {
        let node = try importedNode("<userTask id=\"x\"><extensionElements>\(row.xml)</extensionElements></userTask>")
        #expect(node.userTask?.formKey == row.key)
    }

    // MARK: Scripts

    @Test(arguments: [
        ("<scriptTask id=\"x\"><script>a + 1</script></scriptTask>", "a + 1", nil),
        ("<scriptTask id=\"x\" scriptFormat=\"feel\"><script>=a + 1</script></scriptTask>", "a + 1", nil),
        (
            "<scriptTask id=\"x\" scriptFormat=\"application/FEEL\" camunda:resultVariable=\"r\"><script>a</script></scriptTask>",
            "a", "r"
        ),
        (
            "<scriptTask id=\"x\"><extensionElements><apg:result variable=\"r\"/></extensionElements><script>a</script></scriptTask>",
            "a", "r"
        ),
        (
            "<scriptTask id=\"x\"><extensionElements><zeebe:script expression=\"=a\" resultVariable=\"r\"/></extensionElements></scriptTask>",
            "a", "r"
        ),
        (
            "<scriptTask id=\"x\"><extensionElements><apg:set variable=\"a\" value=\"=b + 1\"/><apg:set variable=\"c\" value=\"d &quot;e\"/></extensionElements></scriptTask>",
            "{a: (b + 1), c: \"d \\\"e\"}", nil
        ),
    ])
    func aScriptIsFEEL(_ row: (xml: String, source: String, variable: String?)) throws {
        let script = try #require(importedNode(row.xml).script)
        #expect(script.expression?.source == row.source)
        #expect(script.resultVariable == row.variable)
    }

    @Test func assignmentsSeeEarlierOnes() throws {
        let node = try importedNode(
            """
            <scriptTask id="x"><extensionElements><apg:set variable="net" value="=price * 2"/>
            <apg:set variable="gross" value="=net + 1"/></extensionElements></scriptTask>
            """)
        let value = node.script?.expression?.evaluateValue(MapScope(["price": 10]))
        #expect(value == ["net": 20, "gross": 21])
    }

    // MARK: Call activities

    @Test(arguments: [
        ("<callActivity id=\"x\" calledElement=\"child\"/>", "child", CalledElement.Binding.latest, true, true),
        (
            "<callActivity id=\"x\"><extensionElements><zeebe:calledElement processId=\"=name\" propagateAllParentVariables=\"false\" propagateAllChildVariables=\"false\" bindingType=\"deployment\"/></extensionElements></callActivity>",
            "=name", .deployment, false, false
        ),
        (
            "<callActivity id=\"x\"><extensionElements><zeebe:calledElement processId=\"c\" bindingType=\"versionTag\" versionTag=\"v1\"/></extensionElements></callActivity>",
            "c", .versionTag("v1"), true, true
        ),
        (
            "<callActivity id=\"x\" calledElement=\"c\" camunda:calledElementBinding=\"version\" camunda:calledElementVersion=\"3\"/>",
            "c", .version(3), false, false
        ),
        (
            "<callActivity id=\"x\" calledElement=\"c\" camunda:calledElementBinding=\"versionTag\" camunda:calledElementVersionTag=\"t\"/>",
            "c", .versionTag("t"), false, false
        ),
        (
            "<callActivity id=\"x\" calledElement=\"c\"><extensionElements><camunda:in variables=\"all\"/></extensionElements></callActivity>",
            "c", .latest, true, false
        ),
        (
            "<callActivity id=\"x\" calledElement=\"c\"><extensionElements><camunda:out variables=\"all\"/></extensionElements></callActivity>",
            "c", .latest, false, true
        ),
    ])
    func aCallNamesItsProcess(
        _ row: (xml: String, id: String, binding: CalledElement.Binding, parent: Bool, child: Bool)
    ) throws {
        let called = try #require(importedNode(row.xml).calledElement)
        #expect(called.processID.text == row.id)
        #expect(called.binding == row.binding)
        #expect(called.propagatesAllParentVariables == row.parent)
        #expect(called.propagatesAllChildVariables == row.child)
    }

    @Test func camundaCallMappingsAreExpressions() throws {
        let node = try importedNode(
            """
            <callActivity id="x" calledElement="c"><extensionElements><camunda:in source="a" target="b"/>
            <camunda:in sourceExpression="=a + 1" target="c"/><camunda:out source="r" target="result"/></extensionElements>
            </callActivity>
            """)
        #expect(node.inputs.map(\.text) == ["b ← =a", "c ← =a + 1"])
        #expect(node.outputs.map(\.text) == ["result ← =r"])
    }

    // MARK: Multi-instance

    @Test func aZeebeLoopReadsItsCollection() throws {
        let node = try importedNode(
            serviceTask(
                children: """
                    <multiInstanceLoopCharacteristics isSequential="true"><extensionElements>
                    <zeebe:loopCharacteristics inputCollection="=items" inputElement="item" outputCollection="results"
                      outputElement="=result"/></extensionElements>
                    <completionCondition>=count(results) > 2</completionCondition></multiInstanceLoopCharacteristics>
                    """))
        let loop = try #require(node.multiInstance)
        #expect(loop.isSequential)
        #expect(loop.collection?.source == "items")
        #expect(loop.cardinality == nil)
        #expect(loop.inputElement == "item")
        #expect(loop.outputCollection == "results")
        #expect(loop.outputElement?.source == "result")
        #expect(loop.completionCondition?.source == "count(results) > 2")
    }

    @Test func aCamundaLoopReadsItsCollection() throws {
        let node = try importedNode(
            serviceTask(
                children: """
                    <multiInstanceLoopCharacteristics camunda:collection="items" camunda:elementVariable="item"
                      camunda:asyncBefore="true"><documentation>d</documentation></multiInstanceLoopCharacteristics>
                    """))
        let loop = try #require(node.multiInstance)
        #expect(!loop.isSequential)
        #expect(loop.collection?.source == "items")
        #expect(loop.inputElement == "item")
    }

    @Test(arguments: ["userTask", "subProcess", "callActivity", "task", "receiveTask", "manualTask", "scriptTask"])
    func everyActivityCanRepeat(element: String) throws {
        let inner: [String: String] = [
            "subProcess": "<startEvent id=\"in\"/>", "scriptTask": "<script>1</script>",
        ]
        let attributes: [String: String] = ["callActivity": "calledElement=\"c\"", "receiveTask": "messageRef=\"m\""]
        let node = try importedNode(
            """
            <\(element) id="x" \(attributes[element] ?? "")><multiInstanceLoopCharacteristics><loopCardinality>3</loopCardinality>
            </multiInstanceLoopCharacteristics>\(inner[element] ?? "")</\(element)>
            """,
            root: """
                <message id="m" name="n"><extensionElements><zeebe:subscription correlationKey="=k"/></extensionElements></message>
                """)
        #expect(node.multiInstance?.cardinality?.constant == 3)
    }

    @Test func apgMapsAreMappings() throws {
        let node = try importedNode(
            serviceTask(
                """
                <apg:io output="mapped"><apg:map direction="input" source="=a" target="b"/>
                <apg:map direction="output" source="=c" target="d.e"/></apg:io>
                """))
        #expect(node.inputs.map(\.text) == ["b ← =a"])
        #expect(node.outputs.map(\.text) == ["d.e ← =c"])
        #expect(try importedNode(serviceTask("<apg:io output=\"all\"/>")).outputs.isEmpty)
    }
}
