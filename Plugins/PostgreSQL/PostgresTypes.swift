internal import Values

/// What a type of PostgreSQL is to this connector.
indirect enum PostgresType: Sendable, Hashable {
    case boolean
    /// Integers and `numeric`.
    case number
    /// `real` and `double precision`.
    case double
    case text
    case bytes
    case date
    case time
    case timestamp
    case interval
    case json
    /// An array of elements, with the delimiter of their type.
    case array(PostgresType, delimiter: UInt8)
    /// Anything else: its text, both ways.
    case other

    /// Types with fixed numbers (`pg_type.dat`); `nil` for those the database knows.
    static func builtIn(_ oid: UInt32) -> PostgresType? {
        if let type = Self.scalars[oid] { return type }
        if let element = Self.arrays[oid] {
            // Only boxes are delimited by something else.
            return .array(Self.scalars[element] ?? .other, delimiter: UInt8(ascii: element == 603 ? ";" : ","))
        }
        return oid < Self.firstUserType ? .other : nil
    }

    /// The first number a database gives to a type of its own.
    static let firstUserType: UInt32 = 16_384

    private static let scalars: [UInt32: PostgresType] = [
        16: .boolean, 17: .bytes, 18: .text, 19: .text, 20: .number, 21: .number, 23: .number, 25: .text, 26: .number,
        114: .json, 700: .double, 701: .double, 705: .text, 1042: .text, 1043: .text, 1082: .date, 1083: .time,
        1114: .timestamp, 1184: .timestamp, 1186: .interval, 1266: .time, 1700: .number, 2950: .other, 3802: .json,
    ]

    /// Array types and their elements.
    private static let arrays: [UInt32: UInt32] = [
        1000: 16, 1001: 17, 1002: 18, 1003: 19, 1016: 20, 1005: 21, 1007: 23, 1009: 25, 1028: 26, 199: 114, 1021: 700,
        1022: 701, 1014: 1042, 1015: 1043, 1182: 1082, 1183: 1083, 1115: 1114, 1185: 1184, 1187: 1186, 1270: 1266,
        1231: 1700, 2951: 2950, 3807: 3802, 143: 142, 651: 650, 719: 718, 629: 628, 1017: 600, 1018: 601, 1019: 602,
        1020: 603, 1027: 604, 775: 774, 791: 790, 1040: 829, 1041: 869, 1561: 1560, 1563: 1562, 3643: 3614, 3645: 3615,
        3905: 3904, 3907: 3906, 3909: 3908, 3911: 3910, 3913: 3912, 3927: 3926,
    ]
}
