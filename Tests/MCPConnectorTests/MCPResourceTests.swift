import ConnectorKit
import Foundation
import MCPConnector
import Testing
import Values

/// Resources of the official SDK's server as a source of events.
@Suite struct MCPResourceTests {
    private static func connection() async throws -> any Connection {
        let module = try await MCPModule.load(id: "arithmetic", Python.stdioServer)
        return try await module.connect(ConnectionConfiguration(id: "c", parameters: [:]))
    }

    private static func armed(
        _ connection: any Connection, every: Value = "1h", memory: any SourceMemory = VolatileSourceMemory(),
        more: ValueContext = [:]
    ) async throws -> any EventSource {
        var parameters: ValueContext = ["uri": "counter://value", "every": every]
        parameters.merge(more)
        let source = try await connection.armSource(
            SourceRequest(event: "resource", parameters: .context(parameters), memory: memory))
        try await source.connect()
        return source
    }

    private static func count(_ connection: any Connection, to number: Int64, tell: Bool) async throws {
        let input: Value = ["to": .number(Number(number)), "tell": .boolean(tell)]
        let outcome = await connection.invoke(OperationCall(operation: "count", input: input))
        if let error = outcome.error { throw error }
    }

    private static func text(_ batch: EventBatch?) -> Value? {
        guard case .value(let value)? = batch?.events.first?.body else { return nil }
        return value["contents"]?.asList?.first?["text"]
    }

    @Test func whatTheServerTellsMakesItLookAtOnce() async throws {
        let connection = try await Self.connection()
        let source = try await Self.armed(connection)
        let first = try #require(try await source.read(maximum: 1, wait: .seconds(20)))
        #expect(Self.text(first) == "0")
        try await source.acknowledge(first.id)
        async let second = source.read(maximum: 1, wait: .seconds(30))
        try await Self.count(connection, to: 7, tell: true)
        #expect(Self.text(try await second) == "7")
        await source.close()
        await connection.close()
    }

    @Test func whatTheServerDoesNotTellIsFoundByLooking() async throws {
        let connection = try await Self.connection()
        let memory = VolatileSourceMemory()
        let source = try await Self.armed(connection, every: "100ms", memory: memory)
        var ids: Set<String> = []
        for number in [0, 1, 0] as [Int64] {
            try await Self.count(connection, to: number, tell: false)
            let batch = try #require(try await source.read(maximum: 1, wait: .seconds(20)))
            #expect(Self.text(batch) == .string("\(number)"))
            ids.formUnion(batch.events.map(\.id))
            // One at a time, and it comes again if it is not taken.
            #expect(try await source.read(maximum: 1, wait: .milliseconds(150)) == nil)
            try await source.reject(batch.id, .redeliver(after: .milliseconds(10)))
            let again = try #require(try await source.read(maximum: 1, wait: .seconds(20)))
            #expect(again.events.map(\.id) == batch.events.map(\.id))
            try await source.acknowledge(again.id)
        }
        // A content that came back is another event.
        #expect(ids.count == 3)
        await source.close()
        // In the next life nothing has changed, until it has.
        let next = try await Self.armed(connection, every: "100ms", memory: memory)
        #expect(try await next.read(maximum: 1, wait: .milliseconds(400)) == nil)
        try await Self.count(connection, to: 5, tell: false)
        #expect(Self.text(try await next.read(maximum: 1, wait: .seconds(20))) == "5")
        await next.close()
        await connection.close()
    }

    @Test func whatCannotBeDoneIsSaid() async throws {
        let connection = try await Self.connection()
        let small = try await Self.armed(connection, more: ["maxBytes": "10"])
        let batch = try #require(try await small.read(maximum: 1, wait: .seconds(20)))
        guard case .undecodable? = batch.events.first?.body else {
            Issue.record("\(batch)")
            return
        }
        await small.close()
        for parameters in [[:], ["uri": ""], ["uri": "x", "every": "1ms"], ["uri": "x", "evry": "1s"]] as [Value] {
            let error = await #expect(throws: ConnectorError.self) {
                _ = try await connection.armSource(SourceRequest(event: "resource", parameters: parameters))
            }
            #expect(error?.kind == .validation, "\(parameters)")
        }
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await connection.armSource(
                SourceRequest(event: "resource", parameters: ["uri": "counter://value"], replay: [:]))
        }
        #expect(error?.code == "CON-9105")
        let missing = try await connection.armSource(
            SourceRequest(event: "resource", parameters: ["uri": "counter://nothing"]))
        await #expect(throws: (any Error).self) {
            try await missing.connect()
            _ = try await missing.read(maximum: 1, wait: .zero)
        }
        await connection.close()
    }
}
