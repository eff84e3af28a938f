import Foundation
import JunctionClient
import Testing
import Values

@testable import Server

@Suite struct ServerBehaviourTests {
    @Test func theSocketIsForItsOwnerAloneAndGoesAwayWithTheServer() async throws {
        let path = Mutexed<String>("")
        try await TestServer.run { server in
            let attributes = try FileManager.default.attributesOfItem(atPath: server.socketPath)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(APISocket.answers(server.socketPath))
            path.set(server.socketPath)
        }
        #expect(!FileManager.default.fileExists(atPath: path.value))
    }

    @Test func aSocketNobodyAnswersOnIsReplacedAndALiveOneIsNot() async throws {
        try await TestServer.run { server in
            let socket = try UnixSocketPath(server.socketPath)
            let error = #expect(throws: ServerError.self) { try socket.checkFree() }
            #expect(error?.code == "SV102")
            // A live socket survives the end of another server that wanted its place.
            socket.remove()
            #expect(APISocket.answers(server.socketPath))
        }
        let folder = try TemporaryFolder()
        let stale = try UnixSocketPath(folder.path + "/stale")
        #expect(FileManager.default.createFile(atPath: stale.path, contents: nil))
        try stale.checkFree()
        #expect(!APISocket.answers(stale.path))
    }

    @Test func socketPathsHaveTheLengthTheSystemAllows() throws {
        let error = #expect(throws: ServerError.self) { _ = try UnixSocketPath(String(repeating: "x", count: 108)) }
        #expect(error?.code == "SV101")
        #expect(error?.description.contains("shorter path") == true)
        #expect(!APISocket.answers(String(repeating: "x", count: 200)))
        let missing = try UnixSocketPath("no-such-folder/s")
        #expect(throws: ServerError.self) { try missing.publish() }
    }

    static let origins: [(name: String, value: String, status: Int)] = [
        ("Origin", "https://evil.example", 403), ("Origin", "null", 403), ("Origin", "http://localhost:3000", 204),
        ("Origin", "http://127.0.0.1", 204), ("Host", "evil.example", 403), ("Host", "localhost.evil.example:80", 403),
        ("Host", "[::1]:80", 204),
    ]

    @Test func theTCPPortIsNotForPagesOfOtherSites() async throws {
        try await TestServer.run(tcp: true) { server in
            let port = try #require(server.port)
            let client = JunctionClient(endpoint: .http("http://127.0.0.1:\(port)/"))
            #expect(try await client.call("GET", "/v2/status").status == 204)
            for row in Self.origins {
                let status: Int
                do {
                    status = try await client.call("GET", "/v2/status", headers: [(row.name, row.value)]).status
                } catch let error as ClientError {
                    status = error.status ?? 0
                }
                #expect(status == row.status, "\(row.name): \(row.value)")
            }
            try await client.cancelInstance(Key(rawValue: 1))
            #expect(server.workflow.calls == ["cancel 1 by anonymous"])
            await client.shutdown()
        }
    }

    @Test func whoAsksIsTheHeaderElseTheUserOfTheSocket() async throws {
        try await TestServer.run { server in
            let client = JunctionClient(endpoint: .unixSocket(server.socketPath))
            try await client.cancelInstance(Key(rawValue: 1))
            try await server.client.cancelInstance(Key(rawValue: 2))
            #expect(server.workflow.calls == ["cancel 1 by uid:\(getuid())", "cancel 2 by ada"])
            let error = await #expect(throws: ClientError.self) {
                _ = try await client.call(
                    "POST", "/v2/incidents/1/resolution",
                    headers: [("junction-actor", String(repeating: "x", count: 129))])
            }
            #expect(error?.status == 400)
            await client.shutdown()
        }
    }

    @Test func newWorkIsRefusedFirstWhenTooMuchIsUnderWay() async throws {
        var limits = APIServerLimits()
        limits.requestsUnderWay = 0
        try await TestServer.run(limits: limits) { server in
            let start = try await server.call("POST", "/v2/process-instances", #"{"processDefinitionId":"order"}"#)
            #expect(start.status == 503)
            #expect(start.body == "AP503 RESOURCE_EXHAUSTED")
            #expect(try await server.call("POST", "/v2/jobs/1/completion").status == 204)
        }
    }

    @Test func bodiesAreBounded() async throws {
        var limits = APIServerLimits()
        limits.jsonBytes = 64
        limits.deploymentBytes = 100
        try await TestServer.run(limits: limits) { server in
            let long = String(repeating: "x", count: 100)
            let answer = try await server.call("POST", "/v2/jobs/1/error", #"{"errorCode":"\#(long)"}"#)
            #expect(answer.status == 413)
            let error = await #expect(throws: ClientError.self) {
                _ = try await server.client.deploy([DeploymentDocument(name: "a", bytes: Array(long.utf8))])
            }
            #expect(error?.status == 413)
            // The connection is good for the next request.
            #expect(try await server.call("POST", "/v2/jobs/1/completion").status == 204)
        }
    }

    @Test func longPollsWaitInSlicesAndEndWhenJobsCome() async throws {
        var limits = APIServerLimits()
        limits.defaultWaitMilliseconds = 2_500
        try await TestServer.run(limits: limits) { server in
            let body = #"{"type":"t","timeout":5,"maxJobsToActivate":1}"#
            #expect(try await server.call("POST", "/v2/jobs/activation", body).body == #"{"jobs":[]}"#)
            #expect(server.workflow.waits == [1_000, 1_000, 500])
            server.workflow.offer([FakeWorkflow.job(1)])
            let jobs = try await server.client.activateJobs(
                "t", worker: "w", maximum: 1, lock: .seconds(1), waiting: .seconds(60))
            #expect(jobs.count == 1)
        }
    }

    @Test func aServerThatGoesDownEndsLongPollsAndRefusesNewWork() async throws {
        try await TestServer.run { server in
            async let poll = server.client.activateJobs(
                "t", worker: "w", maximum: 1, lock: .seconds(1), waiting: .seconds(600))
            while server.workflow.waits.isEmpty { await Task.yield() }
            await server.shutDown()
            let jobs = try await poll
            #expect(jobs.isEmpty)
        }
    }

    static let waits: [(requested: Int64, result: Int64)] = [
        (-1, 0), (0, 10_000), (5, 5), (600_001, 600_000), (.min, 0),
    ]

    @Test(arguments: waits)
    func waitsAreBounded(_ row: (requested: Int64, result: Int64)) {
        #expect(APIServerLimits().wait(row.requested) == row.result)
    }
}

/// A value shared with a concurrent closure.
final class Mutexed<Value: Sendable>: @unchecked Sendable {
    // Every access holds the lock.
    private let lock = NSLock()
    private var stored: Value

    init(_ value: Value) { stored = value }

    var value: Value { lock.withLock { stored } }

    func set(_ value: Value) { lock.withLock { stored = value } }
}
