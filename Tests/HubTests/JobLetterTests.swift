import ConnectorKit
import Engine
import Resilience
import Runtime
import Storage
import Testing
import Values

@testable import Hub

/// Calls of jobs that failed for good.
@Suite(.timeLimit(.minutes(2))) struct JobLetterTests {
    @Test func aCallThatFailsForGoodIsALetterAndAnIncident() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        life.connector.change { $0.outcomes = [LetterSite.failure(.validation)] }
        life.hub.start()
        let instance = try await life.start("{\"order\":{\"id\":\"o-1\"}}")
        let letter = try #require(try await life.letters { !$0.isEmpty }.first)
        #expect(letter.kind == 1 && letter.origin == "fake" && letter.connection == "remote")
        #expect(letter.stage == "invoke" && letter.errorCode == "FAKE-1" && letter.state == 0)
        #expect(letter.payload == Array("{\"order\":{\"id\":\"o-1\"}}".utf8))
        let coordinates = try JSON.parse(letter.coordinates)
        #expect(coordinates["type"] == "job" && coordinates["elementId"] == "call")
        #expect(coordinates["processInstanceKey"] == .string(instance.description))
        let report = DeadLetterReport(json: letter.report)
        #expect(report.first?.errorClass == "validation" && report.first?.isRetryable == false)
        #expect(report.attempts == 1 && report.idempotencyKey?.hasPrefix(instance.description) == true)
        let incident = try await life.value {
            try await life.read { try $0.incidents(Query()).items.first?.record }
        }
        #expect(incident.jobKey == letter.jobKey)
        await life.end()
    }

    @Test func anOutageFillsNothing() async throws {
        let site = try LetterSite()
        let life = try await site.life { configuration, _ in
            configuration.connections[1].profile.retry.maximumAttempts = 2
            configuration.connections[1].profile.breaker?.minimumCalls = 1
            configuration.connections[1].profile.breaker?.openDuration = .seconds(3_600)
        }
        life.connector.change { state in
            state.outcomes = Array(repeating: LetterSite.failure(.unavailable), count: 50)
        }
        life.hub.start()
        for number in 0..<5 { _ = try await life.start("{\"order\":\(number)}") }
        _ = try await life.value {
            try await life.read { reader in
                let jobs = try reader.jobs(Query()).items.map(\.record)
                return jobs.count == 5 && jobs.allSatisfy { $0.state == 2 && $0.retries == 3 } ? true : nil
            }
        }
        #expect(try await life.letters().isEmpty)
        await life.end()
    }

    @Test func aReplayGoesOnAtItsStepUnderItsKeyWithItsInput() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        life.connector.change { $0.outcomes = [LetterSite.failure(.validation)] }
        life.hub.start()
        _ = try await life.start("{\"order\":{\"id\":\"o-1\"}}")
        let letter = try #require(try await life.letters { !$0.isEmpty }.first)
        let key = Key(rawValue: letter.key)
        _ = try await life.value { try await life.read { try $0.incidents(Query()).items.first } }
        #expect(
            try await life.hub.replay(letter, isDryRun: true, actor: "ann")
                == .wouldRetry(element: "call", input: letter.payload))
        let patch = try JSONPatch(try JSON.parse(#"[{"op":"replace","path":"/order/id","value":"o-2"}]"#))
        let (before, after) = try await life.hub.deadLetters.edit(
            key, patch: patch, document: Array("[]".utf8), actor: "ann")
        #expect(before["order"]?["id"] == "o-1" && after["order"]?["id"] == "o-2")
        let edited = try await life.hub.deadLetters.letter(key)
        #expect(edited.originalPayload == letter.payload)
        guard case .retried(_, "call") = try await life.hub.replay(edited, actor: "ann") else {
            Issue.record("expected a retry")
            return
        }
        let calls = try await life.value { life.connector.calls.count == 2 ? life.connector.calls : nil }
        #expect(calls[1].input == ["order": ["id": "o-2"]])
        #expect(calls[1].idempotencyKey == calls[0].idempotencyKey)
        _ = try await life.value {
            try await life.hub.deadLetters.sweep()
            return try await life.letters([1]).isEmpty ? nil : true
        }
        let audit = try await life.read { try $0.audit(Query()).items }
        #expect(
            audit.filter { $0.object == key.description && $0.actor == "ann" }.map(\.action) == [
                "edit-dead-letter", "replay-dead-letter",
            ])
        #expect(audit.first { $0.action == "edit-dead-letter" }?.detail == "[]")
        await life.end()
    }

    @Test func aCallThatFailsAgainReplacesItsLetterAndANewKeyIsAnotherEffect() async throws {
        let site = try LetterSite()
        let life = try await site.life { _, settings in settings.redriveMax = 1 }
        life.connector.change { state in
            state.outcomes = [LetterSite.failure(.validation), LetterSite.failure(.conflict, code: "FAKE-2")]
        }
        life.hub.start()
        _ = try await life.start("{\"order\":1}")
        let first = try #require(try await life.letters { !$0.isEmpty }.first)
        _ = try await life.value { try await life.read { try $0.incidents(Query()).items.first } }
        _ = try await life.hub.replay(first, usesNewKey: true, actor: "ann")
        let letters = try await life.letters { $0.count == 2 && $0.contains { $0.state == 1 } }
        let second = try #require(letters.first { $0.state == 0 })
        #expect(second.parentKey == first.key && second.redriveCount == 1 && second.errorCode == "FAKE-2")
        let report = DeadLetterReport(json: second.report)
        #expect(report.first?.code == "FAKE-1" && report.last?.code == "FAKE-2" && report.attempts == 2)
        #expect(report.history.map(\.code) == ["FAKE-1", "FAKE-2"])
        let calls = life.connector.calls
        #expect(calls[1].idempotencyKey == (calls[0].idempotencyKey ?? "") + "-redrive-\(Key(rawValue: first.key))")
        await #expect(throws: HubError.self) { try await life.hub.replay(second, actor: "ann") }
        await life.end()
    }

    @Test(arguments: [true, false])
    func aReplaySurvivesARestartBetweenAnyTwoSteps(_ wasOffered: Bool) async throws {
        let site = try LetterSite()
        var life = try await site.life()
        life.connector.change { $0.outcomes = [LetterSite.failure(.validation)] }
        life.hub.start()
        let instance = try await life.start("{\"order\":1}")
        let letter = try #require(try await life.letters { !$0.isEmpty }.first)
        let key = Key(rawValue: letter.key)
        let incident = try await life.value { try await life.read { try $0.incidents(Query()).items.first?.record } }
        // The input is corrected and the replay is on record; then the program ends before the job is offered again.
        let patch = try JSONPatch(try JSON.parse(#"[{"op":"replace","path":"/order","value":2}]"#))
        _ = try await life.hub.deadLetters.edit(key, patch: patch, document: [], actor: "ann")
        var report = DeadLetterReport(json: letter.report)
        report.request = .init(actor: "ann", usesNewKey: true)
        var update = DeadLetterUpdate(.replay)
        update.report = report.json
        try await life.runtime.updateDeadLetter(key: key, update, actor: "ann")
        if wasOffered {
            // Nobody takes the job in this life: only the hub that has read the request knows of the correction.
            await life.hub.shutdown()
            try await life.runtime.resolveIncident(key: Key(rawValue: incident.key), actor: "ann")
        }
        await life.end()
        life = try await site.life()
        life.hub.start()
        try await life.hub.deadLetters.sweep()
        let call = try await life.value { [life] in life.connector.calls.last }
        #expect(call.input == ["order": 2])
        #expect(call.idempotencyKey?.hasSuffix("-redrive-\(key)") == true)
        _ = try await life.value { [life] in
            try await life.hub.deadLetters.sweep()
            return try await life.letters([1]).isEmpty ? nil : true
        }
        let ended = try await life.read { try $0.processInstance(key: instance.rawValue)?.record.state }
        #expect(ended == .completed)
        #expect(life.connector.calls.count == 1)
        await life.end()
    }

    @Test func lettersOfJobsThatEndedOtherwiseAreSettled() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        life.connector.change { state in
            state.outcomes = Array(repeating: LetterSite.failure(.validation), count: 2)
        }
        life.hub.start()
        let instances = [try await life.start("{\"order\":1}"), try await life.start("{\"order\":2}")]
        let letters = try await life.letters { $0.count == 2 }
        func letter(_ instance: Key) -> UInt64? {
            letters.first { String(decoding: $0.coordinates, as: UTF8.self).contains(instance.description) }?.key
        }
        let incidents = try await life.value { () -> [IncidentRecord]? in
            let found = try await life.read { try $0.incidents(Query()).items.map(\.record) }
            return found.count == 2 ? found : nil
        }
        try await life.runtime.cancelInstance(key: instances[0], actor: "bob")
        let other = try #require(incidents.first { $0.instanceKey == instances[1].rawValue })
        try await life.runtime.resolveIncident(key: Key(rawValue: other.key), actor: "bob")
        _ = try await life.value {
            try await life.hub.deadLetters.sweep()
            let states = try await life.letters()
            return states.allSatisfy { $0.endedAt != nil } ? states : nil
        }
        let ended = try await life.letters()
        #expect(ended.first { $0.key == letter(instances[0]) }?.state == 2)
        #expect(ended.first { $0.key == letter(instances[1]) }?.state == 1)
        let gone = try #require(letters.first)
        await #expect(throws: HubError.self) { try await life.hub.replay(gone, actor: "ann") }
        await life.end()
    }

    @Test func aJobIsNotAnsweredWhileItsLetterCannotBeWritten() async throws {
        let engine = FakeEngine()
        let connector = FakeConnector()
        var configuration = HubConfiguration()
        configuration.connections = [ConnectionDeclaration(id: "remote", connector: "fake", parameters: [:])]
        let hub = HubService(
            service: engine, modules: [connector], configuration: configuration, clock: ManualConnectorClock(),
            logger: LogCapture().logger)
        hub.start()
        connector.change { $0.outcomes = Array(repeating: LetterSite.failure(.validation), count: 2) }
        engine.change { $0.letterRefusals = [.init(code: .storeFailed, retryAfter: nil)] }
        guard case .postponed(5_000, let message) = await engine.run(callJob()) else {
            Issue.record("expected the job to come again")
            return
        }
        #expect(message.contains("FAKE-1"))
        #expect(engine.letters.isEmpty)
        guard case .failed(0, _, _) = await engine.run(callJob()) else {
            Issue.record("expected a failure")
            return
        }
        #expect(engine.letters.map(\.errorCode) == ["FAKE-1"])
        await hub.shutdown()
    }

    @Test func policiesOfTheModelGuardTheCallsOfARealProcess() async throws {
        let site = try LetterSite()
        let life = try await site.life(
            resilience: "<apg:resilience><apg:retry max=\"3\"><apg:backoff kind=\"constant\" base=\"1ms\"/></apg:retry>"
                + "<apg:timeout attempt=\"7s\"/></apg:resilience>")
        life.connector.change { state in
            state.outcomes = Array(repeating: LetterSite.failure(.unavailable), count: 2)
        }
        life.hub.start()
        let instance = try await life.start("{\"order\":1}")
        _ = try await life.value { () -> Bool? in
            let state = try await life.read { try $0.processInstance(key: instance.rawValue)?.record.state }
            return state == .completed ? true : nil
        }
        #expect(life.connector.calls.map(\.attempt) == [1, 2, 3])
        #expect(life.connector.calls.allSatisfy { $0.timeout <= .seconds(7) })
        #expect(try await life.letters().isEmpty)
        await life.end()
    }
}
