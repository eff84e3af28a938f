import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

/// A database with a slot and a publication of its own, both gone after `close`.
struct ChangeFixture {
    let database: Database
    let slot: String
    let memory = VolatileSourceMemory()

    static func open(_ more: ValueContext = ValueContext()) async throws -> ChangeFixture {
        let database = try await Database.open(more)
        return ChangeFixture(database: database, slot: database.schema)
    }

    var schema: String { self.database.schema }

    func parameters(_ tables: [String], _ more: ValueContext = ValueContext()) -> Value {
        var parameters: ValueContext = [
            "slot": .string(self.slot), "publication": .string(self.slot),
            "tables": .list(tables.map { .string("\(self.schema).\($0)") }),
        ]
        parameters.merge(more)
        return .context(parameters)
    }

    func source(
        _ tables: [String], _ more: ValueContext = ValueContext(), memory: (any SourceMemory)? = nil,
        replay: Value? = nil
    ) async throws -> any EventSource {
        try await self.database.connection.armSource(
            SourceRequest(
                event: "change", parameters: self.parameters(tables, more), memory: memory ?? self.memory,
                replay: replay))
    }

    func close() async throws {
        try await eventually("release of the slot") {
            try await self.database.value(
                "SELECT count(*) FROM pg_replication_slots WHERE slot_name = $1 AND active", [.string(self.slot)]) == 0
        }
        try await self.database.run(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
            [.string(self.slot)])
        try await self.database.run("DROP PUBLICATION IF EXISTS \(self.slot)")
        await self.database.close()
    }
}

extension EventSource {
    /// Connects as a hub does: again, while another one has the slot or the server is not there.
    func connectEventually(within limit: Duration = .seconds(10)) async throws {
        try await eventually("connection", within: limit) {
            do {
                try await self.connect()
                return true
            } catch is SourceInterruption {
                return false
            } catch let error as ConnectorError where error.isRetryable {
                return false
            }
        }
    }

    /// Reads and acknowledges until there are `count` events.
    func take(_ count: Int, maximum: Int = 500, within limit: Duration = .seconds(10)) async throws -> [SourceEvent] {
        var events: [SourceEvent] = []
        let deadline = ContinuousClock.now + limit
        while events.count < count {
            try #require(ContinuousClock.now < deadline, "\(events.count) of \(count) events came")
            guard let batch = try await self.read(maximum: maximum, wait: .milliseconds(200)) else { continue }
            events += batch.events
            try await self.acknowledge(batch.id)
        }
        return events
    }
}

extension SourceEvent {
    /// What the event says; null when it cannot be read.
    var value: Value { if case .value(let value) = self.body { value } else { .null } }
    var operation: String { self.value["operation"]?.asString ?? "" }
}
