import Values

/// Reads FEEL source text into syntax (DMN 1.5, clause 10.3.1.2).
///
/// Names may contain spaces and even operators, so where a name ends depends on what names there are. The parser takes,
/// in this order: the longest name it knows (variables bound in the expression, names given to it, built-in functions);
/// otherwise as many words in a row as are no keywords, because two words in a row mean nothing else.
struct Parser {
    /// The deepest nesting accepted; bounds the stack of parser, compiler and evaluator.
    static let depthMax = 200
    /// The longest chain of operators, paths, filters and invocations accepted along one branch.
    static let chainMax = 500
    /// The longest source accepted, in bytes.
    static let lengthMax = 128 << 10

    var lexer: Lexer
    var token: Token
    /// The end of the token before `token`.
    var lastEnd = 0
    var depth = 0
    var chain = 0
    /// How many ranges are open whose upper end is being read.
    var rangeDepth = 0
    var names: NameTable

    init(_ source: String, knownNames: [String], entryNames: [String] = []) throws(FEELError) {
        lexer = Lexer(source)
        token = Token(kind: .end, start: 0, end: 0)
        names = NameTable(knownNames, entryNames: entryNames)
        guard lexer.bytes.count <= Self.lengthMax else {
            throw FEELError(
                .tooComplex,
                "The expression is \(lexer.bytes.count) bytes long; at most \(Self.lengthMax) are accepted",
                at: 0, in: lexer.bytes, remedy: "Split the expression, or pass the data as a variable")
        }
        try advance()
    }

    /// Parses the whole source as one expression.
    ///
    /// - Parameters:
    ///   - knownNames: The names of variables and functions.
    ///   - entryNames: The names of entries that contexts may have, which follow a `.`.
    static func expression(
        _ source: String, knownNames: [String] = [], entryNames: [String] = []
    ) throws(FEELError) -> Syntax {
        var parser = try Parser(source, knownNames: knownNames, entryNames: entryNames)
        let result = try parser.parseExpression()
        try parser.expectEnd()
        return result
    }

    /// Parses the whole source as unary tests, as in a cell of a decision table.
    static func unaryTests(
        _ source: String, knownNames: [String] = [], entryNames: [String] = []
    ) throws(FEELError) -> Syntax {
        var parser = try Parser(source, knownNames: knownNames, entryNames: entryNames)
        let result = try parser.parseUnaryTests()
        try parser.expectEnd()
        return result
    }

    // MARK: Tokens

    mutating func advance() throws(FEELError) {
        lastEnd = token.end
        token = try lexer.next()
    }

    /// Goes back to where `token` began.
    mutating func restore(_ token: Token, lastEnd: Int) {
        self.token = token
        self.lastEnd = lastEnd
        lexer.position = token.end
    }

    func isKeyword(_ word: StaticString) -> Bool {
        guard token.kind == .word, token.end - token.start == word.utf8CodeUnitCount else { return false }
        return word.withUTF8Buffer { lexer.bytes[token.start..<token.end].elementsEqual($0) }
    }

    mutating func takeKeyword(_ word: StaticString) throws(FEELError) -> Bool {
        guard isKeyword(word) else { return false }
        try advance()
        return true
    }

    mutating func expectKeyword(_ word: StaticString, after context: String) throws(FEELError) {
        guard try takeKeyword(word) else { throw unexpected("'\(word)' after \(context)") }
    }

    mutating func take(_ kind: Token.Kind) throws(FEELError) -> Bool {
        guard token.kind == kind else { return false }
        try advance()
        return true
    }

    mutating func expect(_ kind: Token.Kind, _ context: String) throws(FEELError) {
        guard try take(kind) else { throw unexpected("\(kind.spelled) \(context)") }
    }

    private func expectEnd() throws(FEELError) {
        guard token.kind == .end else { throw unexpected("an operator or the end of the expression") }
    }

    /// What stands at the current token, for an error message.
    var found: String {
        token.kind == .end ? token.kind.spelled : "'\(lexer.text(token.start, min(token.end, token.start + 40)))'"
    }

    func unexpected(_ expected: String, remedy: String? = nil) -> FEELError {
        lexer.error("Expected \(expected) but found \(found)", at: token.start, remedy: remedy ?? likelyRemedy)
    }

    /// Advice for the operators of other languages.
    private var likelyRemedy: String? {
        switch token.kind {
        case .equal where token.start > 0 && lexer.bytes[token.start - 1] == UInt8(ascii: "="):
            "FEEL compares with a single '='"
        case .word where isKeyword("else"): "'if' needs a 'then' and an 'else' part"
        default: nil
        }
    }

    /// A part that reaches from `start` to the last token taken.
    ///
    /// `mutating`, so that a part parsed in the argument is parsed before `lastEnd` is read.
    mutating func syntax(_ kind: Syntax.Kind, from start: Int) -> Syntax {
        Syntax(kind: kind, span: SourceSpan(start, lastEnd))
    }

    mutating func enter() throws(FEELError) {
        depth += 1
        guard depth <= Self.depthMax else { throw tooDeep("nested deeper than \(Self.depthMax) levels") }
    }

    /// Counts one more operator in a chain: it makes the tree deeper, but not the parser's stack.
    private mutating func extendChain() throws(FEELError) {
        chain += 1
        guard chain <= Self.chainMax else { throw tooDeep("a chain of more than \(Self.chainMax) operators") }
    }

    private func tooDeep(_ what: String) -> FEELError {
        FEELError(
            .tooComplex, "The expression is \(what)", at: token.start, in: lexer.bytes,
            remedy: "Give parts of the expression a name, or use a list with 'in', 'some' or 'sum'")
    }

    // MARK: Operators

    mutating func parseExpression() throws(FEELError) -> Syntax {
        try parseBinary(minimum: 1)
    }

    /// Precedence climbing over operators that bind at least as tightly as `minimum`.
    ///
    /// - Parameter primary: The beginning of the expression, when it has been read already.
    mutating func parseBinary(minimum: Int, continuing primary: Syntax? = nil) throws(FEELError) -> Syntax {
        try enter()
        let chainBefore = chain
        defer {
            depth -= 1
            chain = chainBefore
        }
        let start = primary.map { Int($0.span.start) } ?? token.start
        var left = try parseUnary(continuing: primary)
        while true {
            if let binary = currentOperator, binary.precedence >= minimum {
                try extendChain()
                try advance()
                let right = try parseBinary(minimum: binary.precedence + 1)
                left = syntax(.binary(binary, left, right), from: start)
            } else if minimum <= 3, isKeyword("between") {
                try extendChain()
                try advance()
                let low = try parseBinary(minimum: 4)
                try expectKeyword("and", after: "the lower end of 'between'")
                let high = try parseBinary(minimum: 4)
                left = syntax(.between(left, low: low, high: high), from: start)
            } else if minimum <= 3, isKeyword("in") {
                try extendChain()
                try advance()
                left = syntax(.membership(left, try parseMembershipTests()), from: start)
            } else {
                return left
            }
        }
    }

    private var currentOperator: BinaryOperator? {
        if token.kind == .word {
            return isKeyword("and") ? .and : isKeyword("or") ? .or : nil
        }
        return BinaryOperator(token.kind)
    }

    private mutating func parseUnary(continuing primary: Syntax? = nil) throws(FEELError) -> Syntax {
        let start = primary.map { Int($0.span.start) } ?? token.start
        var operand = try parseNegation(continuing: primary)
        while isKeyword("instance") {
            try extendChain()
            try advance()
            try expectKeyword("of", after: "'instance'")
            operand = syntax(.instance(operand, try parseType()), from: start)
        }
        return operand
    }

    private mutating func parseNegation(continuing primary: Syntax?) throws(FEELError) -> Syntax {
        let start = token.start
        guard primary == nil, try take(.minus) else { return try parsePostfix(continuing: primary) }
        try enter()
        defer { depth -= 1 }
        return syntax(.negation(try parseNegation(continuing: nil)), from: start)
    }

    /// Paths, filters and invocations.
    private mutating func parsePostfix(continuing primary: Syntax?) throws(FEELError) -> Syntax {
        let start = primary.map { Int($0.span.start) } ?? token.start
        var base: Syntax
        if let primary { base = primary } else { base = try parsePrimary() }
        while true {
            switch token.kind {
            case .dot:
                try extendChain()
                try advance()
                guard token.kind == .word else { throw unexpected("a name after '.'") }
                base = syntax(.path(base, try parsePathName()), from: start)
            case .leftBracket where !closesRange():
                try extendChain()
                try advance()
                names.pushElement()
                let condition = try parseExpression()
                names.pop()
                try expect(.rightBracket, "at the end of the filter")
                base = syntax(.filter(base, condition), from: start)
            case .leftParenthesis:
                try extendChain()
                let arguments = try parseArguments()
                base = syntax(.invocation(base, arguments), from: start)
            default:
                return base
            }
        }
    }

    /// Whether the current `[` closes a half-open range such as `]1..10[` rather than opening a filter: no expression
    /// can begin behind it.
    private func closesRange() -> Bool {
        guard rangeDepth > 0 else { return false }
        var ahead = lexer
        guard let next = try? ahead.next() else { return true }
        switch next.kind {
        case .number, .string, .temporal, .leftParenthesis, .leftBracket, .leftBrace, .minus, .rightBracket:
            return false
        case .word:
            let word = ahead.text(next)
            return Keyword.isReserved(word) && !Keyword.startsExpression(word)
        default: return true
        }
    }
}
