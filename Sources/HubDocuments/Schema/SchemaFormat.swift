import Values

/// The formats that are checked.
enum SchemaFormat: String, Sendable, Hashable, CaseIterable {
    case date
    case dateTime = "date-time"
    case email

    func accepts(_ text: String) -> Bool {
        switch self {
        case .date: text.utf8.count == 10 && CalendarDate(text) != nil
        case .dateTime: Self.isMoment(text)
        case .email: Self.isAddress(text)
        }
    }

    /// A date-time of RFC 3339, with the leap second that a day of UTC may end with.
    private static func isMoment(_ text: String) -> Bool {
        if Timestamp.milliseconds(text) != nil { return true }
        guard text.utf8.count >= 20,
            let second = text.utf8.index(text.startIndex, offsetBy: 17, limitedBy: text.endIndex),
            text[second...].hasPrefix("60")
        else { return false }
        let before = text[..<second] + "59" + text[text.index(second, offsetBy: 2)...]
        guard let milliseconds = Timestamp.milliseconds(String(before)) else { return false }
        let secondOfDay = (milliseconds / 1_000) % 86_400
        return (secondOfDay + 86_400) % 86_400 == 86_399
    }

    /// The addresses of RFC 5321 (clause 4.1.2).
    private static func isAddress(_ text: String) -> Bool {
        guard let at = text.lastIndex(of: "@") else { return false }
        let (local, domain) = (text[..<at], text[text.index(after: at)...])
        guard (1...64).contains(local.utf8.count), (1...255).contains(domain.utf8.count) else { return false }
        return (local.hasPrefix("\"") ? Self.isQuoted(local) : Self.isDotted(local))
            && (domain.hasPrefix("[") ? Self.isLiteral(domain) : Self.isDomain(domain))
    }

    private static func isDotted(_ text: Substring) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "!#$%&'*+-/=?^_`{|}~".contains($0)) }
        }
    }

    private static func isQuoted(_ text: Substring) -> Bool {
        guard text.utf8.count >= 2, text.hasSuffix("\"") else { return false }
        var isEscaped = false
        for byte in text.dropFirst().dropLast().utf8 {
            guard (0x20...0x7E).contains(byte) else { return false }
            if isEscaped {
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                return false
            }
        }
        return !isEscaped
    }

    private static func isDomain(_ text: Substring) -> Bool {
        let labels = text.split(separator: ".", omittingEmptySubsequences: false)
        return labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
    }

    /// An address of IPv4, or of IPv6 behind its tag, in brackets.
    private static func isLiteral(_ text: Substring) -> Bool {
        guard text.hasSuffix("]") else { return false }
        let inner = text.dropFirst().dropLast()
        if inner.lowercased().hasPrefix("ipv6:") { return Self.isIPv6(inner.dropFirst(5)) }
        return Self.isIPv4(inner)
    }

    private static func isIPv4(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                (1...3).contains(part.utf8.count) && part.allSatisfy(\.isASCIIDigit) && Int(part) ?? 256 <= 255
                    && (part.utf8.count == 1 || part.first != "0")
            }
    }

    /// Eight groups, fewer around one `::`, the last two as an address of IPv4 perhaps (RFC 4291, clause 2.2).
    private static func isIPv6(_ text: Substring) -> Bool {
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, !text.hasPrefix(":") || text.hasPrefix("::"), !text.contains(":::") else {
            return false
        }
        var count = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let groups = half.split(separator: ":", omittingEmptySubsequences: false)
            for (position, group) in groups.enumerated() {
                let isLast = index == halves.count - 1 && position == groups.count - 1
                if isLast, Self.isIPv4(group) {
                    count += 2
                } else if (1...4).contains(group.utf8.count), group.allSatisfy({ $0.isASCII && $0.isHexDigit }) {
                    count += 1
                } else {
                    return false
                }
            }
        }
        return halves.count == 2 ? count <= 7 : count == 8
    }
}
