import Values

/// A method of Java's strings, lists and maps that expressions may call.
enum JUELMethod: String, Sendable, CaseIterable {
    case contains, startsWith, endsWith, equals, equalsIgnoreCase, length, size, isEmpty, toUpperCase, toLowerCase
    case trim, substring, indexOf, lastIndexOf, matches, split, replace, concat, get, containsKey, toString

    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .length, .size, .isEmpty, .toUpperCase, .toLowerCase, .trim, .toString: 0...0
        case .substring: 1...2
        case .replace: 2...2
        default: 1...1
        }
    }

    /// The arity in words.
    var arityText: String {
        switch arity {
        case 0...0: "no arguments"
        case 1...1: "1 argument"
        case 2...2: "2 arguments"
        default: "1 or 2 arguments"
        }
    }
}

/// A method called on a value.
///
/// Positions count UTF-16 units from 0, as in Java.
final class JUELMethodNode: Node, @unchecked Sendable {
    let method: JUELMethod
    let base: Node
    let arguments: [Node]
    private let pattern: Pattern?

    private init(_ method: JUELMethod, _ base: Node, _ arguments: [Node], _ pattern: Pattern?, _ span: SourceSpan) {
        self.method = method
        self.base = base
        self.arguments = arguments
        self.pattern = pattern
        super.init(span)
    }

    /// Creates the call; a constant regular expression is compiled with it.
    static func make(
        _ method: JUELMethod, _ base: Node, _ arguments: [Node], _ span: SourceSpan, _ parser: JUELParser
    ) throws(FEELError) -> JUELMethodNode {
        var pattern: Pattern?
        if method == .matches || method == .split, case .string(let text) = arguments[0].constant {
            do throws(Mistake) {
                pattern = try compile(text, of: method)
            } catch {
                throw parser.error(error.message, remedy: "Regular expressions follow XPath's dialect, as in FEEL")
            }
        }
        return JUELMethodNode(method, base, arguments, pattern, span)
    }

    private static func compile(_ text: String, of method: JUELMethod) throws(Mistake) -> Pattern {
        // Java matches the whole text.
        try Pattern(method == .matches ? "^(?:\(text))$" : text, flags: "")
    }

    /// The regular expression, compiled now unless it was constant.
    func pattern(_ text: String) throws(Mistake) -> Pattern {
        if let pattern { return pattern }
        return try Self.compile(text, of: method)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let receiver = base.evaluate(&machine)
        guard machine.spend(1, at: span) else { return .null }
        let first = arguments.isEmpty ? Value.null : arguments[0].evaluate(&machine)
        let second = arguments.count < 2 ? Value.null : arguments[1].evaluate(&machine)
        switch receiver {
        case .string(let text):
            if let value = ofText(text, first, second, &machine) { return value }
        case .list(let elements):
            guard machine.spend(elements.count / 4, at: span) else { return .null }
            if let value = ofList(elements, first, &machine) { return value }
        case .context(let context):
            if let value = ofContext(context, first, &machine) { return value }
        case .null:
            machine.warn(span) { [span, base] in
                "Cannot evaluate '\($0.text(span))' because '\($0.text(base.span))' is null"
            }
            return .null
        default: break
        }
        switch method {
        case .toString: return machine.juelString(receiver, at: span).map(Value.string) ?? .null
        case .equals: return .boolean(machine.isSame(receiver, first, at: span))
        default:
            machine.warn(span) { [span, method] in
                "A \(receiver.typeName) has no method '\(method.rawValue)' in '\($0.text(span))'"
            }
            return .null
        }
    }

    private func ofList(_ elements: [Value], _ argument: Value, _ machine: inout Machine) -> Value? {
        switch method {
        case .contains: return .boolean(elements.contains { machine.isSame($0, argument, at: span) })
        case .indexOf:
            return .number(Number(elements.firstIndex { machine.isSame($0, argument, at: span) } ?? -1))
        case .lastIndexOf:
            return .number(Number(elements.lastIndex { machine.isSame($0, argument, at: span) } ?? -1))
        case .isEmpty: return .boolean(elements.isEmpty)
        case .size: return .number(Number(elements.count))
        case .get: return machine.juelProperty(argument, of: .list(elements), at: span)
        default: return nil
        }
    }

    private func ofContext(_ context: ValueContext, _ argument: Value, _ machine: inout Machine) -> Value? {
        switch method {
        case .containsKey: return .boolean(machine.juelString(argument, at: span).map { context[$0] != nil } ?? false)
        case .isEmpty: return .boolean(context.isEmpty)
        case .size: return .number(Number(context.count))
        case .get: return machine.juelProperty(argument, of: .context(context), at: span)
        default: return nil
        }
    }

    private func ofText(_ text: String, _ first: Value, _ second: Value, _ machine: inout Machine) -> Value? {
        guard machine.spend(text.utf8.count / 256, at: span) else { return .null }
        switch method {
        case .length: return .number(Number(text.utf16.count))
        case .isEmpty: return .boolean(text.isEmpty)
        case .toUpperCase: return .string(text.uppercased())
        case .toLowerCase: return .string(text.lowercased())
        case .trim: return .string(trimmed(text))
        case .toString: return .string(text)
        case .substring: return substring(Array(text.utf16), first, second, &machine)
        case .size, .get, .containsKey: return nil
        default: break
        }
        guard let argument = machine.juelString(first, at: span),
            machine.spendSearching(for: argument, in: text, at: span)
        else { return .null }
        switch method {
        case .contains: return .boolean(text.firstOffset(of: argument) != nil)
        case .startsWith: return .boolean(text.utf8.starts(with: argument.utf8))
        case .endsWith: return .boolean(text.utf8.suffix(argument.utf8.count).elementsEqual(argument.utf8))
        case .equals: return .boolean(!first.isNull && text == argument)
        case .equalsIgnoreCase: return .boolean(!first.isNull && text.lowercased() == argument.lowercased())
        case .indexOf: return position(text.firstOffset(of: argument), in: text)
        case .lastIndexOf: return position(lastOffset(of: argument, in: text), in: text)
        case .concat: return joined([text, argument], &machine)
        case .replace: return replaced(text, argument, second, &machine)
        case .matches, .split: return matched(Array(text.unicodeScalars), argument, &machine)
        default: return nil
        }
    }
}
