import ConnectorKit
import FilesConnector
import Foundation
import Runtime
import Synchronization
import Testing
import Values

@testable import Hub

/// The file source from the folder to the engine, with the real connector.
@Suite(.timeLimit(.minutes(2))) struct FileTriggerTests {
    /// A folder of its own that goes away with the test.
    private final class Inbox: Sendable {
        let root: String

        init() throws {
            self.root = FileManager.default.temporaryDirectory.appending(path: "hub-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: self.root + "/in", withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: self.root) }

        /// Drops a file as a whole.
        func drop(_ name: String, _ content: String) throws {
            let path = self.root + "/in/" + name
            try content.write(toFile: path + ".part", atomically: false, encoding: .utf8)
            try FileManager.default.moveItem(atPath: path + ".part", toPath: path)
        }

        func files(_ folder: String) -> [String] {
            ((try? FileManager.default.contentsOfDirectory(atPath: self.root + "/in/" + folder)) ?? []).sorted()
        }

        /// Whether nothing is left to do.
        var isEmpty: Bool {
            self.files(".processing").isEmpty
                && self.files("").allSatisfy { ["archive", "failed", ".processing"].contains($0) }
        }
    }

    private static let trigger = """
        apiVersion: hub/v1
        kind: Trigger
        metadata: { id: orders }
        source:
          type: file
          connection: inbox
          file:
            dir: in
            pattern: ["*.csv", "*.json", "*.ndjson"]
            stable: { quietFor: 1ms, checks: 1 }
            rescan: 20ms
        decode: { columns: { amount: number } }
        schema: { inline: { type: object, required: [orderId, amount], properties: { amount: { type: number } } } }
        dedupe: { key: "=data.orderId" }
        target: { mode: start, workflow: order-intake }
        concurrency: { max: 8 }
        """

    private static func hub(_ inbox: Inbox, _ engine: FakeEngine, logs: LogCapture = LogCapture()) throws -> HubService
    {
        var configuration = HubConfiguration()
        configuration.connections = [
            ConnectionDeclaration(id: "inbox", connector: "files", parameters: ["root": .string(inbox.root)])
        ]
        configuration.triggers = [try #require(readTrigger(Self.trigger).trigger)]
        return HubService(
            service: engine, modules: [FilesModule()], configuration: configuration, logger: logs.logger)
    }

    /// Runs a hub until `condition` holds.
    private static func run(
        _ inbox: Inbox, _ engine: FakeEngine, until condition: (HubService) -> Bool
    ) async throws -> TriggerStatus {
        let hub = try Self.hub(inbox, engine)
        let task = Task { await hub.run() }
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition(hub) {
            try await Task.sleep(for: .milliseconds(1))
            guard ContinuousClock.now < deadline else {
                Issue.record("no end: \(hub.triggers()[0]), left \(inbox.files("")) \(inbox.files(".processing"))")
                break
            }
        }
        task.cancel()
        await task.value
        return hub.triggers()[0]
    }

    private static func csv(_ ids: some Sequence<Int>) -> String {
        "orderId,amount\n" + ids.map { "o-\($0),\($0)\n" }.joined()
    }

    @Test func everyFormatBecomesStartsOrDeadLettersAndIsArchived() async throws {
        let inbox = try Inbox()
        let engine = FakeEngine()
        try inbox.drop("a.csv", Self.csv(1...3) + "o-9\no-10,many\n")
        try inbox.drop("b.json", "[{\"orderId\":\"o-4\",\"amount\":4},{\"orderId\":\"o-5\"}]")
        try inbox.drop("c.ndjson", "{\"orderId\":\"o-6\",\"amount\":6}\n{oops\n")
        try inbox.drop("d.json", "{oops")
        try inbox.drop("ignored.txt", "x")
        let status = try await Self.run(inbox, engine) { hub in
            hub.triggers()[0].counters.received == 10 && inbox.files("archive").count + inbox.files("failed").count == 4
        }
        #expect(status.counters.started == 5)
        #expect(status.counters.deadLettered == 5)
        let started = engine.state.withLock { $0.started.compactMap(\.idempotencyKey) }.sorted()
        #expect(started == [1, 2, 3, 4, 6].map { "orders:o-\($0)" })
        let lines = try engine.letters.map { letter in
            let coordinates = try JSON.parse(letter.coordinates)
            return "\(coordinates["file"]?.asString ?? "") \(coordinates["line"]?.asInt64 ?? 0) \(letter.stage)"
        }
        #expect(
            lines.sorted() == [
                "a.csv 5 decode", "a.csv 6 decode", "b.json 1 validate", "c.ndjson 2 decode", "d.json 1 decode",
            ])
        #expect(inbox.files("archive").count == 3)
        #expect(inbox.files("failed").count == 1)
        #expect(inbox.files("").contains("ignored.txt"))
    }

    @Test func aFileDroppedTwiceStartsNothingTwice() async throws {
        let inbox = try Inbox()
        let engine = FakeEngine()
        let content = Self.csv(1...20) + "broken\n"
        try inbox.drop("a.csv", content)
        _ = try await Self.run(inbox, engine) { $0.triggers()[0].counters.received == 21 && inbox.isEmpty }
        try inbox.drop("a.csv", content)
        try inbox.drop("copy.csv", content)
        let status = try await Self.run(inbox, engine) { $0.triggers()[0].counters.received == 42 && inbox.isEmpty }
        #expect(status.counters.duplicates == 40)
        #expect(engine.startedVariables.count == 20)
        #expect(engine.letters.count == 1)
        #expect(inbox.files("archive").count == 3)
    }

    @Test(arguments: [1, 10, 25, 40], [false, true])
    func aHubKilledHalfWayThroughItsFilesLosesAndDoublesNothing(_ call: Int, _ afterEffect: Bool) async throws {
        let inbox = try Inbox()
        let engine = FakeEngine()
        try inbox.drop("a.csv", Self.csv(1...30) + "broken\n")
        try inbox.drop("b.csv", Self.csv(25...45))
        engine.change { state in
            state.diesAtCall = call
            state.diesAfterEffect = afterEffect
        }
        _ = try await Self.run(inbox, engine) { _ in engine.state.withLock { $0.isDead } }
        engine.change { state in
            state.isDead = false
            state.diesAtCall = nil
        }
        let status = try await Self.run(inbox, engine) { _ in inbox.isEmpty }
        let started = engine.state.withLock { $0.started.compactMap(\.idempotencyKey) }
        #expect(Set(started) == Set((1...45).map { "orders:o-\($0)" }))
        #expect(started.count == 45)
        #expect(engine.letters.count == 1)
        #expect(status.state == .armed || status.state == .arming)
    }

    @Test func aDeadLetterOfAFileCanBeReplayed() async throws {
        let inbox = try Inbox()
        let engine = FakeEngine()
        try inbox.drop("a.csv", "amount;x,orderId\n1,o-1\n")
        try inbox.drop("b.csv", "orderId,amount\no-2,x\n")
        _ = try await Self.run(inbox, engine) { _ in engine.letters.count == 2 }
        let letter = try #require(engine.letters.first { text($0.payload) == "o-2,x" })
        let hub = try Self.hub(inbox, engine)
        let record = DeadLetterReplayTests.record(of: letter)
        let result = try await hub.replay(record, payload: Array("o-2,7".utf8), actor: "anna")
        guard case .started = result else {
            Issue.record("unexpected \(result)")
            return
        }
        #expect(engine.startedVariables == ["{\"orderId\":\"o-2\",\"amount\":7}"])
    }
}
