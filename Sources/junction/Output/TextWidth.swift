/// How much room text takes on a terminal.
enum TextWidth {
    /// Columns of a text without control sequences: two for a wide (East Asian, emoji) character, one for any other.
    static func of(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 128 }) { return text.utf8.count }
        return text.reduce(0) { $0 + Self.of($1) }
    }

    private static func of(_ character: Character) -> Int {
        guard let scalar = character.unicodeScalars.first else { return 0 }
        if scalar.properties.isEmojiPresentation { return 2 }
        switch scalar.value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF, 0xA000...0xA4CF,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x20000...0x3FFFD:
            return 2
        default:
            return 1
        }
    }

    /// The text cut to `width` columns, with `…` where something is missing.
    static func cut(_ text: String, to width: Int) -> String {
        guard Self.of(text) > width else { return text }
        var result = ""
        var used = 0
        for character in text {
            let next = Self.of(character)
            guard used + next <= width - 1 else { break }
            result.append(character)
            used += next
        }
        return width > 0 ? result + "…" : ""
    }

    /// The text with spaces up to `width` columns.
    static func pad(_ text: String, to width: Int, right: Bool = false) -> String {
        let spaces = String(repeating: " ", count: max(0, width - Self.of(text)))
        return right ? spaces + text : text + spaces
    }
}
