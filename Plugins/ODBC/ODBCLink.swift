internal import ConnectorKit
internal import SQLSupport

/// One physical connection and the thread it lives on.
actor ODBCLink {
    private let thread: DedicatedThread
    private var session: ODBCSession?

    private init(_ thread: DedicatedThread) { self.thread = thread }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    /// Connects.
    ///
    /// Throws a `ConnectorError`. A driver that does not come back is left behind with its thread.
    static func open(
        _ settings: ODBCSettings, _ secrets: [(name: String, secret: Secret)], _ call: ODBCCall,
        grace: Duration = .seconds(2)
    ) async throws -> ODBCLink {
        guard let thread = DedicatedThread.start() else { throw ODBCErrors.noThread() }
        let link = ODBCLink(thread)
        let opened = FirstOf<ConnectorError?>()
        Task.detached {
            let error = await link.connect(settings, secrets, call)
            // Nobody wants it any more.
            if !opened.give(error) { await link.close() }
        }
        let alarm = Task.detached {
            try await Task.sleep(for: call.timeout + grace)
            var error = ODBCErrors.abandoned(call.timeout)
            error.mayHaveExecuted = false
            opened.give(error)
        }
        defer { alarm.cancel() }
        if let error = await opened.wait() { throw error }
        return link
    }

    private func connect(
        _ settings: ODBCSettings, _ secrets: [(name: String, secret: Secret)], _ call: ODBCCall
    ) -> ConnectorError? {
        let revealed = secrets.map { item in (name: item.name, value: item.secret.reveal { $0 }) }
        do throws(ConnectorError) {
            self.session = try ODBCSession.open(settings, revealed, call)
            return nil
        } catch {
            return error
        }
    }

    /// Runs `body` on the connection's thread.
    ///
    /// Returns what it did, and whether the connection can be used on; `nil` when it is closed.
    func perform<Result: Sendable>(
        _ body: @Sendable (ODBCSession) -> Result
    ) -> (result: Result, isReusable: Bool)? {
        guard let session = self.session else { return nil }
        let result = body(session)
        return (result, !session.mustClose)
    }

    func isAlive(asksDatabase: Bool) -> Bool { self.session?.isAlive(asksDatabase: asksDatabase) ?? false }

    func close() {
        self.session?.close()
        self.session = nil
    }
}
