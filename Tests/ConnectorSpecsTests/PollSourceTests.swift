import ConnectorKit
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct PollSourceTests {
    /// Lists events by their time, from the time asked for.
    private final class Remote: Sendable {
        let events = Mutex<[(id: String, created: Int64)]>([])
        let asked = Mutex<[Value]>([])

        func add(_ id: String, _ created: Int64) { self.events.withLock { $0.append((id, created)) } }

        var transport: ScriptedTransport {
            ScriptedTransport { request in
                let query = request.url.split(separator: "?").dropFirst().first ?? ""
                let from = query.split(separator: "&").first { $0.hasPrefix("created%5Bgte%5D=") }
                    .flatMap { Int64($0.split(separator: "=")[1]) }
                self.asked.withLock { $0.append(from.map { .number(Number($0)) } ?? .null) }
                let found = self.events.withLock { $0 }.filter { $0.created >= from ?? 0 }.map { event -> Value in
                    [
                        "id": .string(event.id), "created": .number(Number(event.created)), "type": "t",
                        "data": [:],
                    ]
                }
                return .json(["has_more": false, "data": .list(found)])
            }
        }
    }

    private static func connection(_ remote: Remote, _ clock: ManualConnectorClock) async throws -> any Connection {
        let connector = DeclaredConnector(try specification(try Files.repository("connector-specs/stripe.yaml")))
        return try await ScriptedModule(connector: connector, transport: remote.transport).connect(
            ConnectionConfiguration(
                id: "s", parameters: ["credential": ["secretKey": ["secret": "test:k"]]], clock: clock))
    }

    private static func ids(_ batch: EventBatch?) -> [String] { batch?.events.map(\.id) ?? [] }

    @Test func eventsComeOnceOldestFirstAndTheLookbackBringsStragglers() async throws {
        let remote = Remote()
        let clock = ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)
        remote.add("b", 1_699_999_990)
        remote.add("a", 1_699_999_980)
        let connection = try await Self.connection(remote, clock)
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:]))
        try await source.connect()
        let first = try #require(try await source.read(maximum: 10, wait: .zero))
        #expect(Self.ids(first) == ["a", "b"])
        try await source.acknowledge(first.id)
        // One that was late, but lies within the lookback; and one that is new.
        remote.add("late", 1_699_999_985)
        remote.add("c", 1_700_000_010)
        #expect(try await source.read(maximum: 10, wait: .seconds(1)) == nil)
        let second = try #require(try await source.read(maximum: 10, wait: .seconds(600)))
        #expect(Self.ids(second) == ["late", "c"])
        #expect(remote.asked.withLock { $0 } == [1_699_913_540, 1_699_999_930])
        await source.close()
        await connection.close()
    }

    @Test func whatWasNotAcknowledgedComesAgain() async throws {
        let remote = Remote()
        let clock = ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)
        for number in 0..<4 { remote.add("e\(number)", 1_699_999_000 + Int64(number) * 200) }
        let connection = try await Self.connection(remote, clock)
        let memory = VolatileSourceMemory()
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:], memory: memory))
        try await source.connect()
        let first = try #require(try await source.read(maximum: 1, wait: .zero))
        let second = try #require(try await source.read(maximum: 1, wait: .zero))
        // The later one is done before the earlier.
        try await source.acknowledge(second.id)
        #expect(await source.backlog() == 3)
        await source.close()
        let again = try await connection.armSource(SourceRequest(event: "event", parameters: [:], memory: memory))
        try await again.connect()
        #expect(Self.ids(first) == ["e0"])
        #expect(Self.ids(try await again.read(maximum: 10, wait: .zero)) == ["e0", "e2", "e3"])
        await again.close()
        await connection.close()
    }

    @Test func aRangeIsReadAgainUnderTheSameIDsAndNothingIsRemembered() async throws {
        let remote = Remote()
        let clock = ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)
        for number in 0..<5 { remote.add("e\(number)", 1_699_999_000 + Int64(number) * 200) }
        let connection = try await Self.connection(remote, clock)
        let memory = VolatileSourceMemory()
        let source = try await connection.armSource(
            SourceRequest(
                event: "event", parameters: [:], memory: memory, replay: ["from": 1_699_999_200, "to": 1_699_999_600]))
        try await source.connect()
        let batch = try #require(try await source.read(maximum: 2, wait: .zero))
        #expect(Self.ids(batch) == ["e1", "e2"])
        try await source.reject(batch.id, .redeliver(after: .seconds(1)))
        let again = try #require(try await source.read(maximum: 10, wait: .zero))
        #expect(Self.ids(again) == ["e1", "e2", "e3"])
        try await source.acknowledge(again.id)
        await #expect(throws: SourceInterruption.endOfInput) { _ = try await source.read(maximum: 1, wait: .zero) }
        #expect(memory.load() == nil)
        await source.close()
        await connection.close()
    }

    @Test func aRejectedBatchComesAgainOrNot() async throws {
        let remote = Remote()
        let clock = ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)
        remote.add("a", 1_699_999_980)
        let connection = try await Self.connection(remote, clock)
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:]))
        try await source.connect()
        let first = try #require(try await source.read(maximum: 1, wait: .zero))
        try await source.reject(first.id, .redeliver(after: .seconds(5)))
        #expect(try await source.read(maximum: 1, wait: .seconds(4)) == nil)
        let second = try #require(try await source.read(maximum: 1, wait: .seconds(2)))
        #expect(Self.ids(second) == ["a"])
        try await source.reject(second.id, .setAside)
        #expect(try await source.read(maximum: 1, wait: .seconds(900)) == nil)
        await source.close()
        await connection.close()
    }

    @Test(arguments: [("now", 1_699_999_940), ("1699999000", 1_699_998_940), ("beginning", nil)] as [(String, Int64?)])
    func aSourceBeginsWhereItIsTold(_ row: (start: String, from: Int64?)) async throws {
        let remote = Remote()
        let connection = try await Self.connection(remote, ManualConnectorClock(unixMilliseconds: 1_700_000_000_000))
        let source = try await connection.armSource(
            SourceRequest(event: "event", parameters: ["start": .string(row.start)]))
        try await source.connect()
        #expect(try await source.read(maximum: 1, wait: .zero) == nil)
        #expect(remote.asked.withLock { $0 } == [row.from.map { .number(Number($0)) } ?? .null])
        await source.close()
        await connection.close()
    }

    @Test func whatWasDoneStaysDoneWhileAnEarlierEventIsOut() async throws {
        let remote = Remote()
        let clock = ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)
        for number in 0..<4 { remote.add("e\(number)", 1_699_999_000 + Int64(number) * 200) }
        let connection = try await Self.connection(remote, clock)
        let memory = VolatileSourceMemory()
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:], memory: memory))
        try await source.connect()
        _ = try #require(try await source.read(maximum: 1, wait: .zero))
        while let batch = try await source.read(maximum: 1, wait: .zero) { try await source.acknowledge(batch.id) }
        await source.close()
        let again = try await connection.armSource(SourceRequest(event: "event", parameters: [:], memory: memory))
        try await again.connect()
        #expect(Self.ids(try await again.read(maximum: 10, wait: .zero)) == ["e0"])
        await again.close()
        await connection.close()
    }

    /// A list that is cut off may be used only if nothing older is behind its end.
    @Test(arguments: [([1, 2, 3, 4], ["e1", "e2"]), ([4, 3, 2, 1], nil)] as [([Int64], [String]?)])
    func aListThatIsCutOffLosesNothing(_ row: (order: [Int64], ids: [String]?)) async throws {
        let text = try Files.repository("connector-specs/stripe.yaml")
            .replacing(
                "done: \"=not(response.body.has_more)\"",
                with: "done: \"=not(response.body.has_more)\"\n      maxPages: 1"
            )
            .replacing("maxPages: 1\n      maxPages: 1000", with: "maxPages: 1000")
        let transport = ScriptedTransport { _ in
            let events = row.order.prefix(2).map { number -> Value in
                [
                    "id": .string("e\(number)"), "created": .number(Number(1_699_999_000 + number)), "type": "t",
                    "data": [:],
                ]
            }
            return .json(["has_more": true, "data": .list(events)])
        }
        let connector = DeclaredConnector(try specification(text))
        let connection = try await ScriptedModule(connector: connector, transport: transport).connect(
            ConnectionConfiguration(
                id: "s", parameters: ["credential": ["secretKey": ["secret": "test:k"]]],
                clock: ManualConnectorClock(unixMilliseconds: 1_700_000_000_000)))
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:]))
        try await source.connect()
        if let ids = row.ids {
            #expect(Self.ids(try await source.read(maximum: 9, wait: .zero)) == ids)
        } else {
            let error = await #expect(throws: ConnectorError.self) {
                _ = try await source.read(maximum: 9, wait: .zero)
            }
            #expect(error?.code == "CON-6106")
        }
        await source.close()
        await connection.close()
    }

    @Test func aServiceThatIsBusyIsLeftAlone() async throws {
        let connector = DeclaredConnector(try specification(try Files.repository("connector-specs/stripe.yaml")))
        let transport = ScriptedTransport { _ in
            var response = SpecResponse.json([:], status: 429)
            response.retryAfter = .seconds(7)
            return response
        }
        let connection = try await ScriptedModule(connector: connector, transport: transport).connect(
            ConnectionConfiguration(id: "s", parameters: ["credential": ["secretKey": ["secret": "test:k"]]]))
        let source = try await connection.armSource(SourceRequest(event: "event", parameters: [:]))
        try await source.connect()
        await #expect(throws: SourceInterruption.backOff(.seconds(7))) {
            _ = try await source.read(maximum: 1, wait: .zero)
        }
        await source.close()
        await connection.close()
    }
}
