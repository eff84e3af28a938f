import ConnectorKit
import Foundation
import PostgreSQLConnector
import Synchronization
import Testing
import Values

/// The PostgreSQL server that the tests talk to.
struct Service {
    static let name = "JUNCTION_SERVICE_POSTGRESQL"

    var host: String
    var port: Int
    var user: String
    var password: String
    var database: String
    /// The certificate the server's is signed with.
    var caFile: String

    static func current() throws -> Service {
        let text = try #require(
            ProcessInfo.processInfo.environment[Self.name],
            "\(Self.name) is not set: run the tests through Scripts/services run, or start postgresql and export it.")
        let url = try #require(URLComponents(string: text))
        return Service(
            host: url.host ?? "", port: url.port ?? 0, user: url.user ?? "", password: url.password ?? "",
            database: String(url.path.dropFirst()),
            caFile: url.queryItems?.first { $0.name == "sslrootcert" }?.value ?? "")
    }

    var parameters: ValueContext {
        [
            "host": .string(self.host), "port": .number(Number(Int64(self.port))), "user": .string(self.user),
            "database": .string(self.database), "password": ["secret": "test:password"],
        ]
    }

    var secrets: FixedSecrets {
        FixedSecrets([SecretReference(store: "test", name: "password"): Secret(self.password)])
    }

    func configuration(_ more: ValueContext = ValueContext()) -> ConnectionConfiguration {
        var parameters = self.parameters
        parameters.merge(more)
        return ConnectionConfiguration(id: "database", parameters: .context(parameters), secrets: self.secrets)
    }
}

/// A password that changes.
final class ChangingSecrets: SecretResolver {
    private let password: Mutex<String>

    init(_ password: String) { self.password = Mutex(password) }

    func change(_ password: String) { self.password.withLock { $0 = password } }

    func secret(_ reference: SecretReference) async throws -> Secret { Secret(self.password.withLock { $0 }) }
}

/// A connection whose tables live in a schema of their own, which goes with `close`.
struct Database {
    let connection: any Connection
    let schema: String

    static func open(_ more: ValueContext = ValueContext()) async throws -> Database {
        let schema = "test_\(UUID().uuidString.filter { $0 != "-" }.lowercased())"
        // Without TLS, which has tests of its own and takes its time.
        var parameters: ValueContext = ["searchPath": .string(schema), "sslmode": "disable"]
        parameters.merge(more)
        let connection = try await PostgreSQLModule().connect(try Service.current().configuration(parameters))
        let database = Database(connection: connection, schema: schema)
        try await database.run("CREATE SCHEMA \(schema)")
        return database
    }

    func close() async {
        _ = await self.connection.call("execute", ["sql": .string("DROP SCHEMA \(self.schema) CASCADE")])
        await self.connection.close()
    }

    /// Runs a statement that must succeed.
    @discardableResult
    func run(_ sql: String, _ parameters: [Value] = []) async throws -> Value {
        try await self.call("execute", ["sql": .string(sql), "parameters": .list(parameters)])
    }

    /// Calls an operation that must succeed.
    @discardableResult
    func call(_ operation: String, _ input: Value) async throws -> Value {
        let outcome = await self.connection.call(operation, input)
        if let error = outcome.error { throw error }
        return try #require(outcome.value)
    }

    /// The rows of a query.
    func rows(_ sql: String, _ parameters: [Value] = []) async throws -> [Value] {
        try await self.call("query", ["sql": .string(sql), "parameters": .list(parameters)])["rows"]?.asList ?? []
    }

    /// The only value of a query's only row.
    func value(_ sql: String, _ parameters: [Value] = []) async throws -> Value {
        let row = try #require(try await self.rows(sql, parameters).first?.asContext)
        return try #require(row.values.first)
    }

    /// The error of a call that must fail.
    func failure(_ operation: String, _ input: Value, timeout: Duration = .seconds(20)) async throws -> ConnectorError {
        try #require(await self.connection.call(operation, input, timeout: timeout).error)
    }
}

extension Connection {
    func call(_ operation: String, _ input: Value, timeout: Duration = .seconds(20)) async -> Outcome {
        await self.invoke(OperationCall(operation: operation, input: input, timeout: timeout))
    }
}

/// Waits until `condition` holds.
func eventually(_ what: String, within limit: Duration = .seconds(10), _ condition: () async throws -> Bool)
    async throws
{
    let deadline = ContinuousClock.now + limit
    while true {
        if try await condition() { return }
        try #require(ContinuousClock.now < deadline, "\(what) did not happen")
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A directory of its own, removed when the last reference goes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(
            path: "junction-postgresql-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }

    func text(_ name: String) -> String? {
        FileManager.default.contents(atPath: self.path + "/" + name).map { String(decoding: $0, as: UTF8.self) }
    }

    func put(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: URL(filePath: self.path).appending(path: name))
    }
}
