import Values

/// Finds out where a finding is and keeps it; shared by the compilers of one model.
final class FindingList {
    private(set) var findings: [Diagnostic] = []
    /// The most findings kept.
    static let countMax = 500

    func add(_ code: DMNCode, _ message: String, remedy: String? = nil, file: String?, at place: DMNPlace) {
        guard findings.count < Self.countMax else { return }
        findings.append(
            Diagnostic(
                code: code.rawValue, severity: code.severity, message: message, remedy: remedy, file: file,
                line: place.line > 0 ? place.line : nil, elementID: place.id))
    }
}

/// Compiles the boxed expressions of one element of a decision model (DMN 1.5, clause 10.2.2).
struct BoxedCompiler {
    var compiler: Compiler
    let environment: NameEnvironment
    let findings: FindingList
    let file: String?
    /// The element's id, for findings inside it that have none.
    let elementID: String?
    let span: SourceSpan

    init(_ environment: NameEnvironment, element: String, id: String?, findings: FindingList, file: String?) {
        let source = SourceText(element)
        var compiler = Compiler(source: source, knownNames: Set(environment.knownNames))
        compiler.environment = environment
        self.compiler = compiler
        self.environment = environment
        self.findings = findings
        self.file = file
        self.elementID = id
        self.span = SourceSpan(0, element.utf8.count)
    }

    /// The logic of a decision or, as a function, of a knowledge model.
    func body(_ node: Node, source: SourceText, requirements: [Int], isTable: Bool) -> DecisionBody {
        DecisionBody(
            node: node, slotCount: compiler.frames[0].slotCount, height: compiler.depthReached + 1, source: source,
            requirements: requirements, isTable: isTable)
    }

    // MARK: Expressions

    mutating func compile(_ expression: DMNExpression?, name: String? = nil) -> Node {
        guard let expression else { return FailureNode("An expression is missing", span) }
        compiler.depth += 1
        compiler.depthReached = max(compiler.depthReached, compiler.depth)
        defer { compiler.depth -= 1 }
        let node = compileKind(expression, name: name)
        guard let type = type(expression.type, at: expression.place) else { return node }
        return CoercionNode(node, type, what: "the value of the expression", span)
    }

    private mutating func compileKind(_ expression: DMNExpression, name: String?) -> Node {
        switch expression.kind {
        case .literal(let text): return literal(text, name: name)
        case .context(let entries): return context(entries)
        case .relation(let columns, let rows): return relation(columns, rows)
        case .list(let elements):
            compiler.canGrow = true
            return ListNode(elements.map { compile($0) }, span)
        case .invocation(let callee, let bindings): return invocation(callee, bindings)
        case .function(let function): return self.function(function, name: name, resultType: nil)
        case .table(let table): return self.table(table)
        case .conditional(let condition, let consequence, let alternative):
            return ConditionalNode(compile(condition), compile(consequence), compile(alternative), span)
        case .filter(let source, let match): return filter(source, match)
        case .iteration(let variable, let source, let result):
            return loop(variable, source) { boxed, iterator in
                let partial = boxed.bind("partial")
                let body = boxed.compile(result)
                let isRead = boxed.compiler.frames[boxed.compiler.frames.count - 1].readSlots.contains(partial)
                return IterationNode([iterator], result: body, partialSlot: isRead ? partial : nil, boxed.span)
            }
        case .quantified(let every, let variable, let source, let condition):
            return loop(variable, source) { boxed, iterator in
                QuantifiedNode([iterator], condition: boxed.compile(condition), every: every, boxed.span)
            }
        }
    }

    mutating func type(_ reference: String?, at place: DMNPlace) -> TypeSyntax? {
        guard let reference, !reference.isEmpty else { return nil }
        guard let type = environment.type(reference) else {
            findings.add(
                .unknownType, "There is no type '\(reference)'.",
                remedy: "define it as an item definition, or use a type of FEEL", file: file, at: own(place))
            return nil
        }
        return type == .any ? nil : type
    }

    private func own(_ place: DMNPlace) -> DMNPlace { DMNPlace(id: place.id ?? elementID, line: place.line) }

    private mutating func bind(_ name: String) -> Int {
        compiler.frames[compiler.frames.count - 1].bind(name)
    }

    private var knownNames: [String] {
        environment.knownNames + compiler.frames.flatMap { $0.bindings.map(\.name) }
    }

    // MARK: Text

    mutating func literal(_ text: DMNText, name: String?) -> Node {
        let cell = self.cell(text, name: name)
        if cell.node is ConstantNode { return cell.node }
        return TextNode(cell.node, cell.source, span)
    }

    /// An expression as text; what is wrong with it is a finding, and null with a warning when evaluated.
    mutating func cell(_ text: DMNText, name: String? = nil) -> TableNode.Cell {
        cell(text) { (compiler, names, entryNames) throws(FEELError) in
            let syntax = try Parser.expression(text.text, knownNames: names, entryNames: entryNames)
            if let name, case .function(let parameters, let body) = syntax.kind {
                return try compiler.compileFunction(parameters, body, name: name, syntax.span)
            }
            return try compiler.compile(syntax)
        }
    }

    /// Unary tests about the machine's input.
    mutating func tests(_ text: DMNText) -> TableNode.Cell {
        cell(text) { (compiler, names, entryNames) throws(FEELError) in
            let hadInput = compiler.hasInput
            defer { compiler.hasInput = hadInput }
            return try compiler.compile(Parser.unaryTests(text.text, knownNames: names, entryNames: entryNames))
        }
    }

    private mutating func cell(
        _ text: DMNText, _ compile: (inout Compiler, [String], [String]) throws(FEELError) -> Node
    ) -> TableNode.Cell {
        let source = SourceText(text.text)
        if let language = text.foreignLanguage {
            let message = "The expression language '\(language)' is not supported"
            findings.add(.unsupportedLanguage, message + ".", remedy: "use FEEL", file: file, at: own(text.place))
            return TableNode.Cell(node: FailureNode(message, SourceSpan(0, text.text.utf8.count)), source: source)
        }
        let before = compiler
        compiler.source = source
        do {
            let node = try compile(&compiler, knownNames, environment.entryNames)
            compiler.source = before.source
            return TableNode.Cell(node: node, source: source)
        } catch {
            compiler = before
            findings.add(
                .badExpression, "\(error.message) (line \(error.line), column \(error.column) of '\(text.text)').",
                remedy: error.remedy ?? "correct the expression there", file: file, at: own(text.place))
            return TableNode.Cell(
                node: FailureNode(error.message, SourceSpan(0, text.text.utf8.count)), source: source)
        }
    }

    // MARK: Boxes

    private mutating func context(_ entries: [DMNContextEntry]) -> Node {
        compiler.canGrow = true
        compiler.bindsLocals = true
        let frame = compiler.frames.count - 1
        let outer = compiler.frames[frame].bindings.count
        defer { compiler.frames[frame].unbind(to: outer) }
        var compiled: [(key: String, slot: Int, value: Node)] = []
        var result: Node?
        for entry in entries {
            guard let variable = entry.variable else {
                result = compile(entry.value)
                continue
            }
            var value = compile(entry.value, name: variable.name)
            if let type = type(variable.type, at: entry.value?.place ?? DMNPlace(id: nil, line: 0)) {
                value = CoercionNode(value, type, what: "the entry '\(variable.name)'", span)
            }
            compiled.append((variable.name, bind(variable.name), value))
        }
        let read = compiler.frames[frame].readSlots
        let node = ContextNode(
            compiled.map { .init(key: $0.key, slot: read.contains($0.slot) ? $0.slot : nil, value: $0.value) }, span)
        return result.map { ResultContextNode(node, result: $0, span) } ?? node
    }

    private mutating func relation(_ columns: [DMNVariable], _ rows: [[DMNExpression?]]) -> Node {
        compiler.canGrow = true
        let nodes = rows.map { row in
            ContextNode(
                columns.indices.map { column in
                    let cell = column < row.count ? row[column] : nil
                    var value = compile(cell)
                    if let type = type(columns[column].type, at: cell?.place ?? DMNPlace(id: nil, line: 0)) {
                        value = CoercionNode(value, type, what: "the column '\(columns[column].name)'", span)
                    }
                    return ContextNode.Entry(key: columns[column].name, slot: nil, value: value)
                }, span)
        }
        return ListNode(nodes, span)
    }

    private mutating func invocation(_ callee: DMNExpression?, _ bindings: [DMNBinding]) -> Node {
        compiler.canGrow = true
        let function = compile(callee)
        let arguments = bindings.map { binding in
            let argument = compile(binding.argument)
            guard
                let type = type(
                    binding.parameter.type, at: binding.argument?.place ?? DMNPlace(id: nil, line: 0))
            else { return argument }
            return CoercionNode(argument, type, what: "the argument '\(binding.parameter.name)'", span)
        }
        return InvocationNode(function, arguments, names: bindings.map(\.parameter.name), span)
    }

    /// - Parameter name: What the body may call itself by.
    mutating func function(_ function: DMNFunction, name: String?, resultType: TypeSyntax?) -> Node {
        if function.kind != .feel {
            let message = "\(function.kind.rawValue) functions are not executed"
            findings.add(
                .externalFunction, message + ".", remedy: "write the function in FEEL, or call it from a service task",
                file: file, at: own(function.place))
            return FailureNode(message, span)
        }
        let parameters = function.parameters.map {
            ParameterSyntax(name: $0.name, type: type($0.type, at: function.place))
        }
        let before = compiler
        var inner = self
        do {
            let node = try compiler.compileFunction(parameters, name: name, resultType: resultType, span) {
                (compiler) throws(FEELError) in
                inner.compiler = compiler
                let node = inner.compile(function.body)
                compiler = inner.compiler
                return node
            }
            return node
        } catch {
            compiler = before
            return FailureNode(error.message, span)
        }
    }

    private mutating func filter(_ source: DMNExpression?, _ match: DMNExpression?) -> Node {
        let base = compile(source)
        compiler.bindsLocals = true
        let frame = compiler.frames.count - 1
        let slot = compiler.frames[frame].newSlot()
        compiler.frames[frame].bindings.append(("item", .element(slot: slot)))
        defer { compiler.frames[frame].bindings.removeLast() }
        return FilterNode(base, compile(match), slot: slot, span)
    }

    private mutating func loop(
        _ variable: String, _ source: DMNExpression?, _ body: (inout BoxedCompiler, Iterator) -> Node
    ) -> Node {
        compiler.canGrow = true
        compiler.bindsLocals = true
        let source = compile(source)
        let frame = compiler.frames.count - 1
        let outer = compiler.frames[frame].bindings.count
        defer { compiler.frames[frame].unbind(to: outer) }
        let slot = bind(variable)
        return body(&self, Iterator(slot: slot, source: source, last: nil))
    }

    // MARK: Tables

    private mutating func table(_ table: DMNTable) -> Node {
        let inputs = table.inputs.map { input in
            TableNode.Input(
                id: input.id, name: input.name, expression: cell(input.expression),
                allowed: input.allowedValues.map { tests($0) })
        }
        let outputs = table.outputs.map { output(of: table, $0) }
        let ruleTests = table.rules.map { rule in rule.tests.map { test($0) } }
        let rules = table.rules.map { rule in
            TableNode.Rule(id: rule.place.id ?? "", entries: rule.entries.map { cell($0) })
        }
        return TableNode(table, inputs: inputs, outputs: outputs, rules: rules, tests: ruleTests, span)
    }

    private mutating func output(of table: DMNTable, _ output: DMNTable.Output) -> TableNode.Output {
        let type = type(output.type, at: table.place)
        let allowed = output.allowedValues.map { tests($0) }
        var order = allowed.map { Self.constants($0.node) } ?? []
        if order.isEmpty, case .item(let item) = type { order = item.allowedOrder }
        return TableNode.Output(
            id: output.id, name: output.name, type: type, allowed: allowed, order: order,
            defaultEntry: output.defaultEntry.map { cell($0) })
    }

    /// The values that tests list.
    static func constants(_ node: Node) -> [Value] {
        guard let tests = node as? UnaryTestsNode, !tests.isNegated else { return [] }
        return tests.tests.compactMap { $0.operand.constant }
    }

    private mutating func test(_ text: DMNText) -> TableNode.Test {
        let cell = tests(text)
        guard let tests = cell.node as? UnaryTestsNode, !tests.isNegated else { return .tests(cell) }
        if tests.tests.isEmpty { return .anything }
        guard tests.tests.count == 1, case .membership = tests.tests[0].kind else { return .tests(cell) }
        switch tests.tests[0].operand.constant {
        case .number(let number): return .number(number)
        case .string(let text): return .string(text)
        default: return .tests(cell)
        }
    }
}
