import Testing
import Values

@Suite struct NumberTextTests {
    @Test(arguments: [
        ("0", "0"), ("-0.0", "0"), ("+7", "7"), ("1.50", "1.5"), (".5", "0.5"), ("5.", "5"), ("-12.5", "-12.5"),
        ("1e3", "1000"), ("1E+3", "1000"), ("12e-3", "0.012"), ("1E33", "1000000000000000000000000000000000"),
        ("1E34", "1E34"), ("-1.5E400", "-1.5E400"), ("1E-33", "0.000000000000000000000000000000001"),
        ("12E-36", "0.000000000000000000000000000000000012"), ("1E-40", "1E-40"), ("1.25E-50", "1.25E-50"),
        ("9223372036854775808", "9223372036854775808"), ("-9223372036854775808", "-9223372036854775808"),
        ("340282366920938463463374607431768211455", "340282366920938463463374607431768200000"),
        ("12345678901234567890.123", "12345678901234567890.123"), ("0E999999999999", "0"), ("1E-999999999999", "0"),
    ])
    func canonicalText(_ row: (text: String, canonical: String)) throws {
        let number = try #require(Number(row.text))
        // Beyond 34 digits the canonical form has an exponent.
        #expect(number == Number(row.canonical))
        if row.canonical.utf8.count < 36 { #expect(number.description == row.canonical) }
    }

    @Test(arguments: [
        "", "-", "+", ".", "e5", "1e", "1e+", "1.2.3", "1x", " 1", "1 ", "0x10", "1_000", "NaN", "inf", "1E7000", "--1",
        "1e5.5", "１",
    ])
    func otherTextsAreRefused(_ text: String) {
        #expect(Number(text) == nil)
    }

    @Test func bytesReadLikeText() {
        let bytes = Array("-12.5".utf8)
        #expect(bytes.withUnsafeBufferPointer { Number(utf8: $0) } == Number("-12.5"))
        #expect([].withUnsafeBufferPointer { Number(utf8: $0) } == nil)
    }

    @Test(arguments: [
        (0.1, "0.1"), (1e-5, "0.00001"), (5e22, "50000000000000000000000"), (-2.5, "-2.5"), (0, "0"),
        (1.7976931348623157e308, "1.7976931348623157E308"), (9007199254740992, "9007199254740992"),
        (Double.leastNonzeroMagnitude, "5E-324"),
    ])
    func doublesReadAsTheirShortestText(_ row: (double: Double, text: String)) throws {
        let number = try #require(Number(row.double))
        #expect(number.double == row.double)
        #expect(number == Number(row.text))
    }

    @Test func numbersBecomeTheNearestDouble() throws {
        #expect(Number(Double.infinity) == nil)
        #expect(Number(Double.nan) == nil)
        #expect(Number(7).double == 7)
        #expect(Number("1E400")?.double == .infinity)
        #expect(Number("-1E-400")?.double == 0)
        #expect(Number("0.1000000000000000055511151231257827")?.double == 0.1)
        #expect(Number("12345678901234567890.5")?.double == 12345678901234567890.5)
    }

    @Test(arguments: SeedList.seeds)
    func textRoundTrips(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<500 {
            let number = try #require(Number(random.decimalText()))
            #expect(Number(number.description) == number, "seed \(seed)")
            let double = Double(bitPattern: random.next())
            if double.isFinite { #expect(Number(double)?.double == double, "seed \(seed)") }
        }
    }
}
