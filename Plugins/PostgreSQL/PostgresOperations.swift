internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Carries out requests on a session.
struct PostgresOperations {
    let session: PostgresSession
    let settings: PostgresSettings
    let timeout: Duration
    let limits: PostgresSession.CallLimits

    private func effort(isReadOnly: Bool, rowsMaximum: Int, isShared: Bool = false) -> PostgresEffort {
        PostgresEffort(
            limits: self.limits, timeout: self.timeout, isReadOnly: isReadOnly,
            bounds: PostgresBounds(
                rows: rowsMaximum, bytes: self.settings.resultBytesMaximum, stopsAtBound: isReadOnly,
                isShared: isShared))
    }

    private func facts(_ more: ValueContext = ValueContext()) -> ValueContext {
        var facts: ValueContext = ["serverProcess": SQLText.whole(Int(self.session.connection.processID))]
        facts.merge(more)
        return facts
    }

    /// Carries out one request.
    func perform(_ request: PostgresRequest, _ key: PostgresKey?) -> Outcome {
        do throws(ConnectorError) {
            switch request {
            case .query(let statement, let rows):
                return self.query(statement, rows)
            case .execute(let statement, let rows):
                return try self.execute(statement, rows, key)
            case .batch(let statements, let isAtomic, let rows):
                return isAtomic
                    ? try self.transaction(statements, "BEGIN", rows, key, Self.batchValue)
                    : self.items(statements, rows)
            case .transaction(let statements, let begin, let rows):
                return try self.transaction(statements, begin, rows, key) { results in
                    ["results": .list(results.map { .context($0.value) })]
                }
            case .copyIn(let copy):
                let effort = self.effort(isReadOnly: false, rowsMaximum: 0)
                let done = try self.session.copyIn(copy, key: key, fileRoot: self.settings.fileRoot, effort).get()
                return self.outcome(done) { .context($0.first?.value ?? ValueContext()) }
            case .copyOut(let copy):
                let effort = self.effort(isReadOnly: true, rowsMaximum: 0)
                let value = try self.session.copyOut(copy, fileRoot: self.settings.fileRoot, effort).get()
                return .done(.context(value), facts: self.facts())
            }
        } catch {
            return .failed(error)
        }
    }

    /// Carries out statements of different calls, each a transaction of its own.
    func pipeline(_ statements: [PostgresStatement], isReadOnly: Bool, rowsMaximum: Int) -> [Outcome] {
        let effort = self.effort(isReadOnly: isReadOnly, rowsMaximum: rowsMaximum)
        let facts = self.facts(["pipelined": SQLText.whole(statements.count)])
        return self.session.separately(statements, effort).map { result in
            switch result {
            case .success(let result):
                .done(isReadOnly ? Self.queryValue(result) : .context(result.value), facts: facts)
            case .failure(let error): .failed(error)
            }
        }
    }

    // MARK: - Operations

    private static func queryValue(_ result: PostgresResult) -> Value {
        [
            "rows": .list(result.rows), "count": SQLText.whole(result.rows.count),
            "isComplete": .boolean(result.isComplete),
        ]
    }

    private func query(_ statement: PostgresStatement, _ rows: Int) -> Outcome {
        let results = self.session.separately([statement], self.effort(isReadOnly: true, rowsMaximum: rows))
        switch results[0] {
        case .success(let result): return .done(Self.queryValue(result), facts: self.facts())
        case .failure(let error): return .failed(error)
        }
    }

    private func execute(
        _ statement: PostgresStatement, _ rows: Int, _ key: PostgresKey?
    ) throws(ConnectorError) -> Outcome {
        let effort = self.effort(isReadOnly: false, rowsMaximum: rows)
        guard let key else {
            return .done(
                .context(try self.session.separately([statement], effort)[0].get().value), facts: self.facts())
        }
        func value(_ results: [PostgresResult]) -> Value { .context(results.first?.value ?? ValueContext()) }
        return self.outcome(try self.session.together([statement], key: key, effort, result: value).get(), value)
    }

    private func transaction(
        _ statements: [PostgresStatement], _ begin: String, _ rows: Int, _ key: PostgresKey?,
        _ value: ([PostgresResult]) -> Value
    ) throws(ConnectorError) -> Outcome {
        let effort = self.effort(isReadOnly: false, rowsMaximum: rows, isShared: true)
        guard !statements.isEmpty else { return .done(value([]), facts: self.facts()) }
        let done = try self.session.together(statements, begin: begin, key: key, effort, result: value).get()
        return self.outcome(done, value)
    }

    private func outcome(
        _ done: PostgresSession.Transacted, _ value: ([PostgresResult]) -> Value
    ) -> Outcome {
        switch done {
        case .done(let results): .done(value(results), facts: self.facts())
        case .doneBefore(let value): .alreadyDone(value, facts: self.facts())
        }
    }

    private static func batchValue(_ results: [PostgresResult]) -> Value {
        Self.batchValue(results.map { .success($0) })
    }

    /// Each set of parameters with what became of it.
    private static func batchValue(_ results: [PostgresSession.StatementResult]) -> Value {
        var items: [Value] = []
        var affected = 0
        var failed = 0
        for result in results {
            switch result {
            case .success(let result):
                affected += result.affected ?? 0
                items.append(.context(result.value))
            case .failure(let error):
                failed += 1
                items.append(["error": SQLText.item(error)])
            }
        }
        return [
            "affected": SQLText.whole(affected), "failed": SQLText.whole(failed), "items": .list(items),
        ]
    }

    /// Each set of parameters as a transaction of its own: one that fails does not keep the others from happening.
    private func items(_ statements: [PostgresStatement], _ rows: Int) -> Outcome {
        let results = self.session.separately(
            statements, self.effort(isReadOnly: false, rowsMaximum: rows, isShared: true))
        let errors = results.compactMap { result -> ConnectorError? in
            if case .failure(let error) = result { error } else { nil }
        }
        // When none happened for the same reason, that is what became of the whole.
        if let first = errors.first, errors.count == results.count,
            errors.allSatisfy({ $0.code == first.code && $0.kind == first.kind })
        {
            var error = first
            error.mayHaveExecuted = errors.contains(where: \.mayHaveExecuted)
            return .failed(error)
        }
        return .done(Self.batchValue(results), facts: self.facts())
    }
}
