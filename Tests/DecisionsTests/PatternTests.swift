import Testing
import Values

@testable import Decisions

/// Regular expressions of XML Schema and XPath.
@Suite struct PatternTests {
    /// The first match of a pattern in a text.
    private func match(_ pattern: String, _ text: String, _ flags: String = "") throws(Mistake) -> String? {
        let scalars = Array(text.unicodeScalars)
        var budget = Pattern.stepsMax
        let found = try Pattern(pattern, flags: flags).firstMatch(in: scalars, from: 0, budget: &budget)
        return found.map { String(scalars: scalars[$0.range]) }
    }

    @Test(arguments: [
        ("abc", "xabcx", "abc"), ("a|b|cd", "xcd", "cd"), ("a*", "aaab", "aaa"), ("a*?", "aaab", ""),
        ("a+", "baab", "aa"),
        ("a+?", "baab", "a"), ("ab?c", "ac", "ac"), ("ab??c", "abc", "abc"), ("a{2}", "aaa", "aa"),
        ("a{2,}", "aaaa", "aaaa"),
        ("a{1,2}", "aaa", "aa"), ("a{1,2}?", "aaa", "a"), ("a{0}b", "ab", "b"), ("(ab)+", "ababa", "abab"),
        ("(?:ab)*c", "ababc", "ababc"),
        ("(a|b)*c", "abac", "abac"), ("^ab", "abab", "ab"), ("^b", "ab", nil), ("b$", "ab", "b"), ("a$", "ab", nil),
        ("a.c", "a\nc", nil),
        ("a.c", "abc", "abc"), ("[a-c]+", "xabcd", "abc"), ("[^a-c]+", "abxyc", "xy"),
        ("[a-z-[aeiou]]+", "aeibcd", "bcd"),
        ("[-a]+", "b-a", "-a"), ("[a-]+", "ba-", "a-"), ("[\\]\\[]+", "a[]", "[]"), ("[\\d\\s]+", "a1 2b", "1 2"),
        ("\\d+", "a٣4", "٣4"),
        ("\\D+", "12ab", "ab"), ("\\s", "a b", " "), ("\\S+", " ab ", "ab"), ("\\w+", "-ab_1-", "ab"),
        ("\\W", "ab-", "-"),
        ("\\i\\c*", "1a-b.c d", "a-b.c"), ("\\I", "a1", "1"), ("\\C", "a b", " "), ("\\p{Lu}+", "abCD", "CD"),
        ("\\p{L}+", "12é", "é"),
        ("\\P{L}+", "ab12", "12"), ("\\p{IsGreek}", "aβ", "β"), ("\\P{IsBasicLatin}", "aé", "é"),
        ("[\\p{Nd}x]+", "ax1", "x1"),
        ("(a)(b)\\2\\1", "abba", "abba"), ("(a*)b\\1", "aabaa", "aabaa"), ("(a)?\\1b", "b", "b"),
        ("(.)\\1", "abccd", "cc"),
        ("\\.\\\\\\-\\^\\?\\*\\+\\{\\}\\(\\)\\[\\]\\$\\|", ".\\-^?*+{}()[]$|", ".\\-^?*+{}()[]$|"),
        ("\\n\\r\\t", "\n\r\t", "\n\r\t"),
        ("(a*)*", "aa", "aa"), ("(a*)+b", "aab", "aab"), ("(|a)+b", "aab", "aab"), ("", "abc", ""), ("a||b", "b", ""),
        ("🐎.", "x🐎é", "🐎é"),
        ("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)\\10", "abcdefghijj", "abcdefghijj"), ("(a)\\10", "aa0", "aa0"),
        ("[\\n]", "\n", "\n"),
    ])
    func patternsMatchAsInXPath(_ row: (pattern: String, text: String, expected: String?)) throws {
        #expect(try match(row.pattern, row.text) == row.expected)
    }

    @Test(arguments: [
        ("ABC", "abc", "i", "abc"), ("[A-C]+", "abc", "i", "abc"), ("[^A]", "ab", "i", "b"),
        ("(a)\\1", "aA", "i", "aA"),
        ("k", "\u{212A}", "i", "\u{212A}"), ("a.c", "a\nc", "s", "a\nc"), ("^b$", "a\nb\nc", "m", "b"),
        ("^$", "a\n", "m", nil),
        ("a$", "a\nb", "m", "a"), (" a b [ ] c", "ab c", "x", "ab c"), ("a \\ s", "a ", "x", "a "),
        ("[\\]] b", "]b", "x", "]b"),
        ("a.b*", "a.b*", "q", "a.b*"), ("A.", "a.", "qi", "a."), ("a b", "a b", "qx", "a b"), ("", "a", "smixq", ""),
    ])
    func flagsChangeTheMeaning(_ row: (pattern: String, text: String, flags: String, expected: String?)) throws {
        #expect(try match(row.pattern, row.text, row.flags) == row.expected)
    }

    @Test(arguments: [
        "*a", "+", "a**", "a{2", "a{,2}", "a{2,1}", "a{99999}", "}", "]", "a)", "(a", "(?=a)", "(?<n>a)", "[", "[]",
        "[^]", "[a", "[b-a]",
        "[[a]]", "[a-\\d]", "[a-[b]c]", "\\", "\\e", "\\1", "(a\\1)", "\\p", "\\pL", "\\p{", "\\p{Xx}",
        "\\p{IsNowhere}", "[\\e]", "a{x}",
    ])
    func wrongPatternsAreRefused(_ pattern: String) {
        #expect(throws: Mistake.self) { try match(pattern, "a") }
    }

    @Test func sizeDepthAndStepsAreBounded() {
        #expect(throws: Mistake.self) { try match("((a{1000}){1000}){1000}", "a") }
        #expect(throws: Mistake.self) {
            try match(String(repeating: "(", count: 500) + String(repeating: ")", count: 500), "a")
        }
        #expect(throws: Mistake.self) { try match(String(repeating: "[a-", count: 500), "a") }
        #expect(throws: Mistake.self) { try match("(a|aa)+$", String(repeating: "a", count: 50) + "b") }
        #expect(throws: Never.self) { try match("(a|b)*", String(repeating: "ab", count: 20_000)) }
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func randomPatternsMatchOrAreRefused(seed: UInt64) {
        var random = SplitMix64(state: seed)
        let pieces = Array("ab.*+?()[]{}|^$\\dw-1,é ")
        for _ in 0..<200 {
            var pattern = ""
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                pattern.append(pieces.randomElement(using: &random) ?? "a")
            }
            let text = String((0..<20).map { _ in ["a", "b", "1", " "].randomElement(using: &random) ?? "a" }.joined())
            if let found = try? match(pattern, text) {
                #expect(text.contains(found) || found.isEmpty, "seed \(seed): \(pattern) in \(text)")
            }
        }
    }
}
