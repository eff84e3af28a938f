import ConnectorKit
import Engine
import HubDocuments
import Logging
import Metrics
import Resilience
import Runtime
import Synchronization
import Values

/// What a runner needs besides its trigger.
struct TriggerHost: Sendable {
    let service: any WorkflowService
    let effects: TriggerEffects
    let sources: SourceFactory
    let ownership: SourceOwnership?
    let letters: DeadLetters
    let clock: any ConnectorClock
    let random: @Sendable () -> Double
    let logger: Logger
}

extension TriggerRunner {
    /// What came of one attempt to account for a record.
    fileprivate enum Account: Sendable {
        case accounted(TriggerCounters.Result, EventOutcome)
        case trouble(IntakeMachine.Trouble)
    }

    /// What the loop waits for.
    private enum Occurrence: Sendable {
        case ended(IntakeMachine.RecordID, Account)
        /// A sender brought something, or none did for a while.
        case arrival
    }

    /// A batch that is out, and the ordering keys of its events; empty when none has one.
    private struct OpenBatch {
        var events: [SourceEvent]
        var keys: [String?]
        var isAcknowledged: Bool
    }

    /// Does what the machine says until it is over.
    ///
    /// The source is only used from here, one call at a time. With a `tenure`, nothing new is read once it is lost.
    func intake(_ source: any EventSource, tenure: SourceTenure?) async throws -> IntakeMachine.End {
        var machine = IntakeMachine(self.intakeSettings)
        let receiver = source as? any OutcomeReceiver
        let pushed = source as? PushSource
        var isListening = false
        var batches: [EventBatch.ID: OpenBatch] = [:]
        var lookAt = Duration.zero
        return try await withThrowingTaskGroup(of: Occurrence.self) { group in
            defer { self.forget(machine.outstandingRecords) }
            while true {
                if Task.isCancelled || self.isStopping || tenure?.isLost == true { machine.stop() }
                let now = self.clock.now
                if now >= lookAt {
                    lookAt = now + Self.outageInterval
                    if self.meetsOutage(at: now) { machine.hold(until: lookAt) }
                    if try await self.isBlocked() { machine.hold(until: self.clock.now + Self.idleWait) }
                    self.noteProgress(outstanding: machine.outstandingRecords, at: now)
                }
                // At the moment looked at: a hold must not run out between the look and the step.
                let step = machine.next(at: now)
                let pending = machine.outstandingRecords + (step.isIdle ? await source.backlog() ?? 0 : 0)
                self.state.withLock { $0.pending = pending }
                switch step {
                case .acknowledge(let id):
                    if batches.removeValue(forKey: id)?.isAcknowledged != true { try await source.acknowledge(id) }
                case .process(let record):
                    guard let batch = batches[record.batch], record.index < batch.events.count else {
                        preconditionFailure("record \(record) belongs to no open batch")
                    }
                    let event = batch.events[record.index]
                    let key = batch.keys.isEmpty ? nil : batch.keys[record.index]
                    group.addTask {
                        let started = self.clock.now
                        let account = await self.account(for: event, orderedBy: key)
                        self.metrics.seconds.record(duration: self.clock.now - started)
                        return .ended(record, account)
                    }
                case .read(let maximum, let wait):
                    let batch = try await self.read(source, maximum: maximum, wait: wait, machine: &machine)
                    guard let batch else { continue }
                    guard batches[batch.id] == nil else {
                        throw SourceInterruption.notConnected(
                            reason: "it gave two batches that are out the number \(batch.id.rawValue)")
                    }
                    batches[batch.id] = try await self.open(batch, of: source, &machine)
                case .awaitRecord:
                    // Who sends meanwhile must not wait for those whose instances run.
                    if let pushed, !isListening {
                        isListening = true
                        group.addTask {
                            await pushed.arrival(within: Self.idleWait)
                            return .arrival
                        }
                    }
                    switch try await group.next() {
                    case .ended(let record, let account):
                        receiver?.settled(record.batch, index: record.index, account.outcome)
                        self.settle(record, account, &machine)
                    case .arrival:
                        isListening = false
                        machine.sourceMayHaveMore()
                    case nil: continue
                    }
                case .wait(let duration):
                    // A pause by an operator must not wait for a long pause of the engine.
                    try? await self.clock.sleep(for: min(duration, Self.idleWait))
                case .finish(let end):
                    return end
                }
            }
        }
    }

    private var intakeSettings: IntakeMachine.Settings {
        IntakeMachine.Settings(
            concurrencyMax: self.declaration.concurrencyMax, perKeyMax: self.declaration.concurrencyPerKey,
            windowMax: 4 * self.declaration.concurrencyMax, rate: self.declaration.rate, retry: self.declaration.retry,
            retryElapsedMax: self.declaration.retryElapsedMax, idleWait: Self.idleWait)
    }

    /// Whether an open breaker keeps the trigger from reading and starting; says so when that changes.
    private func meetsOutage(at now: Duration) -> Bool {
        let found = self.watch.outage(at: now)
        let before = self.state.withLock { state in
            let before = state.outage?.found
            state.outage = found.map { ($0, now) }
            if let found {
                let until = found.remaining.map { " for \(Quantity.text($0))" } ?? ", until an operator changes it"
                state.activation.degraded(
                    "The source is paused: the circuit breaker of connection \(found.connection) is \(found.state)\(until)."
                )
            } else if before != nil {
                state.activation.progressed()
            }
            return before
        }
        if (before == nil) != (found == nil) {
            self.metrics.held.record(found == nil ? 0 : 1)
            self.logger.info(
                found == nil ? "trigger resumed after an outage" : "trigger paused by an outage",
                metadata: ["connection.id": "\(found?.connection ?? before?.connection ?? "")"])
        }
        return found != nil
    }

    /// Whether a dead letter keeps the whole trigger from going on (`ordering.onFailure: block`).
    private func isBlocked() async throws -> Bool {
        guard let order = self.order else { return false }
        try await order.refresh(at: self.clock.now)
        guard self.declaration.ordering?.onFailure == .block, let key = order.parked.first else { return false }
        self.state.withLock {
            $0.activation.degraded(
                "Blocked by a dead letter of the ordering key \(key.shortened(to: 80)): replay or discard it.")
        }
        return true
    }

    /// Says when events wait and none is accounted for, or all are old.
    private func noteProgress(outstanding: Int, at now: Duration) {
        guard let limit = self.declaration.observation.stallAfter else { return }
        self.state.withLock { state in
            if outstanding == 0 || state.counters.accounted != state.progress.accounted {
                state.progress = (state.counters.accounted, now)
            } else if now - state.progress.at >= limit {
                state.activation.degraded(
                    "\(outstanding) events wait, and none was accounted for in \(Quantity.text(now - state.progress.at))."
                )
            }
        }
    }

    /// Records that were read and not accounted for come again: they do not count as received.
    private func forget(_ count: Int) {
        self.state.withLock { state in
            state.counters.received -= count
            state.pending = 0
            state.outage = nil
        }
    }

    private func read(
        _ source: any EventSource, maximum: Int, wait: Duration, machine: inout IntakeMachine
    ) async throws -> EventBatch? {
        do {
            let batch = try await source.read(maximum: maximum, wait: wait)
            guard var batch else {
                machine.received(nil, count: 0)
                return nil
            }
            let decoding = self.declaration.decoding
            batch.events = batch.events.map { decoding.opened($0) }
            return batch
        } catch SourceInterruption.endOfInput {
            machine.endOfInput()
        } catch SourceInterruption.backOff(let duration) {
            machine.sourceAsksForPause(duration, at: self.clock.now)
        } catch is CancellationError {
            machine.stop()
        }
        return nil
    }

    private func open(
        _ batch: EventBatch, of source: any EventSource, _ machine: inout IntakeMachine
    ) async throws -> OpenBatch {
        let isAcknowledged = self.declaration.acknowledgement.moment == .received
        if isAcknowledged { try await source.acknowledge(batch.id) }
        let now = self.clock.unixMilliseconds
        let keys =
            self.declaration.ordering == nil
            ? [] : batch.events.map { self.pipeline.orderingKey(of: $0, receivedAt: now) }
        machine.received(batch.id, count: batch.events.count, orderedBy: keys)
        self.state.withLock { $0.counters.received += batch.events.count }
        self.metrics.received.increment(by: batch.events.count)
        self.noteLag(of: batch, at: now)
        return OpenBatch(events: batch.events, keys: keys, isAcknowledged: isAcknowledged)
    }

    private func noteLag(of batch: EventBatch, at now: Int64) {
        guard let newest = batch.events.compactMap(\.occurredAtMilliseconds).max() else { return }
        let lag = Duration.milliseconds(max(0, now - newest))
        self.metrics.lag.record(lag.wholeMilliseconds)
        guard let limit = self.declaration.observation.lagAlert, lag > limit else { return }
        self.state.withLock { $0.activation.degraded("Events are \(Quantity.text(lag)) old when they are read.") }
    }

    private func settle(_ record: IntakeMachine.RecordID, _ account: Account, _ machine: inout IntakeMachine) {
        switch account {
        case .accounted(let result, _):
            machine.accounted(record)
            self.state.withLock { state in
                state.counters.count(result)
                state.activation.progressed()
            }
            self.metrics.results[result]?.increment()
        case .trouble(let trouble):
            machine.failed(record, trouble, at: self.clock.now, unit: self.random())
            self.state.withLock { state in
                state.counters.failed += 1
                state.activation.degraded(trouble.reason)
            }
            self.metrics.failed.increment()
        }
    }
}

// MARK: - One event

extension TriggerRunner {
    /// Decides about an event and makes the decision durable.
    private func account(for event: SourceEvent, orderedBy key: String?) async -> Account {
        let now = self.clock.unixMilliseconds
        if let key, self.declaration.ordering?.onFailure == .parkKey, self.order?.isParked(key) == true {
            return await self.keep(self.pipeline.parkedLetter(for: event, behind: key, at: now))
        }
        let result: TriggerEffects.Result
        let verdict: TriggerPipeline.Verdict
        do {
            verdict = try self.pipeline.verdict(on: event, receivedAt: now).sealed(by: self.host.letters.seal)
        } catch {
            // As when the store does not take it: the event stays where it is.
            return .trouble(.transient(error.description))
        }
        switch verdict {
        case .filtered: return .accounted(.filtered, .filtered)
        case .dropped: return .accounted(.dropped, .dropped)
        case .deadLetter(let letter): return await self.keep(letter)
        case .start(let request):
            result = await self.effects.start(request, holds: self.declaration.acknowledgement.moment == .completed)
        case .correlate(let request): result = await self.effects.correlate(request)
        case .signal(let request): result = await self.effects.signal(request, actor: self.actor)
        case .call(let request): result = await self.effects.call(request)
        }
        switch result {
        case .done(let result, let outcome): return .accounted(result, outcome)
        case .trouble(let trouble): return .trouble(trouble)
        case .refused(let refusal):
            self.metrics.refused(at: refusal.stage, code: refusal.code)
            return await self.keep(self.pipeline.deadLetter(for: event, refusal: refusal, at: now))
        }
    }

    private var actor: String { "trigger:\(self.declaration.id)" }

    private func record(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key {
        guard let order = self.order, let key = letter.orderingKey else {
            return try await self.host.letters.record(letter)
        }
        return try await order.parking(key) { () async throws(CommandRejection) -> Key in
            try await self.host.letters.record(letter)
        }
    }

    private func keep(_ letter: NewDeadLetter) async -> Account {
        do {
            let key = try await self.record(letter)
            self.logger.info(
                "event dead-lettered",
                metadata: [
                    "error.code": "\(letter.errorCode)", "stage": "\(letter.stage)",
                    "payload.bytes": "\(letter.payload.count)",
                ])
            return .accounted(
                .deadLettered, .deadLettered(key, code: letter.errorCode, message: letter.errorMessage))
        } catch {
            switch error.code {
            case .resourceExhausted:
                return .trouble(.backpressure(after: .milliseconds(max(1, error.retryAfterMilliseconds ?? 100))))
            default:
                return .trouble(.transient(error.description))
            }
        }
    }
}

extension TriggerRunner.Account {
    fileprivate var outcome: EventOutcome {
        switch self {
        case .accounted(_, let outcome): outcome
        case .trouble(.backpressure(let pause)): .failed(reason: "The hub is full.", retryAfter: pause)
        case .trouble(.transient(let reason)): .failed(reason: reason, retryAfter: nil)
        }
    }
}

extension TriggerPipeline.Verdict {
    /// The verdict with the copy of its event for the inbox sealed.
    fileprivate func sealed(by seal: LetterSeal) throws(HubError) -> Self {
        switch self {
        case .start(var request):
            request.received = try seal.seal(request.received)
            return .start(request)
        case .correlate(var request):
            request.received = try seal.seal(request.received)
            return .correlate(request)
        case .signal(var request):
            request.received = try seal.seal(request.received)
            return .signal(request)
        case .call, .filtered, .dropped, .deadLetter:
            return self
        }
    }
}

extension IntakeMachine.Trouble {
    fileprivate var reason: String {
        switch self {
        case .backpressure: "The engine is full; the source waits."
        case .transient(let message): message
        }
    }
}
