/// Lengths of time for people: three digits, the unit that fits.
enum DurationText {
    /// `12 ms`, `1.25 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`.
    static func of(milliseconds: Int64) -> String {
        let magnitude = milliseconds.magnitude
        let sign = milliseconds < 0 ? "-" : ""
        switch magnitude {
        case ..<1_000: return "\(sign)\(magnitude) ms"
        case ..<60_000:
            let hundredths = magnitude / 10
            let (tenths, rest) = (hundredths % 100 / 10, hundredths % 10)
            let digits = rest > 0 ? ".\(tenths)\(rest)" : tenths > 0 ? ".\(tenths)" : ""
            return "\(sign)\(hundredths / 100)\(digits) s"
        case ..<3_600_000: return sign + Self.pair(magnitude / 1_000, 60, "min", "s")
        case ..<86_400_000: return sign + Self.pair(magnitude / 60_000, 60, "h", "min")
        default: return sign + Self.pair(magnitude / 3_600_000, 24, "d", "h")
        }
    }

    private static func pair(_ amount: UInt64, _ base: UInt64, _ large: String, _ small: String) -> String {
        let rest = amount % base
        return rest == 0 ? "\(amount / base) \(large)" : "\(amount / base) \(large) \(rest) \(small)"
    }
}
