/// Reads an executable document (GraphQL specification of October 2021, section 2).
///
/// Pure; nesting and length are bounded.
struct GraphQLParser {
    /// How deep selections, types and values may nest.
    static let depthMax = 100
    /// How many tokens a document may have.
    static let tokensMax = 100_000

    private typealias Token = GraphQLLexer.Token

    private var lexer: GraphQLLexer
    private var token = Token.end
    private var line = 1
    private var depth = 0
    private var tokens = 0

    init(_ text: String) throws(GraphQLSyntaxError) {
        self.lexer = GraphQLLexer(text)
        try self.advance()
    }

    /// The whole document.
    mutating func document() throws(GraphQLSyntaxError) -> ([GraphQLDocument.Operation], [String]) {
        var operations: [GraphQLDocument.Operation] = []
        var fragments: [String] = []
        while self.token != .end {
            switch self.token {
            case .punctuator("{"): operations.append(try self.shorthand())
            case .name("fragment"): fragments.append(try self.fragment())
            case .name(let word):
                guard let kind = GraphQLDocument.Kind(rawValue: word) else {
                    throw self.expected("query, mutation, subscription, fragment or {")
                }
                operations.append(try self.operation(kind))
            default: throw self.expected("query, mutation, subscription, fragment or {")
            }
        }
        guard !operations.isEmpty else { throw self.expected("an operation") }
        let names = operations.compactMap(\.name)
        if operations.count > 1, names.count < operations.count {
            throw GraphQLSyntaxError(line: 1, reason: "an operation without a name must be the only one")
        }
        guard Set(names).count == names.count, Set(fragments).count == fragments.count else {
            throw GraphQLSyntaxError(line: 1, reason: "two operations or two fragments have the same name")
        }
        return (operations, fragments)
    }

    // MARK: - Tokens

    private mutating func advance() throws(GraphQLSyntaxError) {
        self.tokens += 1
        guard self.tokens <= Self.tokensMax else {
            throw GraphQLSyntaxError(line: self.line, reason: "more than \(Self.tokensMax) tokens")
        }
        self.token = try self.lexer.next()
        self.line = self.lexer.line
    }

    private func expected(_ what: String) -> GraphQLSyntaxError {
        GraphQLSyntaxError(line: self.line, reason: "expected \(what) but found \(self.token.text)")
    }

    private mutating func accept(_ punctuator: String) throws(GraphQLSyntaxError) -> Bool {
        guard self.token == .punctuator(punctuator) else { return false }
        try self.advance()
        return true
    }

    private mutating func require(_ punctuator: String) throws(GraphQLSyntaxError) {
        guard try self.accept(punctuator) else { throw self.expected("\"\(punctuator)\"") }
    }

    private mutating func name(_ what: String) throws(GraphQLSyntaxError) -> String {
        guard case .name(let name) = self.token else { throw self.expected(what) }
        try self.advance()
        return name
    }

    private mutating func descend() throws(GraphQLSyntaxError) {
        self.depth += 1
        guard self.depth <= Self.depthMax else {
            throw GraphQLSyntaxError(line: self.line, reason: "nested deeper than \(Self.depthMax)")
        }
    }

    // MARK: - Definitions

    private mutating func shorthand() throws(GraphQLSyntaxError) -> GraphQLDocument.Operation {
        GraphQLDocument.Operation(kind: .query, rootFields: try self.selectionSet())
    }

    private mutating func operation(
        _ kind: GraphQLDocument.Kind
    ) throws(GraphQLSyntaxError) -> GraphQLDocument.Operation {
        try self.advance()
        var operation = GraphQLDocument.Operation(kind: kind)
        if case .name(let name) = self.token {
            operation.name = name
            try self.advance()
        }
        if try self.accept("(") {
            repeat { operation.variables.append(try self.variable()) } while try !self.accept(")")
            let names = operation.variables.map(\.name)
            guard Set(names).count == names.count else {
                throw GraphQLSyntaxError(line: self.line, reason: "two variables have the same name")
            }
        }
        try self.directives(isConstant: false)
        operation.rootFields = try self.selectionSet()
        return operation
    }

    private mutating func variable() throws(GraphQLSyntaxError) -> GraphQLDocument.Variable {
        try self.require("$")
        let name = try self.name("the name of a variable")
        try self.require(":")
        var variable = GraphQLDocument.Variable(name: name, type: try self.type())
        if try self.accept("=") {
            variable.hasDefault = true
            try self.value(isConstant: true)
        }
        try self.directives(isConstant: true)
        return variable
    }

    private mutating func type() throws(GraphQLSyntaxError) -> GraphQLDocument.TypeReference {
        try self.descend()
        defer { self.depth -= 1 }
        var type: GraphQLDocument.TypeReference
        if try self.accept("[") {
            type = .list(try self.type())
            try self.require("]")
        } else {
            type = .named(try self.name("a type"))
        }
        if try self.accept("!") { type = .nonNull(type) }
        return type
    }

    private mutating func fragment() throws(GraphQLSyntaxError) -> String {
        try self.advance()
        let name = try self.name("the name of a fragment")
        guard name != "on" else {
            throw GraphQLSyntaxError(line: self.line, reason: "a fragment cannot be called \"on\"")
        }
        guard self.token == .name("on") else { throw self.expected("\"on\"") }
        try self.advance()
        _ = try self.name("a type")
        try self.directives(isConstant: false)
        _ = try self.selectionSet()
        return name
    }

    // MARK: - Selections

    /// The names of the fields, without those of fragments.
    private mutating func selectionSet() throws(GraphQLSyntaxError) -> [String] {
        try self.descend()
        defer { self.depth -= 1 }
        try self.require("{")
        var fields: [String] = []
        repeat {
            if try self.accept("...") {
                try self.spread()
            } else {
                fields.append(try self.field())
            }
        } while try !self.accept("}")
        return fields
    }

    private mutating func field() throws(GraphQLSyntaxError) -> String {
        var name = try self.name("a field")
        if try self.accept(":") { name = try self.name("a field") }
        if try self.accept("(") {
            repeat {
                _ = try self.name("an argument")
                try self.require(":")
                try self.value(isConstant: false)
            } while try !self.accept(")")
        }
        try self.directives(isConstant: false)
        if self.token == .punctuator("{") { _ = try self.selectionSet() }
        return name
    }

    /// What follows three dots.
    private mutating func spread() throws(GraphQLSyntaxError) {
        if case .name(let name) = self.token, name != "on" {
            try self.advance()
            return try self.directives(isConstant: false)
        }
        if self.token == .name("on") {
            try self.advance()
            _ = try self.name("a type")
        }
        try self.directives(isConstant: false)
        _ = try self.selectionSet()
    }

    private mutating func directives(isConstant: Bool) throws(GraphQLSyntaxError) {
        while try self.accept("@") {
            _ = try self.name("a directive")
            guard try self.accept("(") else { continue }
            repeat {
                _ = try self.name("an argument")
                try self.require(":")
                try self.value(isConstant: isConstant)
            } while try !self.accept(")")
        }
    }

    private mutating func value(isConstant: Bool) throws(GraphQLSyntaxError) {
        try self.descend()
        defer { self.depth -= 1 }
        switch self.token {
        case .number, .string, .name: try self.advance()
        case .punctuator("$"):
            guard !isConstant else { throw self.expected("a constant") }
            try self.advance()
            _ = try self.name("the name of a variable")
        case .punctuator("["):
            try self.advance()
            while try !self.accept("]") { try self.value(isConstant: isConstant) }
        case .punctuator("{"):
            try self.advance()
            while try !self.accept("}") {
                _ = try self.name("a field")
                try self.require(":")
                try self.value(isConstant: isConstant)
            }
        default: throw self.expected("a value")
        }
    }
}
