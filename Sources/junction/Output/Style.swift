/// How text is marked up: colours on a terminal, nothing elsewhere.
struct Style: Sendable, Hashable {
    /// Whether control sequences may be used.
    var hasColour: Bool
    /// Whether box-drawing characters can be shown.
    var hasUnicode: Bool
    /// Columns of the terminal; nil when output is no terminal, and nothing is cut.
    var width: Int?

    /// Plain text for pipes and files.
    static let plain = Style(hasColour: false, hasUnicode: true, width: nil)

    /// What a text means.
    enum Tone: String, Sendable {
        case good = "32"
        case attention = "33"
        case bad = "31"
        case quiet = "2"
        case strong = "1"
        case normal = ""
    }

    func paint(_ text: String, _ tone: Tone) -> String {
        guard self.hasColour, tone != .normal, !text.isEmpty else { return text }
        return "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m"
    }

    /// The tone of a state as the API writes it.
    static func tone(ofState state: String) -> Tone {
        switch state.lowercased() {
        case "completed", "resolved", "closed", "correlated", "replayed", "armed", "running": .good
        case "active", "created", "half-open", "parked": .attention
        case "terminated", "canceled", "failed", "incident", "open", "error_thrown", "forced-open": .bad
        case "discarded", "paused": .quiet
        default: .normal
        }
    }
}
