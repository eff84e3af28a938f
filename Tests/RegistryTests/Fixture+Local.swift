import ConnectorKit
import Foundation
import Values

/// Remotes on this machine.
extension Fixture {
    static func files(_ module: any ConnectorModule) async throws -> [Fixture] {
        let directory = try TemporaryDirectory()
        try directory.put("a", "1")
        let source = Source(SourceRequest(event: "file", parameters: ["dir": "in"]), eventsMinimum: 25) {
            let lines = (0..<25).map { "\($0)\n" }.joined()
            try directory.put("in/\(Self.unique("f")).ndjson", lines)
        }
        return [
            Fixture(
                name: "a folder",
                // Its time passes as soon as somebody sleeps.
                configuration: ConnectionConfiguration(
                    id: "c", parameters: ["root": .string(directory.url.path)], clock: ManualConnectorClock()),
                calls: [
                    Self.call("read", ["path": "a"]), Self.call("write", ["path": "b", "content": "2"]),
                    Self.call("list", [:]),
                ],
                sources: [source])
        ]
    }

    static func script(_ module: any ConnectorModule) async throws -> [Fixture] {
        let parameters: Value = [
            "programs": [
                "echo": ["command": ["/bin/sh", "-c", "cat"]], "slow": ["command": ["/bin/sh", "-c", "sleep 30"]],
            ]
        ]
        return [
            Fixture(
                name: "programs", configuration: ConnectionConfiguration(id: "c", parameters: parameters),
                calls: [
                    Self.call("run", ["program": "echo", "input": ["a": 1]]), Self.call("programs", [:]),
                    GoodCall(OperationCall(operation: "run", input: ["program": "slow"]), waits: true),
                ])
        ]
    }
}
