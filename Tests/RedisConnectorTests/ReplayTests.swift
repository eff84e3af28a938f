import ConnectorKit
import Testing
import Values

@testable import RedisConnector

@Suite("Entries of a stream are read again") struct ReplayTests {
    /// A stream of ten entries, 1000-0, 1000-1, 2000-0 and so on, which a group has read and acknowledged.
    private func filled() async throws -> (any Connection, String, [SourceEvent]) {
        let connection = try await Server.running().connect()
        let stream = newName("replay")
        for number in 0..<10 {
            let id = "\(1_000 * (number / 2 + 1))-\(number % 2)"
            try await connection.redis("XADD", .string(stream), .string(id), "n", .string("\(number)"))
        }
        let source = try await connection.source("stream", ["stream": .string(stream), "group": "g"])
        let events = try await source.events(10)
        await source.close()
        return (connection, stream, events)
    }

    private func arm(_ connection: any Connection, _ stream: String, _ range: Value) async throws -> any EventSource {
        try await connection.armSource(
            SourceRequest(event: "stream", parameters: ["stream": .string(stream), "group": "g"], replay: range))
    }

    @Test(
        arguments: [
            ([:], 0..<10), (["from": "2000-1"], 3..<10), (["to": "2000"], 0..<4),
            (["from": "2000-1", "to": "4000-0"], 3..<7),
            (["from": "1970-01-01T00:00:03Z", "to": "1970-01-01T00:00:04Z"], 4..<8), (["from": "9000"], 0..<0),
        ] as [(Value, Range<Int>)])
    func aRangeComesWithTheSameIDs(_ row: (range: Value, expected: Range<Int>)) async throws {
        let (connection, stream, events) = try await self.filled()
        let source = try await self.arm(connection, stream, row.range)
        try await source.connect()
        var ids: [String] = []
        await #expect(throws: SourceInterruption.endOfInput) {
            while let batch = try await source.read(maximum: 3, wait: .seconds(5)) {
                ids += batch.events.map(\.id)
                try await source.acknowledge(batch.id)
            }
        }
        #expect(ids == events[row.expected].map(\.id))
        #expect(try await connection.redis("XPENDING", .string(stream), "g").asList?.first == 0)
        await source.close()
        await connection.close()
    }

    @Test func whatIsRejectedComesAgainBeforeTheEnd() async throws {
        let (connection, stream, events) = try await self.filled()
        let source = try await self.arm(connection, stream, [:])
        try await source.connect()
        let batch = try #require(try await source.read(maximum: 100, wait: .seconds(5)))
        try await source.reject(batch.id, .redeliver(after: .zero))
        let again = try #require(try await source.read(maximum: 100, wait: .seconds(5)))
        #expect(again.events.map(\.id) == events.map(\.id))
        #expect(try await source.read(maximum: 1, wait: .milliseconds(30)) == nil)
        try await source.acknowledge(again.id)
        await #expect(throws: SourceInterruption.endOfInput) {
            _ = try await source.read(maximum: 1, wait: .seconds(5))
        }
        await source.close()
        await connection.close()
    }

    @Test(arguments: [["from": "x"], ["to": "1-2-3"], ["from": ""], ["offset": 1], "x"] as [Value])
    func rangesThatAreNoneAreNamed(_ range: Value) async throws {
        let connection = try await Server.running().connect()
        await #expect(throws: ConnectorError.self) { _ = try await self.arm(connection, "s", range) }
        await connection.close()
    }

    @Test(arguments: [("list", ["list": "l"]), ("channel", ["channels": ["c"]])] as [(String, Value)])
    func listsAndChannelsKeepNothing(_ row: (event: String, parameters: Value)) async throws {
        let connection = try await Server.running().connect()
        do {
            _ = try await connection.armSource(
                SourceRequest(event: row.event, parameters: row.parameters, replay: [:]))
            Issue.record("A replay was taken.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .unsupported && error.code == RedisErrors.Code.replay)
        }
        await connection.close()
    }

    @Test func theSameSourceOnTwoNodesLosesNothing() async throws {
        let nodes = [try await Server.running().connect(), try await Server.running().connect()]
        let stream = newName("nodes")
        let parameters: ValueContext = ["stream": .string(stream), "group": "g"]
        var sources: [any EventSource] = []
        for node in nodes { sources.append(try await node.source("stream", parameters)) }
        for number in 0..<200 {
            try await nodes[0].redis("XADD", .string(stream), "*", "n", .string("\(number)"))
        }
        var counts: [String: Int] = [:]
        var shares = [0, 0]
        var isEmpty = false
        while !isEmpty {
            isEmpty = true
            for (index, source) in sources.enumerated() {
                guard let batch = try await source.read(maximum: 7, wait: .milliseconds(50)) else { continue }
                isEmpty = false
                for event in batch.events { counts[event.id, default: 0] += 1 }
                shares[index] += batch.events.count
                try await source.acknowledge(batch.id)
            }
        }
        #expect(counts.count == 200 && counts.values.allSatisfy { $0 == 1 } && shares.allSatisfy { $0 > 50 })
        #expect(try await nodes[0].redis("XPENDING", .string(stream), "g").asList?.first == 0)
        for source in sources { await source.close() }
        for node in nodes { await node.close() }
    }
}
