import SQLSupport
import Testing
import Values

@Suite struct SQLTemplateTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var dialect: SQLTemplate.Dialect
        var text: String
        var names: [String]
        var testDescription: String { self.text }

        init(_ text: String, _ names: [String], _ dialect: SQLTemplate.Dialect = SQLTemplate.Dialect()) {
            self.dialect = dialect
            self.text = text
            self.names = names
        }
    }

    @Test(arguments: [
        Row("SELECT :a, :b, :a", ["a", "b", "a"]), Row("x = ':a' AND y = :b", ["b"]), Row("'it''s :a' :b", ["b"]),
        Row("\":a\" :b", ["b"]), Row("-- :a\n:b", ["b"]), Row("/* :a */ :b", ["b"]), Row("a::int :b", ["b"]),
        Row("x := :b", ["b"]), Row("a[1:2] :b", ["b"]), Row(":größe", ["größe"]), Row(": a", []), Row(":1", []),
        Row("/* /* */ :a */", ["a"]), Row("/* /* */ :a */ :b", ["b"], .postgreSQL),
        Row("$$ :a $$ :b", ["b"], .postgreSQL), Row("$x$ :a $$ $x$ :b", ["b"], .postgreSQL),
        Row("$1 :a $2", ["a"], .postgreSQL), Row("a$b$ :a", ["a"], .postgreSQL),
        Row("E'\\' :a' :b", ["b"], .postgreSQL),
        Row("'\\' :a", ["a"], .postgreSQL), Row("'\\' :a' :b", ["b"], .mariaDB), Row("`:a` :b", ["b"], .mariaDB),
        Row("# :a\n:b", ["b"], .mariaDB), Row("[:a] :b", ["b"], .sqlite),
    ])
    func namesAreFoundOnlyWhereTheyAreParameters(_ row: Row) throws {
        let template = try SQLTemplate(row.text, row.dialect)
        #expect(template.names == row.names)
        #expect(template.text { _, name in ":" + name } == row.text)
    }

    @Test func sameNameHasTheSameNumber() throws {
        let template = try SQLTemplate("f(:a, :b, :a)", .postgreSQL)
        #expect(template.numbered == "f($1, $2, $1)")
        #expect(template.questioned == "f(?, ?, ?)")
        #expect(template.distinctNames == ["a", "b"])
    }

    @Test(arguments: ["'a", "\"a", "/* a", "$$ a", "E'a\\'"])
    func whatIsNotClosedIsAnError(_ text: String) {
        #expect(throws: SQLTemplate.Unterminated.self) { try SQLTemplate("\n" + text, .postgreSQL) }
    }

    @Test(arguments: [
        ("SELECT (1)", true), ("SELECT ')'", true), ("SELECT 1) x (", false), ("SELECT 1;", false), ("((1)", false),
        ("SELECT ';' -- ;", true),
    ])
    func expressionsThatEscapeParenthesesAreFound(_ row: (text: String, isSingle: Bool)) throws {
        #expect(try SQLTemplate.isSingleExpression(row.text, .postgreSQL) == row.isSingle)
    }
}

@Suite struct SQLTextTests {
    @Test(arguments: [
        ("1", true), ("-0.50", true), ("1234567890123456789012345678901234", true),
        ("12345678901234567890123456789012345", false), ("0.00000000000000000000000000000000000001", true),
        ("1000000000000000000000000000000000000000", true), ("NaN", false), ("", false), ("1e5", true), (".5", true),
    ])
    func numbersAreTakenOnlyWhenNoDigitIsLost(_ row: (text: String, isNumber: Bool)) {
        #expect((SQLText.exactNumber(row.text) != nil) == row.isNumber)
    }

    @Test func namesAreQuoted() {
        #expect(SQLText.quotedPath("a.b\"c") == "\"a\".\"b\"\"c\"")
        #expect(SQLText.distinctNames(["a", "a", "a_2", "b"]) == ["a", "a_2", "a_2_2", "b"])
    }

    @Test(arguments: [
        (Double.nan, "NaN" as Value), (.infinity, "Infinity"), (-.infinity, "-Infinity"),
        (1.5, .number(Number("1.5") ?? 0)),
    ])
    func doublesThatAreNoNumbersAreTexts(_ row: (double: Double, value: Value)) {
        #expect(SQLText.double(row.double) == row.value)
    }
}
