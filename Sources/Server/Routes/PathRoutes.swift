import Decisions
import Engine
import HTTPTypes
import ProcessModel
import Runtime
import Storage
import Values

/// The path a process instance took: its element instances as a tree, with times and what each one waits for.
enum PathRoutes {
    static let routes: [Route] = [
        Route(
            .get, "/hub/v1/process-instances/{processInstanceKey}/path", "getProcessInstancePath",
            "What a process instance went through, as a tree of element instances.", path)
    ]

    private static func path(_ request: RouteRequest, _ services: RouteServices) async throws -> APIResponse {
        let key = try request.key()
        let incidentFilter = {
            var filter = IncidentFilter()
            filter.instanceKey = [.equal(key.rawValue)]
            filter.isResolved = false
            return filter
        }()
        let (found, incidents) = try await services.read { records throws(StoreError) in
            let instance = try records.processInstance(key: key.rawValue)
            let hasIncidents = (instance?.record.openIncidents ?? 0) > 0
            let query = Query(filter: incidentFilter, page: PageRequest(limit: 1_000))
            return (instance, hasIncidents ? try records.incidents(query).items.map(\.record) : [])
        }
        guard let found else { throw ProblemDetails.notFound("process instance", key) }
        let elements: [PathElement]
        do throws(DecodingFailure) {
            elements = try ElementPath.expand(found.record.path, startedAt: found.record.startedAt)
        } catch {
            throw ProblemDetails(
                StoreError(
                    .corrupt, "The path of process instance \(key) is damaged: \(error).",
                    remedy: "Delete records.db while no server runs; it is rebuilt from the journal."))
        }
        let tree = PathTreeWriter(
            elements: elements,
            process: services.workflow.definitions.definition(key: Key(rawValue: found.record.definitionKey))?.process,
            incidents: incidents)
        return .object(capacity: 512 + elements.count * 320) { writer in
            ProcessInstanceQueries.write(found, into: &writer)
            writer.key("elements")
            tree.write(childrenOf: 0, into: &writer)
        }
    }
}

/// Writes the element instances of a path inside each other.
struct PathTreeWriter {
    private let elements: [PathElement]
    private let process: ExecutableProcess?
    private let incidents: [IncidentRecord]
    /// Positions in `elements` by the ordinal of the scope.
    private let children: [UInt32: [Int]]

    init(elements: [PathElement], process: ExecutableProcess?, incidents: [IncidentRecord]) {
        self.elements = elements
        self.process = process
        self.incidents = incidents
        self.children = Dictionary(grouping: elements.indices) { elements[$0].scope }
    }

    func write(childrenOf scope: UInt32, into writer: inout JSONWriter) {
        writer.beginArray()
        for position in self.children[scope] ?? [] { self.write(self.elements[position], into: &writer) }
        writer.endArray()
    }

    private func write(_ element: PathElement, into writer: inout JSONWriter) {
        let node = self.process.flatMap { $0.nodes.indices.contains(element.node) ? $0.nodes[element.node] : nil }
        writer.beginObject()
        writer.member("elementInstanceKey", element.key)
        writer.member("elementId", node?.id ?? "#\(element.node)")
        writer.member("elementName", nullable: node?.name)
        writer.member("type", Self.type(of: element, node))
        writer.member(
            "state", element.endedAt == nil ? "ACTIVE" : element.isTerminated ? "TERMINATED" : "COMPLETED")
        writer.member("startDate", instant: element.startedAt)
        writer.member("endDate", instant: element.endedAt)
        if let flows = self.process?.flows, flows.indices.contains(element.flow) {
            writer.member("sequenceFlowId", flows[element.flow].id)
        }
        if element.loopCounter > 0 { writer.member("loopCounter", element.loopCounter) }
        if let key = element.jobKey { writer.member("jobKey", key) }
        if element.failedAttempts > 0 { writer.member("failedAttempts", element.failedAttempts) }
        if let key = element.userTaskKey { writer.member("userTaskKey", key) }
        if let key = element.calledInstanceKey { writer.member("calledProcessInstanceKey", key) }
        if let key = element.incidentKey { writer.member("incidentKey", key) }
        self.writeNote(element, node, into: &writer)
        if self.children[element.ordinal] != nil {
            writer.key("elements")
            self.write(childrenOf: element.ordinal, into: &writer)
        }
        writer.endObject()
    }

    /// What an active element instance waits for, and a line about it for people.
    private func writeNote(_ element: PathElement, _ node: FlowNode?, into writer: inout JSONWriter) {
        var notes: [String] = []
        if element.endedAt == nil, let (wait, note) = self.wait(of: element, node) {
            writer.member("waitsFor", wait)
            notes.append(note)
        }
        if element.failedAttempts > 0 {
            notes.append("\(element.failedAttempts) failed attempt\(element.failedAttempts == 1 ? "" : "s")")
        }
        if element.endedAt != nil, let key = element.calledInstanceKey { notes.append("called \(key)") }
        if !notes.isEmpty { writer.member("note", notes.joined(separator: ", ")) }
    }

    private func wait(of element: PathElement, _ node: FlowNode?) -> (kind: String, note: String)? {
        if let key = element.incidentKey {
            let message = self.incidents.first { $0.key == key.rawValue }.map { ": \($0.message)" } ?? ""
            return ("INCIDENT", "incident \(key)\(message)")
        }
        if let key = element.calledInstanceKey { return ("CHILD", "waits for instance \(key)") }
        switch node?.kind {
        case .userTask:
            return ("PERSON", "waits for a person" + (element.userTaskKey.map { ", task \($0)" } ?? ""))
        case .intermediateCatchEvent, .receiveTask, .eventBasedGateway, .startEvent:
            return self.wait(forEventsOf: node)
        case .inclusiveGateway, .complexGateway:
            return ("TOKENS", "waits for tokens")
        default:
            guard element.jobKey != nil, let job = node?.job else { return nil }
            let type = Self.text(job.type)
            return type.hasPrefix("connector:")
                ? ("CONNECTOR", "calls \(type.dropFirst("connector:".count))")
                : ("JOB", "waits for a worker of \(type)")
        }
    }

    /// What an event or event-based gateway waits for: the first event says the kind.
    private func wait(forEventsOf node: FlowNode?) -> (kind: String, note: String)? {
        guard let node, let process else { return nil }
        let events: [FlowNode] =
            switch node.kind {
            case .eventBasedGateway: node.outgoing.map { process.nodes[process.flows[$0].target] }
            default: node.triggers.isEmpty ? [node] : node.triggers.map { process.nodes[$0] }
            }
        let waits = events.compactMap { Self.wait(for: $0.event) }
        guard let first = waits.first else { return nil }
        let separator: String
        if case .multiple(isParallel: true)? = node.event { separator = " and " } else { separator = " or " }
        return (first.kind, "waits for " + waits.map(\.what).joined(separator: separator))
    }

    private static func wait(for event: EventDefinition?) -> (kind: String, what: String)? {
        switch event {
        case .timer: ("TIMER", "a timer")
        case .message(let message): ("MESSAGE", "message \(Self.text(message.name))")
        case .signal(let signal): ("SIGNAL", "signal \(Self.text(signal.name))")
        case .conditional(let condition): ("CONDITION", "\(condition.source) to be true")
        default: nil
        }
    }

    private static func text(_ source: ExpressionOrLiteral) -> String {
        switch source {
        case .literal(let text): text
        case .expression(let expression): "=" + expression.source
        }
    }

    /// The element type of the wire contract.
    private static func type(of element: PathElement, _ node: FlowNode?) -> String {
        if element.role == .multiInstanceBody { return "MULTI_INSTANCE_BODY" }
        return switch node?.kind {
        case .process: "PROCESS"
        case .subProcess: "SUB_PROCESS"
        case .callActivity: "CALL_ACTIVITY"
        case .task: "TASK"
        case .manualTask: "MANUAL_TASK"
        case .serviceTask: "SERVICE_TASK"
        case .sendTask: "SEND_TASK"
        case .receiveTask: "RECEIVE_TASK"
        case .userTask: "USER_TASK"
        case .scriptTask: "SCRIPT_TASK"
        case .businessRuleTask: "BUSINESS_RULE_TASK"
        case .exclusiveGateway: "EXCLUSIVE_GATEWAY"
        case .parallelGateway: "PARALLEL_GATEWAY"
        case .startEvent: "START_EVENT"
        case .endEvent: "END_EVENT"
        case .intermediateCatchEvent: "INTERMEDIATE_CATCH_EVENT"
        case .boundaryEvent: "BOUNDARY_EVENT"
        case .inclusiveGateway: "INCLUSIVE_GATEWAY"
        case .complexGateway: "COMPLEX_GATEWAY"
        case .eventBasedGateway: "EVENT_BASED_GATEWAY"
        case .intermediateThrowEvent: "INTERMEDIATE_THROW_EVENT"
        case .eventSubProcess: "EVENT_SUB_PROCESS"
        case .transaction: "TRANSACTION"
        case .adHocSubProcess: "AD_HOC_SUB_PROCESS"
        case .eventTrigger, nil: "UNKNOWN"
        }
    }
}
