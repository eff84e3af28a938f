import ConnectorKit
import HubDocuments
import Metrics
import Resilience
import Values

/// Drives one call through the pipeline of its guard: waits, sends, hedges, and hands every result back.
///
/// Decides nothing itself.
struct CallDriver {
    /// How a call ended.
    enum Result {
        case succeeded(Outcome)
        case postponed(CallPipeline.Reschedule, ConnectorError?)
        case failed(CallPipeline.Ending, ConnectorError?)
        /// The hub stops: there is no result; whether the remote may have carried the call out.
        case stopped(mayHaveExecuted: Bool)
    }

    let `guard`: ConnectionGuard
    let clock: any ConnectorClock
    let random: @Sendable () -> Double
    let metrics: CallMetrics
    /// Sends one attempt.
    let send: @Sendable (CallPipeline.Attempt) async -> Outcome
    private var call: CallPipeline.Call
    private var last: Outcome?
    /// Whether every step needs a random number, not only failures.
    private let drawsAlways: Bool

    /// Prepares a call; `make` creates it in the guard's pipeline, at the time given.
    init(
        _ guard: ConnectionGuard, clock: any ConnectorClock, random: @escaping @Sendable () -> Double,
        metrics: CallMetrics, make: (borrowing CallPipeline, Duration) -> CallPipeline.Call,
        send: @escaping @Sendable (CallPipeline.Attempt) async -> Outcome
    ) {
        self.guard = `guard`
        self.clock = clock
        self.random = random
        self.metrics = metrics
        self.send = send
        let now = clock.now
        let (call, hasEndpoints) = `guard`.step { (make($0, now), $0.outliers != nil) }
        self.call = call
        self.drawsAlways = call.isRehearsed || hasEndpoints
    }

    /// Carries out the call.
    mutating func run() async -> Result {
        var action = self.step(unit: self.unit) { $0.begin(&$1, at: $2, unit: $3) }
        while true {
            switch action {
            case .attempt(let attempt):
                guard let next = await self.carryOut(attempt) else { return self.stop() }
                action = next
            case .waitThenAttempt(let delay):
                if self.call.failedAttempts > 0 { self.metrics.retries.increment() }
                do { try await self.clock.sleep(for: delay) } catch { return self.stop() }
                action = self.step(unit: self.unit) { $0.begin(&$1, at: $2, unit: $3) }
            case .waitForPlace(let ticket):
                switch await self.guard.answer(to: ticket) {
                case .granted: action = self.step(unit: self.unit) { $0.resume(&$1, granted: true, at: $2, unit: $3) }
                case .refused: action = self.step(unit: self.unit) { $0.resume(&$1, granted: false, at: $2, unit: $3) }
                case .cancelled: return self.stop()
                }
            case .awaitOthers, .succeed:
                // `awaitOthers` is dealt with where there are others.
                return self.last.map { .succeeded($0) } ?? self.stop()
            case .reschedule(let reschedule):
                self.metrics.refused(reschedule.reason)
                return .postponed(reschedule, self.last?.error)
            case .fail(let ending):
                self.metrics.refused(ending.reason)
                return .failed(ending, self.last?.error)
            }
        }
    }

    private mutating func stop() -> Result {
        self.step(unit: 0) { pipeline, call, now, _ in pipeline.abandon(&call, at: now) }
        return .stopped(mayHaveExecuted: self.last?.error?.mayHaveExecuted ?? false)
    }

    // MARK: Attempts

    /// Makes an attempt, and hedges it when it is silent for too long; nil when the hub stops.
    private mutating func carryOut(_ attempt: CallPipeline.Attempt) async -> CallPipeline.Action? {
        guard let silence = attempt.hedgeAfter, silence < attempt.timeout else {
            return self.finish(attempt, await self.perform(attempt))
        }
        return await self.race(attempt, silence: silence)
    }

    private enum Race: Sendable {
        case ended(CallPipeline.Attempt, Outcome)
        case silent
    }

    private mutating func race(_ attempt: CallPipeline.Attempt, silence: Duration) async -> CallPipeline.Action? {
        let (clock, driver) = (self.clock, self)
        return await withTaskGroup(of: Race.self) { group in
            func begin(_ attempt: CallPipeline.Attempt) {
                group.addTask { .ended(attempt, await driver.perform(attempt)) }
                guard attempt.hedgeAfter != nil else { return }
                group.addTask {
                    try? await clock.sleep(for: silence)
                    return .silent
                }
            }
            begin(attempt)
            while let event = await group.next() {
                switch event {
                case .silent:
                    if Task.isCancelled { continue }
                    if let hedge = self.step(unit: self.unit, { $0.hedge(&$1, at: $2, unit: $3) }) {
                        self.metrics.hedges.increment()
                        begin(hedge)
                    }
                case .ended(let attempt, let outcome):
                    let action = self.finish(attempt, outcome)
                    if action == .awaitOthers { continue }
                    // The others are not needed any more.
                    group.cancelAll()
                    return action
                }
            }
            return nil
        }
    }

    /// Sends an attempt, or does what is rehearsed instead.
    private func perform(_ attempt: CallPipeline.Attempt) async -> Outcome {
        self.metrics.attempts.increment()
        let started = self.clock.now
        var attempt = attempt
        if let injection = attempt.injection {
            if let outcome = await self.inject(injection, attempt) { return outcome }
            attempt = attempt.shortened(by: injection.delay)
        }
        let outcome = await self.send(attempt)
        self.metrics.seconds.record(duration: self.clock.now - started)
        return outcome
    }

    /// The outcome of a rehearsed attempt; nil when it is sent after all.
    private func inject(_ injection: FaultPolicy.Injection, _ attempt: CallPipeline.Attempt) async -> Outcome? {
        if injection.delay > .zero {
            self.metrics.injectedDelays.increment()
            do { try await self.clock.sleep(for: min(injection.delay, attempt.timeout)) } catch {
                return .failed(ConnectorError(wrapping: error))
            }
            if injection.delay >= attempt.timeout {
                return .failed(.injected(CallFailure(kind: .timeout), profile: self.guard.key.profile))
            }
        }
        guard let failure = injection.failure else { return nil }
        self.metrics.injectedFailures.increment()
        return .failed(.injected(failure, profile: self.guard.key.profile))
    }

    /// Hands an outcome to the pipeline; nil when the hub stops.
    ///
    /// A success is reported also then; a failure is no verdict, since it may be of our own making.
    private mutating func finish(_ attempt: CallPipeline.Attempt, _ outcome: Outcome) -> CallPipeline.Action? {
        self.last = outcome
        if Task.isCancelled, outcome.error != nil { return nil }
        let result = outcome.error.map { CallPipeline.Outcome.failure(CallFailure($0, outcome)) } ?? .success
        let unit = outcome.error == nil ? self.unit : self.random()
        return self.step(unit: unit) { $0.finish(&$1, result, of: attempt.id, at: $2, unit: $3) }
    }

    /// The random number of a step that nearly never looks at it.
    private var unit: Double { self.drawsAlways ? self.random() : 0 }

    /// One step of the pipeline, under the guard's lock.
    @discardableResult
    private mutating func step<Value: Sendable>(
        unit: Double, _ body: (inout CallPipeline, inout CallPipeline.Call, Duration, Double) -> Value
    ) -> Value {
        let now = self.clock.now
        var call = self.call
        let value = self.guard.step { body(&$0, &call, now, unit) }
        self.call = call
        return value
    }
}

extension CallPipeline.Attempt {
    /// The same attempt after some of its time has passed.
    func shortened(by delay: Duration) -> Self {
        guard delay > .zero else { return self }
        var copy = self
        copy.timeout -= delay
        return copy
    }
}

extension ConnectorError {
    /// A failure injected by the faults of a profile.
    static func injected(_ failure: CallFailure, profile: String) -> ConnectorError {
        ConnectorError(
            Kind(rawValue: failure.kind.rawValue) ?? .unknown, code: HubCode.injected.rawValue,
            "Rehearsal: the resilience profile \(profile) injected a failure of the kind \(failure.kind.rawValue).",
            remedy: "Nothing is wrong with the remote; remove faults from the profile to end the rehearsal.",
            mayHaveExecuted: failure.mayHaveExecuted, retryAfter: failure.retryAfter)
    }
}

extension CallFailure {
    /// What the resilience layer needs to know of a connector's error.
    init(_ error: ConnectorError, _ outcome: Outcome) {
        var isRetryable = error.isRetryable
        var retryAfter = error.retryAfter
        switch outcome {
        case .retry(let after, _):
            isRetryable = true
            retryAfter = after ?? retryAfter
        case .park, .reject:
            isRetryable = false
        case .done, .alreadyDone:
            break
        }
        self.init(
            kind: FailureKind(rawValue: error.kind.rawValue) ?? .unknown, isRetryable: isRetryable,
            mayHaveExecuted: error.mayHaveExecuted, retryAfter: retryAfter)
    }
}
