/// An operator with two operands (Expression Language 2.2, clause 1.12).
enum JUELOperator {
    case or, and, equal, notEqual
    case relation(Relation)
    case add, subtract, multiply, divide, remainder

    /// The operator a token stands for, by symbol or by word.
    init?(_ token: ForeignLexer.Token) {
        guard token.kind == .symbol || token.kind == .name else { return nil }
        switch token.text {
        case "||", "or": self = .or
        case "&&", "and": self = .and
        case "==", "eq": self = .equal
        case "!=", "ne": self = .notEqual
        case "<", "lt": self = .relation(.less)
        case "<=", "le": self = .relation(.lessOrEqual)
        case ">", "gt": self = .relation(.greater)
        case ">=", "ge": self = .relation(.greaterOrEqual)
        case "+": self = .add
        case "-": self = .subtract
        case "*": self = .multiply
        case "/", "div": self = .divide
        case "%", "mod": self = .remainder
        default: return nil
        }
    }

    /// How tightly it binds; larger numbers bind more tightly.
    var precedence: Int {
        switch self {
        case .or: 0
        case .and: 1
        case .equal, .notEqual: 2
        case .relation: 3
        case .add, .subtract: 4
        case .multiply, .divide, .remainder: 5
        }
    }

    /// The operator applied to two compiled operands.
    func node(_ left: Node, _ right: Node, _ span: SourceSpan) -> Node {
        switch self {
        case .or: OrNode(JUELTruthNode.of(left), JUELTruthNode.of(right), span)
        case .and: AndNode(JUELTruthNode.of(left), JUELTruthNode.of(right), span)
        case .equal: JUELEqualityNode(left, right, isNegated: false, span)
        case .notEqual: JUELEqualityNode(left, right, isNegated: true, span)
        case .relation(let relation): JUELOrderNode(relation, left, right, span)
        case .add: JUELArithmeticNode(.add, left, right, span)
        case .subtract: JUELArithmeticNode(.subtract, left, right, span)
        case .multiply: JUELArithmeticNode(.multiply, left, right, span)
        case .divide: JUELArithmeticNode(.divide, left, right, span)
        case .remainder: JUELArithmeticNode(nil, left, right, span)
        }
    }
}
