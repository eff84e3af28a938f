import ConnectorKit
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct QueueLedgerTests {
    private static func message(_ id: String, handle: String? = nil) -> QueueClient.Message {
        QueueClient.Message(
            id: id, handle: handle ?? "h-" + id, raw: .null,
            event: SourceEvent(id: id, payload: [], contentType: "text/plain"))
    }

    private static func ids(_ batch: EventBatch?) -> [String] { batch?.events.map(\.id) ?? [] }

    @Test func messagesAreHandedOutInTheOrderTheyCame() {
        var ledger = QueueLedger()
        ledger.add(["a", "b", "c"].map { Self.message($0) }, at: .zero, lock: .seconds(30))
        #expect(Self.ids(ledger.take(2, at: .seconds(1))) == ["a", "b"])
        #expect(Self.ids(ledger.take(2, at: .seconds(1))) == ["c"])
        #expect(ledger.take(2, at: .seconds(1)) == nil)
        #expect(ledger.count == 3)
    }

    @Test func aMessageWhoseLockHasEndedIsNotHandedOut() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a")], at: .zero, lock: .seconds(30))
        ledger.add([Self.message("b")], at: .seconds(20), lock: .seconds(30))
        #expect(Self.ids(ledger.take(9, at: .seconds(30))) == ["b"])
    }

    @Test func aMessageThatComesAgainReplacesItsFormerSelfWhileThatWaits() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a", handle: "1")], at: .zero, lock: .seconds(30))
        ledger.add([Self.message("a", handle: "2")], at: .seconds(20), lock: .seconds(30))
        let batch = ledger.take(9, at: .seconds(40))
        #expect(Self.ids(batch) == ["a"])
        #expect(ledger.finish(batch?.id.rawValue ?? 0).map(\.message.handle) == ["2"])
    }

    @Test func whereNothingIsHiddenAMessageThatIsOutIsNoNews() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a")], at: .zero, lock: nil)
        let batch = ledger.take(9, at: .zero)
        ledger.add([Self.message("a"), Self.message("b")], at: .seconds(1), lock: nil)
        #expect(ledger.waiting.map(\.message.id) == ["b"])
        _ = ledger.finish(batch?.id.rawValue ?? 0)
        ledger.add([Self.message("a")], at: .seconds(2), lock: nil)
        #expect(ledger.waiting.map(\.message.id) == ["b", "a"])
    }

    @Test func locksAreExtendedAtAThirdOfTheirTimeAndNeverBeyondTheMaximum() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a")], at: .zero, lock: .seconds(60))
        _ = ledger.take(1, at: .zero)
        func wanted(_ now: Duration) -> [Duration] {
            ledger.extensions(at: now, lock: .seconds(60), maximum: .seconds(100)).map(\.lock)
        }
        #expect(wanted(.seconds(19)) == [])
        #expect(wanted(.seconds(20)) == [.seconds(60)])
        ledger.extended(["h-a"], until: .seconds(85))
        #expect(wanted(.seconds(44)) == [])
        #expect(wanted(.seconds(45)) == [.seconds(55)])
        ledger.extended(["h-a"], until: .seconds(100))
        #expect(wanted(.seconds(70)) == [])
        #expect(wanted(.seconds(101)) == [])
    }

    @Test func aLostMessageIsNotExtended() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a"), Self.message("b")], at: .zero, lock: .seconds(60))
        ledger.extended(["h-a"], until: nil)
        #expect(
            ledger.extensions(at: .seconds(40), lock: .seconds(60), maximum: .seconds(600)).map(\.held.message.id)
                == ["b"])
    }

    @Test func parkedMessagesAreDueInTheirTimeAndHeldMeanwhile() {
        var ledger = QueueLedger()
        ledger.add([Self.message("a")], at: .zero, lock: .seconds(60))
        let batch = ledger.take(1, at: .zero)
        ledger.park(ledger.finish(batch?.id.rawValue ?? 0), until: .seconds(40))
        #expect(ledger.nextDue == .seconds(40))
        #expect(ledger.extensions(at: .seconds(35), lock: .seconds(60), maximum: .seconds(600)).count == 1)
        #expect(ledger.due(at: .seconds(39)).isEmpty)
        #expect(ledger.due(at: .seconds(40)).map(\.message.id) == ["a"])
        #expect(ledger.isEmpty)
    }
}
