/// Says when a figure has become too large, and when it is all right again.
///
/// Pure. It is raised at the limit and cleared below four fifths of it, so that a figure at the limit does not flutter.
struct DeadLetterAlarm: Sendable, Hashable {
    /// The smallest value that raises it.
    let limit: Double
    /// Whether it is raised.
    private(set) var isRaised = false

    init(limit: Double) {
        self.limit = limit
    }

    /// Takes the newest value; the new state when it changed, else nil.
    mutating func observe(_ value: Double) -> Bool? {
        let isRaised = self.isRaised ? value >= self.limit * 0.8 : value >= self.limit
        guard isRaised != self.isRaised else { return nil }
        self.isRaised = isRaised
        return isRaised
    }
}
