import Values

extension Parser {
    /// `-`, `not(tests)` or tests joined by commas.
    mutating func parseUnaryTests() throws(FEELError) -> Syntax {
        let start = token.start
        if token.kind == .minus {
            let (first, end) = (token, lastEnd)
            try advance()
            if token.kind == .end { return syntax(.tests([], negated: false), from: start) }
            restore(first, lastEnd: end)
        }
        if isKeyword("not"), let negated = try parseNegatedTests() { return negated }
        return syntax(.tests(try parseTestList(), negated: false), from: start)
    }

    /// `not(tests)` as the whole of the unary tests; nil when more follows, as in `not(a) and b`.
    private mutating func parseNegatedTests() throws(FEELError) -> Syntax? {
        let (first, start, end) = (token, token.start, lastEnd)
        try advance()
        guard try take(.leftParenthesis) else {
            restore(first, lastEnd: end)
            return nil
        }
        let tests = try parseTestList()
        try expect(.rightParenthesis, "after the tests of 'not'")
        guard token.kind == .end else {
            restore(first, lastEnd: end)
            return nil
        }
        return syntax(.tests(tests, negated: true), from: start)
    }

    private mutating func parseTestList() throws(FEELError) -> [Syntax] {
        var tests: [Syntax] = []
        repeat { tests.append(try parseTest(minimum: 1)) } while try take(.comma)
        return tests
    }

    /// `< 5`, `= 5`, or an expression.
    private mutating func parseTest(minimum: Int) throws(FEELError) -> Syntax {
        guard let comparison = currentComparison else { return try parseBinary(minimum: minimum) }
        let start = token.start
        try advance()
        return syntax(.comparison(comparison, try parseBinary(minimum: 4)), from: start)
    }

    /// What follows `in`: one test, or several in parentheses.
    mutating func parseMembershipTests() throws(FEELError) -> [Syntax] {
        guard token.kind == .leftParenthesis else { return [try parseTest(minimum: 4)] }
        let start = token.start
        try advance()
        let rangesOutside = rangeDepth
        rangeDepth = 0
        var tests = [try parseTest(minimum: 1)]
        if token.kind == .dots {
            let range = try parseRangeTail(from: start, includesLower: false, lower: tests[0])
            rangeDepth = rangesOutside
            return [try parseBinary(minimum: 4, continuing: range)]
        }
        while try take(.comma) { tests.append(try parseTest(minimum: 1)) }
        rangeDepth = rangesOutside
        try expect(.rightParenthesis, "after the tests of 'in'")
        if tests.count == 1, !isComparison(tests[0]) {
            // Parentheses around an expression, which may go on: `x in (a)[1]`.
            let inner = Syntax(kind: tests[0].kind, span: SourceSpan(start, lastEnd))
            return [try parseBinary(minimum: 4, continuing: inner)]
        }
        return tests
    }

    private func isComparison(_ test: Syntax) -> Bool {
        if case .comparison = test.kind { true } else { false }
    }
}
