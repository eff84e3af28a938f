import Testing

@testable import FilesConnector

struct GlobTests {
    @Test(arguments: [
        ("*", "a", true), ("*", "", true), ("*", ".a", false), (".*", ".a", true), ("*.csv", "a.csv", true),
        ("*.csv", "a.csv.part", false), ("*.csv", ".csv", false), ("a?c", "abc", true), ("a?c", "ac", false),
        ("a*b*c", "axxbyyc", true), ("a*b*c", "axxbyy", false), ("**", "ab", true), ("[a-c]x", "bx", true),
        ("[a-c]x", "dx", false), ("[!a-c]x", "dx", true), ("[]]", "]", true), ("[a-]", "-", true), ("\\*", "*", true),
        ("\\*", "a", false), ("ä*", "äö", true), ("", "", true), ("", "a", false),
    ])
    func matches(_ row: (pattern: String, name: String, expected: Bool)) throws {
        #expect(try #require(Glob(row.pattern)).matches(row.name) == row.expected)
    }

    @Test(arguments: ["[", "[a", "\\", "[z-a]", "[]"])
    func brokenPatternsAreRefused(_ pattern: String) {
        #expect(Glob(pattern) == nil)
    }

    @Test func manyStarsTakeNoTimeToSpeakOf() throws {
        let glob = try #require(Glob(String(repeating: "*a", count: 50) + "b"))
        #expect(!glob.matches(String(repeating: "a", count: 5_000)))
    }
}
