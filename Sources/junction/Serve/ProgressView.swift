import Hub
import Runtime
import Storage

/// How the progress of a hub is shown: a block that is redrawn on a terminal, single lines elsewhere.
struct ProgressView: Sendable {
    var style: Style

    /// The block: instances by state, throughput, what waits, triggers, connections.
    func block(_ now: Snapshot, since earlier: Snapshot?) -> [String] {
        var lines = [
            self.style.paint("junction", .strong) + "  " + DurationText.of(milliseconds: Int64(now.at * 1_000))
        ]
        let totals = now.totals
        lines.append(
            "instances    "
                + [
                    self.count(totals.activeInstances, "active", .attention),
                    self.count(totals.completedInstances, "completed", .good),
                    self.count(totals.terminatedInstances, "terminated", .quiet),
                    self.count(totals.instancesWithIncidents, "with incident", .bad),
                ].joined(separator: "  "))
        lines.append(
            "throughput   "
                + [
                    "\(self.rate(now.status.startedInstances, earlier?.status.startedInstances, now, earlier)) started/s",
                    "\(self.rate(now.status.completedInstances, earlier?.status.completedInstances, now, earlier)) completed/s",
                    "\(self.rate(now.status.events, earlier?.status.events, now, earlier)) events/s",
                ].joined(separator: "  "))
        lines.append(
            "waiting      "
                + [
                    self.count(totals.openUserTasks, "user tasks", .attention),
                    self.count(totals.jobs, "jobs", .normal), self.count(totals.timers, "timers", .normal),
                    self.count(totals.parkedDeadLetters, "dead letters", .bad),
                ].joined(separator: "  "))
        for trigger in now.triggers {
            let counters = trigger.counters
            lines.append(
                "trigger      \(trigger.id) "
                    + self.style.paint(trigger.state, Style.tone(ofState: trigger.state))
                    + "  \(counters.received) received  \(counters.started) started  \(counters.duplicates) duplicates"
                    + "  \(counters.deadLettered) dead-lettered")
        }
        for connection in now.connections where connection.calls > 0 || connection.breaker != "closed" {
            lines.append(
                "connection   \(connection.id) breaker "
                    + self.style.paint(connection.breaker, Style.tone(ofState: connection.breaker))
                    + "  \(connection.calls) calls  \(connection.attempts) attempts")
        }
        return lines.map { self.style.fit($0) }
    }

    /// One line for logs and pipes.
    func line(_ now: Snapshot) -> String {
        let totals = now.totals
        var parts = [
            "\(DurationText.of(milliseconds: Int64(now.at * 1_000))):",
            "\(totals.activeInstances) active, \(totals.completedInstances) completed,",
            "\(totals.openUserTasks) user tasks, \(totals.openIncidents) incidents,",
            "\(totals.parkedDeadLetters) dead letters",
        ]
        let broken = now.connections.filter { $0.breaker != "closed" && $0.breaker != "none" }
        if !broken.isEmpty {
            parts.append("| breakers: " + broken.map { "\($0.id) \($0.breaker)" }.joined(separator: ", "))
        }
        return parts.joined(separator: " ")
    }

    private func count(_ number: Int, _ noun: String, _ tone: Style.Tone) -> String {
        number == 0 ? self.style.paint("0 \(noun)", .quiet) : self.style.paint("\(number)", tone) + " \(noun)"
    }

    private func rate(_ now: Int, _ earlier: Int?, _ snapshot: Snapshot, _ before: Snapshot?) -> Int {
        guard let earlier, let before, snapshot.at > before.at else { return 0 }
        return Int((Double(now - earlier) / (snapshot.at - before.at)).rounded())
    }
}
