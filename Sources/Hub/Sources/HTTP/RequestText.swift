import Values

/// Text as `application/x-www-form-urlencoded` writes it.
enum FormText {
    /// More pairs than these are not read.
    private static let pairsMaximum = 1_000

    static func pairs(_ text: some StringProtocol) -> [(name: String, value: String)] {
        text.split(separator: "&").prefix(Self.pairsMaximum).map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (Self.decoded(parts[0]), parts.count > 1 ? Self.decoded(parts[1]) : "")
        }
    }

    /// The pairs as a context; a name that stands several times has a list.
    static func context(_ pairs: [(name: String, value: String)]) -> ValueContext {
        var context = ValueContext()
        for (name, value) in pairs {
            switch context[name] {
            case nil: context[name] = .string(value)
            case .list(let items)?: context[name] = .list(items + [.string(value)])
            case let first?: context[name] = .list([first, .string(value)])
            }
        }
        return context
    }

    private static func decoded(_ text: some StringProtocol) -> String {
        PathText.unescaped(text.utf8, isForm: true).map { String(decoding: $0, as: UTF8.self) } ?? String(text)
    }
}

/// Paths, brought into one form before they are compared.
enum PathText {
    /// The path in its one form: escapes of ordinary characters undone, no slash at the end.
    ///
    /// `nil` for paths that might mean another one to somebody else: dot segments, empty segments, escaped slashes,
    /// control characters.
    static func normalized(_ path: some StringProtocol) -> String? {
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= 1_024,
            let bytes = Self.unescaped(path.utf8, isForm: false)
        else { return nil }
        let hasEscapes = path.utf8.contains(UInt8(ascii: "%"))
        if hasEscapes,
            bytes.count(where: { $0 == UInt8(ascii: "/") }) != path.utf8.count(where: { $0 == UInt8(ascii: "/") })
        {
            return nil
        }
        guard let text = String(validating: bytes, as: UTF8.self),
            bytes.allSatisfy({ $0 > 0x20 && $0 != 0x7F && !#"\%?#"#.utf8.contains($0) })
        else { return nil }
        var segments = text.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        if segments.last?.isEmpty == true { segments.removeLast() }
        guard segments.allSatisfy({ !$0.isEmpty && $0 != "." && $0 != ".." }) else { return nil }
        return segments.isEmpty ? "/" : "/" + segments.joined(separator: "/")
    }

    /// The bytes with escapes undone; `nil` when an escape is none and `isForm` is false.
    static func unescaped(_ text: some Collection<UInt8>, isForm: Bool) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count)
        var index = text.startIndex
        while index < text.endIndex {
            let byte = text[index]
            let next = text.index(after: index)
            guard byte == UInt8(ascii: "%") else {
                bytes.append(isForm && byte == UInt8(ascii: "+") ? 0x20 : byte)
                index = next
                continue
            }
            guard next < text.endIndex, let high = Self.digit(text[next]), text.index(after: next) < text.endIndex,
                let low = Self.digit(text[text.index(after: next)])
            else {
                guard isForm else { return nil }
                bytes.append(byte)
                index = next
                continue
            }
            bytes.append(high << 4 | low)
            index = text.index(next, offsetBy: 2)
        }
        return bytes
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
