import Values

extension Machine {
    /// Takes the steps that looking for one text in another may cost.
    mutating func spendSearching(for match: String, in text: String, at span: SourceSpan) -> Bool {
        spend(text.utf8.count / 256 + text.utf8.count * match.utf8.count / 4096, at: span)
    }
}
