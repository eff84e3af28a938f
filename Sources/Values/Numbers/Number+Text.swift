extension Number {
    /// Reads a decimal number: an optional sign, digits with an optional point, an optional exponent.
    ///
    /// Digits beyond 34 are rounded half to even. Nil when the text is anything else or the number too large.
    public init?(_ text: some StringProtocol) {
        var copy = String(text)
        let parsed = copy.withUTF8 { Number.parse($0) }
        guard let parsed else { return nil }
        self = parsed.number
    }

    /// Reads a decimal number from UTF-8 bytes, as `init?(_:)` does.
    public init?(utf8 bytes: UnsafeBufferPointer<UInt8>) {
        guard let parsed = Number.parse(bytes) else { return nil }
        self = parsed.number
    }

    /// Creates the number that the shortest decimal text of `double` stands for; nil for infinities and NaN.
    public init?(_ double: Double) {
        guard double.isFinite else { return nil }
        if double.magnitude < 9e15, let whole = Int64(exactly: double) {
            self.init(whole)
        } else {
            self.init(double.description)
        }
    }

    /// Reads a number and says whether no digit was lost.
    static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> (number: Number, isExact: Bool)? {
        var position = 0
        var isNegative = false
        if let first = bytes.first, first == 0x2D || first == 0x2B {
            isNegative = first == 0x2D
            position = 1
        }
        var coefficient: UInt128 = 0
        var digits = 0
        var exponent = 0
        var sticky = false
        var sawDigit = false
        var sawPoint = false
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x2E, !sawPoint {
                sawPoint = true
            } else if case let digit = byte &- 0x30, digit < 10 {
                sawDigit = true
                if digits < 38 {
                    coefficient = coefficient * 10 + UInt128(digit)
                    if coefficient != 0 { digits += 1 }
                    if sawPoint { exponent -= 1 }
                } else {
                    if digit != 0 { sticky = true }
                    if !sawPoint { exponent += 1 }
                }
            } else {
                break
            }
            position += 1
        }
        guard sawDigit else { return nil }
        if position < bytes.count {
            guard bytes[position] | 0x20 == 0x65 else { return nil }
            guard let power = Self.parseExponent(bytes, from: position + 1) else { return nil }
            exponent += power
        }
        guard
            let (value, isExact) = Decimal128.rounding(
                isNegative: isNegative, low: coefficient, exponent: exponent, sticky: sticky)
        else { return nil }
        return (Number(value), isExact)
    }

    /// Reads an exponent, held within ±1,000,000,000.
    private static func parseExponent(_ bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var position = start
        var isNegative = false
        if position < bytes.count, bytes[position] == 0x2B || bytes[position] == 0x2D {
            isNegative = bytes[position] == 0x2D
            position += 1
        }
        guard position < bytes.count else { return nil }
        var value = 0
        while position < bytes.count {
            let digit = bytes[position] &- 0x30
            guard digit < 10 else { return nil }
            value = Swift.min(value * 10 + Int(digit), 1_000_000_000)
            position += 1
        }
        return isNegative ? -value : value
    }

    /// The nearest binary floating-point number; infinite when the value is beyond its range.
    public var double: Double {
        switch self.storage {
        case .integer(let value):
            Double(value)
        default:
            Double(self.description) ?? .nan
        }
    }
}

extension Number: CustomStringConvertible {
    /// The shortest exact decimal text, which is a valid JSON number: `-12.5`; very large and very small numbers with
    /// an exponent: `1E400`.
    public var description: String {
        var bytes: [UInt8] = []
        self.write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the text of `description`.
    public func write(into bytes: inout [UInt8]) {
        if case .integer(let value) = self.storage {
            DecimalText.write(value, into: &bytes)
            return
        }
        let decimal = self.decimal
        if decimal.isNegative { bytes.append(0x2D) }
        let digitCount = PowersOfTen.digitCount(decimal.coefficient)
        let pointPosition = digitCount + decimal.exponent
        let start = bytes.count
        if decimal.exponent >= 0, pointPosition <= Decimal128.precision {
            DecimalText.writeLong(decimal.coefficient, into: &bytes)
            bytes.append(contentsOf: repeatElement(0x30, count: decimal.exponent))
        } else if decimal.exponent < 0, pointPosition > 0 {
            DecimalText.writeLong(decimal.coefficient, into: &bytes)
            bytes.insert(0x2E, at: start + pointPosition)
        } else if decimal.exponent < 0, pointPosition > -Decimal128.precision {
            bytes.append(contentsOf: [0x30, 0x2E])
            bytes.append(contentsOf: repeatElement(0x30, count: -pointPosition))
            DecimalText.writeLong(decimal.coefficient, into: &bytes)
        } else {
            DecimalText.writeLong(decimal.coefficient, into: &bytes)
            if digitCount > 1 { bytes.insert(0x2E, at: start + 1) }
            bytes.append(0x45)
            DecimalText.write(Int64(pointPosition - 1), into: &bytes)
        }
    }
}
