public import Values

/// Why the source text of an expression could not be compiled: what was expected, where, and what to do about it.
///
/// All languages throw it, not FEEL alone; ``code`` begins with the name of the language.
public struct FEELError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Names the kind of failure; each code has a page in `docs/errors`.
    public struct Code: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
        /// The code as printed, such as `FEEL-SYNTAX`.
        public let rawValue: String
        /// Creates a code from its printed form.
        public init(rawValue: String) { self.rawValue = rawValue }
        /// The text does not follow the FEEL grammar.
        public static let syntax = Code(rawValue: "FEEL-SYNTAX")
        /// A function is invoked that is neither built in, nor defined here, nor a known name.
        public static let unknownFunction = Code(rawValue: "FEEL-UNKNOWN-FUNCTION")
        /// The expression is nested deeper or is longer than ``Expression`` accepts.
        public static let tooComplex = Code(rawValue: "FEEL-TOO-COMPLEX")
        /// The text is valid FEEL that this engine refuses, such as an external function.
        public static let unsupported = Code(rawValue: "FEEL-UNSUPPORTED")
        /// The printed form.
        public var description: String { rawValue }
    }

    /// The kind of failure.
    public let code: Code
    /// What was expected and what was found.
    public let message: String
    /// Where in the source, in UTF-8 bytes from its beginning.
    public let offset: Int
    /// The line of `offset`, counted from 1.
    public let line: Int
    /// The column of `offset` in characters, counted from 1.
    public let column: Int
    /// What the author can do next, if that is known.
    public let remedy: String?

    /// Creates an error about a place in a source text.
    ///
    /// - Parameters:
    ///   - code: The kind of failure.
    ///   - message: What was expected and what was found.
    ///   - offset: Where, in bytes from the beginning of `source`.
    ///   - source: The UTF-8 of the source text.
    ///   - remedy: What the author can do next.
    public init(
        _ code: Code, _ message: String, at offset: Int, in source: some Collection<UInt8>, remedy: String? = nil
    ) {
        let position = SourcePosition(offset: offset, in: source)
        self.code = code
        self.message = message
        self.offset = offset
        self.line = position.line
        self.column = position.column
        self.remedy = remedy
    }

    /// `line:column: error CODE: message — remedy`.
    public var description: String {
        "\(line):\(column): error \(code): \(message)" + (remedy.map { " — \($0)" } ?? "")
    }

    /// The same failure in the shape shared by all documents.
    ///
    /// - Parameters:
    ///   - file: The document that holds the expression.
    ///   - elementID: The element that holds the expression.
    public func diagnostic(file: String? = nil, elementID: String? = nil) -> Diagnostic {
        Diagnostic(
            code: code.rawValue, severity: .error, message: "\(message) (line \(line), column \(column))",
            remedy: remedy,
            file: file, line: nil, column: nil, elementID: elementID)
    }
}

/// A place in a source text as people count it.
struct SourcePosition: Hashable {
    /// Line, from 1.
    var line = 1
    /// Column in Unicode scalars, from 1.
    var column = 1

    /// Counts lines and scalars up to `offset` UTF-8 bytes; an offset past the end is the end.
    init(offset: Int, in source: some Collection<UInt8>) {
        for byte in source.prefix(offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }
}
