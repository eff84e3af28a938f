extension RandomNumberGenerator {
    /// The next number, uniform in [0, 1) with 53 random bits.
    mutating func nextUnit() -> Double {
        Double(self.next() >> 11) * 0x1p-53
    }
}

extension Duration {
    /// Length in seconds as a floating point number.
    var inSeconds: Double {
        let (seconds, attoseconds) = self.components
        return Double(seconds) + Double(attoseconds) * 1e-18
    }

    /// `seconds`, kept within [0, about 292 years]; not-a-number counts as zero.
    static func clampedSeconds(_ seconds: Double) -> Duration {
        guard seconds > 0 else { return .zero }
        return .nanoseconds(Int64(Swift.min(seconds, 9.2e9) * 1e9))
    }

    /// This length, rounded up to whole milliseconds: the resolution of the timers that act on it.
    var roundedUpToMilliseconds: Duration {
        let (seconds, attoseconds) = self.components
        let unit: Int64 = 1_000_000_000_000_000
        let whole = attoseconds / unit
        let milliseconds = attoseconds % unit > 0 ? whole + 1 : whole
        return .seconds(seconds) + .milliseconds(milliseconds)
    }
}
