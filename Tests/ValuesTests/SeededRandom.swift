import Values

/// SplitMix64: a small generator whose whole state is its seed.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) {
        self.state = seed
    }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var bits = self.state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}

extension SeededRandom {
    mutating func int(_ range: ClosedRange<Int>) -> Int {
        Int.random(in: range, using: &self)
    }

    mutating func digits(_ count: Int) -> String {
        var text = ""
        for _ in 0..<count { text.append(String(self.int(0...9))) }
        return text
    }

    /// A decimal number as text: short or long, whole or not, with or without an exponent.
    mutating func decimalText() -> String {
        let sign = Bool.random(using: &self) ? "-" : ""
        switch self.int(0...4) {
        case 0: return sign + String(self.int(0...20))
        case 1: return sign + String(Int.random(in: 0...Int.max, using: &self))
        case 2: return sign + "\(self.int(0...99_999)).\(self.digits(self.int(1...6)))"
        case 3: return sign + "\(self.int(1...9))\(self.digits(self.int(10...33)))E\(self.int(-50...50))"
        default: return sign + "\(self.int(1...9))\(self.digits(33))5E\(self.int(-40...40))"
        }
    }

    /// Text with ASCII, escapes, control characters and scalars of every UTF-8 length.
    mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "0", " ", "\"", "\\", "/", "\n", "\u{1}", "é", "€", "𝄞", "日"]
        return String((0..<self.int(0...24)).map { _ in alphabet[self.int(0...alphabet.count - 1)] })
    }

    /// A value JSON can hold, nested at most `depth` levels.
    mutating func jsonValue(depth: Int) -> Value {
        switch self.int(0...(depth > 0 ? 6 : 4)) {
        case 0: return .null
        case 1: return .boolean(Bool.random(using: &self))
        case 2: return Number(self.decimalText()).map { .number($0) } ?? .null
        case 3, 4: return .string(self.text())
        case 5: return .list((0..<self.int(0...5)).map { _ in self.jsonValue(depth: depth - 1) })
        default: return .context(self.context(depth: depth - 1) { $0.jsonValue(depth: $1) })
        }
    }

    /// Any value that can be stored.
    mutating func value(depth: Int) -> Value {
        switch self.int(0...7) {
        case 0: return .date(self.date())
        case 1: return .time(self.time())
        case 2: return .dateTime(DateTime(date: self.date(), time: self.time()))
        case 3: return .yearMonthDuration(YearMonthDuration(months: Int64(self.int(-99_999...99_999))))
        case 4:
            let nanoseconds = Int32(self.int(0...999_999_999))
            return .dayTimeDuration(
                DayTimeDuration(seconds: Int64(self.int(-99_999_999...99_999_999)), nanoseconds: nanoseconds))
        case 5 where depth > 0:
            return .range(
                ValueRange(
                    lower: Bool.random(using: &self) ? self.value(depth: depth - 1) : nil,
                    includesLower: Bool.random(using: &self),
                    upper: Bool.random(using: &self) ? self.value(depth: depth - 1) : nil,
                    includesUpper: Bool.random(using: &self)))
        case 6 where depth > 0: return .context(self.context(depth: depth - 1) { $0.value(depth: $1) })
        default: return self.jsonValue(depth: depth)
        }
    }

    private mutating func context(
        depth: Int, _ value: (inout SeededRandom, Int) -> Value
    ) -> ValueContext {
        var context = ValueContext()
        for _ in 0..<self.int(0...12) { context[self.text()] = value(&self, depth) }
        return context
    }

    mutating func date() -> CalendarDate {
        let days = self.int(0...3) == 0 ? self.int(-300_000_000_000...300_000_000_000) : self.int(-20_000...60_000)
        return CalendarDate(daysSinceEpoch: days) ?? CalendarDate(year: 2026, month: 1, day: 1).unsafelyUnwrapped
    }

    mutating func time() -> TimeOfDay {
        let zones: [ZoneOffset?] = [
            nil, .utc, .offset(seconds: Int32(self.int(-50_400...50_400))), .named("Europe/Paris"),
        ]
        return TimeOfDay(
            nanosecondOfDay: Int64(self.int(0...86_399_999_999_999)), zone: zones[self.int(0...3)])
    }
}
