import ProcessModel
import Testing
import Values

/// Models of the size people draw at most, and larger.
@Suite struct LargeModelTests {
    @Test(arguments: [1, 9, 10, 1_000])
    func sequencesOfAnyLength(count: Int) throws {
        let process = try imported(ModelGenerator.sequence(nodes: count))
        #expect(process.nodes.count == count + 3)
        #expect(process.flows.count == count + 1 + count / 10)
        #expect(process.flows.allSatisfy { process.nodes[$0.source].outgoing.contains($0.index) })
        #expect(process.flows.allSatisfy { process.nodes[$0.target].incoming.contains($0.index) })
        #expect(process.nodes.dropFirst().allSatisfy { $0.scope < $0.index })
    }

    @Test(arguments: [1, 10, 200])
    func nestedScopes(depth: Int) throws {
        let process = try imported(ModelGenerator.nested(depth: depth))
        #expect(process.nodes.count == 2 * depth + 3)
        #expect(process.node(id: "x0")?.scope == process.node(id: "x1")?.index)
    }

    @Test func documentsCanBeReadInParallel() async {
        let good = document(ModelGenerator.sequence(nodes: 100))
        let bad = Array("<a>\u{0}</a>".utf8)
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 {
                group.addTask { importOnly(good, file: nil).processes.first?.nodes.count == 103 }
                group.addTask { importOnly(bad, file: nil).diagnostics.map(\.code) == ["BP102"] }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
