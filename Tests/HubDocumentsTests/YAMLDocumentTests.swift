import Testing
import Values

@testable import HubDocuments

@Suite struct YAMLDocumentTests {
    private static func parse(_ text: String) -> (node: DocumentNode?, log: DiagnosticLog) {
        let log = DiagnosticLog(file: "test.yaml")
        return (YAMLDocument.parse(text, log: log), log)
    }

    @Test(
        arguments: [
            ("null", "~", Value.null), ("empty", "", .null), ("true", "True", true), ("false", "false", false),
            ("no is text", "no", "no"), ("on is text", "on", "on"), ("a time is text", "12:30", "12:30"),
            ("a date is text", "2026-11-24", "2026-11-24"), ("integer", "42", 42), ("negative", "-7", -7),
            ("leading plus", "+7", 7), ("leading zero is decimal", "010", 10), ("octal", "0o17", 15),
            ("hex", "0xFF", 255),
            ("not octal", "0o9", "0o9"), ("fraction", "0.10", .number(Number("0.1") ?? Number(0))),
            ("no whole part", ".5", .number(Number("0.5") ?? Number(0))), ("no fraction digits", "5.", 5),
            ("exponent", "1e3", 1_000), ("signed exponent", "12E-1", .number(Number("1.2") ?? Number(0))),
            ("minus alone", "-", "-"), ("dot alone", ".", "."), ("exponent without digits", "1e", "1e"),
            ("version", "1.2.3", "1.2.3"), ("quoted number is text", "'42'", "42"),
            ("quoted null is text", "\"null\"", "null"),
        ] as [(String, String, Value)])
    func scalarsFollowTheCoreSchema(_ row: (name: String, text: String, value: Value)) throws {
        let (node, log) = Self.parse("x: \(row.text)\n")
        if row.text == "-" || row.text == "." {
            #expect(CoreSchema.resolve(row.text) == .string(row.text))
        } else {
            #expect(node?.value["x"] == row.value, "\(row.name)")
            #expect(log.diagnostics == [])
        }
    }

    @Test(arguments: [
        ("tab indentation", "a:\n\tb: 1\n", "HB101 2:1"),
        ("unclosed list", "a: [1, 2\n", "HB101 2:1"),
        ("undefined alias", "a: *nowhere\n", "HB101 1:4"),
        ("two documents", "a: 1\n---\nb: 2\n", "HB103 2:1"),
        ("tag on a scalar", "a: !!int '3'\n", "HB103 1:4"),
        ("tag on plain text", "a: !!str x\n", "HB103 1:4"),
        ("local tag", "a: !secret x\n", "HB103 1:4"),
        ("tag on a mapping", "a: !!set {x, y}\n", "HB103 1:4"),
        ("tag on a list", "a: !!omap []\n", "HB103 1:4"),
        ("merge key", "base: &b { x: 1 }\na:\n  <<: *b\n", "HB103 3:3"),
        ("key that is a list", "? [a, b]\n: 1\n", "HB103 1:3"),
        ("duplicate key", "a: 1\nb: 2\na: 3\n", "HB104 1:1"),
        ("infinity", "a: -.inf\n", "HB107 1:4"),
        ("not a number", "a: .NaN\n", "HB107 1:4"),
        ("too many digits", "a: 12345678901234567890123456789012345678\n", "HB107 1:4"),
        ("hex too large", "a: 0xFFFFFFFFFFFFFFFFFF\n", "HB107 1:4"),
        ("control character", "a: \u{1}\n", "HB101 0:0"),
    ])
    func whatAnotherReaderCouldTakeDifferentlyIsRefused(_ row: (name: String, text: String, place: String)) {
        let (_, log) = Self.parse(row.text)
        #expect(places(log.diagnostics) == [row.place], "\(row.name): \(log.diagnostics)")
        #expect(!log.isAcceptable)
    }

    @Test func everyWrongScalarIsReported() {
        let (node, log) = Self.parse("a: .inf\nb: !x 1\nc: .nan\n")
        #expect(places(log.diagnostics) == ["HB107 1:4", "HB103 2:4", "HB107 3:4"])
        #expect(node != nil)
    }

    @Test func anEmptyTextIsAnEmptyMapping() {
        #expect(Self.parse("").node?.content == .mapping([]))
        #expect(Self.parse("# only a comment\n").node?.content == .mapping([]))
    }

    @Test func aliasesAreCopiesOfTheirAnchor() {
        let (node, log) = Self.parse("a: &x [1, 2]\nb: *x\n")
        #expect(node?.value["b"] == [1, 2])
        #expect(log.diagnostics == [])
    }

    @Test(arguments: [
        (
            "alias bomb",
            (0..<12).map { "a\($0): &a\($0) [\($0 == 0 ? "x" : "*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)")]" }
                .joined(separator: "\n")
        ),
        ("aliases as keys", "a: &a [x]\n" + (0..<30).map { "? *a\n: \($0)" }.joined(separator: "\n")),
        ("deep flow", String(repeating: "[", count: 300) + String(repeating: "]", count: 300)),
        ("deep block", (0..<80).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n") + " 1"),
        ("deep compact list", String(repeating: "- ", count: 100) + "x"),
        ("list as deep as the parser goes", String(repeating: "- ", count: 990) + "x"),
        ("large", "a: '" + String(repeating: "x", count: 1 << 20) + "'"),
        ("many nodes", "[" + String(repeating: "1,", count: 100_001) + "1]"),
    ])
    func documentsThatWouldExhaustMemoryAreRefused(_ row: (name: String, text: String)) {
        let (node, log) = Self.parse(row.text)
        #expect(node == nil, "\(row.name)")
        #expect(log.diagnostics.map(\.code) == ["HB102"], "\(row.name): \(log.diagnostics)")
    }

    @Test func messagesDoNotQuoteTheDocument() {
        let (_, log) = Self.parse("password: hunter2\npassword: hunter2\nx: [\n")
        #expect(!log.diagnostics.map(\.description).joined().contains("hunter2"))
    }

    @Test func nodesKnowTheirPlaceAndType() {
        let (node, _) = Self.parse("a:\n  - x\n  - {y: 1}\n  - ~\n  - true\n  - 2\n  - []\n")
        guard case .mapping(let entries)? = node?.content, case .list(let items)? = entries.first?.value.content else {
            Issue.record("expected a mapping with a list")
            return
        }
        #expect(items[1].position == DocumentPosition(line: 3, column: 5))
        #expect(
            items.map(\.summary) == [
                "the text \"x\"", "a mapping", "nothing", "true", "the number 2", "an empty list",
            ])
        #expect(entries[0].value.summary == "a list")
        #expect(node?.value == ["a": ["x", ["y": 1], .null, true, 2, []]])
    }
}
