/// The words that FEEL reserves; every other word can be part of a name.
enum Keyword {
    /// Whether `word` ends a name of several words.
    static func isReserved(_ word: String) -> Bool {
        switch word {
        case "and", "or", "in", "between", "then", "else", "return", "satisfies", "instance": true
        default: startsExpression(word)
        }
    }

    /// Whether `word` is reserved and begins an expression.
    static func startsExpression(_ word: String) -> Bool {
        switch word {
        case "if", "for", "some", "every", "true", "false", "null": true
        default: false
        }
    }
}
