internal import ConnectorKit
internal import SQLSupport
internal import Synchronization
internal import Values

/// Rows of an outbox, locked while they are out, and removed or marked with their acknowledgement.
///
/// One batch at a time, in one transaction that its acknowledgement commits; what is not acknowledged is there again as
/// soon as the connection ends. Several of these may read one outbox: a key is with one of them at a time.
actor OutboxPollSource: EventSource {
    private static let rowsMaximum = 1_000

    private struct Shared {
        var isClosed = false
        var interrupt: Interrupt?
        var sleeper: Task<Void, any Error>?
    }

    private struct Out {
        var batch: UInt64
        var ids: [String]
    }

    private let id: String
    private let settings: PostgresSettings
    private let outbox: OutboxSettings
    private let secrets: any SecretResolver
    private let decoding: RecordDecoding
    private let shared = Mutex(Shared())
    private var link: PostgresLink?
    private var statements: OutboxStatements?
    private var out: Out?
    private var nextLook = ContinuousClock.now
    private var nextBatch: UInt64 = 1

    init(
        _ id: String, _ settings: PostgresSettings, _ outbox: OutboxSettings, secrets: any SecretResolver,
        decoding: RecordDecoding
    ) {
        self.id = id
        self.settings = settings
        self.outbox = outbox
        self.secrets = secrets
        self.decoding = decoding
    }

    func connect() async throws {
        try self.checkOpen()
        await self.disconnect()
        let link = try await PostgresConnection.open(
            self.settings, self.secrets, timeout: self.settings.connectTimeout)
        self.link = link
        let outbox = self.outbox
        self.statements = try await self.perform { session, limits throws(ConnectorError) in
            try session.texts(
                "SET idle_in_transaction_session_timeout = 0", "SET statement_timeout = '60s'", limits: limits)
            let table = try ChangeCatalog(session: session, limits: limits).table(named: outbox.table)
            let columns = table.shape.columns.map(\.name)
            let missing =
                outbox.missing(in: columns)
                + [outbox.order, outbox.mark].compactMap { $0 }
                .filter { !columns.contains($0) }
            guard missing.isEmpty else {
                throw ChangeErrors.setup(
                    "The outbox \(table.shape.path) has no column \(Set(missing).sorted().joined(separator: ", ")).",
                    remedy: "Name the columns in outbox as the table has them.")
            }
            return OutboxStatements(outbox: outbox, table: table)
        }
        self.nextLook = .now
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        try self.checkOpen()
        let deadline = ContinuousClock.now + wait
        // The batch that is out has the transaction; whoever reads on meanwhile acknowledges it next.
        if self.out != nil {
            try await self.sleep(until: min(deadline, .now + .milliseconds(20)))
            return nil
        }
        while true {
            guard self.link != nil, let statements = self.statements else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            if self.nextLook <= .now {
                let rows = try await self.perform { session, limits throws(ConnectorError) in
                    try statements.claim(max(1, min(maximum, Self.rowsMaximum)), session, limits)
                }
                if let rows, !rows.rows.isEmpty { return self.give(rows, statements) }
                self.nextLook = .now + self.outbox.every
            }
            guard .now < deadline else { return nil }
            try await self.sleep(until: min(deadline, self.nextLook))
            try self.checkOpen()
        }
    }

    private func give(_ texts: PostgresTexts, _ statements: OutboxStatements) -> EventBatch {
        let batch = self.nextBatch
        self.nextBatch += 1
        self.out = Out(batch: batch, ids: statements.ids(texts))
        let events = texts.rows.map { row in
            self.outbox.event(
                statements.table.shape, decoding: self.decoding, coordinates: ValueContext(), fallbackID: "",
                occurredAt: nil, text: { row[$0] })
        }
        return EventBatch(id: EventBatch.ID(rawValue: batch), events: events)
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let out = self.out, out.batch == batch.rawValue, let statements = self.statements else { return }
        self.out = nil
        try await self.perform { session, limits throws(ConnectorError) in
            try statements.finish(out.ids, session, limits)
        }
    }

    /// What is set aside is done for the outbox: it has no place for such things.
    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let out = self.out, out.batch == batch.rawValue else { return }
        switch disposition {
        case .setAside: try await self.acknowledge(batch)
        case .redeliver(let delay):
            self.out = nil
            self.nextLook = .now + delay
            _ = try await self.perform { session, limits throws(ConnectorError) in
                try session.texts("ROLLBACK", limits: limits)
            }
        }
    }

    func backlog() async -> Int? { self.out?.ids.count ?? 0 }

    nonisolated func close() async {
        let (interrupt, sleeper) = self.shared.withLock { shared in
            shared.isClosed = true
            return (shared.interrupt, shared.sleeper)
        }
        interrupt?.raise()
        sleeper?.cancel()
        await self.disconnect()
    }

    private func disconnect() async {
        let link = self.link
        self.link = nil
        self.out = nil
        await link?.close()
    }

    // MARK: - Waiting

    private func checkOpen() throws {
        if self.shared.withLock({ $0.isClosed }) { throw ConnectorError.closed("\(self.id) (outbox source)") }
        try Task.checkCancellation()
    }

    private func sleep(until deadline: ContinuousClock.Instant) async throws {
        let sleeper = Task { try await Task.sleep(until: deadline, clock: .continuous) }
        let isClosed = self.shared.withLock { shared in
            shared.sleeper = sleeper
            return shared.isClosed
        }
        if isClosed { sleeper.cancel() }
        await withTaskCancellationHandler {
            _ = await sleeper.result
        } onCancel: {
            sleeper.cancel()
        }
        try Task.checkCancellation()
    }

    /// Runs `body` on the connection; one that broke is told as such.
    private func perform<Success: Sendable>(
        _ body: @escaping @Sendable (PostgresSession, PostgresSession.CallLimits) throws(ConnectorError) -> Success
    ) async throws -> Success {
        guard let link = self.link else {
            throw SourceInterruption.notConnected(reason: "The source is not connected.")
        }
        let interrupt = Interrupt()
        let isClosed = self.shared.withLock { shared in
            shared.interrupt = interrupt
            return shared.isClosed
        }
        if isClosed { throw ConnectorError.closed("\(self.id) (outbox source)") }
        let done = await withTaskCancellationHandler {
            await link.perform { session -> (Result<Success, ConnectorError>, isBroken: Bool) in
                let limits = PostgresSession.CallLimits(deadline: .now + .seconds(60), interrupt: interrupt)
                do throws(ConnectorError) {
                    return (.success(try body(session, limits)), false)
                } catch {
                    return (.failure(error), session.mustClose || session.connection.isBroken)
                }
            }
        } onCancel: {
            interrupt.raise()
        }
        guard let (result, isBroken) = done?.result else {
            throw SourceInterruption.notConnected(reason: "The source is not connected.")
        }
        switch result {
        case .success(let success): return success
        case .failure(let error):
            guard isBroken else { throw error }
            await self.disconnect()
            if interrupt.isRaised, Task.isCancelled { throw CancellationError() }
            throw SourceInterruption.notConnected(reason: error.message)
        }
    }
}

/// What is asked of an outbox that is polled.
struct OutboxStatements: Sendable {
    let outbox: OutboxSettings
    let table: ChangeCatalog.Table

    private func name(_ column: String) -> String { SQLText.quotedName(column) }

    private func isPending(_ alias: String) -> String {
        self.outbox.mark.map { "\(alias).\(self.name($0)) IS NULL" } ?? "TRUE"
    }

    /// What rows are in order by, if the table has that.
    private var key: String? {
        self.table.shape.columns.contains { $0.name == self.outbox.key } ? self.name(self.outbox.key) : nil
    }

    private func order(_ alias: String) -> String {
        "\(alias).\(self.name(self.outbox.order)), \(alias).\(self.name(self.outbox.id))"
    }

    /// The rows no earlier row of their key is before, as far as nobody else has them.
    private func heads(_ maximum: Int) -> String {
        var condition = self.isPending("o")
        if let key = self.key {
            condition +=
                " AND NOT EXISTS (SELECT 1 FROM \(self.table.source) e WHERE \(self.isPending("e")) "
                + "AND e.\(key) = o.\(key) AND ROW(\(self.order("e"))) < ROW(\(self.order("o"))))"
        }
        return "SELECT o.\(self.name(self.outbox.id))::text, \(self.key.map { "o.\($0)::text" } ?? "NULL") "
            + "FROM \(self.table.source) o WHERE \(condition) ORDER BY \(self.order("o")) LIMIT \(maximum) "
            + "FOR UPDATE SKIP LOCKED"
    }

    /// Begins a transaction and locks rows: whole keys, from their first row on.
    ///
    /// Returns nil, with no transaction open, when there is nothing to be had now.
    func claim(
        _ maximum: Int, _ session: PostgresSession, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) -> PostgresTexts? {
        do throws(ConnectorError) {
            let heads = try session.texts("BEGIN", self.heads(maximum), limits: limits)
            if !heads.rows.isEmpty {
                let columns = self.table.shape.columns.map { "o." + self.name($0.name) }.joined(separator: ", ")
                var condition = "o.\(self.name(self.outbox.id)) IN \(PostgresLiteral.list(heads.first))"
                let keys = heads.rows.indices.compactMap { heads.text($0, 1) }
                if let key = self.key, !keys.isEmpty {
                    condition = "(\(condition) OR o.\(key) IN \(PostgresLiteral.list(keys)))"
                }
                let rows = try session.texts(
                    "SELECT \(columns) FROM \(self.table.source) o WHERE \(self.isPending("o")) AND \(condition) "
                        + "ORDER BY \(self.order("o")) LIMIT \(maximum) FOR UPDATE NOWAIT", limits: limits)
                if !rows.rows.isEmpty { return rows }
            }
            try session.texts("ROLLBACK", limits: limits)
            return nil
        } catch {
            if !session.mustClose { try session.texts("ROLLBACK", limits: limits) }
            // A row in the middle is locked by somebody: it has to be waited for, or the order breaks.
            if error.details["sqlstate"] == "55P03" { return nil }
            throw error
        }
    }

    func ids(_ texts: PostgresTexts) -> [String] {
        guard let column = self.table.shape.columns.firstIndex(where: { $0.name == self.outbox.id }) else { return [] }
        return texts.rows.indices.compactMap { texts.text($0, column) }
    }

    /// Removes or marks the rows, and commits.
    func finish(
        _ ids: [String], _ session: PostgresSession, _ limits: PostgresSession.CallLimits
    ) throws(ConnectorError) {
        let condition = "WHERE \(self.name(self.outbox.id)) IN \(PostgresLiteral.list(ids))"
        let text =
            self.outbox.mark.map { "UPDATE \(self.table.source) SET \(self.name($0)) = now() \(condition)" }
            ?? "DELETE FROM \(self.table.source) \(condition)"
        do throws(ConnectorError) {
            try session.texts(text, "COMMIT", limits: limits)
        } catch {
            if !session.mustClose { try session.texts("ROLLBACK", limits: limits) }
            throw error
        }
    }
}
