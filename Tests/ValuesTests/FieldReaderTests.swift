import Testing
import Values

@Suite struct FieldReaderTests {
    enum Mode: String, CaseIterable { case fast, slow }

    @Test func fieldsOfTheRightShapeAreRead() {
        let reader = FieldReader(
            [
                "text": "a", "flag": true, "count": 3, "ratio": 1, "wait": "1m30s", "none": 0, "size": "2KiB",
                "plain": 7,
                "mode": "fast", "modes": ["slow", "fast"], "one": "slow", "names": ["a", "b"], "name": "c",
                "inner": ["x": 1],
                "absent": .null,
            ], code: "T")
        #expect(reader.string("text") == "a")
        #expect(reader.boolean("flag") == true)
        #expect(reader.integer("count", in: 1...5) == 3)
        #expect(reader.double("ratio", in: 0...1) == 1)
        #expect(reader.duration("wait") == .seconds(90))
        #expect(reader.duration("none") == .zero)
        #expect(reader.bytes("size") == 2_048)
        #expect(reader.bytes("plain") == 7)
        #expect(reader.word("mode", of: Mode.self) == .fast)
        #expect(reader.words("modes", of: Mode.self) == [.slow, .fast])
        #expect(reader.words("one", of: Mode.self) == [.slow])
        #expect(reader.strings("names") == ["a", "b"])
        #expect(reader.strings("name") == ["c"])
        #expect(reader.object("inner")?.path == "inner")
        #expect(reader.object("inner")?.keys() == ["x"])
        #expect(!reader.has("absent"))
        #expect(reader.string("absent") == nil)
        reader.require("text")
        reader.finish()
        #expect(reader.diagnostics.isEmpty)
    }

    @Test func everythingWrongIsReported() {
        let reader = FieldReader(
            [
                "text": 1, "count": 9, "wait": "soon", "mode": "fsat", "modes": ["fast", 2], "names": [1],
                "inner": ["deep": ["x"]], "txet": "long", "other": 1, "size": -1, "ratio": "much",
            ], path: "top", code: "T-1")
        #expect(reader.string("text") == nil)
        #expect(reader.integer("count", in: 1...5) == nil)
        #expect(reader.integer("wait") == nil)
        #expect(reader.duration("wait") == nil)
        #expect(reader.word("mode", of: Mode.self) == nil)
        #expect(reader.word("none", of: Mode.self) == nil)
        #expect(reader.words("modes", of: Mode.self) == nil)
        #expect(reader.words("none", of: Mode.self) == nil)
        #expect(reader.strings("names") == nil)
        #expect(reader.bytes("size") == nil)
        #expect(reader.double("ratio", in: 0...1) == nil)
        #expect(reader.object("inner")?.boolean("deep") == nil)
        reader.require("missing")
        reader.finish()
        let lines = reader.diagnostics.map(\.description)
        #expect(
            lines.dropLast() == [
                "error T-1: top.text: expected a text but found 1.",
                "error T-1: top.count: expected a whole number, 1 to 5 but found 9.",
                "error T-1: top.wait: expected a whole number, at least 0 but found \"soon\".",
                "error T-1: top.wait: expected a length of time such as 500ms, 20s or 1h30m but found \"soon\".",
                "error T-1: top.mode: expected one of fast, slow but found \"fsat\". — Did you mean fast?",
                "error T-1: top.modes: expected one of fast, slow but found 2.",
                "error T-1: top.names: expected a list of texts but found a list.",
                "error T-1: top.size: expected a number of bytes such as 512, 64KiB or 1MiB but found -1.",
                "error T-1: top.ratio: expected a number, 0.0 to 1.0 but found \"much\".",
                "error T-1: top.inner.deep: expected true or false but found a list.",
                "error T-1: top.missing is missing. — Add missing to top.",
                "error T-1: Unknown field top.txet. — Did you mean text?",
            ])
        #expect(lines.last?.hasPrefix("error T-1: Unknown field top.other. — Known here: ") == true)
    }

    @Test func aFileMustBeAnObject() {
        #expect(
            FieldReader([1], code: "T").diagnostics.first?.message == "The file: expected an object but found a list.")
        let empty = FieldReader(.null, code: "T")
        #expect(empty.diagnostics.isEmpty)
        empty.require("a")
        #expect(empty.diagnostics.first?.remedy == "Add a to the file.")
    }
}

@Suite struct QuantityTests {
    @Test(arguments: [
        ("0", Duration.zero, "0"), ("500ms", .milliseconds(500), "500ms"), ("1.5s", .milliseconds(1_500), "1.5s"),
        ("1h30m", .seconds(5_400), "1h30m"), ("2min", .seconds(120), "2m"), ("7d", .seconds(604_800), "7d"),
        ("1w", .seconds(604_800), "7d"), ("5us", .microseconds(5), "5us"), ("7ns", .nanoseconds(7), "7ns"),
        ("1d1s", .seconds(86_401), "1d1s"),
    ])
    func durations(_ row: (text: String, duration: Duration, canonical: String)) {
        #expect(Quantity.duration(row.text) == row.duration)
        #expect(Quantity.text(row.duration) == row.canonical)
    }

    @Test(arguments: [
        "", "5", "s", "1.5.5s", "1x", "-1s", "1.5ns", "1 s", "99999999999d", ".5s", "1.s", "1.1234567890123456789s",
    ])
    func otherDurationsAreRefused(_ text: String) {
        #expect(Quantity.duration(text) == nil)
    }

    @Test(arguments: [
        ("512", 512), ("10B", 10), ("2kB", 2_000), ("2KB", 2_000), ("3MB", 3_000_000), ("1GB", 1_000_000_000),
        ("64KiB", 65_536),
        ("1.5 MiB", 1_572_864), ("1GiB", 1_073_741_824),
    ])
    func sizes(_ row: (text: String, count: Int)) {
        #expect(Quantity.bytes(row.text) == row.count)
    }

    @Test(arguments: ["", "KiB", "1TB", "1.0001kB", "-1", "1.2.3MB", "99999999999GiB"])
    func otherSizesAreRefused(_ text: String) {
        #expect(Quantity.bytes(text) == nil)
    }
}

@Suite struct ClosestMatchTests {
    @Test(
        arguments: [
            ("retires", "retries"), ("RETRY", "retry"), ("tiemout", "timeout"), ("xyz", nil), ("timeou", "timeout"),
            ("timeoutt", "timeout"),
        ] as [(String, String?)])
    func theNearestCandidateWins(_ row: (word: String, match: String?)) {
        #expect(ClosestMatch.of(row.word, in: ["retry", "retries", "timeout"]) == row.match)
    }
}
