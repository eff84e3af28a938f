import Foundation
import HTTPTypes
import Hub
import Values

/// Connections.
enum HubRoutes {
    static let routes: [Route] = [
        Route(
            .get, "/hub/v1/connections", "listConnections", "The connections, their circuit breakers and last errors.",
            connections),
        Route(
            .get, "/hub/v1/connections/{connectionId}", "getConnection",
            "One connection: breakers, windows, limits, budgets and settings.", connection),
        Route(
            .post, "/hub/v1/connections/{connectionId}/breaker", "setConnectionBreaker",
            "Opens, closes or isolates the circuit breakers of a connection, or gives the decision back to them.",
            body: .json(breakerFields, required: true), status: 204, setBreaker),
    ]

    private static func connections(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        .object(capacity: 1_024) { writer in
            writer.key("items")
            writer.beginArray()
            for connection in services.hub.connections() {
                writer.beginObject()
                write(connection, into: &writer)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static let breakerFields = [
        RequestField(
            "command", .string, required: true,
            "`open` refuses every call, `close` lets every call pass, `isolate` refuses without a time to come back; "
                + "`reset` gives the decision back to the breaker.")
    ]

    private static func connection(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let connection = try services.hub.connection(try request.name())
        return .object(capacity: 4_096) { writer in
            write(connection, into: &writer)
            writer.member("settings", raw: json(connection.settings))
            writer.key("operations")
            writer.beginArray()
            for entry in connection.operations {
                writer.beginObject()
                writer.member("operation", entry.operation)
                writer.member("profile", entry.profile)
                writer.member("settings", raw: json(entry.settings))
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static func setBreaker(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let word = try request.object.string("command") ?? ""
        guard let command = BreakerCommand(rawValue: word) else {
            let words = BreakerCommand.allCases.map(\.rawValue).joined(separator: ", ")
            throw ProblemDetails.invalidField("command", expected: "one of \(words)", found: quoted(word))
        }
        try services.hub.setBreaker(command, connection: try request.name(), actor: try await request.actor())
        return .noContent
    }

    private static func json(_ value: Value) -> [UInt8] {
        var bytes: [UInt8] = []
        JSON.write(value, into: &bytes)
        return bytes
    }

    private static func write(_ connection: ConnectionStatus, into writer: inout JSONWriter) {
        writer.member("connectionId", connection.id)
        writer.member("connector", connection.connector)
        writer.member("isConnected", connection.isConnected)
        writer.member("profile", connection.profile)
        writer.member("breaker", connection.breaker)
        writer.member("imposed", nullable: connection.imposed)
        writer.member("imposedBy", nullable: connection.imposedBy)
        if !connection.pausedTriggers.isEmpty {
            writer.member("pausesTriggers", connection.pausedTriggers.joined(separator: ", "))
        }
        writer.member("rehearsal", nullable: connection.rehearsal)
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
            write(entry, into: &writer)
            writer.endObject()
        }
        writer.endArray()
    }

    private static func write(_ entry: GuardStatus, into writer: inout JSONWriter) {
        writer.member("group", entry.group)
        writer.member("profile", entry.profile)
        writer.member("breaker", entry.breaker)
        if let milliseconds = entry.opensMilliseconds { writer.member("opensMilliseconds", Int(milliseconds)) }
        writer.member("windowCalls", entry.windowCalls)
        writer.member("windowFailures", entry.windowFailures)
        writer.member("windowSlowCalls", entry.windowSlowCalls)
        writer.member("admitted", entry.admitted)
        writer.member("rejected", entry.rejected)
        if let places = entry.places {
            writer.member("placesTaken", places.running)
            writer.member("placesLimit", places.limit)
            writer.member("placesWaiting", places.waiting)
        }
        if let mean = entry.meanMilliseconds { writer.member("meanMicroseconds", Int(mean * 1_000)) }
        if let tokens = entry.retryTokens { writer.member("retryTokens", tokens) }
        if let retrying = entry.retrying {
            writer.member("retrying", retrying.now)
            writer.member("retryingMax", retrying.allowed)
        }
        if let remaining = entry.rateRemaining { writer.member("rateRemaining", remaining) }
        if !entry.endpoints.isEmpty {
            writer.key("endpoints")
            writer.beginArray()
            for endpoint in entry.endpoints {
                writer.beginObject()
                writer.member("calls", endpoint.calls)
                writer.member("failures", endpoint.failures)
                if let left = endpoint.ejectedMilliseconds { writer.member("ejectedMilliseconds", Int(left)) }
                writer.endObject()
            }
            writer.endArray()
        }
        writer.key("decisions")
        writer.beginObject()
        for decision in entry.decisions { writer.member(decision.name, decision.count) }
        writer.endObject()
    }
}

extension RouteRequest {
    /// The name in the path.
    fileprivate func name() throws(ProblemDetails) -> String {
        guard let text = self.parameters.first.map({ String($0.value) }) else { throw .noRoute(self.path) }
        return text.removingPercentEncoding ?? text
    }
}
