/// Decimal arithmetic as taught at school, one digit at a time: slow, and independent of what it checks.
struct SlowDecimal: Equatable {
    /// Most significant digit first, no leading zeros; empty for zero.
    var digits: [Int]
    var exponent: Int
    var isNegative: Bool

    init(digits: [Int], exponent: Int, isNegative: Bool) {
        self.digits = Array(digits.drop { $0 == 0 })
        self.exponent = exponent
        while self.digits.last == 0 {
            self.digits.removeLast()
            self.exponent += 1
        }
        if self.digits.isEmpty { self.exponent = 0 }
        self.isNegative = isNegative && !self.digits.isEmpty
    }

    /// Reads `-12.5E3`.
    init(_ text: String) {
        let parts = text.split(separator: "E")
        let isNegative = text.first == "-"
        let mantissa = parts[0].drop { $0 == "-" }
        let fraction = mantissa.split(separator: ".", omittingEmptySubsequences: false).dropFirst().first ?? ""
        let exponent = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - fraction.count
        self.init(digits: mantissa.compactMap(\.wholeNumberValue), exponent: exponent, isNegative: isNegative)
    }

    static func + (lhs: SlowDecimal, rhs: SlowDecimal) -> SlowDecimal {
        let exponent = min(lhs.exponent, rhs.exponent)
        let left = lhs.digits + [Int](repeating: 0, count: lhs.exponent - exponent)
        let right = rhs.digits + [Int](repeating: 0, count: rhs.exponent - exponent)
        if lhs.isNegative == rhs.isNegative {
            return SlowDecimal(digits: sum(left, right), exponent: exponent, isNegative: lhs.isNegative)
        }
        let isLess = isLess(left, right)
        return SlowDecimal(
            digits: isLess ? difference(right, left) : difference(left, right), exponent: exponent,
            isNegative: isLess ? rhs.isNegative : lhs.isNegative)
    }

    static func * (lhs: SlowDecimal, rhs: SlowDecimal) -> SlowDecimal {
        var product = [Int](repeating: 0, count: lhs.digits.count + rhs.digits.count)
        for (left, digit) in lhs.digits.enumerated() {
            for (right, other) in rhs.digits.enumerated() { product[left + right + 1] += digit * other }
        }
        for index in product.indices.dropFirst().reversed() {
            product[index - 1] += product[index] / 10
            product[index] %= 10
        }
        return SlowDecimal(
            digits: product, exponent: lhs.exponent + rhs.exponent, isNegative: lhs.isNegative != rhs.isNegative)
    }

    /// The quotient to 40 digits and a last digit that is 1 when more would follow.
    static func / (lhs: SlowDecimal, rhs: SlowDecimal) -> SlowDecimal {
        let zeros = max(0, rhs.digits.count - lhs.digits.count) + 40
        var remainder: [Int] = []
        var quotient: [Int] = []
        for digit in lhs.digits + [Int](repeating: 0, count: zeros) {
            remainder = Array((remainder + [digit]).drop { $0 == 0 })
            var count = 0
            while !isLess(remainder, rhs.digits) {
                remainder = difference(remainder, rhs.digits)
                count += 1
            }
            quotient.append(count)
        }
        return SlowDecimal(
            digits: quotient + [remainder.isEmpty ? 0 : 1], exponent: lhs.exponent - rhs.exponent - zeros - 1,
            isNegative: lhs.isNegative != rhs.isNegative)
    }

    /// Rounded to 34 digits, halves to even.
    var rounded: SlowDecimal {
        guard self.digits.count > 34 else { return self }
        var kept = Array(self.digits[..<34])
        let rest = self.digits[34...]
        let isAboveHalf = rest[34] > 5 || (rest[34] == 5 && rest.dropFirst().contains { $0 != 0 })
        if isAboveHalf || (rest[34] == 5 && kept[33] % 2 == 1) { kept = Self.sum(kept, [1]) }
        return SlowDecimal(digits: kept, exponent: self.exponent + rest.count, isNegative: self.isNegative)
    }

    private static func sum(_ left: [Int], _ right: [Int]) -> [Int] {
        var result = [0] + padded(left, right.count)
        for (index, digit) in padded(right, left.count).enumerated() { result[index + 1] += digit }
        for index in result.indices.dropFirst().reversed() where result[index] > 9 {
            result[index] -= 10
            result[index - 1] += 1
        }
        return result
    }

    private static func difference(_ left: [Int], _ right: [Int]) -> [Int] {
        var result = padded(left, right.count)
        for (index, digit) in padded(right, left.count).enumerated() { result[index] -= digit }
        for index in result.indices.dropFirst().reversed() where result[index] < 0 {
            result[index] += 10
            result[index - 1] -= 1
        }
        return Array(result.drop { $0 == 0 })
    }

    private static func isLess(_ left: [Int], _ right: [Int]) -> Bool {
        padded(left, right.count).lexicographicallyPrecedes(padded(right, left.count))
    }

    private static func padded(_ digits: [Int], _ count: Int) -> [Int] {
        [Int](repeating: 0, count: max(0, count - digits.count)) + digits
    }
}
