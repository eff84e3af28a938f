/// Cuts FEEL source text into tokens, one at a time (DMN 1.5, clause 10.3.1.2).
///
/// The lexer knows nothing of names with spaces; it hands out their words.
struct Lexer {
    let bytes: [UInt8]
    var position = 0

    init(_ source: String) {
        bytes = Array(source.utf8)
    }

    /// The token at or after `position`, which moves behind it.
    mutating func next() throws(FEELError) -> Token {
        try skipBlanks()
        let start = position
        guard let byte = byte(at: start) else { return Token(kind: .end, start: start, end: start) }
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return scanNumber()
        case UInt8(ascii: "\""):
            return try scanString(from: start, kind: .string)
        case UInt8(ascii: "@"):
            guard self.byte(at: start + 1) == UInt8(ascii: "\"") else {
                throw error("Expected '\"' after '@' but found \(describe(at: start + 1))", at: start + 1)
            }
            position += 1
            return try scanString(from: start, kind: .temporal)
        case UInt8(ascii: "."):
            if self.byte(at: start + 1) == UInt8(ascii: ".") { return take(2, .dots) }
            if let digit = self.byte(at: start + 1), isDigit(digit) { return scanNumber() }
            return take(1, .dot)
        default:
            if let symbol = symbol(byte, after: self.byte(at: start + 1)) { return take(symbol.length, symbol.kind) }
            return try scanWord()
        }
    }

    private func symbol(_ byte: UInt8, after next: UInt8?) -> (kind: Token.Kind, length: Int)? {
        switch byte {
        case UInt8(ascii: "+"): (.plus, 1)
        case UInt8(ascii: "-"): next == UInt8(ascii: ">") ? (.arrow, 2) : (.minus, 1)
        case UInt8(ascii: "*"): next == UInt8(ascii: "*") ? (.power, 2) : (.star, 1)
        case UInt8(ascii: "/"): (.slash, 1)
        case UInt8(ascii: "<"): next == UInt8(ascii: "=") ? (.lessOrEqual, 2) : (.less, 1)
        case UInt8(ascii: ">"): next == UInt8(ascii: "=") ? (.greaterOrEqual, 2) : (.greater, 1)
        case UInt8(ascii: "="): (.equal, 1)
        case UInt8(ascii: "!"): next == UInt8(ascii: "=") ? (.notEqual, 2) : nil
        case UInt8(ascii: "("): (.leftParenthesis, 1)
        case UInt8(ascii: ")"): (.rightParenthesis, 1)
        case UInt8(ascii: "["): (.leftBracket, 1)
        case UInt8(ascii: "]"): (.rightBracket, 1)
        case UInt8(ascii: "{"): (.leftBrace, 1)
        case UInt8(ascii: "}"): (.rightBrace, 1)
        case UInt8(ascii: ","): (.comma, 1)
        case UInt8(ascii: ":"): (.colon, 1)
        case UInt8(ascii: "'"): (.apostrophe, 1)
        default: nil
        }
    }

    private mutating func take(_ length: Int, _ kind: Token.Kind) -> Token {
        let start = position
        position += length
        return Token(kind: kind, start: start, end: position)
    }

    /// White space and comments.
    ///
    /// A comment without an end is an error.
    private mutating func skipBlanks() throws(FEELError) {
        while let scalar = scalar(at: position) {
            if scalar.value.isBlank {
                position += scalar.length
            } else if scalar.value == "/", byte(at: position + 1) == UInt8(ascii: "/") {
                while let byte = byte(at: position), byte != UInt8(ascii: "\n") { position += 1 }
            } else if scalar.value == "/", byte(at: position + 1) == UInt8(ascii: "*") {
                let start = position
                position += 2
                while !(byte(at: position) == UInt8(ascii: "*") && byte(at: position + 1) == UInt8(ascii: "/")) {
                    guard position < bytes.count else {
                        throw error("Expected '*/' at the end of the comment", at: start)
                    }
                    position += 1
                }
                position += 2
            } else {
                return
            }
        }
    }

    private mutating func scanNumber() -> Token {
        let start = position
        skipDigits()
        if byte(at: position) == UInt8(ascii: "."), let digit = byte(at: position + 1), isDigit(digit) {
            position += 1
            skipDigits()
        }
        if let byte = byte(at: position), byte | 0x20 == UInt8(ascii: "e") {
            var exponent = position + 1
            if let sign = self.byte(at: exponent), sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
                exponent += 1
            }
            if let digit = self.byte(at: exponent), isDigit(digit) {
                position = exponent
                skipDigits()
            }
        }
        return Token(kind: .number, start: start, end: position)
    }

    private mutating func skipDigits() {
        while let byte = byte(at: position), isDigit(byte) { position += 1 }
    }

    private mutating func scanString(from start: Int, kind: Token.Kind) throws(FEELError) -> Token {
        position += 1
        while let byte = byte(at: position) {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return Token(kind: kind, start: start, end: position)
            case UInt8(ascii: "\\"):
                position += 2
            default:
                position += 1
            }
        }
        throw error("Expected '\"' at the end of the string", at: start)
    }

    private mutating func scanWord() throws(FEELError) -> Token {
        let start = position
        guard let first = scalar(at: position), first.value.startsName else {
            throw error("Expected an expression but found \(describe(at: start))", at: start)
        }
        position += first.length
        if first.value != "?" { skipNamePart() }
        return Token(kind: .word, start: start, end: position)
    }

    /// Moves behind the name characters at `position`.
    mutating func skipNamePart() {
        while let next = scalar(at: position), next.value.continuesName { position += next.length }
    }
}

extension Lexer {
    func byte(at index: Int) -> UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    /// The Unicode scalar that begins at `index`, with its length in bytes.
    ///
    /// `String` guarantees valid UTF-8.
    func scalar(at index: Int) -> (value: Unicode.Scalar, length: Int)? {
        guard index < bytes.count else { return nil }
        let first = bytes[index]
        if first < 0x80 { return (Unicode.Scalar(first), 1) }
        let length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        var code = UInt32(first) & (length == 2 ? 0x1F : length == 3 ? 0x0F : 0x07)
        for offset in 1..<length where index + offset < bytes.count {
            code = code << 6 | UInt32(bytes[index + offset] & 0x3F)
        }
        return (Unicode.Scalar(code) ?? "\u{FFFD}", length)
    }

    func text(_ token: Token) -> String {
        text(token.start, token.end)
    }

    func text(_ start: Int, _ end: Int) -> String {
        String(decoding: bytes[start..<end], as: UTF8.self)
    }

    func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    func error(_ message: String, at offset: Int, remedy: String? = nil) -> FEELError {
        FEELError(.syntax, message, at: offset, in: bytes, remedy: remedy)
    }

    /// The character at `index` as an error message shows it.
    func describe(at index: Int) -> String {
        guard let scalar = scalar(at: index) else { return "the end of the expression" }
        return "'\(scalar.value)'"
    }

    /// The contents of a string token with its escapes resolved.
    func stringContents(_ token: Token) throws(FEELError) -> String {
        var index = token.start + (token.kind == .temporal ? 2 : 1)
        let end = token.end - 1
        guard bytes[index..<end].contains(UInt8(ascii: "\\")) else { return text(index, end) }
        var contents: [UInt8] = []
        contents.reserveCapacity(end - index)
        while index < end {
            guard bytes[index] == UInt8(ascii: "\\") else {
                contents.append(bytes[index])
                index += 1
                continue
            }
            let escape = bytes[index + 1]
            switch escape {
            case UInt8(ascii: "n"): contents.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "r"): contents.append(UInt8(ascii: "\r"))
            case UInt8(ascii: "t"): contents.append(UInt8(ascii: "\t"))
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "'"): contents.append(escape)
            case UInt8(ascii: "u"), UInt8(ascii: "U"):
                let scalar = try unicodeEscape(at: index, before: end)
                contents.append(contentsOf: String(scalar.value).utf8)
                index += scalar.length
                continue
            default:
                // An unknown escape stands for itself, as in regular expressions such as "\d+".
                contents.append(UInt8(ascii: "\\"))
                contents.append(escape)
            }
            index += 2
        }
        return String(decoding: contents, as: UTF8.self)
    }

    /// `\uXXXX`, a pair of such surrogates, or `\UXXXXXX`.
    private func unicodeEscape(at index: Int, before end: Int) throws(FEELError) -> (value: Unicode.Scalar, length: Int)
    {
        let digits = bytes[index + 1] == UInt8(ascii: "u") ? 4 : 6
        guard let high = hexadecimal(from: index + 2, count: digits, before: end) else {
            throw error("Expected \(digits) hexadecimal digits after '\(text(index, index + 2))'", at: index)
        }
        if let scalar = Unicode.Scalar(high) { return (scalar, digits + 2) }
        let next = index + 6
        if high >= 0xD800, high < 0xDC00, next + 1 < end, bytes[next] == UInt8(ascii: "\\"),
            bytes[next + 1] == UInt8(ascii: "u"), let low = hexadecimal(from: next + 2, count: 4, before: end),
            low >= 0xDC00, low < 0xE000,
            let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
        {
            return (scalar, 12)
        }
        throw error(
            "Expected a Unicode character but '\(text(index, min(index + digits + 2, end)))' is none", at: index)
    }

    private func hexadecimal(from start: Int, count: Int, before end: Int) -> UInt32? {
        guard start + count <= end else { return nil }
        var value: UInt32 = 0
        for byte in bytes[start..<(start + count)] {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt32(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt32(byte - UInt8(ascii: "a") + 10)
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = value << 4 | UInt32(byte - UInt8(ascii: "A") + 10)
            default: return nil
            }
        }
        return value
    }
}

extension Unicode.Scalar {
    /// White space of FEEL grammar rules 61 and 62.
    var isBlank: Bool {
        switch value {
        case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x180E, 0x2000...0x200B, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000,
            0xFEFF:
            true
        default: false
        }
    }

    /// Name start character, rule 28.
    var startsName: Bool {
        switch value {
        case 0x3F, 0x5F, 0x41...0x5A, 0x61...0x7A, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x2FF, 0x370...0x37D,
            0x37F...0x1FFF, 0x200C...0x200D, 0x2070...0x218F, 0x2C00...0x2FEF, 0x3001...0xD7FF, 0xF900...0xFDCF,
            0xFDF0...0xFFFD, 0x10000...0xEFFFF:
            !isBlank
        default: false
        }
    }

    /// Name part character, rule 29.
    var continuesName: Bool {
        switch value {
        case 0x30...0x39, 0xB7, 0x300...0x36F, 0x203F...0x2040: true
        default: startsName && value != 0x3F
        }
    }
}
