extension CallPipeline {
    /// What the driver does next.
    public enum Action: Sendable, Hashable {
        /// Send the request once.
        case attempt(Attempt)
        /// Wait this long, then ask `begin` again.
        case waitThenAttempt(Duration)
        /// Wait until `takeAnswers` has an answer for this ticket, then `resume`.
        case waitForPlace(Bulkhead.Ticket)
        /// This attempt failed, but others of the call still run: wait for them.
        case awaitOthers
        /// The call succeeded.
        case succeed
        /// Give the work back to its queue and start a new call later.
        case reschedule(Reschedule)
        /// The call failed for good.
        case fail(Ending)
    }

    /// One attempt to make.
    public struct Attempt: Sendable, Hashable {
        /// Tells the attempts of one call apart that run at once.
        public let id: Int
        /// Number of the attempt, from 1, over all runs of the call; a hedge has the number of what it hedges.
        public let number: Int
        /// How long it may take: the attempt timeout or what is left of the total, whichever is less.
        public var timeout: Duration
        /// When the whole call has to be over, on the clock of `now`: what a callee further down may use at most.
        public let deadline: Duration
        /// The key to send, if the call has one.
        public let idempotencyKey: String?
        /// Which endpoint of the connection to use, from 0.
        public let endpoint: Int
        /// Silence after which the driver should ask `hedge`; nil when there is to be no hedge.
        public let hedgeAfter: Duration?
        /// What to do before or instead of sending it, for a rehearsal.
        public let injection: FaultPolicy.Injection?
    }

    /// Why and when to come back.
    public struct Reschedule: Sendable, Hashable {
        /// What stands in the way.
        public enum Reason: String, Sendable, Hashable, CaseIterable {
            /// The breaker is open or probing. Nothing was burnt.
            case circuitOpen
            /// The next wait, for the backoff or the rate limit, is too long to hold a worker.
            case longWait
            /// Too many calls run and wait already. Nothing was burnt.
            case bulkheadFull
        }
        /// What stands in the way.
        public let reason: Reason
        /// How long to wait.
        public let after: Duration
        /// Attempts that count as failed so far; hand them to the next `Call`.
        public let failedAttempts: Int
        /// The failure that led here; `nil` when nothing was attempted.
        public let failure: CallFailure?
    }

    /// How a call failed for good.
    public struct Ending: Sendable, Hashable {
        /// Why there is no further attempt.
        public enum Reason: String, Sendable, Hashable, CaseIterable {
            /// The failure is not of a kind that passes.
            case notRetryable
            /// The effect may have happened and must not happen twice.
            case mayHaveExecuted
            /// All attempts are used.
            case attemptsExhausted
            /// The connection's retries are used up for now.
            case budgetExhausted
            /// The total time is up, or would be before the next attempt.
            case deadlineExceeded
            /// An operator isolated the connection.
            case isolated
            /// The caller gave up.
            case cancelled
        }
        /// Why there is no further attempt.
        public let reason: Reason
        /// The last failure.
        public let failure: CallFailure
        /// Attempts that failed.
        public let failedAttempts: Int
    }

    /// How an attempt ended.
    public enum Outcome: Sendable, Hashable {
        /// The remote did it.
        case success
        /// It failed.
        case failure(CallFailure)
        /// The caller gave up; no verdict on the remote.
        case cancelled(mayHaveExecuted: Bool)
    }

    /// What the pipeline decided since its creation.
    public struct Totals: Sendable, Hashable {
        /// Calls that began.
        public internal(set) var calls = 0
        /// Attempts, retries and hedges included.
        public internal(set) var attempts = 0
        /// Retries that were waited out in process.
        public internal(set) var retries = 0
        /// Attempts sent beside a slow one.
        public internal(set) var hedges = 0
        /// Calls that succeeded.
        public internal(set) var successes = 0
        /// Calls that failed for good.
        public internal(set) var failures = 0
        /// Times an attempt was held back by the rate limit.
        public internal(set) var rateLimited = 0
        /// Calls that waited for a place.
        public internal(set) var queued = 0
        /// Calls given back because no place came free.
        public internal(set) var bulkheadRejections = 0
        /// Calls given back because of the breaker.
        public internal(set) var circuitRejections = 0
        /// Calls given back because the next wait was long.
        public internal(set) var longWaits = 0
        /// Retries and hedges a budget refused.
        public internal(set) var budgetRefusals = 0
        /// Calls that ran out of time.
        public internal(set) var deadlinesExceeded = 0
        /// Failures injected.
        public internal(set) var injectedFailures = 0
        /// Delays injected.
        public internal(set) var injectedDelays = 0
    }

    /// One logical call on its way through the pipeline.
    public struct Call: Sendable {
        enum Phase: Sendable {
            case ready
            case waiting(Bulkhead.Ticket)
            case attempting
            case ended
        }
        struct Running: Sendable {
            let id: Int
            let permit: CircuitBreaker.Permit?
            let endpoint: Int
            let since: Duration
        }
        /// What of a profile concerns a single call: a call is copied often, a profile is large.
        struct Settings: Sendable {
            let attemptTimeout: Duration
            let retry: RetryPolicy
            let hedge: HedgePolicy?
            let faults: FaultPolicy?
        }
        let settings: Settings
        let safety: RepeatSafety
        let idempotencyKey: String?
        let deadline: Duration
        var retry: RetryMachine
        var phase: Phase = .ready
        var lastFailure: CallFailure?
        var lastRetryCost = 0
        var nextID = 0
        var hedges = 0
        var isCounted = false
        var hasPlace = false
        var isRetrying = false
        /// Attempts that run; nearly always one.
        private var first: Running?
        private var others: [Running] = []

        init(
            profile: ResilienceProfile, safety: RepeatSafety, idempotencyKey: String?, deadline: Duration,
            failedAttempts: Int
        ) {
            self.settings = Settings(
                attemptTimeout: profile.attemptTimeout, retry: profile.retry, hedge: profile.hedge,
                faults: profile.faults)
            self.safety = safety
            self.idempotencyKey = idempotencyKey
            self.deadline = deadline
            self.retry = RetryMachine(failedAttempts: failedAttempts)
        }

        /// Attempts that count as failed so far, earlier runs included.
        public var failedAttempts: Int { self.retry.failedAttempts }

        /// Whether faults may be injected into its attempts.
        public var isRehearsed: Bool { self.settings.faults != nil }

        var isAlone: Bool { self.first == nil && self.others.isEmpty }

        mutating func add(_ running: Running) {
            if self.first == nil {
                self.first = running
            } else {
                self.others.append(running)
            }
        }

        /// Takes out the attempt with this id; nil: any that runs.
        mutating func take(_ id: Int? = nil) -> Running? {
            if let first, id == nil || first.id == id {
                self.first = nil
                return first
            }
            guard let index = self.others.firstIndex(where: { id == nil || $0.id == id }) else { return nil }
            return self.others.remove(at: index)
        }
    }
}
