internal import CODBC
internal import SQLSupport
internal import Values

/// What a driver and its database can do, asked once.
struct ODBCCapabilities: Sendable, Hashable {
    /// Databases that need to be told apart.
    enum Product: Sendable, Hashable {
        case postgreSQL, mariaDB, sqlite, other
    }

    var database: String
    var databaseVersion: String
    var driver: String
    var driverVersion: String
    var odbcVersion: String
    var hasTransactions: Bool
    var isReadOnly: Bool
    var hasProcedures: Bool

    init(_ connection: SQLHDBC) {
        self.database = Self.text(connection, SQL_DBMS_NAME)
        self.databaseVersion = Self.text(connection, SQL_DBMS_VER)
        self.driver = Self.text(connection, SQL_DRIVER_NAME)
        self.driverVersion = Self.text(connection, SQL_DRIVER_VER)
        self.odbcVersion = Self.text(connection, SQL_DRIVER_ODBC_VER)
        self.hasTransactions = Int32(Self.short(connection, SQL_TXN_CAPABLE)) != SQL_TC_NONE
        self.isReadOnly = Self.text(connection, SQL_DATA_SOURCE_READ_ONLY) == "Y"
        self.hasProcedures = Self.text(connection, SQL_PROCEDURES) == "Y"
    }

    var product: Product { Self.product(self.database + " " + self.driver) }

    static func product(inMessage text: String) -> Product { Self.product(text) }

    private static func product(_ text: String) -> Product {
        let text = text.lowercased()
        if text.contains("mariadb") || text.contains("mysql") || text.contains("maodbc") { return .mariaDB }
        if text.contains("sqlite") { return .sqlite }
        return text.contains("postgres") || text.contains("psqlodbc") ? .postgreSQL : .other
    }

    var dialect: SQLTemplate.Dialect {
        switch self.product {
        case .postgreSQL: .postgreSQL
        case .mariaDB: .mariaDB
        case .sqlite: .sqlite
        case .other: SQLTemplate.Dialect()
        }
    }

    var facts: ValueContext {
        [
            "database": .string("\(self.database) \(self.databaseVersion)"),
            "driver": .string("\(self.driver) \(self.driverVersion)"),
        ]
    }

    private static func text(_ connection: SQLHDBC, _ key: Int32) -> String {
        var buffer = [SQLWCHAR](repeating: 0, count: 256)
        var bytes: SQLSMALLINT = 0
        let code = SQLGetInfoW(
            connection, SQLUSMALLINT(key), &buffer, SQLSMALLINT(buffer.count * MemoryLayout<SQLWCHAR>.size), &bytes)
        guard ODBC.isSuccess(code) else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }, as: UTF16.self)
    }

    private static func short(_ connection: SQLHDBC, _ key: Int32) -> SQLUSMALLINT {
        var value: SQLUSMALLINT = 0
        let code = SQLGetInfoW(connection, SQLUSMALLINT(key), &value, 2, nil)
        return ODBC.isSuccess(code) ? value : 0
    }
}
