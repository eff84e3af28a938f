import Values

/// Conversions of XPath 1.0, clause 4, and of the result.
extension XPathRun {
    /// One node is its value, several are a list, none is null.
    mutating func result(_ value: XPathValue) -> Value {
        switch value {
        case .nodes(let nodes):
            guard nodes.count != 1 else { return tree.items[nodes[0]].value }
            return nodes.isEmpty ? .null : .list(nodes.map { tree.items[$0].value })
        case .number(let number?): return .number(number)
        case .number(nil):
            warn("The result is no number")
            return .null
        case .string(let text): return .string(text)
        case .boolean(let flag): return .boolean(flag)
        }
    }

    /// `boolean()`: whether there are nodes; a single one that holds a boolean counts as that.
    ///
    /// It is `mutating` so that `truth(evaluate(…))` sees the nodes its argument made.
    mutating func truth(_ value: XPathValue) -> Bool {
        switch value {
        case .nodes(let nodes):
            if nodes.count == 1, case .boolean(let flag) = tree.items[nodes[0]].value { return flag }
            return !nodes.isEmpty
        case .number(let number): return number.map { !$0.isZero } ?? false
        case .string(let text): return !text.isEmpty
        case .boolean(let flag): return flag
        }
    }

    /// `string()`: of nodes that of the first.
    mutating func string(_ value: XPathValue) -> String {
        switch value {
        case .nodes(let nodes): nodes.first.map { string(of: $0) } ?? ""
        case .number(let number): number?.description ?? "NaN"
        case .string(let text): text
        case .boolean(let flag): flag ? "true" : "false"
        }
    }

    /// `number()`; nil is NaN.
    mutating func number(_ value: XPathValue) -> Number? {
        switch value {
        case .nodes(let nodes): nodes.first.flatMap { number(of: $0) }
        case .number(let number): number
        case .string(let text): Self.number(text)
        case .boolean(let flag): flag ? .one : .zero
        }
    }

    /// The number a node holds or its text reads as.
    mutating func number(of node: Int) -> Number? {
        switch tree.items[node].value {
        case .number(let number): number
        case .boolean(let flag): flag ? .one : .zero
        default: Self.number(string(of: node))
        }
    }

    /// The text of a node and all that is in it.
    mutating func string(of node: Int) -> String {
        var text = ""
        append(tree.items[node].value, to: &text)
        return text
    }

    private mutating func append(_ value: Value, to text: inout String) {
        switch value {
        case .null: break
        case .string(let string):
            guard machine.admitsString(text.utf8.count + string.utf8.count, at: span) else { return }
            text += string
        case .list(let elements):
            guard machine.spend(elements.count, at: span) else { return }
            for element in elements { append(element, to: &text) }
        case .context(let context):
            guard machine.spend(context.count, at: span) else { return }
            for (key, value) in context where !key.utf8.starts(with: "@".utf8) { append(value, to: &text) }
        default: _ = ValueText.append(value, to: &text, isNested: false, &machine, span)
        }
    }

    /// Digits with an optional point and minus sign, and blanks around them (clause 4.4).
    static func number(_ text: String) -> Number? {
        let trimmed = text.utf8.drop { Self.isBlank($0) }
        let digits = Substring(trimmed.prefix { !Self.isBlank($0) })
        guard trimmed.dropFirst(digits.utf8.count).allSatisfy({ Self.isBlank($0) }) else { return nil }
        let isPlain = digits.utf8.enumerated().allSatisfy { index, byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "-") && index == 0
        }
        return isPlain ? Number(digits.hasSuffix(".") ? digits + "0" : digits) : nil
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }
}
