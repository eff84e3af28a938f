/// Instants as they stand in APIs: RFC 3339 text in UTC with milliseconds, such as `2026-01-31T09:05:00.250Z`.
public enum Timestamp {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// The text of an instant given in Unix milliseconds.
    public static func text(_ unixMilliseconds: Int64) -> String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(24)
        Self.append(unixMilliseconds, to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text of an instant given in Unix milliseconds.
    public static func append(_ unixMilliseconds: Int64, to bytes: inout [UInt8]) {
        let (days, rest) = Self.split(unixMilliseconds)
        guard let date = CalendarDate(daysSinceEpoch: Int(days)) else { return }
        Self.append(date.year, digits: 4, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.month, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "-"))
        Self.append(date.day, digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "T"))
        Self.append(Int(rest / 3_600_000), digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(Int(rest / 60_000 % 60), digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        Self.append(Int(rest / 1_000 % 60), digits: 2, to: &bytes)
        bytes.append(UInt8(ascii: "."))
        Self.append(Int(rest % 1_000), digits: 3, to: &bytes)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// The Unix milliseconds of an RFC 3339 date-time with `Z` or a numeric offset; finer digits are cut off.
    ///
    /// Nil for anything else.
    public static func milliseconds(_ text: some StringProtocol) -> Int64? {
        var reader = Reader(bytes: Array(text.utf8))
        guard let year = reader.number(digits: 4), reader.skip("-"), let month = reader.number(digits: 2),
            reader.skip("-"), let day = reader.number(digits: 2), reader.skip("T") || reader.skip("t"),
            let hour = reader.number(digits: 2), reader.skip(":"), let minute = reader.number(digits: 2),
            reader.skip(":"), let second = reader.number(digits: 2),
            let date = CalendarDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction = 0
        if reader.skip(".") {
            guard let digits = reader.fraction() else { return nil }
            fraction = digits
        }
        guard let offset = reader.offsetMinutes(), reader.isAtEnd else { return nil }
        let minutes = Int64(hour * 60 + minute - offset)
        return Int64(date.daysSinceEpoch) * Self.millisecondsPerDay + minutes * 60_000
            + Int64(second * 1_000 + fraction)
    }

    private static func split(_ milliseconds: Int64) -> (days: Int64, rest: Int64) {
        let (quotient, remainder) = milliseconds.quotientAndRemainder(dividingBy: Self.millisecondsPerDay)
        return remainder < 0 ? (quotient - 1, remainder + Self.millisecondsPerDay) : (quotient, remainder)
    }

    private static func append(_ number: Int, digits: Int, to bytes: inout [UInt8]) {
        var divisor = 1
        for _ in 1..<digits { divisor *= 10 }
        while divisor > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(number / divisor % 10))
            divisor /= 10
        }
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0

        var isAtEnd: Bool { self.position == self.bytes.count }

        mutating func skip(_ character: Unicode.Scalar) -> Bool {
            guard self.position < self.bytes.count, self.bytes[self.position] == UInt8(ascii: character) else {
                return false
            }
            self.position += 1
            return true
        }

        mutating func digit() -> Int? {
            guard self.position < self.bytes.count, case let digit = self.bytes[self.position] &- UInt8(ascii: "0"),
                digit < 10
            else { return nil }
            self.position += 1
            return Int(digit)
        }

        mutating func number(digits: Int) -> Int? {
            var number = 0
            for _ in 0..<digits {
                guard let digit = self.digit() else { return nil }
                number = number * 10 + digit
            }
            return number
        }

        /// One to nine digits after the point, in milliseconds.
        mutating func fraction() -> Int? {
            guard let first = self.digit() else { return nil }
            var result = first * 100
            var weight = 10
            var count = 1
            while let digit = self.digit() {
                result += digit * weight
                weight /= 10
                count += 1
            }
            return count <= 9 ? result : nil
        }

        mutating func offsetMinutes() -> Int? {
            if self.skip("Z") || self.skip("z") { return 0 }
            let sign: Int
            if self.skip("+") { sign = 1 } else if self.skip("-") { sign = -1 } else { return nil }
            guard let hours = self.number(digits: 2), self.skip(":"), let minutes = self.number(digits: 2), hours < 24,
                minutes < 60
            else { return nil }
            return sign * (hours * 60 + minutes)
        }
    }
}
