import Storage
import StorageTestSupport
import Values

/// Records of a small world: two processes, one of them in two versions.
final class RecordFixture {
    let directory = TemporaryDirectory()
    let store: SQLiteRecordStore
    let reader: SQLiteRecordReader

    init(partitionCount: Int = 4, options: SQLiteOptions = SQLiteOptions()) throws {
        self.store = try SQLiteRecordStore(
            directory: self.directory.path, partitionCount: partitionCount, options: options)
        self.reader = try SQLiteRecordReader(directory: self.directory.path, options: options)
    }

    deinit {
        self.reader.close()
        self.store.close()
    }

    /// A world with instances 1 … 12: definitions 100 and 101 (orders v1, v2) and 102 (invoices v1) in turn.
    static func world() throws -> RecordFixture {
        let fixture = try RecordFixture()
        var batch = RecordBatch()
        batch.definitions = [
            .sample(key: 100, "orders", version: 1, name: "Orders"),
            .sample(key: 101, "orders", version: 2, versionTag: "beta", name: "Orders"),
            .sample(key: 102, "invoices", version: 1, name: nil),
        ]
        for key: UInt64 in 1...12 {
            var instance = ProcessInstanceRecord.sample(key: key, definitionKey: 100 + key % 3)
            instance.startedAt = 1_000 + Int64(13 - key) * 10
            if key > 6 {
                instance.state = key > 10 ? .terminated : .completed
                instance.endedAt = 2_000 + Int64(key % 4)
            }
            if key == 2 || key == 4 { instance.openIncidents = Int(key) }
            if key == 5 { (instance.parentInstanceKey, instance.parentElementInstanceKey) = (3, 33) }
            if key % 4 == 0 { instance.businessID = "case-\(key)" }
            batch.instances.append(instance)
        }
        batch.variables = [
            VariableRecord(instanceKey: 1, scopeKey: 1, name: "amount", value: VariableValue(.number(Number(10)))),
            VariableRecord(instanceKey: 1, scopeKey: 71, name: "local", value: VariableValue(.boolean(true))),
            VariableRecord(instanceKey: 2, scopeKey: 2, name: "amount", value: VariableValue(.number(Number(20)))),
            VariableRecord(
                instanceKey: 2, scopeKey: 2, name: "country", value: VariableValue(json: Array("\"SE\"".utf8))),
        ]
        for key: UInt64 in 1...4 {
            var job = JobRecord.sample(key: 500 + key, instanceKey: key, definitionKey: 100 + key % 3)
            job.state = UInt8(key - 1)
            job.retries = Int(key) - 1
            job.type = key % 2 == 0 ? "mail" : "http"
            if key == 2 { (job.worker, job.deadline) = ("worker-1", 9_000) }
            if key == 3 { (job.errorMessage, job.deadline) = ("refused [1]", 8_000) }
            batch.jobs.append(job)
        }
        for key: UInt64 in 1...4 {
            var task = UserTaskRecord.sample(key: 600 + key, instanceKey: key, definitionKey: 100 + key % 3)
            task.elementInstanceKey = 70 + key
            task.priority = 50 + Int(key % 2) * 10
            task.name = key == 4 ? nil : "Task \(key)"
            if key > 1 { task.candidateGroups = key == 2 ? ["sales", "legal"] : ["legal"] }
            if key == 3 { task.candidateUsers = ["ann"] }
            if key < 3 { task.assignee = key == 1 ? "ann" : "bob" }
            if key == 4 { (task.state, task.endedAt) = (1, 3_000) }
            if key == 2 { (task.dueDate, task.followUpDate) = ("2026-02-01T00:00:00Z", "2026-01-01T00:00:00Z") }
            batch.userTasks.append(task)
        }
        batch.incidents = [
            .sample(key: 702, instanceKey: 2, definitionKey: 102, type: "JOB_NO_RETRIES", message: "503 from vendor"),
            .sample(key: 704, instanceKey: 4, definitionKey: 101, type: "CONDITION_ERROR", message: "x is null"),
            .sample(key: 705, instanceKey: 5, definitionKey: 102, type: "CONDITION_ERROR", message: "y", resolvedAt: 9),
        ]
        batch.incidents[0].jobKey = 502
        for key: UInt64 in 1...3 {
            batch.timers.append(
                TimerRecord(
                    key: 800 + key, instanceKey: key == 3 ? nil : key, elementInstanceKey: nil,
                    definitionKey: 100 + key % 3, elementID: "timer", dueAt: 5_000 - Int64(key)))
            batch.messages.append(
                MessageRecord(
                    key: 900 + key, name: key == 3 ? "paid" : "shipped", correlationKey: "order-\(key)",
                    messageID: key == 1 ? "m1" : nil, state: UInt8(key - 1), instanceKey: key == 2 ? 7 : nil,
                    publishedAt: Int64(key), expiresAt: Int64(100 - key)))
            batch.deadLetters.append(
                DeadLetterRecord(
                    key: 950 + key, origin: key == 1 ? "inbox" : "kafka", coordinates: Array("{\"line\":\(key)}".utf8),
                    dedupeKey: "d\(key)", stage: key == 3 ? "transform" : "decode", errorCode: "HB10\(key)",
                    errorMessage: "bad \(key)", contentType: "text/csv", payload: [UInt8(key)],
                    state: UInt8(key - 1), redriveCount: Int(key), createdAt: Int64(key), endedAt: key == 1 ? nil : 5))
            batch.audit.append(
                AuditRecord(
                    key: 970 + key, at: Int64(key) * 10, actor: key == 3 ? "bob" : "ann", action: "task.complete",
                    object: "60\(key)", detail: key == 1 ? "{}" : nil))
        }
        batch.positions = [(0, 7)]
        try fixture.store.apply(batch)
        return fixture
    }
}

extension ProcessDefinitionRecord {
    static func sample(
        key: UInt64, _ processID: String, version: Int, versionTag: String? = nil, name: String?
    ) -> ProcessDefinitionRecord {
        ProcessDefinitionRecord(
            key: key, processID: processID, version: version, versionTag: versionTag, name: name,
            resourceName: "\(processID).bpmn", deploymentKey: 90, resource: Array("<\(processID) \(version)>".utf8),
            deployedAt: 500)
    }
}

extension ProcessInstanceRecord {
    static func sample(
        key: UInt64, definitionKey: UInt64 = 100, state: LifecycleState = .active, path: [UInt8] = []
    ) -> ProcessInstanceRecord {
        ProcessInstanceRecord(
            key: key, definitionKey: definitionKey, parentInstanceKey: nil, parentElementInstanceKey: nil,
            businessID: nil, state: state, startedAt: 1_000, endedAt: state == .active ? nil : 2_000, openIncidents: 0,
            path: path)
    }
}

extension JobRecord {
    static func sample(key: UInt64, instanceKey: UInt64 = 1, definitionKey: UInt64 = 100) -> JobRecord {
        JobRecord(
            key: key, instanceKey: instanceKey, elementInstanceKey: instanceKey + 70, definitionKey: definitionKey,
            elementID: "call", type: "http", state: 0, retries: 3, priority: 50, worker: nil, deadline: nil,
            errorMessage: nil, createdAt: Int64(key))
    }
}

extension UserTaskRecord {
    static func sample(key: UInt64, instanceKey: UInt64 = 1, definitionKey: UInt64 = 100) -> UserTaskRecord {
        UserTaskRecord(
            key: key, instanceKey: instanceKey, elementInstanceKey: 70, definitionKey: definitionKey,
            elementID: "approve", name: "Approve", state: 0, assignee: nil, candidateGroups: [], candidateUsers: [],
            priority: 50, dueDate: nil, followUpDate: nil, formKey: "form", createdAt: Int64(key), endedAt: nil)
    }
}

extension IncidentRecord {
    static func sample(
        key: UInt64, instanceKey: UInt64, definitionKey: UInt64, type: String, message: String,
        resolvedAt: Int64? = nil
    ) -> IncidentRecord {
        IncidentRecord(
            key: key, instanceKey: instanceKey, elementInstanceKey: instanceKey + 70, definitionKey: definitionKey,
            elementID: "call", jobKey: nil, type: type, message: message, remedy: "Try again.", createdAt: Int64(key),
            resolvedAt: resolvedAt)
    }
}
