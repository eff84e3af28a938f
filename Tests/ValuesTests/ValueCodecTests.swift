import Testing
import Values

@Suite struct ValueCodecTests {
    private func encoded(_ value: Value) -> [UInt8] {
        var writer = ByteWriter()
        ValueCodec.write(value, into: &writer)
        return writer.bytes
    }

    private func decoded(_ bytes: [UInt8]) throws -> Value {
        try ByteReader.reading(bytes) { reader in
            let value = try ValueCodec.read(&reader)
            if !reader.isAtEnd { throw reader.failure(.invalidValue) }
            return value
        }
    }

    @Test(arguments: SeedList.seeds)
    func valuesRoundTrip(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let value = random.value(depth: 4)
            #expect(try self.decoded(self.encoded(value)) == value, "seed \(seed)")
        }
    }

    @Test(arguments: ["9223372036854775807", "-0.5", "1E6144", "-9.999999999999999999999999999999999E-6143", "1E-6176"])
    func numbersRoundTrip(_ text: String) throws {
        let number = try #require(Number(text))
        #expect(try self.decoded(self.encoded(.number(number))) == .number(number))
    }

    /// The stored form must never change.
    @Test func theFormIsFixed() throws {
        let date = try #require(CalendarDate("1970-01-02"))
        let value: Value = [
            .null, false, true, -1, "a", ["k": []], .date(date),
            .time(TimeOfDay(nanosecondOfDay: 5, zone: .offset(seconds: 3_600))),
            .dateTime(DateTime(date: date, time: TimeOfDay(nanosecondOfDay: 1, zone: .named("Z")))),
            .yearMonthDuration(YearMonthDuration(months: 1)),
            .dayTimeDuration(DayTimeDuration(seconds: 1, nanoseconds: 2)),
            .range(ValueRange(lower: 1, includesLower: true, upper: nil, includesUpper: false)),
            .number(try #require(Number("1.5"))),
        ]
        #expect(
            self.encoded(value) == [
                6, 13, 0, 1, 2, 3, 1, 5, 1, 0x61, 7, 1, 1, 0x6B, 6, 0, 8, 2, 9, 1, 0xA0, 0x38, 5, 10, 2, 2, 1, 0x5A, 1,
                11,
                2, 12, 2, 2, 13, 3, 3, 2, 4, 0, 1, 15, 0,
            ])
        #expect(try self.decoded(self.encoded(value)) == value)
    }

    @Test func functionsAreStoredAsNull() throws {
        let function = FunctionValue(name: "f", parameterNames: [], payload: FunctionPayload())
        #expect(try self.decoded(self.encoded([.function(function)])) == [.null])
    }

    @Test func largeContextsKeepTheirIndex() throws {
        let context = ValueContext((0..<50).map { ("key \($0)", .number(Number($0))) })
        let decoded = try self.decoded(self.encoded(.context(context)))
        #expect(decoded["key 49"] == 49)
        #expect(decoded.asContext?.keys == context.keys)
    }

    @Test(arguments: [
        ([], DecodingFailure.Reason.truncated), ([99], .unknownTag(99)), ([6, 5, 0], .length(5)),
        ([7, 2, 1, 0x61, 0, 1, 0x61, 0], .invalidValue), ([7, 1, 1, 0xFF, 0], .invalidText), ([9, 3], .unknownTag(3)),
        ([9, 0, 0x80, 0x80, 0xBC, 0x9E, 0xBF, 0xA9, 0x46], .invalidValue),
        ([9, 1, 0xFF, 0xFF, 0xFF, 0x01, 0], .invalidValue), ([12, 0, 0x80, 0x94, 0xEB, 0xDC, 0x03], .invalidValue),
        ([13, 16], .invalidValue),
        (
            [
                4, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0xFF, 0xFF, 0xFF,
                0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01,
            ], .invalidValue
        ),
        ([4, 0, 0xFF, 0xFF, 0xFF, 0x0F, 1, 0], .invalidValue), ([4, 2], .invalidValue),
        ([8, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], .invalidValue),
        ([UInt8](repeating: 0, count: 0) + (0..<1_100).flatMap { _ in [6, 1] as [UInt8] } + [0], .tooDeep),
    ])
    func damagedBytesAreRefused(_ row: (bytes: [UInt8], reason: DecodingFailure.Reason)) {
        let failure = #expect(throws: DecodingFailure.self) { try self.decoded(row.bytes) }
        #expect(failure?.reason == row.reason)
    }

    @Test(arguments: SeedList.seeds)
    func anyBytesAreReadOrRefused(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        for _ in 0..<3_000 {
            var bytes = self.encoded(random.value(depth: 3))
            for _ in 0..<random.int(1...4) {
                bytes[random.int(0...bytes.count - 1)] = UInt8(random.int(0...255))
            }
            bytes.removeLast(random.int(0...bytes.count))
            if let value = try? self.decoded(bytes) {
                #expect((try? self.decoded(self.encoded(value))) == value, "seed \(seed), \(bytes)")
            }
        }
    }

    @Test func variablesKeepTheirTextUntilAskedForTheValue() throws {
        let text = Array(#"{ "a": 1.0 }"#.utf8)
        let raw = VariableValue(json: text)
        let built = VariableValue(["a": 1])
        #expect(raw.json == text)
        #expect(raw.byteCount == 12)
        #expect(built.byteCount == 7)
        #expect(raw.value == ["a": 1])
        #expect(raw == built)
        #expect(raw.hashValue == built.hashValue)
        #expect(raw != VariableValue(["a": 2]))
        #expect(raw == VariableValue(json: text))
        var bytes: [UInt8] = []
        raw.writeJSON(into: &bytes)
        built.writeJSON(into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == #"{ "a": 1.0 }{"a":1}"#)
    }

    @Test func variablesRoundTrip() throws {
        let variables = [VariableValue(json: Array("[1, 2]".utf8)), VariableValue(["a": 1])]
        var writer = ByteWriter()
        for variable in variables { variable.write(into: &writer) }
        try ByteReader.reading(writer.bytes) { reader in
            for variable in variables {
                let read = try VariableValue.read(&reader)
                #expect(read.json == variable.json)
            }
        }
        #expect(throws: DecodingFailure.self) {
            try ByteReader.reading([7]) { reader in
                return try VariableValue.read(&reader)
            }
        }
    }
}
