import Values

extension Builtin {
    /// Functions that take regular expressions.
    static let patternFunctions: [Builtin] = [
        Builtin("matches", "input, pattern, flags?") { (arguments, machine) throws(Mistake) in
            let text = Array(try arguments.string(0).unicodeScalars)
            let pattern = try arguments.pattern(1, flags: 2)
            var budget = Pattern.stepsMax
            return .boolean(try arguments.firstMatch(of: pattern, in: text, from: 0, &budget, &machine) != nil)
        },
        Builtin("replace", "input, pattern, replacement, flags?") { (arguments, machine) throws(Mistake) in
            let text = Array(try arguments.string(0).unicodeScalars)
            let pattern = try arguments.pattern(1, flags: 3)
            let isLiteral = try arguments.optionalString(3)?.contains("q") ?? false
            let template = try Replacement(
                try arguments.string(2), groupCount: pattern.groupCount, isLiteral: isLiteral)
            var (result, end) = (String.UnicodeScalarView(), 0)
            for match in try arguments.matches(of: pattern, in: text, &machine) {
                result.append(contentsOf: text[end..<match.range.lowerBound])
                template.append(match, of: text, to: &result)
                end = match.range.upperBound
                guard machine.admitsString(String(result).utf8.count, at: arguments.span) else { return .null }
            }
            result.append(contentsOf: text[end...])
            return arguments.result(String(result), &machine)
        },
        Builtin("split", "string, delimiter") { (arguments, machine) throws(Mistake) in
            let text = Array(try arguments.string(0).unicodeScalars)
            let pattern = try arguments.pattern(1, flags: nil)
            var (parts, end): ([Value], Int) = ([], 0)
            for match in try arguments.matches(of: pattern, in: text, &machine) {
                parts.append(.string(String(scalars: text[end..<match.range.lowerBound])))
                end = match.range.upperBound
            }
            parts.append(.string(String(scalars: text[end...])))
            return .list(parts)
        },
        Builtin("extract", "string, pattern") { (arguments, machine) throws(Mistake) in
            let text = Array(try arguments.string(0).unicodeScalars)
            let pattern = try arguments.pattern(1, flags: nil)
            return .list(
                try arguments.matches(of: pattern, in: text, &machine).map { .string(String(scalars: text[$0.range])) })
        },
    ]
}

extension Builtin {
    /// The regular expression among the arguments of an invocation, when it and its flags are constant and correct.
    func compilePattern(_ arguments: [Node]) -> Pattern? {
        let flagsIndex: Int?
        switch name {
        case "matches": flagsIndex = 2
        case "replace": flagsIndex = 3
        case "split", "extract": flagsIndex = nil
        default: return nil
        }
        guard arguments.count > 1, case .string(let text) = arguments[1].constant else { return nil }
        guard let flagsIndex, flagsIndex < arguments.count else { return try? Pattern(text, flags: "") }
        switch arguments[flagsIndex].constant {
        case .string(let flags): return try? Pattern(text, flags: flags)
        case .null: return try? Pattern(text, flags: "")
        default: return nil
        }
    }
}

extension Arguments {
    fileprivate func pattern(_ index: Int, flags: Int?) throws(Mistake) -> Pattern {
        if let compiledPattern { return compiledPattern }
        let text = try string(index)
        guard let flags else { return try Pattern(text, flags: "") }
        return try Pattern(text, flags: try optionalString(flags) ?? "")
    }

    /// The first match from `start` on; its steps count as steps of the evaluation.
    fileprivate func firstMatch(
        of pattern: Pattern, in text: [Unicode.Scalar], from start: Int, _ budget: inout Int, _ machine: inout Machine
    ) throws(Mistake) -> Pattern.Match? {
        let before = budget
        defer { _ = machine.spend((before - budget) / 8, at: span) }
        return try pattern.firstMatch(in: text, from: start, budget: &budget)
    }

    /// All matches from left to right, none of which may be empty.
    fileprivate func matches(
        of pattern: Pattern, in text: [Unicode.Scalar], _ machine: inout Machine
    ) throws(Mistake) -> [Pattern.Match] {
        var (found, position, budget): ([Pattern.Match], Int, Int) = ([], 0, Pattern.stepsMax)
        while let match = try firstMatch(of: pattern, in: text, from: position, &budget, &machine) {
            try spend(1, &machine)
            guard !match.range.isEmpty else { throw Mistake("The pattern matches the empty string") }
            found.append(match)
            position = match.range.upperBound
        }
        return found
    }
}

/// The third argument of `replace`: text with references to groups.
private struct Replacement {
    private enum Part {
        case text(Unicode.Scalar)
        case group(Int)
    }

    private var parts: [Part] = []

    init(_ template: String, groupCount: Int, isLiteral: Bool) throws(Mistake) {
        var rest = template.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if isLiteral {
                parts.append(.text(scalar))
            } else if scalar == "\\" {
                guard let escaped = rest.popFirst(), escaped == "\\" || escaped == "$" else {
                    throw Mistake("In a replacement '\\' must be followed by '\\' or '$'")
                }
                parts.append(.text(escaped))
            } else if scalar == "$" {
                parts.append(.group(try Self.group(&rest, groupCount: groupCount)))
            } else {
                parts.append(.text(scalar))
            }
        }
    }

    /// The longest number of a group there is; a single digit may name a group that is not there, which is empty.
    private static func group(
        _ rest: inout Substring.UnicodeScalarView, groupCount: Int
    ) throws(Mistake) -> Int {
        guard let first = digit(rest.first) else {
            throw Mistake("In a replacement '$' must be followed by the number of a group, or be escaped")
        }
        rest.removeFirst()
        var group = first
        while let next = digit(rest.first), group * 10 + next <= groupCount {
            group = group * 10 + next
            rest.removeFirst()
        }
        return group
    }

    private static func digit(_ scalar: Unicode.Scalar?) -> Int? {
        guard let value = scalar?.value, value >= 0x30, value <= 0x39 else { return nil }
        return Int(value) - 0x30
    }

    func append(_ match: Pattern.Match, of text: [Unicode.Scalar], to result: inout String.UnicodeScalarView) {
        for part in parts {
            switch part {
            case .text(let scalar): result.append(scalar)
            case .group(let group):
                if 2 * group + 1 < match.slots.count, let range = match.group(group) {
                    result.append(contentsOf: text[range])
                }
            }
        }
    }
}
