/// Decides when a node tries to own a source, when it renews its lease, and when it must stop reading.
///
/// Pure: no clock, no randomness, no I/O. A driver asks `next` and does what it says; how it went comes back through one
/// of the other methods. Times are those of a monotonic clock; what the lease is worth is reckoned from before the
/// request went out, so that a slow answer never makes it longer.
///
/// standby → held → lost, and from standby again when somebody else owns the source. `lost` is final.
struct LeaseMachine: Sendable {
    /// The settings.
    struct Settings: Sendable, Hashable {
        /// How long an owner that says nothing keeps the source.
        var lease: Duration
        /// A held lease is renewed this often.
        var renewal: Duration { self.lease / 3 }
        /// A renewal that failed is tried again this much later.
        var renewalRetry: Duration { self.lease / 12 }
        /// Reading stops this much before the lease ends, for clocks that differ.
        var margin: Duration { self.lease / 6 }
    }

    /// Where it stands.
    enum State: Sendable, Hashable {
        /// Somebody else owns the source, or nobody is known to; goes to `held`.
        case standby(retryAt: Duration)
        /// This node owns it until `endsAt`; goes to `lost`.
        case held(renewAt: Duration, endsAt: Duration)
        /// This node does not own it any more.
        case lost(Loss)
    }

    /// Why a lease was lost.
    enum Loss: Sendable, Hashable {
        /// Another owner has it.
        case taken
        /// It could not be renewed in time.
        case expired
    }

    /// What the driver does next.
    enum Step: Sendable, Hashable {
        /// Ask for ownership.
        case acquire
        /// Extend the lease.
        case renew
        /// Nothing for so long.
        case wait(Duration)
        /// Stop reading at once.
        case stop(Loss)
    }

    let settings: Settings
    private(set) var state = State.standby(retryAt: .zero)

    init(_ settings: Settings) { self.settings = settings }

    /// What to do at `now`.
    mutating func next(at now: Duration) -> Step {
        switch self.state {
        case .standby(let retryAt):
            return now >= retryAt ? .acquire : .wait(retryAt - now)
        case .held(let renewAt, let endsAt):
            if now >= endsAt {
                self.state = .lost(.expired)
                return .stop(.expired)
            }
            return now >= renewAt ? .renew : .wait(min(renewAt, endsAt) - now)
        case .lost(let loss):
            return .stop(loss)
        }
    }

    /// Why the lease is lost; nil unless it is.
    var loss: Loss? {
        guard case .lost(let loss) = self.state else { return nil }
        return loss
    }

    /// The source is owned, by a request sent at `asked`.
    mutating func acquired(askedAt asked: Duration) {
        self.state = self.held(from: asked)
    }

    /// The source is not to be had, or the table of owners could not be reached.
    ///
    /// `unit` is a random number in [0, 1).
    mutating func refused(at now: Duration, unit: Double) {
        // Half to the whole of an interval, so that nodes that started together do not ask together for ever.
        self.state = .standby(retryAt: now + self.settings.renewal * (0.5 + unit / 2))
    }

    /// The lease was extended, by a request sent at `asked`.
    mutating func renewed(askedAt asked: Duration) {
        guard case .held = self.state else { return }
        self.state = self.held(from: asked)
    }

    /// The lease could not be extended, for a reason that may pass.
    mutating func renewalFailed(at now: Duration) {
        guard case .held(_, let endsAt) = self.state else { return }
        self.state = .held(renewAt: now + self.settings.renewalRetry, endsAt: endsAt)
    }

    /// Another owner has taken the source.
    mutating func taken() {
        self.state = .lost(.taken)
    }

    private func held(from asked: Duration) -> State {
        .held(renewAt: asked + self.settings.renewal, endsAt: asked + self.settings.lease - self.settings.margin)
    }
}
