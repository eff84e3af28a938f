/// The first words of statements, which tell what kind they are of.
package enum SQLWords {
    /// The first words, in upper case; comments are none.
    package static func first(_ count: Int, of text: String) -> [String] {
        var words: [String] = []
        var rest = text.utf8[...]
        while words.count < count, let byte = rest.first {
            if rest.starts(with: "--".utf8) {
                rest = rest.drop { $0 != UInt8(ascii: "\n") }
            } else if rest.starts(with: "/*".utf8) {
                Self.skipComment(&rest)
            } else if Self.isLetter(byte) {
                words.append(String(decoding: rest.prefix(while: Self.isLetter), as: UTF8.self).uppercased())
                rest = rest.drop(while: Self.isLetter)
            } else if byte <= 0x20 || (byte == UInt8(ascii: ";") && words.isEmpty) {
                rest.removeFirst()
            } else {
                break
            }
        }
        return words.isEmpty && !rest.isEmpty ? [String(decoding: rest.prefix(1), as: UTF8.self)] : words
    }

    private static func skipComment(_ rest: inout Substring.UTF8View) {
        var depth = 0
        while !rest.isEmpty {
            if rest.starts(with: "/*".utf8) {
                depth += 1
                rest = rest.dropFirst(2)
            } else if rest.starts(with: "*/".utf8) {
                depth -= 1
                rest = rest.dropFirst(2)
                if depth == 0 { return }
            } else {
                rest.removeFirst()
            }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || byte == UInt8(ascii: "_")
    }
}
