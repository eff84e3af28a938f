import Values

/// The formats that are checked.
enum SchemaFormat: String, Sendable, Hashable, CaseIterable {
    case date
    case dateTime = "date-time"
    case email

    func accepts(_ text: String) -> Bool {
        switch self {
        case .date: text.utf8.count == 10 && CalendarDate(text) != nil
        case .dateTime: Timestamp.milliseconds(text) != nil
        case .email: Self.isAddress(text)
        }
    }

    /// The addresses of RFC 5321 without quoted local parts, comments and address literals.
    private static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...64).contains(parts[0].utf8.count), (1...255).contains(parts[1].utf8.count) else {
            return false
        }
        let isLocal = parts[0].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { atom in
            !atom.isEmpty
                && atom.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "!#$%&'*+-/=?^_`{|}~".contains($0)) }
        }
        let labels = parts[1].split(separator: ".", omittingEmptySubsequences: false)
        return isLocal && labels.count >= 2
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-") }
            }
    }
}
