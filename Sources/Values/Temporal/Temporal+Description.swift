extension CalendarDate: CustomStringConvertible {
    /// `2026-11-24`; years of fewer than four digits are padded, a negative year has a sign.
    public var description: String {
        let digits = String(self.year.magnitude)
        let padding = String(repeating: "0", count: Swift.max(0, 4 - digits.utf8.count))
        return "\(self.year < 0 ? "-" : "")\(padding)\(digits)-\(twoDigits(self.month))-\(twoDigits(self.day))"
    }
}

extension TimeOfDay: CustomStringConvertible {
    /// `13:20:00.5+02:00`, `13:20:00@Europe/Paris`.
    public var description: String {
        var text = "\(twoDigits(self.hour)):\(twoDigits(self.minute)):\(twoDigits(self.second))"
        text += fractionText(self.nanosecond)
        if let zone { text += zone.description }
        return text
    }
}

extension DateTime: CustomStringConvertible {
    /// `2026-11-24T13:20:00Z`.
    public var description: String { "\(self.date)T\(self.time)" }
}

extension ZoneOffset: CustomStringConvertible {
    /// `Z`, `+02:00`, `@Europe/Paris`.
    public var description: String {
        switch self {
        case .named(let name): return "@\(name)"
        case .offset(0): return "Z"
        case .offset(let seconds):
            let magnitude = Int(seconds.magnitude)
            let rest = magnitude % 60
            return (seconds < 0 ? "-" : "+") + twoDigits(magnitude / 3_600) + ":" + twoDigits(magnitude / 60 % 60)
                + (rest == 0 ? "" : ":" + twoDigits(rest))
        }
    }
}

extension YearMonthDuration: CustomStringConvertible {
    /// `P1Y2M`, `-P3M`, `P0M`.
    public var description: String {
        let magnitude = self.months.magnitude
        let (years, months) = (magnitude / 12, magnitude % 12)
        var text = self.months < 0 ? "-P" : "P"
        if years > 0 { text += "\(years)Y" }
        if months > 0 || years == 0 { text += "\(months)M" }
        return text
    }
}

extension DayTimeDuration: CustomStringConvertible {
    /// `P3DT4H5M6.5S`, `-PT1S`, `PT0S`.
    public var description: String {
        let total = self.totalNanoseconds.magnitude
        let seconds = UInt64(total / 1_000_000_000)
        let fraction = fractionText(Int(total % 1_000_000_000))
        var text = self.seconds < 0 ? "-P" : "P"
        if seconds >= 86_400 { text += "\(seconds / 86_400)D" }
        let (hours, minutes, rest) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60)
        if hours > 0 || minutes > 0 || rest > 0 || !fraction.isEmpty || seconds == 0 { text += "T" }
        if hours > 0 { text += "\(hours)H" }
        if minutes > 0 { text += "\(minutes)M" }
        if rest > 0 || !fraction.isEmpty || total == 0 { text += "\(rest)\(fraction)S" }
        return text
    }
}

private func twoDigits(_ value: Int) -> String {
    value < 10 ? "0\(value)" : String(value)
}

/// A point and the digits of a fraction of a second without trailing zeros, or nothing.
private func fractionText(_ nanoseconds: Int) -> String {
    guard nanoseconds > 0 else { return "" }
    var digits = String(1_000_000_000 + nanoseconds).dropFirst()
    while digits.last == "0" { digits.removeLast() }
    return ".\(digits)"
}
