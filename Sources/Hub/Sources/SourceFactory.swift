import ConnectorKit
import Decisions
import HubDocuments
import Values

/// Makes the sources of triggers: those of connectors, over their connection, and the hub's own.
struct SourceFactory: Sendable {
    let pool: ConnectionPool
    let ingress: Ingress
    let clock: any ConnectorClock
    /// Whether an instance of the process a trigger starts is running.
    let isRunning: @Sendable (TriggerDeclaration) async -> Bool

    /// The source of `trigger`, not connected yet; with `replay` one that emits that range again.
    ///
    /// Throws `HubError` or `ConnectorError`.
    func arm(
        _ trigger: TriggerDeclaration, memory: any SourceMemory, replay: Value? = nil
    ) async throws -> any EventSource {
        let declared = trigger.source
        if let own = trigger.ingress { return try self.ingress.source(of: own, replay: replay) }
        let parameters = try self.parameters(of: declared)
        if declared.type == .cron {
            return try CronSource(
                parameters: parameters, trigger: trigger.id, clock: self.clock, memory: memory, replay: replay,
                isRunning: { [isRunning] _ in await isRunning(trigger) })
        }
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

    /// What must have one reader, by the names under which it is owned; nil where the remote shares events out.
    func resources(of source: SourceDeclaration) throws(HubError) -> [String]? {
        guard SourceOwnership.needsOneReader(source.type.name) else { return nil }
        return SourceOwnership.resources(
            of: source.type.name, connection: source.connection, parameters: try self.parameters(of: source))
    }
}

extension TriggerDeclaration {
    /// What the HTTP side needs to know; nil for triggers that are not fed by requests.
    var ingress: IngressTrigger? {
        IngressSettings.Kind(rawValue: self.source.type.name).map {
            IngressTrigger(
                id: self.id, kind: $0, parameters: self.source.parameters, decoding: self.decoding,
                rejectsWhenFull: self.whenFull == .reject, file: self.file, position: self.source.position)
        }
    }
}
