import Foundation
import ProcessModel
import Testing
import Values

@testable import Engine

/// Random paths through random processes (testing.md 2 and 3).
///
/// `JUNCTION_SEED` is the first process seed, `JUNCTION_RUNS` how many processes follow, `JUNCTION_PATHS` how many paths
/// each is sent along, `JUNCTION_PATH` the first of them, `JUNCTION_ACTIONS` how many random actions come before an
/// instance is driven to its end; `JUNCTION_SOAK_ROUNDS` repeats all with other seeds. A failure names its seeds and
/// shows the document and the path.
@Suite("Random processes")
struct RandomProcessTests {
    private static let lanes = 5

    @Test("every instance can be driven to its end, and each step replays to the same state", arguments: 0..<lanes)
    func randomPaths(lane: Int) throws {
        let count = setting("JUNCTION_RUNS", default: 500)
        let first = setting("JUNCTION_SEED", default: 1)
        let rounds = max(1, setting("JUNCTION_SOAK_ROUNDS", default: 1))
        var figures = Figures()
        for seed in stride(from: first + lane, to: first + count * rounds, by: Self.lanes) {
            guard try run(seed, &figures) else { return }
        }
        print("random processes, lane \(lane): \(figures)")
    }

    private struct Figures: CustomStringConvertible {
        var processes = 0
        var paths = 0
        var steps = 0
        var stuck = 0

        var description: String {
            "\(processes) processes, \(paths) paths, \(steps) steps, \(stuck) cancelled in the end"
        }
    }

    /// Sends one process along its paths; false when one failed.
    private func run(_ seed: Int, _ figures: inout Figures) throws -> Bool {
        var generator = ProcessGenerator(seed: UInt64(seed))
        let text = generator.document()
        let imported = BPMNImporter.read(
            Array(text.utf8), file: "random-\(seed).bpmn", checksConstraints: false)
        try #require(!imported.isRefused, "seed \(seed): \(imported.diagnostics)\n\(text)")
        // The document itself is of no interest to the journal here, only its name.
        let processes = imported.processes.map {
            NewProcess(process: $0, resourceName: "random.bpmn", resource: Array("random-\(seed)".utf8))
        }
        figures.processes += 1
        let first = setting("JUNCTION_PATH", default: 0)
        for path in first..<first + setting("JUNCTION_PATHS", default: 20) {
            let run = try RandomRun(
                processes, hasDecisions: generator.hasDecisions, seed: UInt64(seed * 1_000 + path))
            try run.run(actions: setting("JUNCTION_ACTIONS", default: 12))
            figures.paths += 1
            figures.steps += run.steps
            if run.wasStuck { figures.stuck += 1 }
            guard run.problems.isEmpty else {
                Issue.record(
                    """
                    JUNCTION_SEED=\(seed) JUNCTION_RUNS=1 JUNCTION_PATH=\(path) JUNCTION_PATHS=1:
                    \(run.problems.prefix(3).joined(separator: "\n"))
                    path:
                      \(run.trace.joined(separator: "\n  "))
                    \(text)
                    """)
                return false
            }
        }
        return true
    }
}
