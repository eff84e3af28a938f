import Hub
import Storage
import Values

/// What became of everything that was received, from the first day of the data directory.
///
/// Received is what exists because of an event or a start: process instances that no other instance called, and dead
/// letters that did not become one. What a trigger has read but neither started nor kept is unaccounted; at rest that
/// must be nothing.
struct Summary: Sendable, Hashable {
    var received = 0
    var completed = 0
    var terminated = 0
    var waiting = 0
    var deadLettered = 0
    var discarded = 0
    var unaccounted = 0
    /// Of those waiting: with an open incident.
    var withIncident = 0
    /// Open user tasks.
    var userTasks = 0
    /// Records since this program started whose dedupe key was known.
    var duplicates = 0
    /// Records since this program started that a filter stopped, or that were dropped as declared.
    var filtered = 0
    /// Seconds this program served.
    var seconds = 0.0

    init(_ snapshot: Snapshot) {
        let totals = snapshot.totals
        self.completed = totals.completedInstances - snapshot.children.completed
        self.terminated = totals.terminatedInstances - snapshot.children.terminated
        self.waiting = totals.activeInstances - snapshot.children.active
        self.deadLettered = totals.parkedDeadLetters - snapshot.callLetters
        self.discarded = snapshot.discarded
        self.withIncident = totals.instancesWithIncidents
        self.userTasks = totals.openUserTasks
        for trigger in snapshot.triggers {
            let counters = trigger.counters
            self.duplicates += counters.duplicates
            self.filtered += counters.filtered + counters.dropped
            self.unaccounted +=
                counters.received - counters.started - counters.duplicates - counters.filtered - counters.dropped
                - counters.deadLettered
        }
        self.received =
            self.completed + self.terminated + self.waiting + self.deadLettered + self.discarded + self.unaccounted
        self.seconds = snapshot.at
    }

    /// The members of `summary.json`, stable.
    var value: Value {
        func number(_ count: Int) -> Value { .number(Number(count)) }
        return .context(
            ValueContext([
                ("received", number(self.received)), ("completed", number(self.completed)),
                ("waiting", number(self.waiting)), ("deadLettered", number(self.deadLettered)),
                ("terminated", number(self.terminated)), ("discarded", number(self.discarded)),
                ("unaccounted", number(self.unaccounted)), ("withIncident", number(self.withIncident)),
                ("userTasks", number(self.userTasks)), ("duplicates", number(self.duplicates)),
                ("filtered", number(self.filtered)),
                ("seconds", .number(Number((self.seconds * 1_000).rounded() / 1_000) ?? Number(0))),
            ]))
    }

    /// The final table.
    func lines(_ style: Style) -> [String] {
        var table = Table([.init("RECEIVED"), .init("\(self.received)", right: true), .init("")])
        table.add(["completed", "\(self.completed)", nil])
        if self.terminated > 0 { table.add(["terminated", "\(self.terminated)", "cancelled or ended from outside"]) }
        let tasks = self.userTasks == 1 ? "1 user task is open" : "\(self.userTasks) user tasks are open"
        var notes = [self.userTasks > 0 ? tasks : nil].compactMap { $0 }
        if self.withIncident > 0 { notes.append("\(self.withIncident) with an incident") }
        table.add(["waiting", "\(self.waiting)", notes.joined(separator: ", ")])
        table.add([
            "dead-lettered", "\(self.deadLettered)", self.deadLettered > 0 ? "see junction dead-letter list" : nil,
        ])
        if self.discarded > 0 { table.add(["discarded", "\(self.discarded)", nil]) }
        table.add(["unaccounted", "\(self.unaccounted)", self.unaccounted > 0 ? "read, and not yet kept" : nil])
        var lines = table.lines(style)
        if self.duplicates > 0 { lines.append("\(self.duplicates) duplicates were recognised and changed nothing.") }
        if self.filtered > 0 { lines.append("\(self.filtered) records were filtered out or dropped as declared.") }
        return lines
    }
}
