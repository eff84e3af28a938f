internal import ConnectorKit
internal import SQLSupport
internal import Values

/// One call of an operation, read and checked.
enum PostgresRequest: Sendable {
    case query(PostgresStatement, rowsMaximum: Int)
    case execute(PostgresStatement, rowsMaximum: Int)
    case batch([PostgresStatement], isAtomic: Bool, rowsMaximum: Int)
    case transaction([PostgresStatement], begin: String, rowsMaximum: Int)
    case copyIn(CopyIn)
    case copyOut(CopyOut)

    enum CopyFormat: String, CaseIterable, Sendable {
        case csv, text
    }

    /// The form of copied data.
    struct CopyOptions: Sendable {
        var format = CopyFormat.csv
        var hasHeader = false
        var delimiter: String?
        var null: String?

        /// As `COPY` has it.
        var clause: String {
            var options = ["FORMAT \(self.format.rawValue)"]
            if self.format == .csv { options.append("HEADER \(self.hasHeader)") }
            if let delimiter { options.append("DELIMITER \(Self.quoted(delimiter))") }
            if let null { options.append("NULL \(Self.quoted(null))") }
            return "(\(options.joined(separator: ", ")))"
        }

        private static func quoted(_ text: String) -> String {
            "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
        }
    }

    struct CopyIn: Sendable {
        enum Source: Sendable {
            case rows([[Value]])
            case file(String, CopyOptions)
        }

        var table: String
        var columns: [String]
        var source: Source

        /// `table (a, b)`.
        var target: String {
            let list = self.columns.map(SQLText.quotedName).joined(separator: ", ")
            return SQLText.quotedPath(self.table) + (self.columns.isEmpty ? "" : " (\(list))")
        }
    }

    struct CopyOut: Sendable {
        /// A table or a statement in parentheses.
        var source: String
        var options: CopyOptions
        var file: String?
        var bytesMaximum: Int
    }

    /// Whether nothing can change.
    var isReadOnly: Bool {
        switch self {
        case .query, .copyOut: true
        case .execute, .batch, .transaction, .copyIn: false
        }
    }

    /// Whether all of it is one transaction, in which a key can be recorded.
    var isOneTransaction: Bool {
        switch self {
        case .execute(let statement, _): !statement.commitsByItself
        case .batch(_, let isAtomic, _): isAtomic
        case .transaction, .copyIn: true
        case .query, .copyOut: false
        }
    }
}

/// Reads the input of calls.
struct PostgresInput {
    private enum BatchMode: String, CaseIterable {
        case atomic, perItem
    }

    private enum Isolation: String, CaseIterable {
        case readCommitted, repeatableRead, serializable
    }

    private enum RoutineKind: String, CaseIterable {
        case function, procedure
    }

    static let rowsDefault = 1_000
    static let rowsMaximum = 1_000_000
    static let batchMaximum = 100_000
    static let statementsMaximum = 1_000
    /// A notification is shorter than 8,000 bytes.
    static let payloadBytesMaximum = 7_999

    private let reader: FieldReader
    private let settings: PostgresSettings

    /// Reads `call`.
    ///
    /// Throws a `ConnectorError` (`validation` or `unsupported`).
    static func request(
        _ call: OperationCall, _ settings: PostgresSettings
    ) throws -> (request: PostgresRequest, isIdempotent: Bool) {
        guard let operation = PostgreSQLModule.description.operation(call.operation) else {
            throw ConnectorError.unknownOperation(call.operation, of: PostgreSQLModule.description)
        }
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let request = PostgresInput(reader: reader, settings: settings).read(operation.id)
        let isIdempotent = operation.effect == .read ? true : reader.boolean("idempotent") ?? false
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        guard let request else {
            throw ConnectorError.unknownOperation(call.operation, of: PostgreSQLModule.description)
        }
        return (request, isIdempotent)
    }

    private func read(_ operation: String) -> PostgresRequest? {
        switch operation {
        case "query": return .query(self.statement(), rowsMaximum: self.rows())
        case "execute": return .execute(self.statement(), rowsMaximum: self.rows())
        case "batch": return self.batch()
        case "transaction": return self.transaction()
        case "copyIn": return .copyIn(self.copyIn())
        case "copyOut": return .copyOut(self.copyOut())
        case "call": return self.routine()
        case "notify": return self.notify()
        default: return nil
        }
    }

    private func rows() -> Int {
        self.reader.integer("maxRows", in: 0...Self.rowsMaximum) ?? Self.rowsDefault
    }

    // MARK: - Statements

    private func statement() -> PostgresStatement {
        Self.statement(self.reader, inTransaction: false)
    }

    private static func statement(_ reader: FieldReader, inTransaction: Bool) -> PostgresStatement {
        guard let text = Self.text(reader, inTransaction: inTransaction) else { return PostgresStatement(text: "") }
        return Self.bind(text, reader.value("parameters"), "\(reader.path).parameters", reader)
            ?? PostgresStatement(text: text)
    }

    private static func text(_ reader: FieldReader, inTransaction: Bool) -> String? {
        reader.require("sql")
        guard let text = reader.string("sql") else { return nil }
        if let problem = PostgresWords.problem(text, inTransaction: inTransaction) {
            reader.add("\(reader.path).sql \(problem).")
            return nil
        }
        return text
    }

    /// The statement with its values; `nil` after reporting why there is none.
    private static func bind(
        _ text: String, _ parameters: Value?, _ path: String, _ reader: FieldReader
    ) -> PostgresStatement? {
        switch parameters {
        case nil, .some(.null): return PostgresStatement(text: text)
        case .list(let values): return PostgresStatement(text: text, parameters: values)
        case .context(let values):
            guard let template = Self.template(text, path, reader) else { return nil }
            return Self.bind(template, values, path, reader)
        default:
            reader.add("\(path): expected a list of values, or an object of named values.")
            return nil
        }
    }

    private static func template(_ text: String, _ path: String, _ reader: FieldReader) -> SQLTemplate? {
        do {
            return try SQLTemplate(text, .postgreSQL)
        } catch {
            reader.add("\(path): \(error)")
            return nil
        }
    }

    private static func bind(
        _ template: SQLTemplate, _ values: ValueContext, _ path: String, _ reader: FieldReader
    ) -> PostgresStatement? {
        let names = template.distinctNames
        let missing = names.filter { values[$0] == nil }
        let extra = values.keys.filter { !names.contains($0) }
        for name in missing { reader.add("\(path).\(name) is missing.", "The statement names :\(name).") }
        for name in extra {
            let known = names.map { ":" + $0 }.joined(separator: ", ")
            reader.add("\(path).\(name) is not in the statement.", known.isEmpty ? nil : "It names \(known).")
        }
        guard missing.isEmpty, extra.isEmpty else { return nil }
        return PostgresStatement(
            text: template.numbered, parameters: names.map { values[$0] ?? .null }, names: names)
    }

    private func batch() -> PostgresRequest {
        let mode = self.reader.word("mode", of: BatchMode.self) ?? .atomic
        let rows = self.rows()
        let text = Self.text(self.reader, inTransaction: false)
        self.reader.require("parameters")
        guard let text, let sets = self.reader.value("parameters") else {
            return .batch([], isAtomic: true, rowsMaximum: 0)
        }
        guard let list = sets.asList, list.count <= Self.batchMaximum else {
            self.reader.add("input.parameters: expected a list of at most \(Self.batchMaximum) sets of parameters.")
            return .batch([], isAtomic: true, rowsMaximum: 0)
        }
        var template: SQLTemplate?
        var statements: [PostgresStatement] = []
        statements.reserveCapacity(list.count)
        for (index, set) in list.enumerated() {
            let path = "input.parameters[\(index)]"
            switch set {
            case .list(let values): statements.append(PostgresStatement(text: text, parameters: values))
            case .context(let values):
                template = template ?? Self.template(text, path, self.reader)
                guard let template, let statement = Self.bind(template, values, path, self.reader) else { break }
                statements.append(statement)
            default: self.reader.add("\(path): expected a list of values, or an object of named values.")
            }
            // One wrong set tells enough.
            if statements.count <= index { break }
        }
        return .batch(statements, isAtomic: mode == .atomic, rowsMaximum: rows)
    }

    private func transaction() -> PostgresRequest {
        let isolation = self.reader.word("isolation", of: Isolation.self) ?? .readCommitted
        let rows = self.rows()
        self.reader.require("statements")
        let items = self.reader.value("statements").flatMap(\.asList)
        if self.reader.has("statements"), items == nil || (items?.count ?? 0) > Self.statementsMaximum {
            self.reader.add("input.statements: expected a list of at most \(Self.statementsMaximum) statements.")
        }
        var statements: [PostgresStatement] = []
        for (index, item) in (items ?? []).prefix(Self.statementsMaximum).enumerated() {
            let inner = FieldReader(
                item, path: "input.statements[\(index)]", code: ConnectorError.Code.invalidParameters)
            statements.append(Self.statement(inner, inTransaction: true))
            inner.finish()
            for diagnostic in inner.diagnostics { self.reader.add(diagnostic.message, diagnostic.remedy) }
        }
        let level =
            switch isolation {
            case .readCommitted: "READ COMMITTED"
            case .repeatableRead: "REPEATABLE READ"
            case .serializable: "SERIALIZABLE"
            }
        return .transaction(statements, begin: "BEGIN ISOLATION LEVEL \(level)", rowsMaximum: rows)
    }

    // MARK: - Routines and notifications

    private func routine() -> PostgresRequest {
        let kind = self.reader.word("kind", of: RoutineKind.self) ?? .function
        let rows = self.rows()
        self.reader.require("name")
        let name = SQLText.quotedPath(self.reader.string("name") ?? "")
        var parameters: [Value] = []
        var arguments: [String] = []
        switch self.reader.value("arguments") {
        case nil: break
        case .list(let values):
            parameters = values
            arguments = values.indices.map { "$\($0 + 1)" }
        case .context(let values):
            for (key, value) in values {
                parameters.append(value)
                arguments.append("\(SQLText.quotedName(key)) => $\(parameters.count)")
            }
        default: self.reader.add("input.arguments: expected a list of values, or an object of named values.")
        }
        if parameters.count > 100 { self.reader.add("input.arguments: expected at most 100.") }
        let call = "\(name)(\(arguments.joined(separator: ", ")))"
        if call.utf8.contains(0) { self.reader.add("input.name: holds a zero character.") }
        let text = kind == .function ? "SELECT * FROM \(call)" : "CALL \(call)"
        return .execute(PostgresStatement(text: text, parameters: parameters), rowsMaximum: rows)
    }

    private func notify() -> PostgresRequest {
        self.reader.require("channel")
        let channel = self.reader.string("channel") ?? ""
        if channel.isEmpty || channel.utf8.count > 63 {
            self.reader.add("input.channel: expected a name of 1 to 63 bytes.")
        }
        let payload: String
        switch self.reader.value("payload") {
        case nil: payload = ""
        case .string(let text): payload = text
        case .some(let value): payload = JSON.string(value)
        }
        if payload.utf8.count > Self.payloadBytesMaximum {
            self.reader.add(
                "input.payload: expected at most \(Self.payloadBytesMaximum) bytes but found \(payload.utf8.count).",
                "Send a key, and let the receiver fetch the rest.")
        }
        return .execute(
            PostgresStatement(
                text: "SELECT pg_catalog.pg_notify($1, $2)", parameters: [.string(channel), .string(payload)]),
            rowsMaximum: 0)
    }

    // MARK: - COPY

    private func options() -> PostgresRequest.CopyOptions {
        var options = PostgresRequest.CopyOptions()
        options.format = self.reader.word("format", of: PostgresRequest.CopyFormat.self) ?? .csv
        options.hasHeader = self.reader.boolean("header") ?? false
        options.delimiter = self.reader.string("delimiter")
        options.null = self.reader.string("null")
        if let delimiter = options.delimiter, delimiter.utf8.count != 1 {
            self.reader.add("input.delimiter: expected a single character.")
        }
        for text in [options.delimiter, options.null] where text?.utf8.contains(0) == true {
            self.reader.add("input: a text holds a zero character.")
        }
        return options
    }

    private func copyIn() -> PostgresRequest.CopyIn {
        let options = self.options()
        self.reader.require("table")
        let table = self.reader.string("table") ?? ""
        var columns = self.reader.strings("columns") ?? []
        if let file = self.file() {
            if self.reader.has("rows") { self.reader.add("input: expected rows or file, not both.") }
            return PostgresRequest.CopyIn(table: table, columns: columns, source: .file(file, options))
        }
        guard let items = self.reader.value("rows")?.asList else {
            self.reader.add("input: expected rows, a list, or file.")
            return PostgresRequest.CopyIn(table: table, columns: columns, source: .rows([]))
        }
        if columns.isEmpty { columns = items.first?.asContext?.keys ?? [] }
        var rows: [[Value]] = []
        rows.reserveCapacity(items.count)
        for (index, item) in items.enumerated() {
            switch item {
            case .list(let values) where columns.isEmpty || values.count == columns.count: rows.append(values)
            case .context(let values) where values.keys.allSatisfy(columns.contains):
                rows.append(columns.map { values[$0] ?? .null })
            default:
                self.reader.add(
                    "input.rows[\(index)]: expected a list with a value for each column, or an object of columns.",
                    columns.isEmpty ? nil : "The columns are \(columns.joined(separator: ", ")).")
                return PostgresRequest.CopyIn(table: table, columns: columns, source: .rows([]))
            }
        }
        return PostgresRequest.CopyIn(table: table, columns: columns, source: .rows(rows))
    }

    private func copyOut() -> PostgresRequest.CopyOut {
        let options = self.options()
        let maximum = self.reader.bytes("maxBytes")
        let file = self.file()
        var source = ""
        switch (self.reader.string("table"), self.reader.string("sql")) {
        case (let table?, nil):
            let columns = (self.reader.strings("columns") ?? []).map(SQLText.quotedName).joined(separator: ", ")
            source = SQLText.quotedPath(table) + (columns.isEmpty ? "" : " (\(columns))")
        case (nil, let text?):
            // Nothing may follow the statement: a comment would swallow the parenthesis, a second one escape it.
            if let problem = Self.queryProblem(text) { self.reader.add("input.sql \(problem).") }
            source = "(\(text)\n)"
        default: self.reader.add("input: expected table or sql.", "Give one of them.")
        }
        let bound = maximum ?? (file == nil ? self.settings.resultBytesMaximum : 1 << 30)
        return PostgresRequest.CopyOut(source: source, options: options, file: file, bytesMaximum: bound)
    }

    /// What is wrong with `text` as the query of a COPY.
    ///
    /// COPY goes by the simple protocol, which takes several statements: a text that closes the parenthesis, or that
    /// has a semicolon outside of its quotes, is refused.
    private static func queryProblem(_ text: String) -> String? {
        if let problem = PostgresWords.problem(text, inTransaction: false) { return problem }
        do {
            return try SQLTemplate.isSingleExpression(text, .postgreSQL)
                ? nil : "has a semicolon, or a parenthesis that closes none"
        } catch {
            return "does not end: \(error)"
        }
    }

    private func file() -> String? {
        guard let path = self.reader.string("file") else { return nil }
        if self.settings.fileRoot == nil {
            self.reader.add("input.file: the connection has no fileRoot.", "Set fileRoot in the connection.")
        }
        return path
    }
}
