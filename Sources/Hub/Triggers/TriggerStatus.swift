/// A trigger, for displays.
public struct TriggerStatus: Sendable {
    /// The trigger.
    public var id: String
    /// The revision of its declaration.
    public var revision: Int
    /// The source type.
    public var source: String
    /// The connection it reads from; for one of the hub's own sources, its type.
    public var connection: String
    /// What it starts, tells or calls.
    public var workflow: String
    /// Where it stands.
    public var state: ActivationState
    /// What is wrong, while something is.
    public var trouble: String?
    /// Milliseconds until it is armed again, while it is failed.
    public var rearmMilliseconds: Int64?
    /// What is known and not yet accounted for: records that were read, and files or messages that wait at the source.
    ///
    /// 0 means that there is nothing to do.
    public var pending: Int
    /// What it has done since the hub started.
    public var counters: TriggerCounters
    /// The connection whose open circuit breaker keeps it from reading.
    public var heldBy: String?
    /// Milliseconds until that lets a call through; nil when that is up to an operator.
    public var heldMilliseconds: Int64?
}

/// What a trigger has done since the hub started.
///
/// Every received record is counted in exactly one of the others once it is accounted for: `received` is their sum and
/// what is being worked on. What an interrupted session had read and not accounted for does not count as received; it
/// comes again.
public struct TriggerCounters: Sendable, Hashable {
    /// Records read.
    public var received = 0
    /// Process instances started.
    public var started = 0
    /// Messages that reached an instance that waited for them.
    public var correlated = 0
    /// Messages that wait for somebody.
    public var buffered = 0
    /// Messages nobody waited for, acknowledged as declared.
    public var unmatched = 0
    /// Signals broadcast.
    public var signalled = 0
    /// Operations called.
    public var called = 0
    /// Records whose dedupe key was known.
    public var duplicates = 0
    /// Records the filter stopped.
    public var filtered = 0
    /// Records that were wrong and forgotten, as declared.
    public var dropped = 0
    /// Records kept for a person.
    public var deadLettered = 0
    /// Attempts to start or keep a record that failed and were repeated.
    public var failed = 0

    /// Creates counters at zero.
    public init() {}

    /// How a record is accounted for.
    enum Result: String, Sendable, CaseIterable {
        case started, correlated, buffered, unmatched, signalled, called, duplicate, filtered, dropped
        case deadLettered = "dead_lettered"
    }

    /// Records accounted for.
    var accounted: Int {
        self.started + self.correlated + self.buffered + self.unmatched + self.signalled + self.called
            + self.duplicates + self.filtered + self.dropped + self.deadLettered
    }

    mutating func count(_ result: Result) {
        switch result {
        case .started: self.started += 1
        case .correlated: self.correlated += 1
        case .buffered: self.buffered += 1
        case .unmatched: self.unmatched += 1
        case .signalled: self.signalled += 1
        case .called: self.called += 1
        case .duplicate: self.duplicates += 1
        case .filtered: self.filtered += 1
        case .dropped: self.dropped += 1
        case .deadLettered: self.deadLettered += 1
        }
    }
}
