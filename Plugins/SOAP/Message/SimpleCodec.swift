internal import ConnectorKit
internal import Values

/// Why a value or an element does not fit its type, and where.
struct CodecProblem: Error {
    /// What is wrong, with the path of the value in front.
    var message: String

    init(_ path: String, _ message: String) {
        self.message = "\(path): \(message)"
    }

    /// A value for a message: itself when short, else its beginning.
    static func excerpt(_ text: String) -> String {
        text.count <= 40 ? "\"\(text)\"" : "\"\(text.prefix(40))…\""
    }
}

/// Values of simple types, as text and back.
///
/// Numbers and booleans are values of their own. Everything else (dates, times, durations, binaries, names) is text: the
/// form XML Schema gives it, which is also that of JSON and of FEEL.
struct SimpleCodec: Sendable {
    private static let depthMax = 32
    /// How many digits a number holds (IEEE 754 decimal128).
    private static let digitsMax = 34

    let set: SchemaSet

    // MARK: - Reading

    func value(_ text: String, _ type: TypeReference, path: String, depth: Int = 0) throws(CodecProblem) -> Value {
        switch self.set.resolve(type) {
        case .any: return .string(text)
        case .builtin(let builtin): return try Self.value(text, builtin, path)
        case .complex(let index):
            guard let inner = self.set.shapes[index].text, depth < Self.depthMax else { return .string(text) }
            return try self.value(text, inner, path: path, depth: depth + 1)
        case .simple(let simple):
            guard depth < Self.depthMax else { throw CodecProblem(path, "its type is declared in a circle.") }
            switch simple.variety {
            case .restriction(let base):
                if simple.facets.bounds["whiteSpace"] == "collapse" {
                    return try self.value(
                        text.xmlTokens.joined(separator: " "), base, path: path, depth: depth + 1)
                }
                return try self.value(text, base, path: path, depth: depth + 1)
            case .list(let item):
                var items: [Value] = []
                for token in text.xmlTokens {
                    items.append(try self.value(token, item, path: path, depth: depth + 1))
                }
                return .list(items)
            case .union(let members):
                for member in members {
                    if let value = try? self.value(text, member, path: path, depth: depth + 1),
                        self.allows(text, member, depth: depth + 1)
                    {
                        return value
                    }
                }
                return .string(text)
            }
        }
    }

    /// Whether a text is one of an enumeration, where the type has one.
    private func allows(_ text: String, _ type: TypeReference, depth: Int) -> Bool {
        guard case .simple(let simple) = self.set.resolve(type), depth < Self.depthMax else { return true }
        guard simple.facets.enumeration.isEmpty || simple.facets.enumeration.contains(text.trimmingXMLSpace) else {
            return false
        }
        if case .restriction(let base) = simple.variety { return self.allows(text, base, depth: depth + 1) }
        return true
    }

    private static func value(_ text: String, _ type: BuiltinType, _ path: String) throws(CodecProblem) -> Value {
        if type.kind == .string { return .string(text) }
        let trimmed = text.trimmingXMLSpace
        func wrong() -> CodecProblem {
            CodecProblem(path, "expected xs:\(type.name) but found \(CodecProblem.excerpt(trimmed)).")
        }
        switch type.kind {
        case .string: return .string(text)
        case .boolean:
            switch trimmed {
            case "true", "1": return true
            case "false", "0": return false
            default: throw wrong()
            }
        case .integer, .decimal:
            guard let number = Number(trimmed), Self.isDecimal(trimmed) else { throw wrong() }
            guard Self.digits(trimmed) <= Self.digitsMax else {
                throw CodecProblem(path, "a number of more than \(Self.digitsMax) digits cannot be held.")
            }
            if type.kind == .integer, !number.isInteger { throw wrong() }
            return .number(number)
        case .float:
            if ["INF", "-INF", "NaN"].contains(trimmed) { return .string(trimmed) }
            guard let number = Number(trimmed) else { throw wrong() }
            return .number(number)
        case .base64:
            let compact = text.xmlTokens.joined()
            guard Base64.decode(compact) != nil else { throw wrong() }
            return .string(compact)
        case .list: return .list(text.xmlTokens.map { .string($0) })
        case .token, .hex, .date, .dateTime, .time, .duration, .qualifiedName:
            return .string(text.xmlTokens.joined(separator: " "))
        }
    }

    private static func isDecimal(_ text: String) -> Bool {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E || $0 == 0x2D || $0 == 0x2B }
    }

    /// How many digits a decimal has, zeros at either end left out.
    private static func digits(_ text: String) -> Int {
        let digits = text.utf8.filter { (0x30...0x39).contains($0) }.drop { $0 == 0x30 }
        guard let last = digits.lastIndex(where: { $0 != 0x30 }) else { return 0 }
        return last - digits.startIndex + 1
    }

    // MARK: - Writing

    func text(_ value: Value, _ type: TypeReference, path: String, depth: Int = 0) throws(CodecProblem) -> String {
        switch self.set.resolve(type) {
        case .any: return try Self.anyText(value, path)
        case .builtin(let builtin): return try Self.text(value, builtin, path)
        case .complex(let index):
            guard let inner = self.set.shapes[index].text, depth < Self.depthMax else {
                throw CodecProblem(path, "expected an object but found \(value.typeName).")
            }
            let text = try self.text(value, inner, path: path, depth: depth + 1)
            try Self.check(text, self.set.shapes[index].textFacets, path)
            return text
        case .simple(let simple):
            guard depth < Self.depthMax else { throw CodecProblem(path, "its type is declared in a circle.") }
            let text: String
            switch simple.variety {
            case .restriction(let base): text = try self.text(value, base, path: path, depth: depth + 1)
            case .list(let item):
                var items: [String] = []
                for value in value.asList ?? [value] {
                    items.append(try self.text(value, item, path: path, depth: depth + 1))
                }
                text = items.joined(separator: " ")
            case .union(let members): text = try self.text(value, union: members, path: path, depth: depth)
            }
            try Self.check(text, simple.facets, path)
            return text
        }
    }

    private func text(
        _ value: Value, union members: [TypeReference], path: String, depth: Int
    ) throws(CodecProblem) -> String {
        for member in members {
            if let text = try? self.text(value, member, path: path, depth: depth + 1) { return text }
        }
        throw CodecProblem(path, "a \(value.typeName) fits none of the types it may have.")
    }

    private static func check(_ text: String, _ facets: Facets, _ path: String) throws(CodecProblem) {
        guard !facets.enumeration.isEmpty, !facets.enumeration.contains(text) else { return }
        let known = facets.enumeration.prefix(20).joined(separator: ", ")
        let hint = ClosestMatch.of(text, in: facets.enumeration).map { " Did you mean \($0)?" } ?? ""
        throw CodecProblem(path, "expected one of \(known) but found \(CodecProblem.excerpt(text)).\(hint)")
    }

    /// The text of a value whose type nobody knows.
    static func anyText(_ value: Value, _ path: String) throws(CodecProblem) -> String {
        switch value {
        case .string(let text): return text
        case .boolean(let flag): return flag ? "true" : "false"
        case .null: return ""
        case .number, .date, .time, .dateTime, .yearMonthDuration, .dayTimeDuration:
            return try Self.plain(value, path)
        case .list, .context, .range, .function:
            throw CodecProblem(path, "expected a simple value but found \(value.typeName).")
        }
    }

    private static func text(_ value: Value, _ type: BuiltinType, _ path: String) throws(CodecProblem) -> String {
        func wrong(_ expected: String) -> CodecProblem {
            let found = value.asString.map { CodecProblem.excerpt($0) } ?? value.typeName
            return CodecProblem(path, "expected \(expected) (xs:\(type.name)) but found \(found).")
        }
        switch type.kind {
        case .boolean:
            guard let flag = value.asBoolean else { throw wrong("true or false") }
            return flag ? "true" : "false"
        case .integer:
            guard let number = value.asNumber, number.isInteger else { throw wrong("a whole number") }
            if let minimum = type.minimum, number < Number(minimum) { throw wrong("at least \(minimum)") }
            if let maximum = type.maximum, Number(maximum) < number { throw wrong("at most \(maximum)") }
            return try Self.plain(value, path)
        case .decimal:
            guard value.asNumber != nil else { throw wrong("a number") }
            return try Self.plain(value, path)
        case .float:
            if let number = value.asNumber { return number.description }
            guard let text = value.asString, ["INF", "-INF", "NaN"].contains(text) else { throw wrong("a number") }
            return text
        case .base64:
            guard let text = value.asString, Base64.decode(text) != nil else { throw wrong("base64") }
            return text
        case .list:
            guard let items = value.asList else { throw wrong("a list of texts") }
            let texts = items.compactMap(\.asString)
            guard texts.count == items.count else { throw wrong("a list of texts") }
            return texts.joined(separator: " ")
        case .date, .dateTime, .time, .duration:
            switch value {
            case .string, .date, .time, .dateTime, .yearMonthDuration, .dayTimeDuration:
                return try Self.plain(value, path)
            default: throw wrong("a text such as \(Self.example(type.kind))")
            }
        case .string, .token, .hex, .qualifiedName:
            guard let text = value.asString else { throw wrong("a text") }
            return text
        }
    }

    private static func example(_ kind: BuiltinType.Kind) -> String {
        switch kind {
        case .date: "2026-01-31"
        case .time: "12:00:00"
        case .duration: "P1DT2H"
        default: "2026-01-31T12:00:00Z"
        }
    }

    /// The text of a value, in forms XML Schema knows too.
    private static func plain(_ value: Value, _ path: String) throws(CodecProblem) -> String {
        let text: String
        switch value {
        case .string(let own): text = own
        case .number(let number): text = number.description
        case .date(let date): text = date.description
        case .time(let time): text = time.description
        case .dateTime(let time): text = time.description
        case .yearMonthDuration(let duration): text = duration.description
        case .dayTimeDuration(let duration): text = duration.description
        default: text = ""
        }
        if case .number = value, text.contains("E") {
            throw CodecProblem(path, "the number \(text) is too large or too small to be written out.")
        }
        if text.contains("@") { throw CodecProblem(path, "a time zone by name has no form in XML; use an offset.") }
        return text
    }
}
