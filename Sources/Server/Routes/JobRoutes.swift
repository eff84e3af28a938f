import Engine
import HTTPTypes
import NIOCore
import ProcessModel
import Runtime
import Values

/// Jobs: activated, answered and changed by workers.
enum JobRoutes {
    static let routes: [Route] = [
        Route(
            .post, "/v2/jobs/activation", "activateJobs",
            "Locks jobs of a type for a worker, waiting for the first one.",
            body: .json(activation, required: true), activate),
        Route(
            .post, "/v2/jobs/{jobKey}/completion", "completeJob", "Completes a job with its result.",
            body: .json(completion, required: false), status: 204, complete),
        Route(
            .post, "/v2/jobs/{jobKey}/failure", "failJob",
            "Reports a failed attempt; without retries left, an incident.",
            body: .json(failure, required: false), status: 204, fail),
        Route(
            .post, "/v2/jobs/{jobKey}/error", "throwJobError", "Throws a BPMN error at the job's element.",
            body: .json(error, required: true), status: 204, throwError),
        Route(
            .patch, "/v2/jobs/{jobKey}", "updateJob", "Changes the retries or the lock of a job.",
            body: .json(update, required: true), status: 204, change),
        Route(
            .post, "/hub/v1/jobs/completions", "completeJobs",
            "Completes many jobs; each one succeeds or fails on its own.",
            body: .json(completions, required: true), completeMany),
    ]

    // MARK: Activation

    private static let activation = [
        RequestField("type", .string, required: true, "The job type."),
        RequestField("worker", .string, "The worker's name, for logs and records."),
        RequestField("timeout", .integer(.positive), required: true, "Milliseconds the jobs stay locked."),
        RequestField("maxJobsToActivate", .integer(1...10_000), required: true, "How many jobs at most."),
        RequestField("fetchVariable", .strings, "The variables wanted; none or an empty list means all."),
        RequestField(
            "requestTimeout", .integer(.any),
            "Milliseconds to wait for the first job; 0 means the default, a negative number does not wait."),
        RequestField("tenantIds", .strings, "The tenants; only `<default>` exists."),
    ]

    private static func activate(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        for tenant in try object.strings("tenantIds") ?? [] where tenant != defaultTenant {
            throw ProblemDetails.unsupported(
                "There is no tenant \(quoted(tenant)).", remedy: "Leave tenantIds out.", field: "tenantIds")
        }
        let names = try object.strings("fetchVariable") ?? []
        var activation = ActivateJobsRequest(
            type: try object.string("type") ?? "", worker: try object.string("worker") ?? "",
            maximum: Int(try object.integer("maxJobsToActivate") ?? 1),
            timeoutMilliseconds: try object.integer("timeout") ?? 1, fetchVariables: names.isEmpty ? nil : names,
            waitMilliseconds: 0)
        let wait = services.limits.wait(try object.integer("requestTimeout") ?? 0)
        let jobs = try await longPoll(&activation, wait: wait, request: request, services: services)
        var writer = JSONWriter(capacity: 64 + jobs.count * 512)
        writer.beginObject()
        writer.key("jobs")
        writer.beginArray()
        for job in jobs { write(job, into: &writer) }
        writer.endArray()
        writer.endObject()
        return .json(writer.bytes)
    }

    /// Waits in slices, so that a worker that hangs up or a server that goes down is seen before jobs are locked for
    /// nobody.
    private static func longPoll(
        _ activation: inout ActivateJobsRequest, wait: Int64, request: RouteRequest, services: RouteServices
    ) async throws -> [ActivatedJob] {
        var remaining = wait
        while true {
            activation.waitMilliseconds = min(remaining, 1_000)
            let jobs = try await services.workflow.activateJobs(activation)
            remaining -= activation.waitMilliseconds
            if !jobs.isEmpty || remaining <= 0 || services.isDraining || !request.channel.isActive { return jobs }
        }
    }

    private static func write(_ job: ActivatedJob, into writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("jobKey", job.key)
        writer.member("type", job.type)
        writer.member("processInstanceKey", job.instanceKey)
        writer.member("processDefinitionKey", job.definition.key)
        writer.member("processDefinitionId", job.definition.process.id)
        writer.member("processDefinitionVersion", job.definition.version)
        writer.member("elementId", job.element.id)
        writer.member("elementInstanceKey", job.elementInstanceKey)
        writer.key("customHeaders")
        writer.beginObject()
        for header in job.element.job?.headers ?? [] { writer.member(header.key, header.value) }
        writer.endObject()
        writer.member("worker", job.worker)
        writer.member("retries", job.retries)
        writer.key("deadline")
        writer.value(job.deadline)
        writer.member("variables", raw: job.variables)
        writer.member("tenantId", defaultTenant)
        writer.member("kind", "BPMN_ELEMENT")
        writer.member("listenerEventType", "UNSPECIFIED")
        writer.member("priority", job.priority)
        writer.member("idempotencyKey", job.idempotencyKey)
        writer.endObject()
    }

    // MARK: Answers

    private static let completion = [
        RequestField.variables("The result."),
        RequestField("result", .object, "The result of a listener; this server has none."),
    ]

    private static func complete(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        try request.object.refuse(
            "result", because: "The member result answers listeners, and there are none.", remedy: "Leave result out.")
        try await services.workflow.completeJob(key: try request.key(), variables: request.object.raw("variables"))
        return .noContent
    }

    private static let failure = [
        RequestField("retries", .integer(0...Int64(Int32.max)), "Attempts left; 0, the default, makes an incident."),
        RequestField("errorMessage", .string, "What happened."),
        RequestField("retryBackOff", .integer(.notNegative), "Milliseconds until the next attempt; default 0."),
        RequestField.variables("Variables for the local scope of the task."),
    ]

    private static func fail(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try await services.workflow.failJob(
            FailJobRequest(
                key: try request.key(), retries: Int(try object.integer("retries") ?? 0),
                backoffMilliseconds: try object.integer("retryBackOff") ?? 0,
                message: try object.string("errorMessage") ?? "", variables: object.raw("variables")))
        return .noContent
    }

    private static let error = [
        RequestField("errorCode", .string, required: true, "The code an error catch event matches."),
        RequestField("errorMessage", .string, "What happened."),
        RequestField.variables("Variables for the scope that catches the error."),
    ]

    private static func throwError(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let object = request.object
        try await services.workflow.throwJobError(
            ThrowJobErrorRequest(
                key: try request.key(), code: try object.string("errorCode") ?? "",
                message: try object.string("errorMessage"), variables: object.raw("variables")))
        return .noContent
    }

    private static let update = [
        RequestField("changeset", .object, required: true, "What to change: `retries`, `timeout`."),
        RequestField.operationReference,
    ]

    private static let changeset = [
        RequestField("retries", .integer(1...Int64(Int32.max)), "Attempts left."),
        RequestField("timeout", .integer(.positive), "Milliseconds from now the job stays locked."),
    ]

    private static func change(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let changes = try request.object.object("changeset", fields: changeset) ?? .empty
        let retries = try changes.integer("retries")
        let timeout = try changes.integer("timeout")
        guard retries != nil || timeout != nil else {
            throw ProblemDetails.missingField("changeset.retries", expected: "or changeset.timeout")
        }
        try await services.workflow.updateJob(
            key: try request.key(), retries: retries.map { Int($0) }, timeoutMilliseconds: timeout)
        return .noContent
    }

    // MARK: Many at once

    private static let completions = [
        RequestField("completions", .objects, required: true, "Up to 1,000 of `{jobKey, variables}`.")
    ]

    private static let oneCompletion = [
        RequestField("jobKey", .key, required: true, "The job."), RequestField.variables("The result."),
    ]

    private static let completionsMax = 1_000

    private static func completeMany(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let items = try request.object.objects("completions", fields: oneCompletion, maximum: completionsMax)
        var answers: [(key: Key, variables: [UInt8]?)] = []
        for item in items { answers.append((try item.key("jobKey") ?? Key(rawValue: 0), item.raw("variables"))) }
        // All are under way at once, so that they share a commit.
        let problems = await withTaskGroup(of: (Int, ProblemDetails)?.self) { group in
            for (index, answer) in answers.enumerated() {
                group.addTask {
                    do throws(CommandRejection) {
                        try await services.workflow.completeJob(key: answer.key, variables: answer.variables)
                        return nil
                    } catch {
                        return (index, ProblemDetails(error))
                    }
                }
            }
            var problems: [Int: ProblemDetails] = [:]
            for await case (let index, let problem)? in group { problems[index] = problem }
            return problems
        }
        return .object(capacity: 64 + answers.count * 64) { writer in
            writer.key("results")
            writer.beginArray()
            for (index, answer) in answers.enumerated() {
                writer.beginObject()
                writer.member("jobKey", answer.key)
                writer.member("completed", problems[index] == nil)
                if let problem = problems[index] {
                    writer.member("problem", raw: problem.json(instance: "/v2/jobs/\(answer.key)/completion"))
                }
                writer.endObject()
            }
            writer.endArray()
        }
    }
}

extension APIServerLimits {
    /// How long to wait, by the wire contract: 0 means the default, less than 0 not at all.
    func wait(_ requested: Int64) -> Int64 {
        requested < 0 ? 0 : requested == 0 ? self.defaultWaitMilliseconds : min(requested, self.waitMillisecondsMax)
    }
}
