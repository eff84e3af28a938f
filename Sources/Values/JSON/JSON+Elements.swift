extension JSON {
    /// Splits a JSON array into its elements, without building their values.
    ///
    /// The ranges are indexes into `bytes`; the text in each is validated.
    public static func elements(
        of bytes: ArraySlice<UInt8>, limits: JSONLimits = .default
    ) throws(JSONError) -> [Range<Int>] {
        let base = bytes.startIndex
        return try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) -> [Range<Int>] in
            var scanner = try JSONScanner(UnsafeRawBufferPointer(buffer), limits: limits)
            return try scanner.elements(base: base)
        }
    }
}

extension JSONScanner {
    /// Splits a top-level array; `base` is added to every position.
    fileprivate mutating func elements(base: Int) throws(JSONError) -> [Range<Int>] {
        self.skipWhitespace()
        guard self.current == 0x5B else {
            throw self.failure(.unexpectedCharacter)
        }
        var elements: [Range<Int>] = []
        try self.enter(0)
        if self.current == 0x5D {
            self.position += 1
        } else {
            repeat {
                let start = self.position
                try self.skipValue(depth: 1)
                elements.append(base + start..<base + self.position)
            } while try self.separator(closing: 0x5D)
        }
        try self.expectEnd()
        return elements
    }
}
