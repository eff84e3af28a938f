import Values

extension Builtin {
    static let conversionFunctions: [Builtin] = [
        Builtin("string", "from") { (arguments, machine) throws(Mistake) in
            if arguments.isMissing(0) { return .null }
            var text = ""
            guard ValueText.append(arguments[0], to: &text, isNested: false, &machine, arguments.span) else {
                return .null
            }
            return .string(text)
        },
        Builtin("number", "from", "from, grouping separator, decimal separator") { (arguments, _) throws(Mistake) in
            if arguments.count == 1, case .number = arguments[0] { return arguments[0] }
            let text = try arguments.string(0)
            let grouping = try arguments.separator(1, of: [" ", ".", ","])
            let point = try arguments.separator(2, of: [".", ","])
            guard grouping == nil || grouping != point else { throw Mistake("Both separators are the same") }
            var digits = String.UnicodeScalarView()
            for scalar in text.unicodeScalars where scalar != grouping {
                guard scalar != "." || point == "." || point == nil else { throw Mistake("'\(text)' is no number") }
                digits.append(scalar == point ? "." : scalar)
            }
            guard let number = Number(String(digits)) else { throw Mistake("'\(text)' is no number") }
            return .number(number)
        },
    ]
}

extension Arguments {
    fileprivate func separator(_ index: Int, of allowed: [Unicode.Scalar]) throws(Mistake) -> Unicode.Scalar? {
        guard let text = try optionalString(index) else { return nil }
        guard text.unicodeScalars.count == 1, let scalar = text.unicodeScalars.first, allowed.contains(scalar) else {
            throw Mistake("'\(text)' is no separator")
        }
        return scalar
    }
}

/// Writes values the way `string(…)` does: close to how they are written in FEEL.
enum ValueText {
    /// Appends the text of `value`; false when it would be too long.
    static func append(
        _ value: Value, to text: inout String, isNested: Bool, _ machine: inout Machine, _ span: SourceSpan
    ) -> Bool {
        let before = text.utf8.count
        switch value {
        case .null: text += "null"
        case .boolean(let flag): text += flag ? "true" : "false"
        case .number(let number): text += number.description
        case .string(let string): text += isNested ? quoted(string) : string
        case .date(let date): text += date.description
        case .time(let time): text += time.description
        case .dateTime(let moment): text += moment.description
        case .yearMonthDuration(let duration): text += duration.description
        case .dayTimeDuration(let duration): text += duration.description
        case .function(let function):
            text += "function(" + function.parameterNames.joined(separator: ", ") + ")"
        case .list(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += ", " }
                guard append(element, to: &text, isNested: true, &machine, span) else { return false }
            }
            text += "]"
        case .context(let context):
            text += "{"
            for (index, entry) in context.enumerated() {
                text += index > 0 ? ", " : ""
                text += isName(entry.key) ? entry.key : quoted(entry.key)
                text += ": "
                guard append(entry.value, to: &text, isNested: true, &machine, span) else { return false }
            }
            text += "}"
        case .range(let range):
            text += range.includesLower ? "[" : "("
            if let lower = range.lower {
                guard append(lower, to: &text, isNested: true, &machine, span) else { return false }
            }
            text += ".."
            if let upper = range.upper {
                guard append(upper, to: &text, isNested: true, &machine, span) else { return false }
            }
            text += range.includesUpper ? "]" : ")"
        }
        guard machine.spend(1 + (text.utf8.count - before) / 16, at: span) else { return false }
        return machine.admitsString(text.utf8.count / 64, at: span)
    }

    private static func quoted(_ string: String) -> String {
        var text = "\""
        for scalar in string.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { text += "\\" }
            text.unicodeScalars.append(scalar)
        }
        return text + "\""
    }

    private static func isName(_ key: String) -> Bool {
        guard let first = key.unicodeScalars.first, first.startsName else { return false }
        return key.unicodeScalars.allSatisfy { $0.continuesName || $0 == " " }
    }
}
