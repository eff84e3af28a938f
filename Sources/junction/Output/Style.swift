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

    /// A painted line cut to the width of the terminal, so that it takes one row.
    func fit(_ line: String) -> String {
        guard let width = self.width else { return line }
        var result = ""
        var used = 0
        var characters = line[...]
        while let first = characters.first {
            if first == "\u{1B}" {
                let sequence = characters.prefix { $0 != "m" }
                result += sequence + "m"
                characters = characters.dropFirst(sequence.count + 1)
                continue
            }
            used += TextWidth.of(String(first))
            guard used <= width else { return result + (self.hasColour ? "\u{1B}[0m" : "") }
            result.append(first)
            characters = characters.dropFirst()
        }
        return result
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
