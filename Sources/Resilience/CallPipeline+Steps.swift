extension CallPipeline {
    /// How long those stay away who found no place.
    var bulkheadPause: Duration {
        min(max(self.bulkhead?.policy.waitMaximum ?? .zero, .milliseconds(100)), .seconds(5))
    }

    func mayHedge(_ call: Call) -> Bool {
        guard let policy = call.settings.hedge, call.safety != .unsafe else { return false }
        return call.hedges < max(1, policy.maximum)
    }

    mutating func start(
        _ call: inout Call, _ permit: CircuitBreaker.Permit?, _ timeout: Duration, isHedge: Bool, at now: Duration,
        _ unit: Double
    ) -> Attempt {
        self.limiter?.take(at: now)
        if let running = self.bulkhead?.running { self.adaptive?.began(running: running) }
        let endpoint = self.outliers?.choose(at: now, unit: unit) ?? 0
        self.totals.attempts += 1
        if isHedge {
            call.hedges += 1
            self.totals.hedges += 1
        }
        let injection = call.settings.faults?.injection(unit: unit)
        if let injection {
            if injection.failure != nil { self.totals.injectedFailures += 1 }
            if injection.delay > .zero { self.totals.injectedDelays += 1 }
        }
        call.nextID += 1
        call.add(Call.Running(id: call.nextID, permit: permit, endpoint: endpoint, since: now))
        call.phase = .attempting
        return Attempt(
            id: call.nextID, number: call.retry.failedAttempts + 1, timeout: timeout, deadline: call.deadline,
            idempotencyKey: call.idempotencyKey, endpoint: endpoint,
            hedgeAfter: self.mayHedge(call) ? call.settings.hedge?.after : nil, injection: injection)
    }

    /// Tells the machines how an attempt ended.
    mutating func report(_ outcome: Outcome, of running: Call.Running, at now: Duration, _ unit: Double) {
        let took = now - running.since
        if let permit = running.permit {
            let verdict = self.verdict(on: outcome)
            self.breaker?.record(verdict, for: permit, took: took, at: now)
        }
        if self.adaptive?.ended(outcome.signal, took: took, at: now) == true, let limit = self.adaptive?.limit {
            self.answers += self.bulkhead?.setLimit(limit, at: now) ?? []
        }
        if let verdict = outcome.endpointVerdict {
            self.outliers?.record(verdict, of: running.endpoint, at: now, unit: unit)
        }
    }

    mutating func afterFailure(
        _ call: inout Call, _ failure: CallFailure, at now: Duration, unit: Double
    ) -> Action {
        let policy = call.settings.retry
        if failure.kind == .rateLimited, let asked = failure.retryAfter, let maximum = policy.retryAfterMaximum {
            self.limiter?.hold(until: now + min(asked, maximum))
        }
        // While the circuit is not closed, a failure that may pass burns no retry: an outage must not turn into
        // incidents and dead letters.
        if let wait = self.breaker?.waitWhileNotClosed(at: now),
            policy.allowsRetry(after: failure, safety: call.safety)
        {
            return self.reschedule(&call, .circuitOpen, after: wait, at: now)
        }
        switch call.retry.attemptFailed(failure, safety: call.safety, policy: policy, unit: unit) {
        case .stop(.notRetryable): return self.end(&call, .notRetryable, failure, at: now)
        case .stop(.mayHaveExecuted): return self.end(&call, .mayHaveExecuted, failure, at: now)
        case .stop(.attemptsExhausted): return self.end(&call, .attemptsExhausted, failure, at: now)
        case .retry(let delay):
            if delay > policy.inProcessWaitMaximum {
                return self.reschedule(&call, .longWait, after: delay.roundedUpToMilliseconds, at: now)
            }
            guard now + delay < call.deadline else { return self.end(&call, .deadlineExceeded, failure, at: now) }
            guard self.payForRetry(&call, after: failure.kind) else {
                return self.end(&call, .budgetExhausted, failure, at: now)
            }
            self.totals.retries += 1
            call.phase = .ready
            return .waitThenAttempt(delay)
        }
    }

    /// Whether both budgets allow one more attempt; pays if so.
    mutating func payForRetry(_ call: inout Call, after kind: FailureKind) -> Bool {
        if !call.isRetrying, let allowed = self.retryConcurrency?.tryBegin(active: self.active) {
            guard allowed else {
                self.totals.budgetRefusals += 1
                return false
            }
            call.isRetrying = true
        }
        guard self.budget != nil else { return true }
        guard let cost = self.budget?.tryWithdraw(after: kind) else {
            self.totals.budgetRefusals += 1
            return false
        }
        call.lastRetryCost = cost
        return true
    }

    private func verdict(on outcome: Outcome) -> CircuitBreaker.Verdict {
        switch outcome {
        case .success: .success
        case .cancelled: .neutral
        case .failure(let failure): self.profile.breaker?.verdict(on: failure) ?? .neutral
        }
    }

    mutating func end(
        _ call: inout Call, _ reason: Ending.Reason, _ failure: CallFailure, at now: Duration
    ) -> Action {
        self.totals.failures += 1
        if reason == .deadlineExceeded { self.totals.deadlinesExceeded += 1 }
        self.close(&call, at: now)
        return .fail(Ending(reason: reason, failure: failure, failedAttempts: call.retry.failedAttempts))
    }

    mutating func reschedule(
        _ call: inout Call, _ reason: Reschedule.Reason, after: Duration, at now: Duration
    ) -> Action {
        switch reason {
        case .circuitOpen: self.totals.circuitRejections += 1
        case .longWait: self.totals.longWaits += 1
        case .bulkheadFull: self.totals.bulkheadRejections += 1
        }
        self.close(&call, at: now)
        return .reschedule(
            Reschedule(
                reason: reason, after: after, failedAttempts: call.retry.failedAttempts, failure: call.lastFailure))
    }

    /// Gives back everything the call holds: attempts that still run are no verdict.
    mutating func close(_ call: inout Call, at now: Duration) {
        call.phase = .ended
        while let running = call.take() {
            if let permit = running.permit {
                self.breaker?.record(.neutral, for: permit, took: now - running.since, at: now)
            }
        }
        if call.isRetrying {
            call.isRetrying = false
            self.retryConcurrency?.end()
        }
        if call.hasPlace {
            call.hasPlace = false
            self.answers += self.bulkhead?.leave(at: now) ?? []
        }
        if call.isCounted {
            call.isCounted = false
            self.active -= 1
        }
    }
}
