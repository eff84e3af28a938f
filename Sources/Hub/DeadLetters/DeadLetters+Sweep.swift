import ConnectorKit
import Engine
import HubDocuments
import Logging
import Metrics
import Runtime
import Storage
import Synchronization
import Values

extension DeadLetters {
    /// How often letters are looked after.
    private static let sweepInterval = Duration.seconds(5)
    /// The most letters one sweep looks at, and the most it forgets.
    private static let sweepMax = 1_000

    /// Replays what is queued and looks after the letters until the task is cancelled.
    func run() async {
        guard self.hasRecords else { return }
        self.kick()
        var cursor: String?
        while !Task.isCancelled {
            do throws(HubError) {
                cursor = try await self.sweep(after: cursor)
            } catch {
                self.logger.info("dead letters cannot be looked after", metadata: ["error.message": "\(error)"])
            }
            do { try await self.clock.sleep(for: Self.sweepInterval) } catch { return }
        }
    }

    /// Ends letters whose jobs have ended or that were replaced, forgets old ones, and looks at the figures; where the
    /// next sweep goes on.
    @discardableResult
    func sweep(after cursor: String? = nil) async throws(HubError) -> String? {
        let next = try await self.endSettled(after: cursor)
        try await self.purge()
        _ = try await self.status()
        return next
    }

    // MARK: Calls that ended

    private struct Settled: Sendable {
        var resolved: [UInt64] = []
        var discarded: [UInt64] = []
        var jobs: [UInt64] = []
        var interrupted: [DeadLetterRecord] = []
        var cursor: String?
    }

    private func endSettled(after cursor: String?) async throws(HubError) -> String? {
        let settled = try await self.read { (records) throws(StoreError) in
            var filter = DeadLetterFilter()
            filter.kind = [.equal(NewDeadLetter.Kind.job.rawValue)]
            filter.state = [.oneOf([0, 3, 4])]
            let page = try records.deadLetters(
                Query(filter: filter, page: PageRequest(cursor.map { .after($0) } ?? .from(0), limit: Self.sweepMax)))
            var settled = Settled(cursor: page.items.count == Self.sweepMax ? page.endCursor : nil)
            var jobs = JobFilter()
            jobs.key = [.oneOf(page.items.compactMap(\.jobKey))]
            let open = Dictionary(
                try records.jobs(Query(filter: jobs, page: PageRequest(limit: Self.sweepMax))).items.map {
                    ($0.record.key, $0.record.state)
                }, uniquingKeysWith: { first, _ in first })
            let replaced = Set(page.items.compactMap(\.parentKey))
            for letter in page.items {
                if replaced.contains(letter.key) {
                    settled.resolved.append(letter.key)
                } else if letter.state == 4, letter.jobKey.flatMap({ open[$0] }) == 3 {
                    settled.interrupted.append(letter)
                } else if let job = letter.jobKey, open[job] == nil {
                    settled.jobs.append(job)
                    if try Self.wasTerminated(letter, records) {
                        settled.discarded.append(letter.key)
                    } else {
                        settled.resolved.append(letter.key)
                    }
                }
            }
            return settled
        }
        for job in settled.jobs { self.jobs.remove(Key(rawValue: job)) }
        for key in settled.resolved { try? await self.end(Key(rawValue: key), as: .resolved, actor: "hub") }
        for key in settled.discarded { try? await self.end(Key(rawValue: key), as: .discarded, actor: "hub") }
        for letter in settled.interrupted { try await self.resume(letter) }
        return settled.cursor
    }

    private static func wasTerminated(
        _ letter: DeadLetterRecord, _ records: any RecordReader
    ) throws(StoreError) -> Bool {
        guard let coordinates = try? JSON.parse(letter.coordinates),
            let key = coordinates["processInstanceKey"]?.asString.flatMap({ Key($0) })
        else { return false }
        var filter = ProcessInstanceFilter()
        filter.key = [.equal(key.rawValue)]
        let found = try records.processInstances(Query(filter: filter, page: PageRequest(limit: 1))).items.first
        return found?.record.state == .terminated
    }

    // MARK: Retention

    /// Forgets letters that ended long enough ago; those of triggers with a time of their own by that.
    private func purge() async throws(HubError) {
        let now = self.clock.unixMilliseconds
        let own = self.triggers.compactMap { trigger in trigger.retention.map { (trigger.id, $0) } }
        let standard = self.settings.retention
        let keys = try await self.read { (records) throws(StoreError) in
            var found: [UInt64] = []
            func collect(_ origin: [Comparison<String>], _ retention: Duration) throws(StoreError) {
                var filter = DeadLetterFilter()
                filter.origin = origin
                filter.endedAt = [.less(now &- retention.wholeMilliseconds)]
                let page = try records.deadLetters(Query(filter: filter, page: PageRequest(limit: Self.sweepMax)))
                found += page.items.map(\.key)
            }
            for (origin, retention) in own { try collect([.equal(origin)], retention) }
            try collect(own.isEmpty ? [] : [.noneOf(own.map(\.0))], standard)
            return found
        }
        guard !keys.isEmpty else { return }
        do {
            try await self.service.purgeDeadLetters(keys.map { Key(rawValue: $0) })
        } catch {
            throw HubError(.lettersUnreadable, error.message, remedy: error.remedy)
        }
        self.metrics.purged.increment(by: keys.count)
    }

    // MARK: Figures

    /// The letters as a whole, and whether somebody has to be told about them.
    public func status() async throws(HubError) -> DeadLetterStatus {
        let now = self.clock.unixMilliseconds
        let period = self.settings.alerts.inflow?.period ?? .seconds(60)
        var status = try await self.read { (records) throws(StoreError) in
            var status = DeadLetterStatus()
            for (state, name) in [(0, "parked"), (3, "queued"), (4, "replaying"), (1, "resolved"), (2, "discarded")] {
                var filter = DeadLetterFilter()
                filter.state = [.equal(UInt8(state))]
                let page = try records.deadLetters(Query(filter: filter, page: PageRequest(limit: 1)))
                status.counts.append((name, page.total))
                // Keys grow within a partition only, so the oldest is asked for by its time.
                guard state != 1, state != 2, page.total > 0 else { continue }
                let oldest = try records.deadLetters(
                    Query(filter: filter, sort: [SortCriterion(.createdAt)], page: PageRequest(limit: 1)))
                let at = oldest.items.first?.createdAt
                status.oldestAt = [status.oldestAt, at].compactMap(\.self).min()
            }
            var recent = DeadLetterFilter()
            recent.createdAt = [.greater(now &- period.wholeMilliseconds)]
            status.inflow = try records.deadLetters(Query(filter: recent, page: PageRequest(limit: 1))).total
            return status
        }
        status.inflowPeriod = period
        self.watch(&status, now: now)
        return status
    }

    private func watch(_ status: inout DeadLetterStatus, now: Int64) {
        let age = Double(status.oldestAt.map { max(0, now - $0) } ?? 0) / 1_000
        self.metrics.open.record(status.counts.prefix(3).reduce(0) { $0 + $1.count })
        self.metrics.oldestSeconds.record(age)
        self.metrics.inflow.record(status.inflow)
        let inflow = Double(status.inflow)
        var changes: [DeadLetterStatus.Alert] = []
        self.state.withLock { state in
            status.queueTrouble = state.queueTrouble
            func observe(_ alarm: inout DeadLetterAlarm?, _ name: String, _ code: HubCode, _ value: Double) {
                guard alarm != nil else { return }
                let change = alarm?.observe(value)
                let alert = DeadLetterStatus.Alert(
                    name: name, code: code.rawValue, value: value, limit: alarm?.limit ?? 0,
                    isRaised: alarm?.isRaised ?? false)
                status.alerts.append(alert)
                if change != nil { changes.append(alert) }
            }
            observe(&state.ageAlarm, "age", .lettersTooOld, age)
            observe(&state.inflowAlarm, "inflow", .lettersTooMany, inflow)
        }
        for alert in status.alerts { self.metrics.alert(alert.name, isRaised: alert.isRaised) }
        for alert in changes {
            self.logger.log(
                level: alert.isRaised ? .warning : .info,
                alert.isRaised ? "dead letter alert raised" : "dead letter alert cleared",
                metadata: [
                    "alert": "\(alert.name)", "error.code": "\(alert.code)", "value": "\(alert.value)",
                    "limit": "\(alert.limit)",
                ])
        }
    }
}
