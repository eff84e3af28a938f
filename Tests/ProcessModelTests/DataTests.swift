import Decisions
import ProcessModel
import Testing
import Values

/// Data of the standard becomes variables and mappings.
@Suite struct DataTests {
    private static let inputs = """
        <ioSpecification><dataInput id="in" name="item"/><dataOutput id="out" name="result"/>
        <inputSet><dataInputRefs>in</dataInputRefs></inputSet><outputSet><dataOutputRefs>out</dataOutputRefs></outputSet>
        </ioSpecification>
        """

    private static func input(_ content: String) -> String {
        "<dataInputAssociation>\(content)</dataInputAssociation>"
    }

    private static func output(_ content: String) -> String {
        "<dataOutputAssociation>\(content)</dataOutputAssociation>"
    }

    private static func ends(_ source: String, _ target: String) -> String {
        "<sourceRef>\(source)</sourceRef><targetRef>\(target)</targetRef>"
    }

    private static func assignment(_ from: String, _ to: String) -> String {
        "<assignment><from>\(from)</from><to>\(to)</to></assignment>"
    }

    private static let objects = """
        <dataObject id="order" name="order"/><dataObject id="DataObject_1"/><dataObject id="third" name="not a name"/>
        <dataObjectReference id="ref" name="Invoice [paid]" dataObjectRef="DataObject_1"/>
        <dataObjectReference id="ref2" name="Invoice [open]" dataObjectRef="DataObject_1"/>
        <dataStoreReference id="stock" dataStoreRef="store"/><property id="total"/>
        """

    @Test func dataObjectsAndPropertiesAreVariablesOfTheirScope() throws {
        let process = try imported(
            Self.objects
                + around(
                    """
                    <subProcess id="x"><property id="p1" name="inner"/><dataObject id="list" isCollection="true"/>
                    <startEvent id="s"/></subProcess>
                    """))
        #expect(process.nodes[0].dataObjects == ["order", "Invoice", "third", "total"])
        #expect(process.node(id: "x")?.dataObjects == ["inner", "list"])
        let task = try importedNode("<task id=\"x\"><property id=\"note\"/></task>")
        #expect(task.dataObjects == ["note"])
    }

    /// An activity `x` with an input and an output and these associations.
    private static func process(_ associations: String) throws -> ExecutableProcess {
        try imported(
            objects + around("<task id=\"x\">\(inputs)\(associations)</task>"),
            root: "<dataStore id=\"store\" name=\"warehouse\"/>")
    }

    @Test(arguments: [
        (ends("order", "in"), "item ← =order"), (ends("ref", "in"), "item ← =Invoice"),
        (ends("stock", "in"), "item ← =warehouse"), (ends("total", "in"), "item ← =total"),
        (
            ends("order", "in") + "<transformation>order.lines[1]</transformation>", "item ← =order.lines[1]"
        ),
        (assignment("order.id", "item.number"), "item.number ← =order.id"),
        (assignment("=order.id", "=in"), "item ← =order.id"),
    ])
    func anInputAssociationFillsALocalVariable(_ row: (xml: String, mapping: String)) throws {
        let node = try #require(Self.process(Self.input(row.xml)).node(id: "x"))
        #expect(node.inputs.map(\.text) == [row.mapping])
        #expect(node.outputs.isEmpty)
    }

    @Test(arguments: [
        (ends("out", "order"), "order ← =if result = null then order else result", false),
        (ends("out", "ref2"), "Invoice ← =if result = null then Invoice else result", false),
        (ends("out", "stock"), "warehouse ← =if result = null then warehouse else result", true),
        (ends("out", "order") + "<transformation>result + 1</transformation>", "order ← =result + 1", false),
        (assignment("result.id", "order.id"), "order.id ← =result.id", false),
        ("<targetRef>stock</targetRef>" + assignment("result", "warehouse.left"), "warehouse.left ← =result", true),
    ])
    func anOutputAssociationWritesWhatWasProduced(_ row: (xml: String, mapping: String, isStore: Bool)) throws {
        let process = try Self.process(Self.output(row.xml))
        let node = try #require(process.node(id: "x"))
        #expect(node.outputs.map(\.text) == [row.mapping])
        #expect(node.outputs.first?.isDataStore == row.isStore)
        #expect(process.dataStores == (row.isStore ? ["warehouse"] : []))
        #expect(node.inputs.isEmpty)
    }

    @Test(arguments: [
        input("<sourceRef>order</sourceRef>"), input("<targetRef>in</targetRef>"),
        output("<targetRef>order</targetRef>"),
        input(ends("order", "place")) + "<property id=\"place\" name=\"__targetRef_placeholder\"/>",
    ])
    func anArrowMovesNothing(xml: String) throws {
        let content = Self.objects + around("<task id=\"x\">\(Self.inputs)\(xml)</task>")
        #expect(findings(content).map(\.code) == ["BP509"])
        let node = try #require(imported(content).node(id: "x"))
        #expect(node.inputs.isEmpty && node.outputs.isEmpty && node.dataObjects.isEmpty)
    }

    @Test func extensionsOfDataAreMentioned() {
        let object =
            "<dataObject id=\"d\"><extensionElements><camunda:value>1</camunda:value></extensionElements></dataObject>"
        #expect(codes(findings(object + around("<task id=\"x\"/>"))) == ["BP603"])
    }

    @Test func anOutputThatWasNotProducedLeavesItsTarget() throws {
        let output = try #require(Self.process(Self.output(Self.ends("out", "order"))).node(id: "x")?.outputs.first)
        #expect(output.source.evaluateValue(MapScope(["order": 1])) == 1)
        #expect(output.source.evaluateValue(MapScope(["order": 1, "result": 2])) == 2)
    }

    @Test func aMessageIsMappedByTheDataOfItsEvent() throws {
        let process = try imported(
            Self.objects + """
                <startEvent id="s"><dataOutput id="msg" name="payload"/>\(Self.output(Self.ends("msg", "order")))
                <outputSet><dataOutputRefs>msg</dataOutputRefs></outputSet><messageEventDefinition messageRef="m"/></startEvent>
                <sequenceFlow id="f" sourceRef="s" targetRef="e"/>
                <endEvent id="e"><dataInput id="sent" name="sent"/>\(Self.input(Self.ends("order", "sent")))
                <inputSet><dataInputRefs>sent</dataInputRefs></inputSet><messageEventDefinition messageRef="m"/></endEvent>
                """, root: "<message id=\"m\" name=\"n\"/>")
        #expect(process.node(id: "s")?.outputs.map(\.text) == ["order ← =if payload = null then order else payload"])
        #expect(process.node(id: "e")?.inputs.map(\.text) == ["sent ← =order"])
    }

    @Test(arguments: [
        (input(ends("nothing", "in")), ["BP218"]), (input(ends("order", "nothing")), ["BP218"]),
        (input("<sourceRef>order</sourceRef>" + ends("ref", "in")), ["BP218"]),
        (input(ends("in2", "in")), ["BP218"]), (input("<assignment><from>a</from></assignment>"), ["BP218"]),
        (input(assignment("a", "1 + 2")), ["BP406"]), (input(assignment("a +", "item")), ["BP401"]),
    ])
    func wrongAssociationsAreFound(_ row: (xml: String, codes: [String])) {
        let content = Self.objects + around("<task id=\"x\">\(Self.inputs)\(row.xml)</task>")
        #expect(codes(findings(content)) == row.codes)
    }

    // MARK: Multi-instance

    @Test func aMarkerReadsTheCollectionBehindADataInput() throws {
        let process = try imported(
            """
            <dataObject id="orders" isCollection="true"/><dataObject id="answers" isCollection="true"/>
            """
                + around(
                    """
                    <userTask id="x"><ioSpecification><dataInput id="all"/><dataInput id="one" name="order"/><dataOutput id="each"/>
                    <dataOutput id="every"/></ioSpecification>
                    \(Self.input(Self.ends("orders", "all")))\(Self.input(Self.ends("item", "one")))
                    \(Self.output(Self.ends("every", "answers")))
                    <multiInstanceLoopCharacteristics><loopDataInputRef>all</loopDataInputRef>
                    <loopDataOutputRef>every</loopDataOutputRef><inputDataItem id="item"/><outputDataItem id="answer"/>
                    </multiInstanceLoopCharacteristics></userTask>
                    """))
        let node = try #require(process.node(id: "x"))
        let loop = try #require(node.multiInstance)
        #expect(loop.collection?.source == "orders")
        #expect(loop.inputElement == "item")
        #expect(loop.outputCollection == "answers")
        #expect(loop.outputElement?.source == "answer")
        #expect(node.inputs.map(\.text) == ["order ← =item"])
        #expect(node.outputs.isEmpty)
    }

    @Test func aMarkerMayNameADataObject() throws {
        let process = try imported(
            "<dataObject id=\"orders\"/>"
                + around(
                    """
                    <task id="x"><multiInstanceLoopCharacteristics><loopDataInputRef>orders</loopDataInputRef>
                    <inputDataItem id="i" name="order"/></multiInstanceLoopCharacteristics></task>
                    """))
        let loop = try #require(process.node(id: "x")?.multiInstance)
        #expect(loop.collection?.source == "orders")
        #expect(loop.inputElement == "order")
        #expect(loop.outputCollection == nil)
        #expect(loop.outputElement == nil)
    }
}
