import ConnectorKit
import Foundation
import ODBCConnector
import Testing
import Values

/// The databases and drivers that the tests talk to.
enum Target: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sqlite, postgreSQL, mariaDB

    var testDescription: String { self.rawValue }

    /// The driver's library, wherever this architecture has it.
    func driver() throws -> String {
        let name =
            switch self {
            case .sqlite: "libsqlite3odbc.so"
            case .postgreSQL: "psqlodbcw.so"
            case .mariaDB: "libmaodbc.so"
            }
        let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
        let paths = folders.map { "/usr/lib/\($0)/odbc/\(name)" } + ["/usr/lib/odbc/\(name)"]
        return try #require(
            paths.first { FileManager.default.fileExists(atPath: $0) },
            "There is no \(name): run Scripts/bootstrap, which installs the drivers.")
    }

    private func service() throws -> URLComponents {
        let name = "JUNCTION_SERVICE_\(self.rawValue.uppercased())"
        let text = try #require(
            ProcessInfo.processInfo.environment[name],
            "\(name) is not set: run the tests through Scripts/services run, or start the service and export it.")
        return try #require(URLComponents(string: text))
    }

    /// Parameters of a connection; `file` is where SQLite keeps its database.
    func parameters(file: String) throws -> (parameters: ValueContext, secrets: FixedSecrets) {
        var parameters: ValueContext = ["driver": .string(try self.driver())]
        guard self != .sqlite else {
            parameters["attributes"] = ["Database": .string(file), "Timeout": 10_000, "FKSupport": true]
            return (parameters, FixedSecrets([:]))
        }
        let url = try self.service()
        let port = Value.number(Number(Int64(url.port ?? 0)))
        let database = String(url.path.dropFirst())
        parameters["user"] = .string(url.user ?? "")
        parameters["password"] = ["secret": "test:password"]
        if self == .postgreSQL {
            parameters["attributes"] = [
                "Server": .string(url.host ?? ""), "Port": port, "Database": .string(database), "BoolsAsChar": 0,
                "ByteaAsLongVarBinary": 1, "MaxLongVarcharSize": 1_000_000,
            ]
        } else {
            parameters["attributes"] = [
                "Server": .string(url.host ?? ""), "Port": port, "Database": .string(database), "Charset": "utf8mb4",
            ]
        }
        let reference = SecretReference(store: "test", name: "password")
        return (parameters, FixedSecrets([reference: Secret(url.password ?? "")]))
    }
}

/// A connection to one of them, with tables of its own.
final class Database: Sendable {
    let target: Target
    let connection: any Connection
    let configuration: ConnectionConfiguration
    private let directory: TemporaryDirectory
    /// A name for a table that nobody else has.
    let table: String

    private init(
        _ target: Target, _ connection: any Connection, _ configuration: ConnectionConfiguration,
        _ directory: TemporaryDirectory
    ) {
        self.target = target
        self.connection = connection
        self.configuration = configuration
        self.directory = directory
        self.table = "t_\(UUID().uuidString.filter { $0 != "-" }.lowercased().prefix(16))"
    }

    static func open(_ target: Target, _ more: ValueContext = ValueContext()) async throws -> Database {
        let directory = try TemporaryDirectory()
        var (parameters, secrets) = try target.parameters(file: directory.path + "/test.db")
        parameters.merge(more)
        let configuration = ConnectionConfiguration(id: "database", parameters: .context(parameters), secrets: secrets)
        return Database(target, try await ODBCModule().connect(configuration), configuration, directory)
    }

    func close() async {
        _ = await self.connection.call("execute", ["sql": .string("DROP TABLE \(self.table)")])
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

    /// Waits until the only physical connection is in use.
    func untilBusy() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while true {
            let error = await self.connection.call("query", ["sql": "SELECT 1"], timeout: .milliseconds(100)).error
            if error?.code == "CON-5205" { return }
            try #require(ContinuousClock.now < deadline, "The connection is never in use.")
        }
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

/// A directory of its own, removed when the last reference goes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "junction-odbc-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        self.path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: self.path) }
}
