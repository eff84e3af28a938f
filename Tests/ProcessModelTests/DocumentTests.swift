import ProcessModel
import Testing
import Values

/// Documents are read and written without loss.
@Suite struct DocumentTests {
    private static let diagramNamespaces = """
        xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" \
        xmlns:di="http://www.omg.org/spec/DD/20100524/DI"
        """

    /// A document with these contents and namespaces.
    private func text(_ content: String, _ attributes: String = "") -> String {
        "<definitions xmlns=\"\(Namespace.bpmn)\" xmlns:t=\"urn:tool\" \(Self.diagramNamespaces) \(attributes)>"
            + content + "</definitions>"
    }

    private func read(_ content: String, _ attributes: String = "") throws -> BPMNDocument {
        try BPMNDocument(Array(text(content, attributes).utf8))
    }

    private func written(_ document: BPMNDocument) -> String {
        String(decoding: document.export(), as: UTF8.self)
    }

    // MARK: Writing

    @Test(arguments: [
        "<process id=\"p\"/>",
        "<process id=\"p\">\n  <task id=\"a\" name=\"a &lt; b &amp; &quot;c&quot; ]]>\"/>\n</process>",
        "<process id=\"p\"><documentation>  two\n lines &amp; a ]]&gt; end </documentation></process>",
        "<process id=\"p\"><script><![CDATA[a < b]]></script></process>",
        "<!-- note --><process id=\"p\"><?tool keep=\"1\"?><?bare?></process>",
        "<process id=\"p\"><extensionElements><t:a t:b=\"1\" b=\"2\">mixed <t:c/> text</t:a></extensionElements></process>",
        "<process id=\"p\"><extensionElements><plain xmlns=\"\"/></extensionElements></process>",
        "<b:process xmlns:b=\"\(Namespace.bpmn)\" id=\"p\" xml:lang=\"de\"/>",
        "<process id=\"p\"><task id=\"a\" name=\"x&#10;y&#9;z\"/><text>&#13;</text></process>",
        "<task id=\"a b:c/d\"/><unknown tool=\"x\"/>",
        "<process id=\"p\"><t:a xmlns:t=\"urn:other\"><t:b/></t:a></process>",
    ])
    func whatIsReadIsWrittenAsItWas(content: String) throws {
        let whole = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + text(content) + "\n"
        let normalized = whole.replacing(Self.diagramNamespaces + " >", with: Self.diagramNamespaces + ">")
        #expect(try written(BPMNDocument(Array(whole.utf8))) == normalized)
    }

    @Test func whatStandsAroundTheRootIsKept() throws {
        let whole = """
            <?xml version="1.0" encoding="UTF-8" standalone="yes"?>
            <!-- before -->
            <?tool a?>
            <definitions xmlns="\(Namespace.bpmn)"/>
            <!-- after -->

            """
        let document = try BPMNDocument(Array(whole.utf8))
        #expect(document.isStandalone == true)
        #expect(written(document) == whole)
    }

    @Test(arguments: [
        ("utf-8 with a mark", [0xEF, 0xBB, 0xBF] + Array("<?xml version='1.0'?>".utf8), Encoding.utf8),
        (
            "utf-16, little", Encoding.utf16Little.encode("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?>"),
            .utf16Little
        ),
        ("utf-16, big", Encoding.utf16Big.encode("\u{FEFF}<?xml version='1.0' encoding='UTF-16'?>"), .utf16Big),
        ("latin 1", Array("<?xml version='1.0' encoding='ISO-8859-1'?>".utf8), .latin1),
        ("latin 9", Array("<?xml version='1.0' encoding='ISO-8859-15'?>".utf8), .latin1),
        ("windows", Array("<?xml version='1.0' encoding='WINDOWS-1252'?>".utf8), .latin1),
    ])
    func everyEncodingBecomesUTF8(_ row: (name: String, start: [UInt8], encoding: Encoding)) throws {
        let body = text("<process id=\"p\" name=\"Prüfung für Ärzte\"/>")
        let document = try BPMNDocument(row.start + row.encoding.encode(body))
        #expect(try document.isSemanticallyEqual(to: BPMNDocument(Array(body.utf8))))
        #expect(written(document).contains("Prüfung für Ärzte"))
    }

    enum Encoding: Sendable {
        case utf8, utf16Little, utf16Big, latin1

        func encode(_ text: String) -> [UInt8] {
            switch self {
            case .utf8: Array(text.utf8)
            case .utf16Little: text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
            case .utf16Big: text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            case .latin1: text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
            }
        }
    }

    @Test(arguments: [
        ("", "BP101"), ("<definitions", "BP101"), ("<a>\u{0}</a>", "BP102"), ("<html/>", "BP108"),
        ("<definitions xmlns=\"http://schema.omg.org/spec/BPMN/2.0\"/>", "BP108"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "BP106"),
        (String(repeating: "<a>", count: 300), "BP104"),
    ])
    func whatIsNoModelIsRefusedWithItsPlace(_ row: (text: String, code: String)) {
        let failure = #expect(throws: DocumentFailure.self) { try BPMNDocument(Array(row.text.utf8), file: "f") }
        #expect(failure?.diagnostic.code == row.code)
        #expect(failure?.diagnostic.line != nil)
        #expect(failure?.description.hasPrefix("f:1") == true)
    }

    // MARK: Meaning

    @Test(arguments: [
        ("<process id=\"p\"> <task id=\"a\"/>\n</process>", "<process id=\"p\"><task id=\"a\"/></process>"),
        ("<process id=\"p\" name=\"n\"/>", "<process name=\"n\" id=\"p\"/>"),
        ("<process id=\"p\"/><!-- c --><?pi?>", "<process id=\"p\"/>"),
        ("<b:process xmlns:b=\"\(Namespace.bpmn)\" id=\"p\"/>", "<process id=\"p\"/>"),
        ("<script><![CDATA[a<b]]></script>", "<script>a&lt;b</script>"),
        (
            "<message id=\"m\" itemRef=\"x:i\" xmlns:x=\"urn:1\"/>",
            "<message id=\"m\" itemRef=\"y:i\" xmlns:y=\"urn:1\"/>"
        ),
        (
            "<task><incoming xmlns:x=\"urn:1\"> x:i </incoming></task>",
            "<task><incoming xmlns:y=\"urn:1\">y:i</incoming></task>"
        ),
    ])
    func spellingIsNoDifference(_ row: (one: String, other: String)) throws {
        let (one, other) = try (read(row.one), read(row.other))
        #expect(one.isSemanticallyEqual(to: other))
        #expect(one.semanticDigest == other.semanticDigest)
        #expect(one.firstDifference(from: other) == nil)
    }

    @Test(arguments: [
        ("<process id=\"p\"/>", "<process id=\"q\"/>"),
        ("<process id=\"p\"/>", "<process id=\"p\"/><process id=\"q\"/>"),
        ("<process id=\"p\"/><process id=\"q\"/>", "<process id=\"p\"/>"),
        ("<task id=\"a\"/><task id=\"b\"/>", "<task id=\"b\"/><task id=\"a\"/>"),
        ("<task name=\"a\"/>", "<task name=\"A\"/>"),
        ("<task><documentation>a</documentation></task>", "<task><documentation>a </documentation></task>"),
        ("<task><incoming>f1</incoming></task>", "<task><incoming>f2</incoming></task>"),
        ("<task t:x=\"1\"/>", "<task x=\"1\"/>"),
        ("<t:task/>", "<task/>"),
        (
            "<extensionElements><t:a> </t:a></extensionElements>", "<extensionElements><t:a/></extensionElements>"
        ),
        (
            "<message itemRef=\"x:i\" xmlns:x=\"urn:1\"/>", "<message itemRef=\"x:i\" xmlns:x=\"urn:2\"/>"
        ),
        ("<dc:Bounds x=\"1\"/>", "<dc:Bounds x=\"1.5\"/>"),
        ("<di:waypoint x=\"1\" y=\"2\"/>", "<di:waypoint x=\"1\" y=\"3\"/>"),
        ("<script>a</script>", "<script>b</script>"),
    ])
    func whatIsSaidIsADifference(_ row: (one: String, other: String)) throws {
        let (one, other) = try (read(row.one), read(row.other))
        #expect(!one.isSemanticallyEqual(to: other))
        #expect(one.semanticDigest != other.semanticDigest)
        #expect(one.firstDifference(from: other) != nil)
    }

    @Test func elementsAreCountedByTheirNamespace() throws {
        let document = try read(
            """
            <process id="p" isExecutable="true"><task/><task/><extensionElements><odd/><t:task/></extensionElements>
            </process><process id="q" isExecutable="1"/><process id="r" isExecutable="false"/>
            """)
        let inventory = Inventory(document)
        let expected = Inventory(
            elements: ["definitions": 1, "process": 3, "task": 2, "extensionElements": 1, "odd": 1], processes: 3,
            executableProcesses: 2)
        #expect(inventory == expected)
        let other = Inventory(elements: ["definitions": 1, "lane": 1], processes: 1, executableProcesses: 0)
        #expect(
            other.differences(from: Inventory(elements: ["definitions": 1], processes: 1, executableProcesses: 1)) == [
                "1 lane instead of 0", "0 executable processes instead of 1",
            ])
        #expect(inventory.differences(from: expected) == [])
        #expect(other.differences(from: expected).last == "0 executable processes instead of 2")
        #expect(other.differences(from: expected).contains("1 processes instead of 3"))
    }

    // MARK: Looking

    @Test func elementsAreFoundAndKnowWhatTheyAre() throws {
        let document = try read(
            """
            <process id="p"><documentation>first</documentation><documentation>second</documentation>
            <extensionElements><t:a id="foreign"/><odd/></extensionElements>
            <startEvent id="s"><outgoing> f </outgoing></startEvent><task id="x:y"/>
            <sequenceFlow id="f" sourceRef="s" targetRef="t:x:y"/><sequenceFlow id="g" sourceRef="lost" targetRef="t:s"/>
            </process>
            """)
        let process = try #require(document.element(id: "p"))
        #expect(document.documentation(of: process) == ["first", "second"])
        #expect(document.extensionElements(of: process).map { document[$0].kind } == [.foreign, .unknownModel])
        #expect(document[process].kind == .model)
        #expect(document[process].line == 1)
        #expect(document.element(id: "foreign") == nil)
        #expect(document[document.root].parent == nil)
        let start = try #require(document.element(id: "s"))
        let flow = try #require(document.element(id: "f"))
        let outgoing = try #require(document.references(of: start).first)
        #expect((outgoing.role, outgoing.text, outgoing.target) == ("outgoing", "f", flow))
        #expect(document.references(of: flow).map(\.role) == ["sourceRef", "targetRef"])
        #expect(document.target(of: flow, "sourceRef") == start)
        #expect(document.target(of: start, "outgoing") == flow)
        #expect(document.resolve("x:y") == document.element(id: "x:y"))
        let lost = try #require(document.element(id: "g"))
        #expect(document.references(of: lost).map(\.target) == [nil, start])
        #expect(document.children(of: process, named: ["sequenceFlow"]) == [flow, lost])
        #expect(start < flow)
    }

    @Test(arguments: [false, true])
    func diagramsAreReadWhereverTheyStand(isFirst: Bool) throws {
        let model = "<process id=\"p\"><subProcess id=\"a\"/><sequenceFlow id=\"f\"/></process>"
        let diagram = """
            <bpmndi:BPMNDiagram><bpmndi:BPMNPlane bpmnElement="p"><bpmndi:BPMNShape bpmnElement="a" isExpanded="true" \
            t:fill="#fff" t:border-color="#000"><dc:Bounds x="1.5" y="2" width="3" height="4"/><bpmndi:BPMNLabel>\
            <dc:Bounds x="5" y="6" width="7" height="8"/></bpmndi:BPMNLabel></bpmndi:BPMNShape>
            <bpmndi:BPMNShape bpmnElement="lost"><dc:Bounds x="1" y="2" width="3" height="4"/></bpmndi:BPMNShape>
            <bpmndi:BPMNShape bpmnElement="a"><dc:Bounds x="1e400" y="2" width="3" height="4"/></bpmndi:BPMNShape>
            <bpmndi:BPMNEdge bpmnElement="f" t:stroke="red"><di:waypoint x="1" y="2"/><di:waypoint x="3" y="2"/>
            </bpmndi:BPMNEdge><bpmndi:BPMNEdge bpmnElement="f"><di:waypoint x="1" y="2"/></bpmndi:BPMNEdge>
            </bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
            """
        let document = try read(isFirst ? diagram + model : model + diagram)
        let drawn = try #require(document.diagrams().first)
        #expect(drawn.element == document.element(id: "p"))
        let shape = try #require(drawn.shapes.first)
        #expect(drawn.shapes.count == 1)
        #expect(shape.element == document.element(id: "a"))
        #expect(shape.bounds == DiagramBounds(x: 1.5, y: 2, width: 3, height: 4))
        #expect(shape.label == DiagramBounds(x: 5, y: 6, width: 7, height: 8))
        #expect((shape.isExpanded, shape.isHorizontal) == (true, nil))
        #expect((shape.fill, shape.stroke) == ("#fff", "#000"))
        #expect(drawn.edges.map(\.waypoints) == [[DiagramPoint(x: 1, y: 2), DiagramPoint(x: 3, y: 2)]])
        #expect(drawn.edges.map(\.stroke) == ["red"])
    }

    // MARK: Changing

    @Test func changesAreWrittenAndTheRestStays() throws {
        var document = try read("\n  <process id=\"p\">\n    <task id=\"a\">old<t:x/></task>\n  </process>\n")
        let original = document
        let process = try #require(document.element(id: "p"))
        let task = try #require(document.element(id: "a"))
        document.setAttribute("name", to: "A & B", of: task)
        document.setAttribute("id", to: "b", of: task)
        document.setText("new", of: task)
        let event = document.append(
            ExpandedName(uri: Namespace.bpmn, local: "endEvent"), attributes: [("id", "e")], to: process)
        document.append(ExpandedName(uri: "urn:new", local: "note"), prefix: "t", to: event)
        document.append(ExpandedName(uri: "", local: "plain"), prefix: "t", to: event)
        #expect(document.element(id: "a") == nil)
        #expect(document.element(id: "b") == task)
        #expect(document.element(id: "e") == event)
        #expect(
            written(document).contains(
                """
                    <task id="b" name="A &amp; B">new<t:x/></task>
                    <endEvent id="e">
                      <ns1:note xmlns:ns1="urn:new"/>
                      <plain xmlns=""/>
                    </endEvent>
                  </process>
                """.replacing("ns1:note xmlns:ns1", with: "t:note xmlns:t")))
        document.remove(event)
        document.setAttribute("name", to: nil, of: task)
        document.setAttribute("nothing", to: nil, of: task)
        document.setAttribute("id", to: "a", of: task)
        document.setText("old", of: task)
        document.remove(document.root)
        #expect(document.element(id: "e") == nil)
        #expect(document.isSemanticallyEqual(to: original))
        #expect(original.element(id: "a") == task)
    }

    @Test func anAttributeOfAnUndeclaredNamespaceGetsAPrefix() throws {
        // The element takes the prefix of its own that the attribute had.
        var document = try read("<process id=\"p\"><t:a t:x=\"1\"/></process>")
        let foreign = try #require(document.children(of: document.children(of: document.root)[0]).first)
        let moved = document.append(document[foreign].name, prefix: "t", to: document.root)
        #expect(document[moved].prefix == "t")
        let again = try BPMNDocument(document.export())
        #expect(again.isSemanticallyEqual(to: document))
    }
}
