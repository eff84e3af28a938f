/// Reads the fixed-width fields of ISO 8601 texts from UTF-8 bytes.
struct TemporalReader {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) {
        self.bytes = bytes
    }

    /// Reads the whole of `text` with `body`, or returns nil when something is left over.
    static func readAll<Result>(
        _ text: some StringProtocol, _ body: (inout TemporalReader) -> Result?
    ) -> Result? {
        var copy = String(text)
        return copy.withUTF8 { bytes in
            var reader = TemporalReader(bytes)
            guard let result = body(&reader), reader.isAtEnd else { return nil }
            return result
        }
    }

    var isAtEnd: Bool { self.position == self.bytes.count }

    /// The next byte, or 0 at the end.
    var current: UInt8 { self.isAtEnd ? 0 : self.bytes[self.position] }

    /// Skips `byte` if it comes next.
    mutating func skip(_ byte: UInt8) -> Bool {
        guard self.current == byte, !self.isAtEnd else { return false }
        self.position += 1
        return true
    }

    /// Reads exactly `count` digits.
    mutating func digits(_ count: Int) -> Int? {
        guard let (value, length) = self.digits(), length == count else { return nil }
        return Int(value)
    }

    /// Reads a run of 1 to 18 digits and says how many.
    mutating func digits() -> (value: Int64, count: Int)? {
        let start = self.position
        var value: Int64 = 0
        while case let digit = self.current &- 0x30, digit < 10 {
            guard self.position - start < 18 else { return nil }
            value = value * 10 + Int64(digit)
            self.position += 1
        }
        return self.position > start ? (value, self.position - start) : nil
    }

    /// Reads up to nine digits as nanoseconds of a second.
    mutating func nanoseconds() -> Int? {
        guard var (value, count) = self.digits(), count <= 9 else { return nil }
        while count < 9 {
            value *= 10
            count += 1
        }
        return Int(value)
    }

    /// Reads `YYYY-MM-DD`; a longer year has no leading zero, an earlier one a minus sign.
    mutating func date() -> CalendarDate? {
        let isNegative = self.skip(0x2D)
        let start = self.position
        guard let (year, count) = self.digits(), count == 4 || (count > 4 && count <= 9 && self.bytes[start] != 0x30),
            self.skip(0x2D), let month = self.digits(2), self.skip(0x2D), let day = self.digits(2)
        else { return nil }
        return CalendarDate(year: Int(isNegative ? -year : year), month: month, day: day)
    }

    /// Reads `hh:mm:ss` with an optional fraction and zone.
    ///
    /// `24:00:00` is read as midnight at the end of the day.
    mutating func time() -> (time: TimeOfDay, isEndOfDay: Bool)? {
        guard let hour = self.digits(2), self.skip(0x3A), let minute = self.digits(2), self.skip(0x3A),
            let second = self.digits(2)
        else { return nil }
        var nanosecond = 0
        if self.skip(0x2E) {
            guard let fraction = self.nanoseconds() else { return nil }
            nanosecond = fraction
        }
        var zone: ZoneOffset?
        if !self.isAtEnd {
            guard let read = self.zone() else { return nil }
            zone = read
        }
        let isEndOfDay = hour == 24 && minute == 0 && second == 0 && nanosecond == 0
        return TimeOfDay(
            hour: isEndOfDay ? 0 : hour, minute: minute, second: second, nanosecond: nanosecond, zone: zone
        ).map { ($0, isEndOfDay) }
    }

    /// Reads `Z`, `±hh:mm`, `±hh:mm:ss` or `@Area/City`.
    mutating func zone() -> ZoneOffset? {
        if self.skip(0x5A) { return .utc }
        if self.skip(0x40) { return self.zoneName() }
        let isNegative = self.current == 0x2D
        guard self.skip(0x2B) || self.skip(0x2D), let hours = self.digits(2), self.skip(0x3A),
            let minutes = self.digits(2)
        else { return nil }
        var seconds = 0
        if self.skip(0x3A) {
            guard let read = self.digits(2) else { return nil }
            seconds = read
        }
        let total = hours * 3_600 + minutes * 60 + seconds
        guard minutes < 60, seconds < 60, total <= ZoneOffset.secondsMax else { return nil }
        return .offset(seconds: Int32(isNegative ? -total : total))
    }

    /// Reads the rest as the name of a zone, which the time zone database must know if one is installed.
    private mutating func zoneName() -> ZoneOffset? {
        let name = self.bytes[self.position...]
        let isName = name.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2F, 0x5F, 0x2B, 0x2D: true
            default: false
            }
        }
        guard isName, let first = name.first, first | 0x20 >= 0x61 else { return nil }
        self.position = self.bytes.count
        let text = String(decoding: name, as: UTF8.self)
        return TimeZones.current?.contains(zone: text) == false ? nil : .named(text)
    }
}
