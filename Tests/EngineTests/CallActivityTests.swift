import Foundation
import Testing
import Values

@testable import Engine

@Suite("Call activities")
struct CallActivityTests {
    @Test("a call starts the called process with all variables and takes all of them back")
    func propagation() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(Model.process("start -> c -> end", nodes: [Model.call("c", "q")]))
        let key = try harness.start("p", #"{"x":1}"#)
        let child = try #require(harness.instances.first { $0.parent == key })
        #expect(harness.variables(child.key) == #"{"x":1}"#)
        try harness.complete("w", #"{"y":2}"#)
        #expect(harness.outcome(key) == "completed")
        #expect(harness.variables(key) == #"{"x":1,"y":2}"#)
    }

    @Test("without propagation, mappings alone carry variables over")
    func mappings() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> c -> end",
                nodes: [
                    Model.call(
                        "c", "q",
                        attributes: "propagateAllParentVariables=\"false\" propagateAllChildVariables=\"false\"",
                        io: Model.io([("=x + 1", "n")], [("=m", "result")]))
                ]))
        let key = try harness.start("p", #"{"x":1}"#)
        let child = try #require(harness.instances.first { $0.parent == key })
        #expect(harness.variables(child.key) == #"{"n":2}"#)
        try harness.complete("w", #"{"m":7,"other":8}"#)
        #expect(harness.variables(key) == #"{"x":1,"result":7}"#)
    }

    @Test("without propagation and mappings nothing comes back")
    func nothingBack() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> c -> end", nodes: [Model.call("c", "q", attributes: "propagateAllChildVariables=\"false\"")]))
        let key = try harness.start("p", #"{"x":1}"#)
        try harness.complete("w", #"{"x":2}"#)
        #expect(harness.variables(key) == #"{"x":1}"#)
    }

    @Test("the called process may be named by an expression")
    func expression() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(Model.process("start -> c -> end", nodes: [Model.call("c", "=target")]))
        try harness.start("p", #"{"target":"q"}"#)
        #expect(harness.live == ["c", "w"])
    }

    @Test("bindings choose the version: latest, by tag, by deployment")
    func bindings() throws {
        let harness = EngineHarness()
        let attributes = [
            ("latest", "", "v3"), ("deployment", "bindingType=\"deployment\"", "v2"),
            ("tag", "bindingType=\"versionTag\" versionTag=\"stable\"", "v1"),
        ]
        try harness.deploy(Model.process("start -> v1 -> end", id: "q", tag: "stable"))
        try harness.deploy(
            Model.document(
                [Model.definition("start -> v2 -> end", id: "q")]
                    + attributes.map { name, attributes, _ in
                        Model.definition(
                            "start0 -> c -> end0", id: name, nodes: [Model.call("c", "q", attributes: attributes)]
                        )
                        .replacingOccurrences(of: "\"c\"", with: "\"c-\(name)\"")
                        .replacingOccurrences(of: "start0", with: "start-\(name)")
                        .replacingOccurrences(of: "end0", with: "end-\(name)")
                        .replacingOccurrences(of: "_c\"", with: "_c-\(name)\"")
                        .replacingOccurrences(of: "\"c_", with: "\"c-\(name)_")
                    }))
        try harness.deploy(Model.process("start -> v3 -> end", id: "q"))
        for (name, _, expected) in attributes {
            let key = try harness.start(name)
            #expect(harness.live.contains(expected), "\(name): \(harness.live)")
            harness.send(.cancelInstance(key: key))
        }
    }

    @Test("a missing process is an incident; once it is deployed, resolving starts it")
    func missing() throws {
        let harness = EngineHarness()
        try harness.deploy(
            Model.process(
                "start -> c -> end; b -> end2",
                nodes: [Model.call("c", "q"), Model.boundary("b", on: "c", Model.duration("PT1M"))]))
        let key = try harness.start()
        #expect(harness.incidents.map(\.type) == ["CALLED_ELEMENT_ERROR"])
        #expect(harness.partitions[0].engine.openTimerCount == 0)
        try harness.resolve()
        #expect(harness.incidents.count == 1)
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.resolve()
        #expect(harness.live == ["c", "w"])
        try harness.complete("w")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an error of the called process is caught at the call")
    func errorThrough() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> and -> w -> end; and -> v -> end2", id: "q"))
        try harness.deploy(Model.process("start -> c2 -> end", id: "middle", nodes: [Model.call("c2", "q")]))
        try harness.deploy(
            Model.process(
                "start -> c -> end; b -> after -> end2",
                nodes: [Model.call("c", "middle"), Model.boundary("b", on: "c", Model.onError("e"))],
                root: [Model.error("e", "E1")]))
        let key = try harness.start()
        harness.checkpointAll()
        try harness.raise("w", "E1", #"{"why":"bad"}"#)
        #expect(harness.live == ["after"])
        #expect(harness.instances.count == 1)
        #expect(harness.variables(key) == #"{"why":"bad"}"#)
    }

    @Test("an error nobody catches is an incident where it was thrown")
    func uncaughtInChild() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(Model.process("start -> c -> end", nodes: [Model.call("c", "q")]))
        let key = try harness.start()
        try harness.raise("w", "E1")
        #expect(harness.incidents.map(\.element) == ["w"])
        try harness.resolve()
        try harness.complete("w")
        #expect(harness.outcome(key) == "completed")
    }

    @Test("an interrupting timer at the call ends the called process")
    func interrupted() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(
            Model.process(
                "start -> c -> end; b -> after -> end2",
                nodes: [Model.call("c", "q"), Model.boundary("b", on: "c", Model.duration("PT1M"))]))
        try harness.start()
        harness.advance(seconds: 60)
        #expect(harness.live == ["after"])
    }

    @Test("processes that call each other in a circle end in an incident")
    func circle() throws {
        let harness = EngineHarness()
        harness.checks = false
        try harness.deploy(Model.process("start -> c -> end", nodes: [Model.call("c", "=target")]))
        let key = try harness.start("p", #"{"target":"p"}"#)
        #expect(harness.incidents.map(\.type) == ["CALLED_ELEMENT_ERROR"])
        #expect(harness.incidents.first?.message.contains("circle") == true)
        #expect(harness.instances.count == PartitionEngine.callDepthMax + 1)
        harness.checks = true
        #expect(harness.send(.cancelInstance(key: key)).isDone)
        #expect(harness.instances.isEmpty)
    }

    @Test("a call that cannot be left keeps its result, and leaves when resolved")
    func failsLeaving() throws {
        let harness = EngineHarness()
        try harness.deploy(Model.process("start -> w -> end", id: "q"))
        try harness.deploy(Model.process("start -> c; c -> [=ok] a -> end", nodes: [Model.call("c", "q")]))
        let key = try harness.start()
        try harness.complete("w", #"{"n":1}"#)
        #expect(harness.incidents.map(\.element) == ["c"])
        harness.checkpointAll()
        try harness.set(#"{"ok":true}"#, of: key)
        try harness.resolve()
        #expect(harness.live == ["a"])
    }
}
