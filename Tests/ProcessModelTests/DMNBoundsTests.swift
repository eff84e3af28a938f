import Decisions
import ProcessModel
import Testing
import Values

/// Hostile models end in a finding or a warning, within bounded time, memory and stack.
@Suite(.timeLimit(.minutes(1))) struct DMNBoundsTests {
    static let rows: [DMNRow] = [
        DMNRow(
            "recursion without end",
            knowledge("f", [("n", nil)], literal("f(n + 1)"))
                + decision("d", knows: ["f"], literal("f(1)")), .null, warning: "too deep"),
        DMNRow(
            "a tree of calls without end",
            knowledge("f", [("n", nil)], literal("[f(n), f(n)]"))
                + decision("d", knows: ["f"], literal("f(1)")), .null, warning: "too deep"),
        DMNRow(
            "a loop of loops",
            decision(
                "d", literal("count(for a in 1..2000, b in 1..2000 return a)")), .null, warning: "stopped"),
    ]

    @Test(arguments: rows)
    func anEvaluationIsBounded(_ row: DMNRow) throws { try row.check() }

    @Test func aLongChainOfDecisionsIsAnsweredOrRefused() throws {
        func chain(_ count: Int) throws -> DecisionOutcome {
            let links = (1...count).map {
                decision("d\($0)", decisions: $0 == 1 ? [] : ["d\($0 - 1)"], literal($0 == 1 ? "1" : "d\($0 - 1) + 1"))
            }
            return try model(links.joined()).evaluate(decision: "d\(count)", inputs: [:])
        }
        #expect(try chain(300).value == 300)
        #expect(try chain(5_000).isError)
    }

    @Test func deepNestingOfBoxesIsBounded() throws {
        func nested(_ depth: Int) -> DMNImportResult {
            let text = String(repeating: "<list>", count: depth) + String(repeating: "</list>", count: depth)
            return DMNImporter.read(dmn(decision("d", text)), file: nil)
        }
        #expect(nested(200).model?.evaluate(decision: "d", inputs: [:]).isError == false)
        #expect(nested(1_000).diagnostics.map(\.code) == ["DM001"])
    }

    @Test func aLargeTableIsRead() throws {
        let rules = (0..<5_000).map {
            "<rule><inputEntry><text>\($0)</text></inputEntry><outputEntry><text>\($0)</text></outputEntry></rule>"
        }
        let table = """
            <decisionTable><input><inputExpression><text>n</text></inputExpression></input><output/>\
            \(rules.joined())</decisionTable>
            """
        let model = try model(input("n") + decision("d", requires: ["n"], table))
        #expect(model.evaluate(decision: "d", inputs: ["n": 4_999]).value == 4_999)
    }

    @Test func manyMistakesAreCutOff() {
        let content = (0..<2_000).map { decision("d\($0)", literal("1 +")) }.joined()
        #expect(DMNImporter.read(dmn(content), file: nil).diagnostics.count <= 1_000)
    }

    @Test func damagedDocumentsNeverCrash() {
        let document = dmn(
            DMNTypeTests.types + DMNBoxedTests.service + DMNTableTests.table("", DMNTableTests.overlapping))
        var random = Generator(seed: 20_261_124)
        for _ in 0..<300 {
            var bytes = document
            for _ in 0...random.next(below: 3) {
                let position = random.next(below: bytes.count)
                switch random.next(below: 3) {
                case 0: bytes.remove(at: position)
                case 1: bytes[position] = UInt8(random.next(below: 128))
                default:
                    let end = min(bytes.count, position + random.next(below: 80))
                    bytes.removeSubrange(position..<end)
                }
            }
            guard let model = DMNImporter.read(bytes, file: nil).model else { continue }
            for decision in model.decisions { _ = model.evaluate(decision: decision.name, inputs: ["n": 7, "x": 1]) }
        }
    }

    /// A linear congruential generator: the same sequence for the same seed.
    private struct Generator {
        private var state: UInt64

        init(seed: UInt64) { state = seed }

        mutating func next(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }
}
