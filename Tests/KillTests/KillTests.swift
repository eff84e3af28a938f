import Foundation
import Glibc
import Testing

/// SIGKILL, full disks, torn files and second processes, on the real program with real files and a real HTTP service:
/// nothing is lost, nothing happens twice, and what cannot go on says why.
@Suite(.serialized, .timeLimit(.minutes(10))) struct KillTests {
    /// More rounds for a soak: `JUNCTION_RUNS=50`.
    private static let rounds = ProcessInfo.processInfo.environment["JUNCTION_RUNS"].flatMap { Int($0) } ?? 1

    /// Ends a server as an operator does, and looks at what it leaves.
    private func endAndExamine(_ server: RunningProgram, _ project: Project, _ what: Comment) async throws {
        server.signal(SIGTERM)
        #expect(await server.end() == 0, "\(what): \(server.text)")
        for arguments in [["audit", "verify"], ["doctor"]] {
            let run = try await project.run(arguments[0], arguments.dropFirst().first ?? "--json")
            #expect(run.status == 0, "\(what): \(run.text)")
        }
    }

    @Test func nothingIsLostOrDoneTwiceWhenTheProgramIsKilledAtRandomMoments() async throws {
        for round in 0..<Self.rounds {
            let seed = UInt64(round + 1)
            var random = SeededGenerator(seed: seed)
            let project = try Project()
            var server = try await project.serve()
            let load = Load(project)
            defer { load.abandon() }
            for _ in 0..<3 {
                try await Task.sleep(for: .milliseconds(Int.random(in: 30...1_200, using: &random)))
                server.signal(SIGKILL)
                _ = await server.end()
                server = try await project.serve()
            }
            try await load.finish("seed \(seed)")
            #expect(load.answered > 0)
            try await endAndExamine(server, project, "seed \(seed)")
        }
    }

    @Test(arguments: [
        "before-commit:3", "after-commit:5", "after-release:7", "during-checkpoint:9", "before-projection:3",
        "after-projection:4", "after-trim:2",
    ])
    func nothingIsLostOrDoneTwiceWhenTheProgramIsKilled(at point: String) async throws {
        let project = try Project()
        let load = Load(project)
        defer { load.abandon() }
        let server = try await project.serve(crashPoint: point)
        _ = await server.end()
        try #require(server.wasKilled, "\(point): \(server.text)")
        let next = try await project.serve()
        try await load.finish("\(point)")
        try await endAndExamine(next, project, "\(point)")
    }

    @Test func aCrashPointThatDoesNotExistIsRefused() async throws {
        let project = try Project()
        let server = try project.launch(crashPoint: "nowhere")
        #expect(await server.end() == 1)
        #expect(server.text.contains("ST109") && server.text.contains("before-commit"))
    }

    @Test func aSecondProgramOnTheSameDataIsRefused() async throws {
        let project = try Project()
        let first = try await project.serve()
        let second = try project.launch()
        #expect(await second.end() == 1)
        #expect(second.text.contains("ST104"), "\(second.text)")
        // The first one does not notice.
        let load = Load(project, clients: 1)
        defer { load.abandon() }
        try await eventually("an order is answered") { load.answered > 0 }
        try await load.finish("the first program")
        try await endAndExamine(first, project, "the first program")
    }

    /// What a power failure may leave of the newest, unfinished write.
    @Test func aTornTailOfTheLogIsDroppedAndNothingElse() async throws {
        let project = try Project()
        var server = try await project.serve()
        let load = Load(project)
        defer { load.abandon() }
        try await eventually("some orders are answered") { load.answered >= 20 }
        server.signal(SIGKILL)
        _ = await server.end()
        let log = URL(fileURLWithPath: project.data + "/journal.db-wal")
        let file = try FileHandle(forWritingTo: log)
        try file.seekToEnd()
        try file.write(contentsOf: Data((0..<6_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
        try file.close()
        server = try await project.serve()
        try await load.finish("torn tail")
        try await endAndExamine(server, project, "torn tail")
    }

    /// A disk that lost what it had said to be durable: the program goes on from an earlier moment or says what is wrong;
    /// it does not go on with records of things that never happened.
    @Test(arguments: ["cut off", "overwritten"])
    func aLogThatLostCommittedWorkIsNoticed(_ damage: String) async throws {
        let project = try Project()
        let server = try await project.serve()
        let load = Load(project)
        defer { load.abandon() }
        try await eventually("some orders are answered") { load.answered >= 50 }
        server.signal(SIGKILL)
        _ = await server.end()
        let log = project.data + "/journal.db-wal"
        let size = try #require(try FileManager.default.attributesOfItem(atPath: log)[.size] as? Int)
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: log))
        if damage == "cut off" {
            try file.truncate(atOffset: UInt64(size / 2))
        } else {
            try file.seek(toOffset: UInt64(size / 2))
            try file.write(contentsOf: Data(repeating: 0x5A, count: size - size / 2))
        }
        try file.close()
        let next = try project.launch()
        try await eventually("it answers or ends") {
            !next.isRunning || (try? project.send("GET", "/v2/status"))?.status == 204
        }
        if next.isRunning {
            try await load.finish("\(damage)")
            try await endAndExamine(next, project, "\(damage)")
        } else {
            #expect(await next.end() == 1)
            #expect(next.text.contains("ST103") && next.text.contains("backup"), "\(next.text)")
            let recovered = try await project.run("doctor")
            #expect(recovered.status == 1, "\(recovered.text)")
        }
    }

    /// Asks for an order until it is refused as told; what was accepted before is not answered yet.
    private func eventuallyRefused(_ project: Project, status: Int) async throws {
        let body = "{\"processDefinitionId\":\"ordered\",\"variables\":{\"order\":1}}"
        try await eventually("starts are refused") {
            let answer = try? project.send(
                "POST", "/v2/process-instances", body, headers: ["Idempotency-Key": "order-1"], timeoutSeconds: 1)
            guard let answer, answer.status == status else { return false }
            return answer.body.contains("cannot be written")
        }
    }

    /// The disk is full for a while: starts are refused with the reason, and everything goes on when there is room.
    @Test func aFullDiskRefusesStartsAndLosesNothing() async throws {
        let project = try Project()
        let disk = try await FullDisk(in: project.folder)
        let server = try await project.serve(environment: disk.environment)
        let load = Load(project)
        defer { load.abandon() }
        try await eventually("some orders are answered") { load.answered >= 10 }
        try disk.fill()
        try await eventuallyRefused(project, status: 503)
        try disk.makeRoom()
        try await load.finish("full disk")
        #expect(server.text.contains("ST101") && server.text.contains("trying again until it can"))
        try await endAndExamine(server, project, "full disk")
    }

    /// A write that fails in the middle of a commit may have happened: the program stops working and says so, and the next
    /// one finds out.
    @Test func aBrokenDiskStopsTheProgramAndLosesNothing() async throws {
        let project = try Project()
        let server = try await project.serve(ignoresSizeLimit: true)
        let load = Load(project)
        defer { load.abandon() }
        try await eventually("some orders are answered") { load.answered >= 10 }
        try limitFileSize(of: server, to: "4096")
        #expect(await server.end() == 1, "\(server.text)")
        #expect(server.text.contains("The journal failed for good") && server.text.contains("ST107"))
        let next = try await project.serve()
        try await load.finish("broken disk")
        try await endAndExamine(next, project, "broken disk")
    }

    /// Lets a running program write no file beyond a size.
    private func limitFileSize(of program: RunningProgram, to bytes: String) throws {
        let limit = Process()
        limit.executableURL = URL(fileURLWithPath: "/usr/bin/prlimit")
        limit.arguments = ["--pid", "\(program.identifier)", "--fsize=\(bytes):unlimited"]
        try limit.run()
        limit.waitUntilExit()
        try #require(limit.terminationStatus == 0)
    }
}

/// SplitMix64: equal seeds give equal moments.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
