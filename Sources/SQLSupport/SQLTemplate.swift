/// A statement whose parameters are written as the caller likes, cut so that a driver can be given its own form.
///
/// `:name` stands for a named parameter. Texts, quoted names, comments, casts (`::type`) and assignments (`:=`) are left
/// alone. A colon that is followed by anything but a letter or `_` stays as it is.
package struct SQLTemplate: Sendable, Hashable {
    /// What a dialect of SQL reads differently from the standard.
    package struct Dialect: Sendable, Hashable {
        /// Whether `$tag$ … $tag$` is a text.
        package var hasDollarQuotes = false
        /// Whether a text with an E before it reads backslashes.
        package var hasEscapeTexts = false
        /// Whether every text reads backslashes.
        package var hasBackslashes = false
        /// Whether backticks enclose a name.
        package var hasBackticks = false
        /// Whether `[…]` is a name.
        package var hasBrackets = false
        /// Whether comments nest.
        package var hasNestedComments = false
        /// Whether `#` begins a comment.
        package var hasHashComments = false

        /// The standard.
        package init() {}

        /// PostgreSQL.
        package static let postgreSQL: Dialect = {
            var dialect = Dialect()
            dialect.hasDollarQuotes = true
            dialect.hasEscapeTexts = true
            dialect.hasNestedComments = true
            return dialect
        }()

        /// MariaDB and MySQL.
        package static let mariaDB: Dialect = {
            var dialect = Dialect()
            dialect.hasBackslashes = true
            dialect.hasBackticks = true
            dialect.hasHashComments = true
            return dialect
        }()

        /// SQLite, which also takes the quotes of others.
        package static let sqlite: Dialect = {
            var dialect = Dialect()
            dialect.hasBackticks = true
            dialect.hasBrackets = true
            return dialect
        }()
    }

    /// Something that is never closed.
    package struct Unterminated: Error, Sendable, Hashable, CustomStringConvertible {
        /// What it is, such as `text`.
        package var what: String
        /// Where it begins: a line, from 1.
        package var line: Int

        /// A sentence with both.
        package var description: String { "The \(self.what) that begins in line \(self.line) does not end." }
    }

    private var pieces: [String] = []
    /// The parameters in the order of their appearance, repeated as they are.
    package private(set) var names: [String] = []

    /// Cuts `text`.
    package init(_ text: String, _ dialect: Dialect) throws(Unterminated) {
        var scanner = SQLScanner(bytes: Array(text.utf8), dialect: dialect)
        try scanner.run()
        var start = 0
        for (range, name) in scanner.parameters {
            self.pieces.append(String(decoding: scanner.bytes[start..<range.lowerBound], as: UTF8.self))
            self.names.append(name)
            start = range.upperBound
        }
        self.pieces.append(String(decoding: scanner.bytes[start...], as: UTF8.self))
    }

    /// Whether `text` can stand between parentheses: none of its own closes more than it opens, and no semicolon ends it.
    package static func isSingleExpression(_ text: String, _ dialect: Dialect) throws(Unterminated) -> Bool {
        var scanner = SQLScanner(bytes: Array(text.utf8), dialect: dialect)
        try scanner.run()
        return scanner.depth == 0 && !scanner.escapes
    }

    /// The names, each once, in the order of their first appearance.
    package var distinctNames: [String] {
        var seen: Set<String> = []
        return self.names.filter { seen.insert($0).inserted }
    }

    /// The statement with `placeholder` of the position in `names` in place of each parameter.
    package func text(_ placeholder: (_ position: Int, _ name: String) -> String) -> String {
        var text = self.pieces.first ?? ""
        for (position, name) in self.names.enumerated() {
            text += placeholder(position, name)
            text += self.pieces[position + 1]
        }
        return text
    }

    /// The statement with `$1`, `$2`, … where a name always has the same number: that of `distinctNames`.
    package var numbered: String {
        let numbers = Dictionary(
            self.distinctNames.enumerated().map { ($0.element, $0.offset + 1) }, uniquingKeysWith: { first, _ in first }
        )
        return self.text { _, name in "$\(numbers[name] ?? 0)" }
    }

    /// The statement with `?` for every parameter, to be bound in the order of `names`.
    package var questioned: String { self.text { _, _ in "?" } }
}
