/// Notices a consumer that looks alive and gets nothing: records arrive at the brokers, none here.
///
/// Asked now and then. Pure.
struct StallWatch {
    private var ends: [Int64: Int64] = [:]
    private var suspicions = 0

    /// Whether the consumer is stuck: twice in a row the end of a partition had moved and nothing was fetched.
    ///
    /// `ends` are the ends of partitions at the brokers, by number of the assignment.
    mutating func observe(ends: [Int64: Int64], hasFetched: Bool) -> Bool {
        let hasGrown = ends.contains { generation, end in self.ends[generation].map { end > $0 } ?? false }
        self.ends = ends
        self.suspicions = hasGrown && !hasFetched ? self.suspicions + 1 : 0
        return self.suspicions >= 2
    }
}
