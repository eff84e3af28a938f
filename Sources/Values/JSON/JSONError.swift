/// Why bytes are not the JSON text (RFC 8259) that was expected, and where.
public struct JSONError: Error, Sendable, Hashable {
    /// What is wrong.
    public enum Code: String, Sendable, Hashable {
        /// The text ends in the middle of a value.
        case unexpectedEnd
        /// A character that cannot stand here.
        case unexpectedCharacter
        /// Something follows the value.
        case trailingCharacters
        /// A number not written as RFC 8259 wants it.
        case malformedNumber
        /// A number that decimal128 cannot hold exactly: too many digits, or too large.
        case unrepresentableNumber
        /// A control character inside a string.
        case controlCharacter
        /// A backslash followed by something that is no escape.
        case malformedEscape
        /// Half of a surrogate pair without the other half.
        case unpairedSurrogate
        /// Bytes that are not UTF-8.
        case malformedUTF8
        /// Values nested deeper than the limit.
        case tooDeep
        /// More bytes than the limit.
        case tooLarge
        /// The text is valid, but its top-level value is not an object.
        case notAnObject
    }

    /// What is wrong.
    public var code: Code
    /// Where, in bytes from the start.
    public var offset: Int
    /// The line, counted from 1.
    public var line: Int
    /// The column, in bytes counted from 1.
    public var column: Int

    /// What is wrong, in words.
    public var message: String {
        switch self.code {
        case .unexpectedEnd: "the text ends in the middle of a value"
        case .unexpectedCharacter: "unexpected character"
        case .trailingCharacters: "unexpected characters after the value"
        case .malformedNumber: "malformed number"
        case .unrepresentableNumber: "the number has more than 34 significant digits or is too large"
        case .controlCharacter: "a control character in a string must be escaped"
        case .malformedEscape: "malformed escape sequence in a string"
        case .unpairedSurrogate: "a \\u escape holds half a surrogate pair"
        case .malformedUTF8: "the bytes are not valid UTF-8"
        case .tooDeep: "values are nested too deeply"
        case .tooLarge: "the text is too large"
        case .notAnObject: "expected an object at the top level"
        }
    }

    init(_ code: Code, at offset: Int, in bytes: UnsafeRawBufferPointer) {
        self.code = code
        self.offset = offset
        var line = 1
        var lineStart = 0
        for position in 0..<Swift.min(offset, bytes.count) where bytes[position] == 0x0A {
            line += 1
            lineStart = position + 1
        }
        self.line = line
        self.column = offset - lineStart + 1
    }
}

extension JSONError: CustomStringConvertible {
    /// `line 3, column 7: malformed number`.
    public var description: String {
        "line \(self.line), column \(self.column): \(self.message)"
    }
}

/// What a JSON text may use at most.
public struct JSONLimits: Sendable, Hashable {
    /// The deepest nesting of arrays and objects.
    public var depthMax: Int
    /// The largest text in bytes.
    public var byteCountMax: Int

    /// 512 levels and 256 MiB.
    public static let `default` = JSONLimits()

    /// Creates limits; `depthMax` above 512 counts as 512.
    public init(depthMax: Int = 512, byteCountMax: Int = 256 << 20) {
        self.depthMax = Swift.min(depthMax, 512)
        self.byteCountMax = byteCountMax
    }
}
