import Hub
import Runtime
import Storage
import Testing
import Values

@testable import junction

@Suite struct ServeViewTests {
    private static var snapshot: Snapshot {
        var snapshot = Snapshot()
        snapshot.at = 12.5
        snapshot.status.startedInstances = 110
        snapshot.status.completedInstances = 70
        snapshot.status.events = 2_000
        snapshot.totals.activeInstances = 34
        snapshot.totals.completedInstances = 71
        snapshot.totals.terminatedInstances = 2
        snapshot.totals.instancesWithIncidents = 1
        snapshot.totals.openIncidents = 1
        snapshot.totals.openUserTasks = 3
        snapshot.totals.parkedDeadLetters = 8
        snapshot.children = .init(active: 1, completed: 2, terminated: 0)
        snapshot.discarded = 4
        var counters = TriggerCounters()
        counters.received = 130
        counters.started = 105
        counters.duplicates = 7
        counters.filtered = 2
        counters.dropped = 1
        counters.deadLettered = 12
        snapshot.triggers = [.init(id: "orders", state: "armed", pending: 3, counters: counters)]
        snapshot.connections = [
            .init(id: "vendor", breaker: "open", calls: 5, attempts: 9),
            .init(id: "idle", breaker: "closed", calls: 0, attempts: 0),
        ]
        return snapshot
    }

    @Test func theSummaryAddsUp() {
        let summary = Summary(Self.snapshot)
        #expect(summary.completed == 69)
        #expect(summary.waiting == 33)
        #expect(summary.terminated == 2)
        #expect(summary.deadLettered == 8)
        #expect(summary.discarded == 4)
        #expect(summary.unaccounted == 3)
        #expect(summary.received == 69 + 33 + 2 + 8 + 4 + 3)
        #expect(summary.duplicates == 7)
        #expect(summary.filtered == 3)
        #expect(
            JSON.string(summary.value)
                == #"{"received":119,"completed":69,"waiting":33,"deadLettered":8,"terminated":2,"discarded":4,"#
                + #""unaccounted":3,"withIncident":1,"userTasks":3,"duplicates":7,"filtered":3,"seconds":12.5}"#)
    }

    @Test func theFinalTableSaysWhatBecameOfEverything() {
        #expect(
            Summary(Self.snapshot).lines(.plain) == [
                "RECEIVED       119",
                "completed       69",
                "terminated       2  cancelled or ended from outside",
                "waiting         33  3 user tasks are open, 1 with an incident",
                "dead-lettered    8  see junction dead-letter list",
                "discarded        4",
                "unaccounted      3  read, and not yet kept",
                "7 duplicates were recognised and changed nothing.",
                "3 records were filtered out or dropped as declared.",
            ])
        #expect(
            Summary(Snapshot()).lines(.plain) == [
                "RECEIVED       0", "completed      0", "waiting        0", "dead-lettered  0", "unaccounted    0",
            ])
    }

    @Test func theBlockShowsStatesThroughputAndBreakers() {
        var earlier = Self.snapshot
        earlier.at = 12
        earlier.status.startedInstances = 100
        earlier.status.events = 1_000
        #expect(
            ProgressView(style: .plain).block(Self.snapshot, since: earlier) == [
                "junction  12.5 s",
                "instances    34 active  71 completed  2 terminated  1 with incident",
                "throughput   20 started/s  0 completed/s  2000 events/s",
                "waiting      3 user tasks  0 jobs  0 timers  8 dead letters",
                "trigger      orders armed  130 received  105 started  7 duplicates  12 dead-lettered",
                "connection   vendor breaker open  5 calls  9 attempts",
            ])
        #expect(ProgressView(style: .plain).block(Self.snapshot, since: nil)[2].hasPrefix("throughput   0 started/s"))
    }

    @Test func theLineIsForLogsAndNamesBrokenConnections() {
        #expect(
            ProgressView(style: .plain).line(Self.snapshot)
                == "12.5 s: 34 active, 71 completed, 3 user tasks, 1 incidents, 8 dead letters | breakers: vendor open")
    }

    /// What is changed in a hub at rest, and whether it is still at rest then.
    static let movements: [(name: String, change: @Sendable (inout Snapshot) -> Void, isStill: Bool)] = [
        ("nothing", { _ in }, true), ("a queued command", { $0.status.isIdle = false }, false),
        ("a call that is tried again", { $0.hasWaitingCalls = true }, false),
        ("a timer due soon", { $0.nextTimerAt = 10_000 }, false),
        ("a timer due late", { $0.nextTimerAt = 1_000_000 }, true),
        ("a record on its way", { $0.triggers[0].pending = 1 }, false),
        ("a trigger that begins", { $0.triggers[0].state = "arming" }, false),
        ("a trigger that failed", { $0.triggers[0].state = "failed" }, true),
    ]

    @Test(arguments: movements)
    func aHubIsStillWhenNothingMovesByItself(
        _ row: (name: String, change: @Sendable (inout Snapshot) -> Void, isStill: Bool)
    ) {
        var snapshot = Self.snapshot
        snapshot.triggers[0].pending = 0
        row.change(&snapshot)
        #expect(snapshot.isStill(at: 0, horizon: 30_000) == row.isStill)
    }

    @Test func eventsRecordsAndAttemptsAreMovement() {
        let before = Self.snapshot
        #expect(before.isUnmoved(since: before))
        var later = before
        later.status.events += 1
        #expect(!later.isUnmoved(since: before))
        later = before
        later.triggers[0].counters.received += 1
        #expect(!later.isUnmoved(since: before))
        later = before
        later.connections[0].attempts += 1
        #expect(!later.isUnmoved(since: before))
        later = before
        later.at += 5
        later.status.projectorLagMilliseconds = 3
        #expect(later.isUnmoved(since: before))
    }
}
