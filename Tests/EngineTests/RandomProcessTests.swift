import ProcessModel
import Testing
import Values

@testable import Engine

/// Random paths through random processes (testing.md 2 and 3).
///
/// `JUNCTION_SEED` is the first process seed, `JUNCTION_RUNS` how many processes follow, `JUNCTION_ACTIONS`
/// how many random actions come before an instance is driven to its end; a failure names the seeds and
/// shows the document and the path.
@Suite("Random processes")
struct RandomProcessTests {
    private static let pathsPerProcess = 10
    private static let lanes = 4

    @Test("every instance can be driven to its end, and each step replays to the same state", arguments: 0..<lanes)
    func randomPaths(lane: Int) throws {
        let first = setting("JUNCTION_SEED", default: 1)
        let count = setting("JUNCTION_RUNS", default: 300)
        for seed in stride(from: first + lane, to: first + count, by: Self.lanes) {
            var generator = ProcessGenerator(seed: UInt64(seed))
            let text = generator.document()
            let imported = BPMNImporter.read(Array(text.utf8), file: "random-\(seed).bpmn")
            try #require(!imported.isRefused, "seed \(seed): \(imported.diagnostics)\n\(text)")
            // The document itself is of no interest to the journal here, only its name.
            let processes = imported.processes.map {
                NewProcess(process: $0, resourceName: "random.bpmn", resource: Array("random-\(seed)".utf8))
            }
            for path in 0..<Self.pathsPerProcess {
                let run = RandomRun(processes, seed: UInt64(seed * 1_000 + path))
                try run.run(actions: setting("JUNCTION_ACTIONS", default: 12))
                guard run.problems.isEmpty else {
                    Issue.record(
                        """
                        JUNCTION_SEED=\(seed) JUNCTION_RUNS=1, path \(path):
                        \(run.problems.prefix(3).joined(separator: "\n"))
                        path:
                          \(run.trace.joined(separator: "\n  "))
                        \(text)
                        """)
                    return
                }
            }
        }
    }
}
