extension JSONScanner {
    /// The content of a string in the text.
    struct StringContent {
        /// Where it lies, without the quotation marks.
        var range: Range<Int>
        /// Whether it holds escapes.
        var hasEscapes = false
        /// Whether it is ASCII as written.
        var isASCII = true
    }

    /// Skips the rest of a string, its opening quotation mark passed, and the closing one.
    @inline(__always)
    mutating func skipString() throws(JSONError) -> StringContent {
        var content = StringContent(range: self.position..<self.position)
        while true {
            self.skipPlainASCII()
            guard self.position < self.bytes.count else { throw self.failure(.unexpectedEnd) }
            let byte = self.bytes[self.position]
            if byte == 0x22 {
                content.range = content.range.lowerBound..<self.position
                self.position += 1
                return content
            }
            if byte == 0x5C {
                content.hasEscapes = true
                try self.skipEscape()
            } else if byte >= 0x80 {
                content.isASCII = false
                try self.skipScalar()
            } else {
                throw self.failure(.controlCharacter)
            }
        }
    }

    /// Skips eight bytes at a time while all are ASCII and none is a quotation mark, a backslash or a control character.
    @inline(__always)
    private mutating func skipPlainASCII() {
        while self.position &+ 8 <= self.bytes.count {
            let word = UInt64(littleEndian: self.bytes.loadUnaligned(fromByteOffset: self.position, as: UInt64.self))
            let special = (JSONText.specialBytes(word) | word) & JSONText.topBits
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

    /// Skips one scalar of two to four bytes.
    private mutating func skipScalar() throws(JSONError) {
        guard let length = UTF8Validation.scalarLength(self.bytes, at: self.position) else {
            throw self.failure(.malformedUTF8)
        }
        self.position += length
    }

    /// The text of a string whose content `skipString` has accepted.
    @inline(__always)
    func text(_ content: StringContent) -> String {
        if content.hasEscapes {
            return self.unescapedText(content.range)
        }
        return String(decoding: UnsafeRawBufferPointer(rebasing: self.bytes[content.range]), as: UTF8.self)
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
