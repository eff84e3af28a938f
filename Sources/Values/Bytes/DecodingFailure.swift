/// Why bytes could not be decoded.
public struct DecodingFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What went wrong.
    public enum Reason: Sendable, Hashable {
        /// The bytes end before the value does.
        case truncated
        /// A length exceeds what is left or what is allowed.
        case length(UInt64)
        /// A variable-length integer does not fit in 64 bits.
        case oversizedInteger
        /// Text is not UTF-8.
        case invalidText
        /// A tag no version of this software has written.
        case unknownTag(UInt8)
        /// Values are nested deeper than allowed.
        case tooDeep
        /// A field has a value outside its domain.
        case invalidValue
    }

    /// What went wrong.
    public var reason: Reason
    /// Where, in bytes from the start of the buffer.
    public var offset: Int

    /// Creates a failure.
    public init(_ reason: Reason, offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// What went wrong and where.
    public var description: String {
        let what =
            switch self.reason {
            case .truncated: "the bytes end before the value does"
            case .length(let length): "a length of \(length) exceeds what is left"
            case .oversizedInteger: "a variable-length integer does not fit in 64 bits"
            case .invalidText: "text is not UTF-8"
            case .unknownTag(let tag): "unknown tag \(tag); the bytes may come from a newer version"
            case .tooDeep: "values are nested too deeply"
            case .invalidValue: "a field has a value outside its domain"
            }
        return "cannot decode at byte \(self.offset): \(what)"
    }
}
