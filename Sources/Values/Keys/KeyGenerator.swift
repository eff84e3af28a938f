/// Hands out the keys of one partition, each larger than the one before.
public struct KeyGenerator: Sendable {
    /// The partition whose keys these are.
    public let partition: Int
    /// The key handed out last, or key 0.
    public private(set) var last: Key

    /// Creates a generator that continues after `last`.
    ///
    /// `partition` must lie in `0 ..< Key.partitionCountMax`.
    public init(partition: Int, last: Key = Key(rawValue: 0)) {
        precondition((0..<Key.partitionCountMax).contains(partition), "partition \(partition) does not fit in a key")
        self.partition = partition
        self.last = last
    }

    /// The next key at a clock reading, in milliseconds since 1970.
    ///
    /// When the clock stands still the sequence counts on; when it goes back, or the sequence of a millisecond is used
    /// up, the key takes the next millisecond after the last one, so keys may run ahead of the clock but never back.
    public mutating func next(at unixMilliseconds: Int64) -> Key {
        let now = Swift.max(0, unixMilliseconds - Key.epochMilliseconds)
        if now > self.last.milliseconds || self.last.rawValue == 0 {
            self.last = Key(milliseconds: now, partition: self.partition, sequence: self.last.rawValue == 0 ? 1 : 0)
        } else if self.last.sequence < 0xFFF {
            self.last = Key(
                milliseconds: self.last.milliseconds, partition: self.partition, sequence: self.last.sequence + 1)
        } else {
            self.last = Key(milliseconds: self.last.milliseconds + 1, partition: self.partition, sequence: 0)
        }
        return self.last
    }
}
