import ConnectorKit
import Synchronization
import Testing
import Values

@testable import Hub

/// A source that is fed by requests.
@Suite struct IngressPushTests {
    private static func event(_ id: String, bytes: Int = 1) -> SourceEvent {
        SourceEvent(id: id, payload: Array(repeating: 0x30, count: bytes), contentType: "application/json")
    }

    private static func source(
        _ change: (inout PushSource.Limits) -> Void = { _ in }, clock: any ConnectorClock = SystemConnectorClock()
    ) async throws -> PushSource {
        var limits = PushSource.Limits()
        change(&limits)
        let source = PushSource(limits: limits, clock: clock)
        try await source.connect()
        return source
    }

    /// Reads until there is a batch.
    private static func batch(_ source: PushSource, maximum: Int = 100) async throws -> EventBatch {
        while true {
            if let batch = try await source.read(maximum: maximum, wait: .seconds(1)) { return batch }
        }
    }

    @Test func aRequestIsAnsweredByWhatBecameOfItsEvent() async throws {
        let source = try await Self.source()
        async let outcomes = source.submit([Self.event("a")])
        let batch = try await Self.batch(source)
        #expect(batch.events.map(\.id) == ["a"])
        source.settled(batch.id, index: 0, .started(Key(rawValue: 7), result: nil))
        #expect(await outcomes.map(IngressAnswer.word) == ["started"])
        try await source.acknowledge(batch.id)
        #expect(await source.backlog() == 0)
    }

    @Test func manyRequestsAreReadTogetherInTheirOrder() async throws {
        let source = try await Self.source()
        let all = await withTaskGroup(of: [EventOutcome].self) { group in
            for number in 0..<500 { group.addTask { await source.submit([Self.event("\(number)")]) } }
            group.addTask {
                var count = 0
                while count < 500 {
                    guard let batch = try? await Self.batch(source, maximum: 64) else { continue }
                    #expect(batch.events.count <= 64)
                    count += batch.events.count
                    for index in batch.events.indices.reversed() { source.settled(batch.id, index: index, .accepted) }
                    try? await source.acknowledge(batch.id)
                }
                return []
            }
            return await group.reduce(into: []) { $0 += $1 }
        }
        #expect(all.count == 500)
    }

    @Test func aRequestWithSeveralEventsIsAnsweredAfterTheLastOne() async throws {
        let source = try await Self.source()
        async let outcomes = source.submit([Self.event("a"), Self.event("b"), Self.event("c")])
        let first = try await Self.batch(source, maximum: 2)
        source.settled(first.id, index: 1, .filtered)
        source.settled(first.id, index: 0, .accepted)
        try await source.acknowledge(first.id)
        let second = try await Self.batch(source)
        source.settled(second.id, index: 0, .duplicate(nil))
        #expect(await outcomes.map(IngressAnswer.word) == ["accepted", "filtered", "duplicate"])
    }

    @Test func whatDoesNotFitIsRefusedAtOnceAsAWhole() async throws {
        let source = try await Self.source { ($0.eventsMaximum, $0.bytesMaximum) = (3, 100) }
        async let waiting = source.submit([Self.event("a"), Self.event("b")])
        while await source.backlog() != 2 { await Task.yield() }
        #expect(
            await source.submit([Self.event("c"), Self.event("d")]).map(IngressAnswer.word) == ["failed", "failed"])
        #expect(await source.submit([Self.event("e", bytes: 99)]).map(IngressAnswer.word) == ["failed"])
        #expect(await source.backlog() == 2)
        let batch = try await Self.batch(source)
        #expect(batch.events.map(\.id) == ["a", "b"])
        try await source.acknowledge(batch.id)
        #expect(await waiting.map(IngressAnswer.word) == ["accepted", "accepted"])
    }

    @Test func aFailureIsWaitedOutUnlessTheTriggerRejects() async throws {
        for rejects in [false, true] {
            let source = try await Self.source { $0.rejectsAtFailure = rejects }
            async let outcomes = source.submit([Self.event("a")])
            let batch = try await Self.batch(source)
            source.settled(batch.id, index: 0, .failed(reason: "full", retryAfter: .seconds(3)))
            source.settled(batch.id, index: 0, .started(Key(rawValue: 1), result: nil))
            #expect(await outcomes.map(IngressAnswer.word) == [rejects ? "failed" : "started"])
        }
    }

    @Test func patienceEndsWithTheReason() async throws {
        let clock = ManualConnectorClock()
        let source = try await Self.source(clock: clock)
        async let read = source.submit([Self.event("read")])
        let batch = try await Self.batch(source)
        async let queued = source.submit([Self.event("queued")])
        while await source.backlog() != 1 { await Task.yield() }
        source.settled(batch.id, index: 0, .failed(reason: "full", retryAfter: .seconds(3)))
        clock.advance(by: .seconds(6))
        #expect(await source.backlog() == 0)
        guard case .failed("full", .seconds(3))? = await read.first else {
            Issue.record("expected the runner's reason")
            return
        }
        #expect(await queued.map(IngressAnswer.word) == ["failed"])
        // What was never read is not read after its request was told to come again.
        #expect(try await source.read(maximum: 10, wait: .zero)?.events.isEmpty ?? true)
    }

    @Test func closingAnswersEverybody() async throws {
        let source = try await Self.source()
        async let out = source.submit([Self.event("out")])
        let batch = try await Self.batch(source)
        async let queued = source.submit([Self.event("queued")])
        while await source.backlog() != 1 { await Task.yield() }
        await source.close()
        #expect(await out.map(IngressAnswer.word) == ["failed"])
        #expect(await queued.map(IngressAnswer.word) == ["failed"])
        #expect(await source.submit([Self.event("late")]).map(IngressAnswer.word) == ["failed"])
        source.settled(batch.id, index: 0, .accepted)
        try await source.acknowledge(batch.id)
        await source.close()
    }

    @Test func aSenderThatGoesAwayChangesNothing() async throws {
        let source = try await Self.source()
        let request = Task { await source.submit([Self.event("a")]) }
        let batch = try await Self.batch(source)
        request.cancel()
        source.settled(batch.id, index: 0, .started(Key(rawValue: 1), result: nil))
        #expect(await request.value.map(IngressAnswer.word) == ["started"])
    }

    @Test func aReadEndsWithItsTaskAndWithTheSource() async throws {
        let source = try await Self.source()
        let read = Task { try await source.read(maximum: 1, wait: .seconds(3_600)) }
        read.cancel()
        await #expect(throws: CancellationError.self) { try await read.value }
        let arrival = Task { await source.arrival(within: .seconds(3_600)) }
        await source.close()
        await arrival.value
        #expect(try await source.read(maximum: 1, wait: .zero)?.events.isEmpty ?? true)
    }

    @Test func aRejectedBatchIsToComeAgain() async throws {
        let source = try await Self.source()
        async let outcomes = source.submit([Self.event("a")])
        let batch = try await Self.batch(source)
        try await source.reject(batch.id, .redeliver(after: .seconds(9)))
        guard case .failed(_, .seconds(9))? = await outcomes.first else {
            Issue.record("expected a failure with the pause")
            return
        }
    }
}
