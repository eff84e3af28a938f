import Foundation
import Testing
import Values

/// examples/order-intake as a person runs it, on the real program, store and HTTP service.
@Suite(.timeLimit(.minutes(5))) struct OrderIntakeRunTests {
    private func orderIntake(data: TemporaryFolder, seed: Int, _ arguments: String...) async throws -> Program.Run {
        try await Program.run(
            "examples/order-intake/run", ["--data", data.path, "--count", "64", "--seed", "\(seed)"] + arguments,
            environment: ["JUNCTION_PROGRAM": Program.junction, "STUB_PORT": "0"])
    }

    private func junction(_ arguments: String..., data: TemporaryFolder) async throws -> Program.Run {
        try await Program.run(Program.junction, arguments + ["--data", data.path])
    }

    private func summary(_ data: TemporaryFolder) throws -> Value {
        try JSON.parse([UInt8](try Data(contentsOf: data.url.appending(path: "summary.json"))))
    }

    /// `run` itself compares the summary with the manifest and with the effects outside, and fails on a gap.
    @Test(arguments: [1])
    func everyOrderIsAccountedFor(seed: Int) async throws {
        let data = try TemporaryFolder()
        let run = try await orderIntake(data: data, seed: seed)
        #expect(run.status == 0, "\(run.errors)")
        let summary = try summary(data)
        #expect(summary["received"] == 64)
        #expect(summary["unaccounted"] == 0)

        let letters = try await junction("dead-letter", "list", "--json", data: data)
        #expect(letters.status == 0, "\(letters.errors)")
        #expect(letters.lines.count == summary["deadLettered"]?.asInt64.map { Int($0) })

        let again = try await orderIntake(data: data, seed: seed)
        #expect(again.status == 0, "\(again.errors)")
        #expect(try self.summary(data)["received"] == 64)

        let audit = try await junction("audit", "verify", data: data)
        #expect(audit.status == 0, "\(audit.errors)")
        let doctor = try await junction("doctor", data: data)
        #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
    }

    /// SIGKILL while orders flow: the next run goes on, nothing is lost and nothing happens twice outside.
    @Test(arguments: [2, 3])
    func nothingIsLostOrDoneTwiceWhenTheHubIsKilled(seed: Int) async throws {
        let data = try TemporaryFolder()
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<3 {
            let seconds = Double.random(in: 0.3...1.5, using: &generator)
            _ = try await orderIntake(data: data, seed: seed, "--kill", String(format: "%.2f", seconds))
        }
        let run = try await orderIntake(data: data, seed: seed)
        #expect(run.status == 0, "seed \(seed): \(run.errors)")
        #expect(try summary(data)["unaccounted"] == 0)
    }
}

/// SplitMix64.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
