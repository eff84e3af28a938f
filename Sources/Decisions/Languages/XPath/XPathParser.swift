import Values

/// Reads XPath 1.0.
struct XPathParser {
    static let dialect = ForeignLexer.Dialect(
        syntax: .xpathSyntax, unsupported: .xpathUnsupported, tooComplex: .xpathTooComplex,
        symbols: ":: // .. <= >= != $ @ / | + - = < > ( ) [ ] , . * :", hasEscapes: false, hasXMLNames: true)
    /// How deep parentheses, predicates and calls may be nested.
    static let depthMax = 200
    /// How many operators, steps and arguments an expression may have, which bounds its depth as well.
    static let operationsMax = 1_000

    private(set) var variableNames: [String] = []
    private var lexer: ForeignLexer
    private var token: ForeignLexer.Token
    private var depth = 0
    private var operations = 0
    /// How many predicates are around; outside of them only variables are there to begin a path.
    private var predicateDepth = 0

    init(_ source: String) throws(FEELError) {
        lexer = try ForeignLexer(source, Self.dialect)
        token = try lexer.next()
    }

    /// The whole expression.
    mutating func parse() throws(FEELError) -> XPathSyntax {
        let syntax = try parseExpression()
        guard token.kind == .end else { throw unexpected("an operator or the end of the expression") }
        return syntax
    }

    // MARK: Operators

    private mutating func parseExpression() throws(FEELError) -> XPathSyntax {
        try enter()
        defer { depth -= 1 }
        return try parseBinary(minimum: 0)
    }

    private mutating func parseBinary(minimum: Int) throws(FEELError) -> XPathSyntax {
        var left = try parseSigned(minimum: minimum)
        while let found = operation, found.precedence >= minimum {
            try count()
            try advance()
            left = .binary(found, left, try parseBinary(minimum: found.precedence + 1))
        }
        return left
    }

    private var operation: XPathOperator? {
        token.kind == .symbol || token.kind == .name ? XPathOperator(rawValue: token.text) : nil
    }

    private mutating func parseSigned(minimum: Int) throws(FEELError) -> XPathSyntax {
        var isNegative = false
        var hasSign = false
        while minimum <= XPathOperator.signPrecedence, token.isSymbol("-") {
            try count()
            try advance()
            isNegative.toggle()
            hasSign = true
        }
        guard hasSign else { return try parsePath() }
        let operand = try parseBinary(minimum: XPathOperator.signPrecedence)
        return isNegative ? .negation(operand) : .negation(.negation(operand))
    }

    // MARK: Paths

    /// A path from a variable, a call or an expression in parentheses, or from the context node.
    private mutating func parsePath() throws(FEELError) -> XPathSyntax {
        if var start = try parsePrimary() {
            let predicates = try parsePredicates()
            if !predicates.isEmpty { start = .filter(start, predicates) }
            let steps = try parseSteps()
            return steps.isEmpty ? start : .path(start, steps)
        }
        if token.isSymbol("/") || token.isSymbol("//") || predicateDepth == 0 { return try parseVariablePath() }
        var steps = [try parseStep()]
        steps += try parseSteps()
        return .path(nil, steps)
    }

    /// A path whose first name is that of a variable.
    private mutating func parseVariablePath() throws(FEELError) -> XPathSyntax {
        let start = token
        if token.isSymbol("/") { try advance() }
        guard !token.isSymbol("//") else { throw noVariable(start) }
        let (axis, test) = try parseAxisAndTest()
        guard case .named(let name) = test, axis == .child else { throw noVariable(start) }
        if name == "true" || name == "false", start.kind == .name, !token.isSymbol("["), !token.isSymbol("/") {
            // No variable has such a name, so the author means the value.
            return .call(name == "true" ? .isTrue : .isFalse, [])
        }
        let first = variable(name)
        let predicates = try parsePredicates()
        let steps = try parseSteps()
        let base = predicates.isEmpty ? first : .filter(first, predicates)
        return steps.isEmpty ? base : .path(base, steps)
    }

    private func noVariable(_ start: ForeignLexer.Token) -> FEELError {
        unsupported(
            "A path must begin with the name of a variable but begins with \(start.spelled)", at: start,
            remedy: "Begin with $name; there is no document around the variables")
    }

    /// `/step//step…`, if there is any.
    private mutating func parseSteps() throws(FEELError) -> [XPathStep] {
        var steps: [XPathStep] = []
        while token.isSymbol("/") || token.isSymbol("//") {
            if token.text == "//" { steps.append(XPathStep(axis: .descendantOrSelf, test: .node)) }
            try advance()
            steps.append(try parseStep())
        }
        return steps
    }

    private mutating func parseStep() throws(FEELError) -> XPathStep {
        let (axis, test) = try parseAxisAndTest()
        return XPathStep(axis: axis, test: test, predicates: try parsePredicates())
    }

    private mutating func parseAxisAndTest() throws(FEELError) -> (XPathAxis, XPathTest) {
        try count()
        if token.isSymbol(".") || token.isSymbol("..") {
            let axis = token.text == "." ? XPathAxis.itself : .parent
            try advance()
            if token.isSymbol("[") { throw unexpected("'/' or an operator") }
            return (axis, .node)
        }
        var axis = XPathAxis.child
        if token.isSymbol("@") {
            axis = .attribute
            try advance()
        } else if token.kind == .name, isAhead("::") {
            guard let named = XPathAxis(rawValue: token.text) else {
                throw unsupported(
                    "The axis '\(token.text)' is not supported", at: token,
                    remedy: "Use child, attribute, self, parent, descendant or descendant-or-self")
            }
            axis = named
            try advance()
            try advance()
        }
        return (axis, try parseTest())
    }

    private mutating func parseTest() throws(FEELError) -> XPathTest {
        if token.isSymbol("*") {
            try advance()
            return .anyName
        }
        guard token.kind == .name else { throw unexpected("a value, a variable or the name of an element") }
        let name = try parseName()
        if name.isEmpty { return .anyName }
        guard token.isSymbol("(") else { return .named(name) }
        guard name == "text" || name == "node" else {
            throw unsupported("The test '\(name)()' is not supported", at: token, remedy: "Use text() or node()")
        }
        try advance()
        try take(")")
        return name == "text" ? .text : .node
    }

    /// A name without its prefix; empty for `prefix:*`.
    private mutating func parseName() throws(FEELError) -> String {
        let first = token
        guard first.kind == .name else { throw unexpected("a name") }
        try advance()
        guard token.isSymbol(":"), token.start == first.end else { return first.text }
        try advance()
        let local = token
        guard local.kind == .name || local.isSymbol("*") else { throw unexpected("a name") }
        try advance()
        return local.kind == .name ? local.text : ""
    }

    private mutating func parsePredicates() throws(FEELError) -> [XPathSyntax] {
        var predicates: [XPathSyntax] = []
        while token.isSymbol("[") {
            try count()
            try advance()
            predicateDepth += 1
            predicates.append(try parseExpression())
            predicateDepth -= 1
            try take("]")
        }
        return predicates
    }

    // MARK: Values

    /// A variable, value, call or expression in parentheses; nil when a step begins here.
    private mutating func parsePrimary() throws(FEELError) -> XPathSyntax? {
        let found = token
        switch found.kind {
        case .string:
            try advance()
            return .text(found.text)
        case .number:
            guard let number = Number(found.text.hasSuffix(".") ? found.text + "0" : found.text) else {
                throw lexer.error(.syntax, "The number \(found.text) is out of range", at: found.start, remedy: nil)
            }
            try advance()
            return .number(number)
        case .symbol where found.text == "$":
            try advance()
            return variable(try parseName())
        case .symbol where found.text == "(":
            try advance()
            let inner = try parseExpression()
            try take(")")
            return inner
        case .name: return try parseCall()
        default: return nil
        }
    }

    private mutating func variable(_ name: String) -> XPathSyntax {
        if !variableNames.contains(name) { variableNames.append(name) }
        return .variable(name)
    }

    /// A call, if a name with a parenthesis is here that is no test of a node.
    private mutating func parseCall() throws(FEELError) -> XPathSyntax? {
        let (before, start) = (lexer, token)
        let name = try parseName()
        let isTest = ["text", "node", "comment", "processing-instruction"].contains(name)
        guard token.isSymbol("("), !isTest else {
            (lexer, token) = (before, start)
            return nil
        }
        if XPathFunction.readers.contains(name) { return try parseReader(name) }
        guard let function = XPathFunction(rawValue: name) else {
            throw unsupported(
                "There is no function '\(name)'", at: start,
                remedy: "Use the core functions of XPath 1.0 or getVariable('name'), or write the expression in FEEL")
        }
        let arguments = try parseArguments()
        guard function.arity.contains(arguments.count) else {
            throw lexer.error(
                .syntax, "'\(name)' does not take \(arguments.count) arguments", at: start.start, remedy: nil)
        }
        return .call(function, arguments)
    }

    /// `getVariable('x')` and its kin: the last argument is the name.
    private mutating func parseReader(_ function: String) throws(FEELError) -> XPathSyntax {
        let open = token
        let arguments = try parseArguments()
        guard arguments.count == 1 || arguments.count == 2, case .text(let name)? = arguments.last else {
            throw unsupported(
                "'\(function)' expects the name of a variable in quotes", at: open,
                remedy: "Write the name itself, so that Junction knows which variables the expression reads")
        }
        return variable(name)
    }

    private mutating func parseArguments() throws(FEELError) -> [XPathSyntax] {
        try advance()
        var arguments: [XPathSyntax] = []
        while !token.isSymbol(")") {
            if !arguments.isEmpty { try take(",") }
            try count()
            arguments.append(try parseExpression())
        }
        try advance()
        return arguments
    }

    // MARK: Tokens and errors

    private mutating func advance() throws(FEELError) { token = try lexer.next() }

    private func isAhead(_ symbol: String) -> Bool {
        var ahead = lexer
        return (try? ahead.next())?.isSymbol(symbol) ?? false
    }

    private mutating func take(_ symbol: String) throws(FEELError) {
        guard token.isSymbol(symbol) else { throw unexpected("'\(symbol)'") }
        try advance()
    }

    private mutating func enter() throws(FEELError) {
        depth += 1
        guard depth <= Self.depthMax else { throw tooComplex("is nested deeper than \(Self.depthMax) levels") }
    }

    private mutating func count() throws(FEELError) {
        operations += 1
        guard operations <= Self.operationsMax else {
            throw tooComplex("has more than \(Self.operationsMax) operations")
        }
    }

    private func tooComplex(_ what: String) -> FEELError {
        lexer.error(
            .tooComplex, "The expression \(what)", at: token.start, remedy: "Split it into several mappings")
    }

    private func unsupported(_ message: String, at token: ForeignLexer.Token, remedy: String) -> FEELError {
        lexer.error(.unsupported, message, at: token.start, remedy: remedy)
    }

    private func unexpected(_ expected: String) -> FEELError {
        lexer.error(.syntax, "Expected \(expected) but found \(token.spelled)", at: token.start, remedy: nil)
    }
}
