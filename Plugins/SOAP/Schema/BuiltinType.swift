/// The simple types of XML Schema itself, by what becomes of their values.
struct BuiltinType: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// Text as it stands.
        case string
        /// Text in which white space does not count.
        case token
        case boolean
        /// A whole number.
        case integer
        case decimal
        /// A binary floating-point number, and INF, -INF, NaN.
        case float
        case base64, hex
        case date, dateTime, time, duration
        /// A name with a prefix.
        case qualifiedName
        /// Names separated by blanks.
        case list
    }

    var name: String
    var kind: Kind
    /// The least and the greatest whole number.
    var minimum: Int64?
    var maximum: Int64?

    /// The type of this name; nil when there is none.
    static func named(_ name: String) -> BuiltinType? { Self.table[name] }

    private static let table: [String: BuiltinType] = {
        var table: [String: BuiltinType] = [:]
        func add(_ names: [String], _ kind: Kind) {
            for name in names { table[name] = BuiltinType(name: name, kind: kind) }
        }
        add(["string", "normalizedString", "anySimpleType"], .string)
        add(
            [
                "token", "anyURI", "language", "Name", "NCName", "NMTOKEN", "ID", "IDREF", "ENTITY", "gYear",
                "gYearMonth", "gMonth", "gMonthDay", "gDay", "NOTATION",
            ], .token)
        add(["NMTOKENS", "IDREFS", "ENTITIES"], .list)
        add(["boolean"], .boolean)
        add(["decimal"], .decimal)
        add(["float", "double"], .float)
        add(["base64Binary", "base64"], .base64)
        add(["hexBinary"], .hex)
        add(["date"], .date)
        add(["dateTime"], .dateTime)
        add(["time"], .time)
        add(["duration"], .duration)
        add(["QName"], .qualifiedName)
        let bounds: [(String, Int64?, Int64?)] = [
            ("integer", nil, nil), ("nonPositiveInteger", nil, 0), ("negativeInteger", nil, -1),
            ("nonNegativeInteger", 0, nil), ("positiveInteger", 1, nil), ("long", .min, .max),
            ("int", -2_147_483_648, 2_147_483_647), ("short", -32_768, 32_767), ("byte", -128, 127),
            ("unsignedLong", 0, nil), ("unsignedInt", 0, 4_294_967_295), ("unsignedShort", 0, 65_535),
            ("unsignedByte", 0, 255),
        ]
        for (name, minimum, maximum) in bounds {
            table[name] = BuiltinType(name: name, kind: .integer, minimum: minimum, maximum: maximum)
        }
        return table
    }()
}
