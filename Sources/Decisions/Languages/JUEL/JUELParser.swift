import Values

/// Reads JUEL text and makes nodes of it (Expression Language 2.2, clause 1.19).
struct JUELParser {
    static let dialect = ForeignLexer.Dialect(
        syntax: .juelSyntax, unsupported: .juelUnsupported, tooComplex: .juelTooComplex,
        symbols: "== != <= >= && || < > ! + - * / % ? : ( ) [ ] . , } { = & | ;", hasEscapes: true,
        hasXMLNames: false)
    /// How deep parentheses, calls and signs may be nested.
    static let depthMax = 200
    /// How many operations one text may have, which bounds the depth of the nodes as well.
    static let operationsMax = 1_000

    private(set) var variableNames: [String] = []
    private(set) var lexer: ForeignLexer
    private var token: ForeignLexer.Token
    private var depth = 0
    private var operations = 0

    init(_ source: String) throws(FEELError) {
        lexer = try ForeignLexer(source, Self.dialect)
        token = ForeignLexer.Token(kind: .end, text: "", start: 0, end: 0)
    }

    /// The whole text: one expression, or a string of texts and expressions.
    mutating func parse() throws(FEELError) -> Node {
        let bytes = lexer.bytes
        let span = SourceSpan(0, bytes.count)
        var (parts, text): ([Node], [UInt8]) = ([], [])
        var (position, textStart) = (0, 0)
        while position < bytes.count {
            let byte = bytes[position]
            let next = position + 1 < bytes.count ? bytes[position + 1] : 0
            let isMark = next == UInt8(ascii: "$") || next == UInt8(ascii: "#")
            if byte == UInt8(ascii: "\\"), isMark, position + 2 < bytes.count, bytes[position + 2] == UInt8(ascii: "{")
            {
                text.append(next)
                position += 2
            } else if byte == UInt8(ascii: "$") || byte == UInt8(ascii: "#"), next == UInt8(ascii: "{") {
                if !text.isEmpty { parts.append(literal(text, textStart, position)) }
                text = []
                parts.append(try parseMarked(at: position))
                position = lexer.position
                textStart = position
            } else {
                text.append(byte)
                position += 1
            }
        }
        let isBlank = text.allSatisfy { $0 <= 0x20 }
        if parts.count == 1 || parts.count == 2 && Self.isBlank(parts[0]), isBlank, let only = parts.last,
            !(only is JUELTextNode)
        {
            return only
        }
        if !text.isEmpty { parts.append(literal(text, textStart, bytes.count)) }
        let texts = parts.compactMap { ($0 as? JUELTextNode)?.text }
        if texts.count == parts.count { return ConstantNode(.string(texts.joined()), span) }
        return JUELCompositeNode(parts, span)
    }

    private func literal(_ text: [UInt8], _ start: Int, _ end: Int) -> Node {
        JUELTextNode(String(decoding: text, as: UTF8.self), SourceSpan(start, end))
    }

    private static func isBlank(_ node: Node) -> Bool {
        (node as? JUELTextNode)?.text.utf8.allSatisfy { $0 <= 0x20 } ?? false
    }

    /// `${…}` at `start`; the lexer ends behind the brace.
    private mutating func parseMarked(at start: Int) throws(FEELError) -> Node {
        lexer.position = start + 2
        try advance()
        try count()
        if token.isSymbol("}") {
            throw error("Expected an expression between the braces but found nothing", remedy: "Write ${name}")
        }
        let node = try parseExpression()
        guard token.isSymbol("}") else { throw unexpected("'}' or an operator") }
        return node
    }

    // MARK: Operators

    private mutating func parseExpression() throws(FEELError) -> Node {
        try enter()
        defer { depth -= 1 }
        let start = token.start
        let condition = try parseBinary(minimum: 0)
        guard token.isSymbol("?") else { return condition }
        try count()
        try advance()
        let consequence = try parseExpression()
        try take(":")
        let alternative = try parseExpression()
        return ConditionalNode(JUELTruthNode.of(condition), consequence, alternative, span(from: start))
    }

    /// Operands joined by operators that bind at least as tightly as `minimum`, which lean to the left.
    private mutating func parseBinary(minimum: Int) throws(FEELError) -> Node {
        let start = token.start
        var left = try parseUnary()
        while let found = JUELOperator(token), found.precedence >= minimum {
            try count()
            try advance()
            let right = try parseBinary(minimum: found.precedence + 1)
            left = found.node(left, right, span(from: start))
        }
        return left
    }

    private mutating func parseUnary() throws(FEELError) -> Node {
        try enter()
        defer { depth -= 1 }
        let start = token.start
        let isNot = token.isSymbol("!") || isWord("not")
        guard isNot || token.isSymbol("-") || isWord("empty") else { return try parseValue() }
        let isEmpty = isWord("empty")
        try count()
        try advance()
        let operand = try parseUnary()
        if isNot { return NotNode(JUELTruthNode.of(operand), span(from: start)) }
        if isEmpty { return JUELEmptyNode(operand, span(from: start)) }
        return JUELArithmeticNode(.subtract, ConstantNode(0, operand.span), operand, span(from: start))
    }

    // MARK: Values

    private mutating func parseValue() throws(FEELError) -> Node {
        let start = token.start
        var node = try parsePrimary()
        while true {
            if token.isSymbol(".") {
                try count()
                try advance()
                guard token.kind == .name else { throw unexpected("the name of a property") }
                let name = token
                try advance()
                if token.isSymbol("(") {
                    node = try parseMethod(name, of: node, start)
                } else {
                    node = JUELPropertyNode(
                        node, ConstantNode(.string(name.text), SourceSpan(name.start, name.end)), span(from: start))
                }
            } else if token.isSymbol("[") {
                try count()
                try advance()
                let key = try parseExpression()
                try take("]")
                node = JUELPropertyNode(node, key, span(from: start))
            } else {
                return node
            }
        }
    }

    private mutating func parsePrimary() throws(FEELError) -> Node {
        let found = token
        let span = SourceSpan(found.start, found.end)
        switch found.kind {
        case .string:
            try advance()
            return ConstantNode(.string(found.text), span)
        case .number:
            guard let number = Number(found.text.hasSuffix(".") ? found.text + "0" : found.text) else {
                throw error("The number \(found.text) is out of range", remedy: nil)
            }
            try advance()
            return ConstantNode(.number(number), span)
        case .symbol where found.text == "(":
            try advance()
            let node = try parseExpression()
            try take(")")
            return node
        case .name: return try parseName(found, span)
        default: throw unexpected("a value")
        }
    }

    private mutating func parseName(_ name: ForeignLexer.Token, _ span: SourceSpan) throws(FEELError) -> Node {
        if JUELOperator(name) != nil || name.text == "instanceof" { throw unexpected("a value") }
        try advance()
        switch name.text {
        case "true": return ConstantNode(true, span)
        case "false": return ConstantNode(false, span)
        case "null": return ConstantNode(.null, span)
        case "execution", "task", "variableScope":
            if token.isSymbol(".") || token.isSymbol("[") { return try parseExecution(name) }
        default: break
        }
        if token.isSymbol("(") { return try parseFunction(name) }
        if token.isSymbol(":"), isFunctionPrefix() { throw unknownFunction(name) }
        return variable(name.text, span)
    }

    /// Whether `prefix:name(` follows, which is a function of a library and no part of `a ? b : c`.
    private func isFunctionPrefix() -> Bool {
        var ahead = lexer
        guard ahead.position == token.end, ahead.position < ahead.bytes.count, ahead.bytes[ahead.position] > 0x20,
            let name = try? ahead.next(), name.kind == .name, ahead.position < ahead.bytes.count
        else { return false }
        return ahead.bytes[ahead.position] == UInt8(ascii: "(")
    }

    private mutating func variable(_ name: String, _ span: SourceSpan) -> Node {
        let alias = JUELNameNode.aliases[name]
        for name in [name, alias] {
            if let name, !variableNames.contains(name) { variableNames.append(name) }
        }
        let node = JUELNameNode(name, alias: alias, span)
        return name == "loopCounter" ? JUELLoopCounterNode(node) : node
    }

    private mutating func parseFunction(_ name: ForeignLexer.Token) throws(FEELError) -> Node {
        guard name.text == "now" else { throw unknownFunction(name) }
        try advance()
        try take(")")
        return JUELNowNode(span(from: name.start))
    }

    /// `execution.getVariable('x')` and `execution.hasVariable('x')`, the only use of the engine's own objects.
    private mutating func parseExecution(_ object: ForeignLexer.Token) throws(FEELError) -> Node {
        guard token.isSymbol(".") else { throw unsupportedMember("[…]", of: object) }
        try advance()
        let method = token
        guard method.kind == .name else { throw unexpected("the name of a method") }
        let isTest = method.text == "hasVariable"
        guard isTest || ["getVariable", "getVariableLocal"].contains(method.text) else {
            throw unsupportedMember(method.text, of: object)
        }
        try advance()
        try take("(")
        let name = token
        guard name.kind == .string else {
            throw lexer.error(
                .unsupported, "Expected the name of a variable in quotes but found \(name.spelled)", at: name.start,
                remedy: "Write the name itself, so that Junction knows which variables the expression reads")
        }
        try advance()
        try take(")")
        let node = variable(name.text, span(from: object.start))
        return isTest ? JUELHasVariableNode(name.text, node.span) : node
    }

    private mutating func parseMethod(
        _ name: ForeignLexer.Token, of base: Node, _ start: Int
    ) throws(FEELError) -> Node {
        guard let method = JUELMethod(rawValue: name.text) else { throw unknownMethod(name, of: base) }
        let arguments = try parseArguments()
        guard method.arity.contains(arguments.count) else {
            throw lexer.error(
                .syntax, "'\(name.text)' takes \(method.arityText) but \(arguments.count) are given", at: name.start,
                remedy: nil)
        }
        return try JUELMethodNode.make(method, base, arguments, span(from: start), self)
    }

    private mutating func parseArguments() throws(FEELError) -> [Node] {
        try advance()
        var arguments: [Node] = []
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

    /// Moves behind a symbol.
    private mutating func take(_ symbol: String) throws(FEELError) {
        guard token.isSymbol(symbol) else { throw unexpected("'\(symbol)'") }
        try advance()
    }

    private func isWord(_ word: String) -> Bool { token.kind == .name && token.text == word }

    private func span(from start: Int) -> SourceSpan { SourceSpan(start, max(start, token.start)) }

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

    func error(_ message: String, remedy: String?) -> FEELError {
        lexer.error(.syntax, message, at: token.start, remedy: remedy)
    }

    private func unexpected(_ expected: String) -> FEELError {
        let remedy =
            switch token.text {
            case "=" where token.kind == .symbol: "Equality is written == or eq"
            case "&", "|": "Logic is written && and ||, or in words"
            case "instanceof": "There are no Java types here; test the value itself"
            default: nil as String?
            }
        return error("Expected \(expected) but found \(token.spelled)", remedy: remedy)
    }
}
