internal import ConnectorKit
internal import SQLSupport

/// One physical connection and the thread it lives on.
actor PostgresLink {
    private let thread: DedicatedThread
    private var session: PostgresSession?

    private init(_ thread: DedicatedThread) { self.thread = thread }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    /// Connects.
    ///
    /// Throws a `ConnectorError`.
    static func open(
        _ settings: PostgresSettings, password: Secret?, timeout: Duration, _ interrupt: Interrupt
    ) async throws -> PostgresLink {
        guard let thread = DedicatedThread.start() else {
            throw PostgresErrors.connecting(.notConnected("There is no thread left."), settings, timeout: timeout)
        }
        let link = PostgresLink(thread)
        try await link.connect(settings, password, timeout, interrupt)
        return link
    }

    private func connect(
        _ settings: PostgresSettings, _ password: Secret?, _ timeout: Duration, _ interrupt: Interrupt
    ) throws {
        let limits = PostgresSession.CallLimits(deadline: .now + timeout, interrupt: interrupt)
        do throws(PQFailure) {
            if let password {
                self.session = try password.reveal { (text) throws(PQFailure) in
                    try PostgresSession.open(settings, password: text, limits)
                }
            } else {
                self.session = try PostgresSession.open(settings, password: nil, limits)
            }
        } catch {
            throw PostgresErrors.connecting(error, settings, timeout: timeout)
        }
    }

    /// Runs `body` on the connection's thread.
    ///
    /// Returns what it did, and whether the connection can be used on.
    func perform<Result: Sendable>(
        _ body: @Sendable (PostgresSession) -> Result
    ) -> (result: Result, isReusable: Bool)? {
        guard let session = self.session else { return nil }
        let result = body(session)
        return (result, !session.mustClose && session.connection.isIdle)
    }

    /// Whether the server still holds the other end.
    func isAlive() -> Bool { self.session?.connection.isAlive ?? false }

    func close() {
        self.session?.connection.close()
        self.session = nil
    }
}
