import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import PluginHost

/// Positions of sources that live in other processes, and ranges that are asked for again.
@Suite struct RemotePositionTests {
    private static func counting(_ arguments: [String]) async throws -> RemoteModule {
        let script = Fixture.root.appending(path: "Tests/PluginHostTests/Fixtures/counting.py").path
        return try await RemoteModule.load(
            LaunchSpecification(command: ["python3", "-u", script] + arguments), name: "counting", limits: .quick)
    }

    /// A folder with a file of `count` lines, and a connection to it.
    private static func connection(_ arguments: [String], lines count: Int) async throws -> (any Connection, URL) {
        let folder = try Fixture.folder()
        let file = folder.appending(path: "lines")
        try Data((0..<count).map { "\($0)\n" }.joined().utf8).write(to: file)
        let module = try await Self.counting(arguments)
        return (
            try await module.connect(ConnectionConfiguration(id: "c", parameters: ["file": .string(file.path)])), folder
        )
    }

    /// Connects, as often as it takes.
    private static func connect(_ source: any EventSource) async throws {
        let deadline = ContinuousClock.now + .seconds(20)
        while true {
            do { return try await source.connect() } catch let interruption as SourceInterruption {
                guard ContinuousClock.now < deadline else { throw interruption }
                usleep(1_000)
            }
        }
    }

    @Test(arguments: [["2", "answer"], ["2", "ask"]])
    func pluginInPythonThatIsKilledManyTimesLosesNothingAndKeepsItsPlace(_ arguments: [String]) async throws {
        let (connection, folder) = try await Self.connection(arguments, lines: 2_000)
        defer { try? FileManager.default.removeItem(at: folder) }
        let memory = VolatileSourceMemory()
        let source = try await connection.armSource(SourceRequest(event: "number", parameters: [:], memory: memory))
        try await Self.connect(source)
        let remote = try #require(connection as? RemoteConnection)
        var counts: [String: Int] = [:]
        var acknowledged: Set<String> = []
        var round = 0
        while acknowledged.count < 2_000 {
            round += 1
            do {
                guard let batch = try await source.read(maximum: 40, wait: .seconds(5)) else { break }
                for event in batch.events {
                    counts[event.id, default: 0] += 1
                    // What is acknowledged never comes again.
                    #expect(!acknowledged.contains(event.id))
                }
                // With a batch out, before it is acknowledged.
                if round % 7 == 3, let process = remote.processID { kill(process, SIGKILL) }
                try await source.acknowledge(batch.id)
                acknowledged.formUnion(batch.events.map(\.id))
            } catch is SourceInterruption {
                try await Self.connect(source)
            }
        }
        #expect(acknowledged.count == 2_000)
        #expect(counts.count == 2_000)
        #expect(memory.load() == 2_000)
        await source.close()
        await connection.close()
    }

    @Test func rangeIsEmittedAgainAndMovesNothing() async throws {
        let (connection, folder) = try await Self.connection(["2"], lines: 50)
        defer { try? FileManager.default.removeItem(at: folder) }
        let memory = VolatileSourceMemory()
        memory.save(50)
        let source = try await connection.armSource(
            SourceRequest(event: "number", parameters: [:], memory: memory, replay: ["from": 5, "to": 12]))
        try await source.connect()
        var ids: [String] = []
        await #expect(throws: SourceInterruption.endOfInput) {
            while let batch = try await source.read(maximum: 3, wait: .seconds(5)) {
                ids += batch.events.map(\.id)
                try await source.acknowledge(batch.id)
            }
        }
        #expect(ids == (5..<12).map { "line-\($0)" })
        #expect(memory.load() == 50)
        await source.close()
        await connection.close()
    }

    @Test func pluginThatCannotReplayIsNotAskedTo() async throws {
        let (connection, folder) = try await Self.connection(["1"], lines: 5)
        defer { try? FileManager.default.removeItem(at: folder) }
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await connection.armSource(
                SourceRequest(event: "number", parameters: [:], replay: ["from": 0, "to": 1]))
        }
        #expect(error?.code == "CON-9009")
        #expect(error?.kind == .unsupported)
        let source = try await connection.armSource(SourceRequest(event: "number", parameters: [:]))
        try await source.connect()
        #expect(try await source.read(maximum: 9, wait: .seconds(5))?.events.count == 5)
        await source.close()
        await connection.close()
    }

    /// Somebody else has taken the source over.
    @Test func memoryThatRefusesIsHeardThere() async throws {
        let (connection, folder) = try await Self.connection(["2", "ask"], lines: 5)
        defer { try? FileManager.default.removeItem(at: folder) }
        let source = try await connection.armSource(
            SourceRequest(event: "number", parameters: [:], memory: RefusingMemory()))
        try await source.connect()
        let batch = try #require(try await source.read(maximum: 9, wait: .seconds(5)))
        let error = await #expect(throws: ConnectorError.self) { try await source.acknowledge(batch.id) }
        #expect(error?.code == "CON-0099")
        await source.close()
        await connection.close()
    }

    @Test func modulesOfOursSaveAcrossTheBorderToo() async throws {
        let memory = VolatileSourceMemory()
        memory.save(["at": 3])
        let module = try await RemoteModule.load(Fixture.hosted("echo"), name: "echo", limits: .quick)
        let connection = try await module.connect(ConnectionConfiguration(id: "c", parameters: [:]))
        let source = try await connection.armSource(
            SourceRequest(event: "tick", parameters: [:], memory: memory, replay: nil))
        try await source.connect()
        let batch = try #require(try await source.read(maximum: 1, wait: .seconds(5)))
        #expect(batch.events.map(\.id) == ["tick-4"])
        #expect(memory.load() == ["at": 3])
        try await source.acknowledge(batch.id)
        #expect(memory.load() == ["at": 4])
        await source.close()
        await connection.close()
    }

    @Test func processSavesNothingForASourceItDoesNotHave() async throws {
        let memory = VolatileSourceMemory()
        let positions = RemotePositions()
        let request = SourceRequest(event: "e", parameters: [:], memory: memory)
        positions.watch(1, request)
        let wrong: [Value] = [[:], ["source": 2, "position": 1], ["source": 1], ["position": 1], ["source": "1"]]
        for params in wrong {
            guard case .failure = await positions.save(params) else {
                Issue.record("\(params) was kept.")
                continue
            }
        }
        positions.forget(1)
        positions.watch(3, SourceRequest(event: "e", parameters: [:], memory: memory, replay: [:]))
        for number in [1, 3] as [Value] {
            guard case .failure = await positions.save(["source": number, "position": 1]) else {
                Issue.record("\(number) was kept.")
                continue
            }
        }
        #expect(memory.load() == nil)
    }
}

private struct RefusingMemory: SourceMemory {
    func load() async throws -> Value? { nil }

    func save(_ value: Value) async throws {
        throw ConnectorError(.conflict, code: "CON-0099", "Another node has the source.", remedy: "None.")
    }
}
