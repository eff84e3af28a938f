import ConnectorKit
import Storage
import Synchronization
import Testing
import Values

@testable import Hub

/// What a tenure of a test did.
private final class Trace: Sendable {
    private let entries = Mutex<[String]>([])
    private let gate = Mutex(false)

    func add(_ entry: String) { self.entries.withLock { $0.append(entry) } }
    func open() { self.gate.withLock { $0 = true } }

    var all: [String] { self.entries.withLock { $0 } }
    var isOpen: Bool { self.gate.withLock { $0 } }

    func has(_ entry: String) -> Bool { self.all.contains(entry) }

    /// Reads until the gate opens or the task is cancelled.
    func read(_ clock: SteppedClock) async throws {
        while !self.isOpen { try await clock.sleep(for: .milliseconds(200)) }
    }
}

@Suite struct OwnershipTests {
    private let store = OwnersInMemory()
    private let clock = SteppedClock()

    private func node(_ name: String) -> SourceOwnership {
        SourceOwnership(store: self.store, node: name, clock: self.clock, random: { 0.5 })
    }

    @Test func ownsKeepsAndGivesBack() async throws {
        let ownership = self.node("a")
        let result = try await ownership.run(trigger: "orders", resources: ["file:in/*.csv"]) { memory, tenure in
            #expect(try await memory.load() == nil)
            try await memory.save(["offset": 5])
            #expect(!tenure.isLost)
            return try await memory.load()
        }
        #expect(result == ["offset": 5])
        let owned = try await ownership.owned()
        #expect(owned.map(\.resource) == ["file:in/*.csv", "trigger:orders"])
        #expect(owned.map(\.owner) == [nil, nil])
        #expect(owned.last?.position == ["offset": 5])
    }

    @Test func anotherNodeStandsByAndTakesOverTheRest() async throws {
        let (first, second) = (Trace(), Trace())
        let clock = self.clock
        let one = Task {
            try await self.node("a").run(trigger: "orders") { memory, _ in
                try await memory.save(1)
                first.add("reads")
                try await first.read(clock)
            }
        }
        await eventually("the first node reads") { first.has("reads") }
        let two = Task {
            try await self.node("b").run(
                trigger: "orders", onStandby: { second.add("stands by for \($0?.owner ?? "nobody")") }
            ) { memory, _ in
                second.add("goes on at \(try await memory.load().map { "\($0)" } ?? "nothing")")
            }
        }
        // Many leases later the first still has it.
        await self.clock.advance(whenAsleep: 3) { self.clock.now > .seconds(200) && second.all.count > 3 }
        #expect(Set(second.all) == ["stands by for a/orders"])
        first.open()
        await self.clock.advance(whenAsleep: 1) { second.has("goes on at 1") }
        try await one.value
        try await two.value
    }

    @Test func aNodeThatCannotRenewStopsBeforeAnotherBegins() async throws {
        let (first, second) = (Trace(), Trace())
        let clock = self.clock
        let one = Task {
            try await self.node("a").run(trigger: "orders") { memory, tenure in
                first.add("reads")
                do { try await first.read(clock) } catch { first.add("cancelled, lost: \(tenure.isLost)") }
            }
        }
        await eventually("the first node reads") { first.has("reads") }
        self.store.setFailing(true)
        await self.clock.advance(whenAsleep: 2) { !first.all.dropFirst().isEmpty }
        #expect(first.all.last == "cancelled, lost: true")
        #expect(self.clock.now <= .seconds(31))
        let error = await #expect(throws: ConnectorError.self) { try await one.value }
        #expect(error?.code == "HB610" && error?.isRetryable == true)
        let two = Task { try await self.node("b").run(trigger: "orders") { _, _ in second.add("reads") } }
        self.store.setFailing(false)
        await self.clock.advance(whenAsleep: 1) { second.has("reads") }
        try await two.value
    }

    @Test func aNodeThatWasTakenOverCannotSave() async throws {
        let error = await #expect(throws: ConnectorError.self) {
            try await self.node("a").run(trigger: "orders") { [store] memory, tenure in
                try await memory.save(1)
                // The lease ended while nothing ran here; somebody else came.
                _ = try store.acquire("trigger:orders", owner: "b/orders", until: .max, now: .max)
                #expect(!tenure.isLost)
                defer { #expect(tenure.isLost) }
                try await memory.save(2)
            }
        }
        #expect(error?.code == "HB610")
        #expect(self.store.state.withLock { $0.saves.count } == 1)
        #expect(self.store.state.withLock { $0.rows["trigger:orders"]?.owner } == "b/orders")
    }

    @Test func aRenewalThatIsRefusedEndsTheReading() async throws {
        let trace = Trace()
        let clock = self.clock
        let task = Task {
            try await self.node("a").run(trigger: "orders") { _, _ in
                trace.add("reads")
                try await trace.read(clock)
            }
        }
        await eventually("the node reads") { trace.has("reads") }
        _ = try self.store.acquire("trigger:orders", owner: "b/orders", until: .max, now: .max)
        let ended = Mutex(false)
        let watcher = Task {
            let error = await #expect(throws: ConnectorError.self) { try await task.value }
            #expect(error?.message.contains("taken") == true)
            ended.withLock { $0 = true }
        }
        await self.clock.advance(whenAsleep: 2) { ended.withLock { $0 } }
        await watcher.value
        #expect(self.clock.now <= .seconds(12))
    }

    @Test func whatCannotBeArmedGivesWayAtOnce() async throws {
        struct Refused: Error {}
        await #expect(throws: Refused.self) {
            try await self.node("a").run(trigger: "orders", resources: ["slot:pg/s"]) { _, _ in throw Refused() }
        }
        #expect(self.store.state.withLock { $0.rows.values.allSatisfy { $0.owner == nil } })
        try await self.node("b").run(trigger: "orders", resources: ["slot:pg/s"]) { _, _ in }
        #expect(self.clock.now == .zero)
    }

    @Test func takesAllOrNothing() async throws {
        _ = try self.store.acquire("slot:pg/s", owner: "b/other", until: .max, now: 0)
        let trace = Trace()
        let task = Task {
            try await self.node("a").run(
                trigger: "orders", resources: ["file:in/x", "slot:pg/s"],
                onStandby: { trace.add($0.map { "\($0.resource) of \($0.owner ?? "")" } ?? "") }
            ) { _, _ in trace.add("reads") }
        }
        await eventually("the node stands by") { !trace.all.isEmpty }
        #expect(trace.all == ["slot:pg/s of b/other"])
        #expect(self.store.state.withLock { $0.rows["file:in/x"]?.owner } == nil)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
    }

    @Test func twoPartsOfOneProcessDoNotShare() async throws {
        let ownership = self.node("a")
        let (first, second) = (Trace(), Trace())
        let clock = self.clock
        // The same trigger twice, as when a new revision is armed before the old one has ended.
        let one = Task {
            try await ownership.run(trigger: "orders") { memory, _ in
                first.add("reads")
                try await first.read(clock)
                try await memory.save(7)
            }
        }
        await eventually("the first reads") { first.has("reads") }
        let two = Task {
            try await ownership.run(trigger: "orders", onStandby: { second.add("\($0 == nil)") }) { memory, _ in
                second.add("goes on at \(try await memory.load().map { "\($0)" } ?? "nothing")")
            }
        }
        await eventually("the second waits") { second.has("true") }
        first.open()
        await self.clock.advance(whenAsleep: 1) { second.has("goes on at 7") }
        try await one.value
        try await two.value
    }

    @Test func aRestartedNodeNeedNotWaitForItself() async throws {
        // Killed: its lease runs, and nobody gives it back.
        _ = try self.store.acquire("trigger:orders", owner: "a/orders", until: .max, now: 0)
        try await self.node("a").run(trigger: "orders") { memory, _ in try await memory.save(1) }
        #expect(self.clock.now == .zero)
    }

    @Test func waitsForATableOfOwnersThatFails() async throws {
        self.store.setFailing(true)
        let trace = Trace()
        let task = Task {
            try await self.node("a").run(
                trigger: "orders", onStandby: { _ in trace.add("stands by") }, onTrouble: { trace.add($0.code) }
            ) { _, _ in
                trace.add("reads")
            }
        }
        await self.clock.advance(whenAsleep: 1) { trace.all.count > 2 }
        self.store.setFailing(false)
        await self.clock.advance(whenAsleep: 1) { trace.has("reads") }
        try await task.value
        #expect(Set(trace.all) == ["HB612", "reads"])
    }

    @Test func saysWhatFailsInTheTableOfOwners() async throws {
        let ownership = self.node("a")
        try await ownership.run(trigger: "orders") { [store] memory, _ in
            store.setFailing(true)
            defer { store.setFailing(false) }
            for attempt in [{ try await memory.save(1) }, { _ = try await memory.load() }]
                as [@Sendable () async throws -> Void]
            {
                let error = await #expect(throws: ConnectorError.self) { try await attempt() }
                #expect(error?.code == "HB612" && error?.isRetryable == true)
            }
        }
        self.store.state.withLock { $0.rows["trigger:orders"]?.memory = [255, 1, 2] }
        let error = await #expect(throws: ConnectorError.self) { try await ownership.owned() }
        #expect(error?.code == "HB612" && error?.message.contains("trigger:orders") == true)
    }

    @Test func forgetsThePositionOfWhatNobodyReads() async throws {
        let ownership = self.node("a")
        try await ownership.run(trigger: "orders") { memory, _ in
            try await memory.save(1)
            #expect(try await !ownership.forgetPosition(of: "orders"))
        }
        #expect(try await ownership.forgetPosition(of: "orders"))
        #expect(try await ownership.owned(prefix: "trigger:").first?.position == nil)
    }

    // MARK: Names

    @Test(
        arguments: [
            ("file", "inbox", ["dir": "./in/", "pattern": "*.csv"], ["file:inbox/in/*.csv"]),
            (
                "file", "inbox", ["dir": "in", "pattern": ["*.csv", "*.xml"]],
                ["file:inbox/in/*.csv", "file:inbox/in/*.xml"]
            ),
            ("file", "inbox", ["dir": "."], ["file:inbox/*"]), ("file", "inbox", [:], []),
            ("file", "inbox", ["dir": "/var/in"], ["file:inbox//var/in/*"]),
            ("amqp", "mq", ["queue": "orders"], ["amqp:mq/orders"]), ("amqp", "mq", ["queue": 5], []),
            ("redis", "r", ["stream": "s", "group": "g"], ["redis:r/s/g"]),
            ("sqs", "aws", ["queueUrl": "https://sqs/1/q"], ["sqs:aws/https://sqs/1/q"]),
            ("kafka", "bus", ["topics": ["a", "b"], "group": "g"], ["kafka:bus/g/a", "kafka:bus/g/b"]),
            ("objectStore", "s3", ["bucket": "b", "prefix": "in/"], ["object:s3/b/in/"]),
            ("imap", "mail", [:], ["mailbox:mail/INBOX"]), ("postgresCdc", "pg", ["slot": "s"], ["slot:pg/s"]),
            ("webhook", nil, ["path": "hooks//x/"], ["webhook:/hooks/x"]),
            ("cloudevents", nil, ["path": "/events"], ["webhook:/events"]), ("api", nil, ["operation": "o"], ["api:o"]),
            ("cron", nil, ["schedule": "* * * * *"], []), ("postgresListen", "pg", ["channel": "c"], []),
        ] as [(String, String?, Value, [String])])
    func namesWhatIsOwned(_ row: (type: String, connection: String?, parameters: Value, names: [String])) {
        #expect(
            SourceOwnership.resources(of: row.type, connection: row.connection, parameters: row.parameters)
                == row.names)
    }

    @Test func refusesWhatTwoTriggersRead() {
        let found = SourceOwnership.conflicts([
            ("a", ["file:inbox/in/*.csv", "file:inbox/in/x.txt"]), ("b", ["amqp:mq/orders"]),
            ("c", ["file:inbox/in/order-*"]), ("d", ["file:inbox/out/*"]), ("e", ["amqp:mq/orders"]),
            ("f", ["file:other/in/*.csv"]), ("g", ["slot:pg/s"]),
        ])
        #expect(found.map(\.code) == ["HB611", "HB611"])
        #expect(found.first?.message.contains("a and c") == true && found.last?.message.contains("b and e") == true)
    }

    @Test(arguments: [
        ("*.csv", "*.csv", true), ("*.csv", "*.xml", false), ("*.csv", "order*", true), ("a?c", "ab*", true),
        ("a?c", "ab", false), ("x*y*z", "xyz", true), ("[ab].csv", "c.csv", true), ("*", "", true), ("a", "", false),
        ("\\*.csv", "a.csv", false), ("*a", "b*", true), ("*a", "*b", false), ("a*", "b*", false),
    ])
    func knowsWhetherPatternsMeet(_ row: (one: String, other: String, meet: Bool)) {
        #expect(PatternOverlap.exists(row.one, row.other) == row.meet)
        #expect(PatternOverlap.exists(row.other, row.one) == row.meet)
    }

    @Test func onlySomeSourcesNeedOneReader() {
        let types = [
            "cron", "webhook", "api", "kafka", "amqp", "redis", "sqs", "objectStore", "postgresCdc", "postgresListen",
            "odbcPoll", "file", "imap", "cloudevents", "capability", "plugin",
        ]
        #expect(
            types.filter { SourceOwnership.needsOneReader($0) } == [
                "cron", "objectStore", "postgresCdc", "postgresListen", "odbcPoll", "file", "imap", "capability",
                "plugin",
            ])
    }
}
