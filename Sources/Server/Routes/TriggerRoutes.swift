import ConnectorKit
import Decisions
import Foundation
import HTTPTypes
import Hub
import Values

/// Triggers: what they do, what they would do, and what they are to do again.
enum TriggerRoutes {
    static let routes: [Route] = [
        Route(.get, "/hub/v1/triggers", "listTriggers", "The triggers and what they have done.", list),
        Route(
            .get, "/hub/v1/triggers/{triggerId}", "getTrigger",
            "One trigger: what it has done, and how it is declared.",
            show),
        Route(
            .post, "/hub/v1/triggers/{triggerId}/pause", "pauseTrigger",
            "Stops a trigger after the records it works on.", body: .json([], required: false), status: 204, pause),
        Route(
            .post, "/hub/v1/triggers/{triggerId}/resume", "resumeTrigger", "Arms a paused trigger again.",
            body: .json([], required: false), status: 204, resume),
        Route(
            .post, "/hub/v1/triggers/{triggerId}/dry-run", "dryRunTrigger",
            "What a trigger would do with an event, step by step; nothing is started.",
            body: .json(eventFields, required: true), dryRun),
        Route(
            .post, "/hub/v1/triggers/{triggerId}/replay", "replayTrigger",
            "Takes a range of a trigger's events again.", body: .json(replayFields, required: true),
            admission: .whenIdle, replay),
    ]

    private static let eventFields = [
        RequestField("payload", .string, "The payload, as text."),
        RequestField("payloadBase64", .string, "The payload, as base64."),
        RequestField("contentType", .string, "Its media type; what the trigger's source would say unless given."),
        RequestField("fileName", .string, "The name of its file, for sources that read files."),
        RequestField("headers", .object, "Header fields that come with it."),
        RequestField("coordinates", .object, "Where it stands at the remote."),
        RequestField("time", .string, "When it happened: a date and time."),
        RequestField("id", .string, "What its source calls it."),
    ]

    private static let replayFields = [
        RequestField("source", .string, "`source`, `inbox` or `letters`; `source` unless given."),
        RequestField("from", .string, "Where the range begins: a date and time, or what the source understands."),
        RequestField("to", .string, "Where the range ends."),
        RequestField("range", .object, "The range in the source's own words, instead of from and to."),
        RequestField("rate", .string, "At most so fast, such as `50/s`."),
        RequestField("dryRun", .boolean, "Only says what would happen."),
    ]

    // MARK: - What they do

    private static func list(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        .object(capacity: 1_024) { writer in
            writer.key("items")
            writer.beginArray()
            for trigger in services.hub.triggers() {
                writer.beginObject()
                self.write(trigger, into: &writer)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static func show(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let id = try request.trigger()
        let status = try services.hub.trigger(id)
        let declaration = try services.hub.declaration(ofTrigger: id)
        return .object(capacity: 2_048) { writer in
            self.write(status, into: &writer)
            writer.member("enabled", declaration.isEnabled)
            writer.member("owner", nullable: declaration.owner)
            writer.key("labels")
            writer.beginObject()
            for label in declaration.labels { writer.member(label.key, label.value) }
            writer.endObject()
            writer.member("file", declaration.file)
            writer.member("mode", declaration.target.mode.rawValue)
            writer.member("decode", declaration.decoding.format.rawValue)
            writer.member("schema", nullable: declaration.schemaID)
            writer.member("dedupeKey", "=" + declaration.dedupe.key.source)
            writer.member("dedupeScope", declaration.dedupe.scope.rawValue)
            writer.member("dedupeTTL", Quantity.text(declaration.dedupe.timeToLive))
            writer.member("orderingKey", nullable: declaration.ordering.map { "=" + $0.key.source })
            writer.member("acknowledgeAt", declaration.acknowledgement.moment.rawValue)
            writer.member("concurrencyMax", declaration.concurrencyMax)
            writer.member("inboxRetention", nullable: declaration.inboxRetention.map { Quantity.text($0) })
        }
    }

    private static func write(_ trigger: TriggerStatus, into writer: inout JSONWriter) {
        writer.member("triggerId", trigger.id)
        writer.member("revision", trigger.revision)
        writer.member("source", trigger.source)
        writer.member("connection", trigger.connection)
        writer.member("workflow", trigger.workflow)
        writer.member("state", trigger.state.rawValue)
        writer.member("trouble", nullable: trigger.trouble)
        if let milliseconds = trigger.rearmMilliseconds { writer.member("rearmMilliseconds", Int(milliseconds)) }
        writer.member("heldBy", nullable: trigger.heldBy)
        if let milliseconds = trigger.heldMilliseconds { writer.member("heldMilliseconds", Int(milliseconds)) }
        writer.member("pending", trigger.pending)
        self.write(trigger.counters, into: &writer)
    }

    private static func write(_ counters: TriggerCounters, into writer: inout JSONWriter) {
        writer.member("received", counters.received)
        writer.member("started", counters.started)
        writer.member("correlated", counters.correlated)
        writer.member("buffered", counters.buffered)
        writer.member("unmatched", counters.unmatched)
        writer.member("signalled", counters.signalled)
        writer.member("called", counters.called)
        writer.member("duplicates", counters.duplicates)
        writer.member("filtered", counters.filtered)
        writer.member("dropped", counters.dropped)
        writer.member("deadLettered", counters.deadLettered)
        writer.member("failed", counters.failed)
    }

    private static func pause(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try services.hub.pauseTrigger(try request.trigger())
        return .noContent
    }

    private static func resume(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try services.hub.resumeTrigger(try request.trigger())
        return .noContent
    }

    // MARK: - What they would do

    private static func dryRun(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let event = try TriggerEventInput(try request.fields(self.eventFields))
        let runs = try services.hub.dryRun(trigger: try request.trigger(), event: event)
        return .object(capacity: 2_048) { writer in self.write(runs, named: "records", into: &writer) }
    }

    private static func write(_ runs: [TriggerDryRun], named name: String, into writer: inout JSONWriter) {
        var bytes: [UInt8] = []
        JSON.write(.list(runs.map(\.value)), into: &bytes)
        writer.member(name, raw: bytes)
    }

    // MARK: - What they are to do again

    private static func replay(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let fields = try request.fields(self.replayFields)
        let replay = try TriggerReplayRequest(fields, actor: try await request.actor())
        let report = try await services.hub.replayTrigger(try request.trigger(), replay)
        return .object(capacity: 1_024) { writer in
            writer.member("dryRun", replay.isDryRun)
            writer.member("queued", report.queued)
            self.write(report.counters, into: &writer)
            if replay.isDryRun { self.write(report.forecast, named: "forecast", into: &writer) }
        }
    }
}

extension RouteRequest {
    /// The members of the body.
    fileprivate func fields(_ known: [RequestField]) throws(ProblemDetails) -> ValueContext {
        var fields = ValueContext()
        for field in known { fields[field.name] = try self.object.value(field.name) }
        return fields
    }

    /// The trigger named in the path.
    fileprivate func trigger() throws(ProblemDetails) -> String {
        guard let text = self.parameters.first.map({ String($0.value) }) else { throw .noRoute(self.path) }
        return text.removingPercentEncoding ?? text
    }
}
