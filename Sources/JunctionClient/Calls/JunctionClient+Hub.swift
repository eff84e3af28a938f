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

    /// Sends a dead letter through its trigger again.
    ///
    /// - Parameters:
    ///   - key: The dead letter.
    ///   - payload: Sent instead of the letter's own payload.
    ///   - dryRun: Only says what would happen.
    /// - Returns: What happened, as the API describes it.
    public func replayDeadLetter(_ key: Key, payload: [UInt8]? = nil, dryRun: Bool = false) async throws -> Value {
        var writer = JSONWriter(capacity: 64 + (payload?.count ?? 0))
        writer.beginObject()
        if let payload {
            writer.key("payload")
            writer.value(String(decoding: payload, as: UTF8.self))
        }
        writer.key("dryRun")
        writer.value(dryRun)
        writer.endObject()
        return try await self.call("POST", "/hub/v1/dead-letters/\(key)/replay", body: writer.bytes).value
    }

    /// Ends a dead letter without doing anything about it.
    public func discardDeadLetter(_ key: Key) async throws {
        _ = try await self.call("POST", "/hub/v1/dead-letters/\(key)/discard")
    }
}
