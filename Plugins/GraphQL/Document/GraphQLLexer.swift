/// Cuts a document into tokens (GraphQL specification of October 2021, section 2.1).
///
/// Pure.
struct GraphQLLexer {
    /// One token.
    enum Token: Hashable, Sendable {
        /// `!`, `$`, `&`, `(`, `)`, `:`, `=`, `@`, `[`, `]`, `{`, `|`, `}` or `...`.
        case punctuator(String)
        case name(String)
        case number(isFloat: Bool)
        case string(String)
        case end

        /// How it is called in a message.
        var text: String {
            switch self {
            case .punctuator(let text), .name(let text): "\"\(text.prefix(40))\""
            case .number: "a number"
            case .string: "a string"
            case .end: "the end"
            }
        }
    }

    private let bytes: [UInt8]
    private var position = 0
    private(set) var line = 1

    init(_ text: String) {
        self.bytes = Array(text.utf8)
        if self.bytes.starts(with: [0xEF, 0xBB, 0xBF]) { self.position = 3 }
    }

    /// The next token.
    mutating func next() throws(GraphQLSyntaxError) -> Token {
        self.skipIgnored()
        guard let byte = self.byte else { return .end }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "$"), UInt8(ascii: "&"), UInt8(ascii: "("), UInt8(ascii: ")"),
            UInt8(ascii: ":"), UInt8(ascii: "="), UInt8(ascii: "@"), UInt8(ascii: "["), UInt8(ascii: "]"),
            UInt8(ascii: "{"), UInt8(ascii: "|"), UInt8(ascii: "}"):
            self.position += 1
            return .punctuator(String(UnicodeScalar(byte)))
        case UInt8(ascii: "."):
            guard self.bytes[self.position...].starts(with: "...".utf8) else { throw self.failure("a single dot") }
            self.position += 3
            return .punctuator("...")
        case UInt8(ascii: "\""):
            return .string(try self.string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return .number(isFloat: try self.number())
        case _ where Self.startsName(byte):
            let start = self.position
            while let byte = self.byte, Self.startsName(byte) || Self.isDigit(byte) { self.position += 1 }
            return .name(String(decoding: self.bytes[start..<self.position], as: UTF8.self))
        default:
            throw self.failure("a character that cannot stand there")
        }
    }

    private var byte: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private static func startsName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"): true
        default: false
        }
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    private func failure(_ what: String) -> GraphQLSyntaxError {
        GraphQLSyntaxError(line: self.line, reason: "found \(what)")
    }

    /// White space, line ends, commas and comments.
    private mutating func skipIgnored() {
        while let byte = self.byte {
            switch byte {
            case UInt8(ascii: "\n"): self.line += 1
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: ","): break
            case UInt8(ascii: "#"):
                while let next = self.byte, next != UInt8(ascii: "\n"), next != UInt8(ascii: "\r") {
                    self.position += 1
                }
                continue
            default: return
            }
            self.position += 1
        }
    }

    // MARK: - Numbers

    /// Reads a number; whether it is a float.
    private mutating func number() throws(GraphQLSyntaxError) -> Bool {
        if self.byte == UInt8(ascii: "-") { self.position += 1 }
        let startsWithZero = self.byte == UInt8(ascii: "0")
        let count = try self.digits()
        if startsWithZero, count > 1 { throw self.failure("a number with a leading zero") }
        var isFloat = false
        if self.byte == UInt8(ascii: ".") {
            self.position += 1
            _ = try self.digits()
            isFloat = true
        }
        if self.byte == UInt8(ascii: "e") || self.byte == UInt8(ascii: "E") {
            self.position += 1
            if self.byte == UInt8(ascii: "+") || self.byte == UInt8(ascii: "-") { self.position += 1 }
            _ = try self.digits()
            isFloat = true
        }
        if let byte = self.byte, Self.startsName(byte) || byte == UInt8(ascii: ".") {
            throw self.failure("a number that goes on")
        }
        return isFloat
    }

    private mutating func digits() throws(GraphQLSyntaxError) -> Int {
        let start = self.position
        while let byte = self.byte, Self.isDigit(byte) { self.position += 1 }
        guard self.position > start else { throw self.failure("a number without digits") }
        return self.position - start
    }

    // MARK: - Strings

    private mutating func string() throws(GraphQLSyntaxError) -> String {
        if self.bytes[self.position...].starts(with: "\"\"\"".utf8) { return try self.blockString() }
        self.position += 1
        var text: [UInt8] = []
        while let byte = self.byte {
            self.position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try self.escape(into: &text)
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): throw self.failure("a line end inside a string")
            default: text.append(byte)
            }
        }
        throw self.failure("a string without an end")
    }

    private mutating func escape(into text: inout [UInt8]) throws(GraphQLSyntaxError) {
        guard let byte = self.byte else { throw self.failure("a string without an end") }
        self.position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            let unit = try self.hexadecimal()
            if let scalar = UnicodeScalar(unit) {
                text += Array(String(Character(scalar)).utf8)
            } else {
                // Half of a pair.
                guard (0xD800...0xDBFF).contains(unit), self.bytes[self.position...].starts(with: "\\u".utf8) else {
                    throw self.failure("half of a surrogate pair")
                }
                self.position += 2
                let low = try self.hexadecimal()
                guard (0xDC00...0xDFFF).contains(low),
                    let scalar = UnicodeScalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + UInt32(low) - 0xDC00)
                else { throw self.failure("half of a surrogate pair") }
                text += Array(String(Character(scalar)).utf8)
            }
        default: throw self.failure("an unknown escape")
        }
    }

    private mutating func hexadecimal() throws(GraphQLSyntaxError) -> UInt16 {
        let digits = self.bytes[self.position...].prefix(4)
        guard digits.count == 4, digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-"),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw self.failure("an escape that is not \\u and four digits") }
        self.position += 4
        return unit
    }

    /// The text between three quotes; indentation is kept, since nobody reads it.
    private mutating func blockString() throws(GraphQLSyntaxError) -> String {
        self.position += 3
        let start = self.position
        while let byte = self.byte {
            let rest = self.bytes[self.position...]
            if rest.starts(with: "\\\"\"\"".utf8) {
                self.position += 4
            } else if rest.starts(with: "\"\"\"".utf8) {
                let text = String(decoding: self.bytes[start..<self.position], as: UTF8.self)
                self.position += 3
                return text
            } else {
                if byte == UInt8(ascii: "\n") { self.line += 1 }
                self.position += 1
            }
        }
        throw self.failure("a string without an end")
    }
}

/// Why a document cannot be read.
struct GraphQLSyntaxError: Error, Hashable, CustomStringConvertible {
    var line: Int
    var reason: String

    var description: String { "line \(self.line): \(self.reason)" }
}
