/// A FEEL value: what expressions compute, what variables hold, what JSON is read into.
///
/// Temporal values that need a zone, ranges and functions are boxed, so that a value stays within 24 bytes.
public enum Value: Sendable, Hashable {
    /// The absence of a value.
    case null
    /// `true` or `false`.
    case boolean(Bool)
    /// An exact decimal number.
    case number(Number)
    /// Unicode text.
    case string(String)
    /// An ordered list of values.
    case list([Value])
    /// A context: named values in insertion order.
    case context(ValueContext)
    /// A date without a time of day.
    case date(CalendarDate)
    /// A time of day, with or without a zone.
    indirect case time(TimeOfDay)
    /// A date and a time of day, with or without a zone.
    indirect case dateTime(DateTime)
    /// A duration counted in months.
    case yearMonthDuration(YearMonthDuration)
    /// A duration counted in seconds and nanoseconds.
    case dayTimeDuration(DayTimeDuration)
    /// An interval between two values, either end open, closed or unbounded.
    indirect case range(ValueRange)
    /// A function, compared by identity.
    case function(FunctionValue)
}

extension Value {
    /// The text, if this is a string.
    @inlinable
    public var asString: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The truth value, if this is a boolean.
    @inlinable
    public var asBoolean: Bool? {
        if case .boolean(let flag) = self { flag } else { nil }
    }

    /// The number, if this is one.
    @inlinable
    public var asNumber: Number? {
        if case .number(let number) = self { number } else { nil }
    }

    /// The number as an integer, if this is a number with an integral value that fits.
    @inlinable
    public var asInt64: Int64? {
        if case .number(let number) = self { number.int64 } else { nil }
    }

    /// The elements, if this is a list.
    @inlinable
    public var asList: [Value]? {
        if case .list(let elements) = self { elements } else { nil }
    }

    /// The context, if this is one.
    @inlinable
    public var asContext: ValueContext? {
        if case .context(let context) = self { context } else { nil }
    }

    /// Whether this is `null`.
    @inlinable
    public var isNull: Bool {
        if case .null = self { true } else { false }
    }

    /// The name of the value's type in FEEL (DMN 1.5, clause 10.3.2), such as `date and time`; `Null` for null.
    public var typeName: String {
        switch self {
        case .null: "Null"
        case .boolean: "boolean"
        case .number: "number"
        case .string: "string"
        case .list: "list"
        case .context: "context"
        case .date: "date"
        case .time: "time"
        case .dateTime: "date and time"
        case .yearMonthDuration: "years and months duration"
        case .dayTimeDuration: "days and time duration"
        case .range: "range"
        case .function: "function"
        }
    }

    /// The entry named `key`, if this is a context that has one.
    @inlinable
    public subscript(key: String) -> Value? {
        if case .context(let context) = self { context[key] } else { nil }
    }
}

extension Value: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByStringLiteral {
    /// Creates a boolean.
    public init(booleanLiteral value: Bool) {
        self = .boolean(value)
    }

    /// Creates a number.
    public init(integerLiteral value: Int64) {
        self = .number(Number(value))
    }

    /// Creates a string.
    public init(stringLiteral value: String) {
        self = .string(value)
    }
}

extension Value: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    /// Creates a list.
    public init(arrayLiteral elements: Value...) {
        self = .list(elements)
    }

    /// Creates a context with its entries in the order written; of two entries with one key the last wins.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self = .context(ValueContext(elements))
    }
}

extension Value: CustomStringConvertible {
    /// The value as JSON text; ranges and functions as `null`.
    public var description: String {
        JSON.string(self)
    }
}
