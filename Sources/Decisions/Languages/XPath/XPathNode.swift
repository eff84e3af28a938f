import Values

/// An XPath expression among the nodes of an ``Expression``.
final class XPathNode: Node, @unchecked Sendable {
    let syntax: XPathSyntax

    init(_ syntax: XPathSyntax, _ span: SourceSpan) {
        self.syntax = syntax
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        var run = XPathRun(machine, span)
        defer { machine = run.machine }
        return run.result(run.evaluate(syntax, run.outside))
    }

    override func truth(_ machine: inout Machine) -> Truth {
        var run = XPathRun(machine, span)
        defer { machine = run.machine }
        let truth = run.truth(run.evaluate(syntax, run.outside))
        return run.machine.budget < 0 ? .unknown : Truth(truth)
    }
}

/// A value of XPath 1.0.
enum XPathValue {
    /// Elements, attributes and texts by index, in document order.
    case nodes([Int])
    /// A number; nil is NaN, which also stands for the infinities.
    case number(Number?)
    case string(String)
    case boolean(Bool)
}

/// One evaluation of an XPath expression.
struct XPathRun {
    /// What an expression is evaluated about.
    struct Context {
        /// The context node; nil outside of predicates.
        var node: Int?
        var position = 1
        var size = 1
    }

    var machine: Machine
    let span: SourceSpan
    var tree = XPathTree()
    private var variables: [String: [Int]] = [:]
    /// The variables among them that hold a list, be it of one element.
    private var lists: Set<String> = []

    let outside = Context()

    init(_ machine: Machine, _ span: SourceSpan) {
        self.machine = machine
        self.span = span
    }

    mutating func evaluate(_ syntax: XPathSyntax, _ context: Context) -> XPathValue {
        switch syntax {
        case .text(let text): .string(text)
        case .number(let number): .number(number)
        case .variable(let name): value(of: name)
        case .negation(let operand): negated(operand, context)
        case .binary(let operation, let left, let right): binary(operation, left, right, context)
        case .filter(let base, let predicates): filtered(base, predicates, context)
        case .path(let start, let steps): path(start, steps, context)
        case .call(let function, let arguments): call(function, arguments, context)
        }
    }

    /// The nodes of an expression; a value that is none has no nodes, with a warning.
    mutating func nodes(_ syntax: XPathSyntax, _ context: Context) -> [Int] {
        if case .variable(let name) = syntax { return variable(name) }
        guard case .nodes(let nodes) = evaluate(syntax, context) else {
            warn("Expected elements but found a value")
            return []
        }
        return nodes
    }

    /// A variable: a number, text or boolean, else elements.
    private mutating func value(of name: String) -> XPathValue {
        let nodes = variable(name)
        guard nodes.count == 1, !lists.contains(name) else { return .nodes(nodes) }
        switch tree.items[nodes[0]].value {
        case .number(let number): return .number(number)
        case .string(let text): return .string(text)
        case .boolean(let flag): return .boolean(flag)
        default: return .nodes(nodes)
        }
    }

    /// The elements of a variable.
    private mutating func variable(_ name: String) -> [Int] {
        if let known = variables[name] { return known }
        let nodes: [Int]
        if let value = machine.scope.variable(name) {
            nodes = tree.add(value, name: name)
            if case .list = value { lists.insert(name) }
            _ = machine.spend(nodes.count, at: span)
        } else {
            warn("There is no variable '\(name)'")
            nodes = []
        }
        variables[name] = nodes
        return nodes
    }

    mutating func warn(_ message: @autoclosure () -> String) {
        machine.warn(span) { _ in message() }
    }

    // MARK: Paths

    private mutating func path(_ start: XPathSyntax?, _ steps: [XPathStep], _ context: Context) -> XPathValue {
        var current = start.map { nodes($0, context) } ?? context.node.map { [$0] } ?? []
        for step in steps {
            var found: [Int] = []
            for node in current {
                var candidates = select(step, from: node)
                for predicate in step.predicates { candidates = matching(predicate, candidates) }
                guard machine.spend(1 + candidates.count, at: span) else { return .nodes([]) }
                found += candidates
            }
            current = current.count > 1 ? ordered(found) : found
        }
        return .nodes(current)
    }

    private mutating func filtered(
        _ base: XPathSyntax, _ predicates: [XPathSyntax], _ context: Context
    ) -> XPathValue {
        var found = nodes(base, context)
        for predicate in predicates { found = matching(predicate, found) }
        return .nodes(found)
    }

    /// The nodes for which a predicate holds; a number is a position.
    private mutating func matching(_ predicate: XPathSyntax, _ nodes: [Int]) -> [Int] {
        if case .number(let number) = predicate {
            guard let position = number.int64, position >= 1, position <= nodes.count else { return [] }
            return [nodes[Int(position) - 1]]
        }
        var found: [Int] = []
        for (index, node) in nodes.enumerated() {
            guard machine.spend(1, at: span) else { return [] }
            let context = Context(node: node, position: index + 1, size: nodes.count)
            let value = evaluate(predicate, context)
            if case .number(let number) = value {
                if number == Number(index + 1) { found.append(node) }
            } else if truth(value) {
                found.append(node)
            }
        }
        return found
    }

    private mutating func select(_ step: XPathStep, from node: Int) -> [Int] {
        switch step.axis {
        case .itself: return [node].filter { passes($0, step) }
        case .parent: return [tree.items[node].parent].compactMap { $0 }.filter { passes($0, step) }
        case .attribute: return charged(tree.attributes(of: node)).filter { passes($0, step) }
        case .child: return charged(tree.children(of: node)).filter { passes($0, step) }
        case .descendant, .descendantOrSelf:
            var (found, open): ([Int], [Int]) = ([], [node])
            while let next = open.popLast() {
                if next != node || step.axis == .descendantOrSelf, passes(next, step) { found.append(next) }
                open += charged(tree.children(of: next)).reversed()
            }
            return found
        }
    }

    /// Takes a step for each node; none is left when the steps are used up.
    private mutating func charged(_ nodes: Range<Int>) -> Range<Int> {
        machine.spend(nodes.count, at: span) ? nodes : 0..<0
    }

    private func passes(_ node: Int, _ step: XPathStep) -> Bool {
        let item = tree.items[node]
        switch step.test {
        case .node: return true
        case .text: return item.kind == .text
        case .anyName: return item.kind == (step.axis == .attribute ? .attribute : .element)
        case .named(let name):
            return item.kind == (step.axis == .attribute ? .attribute : .element) && item.hasName(name)
        }
    }

    /// Each node once, in document order.
    mutating func ordered(_ nodes: [Int]) -> [Int] {
        let tree = self.tree
        // Comparing places climbs to a common element.
        let work = nodes.reduce(0) { $0 + 1 + tree.items[$1].depth / 4 }
        guard machine.spend(work, at: span) else { return [] }
        if zip(nodes, nodes.dropFirst()).allSatisfy({ tree.precedes($0, $1) }) { return nodes }
        return Set(nodes).sorted { tree.precedes($0, $1) }
    }
}

extension XPathTree.Item {
    /// Whether the element has a name, with or without a prefix of its own.
    func hasName(_ wanted: String) -> Bool { name == wanted || localName == wanted }

    /// The name behind the prefix.
    var localName: String { name.lastIndex(of: ":").map { String(name[name.index(after: $0)...]) } ?? name }
}
