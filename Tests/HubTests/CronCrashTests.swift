import ConnectorKit
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

/// Remembers a position, and dies on request: before it keeps one, or after.
private final class FragileMemory: SourceMemory {
    struct Died: Error {}

    struct State {
        var kept: Value?
        var dies: (atSave: Int, afterKeeping: Bool)?
        var saves = 0
    }

    let state = Mutex(State())

    func load() async throws -> Value? { self.state.withLock { $0.kept } }

    func save(_ value: Value) async throws {
        try self.state.withLock { state in
            state.saves += 1
            guard let dies = state.dies, dies.atSave <= state.saves else {
                state.kept = value
                return
            }
            if dies.afterKeeping { state.kept = value }
            state.dies = nil
            throw Died()
        }
    }
}

/// What two nodes started, how often, and who read.
private final class Ledger: Sendable {
    let started = Mutex<[String: Int]>([:])
    let readers = Mutex<[String]>([])
}

/// Schedules under failures: every run happens, none twice as far as ids tell.
@Suite struct CronCrashTests {
    private static let start: Int64 = 1_769_850_000

    /// A hub that reads, starts, and acknowledges out of order; which dies anywhere and begins again.
    @Test(arguments: 1...20)
    func everyRunIsStartedWhateverDies(_ seed: Int) async throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let clock = ManualConnectorClock(unixMilliseconds: Self.start * 1_000)
        let memory = FragileMemory()
        let jitter = Bool.random(using: &random) ? "0" : "4s"
        let parameters: Value = [
            "schedule": "*/5 * * * * *", "missed": "all", "maxMissed": 1_000, "jitter": .string(jitter),
        ]
        let end = Self.start + 600
        var started: Set<String> = []
        var emitted = 0
        var lives = 0
        while lives < 10_000, clock.unixMilliseconds < (end + 5) * 1_000 || started.count < 120 {
            lives += 1
            memory.state.withLock { state in
                state.saves = 0
                guard Int.random(in: 0..<3, using: &random) == 0 else { return }
                state.dies = (Int.random(in: 1...6, using: &random), Bool.random(using: &random))
            }
            let source = try CronSource(
                parameters: parameters, trigger: "t", clock: clock, memory: memory, isRunning: { _ in false })
            var out: [EventBatch] = []
            do {
                try await source.connect()
                for _ in 0..<Int.random(in: 1...30, using: &random) {
                    // No position may be kept that lies beyond something that has not been started.
                    try Self.expectNothingLost(memory, started)
                    let maximum = Int.random(in: 1...8, using: &random)
                    if let batch = try await source.read(
                        maximum: maximum, wait: .milliseconds(Int64.random(in: 0...9_000, using: &random)))
                    {
                        #expect(batch.events.count <= maximum)
                        emitted += batch.events.count
                        out.append(batch)
                    }
                    guard let index = out.indices.randomElement(using: &random) else { continue }
                    let batch = out.remove(at: index)
                    if Int.random(in: 0..<5, using: &random) == 0 {
                        try await source.reject(batch.id, .redeliver(after: .seconds(2)))
                    } else {
                        started.formUnion(batch.events.map(\.id))
                        try await source.acknowledge(batch.id)
                    }
                }
            } catch is FragileMemory.Died {}
            // A downtime of less than a grace, or of more.
            clock.advance(by: .milliseconds(Int64.random(in: 0...90_000, using: &random)))
        }
        let due = stride(from: Self.start + 5, through: end, by: 5).map { Timestamp.text($0 * 1_000) }
        #expect(due.filter { !started.contains($0) }.isEmpty, "seed \(seed)")
        #expect(started.allSatisfy { Timestamp.milliseconds($0).map { $0 % 5_000 == 0 } ?? false })
        #expect(emitted >= started.count && started.count >= 120)
    }

    private static func expectNothingLost(_ memory: FragileMemory, _ started: Set<String>) throws {
        guard let decided = memory.state.withLock({ $0.kept?["decided"]?.asString }) else { return }
        let position = try #require(Timestamp.milliseconds(decided)).wholeSeconds
        for instant in stride(from: Self.start + 5, through: position, by: 5)
        where !started.contains(Timestamp.text(instant * 1_000)) {
            Issue.record("the position \(decided) lies beyond \(Timestamp.text(instant * 1_000)), which did not start")
        }
    }

    /// Two nodes with a table of owners in SQLite; the one that reads is cut off again and again.
    @Test func twoNodesStartEveryRunOnce() async throws {
        let folder = try Folder([:])
        let store = try SQLiteSourceStateStore(directory: folder.path)
        defer { store.close() }
        let clock = SteppedClock()
        let first = clock.unixMilliseconds / 1_000
        let ledger = Ledger()
        let nodes = ["a", "b"].map { name in
            Task {
                let ownership = SourceOwnership(store: store, node: name, clock: clock, random: { 0.5 })
                while !Task.isCancelled {
                    try? await ownership.run(trigger: "t") { memory, tenure in
                        ledger.readers.withLock { $0.append(name) }
                        let source = try CronSource(
                            parameters: ["schedule": "*/2 * * * * *", "missed": "all", "maxMissed": 1_000],
                            trigger: "t", clock: clock, memory: memory, isRunning: { _ in false })
                        try await source.connect()
                        // After some batches this node is done for: the last one is started and not acknowledged.
                        for round in 0..<3 where !tenure.isLost {
                            guard let batch = try await source.read(maximum: 50, wait: .seconds(5)) else { continue }
                            ledger.started.withLock { started in
                                for event in batch.events { started[event.id, default: 0] += 1 }
                            }
                            if round < 2 { try await source.acknowledge(batch.id) }
                        }
                    }
                    // It comes back when the other has long taken over.
                    try? await clock.sleep(for: .seconds(20))
                }
            }
        }
        await clock.advance(whenAsleep: 2) {
            ledger.started.withLock { $0.count } >= 100 && Set(ledger.readers.withLock { $0 }) == ["a", "b"]
        }
        for node in nodes { node.cancel() }
        for node in nodes { _ = await node.value }
        let ids = ledger.started.withLock { $0.keys.compactMap { Timestamp.milliseconds($0) }.sorted() }
        let begin = try #require(ids.first)
        // A schedule begins when a node first owns it: when both ask at the same moment, one try later.
        #expect(begin <= (first + 30) * 1_000)
        #expect(ids == ids.indices.map { begin + Int64($0) * 2_000 })
        // What was not acknowledged came again, and nothing else did.
        let repeated = ledger.started.withLock { $0.values.filter { $0 > 1 }.count }
        #expect(repeated > 0 && repeated < ids.count)
    }

    /// Positions and fences outlive the process.
    @Test func positionsOutliveTheProcess() async throws {
        let folder = try Folder([:])
        let clock = SteppedClock()
        let day = try #require(CalendarDate("2026-01-31"))
        for round in 0..<3 {
            let store = try SQLiteSourceStateStore(directory: folder.path)
            let ownership = SourceOwnership(store: store, node: "a", clock: clock, random: { 0.5 })
            let before = try await ownership.run(trigger: "t", resources: ["file:in/*"]) { memory, _ in
                let before = try await memory.load()
                try await memory.save(["round": .number(Number(round)), "day": Value.date(day)])
                return before
            }
            #expect(before?["round"]?.asInt64 == (round == 0 ? nil : Int64(round - 1)))
            #expect(round == 0 || before?["day"] == Value.date(day))
            store.close()
        }
    }
}
