/// The dead letters as a whole, for displays.
public struct DeadLetterStatus: Sendable {
    /// Something somebody has to be told about.
    public struct Alert: Sendable, Hashable {
        /// `age` or `inflow`.
        public var name: String
        /// The code it is logged with.
        public var code: String
        /// The figure.
        public var value: Double
        /// The smallest figure that raises it.
        public var limit: Double
        /// Whether it is raised.
        public var isRaised: Bool
    }

    /// How many there are in each state; at most 10,000 are counted.
    public var counts: [(state: String, count: Int)] = []
    /// When the oldest open one was made, in Unix milliseconds; nil when none is open.
    public var oldestAt: Int64?
    /// New letters within `inflowPeriod`; at most 10,000 are counted.
    public var inflow = 0
    /// The period of `inflow`.
    public var inflowPeriod = Duration.seconds(60)
    /// The alerts that are declared.
    public var alerts: [Alert] = []
    /// Why the newest replay of the queue did not succeed; nil when it did.
    public var queueTrouble: String?
}
