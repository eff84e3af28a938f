import Values

extension Parser {
    /// Literals, names, parentheses, lists, contexts, ranges, `if`, `for`, `some`, `every` and `function`.
    mutating func parsePrimary() throws(FEELError) -> Syntax {
        let start = token.start
        switch token.kind {
        case .number: return try parseNumber()
        case .string:
            let text = try lexer.stringContents(token)
            try advance()
            return syntax(.literal(.string(text)), from: start)
        case .temporal: return try parseTemporal()
        case .word: return try parseWord()
        case .leftParenthesis: return try parseParentheses()
        case .leftBracket: return try parseBrackets()
        case .rightBracket:
            try advance()
            let lower = try parseRangeEnd()
            return try parseRangeTail(from: start, includesLower: false, lower: lower)
        case .leftBrace: return try parseContext()
        default: throw unexpected("an expression")
        }
    }

    private mutating func parseNumber() throws(FEELError) -> Syntax {
        let start = token.start
        guard let number = Number(lexer.text(token)) else {
            throw lexer.error("The number \(found) cannot be represented", at: start, remedy: "Use at most 34 digits")
        }
        try advance()
        return syntax(.literal(.number(number)), from: start)
    }

    private mutating func parseTemporal() throws(FEELError) -> Syntax {
        let start = token.start
        let text = try lexer.stringContents(token)
        guard let value = TemporalText.value(text) else {
            throw lexer.error(
                "Expected a date, time, date and time or duration after '@' but found \"\(text)\"", at: start,
                remedy: "Write for example @\"2026-01-31\", @\"10:30:00\", @\"2026-01-31T10:30:00Z\" or @\"P1DT2H\"")
        }
        try advance()
        return syntax(.literal(value), from: start)
    }

    private mutating func parseWord() throws(FEELError) -> Syntax {
        let start = token.start
        if let name = try takeKnownName() { return syntax(.name(name), from: start) }
        if token.end - token.start == 1, lexer.bytes[token.start] == UInt8(ascii: "?") {
            try advance()
            return syntax(.input, from: start)
        }
        let word = lexer.text(token)
        switch word {
        case "true", "false":
            try advance()
            return syntax(.literal(.boolean(word == "true")), from: start)
        case "null":
            try advance()
            return syntax(.literal(.null), from: start)
        case "if": return try parseConditional()
        case "for": return try parseIteration()
        case "some", "every": return try parseQuantified(every: word == "every")
        case "function":
            if let function = try parseFunction() { return function }
        default:
            if Keyword.isReserved(word) { throw unexpected("an expression") }
        }
        return syntax(.name(try takeName()), from: start)
    }

    private mutating func parseConditional() throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        let condition = try parseExpression()
        try expectKeyword("then", after: "the condition of 'if'")
        let consequence = try parseExpression()
        try expectKeyword("else", after: "the 'then' part of 'if'")
        let alternative = try parseExpression()
        return syntax(.conditional(condition, then: consequence, otherwise: alternative), from: start)
    }

    private mutating func parseIteration() throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        let iterators = try parseIterators()
        defer { for _ in iterators { names.pop() } }
        try expectKeyword("return", after: "the iterators of 'for'")
        names.push(["partial"])
        defer { names.pop() }
        return syntax(.iteration(iterators, result: try parseExpression()), from: start)
    }

    private mutating func parseQuantified(every: Bool) throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        let iterators = try parseIterators()
        defer { for _ in iterators { names.pop() } }
        try expectKeyword("satisfies", after: "the iterators of '\(every ? "every" : "some")'")
        return syntax(.quantified(every: every, iterators, condition: try parseExpression()), from: start)
    }

    /// The iterators, whose names stay bound: the caller pops one frame for each.
    private mutating func parseIterators() throws(FEELError) -> [IteratorSyntax] {
        var iterators: [IteratorSyntax] = []
        repeat {
            guard token.kind == .word else { throw unexpected("the name of an iteration variable") }
            let name = try takeBindingName()
            try expectKeyword("in", after: "the iteration variable '\(name)'")
            let source = try parseExpression()
            let last = try take(.dots) ? try parseExpression() : nil
            iterators.append(IteratorSyntax(name: name, source: source, last: last))
            names.push([name])
        } while try take(.comma)
        return iterators
    }

    /// `function(a, b: type) body`; nil when `function` is an ordinary name here.
    private mutating func parseFunction() throws(FEELError) -> Syntax? {
        let (first, start, end) = (token, token.start, lastEnd)
        try advance()
        guard token.kind == .leftParenthesis else {
            restore(first, lastEnd: end)
            return nil
        }
        try advance()
        var parameters: [ParameterSyntax] = []
        if token.kind != .rightParenthesis {
            repeat {
                guard token.kind == .word else { throw unexpected("the name of a parameter") }
                let name = try takeKey()
                let type = try take(.colon) ? try parseType() : nil
                parameters.append(ParameterSyntax(name: name, type: type))
            } while try take(.comma)
        }
        try expect(.rightParenthesis, "after the parameters")
        if isKeyword("external") {
            throw FEELError(
                .unsupported, "External functions are not supported", at: token.start, in: lexer.bytes,
                remedy: "Write the body in FEEL, or call the service from a service task")
        }
        names.push(parameters.map(\.name))
        defer { names.pop() }
        return syntax(.function(parameters, body: try parseExpression()), from: start)
    }

    // MARK: Brackets

    /// `(expression)`, `(low..high)` or `(< 5)`.
    private mutating func parseParentheses() throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        if let comparison = currentComparison {
            try advance()
            let end = try parseBinary(minimum: 4)
            try expect(.rightParenthesis, "after the range")
            return syntax(.comparison(comparison, end), from: start)
        }
        let rangesOutside = rangeDepth
        rangeDepth = 0
        defer { rangeDepth = rangesOutside }
        let inner = try parseExpression()
        if token.kind == .dots { return try parseRangeTail(from: start, includesLower: false, lower: inner) }
        try expect(.rightParenthesis, "at the end of the parentheses")
        return Syntax(kind: inner.kind, span: SourceSpan(start, lastEnd))
    }

    /// `[a, b]` or `[low..high]`.
    private mutating func parseBrackets() throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        let rangesOutside = rangeDepth
        rangeDepth = 0
        defer { rangeDepth = rangesOutside }
        if try take(.rightBracket) { return syntax(.list([]), from: start) }
        var elements: [Syntax] = []
        repeat {
            elements.append(try parseListElement())
            if elements.count == 1, token.kind == .dots {
                return try parseRangeTail(from: start, includesLower: true, lower: elements[0])
            }
        } while try take(.comma)
        try expect(.rightBracket, "at the end of the list")
        return syntax(.list(elements), from: start)
    }

    /// An element of a list; `< 5` among them is a range, as in `[< 5, > 10]`.
    private mutating func parseListElement() throws(FEELError) -> Syntax {
        guard let comparison = currentComparison else { return try parseExpression() }
        let start = token.start
        try advance()
        return syntax(.comparison(comparison, try parseBinary(minimum: 4)), from: start)
    }

    private mutating func parseRangeEnd() throws(FEELError) -> Syntax {
        rangeDepth += 1
        defer { rangeDepth -= 1 }
        return try parseBinary(minimum: 4)
    }

    /// What follows the lower end of a range.
    mutating func parseRangeTail(from start: Int, includesLower: Bool, lower: Syntax) throws(FEELError) -> Syntax {
        try expect(.dots, "after the lower end of the range")
        let upper = try parseRangeEnd()
        let includesUpper = token.kind == .rightBracket
        guard includesUpper || token.kind == .rightParenthesis || token.kind == .leftBracket else {
            throw unexpected("']', ')' or '[' at the end of the range")
        }
        try advance()
        let range = RangeSyntax(includesLower: includesLower, lower: lower, upper: upper, includesUpper: includesUpper)
        return syntax(.range(range), from: start)
    }

    private mutating func parseContext() throws(FEELError) -> Syntax {
        let start = token.start
        try advance()
        let rangesOutside = rangeDepth
        rangeDepth = 0
        names.push([])
        defer {
            names.pop()
            rangeDepth = rangesOutside
        }
        var entries: [EntrySyntax] = []
        var keys: Set<String> = []
        guard token.kind != .rightBrace else {
            try advance()
            return syntax(.context([]), from: start)
        }
        repeat {
            let offset = token.start
            let key = token.kind == .string ? try takeStringKey() : try takeKey()
            guard keys.insert(key).inserted else {
                throw lexer.error(
                    "The context has two entries named '\(key)'", at: offset, remedy: "Rename one of them")
            }
            try expect(.colon, "after the key '\(key)'")
            entries.append(EntrySyntax(key: key, value: try parseExpression()))
            names.bind(key)
        } while try take(.comma)
        try expect(.rightBrace, "at the end of the context")
        return syntax(.context(entries), from: start)
    }

    private mutating func takeStringKey() throws(FEELError) -> String {
        let key = try lexer.stringContents(token)
        try advance()
        return key
    }

    // MARK: Invocation

    mutating func parseArguments() throws(FEELError) -> ArgumentsSyntax {
        try advance()
        let rangesOutside = rangeDepth
        rangeDepth = 0
        defer { rangeDepth = rangesOutside }
        if try take(.rightParenthesis) { return .positional([]) }
        if let name = try takeArgumentName() { return try parseNamedArguments(first: name) }
        var values: [Syntax] = []
        repeat { values.append(try parseListElement()) } while try take(.comma)
        try expect(.rightParenthesis, "after the arguments")
        return .positional(values)
    }

    private mutating func parseNamedArguments(first: String) throws(FEELError) -> ArgumentsSyntax {
        var arguments = [(name: first, value: try parseListElement())]
        while try take(.comma) {
            let offset = token.start
            guard let name = try takeArgumentName() else {
                throw unexpected("'name: value', because the first argument is named")
            }
            guard !arguments.contains(where: { $0.name == name }) else {
                throw lexer.error("The argument '\(name)' is given twice", at: offset, remedy: "Remove one of them")
            }
            arguments.append((name, try parseListElement()))
        }
        try expect(.rightParenthesis, "after the arguments")
        return .named(arguments)
    }

    /// `name:` at the current token, or nil without moving.
    private mutating func takeArgumentName() throws(FEELError) -> String? {
        guard token.kind == .word else { return nil }
        let (first, end) = (token, lastEnd)
        if let name = try? takeKey(), token.kind == .colon {
            try advance()
            return name
        }
        restore(first, lastEnd: end)
        return nil
    }

    /// The comparison operator at the current token.
    var currentComparison: BinaryOperator? {
        BinaryOperator(token.kind).flatMap { $0.isComparison ? $0 : nil }
    }
}
