extension JSONScanner {
    /// Skips the rest of a string, its opening quotation mark passed, and the closing one.
    ///
    /// Returns where the content lies and whether it holds escapes.
    @inline(__always)
    mutating func skipString() throws(JSONError) -> (content: Range<Int>, hasEscapes: Bool) {
        let start = self.position
        var hasEscapes = false
        while true {
            self.skipPlainASCII()
            guard self.position < self.bytes.count else { throw self.failure(.unexpectedEnd) }
            let byte = self.bytes[self.position]
            if byte == 0x22 {
                self.position += 1
                return (start..<self.position - 1, hasEscapes)
            }
            if byte == 0x5C {
                hasEscapes = true
                try self.skipEscape()
            } else if byte >= 0x80 {
                try self.skipScalar()
            } else {
                throw self.failure(.controlCharacter)
            }
        }
    }

    /// Skips eight bytes at a time while all are ASCII and none is a quotation mark, a backslash or a control character.
    @inline(__always)
    private mutating func skipPlainASCII() {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while self.position &+ 8 <= self.bytes.count {
            let word = UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt64.self))
            // In each byte the top bit tells: a zero byte after the exclusive or, a byte below 0x20, or one above 0x7F.
            let quotes = (word ^ (ones &* 0x22)) &- ones
            let backslashes = (word ^ (ones &* 0x5C)) &- ones
            let controls = word &- (ones &* 0x20)
            let special = (quotes | backslashes | controls | word) & tops
            if special != 0 {
                self.position &+= special.trailingZeroBitCount >> 3
                return
            }
            self.position &+= 8
        }
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            guard byte >= 0x20, byte < 0x80, byte != 0x22, byte != 0x5C else { return }
            self.position &+= 1
        }
    }

    private mutating func skipEscape() throws(JSONError) {
        let start = self.position
        self.position += 1
        switch self.current {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74:
            self.position += 1
        case 0x75:
            self.position += 1
            let unit = try self.hexadecimalUnit()
            guard unit & 0xF800 == 0xD800 else { return }
            guard unit < 0xDC00, self.current == 0x5C else { throw self.failure(.unpairedSurrogate, at: start) }
            self.position += 1
            guard self.current == 0x75 else { throw self.failure(.unpairedSurrogate, at: start) }
            self.position += 1
            guard try self.hexadecimalUnit() & 0xFC00 == 0xDC00 else {
                throw self.failure(.unpairedSurrogate, at: start)
            }
        default:
            throw self.failure(self.position < self.bytes.count ? .malformedEscape : .unexpectedEnd)
        }
    }

    private mutating func hexadecimalUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard self.position < self.bytes.count else { throw self.failure(.unexpectedEnd) }
            guard let digit = Self.hexadecimalDigit(self.bytes[self.position]) else {
                throw self.failure(.malformedEscape)
            }
            unit = unit << 4 | UInt16(digit)
            self.position += 1
        }
        return unit
    }

    static func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }

    /// Skips one scalar of two to four bytes (Unicode 16, table 3-7).
    private mutating func skipScalar() throws(JSONError) {
        let lead = self.bytes[self.position]
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        case 0xF1...0xF3: length = 4
        default: throw self.failure(.malformedUTF8)
        }
        guard self.position + length <= self.bytes.count, second.contains(self.bytes[self.position + 1]) else {
            throw self.failure(.malformedUTF8)
        }
        for index in 2..<Swift.max(2, length) where self.bytes[self.position + index] & 0xC0 != 0x80 {
            throw self.failure(.malformedUTF8)
        }
        self.position += length
    }

    /// The text of a string whose content `skipString` has accepted.
    @inline(__always)
    func text(_ content: Range<Int>, hasEscapes: Bool) -> String {
        if hasEscapes {
            return self.unescapedText(content)
        }
        return String(decoding: UnsafeRawBufferPointer(rebasing: self.bytes[content]), as: UTF8.self)
    }

    private func unescapedText(_ content: Range<Int>) -> String {
        String(unsafeUninitializedCapacity: content.count) { output in
            var written = 0
            var position = content.lowerBound
            while position < content.upperBound {
                let byte = self.bytes[position]
                guard byte == 0x5C else {
                    output[written] = byte
                    written += 1
                    position += 1
                    continue
                }
                let escape = self.bytes[position + 1]
                position += 2
                switch escape {
                case 0x62: output[written] = 0x08
                case 0x66: output[written] = 0x0C
                case 0x6E: output[written] = 0x0A
                case 0x72: output[written] = 0x0D
                case 0x74: output[written] = 0x09
                case 0x75:
                    let scalar = self.escapedScalar(&position)
                    for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                        output[written] = unit
                        written += 1
                    }
                    continue
                default: output[written] = escape
                }
                written += 1
            }
            return written
        }
    }

    /// Reads the digits of one accepted `\u` escape, or of two that form a pair.
    private func escapedScalar(_ position: inout Int) -> Unicode.Scalar {
        var value = self.acceptedUnit(at: position)
        position += 4
        if value & 0xF800 == 0xD800 {
            let low = self.acceptedUnit(at: position + 2)
            position += 6
            value = 0x10000 + (value & 0x3FF) << 10 + low & 0x3FF
        }
        return Unicode.Scalar(value) ?? "\u{FFFD}"
    }

    private func acceptedUnit(at position: Int) -> UInt32 {
        var unit: UInt32 = 0
        for index in 0..<4 {
            unit = unit << 4 | UInt32(Self.hexadecimalDigit(self.bytes[position + index]) ?? 0)
        }
        return unit
    }
}
