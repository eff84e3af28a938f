extension Parser {
    /// A type behind `instance of` or in a formal parameter.
    mutating func parseType() throws(FEELError) -> TypeSyntax {
        try enter()
        defer { depth -= 1 }
        guard token.kind == .word else { throw unexpected("a type") }
        let name = try takeTypeName()
        switch name {
        case "Any": return .any
        case "Null", "null": return .null
        case "number": return .number
        case "string": return .string
        case "boolean": return .boolean
        case "date": return .date
        case "time": return .time
        case "date and time", "dateTime": return .dateTime
        case "years and months duration", "yearMonthDuration": return .yearMonthDuration
        case "days and time duration", "day and time duration", "dayTimeDuration": return .dayTimeDuration
        case "duration": return .duration
        case "list": return .list(try parseTypeArgument())
        case "range": return .range(try parseTypeArgument())
        case "context": return try parseContextType()
        case "function": return try parseFunctionType()
        default: return .named(name)
        }
    }

    private static let compoundTypes = [
        ["date", "and", "time"], ["years", "and", "months", "duration"], ["days", "and", "time", "duration"],
        ["day", "and", "time", "duration"],
    ]

    private mutating func takeTypeName() throws(FEELError) -> String {
        if isKeyword("null") {
            try advance()
            return "null"
        }
        let (first, end) = (token, lastEnd)
        for words in Self.compoundTypes {
            var matched = true
            for word in words {
                guard token.kind == .word, lexer.text(token) == word else {
                    matched = false
                    break
                }
                try advance()
            }
            if matched { return words.joined(separator: " ") }
            restore(first, lastEnd: end)
        }
        var name = try takeName()
        while token.kind == .dot {
            try advance()
            guard token.kind == .word else { throw unexpected("a name after '.'") }
            name += "." + (try takeName())
        }
        return name
    }

    private mutating func parseTypeArgument() throws(FEELError) -> TypeSyntax? {
        guard try take(.less) else { return nil }
        let type = try parseType()
        try expect(.greater, "at the end of the type")
        return type
    }

    private mutating func parseContextType() throws(FEELError) -> TypeSyntax {
        guard try take(.less) else { return .context(nil) }
        var entries: [TypeEntrySyntax] = []
        if try take(.greater) { return .context([]) }
        repeat {
            let key = try takeKey()
            try expect(.colon, "after the key '\(key)'")
            entries.append(TypeEntrySyntax(key: key, type: try parseType()))
        } while try take(.comma)
        try expect(.greater, "at the end of the type")
        return .context(entries)
    }

    private mutating func parseFunctionType() throws(FEELError) -> TypeSyntax {
        guard try take(.less) else { return .anyFunction }
        var parameters: [TypeSyntax] = []
        if token.kind != .greater {
            repeat { parameters.append(try parseType()) } while try take(.comma)
        }
        try expect(.greater, "after the parameter types")
        try expect(.arrow, "before the result type")
        return .function(parameters, result: try parseType())
    }
}
