import ConnectorKit
import PostgreSQLConnector
import Testing
import Values

/// What every connector promises, with a source of changes.
@Suite struct ChangeConformanceTests {
    @Test func promisesOfTheKitAreKept() async throws {
        let fixture = try await ChangeFixture.open()
        let database = fixture.database
        try await database.run("CREATE TABLE t (id bigserial PRIMARY KEY, x text)")
        // The slot has to be there before what it is to tell.
        let first = try await fixture.source(["t"], ["snapshot": "never"])
        try await first.connect()
        await first.close()
        try await database.run("CREATE TABLE outbox (id bigserial PRIMARY KEY, payload jsonb)")
        let outbox: Value = ["table": .string("\(fixture.schema).outbox"), "mode": "poll", "every": "20ms"]
        let suite = ConnectorConformance(
            module: PostgreSQLModule(), configuration: try Service.current().configuration(["sslmode": "disable"]),
            calls: [.init(OperationCall(operation: "query", input: ["sql": "SELECT 1"]))],
            sources: [
                .init(
                    SourceRequest(
                        event: "change", parameters: fixture.parameters(["t"], ["snapshot": "never"]),
                        memory: fixture.memory), eventsMinimum: 5, silence: .milliseconds(500)
                ) { try await database.run("INSERT INTO t (x) SELECT 'x' FROM generate_series(1, 5)") },
                .init(
                    SourceRequest(event: "change", parameters: ["outbox": outbox]), eventsMinimum: 5,
                    silence: .milliseconds(500)
                ) {
                    try await database.run(
                        "INSERT INTO outbox (payload) SELECT to_jsonb(n) FROM generate_series(1, 5) n")
                },
            ])
        for finding in await suite.run() { Issue.record("\(finding)") }
        try await fixture.close()
    }
}
