import Values

/// The core functions of XPath 1.0, clause 4.
extension XPathRun {
    mutating func call(_ function: XPathFunction, _ arguments: [XPathSyntax], _ context: Context) -> XPathValue {
        switch function {
        case .last: return .number(Number(context.size))
        case .position: return .number(Number(context.position))
        case .isTrue: return .boolean(true)
        case .isFalse: return .boolean(false)
        case .count: return .number(Number(nodes(arguments[0], context).count))
        case .sum: return .number(sum(nodes(arguments[0], context)))
        case .name, .localName: return name(function, arguments, context)
        case .boolean: return .boolean(truth(evaluate(arguments[0], context)))
        case .not: return .boolean(!truth(evaluate(arguments[0], context)))
        default: break
        }
        let values = arguments.isEmpty ? [itself(context)] : arguments.map { evaluate($0, context) }
        switch function {
        case .number: return .number(number(values[0]))
        case .floor: return .number(number(values[0])?.floor())
        case .ceiling: return .number(number(values[0])?.ceiling())
        case .round: return .number(number(values[0]).flatMap(Self.rounded))
        case .substring: return substring(values)
        default: return ofTexts(function, values.map { string($0) })
        }
    }

    /// The context node; outside of predicates there is none.
    private func itself(_ context: Context) -> XPathValue { .nodes(context.node.map { [$0] } ?? []) }

    private mutating func name(
        _ function: XPathFunction, _ arguments: [XPathSyntax], _ context: Context
    ) -> XPathValue {
        let node = arguments.isEmpty ? context.node : nodes(arguments[0], context).first
        guard let node else { return .string("") }
        return .string(function == .name ? tree.items[node].name : tree.items[node].localName)
    }

    private mutating func sum(_ nodes: [Int]) -> Number? {
        guard machine.spend(nodes.count, at: span) else { return nil }
        var total: Number? = .zero
        for node in nodes {
            guard let sum = total, let number = number(of: node) else { return nil }
            total = Number.adding(sum, number)
        }
        return total
    }

    /// To the nearest whole number, halves up.
    private static func rounded(_ number: Number) -> Number? {
        number.rounded(scale: 0, mode: number.isNegative ? .halfDown : .halfUp)
    }

    private mutating func ofTexts(_ function: XPathFunction, _ texts: [String]) -> XPathValue {
        guard machine.admitsString(texts.reduce(0) { $0 + $1.utf8.count }, at: span) else { return .string("") }
        let text = texts[0]
        if texts.count > 1, !machine.spendSearching(for: texts[1], in: text, at: span) { return .string("") }
        switch function {
        case .concat: return .string(texts.joined())
        case .stringLength: return .number(Number(text.unicodeScalars.count))
        case .normalizeSpace:
            let words = text.utf8.split { Self.isBlank($0) }.map { String(Substring($0)) }
            return .string(words.joined(separator: " "))
        case .contains: return .boolean(text.firstOffset(of: texts[1]) != nil)
        case .startsWith: return .boolean(text.utf8.starts(with: texts[1].utf8))
        case .substringBefore:
            return .string(String(decoding: text.utf8.prefix(text.firstOffset(of: texts[1]) ?? 0), as: UTF8.self))
        case .substringAfter:
            guard let offset = text.firstOffset(of: texts[1]) else { return .string("") }
            return .string(String(decoding: text.utf8.dropFirst(offset + texts[1].utf8.count), as: UTF8.self))
        case .translate: return .string(translate(text, texts[1], texts[2]))
        default: return .string(text)
        }
    }

    private func translate(_ text: String, _ from: String, _ to: String) -> String {
        let replacements = Array(to.unicodeScalars)
        var table: [Unicode.Scalar: Unicode.Scalar?] = [:]
        for (index, scalar) in from.unicodeScalars.enumerated() where table[scalar] == nil {
            table[scalar] = .some(index < replacements.count ? replacements[index] : nil)
        }
        return String(scalars: text.unicodeScalars.compactMap { table[$0] ?? $0 })
    }

    /// The characters from a position, counted from 1, to the end or for a length; both are rounded.
    private mutating func substring(_ values: [XPathValue]) -> XPathValue {
        let scalars = Array(string(values[0]).unicodeScalars)
        guard machine.spend(scalars.count / 64, at: span), let start = number(values[1]).flatMap(Self.rounded) else {
            return .string("")
        }
        var end: Number? = Number(scalars.count + 1)
        if values.count > 2 {
            end = number(values[2]).flatMap(Self.rounded).flatMap { Number.adding(start, $0) }
        }
        guard let end else { return .string("") }
        let first = max(start, .one)
        let last = min(end, Number(scalars.count + 1))
        guard let from = first.int64, let to = last.int64, from < to else { return .string("") }
        return .string(String(scalars: scalars[Int(from - 1)..<Int(to - 1)]))
    }
}
