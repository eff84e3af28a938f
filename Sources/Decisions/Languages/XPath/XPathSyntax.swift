import Values

/// A parsed XPath expression, which is also what is evaluated.
indirect enum XPathSyntax: Sendable {
    case text(String)
    case number(Number)
    case variable(String)
    case negation(XPathSyntax)
    case binary(XPathOperator, XPathSyntax, XPathSyntax)
    /// Nodes of an expression that satisfy predicates, counted over all of them.
    case filter(XPathSyntax, [XPathSyntax])
    /// Steps from the nodes of an expression, or from the context node.
    case path(XPathSyntax?, [XPathStep])
    case call(XPathFunction, [XPathSyntax])
}

/// One step of a path; predicates count within the step.
struct XPathStep: Sendable {
    let axis: XPathAxis
    let test: XPathTest
    var predicates: [XPathSyntax] = []
}

/// The directions a step may take.
enum XPathAxis: String, Sendable {
    case child, attribute, descendant, parent
    case itself = "self"
    case descendantOrSelf = "descendant-or-self"
}

/// What a step selects.
enum XPathTest: Sendable {
    case named(String)
    case anyName
    case text
    case node
}

/// An operator with two operands (XPath 1.0, clause 3).
enum XPathOperator: String, Sendable {
    case or, and
    case equal = "="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="
    case add = "+"
    case subtract = "-"
    case multiply = "*"
    case divide = "div"
    case remainder = "mod"
    case union = "|"

    /// How tightly it binds; larger numbers bind more tightly.
    var precedence: Int {
        switch self {
        case .or: 0
        case .and: 1
        case .equal, .notEqual: 2
        case .less, .lessOrEqual, .greater, .greaterOrEqual: 3
        case .add, .subtract: 4
        case .multiply, .divide, .remainder: 5
        case .union: 7
        }
    }

    /// The sign of numbers binds more tightly than multiplication and less than `|`.
    static let signPrecedence = 6
}

/// A function of XPath's core library.
enum XPathFunction: String, Sendable, CaseIterable {
    case last, position, count, name, sum, floor, ceiling, round, string, concat, contains, substring, translate
    case boolean, not, number
    case localName = "local-name"
    case isTrue = "true"
    case isFalse = "false"
    case startsWith = "starts-with"
    case substringBefore = "substring-before"
    case substringAfter = "substring-after"
    case stringLength = "string-length"
    case normalizeSpace = "normalize-space"

    /// How many arguments it takes.
    var arity: ClosedRange<Int> {
        switch self {
        case .last, .position, .isTrue, .isFalse: 0...0
        case .name, .localName, .string, .number, .stringLength, .normalizeSpace: 0...1
        case .count, .sum, .floor, .ceiling, .round, .boolean, .not: 1...1
        case .contains, .startsWith, .substringBefore, .substringAfter: 2...2
        case .substring: 2...3
        case .translate: 3...3
        case .concat: 2...XPathParser.operationsMax
        }
    }

    /// Functions of BPMN 2.0.2, table 10.4 ff., that read a variable by the name given last, and `getVariable`.
    static let readers: Set<String> = [
        "getVariable", "getDataObject", "getDataInput", "getDataOutput", "getProcessProperty",
    ]
}
