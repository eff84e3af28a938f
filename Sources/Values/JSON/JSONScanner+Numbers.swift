extension JSONScanner {
    /// Reads one number, which must be one decimal128 holds exactly.
    @inline(__always)
    mutating func number() throws(JSONError) -> Number {
        let start = self.position
        let isNegative = self.current == 0x2D
        if isNegative { self.position += 1 }
        let first = self.position
        var coefficient: Int64 = 0
        while self.position < self.bytes.count, case let digit = self.bytes[self.position] &- 0x30, digit < 10 {
            coefficient = coefficient &* 10 &+ Int64(digit)
            self.position += 1
        }
        let digits = self.position - first
        guard digits > 0 else { throw self.unexpectedNumberByte(start) }
        guard digits == 1 || self.bytes[first] != 0x30 else { throw self.failure(.malformedNumber, at: start) }
        let next = self.current
        if digits <= 18, next != 0x2E, next | 0x20 != 0x65 {
            return Number(isNegative ? -coefficient : coefficient)
        }
        return try self.longNumber(from: start)
    }

    /// Reads a number with a fraction, an exponent or many digits; the integer part has been skipped.
    private mutating func longNumber(from start: Int) throws(JSONError) -> Number {
        if self.current == 0x2E {
            self.position += 1
            try self.skipDigits(start)
        }
        if self.current | 0x20 == 0x65 {
            self.position += 1
            if self.current == 0x2B || self.current == 0x2D { self.position += 1 }
            try self.skipDigits(start)
        }
        let text = UnsafeRawBufferPointer(rebasing: self.bytes[start..<self.position])
        let parsed = text.withMemoryRebound(to: UInt8.self) { Number.parse($0) }
        guard let parsed, parsed.isExact else { throw self.failure(.unrepresentableNumber, at: start) }
        return parsed.number
    }

    private mutating func skipDigits(_ start: Int) throws(JSONError) {
        let first = self.position
        while self.position < self.bytes.count, self.bytes[self.position] &- 0x30 < 10 {
            self.position += 1
        }
        guard self.position > first else { throw self.unexpectedNumberByte(start) }
    }

    /// The failure when a digit is missing: a number cut short, a malformed one, or no value at all.
    private func unexpectedNumberByte(_ start: Int) -> JSONError {
        if self.position == self.bytes.count { return self.failure(.unexpectedEnd) }
        return self.position == start ? self.failure(.unexpectedCharacter) : self.failure(.malformedNumber, at: start)
    }
}
