internal import ConnectorKit
internal import SQLSupport
internal import Values

/// One statement with the values of `$1`, `$2`, ….
struct PostgresStatement: Sendable, Hashable {
    var text: String
    var parameters: [Value] = []
    /// What the user calls the parameters, for messages; empty when they are numbered.
    var names: [String] = []

    func name(_ index: Int) -> String {
        self.names.indices.contains(index) ? ":\(self.names[index])" : "$\(index + 1)"
    }

    /// Whether it may commit parts of its work by itself, so that an error says nothing about them.
    var commitsByItself: Bool {
        let word = SQLWords.first(1, of: self.text).first
        return word == "CALL" || word == "DO"
    }
}

/// What must not get to a connection that others use next.
enum PostgresWords {
    private static let refused: Set<String> = [
        "ABORT", "BEGIN", "COMMIT", "COPY", "DEALLOCATE", "DISCARD", "END", "LISTEN", "PREPARE", "RELEASE", "RESET",
        "ROLLBACK", "SAVEPOINT", "SET", "START", "UNLISTEN",
    ]

    /// What is wrong with `text` as a statement of its own, or as one `inTransaction`.
    static func problem(_ text: String, inTransaction: Bool) -> String? {
        if text.utf8.contains(0) { return "holds a zero character" }
        let words = SQLWords.first(2, of: text)
        guard let first = words.first else { return "is empty" }
        guard Self.refused.contains(first) else { return nil }
        if inTransaction, first == "SET", words.count > 1, ["LOCAL", "CONSTRAINTS", "TRANSACTION"].contains(words[1]) {
            return nil
        }
        switch first {
        case "COPY": return "begins with COPY; use copyIn or copyOut"
        case "LISTEN", "UNLISTEN": return "begins with \(first); use a source of the event notification"
        case "SET", "RESET", "DISCARD", "PREPARE", "DEALLOCATE":
            return "begins with \(first), which would change the connection for other calls"
        default: return "begins with \(first); use transaction for several statements that belong together"
        }
    }
}

/// What a statement gave.
struct PostgresResult: Sendable, Hashable {
    var rows: [Value] = []
    /// Whether there were no more rows than these.
    var isComplete = true
    var affected: Int?
    var hasRows = false

    /// As an operation's result.
    var value: ValueContext {
        var value: ValueContext = ["affected": SQLText.whole(self.affected ?? 0)]
        if self.hasRows {
            value["rows"] = .list(self.rows)
            value["isComplete"] = .boolean(self.isComplete)
        }
        return value
    }
}

/// How much of a result is kept.
struct PostgresBounds: Sendable, Hashable {
    var rows: Int
    var bytes: Int
    /// Whether the server is told to stop when that is reached; otherwise the rest is read and thrown away, so that
    /// the statement ends.
    var stopsAtBound: Bool
    /// Whether the bytes are those of all statements of a run together.
    var isShared = false
}
