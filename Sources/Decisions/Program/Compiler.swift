import Values

/// A compiled expression and what running it takes.
struct Program {
    var root: Node
    var variableNames: [String]
    var slotCount: Int
    /// How many variables of the scope are kept during an evaluation.
    var cachedRootCount: Int
    /// Whether the result can be far larger than the source and the variables, or nested deeper.
    var canGrow: Bool
}

extension Program {
    /// A program of a language other than FEEL, which needs no slots and bounds its results itself.
    init(_ root: Node, variableNames: [String]) {
        self.init(root: root, variableNames: variableNames, slotCount: 0, cachedRootCount: 0, canGrow: false)
    }
}

/// Turns syntax into nodes: binds names to slots, folds constants, picks specialised nodes.
struct Compiler {
    /// What a name is bound to inside a function.
    enum Binding {
        case local(slot: Int)
        /// The element under test of a filter; its entries are names as well.
        case element(slot: Int)
        /// The function itself.
        case itself
    }

    /// The bindings of one function, or of the outermost expression.
    struct Frame {
        var bindings: [(name: String, binding: Binding)] = []
        var slotCount = 0
        var captures: [(name: String, slot: Int, value: Node)] = []
        /// The slots that some node reads.
        var readSlots: Set<Int> = []

        mutating func newSlot() -> Int {
            slotCount += 1
            return slotCount - 1
        }

        /// Binds `name` to a new slot.
        mutating func bind(_ name: String) -> Int {
            let slot = newSlot()
            bindings.append((name, .local(slot: slot)))
            return slot
        }

        mutating func unbind(to count: Int) {
            bindings.removeLast(bindings.count - count)
        }
    }

    var source: SourceText
    let knownNames: Set<String>
    /// The decision model around the expression; nil when it stands alone.
    var environment: NameEnvironment?
    var frames = [Frame()]
    var variableNames: [String] = []
    var seenNames: Set<String> = []
    /// The variables of the scope that are kept during an evaluation, and where.
    var cachedRoots: [String: Int] = [:]
    /// What remains of the work that may be spent on constants.
    var foldingBudget = 100_000
    var loopDepth = 0
    /// Whether these are unary tests, so that `?` is the value under test; elsewhere it is a variable of the scope.
    var hasInput = false
    var canGrow = false
    var bindsLocals = false
    /// How many nodes deep the compiler is, and was at most since this was last reset.
    var depth = 0
    var depthReached = 0

    static func compile(_ syntax: Syntax, source: SourceText, knownNames: [String]) throws(FEELError) -> Program {
        var compiler = Compiler(source: source, knownNames: Set(knownNames))
        let root = try compiler.compile(syntax)
        return Program(
            root: root, variableNames: compiler.variableNames, slotCount: compiler.frames[0].slotCount,
            cachedRootCount: compiler.cachedRoots.count, canGrow: compiler.canGrow && compiler.bindsLocals)
    }

    mutating func compile(_ syntax: Syntax) throws(FEELError) -> Node {
        depth += 1
        depthReached = max(depthReached, depth)
        defer { depth -= 1 }
        let span = syntax.span
        switch syntax.kind {
        case .literal(let value): return ConstantNode(value, span)
        case .name(let name): return resolve(name, in: frames.count - 1, span)
        case .input: return hasInput ? InputNode(span) : resolve("?", in: frames.count - 1, span)
        case .negation(let operand):
            let operand = try compile(operand)
            return fold(NegationNode(operand, span), operand)
        case .binary(let binary, let left, let right): return try compileBinary(binary, left, right, span)
        case .between(let operand, let low, let high):
            let nodes = (try compile(operand), try compile(low), try compile(high))
            return fold(BetweenNode(nodes.0, low: nodes.1, high: nodes.2, span), nodes.0, nodes.1, nodes.2)
        case .membership(let operand, let tests):
            let operand = try compile(operand)
            let compiled = try compileTests(tests, aboutInput: false)
            let node = MembershipNode(operand, compiled, span)
            return operand.constant != nil && compiled.allSatisfy { $0.operand.constant != nil } ? folded(node) : node
        case .instance(let operand, let type):
            let operand = try compile(operand)
            return fold(InstanceNode(operand, resolve(type), span), operand)
        case .conditional(let condition, let consequence, let alternative):
            let nodes = (try compile(condition), try compile(consequence), try compile(alternative))
            return fold(ConditionalNode(nodes.0, nodes.1, nodes.2, span), nodes.0, nodes.1, nodes.2)
        case .iteration(let iterators, let result): return try compileIteration(iterators, result, span)
        case .quantified(let every, let iterators, let condition):
            return try compileQuantified(every: every, iterators, condition, span)
        case .function(let parameters, let body): return try compileFunction(parameters, body, name: nil, span)
        case .list(let elements):
            canGrow = true
            var nodes: [Node] = []
            for element in elements { nodes.append(try compile(element)) }
            let node = ListNode(nodes, span)
            return nodes.allSatisfy { $0.constant != nil } ? folded(node) : node
        case .context(let entries): return try compileContext(entries, span)
        case .range(let range): return try compileRange(range, span)
        case .comparison(let comparison, let end): return try compileRange(comparison, end, span)
        case .filter(let base, let condition): return try compileFilter(base, condition, span)
        case .path(let base, let name):
            if let imported = importedElement(base, name) { return ElementNode(imported, span) }
            let base = try compile(base)
            return fold(PathNode(base, name, span), base)
        case .invocation(let callee, let arguments): return try compileInvocation(callee, arguments, span)
        case .tests(let tests, let negated):
            hasInput = true
            return UnaryTestsNode(try compileTests(tests, aboutInput: true), isNegated: negated, span)
        }
    }

    // MARK: Operators

    /// A chain of operators leans to the left; it is walked in a loop, not by recursion.
    private mutating func compileBinary(
        _ binary: BinaryOperator, _ left: Syntax, _ right: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        if binary == .and || binary == .or { return try compileLogic(binary, left, right, span) }
        var chain = [(binary: binary, operand: right, span: span)]
        var first = left
        while case .binary(let inner, let left, let right) = first.kind, inner != .and, inner != .or {
            chain.append((inner, right, first.span))
            first = left
        }
        let outermost = depth
        depth += chain.count - 1
        var node = try compile(first)
        for (index, link) in chain.enumerated().reversed() {
            depth = outermost + index
            let operand = try compile(link.operand)
            node = fold(Self.node(link.binary, node, operand, link.span), node, operand)
        }
        return node
    }

    private static func node(_ binary: BinaryOperator, _ left: Node, _ right: Node, _ span: SourceSpan) -> Node {
        if let relation = Relation(binary) { return OrderNode(relation, left, right, span) }
        if let arithmetic = Arithmetic(binary) { return ArithmeticNode(arithmetic, left, right, span) }
        return EqualityNode(left, right, isNegated: binary == .notEqual, span)
    }

    /// Makes a chain of the same connective, which is associative, into a tree as flat as possible.
    private mutating func compileLogic(
        _ connective: BinaryOperator, _ left: Syntax, _ right: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        var syntaxes = [right]
        var rest = left
        while case .binary(connective, let inner, let operand) = rest.kind {
            syntaxes.append(operand)
            rest = inner
        }
        syntaxes.append(rest)
        var operands: [Node] = []
        for syntax in syntaxes.reversed() { operands.append(try compile(syntax)) }
        return join(operands[...], connective, span)
    }

    private mutating func join(_ operands: ArraySlice<Node>, _ connective: BinaryOperator, _ span: SourceSpan) -> Node {
        if operands.count == 1, let operand = operands.first { return operand }
        let middle = operands.startIndex + operands.count / 2
        let left = join(operands[..<middle], connective, span)
        let right = join(operands[middle...], connective, span)
        return fold(connective == .and ? AndNode(left, right, span) : OrNode(left, right, span), left, right)
    }

    private mutating func compileTests(_ tests: [Syntax], aboutInput: Bool) throws(FEELError) -> [Test] {
        var compiled: [Test] = []
        for test in tests {
            if case .comparison(let comparison, let operand) = test.kind {
                let kind: Test.Kind =
                    Relation(comparison).map { .order($0) } ?? .equality(isNegated: comparison == .notEqual)
                compiled.append(Test(kind: kind, operand: try compile(operand)))
            } else {
                var kind: Test.Kind = aboutInput && test.readsInput ? .condition : .membership
                if case .range = test.kind { kind = .interval }
                compiled.append(Test(kind: kind, operand: try compile(test)))
            }
        }
        return compiled
    }

    private mutating func compileRange(_ range: RangeSyntax, _ span: SourceSpan) throws(FEELError) -> Node {
        let lower = try range.lower.map { (syntax) throws(FEELError) in try compile(syntax) }
        let upper = try range.upper.map { (syntax) throws(FEELError) in try compile(syntax) }
        let node = RangeNode(
            includesLower: range.includesLower, lower: lower, upper: upper, includesUpper: range.includesUpper, span)
        return [lower, upper].allSatisfy { $0 == nil || $0?.constant != nil } ? folded(node) : node
    }

    /// `(< 5)` as a value.
    private mutating func compileRange(
        _ comparison: BinaryOperator, _ end: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        let range: RangeSyntax
        switch comparison {
        case .less, .lessOrEqual:
            let included = comparison == .lessOrEqual
            range = RangeSyntax(includesLower: false, lower: nil, upper: end, includesUpper: included)
        case .greater, .greaterOrEqual:
            let included = comparison == .greaterOrEqual
            range = RangeSyntax(includesLower: included, lower: end, upper: nil, includesUpper: false)
        case .equal: range = RangeSyntax(includesLower: true, lower: end, upper: end, includesUpper: true)
        default:
            throw FEELError(
                .unsupported, "'!=' does not describe a range", at: Int(span.start), in: source.text.utf8,
                remedy: "Use it behind 'in', or write 'not(… = …)'")
        }
        return try compileRange(range, span)
    }

    // MARK: Constants

    private mutating func fold(_ node: Node, _ operands: Node...) -> Node {
        operands.allSatisfy { $0.constant != nil } ? folded(node) : node
    }

    /// The node's value as a constant, unless computing it gives a warning, which every evaluation shall repeat.
    mutating func folded(_ node: Node) -> Node {
        guard foldingBudget > 0 else { return node }
        var machine = Machine(scope: EmptyScope.shared, source: source, collects: true)
        machine.budget = foldingBudget
        machine.prepare(slotCount: frames[frames.count - 1].slotCount, rootCount: 0)
        let value = node.evaluate(&machine)
        foldingBudget = machine.budget
        return machine.warnings.isEmpty ? ConstantNode(value, node.span) : node
    }
}

/// The scope of constants.
private final class EmptyScope: VariableScope, Sendable {
    static let shared = EmptyScope()

    func variable(_ name: String) -> Value? { nil }

    var now: DateTime { .feelEpoch }
}

extension Syntax {
    /// Whether `?` occurs anywhere in it.
    var readsInput: Bool {
        switch kind {
        case .input: true
        case .literal, .name, .tests: false
        case .negation(let operand), .instance(let operand, _), .path(let operand, _), .comparison(_, let operand):
            operand.readsInput
        case .binary(_, let left, let right), .filter(let left, let right): left.readsInput || right.readsInput
        case .between(let operand, let low, let high): operand.readsInput || low.readsInput || high.readsInput
        case .membership(let operand, let tests): operand.readsInput || tests.contains(where: \.readsInput)
        case .conditional(let condition, let consequence, let alternative):
            condition.readsInput || consequence.readsInput || alternative.readsInput
        case .iteration(let iterators, let body), .quantified(_, let iterators, let body):
            body.readsInput || iterators.contains { $0.source.readsInput || $0.last?.readsInput == true }
        case .function(_, let body): body.readsInput
        case .list(let elements): elements.contains(where: \.readsInput)
        case .context(let entries): entries.contains { $0.value.readsInput }
        case .range(let range): range.lower?.readsInput == true || range.upper?.readsInput == true
        case .invocation(let callee, .positional(let arguments)):
            callee.readsInput || arguments.contains(where: \.readsInput)
        case .invocation(let callee, .named(let arguments)):
            callee.readsInput || arguments.contains { $0.value.readsInput }
        }
    }
}
