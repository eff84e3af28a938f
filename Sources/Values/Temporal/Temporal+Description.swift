extension CalendarDate: CustomStringConvertible {
    /// `2026-11-24`; years of fewer than four digits are padded, a negative year has a sign.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        let year = self.year.magnitude
        if self.year < 0 { bytes.append(0x2D) }
        if year < 10_000 {
            DecimalText.writeTwoDigits(Int(year) / 100, into: &bytes)
            DecimalText.writeTwoDigits(Int(year) % 100, into: &bytes)
        } else {
            DecimalText.write(UInt64(year), into: &bytes)
        }
        bytes.append(0x2D)
        DecimalText.writeTwoDigits(self.month, into: &bytes)
        bytes.append(0x2D)
        DecimalText.writeTwoDigits(self.day, into: &bytes)
    }
}

extension TimeOfDay: CustomStringConvertible {
    /// `13:20:00.5+02:00`, `13:20:00@Europe/Paris`.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        DecimalText.writeTwoDigits(self.hour, into: &bytes)
        bytes.append(0x3A)
        DecimalText.writeTwoDigits(self.minute, into: &bytes)
        bytes.append(0x3A)
        DecimalText.writeTwoDigits(self.second, into: &bytes)
        writeFraction(self.nanosecond, into: &bytes)
        self.zone?.write(into: &bytes)
    }
}

extension DateTime: CustomStringConvertible {
    /// `2026-11-24T13:20:00Z`.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        self.date.write(into: &bytes)
        bytes.append(0x54)
        self.time.write(into: &bytes)
    }
}

extension ZoneOffset: CustomStringConvertible {
    /// `Z`, `+02:00`, `@Europe/Paris`.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        switch self {
        case .named(let name):
            bytes.append(0x40)
            bytes.append(contentsOf: name.utf8)
        case .offset(0):
            bytes.append(0x5A)
        case .offset(let seconds):
            let magnitude = Int(seconds.magnitude)
            bytes.append(seconds < 0 ? 0x2D : 0x2B)
            DecimalText.writeTwoDigits(magnitude / 3_600, into: &bytes)
            bytes.append(0x3A)
            DecimalText.writeTwoDigits(magnitude / 60 % 60, into: &bytes)
            guard magnitude % 60 != 0 else { return }
            bytes.append(0x3A)
            DecimalText.writeTwoDigits(magnitude % 60, into: &bytes)
        }
    }
}

extension YearMonthDuration: CustomStringConvertible {
    /// `P1Y2M`, `-P3M`, `P0M`.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        let (years, months) = self.months.magnitude.quotientAndRemainder(dividingBy: 12)
        if self.months < 0 { bytes.append(0x2D) }
        bytes.append(0x50)
        if years > 0 { writeField(years, 0x59, into: &bytes) }
        if months > 0 || years == 0 { writeField(months, 0x4D, into: &bytes) }
    }
}

extension DayTimeDuration: CustomStringConvertible {
    /// `P3DT4H5M6.5S`, `-PT1S`, `PT0S`.
    public var description: String { text { self.write(into: &$0) } }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        let (whole, fraction) = self.totalNanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let (days, rest) = UInt64(whole).quotientAndRemainder(dividingBy: 86_400)
        if self.seconds < 0 { bytes.append(0x2D) }
        bytes.append(0x50)
        if days > 0 { writeField(days, 0x44, into: &bytes) }
        guard rest > 0 || fraction > 0 || days == 0 else { return }
        bytes.append(0x54)
        if rest >= 3_600 { writeField(rest / 3_600, 0x48, into: &bytes) }
        if rest / 60 % 60 > 0 { writeField(rest / 60 % 60, 0x4D, into: &bytes) }
        guard rest % 60 > 0 || fraction > 0 || (rest == 0 && days == 0) else { return }
        DecimalText.write(rest % 60, into: &bytes)
        writeFraction(Int(fraction), into: &bytes)
        bytes.append(0x53)
    }
}

/// The text `body` writes.
private func text(_ body: (inout [UInt8]) -> Void) -> String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(40)
    body(&bytes)
    return String(decoding: bytes, as: UTF8.self)
}

/// Appends a number and the letter of its unit.
private func writeField(_ value: UInt64, _ letter: UInt8, into bytes: inout [UInt8]) {
    DecimalText.write(value, into: &bytes)
    bytes.append(letter)
}

/// Appends a point and the digits of a fraction of a second without trailing zeros, or nothing.
private func writeFraction(_ nanoseconds: Int, into bytes: inout [UInt8]) {
    guard nanoseconds > 0 else { return }
    bytes.append(0x2E)
    var rest = nanoseconds
    var unit = 100_000_000
    while rest > 0 {
        bytes.append(0x30 &+ UInt8(truncatingIfNeeded: rest / unit))
        rest %= unit
        unit /= 10
    }
}
