import Decisions
import ProcessModel
import Values

/// Reading and writing process variables (BPMN 2.0.2 clause 10.4; propagation as in Camunda 8).
extension PartitionEngine {
    /// The value of an expression in the scope of an element.
    func evaluate(_ expression: Expression, _ ordinal: UInt32, of instance: ProcessInstance) -> Value {
        scopeView.point(at: ordinal, of: instance, now: state.now)
        return expression.evaluateValue(scopeView)
    }

    func evaluate(_ source: ExpressionOrLiteral, _ ordinal: UInt32, of instance: ProcessInstance) -> Value {
        if case .literal(let text) = source { return .string(text) }
        scopeView.point(at: ordinal, of: instance, now: state.now)
        return source.evaluateValue(scopeView)
    }

    func evaluateString(
        _ source: ExpressionOrLiteral, what: String, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> String {
        let value = evaluate(source, ordinal, of: instance)
        guard let text = value.asString, !text.isEmpty else { throw mismatch(source, what, "a text", value) }
        return text
    }

    func evaluateOptionalString(
        _ source: ExpressionOrLiteral?, what: String, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> String? {
        guard let source else { return nil }
        switch evaluate(source, ordinal, of: instance) {
        case .null: return nil
        case .string(let text): return text.isEmpty ? nil : text
        case .date(let date): return date.description
        case .dateTime(let dateTime): return dateTime.description
        case let value: throw mismatch(source, what, "a text", value)
        }
    }

    func evaluateInteger(
        _ source: ExpressionOrLiteral, what: String, in range: ClosedRange<Int64>, _ ordinal: UInt32,
        of instance: ProcessInstance
    ) throws(EvaluationFailure) -> Int32 {
        let value = evaluate(source, ordinal, of: instance)
        let number = value.asInt64 ?? value.asString.flatMap { Int64($0) }
        guard let number, range.contains(number), let result = Int32(exactly: number) else {
            throw mismatch(source, what, "a whole number from \(range.lowerBound) to \(range.upperBound)", value)
        }
        return result
    }

    /// A list of texts, or a text with commas.
    func evaluateNames(
        _ source: ExpressionOrLiteral?, what: String, _ ordinal: UInt32, of instance: ProcessInstance
    ) throws(EvaluationFailure) -> [String] {
        guard let source else { return [] }
        let value = evaluate(source, ordinal, of: instance)
        switch value {
        case .null: return []
        case .string(let text):
            return text.split(separator: ",").map { name in
                String(name.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
            }.filter { !$0.isEmpty }
        case .list(let items):
            let names = items.compactMap(\.asString)
            guard names.count == items.count else { throw mismatch(source, what, "a list of texts", value) }
            return names
        default: throw mismatch(source, what, "a list of texts", value)
        }
    }

    func mismatch(
        _ source: ExpressionOrLiteral, _ what: String, _ expected: String, _ value: Value
    ) -> EvaluationFailure {
        let text =
            switch source {
            case .literal(let text): text
            case .expression(let expression): expression.source
            }
        return EvaluationFailure(
            type: "EXTRACT_VALUE_ERROR",
            message: """
                Expected the \(what) `\(text)` to be \(expected), but it is \(value.typeName). Set the variables it \
                reads and resolve the incident.
                """)
    }

    // MARK: Mappings

    /// Evaluates input mappings in order; each sees the ones before it.
    func applyInputs(_ node: FlowNode, _ ordinal: UInt32, of instance: ProcessInstance) {
        for mapping in node.inputs {
            let value = evaluate(mapping.source, ordinal, of: instance)
            write(value, to: mapping.target, in: ordinal, of: instance)
        }
    }

    /// Evaluates output mappings in the element's scope and writes them outside of it.
    func applyOutputs(_ node: FlowNode, _ ordinal: UInt32, scope: UInt32, of instance: ProcessInstance) {
        for mapping in node.outputs {
            let value = evaluate(mapping.source, ordinal, of: instance)
            guard let name = mapping.target.first else { continue }
            if mapping.isDataStore {
                let current = dataStore(name) ?? .null
                setDataStore(name, current.replacing(member: mapping.target.dropFirst(), with: value))
            } else if mapping.target.count == 1 {
                mergeVariable(name, VariableValue(value), from: scope, of: instance)
            } else {
                let owner =
                    instance.nearestVariablePosition(from: scope, name: name).map { instance.variables[$0].scope } ?? 0
                write(value, to: mapping.target, in: owner, of: instance)
            }
        }
    }

    /// Writes a value into a variable of exactly this scope, or into a member of it, keeping its other members.
    private func write(_ value: Value, to target: [String], in scope: UInt32, of instance: ProcessInstance) {
        guard let name = target.first else { return }
        var result = value
        if target.count > 1 {
            let current =
                instance.variablePosition(scope: scope, name: name).map { resolved(instance.variables[$0].value).value }
                ?? .null
            result = current.replacing(member: target.dropFirst(), with: value)
        }
        emit(.variableSet(scope: scope, name: name, value: VariableValue(result)), on: instance)
    }

    // MARK: Propagation

    /// Writes a variable where it is defined, from a scope outwards; at the root when it is nowhere.
    func mergeVariable(_ name: String, _ value: VariableValue, from scope: UInt32, of instance: ProcessInstance) {
        let owner =
            instance.nearestVariablePosition(from: scope, name: name).map { instance.variables[$0].scope } ?? 0
        emit(.variableSet(scope: owner, name: name, value: value), on: instance)
    }

    func mergeVariables(_ document: VariableDocument, from scope: UInt32, of instance: ProcessInstance) {
        for member in document.members { mergeVariable(member.name, member.value, from: scope, of: instance) }
    }

    /// The variables of exactly one scope.
    func localVariables(_ scope: UInt32, of instance: ProcessInstance) -> VariableDocument {
        VariableDocument(
            members: instance.variables.compactMap { $0.scope == scope ? ($0.name, $0.value) : nil })
    }

    /// All variables an element sees, nearest scope first for a name that occurs more than once.
    func visibleVariables(
        from ordinal: UInt32, of instance: ProcessInstance, only names: [String]? = nil
    ) -> VariableDocument {
        guard !instance.variables.isEmpty else { return .empty }
        var members: [(name: String, value: VariableValue)] = []
        var scope = ordinal
        while let position = instance.position(of: scope) {
            if instance.elements[position].hasLocals {
                for variable in instance.variables where variable.scope == scope {
                    guard names?.contains(variable.name) ?? true, !members.contains(where: { $0.name == variable.name })
                    else { continue }
                    members.append((variable.name, variable.value))
                }
            }
            if scope == 0 { break }
            scope = instance.elements[position].scope
        }
        return VariableDocument(members: members)
    }
}

extension Value {
    /// This value with a nested member set; anything that is not a context on the way becomes one.
    func replacing(member path: ArraySlice<String>, with value: Value) -> Value {
        guard let name = path.first else { return value }
        var members = asContext ?? ValueContext()
        members[name] = (members[name] ?? .null).replacing(member: path.dropFirst(), with: value)
        return .context(members)
    }
}
