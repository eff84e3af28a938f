import Testing
import Values

@testable import Decisions

@Suite struct SyntaxTests {
    @Test(arguments: [
        ("", 0, "Expected an expression but found the end of the expression"), ("1 +", 3, "Expected an expression"),
        ("1 2", 2, "Expected an operator or the end of the expression but found '2'"),
        ("(1", 2, "Expected ')' at the end of the parentheses"), ("[1, 2", 5, "Expected ']' at the end of the list"),
        ("{a 1}", 4, "Expected ':'"), ("{a: 1", 5, "Expected '}' at the end of the context"),
        ("{1: 2}", 1, "Expected a name"),
        ("{a: 1, a: 2}", 7, "The context has two entries named 'a'"),
        ("xs[1", 4, "Expected ']' at the end of the filter"),
        ("a.(b)", 2, "Expected a name after '.'"), ("a.", 2, "Expected a name after '.'"),
        ("f(1", 3, "Expected ')' after the arguments"),
        ("abs(n: 1, 2)", 10, "Expected 'name: value', because the first argument is named"),
        ("abs(n: 1, n: 2)", 10, "The argument 'n' is given twice"), ("abs(n: 1", 8, "Expected ')' after the arguments"),
        ("if a 1", 5, "Expected 'then' after the condition of 'if'"), ("if a then 1", 11, "Expected 'else' after"),
        ("for x xs return x", 17, "Expected 'in' after the iteration variable"),
        ("for 1 in xs return x", 4, "Expected the name of an"),
        ("for x in xs x", 13, "Expected 'return' after the iterators"),
        ("some x in xs", 12, "Expected 'satisfies' after"),
        ("every x in xs return x", 14, "Expected 'satisfies' after the iterators of 'every'"),
        ("function(1) x", 9, "Expected the name of a parameter"),
        ("function(x x", 12, "Expected ')' after the parameters"),
        ("a between 1", 11, "Expected 'and' after the lower end"),
        ("a in (1, 2", 10, "Expected ')' after the tests of 'in'"),
        ("a instance number", 11, "Expected 'of' after 'instance'"), ("a instance of 1", 14, "Expected a type"),
        ("a instance of list<number", 25, "Expected '>' at the end of the type"),
        ("a instance of context<b number>", 30, "Expected ':' after the key"),
        ("a instance of context<b: number", 31, "Expected '>' at the end of the type"),
        ("a instance of function<number -> a", 30, "Expected '>' after the parameter types"),
        ("a instance of function<number> a", 31, "Expected '->' before the result type"),
        ("a instance of b.(c)", 16, "Expected a name after '.'"),
        ("[1..2", 5, "Expected ']', ')' or '[' at the end of the range"),
        ("]1]", 2, "Expected '..' after the lower end of the range"), ("(< 5", 4, "Expected ')' after the range"),
        ("\"abc", 0, "Expected '\"' at the end of the string"), ("@\"abc", 0, "Expected '\"' at the end of the string"),
        ("@abc", 1, "Expected '\"' after '@' but found 'a'"), ("@", 1, "but found the end of the expression"),
        ("@\"abc\"", 0, "Expected a date, time, date and time or duration after '@' but found \"abc\""),
        ("1 /* c", 2, "Expected '*/' at the end of the comment"), ("a # b", 2, "Expected an expression but found '#'"),
        ("a ! b", 2, "Expected an expression but found '!'"),
        ("\"\\u12\"", 1, "Expected 4 hexadecimal digits after '\\u'"),
        ("\"\\U12\"", 1, "Expected 6 hexadecimal digits"), ("\"\\uD800\"", 1, "Expected a Unicode character"),
        ("\"\\uD800\\u0041\"", 1, "Expected a Unicode character"), ("\"\\UFFFFFF\"", 1, "Expected a Unicode character"),
        ("\"\\uzzzz\"", 1, "hexadecimal"), ("1e9999", 0, "The number '1e9999' cannot be represented"),
        ("then", 0, "Expected an expression"),
        ("a and or b", 6, "Expected an expression but found 'or'"), ("x = = 1", 4, "Expected an expression"),
        (")", 0, "Expected an expression"),
        ("a 'b", 2, "Expected an operator"),
    ])
    func wrongTextIsRefusedWhereItGoesWrong(_ row: (text: String, offset: Int, message: String)) throws {
        let error = #expect(throws: FEELError.self) { try Expression.compile(row.text) }
        let found = try #require(error)
        #expect(found.message.contains(row.message))
        #expect(found.offset == row.offset)
        #expect(found.code == .syntax)
    }

    @Test(arguments: [
        ("concatenat([1])", FEELError.Code.unknownFunction, "Did you mean 'concatenate'?"),
        ("zzzzzz(1)", .unknownFunction, "Define it in a context before it is used"),
        ("discont(1)", .unknownFunction, "Did you mean 'discount'?"),
        ("function(x) external {java: {}}", .unsupported, "Write the body in FEEL"),
        ("(!= 5)", .unsupported, "not(… = …)"), ("a == b", .syntax, "FEEL compares with a single '='"),
        ("(a) else b", .syntax, "'if' needs a 'then'"),
    ])
    func errorsComeWithARemedy(_ row: (text: String, code: FEELError.Code, remedy: String)) throws {
        let error = #expect(throws: FEELError.self) { try Expression.compile(row.text, knownNames: ["discount"]) }
        let found = try #require(error)
        #expect(found.code == row.code)
        #expect(found.remedy?.contains(row.remedy) == true)
    }

    @Test func errorsAreLocatedInLinesAndColumns() throws {
        let error = #expect(throws: FEELError.self) { try Expression.compile("1 +\n  \"é\" + §") }
        let found = try #require(error)
        #expect((found.offset, found.line, found.column) == (13, 2, 9))
        #expect(found.description == "2:9: error FEEL-SYNTAX: Expected an expression but found '§'")
        let diagnostic = found.diagnostic(file: "a.bpmn", elementID: "flow")
        #expect(diagnostic.code == "FEEL-SYNTAX")
        #expect(diagnostic.severity == .error)
        #expect(diagnostic.elementID == "flow")
        #expect(diagnostic.message.hasSuffix("(line 2, column 9)"))
    }

    @Test func remediesArePartOfTheDescription() throws {
        let error = #expect(throws: FEELError.self) { try Expression.compile("a == b") }
        #expect(try #require(error).description.hasSuffix("— FEEL compares with a single '='"))
    }

    // MARK: Names

    @Test(arguments: [
        ("monthly income * 12", [], ["monthly income"]), ("a-b + 1", ["a-b"], ["a-b"]), ("a-b + 1", [], ["a", "b"]),
        ("profit and loss + 1", ["profit and loss"], ["profit and loss"]), ("item 2 > 1", ["item 2"], ["item 2"]),
        ("net  \n amount", ["net amount"], ["net amount"]), ("a+b*c", ["a+b"], ["a+b", "c"]),
        ("a+bc", ["a+b"], ["a", "bc"]),
        ("order.net-value", ["net-value"], ["order"]), ("date and time + 1", ["date and time"], ["date and time"]),
        ("date + 1", [], ["date"]), ("for a b in c d return a b + e f", [], ["c d", "e f"]),
        ("count + item", [], ["count", "item"]),
        ("xs[item > limit]", [], ["xs", "limit"]), ("xs[price > 1]", [], ["xs", "price"]),
        ("{a: 1, b: a + c}", [], ["c"]),
        ("function(x) x + y", [], ["y"]), ("a + a + b", [], ["a", "b"]),
        ("some x in xs satisfies x > y", [], ["xs", "y"]),
        ("für + größe", [], ["für", "größe"]), ("🐎 + _x1", [], ["🐎", "_x1"]),
        ("Decision 2.1", ["Decision 2", "Decision 2.1"], ["Decision 2.1"]),
        ("day of week(d)", [], ["d"]), ("function", [], ["function"]),
        ("order date.year", [], ["order date"]), ("not done", [], ["not done"]), ("it's", ["it's"], ["it's"]),
        ("if x + 1", ["if x"], ["if x"]),
    ])
    func namesReachAsFarAsTheyAreKnown(_ row: (text: String, known: [String], names: [String])) throws {
        #expect(try Expression.compile(row.text, knownNames: row.known).variableNames == row.names)
    }

    @Test(
        arguments: [
            ("profit and loss + 1", ["profit and loss": 2], 3), ("order.net-value + 1", ["order": ["net-value": 2]], 3),
            ("monthly income * 2", ["monthly income": 3], 6), ("date + 1", ["date": 1], 2),
            ("date and time + 1", ["date and time": 1], 2), ("item 2 + 1", ["item 2": 1], 2),
        ] as [(String, [String: Value], Value)])
    func namesWithOperatorsAndKeywordsAreRead(_ row: (text: String, variables: [String: Value], expected: Value)) throws
    {
        let known = ["profit and loss", "net-value", "date and time", "item 2"]
        #expect(try evaluate(row.text, row.variables, knownNames: known).value == row.expected)
    }

    // MARK: Bounds

    @Test func nestingIsBounded() throws {
        for (open, close) in [
            ("(", ")"), ("[", "]"), ("{a: ", "}"), ("-", ""), ("not(", ")"), ("if a then b else ", ""),
            ("x in (", ")"), ("1 in (1, ", ")"), ("xs[", "]"), ("for x in ", " return x"), ("function(x) ", ""),
        ] {
            let deep = String(repeating: open, count: 5_000) + "1" + String(repeating: close, count: 5_000)
            let error = #expect(throws: FEELError.self) { try Expression.compile(deep) }
            #expect(try #require(error).code == .tooComplex, "for \(open)")
            let shallow = String(repeating: open, count: 40) + "1" + String(repeating: close, count: 40)
            #expect(throws: Never.self, "for \(open)") { try Expression.compile(shallow) }
        }
        let type = "x instance of " + String(repeating: "list<", count: 5_000)
        #expect(throws: FEELError.self) { try Expression.compile(type) }
    }

    @Test func longChainsAreBoundedToo() throws {
        for link in [" + 1", " and true", ".a", "[1]", "(1)", " between 1 and 2", " in 1", " instance of number"] {
            let long = "a" + String(repeating: link, count: 450)
            #expect(throws: Never.self, "for \(link)") { try Expression.compile(long, knownNames: ["a"]) }
            let tooLong = "a" + String(repeating: link, count: 2_000)
            let error = #expect(throws: FEELError.self) { try Expression.compile(tooLong, knownNames: ["a"]) }
            #expect(try #require(error).code == .tooComplex, "for \(link)")
        }
        let sum = "1" + String(repeating: " + 1", count: 450)
        try check(Row(sum, 451))
    }

    @Test func theSourceIsBounded() throws {
        let long = "\"" + String(repeating: "x", count: Parser.lengthMax) + "\""
        let error = #expect(throws: FEELError.self) { try Expression.compile(long) }
        #expect(try #require(error).code == .tooComplex)
    }
}
