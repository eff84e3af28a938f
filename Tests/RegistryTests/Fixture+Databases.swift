import ConnectorKit
import Foundation
import Values

/// Databases.
extension Fixture {
    static func postgreSQL(_ module: any ConnectorModule) async throws -> [Fixture] {
        let url = try Service.url("POSTGRESQL")
        let schema = Self.unique("registry_")
        let configuration = ConnectionConfiguration(
            id: "c",
            parameters: [
                "host": .string(url.host ?? ""), "port": url.portNumber, "user": .string(url.user ?? ""),
                "database": .string(String(url.path.dropFirst())), "password": Self.secret,
                "searchPath": .string(schema),
            ],
            secrets: Self.secrets(url.password ?? ""))
        let connection = try await module.connect(configuration)
        try await connection.call("execute", ["sql": .string("CREATE SCHEMA \(schema)")])
        try await connection.call("execute", ["sql": "CREATE TABLE t (id int, name text)"])
        let channel = Value.string(schema)
        // Nothing is kept for who does not listen, so nothing is there to be read.
        let source = Source(
            SourceRequest(event: "notification", parameters: ["channels": [channel]]), eventsMinimum: 0,
            silence: .milliseconds(50), provoke: { try await connection.call("notify", ["channel": channel]) })
        return [
            Fixture(
                name: "PostgreSQL", configuration: configuration,
                calls: [
                    Self.call("query", ["sql": "SELECT 1 AS one"]),
                    GoodCall(OperationCall(operation: "query", input: ["sql": "SELECT pg_sleep(5)"]), waits: true),
                    Self.call("execute", ["sql": "INSERT INTO t VALUES (1, 'a')"]),
                    Self.call(
                        "batch", ["sql": "INSERT INTO t VALUES ($1, $2)", "parameters": [[1, "a"], [2, "b"]]]),
                    Self.call("copyIn", ["table": "t", "rows": [[1, "a"], [2, .null]]]),
                    Self.call("copyOut", ["sql": "SELECT 1"]), Self.call("notify", ["channel": "quiet"]),
                    Self.call("call", ["name": "upper", "arguments": ["a"]]),
                    Self.call("transaction", ["statements": [["sql": "SELECT 1"]]]),
                ],
                sources: [source],
                end: {
                    _ = try? await connection.call("execute", ["sql": .string("DROP SCHEMA \(schema) CASCADE")])
                    await connection.close()
                })
        ]
    }

    static func odbc(_ module: any ConnectorModule) async throws -> [Fixture] {
        let directory = try TemporaryDirectory()
        let file = directory.url.appending(path: "test.db").path
        let sqlite: ValueContext = [
            "driver": .string(try Self.driver("libsqlite3odbc.so")),
            "attributes": ["Database": .string(file), "Timeout": 10_000],
        ]
        return [
            try await Self.database(module, "SQLite", sqlite, secret: "", keeping: directory),
            try await Self.database(
                module, "PostgreSQL",
                try Self.server("POSTGRESQL", "psqlodbcw.so", ["BoolsAsChar": 0, "ByteaAsLongVarBinary": 1]),
                secret: try Service.url("POSTGRESQL").password ?? ""),
            try await Self.database(
                module, "MariaDB", try Self.server("MARIADB", "libmaodbc.so", ["Charset": "utf8mb4"]),
                secret: try Service.url("MARIADB").password ?? ""),
        ]
    }

    private static func server(_ service: String, _ driver: String, _ attributes: ValueContext) throws -> ValueContext {
        let url = try Service.url(service)
        var attributes = attributes
        attributes.merge([
            "Server": .string(url.host ?? ""), "Port": url.portNumber,
            "Database": .string(String(url.path.dropFirst())),
        ])
        return [
            "driver": .string(try Self.driver(driver)), "user": .string(url.user ?? ""), "password": Self.secret,
            "attributes": .context(attributes),
        ]
    }

    /// The driver's library, wherever this architecture has it.
    private static func driver(_ name: String) throws -> String {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib")
        let paths = folders.map { "/usr/lib/\($0)/odbc/\(name)" } + ["/usr/lib/odbc/\(name)"]
        guard let path = paths.first(where: { FileManager.default.fileExists(atPath: $0) }) else {
            throw Service.Missing(name: "driver \(name); Scripts/bootstrap installs it")
        }
        return path
    }

    private static func database(
        _ module: any ConnectorModule, _ name: String, _ parameters: ValueContext, secret: String,
        keeping directory: TemporaryDirectory? = nil
    ) async throws -> Fixture {
        let configuration = ConnectionConfiguration(
            id: "c", parameters: .context(parameters), secrets: Self.secrets(secret))
        let connection = try await module.connect(configuration)
        let table = Self.unique("t_")
        try await connection.call("execute", ["sql": .string("CREATE TABLE \(table) (id integer)")])
        let insert = Value.string("INSERT INTO \(table) VALUES (?)")
        return Fixture(
            name: name, configuration: configuration,
            calls: [
                Self.call("query", ["sql": "SELECT 1 AS one"]),
                Self.call("execute", ["sql": insert, "parameters": [1]]),
                Self.call("batch", ["sql": insert, "parameters": [[1], [2]]]),
                Self.call("transaction", ["statements": [["sql": insert, "parameters": [3]]]]),
            ],
            end: {
                _ = try? await connection.call("execute", ["sql": .string("DROP TABLE \(table)")])
                await connection.close()
                withExtendedLifetime(directory) {}
            })
    }
}
