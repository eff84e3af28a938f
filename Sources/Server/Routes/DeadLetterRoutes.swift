import Decisions
import HTTPTypes
import Hub
import HubDocuments
import Runtime
import Storage
import Values

/// Dead letters: what could not be delivered.
enum DeadLetterRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/hub/v1/dead-letters/search", "searchDeadLetters", "Searches dead letters.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await search.answer($0, $1) },
        Route(.get, "/hub/v1/dead-letters/{deadLetterKey}", "getDeadLetter", "One dead letter with its payload.") {
            request, services in
            let record = try await letter(request, services)
            return .object(capacity: 1_024 + record.payload.count) { writer in
                write(record, into: &writer)
                writer.member("headers", raw: record.headers.isEmpty ? Array("{}".utf8) : record.headers)
                writer.member("report", raw: record.report.isEmpty ? Array("{}".utf8) : record.report)
                // A payload that is no text can be had as bytes from `/payload`.
                writer.member("payload", nullable: String(validating: record.payload, as: UTF8.self))
                if let original = record.originalPayload {
                    writer.member("originalPayload", nullable: String(validating: original, as: UTF8.self))
                }
            }
        },
        Route(
            .get, "/hub/v1/dead-letters/{deadLetterKey}/payload", "getDeadLetterPayload",
            "The payload of a dead letter, as it was received."
        ) { request, services in
            let record = try await letter(request, services)
            return APIResponse(status: .ok, contentType: "application/octet-stream", body: record.payload)
        },
        Route(
            .post, "/hub/v1/dead-letters/{deadLetterKey}/replay", "replayDeadLetter",
            "Sends a dead letter on its way again: an event through its trigger, a call at its step.",
            body: .json(replayFields, required: false), admission: .whenIdle, replay),
        Route(
            .post, "/hub/v1/dead-letters/replay", "replayDeadLetters",
            "Queues the parked dead letters meant, to be replayed in the background.",
            body: .json(selectionFields, required: false), admission: .whenIdle, replayAll),
        Route(
            .post, "/hub/v1/dead-letters/{deadLetterKey}/edit", "editDeadLetter",
            "Corrects the payload of a parked dead letter.", body: .json(editFields, required: true), edit),
        Route(
            .get, "/hub/v1/dead-letter-status", "getDeadLetterStatus",
            "The dead letters as a whole: counts, the age of the oldest, inflow, alerts.", status),
        Route(
            .post, "/hub/v1/dead-letters/{deadLetterKey}/discard", "discardDeadLetter",
            "Ends a dead letter without doing anything about it.", body: .json([], required: false), status: 204,
            discard
        ),
    ]

    private static let states: [(String, [UInt8])] = [
        ("PARKED", [0]), ("RESOLVED", [1]), ("DISCARDED", [2]), ("QUEUED", [3]), ("REPLAYING", [4]),
        // The word of earlier versions.
        ("REPLAYED", [1]),
    ]
    private static let kinds: [(String, [UInt8])] = [("TRIGGER", [0]), ("JOB", [1])]

    static let search = SearchOperation<DeadLetterFilter, DeadLetterRecord>(
        sortNames: ["creationTime": "createdAt", "endTime": "endedAt"],
        filter: { (reader) throws(ProblemDetails) in
            var filter = DeadLetterFilter()
            filter.key = try reader.keys("deadLetterKey")
            filter.origin = try reader.strings("origin")
            filter.stage = try reader.strings("stage")
            filter.errorCode = try reader.strings("errorCode")
            filter.errorMessage = try reader.strings("errorMessage")
            filter.dedupeKey = try reader.strings("dedupeKey")
            filter.state = try reader.words("state", states)
            filter.createdAt = try reader.instants("creationTime")
            filter.endedAt = try reader.instants("endTime")
            filter.kind = try reader.words("kind", kinds)
            filter.connection = try reader.strings("connection")
            filter.jobKey = try reader.keys("jobKey")
            filter.parentKey = try reader.keys("parentKey")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.deadLetters(query) },
        write: { write($0, into: &$1) })

    private static func write(_ record: DeadLetterRecord, into writer: inout JSONWriter) {
        writer.member("deadLetterKey", Key(rawValue: record.key))
        writer.member("origin", record.origin)
        writer.member("kind", kinds[min(1, Int(record.kind))].0)
        writer.member("state", states[min(4, Int(record.state))].0)
        writer.member("stage", record.stage)
        writer.member("errorCode", record.errorCode)
        writer.member("errorMessage", record.errorMessage)
        writer.member("coordinates", raw: record.coordinates.isEmpty ? Array("{}".utf8) : record.coordinates)
        writer.member("dedupeKey", nullable: record.dedupeKey)
        writer.member("contentType", record.contentType)
        writer.member("payloadBytes", record.payloadSize)
        writer.member("redriveCount", record.redriveCount)
        writer.member("connection", nullable: record.connection)
        writer.member("jobKey", nullable: record.jobKey.map { Key(rawValue: $0).description })
        writer.member("parentKey", nullable: record.parentKey.map { Key(rawValue: $0).description })
        writer.member("orderingKey", nullable: record.orderingKey)
        writer.member("schemaId", nullable: record.schemaID)
        writer.member("isEdited", record.originalPayload != nil)
        writer.member("creationTime", instant: record.createdAt)
        writer.member("endTime", instant: record.endedAt)
    }

    private static func letter(_ request: RouteRequest, _ services: RouteServices) async throws -> DeadLetterRecord {
        let key = try request.key()
        var filter = DeadLetterFilter()
        filter.key = [.equal(key.rawValue)]
        guard let record = try await search.first(filter, services) else {
            throw ProblemDetails.notFound("dead letter", key)
        }
        return record
    }

    private static let replayFields = [
        RequestField("payload", .string, "Sent instead of the letter's own payload."),
        RequestField("dryRun", .boolean, "Only says what would happen."),
        RequestField("newKey", .boolean, "Whether the effect may happen again: the idempotency key is a new one."),
    ]

    private static let editFields = [
        RequestField("patch", .objects, required: true, "A JSON Patch (RFC 6902): all of it applies, or nothing does.")
    ]

    private static let selectionFields = [
        RequestField("deadLetterKeys", .strings, "Only one of these."),
        RequestField("origin", .string, "Only those of this trigger or connector."),
        RequestField("connection", .string, "Only those of this connection."),
        RequestField("errorCode", .string, "Only those of this error."),
        RequestField("stage", .string, "Only those that came so far."),
        RequestField("kind", .string, "Only `TRIGGER` or `JOB`."),
        RequestField("minimumAge", .string, "Only those at least this old, such as `10m`."),
        RequestField("text", .string, "Only those whose message, coordinates or payload hold this text."),
        RequestField("where", .string, "Only those for which this FEEL expression is true."),
        RequestField(
            "limit", .integer(1...Int64(DeadLetterSelection.limitMax)),
            "At most so many, the oldest first; 1,000 unless given."),
        RequestField("rate", .string, "At most so fast, such as `50/s`."),
        RequestField("dryRun", .boolean, "Only says what would happen."),
        RequestField("newKey", .boolean, "Whether the effects may happen again: the idempotency keys are new ones."),
    ]

    private static func replay(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let payload = try request.object.string("payload").map { Array($0.utf8) }
        let isDryRun = try request.object.boolean("dryRun") ?? false
        let usesNewKey = try request.object.boolean("newKey") ?? false
        let record = try await letter(request, services)
        let result = try await services.hub.replay(
            record, payload: payload, usesNewKey: usesNewKey, isDryRun: isDryRun, actor: try await request.actor())
        return .object { writer in
            writer.member("deadLetterKey", Key(rawValue: record.key))
            write(result, into: &writer)
        }
    }

    private static func write(_ result: ReplayResult, into writer: inout JSONWriter) {
        switch result {
        case .started(let key):
            writer.member("result", "STARTED")
            writer.member("processInstanceKey", key)
        case .correlated(let key):
            writer.member("result", "CORRELATED")
            writer.member("processInstanceKey", key)
        case .sent:
            writer.member("result", "SENT")
        case .alreadyStarted(let key):
            writer.member("result", "ALREADY_STARTED")
            writer.member("processInstanceKey", key)
        case .filtered:
            writer.member("result", "FILTERED")
        case .deadLettered(let key, let reason):
            writer.member("result", "DEAD_LETTERED")
            writer.member("replacedBy", key)
            writer.member("reason", reason)
        case .retried(let instance, let element):
            writer.member("result", "RETRIED")
            writer.member("processInstanceKey", instance)
            writer.member("elementId", element)
        case .wouldFail(let reason):
            writer.member("result", "WOULD_FAIL")
            writer.member("reason", reason)
        case .wouldStart(let workflow, let variables):
            writer.member("result", "WOULD_START")
            writer.member("workflow", workflow)
            writer.member("variables", raw: variables.isEmpty ? Array("{}".utf8) : variables)
        case .wouldSend(let target, let content):
            writer.member("result", "WOULD_SEND")
            writer.member("target", target)
            writer.member("variables", raw: content.isEmpty ? Array("{}".utf8) : content)
        case .wouldRetry(let element, let input):
            writer.member("result", "WOULD_RETRY")
            writer.member("elementId", element)
            writer.member("variables", raw: input)
        }
    }

    private static func replayAll(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        let selection = try self.selection(object)
        let rate = try object.string("rate").map { text throws(ProblemDetails) in
            guard let rate = DeadLetterRate(text) else {
                throw ProblemDetails.invalidField("rate", expected: "a rate such as 50/s", found: quoted(text))
            }
            return rate
        }
        let result = try await services.hub.deadLetters.replay(
            selection, rate: rate, usesNewKey: try object.boolean("newKey") ?? false,
            isDryRun: try object.boolean("dryRun") ?? false, actor: try await request.actor())
        return .object(capacity: 1_024) { writer in
            writer.member("queued", result.queued.count)
            writer.member("skipped", result.skipped)
            writer.key("deadLetterKeys")
            writer.beginArray()
            for key in result.queued { writer.value(key.description) }
            writer.endArray()
            writer.key("forecast")
            writer.beginArray()
            for entry in result.forecast {
                writer.beginObject()
                writer.member("deadLetterKey", entry.letter)
                switch entry.result {
                case .success(let result): write(result, into: &writer)
                case .failure(let error):
                    writer.member("result", "REFUSED")
                    writer.member("reason", error.description)
                }
                writer.endObject()
            }
            writer.endArray()
        }
    }

    private static func selection(_ object: RequestObject) throws(ProblemDetails) -> DeadLetterSelection {
        var selection = DeadLetterSelection()
        for item in try object.strings("deadLetterKeys") ?? [] {
            guard let key = Key(item) else {
                throw .invalidField("deadLetterKeys", expected: "a list of keys", found: quoted(item))
            }
            selection.keys.append(key)
        }
        selection.origin = try object.string("origin")
        selection.connection = try object.string("connection")
        selection.code = try object.string("errorCode")
        selection.stage = try object.string("stage")
        if let word = try object.string("kind") {
            switch word {
            case "TRIGGER": selection.kind = .trigger
            case "JOB": selection.kind = .job
            default: throw .invalidField("kind", expected: "TRIGGER or JOB", found: quoted(word))
            }
        }
        if let text = try object.string("minimumAge") {
            guard let age = Quantity.duration(text) else {
                throw .invalidField("minimumAge", expected: "a duration such as 10m", found: quoted(text))
            }
            selection.minimumAge = age
        }
        selection.text = try object.string("text")
        if let text = try object.string("where") {
            do {
                selection.condition = try Expression.compile(text.hasPrefix("=") ? String(text.dropFirst()) : text)
            } catch {
                throw .invalidField("where", expected: "a FEEL expression", found: "\(error)")
            }
        }
        if let limit = try object.integer("limit") { selection.limit = Int(limit) }
        return selection
    }

    private static func edit(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let document = try request.object.value("patch") ?? .list([])
        let patch: JSONPatch
        do {
            patch = try JSONPatch(document)
        } catch {
            throw ProblemDetails.invalidField("patch", expected: "a JSON Patch", found: "\(error)")
        }
        let key = try request.key()
        let (before, after) = try await services.hub.deadLetters.edit(
            key, patch: patch, document: Array(JSON.string(document).utf8), actor: try await request.actor())
        return .object(capacity: 1_024) { writer in
            writer.member("deadLetterKey", key)
            writer.member("before", raw: Array(JSON.string(before).utf8))
            writer.member("after", raw: Array(JSON.string(after).utf8))
        }
    }

    private static func status(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let status = try await services.hub.deadLetters.status()
        return .object { writer in
            for entry in status.counts { writer.member(entry.state, entry.count) }
            writer.member("oldestTime", instant: status.oldestAt)
            writer.member("inflow", status.inflow)
            writer.member("inflowPeriod", Quantity.text(status.inflowPeriod))
            writer.key("alerts")
            writer.beginArray()
            for alert in status.alerts {
                writer.beginObject()
                writer.member("name", alert.name)
                writer.member("code", alert.code)
                writer.member("isRaised", alert.isRaised)
                writer.member("value", Int(alert.value))
                writer.member("limit", Int(alert.limit))
                writer.endObject()
            }
            writer.endArray()
            writer.member("queueTrouble", nullable: status.queueTrouble)
        }
    }

    private static func discard(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let record = try await letter(request, services)
        try await services.hub.discard(deadLetter: Key(rawValue: record.key), actor: try await request.actor())
        return .noContent
    }
}
