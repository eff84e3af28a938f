public import HubDocuments
public import Resilience
import Values

/// How dead letters are kept, replayed and watched.
public struct DeadLetterSettings: Sendable, Hashable {
    /// What somebody has to be told about; nil: never.
    public struct Alerts: Sendable, Hashable {
        /// The age of the oldest open letter.
        public var age: Duration?
        /// New letters in a period.
        public var inflow: (count: Int, period: Duration)?

        /// Creates alerts about nothing.
        public init() {}

        /// Whether both say the same.
        public static func == (left: Alerts, right: Alerts) -> Bool {
            left.age == right.age && left.inflow?.count == right.inflow?.count
                && left.inflow?.period == right.inflow?.period
        }

        /// Hashes what is compared.
        public func hash(into hasher: inout Hasher) {
            hasher.combine(self.age)
            hasher.combine(self.inflow?.count)
            hasher.combine(self.inflow?.period)
        }
    }

    /// How long resolved and discarded letters are kept.
    public var retention = Duration.seconds(30 * 86_400)
    /// How fast queued letters are replayed, all origins together.
    public var rate = RateLimiter.Policy(limit: 50, period: .seconds(1), burst: 1)
    /// How often the letter of a job may be replayed.
    public var redriveMax = 5
    /// What somebody has to be told about.
    public var alerts = Alerts()
    /// Whether payloads are kept sealed.
    public var encryption = LetterSeal.Mode.auto

    /// Creates the standard settings.
    public init() {}

    /// Reads the block `deadLetters` of the project file.
    ///
    ///     deadLetters:
    ///       retain: 30d
    ///       redrive: { maxCount: 5, rate: 50/s }
    ///       alerts: { age: 1h, inflow: 100/1m }
    ///       encryption: required
    public init(_ reader: MappingReader) {
        self.retention = reader.duration("retain", in: Self.retentionRange) ?? self.retention
        self.encryption = reader.word("encryption", LetterSeal.Mode.self) ?? self.encryption
        if let redrive = reader.mapping("redrive") {
            self.redriveMax = redrive.integer("maxCount", in: 0...1_000) ?? self.redriveMax
            self.rate = redrive.eventRate("rate") ?? self.rate
            redrive.finish()
        }
        if let alerts = reader.mapping("alerts") {
            self.alerts.age = alerts.duration("age", in: .seconds(1)...(.seconds(3_650 * 86_400)))
            self.alerts.inflow = alerts.eventRate("inflow").map { ($0.limit, $0.period) }
            alerts.finish()
        }
        reader.finish()
    }

    /// How long ended letters may be kept.
    static let retentionRange = Duration.seconds(60)...Duration.seconds(3_650 * 86_400)
}

/// How fast letters are replayed.
public struct DeadLetterRate: Sendable, Hashable {
    let policy: RateLimiter.Policy

    init(_ policy: RateLimiter.Policy) { self.policy = policy }

    /// Reads `50/s`, `100/1m` and the like; nil for anything else.
    public init?(_ text: String) {
        guard let policy = RateLimiter.Policy(rate: text) else { return nil }
        self.policy = policy
    }
}

extension RateLimiter.Policy {
    /// Reads `50/s`, `100/1m`, `3/10s`: so many in each period, evenly spread.
    init?(rate text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let count = Int(parts[0]), (1...1_000_000).contains(count) else { return nil }
        let unit = parts[1].first?.isNumber == true ? String(parts[1]) : "1" + parts[1]
        guard let period = Quantity.duration(unit), period >= .milliseconds(1), period <= .seconds(86_400) else {
            return nil
        }
        self.init(limit: count, period: period, burst: 1)
    }
}

extension MappingReader {
    /// A rate such as `50/s`.
    func eventRate(_ key: String) -> RateLimiter.Policy? {
        guard let node = self.node(key) else { return nil }
        guard case .string(let text) = node.content, let policy = RateLimiter.Policy(rate: text) else {
            self.reject(key, node, expected: "a rate such as 50/s or 100/1m")
            return nil
        }
        return policy
    }
}
