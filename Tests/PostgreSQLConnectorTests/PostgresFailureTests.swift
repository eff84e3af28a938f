import ConnectorKit
import Foundation
import PostgreSQLConnector
import Testing
import Values

@Suite struct PostgresFailureTests {
    static let canary = "canary-7f3a-secret"

    @Test(arguments: [
        ("INSERT INTO t VALUES (1)", ConnectorError.Kind.conflict, "23505"),
        ("INSERT INTO t VALUES (NULL)", .validation, "23502"), ("SELECT * FROM nothing", .notFound, "42P01"),
        ("SELECT nothing FROM t", .notFound, "42703"), ("SELECT 'x'::int", .validation, "22P02"),
        ("SELECT 1 / 0", .validation, "22012"), ("SELEC", .validation, "42601"),
        ("SELECT nothing(1)", .notFound, "42883"), ("CREATE TABLE t (id int)", .conflict, "42P07"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '40001'; END $$", .transient, "40001"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '42501'; END $$", .permission, "42501"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '53300'; END $$", .rateLimited, "53300"),
        ("DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", .validation, "P0001"),
    ])
    func serverErrorsKeepTheirMeaning(_ row: (sql: String, kind: ConnectorError.Kind, state: String)) async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int NOT NULL UNIQUE)")
        try await database.run("INSERT INTO t VALUES (1)")
        let error = try await database.failure("execute", ["sql": .string(row.sql)])
        #expect(error.kind == row.kind)
        #expect(error.code == "CON-5101")
        #expect(error.details["sqlstate"] == .string(row.state))
        #expect(error.details["message"]?.asString?.isEmpty == false)
        #expect(error.mayHaveExecuted == row.sql.hasPrefix("DO"))
        await database.close()
    }

    @Test func errorNamesWhatIsConcerned() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int CONSTRAINT positive CHECK (id > 0))")
        let check = try await database.failure("execute", ["sql": "INSERT INTO t VALUES (0)"])
        #expect(check.details["constraint"] == "positive")
        #expect(check.details["table"] == "t")
        #expect(check.details["schema"] == .string(database.schema))
        let position = try await database.failure("execute", ["sql": "SELECT wrong FROM t"])
        #expect(position.details["position"] == 8)
        await database.close()
    }

    @Test func slowStatementEndsAtItsTimeout() async throws {
        let database = try await Database.open(["maxConnections": 1])
        let start = ContinuousClock.now
        let error = try await database.failure("execute", ["sql": "SELECT pg_sleep(30)"], timeout: .milliseconds(300))
        #expect(error.kind == .timeout)
        #expect(!error.mayHaveExecuted)
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
    }

    @Test func cancelledStatementStopsAtTheServer() async throws {
        let database = try await Database.open()
        let mark = "/* \(database.schema) */"
        let connection = database.connection
        let task = Task { await connection.call("execute", ["sql": .string("SELECT \(mark) pg_sleep(60)")]) }
        func running() async throws -> Value {
            try await database.value(
                "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE $1 "
                    + "AND pid <> pg_backend_pid()", [.string("SELECT \(mark)%")])
        }
        try await eventually("the start") { try await running() == 1 }
        task.cancel()
        let error = try #require(await task.value.error)
        #expect(error.code == "CON-0001")
        #expect(!error.mayHaveExecuted)
        try await eventually("the stop") { try await running() == 0 }
        await database.close()
    }

    @Test func closingEndsWhatRuns() async throws {
        let database = try await Database.open()
        let connection = database.connection
        let task = Task { await connection.call("query", ["sql": "SELECT pg_sleep(60)"]) }
        try await eventually("the start") {
            try await database.value(
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'") != 0
        }
        await database.close()
        #expect(await task.value.error?.code == "CON-0005")
        let late = await connection.call("query", ["sql": "SELECT 1"])
        #expect(late.error?.code == "CON-0005")
    }

    @Test func connectionThatWasKilledIsReplaced() async throws {
        let database = try await Database.open(["maxConnections": 1])
        let killer = try await Database.open()
        let process = try await database.value("SELECT pg_backend_pid()")
        let connection = database.connection
        let task = Task { await connection.call("execute", ["sql": "SELECT pg_sleep(60)"]) }
        try await eventually("the kill") {
            try await killer.rows(
                "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND query = 'SELECT pg_sleep(60)' AND state = 'active'",
                [process]
            ).count == 1
        }
        try await killer.run("SELECT pg_terminate_backend($1)", [process])
        let error = try #require(await task.value.error)
        #expect(error.kind == .unavailable)
        #expect(error.details["sqlstate"] == "57P01")
        let other = try await database.value("SELECT pg_backend_pid()")
        #expect(other != process)
        // One that is killed while it stands idle is found out before it is used.
        try await killer.run("SELECT pg_terminate_backend($1)", [other])
        try await eventually("the end") {
            try await killer.rows("SELECT 1 FROM pg_stat_activity WHERE pid = $1", [other]).isEmpty
        }
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
        await killer.close()
    }

    @Test func callsWaitForAConnectionNoLongerThanTheyMay() async throws {
        let database = try await Database.open(["maxConnections": 1])
        let connection = database.connection
        let task = Task { await connection.call("query", ["sql": "SELECT pg_sleep(60)"]) }
        let other = try await Database.open()
        try await eventually("the start") {
            try await other.value(
                "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'") != 0
        }
        let error = try await database.failure("query", ["sql": "SELECT 1"], timeout: .milliseconds(100))
        #expect(error.kind == .rateLimited)
        #expect(error.code == "CON-5106")
        task.cancel()
        _ = await task.value
        #expect(try await database.value("SELECT 1") == 1)
        await database.close()
        await other.close()
    }

    @Test func deadlockIsTransient() async throws {
        let database = try await Database.open()
        try await database.run("CREATE TABLE t (id int PRIMARY KEY, n int)")
        try await database.run("INSERT INTO t VALUES (1, 0), (2, 0)")
        func crossing(_ first: Int64, _ second: Int64) -> Value {
            let update: (Int64) -> Value = {
                ["sql": "UPDATE t SET n = n + 1 WHERE id = $1", "parameters": [.number(Number($0))]]
            }
            return [
                "statements": [
                    ["sql": "SET LOCAL deadlock_timeout = '100ms'"], update(first), ["sql": "SELECT pg_sleep(0.3)"],
                    update(second),
                ]
            ]
        }
        let connection = database.connection
        async let one = connection.call("transaction", crossing(1, 2))
        async let two = connection.call("transaction", crossing(2, 1))
        let errors = await [one, two].compactMap(\.error)
        #expect(errors.count == 1)
        #expect(errors.first?.kind == .transient)
        #expect(errors.first?.details["sqlstate"] == "40P01")
        await database.close()
    }

    @Test(
        arguments: [
            (["user": "nobody"], .auth), (["database": "nothing"], .notFound),
            (["port": 1], .unavailable), (["sslmode": "verify-full"], .unavailable),
            (["targetSession": "standby"], .unavailable),
        ] as [(ValueContext, ConnectorError.Kind)])
    func connectionThatCannotBeMadeSaysWhy(_ row: (parameters: ValueContext, kind: ConnectorError.Kind)) async throws {
        let connection = try await PostgreSQLModule().connect(try Service.current().configuration(row.parameters))
        let outcome = await connection.call("execute", ["sql": "SELECT 1"])
        let error = try #require(outcome.error)
        #expect(error.kind == row.kind, "\(error)")
        #expect(!error.mayHaveExecuted)
        await connection.close()
    }

    @Test(arguments: ["require", "verify-ca", "verify-full"])
    func connectionIsSecured(_ mode: String) async throws {
        let database = try await Database.open([
            "sslmode": .string(mode), "caFile": .string(try Service.current().caFile),
        ])
        #expect(try await database.value("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()") == true)
        await database.close()
    }

    @Test func certificateOfAnUnknownAuthorityIsRefused() async throws {
        let connection = try await PostgreSQLModule().connect(
            try Service.current().configuration(["sslmode": "verify-full"]))
        let error = try #require(await connection.call("query", ["sql": "SELECT 1"]).error)
        #expect(error.code == "CON-5105")
        #expect(!error.isRetryable)
        await connection.close()
    }

    @Test func passwordThatChangedIsUsedWithoutANewConnection() async throws {
        let owner = try await Database.open()
        let role = "role_\(owner.schema)"
        try await owner.run("CREATE ROLE \(role) LOGIN PASSWORD 'first'")
        let secrets = ChangingSecrets("first")
        var parameters = try Service.current().parameters
        parameters["user"] = .string(role)
        let connection = try await PostgreSQLModule().connect(
            ConnectionConfiguration(id: "rotating", parameters: .context(parameters), secrets: secrets))
        #expect(await connection.call("query", ["sql": "SELECT 1"]).error == nil)
        try await owner.run("ALTER ROLE \(role) PASSWORD 'second'")
        secrets.change("second")
        try await owner.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", [.string(role)])
        try await eventually("the end") {
            try await owner.rows("SELECT 1 FROM pg_stat_activity WHERE usename = $1", [.string(role)]).isEmpty
        }
        #expect(await connection.call("query", ["sql": "SELECT 1"]).error == nil)
        await connection.close()
        try await owner.run("DROP ROLE \(role)")
        await owner.close()
    }

    @Test(arguments: ["copyIn", "execute", "transaction", "batch"])
    func lockedTableEndsTheCallAtItsTimeout(_ operation: String) async throws {
        let database = try await Database.open(["maxConnections": 1])
        try await database.run("CREATE TABLE t (id int)")
        let other = try await Database.open(["searchPath": .string(database.schema)])
        let locker = other.connection
        let lock: Value = [
            "statements": [["sql": "LOCK TABLE t IN ACCESS EXCLUSIVE MODE"], ["sql": "SELECT pg_sleep(60)"]]
        ]
        let task = Task { await locker.call("transaction", lock, timeout: .seconds(60)) }
        try await eventually("the lock") {
            try await database.value(
                "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = "
                    + "(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
                    + "WHERE relname = 't' AND nspname = $1)", [.string(database.schema)]) == 1
        }
        let insert: Value = "INSERT INTO t VALUES (1)"
        let input: Value =
            switch operation {
            case "copyIn": ["table": "t", "rows": [[1]]]
            case "transaction": ["statements": [["sql": insert]]]
            case "batch": ["sql": "INSERT INTO t VALUES ($1)", "parameters": [[1], [2]]]
            default: ["sql": insert]
            }
        let error = try await database.failure(operation, input, timeout: .milliseconds(300))
        #expect(error.kind == .timeout, "\(error)")
        #expect(!error.mayHaveExecuted)
        task.cancel()
        _ = await task.value
        #expect(try await database.value("SELECT count(*) FROM t") == 0)
        await other.close()
        await database.close()
    }

    @Test func wrongPasswordIsAnErrorOfTheCredentialAndStaysSecret() async throws {
        let service = try Service.current()
        let reference = SecretReference(store: "test", name: "password")
        let configuration = ConnectionConfiguration(
            id: "database", parameters: .context(service.parameters),
            secrets: FixedSecrets([reference: Secret(Self.canary)]))
        let connection = try await PostgreSQLModule().connect(configuration)
        let outcome = await connection.call("query", ["sql": "SELECT 1"])
        let error = try #require(outcome.error)
        #expect(error.kind == .auth)
        #expect(error.details["sqlstate"] == "28P01")
        #expect(!"\(error) \(error.details)".contains(Self.canary))
        if case .park = outcome {} else { Issue.record("\(outcome)") }
        await connection.close()
    }

    @Test func parametersAreChecked() async throws {
        let bad: Value = [
            "host": "example.org", "database": "d", "user": "u", "password": "plain", "port": 0, "sslmode": "verify",
            "maxConections": 4, "clientKey": "k", "fileRoot": "relative",
        ]
        await #expect {
            _ = try await PostgreSQLModule().connect(ConnectionConfiguration(id: "x", parameters: bad))
        } throws: { error in
            let message = ConnectorError(wrapping: error).message
            return ["password", "port", "sslmode", "maxConections", "clientKey", "fileRoot"].allSatisfy(
                message.contains) && !message.contains("plain")
        }
    }
}
