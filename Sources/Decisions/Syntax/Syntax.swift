import Values

/// A parsed FEEL expression: what was written, and where.
struct Syntax: Sendable {
    let kind: Kind
    let span: SourceSpan

    /// The forms of DMN 1.5, clause 10.3.1.2.
    indirect enum Kind: Sendable {
        case literal(Value)
        case name(String)
        /// `?`, the value a unary test is about.
        case input
        case negation(Syntax)
        case binary(BinaryOperator, Syntax, Syntax)
        case between(Syntax, low: Syntax, high: Syntax)
        /// `x in (test, test)`; true when one of the tests is.
        case membership(Syntax, [Syntax])
        case instance(Syntax, TypeSyntax)
        case conditional(Syntax, then: Syntax, otherwise: Syntax)
        case iteration([IteratorSyntax], result: Syntax)
        case quantified(every: Bool, [IteratorSyntax], condition: Syntax)
        case function([ParameterSyntax], body: Syntax)
        case list([Syntax])
        case context([EntrySyntax])
        case range(RangeSyntax)
        case filter(Syntax, Syntax)
        case path(Syntax, String)
        case invocation(Syntax, ArgumentsSyntax)
        /// `< 5`: a unary test by itself, a range when in parentheses.
        case comparison(BinaryOperator, Syntax)
        /// Unary tests joined by commas; negated by `not(…)`. No test at all is `-`, which is always true.
        case tests([Syntax], negated: Bool)
    }
}

/// The bytes of the source that a part of the expression covers.
struct SourceSpan: Sendable, Hashable {
    var start: UInt32
    var end: UInt32

    init(_ start: Int, _ end: Int) {
        self.start = UInt32(truncatingIfNeeded: start)
        self.end = UInt32(truncatingIfNeeded: end)
    }
}

/// An operator with two operands.
enum BinaryOperator: String, Sendable, Hashable, CaseIterable {
    case or
    case and
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "/"
    case power = "**"

    /// How tightly the operator binds; a larger number binds tighter.
    ///
    /// All associate to the left.
    var precedence: Int {
        switch self {
        case .or: 1
        case .and: 2
        case .equal, .notEqual, .less, .lessOrEqual, .greater, .greaterOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide: 5
        case .power: 6
        }
    }

    init?(_ kind: Token.Kind) {
        switch kind {
        case .equal: self = .equal
        case .notEqual: self = .notEqual
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        case .plus: self = .add
        case .minus: self = .subtract
        case .star: self = .multiply
        case .slash: self = .divide
        case .power: self = .power
        default: return nil
        }
    }

    /// Whether this is one of the six comparisons.
    var isComparison: Bool { precedence == 3 }
}

/// `name in source` or `name in first..last` of `for`, `some` and `every`.
struct IteratorSyntax: Sendable {
    var name: String
    var source: Syntax
    /// The second end when iterating over `first..last`.
    var last: Syntax?
}

/// A formal parameter with an optional type.
struct ParameterSyntax: Sendable {
    var name: String
    var type: TypeSyntax?
}

/// `key: value` of a context.
struct EntrySyntax: Sendable {
    var key: String
    var value: Syntax
}

/// An interval; a missing end is unbounded.
struct RangeSyntax: Sendable {
    var includesLower: Bool
    var lower: Syntax?
    var upper: Syntax?
    var includesUpper: Bool
}

/// The arguments of an invocation: all by position or all by name.
enum ArgumentsSyntax: Sendable {
    case positional([Syntax])
    case named([(name: String, value: Syntax)])
}

/// A type as `instance of` and formal parameters name it.
indirect enum TypeSyntax: Sendable, Hashable {
    /// `Any`: everything but null.
    case any
    case null
    case number, string, boolean, date, time, dateTime, yearMonthDuration, dayTimeDuration
    /// `duration`, either kind.
    case duration
    case list(TypeSyntax?)
    case range(TypeSyntax?)
    case context([TypeEntrySyntax]?)
    case function([TypeSyntax], result: TypeSyntax)
    /// `function` without a signature.
    case anyFunction
    /// A type that nothing defines.
    case named(String)
    /// An item definition of a decision model.
    case item(ItemType)
}

/// `key: type` of a context type.
struct TypeEntrySyntax: Sendable, Hashable {
    var key: String
    var type: TypeSyntax
}
