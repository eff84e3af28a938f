extension CallPipeline.Outcome {
    /// What it says about how much the remote can take.
    var signal: AdaptiveLimit.Signal {
        switch self {
        case .success: .success
        case .cancelled: .neutral
        case .failure(let failure): failure.mayPass ? .backpressure : .neutral
        }
    }

    /// What it says about the endpoint; nil: nothing.
    var endpointVerdict: OutlierDetector.Outcome? {
        switch self {
        case .success: .success
        case .cancelled: nil
        case .failure(let failure):
            switch failure.kind {
            case .unavailable: failure.mayHaveExecuted ? .failure : .unreachable
            case .transient, .timeout, .unknown: .failure
            case .rateLimited, .auth, .permission, .notFound, .conflict, .validation, .quotaExhausted, .unsupported:
                .success
            }
        }
    }
}

extension CallFailure {
    /// Whether it is of a kind that passes, whatever a policy says.
    var mayPass: Bool { self.isRetryable ?? self.kind.isRetryableByDefault }
}

extension CircuitBreaker.Policy {
    /// What a failure means for the breaker.
    public func verdict(on failure: CallFailure) -> CircuitBreaker.Verdict {
        if self.ignoredKinds.contains(failure.kind) { return .neutral }
        guard self.failureKinds.contains(failure.kind) else { return .success }
        if self.opensOnRetryAfter, let wait = failure.retryAfter { return .failureOpening(wait) }
        return .failure
    }
}

extension CircuitBreaker {
    /// How long a caller whose attempt just failed should stay away; `nil` while calls pass.
    func waitWhileNotClosed(at now: Duration) -> Duration? {
        switch self.mode {
        case .disabled, .metricsOnly, .forcedClosed: return nil
        case .forcedOpen, .isolated: return self.policy.openDuration(round: 1)
        case .automatic: break
        }
        switch self.state {
        case .closed: return nil
        case .open(let until, _): return (max(until - now, .zero) + .nanoseconds(1)).roundedUpToMilliseconds
        case .halfOpen: return self.policy.openDuration(round: 1)
        }
    }
}
