import ConnectorKit
import Engine
import HubDocuments
import Logging
import Metrics
import Resilience
import Runtime
import Storage
import Synchronization
public import Values

/// A rate limiter several tasks share.
final class RateLimiterBox: Sendable {
    private let limiter: Mutex<RateLimiter>

    init(_ policy: RateLimiter.Policy) {
        self.limiter = Mutex(RateLimiter(policy: policy))
    }

    /// Takes one place at `now` when there is one; else how long to wait.
    func take(at now: Duration) -> Duration {
        self.limiter.withLock { limiter in
            let wait = limiter.wait(at: now)
            if wait <= .zero { limiter.take(at: now) }
            return max(.zero, wait)
        }
    }
}

extension DeadLetters {
    /// What became of the letters a selection meant.
    public struct QueueResult: Sendable {
        /// The letters that are queued now.
        public var queued: [Key] = []
        /// What would become of them, in a dry run.
        public var forecast: [(letter: Key, result: Result<ReplayResult, HubError>)] = []
        /// Letters that changed before they could be queued.
        public var skipped = 0
    }

    /// Queues the parked letters meant, to be replayed in the background, the oldest first and not faster than the rate:
    /// the least of `rate`, the trigger's `dlq.redrive.rate` and the hub's own.
    ///
    /// Queued letters survive a restart, and so does a replay that was interrupted. A dry run only says what would
    /// happen.
    public func replay(
        _ selection: DeadLetterSelection, rate: DeadLetterRate? = nil, usesNewKey: Bool = false,
        isDryRun: Bool = false, actor: String
    ) async throws(HubError) -> QueueResult {
        let letters = try await self.list(selection)
        var result = QueueResult()
        for letter in letters {
            let key = Key(rawValue: letter.key)
            if isDryRun {
                do throws(HubError) {
                    let forecast = try await self.replay(letter, usesNewKey: usesNewKey, isDryRun: true, actor: actor)
                    result.forecast.append((key, .success(forecast)))
                } catch {
                    result.forecast.append((key, .failure(error)))
                }
                continue
            }
            var report = DeadLetterReport(json: letter.report)
            report.request = DeadLetterReport.Request(actor: actor, usesNewKey: usesNewKey)
            var update = DeadLetterUpdate(.queue)
            update.report = report.json
            do throws(HubError) {
                try await self.update(key, update, actor: actor)
                result.queued.append(key)
            } catch  where error.code == .deadLetterState {
                result.skipped += 1
            }
        }
        if !result.queued.isEmpty {
            if let rate { self.state.withLock { $0.requestedRate = RateLimiterBox(rate.policy) } }
            self.kick()
        }
        return result
    }

    /// The letters of a trigger's events that have not ended, the oldest first; at most `DeadLetterSelection.limitMax`.
    func open(of trigger: String) async throws(HubError) -> [DeadLetterRecord] {
        var selection = DeadLetterSelection()
        selection.origin = trigger
        selection.kind = .trigger
        selection.limit = DeadLetterSelection.limitMax
        return try await self.list(selection, states: [0, 3, 4])
    }

    /// Queues one letter; one that changed meanwhile is left as it is.
    func queue(_ letter: DeadLetterRecord, actor: String) async throws(HubError) {
        var report = DeadLetterReport(json: letter.report)
        report.request = DeadLetterReport.Request(actor: actor, usesNewKey: false)
        var update = DeadLetterUpdate(.queue)
        update.report = report.json
        do throws(HubError) {
            try await self.update(Key(rawValue: letter.key), update, actor: actor)
            self.kick()
        } catch  where error.code == .deadLetterState {
            return
        }
    }

    /// Works on the queue, unless somebody does already.
    func kick() {
        self.state.withLock { state in
            state.isDrainWanted = true
            guard state.drain == nil, !state.isStopped else { return }
            state.drain = Task { await self.drain() }
        }
    }

    /// Stops working on the queue; what is queued stays so.
    func stop() async {
        let drain = self.state.withLock { state in
            state.isStopped = true
            return state.drain
        }
        drain?.cancel()
        await drain?.value
    }

    private func drain() async {
        var notBefore: [UInt64: Duration] = [:]
        while !Task.isCancelled {
            self.state.withLock { $0.isDrainWanted = false }
            let waiting: [DeadLetterRecord]
            do {
                waiting = try await self.waiting()
                notBefore = notBefore.filter { entry in waiting.contains { $0.key == entry.key } }
            } catch {
                self.note(trouble: error.description)
                do { try await self.clock.sleep(for: .seconds(1)) } catch { break }
                continue
            }
            let now = self.clock.now
            let ready = waiting.filter { (notBefore[$0.key] ?? now) <= now }
            for letter in ready {
                guard await self.pace(letter.origin) else {
                    self.drained()
                    return
                }
                if let delay = await self.replayQueued(letter) { notBefore[letter.key] = self.clock.now + delay }
            }
            guard ready.isEmpty else { continue }
            if let next = notBefore.values.min() {
                do { try await self.clock.sleep(for: max(.milliseconds(10), next - self.clock.now)) } catch { break }
            } else if self.drained() {
                return
            }
        }
        self.drained()
    }

    /// The queue is empty: true unless something was put in meanwhile.
    @discardableResult
    private func drained() -> Bool {
        self.state.withLock { state in
            if state.isDrainWanted, !Task.isCancelled { return false }
            state.drain = nil
            state.requestedRate = nil
            return true
        }
    }

    /// What is to be replayed: queued letters, and events whose replay was interrupted.
    ///
    /// A call that is replayed is up to its job.
    private func waiting() async throws(HubError) -> [DeadLetterRecord] {
        let letters = try await self.read { (records) throws(StoreError) in
            var queued = DeadLetterFilter()
            queued.state = [.equal(3)]
            var interrupted = DeadLetterFilter()
            interrupted.state = [.equal(4)]
            interrupted.kind = [.equal(0)]
            let (sort, page) = ([SortCriterion(DeadLetterFilter.SortField.createdAt)], PageRequest(limit: 500))
            return try records.deadLetters(Query(filter: interrupted, sort: sort, page: page)).items
                + records.deadLetters(Query(filter: queued, sort: sort, page: page)).items
        }
        let active = self.state.withLock { $0.active }
        return letters.filter { !active.contains($0.key) }.map { self.seal.opened($0) }
    }

    /// Waits until the next letter of `origin` may be replayed; false when the hub stops.
    private func pace(_ origin: String) async -> Bool {
        let limiters = self.state.withLock { state in
            var limiters = [state.requestedRate].compactMap(\.self)
            let policies =
                [("", self.settings.rate)]
                + [(origin, state.triggers.first { $0.id == origin }?.redriveRate)].compactMap { name, rate in
                    rate.map { (name, $0) }
                }
            for (name, policy) in policies {
                let limiter = state.limiters[name] ?? RateLimiterBox(policy)
                state.limiters[name] = limiter
                limiters.append(limiter)
            }
            return limiters
        }
        for limiter in limiters {
            while true {
                let wait = limiter.take(at: self.clock.now)
                if wait <= .zero { break }
                do { try await self.clock.sleep(for: wait) } catch { return false }
            }
        }
        return !Task.isCancelled
    }

    /// Replays a queued letter; how long to leave it alone when it stays queued.
    private func replayQueued(_ letter: DeadLetterRecord) async -> Duration? {
        let request = DeadLetterReport(json: letter.report).request
        let actor = request?.actor ?? "hub"
        do throws(HubError) {
            _ = try await self.replay(letter, usesNewKey: request?.usesNewKey ?? false, actor: actor)
            self.metrics.replays.increment()
            self.note(trouble: nil)
            return nil
        } catch {
            self.note(trouble: error.description)
            if error.code == .replayFailed { return .seconds(1) }
            // What cannot be replayed waits for a person again.
            try? await self.update(
                Key(rawValue: letter.key), DeadLetterUpdate(.park, detail: error.description), actor: actor)
            return .seconds(1)
        }
    }

    private func note(trouble: String?) {
        self.state.withLock { $0.queueTrouble = trouble }
    }
}
