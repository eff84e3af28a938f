/// Finds parameters.
struct SQLScanner {
    let bytes: [UInt8]
    let dialect: SQLTemplate.Dialect
    var parameters: [(range: Range<Int>, name: String)] = []
    /// Parentheses that are open.
    var depth = 0
    /// Whether there was a semicolon, or a parenthesis that closes none.
    var escapes = false
    private var position = 0

    init(bytes: [UInt8], dialect: SQLTemplate.Dialect) {
        self.bytes = bytes
        self.dialect = dialect
    }

    mutating func run() throws(SQLTemplate.Unterminated) {
        while let byte = self.peek(0) {
            switch byte {
            case UInt8(ascii: "'"):
                try self.skipQuoted(byte, "text", hasBackslashes: self.dialect.hasBackslashes || self.isEscapeText)
            case UInt8(ascii: "\""):
                try self.skipQuoted(byte, "name", hasBackslashes: self.dialect.hasBackslashes)
            case UInt8(ascii: "`") where self.dialect.hasBackticks:
                try self.skipQuoted(byte, "name", hasBackslashes: false)
            case UInt8(ascii: "[") where self.dialect.hasBrackets:
                try self.skipQuoted(UInt8(ascii: "]"), "name", hasBackslashes: false)
            case UInt8(ascii: "-") where self.peek(1) == byte: self.skipLine()
            case UInt8(ascii: "#") where self.dialect.hasHashComments: self.skipLine()
            case UInt8(ascii: "/") where self.peek(1) == UInt8(ascii: "*"): try self.skipComment()
            case UInt8(ascii: "$") where self.dialect.hasDollarQuotes: try self.skipDollar()
            case UInt8(ascii: ":"): self.readColon()
            case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: ";"): self.readStructure(byte)
            default: self.position += 1
            }
        }
    }

    private func peek(_ offset: Int) -> UInt8? {
        let index = self.position + offset
        return self.bytes.indices.contains(index) ? self.bytes[index] : nil
    }

    /// Whether the quote here belongs to `E'…'`.
    private var isEscapeText: Bool {
        guard self.dialect.hasEscapeTexts, let before = self.peek(-1), before | 0x20 == UInt8(ascii: "e") else {
            return false
        }
        return !(self.peek(-2).map(Self.continuesName) ?? false)
    }

    private func unterminated(_ what: String, from start: Int) -> SQLTemplate.Unterminated {
        let line = 1 + self.bytes[..<start].reduce(0) { $0 + ($1 == UInt8(ascii: "\n") ? 1 : 0) }
        return SQLTemplate.Unterminated(what: what, line: line)
    }

    /// Skips to the closing quote; a doubled one is content.
    private mutating func skipQuoted(
        _ quote: UInt8, _ what: String, hasBackslashes: Bool
    ) throws(SQLTemplate.Unterminated) {
        let start = self.position
        self.position += 1
        while let byte = self.peek(0) {
            if hasBackslashes, byte == UInt8(ascii: "\\") {
                self.position += 2
            } else if byte == quote {
                self.position += 1
                guard self.peek(0) == quote else { return }
                self.position += 1
            } else {
                self.position += 1
            }
        }
        throw self.unterminated(what, from: start)
    }

    private mutating func readStructure(_ byte: UInt8) {
        self.position += 1
        switch byte {
        case UInt8(ascii: "("): self.depth += 1
        case UInt8(ascii: ")"):
            self.depth -= 1
            if self.depth < 0 { self.escapes = true }
        default: self.escapes = true
        }
    }

    private mutating func skipLine() {
        while let byte = self.peek(0), byte != UInt8(ascii: "\n") { self.position += 1 }
    }

    private mutating func skipComment() throws(SQLTemplate.Unterminated) {
        let start = self.position
        var depth = 0
        while let byte = self.peek(0) {
            if byte == UInt8(ascii: "/"), self.peek(1) == UInt8(ascii: "*"),
                depth == 0 || self.dialect.hasNestedComments
            {
                depth += 1
                self.position += 2
            } else if byte == UInt8(ascii: "*"), self.peek(1) == UInt8(ascii: "/") {
                depth -= 1
                self.position += 2
                if depth == 0 { return }
            } else {
                self.position += 1
            }
        }
        throw self.unterminated("comment", from: start)
    }

    /// Skips `$tag$ … $tag$`, or just the sign: `$1` is a parameter of the server's own.
    private mutating func skipDollar() throws(SQLTemplate.Unterminated) {
        let start = self.position
        if let before = self.peek(-1), Self.continuesName(before) {
            self.position += 1
            return
        }
        var length = 1
        while let byte = self.peek(length), Self.continuesName(byte), byte != UInt8(ascii: "$") { length += 1 }
        let isTag = self.peek(length) == UInt8(ascii: "$") && (length == 1 || Self.beginsName(self.bytes[start + 1]))
        guard isTag else {
            self.position += length
            return
        }
        let tag = self.bytes[start...(start + length)]
        self.position += tag.count
        while self.position + tag.count <= self.bytes.count {
            if self.bytes[self.position..<(self.position + tag.count)].elementsEqual(tag) {
                self.position += tag.count
                return
            }
            self.position += 1
        }
        throw self.unterminated("text", from: start)
    }

    private mutating func readColon() {
        let start = self.position
        // A cast, or an assignment.
        if let next = self.peek(1), next == UInt8(ascii: ":") || next == UInt8(ascii: "=") {
            self.position += 2
            return
        }
        self.position += 1
        guard let first = self.peek(0), Self.beginsName(first) else { return }
        while let byte = self.peek(0), Self.continuesName(byte), byte != UInt8(ascii: "$") { self.position += 1 }
        let name = String(decoding: self.bytes[(start + 1)..<self.position], as: UTF8.self)
        self.parameters.append((start..<self.position, name))
    }

    private static func beginsName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
            0x80...0xFF:
            true
        default: false
        }
    }

    private static func continuesName(_ byte: UInt8) -> Bool {
        Self.beginsName(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "$")
    }
}
