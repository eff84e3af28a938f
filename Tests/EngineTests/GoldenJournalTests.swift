import Foundation
import ProcessModel
import Testing
import Values

@testable import Engine

/// Journals and checkpoints written by earlier versions must rebuild the same state for ever.
///
/// `Golden/<version>/` holds what a version wrote for `scenario`: `journal` (partition and batch a line),
/// `checkpoint` (partition, kind, key, index, state a line) taken half-way with the number of batches before it, and
/// `state`, what both must lead to. `JUNCTION_WRITE_GOLDEN=<version>` adds a directory; none is ever changed.
@Suite("Golden journals")
struct GoldenJournalTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden")

    static let versions: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder.path())) ?? []).sorted()

    private static let models = [
        Model.process("start -> w -> end", id: "q"),
        Model.process(
            "sM -> w2 -> end", id: "m", nodes: [Model.start("sM", Model.onMessage("go"))],
            root: [Model.message("go", key: nil)]),
        Model.process(
            "sT -> w3 -> end", id: "t", nodes: [Model.start("sT", Model.timer("timeCycle", "R2/PT1H"))]),
        Model.process(
            """
            start -> and1
            and1 -> a -> and2 -> x1; x1 -> [=ok] end1
            and1 -> u -> and2
            and1 -> loop -> end2
            and1 -> seq -> end3
            and1 -> c -> end4
            and1 -> r -> end5
            and1 -> sub -> end6
            and1 -> e -> end7
            late -> end8
            caught -> end9
            """,
            nodes: [
                Model.task("a", type: "=\"w\" + kind"), Model.task("x1"), Model.user("u"),
                Model.task("loop", loop: Model.loop(over: "=[1,\"two\"]", as: "i", output: ("all", "=i"))),
                Model.task("seq", loop: Model.loop(times: "=2", sequential: true)), Model.call("c", "q"),
                Model.receive("r", "msg"),
                Model.boundary("late", on: "u", Model.timer("timeCycle", "R2/PT1H"), interrupting: false),
                Model.sub(
                    "sub", "start1 -> and3 -> i1 -> and4 -> end10; and3 -> i2 -> endT; and3 -> m1 -> and4",
                    nodes: [Model.end("endT", Model.terminate)]), Model.task("e"),
                Model.boundary("caught", on: "e", Model.onError("err")),
            ], root: [Model.message("msg"), Model.error("err", "E1")]),
    ]

    /// Something of everything, in two partitions; `halfway` is called once.
    private func scenario(_ harness: EngineHarness, halfway: () -> Void) throws {
        for model in Self.models { try harness.deploy(model) }
        let key = try harness.start("p", #"{"key":"k","kind":"X","ok":false}"#)
        let loopJob = try #require(harness.jobs.first { $0.element == "loop" })
        harness.send(.completeJob(key: loopJob.key, variables: .empty), actor: "ann")
        try harness.complete("seq", #"{"n":1.5,"list":[1,null,{"a":"ü"}]}"#)
        try harness.fail("seq", retries: 1, backoff: 9_000)
        harness.send(.activateJobs(JobActivation(type: "wX", worker: "me", maximum: 1, timeoutMilliseconds: 60_000)))
        let a = try harness.job("a")
        harness.send(.updateJob(key: a.key, retries: 9, timeoutMilliseconds: 10_000))
        let task = try #require(harness.userTasks.first)
        harness.send(.assignUserTask(key: task.key, assignee: "bob", allowOverride: false))
        try harness.publish("msg", "other", ttl: 30_000, id: "i-1", #"{"m":1}"#)
        let definition = try #require(harness.registry.definition(processID: "q"))
        harness.send(
            .createInstance(
                NewInstance(definition: definition, businessID: "b", uniqueKey: "u-1", uniqueMilliseconds: 5_000)))
        harness.send(
            .recordDeadLetter(
                DeadLetterRecorded(
                    origin: "o", coordinates: [1, 2], dedupeKey: "d", stage: "decode", errorCode: "c",
                    errorMessage: "m", contentType: "text/csv", payload: [9], redriveCount: 0)))
        let letter = harness.send(
            .recordDeadLetter(
                DeadLetterRecorded(
                    origin: "o", coordinates: [], dedupeKey: nil, stage: "s", errorCode: "c", errorMessage: "m",
                    contentType: "t", payload: [], redriveCount: 1)))
        halfway()
        harness.send(.endDeadLetter(key: letter.key ?? 0, outcome: 2))
        harness.advance(seconds: 10)
        try harness.publish("go", "")
        try harness.raise("e", "E1")
        try harness.complete("i1")
        try harness.complete("i2")
        try harness.complete("a")
        harness.advance(seconds: 3_600)
        harness.advance(seconds: 3_600)
        try harness.completeTask("u")
        try harness.complete("x1")
        // A message that comes too late, and one that is taken.
        let home = MessageHash.partition(MessageHash.of(name: "msg", correlationKey: "z"), of: 2)
        let waiting = try harness.start("p", #"{"key":"z","kind":"X","ok":true}"#, in: 1 - home)
        harness.holdsMessages = true
        try harness.publish("msg", "z")
        harness.send(.cancelInstance(key: waiting), forKey: waiting)
        harness.holdsMessages = false
        harness.deliver()
        let noisy = try harness.start("p", #"{"key":"y","kind":"X","ok":true}"#)
        for job in harness.jobs where job.instance == noisy && job.element == "seq" {
            harness.send(
                .failJob(key: job.key, retries: 0, backoffMilliseconds: 0, message: "no", variables: .empty))
        }
        if let incident = harness.incidents.first(where: { $0.element == "seq" }) {
            harness.send(.resolveIncident(key: incident.key))
        }
        for job in harness.jobs where job.instance == key && job.element == "loop" {
            harness.send(.completeJob(key: job.key, variables: .empty))
        }
        let called = try #require(harness.jobs.first { $0.element == "w" })
        harness.send(.completeJob(key: called.key, variables: .empty), forKey: called.key)
        try harness.publish("msg", "k", #"{"got":true}"#)
        try harness.deploy(Model.process("start -> w9 -> end", id: "t"))
    }

    /// The state of engines in words that do not depend on any encoding.
    private func summary(_ engines: [PartitionEngine], keys: [[UInt64]]) -> String {
        var lines: [String] = []
        for (index, engine) in engines.enumerated() {
            for key in keys[index] {
                guard let instance = engine.instance(key) else { continue }
                lines.append(
                    "instance \(key) of \(instance.process.id) v\(instance.definition.version) parent \(instance.parent) "
                        + "business \(instance.businessID ?? "-") started \(instance.startedAt)")
                for element in instance.elements {
                    let node = instance.process.nodes[Int(element.node)]
                    let loop = element.detail?.loop.map { "\($0.created)/\($0.completed)/\($0.count)" } ?? "-"
                    lines.append(
                        "  #\(element.ordinal) \(node.id) in #\(element.scope) \(element.state) \(element.role) "
                            + "children \(element.children) loop \(loop) counter \(element.loopCounter)")
                    if let job = element.job {
                        lines.append("    job \(job.key) \(job.phase) retries \(job.retries) until \(job.until)")
                    }
                    if let task = element.detail?.userTask { lines.append("    task \(task.assignee ?? "-")") }
                    if let incident = element.detail?.incident { lines.append("    incident \(incident.type)") }
                }
                for variable in instance.variables {
                    lines.append(
                        "  #\(variable.scope).\(variable.name) = \(String(decoding: variable.value.json, as: UTF8.self))"
                    )
                }
                lines += instance.timers.map { "  timer \($0.key) #\($0.ordinal) \($0.dueAt) \($0.repetitions)" }
                lines += instance.subscriptions.map {
                    "  waits \($0.key) #\($0.ordinal) \($0.name) \($0.correlationKey)"
                }
                lines += instance.arrivals.map { "  arrived \($0.flow) in #\($0.scope): \($0.count)" }
            }
            let state = engine.state
            lines.append(
                "partition \(index): key \(state.keys.last) now \(state.now) live \(state.liveInstances) jobs "
                    + "\(state.openJobs) timers \(state.openTimers) owners \(state.owners.count)")
            lines += state.subscriptions.sorted.map { "  subscription \($0.subscription)" }
            lines += state.messages.values.sorted { $0.published.key < $1.published.key }.map {
                "  message \($0.published.name) \($0.published.correlationKey) pending \($0.pending) sent \($0.sent.count)"
            }
            lines += state.uniqueKeys.values.sorted { $0.owner < $1.owner }.map {
                "  unique \($0.owner) \($0.expiresAt)"
            }
            lines += state.startTimers.keys.sorted().map { "  start timer \($0)" }
            lines += state.deadLetters.values.sorted { $0.key < $1.key }.map { "  dead letter \($0.key) \($0.origin)" }
            lines += state.versions.sorted { $0.key < $1.key }.map { "  version \($0.value.version) of \($0.key)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private func allKeys(_ harness: EngineHarness) -> [[UInt64]] {
        harness.partitions.indices.map { harness.liveInstanceKeys($0) }
    }

    /// Builds engines from what a version wrote.
    private func rebuild(_ version: String, fromCheckpoint: Bool) throws -> String {
        func lines(_ name: String) throws -> [[Substring]] {
            try String(contentsOf: Self.folder.appending(path: "\(version)/\(name)"), encoding: .utf8)
                .split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: false) }
        }
        let registry = DefinitionRegistry()
        func deploy(_ deployed: ProcessDeployed) {
            let processes = BPMNImporter.read(deployed.resource, file: nil, checksConstraints: false).processes
            guard let process = processes.first(where: { $0.id == deployed.processID }) else { return }
            registry.add(
                DeployedProcess(
                    key: Key(rawValue: deployed.key), version: Int(deployed.version),
                    resourceName: deployed.resourceName, deploymentKey: Key(rawValue: deployed.deploymentKey),
                    process: process))
        }
        let stores = [MemoryStore(), MemoryStore()]
        let engines = (0..<2).map {
            PartitionEngine(partition: $0, partitionCount: 2, definitions: registry, source: stores[$0])
        }
        var skipped = 0
        if fromCheckpoint {
            let rows = try lines("checkpoint")
            skipped = try #require(Int(rows[0][0]))
            for row in rows.dropFirst() {
                let partition = try #require(Int(row[0]))
                let entity = PartitionCheckpoint.Entity(
                    kind: try #require(UInt8(row[1])), key: try #require(UInt64(row[2])),
                    index: row[3] == "-" ? nil : row[3].hexBytes, state: try #require(row[4].hexBytes))
                stores[partition].write(PartitionCheckpoint(changed: [entity]))
            }
            for index in 0..<2 {
                for row in stores[index].rows.values where row.kind == EntityKinds.definition {
                    for event in try decodeEvents(row.state) {
                        if case .processDeployed(let deployed) = event { deploy(deployed) }
                    }
                }
                try stores[index].restore(into: engines[index])
            }
        }
        var created: [[UInt64]] = stores.map { $0.keys(of: EntityKinds.instance) }
        for (number, line) in try lines("journal").enumerated() where number >= skipped {
            let partition = try #require(Int(line[0]))
            let payload = try #require(line[1].hexBytes)
            for event in try decodeEvents(payload) {
                if case .processDeployed(let deployed) = event { deploy(deployed) }
                if case .instanceCreated(let instance) = event { created[partition].append(instance.key) }
            }
            try payload.withUnsafeBytes { try engines[partition].replay($0) }
        }
        return summary(engines, keys: created)
    }

    @Test("there is a golden journal, and the scenario has every event")
    func exists() throws {
        #expect(Self.versions.contains("1"))
        let harness = EngineHarness(partitions: 2)
        harness.recordsEvents = true
        try scenario(harness, halfway: {})
        var types: Set<UInt8> = []
        for event in harness.events {
            var writer = ByteWriter()
            var codec = EventCodec()
            codec.write(event, into: &writer)
            types.formUnion(writer.bytes.prefix(1))
        }
        #expect(Set(1...53).subtracting(types) == [])
    }

    @Test("a journal of an earlier version rebuilds the state it had", arguments: versions, [false, true])
    func replays(version: String, fromCheckpoint: Bool) throws {
        let expected = try String(contentsOf: Self.folder.appending(path: "\(version)/state"), encoding: .utf8)
        #expect(try rebuild(version, fromCheckpoint: fromCheckpoint) == expected)
    }

    @Test("the newest golden journal is what this version writes")
    func current() throws {
        let (journal, checkpoint, state) = try record()
        if let version = ProcessInfo.processInfo.environment["JUNCTION_WRITE_GOLDEN"], !Self.versions.contains(version)
        {
            let folder = Self.folder.appending(path: version)
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (name, text) in [("journal", journal), ("checkpoint", checkpoint), ("state", state)] {
                try text.write(to: folder.appending(path: name), atomically: true, encoding: .utf8)
            }
        }
        let newest = try #require(Self.versions.last)
        let written = try String(contentsOf: Self.folder.appending(path: "\(newest)/journal"), encoding: .utf8)
        #expect(journal == written, "if what is written changed on purpose, keep the old directory and add a new one")
    }

    private func record() throws -> (journal: String, checkpoint: String, state: String) {
        let harness = EngineHarness(partitions: 2)
        var journal = ""
        var batches = 0
        harness.committed = { partition, payload in
            journal += "\(partition) \(payload.hex)\n"
            batches += 1
        }
        var checkpoint = ""
        try scenario(harness) {
            harness.checkpointAll()
            checkpoint = "\(batches)\n"
            for (index, partition) in harness.partitions.enumerated() {
                for row in partition.store.rows.values.sorted(by: { ($0.kind, $0.key) < ($1.kind, $1.key) }) {
                    checkpoint += "\(index) \(row.kind) \(row.key) \(row.index?.hex ?? "-") \(row.state.hex)\n"
                }
            }
        }
        return (journal, checkpoint, summary(harness.partitions.map(\.engine), keys: allKeys(harness)))
    }
}
