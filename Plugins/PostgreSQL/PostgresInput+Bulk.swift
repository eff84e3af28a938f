internal import SQLSupport
internal import Values

extension PostgresInput {
    private enum RoutineKind: String, CaseIterable {
        case function, procedure
    }

    func routine() -> PostgresRequest {
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

    func notify() -> PostgresRequest {
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

    func copyIn() -> PostgresRequest.CopyIn {
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

    func copyOut() -> PostgresRequest.CopyOut {
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
