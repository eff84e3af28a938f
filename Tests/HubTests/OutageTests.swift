import ConnectorKit
import Engine
import Foundation
import Resilience
import Runtime
import Storage
import Testing
import Values

@testable import Hub

/// Sources that wait for what their processes need.
@Suite(.timeLimit(.minutes(2))) struct OutageTests {
    private static func order(_ id: Int) -> SourceEvent {
        SourceEvent(
            id: "f#\(id)", payload: Array("o-\(id),5".utf8), contentType: "text/csv",
            body: .value(["orderId": .string("o-\(id)"), "amount": 5]),
            coordinates: ["file": "f.csv", "line": .number(Number(id + 1))])
    }

    @Test func anOpenBreakerOfTheStartedProcessPausesItsSource() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        try life.hub.setBreaker(.open, connection: "remote", actor: "ann")
        life.files.change { $0.batches = [[Self.order(1), Self.order(2)]] }
        let run = Task { [hub = life.hub] in await hub.run() }
        let held = try await life.value { () -> TriggerStatus? in
            let status = life.hub.triggers()[0]
            return status.heldBy == nil ? nil : status
        }
        #expect(held.heldBy == "remote" && held.heldMilliseconds == nil && held.state == .degraded)
        #expect(held.trouble?.contains("connection remote is forced-open, until an operator changes it") == true)
        #expect(try life.hub.connection("remote").pausedTriggers == ["orders"])
        #expect(try await life.instances() == 0)
        try life.hub.setBreaker(.reset, connection: "remote", actor: "ann")
        _ = try await life.value { () -> Bool? in life.hub.triggers()[0].counters.started == 2 ? true : nil }
        #expect(life.hub.triggers()[0].heldBy == nil)
        #expect(life.logs.text.contains("trigger paused by an outage"))
        #expect(life.logs.text.contains("trigger resumed after an outage"))
        run.cancel()
        await run.value
        await life.end()
    }

    @Test func onlyConnectionsThatMatterPauseASource() async throws {
        let site = try LetterSite()
        let life = try await site.life { configuration, _ in
            configuration.connections.append(
                ConnectionDeclaration(id: "elsewhere", connector: "fake", parameters: [:]))
        }
        func watch(_ pausedBy: [String]?) throws -> OutageWatch {
            var trigger = try #require(life.hub.configuration.triggers.first)
            trigger.pausedBy = pausedBy
            let lanes = life.hub.configuration.connections.map { ConnectionLane($0, logger: life.logs.logger) }
            lanes[1].setMode(.isolated, actor: "ann")
            return OutageWatch(
                trigger: trigger, service: life.runtime,
                lanes: Dictionary(lanes.map { ($0.declaration.id, $0) }, uniquingKeysWith: { $1 }))
        }
        #expect(try watch(nil).connections == ["inbox", "remote"])
        #expect(try watch([]).connections == ["inbox"])
        #expect(try watch(["elsewhere"]).connections == ["inbox", "elsewhere"])
        #expect(try watch(nil).outage(at: .zero)?.state == "isolated")
        #expect(try watch([]).outage(at: .zero) == nil)
        await life.end()
    }

    @Test func aBreakerThatOpensByItselfNamesTheTimeAndLetsTheSourceGoWhenItIsHalfOpen() async throws {
        var profile = ResilienceProfile(name: "test")
        profile.breaker?.minimumCalls = 1
        profile.breaker?.openDuration = .seconds(30)
        let lane = ConnectionLane(
            ConnectionDeclaration(id: "remote", connector: "fake", parameters: [:], profile: profile),
            logger: LogCapture().logger)
        let gate = lane.guard(group: "", profile: profile)
        #expect(lane.outage(at: .zero) == nil)
        gate.step { $0.breaker?.open(at: .seconds(1)) }
        let outage = try #require(lane.outage(at: .seconds(2)))
        #expect(outage.remaining.map { $0 > .seconds(20) && $0 <= .seconds(30) } == true)
        #expect(lane.outage(at: .seconds(100)) == nil)
    }

    // MARK: Operators

    @Test func whatAnOperatorImposedOutlivesTheHub() async throws {
        let site = try LetterSite()
        var life = try await site.life()
        try life.hub.setBreaker(.isolate, connection: "remote", actor: "ann")
        await life.end()
        life = try await site.life()
        life.hub.start()
        let status = try life.hub.connection("remote")
        #expect(status.breaker == "isolated" && status.imposedBy == "ann")
        #expect(life.logs.text.contains("circuit breaker is still as an operator set it"))
        _ = try await life.start("{\"order\":1}")
        _ = try await life.value { () -> Bool? in
            try await life.read { try $0.jobs(Query()).items.first?.record.state == 2 ? true : nil }
        }
        #expect(life.connector.calls.isEmpty)
        try life.hub.setBreaker(.reset, connection: "remote", actor: "bob")
        await life.end()
        life = try await site.life()
        #expect(try life.hub.connection("remote").imposed == nil)
        await life.end()
    }

    @Test func aFileThatCannotBeReadOrWrittenIsReported() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "modes-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "breakers.json").path
        for content in ["", "{", "[]", "{\"format\":\"other\"}", "{\"format\":\"junction-breakers/1\"}"] {
            try Data(content.utf8).write(to: URL(fileURLWithPath: path))
            let logs = LogCapture()
            #expect(BreakerModes(path: path, logger: logs.logger).imposed(on: "a") == nil)
            #expect(logs.text.contains("HB318"), "\(content)")
        }
        try Data("{\"format\":\"junction-breakers/1\",\"modes\":{\"a\":{\"mode\":\"melt\"},\"b\":7}}".utf8)
            .write(to: URL(fileURLWithPath: path))
        let modes = BreakerModes(path: path, logger: LogCapture().logger)
        #expect(modes.imposed(on: "a") == nil && modes.imposed(on: "b") == nil)
        let nowhere = BreakerModes(path: folder.path + "/none/breakers.json", logger: LogCapture().logger)
        #expect(throws: HubError.self) { try nowhere.set(.open, connection: "a", actor: "ann", at: 0) }
        #expect(nowhere.imposed(on: "a") == nil)
    }
}
