internal import SQLSupport
internal import Values

/// One physical connection with what is known about it: its prepared statements, its types, its settings.
///
/// Not `Sendable`: lives on the thread of a `PostgresLink`.
final class PostgresSession {
    /// Settings that calls want to be different.
    struct Mode: Sendable, Hashable {
        var isReadOnly: Bool
        var timeoutMilliseconds: Int
    }

    /// What a call may take.
    struct CallLimits {
        var deadline: ContinuousClock.Instant
        var interrupt: Interrupt

        var waiting: PQConnection.Limits { PQConnection.Limits(deadline: self.deadline, interrupt: self.interrupt) }
    }

    /// A statement the server knows.
    struct Prepared {
        var name: String
        var parameterTypes: [PostgresType]
        var columns: [(name: String, type: PostgresType)]
        fileprivate var lastUse: UInt64
    }

    let connection: PQConnection
    /// Whether the connection must not be used by another call.
    var mustClose = false
    let statementsMaximum: Int
    private var statements: [String: Prepared] = [:]
    private var nextName: UInt64 = 1
    private var uses: UInt64 = 0
    /// What the database said about types of its own.
    var types: [UInt32: PostgresType] = [:]
    private var mode: Mode?
    /// Statements that were forgotten and are still known to the server.
    private var forgotten: [String] = []

    /// Connects and makes the server's texts what the decoder reads.
    static func open(
        _ settings: PostgresSettings, password: String?, _ limits: CallLimits
    ) throws(PQFailure) -> PostgresSession {
        let connection = try PQConnection.open(settings.connectionParameters(password: password), limits.waiting)
        let session = PostgresSession(connection, statementsMaximum: settings.statementsMaximum)
        let report = session.run([.plain(Self.setup(settings)), .synchronize], limits)
        if case .failed(let error) = report.outcomes[0] { throw .notConnected("\(error.state): \(error.message)") }
        if let failure = report.failure { throw failure }
        return session
    }

    private init(_ connection: PQConnection, statementsMaximum: Int) {
        self.connection = connection
        self.statementsMaximum = statementsMaximum
    }

    private static func setup(_ settings: PostgresSettings) -> String {
        var list = [
            ("DateStyle", "ISO, YMD"), ("IntervalStyle", "iso_8601"), ("TimeZone", "UTC"), ("bytea_output", "hex"),
            ("extra_float_digits", "1"), ("standard_conforming_strings", "on"),
            ("idle_in_transaction_session_timeout", "60000"),
        ]
        if !settings.searchPath.isEmpty {
            list.append(("search_path", settings.searchPath.map(SQLText.quotedName).joined(separator: ", ")))
        }
        let calls = list.map { name, value in
            let quoted = value.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
            return "pg_catalog.set_config('\(name)', '\(quoted)', false)"
        }
        return "SELECT " + calls.joined(separator: ", ")
    }

    // MARK: - Running

    /// One step of a run.
    enum Step {
        /// A statement without parameters and without rows that matter.
        case plain(String)
        /// A prepared statement with the texts of its parameters.
        case statement(Prepared, [String?], PostgresBounds)
        /// The end of what fails together.
        case synchronize
    }

    /// What became of a step.
    enum StepOutcome {
        case done(PostgresResult)
        case failed(PQServerError)
        /// The server's answer is no value of its type.
        case malformed(String)
        /// The rows have more bytes than allowed.
        case tooLarge
        /// Not run, because a step before it failed.
        case skipped
        /// Sent, and never answered.
        case unanswered
        /// Never sent.
        case unsent
    }

    /// What became of a run.
    struct Report {
        var outcomes: [StepOutcome]
        /// Why it was cut short, if it was.
        var failure: PQFailure?

        /// Whether the synchronisation point at or after `index` was answered: what was done before it is committed.
        func isConfirmed(_ index: Int, _ steps: [Step]) -> Bool {
            for position in index..<steps.count {
                guard case .synchronize = steps[position] else { continue }
                if case .done = self.outcomes[position] { return true }
                return false
            }
            return false
        }
    }

    /// Runs the steps, the last of which is `synchronize`, and reports on each.
    func run(_ steps: [Step], _ limits: CallLimits) -> Report {
        var report = Report(outcomes: Array(repeating: .unsent, count: steps.count))
        var collectors: [Int: RowCollector] = [:]
        let shared = ByteCount()
        let commands = steps.enumerated().map { index, step -> PQCommand in
            switch step {
            case .plain(let text): return .statement(text)
            case .synchronize: return .synchronize
            case .statement(let prepared, let parameters, let bounds):
                collectors[index] = RowCollector(
                    columns: prepared.columns, bounds: bounds, count: bounds.isShared ? shared : ByteCount())
                return .execute(name: prepared.name, parameters: parameters)
            }
        }
        let canceller = self.connection.canceller()
        let run = PQPipeline.Run {
            self.mustClose = true
            guard let canceller else { return }
            DedicatedThread.detach { canceller.cancel() }
        }
        var stopsByItself: Set<Int> = []
        var answered = 0
        do throws(PQFailure) {
            let ending = try PQPipeline.run(
                commands, on: self.connection, limits.waiting, run, isRowwise: { collectors[$0] != nil },
                onResult: { index, result in
                    answered = index + 1
                    let stops = collectors[index]?.take(result) ?? false
                    if stops { stopsByItself.insert(index) }
                    Self.note(result, index, &report, collectors[index])
                    return stops
                })
            report.failure = ending.stopped
            for index in ending.sent..<steps.count { report.outcomes[index] = .unsent }
        } catch {
            report.failure = error
            self.mustClose = true
            // How much of the rest had been sent is not known any more.
            for index in answered..<steps.count { report.outcomes[index] = .unanswered }
        }
        if !stopsByItself.isEmpty, report.failure == .interrupted, !limits.interrupt.isRaised { report.failure = nil }
        if self.connection.isBroken { self.mustClose = true }
        return report
    }

    /// Records one result in the report.
    private static func note(
        _ result: PQResult, _ index: Int, _ report: inout Report, _ collector: RowCollector?
    ) {
        switch result.status {
        case .done, .emptyQuery, .rows, .synchronized:
            if case .failed = report.outcomes[index] { return }
            report.outcomes[index] = collector?.outcome ?? .done(PostgresResult())
        case .failed:
            // A result that was big enough stopped itself; that is no failure.
            if let collector, collector.hasStopped {
                report.outcomes[index] = collector.outcome
            } else {
                report.outcomes[index] = .failed(
                    result.serverError ?? PQServerError(state: "08P01", message: result.message))
            }
        case .skipped: report.outcomes[index] = .skipped
        case .row, .copyIn, .copyOut, .copyBoth: break
        }
    }

    // MARK: - Mode

    /// The steps that make the session what a call needs; none when it is so already.
    ///
    /// They must be run.
    func steps(for mode: Mode) -> [Step] {
        var steps: [Step] = []
        for name in self.forgotten { steps += [.plain("DEALLOCATE \(name)"), .synchronize] }
        self.forgotten.removeAll()
        guard self.mode != mode else { return steps }
        let readOnly = mode.isReadOnly ? "on" : "off"
        if self.mode?.isReadOnly != mode.isReadOnly {
            steps += [.plain("SET default_transaction_read_only = \(readOnly)"), .synchronize]
        }
        if self.mode?.timeoutMilliseconds != mode.timeoutMilliseconds {
            steps += [.plain("SET statement_timeout = \(mode.timeoutMilliseconds)"), .synchronize]
        }
        self.mode = mode
        return steps
    }

    // MARK: - Statements

    /// What is known of a statement; counts as a use.
    func known(_ text: String) -> Prepared? {
        guard var prepared = self.statements[text] else { return nil }
        self.uses += 1
        prepared.lastUse = self.uses
        self.statements[text] = prepared
        return prepared
    }

    /// Forgets a statement whose plan the server no longer has.
    func forget(_ text: String) {
        guard let prepared = self.statements.removeValue(forKey: text) else { return }
        self.forgotten.append(prepared.name)
    }

    /// Prepares a statement unless that was done before.
    func prepare(_ text: String, _ limits: CallLimits) throws(PQFailure) -> Result<Prepared, PQServerError> {
        if let prepared = self.known(text) { return .success(prepared) }
        let name = "junction_\(self.nextName)"
        self.nextName += 1
        var failure: PQServerError?
        var parameterTypes: [UInt32] = []
        var columns: [(name: String, type: UInt32)] = []
        let canceller = self.connection.canceller()
        let run = PQPipeline.Run {
            self.mustClose = true
            if let canceller { DedicatedThread.detach { canceller.cancel() } }
        }
        let ending: PQPipeline.Ending
        do throws(PQFailure) {
            ending = try PQPipeline.run(
                [.prepare(name: name, text: text), .describe(name: name), .synchronize], on: self.connection,
                limits.waiting, run, isRowwise: { _ in false },
                onResult: { index, result in
                    if result.status == .failed, failure == nil {
                        failure = result.serverError ?? PQServerError(state: "08P01", message: result.message)
                    }
                    if index == 1, result.status == .done {
                        parameterTypes = result.parameterTypes
                        columns = (0..<result.columnCount).map { (result.columnName($0), result.columnType($0)) }
                    }
                    return false
                })
        } catch {
            self.mustClose = true
            if let failure { return .failure(failure) }
            throw error
        }
        if let stopped = ending.stopped { throw stopped }
        if let failure { return .failure(failure) }
        try self.learn(parameterTypes + columns.map(\.type), limits)
        let names = SQLText.distinctNames(columns.map(\.name))
        self.uses += 1
        let prepared = Prepared(
            name: name, parameterTypes: parameterTypes.map { self.type($0) },
            columns: zip(names, columns).map { ($0, self.type($1.type)) }, lastUse: self.uses)
        self.keep(prepared, text)
        return .success(prepared)
    }

    private func keep(_ prepared: Prepared, _ text: String) {
        if self.statements.count >= self.statementsMaximum,
            let oldest = self.statements.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            self.forget(oldest.key)
        }
        self.statements[text] = prepared
    }
}
