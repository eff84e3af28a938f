/// The code of a Swift file, without its comments and the contents of its string literals; lines stay where they are.
///
/// Good enough to search for names: interpolations inside literals are dropped with the literal.
struct SwiftSource {
    let code: String

    init(_ text: String) {
        var scanner = SwiftScanner(Array(text.utf8))
        code = String(decoding: scanner.code(), as: UTF8.self)
    }

    /// Modules imported, in order, whatever attributes and access levels stand before the import.
    var imports: [String] {
        code.split(separator: "\n").compactMap { line in
            var words = line.split { $0 == " " || $0 == "\t" }[...]
            while let word = words.first, word.hasPrefix("@") || Self.accessLevels.contains(word) {
                words.removeFirst()
            }
            guard words.popFirst() == "import" else { return nil }
            if let word = words.first, Self.importKinds.contains(word) { words.removeFirst() }
            return words.first.map { String($0.prefix { $0 != "." && $0 != ";" }) }
        }
    }

    private static let accessLevels: Set<Substring> = ["public", "package", "internal", "fileprivate", "private"]
    private static let importKinds: Set<Substring> = [
        "struct", "class", "enum", "protocol", "func", "var", "let", "typealias",
    ]
}

/// Copies code and line feeds, and leaves out comments and the contents of literals.
private struct SwiftScanner {
    private let bytes: [UInt8]
    private var position = 0
    private var output: [UInt8] = []

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        output.reserveCapacity(bytes.count)
    }

    mutating func code() -> [UInt8] {
        while position < bytes.count {
            if at("//") {
                while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { position += 1 }
            } else if at("/*") {
                skipBlockComment()
            } else if let pounds = poundsBeforeQuote() {
                output += [UInt8(ascii: "\""), UInt8(ascii: "\"")]
                skipLiteral(pounds: pounds)
            } else {
                output.append(bytes[position])
                position += 1
            }
        }
        return output
    }

    private func at(_ text: StaticString, offset: Int = 0) -> Bool {
        let start = position + offset
        guard start + text.utf8CodeUnitCount <= bytes.count else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[start + $0] == text.utf8Start[$0] }
    }

    private mutating func skip(_ count: Int) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] == UInt8(ascii: "\n") { output.append(UInt8(ascii: "\n")) }
            position += 1
        }
    }

    /// Block comments nest.
    private mutating func skipBlockComment() {
        var depth = 0
        repeat {
            if at("/*") {
                depth += 1
                skip(2)
            } else if at("*/") {
                depth -= 1
                skip(2)
            } else {
                skip(1)
            }
        } while depth > 0 && position < bytes.count
    }

    /// How many `#` stand here before a quote; nil when no literal begins here.
    private func poundsBeforeQuote() -> Int? {
        var pounds = 0
        while position + pounds < bytes.count, bytes[position + pounds] == UInt8(ascii: "#") { pounds += 1 }
        return at("\"", offset: pounds) ? pounds : nil
    }

    private func pounds(_ count: Int, at offset: Int) -> Bool {
        position + offset + count <= bytes.count
            && (0..<count).allSatisfy { bytes[position + offset + $0] == UInt8(ascii: "#") }
    }

    private mutating func skipLiteral(pounds count: Int) {
        let quotes = at("\"\"\"", offset: count) ? 3 : 1
        skip(count + quotes)
        while position < bytes.count {
            if quotes == 3 ? at("\"\"\"") : at("\""), pounds(count, at: quotes) { return skip(quotes + count) }
            if at("\\"), pounds(count, at: 1) {
                skip(1 + count)
                if at("(") { skipInterpolation() } else { skip(1) }
            } else {
                skip(1)
            }
        }
    }

    /// Up to the closing parenthesis, literals inside included.
    private mutating func skipInterpolation() {
        var depth = 0
        repeat {
            if let pounds = poundsBeforeQuote() {
                skipLiteral(pounds: pounds)
                continue
            }
            if at("(") { depth += 1 }
            if at(")") { depth -= 1 }
            skip(1)
        } while depth > 0 && position < bytes.count
    }
}
