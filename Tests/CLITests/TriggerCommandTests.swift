import Foundation
import Testing
import Values

@testable import junction

/// `junction trigger` on documents, and against a server in this process.
@Suite(.timeLimit(.minutes(2))) struct TriggerCommandTests {
    private static let trigger = """
        apiVersion: hub/v1
        kind: Trigger
        metadata: { id: orders, owner: sales }
        source: { type: file, connection: inbox, file: { dir: in, pattern: "*.json", rescan: 1s } }
        filter: { expr: "=data.total > 0" }
        dedupe: { key: "=data.orderId" }
        transform: { set: { order: "=data" } }
        target: { mode: start, workflow: intake }

        """
    private static let connections = """
        apiVersion: hub/v1
        kind: Connections
        connections: { inbox: { connector: files, parameters: { root: "=project.directory" } } }
        """

    private static func project(_ tests: String = "") throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        _ = try folder.write("junction.yaml", "connections: c.yaml\ntriggers: [\"t/*.yaml\"]\n")
        _ = try folder.write("c.yaml", Self.connections)
        _ = try folder.write("t/orders.yaml", Self.trigger + tests)
        _ = try folder.write("in/.keep", "")
        return folder
    }

    private static let tests = """
        tests:
          - { name: starts, event: { json: { orderId: A-1, total: 5 } }, expect: { start: { workflow: intake } } }
          - { name: filters, event: { json: { orderId: A-1, total: 5 } }, expect: { filtered: true } }
        """

    @Test func testsOfAProjectAreRun() async throws {
        let folder = try Self.project(Self.tests)
        let run = await junction("trigger", "test", "--project", folder.path)
        #expect(run.status == 1)
        #expect(run.lines.contains { $0.hasPrefix("orders") && $0.contains("passed") && $0.hasSuffix("starts") })
        #expect(run.lines.contains { $0.hasPrefix("orders") && $0.contains("failed") && $0.hasSuffix("filters") })
        #expect(run.notes.contains("t/orders.yaml:11: filters"))
        #expect(run.notes.contains("    Expected filtered but found start of intake."))
        let json = await junction("trigger", "test", folder.path + "/t/orders.yaml", "--json")
        #expect(json.values.map { $0["passed"] } == [true, false])
        #expect(json.values.last?["failures"] == ["Expected filtered but found start of intake."])
    }

    @Test func testsThatHoldPass() async throws {
        let folder = try Self.project(Self.tests.replacing("filtered: true", with: "start: true"))
        let run = await junction("trigger", "test", "--project", folder.path)
        #expect(run.status == 0)
        #expect(run.notes.contains("2 tests passed."))
    }

    @Test func theLinterSeesTheProject() async throws {
        let folder = try Self.project()
        #expect(await junction("trigger", "lint", "--project", folder.path).status == 0)
        _ = try folder.write("t/other.yaml", Self.trigger.replacing("connection: inbox", with: "connection: inbux"))
        let run = await junction("trigger", "lint", "--project", folder.path, "--json")
        #expect(run.status == 1)
        let messages = run.values.compactMap { $0["message"]?.asString }
        #expect(messages.contains { $0.contains("inbux") })
        #expect(messages.contains { $0.contains("orders") }, "two triggers of one id")
    }

    @Test func theLinterReadsNamedFilesByThemselves() async throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("x.yaml", Self.trigger.replacing("dedupe:", with: "dedup:"))
        let run = await junction("trigger", "lint", file)
        #expect(run.status == 1)
        #expect(run.output.contains("HB105") && run.output.contains("Did you mean \"dedupe\"?"))
        #expect(await junction("trigger", "test", file).notes.contains("CL"))
        let nothing = await junction("trigger", "test", "--project", folder.path)
        #expect(nothing.status != 0)
    }

    @Test func aDryRunOfADocumentNeedsNoServer() async throws {
        let folder = try Self.project()
        let payload = try folder.write("p.json", "[{\"orderId\": \"A-1\", \"total\": 5}, {\"total\": 0}]")
        let file = folder.path + "/t/orders.yaml"
        let run = await junction("trigger", "dry-run", file, "--payload", payload)
        #expect(run.status == 0)
        #expect(run.lines.filter { $0.hasPrefix("record ") } == ["record 1", "record 2"])
        #expect(run.lines.contains { $0.hasPrefix("decide") && $0.contains("start of intake") })
        #expect(run.lines.contains { $0.hasPrefix("filter") && $0.contains("stopped") })
        let json = await junction("trigger", "dry-run", file, "--payload", payload, "--json")
        #expect(json.values.map { $0["result"]?["decision"] } == ["start", "filtered"])
        let bad = try folder.write("bad.json", "{")
        let letter = await junction("trigger", "dry-run", file, "--payload", bad)
        #expect(letter.status == 1)
        #expect(letter.lines.contains { $0.hasPrefix("decode") && $0.contains("HB201") })
    }

    @Test func operatorsSeePauseResumeAndTry() async throws {
        let folder = try Self.project()
        let payload = try folder.write("p.json", "{\"orderId\": \"A-1\", \"total\": 5}")
        let data = ["--data", folder.path + "/data"]
        let serving = Task {
            await junction(["serve", "--project", folder.path, "--progress", "none", "--json"] + data)
        }
        while !FileManager.default.fileExists(atPath: folder.path + "/data/junction.sock") {
            try await Task.sleep(for: .milliseconds(5))
        }
        func state() async -> String? {
            await junction(["trigger", "show", "orders", "--json"] + data).values.first?["state"]?.asString
        }
        func reaches(_ wanted: String) async throws -> Bool {
            for _ in 0..<2_000 {
                if await state() == wanted { return true }
                try await Task.sleep(for: .milliseconds(5))
            }
            return false
        }
        #expect(try await reaches("armed"))
        let shown = await junction(["trigger", "show", "orders"] + data)
        #expect(shown.lines.contains { $0.hasPrefix("dedupeKey") && $0.hasSuffix("=data.orderId") })
        #expect(shown.lines.contains { $0.hasPrefix("owner") && $0.hasSuffix("sales") })
        #expect(await junction(["trigger", "list"] + data).lines.count == 2)
        #expect(await junction(["trigger", "pause", "orders"] + data).notes.contains("orders paused"))
        #expect(try await reaches("paused"))
        let mixed = await junction(["trigger", "resume", "ordres", "orders"] + data)
        #expect(mixed.status == 1)
        #expect(mixed.notes.contains("HB301") && mixed.notes.contains("orders resumed"))
        #expect(try await reaches("armed"))
        let run = await junction(["trigger", "dry-run", "orders", "--payload", payload, "--json"] + data)
        #expect(run.values.first?["result"]?["variables"] == ["order": ["orderId": "A-1", "total": 5]])
        let letters = await junction(["trigger", "replay", "orders", "--source", "letters"] + data)
        #expect(letters.status == 1)
        #expect(letters.notes.contains("No events found."))
        let wrong = await junction(
            ["trigger", "replay", "orders", "--source", "inbox", "--from", "yesterday"] + data)
        #expect(wrong.notes.contains("HB651"))
        serving.cancel()
        _ = await serving.value
    }

    @Test(arguments: [
        ["trigger", "replay", "orders"], ["trigger", "replay", "orders", "--source", "queue", "--from", "x"],
        ["trigger", "replay", "orders", "--range", "{}", "--from", "x"],
        ["trigger", "dry-run", "orders", "--payload", "p", "--header", "novalue"],
    ])
    func whatMeansNothingIsRefusedBeforeAnythingIsAsked(_ arguments: [String]) async {
        #expect(await junction(arguments).status == 64)
    }
}
