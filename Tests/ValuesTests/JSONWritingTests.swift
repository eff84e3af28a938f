import Testing
import Values

@Suite struct JSONWritingTests {
    static let texts: [(value: Value, text: String)] = [
        (.null, "null"), (true, "true"), (false, "false"), (0, "0"), (-9, "-9"), (1_234_567_890, "1234567890"),
        ("", #""""#), ("a\"b\\c/d", #""a\"b\\c/d""#), ("\u{8}\u{C}\n\r\t", #""\b\f\n\r\t""#),
        ("\u{0}\u{1F}", #""\u0000\u001f""#),
        ("long text without anything special, \u{7F}é€𝄞", "\"long text without anything special, \u{7F}é€𝄞\""),
        ("12345678\"", #""12345678\"""#), ([], "[]"), ([1, [true], []], "[1,[true],[]]"), ([:], "{}"),
        (["b": 1, "a\n": [:]], #"{"b":1,"a\n":{}}"#),
        (.range(ValueRange(lower: 1, includesLower: true, upper: nil, includesUpper: false)), "null"),
        (.function(FunctionValue(name: "f", parameterNames: ["x"], payload: FunctionPayload())), "null"),
    ]

    @Test(arguments: Self.texts)
    func compactText(_ row: (value: Value, text: String)) {
        #expect(JSON.string(row.value) == row.text)
        #expect(row.value.description == row.text)
    }

    @Test(arguments: ["1.5", "-0.001", "12345678901234567890123.5", "1E400", "-1.25E-50"])
    func numbersKeepEveryDigit(_ text: String) throws {
        let number = try #require(Number(text))
        #expect(JSON.string(.number(number)) == text)
        #expect(try JSON.parse(JSON.string(.number(number))) == .number(number))
    }

    @Test func temporalValuesBecomeStrings() throws {
        let date = try #require(CalendarDate("2026-11-24"))
        let time = try #require(TimeOfDay("13:20:00@Europe/Paris"))
        let values: [Value] = [
            .date(date), .time(time), .dateTime(DateTime(date: date, time: time)),
            .yearMonthDuration(YearMonthDuration(months: 14)), .dayTimeDuration(DayTimeDuration(seconds: 90)),
        ]
        #expect(
            JSON.string(.list(values))
                == #"["2026-11-24","13:20:00@Europe/Paris","2026-11-24T13:20:00@Europe/Paris","P1Y2M","PT1M30S"]"#)
        #expect(Value.null.temporalText == nil)
        let odd = TimeOfDay(nanosecondOfDay: 0, zone: .named("\""))
        #expect(JSON.string(.time(odd)) == #""00:00:00@\"""#)
    }

    @Test func prettyTextIsIndented() {
        let value: Value = ["a": [1, ["b": .null]], "c": [], "d": [:]]
        #expect(
            JSON.pretty(value) == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "c": [],
                  "d": {}
                }
                """)
    }

    @Test(arguments: SeedList.seeds)
    func textRoundTrips(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            let value = random.jsonValue(depth: 4)
            #expect(try JSON.parse(JSON.string(value)) == value, "seed \(seed)")
            #expect(try JSON.parse(JSON.pretty(value)) == value, "seed \(seed)")
        }
    }

    @Test func theWriterPlacesCommas() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("text")
        writer.value("a\"b")
        writer.key("numbers")
        writer.beginArray()
        writer.value(Int64.min)
        writer.value(7)
        writer.value(Value.number(8))
        writer.endArray()
        writer.key("flag")
        writer.value(true)
        writer.key("key")
        writer.value(Key(rawValue: 42))
        writer.key("nothing")
        writer.null()
        writer.key("nested")
        writer.beginObject()
        writer.endObject()
        writer.key("raw")
        writer.raw(Array("[1]".utf8))
        writer.endObject()
        #expect(
            writer.string
                == #"{"text":"a\"b","numbers":[-9223372036854775808,7,8],"flag":true,"key":"42","nothing":null,"nested":{},"raw":[1]}"#
        )
        #expect(throws: Never.self) { try JSON.validate(writer.bytes) }
    }
}

/// Stands for what an evaluator keeps with a function.
final class FunctionPayload: Sendable {}
