import Engine
import Runtime
import Storage
import StorageTestSupport
import Testing
import Values

/// Rows of the records over their whole life, each step in a transaction of its own; some across a restart, after which
/// the projector knows an instance only from its row.
@Suite struct RecordLifeTests {
    /// Whether the projector still remembers what it wrote.
    enum Memory: String, CaseIterable, Sendable {
        case kept, lost
    }

    /// The same store, after a restart when memory is to be lost.
    private func next(_ harness: RuntimeHarness, _ memory: Memory) throws -> RuntimeHarness {
        memory == .kept ? harness : try harness.restarted()
    }

    @Test(arguments: Memory.allCases)
    func aJobIsShownFromItsOfferToItsEnd(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let instance = try await harness.start("chain").key
        func job() async throws -> JobRecord? { try await harness.read { try $0.jobs(Query()).items.first?.record } }

        var row = try #require(try await job())
        #expect(row.state == 0 && row.retries == 2 && row.type == "work" && row.elementID == "task0")
        #expect(row.instanceKey == instance.rawValue && row.worker == nil)
        let key = Key(rawValue: row.key)

        harness = try next(harness, memory)
        #expect(try await harness.activate(lock: 5_000, wait: 30_000).map(\.key) == [key])
        row = try #require(try await job())
        let deadline = harness.clock.unixMilliseconds() + 5_000
        #expect(row.state == 1 && row.worker == "w" && row.deadline == deadline)

        harness = try next(harness, memory)
        try await harness.runtime.updateJob(key: key, retries: 5, timeoutMilliseconds: 9_000)
        row = try #require(try await job())
        #expect(row.state == 1 && row.retries == 5 && row.worker == "w" && row.deadline == deadline + 4_000)

        harness = try next(harness, memory)
        try await harness.runtime.failJob(
            FailJobRequest(key: key, retries: 1, backoffMilliseconds: 1_000, message: "no answer"))
        row = try #require(try await job())
        #expect(row.state == 2 && row.retries == 1 && row.worker == nil && row.errorMessage == "no answer")
        #expect(row.deadline == harness.clock.unixMilliseconds() + 1_000)

        harness = try next(harness, memory)
        harness.clock.advance(1_001)
        try await harness.eventually("the backoff ends") { try await job()?.state == 0 }
        try await harness.runtime.failJob(
            FailJobRequest(key: key, retries: 0, backoffMilliseconds: 0, message: "gave up"))
        row = try #require(try await job())
        #expect(row.state == 3 && row.retries == 0 && row.errorMessage == "gave up")

        harness = try next(harness, memory)
        let incident = try #require(try await harness.read { try $0.incidents(Query()).items.first?.record })
        #expect(incident.jobKey == key.rawValue && incident.type == "JOB_NO_RETRIES" && incident.resolvedAt == nil)
        #expect(incident.message.hasPrefix("gave up") && !incident.remedy.isEmpty)
        #expect(try await harness.read { try $0.processInstance(key: instance.rawValue)?.record.openIncidents } == 1)
        try await harness.runtime.resolveIncident(key: Key(rawValue: incident.key), actor: "ops")
        row = try #require(try await job())
        #expect(row.state == 0 && row.retries == 2)
        #expect(try await harness.read { try $0.incidents(Query()).items.first?.record.resolvedAt } != nil)

        harness = try next(harness, memory)
        try await harness.runtime.completeJob(key: key, variables: nil)
        #expect(try await job() == nil)
        let ended = try #require(try await harness.read { try $0.processInstance(key: instance.rawValue)?.record })
        #expect(ended.state == .completed && ended.openIncidents == 0 && ended.endedAt != nil)
        let path = try await harness.path(instance)
        #expect(path.map(\.failedAttempts) == [0, 2, 0])
        #expect(path.allSatisfy { $0.endedAt != nil && !$0.isTerminated })
    }

    @Test(arguments: Memory.allCases)
    func aRunOutLockOffersTheJobAgain(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        _ = try await harness.start("chain")
        #expect(try await harness.activate(lock: 1_000, wait: 30_000).count == 1)
        harness = try next(harness, memory)
        harness.clock.advance(1_001)
        try await harness.eventually("the lock runs out") {
            let row = try await harness.read { try $0.jobs(Query()).items.first?.record }
            return row?.state == 0 && row?.worker == nil && row?.deadline == nil
        }
    }

    @Test(arguments: Memory.allCases)
    func aTaskIsShownFromItsCreationToItsEnd(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(
            Model.single("approval", Model.userTask(), beside: Model.timer(at: "task", "PT1H")))
        let first = try await harness.start("approval").key
        func task() async throws -> UserTaskRecord? {
            try await harness.read { try $0.userTasks(Query()).items.last?.record }
        }

        var row = try #require(try await task())
        #expect(row.state == 0 && row.name == "Approve" && row.candidateGroups == ["clerks", "bosses"])
        #expect(row.assignee == nil && row.endedAt == nil)
        let key = Key(rawValue: row.key)

        harness = try next(harness, memory)
        try await harness.runtime.assignUserTask(key: key, assignee: "ann", allowOverride: false, actor: "ann")
        #expect(try await task()?.assignee == "ann")
        harness = try next(harness, memory)
        try await harness.runtime.assignUserTask(key: key, assignee: nil, allowOverride: true, actor: "bob")
        row = try #require(try await task())
        #expect(row.assignee == nil && row.state == 0)

        harness = try next(harness, memory)
        #expect(try await harness.read { try $0.timers(Query()).items.map(\.record.elementID) } == ["late"])
        try await harness.runtime.completeUserTask(
            key: key, variables: Array("{\"ok\":true}".utf8), actor: "bob")
        row = try #require(try await task())
        #expect(row.state == 1 && row.endedAt == harness.clock.unixMilliseconds())
        #expect(try await harness.read { try $0.timers(Query()).items.isEmpty })
        let variables = try await harness.read { try $0.variables(instanceKey: first.rawValue) }
        #expect(variables.map(\.name) == ["ok"] && variables.map(\.scopeKey) == [first.rawValue])

        // The timer interrupts the next one.
        let second = try await harness.start("approval").key
        harness = try next(harness, memory)
        harness.clock.advance(3_600_001)
        try await harness.eventually("the timer fires") {
            try await harness.read { try $0.processInstance(key: second.rawValue)?.record.state } == .completed
        }
        row = try #require(try await task())
        #expect(row.instanceKey == second.rawValue && row.state == 2 && row.endedAt != nil)
        #expect(try await harness.read { try $0.timers(Query()).items.isEmpty })

        let audit = try await harness.read { try $0.audit(Query()).items }
        #expect(
            audit.map { "\($0.actor) \($0.action)" }.sorted() == [
                "ann assign-task", "bob assign-task", "bob complete-task", "test deploy", "test start-instance",
                "test start-instance",
            ])
    }

    /// The task is done although its element cannot end; ending it later must not make the task a cancelled one.
    @Test(arguments: Memory.allCases)
    func aCompletedTaskStaysCompletedWhenItsElementIsCancelledLater(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.deadEnd("approval"))
        let instance = try await harness.start("approval").key
        let key = try #require(try await harness.read { try $0.userTasks(Query()).items.first?.record.key })
        try await harness.runtime.completeUserTask(key: Key(rawValue: key), variables: nil, actor: "ann")
        let incident = try await harness.read { try $0.incidents(Query()).items.first?.record }
        try #require(incident?.elementID == "task")
        #expect(incident?.jobKey == nil)
        harness = try next(harness, memory)
        try await harness.runtime.cancelInstance(key: instance, actor: "ops")
        let row = try #require(try await harness.read { try $0.userTasks(Query()).items.first?.record })
        #expect(row.state == 1)
        let record = try #require(try await harness.read { try $0.processInstance(key: instance.rawValue)?.record })
        #expect(record.state == .terminated && record.openIncidents == 0)
        #expect(try await harness.path(instance).map(\.isTerminated) == [false, true])
        #expect(try await harness.read { try $0.audit(Query()).items.last?.action } == "cancel-instance")
    }

    @Test(arguments: Memory.allCases)
    func aCancelledInstanceTakesEverythingWithIt(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.both("both"))
        _ = try await harness.deploy(Model.calling("outer", "both"), name: "outer.bpmn")
        let instance = try await harness.start("outer").key
        try await harness.eventually("the called process runs") {
            try await harness.read { try $0.jobs(Query()).items.count } == 2
        }
        let called = try #require(
            try await harness.read { reader in
                try reader.processInstances(Query()).items.map(\.record).first { $0.parentInstanceKey != nil }
            })
        #expect(called.parentInstanceKey == instance.rawValue)
        #expect(try await harness.path(instance).last?.calledInstanceKey?.rawValue == called.key)
        harness = try next(harness, memory)
        try await harness.runtime.cancelInstance(key: instance, actor: "ops")
        try await harness.eventually("both end") {
            try await harness.read { try $0.totals().terminatedInstances } == 2
        }
        let totals = try await harness.read { try $0.totals() }
        #expect(totals.jobs == 0 && totals.activeInstances == 0)
        #expect(try await harness.path(Key(rawValue: called.key)).filter(\.isTerminated).count == 2)
    }

    @Test(arguments: Memory.allCases)
    func aMessageIsBufferedCorrelatedOrExpires(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.waiting("waiting"))
        let early = try await harness.publish("wake", "a", timeToLive: 60_000, id: "m1")
        let lost = try await harness.publish("wake", "b", timeToLive: 60_000)
        let again = await #expect(throws: CommandRejection.self) {
            try await harness.publish("wake", "a", timeToLive: 60_000, id: "m1")
        }
        #expect(again?.code == .alreadyExists)
        func message(_ key: Key) async throws -> MessageRecord? {
            try await harness.read { try $0.messages(Query()).items.first { $0.key == key.rawValue } }
        }
        let row = try #require(try await message(early))
        #expect(row.state == 0 && row.messageID == "m1" && row.correlationKey == "a" && row.instanceKey == nil)
        harness = try next(harness, memory)
        let instance = try await harness.start("waiting", "{\"id\":\"a\"}").key
        try await harness.eventually("the instance takes it") {
            let row = try await message(early)
            return row?.state == 1 && row?.instanceKey == instance.rawValue
        }
        harness = try next(harness, memory)
        harness.clock.advance(60_001)
        try await harness.eventually("the other one expires") { try await message(lost)?.state == 2 }
        #expect(try await message(early)?.state == 1)
    }

    @Test(arguments: Memory.allCases)
    func aDeadLetterIsParkedUntilItEnds(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        func letter(_ number: Int) -> NewDeadLetter {
            NewDeadLetter(
                origin: "orders", coordinates: Array("{\"line\":\(number)}".utf8), dedupeKey: "orders:\(number)",
                stage: "decode", errorCode: "X", errorMessage: "no amount", contentType: "text/csv",
                payload: [1, 2, UInt8(number)])
        }
        var keys: [Key] = []
        for number in 0..<3 { keys.append(try await harness.runtime.recordDeadLetter(letter(number))) }
        harness = try next(harness, memory)
        #expect(try await harness.runtime.recordDeadLetter(letter(1)) == keys[1])
        try await harness.runtime.endDeadLetter(key: keys[0], as: .resolved, actor: "ann")
        try await harness.runtime.endDeadLetter(key: keys[2], as: .discarded, actor: "bob")
        let rows = try await harness.read { try $0.deadLetters(Query()).items }
            .sorted { $0.payload.lexicographicallyPrecedes($1.payload) }
        #expect(rows.map(\.state) == [1, 0, 2])
        #expect(rows.map { $0.endedAt == nil } == [false, true, false])
        #expect(rows.map(\.payload) == [[1, 2, 0], [1, 2, 1], [1, 2, 2]])
        #expect(try await harness.read { try $0.totals().parkedDeadLetters } == 1)
        let audit = try await harness.read { try $0.audit(Query()).items }
        #expect(
            audit.map { "\($0.actor) \($0.action)" }.sorted() == ["ann resolve-dead-letter", "bob discard-dead-letter"])
    }

    @Test(arguments: Memory.allCases)
    func variablesShowTheirNewestValueInTheirScope(_ memory: Memory) async throws {
        var harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.eachItem("each"))
        let instance = try await harness.start("each", "{\"items\":[\"a\",\"b\"],\"n\":1}").key
        harness = try next(harness, memory)
        try await harness.runtime.setVariables(
            scope: instance, variables: Array("{\"n\":2}".utf8), local: false, actor: "ann")
        let inner = try await harness.path(instance).filter { $0.role == .multiInstanceInner }
        try #require(inner.map(\.loopCounter) == [1, 2])
        try await harness.runtime.setVariables(
            scope: inner[0].key, variables: Array("{\"n\":3,\"own\":true}".utf8), local: true, actor: "ann")
        let rows = try await harness.read { try $0.variables(instanceKey: instance.rawValue) }
        func value(_ name: String, _ scope: Key) -> String? {
            rows.first { $0.name == name && $0.scopeKey == scope.rawValue }
                .map { String(decoding: $0.value.json, as: UTF8.self) }
        }
        #expect(value("n", instance) == "2")
        #expect(value("n", inner[0].key) == "3")
        #expect(value("own", inner[0].key) == "true")
        #expect(value("item", inner[0].key) == "\"a\"")
        #expect(value("item", inner[1].key) == "\"b\"")
    }

    @Test func aTimerThatStartsProcessesIsShownUntilItIsReplaced() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        func process(_ cycle: String) -> String {
            Model.process(
                "ticking",
                """
                <bpmn:startEvent id="start"><bpmn:timerEventDefinition><bpmn:timeCycle>\(cycle)</bpmn:timeCycle>\
                </bpmn:timerEventDefinition></bpmn:startEvent><bpmn:endEvent id="end"/>\(Model.flow("start", "end"))
                """)
        }
        _ = try await harness.deploy(process("R2/PT1H"))
        func timers() async throws -> [Int64] {
            try await harness.read { try $0.timers(Query()).items.map(\.record.dueAt) }
        }
        let start = harness.clock.unixMilliseconds()
        #expect(try await timers() == [start + 3_600_000])
        harness.clock.advance(3_600_000)
        try await harness.eventually("one starts") {
            try await harness.read { try $0.totals().completedInstances } == 1
        }
        #expect(try await timers() == [start + 7_200_000])
        _ = try await harness.deploy(process("R1/PT2H"))
        let now = harness.clock.unixMilliseconds()
        #expect(try await timers() == [now + 7_200_000])
        harness.clock.advance(7_200_000)
        try await harness.eventually("the new version starts") {
            try await harness.read { try $0.totals().completedInstances } == 2
        }
        #expect(try await timers().isEmpty)
    }

    /// What nobody asked for is in the path, not in the audit log; an actor does not stick to what comes after.
    @Test func theAuditLogNamesWhoAskedForWhat() async throws {
        let harness = try RuntimeHarness()
        defer { harness.stop() }
        _ = try await harness.deploy(Model.sequence("chain", 1))
        let instance = try await harness.start("chain").key
        let job = try #require(try await harness.activate().first)
        try await harness.runtime.completeJob(key: job.key, variables: nil)
        _ = try await harness.publish("nothing", "x")
        let entries = try await harness.read { try $0.audit(Query()).items }
        #expect(entries.map { "\($0.actor) \($0.action)" } == ["test deploy", "test start-instance"])
        #expect(entries.last?.object == "\(instance.rawValue)")
        #expect(entries.first?.detail == "chain")
    }
}
