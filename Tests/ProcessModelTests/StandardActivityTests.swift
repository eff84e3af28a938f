import Decisions
import ProcessModel
import Testing
import Values

/// What the standard lets activities have beyond their own kind: loops, quantities, people, global tasks, decisions.
@Suite struct StandardActivityTests {
    // MARK: Loops

    @Test(arguments: [
        ("<standardLoopCharacteristics/>", false, nil, nil),
        (
            "<standardLoopCharacteristics testBefore=\"true\" loopMaximum=\"3\"><loopCondition>a</loopCondition></standardLoopCharacteristics>",
            true, "3", "a"
        ),
        ("<standardLoopCharacteristics loopMaximum=\"=limit\"/>", false, "limit", nil),
    ])
    func aLoopHasConditionAndMaximum(_ row: (xml: String, before: Bool, maximum: String?, condition: String?)) throws {
        for activity in ["<task id=\"x\">@</task>", "<subProcess id=\"x\"><task id=\"t\"/>@</subProcess>"] {
            let loop = try #require(importedNode(activity.replacing("@", with: row.xml)).standardLoop)
            #expect(loop.testsBefore == row.before)
            #expect(loop.maximum?.source == row.maximum)
            #expect(loop.condition?.source == row.condition)
        }
    }

    @Test func quantitiesCountTokens() throws {
        let node = try importedNode("<task id=\"x\" startQuantity=\"2\" completionQuantity=\"3\"/>")
        #expect(node.startQuantity == 2)
        #expect(node.completionQuantity == 3)
        #expect(try importedNode("<task id=\"x\"/>").startQuantity == 1)
    }

    // MARK: Behaviours

    private static let events = """
        <signal id="s" name="done"/><signalEventDefinition id="thrown" signalRef="s"/><error id="e" errorCode="E"/>
        """

    private static func loop(_ attributes: String, _ content: String = "") throws -> MultiInstanceBehavior? {
        try importedNode(
            """
            <task id="x"><multiInstanceLoopCharacteristics \(attributes)><loopCardinality>3</loopCardinality>\(content)
            </multiInstanceLoopCharacteristics></task>
            """, root: events
        ).multiInstance?.behavior
    }

    @Test func behavioursNameWhatIsThrown() throws {
        guard case .all? = try Self.loop("") else { return #expect(Bool(false), "all is the default") }
        guard case .one(let first)? = try Self.loop("behavior=\"One\" oneBehaviorEventRef=\"thrown\"") else {
            return #expect(Bool(false), "one")
        }
        #expect(first.text == "signal done")
        guard case .none(let each)? = try Self.loop("behavior=\"None\" noneBehaviorEventRef=\"q:thrown\"") else {
            return #expect(Bool(false), "none")
        }
        #expect(each.text == "signal done")
    }

    @Test func complexBehavioursHaveConditions() throws {
        let behavior = try Self.loop(
            "behavior=\"Complex\"",
            """
            <complexBehaviorDefinition><condition>a &gt; 1</condition><event><errorEventDefinition errorRef="e"/></event>
            </complexBehaviorDefinition>
            <complexBehaviorDefinition><condition>b</condition><event><eventDefinitionRef>thrown</eventDefinitionRef></event>
            </complexBehaviorDefinition>
            <complexBehaviorDefinition><condition>c</condition></complexBehaviorDefinition>
            """)
        guard case .complex(let definitions)? = behavior else { return #expect(Bool(false), "complex") }
        #expect(definitions.map(\.condition.source) == ["a > 1", "b", "c"])
        #expect(definitions.map(\.event?.text) == ["error E", "signal done", nil])
    }

    @Test(arguments: [
        ("<condition>a</condition><event/>", "BP210"),
        ("<event><signalEventDefinition signalRef=\"s\"/></event>", "BP404"),
        ("<condition>a</condition><event><timerEventDefinition/></event>", "BP502"),
    ])
    func wrongComplexBehavioursAreFound(_ row: (xml: String, code: String)) {
        let content = around(
            """
            <task id="x"><multiInstanceLoopCharacteristics behavior="Complex"><loopCardinality>3</loopCardinality>
            <complexBehaviorDefinition>\(row.xml)</complexBehaviorDefinition></multiInstanceLoopCharacteristics></task>
            """)
        #expect(codes(findings(content, root: Self.events)) == [row.code])
    }

    // MARK: People

    private static func role(_ element: String, _ expression: String) -> String {
        """
        <\(element) id="r-\(element)"><resourceAssignmentExpression><formalExpression>\(expression)</formalExpression>
        </resourceAssignmentExpression></\(element)>
        """
    }

    @Test(arguments: [
        (role("humanPerformer", "ada"), "ada", nil, nil), (role("performer", "=who"), "=who", nil, nil),
        (role("potentialOwner", "sales"), nil, nil, "sales"), (role("potentialOwner", "=groups"), nil, nil, "=groups"),
        (role("potentialOwner", "user(ada), group(sales), clerks"), nil, "ada", "sales,clerks"),
        ("<potentialOwner id=\"r\"><resourceRef>team</resourceRef></potentialOwner>", nil, nil, "Team"),
        ("<humanPerformer id=\"r\"><resourceRef>bare</resourceRef></humanPerformer>", "bare", nil, nil),
        ("<potentialOwner id=\"r\"/>", nil, nil, nil), ("<resourceRole id=\"r\"/>", nil, nil, nil),
        (role("humanPerformer", "ada") + role("potentialOwner", "sales"), "ada", nil, "sales"),
    ])
    func rolesAssignUserTasks(_ row: (xml: String, assignee: String?, users: String?, groups: String?)) throws {
        let root = "<resource id=\"team\" name=\"Team\"/><resource id=\"bare\"/>"
        let task = try #require(importedNode("<userTask id=\"x\">\(row.xml)</userTask>", root: root).userTask)
        #expect(task.assignee?.text == row.assignee)
        #expect(task.candidateUsers?.text == row.users)
        #expect(task.candidateGroups?.text == row.groups)
    }

    @Test func anAssignmentOfAVendorComesFirst() throws {
        let node = try importedNode(
            "<userTask id=\"x\" camunda:assignee=\"bob\">\(Self.role("humanPerformer", "ada"))</userTask>")
        #expect(node.userTask?.assignee?.text == "bob")
    }

    @Test(arguments: [
        ("<potentialOwner id=\"r\"><resourceRef>no</resourceRef></potentialOwner>", "BP219"),
        (
            "<potentialOwner id=\"r\"><resourceRef>team</resourceRef><resourceParameterBinding/></potentialOwner>",
            "BP501"
        ),
        (role("humanPerformer", "ada") + role("performer", "bob"), "BP609"),
        (role("potentialOwner", "=a") + role("potentialOwner", "=b").replacing("r-p", with: "q-p"), "BP609"),
        (role("potentialOwner", "=a") + role("potentialOwner", "b").replacing("r-p", with: "q-p"), "BP609"),
        (role("humanPerformer", "=a +"), "BP401"),
    ])
    func wrongRolesAreFound(_ row: (xml: String, code: String)) {
        let found = findings(around("<userTask id=\"x\">\(row.xml)</userTask>"), root: "<resource id=\"team\"/>")
        #expect(codes(found) == [row.code])
    }

    @Test func theRolesOfAProcessAreKept() {
        let found = findings(around("<task id=\"x\"/>") + Self.role("performer", "ada"))
        #expect(found.map(\.code) == ["BP509"])
    }

    // MARK: Global tasks

    @Test(arguments: [
        ("globalTask", "", FlowNodeKind.task), ("globalManualTask", "", .manualTask),
        ("globalUserTask", role("humanPerformer", "ada"), .userTask),
        ("globalScriptTask", "<script>a + 1</script>", .scriptTask),
        (
            "globalBusinessRuleTask",
            "<extensionElements><zeebe:calledDecision decisionId=\"d\" resultVariable=\"r\"/></extensionElements>",
            .businessRuleTask
        ),
    ])
    func aGlobalTaskIsAProcessOfItsOwn(_ row: (element: String, content: String, kind: FlowNodeKind)) throws {
        let bytes = document(
            around("<callActivity id=\"x\" calledElement=\"q:g\"/>"),
            root: "<\(row.element) id=\"g\" name=\"Do\">\(row.content)</\(row.element)>")
        let result = importOnly(bytes, file: nil)
        #expect(result.diagnostics == [])
        #expect(result.processes.map(\.id) == ["p", "g"])
        #expect(result.processes.first?.node(id: "x")?.calledElement?.processID.text == "g")
        let process = try #require(result.processes.last)
        #expect(process.name == "Do")
        #expect(process.nodes.map(\.kind) == [.process, .startEvent, row.kind, .endEvent])
        #expect(process.flows.map { [$0.source, $0.target] } == [[1, 2], [2, 3]])
        #expect(process.noneStart == 1)
        let task = process.nodes[2]
        #expect(task.script?.expression?.source == (row.kind == .scriptTask ? "a + 1" : nil))
        #expect(task.userTask?.assignee?.text == (row.kind == .userTask ? "ada" : nil))
        #expect(task.calledDecision?.resultVariable == (row.kind == .businessRuleTask ? "r" : nil))
    }

    @Test func aDocumentMayHoldOnlyGlobalTasks() {
        let text = "<definitions xmlns=\"\(Namespace.bpmn)\"><globalTask id=\"g\"/></definitions>"
        #expect(importOnly(Array(text.utf8), file: nil).processes.map(\.id) == ["g"])
        let drawing = """
            <definitions xmlns="\(Namespace.bpmn)"><globalTask id="g"/><process id="p" isExecutable="false"><task id="t"/></process>
            </definitions>
            """
        #expect(codes(importOnly(Array(drawing.utf8), file: nil).diagnostics) == ["BP317"])
    }

    @Test func aGlobalScriptNamesItsLanguage() {
        let found = findings(
            around("<task id=\"x\"/>"),
            root: "<globalScriptTask id=\"g\" scriptLanguage=\"groovy\"><script>1</script></globalScriptTask>")
        #expect(codes(found) == ["BP505"])
    }

    // MARK: Decisions

    @Test(arguments: [
        (
            "<extensionElements><zeebe:calledDecision decisionId=\"=which\" resultVariable=\"r\" bindingType=\"deployment\"/></extensionElements>",
            "", "=which", CalledElement.Binding.deployment
        ),
        (
            "<extensionElements><zeebe:calledDecision decisionId=\"d\" resultVariable=\"r\" bindingType=\"versionTag\" versionTag=\"v1\"/></extensionElements>",
            "", "d", .versionTag("v1")
        ),
        (
            "",
            "camunda:decisionRef=\"d\" camunda:resultVariable=\"r\" camunda:mapDecisionResult=\"singleEntry\"", "d",
            .latest
        ),
        (
            "",
            """
            camunda:decisionRef="d" camunda:resultVariable="r" camunda:mapDecisionResult="singleEntry"
            camunda:decisionRefBinding="version" camunda:decisionRefVersion="2"
            """, "d", .version(2)
        ),
    ])
    func aBusinessRuleTaskCallsADecision(
        _ row: (xml: String, attributes: String, id: String, binding: CalledElement.Binding)
    ) throws {
        let xml = "<businessRuleTask id=\"x\" \(row.attributes)>\(row.xml)</businessRuleTask>"
        #expect(findings(around(xml)) == [])
        let node = try importedNode(xml)
        #expect(node.calledDecision?.decisionID.text == row.id)
        #expect(node.calledDecision?.binding == row.binding)
        #expect(node.calledDecision?.resultVariable == "r")
        #expect(node.job == nil)
    }

    @Test(arguments: [
        ("<zeebe:calledDecision resultVariable=\"r\"/>", "", ["BP608"]),
        ("<zeebe:calledDecision decisionId=\"d\"/>", "", ["BP608"]),
        (
            "<zeebe:calledDecision decisionId=\"d\" resultVariable=\"r\"/><zeebe:taskDefinition type=\"t\"/>", "",
            ["BP609"]
        ),
        ("", "camunda:decisionRef=\"d\" camunda:mapDecisionResult=\"singleEntry\"", ["BP608"]),
        ("", "camunda:decisionRef=\"d\" camunda:resultVariable=\"r\"", ["BP613"]),
        ("", "camunda:decisionRef=\"d\" camunda:resultVariable=\"r\" camunda:mapDecisionResult=\"all\"", ["BP109"]),
        (
            "",
            "camunda:decisionRef=\"d\" camunda:resultVariable=\"r\" camunda:mapDecisionResult=\"singleEntry\" camunda:decisionRefBinding=\"version\"",
            ["BP608"]
        ),
    ])
    func wrongDecisionsAreFound(_ row: (xml: String, attributes: String, codes: [String])) {
        let content = around(
            """
            <businessRuleTask id="x" \(row.attributes)><extensionElements>\(row.xml)</extensionElements></businessRuleTask>
            """)
        #expect(codes(findings(content)) == row.codes)
    }
}
