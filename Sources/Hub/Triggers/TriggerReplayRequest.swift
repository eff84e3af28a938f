public import HubDocuments
public import Resilience
public import Values

/// Asks for events of a trigger to be taken again.
public struct TriggerReplayRequest: Sendable {
    /// Where the events come from.
    public enum Origin: String, Sendable, CaseIterable {
        /// The source itself, which emits a range of its own again.
        case source
        /// The copies the trigger kept (`inbox.retain`).
        case inbox
        /// The trigger's dead letters.
        case letters
    }

    /// Where the events come from.
    public var origin: Origin
    /// The range, in the source's own words, such as `{ "from": { "offset": 5 }, "to": { "offset": 90 } }`.
    public var range: Value
    /// The first moment of the range, in Unix milliseconds, where the range is one of time.
    public var from: Int64?
    /// The moment before which the range ends.
    public var to: Int64?
    /// Whether it is only said what would happen.
    public var isDryRun: Bool
    /// At most so fast; nil for as fast as the trigger allows.
    public var rate: RateLimiter.Policy?
    /// Who asks.
    public var actor: String

    /// Reads the members `source`, `from`, `to`, `range`, `dryRun` and `rate`.
    ///
    /// `from` and `to` are moments (RFC 3339), or for `source` anything its source understands; `range` is all of that
    /// source's own words. Throws `HubError` (`HB651`) for a range that is none.
    public init(_ fields: ValueContext, actor: String) throws(HubError) {
        let word = fields["source"]?.asString ?? Origin.source.rawValue
        guard let origin = Origin(rawValue: word) else {
            throw Self.invalid(
                "Expected source to be source, inbox or letters but found \"\(word.shortened(to: 40))\".")
        }
        self.origin = origin
        self.actor = actor
        self.isDryRun = fields["dryRun"]?.asBoolean ?? false
        self.rate = nil
        if let text = fields["rate"]?.asString {
            guard let policy = RateLimiter.Policy(rate: text) else {
                throw Self.invalid("Expected rate to be a rate such as 50/s or 100/1m but found \"\(text)\".")
            }
            self.rate = policy
        }
        var range = ValueContext()
        for name in ["from", "to"] {
            if let bound = fields[name], !bound.isNull { range[name] = bound }
        }
        if let own = fields["range"], !own.isNull {
            guard range.isEmpty else { throw Self.invalid("Expected from and to, or range, but found both.") }
            guard origin == .source else { throw Self.invalid("A range in words of its own is for the source alone.") }
            self.range = own
        } else {
            self.range = .context(range)
        }
        self.from = range["from"]?.asString.flatMap { Timestamp.milliseconds($0) }
        self.to = range["to"]?.asString.flatMap { Timestamp.milliseconds($0) }
        guard origin != .source else {
            guard !range.isEmpty || fields["range"] != nil else {
                throw Self.invalid("A replay from the source needs a range: from, to, or range.")
            }
            return
        }
        for (name, moment) in [("from", self.from), ("to", self.to)] where range[name] != nil && moment == nil {
            throw Self.invalid("Expected \(name) to be a date and time such as 2026-01-31T12:00:00Z.")
        }
        if let from = self.from, let to = self.to, from >= to {
            throw Self.invalid("Expected from to be before to.")
        }
    }

    private static func invalid(_ message: String) -> HubError {
        HubError(
            .invalidReplay, message,
            remedy: "Give from and to as moments, or for a source what its page under docs/connectors says.")
    }
}

/// What a replay of a trigger's events did, or would do.
public struct TriggerReplayReport: Sendable {
    /// What became of the events.
    public var counters = TriggerCounters()
    /// The first of what would happen, for a dry run.
    public var forecast: [TriggerDryRun] = []
    /// Dead letters that were queued, for a replay of letters.
    public var queued = 0

    /// The most entries of a forecast.
    public static let forecastMax = 20

    /// Creates a report of nothing.
    public init() {}
}

extension HubCode {
    /// The range of a replay is none, or lacks what the replay needs.
    public static let invalidReplay = HubCode(rawValue: "HB651")
}
