public import Values

extension JunctionClient {
    /// Gives a job this many attempts.
    public func setRetries(_ retries: Int, ofJob key: Key) async throws {
        var writer = JSONWriter(capacity: 64)
        writer.beginObject()
        writer.key("changeset")
        writer.beginObject()
        writer.key("retries")
        writer.value(retries)
        writer.endObject()
        writer.endObject()
        _ = try await self.call("PATCH", "/v2/jobs/\(key)", body: writer.bytes)
    }

    /// Sends a dead letter on its way again.
    ///
    /// - Parameters:
    ///   - key: The dead letter.
    ///   - payload: Sent instead of the letter's own payload.
    ///   - newKey: Whether the effect may happen again.
    ///   - dryRun: Only says what would happen.
    /// - Returns: What happened, as the API describes it.
    public func replayDeadLetter(
        _ key: Key, payload: [UInt8]? = nil, newKey: Bool = false, dryRun: Bool = false
    ) async throws -> Value {
        var writer = JSONWriter(capacity: 64 + (payload?.count ?? 0))
        writer.beginObject()
        if let payload {
            writer.key("payload")
            writer.value(String(decoding: payload, as: UTF8.self))
        }
        if newKey {
            writer.key("newKey")
            writer.value(true)
        }
        writer.key("dryRun")
        writer.value(dryRun)
        writer.endObject()
        return try await self.call("POST", "/hub/v1/dead-letters/\(key)/replay", body: writer.bytes).value
    }

    /// Queues the parked dead letters a request selects, to be replayed; what happens, as the API describes it.
    public func replayDeadLetters(_ request: ValueContext) async throws -> Value {
        let body = Array(JSON.string(.context(request)).utf8)
        return try await self.call("POST", "/hub/v1/dead-letters/replay", body: body).value
    }

    /// Corrects the payload of a parked dead letter by a JSON Patch; the payload before and after.
    public func editDeadLetter(_ key: Key, patch: Value) async throws -> Value {
        let body = Array(JSON.string(.context(["patch": patch])).utf8)
        return try await self.call("POST", "/hub/v1/dead-letters/\(key)/edit", body: body).value
    }

    /// Ends a dead letter without doing anything about it.
    public func discardDeadLetter(_ key: Key) async throws {
        _ = try await self.call("POST", "/hub/v1/dead-letters/\(key)/discard")
    }

    /// One trigger as the API describes it.
    public func trigger(_ id: String) async throws -> Value {
        try await self.get("/hub/v1/triggers/\(Self.pathSegment(id))")
    }

    /// Stops a trigger after the records it works on.
    public func pauseTrigger(_ id: String) async throws {
        _ = try await self.call("POST", "/hub/v1/triggers/\(Self.pathSegment(id))/pause")
    }

    /// Arms a paused trigger again.
    public func resumeTrigger(_ id: String) async throws {
        _ = try await self.call("POST", "/hub/v1/triggers/\(Self.pathSegment(id))/resume")
    }

    /// What a trigger would do with `event`, whose members are those of the API.
    public func dryRunTrigger(_ id: String, event: ValueContext) async throws -> Value {
        let body = Array(JSON.string(.context(event)).utf8)
        return try await self.call("POST", "/hub/v1/triggers/\(Self.pathSegment(id))/dry-run", body: body).value
    }

    /// Takes a range of a trigger's events again; what happened, as the API describes it.
    public func replayTrigger(_ id: String, _ request: ValueContext) async throws -> Value {
        let body = Array(JSON.string(.context(request)).utf8)
        return try await self.call("POST", "/hub/v1/triggers/\(Self.pathSegment(id))/replay", body: body).value
    }

    /// One connection as the API describes it.
    public func connection(_ name: String) async throws -> Value {
        try await self.get("/hub/v1/connections/\(Self.pathSegment(name))")
    }

    /// Does `command` (`open`, `close`, `isolate`, `reset`) to the circuit breakers of a connection.
    public func setBreaker(_ command: String, connection name: String) async throws {
        var writer = JSONWriter(capacity: 32)
        writer.beginObject()
        writer.key("command")
        writer.value(command)
        writer.endObject()
        let path = "/hub/v1/connections/\(Self.pathSegment(name))/breaker"
        _ = try await self.call("POST", path, body: writer.bytes)
    }

    /// A name as one segment of a path (RFC 3986): everything but unreserved characters is escaped.
    private static func pathSegment(_ name: String) -> String {
        var text = ""
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return text
    }
}
