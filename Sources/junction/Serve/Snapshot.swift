import Hub
import Runtime
import Storage
import Values

/// What the hub holds and does at one moment.
struct Snapshot: Sendable {
    /// Monotonic seconds since the program began to serve.
    var at = 0.0
    var status = RuntimeStatus()
    var totals = RecordTotals()
    /// Instances that other instances called: not counted as received.
    var children = InstanceCounts()
    /// Dead letters that were given up.
    var discarded = 0
    /// Parked dead letters about calls: their instances wait, and are counted as such.
    var callLetters = 0
    var triggers: [TriggerFigures] = []
    var connections: [ConnectionFigures] = []
    /// When the next timer is due, in Unix milliseconds.
    var nextTimerAt: Int64?
    /// Whether a connector call waits for its next attempt.
    var hasWaitingCalls = false

    /// Instances by state.
    struct InstanceCounts: Sendable, Hashable {
        var active = 0
        var completed = 0
        var terminated = 0
    }

    /// A trigger's figures.
    struct TriggerFigures: Sendable, Hashable {
        var id: String
        var state: String
        var pending: Int
        var counters: TriggerCounters
    }

    /// A connection's figures.
    struct ConnectionFigures: Sendable, Hashable {
        var id: String
        var breaker: String
        var calls: Int
        var attempts: Int
    }

    /// Everything that changes when something moves.
    private struct Movement: Hashable {
        var events: Int
        var triggers: [TriggerFigures]
        var attempts: [Int]
    }

    /// Whether nothing has moved between two moments.
    func isUnmoved(since earlier: Snapshot) -> Bool {
        self.movement == earlier.movement
    }

    private var movement: Movement {
        Movement(events: self.status.events, triggers: self.triggers, attempts: self.connections.map(\.attempts))
    }

    /// Whether nothing can move without a person, a message, or a timer that is due after `horizon`.
    func isStill(at now: Int64, horizon milliseconds: Int64) -> Bool {
        self.status.isIdle && !self.hasWaitingCalls && (self.nextTimerAt.map { $0 - now > milliseconds } ?? true)
            && self.triggers.allSatisfy { $0.pending == 0 && $0.state != "arming" && $0.state != "draft" }
    }
}

extension Snapshot {
    /// Reads everything; blocks for some queries.
    init(
        _ runtime: any WorkflowService, _ hub: HubService, _ records: any RecordReader, at seconds: Double
    ) throws(StoreError) {
        self.at = seconds
        self.status = runtime.status()
        self.totals = try records.totals()
        self.triggers = hub.triggers().map {
            TriggerFigures(id: $0.id, state: $0.state.rawValue, pending: $0.pending, counters: $0.counters)
        }
        self.connections = hub.connections().map {
            ConnectionFigures(id: $0.id, breaker: $0.breaker, calls: $0.calls, attempts: $0.attempts)
        }
        let first = PageRequest(limit: 1)
        let timers = Query<TimerFilter>(sort: [SortCriterion(.dueDate)], page: first)
        self.nextTimerAt = try records.timers(timers).items.first?.record.dueAt
        var jobs = JobFilter()
        jobs.type = [.like("connector:*")]
        jobs.state = [.notEqual(3)]
        self.hasWaitingCalls = try !records.jobs(Query(filter: jobs, page: first)).items.isEmpty
        var discarded = DeadLetterFilter()
        discarded.state = [.equal(2)]
        discarded.kind = [.equal(0)]
        self.discarded = try records.deadLetters(Query(filter: discarded, page: first)).total
        var calls = DeadLetterFilter()
        calls.state = [.equal(0)]
        calls.kind = [.equal(1)]
        self.callLetters = try records.deadLetters(Query(filter: calls, page: first)).total
        self.children = try InstanceCounts(childrenIn: records)
    }
}

extension Snapshot.InstanceCounts {
    fileprivate init(childrenIn records: any RecordReader) throws(StoreError) {
        func count(_ state: LifecycleState) throws(StoreError) -> Int {
            var filter = ProcessInstanceFilter()
            filter.parentInstanceKey = [.exists(true)]
            filter.state = [.equal(state)]
            return try records.processInstances(Query(filter: filter, page: PageRequest(limit: 1))).total
        }
        self.active = try count(.active)
        self.completed = try count(.completed)
        self.terminated = try count(.terminated)
    }
}
