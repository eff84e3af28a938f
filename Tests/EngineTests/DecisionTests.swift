import Decisions
import ProcessModel
import Testing
import Values

@testable import Engine

@Suite("Decisions: deployed, called by business rule tasks, evaluated alone")
struct DecisionTests {
    private typealias Text = DecisionText

    private static let fee = Text.model(
        "fees", Text.input("amount"),
        Text.table("fee", on: "amount", [("&lt; 100", "5"), ("&gt;= 100", "amount * 0.01")]),
        Text.literal("total", "amount + fee", of: ["amount"], after: ["fee"]))

    private func harness(
        _ models: [String] = [fee], calling decision: String = "total", binding: String = "", io: String = "",
        to variable: String = "total"
    ) throws -> EngineHarness {
        let harness = EngineHarness()
        harness.recordsEvents = true
        try harness.deploy(
            decisions: models,
            process: Model.process(
                "start -> d -> a -> end", nodes: [Text.task("d", decision, to: variable, binding: binding, io: io)]))
        return harness
    }

    private func evaluations(_ harness: EngineHarness) -> [DecisionEvaluated] {
        harness.events.compactMap { event in
            switch event {
            case .decisionEvaluated(_, let evaluated), .decisionEvaluatedAlone(let evaluated): evaluated
            default: nil
            }
        }
    }

    @Test(
        "a business rule task evaluates its decision at once and keeps the result",
        arguments: [
            (amount: "50", total: "55"), (amount: "200", total: "202"),
        ])
    func called(_ row: (amount: String, total: String)) throws {
        let harness = try harness()
        let key = try harness.start("p", "{\"amount\":\(row.amount)}")
        #expect(harness.variables(key) == "{\"amount\":\(row.amount),\"total\":\(row.total)}")
        try harness.complete("a")
        #expect(!harness.isLive(key))
    }

    @Test("every evaluation is recorded with each decision, its inputs and matched rules")
    func recorded() throws {
        let harness = try harness()
        try harness.start("p", #"{"amount":200}"#)
        let evaluated = try #require(evaluations(harness).first)
        let registry = harness.registry.decisions
        let total = try #require(registry.decision(id: "total"))
        let fee = try #require(registry.decision(id: "fee"))
        #expect(evaluated.decisionKey == total.key.rawValue && evaluated.failure == nil)
        #expect(evaluated.decisions.map(\.decisionKey) == [fee.key.rawValue, total.key.rawValue])
        #expect(Set(evaluated.decisions.map(\.key) + [evaluated.key]).count == 3)
        let table = try DecisionTrace(evaluated.decisions[0].trace)
        #expect(table.inputs.map(\.id) == ["c1"] && table.inputs.map(\.value) == [200])
        #expect(table.rules.map(\.id) == ["r2"] && table.rules.map(\.index) == [2])
        #expect(table.rules[0].outputs.map(\.value) == [2])
        let literal = try DecisionTrace(evaluated.decisions[1].trace)
        #expect(Set(literal.inputs.map(\.name)) == ["amount", "fee"] && literal.rules.isEmpty)
        #expect(evaluated.output.value == 202)
    }

    @Test("a model may read variables of the process that it does not declare")
    func undeclared() throws {
        let model = Text.model("m", Text.input("amount"), Text.literal("d1", "amount * rate", of: ["amount"]))
        let harness = try harness([model], calling: "d1", to: "r")
        let key = try harness.start("p", #"{"amount":5,"rate":2}"#)
        #expect(harness.variables(key) == #"{"amount":5,"rate":2,"r":10}"#)
    }

    @Test("output mappings see the result in the task alone")
    func mapped() throws {
        let harness = try harness(io: Model.io([], [("=total * 2", "double")]))
        let key = try harness.start("p", #"{"amount":50}"#)
        #expect(harness.variables(key) == #"{"amount":50,"double":110}"#)
    }

    @Test("a decision that is not there, or fails, is an incident that resolving evaluates again")
    func incidents() throws {
        let harness = EngineHarness()
        harness.recordsEvents = true
        try harness.deploy(
            Model.process("start -> d -> end", nodes: [Text.task("d", "=which", to: "r")]))
        let key = try harness.start("p", #"{"which":"fee","amount":"many"}"#)
        let missing = try #require(harness.incidents.first)
        #expect(missing.type == "CALLED_DECISION_ERROR")
        #expect(missing.message.contains("`fee`") && missing.message.contains("deployed are: none"))
        try harness.deploy(decisions: [Self.fee])
        try harness.resolve()
        let failed = try #require(harness.incidents.first)
        #expect(failed.type == "DECISION_EVALUATION_ERROR" && failed.message.contains("`fee`"))
        #expect(evaluations(harness).map { $0.failure != nil } == [true])
        harness.checkpointAll()
        harness.crash(0)
        try harness.set(#"{"amount":1}"#, of: key)
        try harness.resolve()
        #expect(!harness.isLive(key))
        #expect(evaluations(harness).count == 2)
    }

    @Test(
        "bindings choose the version: latest, deployment, version tag",
        arguments: [
            (binding: "", result: "3"), (binding: "bindingType=\"deployment\"", result: "1"),
            (binding: "bindingType=\"versionTag\" versionTag=\"blue\"", result: "2"),
        ])
    func bindings(_ row: (binding: String, result: String)) throws {
        let harness = try harness(
            [Text.model("m", Text.literal("d1", "1"))], calling: "d1", binding: row.binding, to: "r")
        try harness.deploy(decisions: [Text.model("m", Text.literal("d1", "2", tag: "blue"))])
        try harness.deploy(decisions: [Text.model("m", Text.literal("d1", "3"))])
        let key = try harness.start("p", "{}")
        #expect(harness.variables(key) == "{\"r\":\(row.result)}")
    }

    @Test("a document is a version of its model, and each of its decisions a version of its id")
    func versions() throws {
        let harness = EngineHarness()
        let registry = harness.registry.decisions
        let first = try #require(try harness.deploy(decisions: [Self.fee]).first)
        let events = harness.eventCount
        let same = try #require(try harness.deploy(decisions: [Self.fee]).first)
        #expect(same === first && harness.eventCount == events, "deploying what is there leaves no trace")
        harness.checkpointAll()
        harness.crash(0)
        #expect(try harness.deploy(decisions: [Self.fee]).first === first, "nor after a restart")
        let moved = try harness.deploy(
            decisions: [Self.fee.replacing("0.01", with: "0.02"), Text.model("other", Text.literal("fee", "9"))])
        #expect(moved.map(\.version) == [2, 1])
        #expect(moved.map(\.requirementsID) == ["fees", "other"])
        #expect(registry.decision(id: "fee")?.version == 3)
        #expect(registry.decision(id: "fee")?.requirements === moved[1])
        #expect(registry.decision(id: "fee", version: 2)?.requirements === moved[0])
        #expect(registry.decision(id: "total")?.version == 2)
        #expect(registry.decision(id: "total", version: 1)?.requirements === first)
        #expect(registry.decision(id: "total", deploymentKey: first.deploymentKey)?.version == 1)
        #expect(registry.ids == ["fee", "total"])
        #expect(registry.decision(id: "none") == nil && registry.decision(id: "fee", versionTag: "x") == nil)
        #expect(registry.decision(key: Key(rawValue: first.versions[0].key))?.id == "fee")
        let back = try #require(try harness.deploy(decisions: [Self.fee]).first)
        #expect(back.version == 3, "an older document is a new version")
    }

    @Test("a model is evaluated with the versions it was deployed with")
    func imports() throws {
        let base = Text.model("base", Text.literal("rate", "2"))
        let user = Text.model(
            "user", Text.literal("price", "base.rate * 10", after: ["urn:base#rate"]), imports: ["base"])
        let harness = try harness([base, user], calling: "price", to: "r")
        harness.checkpointAll()
        harness.crash(0)
        let newer = base.replacing("<text>2<", with: "<text>3<")
        try harness.deploy(decisions: [newer])
        let key = try harness.start("p", "{}")
        #expect(harness.variables(key) == #"{"r":20}"#)
        let evaluated = try #require(evaluations(harness).first)
        #expect(evaluated.decisions.count == 2)
        let rate = harness.registry.decisions.decision(key: Key(rawValue: evaluated.decisions[0].decisionKey))
        #expect(rate?.id == "rate" && rate?.version == 1)
        // The same document means something else when what it imports has changed.
        let again = try harness.deploy(decisions: [newer, user])
        #expect(again.map(\.version) == [2, 2])
        #expect(harness.variables(try harness.start("p", "{}")) == #"{"r":30}"#)
    }

    @Test("a decision is evaluated without a process, and recorded")
    func alone() throws {
        let harness = EngineHarness(partitions: 2)
        harness.recordsEvents = true
        try harness.deploy(decisions: [Self.fee])
        let decision = try #require(harness.registry.decisions.decision(id: "total"))
        for (variables, output) in [(#"{"amount":10}"#, "15"), (#"{"amount":"x"}"#, "null")] {
            let reply = harness.send(.evaluateDecision(decision, variables: try document(variables)), to: 1)
            guard case .evaluated(let evaluated) = reply else {
                Issue.record("\(reply)")
                continue
            }
            #expect(String(decoding: evaluated.output.json, as: UTF8.self) == output)
            #expect((evaluated.failure != nil) == (output == "null"))
        }
        #expect(evaluations(harness).count == 2)
    }

    @Test("a trace survives its encoding, and damage is refused")
    func trace() throws {
        let trace = DecisionTrace(
            inputs: [.init(id: "i", name: "n", value: [1, "x"])],
            rules: [.init(id: "r", index: 3, outputs: [.init(id: "", name: "o", value: .null)])])
        let read = try DecisionTrace(trace.bytes)
        #expect(read.bytes == trace.bytes && read.rules[0].index == 3 && read.inputs[0].value == [1, "x"])
        for length in 0..<trace.bytes.count {
            #expect(throws: DecodingFailure.self) { try DecisionTrace(Array(trace.bytes[..<length])) }
        }
    }
}
