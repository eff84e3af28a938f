internal import ConnectorKit
internal import SQLSupport
internal import Values

/// A statement with its values, as the user wrote them: how to read it depends on the database it goes to.
struct ODBCText: Sendable, Hashable {
    enum Parameters: Sendable, Hashable {
        case none
        case listed([Value])
        case named(ValueContext)
    }

    var text: String
    var parameters = Parameters.none
}

/// One call of an operation, read and checked.
enum ODBCRequest: Sendable {
    case query(ODBCText, rowsMaximum: Int)
    case execute(ODBCText, rowsMaximum: Int)
    case batch(String, [ODBCText.Parameters], isAtomic: Bool)
    case transaction([ODBCText], rowsMaximum: Int)
    case call(ODBCRoutine, rowsMaximum: Int)
}

/// A call of a stored procedure.
struct ODBCRoutine: Sendable, Hashable {
    enum Direction: String, CaseIterable, Sendable {
        case `in`, out
        case inOut = "inout"
    }

    struct Argument: Sendable, Hashable {
        var value: Value
        var direction: Direction
        /// The type of what comes out.
        var kind: ODBCValue.Kind
        /// Characters or bytes that may come out.
        var size: Int
    }

    var name: String
    var arguments: [Argument]
    /// Whether it returns a value, which is the first output then.
    var returns: ODBCValue.Kind?
}

/// Reads the input of calls.
enum ODBCInput {
    private enum BatchMode: String, CaseIterable {
        case atomic, perItem
    }

    static let rowsDefault = 1_000
    static let rowsMaximum = 1_000_000
    static let batchMaximum = 100_000
    static let statementsMaximum = 1_000
    static let outputBytesMaximum = 1 << 20

    /// Reads `call`.
    ///
    /// Throws a `ConnectorError` (`validation` or `unsupported`).
    static func request(_ call: OperationCall) throws -> (request: ODBCRequest, isIdempotent: Bool) {
        guard let operation = ODBCModule.description.operation(call.operation) else {
            throw ConnectorError.unknownOperation(call.operation, of: ODBCModule.description)
        }
        let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
        let request: ODBCRequest =
            switch operation.id {
            case "query": .query(Self.statement(reader), rowsMaximum: Self.rows(reader))
            case "batch": Self.batch(reader)
            case "transaction": Self.transaction(reader)
            case "call": .call(Self.routine(reader), rowsMaximum: Self.rows(reader))
            default: .execute(Self.statement(reader), rowsMaximum: Self.rows(reader))
            }
        let isIdempotent = operation.effect == .read || (reader.boolean("idempotent") ?? false)
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
        return (request, isIdempotent)
    }

    private static func rows(_ reader: FieldReader) -> Int {
        reader.integer("maxRows", in: 0...Self.rowsMaximum) ?? Self.rowsDefault
    }

    private static func text(_ reader: FieldReader) -> String {
        reader.require("sql")
        let text = reader.string("sql") ?? ""
        if text.utf8.contains(0) { reader.add("\(reader.path).sql holds a zero character.") }
        if reader.has("sql"), text.allSatisfy(\.isWhitespace) { reader.add("\(reader.path).sql is empty.") }
        return text
    }

    private static func statement(_ reader: FieldReader) -> ODBCText {
        let text = Self.text(reader)
        let parameters = Self.parameters(reader.value("parameters"), "\(reader.path).parameters", reader)
        return ODBCText(text: text, parameters: parameters)
    }

    private static func parameters(_ value: Value?, _ path: String, _ reader: FieldReader) -> ODBCText.Parameters {
        switch value {
        case nil, .some(.null): return .none
        case .list(let values): return .listed(values)
        case .context(let values): return .named(values)
        default:
            reader.add("\(path): expected a list of values, or an object of named values.")
            return .none
        }
    }

    private static func batch(_ reader: FieldReader) -> ODBCRequest {
        let mode = reader.word("mode", of: BatchMode.self) ?? .atomic
        let text = Self.text(reader)
        reader.require("parameters")
        let items = reader.value("parameters").flatMap(\.asList)
        if reader.has("parameters"), (items?.count ?? .max) > Self.batchMaximum {
            reader.add("input.parameters: expected a list of at most \(Self.batchMaximum) sets of parameters.")
        }
        var sets: [ODBCText.Parameters] = []
        for (index, item) in (items ?? []).prefix(Self.batchMaximum).enumerated() {
            sets.append(Self.parameters(item, "input.parameters[\(index)]", reader))
            if reader.diagnostics.count > 8 { break }
        }
        return .batch(text, sets, isAtomic: mode == .atomic)
    }

    private static func transaction(_ reader: FieldReader) -> ODBCRequest {
        let rows = Self.rows(reader)
        reader.require("statements")
        let items = reader.value("statements").flatMap(\.asList)
        if reader.has("statements"), (items?.count ?? .max) > Self.statementsMaximum {
            reader.add("input.statements: expected a list of at most \(Self.statementsMaximum) statements.")
        }
        var statements: [ODBCText] = []
        for (index, item) in (items ?? []).prefix(Self.statementsMaximum).enumerated() {
            let inner = FieldReader(
                item, path: "input.statements[\(index)]", code: ConnectorError.Code.invalidParameters)
            statements.append(Self.statement(inner))
            inner.finish()
            for diagnostic in inner.diagnostics { reader.add(diagnostic.message, diagnostic.remedy) }
        }
        return .transaction(statements, rowsMaximum: rows)
    }

    private static func routine(_ reader: FieldReader) -> ODBCRoutine {
        reader.require("name")
        let name = reader.string("name") ?? ""
        // A name goes into the statement as it is.
        let isName = name.allSatisfy { $0.isLetter || $0.isNumber || "_.$\"`[]".contains($0) }
        if !isName || (reader.has("name") && name.isEmpty) {
            reader.add("input.name: \"\(name.prefix(60))\" is no name of a procedure.")
        }
        let returns = reader.word("returns", of: ODBCValue.Kind.self)
        let items = reader.value("arguments").map { $0.asList }
        if case .some(.none) = items { reader.add("input.arguments: expected a list.") }
        var arguments: [ODBCRoutine.Argument] = []
        for (index, item) in ((items ?? nil) ?? []).prefix(100).enumerated() {
            arguments.append(Self.argument(item, "input.arguments[\(index)]", reader))
        }
        return ODBCRoutine(name: name, arguments: arguments, returns: returns)
    }

    private static func argument(_ item: Value, _ path: String, _ reader: FieldReader) -> ODBCRoutine.Argument {
        guard case .context = item else {
            return ODBCRoutine.Argument(value: item, direction: .in, kind: .text, size: 0)
        }
        let inner = FieldReader(item, path: path, code: ConnectorError.Code.invalidParameters)
        let direction = inner.word("direction", of: ODBCRoutine.Direction.self) ?? .in
        let kind = inner.word("type", of: ODBCValue.Kind.self)
        let size = inner.integer("size", in: 1...Self.outputBytesMaximum) ?? 4_000
        var value = inner.value("value") ?? .null
        if direction != .in { inner.require("type") }
        if let kind { value = ["type": .string(kind.rawValue), "value": value] }
        inner.finish()
        for diagnostic in inner.diagnostics { reader.add(diagnostic.message, diagnostic.remedy) }
        return ODBCRoutine.Argument(value: value, direction: direction, kind: kind ?? .text, size: size)
    }
}
