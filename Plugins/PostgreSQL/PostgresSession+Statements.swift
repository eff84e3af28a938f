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
    static func isStale(_ error: PQServerError) -> Bool {
        error.state == "26000" || (error.state == "0A000" && error.routine == "RevalidateCachedQuery")
    }

    func prepared(_ text: String, _ effort: PostgresEffort) -> Result<Prepared, ConnectorError> {
        do throws(PQFailure) {
            return try self.prepare(text, effort.limits)
                .mapError { self.error($0, effort, mayHaveExecuted: false) }
        } catch {
            return .failure(PostgresErrors.cut(error, timeout: effort.timeout, mayHaveExecuted: false))
        }
    }

    /// The step that runs a statement.
    func step(
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
}

extension Duration {
    /// Whole milliseconds, rounded down.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? (seconds < 0 ? .min : .max) : product + attoseconds / 1_000_000_000_000_000
    }
}
