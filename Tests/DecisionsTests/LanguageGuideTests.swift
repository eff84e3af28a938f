import Decisions
import Foundation
import Testing
import Values

/// The examples of docs/guides/languages.md are so.
@Suite struct LanguageGuideTests {
    private static let guide = URL(filePath: #filePath).deletingLastPathComponent().appending(
        path: "../../docs/guides/languages.md")

    /// The text of the fenced blocks of a language.
    private static func blocks(_ language: String) throws -> [String] {
        try String(contentsOf: guide, encoding: .utf8).components(separatedBy: "\n```\(language)\n").dropFirst().map {
            $0.components(separatedBy: "\n```")[0]
        }
    }

    @Test(arguments: [("juel", 14), ("xpath", 14), ("feel", 6)])
    func examplesHaveTheValuesTheyClaim(_ row: (language: String, count: Int)) throws {
        let data = try JSON.parse(try #require(Self.blocks("json").first))
        let scope = MapScope(try #require(data.asContext))
        let language = try #require(LanguageRegistry.lenient.expressionLanguage(row.language))
        let examples = try Self.blocks(row.language).flatMap { $0.split(separator: "\n") }
        #expect(examples.count == row.count)
        for example in examples {
            let parts = example.components(separatedBy: " → ")
            try #require(parts.count == 2, "\(example)")
            let source = parts[0].trimmingCharacters(in: .whitespaces)
            #expect(try language.compile(source).evaluateValue(scope) == JSON.parse(parts[1]), "\(example)")
        }
    }

    @Test func methodsAreListed() throws {
        let text = try String(contentsOf: Self.guide, encoding: .utf8)
        let error = #expect(throws: FEELError.self) { try JUELLanguage().compile("${a.b.nothing()}") }
        let methods = try #require(error?.remedy?.components(separatedBy: "are ").last).components(separatedBy: ", ")
        #expect(methods.count > 15)
        for method in methods { #expect(text.contains("`\(method)`"), "\(method)") }
    }
}
