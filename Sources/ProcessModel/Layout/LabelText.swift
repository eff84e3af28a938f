/// How text is set on diagrams: a fixed width a character, so that the same text always takes the same room.
enum LabelText {
    /// Average width of a character and height of a line, in pixels.
    static let (characterWidth, lineHeight) = (6, 14)

    /// The text in lines no wider than this; a longer word has a line of its own.
    static func lines(_ text: String, width: Int) -> [String] {
        let charactersMax = max(width / characterWidth, 4)
        var lines: [String] = []
        for word in text.split(whereSeparator: \.isWhitespace) {
            if let last = lines.last, last.count + 1 + word.count <= charactersMax {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(String(word))
            }
        }
        return lines
    }

    /// The room a text takes, zero when there is none; a word that is wider is cut off.
    static func size(_ text: String, width: Int) -> (width: Int, height: Int) {
        let lines = lines(text, width: width)
        let widest = lines.map(\.count).max() ?? 0
        return (min(widest * characterWidth + 4, width), lines.count * lineHeight)
    }
}
