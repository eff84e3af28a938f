import Foundation
import Testing
import Values

@testable import junction

/// `junction connection` against a server in this process.
@Suite(.timeLimit(.minutes(2))) struct ConnectionCommandTests {
    @Test func operatorsSeeAndDecide() async throws {
        let folder = try TemporaryFolder()
        _ = try folder.write("junction.yaml", "connections: c.yaml\n")
        _ = try folder.write(
            "c.yaml",
            """
            apiVersion: hub/v1
            kind: Connections
            connections:
              inbox:
                connector: files
                parameters: { root: "=project.directory" }
                resilience: { faults: { latency: { rate: 5, kind: constant, value: 1s } } }
            """)
        let data = ["--data", folder.path + "/data"]
        let early = await junction(["connection", "isolate", "inbox"] + data)
        #expect(early.status == 1)
        #expect(early.notes.contains("CL107"))
        let serving = Task {
            await junction(["serve", "--project", folder.path, "--progress", "none", "--json"] + data)
        }
        while !FileManager.default.fileExists(atPath: folder.path + "/data/junction.sock") {
            try await Task.sleep(for: .milliseconds(5))
        }
        let shown = await junction(["connection", "show", "inbox"] + data)
        #expect(shown.lines.first == "REHEARSAL: faults are injected into this connection (inbox: 5% delayed)")
        #expect(shown.lines.contains { $0.hasPrefix("breaker ") && $0.hasSuffix("closed") })
        #expect(shown.lines.contains("settings"))
        for (command, breaker) in [
            ("open", "forced-open"), ("close", "forced-closed"), ("isolate", "isolated"), ("reset", "closed"),
        ] {
            #expect(await junction(["connection", command, "inbox"] + data).status == 0)
            let after = await junction(["connection", "show", "inbox", "--json"] + data)
            #expect(after.values.first?["breaker"] == .string(breaker))
        }
        let wrong = await junction(["connection", "open", "inbax", "inbox"] + data)
        #expect(wrong.status == 1)
        #expect(wrong.notes.contains("HB301") && wrong.notes.contains("inbox opened"))
        #expect(await junction(["connection", "list"] + data).output.contains("5% delayed"))
        serving.cancel()
        #expect(await serving.value.notes.contains("rehearsal: faults are injected"))
    }

    @Test func guardsAreShownWithWhatHappened() {
        let connection: Value = [
            "connectionId": "vendor", "breaker": "open",
            "guards": [
                [
                    "group": "a.example", "profile": "default", "breaker": "open", "opensMilliseconds": 1_200,
                    "decisions": ["calls": 3, "hedges": 0],
                ]
            ],
            "operations": [["operation": "pay", "profile": "vendor.pay", "settings": ["retry": ["max": 1]]]],
        ]
        let lines = ConnectionView.lines(connection, Style(hasColour: false, hasUnicode: true, width: 200))
        #expect(lines.contains("guard a.example, profile default"))
        #expect(lines.contains { $0.contains("decisions") && $0.contains("calls") && !$0.contains("hedges") })
        #expect(lines.contains("operation pay"))
    }
}
