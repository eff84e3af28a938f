internal import ConnectorKit
internal import SQLSupport
internal import Values

/// What one call may use.
struct PostgresEffort {
    var limits: PostgresSession.CallLimits
    var timeout: Duration
    var isReadOnly: Bool
    var bounds: PostgresBounds

    var mode: PostgresSession.Mode {
        // A little less than the call has: the server then says so itself, and the connection lives on.
        let milliseconds = max(1, Int(clamping: self.timeout.wholeMilliseconds))
        return PostgresSession.Mode(
            isReadOnly: self.isReadOnly,
            timeoutMilliseconds: min(max(1, milliseconds - min(100, milliseconds / 10)), Int(Int32.max)))
    }
}

/// The record of a call that is to have its effect once.
struct PostgresKey: Sendable, Hashable {
    /// The user's table, each part of its name as it is.
    var table: String
    var key: String

    private var path: String { SQLText.quotedPath(self.table) }

    var insert: PostgresStatement {
        PostgresStatement(text: "INSERT INTO \(self.path) (key) VALUES ($1)", parameters: [.string(self.key)])
    }

    func update(_ result: Value) -> PostgresStatement {
        PostgresStatement(
            text: "UPDATE \(self.path) SET result = $2::jsonb WHERE key = $1", parameters: [.string(self.key), result])
    }

    var select: PostgresStatement {
        PostgresStatement(
            text: "SELECT result::jsonb AS result FROM \(self.path) WHERE key = $1", parameters: [.string(self.key)])
    }

    var remedy: String {
        "The table must be there: CREATE TABLE \(self.path) (key text PRIMARY KEY, result jsonb, "
            + "created_at timestamptz NOT NULL DEFAULT now())."
    }
}

extension PostgresSession {
    typealias StatementResult = Result<PostgresResult, ConnectorError>

    // MARK: - Each for itself

    /// Runs statements, each a transaction of its own, in one round trip once they are prepared.
    func separately(_ statements: [PostgresStatement], _ effort: PostgresEffort) -> [StatementResult] {
        var results: [StatementResult] = []
        results.reserveCapacity(statements.count)
        while results.count < statements.count {
            var texts: Set<String> = []
            var end = results.count
            // Preparing more than the cache holds would push out what is about to be used.
            while end < statements.count {
                texts.insert(statements[end].text)
                if texts.count > self.statementsMaximum { break }
                end += 1
            }
            results += self.separatelyInOneRun(statements[results.count..<end], effort, mayRetry: true)
        }
        return results
    }

    private func separatelyInOneRun(
        _ statements: ArraySlice<PostgresStatement>, _ effort: PostgresEffort, mayRetry: Bool
    ) -> [StatementResult] {
        var results: [StatementResult?] = Array(repeating: nil, count: statements.count)
        var prepared: [String: Result<Prepared, ConnectorError>] = [:]
        var steps = self.steps(for: effort.mode)
        var places: [Int?] = []
        for statement in statements {
            if prepared[statement.text] == nil {
                prepared[statement.text] = self.prepared(statement.text, effort)
            }
            switch prepared[statement.text].map({ self.step(statement, $0, effort.bounds) }) {
            case .success(let step):
                places.append(steps.count)
                steps += [step, .synchronize]
            case .failure(let error):
                results[places.count] = .failure(error)
                places.append(nil)
            case nil: places.append(nil)
            }
        }
        let report = steps.isEmpty ? Report(outcomes: [], failure: nil) : self.run(steps, effort.limits)
        var stale: [Int] = []
        for (index, statement) in statements.enumerated() {
            guard let place = places[index] else { continue }
            if mayRetry, case .failed(let error) = report.outcomes[place], Self.isStale(error) {
                self.forget(statement.text)
                stale.append(index)
            }
            results[index] = self.result(of: place, steps, report, statement, effort)
        }
        if !stale.isEmpty, report.failure == nil, !self.mustClose {
            let again = stale.map { statements[statements.startIndex + $0] }
            for (index, result) in zip(stale, self.separatelyInOneRun(again[...], effort, mayRetry: false)) {
                results[index] = result
            }
        }
        return results.map {
            $0 ?? .failure(PostgresErrors.cut(.timedOut, timeout: effort.timeout, mayHaveExecuted: false))
        }
    }

    /// Whether the plan of a prepared statement is no longer of use; nothing was run then.
    private static func isStale(_ error: PQServerError) -> Bool {
        error.state == "26000" || (error.state == "0A000" && error.routine == "RevalidateCachedQuery")
    }

    private func prepared(_ text: String, _ effort: PostgresEffort) -> Result<Prepared, ConnectorError> {
        do throws(PQFailure) {
            return try self.prepare(text, effort.limits)
                .mapError { self.error($0, effort, mayHaveExecuted: false) }
        } catch {
            return .failure(PostgresErrors.cut(error, timeout: effort.timeout, mayHaveExecuted: false))
        }
    }

    /// The step that runs a statement.
    private func step(
        _ statement: PostgresStatement, _ prepared: Result<Prepared, ConnectorError>, _ bounds: PostgresBounds
    ) -> Result<Step, ConnectorError> {
        prepared.flatMap { prepared in
            let types = prepared.parameterTypes
            guard types.count == statement.parameters.count else {
                return .failure(
                    PostgresErrors.parameterCount(expected: types.count, found: statement.parameters.count))
            }
            var texts: [String?] = []
            for (index, (value, type)) in zip(statement.parameters, types).enumerated() {
                do throws(PostgresEncoder.Mismatch) {
                    texts.append(try PostgresEncoder.text(value, type))
                } catch {
                    return .failure(PostgresErrors.mismatch(statement.name(index), error))
                }
            }
            return .success(.statement(prepared, texts, bounds))
        }
    }

    /// What became of the statement at `place`, whose transaction ends with the next synchronisation.
    private func result(
        of place: Int, _ steps: [Step], _ report: Report, _ statement: PostgresStatement, _ effort: PostgresEffort
    ) -> StatementResult {
        let isReadOnly = effort.isReadOnly
        let failure = report.failure ?? .broken("")
        switch report.outcomes[place] {
        case .done(let result):
            if isReadOnly || report.isConfirmed(place, steps) { return .success(result) }
            // The commit itself may fail, as with a constraint that is checked then.
            if case .failed(let error) = report.outcomes[place + 1] {
                return .failure(self.error(error, effort, mayHaveExecuted: false))
            }
            return .failure(PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: true))
        case .failed(let error):
            return .failure(self.error(error, effort, mayHaveExecuted: !isReadOnly && statement.commitsByItself))
        case .malformed(let what):
            return .failure(PostgresErrors.malformed(what, mayHaveExecuted: !isReadOnly))
        case .tooLarge:
            return .failure(PostgresErrors.tooLarge(effort.bounds.bytes))
        case .unanswered:
            return .failure(PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: !isReadOnly))
        case .skipped, .unsent:
            return .failure(PostgresErrors.cut(failure, timeout: effort.timeout, mayHaveExecuted: false))
        }
    }

    /// A server's error; one that our own cancelling provoked is that of the cancelling.
    func error(_ error: PQServerError, _ effort: PostgresEffort, mayHaveExecuted: Bool) -> ConnectorError {
        if error.state == "57014", effort.limits.interrupt.isRaised {
            return PostgresErrors.cut(.interrupted, timeout: effort.timeout, mayHaveExecuted: mayHaveExecuted)
        }
        return PostgresErrors.server(error, mayHaveExecuted: mayHaveExecuted)
    }

    // MARK: - All or nothing

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
        var keyStep: Step?
        if let key {
            switch self.prepared(key.insert.text, effort).flatMap({ self.step(key.insert, .success($0), effort.bounds) }
            )
            {
            case .success(let step): keyStep = step
            case .failure(var error):
                if error.kind == .notFound { error.remedy = key.remedy }
                throw .failed(error)
            }
        }
        var steps = self.steps(for: effort.mode)
        let first = steps.count
        steps.append(.plain(text))
        if let keyStep { steps.append(keyStep) }
        let statementsStart = steps.count
        for statement in statements {
            guard let prepared = self.known(statement.text) else { throw .stale(statement.text) }
            switch self.step(statement, .success(prepared), effort.bounds) {
            case .success(let step): steps.append(step)
            case .failure(let error): throw .failed(error)
            }
        }
        if commits, !statements.isEmpty { steps.append(.plain("COMMIT")) }
        steps.append(.synchronize)
        let report = self.run(steps, effort.limits)
        let isCommitting = commits && !statements.isEmpty
        if keyStep != nil, case .failed(let error) = report.outcomes[first + 1], error.state == "23505" {
            throw .keyIsTaken
        }
        for index in first..<steps.count {
            let isStatement = (statementsStart..<(statementsStart + statements.count)).contains(index)
            let statement = isStatement ? statements[index - statementsStart] : nil
            let result = try self.take(report, index, statement, effort, isCommitting: isCommitting)
            if isStatement { transaction.results.append(result) }
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

extension Duration {
    /// Whole milliseconds, rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? (seconds < 0 ? .min : .max) : product + attoseconds / 1_000_000_000_000_000
    }
}
