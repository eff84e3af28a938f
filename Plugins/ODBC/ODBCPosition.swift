internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// Where a source stands: before everything, or after a row with these values in the cursor's columns.
///
/// Values that came out of rows have the form `{ type, value }`, with the value as text, so that nothing of them is lost
/// wherever they are kept, and so that they are bound as what they were.
enum ODBCPosition: Sendable, Hashable {
    case earliest
    case after([Value])

    /// A value of a row in that form; nil for NULL.
    static func typed(_ value: Value, _ form: ODBCColumn.Form) -> Value? {
        func typed(_ kind: ODBCValue.Kind, _ text: String) -> Value {
            ["type": .string(kind.rawValue), "value": .string(text)]
        }
        switch value {
        case .null: return nil
        case .boolean(let flag): return ["type": "boolean", "value": .boolean(flag)]
        case .number(let number):
            switch form {
            case .double: return typed(.double, number.double.description)
            // As the database compares it with a double: widened, not as the digits that stand for it.
            case .float: return typed(.double, Double(Float(number.double)).description)
            default: return number.int64.map { typed(.integer, String($0)) } ?? typed(.decimal, number.description)
            }
        case .date(let date): return typed(.date, date.description)
        case .time(let time): return typed(.time, time.description)
        case .dateTime(let dateTime): return typed(.timestamp, dateTime.description)
        default:
            let text = value.asString ?? JSON.string(value)
            switch form {
            case .bytes: return typed(.binary, text)
            case .double, .float: return typed(.double, text)
            default: return typed(.text, text)
            }
        }
    }

    /// Values before everything a column can hold.
    static func least(_ columns: [ODBCColumn], _ product: ODBCCapabilities.Product) -> [Value] {
        columns.map { column in
            let value: (ODBCValue.Kind, String) =
                switch column.form {
                case .uuid where product == .postgreSQL: (.text, "00000000-0000-0000-0000-000000000000")
                case .text, .uuid: (.text, "")
                case .digits: Self.leastDigits(column, product)
                case .double: (.double, (-Double.greatestFiniteMagnitude).description)
                case .float: (.double, "-3.4e38")
                case .boolean: (.integer, "-1")
                case .date: (.date, product == .other ? "1753-01-01" : "0001-01-01")
                case .time: (.text, "00:00:00")
                case .timestamp: (.timestamp, (product == .other ? "1753" : "0001") + "-01-01T00:00:00")
                case .bytes: (.binary, "")
                }
            return ["type": .string(value.0.rawValue), "value": .string(value.1)]
        }
    }

    private static func leastDigits(
        _ column: ODBCColumn, _ product: ODBCCapabilities.Product
    ) -> (ODBCValue.Kind, String) {
        // SQLite's integers have 64 bits whatever their column is called.
        if product == .sqlite { return (.integer, String(Int64.min)) }
        switch column.sqlType {
        case SQL_TINYINT: return (.integer, product == .other ? "0" : "-128")
        case SQL_SMALLINT: return (.integer, String(Int16.min))
        case SQL_INTEGER: return (.integer, String(Int32.min))
        case SQL_BIGINT: return (.integer, String(Int64.min))
        default: return (.decimal, "-" + String(repeating: "9", count: min(max(1, column.size - column.digits), 28)))
        }
    }

    /// The values before `values` by `lookback` in the first column; nil where that has no sense.
    static func before(_ values: [Value], by lookback: ODBCPollSettings.Lookback) -> [Value]? {
        guard let first = values.first, let text = first["value"]?.asString else { return nil }
        let kind = first["type"]?.asString ?? ""
        var earlier: String?
        switch lookback {
        case .number(let number):
            guard let value = Number(text), let less = Number.subtracting(value, number) else { return nil }
            // A decimal of PostgreSQL or an integer: it stays what it was if it can.
            earlier = less.description
            if kind == ODBCValue.Kind.integer.rawValue, less.int64 == nil { return nil }
        case .time(let duration):
            // Whole seconds, rounded up.
            let (whole, attoseconds) = duration.components
            let seconds = whole + (attoseconds > 0 ? 1 : 0)
            let length = DayTimeDuration(seconds: -seconds)
            if kind == ODBCValue.Kind.date.rawValue {
                let days = (seconds + 86_399) / 86_400
                earlier = CalendarDate(text)?.adding(DayTimeDuration(seconds: -days * 86_400)).map(\.description)
            } else if let dateTime = Self.dateTime(text)?.adding(length) {
                // SQLite keeps times as texts: the separator stays the one there is.
                earlier =
                    text.utf8.contains(UInt8(ascii: "T")) ? dateTime.description : "\(dateTime.date) \(dateTime.time)"
            } else if kind != ODBCValue.Kind.text.rawValue, let value = Number(text) {
                // Seconds since 1970, or their thousandths.
                let unit: Int64 = Number(100_000_000_000) < value ? 1_000 : 1
                earlier = Number.subtracting(value, Number(seconds * unit))?.description
            }
        }
        guard let earlier else { return nil }
        var moved = values
        moved[0] = ["type": .string(kind), "value": .string(earlier)]
        return moved
    }

    static func dateTime(_ text: String) -> DateTime? {
        if let dateTime = DateTime(text) { return dateTime }
        if case .dateTime(let dateTime) = ODBCRowReader.timestamp(text) { return dateTime }
        return nil
    }

    // MARK: - Order

    /// Compares two values of a column: -1, 0, 1; nil where only the database knows, as with texts.
    static func compare(_ lhs: Value, _ rhs: Value) -> Int? {
        if lhs == rhs { return 0 }
        if let left = Self.number(lhs), let right = Self.number(rhs) { return left < right ? -1 : right < left ? 1 : 0 }
        guard let left = Self.moment(lhs), let right = Self.moment(rhs) else { return nil }
        return DateTime.compare(left, right)
    }

    /// Compares two positions, as far as the first columns allow.
    static func compare(_ lhs: [Value], _ rhs: [Value]) -> Int? {
        for (left, right) in zip(lhs, rhs) {
            guard let order = Self.compare(left, right) else { return nil }
            if order != 0 { return order }
        }
        return 0
    }

    /// Compares two positions; texts by their characters' codes.
    static func compareWholly(_ lhs: [Value], _ rhs: [Value]) -> Int {
        for (left, right) in zip(lhs, rhs) {
            if let order = Self.compare(left, right) {
                if order != 0 { return order }
                continue
            }
            let (left, right) = (Array(Self.text(left).unicodeScalars), Array(Self.text(right).unicodeScalars))
            if left != right { return left.lexicographicallyPrecedes(right) ? -1 : 1 }
        }
        return 0
    }

    /// The text of a value, for ids.
    static func text(_ value: Value) -> String {
        switch value["value"] ?? value {
        case .string(let text): text
        case .number(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        case let other: other.temporalText ?? JSON.string(other)
        }
    }

    private static func number(_ value: Value) -> Number? {
        if case .number(let number) = value { return number }
        switch value["type"]?.asString.flatMap({ ODBCValue.Kind(rawValue: $0) }) {
        case .integer, .decimal, .double:
            return value["value"].flatMap { $0.asNumber ?? $0.asString.flatMap { Number($0) } }
        default: return nil
        }
    }

    private static func moment(_ value: Value) -> DateTime? {
        switch value {
        case .dateTime(let dateTime): return dateTime
        case .date(let date): return DateTime(date: date, time: TimeOfDay(nanosecondOfDay: 0))
        default: break
        }
        let text = Self.text(value)
        // Also a text that is one, as SQLite keeps them, and as people write the ends of a range.
        if let dateTime = Self.dateTime(text) { return dateTime }
        return CalendarDate(text).map { DateTime(date: $0, time: TimeOfDay(nanosecondOfDay: 0)) }
    }
}
