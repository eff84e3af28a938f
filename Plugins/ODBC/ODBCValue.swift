internal import ConnectorKit
internal import Values

/// A value on its way to a driver.
enum ODBCValue: Sendable, Hashable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// Digits, with a point if need be.
    case decimal(String)
    case double(Double)
    case text(String)
    case bytes([UInt8])
    case date(CalendarDate)
    /// A local time; what is finer than the driver's is cut by it.
    case timestamp(DateTime)

    /// What is expected, and what was found in its place.
    struct Mismatch: Error, Hashable {
        var expected: String
        var found: String
    }

    /// The types a value can be given explicitly.
    enum Kind: String, CaseIterable, Sendable {
        case text, integer, decimal, double, boolean, date, time, timestamp, binary
    }

    /// Reads a value, or `{ type, value }`.
    ///
    /// ODBC has no times with a zone. One is sent as UTC: with its offset to PostgreSQL, which has a type for it, and
    /// without to others.
    init(_ value: Value, _ product: ODBCCapabilities.Product) throws(Mismatch) {
        if case .context(let context) = value, let kind = context["type"]?.asString {
            guard let kind = Kind(rawValue: kind), context.keys.allSatisfy({ $0 == "type" || $0 == "value" }) else {
                throw Mismatch(
                    expected: "{ type, value } with a type of "
                        + Kind.allCases.map(\.rawValue).joined(separator: ", "), found: "type \(kind.prefix(40))")
            }
            self = try Self.typed(context["value"] ?? .null, kind, product)
            return
        }
        self = try Self.plain(value, product)
    }

    private static func plain(_ value: Value, _ product: ODBCCapabilities.Product) throws(Mismatch) -> ODBCValue {
        switch value {
        case .null: return .null
        case .boolean(let flag): return .boolean(flag)
        case .number(let number): return Self.number(number)
        case .string(let text): return .text(text)
        case .date(let date): return Self.isOrdinary(date) ? .date(date) : .text(date.description)
        case .time(let time): return .text(Self.time(time))
        case .dateTime(let dateTime): return Self.dateTime(dateTime, product)
        case .yearMonthDuration, .dayTimeDuration: return .text(value.temporalText ?? "")
        case .list, .context, .range, .function:
            throw Mismatch(expected: "a single value", found: "a \(value.typeName)")
        }
    }

    private static func number(_ number: Number) -> ODBCValue {
        if let integer = number.int64 { return .integer(integer) }
        let text = number.description
        return text.contains(where: { $0 == "E" || $0 == "e" }) ? .double(number.double) : .decimal(text)
    }

    private static func typed(
        _ value: Value, _ kind: Kind, _ product: ODBCCapabilities.Product
    ) throws(Mismatch) -> ODBCValue {
        if value.isNull { return .null }
        func wrong() -> Mismatch {
            Mismatch(expected: "a value of type \(kind.rawValue)", found: "a \(value.typeName)")
        }
        switch kind {
        case .text:
            if let text = value.asString ?? value.temporalText { return .text(text) }
            switch value {
            case .number(let number): return .text(number.description)
            case .list, .context: return .text(JSON.string(value))
            case .boolean(let flag): return .text(flag ? "true" : "false")
            default: throw wrong()
            }
        case .integer:
            guard let integer = value.asInt64 ?? value.asString.flatMap({ Int64($0) }) else { throw wrong() }
            return .integer(integer)
        case .decimal:
            if case .number(let number) = value { return .decimal(number.description) }
            guard let text = value.asString, Number(text) != nil else { throw wrong() }
            return .decimal(text)
        case .double:
            guard let double = value.asNumber?.double ?? value.asString.flatMap({ Double($0) }) else { throw wrong() }
            return .double(double)
        case .boolean:
            guard let flag = value.asBoolean else { throw wrong() }
            return .boolean(flag)
        case .binary:
            guard let bytes = value.asString.flatMap({ Base64.decode($0) }) else {
                throw Mismatch(expected: "base64 text", found: "a \(value.typeName)")
            }
            return .bytes(bytes)
        case .date:
            if case .date = value { return try Self.plain(value, product) }
            guard let date = value.asString.flatMap({ CalendarDate($0) }) else { throw wrong() }
            return try Self.plain(.date(date), product)
        case .time:
            if case .time = value { return try Self.plain(value, product) }
            guard let time = value.asString.flatMap({ TimeOfDay($0) }) else { throw wrong() }
            return try Self.plain(.time(time), product)
        case .timestamp:
            if case .dateTime = value { return try Self.plain(value, product) }
            guard let dateTime = value.asString.flatMap({ DateTime($0) }) else { throw wrong() }
            return try Self.plain(.dateTime(dateTime), product)
        }
    }

    /// Whether ODBC's structures can hold the year.
    private static func isOrdinary(_ date: CalendarDate) -> Bool { (1...9_999).contains(date.year) }

    private static func time(_ time: TimeOfDay) -> String {
        let local = TimeOfDay(nanosecondOfDay: time.nanosecondOfDay).description
        if case .offset(let seconds) = time.zone, seconds != 0 { return time.description }
        return local
    }

    private static func dateTime(_ dateTime: DateTime, _ product: ODBCCapabilities.Product) -> ODBCValue {
        guard dateTime.zone != nil else {
            return Self.isOrdinary(dateTime.date) ? .timestamp(dateTime) : .text(dateTime.description)
        }
        let converted = dateTime.converted(to: .utc) ?? dateTime
        let local = DateTime(
            date: converted.date, time: TimeOfDay(nanosecondOfDay: converted.time.nanosecondOfDay))
        if product == .postgreSQL { return .text("\(local.date) \(local.time)+00") }
        return Self.isOrdinary(local.date) ? .timestamp(local) : .text("\(local.date) \(local.time)")
    }

    /// As text, for a column of which not every value has one type.
    var asText: ODBCValue {
        switch self {
        case .null, .text: self
        case .boolean(let flag): .text(flag ? "1" : "0")
        case .integer(let integer): .text(String(integer))
        case .decimal(let text): .text(text)
        case .double(let double): .text(double.description)
        case .bytes: self
        case .date(let date): .text(date.description)
        case .timestamp(let dateTime): .text("\(dateTime.date) \(dateTime.time)")
        }
    }
}
