import Storage
import StorageTestSupport
import Testing
import Values

@testable import Engine
@testable import Runtime

/// After random work, restarts and evictions included, the records say what a model of the work says, and each path says
/// what the engine says.
@Suite struct RecordModelTests {
    /// What the records must say.
    private struct Expected {
        var instances: [Key: LifecycleState] = [:]
        var processes: [Key: String] = [:]
        var openJobs: [Key: Key] = [:]
        var openTasks: [Key: Key] = [:]
        var openIncidents: Set<Key> = []
        var waiting: [String: Key] = [:]
        var endedTasks = (completed: 0, cancelled: 0)
        var jobsLeft: [Key: Int] = [:]
    }

    /// One run: what is done, and what must be there afterwards.
    private final class Run {
        var harness: RuntimeHarness
        var random: SeededGenerator
        var expected = Expected()
        var counter = 0

        init(seed: UInt64) throws {
            var configuration = RuntimeConfiguration()
            configuration.checkpointEntities = 5
            configuration.residentInstancesMax = 0
            configuration.projectorQueueBytesMax = 2_000
            harness = try RuntimeHarness(configuration: configuration)
            random = SeededGenerator(seed: seed)
        }

        func step() async throws {
            counter += 1
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1, 2: try await start()
            case 3, 4, 5: try await answerJob()
            case 6, 7: try await answerTask()
            case 8: try await publish()
            case 9: try await cancel()
            case 10: try await resolve()
            default:
                if Int.random(in: 0..<4, using: &random) == 0 {
                    harness = try harness.restarted(configuration: harness.configuration)
                } else {
                    try await setVariable()
                }
            }
        }

        private func setVariable() async throws {
            guard let scope = expected.instances.filter({ $0.value == .active }).keys.min() else { return }
            try await harness.runtime.setVariables(
                scope: scope, variables: Array("{\"step\":\(counter)}".utf8), local: true, actor: "model")
        }

        private func start() async throws {
            _ = try await start(["chain", "both", "approval", "waiting"].randomElement(using: &random) ?? "chain")
        }

        private func start(_ process: String) async throws -> Key {
            let key = try await harness.start(process, "{\"id\":\"k\(counter)\"}").key
            expected.instances[key] = .active
            expected.processes[key] = process
            switch process {
            case "chain": expected.jobsLeft[key] = 2
            case "both": expected.jobsLeft[key] = 2
            case "waiting": expected.waiting["k\(counter)"] = key
            default: break
            }
            try await observe()
            return key
        }

        /// Learns the keys of new jobs and tasks, which only the engine makes up.
        private func observe() async throws {
            let jobs = try await harness.read {
                try $0.jobs(Query(page: PageRequest(limit: 5_000))).items.map(\.record)
            }
            for job in jobs where expected.openJobs[Key(rawValue: job.key)] == nil {
                expected.openJobs[Key(rawValue: job.key)] = Key(rawValue: job.instanceKey)
            }
            let tasks = try await harness.read { reader in
                try reader.userTasks(Query(page: PageRequest(limit: 5_000))).items.map(\.record).filter {
                    $0.state == 0
                }
            }
            for task in tasks where expected.openTasks[Key(rawValue: task.key)] == nil {
                expected.openTasks[Key(rawValue: task.key)] = Key(rawValue: task.instanceKey)
            }
            let incidents = try await harness.read { reader in
                try reader.incidents(Query(page: PageRequest(limit: 5_000))).items.map(\.record)
                    .filter { $0.resolvedAt == nil }
            }
            expected.openIncidents.formUnion(incidents.map { Key(rawValue: $0.key) })
        }

        private func ended(_ instance: Key, _ state: LifecycleState) {
            expected.instances[instance] = state
            expected.openJobs = expected.openJobs.filter { $0.value != instance }
            expected.waiting = expected.waiting.filter { $0.value != instance }
            let tasks = expected.openTasks.filter { $0.value == instance }.keys
            for task in tasks { expected.openTasks[task] = nil }
            if state == .terminated { expected.endedTasks.cancelled += tasks.count }
        }

        private func answerJob() async throws {
            guard let job = expected.openJobs.keys.sorted().randomElement(using: &random),
                let instance = expected.openJobs[job]
            else { return }
            if Int.random(in: 0..<5, using: &random) == 0 {
                _ = try await isAccepted {
                    try await harness.runtime.failJob(
                        FailJobRequest(key: job, retries: 0, backoffMilliseconds: 0, message: "failed"))
                }
                try await observe()
                return
            }
            let result = Array("{\"by\":\(counter)}".utf8)
            guard
                try await isAccepted({ try await harness.runtime.completeJob(key: job, variables: result) })
            else { return }
            expected.openJobs[job] = nil
            expected.jobsLeft[instance, default: 0] -= 1
            if expected.jobsLeft[instance] == 0 { ended(instance, .completed) }
            try await observe()
        }

        /// False when the job waits in an incident.
        private func isAccepted(_ answer: () async throws -> Void) async throws -> Bool {
            do {
                try await answer()
                return true
            } catch let error as CommandRejection where error.code == .invalidState {
                return false
            }
        }

        private func answerTask() async throws {
            guard let task = expected.openTasks.keys.sorted().randomElement(using: &random),
                let instance = expected.openTasks[task]
            else { return }
            if Bool.random(using: &random) {
                try await harness.runtime.assignUserTask(
                    key: task, assignee: "p\(counter)", allowOverride: true, actor: "model")
                return
            }
            try await harness.runtime.completeUserTask(key: task, variables: nil, actor: "model")
            expected.openTasks[task] = nil
            expected.endedTasks.completed += 1
            ended(instance, .completed)
        }

        private func publish() async throws {
            guard let (name, instance) = expected.waiting.min(by: { $0.key < $1.key }) else { return }
            _ = try await harness.publish("wake", name, timeToLive: 60_000)
            ended(instance, .completed)
            try await harness.eventually("the message arrives") {
                try await self.harness.read { try $0.processInstance(key: instance.rawValue)?.record.state }
                    == .completed
            }
        }

        private func cancel() async throws {
            let active = expected.instances.filter { $0.value == .active }.keys.sorted()
            guard let instance = active.randomElement(using: &random) else { return }
            try await harness.runtime.cancelInstance(key: instance, actor: "model")
            let open = try await harness.read { reader in
                try reader.incidents(Query(page: PageRequest(limit: 5_000))).items.map(\.record)
                    .filter { $0.resolvedAt == nil }
            }
            expected.openIncidents = Set(open.map { Key(rawValue: $0.key) })
            ended(instance, .terminated)
        }

        private func resolve() async throws {
            guard let incident = expected.openIncidents.sorted().randomElement(using: &random) else { return }
            try await harness.runtime.resolveIncident(key: incident, actor: "model")
            expected.openIncidents.remove(incident)
        }

        /// The records against the model.
        func check() async throws {
            let rows = try await harness.read { try $0.processInstances(Query(page: PageRequest(limit: 5_000))).items }
            #expect(
                Dictionary(uniqueKeysWithValues: rows.map { (Key(rawValue: $0.record.key), $0.record.state) })
                    == expected.instances)
            for row in rows {
                #expect(row.definition?.processID == expected.processes[Key(rawValue: row.record.key)])
                #expect((row.record.endedAt == nil) == (row.record.state == .active))
            }
            let totals = try await harness.read { try $0.totals() }
            #expect(totals.jobs == expected.openJobs.count)
            #expect(totals.openUserTasks == expected.openTasks.count)
            #expect(totals.openIncidents == expected.openIncidents.count)
            let tasks = try await harness.read { try $0.userTasks(Query(page: PageRequest(limit: 5_000))).items }
            #expect(tasks.count { $0.record.state == 1 } == expected.endedTasks.completed)
            #expect(tasks.count { $0.record.state == 2 } == expected.endedTasks.cancelled)
        }

        /// Each path against the element instances of the engine, which nobody works on any more.
        func comparePaths() async throws {
            var paths: [Key: [PathElement]] = [:]
            for key in expected.instances.keys { paths[key] = try await harness.path(key) }
            harness.stop()
            for (key, path) in paths {
                let engine = harness.runtime.core.units[key.partition].engine
                #expect(Set(path.map(\.key)).count == path.count)
                #expect(path.map(\.ordinal) == (1...UInt32(path.count)).map { $0 })
                let live = path.filter { $0.endedAt == nil }
                guard expected.instances[key] == .active else {
                    #expect(live.isEmpty)
                    continue
                }
                let instance = try #require(engine.instance(key.rawValue))
                let elements = instance.elements.dropFirst()
                #expect(live.map(\.key.rawValue) == elements.map(\.key))
                #expect(live.map(\.ordinal) == elements.map(\.ordinal))
                #expect(live.map(\.node) == elements.map { Int($0.node) })
                #expect(live.map(\.scope) == elements.map(\.scope))
                #expect(live.map { $0.jobKey?.rawValue } == elements.map { $0.job?.key })
                #expect(live.map { $0.userTaskKey?.rawValue } == elements.map { $0.detail?.userTask?.key })
                #expect(live.map { $0.incidentKey?.rawValue } == elements.map { $0.detail?.incident?.key })
                #expect(Int(instance.nextOrdinal) == path.count + 1)
            }
        }
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func recordsEqualTheModel(seed: UInt64) async throws {
        let run = try Run(seed: seed)
        let documents = [
            Model.sequence("chain", 2), Model.both("both"), Model.single("approval", Model.userTask()),
            Model.waiting("waiting"),
        ]
        for (number, document) in documents.enumerated() {
            _ = try await run.harness.deploy(document, name: "\(number).bpmn")
        }
        for _ in 0..<120 { try await run.step() }
        try await run.check()
        try await run.comparePaths()
    }
}
