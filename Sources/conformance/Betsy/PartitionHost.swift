import Engine
import ProcessModel
import Values

/// A single partition in memory, with a clock set by hand.
final class PartitionHost: StateSource {
    /// Unix milliseconds.
    var now: Int64 = 1_767_225_600_000
    /// The incidents that were raised, in order.
    private(set) var incidents: [(type: String, message: String)] = []
    private let registry = DefinitionRegistry()
    private lazy var engine = PartitionEngine(partition: 0, partitionCount: 1, definitions: registry, source: self)
    private var waiting: [ExecutableProcess] = []
    private var reply: Reply?

    func load(kind: UInt8, key: UInt64) -> [UInt8]? { nil }

    /// When something is due next.
    var nextDue: Int64? { engine.nextDue }

    /// Deploys the processes of one document.
    func deploy(_ processes: [ExecutableProcess], resource: [UInt8]) throws {
        waiting = processes
        send(.deploy(processes.map { NewProcess(process: $0, resourceName: "suite.bpmn", resource: resource) }))
    }

    /// Starts the newest version of a process; false when it cannot be started.
    func start(_ processID: String, _ variables: ValueContext) -> Bool {
        guard let definition = registry.definition(processID: processID) else { return false }
        let members = variables.map { ($0.key, VariableValue($0.value)) }
        send(.createInstance(NewInstance(definition: definition, variables: VariableDocument(members: members))))
        if case .created? = reply { return true }
        return false
    }

    /// Takes the jobs that wait for a worker.
    func takeJobs(types: [String]) -> [ActivatedJob] {
        types.flatMap { engine.takeJobs(type: $0, maximum: 1_000) }
    }

    /// Carries out a command and lets its effects out.
    func send(_ command: Command) {
        engine.process(CommandEnvelope(command, request: 1), now: now)
        let batch = engine.takeBatch()
        collectIncidents(in: batch.payload)
        for effect in batch.effects {
            switch effect {
            case .reply(_, let reply): self.reply = reply
            case .deployed(let deployed, _): add(deployed)
            case .instanceEnded, .jobsTaken: break
            }
        }
    }

    private func add(_ deployed: [ProcessDeployed]) {
        for version in deployed {
            guard let process = waiting.first(where: { $0.id == version.processID }) else { continue }
            registry.add(
                DeployedProcess(
                    key: Key(rawValue: version.key), version: Int(version.version), resourceName: version.resourceName,
                    deploymentKey: Key(rawValue: version.deploymentKey), process: process))
        }
    }

    private func collectIncidents(in payload: [UInt8]) {
        payload.withUnsafeBytes { bytes in
            var reader = ByteReader(bytes)
            var codec = EventCodec()
            while !reader.isAtEnd, let event = try? codec.read(&reader) {
                if case .incidentRaised(_, _, _, let type, let message) = event {
                    incidents.append((type, message))
                }
            }
        }
    }
}
