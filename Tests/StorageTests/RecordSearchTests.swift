import Storage
import Testing

/// A filter and the keys it finds, in order.
struct Search<Filter: RecordFilter>: Sendable, CustomStringConvertible {
    let description: String
    let query: Query<Filter>
    let keys: [UInt64]

    init(
        _ description: String, sort: [SortCriterion<Filter.SortField>] = [], finds keys: [UInt64],
        anyOf: [@Sendable (inout Filter) -> Void] = [], where change: @Sendable (inout Filter) -> Void = { _ in }
    ) {
        self.description = description
        var filter = Filter()
        change(&filter)
        let alternatives = anyOf.map { change in
            var filter = Filter()
            change(&filter)
            return filter
        }
        self.query = Query(filter: filter, anyOf: alternatives, sort: sort)
        self.keys = keys
    }

    func check<Row>(_ page: ResultPage<Row>, key: (Row) -> UInt64) {
        #expect(page.items.map(key) == self.keys)
        #expect(page.total == self.keys.count)
        #expect(!page.hasMoreThanTotal)
    }
}

@Suite struct RecordSearchTests {
    @Test(arguments: [
        Search<ProcessInstanceFilter>("everything", finds: Array(1...12)),
        Search("newest first", sort: [.init(.processInstanceKey, isDescending: true)], finds: (1...12).reversed()),
        Search("by key", finds: [3, 7]) { $0.key = [.oneOf([7, 3, 99])] },
        Search("by process id", finds: [1, 3, 4, 6, 7, 9, 10, 12]) { $0.definition.processID = [.equal("orders")] },
        Search("by a process id nobody has", finds: []) { $0.definition.processID = [.equal("none")] },
        Search("by version", finds: [1, 4, 7, 10]) { $0.definition.version = [.greater(1)] },
        Search("by version tag", finds: [1, 4, 7, 10]) { $0.definition.versionTag = [.exists(true)] },
        Search("by name", finds: [2, 5, 8, 11]) { $0.definition.name = [.exists(false)] },
        Search("by definition key", finds: [3, 6, 9, 12]) { $0.definition.key = [.equal(100)] },
        Search("active", finds: Array(1...6)) { $0.state = [.equal(.active)] },
        Search("terminated", finds: [11, 12]) { $0.state = [.equal(.terminated)] },
        Search("ended", finds: Array(7...12)) { $0.state = [.oneOf([.completed, .terminated])] },
        Search("not completed", finds: [1, 2, 3, 4, 5, 6, 11, 12]) { $0.state = [.notEqual(.completed)] },
        Search("neither active nor completed", finds: [11, 12]) { $0.state = [.noneOf([.active, .completed])] },
        Search("by the range of states", finds: [7, 8, 9, 10]) {
            $0.state = [.greater(.active), .less(.terminated), .lessOrEqual(.completed), .greaterOrEqual(.active)]
        },
        Search("by state present", finds: Array(1...12)) { $0.state = [.exists(true)] },
        Search("by state pattern", finds: [7, 8, 9, 10]) { $0.state = [.like("1")] },
        Search("with incidents", finds: [2, 4]) { $0.hasIncident = true },
        Search("without incidents", finds: [1, 3]) {
            $0.hasIncident = false
            $0.key = [.lessOrEqual(4)]
        },
        Search("by business id", finds: [8]) { $0.businessID = [.equal("case-8")] },
        Search("by business id pattern", finds: [4, 8]) { $0.businessID = [.like("case-?")] },
        Search("by any other business id", finds: [4, 12]) {
            $0.businessID = [.notEqual("case-8"), .exists(true)]
        },
        Search("started before", finds: [11, 12]) { $0.startedAt = [.less(1_030)] },
        Search("started between", finds: [10, 11]) { $0.startedAt = [.greaterOrEqual(1_020), .lessOrEqual(1_030)] },
        Search("ended after", finds: [7, 11]) { $0.endedAt = [.greater(2_002)] },
        Search("by parent", finds: [5]) { $0.parentInstanceKey = [.equal(3)] },
        Search("by parent element", finds: [5]) { $0.parentElementInstanceKey = [.equal(33)] },
        Search("by variable", finds: [2]) { $0.variables = [.init(name: "amount", value: [.equal("20")])] },
        Search("by two variables", finds: [2]) {
            $0.variables = [
                .init(name: "amount", value: []), .init(name: "country", value: [.like("\"S*")]),
            ]
        },
        Search("by error message", finds: [2]) { $0.errorMessage = [.like("503*")] },
        Search("by retries left", finds: [3]) { $0.hasRetriesLeft = true },
        Search("by no retries left", finds: [1, 2, 4]) {
            $0.hasRetriesLeft = false
            $0.key = [.less(5)]
        },
        Search(
            "any of two groups", finds: [4, 11],
            anyOf: [{ $0.hasIncident = true }, { $0.state = [.equal(.terminated)] }]
        ) {
            $0.definition.key = [.oneOf([101, 102])]
            $0.key = [.noneOf([2])]
        },
        Search(
            "any of two processes", finds: [1, 2, 4, 5],
            anyOf: [{ $0.definition.processID = [.equal("invoices")] }, { $0.definition.version = [.equal(2)] }]
        ) { $0.key = [.less(7)] },
        Search("by start", sort: [.init(.startDate)], finds: [12, 11]) { $0.state = [.equal(.terminated)] },
        Search(
            "by end, missing first", sort: [.init(.endDate), .init(.processInstanceKey, isDescending: true)],
            finds: [6, 5, 12, 8, 9, 10, 11, 7]
        ) { $0.key = [.greater(4)] },
        Search(
            "by end, newest first", sort: [.init(.endDate, isDescending: true)], finds: [11, 7, 10, 9, 12, 8, 6, 5]
        ) { $0.key = [.greater(4)] },
        Search(
            "by process and version",
            sort: [.init(.processDefinitionId), .init(.processDefinitionVersion, isDescending: true)],
            finds: [5, 2, 4, 1, 6, 3]
        ) { $0.key = [.less(7)] },
    ])
    func processInstances(_ search: Search<ProcessInstanceFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.processInstances(search.query)) { $0.record.key }
    }

    @Test(arguments: [
        Search<JobFilter>("everything", finds: [501, 502, 503, 504]),
        Search("by key", finds: [502]) { $0.key = [.equal(502)] },
        Search("by process", finds: [502]) { $0.definition.processID = [.equal("invoices")] },
        Search("by instance", finds: [503]) { $0.instanceKey = [.equal(3)] },
        Search("by element instance", finds: [503]) { $0.elementInstanceKey = [.equal(73)] },
        Search("by element", finds: [501, 502, 503, 504]) { $0.elementID = [.equal("call")] },
        Search("by type", finds: [502, 504]) { $0.type = [.equal("mail")] },
        Search("by state", finds: [501, 502]) { $0.state = [.oneOf([0, 1])] },
        Search("by retries", finds: [504]) { $0.retries = [.greater(2)] },
        Search("by worker", finds: [502]) { $0.worker = [.like("worker-*")] },
        Search("by no worker", finds: [501, 503, 504]) { $0.worker = [.exists(false)] },
        Search("by deadline", finds: [503]) { $0.deadline = [.less(9_000)] },
        Search("by error", finds: [503]) { $0.errorMessage = [.like("refused [1]")] },
        Search("by creation", finds: [503, 504]) { $0.createdAt = [.greaterOrEqual(503)] },
        Search("by failure with retries", finds: [503]) { $0.hasFailedWithRetriesLeft = true },
        Search("by no failure with retries", finds: [501, 502, 504]) { $0.hasFailedWithRetriesLeft = false },
        Search(
            "by type, then retries", sort: [.init(.type, isDescending: true), .init(.retries, isDescending: true)],
            finds: [504, 502, 503, 501]),
        Search("by worker, missing first", sort: [.init(.worker)], finds: [501, 503, 504, 502]),
    ])
    func jobs(_ search: Search<JobFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.jobs(search.query)) { $0.record.key }
    }

    @Test(arguments: [
        Search<UserTaskFilter>("everything", finds: [601, 602, 603, 604]),
        Search("open", finds: [601, 602, 603]) { $0.state = [.equal(0)] },
        Search("by key", finds: [604]) { $0.key = [.greater(603)] },
        Search("by process", finds: [601, 603, 604]) { $0.definition.processID = [.equal("orders")] },
        Search("by instance", finds: [602]) { $0.instanceKey = [.equal(2)] },
        Search("by element instance", finds: [602]) { $0.elementInstanceKey = [.equal(72)] },
        Search("by element", finds: []) { $0.elementID = [.equal("other")] },
        Search("by name", finds: [602]) { $0.name = [.equal("Task 2")] },
        Search("by assignee", finds: [601]) { $0.assignee = [.equal("ann")] },
        Search("unassigned", finds: [603, 604]) { $0.assignee = [.exists(false)] },
        Search("by group", finds: [602, 603, 604]) { $0.candidateGroup = [.equal("legal")] },
        Search("by two groups", finds: [602]) { $0.candidateGroup = [.equal("legal"), .equal("sales")] },
        Search("by any of two groups", finds: [602, 603, 604]) { $0.candidateGroup = [.oneOf(["legal", "sales"])] },
        Search("by group pattern", finds: [602]) { $0.candidateGroup = [.like("s*")] },
        Search("not for a group", finds: [601, 603, 604]) { $0.candidateGroup = [.notEqual("sales")] },
        Search("for none of two groups", finds: [601]) { $0.candidateGroup = [.noneOf(["sales", "legal"])] },
        Search("without groups", finds: [601]) { $0.candidateGroup = [.exists(false)] },
        Search("by user", finds: [603]) { $0.candidateUser = [.equal("ann")] },
        Search("with users", finds: [603]) { $0.candidateUser = [.exists(true)] },
        Search("by priority", finds: [601, 603]) { $0.priority = [.greaterOrEqual(60)] },
        Search("by due date", finds: [602]) { $0.dueDate = [.less("2026-03")] },
        Search("by follow-up date", finds: [602]) { $0.followUpDate = [.exists(true)] },
        Search("by creation", finds: [601]) { $0.createdAt = [.less(602)] },
        Search("by completion", finds: [604]) { $0.endedAt = [.equal(3_000)] },
        Search("by variable of the instance", finds: [602]) {
            $0.instanceVariables = [.init(name: "country", value: [.equal("\"SE\"")])]
        },
        Search("by variable of its own", finds: [601]) {
            $0.localVariables = [.init(name: "local", value: [.equal("true")])]
        },
        Search(
            "by priority, then creation", sort: [.init(.priority, isDescending: true), .init(.creationDate)],
            finds: [601, 603, 602, 604]),
        Search("by name, missing last", sort: [.init(.name, isDescending: true)], finds: [603, 602, 601, 604]),
        Search("by due date", sort: [.init(.dueDate, isDescending: true)], finds: [602, 604, 603, 601]),
    ])
    func userTasks(_ search: Search<UserTaskFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.userTasks(search.query)) { $0.record.key }
    }

    @Test(arguments: [
        Search<IncidentFilter>("everything", finds: [702, 704, 705]),
        Search("open", finds: [702, 704]) { $0.isResolved = false },
        Search("resolved", finds: [705]) { $0.isResolved = true },
        Search("by type", finds: [704, 705]) { $0.type = [.equal("CONDITION_ERROR")] },
        Search("by message", finds: [704]) { $0.message = [.like("*null")] },
        Search("by instance", finds: [702]) { $0.instanceKey = [.equal(2)] },
        Search("by element instance", finds: [702]) { $0.elementInstanceKey = [.equal(72)] },
        Search("by element", finds: [702, 704, 705]) { $0.elementID = [.equal("call")] },
        Search("by process", finds: [702, 705]) { $0.definition.processID = [.equal("invoices")] },
        Search("by job", finds: [702]) { $0.jobKey = [.equal(502)] },
        Search("by key", finds: [704]) { $0.key = [.equal(704)] },
        Search("by creation", finds: [705]) { $0.createdAt = [.greater(704)] },
        Search("by state, then key", sort: [.init(.state, isDescending: true)], finds: [705, 704, 702]),
        Search("by job", sort: [.init(.jobKey), .init(.errorType)], finds: [704, 705, 702]),
    ])
    func incidents(_ search: Search<IncidentFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.incidents(search.query)) { $0.record.key }
    }

    @Test(arguments: [
        Search<TimerFilter>("next first", sort: [.init(.dueDate)], finds: [803, 802, 801]),
        Search("by instance", finds: [801]) { $0.instanceKey = [.equal(1)] },
        Search("of no instance", finds: [803]) { $0.instanceKey = [.exists(false)] },
        Search("by due time", finds: [802, 803]) { $0.dueAt = [.less(4_999)] },
        Search("by process", finds: [802]) { $0.definition.processID = [.equal("invoices")] },
        Search("by element and key", finds: [801]) { ($0.elementID, $0.key) = ([.equal("timer")], [.less(802)]) },
    ])
    func timers(_ search: Search<TimerFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.timers(search.query)) { $0.record.key }
    }

    @Test(arguments: [
        Search<MessageFilter>("everything", finds: [901, 902, 903]),
        Search("buffered", finds: [901]) { $0.state = [.equal(0)] },
        Search("by name", finds: [901, 902]) { $0.name = [.equal("shipped")] },
        Search("by correlation key", finds: [902]) { $0.correlationKey = [.equal("order-2")] },
        Search("by id", finds: [901]) { $0.messageID = [.equal("m1")] },
        Search("by instance", finds: [902]) { $0.instanceKey = [.equal(7)] },
        Search("by times", finds: [902]) { ($0.publishedAt, $0.expiresAt) = ([.greater(1)], [.greater(97)]) },
        Search("by key", finds: [903]) { $0.key = [.equal(903)] },
        Search("soonest to expire first", sort: [.init(.expiresAt)], finds: [903, 902, 901]),
    ])
    func messages(_ search: Search<MessageFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.messages(search.query)) { $0.key }
    }

    @Test(arguments: [
        Search<DeadLetterFilter>("everything", finds: [951, 952, 953]),
        Search("parked", finds: [951]) { $0.state = [.equal(0)] },
        Search("by origin", finds: [952, 953]) { $0.origin = [.equal("kafka")] },
        Search("by stage", finds: [953]) { $0.stage = [.equal("transform")] },
        Search("by error", finds: [952]) { ($0.errorCode, $0.errorMessage) = ([.equal("HB102")], [.like("bad*")]) },
        Search("by dedupe key", finds: [953]) { $0.dedupeKey = [.equal("d3")] },
        Search("by creation and key", finds: [952]) { ($0.createdAt, $0.key) = ([.greater(1)], [.less(953)]) },
        Search("most often tried first", sort: [.init(.redriveCount, isDescending: true)], finds: [953, 952, 951]),
    ])
    func deadLetters(_ search: Search<DeadLetterFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.deadLetters(search.query)) { $0.key }
    }

    @Test(arguments: [
        Search<AuditFilter>("newest first", sort: [.init(.timestamp, isDescending: true)], finds: [973, 972, 971]),
        Search("by actor", finds: [971, 972]) { $0.actor = [.equal("ann")] },
        Search("by object", finds: [972]) { $0.object = [.equal("602")] },
        Search("by action, time and key", finds: [972]) {
            ($0.action, $0.at, $0.key) = ([.like("task.*")], [.greater(10)], [.less(973)])
        },
    ])
    func audit(_ search: Search<AuditFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.audit(search.query)) { $0.key }
    }

    @Test(arguments: [
        Search<ProcessDefinitionFilter>("everything", finds: [100, 101, 102]),
        Search("latest", finds: [101, 102]) { $0.isLatest = true },
        Search("superseded", finds: [100]) { $0.isLatest = false },
        Search("by process", finds: [100, 101]) { $0.definition.processID = [.equal("orders")] },
        Search("by file and deployment", finds: [102]) {
            ($0.resourceName, $0.deploymentKey) = ([.like("inv*")], [.equal(90)])
        },
        Search(
            "by name and version", sort: [.init(.name), .init(.version, isDescending: true)], finds: [102, 101, 100]),
    ])
    func processDefinitions(_ search: Search<ProcessDefinitionFilter>) throws {
        let fixture = try RecordFixture.world()
        search.check(try fixture.reader.processDefinitions(search.query)) { $0.key }
    }
}
