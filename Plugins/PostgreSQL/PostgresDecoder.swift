internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Reads the text form of values, as the settings of `PostgresSession` have it: ISO dates, ISO 8601 intervals, hex bytes.
///
/// What the target type cannot hold without loss stays text.
enum PostgresDecoder {
    /// Text that is none of its type: the server is not what it says.
    struct Malformed: Error, Hashable {
        var what: String
    }

    static func value(_ bytes: UnsafeBufferPointer<UInt8>?, _ type: PostgresType) throws(Malformed) -> Value {
        guard let bytes else { return .null }
        switch type {
        case .boolean:
            guard bytes.count == 1, bytes[0] == UInt8(ascii: "t") || bytes[0] == UInt8(ascii: "f") else {
                throw Malformed(what: "boolean")
            }
            return .boolean(bytes[0] == UInt8(ascii: "t"))
        case .bytes: return try self.bytes(bytes)
        case .json:
            // A number of more digits than we hold keeps the whole document as text.
            if let value = try? JSON.parse(UnsafeRawBufferPointer(bytes)) { return value }
            return .string(try self.text(bytes))
        default: break
        }
        let text = try self.text(bytes)
        switch type {
        case .number, .double: return SQLText.number(text)
        case .date: return self.date(text) ?? .string(text)
        case .time: return self.time(text).map { .time($0) } ?? .string(text)
        case .timestamp: return self.timestamp(text) ?? .string(text)
        case .interval: return PostgresInterval(text)?.value ?? .string(text)
        case .array(let element, let delimiter):
            var reader = PostgresArrayReader(bytes: Array(text.utf8), element: element, delimiter: delimiter)
            return try reader.read()
        case .text, .other, .boolean, .bytes, .json: return .string(text)
        }
    }

    private static func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(Malformed) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw Malformed(what: "UTF-8 text") }
        return text
    }

    /// `\x0aff`.
    private static func bytes(_ text: UnsafeBufferPointer<UInt8>) throws(Malformed) -> Value {
        guard text.count >= 2, text.count.isMultiple(of: 2), text[0] == UInt8(ascii: "\\"), text[1] == UInt8(ascii: "x")
        else { throw Malformed(what: "bytea") }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        for index in stride(from: 2, to: text.count, by: 2) {
            guard let high = Self.hexDigit(text[index]), let low = Self.hexDigit(text[index + 1]) else {
                throw Malformed(what: "bytea")
            }
            bytes.append(high << 4 | low)
        }
        return .string(Base64.encode(bytes))
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        default: nil
        }
    }

    // MARK: - Times

    /// `2026-11-24`, `12026-01-01`, `0044-03-15 BC`; `nil` for `infinity`.
    private static func date(_ text: String) -> Value? {
        Self.calendarDate(text[...]).map { .date($0) }
    }

    private static func calendarDate(_ text: Substring) -> CalendarDate? {
        let isBefore = text.hasSuffix(" BC")
        guard let date = CalendarDate(isBefore ? text.dropLast(3) : text) else { return nil }
        guard isBefore else { return date }
        // 1 BC is the year 0.
        return CalendarDate(year: 1 - date.year, month: date.month, day: date.day)
    }

    /// `13:20:00.5`, `13:20:00+02`, `13:20:00+05:30`; `nil` for `24:00:00`, which is no time of day of ours.
    private static func time(_ text: some StringProtocol) -> TimeOfDay? {
        guard !text.hasPrefix("24:") else { return nil }
        return TimeOfDay(Self.completeZone(text))
    }

    /// `2026-11-24 13:20:00.5+00`; `nil` for infinities.
    private static func timestamp(_ text: String) -> Value? {
        let isBefore = text.hasSuffix(" BC")
        let body = isBefore ? text.dropLast(3) : text[...]
        guard let space = body.firstIndex(of: " "), let time = Self.time(body[body.index(after: space)...]),
            let date = Self.calendarDate(body[..<space] + (isBefore ? " BC" : ""))
        else { return nil }
        return .dateTime(DateTime(date: date, time: time))
    }

    /// Zones without minutes get them.
    private static func completeZone(_ text: some StringProtocol) -> String {
        guard let sign = text.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return String(text) }
        let zone = text[text.index(after: sign)...]
        return zone.utf8.count == 2 ? text + ":00" : String(text)
    }
}

/// An interval as `IntervalStyle = iso_8601` writes it: each field with a sign of its own.
struct PostgresInterval: Hashable {
    var months: Int64 = 0
    var days: Int64 = 0
    var nanoseconds: Int64 = 0

    /// Reads `P1Y-2M3DT4H5M6.7S`; `nil` for anything else.
    init?(_ text: String) {
        var rest = text[...]
        guard rest.popFirst() == "P", !rest.isEmpty else { return nil }
        var isTime = false
        while !rest.isEmpty {
            if rest.first == "T" {
                isTime = true
                rest.removeFirst()
            }
            let digits = rest.prefix { $0.isNumber || $0 == "-" || $0 == "." }
            rest = rest.dropFirst(digits.count)
            guard let unit = rest.popFirst(), self.add(digits, unit, isTime: isTime) else { return nil }
        }
    }

    private mutating func add(_ digits: Substring, _ unit: Character, isTime: Bool) -> Bool {
        if isTime, unit == "S" {
            guard let number = Number(digits), let scaled = Number.multiplying(number, Number(1_000_000_000)),
                let nanoseconds = scaled.int64
            else { return false }
            return Self.accumulate(&self.nanoseconds, nanoseconds, 1)
        }
        guard let count = Int64(digits) else { return false }
        switch (unit, isTime) {
        case ("Y", false): return Self.accumulate(&self.months, count, 12)
        case ("M", false): return Self.accumulate(&self.months, count, 1)
        case ("D", false): return Self.accumulate(&self.days, count, 1)
        case ("H", true): return Self.accumulate(&self.nanoseconds, count, 3_600_000_000_000)
        case ("M", true): return Self.accumulate(&self.nanoseconds, count, 60_000_000_000)
        default: return false
        }
    }

    private static func accumulate(_ sum: inout Int64, _ count: Int64, _ factor: Int64) -> Bool {
        let (product, overflow) = count.multipliedReportingOverflow(by: factor)
        let (total, carry) = sum.addingReportingOverflow(product)
        sum = total
        return !overflow && !carry
    }

    /// A duration of months, or of days and time; `nil` for a mixture, which only its text can hold.
    ///
    /// A day counts as 24 hours, as PostgreSQL itself compares intervals.
    var value: Value? {
        if self.months != 0 {
            guard self.days == 0, self.nanoseconds == 0 else { return nil }
            return .yearMonthDuration(YearMonthDuration(months: self.months))
        }
        let total = Int128(self.days) * 86_400_000_000_000 + Int128(self.nanoseconds)
        return DayTimeDuration(totalNanoseconds: total).map { .dayTimeDuration($0) }
    }
}

/// Reads `{1,2,NULL,"a,b",{…}}`.
struct PostgresArrayReader {
    let bytes: [UInt8]
    let element: PostgresType
    let delimiter: UInt8
    /// What an element's text becomes.
    var convert: (UnsafeBufferPointer<UInt8>, PostgresType) throws(PostgresDecoder.Malformed) -> Value = {
        (bytes, type) throws(PostgresDecoder.Malformed) in try PostgresDecoder.value(bytes, type)
    }
    private var position = 0

    init(bytes: [UInt8], element: PostgresType, delimiter: UInt8) {
        self.bytes = bytes
        self.element = element
        self.delimiter = delimiter
    }

    /// The whole array; `[2:4]={…}` loses its bounds.
    mutating func read() throws(PostgresDecoder.Malformed) -> Value {
        if self.bytes.first == UInt8(ascii: "["), let equals = self.bytes.firstIndex(of: UInt8(ascii: "=")) {
            self.position = equals + 1
        }
        let value = try self.list(depth: 0)
        guard self.position == self.bytes.count else { throw Self.malformed }
        return value
    }

    private static let malformed = PostgresDecoder.Malformed(what: "array")

    private var current: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func list(depth: Int) throws(PostgresDecoder.Malformed) -> Value {
        // PostgreSQL has at most six dimensions.
        guard self.current == UInt8(ascii: "{"), depth < 6 else { throw Self.malformed }
        self.position += 1
        var items: [Value] = []
        if self.current == UInt8(ascii: "}") {
            self.position += 1
            return .list([])
        }
        while true {
            items.append(try self.item(depth: depth))
            guard let byte = self.current else { throw Self.malformed }
            self.position += 1
            if byte == UInt8(ascii: "}") { return .list(items) }
            guard byte == self.delimiter else { throw Self.malformed }
        }
    }

    private mutating func item(depth: Int) throws(PostgresDecoder.Malformed) -> Value {
        if self.current == UInt8(ascii: "{") { return try self.list(depth: depth + 1) }
        var text: [UInt8] = []
        let isQuoted = self.current == UInt8(ascii: "\"")
        if isQuoted { self.position += 1 }
        while let byte = self.current {
            if byte == UInt8(ascii: "\\") {
                self.position += 1
                guard let escaped = self.current else { throw Self.malformed }
                text.append(escaped)
            } else if isQuoted, byte == UInt8(ascii: "\"") {
                self.position += 1
                return try self.value(text)
            } else if !isQuoted, byte == self.delimiter || byte == UInt8(ascii: "}") {
                return text.elementsEqual("NULL".utf8) ? .null : try self.value(text)
            } else {
                text.append(byte)
            }
            self.position += 1
        }
        throw Self.malformed
    }

    private func value(_ text: [UInt8]) throws(PostgresDecoder.Malformed) -> Value {
        var result: Result<Value, PostgresDecoder.Malformed> = .success(.null)
        text.withUnsafeBufferPointer { bytes in
            do throws(PostgresDecoder.Malformed) {
                result = .success(try self.convert(bytes, self.element))
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}
