import Testing
import Values

@Suite struct JSONParsingTests {
    static let accepted: [(text: String, value: Value)] = [
        ("null", Value.null), (" true ", true), ("\tfalse\r\n", false), ("0", 0), ("-0", 0), ("-17", -17),
        ("123456789012345678", 123_456_789_012_345_678), ("9223372036854775807", 9_223_372_036_854_775_807),
        (#""""#, ""), (#""a/\/""#, "a//"), (#""\"\\\b\f\n\r\t""#, "\"\\\u{8}\u{C}\n\r\t"),
        (#""\u0041\u00e9\u20AC\ud834\udd1e""#, "Aé€𝄞"), (#""é€𝄞\u0000""#, "é€𝄞\0"), ("[]", []), ("[ ]", []),
        ("[1,[2,[]],{}]", [1, [2, []], [:]]), ("{ }", [:]),
        (#"{"a":1,"b":{"c":[true]}}"#, ["a": 1, "b": ["c": [true]]]),
        (#"{"":0}"#, ["": 0]), (#"{"a":1,"b":2,"a":3}"#, ["a": 3, "b": 2]), (#"{"K":1,"\u212a":2,"K":3}"#, ["K": 3]),
    ]

    @Test(arguments: Self.accepted)
    func acceptedTexts(_ row: (text: String, value: Value)) throws {
        #expect(try JSON.parse(row.text) == row.value)
        #expect(throws: Never.self) { try JSON.validate(Array(row.text.utf8)) }
    }

    @Test(arguments: ["1.5", "-0.1", "1e5", "1E+5", "1e-5", "0.0", "123456789012345678901234567890", "1.0E0"])
    func numbersAreExact(_ text: String) throws {
        #expect(try JSON.parse(text) == Number(text).map { .number($0) })
    }

    /// Texts RFC 8259 refuses, with what is wrong and where; `\n` and bytes above 0x7F are written as escapes.
    static let refused: [(text: String, code: JSONError.Code, offset: Int)] = [
        ("", .unexpectedEnd, 0), (" ", .unexpectedEnd, 1), ("nul", .unexpectedEnd, 3),
        ("nulL", .unexpectedCharacter, 3),
        ("True", .unexpectedCharacter, 0), ("undefined", .unexpectedCharacter, 0), ("NaN", .unexpectedCharacter, 0),
        ("truex", .trailingCharacters, 4), ("1 2", .trailingCharacters, 2), ("[] ]", .trailingCharacters, 3),
        ("01", .malformedNumber, 0), ("-01", .malformedNumber, 0), ("-", .unexpectedEnd, 1),
        ("+1", .unexpectedCharacter, 0),
        (".5", .unexpectedCharacter, 0), ("1.", .unexpectedEnd, 2), ("1.x", .malformedNumber, 0),
        ("-x", .malformedNumber, 0),
        ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3), ("1e+x", .malformedNumber, 0),
        ("0x1", .trailingCharacters, 1),
        ("1E7000", .unrepresentableNumber, 0), ("12345678901234567890123456789012345", .unrepresentableNumber, 0),
        ("1E-7000", .unrepresentableNumber, 0),
        ("[1,0.12345678901234567890123456789012345678901]", .unrepresentableNumber, 3),
        ("[", .unexpectedEnd, 1), ("[1", .unexpectedEnd, 2), ("[1,", .unexpectedEnd, 3),
        ("[1,]", .unexpectedCharacter, 3),
        ("[,1]", .unexpectedCharacter, 1), ("[1 2]", .unexpectedCharacter, 3), ("[1}", .unexpectedCharacter, 2),
        ("{", .unexpectedEnd, 1), ("{1:2}", .unexpectedCharacter, 1), (#"{"a"}"#, .unexpectedCharacter, 4),
        (#"{"a":}"#, .unexpectedCharacter, 5), (#"{"a":1,}"#, .unexpectedCharacter, 7), (#"{"a":1"#, .unexpectedEnd, 6),
        (#"{"a" 1}"#, .unexpectedCharacter, 5), (#"{a:1}"#, .unexpectedCharacter, 1),
        (#"{"a":1 "b":2}"#, .unexpectedCharacter, 7),
        ("'a'", .unexpectedCharacter, 0), ("[1] // c", .trailingCharacters, 4), ("\u{FEFF}1", .unexpectedCharacter, 0),
        ("\"", .unexpectedEnd, 1), ("\"abc", .unexpectedEnd, 4), ("\"a\nb\"", .controlCharacter, 2),
        ("\"a\u{1F}\"", .controlCharacter, 2), ("\"123456789\u{0}\"", .controlCharacter, 10),
        (#""\"#, .unexpectedEnd, 2),
        (#""\x""#, .malformedEscape, 2), (#""\u12"#, .unexpectedEnd, 5), (#""\u12g4""#, .malformedEscape, 5),
        (#""\ud800""#, .unpairedSurrogate, 1), (#""\udc00""#, .unpairedSurrogate, 1),
        (#""\ud800x""#, .unpairedSurrogate, 1),
        (#""\ud800\n""#, .unpairedSurrogate, 1), (#""\ud800\u0041""#, .unpairedSurrogate, 1),
    ]

    @Test(arguments: Self.refused)
    func refusedTexts(_ row: (text: String, code: JSONError.Code, offset: Int)) throws {
        let bytes = Array(row.text.utf8)
        for error in [
            #expect(throws: JSONError.self) { try JSON.parse(bytes) },
            #expect(throws: JSONError.self) { try JSON.validate(bytes) },
        ] {
            #expect(error?.code == row.code)
            #expect(error?.offset == row.offset)
        }
    }

    @Test(arguments: [
        [0x80], [0xC0, 0xAF], [0xC1, 0x81], [0xC3], [0xC3, 0x28], [0xE0, 0x80, 0x80], [0xE2, 0x82], [0xE2, 0x28, 0xA1],
        [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80], [0xF0, 0x9D, 0x84], [0xF0, 0x9D, 0x28, 0x9E],
        [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF],
    ])
    func malformedUTF8IsRefused(_ sequence: [UInt8]) {
        for padding in ["", "123456789 "] {
            let bytes = Array(("\"" + padding).utf8) + sequence + [0x22]
            #expect(throws: JSONError.self) { try JSON.parse(bytes) }
            #expect(throws: JSONError.self) { try JSON.validate(bytes) }
        }
    }

    @Test func errorsNameLineAndColumn() throws {
        let error = try #require(throws: JSONError.self) { try JSON.parse("{\n  \"a\": 1,\n  \"b\": x\n}") }
        #expect(error.line == 3)
        #expect(error.column == 8)
        #expect(error.description == "line 3, column 8: unexpected character")
    }

    @Test func everyCodeHasItsMessage() {
        let bytes = Array("1".utf8)
        let codes: [JSONError.Code] = [
            .unexpectedEnd, .unexpectedCharacter, .trailingCharacters, .malformedNumber, .unrepresentableNumber,
            .controlCharacter, .malformedEscape, .unpairedSurrogate, .malformedUTF8, .tooDeep, .tooLarge, .notAnObject,
        ]
        let messages = codes.compactMap { code -> String? in
            var error = #expect(throws: JSONError.self) { try JSON.members(of: bytes) }
            error?.code = code
            return error?.message
        }
        #expect(Set(messages).count == codes.count)
    }

    @Test func depthIsLimited() {
        func nested(_ depth: Int) -> [UInt8] {
            [UInt8](repeating: 0x5B, count: depth) + [UInt8](repeating: 0x5D, count: depth)
        }
        #expect(throws: Never.self) { try JSON.parse(nested(512)) }
        #expect(throws: Never.self) { try JSON.validate(nested(512)) }
        #expect(#expect(throws: JSONError.self) { try JSON.parse(nested(513)) }?.code == .tooDeep)
        #expect(#expect(throws: JSONError.self) { try JSON.validate(nested(100_000)) }?.code == .tooDeep)
        let objects = Array(String(repeating: #"{"a":"#, count: 600).utf8)
        #expect(#expect(throws: JSONError.self) { try JSON.parse(objects) }?.code == .tooDeep)
        #expect(
            #expect(throws: JSONError.self) { try JSON.parse("[[]]", limits: JSONLimits(depthMax: 1)) }?.code
                == .tooDeep)
        #expect(JSONLimits(depthMax: 10_000).depthMax == 512)
    }

    @Test func sizeIsLimited() {
        let limits = JSONLimits(byteCountMax: 4)
        #expect(throws: Never.self) { try JSON.parse("1234", limits: limits) }
        #expect(#expect(throws: JSONError.self) { try JSON.parse("12345", limits: limits) }?.code == .tooLarge)
        #expect(
            #expect(throws: JSONError.self) { try JSON.validate(Array("12345".utf8), limits: limits) }?.code
                == .tooLarge)
    }

    @Test func largeObjectsKeepOrderAndTheLastOfRepeatedKeys() throws {
        let members = (0..<200).map { "\"key number \($0 % 150)\":\($0)" }.joined(separator: ",")
        let value = try JSON.parse("{\(members)}")
        let context = try #require(value.asContext)
        #expect(context.count == 150)
        #expect(context["key number 0"] == 150)
        #expect(context["key number 149"] == 149)
        #expect(context.keys == (0..<150).map { "key number \($0)" })
    }

    @Test func keysThatUnicodeCallsEqualAreOne() throws {
        // The Kelvin sign equals K, é equals e with an accent, whichever comes first and however many keys there are.
        let padding = (0..<40).map { "\"\($0)\":0" }.joined(separator: ",")
        for keys in [[#""K":1"#, #""\u212a":2"#], [#""\u212a":1"#, #""K":2"#], [#""é":1"#, #""e\u0301":2"#]] {
            for text in ["{\(keys[0]),\(keys[1])}", "{\(keys[0]),\(padding),\(keys[1])}"] {
                let value = try JSON.parse(text)
                let context = try #require(value.asContext)
                #expect(context.entry(at: 0).value == 2, "\(text)")
                #expect(Set(context.keys).count == context.count, "\(text)")
            }
        }
    }

    @Test func manyKeysTakeLinearTime() throws {
        // A hundred thousand keys compared pair by pair would take minutes.
        let text = "{" + (0..<100_000).map { "\"é\($0)\":\($0)" }.joined(separator: ",") + "}"
        let value = try JSON.parse(text)
        #expect(value.asContext?.count == 100_000)
        #expect(value["é99999"] == 99_999)
    }

    @Test func membersAreSplitWithoutBuildingThem() throws {
        let bytes = Array(#"xx { "a" : [1, 2] , "b\n":{"c":null},"a":"x" } "#.utf8)
        let slice = bytes[3...]
        let members = try JSON.members(of: slice)
        #expect(members.map(\.key) == ["a", "b\n", "a"])
        #expect(
            members.map { String(decoding: slice[$0.value], as: UTF8.self) } == ["[1, 2]", #"{"c":null}"#, #""x""#])
        #expect(try JSON.members(of: Array("{}".utf8)).isEmpty)
        #expect(try JSON.parse(slice[members[0].value]) == [1, 2])
    }

    @Test(arguments: [
        ("[1]", JSONError.Code.notAnObject), ("1x", .notAnObject), ("{} x", .trailingCharacters),
        (#"{"a":01}"#, .malformedNumber),
        ("", .unexpectedEnd), (#"{"a":1"#, .unexpectedEnd),
    ])
    func onlyAnObjectHasMembers(_ row: (text: String, code: JSONError.Code)) {
        #expect(#expect(throws: JSONError.self) { try JSON.members(of: Array(row.text.utf8)) }?.code == row.code)
    }

    @Test func elementsAreSplitWithoutBuildingThem() throws {
        let bytes = Array(#"[1, {"a":[2]} , "x"]"#.utf8)
        let elements = try JSON.elements(of: bytes[...])
        #expect(elements.map { String(decoding: bytes[$0], as: UTF8.self) } == ["1", #"{"a":[2]}"#, #""x""#])
        #expect(try JSON.elements(of: Array(" [ ] ".utf8)[...]).isEmpty)
        #expect(throws: JSONError.self) { try JSON.elements(of: Array("{}".utf8)[...]) }
        #expect(throws: JSONError.self) { try JSON.elements(of: Array("[1,]".utf8)[...]) }
    }

    @Test(arguments: SeedList.seeds)
    func damagedTextNeverCrashesAndBothWalksAgree(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let alphabet =
            Array(#"{}[]:,"\0123456789.eE+-truefalsn u4a"#.utf8) + [0x00, 0x0A, 0x80, 0xC3, 0xE2, 0xF0, 0xFF]
        for round in 0..<2_000 {
            var bytes: [UInt8]
            if round % 2 == 0 {
                bytes = (0..<random.int(0...40)).map { _ in alphabet[random.int(0...alphabet.count - 1)] }
            } else {
                bytes = []
                JSON.write(random.jsonValue(depth: 3), into: &bytes)
                for _ in 0..<random.int(1...3) {
                    bytes[random.int(0...bytes.count - 1)] = alphabet[random.int(0...alphabet.count - 1)]
                }
            }
            let parsed = Result { try JSON.parse(bytes) }
            let validated = Result { try JSON.validate(bytes) }
            switch (parsed, validated) {
            case (.success(let value), .success):
                #expect((try? JSON.parse(JSON.string(value))) == value, "seed \(seed), \(bytes)")
            case (.failure(let left), .failure(let right)):
                #expect(left as? JSONError == right as? JSONError, "seed \(seed), \(bytes)")
            default:
                Issue.record("seed \(seed): parse and validate disagree on \(bytes)")
            }
        }
    }
}
