import Testing
import Values

@testable import Decisions

/// Random expressions, each from a printed seed.
@Suite struct PropertyTests {
    /// Arithmetic and logic, computed here and by FEEL.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func expressionsAgreeWithAModel(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        for _ in 0..<50 {
            let tree = Model.random(depth: 5, using: &random)
            let expected = tree.value
            let parenthesised = try Expression.compile(tree.text(minimum: 9))
            let sparse = try Expression.compile(tree.text(minimum: 0))
            let scope = MapScope(Model.variables.mapValues { number("\($0)") })
            #expect(parenthesised.evaluateValue(scope) == expected, "seed \(seed): \(tree.text(minimum: 9))")
            #expect(sparse.evaluateValue(scope) == expected, "seed \(seed): \(tree.text(minimum: 0))")
        }
    }

    /// Whatever the grammar allows compiles and evaluates, with or without warnings, twice alike.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func grammaticalExpressionsEvaluate(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let now = DateTime("2026-01-31T09:05:00Z") ?? .feelEpoch
        let scope = MapScope(sampleVariables, now: now)
        for _ in 0..<40 {
            var generator = Generator(random: random)
            let text = generator.expression(4)
            random = generator.random
            do {
                let expression = try Expression.compile(text)
                let first = expression.evaluate(scope)
                let second = expression.evaluateValue(scope)
                if string(first.value) == string(second) { continue }
                Issue.record("seed \(seed): \(text) gives \(first.value) and \(second)")
            } catch {
                Issue.record("seed \(seed): \(text) does not compile: \(error)")
            }
        }
    }

    /// Changed, cut and spliced text ends in an expression or an error inside the text, never in a crash.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func malformedTextIsRefusedOrEvaluates(seed: UInt64) throws {
        var random = SplitMix64(state: seed)
        let scope = MapScope(sampleVariables)
        let noise = Array("()[]{}<>=!+-*/.,:;\"'@?\\ \n\t09eEaz_§🐎é\u{0}\u{FEFF}")
        for _ in 0..<60 {
            var generator = Generator(random: random)
            var text = Array(generator.expression(3))
            random = generator.random
            for _ in 0..<Int.random(in: 1...4, using: &random) where !text.isEmpty {
                let index = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: text.remove(at: index)
                case 1: text.insert(noise.randomElement(using: &random) ?? "?", at: index)
                case 2: text.removeLast(text.count - index)
                default: text.swapAt(index, Int.random(in: 0..<text.count, using: &random))
                }
            }
            for mode in [Expression.Mode.expression, .unaryTests] {
                do throws(FEELError) {
                    _ = try Expression.compile(String(text), mode: mode).evaluate(scope)
                } catch {
                    #expect((0...String(text).utf8.count).contains(error.offset), "seed \(seed): \(String(text))")
                    #expect(error.line >= 1 && error.column >= 1)
                }
            }
        }
    }

    /// A value's text; functions have no equality across evaluations.
    private func string(_ value: Value) -> String { "\(value.typeName) \(value)" }
}

/// An expression whose value this file computes itself.
///
/// Five levels of numbers up to 11 stay within 34 digits.
private indirect enum Model {
    case number(Int128)
    case variable(String)
    case arithmetic(String, Model, Model)
    case negated(Model)
    case choice(Model, String, Model, Model, Model)

    static let variables: [String: Int128] = ["a": 3, "b": -7, "c d": 11]

    static func random(depth: Int, using random: inout SplitMix64) -> Model {
        guard depth > 0, Int.random(in: 0..<5, using: &random) > 0 else {
            return Bool.random(using: &random)
                ? .number(Int128(Int.random(in: 0...9, using: &random)))
                : .variable(variables.keys.sorted().randomElement(using: &random) ?? "a")
        }
        var parts: [Model] = []
        for _ in 0..<4 { parts.append(Model.random(depth: depth - 1, using: &random)) }
        switch Int.random(in: 0..<8, using: &random) {
        case 0: return .negated(parts[0])
        case 1:
            let relation = ["<", "<=", "=", "!=", ">", ">="].randomElement(using: &random) ?? "<"
            return .choice(parts[0], relation, parts[1], parts[2], parts[3])
        default: return .arithmetic(["+", "-", "*"].randomElement(using: &random) ?? "+", parts[0], parts[1])
        }
    }

    private var integer: Int128 {
        switch self {
        case .number(let number): number
        case .variable(let name): Self.variables[name] ?? 0
        case .arithmetic("+", let a, let b): a.integer + b.integer
        case .arithmetic("-", let a, let b): a.integer - b.integer
        case .arithmetic(_, let a, let b): a.integer * b.integer
        case .negated(let a): -a.integer
        case .choice(let a, let relation, let b, let yes, let no):
            Self.holds(a.integer, relation, b.integer) ? yes.integer : no.integer
        }
    }

    var value: Value { DecisionsTests.number("\(integer)") }

    private static func holds(_ a: Int128, _ relation: String, _ b: Int128) -> Bool {
        switch relation {
        case "<": a < b
        case "<=": a <= b
        case "=": a == b
        case "!=": a != b
        case ">": a > b
        default: a >= b
        }
    }

    /// The text, in parentheses when the operator around it binds at least as tightly as `minimum`.
    func text(minimum: Int) -> String {
        let (text, precedence): (String, Int) =
            switch self {
            case .number(let number): ("\(number)", 9)
            case .variable(let name): (name, 9)
            case .arithmetic(let symbol, let a, let b):
                symbol == "*"
                    ? ("\(a.text(minimum: max(minimum, 5))) * \(b.text(minimum: max(minimum, 6)))", 5)
                    : ("\(a.text(minimum: max(minimum, 4))) \(symbol) \(b.text(minimum: max(minimum, 5)))", 4)
            case .negated(let a): ("-\(a.text(minimum: 7))", 7)
            case .choice(let a, let relation, let b, let yes, let no):
                (
                    "if \(a.text(minimum: 4)) \(relation) \(b.text(minimum: 4)) then \(yes.text(minimum: 0)) else "
                        + "\(no.text(minimum: 0))", 0
                )
            }
        return precedence < minimum ? "(\(text))" : text
    }
}
