/// A place in the server's write-ahead log, written `16/B374D848`.
struct LogPosition: Sendable, Hashable, Comparable, CustomStringConvertible {
    var rawValue: UInt64

    init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// Reads `16/B374D848`; `nil` for anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16) else {
            return nil
        }
        self.rawValue = UInt64(high) << 32 | UInt64(low)
    }

    static let zero = LogPosition(0)

    var description: String {
        let high = String(self.rawValue >> 32, radix: 16, uppercase: true)
        return high + "/" + String(self.rawValue & 0xFFFF_FFFF, radix: 16, uppercase: true)
    }

    static func < (lhs: LogPosition, rhs: LogPosition) -> Bool { lhs.rawValue < rhs.rawValue }
}
