extension Parser {
    /// The longest name of several tokens that the table knows here, or nil without moving.
    mutating func takeKnownName(afterDot: Bool = false) throws(FEELError) -> String? {
        guard let match = names.longestMatch(at: token.start, in: lexer, afterDot: afterDot), match.end >= token.end
        else { return nil }
        lexer.position = match.end
        token.end = match.end
        try advance()
        return match.name
    }

    /// The word at the current token, and the words behind it that are no keywords.
    mutating func takeName() throws(FEELError) -> String {
        var name = lexer.text(token)
        try advance()
        while token.kind == .word {
            let word = lexer.text(token)
            guard !Keyword.isReserved(word), word != "?" else { break }
            name += " " + word
            try advance()
        }
        return name
    }

    /// The name of an entry or property behind `.`.
    mutating func parsePathName() throws(FEELError) -> String {
        if let name = try takeKnownName(afterDot: true) { return name }
        return try takeName()
    }

    /// The name of an iteration variable, which reaches to the keyword `in`.
    mutating func takeBindingName() throws(FEELError) -> String {
        try takeKey(until: "in")
    }

    /// A key, parameter or argument name, which may hold keywords, digits and `. / - ' + *`.
    ///
    /// It reaches to the first token that cannot be part of a name; white space inside becomes one space.
    mutating func takeKey(until stop: StaticString? = nil) throws(FEELError) -> String {
        guard token.kind == .word else { throw unexpected("a name") }
        var name = lexer.text(token)
        var end = token.end
        try advance()
        loop: while true {
            if let stop, isKeyword(stop) { break }
            switch token.kind {
            case .word, .number, .plus, .minus, .star, .power, .slash, .dot, .apostrophe:
                if token.start > end { name += " " }
                name += lexer.text(token)
                end = token.end
                try advance()
            default: break loop
            }
        }
        return name
    }
}
