import HTTPTypes
import Hub
import Values

/// Triggers and connections.
enum HubRoutes {
    static let routes: [Route] = [
        Route(.get, "/hub/v1/triggers", "listTriggers", "The triggers and what they have done.", triggers),
        Route(
            .get, "/hub/v1/connections", "listConnections", "The connections, their circuit breakers and last errors.",
            connections),
    ]

    private static func triggers(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        .object(capacity: 1_024) { writer in
            writer.key("items")
            writer.beginArray()
            for trigger in services.hub.triggers() {
                writer.beginObject()
                writer.member("triggerId", trigger.id)
                writer.member("revision", trigger.revision)
                writer.member("source", trigger.source)
                writer.member("connection", trigger.connection)
                writer.member("workflow", trigger.workflow)
                writer.member("state", trigger.state.rawValue)
                writer.member("trouble", nullable: trigger.trouble)
                if let milliseconds = trigger.rearmMilliseconds {
                    writer.member("rearmMilliseconds", Int(milliseconds))
                }
                writer.member("pending", trigger.pending)
                let counters = trigger.counters
                writer.member("received", counters.received)
                writer.member("started", counters.started)
                writer.member("duplicates", counters.duplicates)
                writer.member("filtered", counters.filtered)
                writer.member("dropped", counters.dropped)
                writer.member("deadLettered", counters.deadLettered)
                writer.member("failed", counters.failed)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static func connections(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        .object(capacity: 1_024) { writer in
            writer.key("items")
            writer.beginArray()
            for connection in services.hub.connections() { write(connection, into: &writer) }
            writer.endArray()
        }
    }

    private static func write(_ connection: ConnectionStatus, into writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("connectionId", connection.id)
        writer.member("connector", connection.connector)
        writer.member("isConnected", connection.isConnected)
        writer.member("breaker", connection.breaker)
        writer.member("running", connection.running)
        writer.member("waiting", connection.waiting)
        writer.member("concurrencyMax", connection.concurrencyMax)
        writer.member("calls", connection.calls)
        writer.member("attempts", connection.attempts)
        writer.member("lastError", nullable: connection.lastError)
        writer.member("lastErrorAt", instant: connection.lastErrorAt)
        writer.key("guards")
        writer.beginArray()
        for entry in connection.guards {
            writer.beginObject()
            writer.member("group", entry.group)
            writer.member("profile", entry.profile)
            writer.member("breaker", entry.breaker)
            if let milliseconds = entry.opensMilliseconds { writer.member("opensMilliseconds", Int(milliseconds)) }
            writer.member("windowCalls", entry.windowCalls)
            writer.member("windowFailures", entry.windowFailures)
            writer.member("windowSlowCalls", entry.windowSlowCalls)
            writer.member("admitted", entry.admitted)
            writer.member("rejected", entry.rejected)
            if let tokens = entry.retryTokens { writer.member("retryTokens", tokens) }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
    }
}
