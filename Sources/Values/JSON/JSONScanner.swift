/// Walks over JSON text without building anything.
///
/// The parser, the validator and the member splitter share it.
struct JSONScanner {
    let bytes: UnsafeRawBufferPointer
    let depthMax: Int
    var position = 0

    init(_ bytes: UnsafeRawBufferPointer, limits: JSONLimits) throws(JSONError) {
        self.bytes = bytes
        self.depthMax = limits.depthMax
        guard bytes.count <= limits.byteCountMax else { throw self.failure(.tooLarge) }
    }

    func failure(_ code: JSONError.Code, at offset: Int? = nil) -> JSONError {
        JSONError(code, at: offset ?? self.position, in: self.bytes)
    }

    /// The failure of a byte that cannot stand at the position, or of the end.
    func unexpected() -> JSONError {
        self.failure(self.position < self.bytes.count ? .unexpectedCharacter : .unexpectedEnd)
    }

    /// The next byte, or 0 at the end: a byte no value begins or continues with.
    @inline(__always)
    var current: UInt8 {
        self.position < self.bytes.count ? self.bytes[self.position] : 0
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while self.position < self.bytes.count {
            let byte = self.bytes[self.position]
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            self.position += 1
        }
    }

    mutating func expectEnd() throws(JSONError) {
        self.skipWhitespace()
        guard self.position == self.bytes.count else { throw self.failure(.trailingCharacters) }
    }

    /// Skips `text`, whose first byte has been seen.
    mutating func skipLiteral(_ text: StaticString) throws(JSONError) {
        for index in 0..<text.utf8CodeUnitCount {
            guard self.current == text.utf8Start[index] else { throw self.unexpected() }
            self.position += 1
        }
    }

    /// Skips one value; `depth` is the number of arrays and objects around it.
    mutating func skipValue(depth: Int) throws(JSONError) {
        switch self.current {
        case 0x22:
            self.position += 1
            _ = try self.skipString()
        case 0x7B:
            try self.skipObject(depth: depth)
        case 0x5B:
            try self.skipArray(depth: depth)
        case 0x74:
            try self.skipLiteral("true")
        case 0x66:
            try self.skipLiteral("false")
        case 0x6E:
            try self.skipLiteral("null")
        default:
            _ = try self.number()
        }
    }

    private mutating func skipArray(depth: Int) throws(JSONError) {
        try self.enter(depth)
        if self.current == 0x5D {
            self.position += 1
            return
        }
        while true {
            try self.skipValue(depth: depth + 1)
            guard try self.separator(closing: 0x5D) else { return }
        }
    }

    private mutating func skipObject(depth: Int) throws(JSONError) {
        try self.enter(depth)
        if self.current == 0x7D {
            self.position += 1
            return
        }
        while true {
            try self.beginString()
            _ = try self.skipString()
            try self.skipColon()
            try self.skipValue(depth: depth + 1)
            guard try self.separator(closing: 0x7D) else { return }
        }
    }

    /// Skips an opening bracket and the white space after it.
    @inline(__always)
    mutating func enter(_ depth: Int) throws(JSONError) {
        guard depth < self.depthMax else { throw self.failure(.tooDeep) }
        self.position += 1
        self.skipWhitespace()
    }

    /// Skips the quotation mark a key must begin with.
    @inline(__always)
    mutating func beginString() throws(JSONError) {
        guard self.current == 0x22 else { throw self.unexpected() }
        self.position += 1
    }

    @inline(__always)
    mutating func skipColon() throws(JSONError) {
        self.skipWhitespace()
        guard self.current == 0x3A else { throw self.unexpected() }
        self.position += 1
        self.skipWhitespace()
    }

    /// Skips a comma and returns true, or skips the closing bracket and returns false.
    @inline(__always)
    mutating func separator(closing bracket: UInt8) throws(JSONError) -> Bool {
        self.skipWhitespace()
        let byte = self.current
        guard byte == 0x2C || byte == bracket else { throw self.unexpected() }
        self.position += 1
        guard byte == 0x2C else { return false }
        self.skipWhitespace()
        return true
    }
}
