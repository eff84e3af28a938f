import Decisions
import ProcessModel
import Testing
import Values

/// What the importer makes of flows, scopes and references.
@Suite struct GraphTests {
    @Test func nodesAndFlowsAreNumberedInDocumentOrderWithScopesFirst() throws {
        let process = try imported(
            """
            <startEvent id="start" name="Begin"/>
            <subProcess id="sub"><startEvent id="in"/><endEvent id="out"/>
              <sequenceFlow id="inner" sourceRef="in" targetRef="out"/></subProcess>
            <endEvent id="end" name=""/>
            <sequenceFlow id="a" sourceRef="start" targetRef="sub"/>
            <sequenceFlow id="b" sourceRef="sub" targetRef="end"/>
            """, process: "name=\"Order intake\" camunda:versionTag=\"v7\"")
        #expect(process.id == "p")
        #expect(process.name == "Order intake")
        #expect(process.versionTag == "v7")
        #expect(process.nodes.map(\.id) == ["p", "start", "sub", "in", "out", "end"])
        #expect(process.nodes.map(\.scope) == [-1, 0, 0, 2, 2, 0])
        #expect(process.nodes.map(\.index) == [0, 1, 2, 3, 4, 5])
        #expect(process.nodes.map(\.kind) == [.process, .startEvent, .subProcess, .startEvent, .endEvent, .endEvent])
        #expect(process.nodes[1].name == "Begin")
        #expect(process.nodes[5].name == nil)
        #expect(process.flows.map(\.id) == ["inner", "a", "b"])
        #expect(process.nodes[2].incoming == [1])
        #expect(process.nodes[2].outgoing == [2])
        #expect(process.nodes[2].start == 3)
        #expect(process.noneStart == 1)
        #expect(process.nodes[2].line == 4)
    }

    @Test(arguments: ["bpmn:", "bpmn2:", "semantic:", ""])
    func everyPrefixReadsTheSame(prefix: String) {
        let declaration = prefix.isEmpty ? "xmlns" : "xmlns:\(prefix.dropLast())"
        let text = """
            <\(prefix)definitions \(declaration)="\(Namespace.bpmn)"><\(prefix)process id="p" isExecutable="true">
            <\(prefix)startEvent id="s"/><\(prefix)endEvent id="e"/>
            <\(prefix)sequenceFlow id="f" sourceRef="s" targetRef="e"/>
            </\(prefix)process></\(prefix)definitions>
            """
        let result = importOnly(Array(text.utf8), file: nil)
        #expect(result.diagnostics == [])
        #expect(result.processes.first?.nodes.map(\.id) == ["p", "s", "e"])
    }

    @Test func flowsMayStandOnlyInTheNodes() throws {
        let process = try imported(
            """
            <startEvent id="s"><outgoing>f</outgoing></startEvent><sequenceFlow id="f"/>
            <endEvent id="e"><incoming>f</incoming></endEvent>
            """)
        #expect(process.flows.map(\.source) == [1])
        #expect(process.flows.map(\.target) == [2])
    }

    @Test func referencesMayBeQualified() throws {
        let process = try imported(
            """
            <startEvent id="s"><outgoing>t:f</outgoing></startEvent><endEvent id="e"/>
            <sequenceFlow id="f" sourceRef="t:s" targetRef="t:e"/>
            """)
        #expect(process.flows.first?.target == 2)
    }

    @Test func outgoingChildrenOrderTheFlowsOfAGateway() throws {
        let gateway = """
            <startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="g"/>
            <exclusiveGateway id="g" default="f2">%</exclusiveGateway><endEvent id="a"/><endEvent id="b"/>
            <sequenceFlow id="f1" sourceRef="g" targetRef="a"><conditionExpression>x = 1</conditionExpression></sequenceFlow>
            <sequenceFlow id="f2" sourceRef="g" targetRef="b"/>
            """
        func order(_ children: String) throws -> [String]? {
            let process = try imported(gateway.replacing("%", with: children))
            return process.node(id: "g")?.outgoing.map { process.flows[$0].id }
        }
        #expect(try order("<outgoing>f2</outgoing><outgoing>f1</outgoing>") == ["f2", "f1"])
        #expect(try order("") == ["f1", "f2"])
        // An incomplete list says nothing about the rest.
        #expect(try order("<outgoing>f2</outgoing>") == ["f1", "f2"])
    }

    @Test(arguments: ["= amount > 10 ", "amount > 10", "\n  <![CDATA[amount > 10]]>\n"])
    func aConditionIsFEELWithOrWithoutEqualsSign(body: String) throws {
        let process = try imported(
            """
            <startEvent id="s"/><sequenceFlow id="f0" sourceRef="s" targetRef="g"/>
            <exclusiveGateway id="g" default="f2"/><endEvent id="a"/><endEvent id="b"/>
            <sequenceFlow id="f1" sourceRef="g" targetRef="a"><conditionExpression
              language="https://www.omg.org/spec/DMN/20191111/FEEL/">\(body)</conditionExpression></sequenceFlow>
            <sequenceFlow id="f2" sourceRef="g" targetRef="b"/>
            """)
        #expect(process.flows[1].condition?.source.contains("amount > 10") == true)
        #expect(process.flows[2].condition == nil)
        #expect(process.node(id: "g")?.defaultFlow == 2)
    }

    @Test func severalProcessesAreReadAndOthersSkipped() {
        let text = """
            <definitions xmlns="\(Namespace.bpmn)">
            <process id="a" isExecutable="true"><startEvent id="s1"/></process>
            <process id="drawing" isExecutable="false"><inclusiveGateway id="g"/></process>
            <process id="unmarked"><inclusiveGateway id="h"/></process>
            <process id="b" isExecutable="1"><startEvent id="s2"/></process>
            </definitions>
            """
        let result = importOnly(Array(text.utf8), file: nil)
        #expect(result.processes.map(\.id) == ["a", "b"])
        #expect(result.diagnostics.map(\.code) == ["BP318", "BP318"])
        #expect(result.diagnostics.map(\.elementID) == ["drawing", "unmarked"])
        #expect(!result.isRefused)
    }

    @Test func aProcessIsExecutedWhenNoneIsMarked() {
        let text =
            "<definitions xmlns=\"\(Namespace.bpmn)\"><process id=\"a\"><startEvent id=\"s\"/></process></definitions>"
        #expect(importOnly(Array(text.utf8), file: nil).processes.map(\.id) == ["a"])
    }

    @Test func whatIsForPeopleIsKept() throws {
        let process = try imported(
            """
            <documentation>Text</documentation><laneSet id="lanes"><lane id="l"><flowNodeRef>s</flowNodeRef></lane></laneSet>
            <dataObject id="d"/><dataObjectReference id="dr" dataObjectRef="d"/><dataStoreReference id="ds"/>
            <startEvent id="s"><documentation>Text</documentation></startEvent>
            <textAnnotation id="t"><text>note</text></textAnnotation>
            <association id="as" sourceRef="s" targetRef="t"/><group id="g"/>
            """,
            root: """
                <collaboration id="c"><participant id="pp" processRef="p"/><messageFlow id="mf"/></collaboration>
                <category id="cat"/><itemDefinition id="i"/><tool:anything id="s"/>
                """)
        #expect(process.nodes.map(\.id) == ["p", "s"])
    }

    @Test func textAroundChildElementsIsJoined() throws {
        let node = try importedNode("<scriptTask id=\"x\"><script> 1<tool:x/> +<!-- c --> 2 </script></scriptTask>")
        #expect(node.script?.expression?.source == "1 + 2")
    }

    @Test func severalExtensionElementsCountTogether() throws {
        let node = try importedNode(
            """
            <serviceTask id="x"><extensionElements><zeebe:taskDefinition type="a"/></extensionElements>
            <extensionElements><zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders></extensionElements>
            </serviceTask>
            """)
        #expect(node.job?.type.text == "a")
        #expect(node.job?.headers.count == 1)
    }

    /// BPMN's own default language is XPath, which every tool writes down and nobody uses.
    @Test(arguments: [
        ("http://www.w3.org/1999/XPath", "a > 1", true),
        ("https://www.omg.org/spec/DMN/20191111/FEEL/", "a > 1", true),
        ("http://groovy.codehaus.org/", "=a > 1", true),
        ("http://groovy.codehaus.org/", "a > 1", false),
    ])
    func theDocumentMayNameTheExpressionLanguage(_ row: (language: String, body: String, isRead: Bool)) {
        let text = """
            <definitions xmlns="\(Namespace.bpmn)" expressionLanguage="\(row.language)"><process id="p">
            <startEvent id="s"/><task id="t"/><endEvent id="e"/><sequenceFlow id="f" sourceRef="s" targetRef="t"/>
            <sequenceFlow id="g" sourceRef="t" targetRef="e"><conditionExpression>\(row.body)</conditionExpression>
            </sequenceFlow><sequenceFlow id="h" sourceRef="t" targetRef="e"/></process></definitions>
            """
        let result = importOnly(Array(text.utf8), file: nil)
        #expect(result.diagnostics.map(\.code) == (row.isRead ? [] : ["BP504"]))
    }

    @Test func foreignExtensionsAreKeptAndMentionedOnce() {
        let found = findings(
            """
            <startEvent id="s" tool:color="red"><extensionElements><tool:box><tool:inner/></tool:box></extensionElements>
            </startEvent>
            """)
        #expect(found.map(\.code) == ["BP607"])
        #expect(found.first?.severity == .info)
        #expect(found.first?.message == "Extensions of urn:tool (2 times) are kept and not executed.")
    }

    @Test func findingsSayWhereAndWhat() throws {
        let found = findings(around("<choreographyTask id=\"x\"/>"))
        let finding = try #require(found.first { $0.code == "BP501" })
        #expect(finding.file == "model.bpmn")
        #expect(finding.line == 4)
        #expect(finding.elementID == "x")
        #expect(finding.remedy?.isEmpty == false)
        #expect(importOnly(document(around("<choreographyTask id=\"x\"/>")), file: nil).processes.isEmpty)
    }

    @Test func findingsStandInDocumentOrder() {
        let found = findings(
            "<endEvent id=\"e\"/><choreographyTask id=\"c\"/>\n<startEvent id=\"s\"><x/></startEvent>\n<y/>")
        #expect(found.compactMap(\.line) == found.compactMap(\.line).sorted())
        #expect(codes(found) == ["BP302", "BP501", "BP508", "BP508"])
    }

    @Test func findingsComeInTheSameOrderEachTime() {
        let vendors = (0..<20).map { "xmlns:v\($0)=\"urn:v\($0)\" v\($0):a=\"1\"" }.joined(separator: " ")
        let content = "<startEvent id=\"s\" \(vendors)/>"
        let first = findings(content)
        #expect(first.count == 20)
        #expect((0..<10).allSatisfy { _ in findings(content) == first })
    }

    @Test func aFloodOfFindingsIsCutOff() throws {
        let found = findings(String(repeating: "<y/>", count: 5_000))
        #expect(found.count == 1_001)
        let last = try #require(found.last)
        #expect(last.code == "BP110")
        #expect(last.severity == .error)
        #expect(last.message == "There are 4001 more findings.")
    }
}
