import Testing
import Values

@Suite struct NumberTests {
    @Test(arguments: NumberVectors.binary)
    func binaryOperationsMatchKnownResults(_ row: NumberVectors.Binary) throws {
        let left = try #require(Number(row.left))
        let right = try #require(Number(row.right))
        let result =
            switch row.operation {
            case "adding": Number.adding(left, right)
            case "subtracting": Number.subtracting(left, right)
            case "multiplying": Number.multiplying(left, right)
            case "dividing": Number.dividing(left, right)
            default: left.power(right)
            }
        #expect(result == row.result.flatMap { Number($0) })
    }

    @Test(arguments: NumberVectors.unary)
    func functionsMatchKnownResults(_ row: NumberVectors.Unary) throws {
        let operand = try #require(Number(row.operand))
        let result =
            switch row.operation {
            case "squareRoot": operand.squareRoot
            case "exp": operand.exp
            default: operand.log
            }
        #expect(result == row.result.flatMap { Number($0) })
    }

    @Test func whatHasNoResultGivesNil() throws {
        let half = try #require(Number("0.5"))
        #expect(Number.dividing(1, 0) == nil)
        #expect(Number.dividing(half, 0) == nil)
        #expect(Number(5).modulo(0) == nil)
        #expect(Number(-1).squareRoot == nil)
        #expect(Number(0).log == nil)
        #expect(Number(-1).log == nil)
        #expect(Number(-8).power(half) == nil)
        #expect(Number(0).power(-1) == nil)
    }

    @Test(arguments: [
        (base: "0", exponent: "0", result: "1"), (base: "0", exponent: "3", result: "0"),
        (base: "-1", exponent: "1E30", result: "1"), (base: "-1", exponent: "9007199254740993", result: "-1"),
        (base: "-1", exponent: "9999999999999999999999999999999999", result: "-1"),
        (base: "1.000000000000000000000000000000001", exponent: "-1E60", result: "0"),
        (base: "-1.5", exponent: "-100001", result: "0"), (base: "7", exponent: "1", result: "7"),
        (base: "-2", exponent: "-3", result: "-0.125"), (base: "0.5", exponent: "9223372036854775807", result: "0"),
    ])
    func powersAtTheEdges(_ row: (base: String, exponent: String, result: String)) throws {
        let base = try #require(Number(row.base))
        let exponent = try #require(Number(row.exponent))
        #expect(base.power(exponent) == Number(row.result))
    }

    @Test(arguments: [("1.1", "1E60"), ("2", "1E20"), ("1E3000", "3"), ("0.1", "-9223372036854775808")])
    func powersTooLargeGiveNil(_ row: (base: String, exponent: String)) throws {
        let base = try #require(Number(row.base))
        let exponent = try #require(Number(row.exponent))
        #expect(base.power(exponent) == nil)
    }

    @Test(arguments: [
        (10, 4, "2"), (-5, 3, "1"), (5, -3, "-1"), (-5, -3, "-2"), (6, 3, "0"), (Int.min, -1, "0"),
    ])
    func moduloOfIntegersHasTheDivisorsSign(_ row: (left: Int, right: Int, result: String)) {
        #expect(Number(row.left).modulo(Number(row.right)) == Number(row.result))
    }

    @Test(arguments: [
        ("10.1", "4.5", "1.1"), ("-10.1", "4.5", "3.4"), ("10.1", "-4.5", "-3.4"), ("1E40", "7", "4"),
        ("3", "1E40", "3"), ("-3", "1E20", "99999999999999999997"), ("1E6000", "0.3", "0.1"), ("0.05", "0.1", "0.05"),
        ("1.5", "1.50", "0"), ("100.5", "10", "0.5"), ("12345678901234567890", "1000.5", "271.5"),
    ])
    func moduloOfDecimalsIsExact(_ row: (left: String, right: String, result: String)) throws {
        let left = try #require(Number(row.left))
        let right = try #require(Number(row.right))
        #expect(left.modulo(right) == Number(row.result))
    }

    @Test(arguments: [
        (Number.RoundingMode.up, ["3", "-3", "3", "-3", "2"]), (.down, ["2", "-2", "2", "-2", "2"]),
        (.ceiling, ["3", "-2", "3", "-2", "2"]), (.floor, ["2", "-3", "2", "-3", "2"]),
        (.halfUp, ["3", "-3", "2", "-3", "2"]), (.halfDown, ["2", "-2", "2", "-3", "2"]),
        (.halfEven, ["2", "-2", "2", "-3", "2"]),
    ])
    func roundingModes(_ row: (mode: Number.RoundingMode, results: [String])) {
        for (text, result) in zip(["2.5", "-2.5", "2.4", "-2.6", "2"], row.results) {
            #expect(Number(text)?.rounded(scale: 0, mode: row.mode) == Number(result), "\(text) \(row.mode)")
        }
    }

    @Test(arguments: [
        ("1234.567", 2, "1234.57"), ("1234.567", -2, "1200"), ("1234.567", -4, "0"), ("1250", -2, "1200"),
        ("0.0001", 2, "0"), ("9.99", 1, "10"), ("1E-40", 20, "0"), ("5", 3, "5"), ("1E6000", -5999, "1E6000"),
        ("1.5", Int.max, "1.5"), ("1.5", Int.min, "0"),
    ])
    func roundingToAScale(_ row: (text: String, scale: Int, result: String)) {
        #expect(Number(row.text)?.rounded(scale: row.scale, mode: .halfEven) == Number(row.result))
    }

    @Test func floorAndCeilingTakeAScale() throws {
        let number = try #require(Number("-1.234"))
        #expect(number.floor() == -2)
        #expect(number.ceiling() == -1)
        #expect(number.floor(scale: 1) == Number("-1.3"))
        #expect(number.ceiling(scale: 2) == Number("-1.23"))
        #expect(Number("1E-50")?.ceiling() == 1)
        #expect(Number("-1E-50")?.rounded(scale: 0, mode: .up) == -1)
    }

    @Test func theSignCanBeTurnedAndDropped() throws {
        let wide = try #require(Number("-9223372036854775808.5"))
        #expect(Number(Int64.min).negated == Number("9223372036854775808"))
        #expect(Number("9223372036854775808")?.negated.int64 == .min)
        #expect(wide.magnitude == Number("9223372036854775808.5"))
        #expect(wide.isNegative && !wide.negated.isNegative)
        #expect(Number("-0.5")?.isNegative == true)
        #expect(Number(-3).magnitude == 3)
        #expect(Number(0).negated == .zero)
    }

    @Test(arguments: [
        ("1", true), ("1E30", true), ("12345678901234567890", true), ("1.5", false), ("0", true),
        ("1234567890123456789.5", false), ("12345678901234567890.5", false),
    ])
    func integersAreRecognised(_ row: (text: String, isInteger: Bool)) {
        #expect(Number(row.text)?.isInteger == row.isInteger)
    }

    @Test func equalNumbersAreOneValue() {
        #expect(Number("1.0") == 1)
        #expect(Number("1.50")?.hashValue == Number("1.5")?.hashValue)
        #expect(Number("1E2")?.int64 == 100)
        #expect(Number("9223372036854775807")?.int64 == .max)
        #expect(Number("9223372036854775808")?.int64 == nil)
        #expect(Number("922337203685477580.70E1")?.int64 == .max)
        #expect(Number("-9223372036854775808E0")?.int64 == .min)
        #expect(Number("-0") == .zero)
        #expect(
            Number("1E20").flatMap { power in Number("0.001").flatMap { Number.multiplying(power, $0) } }?.int64
                == 100_000_000_000_000_000)
        #expect(
            Set(["12345678901234567890.5", "12345678901234567890.50", "12345678901234567890.6"].map { Number($0) })
                .count == 2)
        #expect(Number("12345678901234567890.10") == Number("12345678901234567890.1"))
    }

    @Test func ordersByValue() {
        let texts = [
            "-1E400", "-12345678901234567890", "-2.5", "-1", "0", "1E-400", "0.1", "1", "1.00001", "2E19", "1E40",
        ]
        let numbers = texts.compactMap { Number($0) }
        #expect(numbers.count == texts.count)
        for (left, leftNumber) in numbers.enumerated() {
            for (right, rightNumber) in numbers.enumerated() {
                #expect((leftNumber < rightNumber) == (left < right), "\(leftNumber) < \(rightNumber)")
            }
        }
    }

    @Test(arguments: SeedList.seeds)
    func arithmeticMatchesTheSlowWay(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<300 {
            let (leftText, rightText) = (random.decimalText(), random.decimalText())
            let left = try #require(Number(leftText))
            let right = try #require(Number(rightText))
            let slowLeft = SlowDecimal(leftText).rounded
            let slowRight = SlowDecimal(rightText).rounded
            let comment = Comment(rawValue: "seed \(seed): \(leftText) and \(rightText)")
            func check(_ fast: Number?, _ slow: SlowDecimal) {
                #expect(fast.map { SlowDecimal($0.description) } == slow.rounded, comment)
            }
            check(left, slowLeft)
            check(Number.adding(left, right), slowLeft + slowRight)
            check(Number.multiplying(left, right), slowLeft * slowRight)
            if !right.isZero { check(Number.dividing(left, right), slowLeft / slowRight) }
            #expect((left == right) == (slowLeft == slowRight), comment)
            #expect(Number.subtracting(left, right)?.isNegative == (left < right), comment)
        }
    }

    @Test(arguments: SeedList.seeds)
    func functionsUndoEachOther(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let tolerance = try #require(Number("1E-30"))
        for _ in 0..<25 {
            let number = try #require(Number("\(random.int(1...9)).\(random.digits(20))"))
            let root = try #require(number.squareRoot)
            let logarithm = try #require(number.log)
            for (undone, name) in [(Number.multiplying(root, root), "root"), (logarithm.exp, "log")] {
                let result = try #require(undone)
                let distance = try #require(Number.subtracting(result, number)).magnitude
                #expect(distance < tolerance, "seed \(seed): \(name) of \(number)")
            }
        }
    }
}
