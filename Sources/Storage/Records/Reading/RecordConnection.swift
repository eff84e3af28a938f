/// A reading connection with the statements it has compiled.
///
/// Sendable because the pool hands it to one thread at a time.
final class RecordConnection: @unchecked Sendable {
    let connection: SQLiteConnection
    private var statements: [String: SQLiteStatement] = [:]

    /// Statements kept; searches differ by which conditions they have, not by their values.
    private static let statementsMaximum = 128

    init(path: String, options: SQLiteOptions) throws(StoreError) {
        self.connection = try SQLiteConnection.reader(path: path, options: options)
    }

    /// A compiled statement with its parameters bound.
    func statement(_ sql: String, _ parameters: [SQLParameter] = []) throws(StoreError) -> SQLiteStatement {
        let statement: SQLiteStatement
        if let known = self.statements[sql] {
            statement = known
        } else {
            if self.statements.count >= Self.statementsMaximum { self.statements.removeAll() }
            statement = try self.connection.prepare(sql)
            self.statements[sql] = statement
        }
        for (index, parameter) in parameters.enumerated() { parameter.bind(Int32(index + 1), to: statement) }
        return statement
    }

    /// All rows of a statement.
    func rows<Row>(
        _ sql: String, _ parameters: [SQLParameter] = [], _ row: (SQLiteStatement) -> Row
    ) throws(StoreError) -> [Row] {
        let statement = try self.statement(sql, parameters)
        var rows: [Row] = []
        while try statement.step() { rows.append(row(statement)) }
        return rows
    }

    /// The first column of the first row, as a number; 0 without a row.
    func number(_ sql: String, _ parameters: [SQLParameter] = []) throws(StoreError) -> Int {
        let statement = try self.statement(sql, parameters)
        defer { statement.reset() }
        return try statement.step() ? statement.int(0) : 0
    }

    /// Runs `body` so that all its statements see one moment.
    func inSnapshot<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try self.connection.execute("BEGIN")
        defer { self.connection.rollbackIfNeeded() }
        return try body()
    }
}
