import ConnectorKit
import Engine
import HubDocuments
import Runtime
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

@Suite(.timeLimit(.minutes(2))) struct DeadLetterReplayTests {
    private static func hub(_ engine: FakeEngine) throws -> HubService {
        var configuration = HubConfiguration()
        configuration.triggers = [try #require(readTrigger(goodTrigger).trigger)]
        return HubService(
            service: engine, modules: [FakeConnector(id: "files")], configuration: configuration,
            clock: ManualConnectorClock(), logger: LogCapture().logger)
    }

    private static func letter(
        origin: String = "orders", payload: String = "o-1,5", contentType: String = "text/csv", state: UInt8 = 0,
        redriveCount: Int = 0,
        coordinates: String =
            "{\"file\":\"f.csv\",\"line\":2,\"headers\":{\"columns\":[\"orderId\",\"amount\"]},\"eventId\":\"f#2\"}"
    ) -> DeadLetterRecord {
        DeadLetterRecord(
            key: 42, origin: origin, coordinates: Array(coordinates.utf8), dedupeKey: "k", stage: "decode",
            errorCode: "HB201", errorMessage: "x", contentType: contentType, payload: Array(payload.utf8), state: state,
            redriveCount: redriveCount, createdAt: 0, endedAt: nil)
    }

    /// The record a projector would make of a letter.
    static func record(of letter: NewDeadLetter) -> DeadLetterRecord {
        var record = DeadLetterRecord(
            key: 42, origin: letter.origin, coordinates: letter.coordinates, dedupeKey: letter.dedupeKey,
            stage: letter.stage, errorCode: letter.errorCode, errorMessage: letter.errorMessage,
            contentType: letter.contentType, payload: letter.payload, state: 0, redriveCount: letter.redriveCount,
            createdAt: 0, endedAt: nil)
        record.headers = letter.headers
        record.report = letter.report
        return record
    }

    @Test func aLetterThatIsRightNowStartsOnceHoweverOftenItIsRepeated() async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        // An event of the same dedupe key was started before: a replay starts all the same.
        engine.change { $0.byKey["orders:o-1"] = Key(rawValue: 900) }
        let result = try await hub.replay(Self.letter(), actor: "anna")
        #expect(result == .started(Key(rawValue: 1)))
        #expect(engine.startedVariables == ["{\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}"])
        #expect(engine.state.withLock { $0.ended.map { $0.key } } == [Key(rawValue: 42)])
        let again = try await hub.replay(Self.letter(), actor: "anna")
        #expect(again == .alreadyStarted(Key(rawValue: 1)))
        #expect(engine.startedVariables.count == 1)
    }

    @Test(arguments: [
        ("text/csv", "o-9,7", "{\"orderId\":\"o-9\",\"amount\":7}"),
        ("application/json", "{\"orderId\":\"o-9\",\"amount\":7}", "{\"orderId\":\"o-9\",\"amount\":7}"),
    ])
    func anEditedPayloadIsSentInsteadOfTheOriginal(
        _ row: (contentType: String, payload: String, order: String)
    ) async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        let letter = Self.letter(payload: "broken\"", contentType: row.contentType)
        _ = try await hub.replay(letter, payload: Array(row.payload.utf8), actor: "anna")
        #expect(engine.startedVariables == ["{\"order\":\(row.order),\"via\":\"file\"}"])
    }

    @Test func aDryRunChangesNothing() async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        let result = try await hub.replay(Self.letter(), isDryRun: true, actor: "anna")
        let variables = Array("{\"order\":{\"orderId\":\"o-1\",\"amount\":5},\"via\":\"file\"}".utf8)
        #expect(result == .wouldStart(workflow: "order-intake", variables: variables))
        guard
            case .wouldFail(let reason) = try await hub.replay(
                Self.letter(payload: "o-1"), isDryRun: true, actor: "anna")
        else {
            Issue.record("expected a failure")
            return
        }
        #expect(reason.contains("Expected 2 fields"))
        _ = try await hub.replay(Self.letter(payload: "o-1,0"), isDryRun: true, actor: "anna")
        #expect(engine.state.withLock { $0.calls == 0 && $0.ended.isEmpty })
    }

    @Test func aLetterThatFailsAgainIsReplacedByOneThatNamesIt() async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        let result = try await hub.replay(Self.letter(payload: "o-1", redriveCount: 1), actor: "anna")
        guard case .deadLettered(let key, _) = result else {
            Issue.record("unexpected \(result)")
            return
        }
        #expect(key == Key(rawValue: 1))
        let new = try #require(engine.letters.first)
        #expect(new.redriveCount == 2)
        #expect(try JSON.parse(new.coordinates)["redriveOf"] == "42")
        #expect(try JSON.parse(new.coordinates)["line"] == 2)
        #expect(try JSON.parse(new.headers) == ["columns": ["orderId", "amount"]])
        #expect(engine.state.withLock { $0.ended.map { $0.outcome } } == [.resolved])
    }

    @Test func aStartRefusedForGoodIsAFailureToo() async throws {
        let engine = FakeEngine()
        engine.change { $0.startRefusals = [.init(code: .invalidArgument, retryAfter: nil)] }
        guard case .deadLettered = try await Self.hub(engine).replay(Self.letter(), actor: "anna") else {
            Issue.record("expected a dead letter")
            return
        }
        #expect(engine.letters.map(\.errorCode) == ["HB207"])
    }

    @Test func aLetterTheFilterStopsIsDone() async throws {
        let engine = FakeEngine()
        #expect(try await Self.hub(engine).replay(Self.letter(payload: "o-1,0"), actor: "anna") == .filtered)
        #expect(engine.state.withLock { $0.ended.count } == 1)
    }

    @Test(arguments: [
        ("another trigger's", letter(origin: "other"), HubCode.unknownName),
        ("replayed", letter(state: 1), .deadLetterState), ("discarded", letter(state: 2), .deadLetterState),
        ("replayed too often", letter(redriveCount: 3), .deadLetterState),
    ])
    func somethingThatCannotBeReplayedIsRefused(
        _ row: (name: String, letter: DeadLetterRecord, code: HubCode)
    ) async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        do {
            _ = try await hub.replay(row.letter, actor: "anna")
            Issue.record("\(row.name): expected an error")
        } catch {
            #expect(error.code == row.code, "\(row.name)")
            #expect(!error.remedy.isEmpty)
        }
        #expect(engine.state.withLock { $0.calls == 0 })
    }

    @Test func anEngineThatIsBusyLeavesTheLetterAsItIs() async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        engine.change { state in
            state.startRefusals = [.init(code: .resourceExhausted, retryAfter: 10)]
            state.letterRefusals = [.init(code: .storeFailed, retryAfter: nil)]
        }
        for letter in [Self.letter(), Self.letter(payload: "o-1")] {
            do {
                _ = try await hub.replay(letter, actor: "anna")
                Issue.record("expected an error")
            } catch {
                #expect(error.code == .replayFailed)
            }
        }
        #expect(engine.state.withLock { $0.ended.isEmpty })
    }

    @Test func discardingEndsTheLetter() async throws {
        let engine = FakeEngine()
        let hub = try Self.hub(engine)
        try await hub.discard(deadLetter: Key(rawValue: 42), actor: "anna")
        #expect(engine.state.withLock { $0.ended.map { $0.outcome } } == [.discarded])
        engine.change { $0.endRefusal = .init(code: .invalidState, retryAfter: nil) }
        await #expect(throws: HubError.self) {
            try await hub.discard(deadLetter: Key(rawValue: 42), actor: "anna")
        }
    }

    @Test func aLetterWithoutCoordinatesCanStillBeRead() {
        let event = Self.letter(contentType: "application/json", coordinates: "oops").event(
            payload: Array("1".utf8), decoding: RecordDecoding())
        #expect(event.id == "dead-letter:42")
        guard case .value(1) = event.body else {
            Issue.record("unexpected \(event.body)")
            return
        }
    }
}
