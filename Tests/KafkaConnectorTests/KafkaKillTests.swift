import ConnectorKit
import Foundation
import Testing
import Values

@testable import KafkaConnector

/// A broker of the test's own, which can be killed, and dies with the test's process.
private final class MortalBroker {
    let address: String
    private let port: UInt16
    private let folder: URL
    private var process = Process()
    /// The broker runs as long as this is open.
    private var life = Pipe()

    init() throws {
        // A port that was free a moment ago: a server that has ended had it.
        self.port = try RawServer([]).port
        self.address = "127.0.0.1:\(self.port)"
        self.folder = FileManager.default.temporaryDirectory.appending(path: Broker.unique("junction-kafka"))
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try self.start()
    }

    deinit {
        self.kill()
        try? FileManager.default.removeItem(at: self.folder)
    }

    /// Starts the broker with what it had stored.
    func start() throws {
        let root = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let python =
            ProcessInfo.processInfo.environment["JUNCTION_PYTHON"].map { URL(filePath: $0) }
            ?? root.appending(path: "var/python/bin/python")
        // The program itself, and beside it a shell that kills it when its input ends: at `kill()`, or with us.
        let libraries = python.deletingLastPathComponent().deletingLastPathComponent().appending(path: "lib")
        let version = try #require(
            try FileManager.default.contentsOfDirectory(atPath: libraries.path).first { $0.hasPrefix("python3") })
        self.process = Process()
        self.life = Pipe()
        self.process.executableURL = URL(filePath: "/bin/sh")
        self.process.arguments = [
            "-c", #"exec 3<&0; { read -r _ <&3; kill -KILL $$; } & exec "$@" 3<&-"#, "broker",
            libraries.appending(path: "\(version)/site-packages/noida_db/noida-db").path,
            "start", "--only", "kafka", "--kafka-port", "\(self.port)", "--data-dir", self.folder.path,
        ]
        self.process.standardInput = self.life
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
    }

    func kill() {
        guard self.process.isRunning else { return }
        try? self.life.fileHandleForWriting.close()
        self.process.waitUntilExit()
    }

    /// Kills the broker and starts another in its place, which knows nothing.
    func replace() throws {
        self.kill()
        try FileManager.default.removeItem(at: self.folder)
        try FileManager.default.createDirectory(at: self.folder, withIntermediateDirectories: true)
        try self.start()
    }
}

@Suite("Kafka, when the broker is killed")
struct KafkaKillTests {
    @Test func everyConfirmedMessageArrivesAlthoughTheBrokerWasKilled() async throws {
        let broker = try MortalBroker()
        let connection = try await Make.connection([broker.address], ["connectTimeout": "15s"])
        try await connection.test()
        await Make.fill(connection, "t", 20)
        let source = try await Make.source(connection, "t", group: "g", ["outageTolerance": "60s"])
        var seen = Set(try await source.readEvents(20).map(\.1.id))
        broker.kill()
        let sending = Task {
            var outcomes: [Outcome] = []
            // A broker that forgot its producers refuses the sequence once; the error says that it may pass.
            for number in 0..<20 {
                var outcome = Outcome.done(.null, facts: [:])
                for _ in 0..<5 {
                    outcome = await connection.invoke(
                        Make.produce(["topic": "t", "value": .number(Number(number))], timeout: .seconds(20)))
                    guard outcome.error?.isRetryable == true else { break }
                }
                outcomes.append(outcome)
            }
            return outcomes
        }
        #expect(try await source.read(maximum: 10, wait: .milliseconds(200)) == nil)
        try broker.start()
        let outcomes = await sending.value
        for outcome in outcomes { #expect(outcome.error == nil, "\(String(describing: outcome.error))") }
        let offsets = outcomes.compactMap { $0.value?["offset"]?.asInt64 }
        #expect(Set(offsets).count == 20)
        let all = try await eventually {
            if let batch = try await source.read(maximum: 100, wait: .milliseconds(100)) {
                seen.formUnion(batch.events.map(\.id))
                try await source.acknowledge(batch.id)
            }
            return seen.isSuperset(of: offsets.map { "t/0/\($0)" })
        }
        #expect(all)
        await source.close()
        await connection.close()
    }

    @Test func aSourceEndsAlthoughItsTopicWasGoneForAWhile() async throws {
        let broker = try MortalBroker()
        let connection = try await Make.connection([broker.address], ["connectTimeout": "15s"])
        try await connection.test()
        await Make.fill(connection, "t", 20)
        let source = try await Make.source(connection, "t", group: "g", ["outageTolerance": "60s"])
        #expect(try await source.readEvents(20).count == 20)
        try broker.replace()
        try await connection.test()
        // Whether it says that the topic is missing, or waits for it, is a matter of time.
        _ = try? await source.read(maximum: 10, wait: .milliseconds(500))
        let other = try await Make.connection([broker.address], ["connectTimeout": "15s"])
        await Make.fill(other, "t", 5)
        _ = try? await source.read(maximum: 10, wait: .seconds(1))
        let beginning = ContinuousClock.now
        await source.close()
        #expect(ContinuousClock.now - beginning < .seconds(4))
        await other.close()
        await connection.close()
    }
}
