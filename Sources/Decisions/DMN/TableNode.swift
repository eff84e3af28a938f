import Values

/// A compiled decision table (DMN 1.5, clause 8).
final class TableNode: Node, @unchecked Sendable {
    /// Compiled text with the source its messages quote.
    struct Cell: Sendable {
        let node: Node
        let source: SourceText
    }

    struct Input: Sendable {
        let id: String
        let name: String
        let expression: Cell
        let allowed: Cell?
    }

    struct Output: Sendable {
        let id: String
        let name: String
        let type: TypeSyntax?
        let allowed: Cell?
        /// The allowed values from the highest priority to the lowest.
        let order: [Value]
        let defaultEntry: Cell?
    }

    /// What an input entry asks for.
    enum Test: Sendable {
        case anything
        case number(Number)
        case string(String)
        case tests(Cell)
    }

    struct Rule: Sendable {
        let id: String
        let entries: [Cell]
    }

    let hitPolicy: HitPolicy
    let aggregation: HitPolicy.Aggregation?
    let inputs: [Input]
    let outputs: [Output]
    let rules: [Rule]
    private let columns: [RuleColumn]
    /// The columns, those first that find their rules without evaluating tests.
    private let columnOrder: [Int]

    /// - Parameter tests: The tests of each rule.
    init(
        _ table: DMNTable, inputs: [Input], outputs: [Output], rules: [Rule], tests: [[Test]], _ span: SourceSpan
    ) {
        self.hitPolicy = table.hitPolicy
        self.aggregation = table.aggregation
        self.inputs = inputs
        self.outputs = outputs
        self.rules = rules
        let columns = inputs.indices.map { column in RuleColumn(tests.map { $0[column] }) }
        self.columns = columns
        self.columnOrder =
            columns.indices.filter { columns[$0].isIndexed }
            + columns.indices.filter { !columns[$0].isIndexed }
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let outer = (source: machine.source, input: machine.input)
        defer { (machine.source, machine.input) = outer }
        guard machine.spend(1 + rules.count / 8, at: span) else { return .null }
        var values: [Value] = []
        values.reserveCapacity(inputs.count)
        for input in inputs {
            machine.source = input.expression.source
            let value = input.expression.node.evaluate(&machine)
            guard admits(value, input, &machine) else { return .null }
            values.append(value)
        }
        let matches = matchingRules(values, &machine)
        machine.source = outer.source
        machine.input = outer.input
        if let recorder = machine.run?.recorder { return record(matches, values, recorder, &machine) }
        return result(of: matches, &machine)
    }

    private func admits(_ value: Value, _ input: Input, _ machine: inout Machine) -> Bool {
        guard let allowed = input.allowed, !value.isNull else { return true }
        machine.source = allowed.source
        machine.input = value
        if allowed.node.truth(&machine) == .yes { return true }
        machine.warn(allowed.node.span) {
            "The input '\(input.name)' is \($0.summary(of: value)), which is not among the allowed values"
        }
        return false
    }

    // MARK: Matching

    /// The positions of the rules that match, in the order of the table.
    private func matchingRules(_ values: [Value], _ machine: inout Machine) -> [Int] {
        var candidates = RuleSet(all: rules.count)
        for position in columnOrder {
            columns[position].narrow(&candidates, values[position], &machine, span)
            if candidates.isEmpty { return [] }
        }
        return candidates.positions
    }

    // MARK: Outputs

    private func record(
        _ matches: [Int], _ values: [Value], _ recorder: DecisionRecorder, _ machine: inout Machine
    ) -> Value {
        let named = zip(inputs, values).map {
            EvaluatedDecision.NamedValue(id: $0.id, name: $0.name, value: $1)
        }
        let collected = machine.warnings.count
        let matched = matches.prefix(DecisionOutcome.evaluatedMax).map { position in
            EvaluatedDecision.MatchedRule(
                id: rules[position].id, index: position + 1,
                outputs: zip(outputs, entries(of: position, &machine)).map {
                    EvaluatedDecision.NamedValue(id: $0.id, name: $0.name, value: $1)
                })
        }
        // The entries that count are evaluated again below and then warn.
        machine.warnings.removeLast(machine.warnings.count - collected)
        recorder.record(inputs: named, rules: matched)
        return result(of: matches, &machine)
    }

    private func entries(of rule: Int, _ machine: inout Machine) -> [Value] {
        var values: [Value] = []
        values.reserveCapacity(outputs.count)
        for (output, cell) in zip(outputs, rules[rule].entries) {
            values.append(value(of: cell, for: output, &machine))
        }
        return values
    }

    private func value(of cell: Cell, for output: Output, _ machine: inout Machine) -> Value {
        let outer = (source: machine.source, input: machine.input)
        defer { (machine.source, machine.input) = outer }
        machine.source = cell.source
        var value = cell.node.evaluate(&machine)
        if let type = output.type {
            value = machine.coerce(value, to: type, at: cell.node.span) { "the output '\(output.name)'" } ?? .null
        }
        guard let allowed = output.allowed, !value.isNull else { return value }
        machine.input = value
        machine.source = allowed.source
        if allowed.node.truth(&machine) == .yes { return value }
        machine.warn(allowed.node.span) {
            "The output '\(output.name)' is \($0.summary(of: value)), which is not among the allowed values"
        }
        return .null
    }

    /// The result of one rule: its only entry, or a context of all.
    private func output(of entries: [Value]) -> Value {
        if outputs.count == 1 { return entries.first ?? .null }
        return .context(ValueContext(zip(outputs, entries).map { ($0.name, $1) }))
    }

    private func output(of rule: Int, _ machine: inout Machine) -> Value {
        output(of: entries(of: rule, &machine))
    }

    // MARK: Hit policies

    private func result(of matches: [Int], _ machine: inout Machine) -> Value {
        guard let first = matches.first else { return defaultResult(&machine) }
        guard machine.spend(matches.count * outputs.count, at: span) else { return .null }
        switch hitPolicy {
        case .first: return output(of: first, &machine)
        case .unique:
            guard matches.count == 1 else {
                let numbers = matches.prefix(10).map { "\($0 + 1)" }.joined(separator: ", ")
                machine.warn(span) { _ in "The rules \(numbers) match, but the hit policy UNIQUE allows one" }
                return .null
            }
            return output(of: first, &machine)
        case .any:
            let value = output(of: first, &machine)
            for rule in matches.dropFirst() {
                let other = output(of: rule, &machine)
                guard machine.isSame(value, other, at: span) else {
                    machine.warn(span) { _ in
                        "The rules \(first + 1) and \(rule + 1) match with different outputs, "
                            + "which the hit policy ANY does not allow"
                    }
                    return .null
                }
            }
            return value
        case .priority:
            return ranked(matches, &machine).first.map { output(of: $0) } ?? .null
        case .outputOrder: return .list(ranked(matches, &machine).map { output(of: $0) })
        case .ruleOrder: return .list(matches.map { output(of: $0, &machine) })
        case .collect: return aggregate(matches.map { output(of: $0, &machine) }, &machine)
        }
    }

    /// The entries of the matching rules, those of the highest priority first; the first output counts most.
    private func ranked(_ matches: [Int], _ machine: inout Machine) -> [[Value]] {
        let all = matches.map { entries(of: $0, &machine) }
        let ranks = all.map { entries in
            zip(outputs, entries).map { output, entry in
                output.order.firstIndex { machine.isSame($0, entry, at: span) } ?? output.order.count
            }
        }
        let sorted = all.indices.sorted { left, right in
            ranks[left] == ranks[right] ? left < right : ranks[left].lexicographicallyPrecedes(ranks[right])
        }
        return sorted.map { all[$0] }
    }

    private func aggregate(_ values: [Value], _ machine: inout Machine) -> Value {
        guard let aggregation else { return .list(values) }
        let name =
            switch aggregation {
            case .sum: "sum"
            case .count: "count"
            case .minimum: "min"
            case .maximum: "max"
            }
        guard let builtin = Builtin.named(name) else { fatalError("'\(name)' is a built-in function") }
        return machine.invoke(builtin, [.list(values)], at: span)
    }

    private func defaultResult(_ machine: inout Machine) -> Value {
        guard outputs.contains(where: { $0.defaultEntry != nil }) else {
            guard hitPolicy == .collect else { return .null }
            switch aggregation {
            case nil: return .list([])
            case .count: return .number(Number(0))
            default: return .null
            }
        }
        let entries = outputs.map { output in
            output.defaultEntry.map { value(of: $0, for: output, &machine) } ?? .null
        }
        return output(of: entries)
    }
}
