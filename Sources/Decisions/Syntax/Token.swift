/// A lexical unit of FEEL: a kind and the bytes it covers.
struct Token: Sendable, Hashable {
    enum Kind: UInt8, Sendable, Hashable {
        /// One word of a name, or a keyword. Names of several words are put together by the parser.
        case word
        case number
        case string
        /// `@"…"`
        case temporal
        case plus, minus, star, power, slash
        case less, lessOrEqual, greater, greaterOrEqual, equal, notEqual
        case leftParenthesis, rightParenthesis, leftBracket, rightBracket, leftBrace, rightBrace
        case comma, colon, dot, dots, arrow
        case apostrophe
        case end
    }

    var kind: Kind
    var start: Int
    var end: Int
}

extension Token.Kind {
    /// What the token is called in an error message.
    var spelled: String {
        switch self {
        case .word: "a name"
        case .number: "a number"
        case .string: "a string"
        case .temporal: "a temporal literal"
        case .plus: "'+'"
        case .minus: "'-'"
        case .star: "'*'"
        case .power: "'**'"
        case .slash: "'/'"
        case .less: "'<'"
        case .lessOrEqual: "'<='"
        case .greater: "'>'"
        case .greaterOrEqual: "'>='"
        case .equal: "'='"
        case .notEqual: "'!='"
        case .leftParenthesis: "'('"
        case .rightParenthesis: "')'"
        case .leftBracket: "'['"
        case .rightBracket: "']'"
        case .leftBrace: "'{'"
        case .rightBrace: "'}'"
        case .comma: "','"
        case .colon: "':'"
        case .dot: "'.'"
        case .dots: "'..'"
        case .arrow: "'->'"
        case .apostrophe: "'"
        case .end: "the end of the expression"
        }
    }
}
