internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Rows read at one look, in the order of the cursor.
struct ODBCPage: Sendable {
    /// One row.
    struct Row: Sendable {
        /// The typed values of the cursor's columns.
        var cursor: [Value]
        /// The same of the identity's; NULL where there is none.
        var identity: [Value]
        /// All columns.
        var data: ValueContext
        /// Why it is not whole, if it is not.
        var problem: String?
    }

    var rows: [Row] = []
    /// Whether there may be more rows right now.
    var isFull = false
}

extension ODBCOperations {
    /// How many rows may have the same values in the cursor's columns.
    static var tiesMaximum: Int { 10_000 }

    /// A page of rows after `position`: at least `rows` of them if there are, and never a part of those that have the
    /// same values in the cursor's columns.
    func page(
        _ query: ODBCPollQuery, after position: ODBCPosition, rows: Int
    ) -> Swift.Result<ODBCPage, ConnectorError> {
        do throws(ODBCFailure) {
            try self.admit(query.sql)
            let template = try self.template(query.sql)
            // What a query changes is undone.
            return .success(
                try self.session.transaction(commits: false) { () throws(ODBCFailure) -> ODBCPage in
                    var values: [Value]
                    switch position {
                    case .after(let known): values = known
                    case .earliest:
                        let columns = try self.pollColumns(query, template)
                        values = ODBCPosition.least(columns, self.session.capabilities.product)
                    }
                    let page = try self.page(query, template, values, rows: rows, mostRows: rows + 1)
                    if let page { return page }
                    guard
                        let page = try self.page(
                            query, template, values, rows: rows, mostRows: rows + Self.tiesMaximum + 1)
                    else {
                        throw .ours(
                            ODBCErrors.cursorNotUnique(
                                "More than \(Self.tiesMaximum) rows have the same values in the cursor's columns.",
                                at: .list(values)))
                    }
                    return page
                })
        } catch {
            return .failure(self.error(error))
        }
    }

    /// The columns of the cursor, from a look that finds nothing: nothing is greater than NULL.
    private func pollColumns(_ query: ODBCPollQuery, _ template: SQLTemplate) throws(ODBCFailure) -> [ODBCColumn] {
        let bound = try self.pollValues(query, template, Array(repeating: .null, count: query.cursor.count))
        let statement = try self.pollStatement(bound, mostRows: 1)
        try self.check(statement, bound.count)
        try self.harmless { () throws(ODBCDiagnostic) in try statement.bind(bound.block) }
        return try withExtendedLifetime(bound) { () throws(ODBCFailure) in
            try self.execute(statement)
            defer { statement.closeCursor() }
            guard statement.columnCount > 0 else { throw .ours(ODBCErrors.noRows) }
            let columns = try self.harmless { () throws(ODBCDiagnostic) in try statement.columns() }
            return try Self.indexes(query.cursor, columns).map { columns[$0] }
        }
    }

    /// Where the columns of these names are; databases differ in whether case counts.
    fileprivate static func indexes(_ names: [String], _ columns: [ODBCColumn]) throws(ODBCFailure) -> [Int] {
        var indexes: [Int] = []
        for name in names {
            let index =
                columns.firstIndex { $0.name == name }
                ?? columns.firstIndex { $0.name.lowercased() == name.lowercased() }
            guard let index else { throw .ours(ODBCErrors.cursorMissing(name, in: columns.map(\.name))) }
            indexes.append(index)
        }
        return indexes
    }

    private struct Bound {
        var sql: String
        var block: ODBCParameterBlock
        var count: Int
    }

    /// The statement in the driver's form with the cursor's values: by name, or after the query's other values.
    private func pollValues(
        _ query: ODBCPollQuery, _ template: SQLTemplate, _ cursor: [Value]
    ) throws(ODBCFailure) -> Bound {
        let sql: String
        let values: [ODBCValue]
        if template.names.isEmpty {
            var all = cursor
            if case .listed(let more) = query.parameters { all = more + cursor }
            sql = query.sql
            values = try self.values(all) { String($0 + 1) }
        } else {
            var all = ValueContext()
            if case .named(let more) = query.parameters { all = more }
            for (name, value) in zip(query.cursor, cursor) { all[name] = value }
            sql = template.questioned
            values = try self.values(all, template)
        }
        return Bound(sql: sql, block: ODBCParameterBlock([values]), count: values.count)
    }

    private func pollStatement(_ bound: Bound, mostRows: Int) throws(ODBCFailure) -> ODBCStatement {
        try self.harmless { () throws(ODBCDiagnostic) in
            let statement = try self.session.statement(self.call)
            // A hint only, which keeps drivers from reading everything.
            _ = statement.set(SQL_ATTR_MAX_ROWS, UInt(mostRows))
            try statement.prepare(bound.sql)
            return statement
        }
    }

    /// The page; nil when `mostRows` are not enough to see where its last group of equal rows ends.
    private func page(
        _ query: ODBCPollQuery, _ template: SQLTemplate, _ position: [Value], rows: Int, mostRows: Int
    ) throws(ODBCFailure) -> ODBCPage? {
        let bound = try self.pollValues(query, template, position)
        let statement = try self.pollStatement(bound, mostRows: mostRows)
        try self.check(statement, bound.count)
        try self.harmless { () throws(ODBCDiagnostic) in try statement.bind(bound.block) }
        return try withExtendedLifetime(bound) { () throws(ODBCFailure) in
            try self.execute(statement)
            defer { statement.closeCursor() }
            guard statement.columnCount > 0 else { throw .ours(ODBCErrors.noRows) }
            var reading = try PageReading(
                query, statement, self.session.capabilities.product, position, operations: self)
            while try self.harmless({ () throws(ODBCDiagnostic) in try statement.fetch() }) {
                let row = try reading.row(self.settings.resultBytesMaximum)
                let isTied = row.cursor == reading.page.rows.last?.cursor
                let isEnough =
                    reading.page.rows.count >= rows || reading.bytes >= self.settings.resultBytesMaximum
                if isEnough, !isTied {
                    reading.page.isFull = true
                    return reading.page
                }
                try reading.add(row, isTied: isTied)
                if reading.page.rows.count >= mostRows { return nil }
            }
            reading.page.isFull = reading.page.rows.count >= rows
            return reading.page
        }
    }
}

/// Reads the rows of one page.
private struct PageReading {
    private let query: ODBCPollQuery
    private let position: [Value]
    private let names: [String]
    private let forms: [ODBCColumn.Form]
    private let reader: ODBCRowReader
    private let cursor: [Int]
    private let identity: [Int]
    private let operations: ODBCOperations
    /// Identities among rows with the same cursor.
    private var tied: Set<[Value]> = []
    var page = ODBCPage()
    var bytes = 0

    init(
        _ query: ODBCPollQuery, _ statement: ODBCStatement, _ product: ODBCCapabilities.Product, _ position: [Value],
        operations: ODBCOperations
    ) throws(ODBCFailure) {
        self.query = query
        self.position = position
        self.operations = operations
        var columns = try operations.harmless { () throws(ODBCDiagnostic) in try statement.columns() }
        self.names = columns.map(\.name)
        self.forms = columns.map(\.form)
        self.cursor = try ODBCOperations.indexes(query.cursor, columns)
        self.identity = try ODBCOperations.indexes(query.identity, columns)
        if product == .sqlite {
            // It keeps and compares times as the texts that they are.
            for index in self.cursor + self.identity where [.date, .time, .timestamp].contains(columns[index].form) {
                columns[index].form = .text
            }
        }
        self.reader = ODBCRowReader(statement: statement.raw, columns: columns)
    }

    /// The current row.
    mutating func row(_ bytesMaximum: Int) throws(ODBCFailure) -> ODBCPage.Row {
        var problems: [String] = []
        var bytes = bytesMaximum
        let values: [Value]
        do throws(ODBCDiagnostic) {
            values = try self.reader.readWhatCanBeRead(&bytes, problems: &problems)
        } catch {
            throw .driver(error, mayHaveExecuted: false)
        }
        self.bytes += bytes
        var cursor: [Value] = []
        for (name, index) in zip(self.query.cursor, self.cursor) {
            guard let value = ODBCPosition.typed(values[index], self.reader.columns[index].form) else {
                throw .ours(ODBCErrors.cursorUnreadable(name, problems.first ?? "is null"))
            }
            cursor.append(value)
        }
        var data = ValueContext()
        data.reserveCapacity(values.count)
        for (index, name) in self.names.enumerated() { data[name] = self.seen(values[index], index) }
        return ODBCPage.Row(
            cursor: cursor,
            identity: self.identity.map { ODBCPosition.typed(values[$0], self.reader.columns[$0].form) ?? .null },
            data: data, problem: problems.isEmpty ? nil : problems.joined(separator: " "))
    }

    /// The value as `query` gives it.
    private func seen(_ value: Value, _ index: Int) -> Value {
        guard self.reader.columns[index].form != self.forms[index], let text = value.asString else { return value }
        switch self.forms[index] {
        case .date: return CalendarDate(text).map { .date($0) } ?? value
        case .time: return ODBCRowReader.time(text).map { .time($0) } ?? value
        default: return ODBCRowReader.timestamp(text) ?? value
        }
    }

    mutating func add(_ row: ODBCPage.Row, isTied: Bool) throws(ODBCFailure) {
        if let last = self.page.rows.last?.cursor, ODBCPosition.compare(last, row.cursor) == 1 {
            throw .ours(ODBCErrors.cursorOrder("gives rows that are not in the order of the cursor", at: .list(last)))
        }
        if row.cursor == self.position {
            throw .ours(ODBCErrors.cursorOrder("gives the row again whose values it was given", at: .list(row.cursor)))
        }
        if !isTied { self.tied.removeAll(keepingCapacity: true) }
        guard self.tied.insert(row.identity).inserted else {
            throw .ours(
                ODBCErrors.cursorNotUnique(
                    "Two rows have the same values in the columns of cursor and identity.", at: .list(row.cursor)))
        }
        self.page.rows.append(row)
    }
}
