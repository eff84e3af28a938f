/// The end of a command, or a remark: `OK [CODE] text` (RFC 3501, 7.1).
struct IMAPStatus: Sendable, Hashable {
    /// `OK`, `NO`, `BAD`, `BYE` or `PREAUTH`.
    var word: String
    /// What stands in brackets.
    var code: String?
    var text: String

    static let words: Set<String> = ["OK", "NO", "BAD", "BYE", "PREAUTH"]

    /// Reads what follows the tag; `nil` when it is no status.
    init?(_ line: Substring) {
        let word = line.prefix { $0 != " " }.uppercased()
        guard Self.words.contains(word) else { return nil }
        self.word = word
        var rest = line.dropFirst(word.count + 1)
        if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
            self.code = String(rest[rest.index(after: rest.startIndex)..<end])
            rest = rest[rest.index(after: end)...]
            rest.trimSpaces()
        }
        self.text = String(rest)
    }

    /// The value of a code such as `UIDVALIDITY 17`.
    func codeValue(_ name: String) -> Substring? {
        guard let code = self.code, code.uppercased().hasPrefix(name + " ") else { return nil }
        return code.dropFirst(name.count + 1)
    }
}

/// A piece of a response (RFC 3501, 4).
indirect enum IMAPToken: Sendable, Hashable {
    case atom(String)
    /// A quoted string or a literal.
    case string([UInt8])
    case list([IMAPToken])

    /// The text of an atom or a string.
    var text: String? {
        switch self {
        case .atom(let text): text
        case .string(let bytes): String(decoding: bytes, as: UTF8.self)
        case .list: nil
        }
    }

    /// The bytes of a string; nothing for `NIL`.
    var bytes: [UInt8]? {
        switch self {
        case .string(let bytes): bytes
        case .atom, .list: nil
        }
    }

    var list: [IMAPToken]? { if case .list(let tokens) = self { tokens } else { nil } }

    var number: UInt32? { self.text.flatMap { UInt32($0) } }
}

/// Puts a response together out of lines and the literals between them.
///
/// Pure.
struct IMAPTokenizer {
    /// Why a response cannot be read.
    struct Malformed: Error {
        var reason: String
        /// What kept the rest from coming, if that is why.
        var cause: (any Error)?
    }

    private static let depthMax = 32
    private static let tokensMax = 400_000

    private var stack: [[IMAPToken]] = [[]]
    private var count = 0

    /// What was read, once the last line was.
    func finish() throws(Malformed) -> [IMAPToken] {
        guard self.stack.count == 1 else { throw Malformed(reason: "a list without an end") }
        return self.stack[0]
    }

    /// Adds a literal.
    mutating func add(literal: [UInt8]) throws(Malformed) { try self.add(.string(literal)) }

    /// Adds a line; how many bytes of literal follow it, or nil when it is the last one.
    mutating func add(line: [UInt8]) throws(Malformed) -> Int? {
        var index = 0
        while index < line.count {
            let byte = line[index]
            switch byte {
            case UInt8(ascii: " "): index += 1
            case UInt8(ascii: "("):
                guard self.stack.count < Self.depthMax else { throw Malformed(reason: "lists nested too deeply") }
                self.stack.append([])
                index += 1
            case UInt8(ascii: ")"):
                guard self.stack.count > 1, let list = self.stack.popLast() else {
                    throw Malformed(reason: "a list without a beginning")
                }
                try self.add(.list(list))
                index += 1
            case UInt8(ascii: "\""): try self.add(.string(try Self.quoted(line, &index)))
            case UInt8(ascii: "{"):
                let digits = line[(index + 1)...].dropLast()
                guard line.last == UInt8(ascii: "}"), !digits.isEmpty, digits.count < 12,
                    let bytes = Int(
                        String(decoding: digits.last == UInt8(ascii: "+") ? digits.dropLast() : digits, as: UTF8.self)),
                    bytes >= 0
                else { throw Malformed(reason: "a literal without a length") }
                return bytes
            default: try self.add(.atom(Self.atom(line, &index)))
            }
        }
        return nil
    }

    private mutating func add(_ token: IMAPToken) throws(Malformed) {
        self.count += 1
        guard self.count <= Self.tokensMax else { throw Malformed(reason: "too many words") }
        self.stack[self.stack.count - 1].append(token)
    }

    private static func quoted(_ line: [UInt8], _ index: inout Int) throws(Malformed) -> [UInt8] {
        var bytes: [UInt8] = []
        index += 1
        while index < line.count {
            let byte = line[index]
            index += 1
            if byte == UInt8(ascii: "\"") { return bytes }
            if byte == UInt8(ascii: "\\"), index < line.count {
                bytes.append(line[index])
                index += 1
            } else {
                bytes.append(byte)
            }
        }
        throw Malformed(reason: "a string without an end")
    }

    /// A word; spaces and lists inside brackets belong to it, as in `BODY[HEADER.FIELDS (SUBJECT)]`.
    private static func atom(_ line: [UInt8], _ index: inout Int) -> String {
        let start = index
        var isInBrackets = false
        while index < line.count {
            let byte = line[index]
            if byte == UInt8(ascii: "[") { isInBrackets = true }
            if byte == UInt8(ascii: "]") { isInBrackets = false }
            if !isInBrackets, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "(") || byte == UInt8(ascii: ")") {
                break
            }
            index += 1
        }
        return String(decoding: line[start..<index], as: UTF8.self)
    }
}
