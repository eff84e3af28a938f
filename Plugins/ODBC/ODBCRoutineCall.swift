internal import CODBC
internal import ConnectorKit
internal import SQLSupport
internal import Values

/// A call of a stored procedure, with parameters that come back.
struct ODBCRoutineCall {
    let operations: ODBCOperations

    func run(_ routine: ODBCRoutine, _ rows: Int) throws(ODBCFailure) -> Value {
        let operations = self.operations
        let statement = try operations.harmless { () throws(ODBCDiagnostic) in
            try operations.session.statement(operations.call)
        }
        let places = Array(repeating: "?", count: routine.arguments.count).joined(separator: ", ")
        let text = "{\(routine.returns == nil ? "" : "? = ")call \(routine.name)(\(places))}"
        // MariaDB's driver puts texts into whatever it was given for what comes out.
        let isText = operations.session.capabilities.product == .mariaDB
        var slots: [Slot] = []
        if let kind = routine.returns {
            slots.append(Slot(kind: kind, size: 4_000, direction: SQL_PARAM_OUTPUT, value: .null, isText: isText))
        }
        let values = try operations.values(routine.arguments.map(\.value)) { String($0 + 1) }
        for (argument, value) in zip(routine.arguments, values) {
            let direction =
                switch argument.direction {
                case .in: SQL_PARAM_INPUT
                case .out: SQL_PARAM_OUTPUT
                case .inOut: SQL_PARAM_INPUT_OUTPUT
                }
            let kind = argument.direction == .in ? Self.kind(value) : argument.kind
            slots.append(
                Slot(
                    kind: kind, size: argument.size, direction: direction, value: value,
                    isText: isText && argument.direction != .in))
        }
        try operations.harmless { () throws(ODBCDiagnostic) in try statement.prepare(text) }
        for (index, slot) in slots.enumerated() {
            guard ODBC.isSuccess(slot.bind(statement.raw, SQLUSMALLINT(index + 1))) else {
                throw .driver(ODBCDiagnostic.first(SQL_HANDLE_STMT, statement.raw), mayHaveExecuted: false)
            }
        }
        try operations.execute(statement)
        return try withExtendedLifetime(slots) { () throws(ODBCFailure) in
            // What comes out is there once all results were read.
            var value = try operations.results(statement, operations.bounds(rows)).value
            let outputs = slots.filter { $0.direction != SQL_PARAM_INPUT }.map(\.value)
            if !outputs.isEmpty { value["outputs"] = .list(outputs) }
            return .context(value)
        }
    }

    private static func kind(_ value: ODBCValue) -> ODBCValue.Kind {
        switch value {
        case .null, .text: .text
        case .boolean: .boolean
        case .integer: .integer
        case .decimal: .decimal
        case .double: .double
        case .bytes: .binary
        case .date: .date
        case .timestamp: .timestamp
        }
    }
}

/// The memory of one parameter.
private final class Slot {
    let kind: ODBCValue.Kind
    let direction: Int32
    private let memory: UnsafeMutableRawPointer
    private let capacity: Int
    private let length: UnsafeMutablePointer<SQLLEN>
    private let size: Int
    /// Whether everything but bytes goes and comes as UTF-8 text.
    private let isText: Bool

    init(kind: ODBCValue.Kind, size: Int, direction: Int32, value: ODBCValue, isText: Bool) {
        self.kind = kind
        self.direction = direction
        self.isText = isText && kind != .binary
        let input = self.isText ? Self.utf8(value) : Self.bytes(value, kind)
        self.size = max(1, size, input?.count ?? 0)
        // Two bytes a character, and an end.
        self.capacity = self.size * 2 + 64
        self.memory = .allocate(byteCount: self.capacity, alignment: 16)
        self.memory.initializeMemory(as: UInt8.self, repeating: 0, count: self.capacity)
        self.length = .allocate(capacity: 1)
        self.length.initialize(to: SQLLEN(input?.count ?? Int(SQL_NULL_DATA)))
        if let input { self.memory.copyMemory(from: input, byteCount: input.count) }
    }

    deinit {
        self.memory.deallocate()
        self.length.deallocate()
    }

    private var types: (c: SQLSMALLINT, sql: Int32, size: Int, digits: Int) {
        if self.isText { return (JODBC_C_ASCII, SQL_VARCHAR, self.size, 0) }
        return switch self.kind {
        case .text, .time: (JODBC_C_TEXT, SQL_WVARCHAR, self.size, 0)
        case .integer: (JODBC_C_BIGINT, SQL_BIGINT, 19, 0)
        case .decimal: (JODBC_C_ASCII, SQL_DECIMAL, 38, 10)
        case .double: (JODBC_C_DOUBLE, SQL_DOUBLE, 15, 0)
        case .boolean: (JODBC_C_BIT, SQL_BIT, 1, 0)
        case .date, .timestamp: (JODBC_C_ASCII, SQL_VARCHAR, 40, 0)
        case .binary: (JODBC_C_BYTES, SQL_VARBINARY, self.size, 0)
        }
    }

    func bind(_ statement: SQLHSTMT, _ number: SQLUSMALLINT) -> SQLRETURN {
        let types = self.types
        return SQLBindParameter(
            statement, number, SQLSMALLINT(self.direction), types.c, SQLSMALLINT(types.sql), SQLULEN(types.size),
            SQLSMALLINT(types.digits), self.memory, SQLLEN(self.capacity), self.length)
    }

    private static func utf8(_ value: ODBCValue) -> [UInt8]? {
        guard case .text(let text) = value.asText else { return nil }
        return Array(text.utf8)
    }

    private static func bytes(_ value: ODBCValue, _ kind: ODBCValue.Kind) -> [UInt8]? {
        switch value {
        case .null: return nil
        case .boolean(let flag): return [flag ? 1 : 0]
        case .integer(let integer) where kind == .integer: return withUnsafeBytes(of: integer, Array.init)
        case .double(let double): return withUnsafeBytes(of: double, Array.init)
        case .bytes(let bytes): return bytes
        case .integer, .decimal, .text, .date, .timestamp:
            guard case .text(let text) = value.asText else { return nil }
            guard kind == .text || kind == .time else { return Array(text.utf8) }
            return text.utf16.flatMap { withUnsafeBytes(of: $0, Array.init) }
        }
    }

    /// What came out.
    var value: Value {
        let length = Int(self.length.pointee)
        guard length != Int(SQL_NULL_DATA) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: self.memory, count: self.capacity)
        let count = length >= 0 ? min(length, self.capacity) : self.capacity
        if self.isText { return self.parsed(String(decoding: bytes[..<count].prefix { $0 != 0 }, as: UTF8.self)) }
        switch self.kind {
        case .integer: return .number(Number(bytes.load(as: Int64.self)))
        case .double: return SQLText.double(bytes.load(as: Double.self))
        case .boolean: return .boolean(bytes[0] != 0)
        case .binary: return .string(Base64.encode(Array(bytes[..<count])))
        case .text, .time:
            let units = (0..<(count / 2)).map { bytes.loadUnaligned(fromByteOffset: $0 * 2, as: UInt16.self) }
            return self.parsed(String(decoding: units, as: UTF16.self))
        case .decimal, .date, .timestamp:
            return self.parsed(String(decoding: bytes[..<count].prefix { $0 != 0 }, as: UTF8.self))
        }
    }

    /// The value a text stands for.
    private func parsed(_ text: String) -> Value {
        switch self.kind {
        case .text, .binary: .string(text)
        case .integer, .decimal: SQLText.number(text)
        case .double: Double(text).map { SQLText.double($0) } ?? .string(text)
        case .boolean: .boolean(text == "1" || text.lowercased() == "true")
        case .date: CalendarDate(text).map { .date($0) } ?? .string(text)
        case .time: ODBCRowReader.time(text).map { .time($0) } ?? .string(text)
        case .timestamp: ODBCRowReader.timestamp(text) ?? .string(text)
        }
    }
}
