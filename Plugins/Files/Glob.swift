/// A pattern for file names: `*` any text, `?` one character, `[a-z]` one of them, `[!a-z]` none of them, `\` quotes.
///
/// A name that starts with a dot only matches a pattern that does. Matching takes time linear in name times pattern.
struct Glob: Sendable, Hashable {
    fileprivate enum Part: Sendable, Hashable {
        case literal(Character)
        case anyText
        case anyCharacter
        case set([ClosedRange<Character>], isNegated: Bool)
    }

    private let parts: [Part]

    /// Reads a pattern; `nil` when a bracket is not closed or nothing follows a backslash.
    init?(_ pattern: String) {
        var parts: [Part] = []
        var rest = Substring(pattern)
        while let character = rest.popFirst() {
            switch character {
            case "*": if parts.last != .anyText { parts.append(.anyText) }
            case "?": parts.append(.anyCharacter)
            case "\\":
                guard let quoted = rest.popFirst() else { return nil }
                parts.append(.literal(quoted))
            case "[":
                guard let part = Self.set(&rest) else { return nil }
                parts.append(part)
            default: parts.append(.literal(character))
            }
        }
        self.parts = parts
    }

    private static func set(_ rest: inout Substring) -> Part? {
        var isNegated = false
        if rest.first == "!" || rest.first == "^" {
            isNegated = true
            rest.removeFirst()
        }
        var ranges: [ClosedRange<Character>] = []
        while let low = rest.popFirst() {
            if low == "]", !ranges.isEmpty { return .set(ranges, isNegated: isNegated) }
            var high = low
            if rest.first == "-", let after = rest.dropFirst().first, after != "]" {
                high = after
                rest.removeFirst(2)
            }
            guard low <= high else { return nil }
            ranges.append(low...high)
        }
        return nil
    }

    /// Whether the whole `name` matches.
    func matches(_ name: String) -> Bool {
        if name.hasPrefix("."), self.parts.first != .literal(".") { return false }
        let characters = Array(name)
        var (position, part) = (0, 0)
        // Where to go on after the last `*`, should what follows it not match.
        var (resumePart, resumePosition) = (-1, 0)
        while position < characters.count {
            if part < self.parts.count, self.parts[part] == .anyText {
                resumePart = part
                resumePosition = position
                part += 1
            } else if part < self.parts.count, self.parts[part].matches(characters[position]) {
                position += 1
                part += 1
            } else if resumePart >= 0 {
                part = resumePart + 1
                resumePosition += 1
                position = resumePosition
            } else {
                return false
            }
        }
        while part < self.parts.count, self.parts[part] == .anyText { part += 1 }
        return part == self.parts.count
    }
}

extension Glob.Part {
    fileprivate func matches(_ character: Character) -> Bool {
        switch self {
        case .literal(let own): own == character
        case .anyText: false
        case .anyCharacter: true
        case .set(let ranges, let isNegated): ranges.contains { $0.contains(character) } != isNegated
        }
    }
}
