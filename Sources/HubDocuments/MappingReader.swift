public import Decisions
import Values

/// Reads one mapping of a document key by key, and then says which keys nobody asked for.
///
/// Every accessor notes what is wrong in the log and returns nil (or the default), so that one reading finds every
/// error of a document. Call `finish()` last.
public final class MappingReader {
    /// The mapping's entries.
    public let entries: [DocumentNode.Entry]
    /// Where the mapping starts.
    public let position: DocumentPosition
    /// Where errors go.
    public let log: DiagnosticLog
    /// The path of keys from the document's root, for messages; empty at the root.
    public let path: String
    private var known: [String] = []

    /// Reads `node`, which must be a mapping; anything else is noted, and read as an empty one.
    public init(_ node: DocumentNode, path: String = "", log: DiagnosticLog) {
        self.position = node.position
        self.path = path
        self.log = log
        switch node.content {
        case .mapping(let entries):
            self.entries = entries
        default:
            self.entries = []
            let place = path.isEmpty ? "the document" : "\"\(path)\""
            log.error(.invalidValue, "Expected \(place) to be a mapping but found \(node.summary).", at: node.position)
        }
    }

    /// The path of `key`, for messages.
    public func path(of key: String) -> String {
        self.path.isEmpty ? key : self.path + "." + key
    }

    /// The node under `key`; an explicit null counts as absent.
    public func node(_ key: String) -> DocumentNode? {
        if !self.known.contains(key) { self.known.append(key) }
        guard let node = self.entries.first(where: { $0.key == key })?.value, node.content != .null else { return nil }
        return node
    }

    /// The node under `key`; its absence is noted.
    public func requiredNode(_ key: String, example: String? = nil) -> DocumentNode? {
        if let node = self.node(key) { return node }
        self.log.error(
            .missingKey, "\"\(self.path(of: key))\" is missing.",
            remedy: example.map { "Add it, for example: \($0)" } ?? "Add it.", at: self.position)
        return nil
    }

    /// Notes that the value under `key` is not what was expected.
    public func reject(_ key: String, _ node: DocumentNode, expected: String, remedy: String? = nil) {
        self.log.error(
            .invalidValue, "Expected \"\(self.path(of: key))\" to be \(expected) but found \(node.summary).",
            remedy: remedy, at: node.position)
    }

    /// Notes that `key`, when present, asks for something this version does not do.
    public func refuse(_ key: String, _ reason: String, remedy: String) {
        guard let node = self.node(key) else { return }
        self.log.error(
            .notSupported, "\"\(self.path(of: key))\": \(reason)", remedy: remedy, at: node.position)
    }

    /// Notes every key that no accessor asked for, each with what was probably meant.
    public func finish() {
        for entry in self.entries where !self.known.contains(entry.key) {
            self.log.error(
                .unknownKey, "Unknown key \"\(self.path(of: entry.key))\".",
                remedy: self.hint(for: entry.key), at: entry.position)
        }
    }

    private func hint(for key: String) -> String {
        ClosestMatch.of(key, in: self.known).map { "Did you mean \"\($0)\"?" }
            ?? "Possible here: \(self.known.sorted().joined(separator: ", "))."
    }
}

// MARK: - Typed accessors

extension MappingReader {
    /// A text.
    public func string(_ key: String) -> String? {
        self.node(key).flatMap { self.string(key, $0) }
    }

    /// A text that must be there.
    public func requiredString(_ key: String, example: String? = nil) -> String? {
        self.requiredNode(key, example: example).flatMap { self.string(key, $0) }
    }

    private func string(_ key: String, _ node: DocumentNode) -> String? {
        if case .string(let text) = node.content { return text }
        self.reject(key, node, expected: "text", remedy: "Quote it if it is meant as text.")
        return nil
    }

    /// A name: a letter or digit, then letters, digits and `._-/`; at most 200 characters.
    public func requiredName(_ key: String, example: String? = nil) -> String? {
        guard let node = self.requiredNode(key, example: example), let text = self.string(key, node) else { return nil }
        let isName =
            text.utf8.count <= 200 && text.first.map { $0.isASCII && ($0.isLetter || $0.isNumber) } ?? false
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-/".contains($0)) }
        guard isName else {
            self.reject(key, node, expected: "a name of ASCII letters, digits, dots, dashes and slashes")
            return nil
        }
        return text
    }

    /// One of a few words.
    public func word<Word: RawRepresentable & CaseIterable>(_ key: String, _ type: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let node = self.node(key) else { return nil }
        let words = Word.allCases.map(\.rawValue)
        guard case .string(let text) = node.content else {
            self.reject(key, node, expected: "one of \(words.joined(separator: ", "))")
            return nil
        }
        if let word = Word(rawValue: text) { return word }
        self.reject(
            key, node, expected: "one of \(words.joined(separator: ", "))",
            remedy: ClosestMatch.of(text, in: words).map { "Did you mean \"\($0)\"?" })
        return nil
    }

    /// True or false.
    public func boolean(_ key: String) -> Bool? {
        guard let node = self.node(key) else { return nil }
        if case .boolean(let flag) = node.content { return flag }
        self.reject(key, node, expected: "true or false")
        return nil
    }

    /// A whole number within `range`.
    public func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = self.node(key) else { return nil }
        if case .number(let number) = node.content, let value = number.int64, let value = Int(exactly: value),
            range.contains(value)
        {
            return value
        }
        self.reject(key, node, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// A number within `range`.
    public func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let node = self.node(key) else { return nil }
        if case .number(let number) = node.content, range.contains(number.double) { return number.double }
        self.reject(key, node, expected: "a number from \(range.lowerBound) to \(range.upperBound)")
        return nil
    }

    /// A length of time within `range`, such as `500ms`, `1h30m` or `7d`.
    public func duration(_ key: String, in range: ClosedRange<Duration>) -> Duration? {
        guard let node = self.node(key) else { return nil }
        if case .string(let text) = node.content, let duration = Quantity.duration(text), range.contains(duration) {
            return duration
        }
        self.reject(
            key, node,
            expected: "a duration from \(Quantity.text(range.lowerBound)) to \(Quantity.text(range.upperBound))",
            remedy: "Write a number with ms, s, m, h or d, such as 500ms, 1h30m or 7d.")
        return nil
    }

    /// A number of bytes within `range`, such as `4096` or `1MiB`.
    public func byteCount(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let node = self.node(key) else { return nil }
        let count: Int? =
            switch node.content {
            case .number(let number): number.int64.flatMap { Int(exactly: $0) }
            case .string(let text): Quantity.bytes(text)
            default: nil
            }
        if let count, range.contains(count) { return count }
        self.reject(
            key, node, expected: "from \(range.lowerBound) to \(range.upperBound) bytes",
            remedy: "Write a whole number, with KiB, MiB or GiB when it is large.")
        return nil
    }

    /// A mapping; nil when absent.
    public func mapping(_ key: String) -> MappingReader? {
        self.node(key).map { MappingReader($0, path: self.path(of: key), log: self.log) }
    }

    /// A mapping that must be there.
    public func requiredMapping(_ key: String, example: String? = nil) -> MappingReader? {
        self.requiredNode(key, example: example).map { MappingReader($0, path: self.path(of: key), log: self.log) }
    }

    /// A list of nodes; empty when absent.
    public func list(_ key: String) -> [DocumentNode] {
        guard let node = self.node(key) else { return [] }
        if case .list(let items) = node.content { return items }
        self.reject(key, node, expected: "a list")
        return []
    }

    /// A list of texts, or one text; empty when absent.
    public func strings(_ key: String) -> [String] {
        guard let node = self.node(key) else { return [] }
        if case .string(let text) = node.content { return [text] }
        return self.list(key).compactMap { item in
            if case .string(let text) = item.content { return text }
            self.reject(key, item, expected: "a list of texts")
            return nil
        }
    }

    /// A FEEL expression, written as text that begins with `=`.
    public func expression(_ key: String) -> Expression? {
        self.node(key).flatMap { self.expression(key, $0) }
    }

    /// Compiles the expression in `node`, the value of `key`.
    public func expression(_ key: String, _ node: DocumentNode) -> Expression? {
        guard case .string(let text) = node.content, text.hasPrefix("=") else {
            self.reject(
                key, node, expected: "a FEEL expression", remedy: "Write text that begins with =, such as \"=data.id\"."
            )
            return nil
        }
        do {
            return try Expression.compile(String(text.dropFirst()), mode: .expression)
        } catch {
            self.log.error(
                .invalidExpression, "\"\(self.path(of: key))\" is not a FEEL expression: \(error.message)",
                remedy: error.remedy, at: node.position)
            return nil
        }
    }
}
