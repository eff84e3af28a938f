internal import CODBC
internal import Values

/// The memory of the parameters of one execution, column by column: a row for each set of parameters.
///
/// Not `Sendable`: belongs to the thread of its statement, and must outlive the execution.
final class ODBCParameterBlock {
    /// How the values of a column lie in memory.
    private struct Layout {
        var cType: SQLSMALLINT
        var sqlType: Int32
        /// Characters, digits or bytes.
        var size: Int
        /// Digits after the point.
        var digits: Int
        /// Bytes of a value in memory.
        var stride: Int
    }

    private struct Column {
        var layout: Layout
        var values: UnsafeMutableRawPointer
        var lengths: UnsafeMutablePointer<SQLLEN>
    }

    let rowCount: Int
    private var columns: [Column] = []
    let statuses: UnsafeMutablePointer<SQLUSMALLINT>
    let processed: UnsafeMutablePointer<SQLULEN>

    /// Lays out `rows`, all of which have the same number of values.
    init(_ rows: ArraySlice<[ODBCValue]>) {
        self.rowCount = rows.count
        self.statuses = .allocate(capacity: max(1, rows.count))
        self.statuses.initialize(repeating: SQLUSMALLINT(SQL_PARAM_UNUSED), count: max(1, rows.count))
        self.processed = .allocate(capacity: 1)
        self.processed.initialize(to: 0)
        for column in 0..<(rows.first?.count ?? 0) {
            self.columns.append(Self.column(rows.map { $0[column] }))
        }
    }

    deinit {
        for column in self.columns {
            column.values.deallocate()
            column.lengths.deallocate()
        }
        self.statuses.deallocate()
        self.processed.deallocate()
    }

    /// How many bytes the rows take at most when laid out: every value as large as the largest of its column.
    static func bytes(_ rows: ArraySlice<[ODBCValue]>) -> Int {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { Self.width($0[column]) }.max() ?? 0 }
        return widths.reduce(0, +) * rows.count
    }

    private static func width(_ value: ODBCValue) -> Int {
        switch value {
        case .text(let text): text.utf16.count * 2
        case .bytes(let bytes): bytes.count
        case .decimal(let text): text.utf8.count
        default: 16
        }
    }

    /// Tells the statement where the parameters are.
    func bind(_ statement: SQLHSTMT) -> SQLRETURN {
        for (index, column) in self.columns.enumerated() {
            let code = SQLBindParameter(
                statement, SQLUSMALLINT(index + 1), SQLSMALLINT(SQL_PARAM_INPUT), column.layout.cType,
                SQLSMALLINT(column.layout.sqlType), SQLULEN(column.layout.size), SQLSMALLINT(column.layout.digits),
                column.values, SQLLEN(column.layout.stride), column.lengths)
            guard ODBC.isSuccess(code) else { return code }
        }
        return SQLRETURN(SQL_SUCCESS)
    }

    // MARK: - Layout

    private static func column(_ values: [ODBCValue]) -> Column {
        let layout = self.layout(values)
        let isText = layout.cType == JODBC_C_TEXT
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(1, layout.stride * values.count), alignment: 16)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(1, layout.stride * values.count))
        let lengths = UnsafeMutablePointer<SQLLEN>.allocate(capacity: max(1, values.count))
        for (index, value) in values.enumerated() {
            lengths[index] = Self.store(
                isText ? value.asText : value, at: memory.advanced(by: index * layout.stride), layout)
        }
        return Column(layout: layout, values: memory, lengths: lengths)
    }

    private static func layout(_ values: [ODBCValue]) -> Layout {
        let present = values.filter { $0 != .null }
        func all(_ matches: (ODBCValue) -> Bool) -> Bool { !present.isEmpty && present.allSatisfy(matches) }
        if all({ if case .boolean = $0 { true } else { false } }) {
            return Layout(cType: JODBC_C_BIT, sqlType: SQL_BIT, size: 1, digits: 0, stride: 1)
        }
        if all({ if case .integer = $0 { true } else { false } }) {
            return Layout(cType: JODBC_C_BIGINT, sqlType: SQL_BIGINT, size: 19, digits: 0, stride: 8)
        }
        if all({ if case .double = $0 { true } else { false } }) {
            return Layout(cType: JODBC_C_DOUBLE, sqlType: SQL_DOUBLE, size: 15, digits: 0, stride: 8)
        }
        if all({ if case .date = $0 { true } else { false } }) {
            return Layout(cType: JODBC_C_DATE, sqlType: SQL_TYPE_DATE, size: 10, digits: 0, stride: 6)
        }
        if all({ if case .timestamp = $0 { true } else { false } }) { return Self.timestamps(present) }
        if all({ if case .bytes = $0 { true } else { false } }) { return Self.bytes(present) }
        if all({ if case .decimal = $0 { true } else if case .integer = $0 { true } else { false } }) {
            return Self.decimals(present)
        }
        return Self.texts(present)
    }

    private static func timestamps(_ values: [ODBCValue]) -> Layout {
        // Six digits unless there are finer times: drivers refuse digits their database does not have.
        let isFine = values.contains {
            if case .timestamp(let dateTime) = $0 { dateTime.time.nanosecond % 1_000 != 0 } else { false }
        }
        return Layout(
            cType: JODBC_C_TIMESTAMP, sqlType: SQL_TYPE_TIMESTAMP, size: isFine ? 29 : 26, digits: isFine ? 9 : 6,
            stride: MemoryLayout<SQL_TIMESTAMP_STRUCT>.stride)
    }

    private static func bytes(_ values: [ODBCValue]) -> Layout {
        let size = values.map { if case .bytes(let bytes) = $0 { bytes.count } else { 0 } }.max() ?? 0
        return Layout(
            cType: JODBC_C_BYTES, sqlType: size > 8_000 ? SQL_LONGVARBINARY : SQL_VARBINARY, size: max(1, size),
            digits: 0, stride: max(1, size))
    }

    private static func decimals(_ values: [ODBCValue]) -> Layout {
        var whole = 1
        var fraction = 0
        var stride = 24
        for case let value in values {
            guard case .text(let text) = value.asText else { continue }
            let digits = text.utf8.filter { $0 != 0x2D && $0 != 0x2B }
            let point = digits.firstIndex(of: UInt8(ascii: ".")) ?? digits.endIndex
            whole = max(whole, point)
            fraction = max(fraction, digits.endIndex > point ? digits.endIndex - point - 1 : 0)
            stride = max(stride, text.utf8.count + 1)
        }
        return Layout(
            cType: JODBC_C_ASCII, sqlType: SQL_DECIMAL, size: whole + fraction, digits: fraction, stride: stride)
    }

    private static func texts(_ values: [ODBCValue]) -> Layout {
        let size = values.map { if case .text(let text) = $0.asText { text.utf16.count } else { 0 } }.max() ?? 0
        return Layout(
            cType: JODBC_C_TEXT, sqlType: size > 4_000 ? SQL_WLONGVARCHAR : SQL_WVARCHAR, size: max(1, size), digits: 0,
            stride: (size + 1) * 2)
    }

    // MARK: - Values

    /// Writes a value; returns its length, as ODBC wants it.
    private static func store(_ value: ODBCValue, at place: UnsafeMutableRawPointer, _ layout: Layout) -> SQLLEN {
        switch value {
        case .null: return SQLLEN(SQL_NULL_DATA)
        case .boolean(let flag):
            place.storeBytes(of: flag ? 1 : 0, as: UInt8.self)
            return 1
        case .integer(let integer) where layout.cType == JODBC_C_BIGINT:
            place.storeBytes(of: integer, as: Int64.self)
            return 8
        case .integer(let integer): return Self.store(ascii: String(integer), at: place)
        case .decimal(let text): return Self.store(ascii: text, at: place)
        case .double(let double):
            place.storeBytes(of: double, as: Double.self)
            return 8
        case .text(let text):
            let units = Array(text.utf16)
            place.copyMemory(from: units, byteCount: units.count * 2)
            return SQLLEN(units.count * 2)
        case .bytes(let bytes):
            place.copyMemory(from: bytes, byteCount: bytes.count)
            return SQLLEN(bytes.count)
        case .date(let date):
            var raw = SQL_DATE_STRUCT()
            raw.year = SQLSMALLINT(date.year)
            raw.month = SQLUSMALLINT(date.month)
            raw.day = SQLUSMALLINT(date.day)
            place.copyMemory(from: &raw, byteCount: MemoryLayout<SQL_DATE_STRUCT>.size)
            return SQLLEN(MemoryLayout<SQL_DATE_STRUCT>.size)
        case .timestamp(let dateTime):
            var raw = Self.raw(dateTime)
            place.copyMemory(from: &raw, byteCount: MemoryLayout<SQL_TIMESTAMP_STRUCT>.size)
            return SQLLEN(MemoryLayout<SQL_TIMESTAMP_STRUCT>.size)
        }
    }

    private static func store(ascii text: String, at place: UnsafeMutableRawPointer) -> SQLLEN {
        let bytes = Array(text.utf8)
        place.copyMemory(from: bytes, byteCount: bytes.count)
        return SQLLEN(bytes.count)
    }

    private static func raw(_ dateTime: DateTime) -> SQL_TIMESTAMP_STRUCT {
        var raw = SQL_TIMESTAMP_STRUCT()
        raw.year = SQLSMALLINT(dateTime.date.year)
        raw.month = SQLUSMALLINT(dateTime.date.month)
        raw.day = SQLUSMALLINT(dateTime.date.day)
        raw.hour = SQLUSMALLINT(dateTime.time.hour)
        raw.minute = SQLUSMALLINT(dateTime.time.minute)
        raw.second = SQLUSMALLINT(dateTime.time.second)
        raw.fraction = SQLUINTEGER(dateTime.time.nanosecond)
        return raw
    }
}
