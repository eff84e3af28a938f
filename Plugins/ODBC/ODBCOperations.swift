internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Carries out requests on a session.
struct ODBCOperations {
    let session: ODBCSession
    let settings: ODBCSettings
    let call: ODBCCall
    let connection: String

    /// Carries out one request.
    func perform(_ request: ODBCRequest) -> Outcome {
        do throws(ODBCFailure) {
            let value: Value
            switch request {
            case .query(let text, let rows): value = try self.query(text, rows)
            case .execute(let text, let rows):
                let statement = try self.prepared(text.text, text.parameters)
                value = .context(try self.run(statement.0, statement.1, self.bounds(rows)).value)
            case .batch(let text, let sets, let isAtomic):
                return try ODBCBatch(operations: self).run(text, sets, isAtomic: isAtomic)
            case .transaction(let statements, let rows): value = try self.transaction(statements, rows)
            case .call(let routine, let rows): value = try ODBCRoutineCall(operations: self).run(routine, rows)
            }
            return .done(value, facts: self.session.capabilities.facts)
        } catch {
            return .failed(self.error(error))
        }
    }

    /// A failure in the taxonomy; one that our own ending provoked is that of the ending.
    func error(_ failure: ODBCFailure) -> ConnectorError {
        if let ending = self.call.ending {
            // Whether the driver was stopped in time or lost its connection: it is not used again.
            self.session.mustClose = true
            let mayHaveExecuted =
                switch failure {
                case .driver(_, let mayHaveExecuted): mayHaveExecuted
                case .notBegun: false
                case .ours(let error): error.mayHaveExecuted
                }
            return ODBCErrors.ended(
                ending, connection: self.connection, timeout: self.call.timeout, mayHaveExecuted: mayHaveExecuted)
        }
        switch failure {
        case .notBegun:
            return ODBCErrors.ended(
                .cancelled, connection: self.connection, timeout: self.call.timeout, mayHaveExecuted: false)
        case .ours(let error): return error
        case .driver(let diagnostic, let mayHaveExecuted):
            let error = ODBCErrors.driver(
                diagnostic, self.session.capabilities,
                // What a database says about a statement, it says about one that did nothing.
                mayHaveExecuted: mayHaveExecuted && Self.isDoubtful(diagnostic))
            if [.unavailable, .auth].contains(error.kind) || Self.isDoubtful(diagnostic) {
                self.session.mustClose = true
            }
            return error
        }
    }

    /// Whether an error may hide a success: the connection broke, or time ran out.
    private static func isDoubtful(_ diagnostic: ODBCDiagnostic) -> Bool {
        diagnostic.state.hasPrefix("08") || diagnostic.state.hasPrefix("HYT") || diagnostic.state == SQLState.cancelled
            || diagnostic.state == "40003" || [2_006, 2_013].contains(diagnostic.native)
    }

    // MARK: - Statements

    /// The statement in the driver's form, and its values.
    func prepared(
        _ text: String, _ parameters: ODBCText.Parameters
    ) throws(ODBCFailure) -> (String, [ODBCValue]) {
        try self.admit(text)
        switch parameters {
        case .none: return (text, [])
        case .listed(let values): return (text, try self.values(values) { String($0 + 1) })
        case .named(let context):
            let template = try self.template(text)
            return (template.questioned, try self.values(context, template))
        }
    }

    /// Refuses statements that would take part in our transactions; after those that change the session, the connection
    /// is not used by others.
    func admit(_ text: String) throws(ODBCFailure) {
        if let problem = ODBCWords.problem(text, self.session.capabilities.product) {
            throw .ours(ODBCErrors.refused(problem))
        }
        if ODBCWords.changesSession(text) { self.session.mustClose = true }
    }

    func template(_ text: String) throws(ODBCFailure) -> SQLTemplate {
        do throws(SQLTemplate.Unterminated) {
            return try SQLTemplate(text, self.session.capabilities.dialect)
        } catch {
            throw .ours(ODBCErrors.mismatch("sql", expected: "a complete statement", found: "\(error)"))
        }
    }

    func values(_ context: ValueContext, _ template: SQLTemplate) throws(ODBCFailure) -> [ODBCValue] {
        for name in context.keys where !template.names.contains(name) {
            throw .ours(
                ODBCErrors.mismatch(":\(name)", expected: "a name in the statement", found: "none of that name"))
        }
        var values: [Value] = []
        for name in template.names {
            guard let value = context[name] else {
                throw .ours(ODBCErrors.mismatch(":\(name)", expected: "a value", found: "none"))
            }
            values.append(value)
        }
        return try self.values(values) { ":" + template.names[$0] }
    }

    func values(_ values: [Value], _ name: (Int) -> String) throws(ODBCFailure) -> [ODBCValue] {
        var list: [ODBCValue] = []
        list.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            do throws(ODBCValue.Mismatch) {
                list.append(try ODBCValue(value, self.session.capabilities.product))
            } catch {
                throw .ours(ODBCErrors.mismatch(name(index), expected: error.expected, found: error.found))
            }
        }
        return list
    }

    /// Throws when the driver knows better how many values there should be.
    func check(_ statement: ODBCStatement, _ count: Int) throws(ODBCFailure) {
        if let expected = statement.parameterCount, expected != count {
            throw .ours(ODBCErrors.parameterCount(expected: expected, found: count))
        }
    }

    /// Calls the driver; what it throws has changed nothing.
    func harmless<Success>(_ body: () throws(ODBCDiagnostic) -> Success) throws(ODBCFailure) -> Success {
        do throws(ODBCDiagnostic) {
            return try body()
        } catch {
            throw .driver(error, mayHaveExecuted: false)
        }
    }

    /// Calls the driver after a statement ran.
    func afterwards<Success>(_ body: () throws(ODBCDiagnostic) -> Success) throws(ODBCFailure) -> Success {
        do throws(ODBCDiagnostic) {
            return try body()
        } catch {
            throw .driver(error, mayHaveExecuted: true)
        }
    }

    /// How much of a result is kept.
    struct Bounds {
        var rows: Int
        var bytes: Int
        /// Whether more bytes are an error; otherwise the rest is left out.
        var isStrict: Bool
    }

    func bounds(_ rows: Int, isStrict: Bool = false) -> Bounds {
        Bounds(rows: rows, bytes: self.settings.resultBytesMaximum, isStrict: isStrict)
    }

    /// What a statement gave.
    struct Result {
        var rows: [Value] = []
        var isComplete = true
        var affected: Int?
        var hasRows = false
        /// Bytes of the rows.
        var bytes = 0

        var value: ValueContext {
            var value: ValueContext = ["affected": SQLText.whole(self.affected ?? 0)]
            if self.hasRows {
                value["rows"] = .list(self.rows)
                value["isComplete"] = .boolean(self.isComplete)
            }
            return value
        }
    }

    /// Runs a statement; its first rows are the result.
    func run(_ text: String, _ values: [ODBCValue], _ bounds: Bounds) throws(ODBCFailure) -> Result {
        let statement = try self.harmless { () throws(ODBCDiagnostic) in try self.session.statement(self.call) }
        try self.harmless { () throws(ODBCDiagnostic) in try statement.prepare(text) }
        try self.check(statement, values.count)
        let block = ODBCParameterBlock([values])
        try self.harmless { () throws(ODBCDiagnostic) in try statement.bind(block) }
        try self.execute(statement)
        return try withExtendedLifetime(block) { () throws(ODBCFailure) in try self.results(statement, bounds) }
    }

    func execute(_ statement: ODBCStatement) throws(ODBCFailure) {
        switch statement.execute() {
        case .done: return
        case .notBegun: throw .notBegun
        case .failed(let diagnostic): throw .driver(diagnostic, mayHaveExecuted: true)
        }
    }

    /// Reads all results of a statement: the counts of all, the rows of the first that has any.
    func results(_ statement: ODBCStatement, _ bounds: Bounds) throws(ODBCFailure) -> Result {
        var result = Result()
        repeat {
            if statement.columnCount > 0, !result.hasRows {
                try self.rows(statement, bounds, &result)
            } else if let affected = statement.affected, statement.columnCount == 0 {
                result.affected = (result.affected ?? 0) + affected
            }
        } while try self.afterwards { () throws(ODBCDiagnostic) in try statement.nextResult() }
        return result
    }

    private func rows(_ statement: ODBCStatement, _ bounds: Bounds, _ result: inout Result) throws(ODBCFailure) {
        let columns = try self.afterwards { () throws(ODBCDiagnostic) in try statement.columns() }
        let reader = ODBCRowReader(statement: statement.raw, columns: columns)
        result.hasRows = true
        var bytesLeft = bounds.bytes
        defer { result.bytes = bounds.bytes - max(0, bytesLeft) }
        while try self.afterwards({ () throws(ODBCDiagnostic) in try statement.fetch() }) {
            guard result.rows.count < bounds.rows else {
                result.isComplete = false
                return
            }
            do throws(ODBCRowReader.Failure) {
                result.rows.append(try reader.read(&bytesLeft))
            } catch {
                switch error {
                case .driver(let diagnostic): throw .driver(diagnostic, mayHaveExecuted: true)
                case .malformed(let column, let what):
                    throw .ours(ODBCErrors.malformed(column, what, mayHaveExecuted: true))
                case .tooLarge where bounds.isStrict:
                    throw .ours(ODBCErrors.tooLarge(bounds.bytes, mayHaveExecuted: false))
                case .tooLarge:
                    result.isComplete = false
                    return
                }
            }
        }
    }

    // MARK: - Operations

    /// Rows of a statement that changes nothing: what it may change is undone.
    private func query(_ text: ODBCText, _ rows: Int) throws(ODBCFailure) -> Value {
        let (sql, values) = try self.prepared(text.text, text.parameters)
        let result = try self.session.transaction(commits: false) { () throws(ODBCFailure) -> Result in
            let statement = try self.harmless { () throws(ODBCDiagnostic) in try self.session.statement(self.call) }
            // A hint only, which keeps drivers from reading everything.
            _ = statement.set(SQL_ATTR_MAX_ROWS, UInt(rows + 1))
            try self.harmless { () throws(ODBCDiagnostic) in try statement.prepare(sql) }
            try self.check(statement, values.count)
            let block = ODBCParameterBlock([values])
            try self.harmless { () throws(ODBCDiagnostic) in try statement.bind(block) }
            if self.session.capabilities.product != .other, statement.columnCount == 0 {
                throw .ours(ODBCErrors.noRows)
            }
            try self.execute(statement)
            guard statement.columnCount > 0 else { throw .ours(ODBCErrors.noRows) }
            let bounds = self.bounds(rows, isStrict: true)
            let result = try withExtendedLifetime(block) { () throws(ODBCFailure) in
                var result = Result()
                try self.rows(statement, bounds, &result)
                return result
            }
            statement.closeCursor()
            return result
        }
        return [
            "rows": .list(result.rows), "count": SQLText.whole(result.rows.count),
            "isComplete": .boolean(result.isComplete),
        ]
    }

    private func transaction(_ statements: [ODBCText], _ rows: Int) throws(ODBCFailure) -> Value {
        let results = try self.session.transaction(commits: true) { () throws(ODBCFailure) -> [Value] in
            var results: [Value] = []
            var bounds = self.bounds(rows)
            for text in statements {
                let (sql, values) = try self.prepared(text.text, text.parameters)
                let result = try self.run(sql, values, bounds)
                bounds.bytes -= result.bytes
                results.append(.context(result.value))
            }
            return results
        }
        return ["results": .list(results)]
    }
}
