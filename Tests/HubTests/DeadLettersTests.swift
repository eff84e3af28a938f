import ConnectorKit
import Decisions
import Engine
import HubDocuments
import Resilience
import Runtime
import Storage
import Testing
import Values

@testable import Hub

/// Letters of triggers: found, corrected, replayed and forgotten.
@Suite(.timeLimit(.minutes(2))) struct DeadLettersTests {
    @Test func aSelectionMeansWhatAllOfItSays() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        for line in 1...4 { try await life.park(line, payload: line == 3 ? "needle-3" : "o-\(line)") }
        site.clock.advance(by: .seconds(600))
        let all = try await life.letters()
        #expect(all.count == 4 && all.allSatisfy { $0.connection == "inbox" && $0.schemaID == nil })
        func found(_ change: (inout DeadLetterSelection) throws -> Void) async throws -> Int {
            var selection = DeadLetterSelection()
            try change(&selection)
            return try await life.hub.deadLetters.list(selection).count
        }
        #expect(try await found { $0.origin = "orders" } == 4)
        #expect(try await found { $0.origin = "others" } == 0)
        #expect(try await found { $0.connection = "inbox" } == 4)
        #expect(try await found { $0.connection = "remote" } == 0)
        #expect(try await found { $0.code = "HB201" } == 4)
        #expect(try await found { $0.stage = "transform" } == 0)
        #expect(try await found { $0.kind = .job } == 0)
        #expect(try await found { $0.text = "needle" } == 1)
        #expect(try await found { $0.limit = 3 } == 3)
        #expect(try await found { $0.keys = [Key(rawValue: all[0].key)] } == 1)
        #expect(
            try await found { selection in
                selection.condition = try Expression.compile(
                    "coordinates.line > 2 and contains(payload, \"o-\") and headers.columns[1] = \"orderId\"")
            } == 1)
        #expect(try await found { $0.condition = try Expression.compile("missing.member") } == 0)
        await life.end()
    }

    @Test func whatIsQueuedIsReplayedOldestFirstAndNotTooFast() async throws {
        let site = try LetterSite()
        let life = try await site.life { _, settings in
            settings.rate = RateLimiter.Policy(limit: 1_000, period: .seconds(1), burst: 1)
        }
        let trigger = try #require(life.hub.configuration.triggers.first)
        for line in 1...5 {
            // Good rows: the declaration was mended meanwhile.
            let key = try await life.park(line, payload: "o-\(line),7")
            #expect(key.rawValue > 0)
        }
        let before = site.clock.now
        let forecast = try await life.hub.deadLetters.replay(DeadLetterSelection(), isDryRun: true, actor: "ann")
        #expect(forecast.queued.isEmpty && forecast.forecast.count == 5)
        #expect(try await life.instances() == 0)
        let result = try await life.hub.deadLetters.replay(
            DeadLetterSelection(), rate: DeadLetterRate("2/s"), actor: "ann")
        #expect(result.queued.count == 5 && result.skipped == 0)
        let letters = try await life.letters { $0.allSatisfy { $0.endedAt != nil } }
        #expect(letters.map(\.state) == [1, 1, 1, 1, 1])
        #expect(try await life.instances() == 5)
        // Five letters at two a second need two seconds, whatever the trigger and the hub allow.
        #expect(site.clock.now - before >= .seconds(2))
        #expect(trigger.redriveRate?.limit == 20)
        let audit = try await life.read { try $0.audit(Query(page: PageRequest(limit: 100))).items }
        #expect(audit.filter { $0.action == "queue-dead-letter" && $0.actor == "ann" }.count == 5)
        await life.end()
    }

    @Test func aQueueSurvivesTheEndOfTheProgramAtAnyMoment() async throws {
        let site = try LetterSite()
        var life = try await site.life()
        for line in 1...30 { try await life.park(line, payload: "o-\(line),7") }
        for letter in try await life.letters() {
            var report = DeadLetterReport(json: letter.report)
            report.request = .init(actor: "ann", usesNewKey: false)
            var update = DeadLetterUpdate(.queue)
            update.report = report.json
            try await life.runtime.updateDeadLetter(key: Key(rawValue: letter.key), update, actor: "ann")
        }
        // Runs that end after a few replays, at whatever step they are.
        for run in 1...5 {
            await life.end()
            life = try await site.life()
            life.hub.deadLetters.kick()
            _ = try await life.letters { letters in letters.count { $0.endedAt != nil } >= run * 3 }
        }
        // One was started, and the program ended before the letter did.
        if let letter = try await life.letters([3]).first {
            let trigger = try #require(life.hub.configuration.triggers.first)
            let redrive = TriggerPipeline.Redrive(
                key: Key(rawValue: letter.key), count: 1, report: DeadLetterReport(json: letter.report))
            let event = letter.event(payload: nil, decoding: trigger.decoding)
            guard
                case .start(let request) = TriggerPipeline(trigger).verdict(
                    on: event, receivedAt: site.clock.unixMilliseconds, redrive: redrive)
            else {
                Issue.record("expected a start")
                return
            }
            _ = try await life.runtime.createInstance(request)
        }
        await life.end()
        life = try await site.life()
        life.hub.deadLetters.kick()
        let letters = try await life.letters { $0.allSatisfy { $0.endedAt != nil } }
        #expect(letters.count == 30 && letters.allSatisfy { $0.state == 1 })
        #expect(try await life.instances() == 30)
        await life.end()
    }

    @Test func whatCannotBeReplayedIsParkedAgainAndWhatFailsAgainIsOneLetter() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        let bad = try await life.park(1, payload: "o-1")
        let gone = try await life.runtime.recordDeadLetter(
            NewDeadLetter(
                origin: "no-such-trigger", coordinates: Array("{}".utf8), dedupeKey: nil, stage: "decode",
                errorCode: "HB201", errorMessage: "x", contentType: "text/plain", payload: [1]))
        _ = try await life.hub.deadLetters.replay(DeadLetterSelection(), actor: "ann")
        let letters = try await life.letters { letters in
            letters.count == 3 && letters.allSatisfy { $0.state < 3 }
        }
        #expect(letters.first { $0.key == bad.rawValue }?.state == 1)
        #expect(letters.first { $0.key == gone.rawValue }?.state == 0)
        let again = try #require(letters.first { $0.parentKey == bad.rawValue })
        #expect(again.state == 0 && again.redriveCount == 1)
        let report = DeadLetterReport(json: again.report)
        #expect(report.attempts == 2 && report.history.map(\.count) == [2] && report.ancestors == [bad])
        await life.end()
    }

    @Test func aLetterThatReplacedAnotherStartsNothingTheOtherStartedUnlessToldTo() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        let key = try await life.park(1, payload: "o-1")
        let first = try await life.hub.deadLetters.letter(key)
        _ = try await life.hub.replay(first, actor: "ann")
        let second = try #require(try await life.letters([0]).first)
        // The first one's replay, interrupted before, started something after all.
        let started = try await life.runtime.createInstance(
            CreateInstanceRequest(
                target: .process(id: "order-intake", version: nil), idempotencyKey: "orders:redrive:\(key)",
                actor: "x"))
        let payload = Array("o-1,7".utf8)
        #expect(
            try await life.hub.replay(second, payload: payload, actor: "ann") == .alreadyStarted(started.key))
        let third = try await life.hub.deadLetters.letter(try await life.park(2, payload: "o-2"))
        guard
            case .started(let one) = try await life.hub.replay(
                third, payload: Array("o-2,7".utf8), usesNewKey: true, actor: "ann")
        else {
            Issue.record("expected a start")
            return
        }
        #expect(one != started.key)
        await life.end()
    }

    @Test func aLetterThatDescendsFromItselfIsNotReplayed() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        var letter = try await life.hub.deadLetters.letter(try await life.park(1))
        var report = DeadLetterReport(json: letter.report)
        report.ancestors = [Key(rawValue: 5), Key(rawValue: letter.key)]
        letter.report = report.json
        do {
            _ = try await life.hub.replay(letter, actor: "ann")
            Issue.record("expected a refusal")
        } catch {
            #expect(error.code == .replayCycle)
        }
        await life.end()
    }

    @Test func aPatchThatDoesNotApplyChangesNothing() async throws {
        let site = try LetterSite()
        let life = try await site.life()
        let key = try await life.park(1, payload: "o-1")
        let wrong = try JSONPatch([["op": "replace", "path": "", "value": "x"], ["op": "remove", "path": "/a"]])
        do {
            _ = try await life.hub.deadLetters.edit(key, patch: wrong, document: [], actor: "ann")
            Issue.record("expected a refusal")
        } catch {
            #expect(error.code == .patchFailed)
        }
        #expect(try await life.hub.deadLetters.letter(key).payload == Array("o-1".utf8))
        // A row is one text to a patch.
        let right = try JSONPatch(try JSON.parse(#"[{"op":"replace","path":"","value":"o-1,8"}]"#))
        _ = try await life.hub.deadLetters.edit(key, patch: right, document: [], actor: "ann")
        let letter = try await life.hub.deadLetters.letter(key)
        #expect(letter.payload == Array("o-1,8".utf8) && letter.originalPayload == Array("o-1".utf8))
        guard case .started = try await life.hub.replay(letter, actor: "ann") else {
            Issue.record("expected a start")
            return
        }
        await #expect(throws: HubError.self) {
            try await life.hub.deadLetters.edit(key, patch: right, document: [], actor: "ann")
        }
        await #expect(throws: HubError.self) { try await life.hub.deadLetters.letter(Key(rawValue: 1)) }
        await life.end()
    }

    @Test func endedLettersAreForgottenAfterTheirTimeAndOpenOnesNever() async throws {
        let site = try LetterSite()
        let life = try await site.life { configuration, settings in
            settings.retention = .seconds(3_600)
            configuration.triggers[0].retention = .seconds(60)
        }
        let keys = [try await life.park(1), try await life.park(2)]
        let other = try await life.runtime.recordDeadLetter(
            NewDeadLetter(
                origin: "fake", coordinates: Array("{}".utf8), dedupeKey: nil, stage: "invoke", errorCode: "X",
                errorMessage: "x", contentType: "application/json", payload: [1]))
        for key in [keys[0], other] { try await life.hub.discard(deadLetter: key, actor: "ann") }
        try await life.hub.deadLetters.sweep()
        #expect(try await life.letters().count == 3)
        site.clock.advance(by: .seconds(600))
        try await life.hub.deadLetters.sweep()
        #expect(Set(try await life.letters().map(\.key)) == [keys[1].rawValue, other.rawValue])
        site.clock.advance(by: .seconds(7_200))
        try await life.hub.deadLetters.sweep()
        #expect(try await life.letters().map(\.key) == [keys[1].rawValue])
        await life.end()
    }

    @Test func alertsAreAboutAgeAndInflowAndDoNotFlutter() async throws {
        let site = try LetterSite()
        let life = try await site.life { _, settings in
            settings.alerts.age = .seconds(100)
            settings.alerts.inflow = (3, .seconds(60))
        }
        let first = try await life.park(1)
        func alerts() async throws -> [String: Bool] {
            let status = try await life.hub.deadLetters.status()
            return Dictionary(status.alerts.map { ($0.name, $0.isRaised) }, uniquingKeysWith: { $1 })
        }
        #expect(try await alerts() == ["age": false, "inflow": false])
        for line in 2...3 { try await life.park(line) }
        #expect(try await alerts()["inflow"] == true)
        #expect(life.logs.text.contains("HB316"))
        // The engine stamps letters by its own clock: a margin for the time between.
        site.clock.advance(by: .seconds(130))
        #expect(try await alerts() == ["age": true, "inflow": false])
        #expect(life.logs.text.contains("warning dead letter alert raised") && life.logs.text.contains("HB315"))
        for letter in try await life.letters([0]) {
            try await life.hub.discard(deadLetter: Key(rawValue: letter.key), actor: "ann")
        }
        #expect(try await alerts()["age"] == false)
        #expect(life.logs.text.contains("dead letter alert cleared"))
        let status = try await life.hub.deadLetters.status()
        #expect(status.counts.first { $0.state == "discarded" }?.count == 3 && status.oldestAt == nil)
        #expect(first.rawValue > 0)
        await life.end()
    }

    @Test func anAlarmIsClearedWellBelowItsLimit() {
        var alarm = DeadLetterAlarm(limit: 100)
        let changes = [99, 100, 99, 80, 79.9, 99, 150, 81, 10].map { alarm.observe($0) }
        #expect(changes == [nil, true, nil, nil, false, nil, true, nil, false])
    }

    @Test(arguments: [
        ("50/s", 50, 1.0), ("100/1m", 100, 60), ("3/10s", 3, 10), ("1/500ms", 1, 0.5),
    ])
    func ratesAreRead(_ row: (text: String, count: Int, seconds: Double)) throws {
        let policy = try #require(RateLimiter.Policy(rate: row.text))
        #expect(policy.limit == row.count && policy.period == .seconds(row.seconds))
        for wrong in ["", "50", "/s", "0/s", "x/s", "50/", "50/x", "-1/s"] { #expect(DeadLetterRate(wrong) == nil) }
    }

    @Test func settingsAreReadStrictly() throws {
        func read(_ text: String) throws -> (DeadLetterSettings, [String]) {
            let log = DiagnosticLog(file: "junction.yaml")
            let node = try #require(YAMLDocument.parse(text, log: log))
            let settings = DeadLetterSettings(MappingReader(node, log: log))
            return (settings, places(log.diagnostics))
        }
        let (settings, findings) = try read(
            "retain: 10d\nredrive: { maxCount: 2, rate: 5/s }\nalerts: { age: 1h, inflow: 100/1m }\n")
        #expect(findings.isEmpty)
        #expect(settings.retention == .seconds(864_000) && settings.redriveMax == 2 && settings.rate.limit == 5)
        #expect(settings.alerts.age == .seconds(3_600))
        #expect(settings.alerts.inflow?.count == 100 && settings.alerts.inflow?.period == .seconds(60))
        let wrong = try read("retain: soon\nalerts: { inflow: many, count: 5 }\n").1
        #expect(wrong == ["HB107 1:9", "HB107 2:19", "HB105 2:25"])
    }
}
