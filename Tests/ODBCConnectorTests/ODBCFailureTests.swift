import ConnectorKit
import Foundation
import ODBCConnector
import Testing
import Values

@Suite struct ODBCFailureTests {
    static let canary = "canary-{7f3a};secret"

    @Test(arguments: Target.allCases)
    func errorsKeepTheirMeaning(_ target: Target) async throws {
        let database = try await Database.open(target)
        try await database.run("CREATE TABLE \(database.table) (id integer NOT NULL UNIQUE, n integer CHECK (n > 0))")
        try await database.run("INSERT INTO \(database.table) VALUES (1, 1)")
        for (sql, kind) in [
            ("INSERT INTO \(database.table) VALUES (1, 1)", ConnectorError.Kind.conflict),
            ("INSERT INTO \(database.table) VALUES (NULL, 1)", .validation),
            ("INSERT INTO \(database.table) VALUES (2, 0)", .validation), ("SELECT * FROM nothing_here", .notFound),
            ("SELEC 1", .validation), ("CREATE TABLE \(database.table) (id integer)", .conflict),
            ("SELECT missing_column FROM \(database.table)", .notFound),
        ] {
            let error = try await database.failure("execute", ["sql": .string(sql)])
            #expect(error.kind == kind, "\(sql): \(error)")
            #expect(error.code == "CON-5201")
            #expect(!error.mayHaveExecuted)
            #expect(error.details["message"]?.asString?.isEmpty == false)
        }
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    static func slow(_ target: Target) -> String {
        switch target {
        case .sqlite:
            "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 2000000000) SELECT max(x) FROM c"
        case .postgreSQL: "SELECT pg_sleep(30)"
        case .mariaDB: "SELECT SLEEP(30)"
        }
    }

    @Test(arguments: Target.allCases)
    func slowStatementEndsAtItsTimeout(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1])
        #expect(try await database.value("SELECT 1") == 1)
        let start = ContinuousClock.now
        let error = try await database.failure(
            "query", ["sql": .string(Self.slow(target))], timeout: .milliseconds(300))
        #expect(error.kind == .timeout, "\(error)")
        #expect(error.code == "CON-5203", "\(error)")
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    @Test(arguments: Target.allCases)
    func cancelledStatementStops(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1])
        #expect(try await database.value("SELECT 1") == 1)
        let connection = database.connection
        let task = Task { await connection.call("query", ["sql": .string(Self.slow(target))], timeout: .seconds(60)) }
        // A waiting call shows that the only connection is in use.
        try await database.untilBusy()
        task.cancel()
        let error = try #require(await task.value.error)
        #expect(error.code == "CON-0001", "\(error)")
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    /// SQLite's driver does not hear that it shall stop while it waits for a lock.
    @Test func driverThatDoesNotComeBackIsLeftBehind() async throws {
        let database = try await Database.open(.sqlite)
        try await database.run("CREATE TABLE \(database.table) (id integer)")
        let insert = Value.string("INSERT INTO \(database.table) VALUES (1)")
        let connection = database.connection
        let holder = Task {
            await connection.call(
                "transaction", ["statements": [["sql": insert], ["sql": .string(Self.slow(.sqlite))]]],
                timeout: .seconds(60))
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            let outcome = await connection.call("execute", ["sql": insert], timeout: .milliseconds(200))
            if outcome.error?.code == "CON-5204" {
                #expect(outcome.error?.kind == .timeout)
                #expect(outcome.error?.mayHaveExecuted == true)
                break
            }
            try #require(ContinuousClock.now < deadline, "\(outcome)")
        }
        holder.cancel()
        #expect(await holder.value.error?.code == "CON-0001")
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    @Test func closingEndsWhatRuns() async throws {
        let database = try await Database.open(.postgreSQL, ["maxConnections": 1])
        let connection = database.connection
        let task = Task { await connection.call("query", ["sql": "SELECT pg_sleep(60)"], timeout: .seconds(60)) }
        try await database.untilBusy()
        await database.connection.close()
        #expect(await task.value.error?.code == "CON-0005")
        #expect(await connection.call("query", ["sql": "SELECT 1"]).error?.code == "CON-0005")
    }

    @Test(arguments: [Target.postgreSQL, .mariaDB])
    func connectionThatWasKilledIsReplaced(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1, "validateAfter": "0s"])
        let killer = try await Database.open(target)
        let id = try await database.value(target == .mariaDB ? "SELECT CONNECTION_ID()" : "SELECT pg_backend_pid()")
        let kill = target == .mariaDB ? "KILL \(id)" : "SELECT pg_terminate_backend(\(id))"
        try await killer.run(kill)
        // The end may take a moment to arrive; whatever happens until then has its place in the taxonomy.
        let deadline = ContinuousClock.now + .seconds(10)
        while let error = await database.connection.call("query", ["sql": "SELECT 1"]).error {
            #expect([.transient, .unavailable].contains(error.kind), "\(error)")
            try #require(ContinuousClock.now < deadline)
        }
        await killer.close()
        await database.close()
    }

    @Test(arguments: [Target.postgreSQL, .mariaDB])
    func wrongPasswordStaysSecret(_ target: Target) async throws {
        let (parameters, _) = try target.parameters(file: "")
        let reference = SecretReference(store: "test", name: "password")
        let connection = try await ODBCModule().connect(
            ConnectionConfiguration(
                id: "database", parameters: .context(parameters),
                secrets: FixedSecrets([reference: Secret(Self.canary)])))
        let outcome = await connection.call("query", ["sql": "SELECT 1"])
        let error = try #require(outcome.error)
        #expect(error.kind == (target == .mariaDB ? .auth : .unavailable) || error.kind == .auth, "\(error)")
        #expect(error.code == "CON-5202")
        #expect(!error.mayHaveExecuted)
        #expect(!"\(error) \(error.details)".contains("7f3a"))
        await connection.close()
    }

    @Test(arguments: Target.allCases)
    func statementsOfTransactionsAreRefusedAndThoseOfSessionsStayAlone(_ target: Target) async throws {
        let database = try await Database.open(target, ["maxConnections": 1])
        for sql in ["BEGIN", "-- x\nCOMMIT", "/* y */ rollback", "SAVEPOINT a"] {
            let error = try await database.failure("execute", ["sql": .string(sql)])
            #expect(error.code == "CON-5210", "\(sql)")
            #expect(error.kind == .validation)
        }
        let (set, show) =
            switch target {
            case .sqlite: ("PRAGMA user_version = 0", "SELECT 0")
            case .postgreSQL:
                ("SET TimeZone = 'Asia/Tokyo'", "SELECT count(*) FROM pg_settings WHERE setting = 'Asia/Tokyo'")
            case .mariaDB: ("SET SESSION time_zone = '+09:00'", "SELECT @@session.time_zone = '+09:00'")
            }
        try await database.run(set)
        #expect(try await database.value(show) == 0)
        await database.close()
    }

    @Test func driverThatIsMissingIsNamed() async throws {
        for parameters: Value in [["driver": "/nowhere/libnothing.so"], ["dsn": "nothing"], ["driver": "Nothing"]] {
            let connection = try await ODBCModule().connect(ConnectionConfiguration(id: "x", parameters: parameters))
            let error = try #require(await connection.call("query", ["sql": "SELECT 1"]).error)
            #expect(error.code == "CON-5202")
            #expect(
                error.details["sqlstate"]?.asString?.hasPrefix("IM") == true || error.details["sqlstate"] == "01000")
            await connection.close()
        }
    }

    @Test(
        arguments: [
            (["dsn": "a", "driver": "b"] as Value, "dsn or driver"), ([:], "dsn or driver"),
            (["dsn": "a", "attributes": ["PWD": "x"]], "secret"), (["dsn": "a", "attributes": ["a;b": "x"]], "name"),
            (["dsn": "a", "password": "plain"], "secret reference"),
            (["dsn": "a", "conectTimeout": "1s"], "conectTimeout"),
            (["dsn": "a", "attributes": ["DSN": "x"]], "field of its own"),
        ] as [(Value, String)])
    func parametersAreChecked(_ row: (parameters: Value, words: String)) async throws {
        await #expect {
            _ = try await ODBCModule().connect(ConnectionConfiguration(id: "x", parameters: row.parameters))
        } throws: { error in
            let message = ConnectorError(wrapping: error).message
            return message.contains(row.words) && !message.contains("plain")
        }
    }

    @Test(arguments: [
        ("1", ConnectorError.Kind.validation), ("[1]", .validation),
    ])
    func valuesOfAnotherTypeAreRefusedBeforeAnythingIsSent(_ row: (text: String, kind: ConnectorError.Kind))
        async throws
    {
        let database = try await Database.open(.sqlite)
        for value: Value in [
            ["type": "binary", "value": "not base64!"], ["type": "integer", "value": "x"],
            ["type": "thing", "value": 1],
            [[1]], ["type": "date", "value": "2026-13-01"], ["type": "boolean", "value": 1], ["value": 1],
        ] {
            let error = try await database.failure("query", ["sql": "SELECT ?", "parameters": [value]])
            #expect(error.kind == row.kind)
            #expect(error.code == "CON-5207", "\(value)")
        }
        let count = try await database.failure("query", ["sql": "SELECT ?, ?", "parameters": [1]])
        #expect(count.code == "CON-5207")
        await database.close()
    }
}
