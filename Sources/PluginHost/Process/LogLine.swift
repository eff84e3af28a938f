/// One line a peer process wrote to its error stream, or that is about it.
public struct PeerLogLine: Sendable, Hashable {
    /// How much it matters.
    public enum Level: String, Sendable, Hashable, CaseIterable {
        /// For whoever looks into it.
        case debug
        /// Worth knowing.
        case info
        /// Something is not as it should be.
        case warning
        /// Something does not work.
        case error
    }

    /// How much it matters.
    public var level: Level
    /// The text; from the peer, so never trusted to be short or harmless when it was made.
    public var message: String

    /// Creates a line.
    public init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }
}

/// Lets so many lines through a second and counts the rest.
///
/// Pure.
struct LineQuota: Sendable {
    private let perSecond: Int
    private var second: Int64 = .min
    private var used = 0
    private var dropped = 0

    init(perSecond: Int) {
        self.perSecond = perSecond
    }

    /// Whether a line may pass at `now`, and how many were dropped before it.
    mutating func take(at now: Duration) -> (passes: Bool, dropped: Int) {
        let second = now.components.seconds
        if second != self.second {
            self.second = second
            self.used = 0
        }
        guard self.used < self.perSecond else {
            self.dropped += 1
            return (false, 0)
        }
        self.used += 1
        defer { self.dropped = 0 }
        return (true, self.dropped)
    }
}
