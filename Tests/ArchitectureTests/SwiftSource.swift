/// The code of a Swift file, without its comments and the contents of its string literals.
///
/// Good enough to search for names: interpolations inside literals are dropped with the literal.
struct SwiftSource {
    let lines: [Substring]

    init(_ text: String) {
        lines = Self.withoutCommentsAndLiterals(text).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// Modules imported, in order, whatever attributes and access levels stand before the import.
    var imports: [String] {
        let pattern = /^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?import\s+/
        let kinds = /^(?:struct|class|enum|protocol|func|var|let|typealias)\s+/
        return lines.compactMap { line in
            guard let head = line.prefixMatch(of: pattern) else { return nil }
            var rest = line[head.range.upperBound...]
            if let kind = rest.prefixMatch(of: kinds) { rest = rest[kind.range.upperBound...] }
            return String(rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
        }
    }

    private static func withoutCommentsAndLiterals(_ text: String) -> String {
        var result = ""
        var rest = Substring(text)
        while let character = rest.first {
            if rest.hasPrefix("//") {
                rest = rest.drop { !$0.isNewline }
            } else if rest.hasPrefix("/*") {
                let comment = blockComment(rest)
                result += lineBreaks(comment)
                rest = rest[comment.endIndex...]
            } else if let literal = stringLiteral(rest) {
                result += "\"\"" + lineBreaks(literal)
                rest = rest[literal.endIndex...]
            } else {
                result.append(character)
                rest.removeFirst()
            }
        }
        return result
    }

    private static func lineBreaks(_ text: Substring) -> String {
        String(repeating: "\n", count: text.count(where: \.isNewline))
    }

    /// The block comment `text` begins with; block comments nest.
    private static func blockComment(_ text: Substring) -> Substring {
        var depth = 0
        var position = text.startIndex
        repeat {
            let here = text[position...]
            if here.hasPrefix("/*") {
                depth += 1
                position = text.index(position, offsetBy: 2)
            } else if here.hasPrefix("*/") {
                depth -= 1
                position = text.index(position, offsetBy: 2)
            } else {
                position = text.index(after: position)
            }
        } while depth > 0 && position < text.endIndex
        return text[..<position]
    }

    /// The string literal `text` begins with, delimiters included; nil when it does not begin with one.
    private static func stringLiteral(_ text: Substring) -> Substring? {
        let pounds = text.prefix { $0 == "#" }
        let afterPounds = text[pounds.endIndex...]
        guard afterPounds.first == "\"" else { return nil }
        let quotes = afterPounds.hasPrefix("\"\"\"") ? "\"\"\"" : "\""
        let end = quotes + pounds
        let escape = "\\" + pounds
        var position = afterPounds.index(afterPounds.startIndex, offsetBy: quotes.count)
        while position < text.endIndex {
            let here = text[position...]
            if here.hasPrefix(end) { return text[..<here.index(position, offsetBy: end.count)] }
            if here.hasPrefix(escape + "(") {
                position = endOfInterpolation(text, from: here.index(position, offsetBy: escape.count))
            } else {
                let step = here.hasPrefix(escape) ? escape.count + 1 : 1
                position = text.index(position, offsetBy: step, limitedBy: text.endIndex) ?? text.endIndex
            }
        }
        return text
    }

    /// The position after the closing parenthesis of an interpolation, literals inside it included.
    private static func endOfInterpolation(_ text: Substring, from start: Substring.Index) -> Substring.Index {
        var depth = 0
        var position = start
        while position < text.endIndex {
            if let literal = stringLiteral(text[position...]) {
                position = literal.endIndex
                continue
            }
            if text[position] == "(" { depth += 1 }
            if text[position] == ")" { depth -= 1 }
            position = text.index(after: position)
            if depth == 0 { break }
        }
        return position
    }
}
