import Foundation
import Glibc
import Testing

/// A connector in a process of its own, which is killed while calls run: no job is lost, no effect happens twice.
@Suite(.serialized, .timeLimit(.minutes(5))) struct IsolatedConnectorTests {
    /// The processes a program has started, by what `/proc` says.
    private static func children(of parent: Int32) -> [Int32] {
        let tasks = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(parent)/task")) ?? []
        return tasks.flatMap { task in
            let text = (try? String(contentsOfFile: "/proc/\(parent)/task/\(task)/children", encoding: .utf8)) ?? ""
            return text.split(separator: " ").compactMap { Int32($0) }
        }
    }

    @Test func killingTheProcessOfAConnectorLosesNoJobAndDoublesNone() async throws {
        let project = try Project()
        let file = project.folder.appending(path: "connections.yaml")
        let text = try String(contentsOf: file, encoding: .utf8)
            .replacing("connector: http\n", with: "connector: http\n    isolation: process\n")
            .replacing("max: 5,", with: "max: 50,")
        try Data(text.utf8).write(to: file)
        let server = try await project.serve()
        let load = Load(project)
        defer { load.abandon() }
        var killed: Set<Int32> = []
        try await eventually("the process of the connector was killed five times") {
            for child in Self.children(of: server.identifier) where !killed.contains(child) && load.answered > 0 {
                kill(child, SIGKILL)
                killed.insert(child)
            }
            return killed.count >= 5
        }
        try await load.finish("\(killed.count) kills")
        #expect(load.answered > 0)
        #expect(server.isRunning)
        server.signal(SIGTERM)
        #expect(await server.end() == 0, "\(server.text)")
        for child in killed { #expect(kill(child, 0) != 0) }
    }
}
