import Decisions
import Testing
import Values

@testable import HubDocuments

@Suite struct MappingReaderTests {
    private enum Colour: String, CaseIterable { case red, green }

    private static func reader(_ text: String) throws -> MappingReader {
        let log = DiagnosticLog(file: "test.yaml")
        return MappingReader(try #require(YAMLDocument.parse(text, log: log)), log: log)
    }

    @Test func goodValuesAreReadWithoutComment() throws {
        let reader = try Self.reader(
            """
            text: x
            name: a.b-c/d_1
            word: green
            flag: true
            count: 3
            share: 0.5
            wait: 1h30m
            size: 64KiB
            bytes: 12
            list: [1, 2]
            texts: [a, b]
            one: a
            formula: "=1 + 2"
            nothing: ~
            inner: { x: 1 }
            """)
        #expect(reader.string("text") == "x")
        #expect(reader.requiredName("name") == "a.b-c/d_1")
        #expect(reader.word("word", Colour.self) == .green)
        #expect(reader.boolean("flag") == true)
        #expect(reader.integer("count", in: 0...3) == 3)
        #expect(reader.number("share", in: 0...1) == 0.5)
        #expect(reader.duration("wait", in: .zero...(.seconds(86_400))) == .seconds(5_400))
        #expect(reader.byteCount("size", in: 0...100_000) == 65_536)
        #expect(reader.byteCount("bytes", in: 0...100) == 12)
        #expect(reader.list("list").map(\.value) == [1, 2])
        #expect(reader.strings("texts") == ["a", "b"])
        #expect(reader.strings("one") == ["a"])
        #expect(reader.expression("formula")?.constant == 3)
        #expect(reader.string("nothing") == nil)
        #expect(reader.list("absent").isEmpty)
        let inner = try #require(reader.mapping("inner"))
        #expect(inner.path(of: "x") == "inner.x")
        #expect(inner.integer("x", in: 1...1) == 1)
        inner.finish()
        reader.finish()
        #expect(reader.log.diagnostics == [])
    }

    @Test(
        arguments: [
            ("text: 3", "Expected \"text\" to be text but found the number 3.", "Quote it if it is meant as text."),
            (
                "name: a b",
                "Expected \"name\" to be a name of ASCII letters, digits, dots, dashes and slashes but found the text \"a b\".",
                nil
            ),
            (
                "word: gren", "Expected \"word\" to be one of red, green but found the text \"gren\".",
                "Did you mean \"green\"?"
            ),
            ("word: 1", "Expected \"word\" to be one of red, green but found the number 1.", nil),
            ("flag: yes", "Expected \"flag\" to be true or false but found the text \"yes\".", nil),
            ("count: 4", "Expected \"count\" to be a whole number from 0 to 3 but found the number 4.", nil),
            ("count: 1.5", "Expected \"count\" to be a whole number from 0 to 3 but found the number 1.5.", nil),
            ("share: 2", "Expected \"share\" to be a number from 0.0 to 1.0 but found the number 2.", nil),
            (
                "wait: 5", "Expected \"wait\" to be a duration from 0 to 1h but found the number 5.",
                "Write a number with ms, s, m, h or d, such as 500ms, 1h30m or 7d."
            ),
            (
                "wait: 2h", "Expected \"wait\" to be a duration from 0 to 1h but found the text \"2h\".",
                "Write a number with ms, s, m, h or d, such as 500ms, 1h30m or 7d."
            ),
            (
                "size: big", "Expected \"size\" to be from 0 to 10 bytes but found the text \"big\".",
                "Write a whole number, with KiB, MiB or GiB when it is large."
            ),
            (
                "size: true", "Expected \"size\" to be from 0 to 10 bytes but found true.",
                "Write a whole number, with KiB, MiB or GiB when it is large."
            ),
            ("list: {}", "Expected \"list\" to be a list but found a mapping.", nil),
            ("texts: [1]", "Expected \"texts\" to be a list of texts but found the number 1.", nil),
            (
                "formula: 1+2", "Expected \"formula\" to be a FEEL expression but found the text \"1+2\".",
                "Write text that begins with =, such as \"=data.id\"."
            ),
            ("inner: 1", "Expected \"inner\" to be a mapping but found the number 1.", nil),
            ("txet: x", "Unknown key \"txet\".", "Did you mean \"text\"?"),
            (
                "zzzzzzzz: x", "Unknown key \"zzzzzzzz\".",
                "Possible here: count, flag, formula, inner, list, name, share, size, text, texts, wait, word."
            ),
        ] as [(String, String, String?)])
    func wrongValuesSayWhatWasExpected(_ row: (text: String, message: String, remedy: String?)) throws {
        let reader = try Self.reader(row.text)
        _ = reader.string("text")
        if reader.node("name") != nil { _ = reader.requiredName("name") }
        _ = reader.word("word", Colour.self)
        _ = reader.boolean("flag")
        _ = reader.integer("count", in: 0...3)
        _ = reader.number("share", in: 0...1)
        _ = reader.duration("wait", in: .zero...(.seconds(3_600)))
        _ = reader.byteCount("size", in: 0...10)
        _ = reader.list("list")
        _ = reader.strings("texts")
        _ = reader.expression("formula")
        _ = reader.mapping("inner")
        reader.finish()
        let found = reader.log.diagnostics
        #expect(found.map(\.message) == [row.message])
        #expect(found.first?.remedy == row.remedy)
        #expect(found.first?.line == 1)
        #expect(found.first?.file == "test.yaml")
    }

    @Test func missingAndUnsupportedKeysAreReported() throws {
        let reader = try Self.reader("later: 1\nwrong: \"=1 +\"\n")
        #expect(reader.requiredString("id", example: "id: x") == nil)
        #expect(reader.requiredMapping("inner") == nil)
        #expect(reader.requiredName("name") == nil)
        reader.refuse("later", "comes later.", remedy: "Remove it.")
        reader.refuse("absent", "comes later.", remedy: "Remove it.")
        #expect(reader.expression("wrong") == nil)
        reader.finish()
        #expect(reader.log.diagnostics.map(\.code) == ["HB106", "HB106", "HB106", "HB109", "HB108"])
        #expect(reader.log.diagnostics.first?.remedy == "Add it, for example: id: x")
        #expect(!reader.log.isAcceptable)
    }

    @Test func findingsOfOtherReadersGetFileAndPlace() {
        let log = DiagnosticLog(file: "a.yaml")
        log.add(
            [
                Diagnostic(code: "X", severity: .warning, message: "m"),
                Diagnostic(code: "Y", severity: .info, message: "n", file: "b.yaml", line: 7),
            ], at: DocumentPosition(line: 2, column: 3))
        log.warning(.contradiction, "w")
        #expect(log.isAcceptable)
        #expect(
            log.diagnostics.map(\.description) == [
                "a.yaml:2:3: warning X: m", "b.yaml:7: info Y: n", "a.yaml: warning HB110: w",
            ])
    }
}
