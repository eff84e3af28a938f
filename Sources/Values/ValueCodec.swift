/// The compact binary form of values, for the journal and for instance states.
///
/// One tag byte a value; integers as varints. The tags are part of the stored format: never reuse or renumber one.
public enum ValueCodec {
    /// The deepest nesting read; JSON allows 512.
    static let depthMax = 1_024

    private enum Tag {
        static let null: UInt8 = 0
        static let `false`: UInt8 = 1
        static let `true`: UInt8 = 2
        static let integer: UInt8 = 3
        static let decimal: UInt8 = 4
        static let string: UInt8 = 5
        static let list: UInt8 = 6
        static let context: UInt8 = 7
        static let date: UInt8 = 8
        static let time: UInt8 = 9
        static let dateTime: UInt8 = 10
        static let yearMonthDuration: UInt8 = 11
        static let dayTimeDuration: UInt8 = 12
        static let range: UInt8 = 13
    }

    /// Appends `value`; functions, which cannot be stored, as null.
    public static func write(_ value: Value, into writer: inout ByteWriter) {
        switch value {
        case .null, .function:
            writer.u8(Tag.null)
        case .boolean(let flag):
            writer.u8(flag ? Tag.true : Tag.false)
        case .number(let number):
            Self.write(number, into: &writer)
        case .string(let text):
            writer.u8(Tag.string)
            writer.string(text)
        case .list(let elements):
            writer.u8(Tag.list)
            writer.varint(UInt64(elements.count))
            for element in elements { Self.write(element, into: &writer) }
        case .context(let context):
            writer.u8(Tag.context)
            writer.varint(UInt64(context.count))
            for entry in context.entries {
                writer.string(entry.key)
                Self.write(entry.value, into: &writer)
            }
        case .date(let date):
            writer.u8(Tag.date)
            writer.zigzag(Int64(date.daysSinceEpoch))
        case .time(let time):
            writer.u8(Tag.time)
            Self.write(time, into: &writer)
        case .dateTime(let dateTime):
            writer.u8(Tag.dateTime)
            writer.zigzag(Int64(dateTime.date.daysSinceEpoch))
            Self.write(dateTime.time, into: &writer)
        case .yearMonthDuration(let duration):
            writer.u8(Tag.yearMonthDuration)
            writer.zigzag(duration.months)
        case .dayTimeDuration(let duration):
            writer.u8(Tag.dayTimeDuration)
            writer.zigzag(duration.seconds)
            writer.varint(UInt64(duration.nanoseconds))
        case .range(let range):
            Self.write(range, into: &writer)
        }
    }

    private static func write(_ number: Number, into writer: inout ByteWriter) {
        if let integer = number.int64 {
            writer.u8(Tag.integer)
            writer.zigzag(integer)
        } else {
            let decimal = number.decimal
            writer.u8(Tag.decimal)
            writer.bool(decimal.isNegative)
            writer.zigzag(Int64(decimal.exponent))
            writer.varint(UInt64(truncatingIfNeeded: decimal.coefficient))
            writer.varint(UInt64(truncatingIfNeeded: decimal.coefficient >> 64))
        }
    }

    private static func write(_ time: TimeOfDay, into writer: inout ByteWriter) {
        switch time.zone {
        case nil:
            writer.u8(0)
        case .offset(let seconds):
            writer.u8(1)
            writer.zigzag(Int64(seconds))
        case .named(let name):
            writer.u8(2)
            writer.string(name)
        }
        writer.varint(UInt64(time.nanosecondOfDay))
    }

    private static func write(_ range: ValueRange, into writer: inout ByteWriter) {
        writer.u8(Tag.range)
        var flags: UInt8 = 0
        if range.lower != nil { flags |= 1 }
        if range.includesLower { flags |= 2 }
        if range.upper != nil { flags |= 4 }
        if range.includesUpper { flags |= 8 }
        writer.u8(flags)
        if let lower = range.lower { Self.write(lower, into: &writer) }
        if let upper = range.upper { Self.write(upper, into: &writer) }
    }

    /// Reads one value.
    public static func read(_ reader: inout ByteReader) throws(DecodingFailure) -> Value {
        try Self.read(&reader, depth: 0)
    }

    private static func read(_ reader: inout ByteReader, depth: Int) throws(DecodingFailure) -> Value {
        guard depth < Self.depthMax else { throw reader.failure(.tooDeep) }
        let tag = try reader.u8()
        switch tag {
        case Tag.null: return .null
        case Tag.false: return .boolean(false)
        case Tag.true: return .boolean(true)
        case Tag.integer: return .number(Number(try reader.zigzag()))
        case Tag.decimal: return .number(try Self.readDecimal(&reader))
        case Tag.string: return .string(try reader.string())
        case Tag.list:
            let count = try reader.count()
            var elements: [Value] = []
            elements.reserveCapacity(count)
            for _ in 0..<count { elements.append(try Self.read(&reader, depth: depth + 1)) }
            return .list(elements)
        case Tag.context:
            let count = try reader.count(minimumByteCount: 2)
            var entries: [ValueContext.Entry] = []
            entries.reserveCapacity(count)
            var register = KeyRegister()
            for position in 0..<count {
                let utf8 = try reader.rawBytes()
                guard UTF8Validation.isValid(utf8) else { throw reader.failure(.invalidText) }
                let key = String(decoding: utf8, as: UTF8.self)
                let repeated = register.note(
                    key, utf8: utf8, isASCII: utf8.allSatisfy { $0 < 0x80 }, count: position
                ) { entries[$0].key }
                // A repeated key is damage: no context has one.
                guard repeated == nil else { throw reader.failure(.invalidValue) }
                entries.append(ValueContext.Entry(key: key, value: try Self.read(&reader, depth: depth + 1)))
            }
            return .context(ValueContext(distinct: entries, index: register.index))
        case Tag.date: return .date(try Self.readDate(&reader))
        case Tag.time: return .time(try Self.readTime(&reader))
        case Tag.dateTime:
            let date = try Self.readDate(&reader)
            return .dateTime(DateTime(date: date, time: try Self.readTime(&reader)))
        case Tag.yearMonthDuration: return .yearMonthDuration(YearMonthDuration(months: try reader.zigzag()))
        case Tag.dayTimeDuration:
            let seconds = try reader.zigzag()
            let nanoseconds = try reader.varint()
            guard nanoseconds < 1_000_000_000 else { throw reader.failure(.invalidValue) }
            return .dayTimeDuration(DayTimeDuration(seconds: seconds, nanoseconds: Int32(nanoseconds)))
        case Tag.range: return .range(try Self.readRange(&reader, depth: depth))
        default: throw reader.failure(.unknownTag(tag))
        }
    }

    private static func readDecimal(_ reader: inout ByteReader) throws(DecodingFailure) -> Number {
        let isNegative = try reader.bool()
        let exponent = try reader.zigzag()
        let low = try reader.varint()
        let high = try reader.varint()
        let coefficient = UInt128(high) << 64 | UInt128(low)
        guard exponent.magnitude <= 6_200, coefficient < PowersOfTen.table[Decimal128.precision],
            let value = Decimal128.rounding(isNegative: isNegative, low: coefficient, exponent: Int(exponent))
        else { throw reader.failure(.invalidValue) }
        return Number(value.value)
    }

    private static func readDate(_ reader: inout ByteReader) throws(DecodingFailure) -> CalendarDate {
        guard let date = CalendarDate(daysSinceEpoch: Int(try reader.zigzag())) else {
            throw reader.failure(.invalidValue)
        }
        return date
    }

    private static func readTime(_ reader: inout ByteReader) throws(DecodingFailure) -> TimeOfDay {
        let zone: ZoneOffset?
        let kind = try reader.u8()
        switch kind {
        case 0: zone = nil
        case 1:
            let seconds = try reader.zigzag()
            guard seconds.magnitude <= ZoneOffset.secondsMax else { throw reader.failure(.invalidValue) }
            zone = .offset(seconds: Int32(seconds))
        case 2: zone = .named(try reader.string())
        default: throw reader.failure(.unknownTag(kind))
        }
        let nanoseconds = try reader.varint()
        guard nanoseconds < 86_400_000_000_000 else { throw reader.failure(.invalidValue) }
        return TimeOfDay(nanosecondOfDay: Int64(nanoseconds), zone: zone)
    }

    private static func readRange(_ reader: inout ByteReader, depth: Int) throws(DecodingFailure) -> ValueRange {
        let flags = try reader.u8()
        guard flags < 16 else { throw reader.failure(.invalidValue) }
        let lower = flags & 1 != 0 ? try Self.read(&reader, depth: depth + 1) : nil
        let upper = flags & 4 != 0 ? try Self.read(&reader, depth: depth + 1) : nil
        return ValueRange(
            lower: lower, includesLower: flags & 2 != 0, upper: upper, includesUpper: flags & 8 != 0)
    }
}
