import Values

/// A built-in function (DMN 1.5, clause 10.3.4).
struct Builtin: Sendable {
    typealias Body = @Sendable (Arguments, inout Machine) throws(Mistake) -> Value

    /// The parameters of one way to invoke the function.
    struct Signature: Sendable {
        let parameters: [String]
        /// How many of them must be given.
        let required: Int
        /// Whether the last takes any number of arguments.
        let isVariadic: Bool

        /// - Parameter text: Names separated by commas; `?` ends an optional one, `...` one that takes many.
        init(_ text: String) {
            let names = text.split(separator: ",").map { $0.drop { $0 == " " } }
            required = names.count { !$0.hasSuffix("?") }
            isVariadic = names.last?.hasSuffix("...") ?? false
            parameters = names.map { name in
                String(name.hasSuffix("...") ? name.dropLast(3) : name.hasSuffix("?") ? name.dropLast() : name)
            }
        }
    }

    let name: String
    let signatures: [Signature]
    /// Whether the result depends on the arguments alone.
    let isPure: Bool
    /// Whether the result can hold its arguments more than once.
    let buildsCollections: Bool
    let body: Body

    init(
        _ name: String, _ signatures: String..., isPure: Bool = true, buildsCollections: Bool = false,
        body: @escaping Body
    ) {
        self.name = name
        self.signatures = signatures.map { Signature($0) }
        self.isPure = isPure
        self.buildsCollections = buildsCollections
        self.body = body
    }

    /// All of them.
    static let all: [Builtin] =
        conversionFunctions + stringFunctions + patternFunctions + listFunctions + listBuilding + numberFunctions
        + aggregateFunctions + booleanFunctions + contextFunctions + temporalFunctions + rangeFunctions

    private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })
    private static let functions = byName.mapValues { builtin in
        FunctionValue(
            name: builtin.name, parameterNames: builtin.signatures[0].parameters,
            payload: FunctionBody(.builtin(builtin)))
    }

    static func named(_ name: String) -> Builtin? { byName[name] }

    /// The function as a value; always the same one.
    var function: FunctionValue {
        guard let function = Self.functions[name] else { fatalError("\(name) is not among all built-in functions") }
        return function
    }

    func accepts(_ count: Int) -> Bool {
        signatures.contains { count >= $0.required && ($0.isVariadic || count <= $0.parameters.count) }
    }

    /// How many arguments it takes, for a message: `1 argument`, `2 to 4 arguments`, `1 or 3 arguments`.
    var arityText: String {
        let counts = Set(signatures.flatMap { Array($0.required...$0.parameters.count) }).sorted()
        let (least, most) = (counts[0], counts[counts.count - 1])
        let noun = most == 1 ? "argument" : "arguments"
        if signatures.contains(where: \.isVariadic) { return "at least \(least) \(noun)" }
        if least == most { return "\(least) \(noun)" }
        if most - least == counts.count - 1 { return "\(least) to \(most) \(noun)" }
        return counts.dropLast().map(String.init).joined(separator: ", ") + " or \(most) \(noun)"
    }

    /// For each parameter the position of the argument given by its name; nil when no signature fits the names.
    func order(of names: [String]) -> [Int?]? {
        for signature in signatures {
            let order = signature.parameters.map { names.firstIndex(of: $0) }
            let given = order.count { $0 != nil }
            let needed = signature.isVariadic ? signature.parameters.count : signature.required
            guard given == names.count, order.prefix(needed).allSatisfy({ $0 != nil }) else { continue }
            return Array(order.prefix((order.lastIndex { $0 != nil } ?? -1) + 1))
        }
        return nil
    }

    /// What is wrong with arguments given by these names.
    func mismatch(names: [String]) -> String {
        let expected = signatures.map { "(" + $0.parameters.joined(separator: ", ") + ")" }.joined(separator: " or ")
        return "'\(name)' takes \(expected) but is given (\(names.joined(separator: ", ")))"
    }
}

/// Why a built-in function has no result.
struct Mistake: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

/// The arguments of a built-in function, read with FEEL's implicit conversions: a list of one stands for its element,
/// and a single value for a list of it.
struct Arguments {
    private let values: [Value]
    private let builtin: Builtin
    let span: SourceSpan
    /// The regular expression among the arguments, when it is constant and was compiled with the expression.
    let compiledPattern: Pattern?

    init(_ values: [Value], of builtin: Builtin, span: SourceSpan, compiledPattern: Pattern?) {
        self.values = values
        self.builtin = builtin
        self.span = span
        self.compiledPattern = compiledPattern
    }

    var count: Int { values.count }

    /// The argument at `index`, null when it was left out.
    subscript(index: Int) -> Value { index < values.count ? values[index] : .null }

    /// Whether the argument was left out or is null.
    func isMissing(_ index: Int) -> Bool { self[index].isNull }

    /// The argument unless it is a list of one, which stands for its element.
    private func single(_ index: Int) -> Value {
        if case .list(let elements) = self[index], elements.count == 1 { return elements[0] }
        return self[index]
    }

    func expected(_ type: String, _ index: Int) -> Mistake {
        let parameters = builtin.signatures.first { $0.parameters.count > index }?.parameters
        let name = parameters.map { "'\($0[index])'" } ?? "\(index + 1)"
        return Mistake("'\(builtin.name)' expects a \(type) as argument \(name) but found a \(self[index].typeName)")
    }

    /// That a list needs an element.
    var empty: Mistake { Mistake("'\(builtin.name)' of an empty list has no result") }

    func string(_ index: Int) throws(Mistake) -> String {
        guard case .string(let text) = single(index) else { throw expected("string", index) }
        return text
    }

    func optionalString(_ index: Int) throws(Mistake) -> String? {
        isMissing(index) ? nil : try string(index)
    }

    func number(_ index: Int) throws(Mistake) -> Number {
        guard case .number(let number) = single(index) else { throw expected("number", index) }
        return number
    }

    /// A number with its fraction cut off.
    func integer(_ index: Int) throws(Mistake) -> Int {
        let whole = try number(index).rounded(scale: 0, mode: .down)
        guard let integer = whole.int64 else { throw Mistake("'\(builtin.name)' cannot use the number \(whole)") }
        return Int(integer)
    }

    func boolean(_ index: Int) throws(Mistake) -> Bool {
        guard case .boolean(let flag) = single(index) else { throw expected("boolean", index) }
        return flag
    }

    /// A list; a single value is a list of one.
    ///
    /// Null is no list.
    func list(_ index: Int) throws(Mistake) -> [Value] {
        switch self[index] {
        case .list(let elements): return elements
        case .null: throw expected("list", index)
        case let value: return [value]
        }
    }

    /// The elements of the one list given, or all arguments.
    func elements() throws(Mistake) -> [Value] {
        values.count == 1 ? try list(0) : values
    }

    func context(_ index: Int) throws(Mistake) -> ValueContext {
        guard case .context(let context) = single(index) else { throw expected("context", index) }
        return context
    }

    func function(_ index: Int) throws(Mistake) -> FunctionValue {
        guard case .function(let function) = self[index] else { throw expected("function", index) }
        return function
    }

    /// A date, also of a date and time.
    func date(_ index: Int) throws(Mistake) -> CalendarDate {
        switch single(index) {
        case .date(let date): return date
        case .dateTime(let moment): return moment.date
        default: throw expected("date", index)
        }
    }

    /// Takes steps for work on `count` elements.
    func spend(_ count: Int, _ machine: inout Machine) throws(Mistake) {
        guard machine.spend(count, at: span) else { throw Mistake("'\(builtin.name)' was stopped") }
    }

    /// A string result, unless it is too long.
    func result(_ text: String, _ machine: inout Machine) -> Value {
        machine.admitsString(text.utf8.count, at: span) ? .string(text) : .null
    }
}
