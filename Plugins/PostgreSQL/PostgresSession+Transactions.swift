internal import ConnectorKit
internal import Values

extension PostgresSession {
    /// What a transaction gave.
    enum Transacted {
        case done([PostgresResult])
        /// The key was recorded before, with this result.
        case doneBefore(Value)
    }

    /// Runs statements in one transaction: in one round trip, if all are prepared and there is no key to record.
    ///
    /// `result` makes what is recorded with the key.
    func together(
        _ statements: [PostgresStatement], begin: String = "BEGIN", key: PostgresKey?, _ effort: PostgresEffort,
        result: ([PostgresResult]) -> Value
    ) -> Result<Transacted, ConnectorError> {
        do throws(ConnectorError) {
            return .success(try self.transact(statements, begin, key, effort, mayRetry: true, result: result))
        } catch {
            return .failure(error)
        }
    }

    private func transact(
        _ statements: [PostgresStatement], _ begin: String, _ key: PostgresKey?, _ effort: PostgresEffort,
        mayRetry: Bool, result: ([PostgresResult]) -> Value
    ) throws(ConnectorError) -> Transacted {
        // A single statement cannot depend on one before it, so it is prepared at once.
        if Set(statements.map(\.text)).count == 1, let statement = statements.first {
            _ = try self.prepared(statement.text, effort).get()
        }
        var transaction = Transaction(effort: effort)
        do throws(TransactionFailure) {
            let isKnown = statements.allSatisfy { self.known($0.text) != nil }
            try self.begin(&transaction, begin, key, statements: isKnown ? statements : [], commits: key == nil)
            if !isKnown {
                for statement in statements { try self.add(statement, to: &transaction) }
                if key == nil { try self.commit(&transaction) }
            }
            if let key {
                let recorded = key.update(result(transaction.results))
                try self.record(recorded, in: &transaction)
            }
            return .done(transaction.results)
        } catch {
            self.rollBack(effort)
            switch error {
            case .keyIsTaken:
                guard let key else { break }
                return .doneBefore(try self.recorded(key, effort))
            case .stale(let text):
                self.forget(text)
                guard mayRetry, !self.mustClose else { break }
                return try self.transact(statements, begin, key, effort, mayRetry: false, result: result)
            case .failed(let error): throw error
            }
            throw PostgresErrors.cut(.broken("a plan was lost"), timeout: effort.timeout, mayHaveExecuted: false)
        }
    }

    /// A transaction under way.
    struct Transaction {
        var effort: PostgresEffort
        var results: [PostgresResult] = []
    }

    enum TransactionFailure: Error {
        case failed(ConnectorError)
        case keyIsTaken
        case stale(String)
    }

    /// Begins, records the key, and runs what is known already; commits in the same trip if asked to.
    func begin(
        _ transaction: inout Transaction, _ text: String, _ key: PostgresKey?, statements: [PostgresStatement],
        commits: Bool
    ) throws(TransactionFailure) {
        let effort = transaction.effort
        var steps: [Step] = [.plain(text)]
        if let key { steps.append(try self.insertion(of: key, effort)) }
        let statementsStart = steps.count
        for statement in statements {
            guard let prepared = self.known(statement.text) else { throw .stale(statement.text) }
            switch self.step(statement, .success(prepared), effort.bounds) {
            case .success(let step): steps.append(step)
            case .failure(let error): throw .failed(error)
            }
        }
        let isCommitting = commits && !statements.isEmpty
        if isCommitting { steps.append(.plain("COMMIT")) }
        steps.append(.synchronize)
        // Last, because the session counts on their being run.
        let setup = self.steps(for: effort.mode)
        let report = self.run(setup + steps, effort.limits)
        if key != nil, case .failed(let error) = report.outcomes[setup.count + 1], error.state == "23505" {
            throw .keyIsTaken
        }
        for index in steps.indices {
            let position = index - statementsStart
            let statement = statements.indices.contains(position) ? statements[position] : nil
            let result = try self.take(report, setup.count + index, statement, effort, isCommitting: isCommitting)
            if statement != nil { transaction.results.append(result) }
        }
    }

    /// The step that records a key.
    private func insertion(of key: PostgresKey, _ effort: PostgresEffort) throws(TransactionFailure) -> Step {
        switch self.prepared(key.insert.text, effort).flatMap({ self.step(key.insert, .success($0), effort.bounds) }) {
        case .success(let step): return step
        case .failure(var error):
            if error.kind == .notFound { error.remedy = key.remedy }
            throw .failed(error)
        }
    }

    /// Prepares and runs one more statement.
    func add(_ statement: PostgresStatement, to transaction: inout Transaction) throws(TransactionFailure) {
        let effort = transaction.effort
        switch self.prepared(statement.text, effort).flatMap({ self.step(statement, .success($0), effort.bounds) }) {
        case .failure(let error): throw .failed(error)
        case .success(let step):
            let report = self.run([step, .synchronize], effort.limits)
            transaction.results.append(try self.take(report, 0, statement, effort, isCommitting: false))
        }
    }

    /// Records the result with the key, and commits.
    func record(_ update: PostgresStatement, in transaction: inout Transaction) throws(TransactionFailure) {
        let effort = transaction.effort
        switch self.prepared(update.text, effort).flatMap({ self.step(update, .success($0), effort.bounds) }) {
        case .failure(let error): throw .failed(error)
        case .success(let step):
            let report = self.run([step, .plain("COMMIT"), .synchronize], effort.limits)
            for index in 0..<3 { _ = try self.take(report, index, nil, effort, isCommitting: true) }
        }
    }

    func commit(_ transaction: inout Transaction) throws(TransactionFailure) {
        let report = self.run([.plain("COMMIT"), .synchronize], transaction.effort.limits)
        for index in 0..<2 {
            _ = try self.take(report, index, nil, transaction.effort, isCommitting: true)
        }
    }

    /// The result of a step that must succeed.
    private func take(
        _ report: Report, _ index: Int, _ statement: PostgresStatement?, _ effort: PostgresEffort, isCommitting: Bool
    ) throws(TransactionFailure) -> PostgresResult {
        let failure = report.failure ?? .broken("")
        switch report.outcomes[index] {
        case .done(let result): return result
        case .failed(let error):
            if let statement, Self.isStale(error) { throw .stale(statement.text) }
            throw .failed(self.error(error, effort, mayHaveExecuted: false))
        case .malformed(let what):
            throw .failed(PostgresErrors.malformed(what, mayHaveExecuted: isCommitting))
        case .tooLarge: throw .failed(PostgresErrors.tooLarge(effort.bounds.bytes, mayHaveExecuted: isCommitting))
        case .unanswered:
            throw .failed(PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: isCommitting))
        case .skipped, .unsent:
            throw .failed(PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: false))
        }
    }

    /// Ends a transaction that failed, if there is one.
    func rollBack(_ effort: PostgresEffort) {
        guard !self.mustClose, !self.connection.isBroken, self.connection.isInTransaction else { return }
        let limits = CallLimits(deadline: .now + .seconds(2), interrupt: Interrupt())
        let report = self.run([.plain("ROLLBACK"), .synchronize], limits)
        if report.failure != nil { self.mustClose = true }
    }

    /// The result of the call that recorded the key.
    func recorded(_ key: PostgresKey, _ effort: PostgresEffort) throws(ConnectorError) -> Value {
        var effort = effort
        effort.bounds.rows = 1
        let results = self.separately([key.select], effort)
        guard let result = results.first else { return .null }
        return try result.get().rows.first?["result"] ?? .null
    }
}
