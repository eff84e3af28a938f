internal import SQLSupport

/// What statements do to the connection they run on, which others use next.
enum ODBCWords {
    /// Words that begin or end a transaction, in the databases whose dialect is known.
    private static let transactions: Set<String> = [
        "ABORT", "BEGIN", "COMMIT", "END", "RELEASE", "ROLLBACK", "SAVEPOINT", "START",
    ]
    /// The same where a block of statements may begin with BEGIN.
    private static let endings: Set<String> = ["COMMIT", "ROLLBACK", "SAVEPOINT"]
    /// Words that change the session.
    private static let sessions: Set<String> = [
        "ATTACH", "DETACH", "LISTEN", "LOCK", "PRAGMA", "RESET", "SET", "UNLOCK", "USE",
    ]

    /// What is wrong with a statement: it would take part in our transactions.
    static func problem(_ text: String, _ product: ODBCCapabilities.Product) -> String? {
        let words = SQLWords.first(2, of: text)
        guard let first = words.first else { return "is empty" }
        let isRefused = product == .other ? Self.endings.contains(first) : Self.transactions.contains(first)
        let isBeginning = first == "BEGIN" && words.count > 1 && words[1].hasPrefix("TRAN")
        return isRefused || isBeginning
            ? "begins with \(first); use transaction for several statements that belong together" : nil
    }

    /// Whether the session is not what it was after the statement.
    static func changesSession(_ text: String) -> Bool {
        let words = SQLWords.first(2, of: text)
        guard let first = words.first else { return false }
        return Self.sessions.contains(first) || words == ["ALTER", "SESSION"]
    }
}
