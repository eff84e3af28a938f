import HTTPTypes
import Runtime
import Storage
import Values

/// The server itself: topology, health, figures, the audit log, the description of the API.
enum SystemRoutes {
    static let routes: [Route] = [
        Route(.get, "/v2/topology", "getTopology", "The nodes and partitions.", topology),
        Route(.get, "/v2/status", "getStatus", "204 when the server works.", status: 204) { _, _ in .noContent },
        Route(.get, "/v2/license", "getLicense", "Junction is free software: always valid.") { _, _ in
            .object { writer in
                writer.member("validLicense", true)
                writer.member("licenseType", "Apache-2.0")
                writer.member("isCommercial", false)
                writer.member("expiresAt", instant: nil)
            }
        },
        Route(.get, "/hub/v1/status", "getHubStatus", "What the server holds and does at this moment.", status),
        Route(
            .post, "/hub/v1/audit/search", "searchAudit", "Searches who did what, when, to what.",
            body: .json(SearchRequest.fields, required: false)
        ) { try await audit.answer($0, $1) },
        Route(.get, "/hub/v1/openapi.json", "getOpenAPI", "The OpenAPI document of this API.") { _, _ in
            .json(OpenAPIDocument.bytes)
        },
    ]

    private static func topology(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        .object(capacity: 4_096) { writer in
            writer.key("brokers")
            writer.beginArray()
            writer.beginObject()
            writer.member("nodeId", 0)
            writer.member("host", "localhost")
            writer.member("port", 0)
            writer.key("partitions")
            writer.beginArray()
            for partition in 1...max(1, services.partitionCount) {
                writer.beginObject()
                writer.member("partitionId", partition)
                writer.member("role", "leader")
                writer.member("health", "healthy")
                writer.endObject()
            }
            writer.endArray()
            writer.member("version", APIServer.version)
            writer.endObject()
            writer.endArray()
            writer.member("clusterSize", 1)
            writer.member("partitionsCount", services.partitionCount)
            writer.member("replicationFactor", 1)
            writer.member("gatewayVersion", APIServer.version)
            writer.member("lastCompletedChangeId", "-1")
        }
    }

    private static func status(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let totals = try await services.read { records throws(StoreError) in try records.totals() }
        let status = services.workflow.status()
        return .object(capacity: 1_024) { writer in
            writer.key("engine")
            writer.beginObject()
            writer.member("isIdle", status.isIdle)
            writer.member("liveInstances", status.liveInstances)
            writer.member("residentInstances", status.residentInstances)
            writer.member("openJobs", status.openJobs)
            writer.member("openTimers", status.openTimers)
            writer.member("openSubscriptions", status.openSubscriptions)
            writer.member("queuedCommands", status.queuedCommands)
            writer.member("startedInstances", status.startedInstances)
            writer.member("completedInstances", status.completedInstances)
            writer.member("commits", status.commits)
            writer.member("events", status.events)
            writer.member("projectorLagMilliseconds", Int(status.projectorLagMilliseconds.rounded()))
            writer.endObject()
            writer.key("records")
            writer.beginObject()
            writer.member("activeInstances", totals.activeInstances)
            writer.member("completedInstances", totals.completedInstances)
            writer.member("terminatedInstances", totals.terminatedInstances)
            writer.member("instancesWithIncidents", totals.instancesWithIncidents)
            writer.member("openIncidents", totals.openIncidents)
            writer.member("openUserTasks", totals.openUserTasks)
            writer.member("jobs", totals.jobs)
            writer.member("timers", totals.timers)
            writer.member("bufferedMessages", totals.bufferedMessages)
            writer.member("parkedDeadLetters", totals.parkedDeadLetters)
            writer.member("definitions", totals.definitions)
            writer.endObject()
        }
    }

    private static let audit = SearchOperation<AuditFilter, AuditRecord>(
        filter: { (reader) throws(ProblemDetails) in
            var filter = AuditFilter()
            filter.key = try reader.keys("auditLogKey")
            filter.actor = try reader.strings("actorId")
            filter.action = try reader.strings("operationType")
            filter.object = try reader.strings("entityKey")
            filter.at = try reader.instants("timestamp")
            return filter
        },
        find: { (records, query) throws(StoreError) in try records.audit(query) },
        write: { record, writer in
            writer.member("auditLogKey", Key(rawValue: record.key))
            writer.member("timestamp", instant: record.at)
            writer.member("actorId", record.actor)
            writer.member("operationType", record.action)
            writer.member("entityKey", record.object)
            writer.member("detail", nullable: record.detail)
        })
}
