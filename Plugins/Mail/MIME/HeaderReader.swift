/// Reads header fields (RFC 5322, 2047, 2231), forgiving what mail gets wrong.
///
/// Pure and bounded.
enum HeaderReader {
    private static let fieldsMax = 1_000

    /// Cuts a part into its fields, unfolded, and its content.
    static func split(_ bytes: ArraySlice<UInt8>) -> (fields: [(name: String, value: [UInt8])], body: ArraySlice<UInt8>)
    {
        var fields: [(name: String, value: [UInt8])] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let end = bytes[index...].firstIndex(of: 10) ?? bytes.endIndex
            var line = bytes[index..<end]
            let next = min(end + 1, bytes.endIndex)
            if line.last == 13 { line = line.dropLast() }
            if line.isEmpty { return (fields, bytes[next...]) }
            if line.first == 32 || line.first == 9 {
                if !fields.isEmpty { fields[fields.count - 1].value += line }
            } else if let colon = line.firstIndex(of: UInt8(ascii: ":")) {
                var name = line[..<colon]
                while name.last == 32 || name.last == 9 { name = name.dropLast() }
                if fields.count < Self.fieldsMax {
                    fields.append((String(decoding: name, as: UTF8.self), Array(line[(colon + 1)...])))
                }
            } else if fields.isEmpty || !line.starts(with: "From ".utf8) {
                // No header at all: everything is content.
                return (fields, bytes[index...])
            }
            index = next
        }
        return (fields, bytes[bytes.endIndex...])
    }

    /// The text of a field, encoded words read.
    static func text(_ value: [UInt8]) -> String {
        var text = ""
        var index = value.startIndex
        var plain: [UInt8] = []
        var endsWithWord = false
        // Bytes of one character may be spread over words that follow each other.
        var pending: (charset: String, bytes: [UInt8])?
        func flushWord() {
            if let word = pending { text += Charset.decode(word.bytes, word.charset) }
            pending = nil
        }
        func flushPlain() {
            text += Charset.decode(plain, "utf-8-or-other")
            plain = []
        }
        while index < value.endIndex {
            if let (charset, bytes, end) = Self.encodedWord(value, at: index) {
                // White space between two encoded words is none.
                if !(endsWithWord && plain.allSatisfy({ $0 == 32 || $0 == 9 })) {
                    flushWord()
                    flushPlain()
                }
                plain = []
                if let last = pending, last.charset == charset {
                    pending = (charset, last.bytes + bytes)
                } else {
                    flushWord()
                    pending = (charset, bytes)
                }
                endsWithWord = true
                index = end
            } else {
                if value[index] != 32, value[index] != 9 {
                    if endsWithWord { flushWord() }
                    endsWithWord = false
                }
                plain.append(value[index])
                index += 1
            }
        }
        flushWord()
        flushPlain()
        return Self.cleaned(text)
    }

    /// Without control characters and surrounding spaces.
    static func cleaned(_ text: String) -> String {
        var shown = Substring(
            String(
                String.UnicodeScalarView(
                    text.unicodeScalars.filter { $0 == "\t" || $0.properties.generalCategory != .control })))
        shown.trimSpaces()
        return String(shown)
    }

    /// An encoded word that begins at `start`: its bytes, and where it ends.
    private static func encodedWord(_ bytes: [UInt8], at start: Int) -> (charset: String, bytes: [UInt8], end: Int)? {
        guard bytes[start] == UInt8(ascii: "="), bytes[start...].starts(with: "=?".utf8) else { return nil }
        // Longer ones than the standard's 75 exist; a bound there must be.
        let window = bytes[start..<min(start + 1_000, bytes.count)]
        let marks = window.indices.lazy.filter { window[$0] == UInt8(ascii: "?") }.prefix(4)
        let places = Array(marks)
        guard places.count == 4, places[3] + 1 < bytes.count, bytes[places[3] + 1] == UInt8(ascii: "="),
            places[2] == places[1] + 2
        else { return nil }
        let name = String(decoding: bytes[(places[0] + 1)..<places[1]], as: UTF8.self)
        // A language may follow the name (RFC 2231, 5).
        let charset = String(name.prefix { $0 != "*" }).lowercased()
        let content = bytes[(places[2] + 1)..<places[3]]
        switch bytes[places[1] + 1] {
        case UInt8(ascii: "B"), UInt8(ascii: "b"):
            return (charset, TransferEncoding.decodeBase64(content), places[3] + 2)
        case UInt8(ascii: "Q"), UInt8(ascii: "q"):
            return (charset, TransferEncoding.decodeQuotedPrintable(content, isWord: true), places[3] + 2)
        default: return nil
        }
    }

    /// A value with parameters, such as `text/plain; charset=utf-8`; names in lower case.
    static func parameters(_ value: [UInt8]) -> (value: String, parameters: [String: String]) {
        var pieces = Self.pieces(value, separator: UInt8(ascii: ";"))[...]
        let first = Self.cleaned(String(decoding: pieces.popFirst() ?? [], as: UTF8.self)).lowercased()
        var plain: [String: String] = [:]
        var sections: [String: [Int: (text: [UInt8], isEncoded: Bool)]] = [:]
        for piece in pieces.prefix(200) {
            guard let equals = piece.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = Self.cleaned(String(decoding: piece[..<equals], as: UTF8.self)).lowercased()
            let content = Self.unquoted(Array(piece[(equals + 1)...]))
            let marks = name.split(separator: "*", omittingEmptySubsequences: false)
            if marks.count == 1 {
                plain[name] = Self.text(content)
            } else {
                let number = Int(marks[1]) ?? 0
                let isEncoded = name.hasSuffix("*")
                if (0..<200).contains(number) {
                    sections[String(marks[0]), default: [:]][number] = (content, isEncoded)
                }
            }
        }
        for (name, parts) in sections {
            var charset = "utf-8"
            var bytes: [UInt8] = []
            for (index, part) in parts.sorted(by: { $0.key < $1.key }).enumerated() {
                var text = part.value.text[...]
                if index == 0, part.value.isEncoded {
                    // charset'language'text
                    let quotes = text.indices.filter { text[$0] == UInt8(ascii: "'") }
                    if quotes.count >= 2 {
                        charset = String(decoding: text[..<quotes[0]], as: UTF8.self)
                        text = text[(quotes[1] + 1)...]
                    }
                }
                bytes += part.value.isEncoded ? Self.percentDecoded(text) : Array(text)
            }
            plain[name] = Self.cleaned(Charset.decode(bytes, charset))
        }
        return (first, plain)
    }

    private static func percentDecoded(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var decoded: [UInt8] = []
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let digits = String(decoding: bytes[(index + 1)...].prefix(2), as: UTF8.self)
            if bytes[index] == UInt8(ascii: "%"), digits.utf8.count == 2, let byte = UInt8(digits, radix: 16) {
                decoded.append(byte)
                index += 3
            } else {
                decoded.append(bytes[index])
                index += 1
            }
        }
        return decoded
    }

    /// Cuts at a separator that stands neither in quotes, nor in comments, nor in angle brackets.
    private static func pieces(_ value: [UInt8], separator: UInt8) -> [[UInt8]] {
        var pieces: [[UInt8]] = [[]]
        var isQuoted = false
        var depth = 0
        var index = 0
        while index < value.count {
            let byte = value[index]
            if byte == UInt8(ascii: "\\"), isQuoted, index + 1 < value.count {
                pieces[pieces.count - 1] += value[index...(index + 1)]
                index += 2
                continue
            }
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted, byte == UInt8(ascii: "(") || byte == UInt8(ascii: "<") { depth += 1 }
            if !isQuoted, byte == UInt8(ascii: ")") || byte == UInt8(ascii: ">") { depth = max(0, depth - 1) }
            if byte == separator, !isQuoted, depth == 0 {
                pieces.append([])
            } else {
                pieces[pieces.count - 1].append(byte)
            }
            index += 1
        }
        return pieces
    }

    private static func unquoted(_ bytes: [UInt8]) -> [UInt8] {
        var text = bytes[...]
        while text.first == 32 || text.first == 9 { text = text.dropFirst() }
        while text.last == 32 || text.last == 9 { text = text.dropLast() }
        guard text.first == UInt8(ascii: "\"") else { return Array(text) }
        var plain: [UInt8] = []
        var isEscaped = false
        for byte in text.dropFirst() {
            if isEscaped {
                plain.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                break
            } else {
                plain.append(byte)
            }
        }
        return plain
    }

    /// A list of mailboxes: name and address of each; groups are taken apart.
    static func addresses(_ value: [UInt8]) -> [(name: String, address: String)] {
        var found: [(name: String, address: String)] = []
        for piece in Self.pieces(value, separator: UInt8(ascii: ",")).prefix(1_000) {
            var piece = piece
            // The name of a group, and its end.
            if let colon = piece.firstIndex(of: UInt8(ascii: ":")), !piece[..<colon].contains(UInt8(ascii: "<")),
                !piece[..<colon].contains(UInt8(ascii: "\""))
            {
                piece.removeFirst(colon + 1)
            }
            if piece.last == UInt8(ascii: ";") { piece.removeLast() }
            if let open = piece.lastIndex(of: UInt8(ascii: "<")) {
                let end = piece[open...].firstIndex(of: UInt8(ascii: ">")) ?? piece.endIndex
                let address = Self.cleaned(String(decoding: piece[(open + 1)..<end], as: UTF8.self))
                let name = Self.text(Self.unquoted(Array(piece[..<open])))
                if !address.isEmpty { found.append((name, address)) }
            } else {
                let address = Self.cleaned(String(decoding: piece.prefix { $0 != UInt8(ascii: "(") }, as: UTF8.self))
                if address.contains("@") { found.append(("", address)) }
            }
        }
        return found
    }
}
