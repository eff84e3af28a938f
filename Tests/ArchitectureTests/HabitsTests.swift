import Foundation
import Testing

/// What the project says about itself must be so.
@Suite struct HabitsTests {
    @Test func everyMakeTargetIsDocumentedAndPhony() throws {
        let makefile = try Repository.text("Makefile")
        let targets = makefile.matches(of: /(?m)^([a-z]+):(?!=)(.*)$/)
        let phony = try #require(makefile.firstMatch(of: /(?m)^\.PHONY:(.*)$/)).1.split(separator: " ")
        #expect(targets.count > 8)
        for target in targets {
            #expect(target.2.contains("## "), "make \(target.1) has no line in make help")
            #expect(phony.contains(target.1), "\(target.1)")
        }
    }

    @Test func readmeNamesOnlyMakeTargetsThatExist() throws {
        let targets = Set(try Repository.text("Makefile").matches(of: /(?m)^([a-z]+):/).map { String($0.1) })
        let named = Set(try Repository.text("README.md").matches(of: /\bmake ([a-z]+)(?=`|\n)/).map { String($0.1) })
        #expect(named.isSuperset(of: ["run", "test"]))
        #expect(named.subtracting(targets) == [])
    }

    @Test func errorCodesNameOneThingEach() throws {
        var places: [String: Set<String>] = [:]
        for folder in ["Sources", "Plugins"] {
            for file in try Repository.files(under: folder, endingIn: ".swift") {
                for code in try ErrorCode.declared(in: Repository.text(file)) {
                    places[code, default: []].insert(file)
                }
            }
        }
        #expect(!places.isEmpty)
        for (code, files) in places where files.count > 1 {
            Issue.record("\(code) is written out in \(files.sorted()); declare it in one place and use its name")
        }
    }

    @Test func everyErrorCodeHasAPageThatSaysWhatToDo() throws {
        for folder in ["Sources", "Plugins"] {
            for file in try Repository.files(under: folder, endingIn: ".swift") {
                for code in try ErrorCode.declared(in: Repository.text(file)) {
                    let page = try? Repository.text("docs/errors/\(code).md")
                    #expect(page?.hasPrefix("# \(code)") == true, "\(file) uses \(code), which has no page")
                    for section in ["\n## Meaning\n", "\n## Usual cause\n", "\n## Fix\n"] where page != nil {
                        #expect(page?.contains(section) == true, "docs/errors/\(code).md has no section \(section)")
                    }
                }
            }
        }
    }

    /// STYLE, "Concurrency": what the compiler cannot check, a comment proves.
    @Test func uncheckedSharingIsArgued() throws {
        let unchecked = ["@unchecked Sendable", "nonisolated(unsafe)"]
        for folder in ["Sources", "Plugins"] {
            for file in try Repository.files(under: folder, endingIn: ".swift") {
                let lines = try Repository.text(file).split(separator: "\n", omittingEmptySubsequences: false)
                for (index, line) in lines.enumerated()
                where unchecked.contains(where: line.contains) && !line.contains("//") {
                    let above = lines[max(0, index - 4)..<index]
                    #expect(
                        above.contains { $0.contains("//") }, "\(file):\(index + 1): no comment proves that it is safe")
                }
            }
        }
    }

    @Test func everyTargetHasTests() throws {
        let tests = Set(try Repository.entries(of: "Tests").map { $0.lowercased() })
        for rule in LayerMap.targets where rule.layer > .shims && rule.name != "junction" {
            #expect(tests.contains("\(rule.name)Tests".lowercased()), "no folder Tests/\(rule.name)Tests")
        }
    }
}

/// The form of the codes under which errors are documented: `ST103`, `CON-0006`.
enum ErrorCode {
    /// Names of standards that look like codes: algorithms of RFC 7518, a type of XML Schema.
    private static let others: Set = [
        "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512",
        "IDREF",
    ]

    static func declared(in source: String) throws -> [String] {
        let pattern = try NSRegularExpression(
            pattern: #""([A-Z]{2}(?:[0-9]{3}|REF)|[A-Z]{3}-[0-9]{4}|(?:FEEL|JUEL|XPATH)-[A-Z-]+[A-Z])""#)
        let text = source as NSString
        return pattern.matches(in: source, range: NSRange(location: 0, length: text.length))
            .map { text.substring(with: $0.range(at: 1)) }.filter { !Self.others.contains($0) }
    }
}
