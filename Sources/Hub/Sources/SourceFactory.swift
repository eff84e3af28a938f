import ConnectorKit
import Decisions
import HubDocuments
import Values

/// Makes the sources of triggers: those of connectors, over their connection, and the hub's own.
struct SourceFactory: Sendable {
    let pool: ConnectionPool
    let clock: any ConnectorClock

    /// The source of `trigger`, not connected yet; with `replay` one that emits that range again.
    ///
    /// Throws `HubError` or `ConnectorError`.
    func arm(
        _ trigger: TriggerDeclaration, memory: any SourceMemory, replay: Value? = nil
    ) async throws -> any EventSource {
        let declared = trigger.source
        let parameters = try self.parameters(of: declared)
        guard let name = declared.connection, let event = declared.event else {
            throw HubError(
                .notSupported, "Sources of type \(declared.type.name) are not served by this hub.",
                remedy: "This is a defect; report it.")
        }
        return try await self.pool.connection(name).armSource(
            SourceRequest(
                event: event, parameters: parameters, decoding: trigger.decoding, memory: memory, replay: replay))
    }

    /// The source's own parameters, with the connection's filled in.
    ///
    /// Throws `HubError` (`HB108`).
    func parameters(of source: SourceDeclaration) throws(HubError) -> Value {
        let connection = source.connection.flatMap { self.pool.declaration($0)?.parameters }
        do {
            return try source.parameters.evaluate(MapScope(["connection": connection ?? .context(ValueContext())]))
        } catch {
            throw HubError(
                .invalidExpression, "source.\(source.type.name).\(error.path): \(error.reason)",
                remedy: "Correct the expression; it sees the connection's parameters as connection.")
        }
    }
}
