internal import ConnectorKit
internal import Values

/// Writes values as the text of a parameter of a known type.
enum PostgresEncoder {
    /// Why a value is none of the type.
    struct Mismatch: Error, Hashable {
        var expected: String
        var found: String
    }

    /// The text; `nil` for NULL.
    static func text(_ value: Value, _ type: PostgresType) throws(Mismatch) -> String? {
        guard case .null = value else {
            let text = try self.content(value, type)
            // Its protocol could carry it, but no text of PostgreSQL may hold it.
            guard !text.utf8.contains(0) else { throw Mismatch(expected: "a text", found: "one with a zero character") }
            return text
        }
        return nil
    }

    private static func content(_ value: Value, _ type: PostgresType) throws(Mismatch) -> String {
        switch type {
        case .json: return JSON.string(value)
        case .bytes:
            guard let text = value.asString, let bytes = Base64.decode(text) else {
                throw Mismatch(expected: "base64 text", found: Self.name(value))
            }
            return Self.hex(bytes)
        case .array(let element, let delimiter):
            if let text = value.asString { return text }
            guard let items = value.asList else { throw Mismatch(expected: "a list", found: Self.name(value)) }
            return try self.array(items, element, delimiter, depth: 0)
        case .boolean, .number, .double, .text, .date, .time, .timestamp, .interval, .other:
            return try self.scalar(value)
        }
    }

    private static func scalar(_ value: Value) throws(Mismatch) -> String {
        switch value {
        case .string(let text): return text
        case .number(let number): return number.description
        case .boolean(let flag): return flag ? "true" : "false"
        case .date(let date): return self.date(date)
        case .time(let time): return self.time(time)
        case .dateTime(let dateTime): return self.dateTime(dateTime)
        case .yearMonthDuration(let duration): return "P\(duration.months)M"
        case .dayTimeDuration(let duration): return self.interval(duration)
        case .null, .list, .context, .range, .function:
            throw Mismatch(expected: "a single value", found: Self.name(value))
        }
    }

    private static func name(_ value: Value) -> String { "a \(value.typeName)" }

    static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text = Array("\\x".utf8)
        text.reserveCapacity(2 + bytes.count * 2)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func array(
        _ items: [Value], _ element: PostgresType, _ delimiter: UInt8, depth: Int
    ) throws(Mismatch) -> String {
        guard depth < 6 else { throw Mismatch(expected: "at most six dimensions", found: "more") }
        var text = "{"
        for (index, item) in items.enumerated() {
            if index > 0 { text.unicodeScalars.append(Unicode.Scalar(delimiter)) }
            if case .list(let inner) = item, element != .json {
                text += try self.array(inner, element, delimiter, depth: depth + 1)
            } else if let content = try self.text(item, element) {
                text += "\""
                for scalar in content.unicodeScalars {
                    if scalar == "\"" || scalar == "\\" { text += "\\" }
                    text.unicodeScalars.append(scalar)
                }
                text += "\""
            } else {
                text += "NULL"
            }
        }
        return text + "}"
    }

    // MARK: - Times

    private static func date(_ date: CalendarDate) -> String {
        guard date.year < 1 else { return date.description }
        // The year 0 is 1 BC.
        let year = CalendarDate(year: 1 - date.year, month: date.month, day: date.day)
        return (year ?? date).description + " BC"
    }

    private static func time(_ time: TimeOfDay) -> String {
        let local = TimeOfDay(nanosecondOfDay: time.nanosecondOfDay).description
        switch time.zone {
        case nil: return local
        case .named(let name): return local + " " + name
        case .some(let zone): return local + zone.description
        }
    }

    private static func dateTime(_ dateTime: DateTime) -> String {
        let text = Self.date(dateTime.date)
        let time = Self.time(dateTime.time)
        return text.hasSuffix(" BC") ? "\(text.dropLast(3)) \(time) BC" : "\(text) \(time)"
    }

    /// Days and seconds, each with its sign.
    private static func interval(_ duration: DayTimeDuration) -> String {
        let (days, rest) = duration.totalNanoseconds.quotientAndRemainder(dividingBy: 86_400_000_000_000)
        let (seconds, fraction) = rest.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let digits = String(Int(fraction) + 1_000_000_000).dropFirst()
        return "P\(days)DT\(rest < 0 ? "-" : "")\(seconds).\(digits)S"
    }
}
