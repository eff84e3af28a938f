public import Values

extension JunctionClient {
    // MARK: Jobs

    /// Locks up to `maximum` jobs of a type, waiting up to `waiting` for the first one.
    public func activateJobs(
        _ type: String, worker: String, maximum: Int, lock: Duration, fetchVariables: [String] = [],
        waiting: Duration = .zero
    ) async throws -> [Job] {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("type")
        writer.value(type)
        writer.key("worker")
        writer.value(worker)
        writer.key("maxJobsToActivate")
        writer.value(maximum)
        writer.key("timeout")
        writer.value(max(1, lock.milliseconds))
        writer.key("requestTimeout")
        writer.value(waiting > .zero ? max(1, waiting.milliseconds) : -1)
        if !fetchVariables.isEmpty {
            writer.key("fetchVariable")
            writer.beginArray()
            for name in fetchVariables { writer.value(name) }
            writer.endArray()
        }
        writer.endObject()
        let answer = try await self.call("POST", "/v2/jobs/activation", body: writer.bytes, waiting: waiting)
        do throws(JSONError) {
            guard let jobs = try JSON.members(of: answer.body).last(where: { $0.key == "jobs" }) else { return [] }
            var result: [Job] = []
            for range in try JSON.elements(of: answer.body[jobs.value]) { result.append(try Job(answer.body[range])) }
            return result
        } catch {
            throw ClientError.unexpectedAnswer("not JSON: \(error)")
        }
    }

    /// Completes a job with its result, a JSON object.
    public func completeJob(_ key: Key, variables: [UInt8]? = nil) async throws {
        _ = try await self.call("POST", "/v2/jobs/\(key)/completion", body: Self.variables(variables))
    }

    /// Completes up to 1,000 jobs in one call.
    ///
    /// - Returns: The problems of those that were not completed, by job.
    public func completeJobs(_ results: [(key: Key, variables: [UInt8]?)]) async throws -> [Key: Problem] {
        var writer = JSONWriter(capacity: 64 + results.count * 64)
        writer.beginObject()
        writer.key("completions")
        writer.beginArray()
        for result in results {
            writer.beginObject()
            writer.key("jobKey")
            writer.value(result.key)
            if let variables = result.variables {
                writer.key("variables")
                writer.raw(variables)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        let value = try await self.call("POST", "/hub/v1/jobs/completions", body: writer.bytes).value
        var problems: [Key: Problem] = [:]
        for item in value["results"]?.asList ?? [] {
            guard let problem = item["problem"] else { continue }
            problems[try item.wireKey("jobKey")] = Problem(
                status: Int(problem["status"]?.asInt64 ?? 500), body: Array(JSON.string(problem).utf8))
        }
        return problems
    }

    /// Reports a failed attempt; without retries left it becomes an incident.
    public func failJob(
        _ key: Key, retries: Int, message: String, backoff: Duration = .zero, variables: [UInt8]? = nil
    ) async throws {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("retries")
        writer.value(retries)
        writer.key("errorMessage")
        writer.value(message)
        writer.key("retryBackOff")
        writer.value(backoff.milliseconds)
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        writer.endObject()
        _ = try await self.call("POST", "/v2/jobs/\(key)/failure", body: writer.bytes)
    }

    /// Throws a BPMN error at the job's element.
    public func throwJobError(
        _ key: Key, code: String, message: String? = nil, variables: [UInt8]? = nil
    ) async throws {
        var writer = JSONWriter(capacity: 256)
        writer.beginObject()
        writer.key("errorCode")
        writer.value(code)
        if let message {
            writer.key("errorMessage")
            writer.value(message)
        }
        if let variables {
            writer.key("variables")
            writer.raw(variables)
        }
        writer.endObject()
        _ = try await self.call("POST", "/v2/jobs/\(key)/error", body: writer.bytes)
    }

    // MARK: User tasks and incidents

    /// Completes a user task with its result, a JSON object.
    public func completeUserTask(_ key: Key, variables: [UInt8]? = nil) async throws {
        _ = try await self.call("POST", "/v2/user-tasks/\(key)/completion", body: Self.variables(variables))
    }

    /// Gives a user task to somebody; nil takes it from its assignee.
    public func assignUserTask(_ key: Key, to assignee: String?, allowOverride: Bool = true) async throws {
        guard let assignee else {
            _ = try await self.call("DELETE", "/v2/user-tasks/\(key)/assignee")
            return
        }
        var writer = JSONWriter(capacity: 128)
        writer.beginObject()
        writer.key("assignee")
        writer.value(assignee)
        writer.key("allowOverride")
        writer.value(allowOverride)
        writer.endObject()
        _ = try await self.call("POST", "/v2/user-tasks/\(key)/assignment", body: writer.bytes)
    }

    /// Retries what an incident is about, exactly there.
    public func resolveIncident(_ key: Key) async throws {
        _ = try await self.call("POST", "/v2/incidents/\(key)/resolution")
    }

    private static func variables(_ document: [UInt8]?) -> [UInt8]? {
        guard let document else { return nil }
        var writer = JSONWriter(capacity: 32 + document.count)
        writer.beginObject()
        writer.key("variables")
        writer.raw(document)
        writer.endObject()
        return writer.bytes
    }
}
