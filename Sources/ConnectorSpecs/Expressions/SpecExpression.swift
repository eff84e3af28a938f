import Decisions

/// The expressions of specifications: FEEL, with texts in single quotes and `context['key']` besides.
///
/// Specifications stand in YAML, where double quotes are taken. Both forms are rewritten to plain FEEL before it is
/// compiled: `'a'` to `"a"`, and `response.headers['x-id']` to `get value(response.headers, "x-id")`.
enum SpecExpression {
    static func compile(_ source: String) throws(FEELError) -> Expression {
        try Expression.compile(Self.rewritten(source))
    }

    /// `source` as plain FEEL.
    static func rewritten(_ source: String) -> String {
        guard source.utf8.contains(UInt8(ascii: "'")) else { return source }
        let input = Array(source)
        var output: [Character] = []
        var index = 0
        while index < input.count {
            let character = input[index]
            switch character {
            case "\"":
                let end = Self.endOfText(input, from: index)
                output += input[index..<end]
                index = end
            case "'":
                let end = Self.endOfText(input, from: index)
                guard end > index + 1, input[end - 1] == "'" else { return source }
                let literal = Self.literal(input[(index + 1)..<(end - 1)])
                if output.last == "[", end < input.count, input[end] == "]",
                    let start = Self.startOfPath(output.dropLast())
                {
                    let path = output[start..<(output.count - 1)]
                    output.replaceSubrange(start..., with: "get value(" + path + ", ")
                    output += literal
                    output.append(")")
                    index = end + 1
                } else {
                    output += literal
                    index = end
                }
            default:
                output.append(character)
                index += 1
            }
        }
        return String(output)
    }

    /// The position behind the text that begins at `start`, or the end.
    private static func endOfText(_ input: [Character], from start: Int) -> Int {
        var index = start + 1
        while index < input.count {
            if input[index] == "\\" {
                index += 2
            } else if input[index] == input[start] {
                return index + 1
            } else {
                index += 1
            }
        }
        return input.count
    }

    private static func literal(_ content: ArraySlice<Character>) -> [Character] {
        var literal: [Character] = ["\""]
        var isEscaped = false
        for character in content {
            if isEscaped {
                if character != "'" { literal.append("\\") }
                literal.append(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "\"" {
                literal += ["\\", "\""]
            } else {
                literal.append(character)
            }
        }
        return literal + ["\""]
    }

    /// Where the path that ends `output` begins: names, dots, and balanced brackets and parentheses.
    ///
    /// `nil` when there is none, so that the brackets are those of a list.
    private static func startOfPath(_ output: ArraySlice<Character>) -> Int? {
        var depth = 0
        var start = output.endIndex
        loop: while start > output.startIndex {
            let character = output[start - 1]
            switch character {
            case "]", ")": depth += 1
            case "[", "(":
                if depth == 0 { break loop }
                depth -= 1
            case _ where depth > 0: break
            case _ where character.isLetter || character.isNumber || "._?$".contains(character): break
            default: break loop
            }
            start -= 1
        }
        guard start < output.endIndex else { return nil }
        // `get value(…)` of an outer rewriting, whose name has a blank.
        let name = Array("get ")
        if start - name.count >= output.startIndex, Array(output[(start - name.count)..<start]) == name {
            start -= name.count
        }
        return start
    }
}
