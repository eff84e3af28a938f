public import Values

/// An expression, compiled once and evaluated many times, by any number of threads.
///
/// It is FEEL when ``compile(_:mode:knownNames:)`` made it; other languages make theirs by ``ExpressionLanguage``.
///
/// Evaluation never throws and never runs away: what cannot be computed is null with a warning, and steps, recursion and
/// the size of results are bounded.
public final class Expression: Sendable {
    /// How the source is read.
    public enum Mode: Sendable, Hashable {
        /// A textual expression.
        case expression
        /// Unary tests about `?`, as in a cell of a decision table; they evaluate to a boolean.
        case unaryTests
    }

    /// The text it was compiled from.
    public var source: String { sourceText.text }
    /// How the source was read.
    public let mode: Mode
    /// The value, when it does not depend on variables or the time and is free of warnings.
    public let constant: Value?
    /// The names the expression reads from its scope, each once, in the order of appearance.
    ///
    /// Names inside a filter are among them, because only the elements tell whether they are entries or variables.
    public let variableNames: [String]

    private let sourceText: SourceText
    private let root: Node
    private let slotCount: Int
    private let rootCount: Int
    private let canGrow: Bool

    init(source: SourceText, mode: Mode, program: Program) {
        self.sourceText = source
        self.mode = mode
        self.root = program.root
        self.constant = program.root.constant
        self.variableNames = program.variableNames
        self.slotCount = program.slotCount
        self.rootCount = program.cachedRootCount
        self.canGrow = program.canGrow
    }

    /// Makes an expression of a vocabulary of one's own.
    ///
    /// - Parameters:
    ///   - source: The text it stands for.
    ///   - variableNames: The variables `evaluate` may read, each once; incidents and reports name them.
    ///   - evaluate: The value over a scope: pure, bounded, and the same for the same variables and time. As a condition
    ///     a value that is no boolean is unknown.
    public convenience init(
        source: String, variableNames: [String],
        evaluate: @escaping @Sendable (any VariableScope) -> Evaluation
    ) {
        let root = ForeignNode(evaluate, SourceSpan(0, source.utf8.count))
        self.init(source: SourceText(source), mode: .expression, program: Program(root, variableNames: variableNames))
    }

    /// Parses and compiles a FEEL expression.
    ///
    /// - Parameters:
    ///   - source: FEEL text of at most 128 KiB, nested at most 200 levels deep.
    ///   - mode: How to read it.
    ///   - knownNames: Names of variables and functions that the scope will offer. Only names that hold operators,
    ///     keywords or digits after a space need to be given, and functions that are not built in.
    /// - Throws: ``FEELError``, saying what was expected and where.
    public static func compile(
        _ source: String, mode: Mode = .expression, knownNames: [String] = []
    ) throws(FEELError) -> Expression {
        let syntax =
            switch mode {
            case .expression: try Parser.expression(source, knownNames: knownNames)
            case .unaryTests: try Parser.unaryTests(source, knownNames: knownNames)
            }
        let text = SourceText(source)
        let program = try Compiler.compile(syntax, source: text, knownNames: knownNames)
        return Expression(source: text, mode: mode, program: program)
    }

    /// The value, and a warning for every part that could not be computed.
    ///
    /// In unary tests `?` is the variable named `?`.
    public func evaluate(_ scope: any VariableScope) -> Evaluation {
        if let constant { return Evaluation(value: constant) }
        var machine = Machine(scope: scope, source: sourceText, collects: true)
        if mode == .unaryTests { machine.input = scope.variable("?") ?? .null }
        let value = run(&machine)
        return Evaluation(value: value, warnings: machine.warnings)
    }

    /// The value alone; the same as `evaluate(_:).value` without the cost of warnings.
    public func evaluateValue(_ scope: any VariableScope) -> Value {
        if let constant { return constant }
        var machine = Machine(scope: scope, source: sourceText, collects: false)
        if mode == .unaryTests { machine.input = scope.variable("?") ?? .null }
        return run(&machine)
    }

    /// Whether the expression is true: a condition, evaluated without building a value.
    ///
    /// - Returns: nil when the value is null or no boolean.
    public func evaluateCondition(_ scope: any VariableScope) -> Bool? {
        var machine = Machine(scope: scope, source: sourceText, collects: false)
        if mode == .unaryTests { machine.input = scope.variable("?") ?? .null }
        machine.prepare(slotCount: slotCount, rootCount: rootCount)
        return root.truth(&machine).boolean
    }

    /// Whether unary tests hold for `input`.
    ///
    /// - Returns: nil when a test could not be decided.
    public func matches(_ input: Value, in scope: any VariableScope) -> Bool? {
        var machine = Machine(scope: scope, source: sourceText, collects: false)
        machine.input = input
        machine.prepare(slotCount: slotCount, rootCount: rootCount)
        return root.truth(&machine).boolean
    }

    private func run(_ machine: inout Machine) -> Value {
        machine.prepare(slotCount: slotCount, rootCount: rootCount)
        let value = root.evaluate(&machine)
        guard canGrow, !machine.admits(value, at: root.span) else { return value }
        return .null
    }
}

extension Expression: CustomStringConvertible {
    /// The source.
    public var description: String { source }
}
