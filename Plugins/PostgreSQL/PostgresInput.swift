internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Reads the input of calls.
struct PostgresInput {
    private enum BatchMode: String, CaseIterable {
        case atomic, perItem
    }

    private enum Isolation: String, CaseIterable {
        case readCommitted, repeatableRead, serializable
    }

    static let rowsDefault = 1_000
    static let rowsMaximum = 1_000_000
    static let batchMaximum = 100_000
    static let statementsMaximum = 1_000
    /// A notification is shorter than 8,000 bytes.
    static let payloadBytesMaximum = 7_999

    let reader: FieldReader
    let settings: PostgresSettings

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

    func rows() -> Int {
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
}
