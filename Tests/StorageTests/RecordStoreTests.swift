import Dispatch
import Storage
import StorageTestSupport
import Testing
import Values

@Suite struct RecordStoreTests {
    @Test func rowsAndPositionsAreWrittenTogetherOrNotAtAll() throws {
        let fixture = try RecordFixture()
        var batch = RecordBatch()
        batch.positions = [(0, 5), (3, 2)]
        batch.instances = [.sample(key: 1)]
        try fixture.store.apply(batch)
        #expect(try fixture.store.projectedSequences() == [5, 0, 0, 2])
        #expect(try fixture.store.durableSequences() == [5, 0, 0, 2])

        batch.instances = [.sample(key: 2)]
        batch.positions = [(1, 1), (0, 5)]
        #expect(try storeError { try fixture.store.apply(batch) }?.code == .misuse)
        #expect(try fixture.store.projectedSequences() == [5, 0, 0, 2])
        #expect(try fixture.reader.processInstance(key: 2) == nil)
        #expect(try fixture.reader.totals().activeInstances == 1)

        batch.positions = [(1, 1), (0, 6)]
        try fixture.store.apply(batch)
        #expect(try fixture.store.projectedSequences() == [6, 1, 0, 2])
        #expect(try fixture.reader.processInstance(key: 2) != nil)
    }

    @Test func positionsAreThereAfterReopening() throws {
        let directory = TemporaryDirectory()
        for sequence: UInt64 in 0..<3 {
            let store = try SQLiteRecordStore(directory: directory.path, partitionCount: 1)
            defer { store.close() }
            #expect(try store.durableSequences() == [sequence])
            var batch = RecordBatch()
            batch.positions = [(0, sequence + 1)]
            try store.apply(batch)
        }
    }

    /// Fails the N-th write of a projector batch for N = 1, 2, …: it is written with its position or not at all.
    @Test(arguments: [true, false])
    func aFailingDiskNeverTearsABatch(isFull: Bool) throws {
        var number = 0
        var wasHit = true
        while wasHit {
            number += 1
            let vfs = FaultVFS()
            let fixture = try RecordFixture(options: SQLiteOptions(vfs: vfs.name))
            vfs.arm(.init(.write, number: number, isFull: isFull))
            for sequence: UInt64 in 1...3 {
                var batch = RecordBatch()
                batch.positions = [(0, sequence)]
                batch.instances = [.sample(key: sequence, path: [UInt8](repeating: 1, count: 9_000))]
                if try storeError({ try fixture.store.apply(batch) }) != nil {
                    #expect(try fixture.store.projectedSequences()[0] == sequence - 1, "write \(number)")
                    try fixture.store.apply(batch)
                }
                #expect(try fixture.store.projectedSequences()[0] == sequence, "write \(number)")
                #expect(try fixture.reader.totals().activeInstances == Int(sequence), "write \(number)")
            }
            wasHit = vfs.wasHit
            try #require(number < 100)
        }
        #expect(number > 5)
    }

    @Test func aPathGrowsOverBatchesAndKeepsItsOrder() throws {
        let fixture = try RecordFixture()
        var path: [UInt8] = []
        for (step, size) in [3, 500, 520, 2, 5_000, 1, 700].enumerated() {
            let part = [UInt8](repeating: UInt8(step), count: size)
            path += part
            var batch = RecordBatch()
            batch.instances = [.sample(key: 9, path: part)]
            try fixture.store.apply(batch)
            #expect(try fixture.reader.processInstance(key: 9)?.record.path == path)
            #expect(try fixture.store.instance(key: 9)?.path == path)
        }
        var batch = RecordBatch()
        batch.instances = [.sample(key: 9, state: .completed)]
        try fixture.store.apply(batch)
        let record = try #require(try fixture.reader.processInstance(key: 9)?.record)
        #expect(record.path == path)
        #expect(record.state == .completed)
        #expect(record.endedAt == 2_000)
        #expect(try fixture.store.instance(key: 10) == nil)
    }

    @Test func everyFieldComesBack() throws {
        let fixture = try RecordFixture.world()
        let instance = try #require(try fixture.reader.processInstance(key: 5))
        #expect(instance.record.parentInstanceKey == 3)
        #expect(instance.record.parentElementInstanceKey == 33)
        #expect(instance.definition?.processID == "invoices")
        #expect(instance.definition?.version == 1)
        #expect(try fixture.reader.processInstance(key: 8)?.record.businessID == "case-8")
        let instances = try fixture.reader.processInstances(Query()).items
        for row in instances {
            let stored = try #require(try fixture.store.instance(key: row.record.key))
            #expect("\(stored)" == "\(row.record)")
        }

        let job = try #require(try fixture.reader.jobs(Query()).items.last)
        var expectedJob = JobRecord.sample(key: 504, instanceKey: 4, definitionKey: 101)
        (expectedJob.state, expectedJob.retries, expectedJob.type) = (3, 3, "mail")
        #expect("\(job.record)" == "\(expectedJob)")
        #expect(job.definition?.versionTag == "beta")

        let task = try #require(try fixture.reader.userTasks(Query()).items.dropFirst().first?.record)
        #expect(task.candidateGroups == ["sales", "legal"])
        #expect(task.dueDate == "2026-02-01T00:00:00Z")
        #expect(task.formKey == "form")
        let incident = try #require(try fixture.reader.incidents(Query()).items.first?.record)
        #expect(incident.jobKey == 502 && incident.remedy == "Try again." && incident.message == "503 from vendor")
        let letter = try #require(try fixture.reader.deadLetters(Query()).items.first)
        #expect(letter.coordinates == Array("{\"line\":1}".utf8) && letter.payload == [1] && letter.endedAt == nil)
        #expect(try fixture.reader.audit(Query()).items.map(\.detail) == ["{}", nil, nil])
    }

    @Test func definitionsComeWithTheirDocuments() throws {
        let fixture = try RecordFixture.world()
        #expect(try fixture.reader.processDefinition(key: 100)?.resource == Array("<orders 1>".utf8))
        #expect(try fixture.reader.processDefinition(key: 1) == nil)
        #expect(try fixture.reader.latestProcessDefinition(processID: "orders")?.version == 2)
        #expect(try fixture.reader.latestProcessDefinition(processID: "none") == nil)
        // Version 2 is searched by instances before it is known.
        #expect(try fixture.reader.processDefinitions(Query()).items[0].resource.isEmpty)
    }

    @Test func variablesAreListedByScopeAndOverwritten() throws {
        let fixture = try RecordFixture.world()
        var batch = RecordBatch()
        batch.variables = [
            VariableRecord(
                instanceKey: 1, scopeKey: 1, name: "amount", value: VariableValue(json: Array("[1, 2]".utf8)))
        ]
        try fixture.store.apply(batch)
        let variables = try fixture.reader.variables(instanceKey: 1)
        #expect(variables.map(\.name) == ["amount", "local"])
        #expect(variables.map(\.scopeKey) == [1, 71])
        #expect(variables.map { String(decoding: $0.value.json, as: UTF8.self) } == ["[1, 2]", "true"])
        #expect(try fixture.reader.variables(instanceKey: 99).isEmpty)
    }

    @Test func totalsFollowEveryChange() throws {
        let fixture = try RecordFixture.world()
        var expected = RecordTotals()
        (expected.activeInstances, expected.completedInstances, expected.terminatedInstances) = (6, 4, 2)
        (expected.instancesWithIncidents, expected.openIncidents, expected.openUserTasks) = (2, 2, 3)
        (expected.jobs, expected.timers, expected.bufferedMessages, expected.parkedDeadLetters) = (4, 3, 1, 1)
        expected.definitions = 3
        #expect(try fixture.reader.totals() == expected)

        var batch = RecordBatch()
        batch.instances = [
            .sample(key: 1, definitionKey: 101, state: .completed), .sample(key: 20, definitionKey: 103),
        ]
        batch.endedJobs = [501, 999]
        batch.endedTimers = [801, 999]
        try fixture.store.apply(batch)
        (expected.completedInstances, expected.jobs, expected.timers) = (5, 3, 2)
        #expect(try fixture.reader.totals() == expected)
        #expect(
            try fixture.reader.instanceTotals() == [
                ProcessInstanceTotal(definitionKey: 100, active: 2, completed: 1, terminated: 1),
                ProcessInstanceTotal(definitionKey: 101, active: 1, completed: 3, terminated: 0),
                ProcessInstanceTotal(definitionKey: 102, active: 2, completed: 1, terminated: 1),
                ProcessInstanceTotal(definitionKey: 103, active: 1, completed: 0, terminated: 0),
            ])
    }

    @Test func changesOfEarlierRowsKeepWhatTheyDoNotName() throws {
        let fixture = try RecordFixture.world()
        var batch = RecordBatch()
        batch.jobChanges = [
            JobChange(key: 502, state: 2, retries: 7, deadline: 42, errorMessage: "again"),
            JobChange(key: 503, state: 0),
            JobChange(key: 999, state: 1),
        ]
        batch.userTaskChanges = [
            UserTaskChange(key: 601, assignee: .some(nil)), UserTaskChange(key: 602, assignee: "cid"),
            UserTaskChange(key: 603, state: 2, endedAt: 77),
        ]
        batch.incidentChanges = [IncidentChange(key: 702, resolvedAt: 55)]
        batch.messageChanges = [
            MessageChange(key: 901, state: 1, instanceKey: 4), MessageChange(key: 902, state: 2),
        ]
        batch.timerChanges = [TimerChange(key: 801, dueAt: 1)]
        batch.deadLetterChanges = [DeadLetterChange(key: 951, state: 1, endedAt: 66)]
        batch.endedTimerOwners = [(instanceKey: 2, elementInstanceKey: 1)]
        try fixture.store.apply(batch)

        let jobs = try fixture.reader.jobs(Query()).items.map(\.record)
        #expect(jobs.map(\.state) == [0, 2, 0, 3])
        #expect(jobs.map(\.retries) == [0, 7, 2, 3])
        #expect(jobs.map(\.deadline) == [nil, 42, nil, nil])
        #expect(jobs.map(\.errorMessage) == [nil, "again", "refused [1]", nil])
        #expect(jobs.map(\.worker) == [nil, nil, nil, nil])
        let tasks = try fixture.reader.userTasks(Query()).items.map(\.record)
        #expect(tasks.map(\.assignee) == [nil, "cid", nil, nil])
        #expect(tasks.map(\.state) == [0, 0, 2, 1])
        #expect(tasks.map(\.endedAt) == [nil, nil, 77, 3_000])
        #expect(try fixture.reader.incidents(Query()).items.map(\.record.resolvedAt) == [55, nil, 9])
        let messages = try fixture.reader.messages(Query()).items
        #expect(messages.map(\.state) == [1, 1, 2])
        #expect(messages.map(\.instanceKey) == [4, 7, nil])
        #expect(try fixture.reader.timers(Query()).items.map(\.record.dueAt) == [1, 4_998, 4_997])
        #expect(try fixture.reader.deadLetters(Query()).items[0].endedAt == 66)
    }

    @Test func aDeadLetterKeepsWhatWasReceivedAndIsForgottenAfterItsTime() throws {
        let fixture = try RecordFixture.world()
        var batch = RecordBatch()
        batch.positions = [(0, 8)]
        var record = try #require(try fixture.reader.deadLetters(Query()).items.first)
        record.key = 990
        (record.kind, record.connection, record.jobKey, record.parentKey) = (1, "bank", 502, 951)
        (record.orderingKey, record.schemaID) = ("o-1", "order.json")
        (record.headers, record.report) = (Array("{\"h\":1}".utf8), Array("{}".utf8))
        batch.deadLetters = [record]
        for payload: UInt8 in [8, 9] {
            var edit = DeadLetterChange(key: 990, updatedAt: Int64(payload))
            edit.payload = [payload]
            batch.deadLetterChanges.append(edit)
        }
        var replay = DeadLetterChange(key: 990, updatedAt: 70)
        (replay.state, replay.redriveCount, replay.report) = (4, 5, Array("{\"attempts\":2}".utf8))
        batch.deadLetterChanges.append(replay)
        batch.purgedDeadLetters = [952]
        try fixture.store.apply(batch)
        var filter = DeadLetterFilter()
        (filter.kind, filter.connection, filter.jobKey) = ([.equal(1)], [.equal("bank")], [.equal(502)])
        filter.parentKey = [.equal(951)]
        let found = try #require(try fixture.reader.deadLetters(Query(filter: filter)).items.first)
        for change in batch.deadLetterChanges { record.apply(change) }
        #expect("\(found)" == "\(record)")
        #expect(found.originalPayload == [1] && found.payload == [9] && found.state == 4 && found.endedAt == nil)
        #expect(try fixture.reader.deadLetters(Query()).items.map(\.key) == [951, 953, 990])
    }

    @Test func candidatesOfATaskAreReplaced() throws {
        let fixture = try RecordFixture.world()
        var task = UserTaskRecord.sample(key: 602)
        task.candidateGroups = ["legal", "board \"x\""]
        var batch = RecordBatch()
        batch.userTasks = [task]
        try fixture.store.apply(batch)
        let rows: [(group: String, keys: [UInt64])] = [
            ("sales", []), ("legal", [602, 603, 604]), ("board \"x\"", [602]),
        ]
        for row in rows {
            var filter = UserTaskFilter()
            filter.candidateGroup = [.equal(row.group)]
            #expect(try fixture.reader.userTasks(Query(filter: filter)).items.map(\.record.key) == row.keys)
        }
    }

    @Test func readersRunBesideTheWriterOnManyThreads() throws {
        let fixture = try RecordFixture.world()
        let reader = fixture.reader
        let store = fixture.store
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for round in 0..<20 {
                if thread == 0 {
                    var batch = RecordBatch()
                    batch.positions = [(1, UInt64(round + 1))]
                    batch.instances = [.sample(key: UInt64(1_000 + round))]
                    #expect(throws: Never.self) { try store.apply(batch) }
                } else {
                    let page = try? reader.processInstances(Query())
                    #expect(page?.total == page?.items.count)
                }
            }
        }
        #expect(try reader.totals().activeInstances == 26)
    }

    @Test func whatIsClosedSaysSo() throws {
        let fixture = try RecordFixture.world()
        fixture.reader.close()
        #expect(try storeError { _ = try fixture.reader.totals() }?.code == .closed)
        fixture.store.close()
        fixture.store.close()
        #expect(try storeError { try fixture.store.apply(RecordBatch()) }?.code == .closed)
        #expect(try storeError { _ = try fixture.store.projectedSequences() }?.code == .closed)
        #expect(fixture.store.sizeBytes() > 0)
        #expect(fixture.store.checkpointFailure == nil)
    }

    @Test func aReaderNeedsAFile() throws {
        let directory = TemporaryDirectory()
        #expect(try storeError { _ = try SQLiteRecordReader(directory: directory.path) }?.code == .io)
    }
}
