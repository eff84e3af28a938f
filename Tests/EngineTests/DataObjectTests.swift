import Testing
import Values

@testable import Engine

/// Data objects, properties and data stores (BPMN 2.0.2 clause 10.4).
@Suite("Data objects and stores")
struct DataObjectTests {
    private static let object = "<dataObject id=\"o1\" name=\"object\"/>"
    private static let root = ["<dataStore id=\"stock\" name=\"stock\"/>"]

    @Test("a data object is null at first, and a variable given at the start")
    func beginning() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> a -> end", nodes: [Self.object]))
        #expect(harness.variables(try harness.start()) == #"{"object":null}"#)
        #expect(harness.variables(try harness.start("p", #"{"object":1}"#)) == #"{"object":1}"#)
    }

    @Test("one of a sub-process is there for each performance and hides the one outside")
    func scopes() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> s -> d -> end",
                nodes: [
                    Self.object,
                    Model.sub(
                        "s", "start1 -> a -> w -> end1",
                        nodes: [
                            "<property id=\"o2\" name=\"object\"/>", Model.script("w", "=object", to: "seen"),
                        ], loop: Model.loop(times: "=2", sequential: true)),
                ]))
        let key = try harness.start("p", #"{"object":1}"#)
        try harness.complete("a", #"{"object":5}"#)
        #expect(harness.variables(key) == #"{"object":1,"seen":5}"#)
        try harness.complete("a")
        #expect(harness.variables(key) == #"{"object":1,"seen":null}"#)
    }

    private static func writing(_ id: String) -> String {
        """
        <serviceTask id="\(id)"><extensionElements><zeebe:taskDefinition type="\(id)"/></extensionElements>\
        <dataOutputAssociation><sourceRef>n</sourceRef><targetRef>stock</targetRef><assignment><from>=n</from>\
        <to>stock</to></assignment></dataOutputAssociation></serviceTask>
        """
    }

    private static let reading = """
        <scriptTask id="r"><extensionElements><zeebe:script expression="=copy" resultVariable="seen"/></extensionElements>\
        <dataInputAssociation><sourceRef>stock</sourceRef><targetRef>stock</targetRef><assignment><from>=stock</from>\
        <to>copy</to></assignment></dataInputAssociation></scriptTask>
        """

    @Test("a data store outlives instances and is the same in all partitions, after a crash too")
    func store() throws {
        let harness = EngineHarness(partitions: 3)
        try harness.deploy(Model.process("start -> a -> end", nodes: [Self.writing("a")], root: Self.root))
        try harness.deploy(Model.process("start -> r -> w -> end", id: "q", nodes: [Self.reading], root: Self.root))
        #expect(harness.variables(try harness.start("q")) == #"{"seen":null}"#)
        for value in [1, 2] {
            let key = try harness.start("p", "{}", in: value)
            try harness.complete("a", #"{"n":\#(value)}"#)
            #expect(harness.outcome(key) == "completed")
            for partition in 0..<3 {
                #expect(harness.variables(try harness.start("q", "{}", in: partition)) == #"{"seen":\#(value)}"#)
            }
            if value == 1 { harness.checkpointAll() }
            for partition in 0..<3 { harness.crash(partition) }
        }
    }

    @Test("a condition may read a data store")
    func condition() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> a -> xor1; xor1 -> [=stock > 1] b -> end; xor1 -> [default] c -> end2",
                nodes: [Self.writing("a")], root: Self.root))
        try harness.start()
        try harness.complete("a", #"{"n":2}"#)
        #expect(harness.live == ["b"])
    }
}
