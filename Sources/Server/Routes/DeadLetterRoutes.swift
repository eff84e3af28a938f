import HTTPTypes
import Hub
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
                // A payload that is no text can be had as bytes from `/payload`.
                writer.member("payload", nullable: String(validating: record.payload, as: UTF8.self))
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
            "Sends a dead letter through its trigger again.", body: .json(replayFields, required: false),
            admission: .whenIdle, replay),
        Route(
            .post, "/hub/v1/dead-letters/{deadLetterKey}/discard", "discardDeadLetter",
            "Ends a dead letter without doing anything about it.", body: .json([], required: false), status: 204,
            discard
        ),
    ]

    private static let states: [(String, [UInt8])] = [("PARKED", [0]), ("REPLAYED", [1]), ("DISCARDED", [2])]

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
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.deadLetters(query) },
        write: { write($0, into: &$1) })

    private static func write(_ record: DeadLetterRecord, into writer: inout JSONWriter) {
        writer.member("deadLetterKey", Key(rawValue: record.key))
        writer.member("origin", record.origin)
        writer.member("state", states[min(2, Int(record.state))].0)
        writer.member("stage", record.stage)
        writer.member("errorCode", record.errorCode)
        writer.member("errorMessage", record.errorMessage)
        writer.member("coordinates", raw: record.coordinates.isEmpty ? Array("{}".utf8) : record.coordinates)
        writer.member("dedupeKey", nullable: record.dedupeKey)
        writer.member("contentType", record.contentType)
        writer.member("payloadBytes", record.payload.count)
        writer.member("redriveCount", record.redriveCount)
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
    ]

    private static func replay(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let payload = try request.object.string("payload").map { Array($0.utf8) }
        let isDryRun = try request.object.boolean("dryRun") ?? false
        let record = try await letter(request, services)
        let result = try await services.hub.replay(
            record, payload: payload, isDryRun: isDryRun, actor: try await request.actor())
        return .object { writer in
            writer.member("deadLetterKey", Key(rawValue: record.key))
            switch result {
            case .started(let key):
                writer.member("result", "STARTED")
                writer.member("processInstanceKey", key)
            case .alreadyStarted(let key):
                writer.member("result", "ALREADY_STARTED")
                writer.member("processInstanceKey", key)
            case .filtered:
                writer.member("result", "FILTERED")
            case .deadLettered(let key, let reason):
                writer.member("result", "DEAD_LETTERED")
                writer.member("replacedBy", key)
                writer.member("reason", reason)
            case .wouldFail(let reason):
                writer.member("result", "WOULD_FAIL")
                writer.member("reason", reason)
            case .wouldStart(let workflow, let variables):
                writer.member("result", "WOULD_START")
                writer.member("workflow", workflow)
                writer.member("variables", raw: variables.isEmpty ? Array("{}".utf8) : variables)
            }
        }
    }

    private static func discard(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let record = try await letter(request, services)
        try await services.hub.discard(deadLetter: Key(rawValue: record.key), actor: try await request.actor())
        return .noContent
    }
}
