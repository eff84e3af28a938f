import Foundation
import Glibc
import Testing

/// SIGKILL while requests arrive at a trigger: what was answered is there, and what is sent again starts nothing twice.
@Suite(.serialized, .timeLimit(.minutes(5))) struct TriggerKillTests {
    private static let count = 200
    private static let token = "token-of-the-test"

    private static func project() throws -> Project {
        let project = try Project()
        for (name, text) in [
            ("junction.yaml", "deploy: [\"received.bpmn\"]\ntriggers: [\"hook.yaml\"]\n"),
            (
                "received.bpmn",
                """
                <definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="urn:test">\
                <process id="received" isExecutable="true"><startEvent id="s"/>\
                <sequenceFlow id="f" sourceRef="s" targetRef="e"/><endEvent id="e"/></process></definitions>
                """
            ),
            (
                "hook.yaml",
                """
                apiVersion: hub/v1
                kind: Trigger
                metadata: { id: hook }
                source:
                  type: webhook
                  webhook:
                    path: /hooks/orders
                    verify: { scheme: sharedToken, header: x-token, secret: { secret: "env:HOOK_TOKEN" } }
                dedupe: { key: "=data.id" }
                inbox: { retain: 1d }
                target: { mode: start, workflow: received }

                """
            ),
        ] {
            try Data(text.utf8).write(to: project.folder.appending(path: name))
        }
        return project
    }

    /// The status of the answer to one delivery; nil when none came.
    private static func deliver(_ id: Int, to project: Project) -> Int? {
        let answer = try? project.send(
            "POST", "/hooks/orders", "{\"id\":\"o-\(id)\"}", headers: ["x-token": Self.token], timeoutSeconds: 10)
        return answer?.status
    }

    @Test(arguments: ["before-commit:40", "after-commit:40", "after-release:40", "before-projection:3"])
    func everyRequestStartsOnceAlthoughTheProgramIsKilled(at point: String) async throws {
        let project = try Self.project()
        let environment = ["HOOK_TOKEN": Self.token]
        let server = try await project.serve(crashPoint: point, environment: environment)
        var answered: Set<Int> = []
        for id in 0..<Self.count where Self.deliver(id, to: project) == 202 { answered.insert(id) }
        _ = await server.end()
        try #require(server.wasKilled, "\(point): \(server.text)")
        #expect(answered.count < Self.count)

        let next = try await project.serve(environment: environment)
        for id in 0..<Self.count {
            var status: Int?
            try await eventually("delivery \(id) is answered") {
                status = Self.deliver(id, to: project)
                return status == 200 || status == 202
            }
            if answered.contains(id) { #expect(status == 200, "\(point): \(id) was answered and started again") }
        }
        try await eventually("the instances are in the records") { try project.count("COMPLETED") >= Self.count }
        #expect(try project.count("COMPLETED") == Self.count)
        next.signal(SIGTERM)
        #expect(await next.end() == 0, "\(point): \(next.text)")
    }
}
