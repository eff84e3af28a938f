/// The syntax of a pattern.
indirect enum PatternSyntax: Sendable {
    case scalar(Unicode.Scalar)
    case any
    case set(ScalarSet)
    case sequence([PatternSyntax])
    case alternatives([PatternSyntax])
    /// A group that is captured under a number; 0 is the whole match.
    case group(PatternSyntax, Int)
    case repetition(PatternSyntax, least: Int, most: Int?, isReluctant: Bool)
    case backreference(Int)
    case start
    case end
}

/// Reads the regular expressions of XML Schema part 2, appendix F, with the additions of XPath: reluctant quantifiers,
/// anchors, groups that do not capture, and back references.
struct PatternParser {
    private let scalars: [Unicode.Scalar]
    private let isLiteral: Bool
    private var position = 0
    private var depth = 0
    private var openGroups: Set<Int> = []
    private(set) var groupCount = 0

    init(_ text: String, isLiteral: Bool, ignoresBlanks: Bool) {
        self.isLiteral = isLiteral
        scalars =
            ignoresBlanks && !isLiteral ? Self.withoutBlanks(Array(text.unicodeScalars)) : Array(text.unicodeScalars)
    }

    /// The pattern without white space outside character classes.
    private static func withoutBlanks(_ scalars: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var (result, classDepth, isEscaped): ([Unicode.Scalar], Int, Bool) = ([], 0, false)
        for scalar in scalars {
            if classDepth == 0, " \t\n\r".unicodeScalars.contains(scalar) { continue }
            if !isEscaped, scalar == "[" { classDepth += 1 }
            if !isEscaped, scalar == "]", classDepth > 0 { classDepth -= 1 }
            isEscaped = !isEscaped && scalar == "\\"
            result.append(scalar)
        }
        return result
    }

    mutating func parse() throws(Mistake) -> PatternSyntax {
        if isLiteral { return .sequence(scalars.map { .scalar($0) }) }
        let tree = try parseAlternatives()
        if position < scalars.count { throw mistake("'\(scalars[position])' is not expected") }
        return tree
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    private func mistake(_ message: String) -> Mistake {
        Mistake("The pattern is wrong at character \(position + 1): \(message)")
    }

    private mutating func parseAlternatives() throws(Mistake) -> PatternSyntax {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 100 else { throw mistake("it is nested too deeply") }
        var alternatives = [try parseSequence()]
        while take("|") { alternatives.append(try parseSequence()) }
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func parseSequence() throws(Mistake) -> PatternSyntax {
        var parts: [PatternSyntax] = []
        while let scalar = current, scalar != "|", scalar != ")" {
            let atom = try parseAtom()
            parts.append(try parseQuantifier(atom))
        }
        return .sequence(parts)
    }

    private mutating func parseQuantifier(_ atom: PatternSyntax) throws(Mistake) -> PatternSyntax {
        let bounds: (least: Int, most: Int?)
        switch current {
        case "?": bounds = (0, 1)
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "{": bounds = try parseBounds()
        default: return atom
        }
        position += 1
        let isReluctant = take("?")
        return .repetition(atom, least: bounds.least, most: bounds.most, isReluctant: isReluctant)
    }

    /// `{n}`, `{n,}` or `{n,m}`, up to before the closing brace.
    private mutating func parseBounds() throws(Mistake) -> (least: Int, most: Int?) {
        position += 1
        let least = try parseCount()
        var most: Int? = least
        if take(",") { most = current == "}" ? nil : try parseCount() }
        guard current == "}" else { throw mistake("'}' is expected") }
        if let most, most < least { throw mistake("the quantifier's bounds are reversed") }
        return (least, most)
    }

    private mutating func parseCount() throws(Mistake) -> Int {
        var count: Int?
        while let digit = current?.value, digit >= 0x30, digit <= 0x39 {
            count = (count ?? 0) * 10 + Int(digit - 0x30)
            guard count ?? 0 <= 10_000 else { throw mistake("the quantifier is too large") }
            position += 1
        }
        guard let count else { throw mistake("a number is expected") }
        return count
    }

    private mutating func parseAtom() throws(Mistake) -> PatternSyntax {
        guard let scalar = current else { throw mistake("more is expected") }
        switch scalar {
        case "(": return try parseGroup()
        case "[":
            position += 1
            return .set(try parseClass())
        case "\\":
            position += 1
            return try parseEscape()
        case "*", "+", "?", "{", "}", "]": throw mistake("'\(scalar)' must follow what it refers to, or be escaped")
        default: position += 1
        }
        switch scalar {
        case ".": return .any
        case "^": return .start
        case "$": return .end
        default: return .scalar(scalar)
        }
    }

    private mutating func parseGroup() throws(Mistake) -> PatternSyntax {
        position += 1
        var number: Int?
        if take("?") {
            guard take(":") else { throw mistake("only '(?:' is known") }
        } else {
            groupCount += 1
            number = groupCount
            openGroups.insert(groupCount)
        }
        let inner = try parseAlternatives()
        guard take(")") else { throw mistake("')' is expected") }
        guard let number else { return inner }
        openGroups.remove(number)
        return .group(inner, number)
    }

    /// What follows a backslash outside a character class.
    private mutating func parseEscape() throws(Mistake) -> PatternSyntax {
        guard let digit = current?.value, digit >= 0x31, digit <= 0x39 else {
            switch try parseClassEscape() {
            case .scalar(let scalar): return .scalar(scalar)
            case .set(let set): return .set(set)
            }
        }
        position += 1
        var group = Int(digit - 0x30)
        while let next = current?.value, next >= 0x30, next <= 0x39, group * 10 + Int(next - 0x30) <= groupCount {
            group = group * 10 + Int(next - 0x30)
            position += 1
        }
        guard group <= groupCount, !openGroups.contains(group) else {
            throw mistake("there is no group \(group) to refer back to")
        }
        return .backreference(group)
    }

    private enum Escape {
        case scalar(Unicode.Scalar)
        case set(ScalarSet)
    }

    /// What follows a backslash anywhere.
    private mutating func parseClassEscape() throws(Mistake) -> Escape {
        guard let letter = current else { throw mistake("a character is expected behind '\\'") }
        position += 1
        switch letter {
        case "n": return .scalar("\n")
        case "r": return .scalar("\r")
        case "t": return .scalar("\t")
        case "\\", "|", ".", "-", "^", "?", "*", "+", "{", "}", "(", ")", "[", "]", "$": return .scalar(letter)
        case "p", "P":
            let set = try parseProperty()
            return .set(letter == "p" ? set : .complement(set))
        default:
            guard let set = ScalarSet.escape(letter) else {
                throw mistake("'\\\(letter)' is no escape")
            }
            return .set(set)
        }
    }

    private mutating func parseProperty() throws(Mistake) -> ScalarSet {
        guard take("{") else { throw mistake("'{' is expected") }
        var name = ""
        while let scalar = current, scalar != "}" {
            name.unicodeScalars.append(scalar)
            position += 1
        }
        guard take("}") else { throw mistake("'}' is expected") }
        guard let set = ScalarSet.property(named: name) else {
            throw mistake("there is no category or block '\(name)'")
        }
        return set
    }

    /// A character class behind its `[`.
    private mutating func parseClass() throws(Mistake) -> ScalarSet {
        depth += 1
        defer { depth -= 1 }
        guard depth <= 100 else { throw mistake("it is nested too deeply") }
        let isNegated = take("^")
        var parts: [ScalarSet] = []
        var excluded: ScalarSet?
        while !take("]") {
            guard let scalar = current else { throw mistake("']' is expected") }
            if scalar == "-", position + 1 < scalars.count, scalars[position + 1] == "[", !parts.isEmpty {
                position += 2
                excluded = try parseClass()
                guard current == "]" else { throw mistake("']' is expected behind a subtraction") }
                continue
            }
            parts.append(try parseClassPart())
        }
        guard !parts.isEmpty else { throw mistake("the character class is empty") }
        let set = isNegated ? ScalarSet.complement(.union(parts)) : .union(parts)
        return excluded.map { .difference(set, $0) } ?? set
    }

    private mutating func parseClassPart() throws(Mistake) -> ScalarSet {
        let first: Unicode.Scalar
        switch try parseClassAtom() {
        case .set(let set): return set
        case .scalar(let scalar): first = scalar
        }
        guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]", scalars[position + 1] != "["
        else { return .range(first...first) }
        position += 1
        guard case .scalar(let last) = try parseClassAtom(), first <= last else {
            throw mistake("the range does not go upwards")
        }
        return .range(first...last)
    }

    private mutating func parseClassAtom() throws(Mistake) -> Escape {
        guard let scalar = current else { throw mistake("']' is expected") }
        position += 1
        switch scalar {
        case "\\": return try parseClassEscape()
        case "[": throw mistake("'[' must be escaped in a character class")
        default: return .scalar(scalar)
        }
    }
}
