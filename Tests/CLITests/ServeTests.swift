import Foundation
import Testing
import Values

@testable import junction

/// `serve` on the real engine, store and file source, inside this process.
@Suite(.timeLimit(.minutes(2))) struct ServeTests {
    private func project() throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        _ = try folder.write("junction.yaml", "deploy: order.bpmn\ntriggers: t.yaml\nconnections: c.yaml\n")
        _ = try folder.write("order.bpmn", Model.sequence("order", Model.script))
        _ = try folder.write(
            "c.yaml",
            """
            apiVersion: hub/v1
            kind: Connections
            connections:
              inbox: { connector: files, parameters: { root: "=project.directory" } }
            """)
        _ = try folder.write(
            "t.yaml",
            """
            apiVersion: hub/v1
            kind: Trigger
            metadata: { id: orders }
            source:
              type: file
              connection: inbox
              file:
                { dir: in, pattern: "*.jsonl", stable: { quietFor: 100ms, checks: 1 }, rescan: 200ms,
                  done: { move: done }, failed: { move: failed } }
            decode: { format: auto, onError: dlq }
            dedupe: { key: "=data.id", ttl: 1d, onDuplicate: ack }
            transform: { set: { amount: "=data.amount" } }
            target: { mode: start, workflow: order, version: latest }
            ack: { at: accepted }
            """)
        return folder
    }

    @Test func untilIdleServesTheProjectAndSaysWhatBecameOfEverything() async throws {
        let folder = try project()
        _ = try folder.write(
            "in/a.jsonl",
            "{\"id\":\"1\",\"amount\":1}\n{\"id\":\"2\",\"amount\":2}\nnonsense\n{\"id\":\"1\",\"amount\":1}\n")
        let serve = [
            "serve", "--project", folder.path, "--data", folder.path + "/data", "--until-idle", "--idle-after", "1.5",
            "--summary", folder.path + "/summary.json",
        ]
        let run = await junction(serve)
        #expect(run.status == 0, "\(run.notes)")
        #expect(run.lines.first == "RECEIVED       3", "\(run.notes)")
        let summary = try JSON.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: folder.path + "/summary.json"))))
        #expect(summary["completed"] == 2)
        #expect(summary["deadLettered"] == 1)
        #expect(summary["duplicates"] == 1)
        #expect(summary["unaccounted"] == 0)

        let data = ["--data", folder.path + "/data"]
        let letters = await junction(["dead-letter", "list", "--json"] + data)
        let letter = try #require(letters.values.first?["deadLetterKey"]?.asString)
        #expect(await junction(["dead-letter", "show", letter] + data).output.contains("nonsense"))
        #expect(await junction(["dead-letter", "show", letter, "--payload"] + data).output == "nonsense\n")
        let place = ["--project", folder.path] + data
        let dry = await junction(
            ["dead-letter", "replay", letter, "--payload", #"{"id":"3","amount":3}"#, "--dry-run", "--json"] + place)
        #expect(dry.values.first?["result"] == "WOULD_START", "\(dry.notes)")
        let replay = await junction(
            ["dead-letter", "replay", letter, "--payload", #"{"id":"3","amount":3}"#] + place)
        #expect(replay.output.hasPrefix("\(letter) STARTED"), "\(replay.notes)")
        #expect(await junction(["dead-letter", "discard", letter] + data).status == 1)
        #expect(await junction(["dead-letter", "list", "--state", "resolved"] + data).output.contains(letter))

        // Running it again continues with what is there.
        let again = await junction(serve + ["--json", "--progress", "plain", "--log-level", "info"])
        #expect(again.values.first?["received"] == 3)
        #expect(again.values.first?["completed"] == 3)
        #expect(again.notes.contains("Deployed process.id=order"))
        #expect(again.notes.contains("Listening"))
    }

    @Test func deadLettersAreCorrectedAndReplayedManyAtATime() async throws {
        let folder = try project()
        _ = try folder.write(
            "junction.yaml",
            """
            deploy: order.bpmn
            triggers: t.yaml
            connections: c.yaml
            deadLetters: { retain: 1d, redrive: { maxCount: 2, rate: 100/s }, alerts: { age: 10d, inflow: 2/1h } }
            """)
        _ = try folder.write("in/a.jsonl", "{\"ident\":\"1\",\"amount\":1}\n{\"ident\":\"2\"}\n{\"id\":\"3\"}\noops\n")
        let data = ["--project", folder.path, "--data", folder.path + "/data"]
        let run = await junction(["serve", "--until-idle", "--idle-after", "1.5"] + data)
        #expect(run.status == 0, "\(run.notes)")

        let status = await junction(["dead-letter", "status"] + data)
        #expect(status.status == 1, "an alert is raised")
        #expect(status.output.contains("alert inflow RAISED (HB316: value 4, limit 2)"), "\(status.output)")
        #expect(await junction(["dead-letter", "status", "--json"] + data).values.first?["parked"] == 4)

        let keyless = await junction(["dead-letter", "list", "--code", "HB205", "--json"] + data).values
        #expect(keyless.count == 2)
        #expect(
            await junction(["dead-letter", "list", "--stage", "decode", "--kind", "trigger"] + data).lines.count == 2)
        #expect(await junction(["dead-letter", "list", "--age", "1d"] + data).status == 1)
        #expect(await junction(["dead-letter", "list", "--connection", "inbox"] + data).lines.count == 5)
        let letter = try #require(keyless.first { $0["coordinates"]?["line"] == 1 }?["deadLetterKey"]?.asString)

        let patch = #"[{"op":"move","from":"/ident","path":"/id"}]"#
        let edit = await junction(["dead-letter", "edit", letter, "--patch", patch] + data)
        #expect(
            edit.output.contains("-   \"ident\": \"1\"") && edit.output.contains("+   \"id\": \"1\""), "\(edit.output)")
        let file = try folder.write("patch.json", #"[{"op":"test","path":"/id","value":"9"}]"#)
        let refused = await junction(["dead-letter", "edit", letter, "--patch", file] + data)
        #expect(refused.status == 1 && refused.notes.contains("HB313"))
        #expect(await junction(["dead-letter", "edit", letter, "--patch", "{"] + data).status != 0)
        let audit = await junction(["audit", "list", "--json"] + data).values
        #expect(audit.contains { $0["operationType"]?.asString?.contains("edit-dead-letter") == true })

        let dry = await junction(
            ["dead-letter", "replay", "--where", "payload.amount = 1", "--dry-run", "--json"] + data)
        #expect(dry.values.map { $0["result"] } == ["WOULD_START"], "\(dry.notes)")
        let replay = await junction(
            ["dead-letter", "replay", "--trigger", "orders", "--rate", "50/s", "--json"] + data)
        #expect(replay.status == 0, "\(replay.notes)")
        #expect(replay.values.map { $0["result"] } == ["RESOLVED", "RESOLVED", "RESOLVED", "RESOLVED"])
        let open = await junction(["dead-letter", "list", "--json"] + data).values
        #expect(open.count == 3 && open.allSatisfy { $0["redriveCount"] == 1 && $0["parentKey"] != nil })
        #expect(await junction(["instance", "list", "--json"] + data).values.count == 1)
        #expect(await junction(["dead-letter", "replay", "--text", "nothing like that"] + data).status == 1)
        for wrong in [["--rate", "x"], ["--where", "1 +"]] {
            #expect(await junction(["dead-letter", "replay", "--all"] + wrong + data).status == 1)
        }
    }

    @Test func commandsUseTheServerThatHasTheData() async throws {
        let folder = try project()
        let data = ["--data", folder.path + "/data"]
        let serving = Task {
            await junction(
                ["serve", "--project", folder.path, "--progress", "none", "--http-port", "0", "--json"] + data)
        }
        while !FileManager.default.fileExists(atPath: folder.path + "/data/junction.sock") {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(await junction(["trigger", "list"] + data).lines.last?.hasPrefix("orders  file") == true)
        #expect(await junction(["connection", "list", "--json"] + data).values.first?["connectionId"] == "inbox")
        #expect(
            await junction(["start", "order", "--variables", #"{"amount":4}"#, "--wait", "10", "--json"] + data)
                .values.first?["variables"] == ["amount": 4, "doubled": 8])
        #expect(await junction(["audit", "verify"] + data).status == 0)
        #expect(await junction(["doctor", "--json"] + data).status == 0)
        // Only one process may have the directory open.
        let second = await junction(["serve", "--progress", "none"] + data)
        #expect(second.status == 1)
        #expect(second.notes.contains("ST104"))
        serving.cancel()
        let served = await serving.value
        #expect(served.notes.contains("server.port="))
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/data/junction.sock"))
    }

    @Test func aProjectWithErrorsIsNotServed() async throws {
        let folder = try project()
        _ = try folder.write("t.yaml", "apiVersion: hub/v1\nkind: Trigger\n")
        let run = await junction("serve", "--project", folder.path, "--data", folder.path + "/data", "--until-idle")
        #expect(run.status == 1)
        #expect(run.notes.contains("CL105"))
        #expect(run.notes.contains("t.yaml"))
        let file = try folder.write("file", "")
        let blocked = await junction("serve", "--data", file + "/data", "--until-idle")
        #expect(blocked.notes.contains("CL106"))
    }
}
