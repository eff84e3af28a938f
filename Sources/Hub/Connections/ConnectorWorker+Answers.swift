import ConnectorKit
import Decisions
import Engine
import HubDocuments
import Logging
import Metrics
import ProcessModel
import Resilience
import Runtime
import Synchronization
import Values

extension ConnectorWorker {
    func postpone(
        _ job: ActivatedJob, _ reschedule: CallPipeline.Reschedule, _ error: ConnectorError?, _ lane: ConnectionLane
    ) -> JobOutcome {
        lane.metrics.postponed.increment()
        self.failedAttempts.withLock { counts in
            if counts.count >= Self.rememberedMax { counts.removeAll() }
            if reschedule.failedAttempts > 0 { counts[job.key] = reschedule.failedAttempts }
        }
        let text = error.map { self.text($0) }
        if let text { lane.noteCall(error: text, at: self.clock.unixMilliseconds) }
        let reason =
            switch reschedule.reason {
            case .circuitOpen: "The circuit breaker of connection \(lane.declaration.id) is open."
            case .longWait: "The next attempt is due later."
            case .bulkheadFull: "Too many calls of connection \(lane.declaration.id) run and wait already."
            }
        return .postponed(
            milliseconds: max(1, reschedule.after.wholeMilliseconds),
            message: text.map { reason + " Last failure: " + $0 } ?? reason)
    }

    func fail(
        _ request: Request, _ ending: CallPipeline.Ending, _ error: ConnectorError?, _ lane: ConnectionLane
    ) -> JobOutcome {
        let name = lane.declaration.id
        if ending.reason == .isolated {
            lane.metrics.postponed.increment()
            return .postponed(milliseconds: 60_000, message: "Connection \(name) was isolated by an operator.")
        }
        let text =
            error.map { self.text($0) }
            ?? "\(HubCode.callFailed): The call through connection \(name) ran out of time — allow more time in its profile."
        lane.noteCall(error: text, at: self.clock.unixMilliseconds)
        lane.metrics.failed.increment()
        self.note(error, of: request.job, attempts: max(1, ending.failedAttempts))
        switch ending.reason {
        case .attemptsExhausted, .budgetExhausted, .deadlineExceeded:
            return self.retryLater(request.job, request.profile, "\(text) (after \(ending.failedAttempts) attempts)")
        case .mayHaveExecuted:
            return .failed(
                retries: 0, backoffMilliseconds: 0,
                message: "\(text) The remote may have carried it out; it is not repeated, because the operation is not "
                    + "idempotent. Check the remote, then resolve the incident or complete the task by hand.")
        case .notRetryable, .isolated, .cancelled:
            if let error, let declared = self.declaredError(request, error) { return declared }
            return .failed(retries: 0, backoffMilliseconds: 0, message: text)
        }
    }

    /// The BPMN error the process declares for a rejected call (`apg:error`), tested against the remote's answer.
    private func declaredError(_ request: Request, _ error: ConnectorError) -> JobOutcome? {
        guard let rules = request.job.element.job?.errors, !rules.isEmpty else { return nil }
        let scope = MapScope(request.input.asContext ?? ValueContext())
        scope.variables["result"] = .context(error.details)
        for rule in rules where rule.condition.evaluateCondition(scope) == true {
            return .error(code: rule.code, message: self.text(error), variables: nil)
        }
        return nil
    }

    /// One of the job's retries is used; the next one comes after about the longest wait of the profile.
    func retryLater(_ job: ActivatedJob, _ profile: ResilienceProfile, _ message: String) -> JobOutcome {
        let cap = Double(max(1, profile.retry.backoff.maximum.wholeMilliseconds))
        return .failed(
            retries: max(0, job.retries - 1), backoffMilliseconds: Int64(cap / 2 + self.random() * cap / 2),
            message: message)
    }

    func unusable(_ error: HubError, _ job: ActivatedJob) -> JobOutcome {
        self.causes.withLock {
            $0[job.key] = Cause(code: error.code.rawValue, errorClass: "configuration", isRetryable: false, attempts: 0)
        }
        return .failed(retries: 0, backoffMilliseconds: 0, message: error.description)
    }

    func text(_ error: ConnectorError) -> String {
        self.pool.secrets.redacted("\(error.code): \(error.message) — \(error.remedy)").shortened(to: 2_000)
    }

    func log(
        _ outcome: Outcome, _ attempt: CallPipeline.Attempt, _ request: Request, _ lane: ConnectionLane
    ) {
        self.logger.debug(
            "connector call",
            metadata: [
                "connection.id": "\(lane.declaration.id)", "operation.id": "\(request.operation.id)",
                "job.id": "\(request.job.key)", "process.instance.id": "\(request.job.instanceKey)",
                "element.id": "\(request.job.element.id)", "attempt": "\(attempt.number)",
                "error.code": "\(outcome.error?.code ?? "")",
            ])
    }
}

extension ActivatedJob {
    /// A static header of the job's element; nil when absent or empty.
    func header(_ name: String) -> String? {
        let value = self.element.job?.headers.first { $0.key == name }?.value
        return value.flatMap { $0.isEmpty ? nil : $0 }
    }
}

extension Value {
    /// The value as a JSON object document; anything but a context becomes the member `result`.
    var objectJSON: [UInt8] {
        var json: [UInt8] = []
        if case .context = self {
            JSON.write(self, into: &json)
        } else {
            JSON.write(.context(["result": self]), into: &json)
        }
        return json
    }
}

extension String {
    /// `host:port` of an absolute URL, without user information; nil for anything else.
    var urlAuthority: String? {
        let parts = self.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty else { return nil }
        let authority = parts[2].prefix { $0 != "?" && $0 != "#" }
        return authority.split(separator: "@").last.map { $0.lowercased() }
    }
}
