import ConnectorKit
public import Values

extension HubService {
    /// Carries out one operation of a connection outside any process, through the same limits, breaker, retries and
    /// budgets as the calls of processes.
    ///
    /// - Parameters:
    ///   - name: The connection.
    ///   - operation: One of its operations.
    ///   - input: Input after the operation's schema.
    ///   - idempotencyKey: Tells a repeated call from a new one, where the remote knows such keys.
    /// - Returns: The result; secrets in it are replaced.
    /// - Throws: `HubError` when the connection or operation does not exist, else `ConnectorError`: the last failure, or
    ///   `unavailable` with `retryAfter` when the call was not sent because the breaker is open or a limit is reached.
    public func call(
        _ name: String, operation: String, input: Value, idempotencyKey: String? = nil
    ) async throws -> Value {
        try await self.direct.call(name, operation: operation, input: input, idempotencyKey: idempotencyKey)
    }
}
