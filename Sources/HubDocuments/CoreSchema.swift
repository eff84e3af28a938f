import Values

/// Resolves plain scalars by the core schema of YAML 1.2 (clause 10.3.2), so that `no`, `on` and `12:30` stay text.
enum CoreSchema {
    /// The content of a plain scalar; nil for the numbers that are none (`.inf`, `.nan`) or do not fit.
    static func resolve(_ text: String) -> DocumentNode.Content? {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        case ".nan", ".NaN", ".NAN": return nil
        default: break
        }
        guard let first = text.utf8.first, Self.mayStartNumber(first) else { return .string(text) }
        if let unsigned = Self.withoutSign(text), [".inf", ".Inf", ".INF"].contains(unsigned) { return nil }
        if text.hasPrefix("0x") { return Self.integer(text, digits: text.dropFirst(2), radix: 16) }
        if text.hasPrefix("0o") { return Self.integer(text, digits: text.dropFirst(2), radix: 8) }
        guard let normalised = Self.decimal(text) else { return .string(text) }
        // JSON's reader refuses what it cannot keep exactly.
        return (try? JSON.parse(normalised))?.asNumber.map { .number($0) }
    }

    private static func mayStartNumber(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: ".")
    }

    private static func withoutSign(_ text: String) -> String? {
        text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
    }

    private static func integer(_ text: String, digits: Substring, radix: Int) -> DocumentNode.Content? {
        let isNumber =
            !digits.isEmpty && digits.allSatisfy { $0.isASCII && $0.hexDigitValue.map { $0 < radix } ?? false }
        guard isNumber else { return .string(text) }
        return Int64(digits, radix: radix).map { .number(Number($0)) }
    }

    /// The number in JSON's notation, or nil when the text is no decimal number:
    /// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`.
    private static func decimal(_ text: String) -> String? {
        var rest = Substring(text)
        var result = ""
        if rest.hasPrefix("-") { result = "-" }
        if rest.hasPrefix("-") || rest.hasPrefix("+") { rest.removeFirst() }
        let whole = rest.prefix { $0.isASCIIDigit }
        rest = rest.dropFirst(whole.count)
        var fraction = Substring()
        if rest.hasPrefix(".") {
            fraction = rest.dropFirst().prefix { $0.isASCIIDigit }
            rest = rest.dropFirst(1 + fraction.count)
        }
        guard !whole.isEmpty || !fraction.isEmpty else { return nil }
        let significant = whole.drop { $0 == "0" }
        result += significant.isEmpty ? "0" : significant
        if !fraction.isEmpty { result += "." + fraction }
        guard let mark = rest.first else { return result }
        guard mark == "e" || mark == "E" else { return nil }
        rest.removeFirst()
        var exponent = "e"
        if let sign = rest.first, sign == "-" || sign == "+" { exponent.append(rest.removeFirst()) }
        guard !rest.isEmpty, rest.allSatisfy({ $0.isASCIIDigit }) else { return nil }
        return result + exponent + rest
    }
}

extension Character {
    /// Whether this is one of `0` to `9`.
    var isASCIIDigit: Bool { self >= "0" && self <= "9" && self.isASCII }
}
