import ProcessModel
import Testing
import Values

@testable import Engine

/// A job seen by a test.
struct OpenJob: Equatable {
    var key: UInt64
    var element: String
    var instance: UInt64
    var phase: JobPhase
    var retries: Int
}

/// An incident seen by a test.
struct OpenIncident: Equatable {
    var key: UInt64
    var element: String
    var type: String
    var message: String
}

extension EngineHarness {
    /// Starts an instance of the newest version of a process.
    @discardableResult
    func start(_ processID: String = "p", _ variables: String = "{}", in partition: Int = 0) throws -> UInt64 {
        let definition = try #require(registry.definition(processID: processID))
        let reply = send(
            .createInstance(NewInstance(definition: definition, variables: try document(variables), awaitsEnd: true)),
            to: partition)
        guard case .created(let key, _, _) = reply else {
            Issue.record("not started: \(reply)")
            return 0
        }
        return key
    }

    var instances: [ProcessInstance] {
        partitions.indices.flatMap { index in
            liveInstanceKeys(index).compactMap { partitions[index].engine.instance($0) }
        }
    }

    func isLive(_ key: UInt64) -> Bool { partitions[Key(rawValue: key).partition].engine.instance(key) != nil }

    /// The ids of the element instances alive, the processes themselves not counted, sorted.
    var live: [String] {
        instances.flatMap { instance in
            instance.elements.dropFirst().map { instance.process.nodes[Int($0.node)].id }
        }.sorted()
    }

    var jobs: [OpenJob] {
        instances.flatMap { instance in
            instance.elements.compactMap { element in
                element.job.map { job in
                    OpenJob(
                        key: job.key, element: instance.process.nodes[Int(element.node)].id, instance: instance.key,
                        phase: job.phase, retries: Int(job.retries))
                }
            }
        }
    }

    var userTasks: [(key: UInt64, element: String, assignee: String?)] {
        instances.flatMap { instance in
            instance.elements.compactMap { element in
                element.detail?.userTask.map {
                    ($0.key, instance.process.nodes[Int(element.node)].id, $0.assignee)
                }
            }
        }
    }

    var incidents: [OpenIncident] {
        instances.flatMap { instance in
            instance.elements.compactMap { element in
                element.detail?.incident.map {
                    OpenIncident(
                        key: $0.key, element: instance.process.nodes[Int(element.node)].id, type: $0.type,
                        message: $0.message)
                }
            }
        }
    }

    /// The job of an element; the test fails when there is not exactly one.
    func job(_ element: String, location: SourceLocation = #_sourceLocation) throws -> OpenJob {
        let found = jobs.filter { $0.element == element }
        try #require(found.count == 1, "jobs of \(element): \(found); live: \(live)", sourceLocation: location)
        return found[0]
    }

    /// Completes the job of an element.
    func complete(_ element: String, _ variables: String = "{}", location: SourceLocation = #_sourceLocation) throws {
        let job = try job(element, location: location)
        let reply = send(.completeJob(key: job.key, variables: try document(variables)), forKey: job.key)
        #expect(reply.isDone, "\(reply)", sourceLocation: location)
    }

    /// Fails the job of an element.
    func fail(
        _ element: String, retries: Int32, backoff: Int64 = 0, _ variables: String = "{}",
        location: SourceLocation = #_sourceLocation
    ) throws {
        let job = try job(element, location: location)
        let reply = send(
            .failJob(
                key: job.key, retries: retries, backoffMilliseconds: backoff, message: "no luck",
                variables: try document(variables)), forKey: job.key)
        #expect(reply.isDone, "\(reply)", sourceLocation: location)
    }

    /// Throws a BPMN error from the job of an element.
    func raise(
        _ element: String, _ code: String, _ variables: String = "{}", location: SourceLocation = #_sourceLocation
    ) throws {
        let job = try job(element, location: location)
        let reply = send(
            .throwJobError(key: job.key, code: code, message: "refused", variables: try document(variables)),
            forKey: job.key)
        #expect(reply.isDone, "\(reply)", sourceLocation: location)
    }

    /// Completes the user task of an element.
    func completeTask(_ element: String, _ variables: String = "{}", location: SourceLocation = #_sourceLocation)
        throws
    {
        let task = try #require(userTasks.first { $0.element == element }, "\(live)", sourceLocation: location)
        let reply = send(.completeUserTask(key: task.key, variables: try document(variables)), forKey: task.key)
        #expect(reply.isDone, "\(reply)", sourceLocation: location)
    }

    /// Resolves the only incident there is.
    func resolve(location: SourceLocation = #_sourceLocation) throws {
        let incidents = incidents
        try #require(incidents.count == 1, "\(incidents)", sourceLocation: location)
        let reply = send(.resolveIncident(key: incidents[0].key), forKey: incidents[0].key)
        #expect(reply.isDone, "\(reply)", sourceLocation: location)
    }

    /// Sets root variables of an instance.
    func set(_ variables: String, of key: UInt64) throws {
        let reply = send(.setVariables(scope: key, variables: try document(variables), local: true), forKey: key)
        #expect(reply.isDone, "\(reply)")
    }

    /// Publishes a message in the partition it belongs to.
    @discardableResult
    func publish(
        _ name: String, _ correlationKey: String, ttl: Int64 = 0, id: String? = nil, _ variables: String = "{}"
    ) throws -> Reply {
        let hash = MessageHash.of(name: name, correlationKey: correlationKey)
        return send(
            .publishMessage(
                NewMessage(
                    name: name, correlationKey: correlationKey, timeToLiveMilliseconds: ttl, messageID: id,
                    variables: try document(variables))),
            to: MessageHash.partition(hash, of: partitions.count))
    }

    /// Broadcasts a signal.
    func broadcast(_ name: String, _ variables: String = "{}", in partition: Int = 0) throws {
        send(.broadcastSignal(NewSignal(name: name, variables: try document(variables))), to: partition)
    }

    /// The ids of the nodes performed so far, in order, processes and bodies of loops not counted; `recordsEvents` must
    /// be on.
    var performed: [String] {
        var definitions: [UInt64: DeployedProcess] = [:]
        var current: DeployedProcess?
        var ids: [String] = []
        for event in events {
            switch event {
            case .instanceCreated(let created):
                current = registry.definition(key: Key(rawValue: created.definitionKey))
                definitions[created.key] = current
            case .instance(let key): current = definitions[key]
            case .elementPassed(let node, _, _, _): if let current { ids.append(current.process.nodes[Int(node)].id) }
            case .elementActivated(let node, _, _, _, let role, _):
                if let current, role != .multiInstanceBody { ids.append(current.process.nodes[Int(node)].id) }
            default: continue
            }
        }
        return ids
    }

    /// How many events of every kind are waited for, and jobs open, in all partitions; all 0 when nothing is left.
    var leftovers: [Int] {
        let engines = partitions.map(\.engine)
        return [
            engines.reduce(0) { $0 + $1.openJobCount }, engines.reduce(0) { $0 + $1.openTimerCount },
            engines.reduce(0) { $0 + $1.subscriptionCount }, engines.reduce(0) { $0 + $1.state.signals.count },
            engines.reduce(0) { $0 + $1.state.owners.count },
        ]
    }

    /// The root variables of an instance as JSON, while it lives or as it ended.
    func variables(_ key: UInt64) -> String {
        if let result = ended[key] { return result.map { String(decoding: $0, as: UTF8.self) } ?? "terminated" }
        guard let instance = instances.first(where: { $0.key == key }) else { return "none" }
        let engine = partitions[Key(rawValue: key).partition].engine
        return String(decoding: engine.localVariables(0, of: instance).json, as: UTF8.self)
    }

    /// How an instance ended: "completed", "terminated" or "live".
    func outcome(_ key: UInt64) -> String {
        guard let result = ended[key] else { return isLive(key) ? "live" : "unknown" }
        return result == nil ? "terminated" : "completed"
    }
}

func document(_ json: String) throws -> VariableDocument {
    try VariableDocument(json: Array(json.utf8))
}

extension Reply {
    var isDone: Bool {
        if case .done = self { return true }
        return false
    }

    var rejection: CommandRejection? {
        if case .rejected(let rejection) = self { return rejection }
        return nil
    }

    var key: UInt64? {
        if case .key(let key) = self { return key }
        return nil
    }
}
