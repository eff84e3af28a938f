/// The words and symbols of a language that JUEL and XPath have in common, cut from a source text one at a time.
struct ForeignLexer {
    /// What differs between the languages.
    struct Dialect: Sendable {
        /// The codes of its errors.
        let codes: [Failure: FEELError.Code]
        /// All symbols, longer ones before their beginnings.
        let symbols: [[UInt8]]
        /// Whether `\` in a string stands for the character behind it.
        let hasEscapes: Bool
        /// Whether `-` and `.` may be within a name.
        let hasXMLNames: Bool

        init(
            syntax: FEELError.Code, unsupported: FEELError.Code, tooComplex: FEELError.Code, symbols: String,
            hasEscapes: Bool, hasXMLNames: Bool
        ) {
            codes = [.syntax: syntax, .unsupported: unsupported, .tooComplex: tooComplex]
            self.symbols = symbols.split(separator: " ").map { Array($0.utf8) }
            self.hasEscapes = hasEscapes
            self.hasXMLNames = hasXMLNames
        }
    }

    /// The ways in which a text is not accepted.
    enum Failure: Sendable {
        case syntax, unsupported, tooComplex
    }

    enum Kind: Sendable, Hashable {
        case name, number, string, symbol, end
    }

    struct Token: Sendable {
        let kind: Kind
        /// The name, digits or symbol; of a string what is between the quotes, without escapes.
        let text: String
        let start: Int
        let end: Int

        func isSymbol(_ symbol: String) -> Bool { kind == .symbol && text == symbol }

        /// What the token is called in a message.
        var spelled: String {
            switch kind {
            case .end: "the end of the expression"
            case .string: "the text '\(text.prefix(40))'"
            default: "'\(text.prefix(40))'"
            }
        }
    }

    let bytes: [UInt8]
    let dialect: Dialect
    var position = 0

    /// The longest source text, in bytes.
    static let lengthMax = 128 << 10

    init(_ source: String, _ dialect: Dialect) throws(FEELError) {
        bytes = Array(source.utf8)
        self.dialect = dialect
        guard bytes.count <= Self.lengthMax else {
            throw error(
                .tooComplex, "The expression is \(bytes.count) bytes long; at most \(Self.lengthMax) are accepted",
                at: 0, remedy: "Split the expression, or pass the data as a variable")
        }
    }

    /// The token at or after `position`, which moves behind it.
    mutating func next() throws(FEELError) -> Token {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
        let start = position
        guard start < bytes.count else { return Token(kind: .end, text: "", start: start, end: start) }
        let byte = bytes[start]
        if byte == UInt8(ascii: "'") || byte == UInt8(ascii: "\"") { return try string(quote: byte) }
        if isDigit(start) || byte == UInt8(ascii: ".") && isDigit(start + 1) { return number() }
        if startsName(byte) { return name() }
        if let symbol = dialect.symbols.first(where: { bytes[start...].starts(with: $0) }) {
            position += symbol.count
            return token(.symbol, from: start)
        }
        throw error(
            .syntax, "Expected an operator, a name or a value but found '\(character(at: start))'", at: start,
            remedy: byte == UInt8(ascii: "{") ? "Text with ${…} is JUEL; no braces stand within an expression" : nil)
    }

    func error(_ failure: Failure, _ message: String, at offset: Int, remedy: String?) -> FEELError {
        FEELError(dialect.codes[failure] ?? .syntax, message, at: offset, in: bytes, remedy: remedy)
    }

    private func token(_ kind: Kind, from start: Int) -> Token {
        Token(kind: kind, text: text(start..<position), start: start, end: position)
    }

    private func text(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func character(at offset: Int) -> Character {
        text(offset..<min(offset + 16, bytes.count)).first ?? "\u{FFFD}"
    }

    private func isDigit(_ index: Int) -> Bool {
        index < bytes.count && (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[index])
    }

    private func startsName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }

    private mutating func name() -> Token {
        let start = position
        while position < bytes.count, continuesName(position) { position += 1 }
        return token(.name, from: start)
    }

    private func continuesName(_ index: Int) -> Bool {
        let byte = bytes[index]
        if startsName(byte) || isDigit(index) { return true }
        if !dialect.hasXMLNames { return byte == UInt8(ascii: "$") }
        return byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
    }

    private mutating func number() -> Token {
        let start = position
        while isDigit(position) { position += 1 }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            while isDigit(position) { position += 1 }
        }
        if !dialect.hasXMLNames, position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            let hasSign = position + 1 < bytes.count && "+-".utf8.contains(bytes[position + 1])
            let digits = position + (hasSign ? 2 : 1)
            if isDigit(digits) {
                position = digits
                while isDigit(position) { position += 1 }
            }
        }
        return token(.number, from: start)
    }

    private mutating func string(quote: UInt8) throws(FEELError) -> Token {
        let start = position
        var content: [UInt8] = []
        position += 1
        while position < bytes.count, bytes[position] != quote {
            if dialect.hasEscapes, bytes[position] == UInt8(ascii: "\\"), position + 1 < bytes.count { position += 1 }
            content.append(bytes[position])
            position += 1
        }
        guard position < bytes.count else {
            throw error(.syntax, "Expected \(Character(.init(quote))) at the end of the text", at: start, remedy: nil)
        }
        position += 1
        return Token(kind: .string, text: String(decoding: content, as: UTF8.self), start: start, end: position)
    }
}
