import Storage
import Values

/// Reads the members of a filter object: a value means equality, an object of `$` operators means all of them.
///
/// Every accessor counts as knowing the member; `finish` refuses those nobody knows. Lives within one request.
final class FilterReader {
    private let members: ValueContext
    private let path: String
    private var known: Set<String> = []

    init(_ members: ValueContext, path: String) {
        self.members = members
        self.path = path
    }

    /// Refuses members nobody asked for.
    func finish() throws(ProblemDetails) {
        for name in self.members.keys where !self.known.contains(name) {
            throw .unknownField(self.path + name, known: self.known.map { self.path + $0 })
        }
    }

    private func value(_ name: String) -> Value? {
        self.known.insert(name)
        guard let value = self.members[name], !value.isNull else { return nil }
        return value
    }

    // MARK: Accessors

    func boolean(_ name: String) throws(ProblemDetails) -> Bool? {
        guard let value = self.value(name) else { return nil }
        guard let flag = value.asBoolean else { throw self.invalid(name, value, "true or false") }
        return flag
    }

    func strings(_ name: String) throws(ProblemDetails) -> [Comparison<String>] {
        try self.comparisons(name, "a string") { $0.asString }
    }

    func integers(_ name: String) throws(ProblemDetails) -> [Comparison<Int64>] {
        try self.comparisons(name, "an integer") { $0.asInt64 }
    }

    func keys(_ name: String) throws(ProblemDetails) -> [Comparison<UInt64>] {
        try self.comparisons(name, "a key: a string of digits") { $0.asString.flatMap { Key($0)?.rawValue } }
    }

    func instants(_ name: String) throws(ProblemDetails) -> [Comparison<Int64>] {
        try self.comparisons(name, "a date-time such as 2026-01-31T09:05:00Z") {
            $0.asString.flatMap { Timestamp.milliseconds($0) }
        }
    }

    /// One of a few words, each standing for some stored values; a word that stands for none matches nothing.
    func words<Operand>(_ name: String, _ words: [(String, [Operand])]) throws(ProblemDetails) -> [Comparison<Operand>]
    {
        let comparisons = try self.comparisons(name, "one of " + words.map(\.0).joined(separator: ", ")) { value in
            value.asString.flatMap { text in words.contains { $0.0 == text } ? text : nil }
        }
        func operands(_ texts: [String]) -> [Operand] {
            texts.flatMap { text in words.first { $0.0 == text }?.1 ?? [] }
        }
        var result: [Comparison<Operand>] = []
        for comparison in comparisons {
            switch comparison {
            case .equal(let text): result.append(.oneOf(operands([text])))
            case .notEqual(let text): result.append(.noneOf(operands([text])))
            case .oneOf(let texts): result.append(.oneOf(operands(texts)))
            case .noneOf(let texts): result.append(.noneOf(operands(texts)))
            case .exists(let isPresent): result.append(.exists(isPresent))
            case .less, .lessOrEqual, .greater, .greaterOrEqual, .like:
                throw .unsupported(
                    "\(self.path)\(name) takes $eq, $neq, $in, $notIn and $exists only.",
                    remedy: "List the words with $in.", field: self.path + name)
            }
        }
        // A single word is an equality, which partial indexes serve.
        return result.map { comparison in
            if case .oneOf(let operands) = comparison, operands.count == 1 { return .equal(operands[0]) }
            return comparison
        }
    }

    /// Conditions on variables: `[{name, value}]`.
    func variables(_ name: String) throws(ProblemDetails) -> [VariableCondition] {
        guard let value = self.value(name) else { return [] }
        guard let items = value.asList else { throw self.invalid(name, value, "a list of {name, value}") }
        var conditions: [VariableCondition] = []
        for (index, item) in items.enumerated() {
            guard let members = item.asContext, let variable = members["name"]?.asString else {
                throw self.invalid(name, item, "a list of {name, value}")
            }
            let reader = FilterReader(members, path: "\(self.path)\(name)[\(index)].")
            _ = reader.value("name")
            let comparisons = try reader.strings("value")
            try reader.finish()
            conditions.append(VariableCondition(name: variable, value: comparisons))
        }
        return conditions
    }

    /// Members of the wire contract on which everything here is the same, or nothing can differ: refused unless they ask
    /// for the default tenant.
    func tenant() throws(ProblemDetails) {
        for comparison in try self.strings("tenantId") {
            switch comparison {
            case .equal(defaultTenant), .exists(true): break
            case .oneOf(let tenants) where tenants.contains(defaultTenant): break
            default:
                throw .unsupported(
                    "There is no other tenant than \(defaultTenant).", remedy: "Leave tenantId out.",
                    field: self.path + "tenantId")
            }
        }
    }

    // MARK: Operators

    private static let operators = ["$eq", "$neq", "$exists", "$gt", "$gte", "$lt", "$lte", "$in", "$notIn", "$like"]

    private func comparisons<Operand>(
        _ name: String, _ expected: String, _ read: (Value) -> Operand?
    ) throws(ProblemDetails) -> [Comparison<Operand>] {
        guard let value = self.value(name) else { return [] }
        guard let members = value.asContext else { return [.equal(try self.operand(name, value, expected, read))] }
        var comparisons: [Comparison<Operand>] = []
        for (operation, value) in members where !value.isNull {
            switch operation {
            case "$eq": comparisons.append(.equal(try self.operand(name, value, expected, read)))
            case "$neq": comparisons.append(.notEqual(try self.operand(name, value, expected, read)))
            case "$gt": comparisons.append(.greater(try self.operand(name, value, expected, read)))
            case "$gte": comparisons.append(.greaterOrEqual(try self.operand(name, value, expected, read)))
            case "$lt": comparisons.append(.less(try self.operand(name, value, expected, read)))
            case "$lte": comparisons.append(.lessOrEqual(try self.operand(name, value, expected, read)))
            case "$in": comparisons.append(.oneOf(try self.operands(name, value, expected, read)))
            case "$notIn": comparisons.append(.noneOf(try self.operands(name, value, expected, read)))
            case "$exists":
                guard let flag = value.asBoolean else { throw self.invalid(name + ".$exists", value, "true or false") }
                comparisons.append(.exists(flag))
            case "$like":
                guard Operand.self == String.self, let pattern = value.asString else {
                    throw self.invalid(name + ".$like", value, "a pattern, on a member that is text")
                }
                comparisons.append(.like(pattern))
            default:
                throw .unknownField(
                    "\(self.path)\(name).\(operation)", known: Self.operators.map { "\(self.path)\(name).\($0)" })
            }
        }
        return comparisons
    }

    private func operand<Operand>(
        _ name: String, _ value: Value, _ expected: String, _ read: (Value) -> Operand?
    ) throws(ProblemDetails) -> Operand {
        guard let operand = read(value) else { throw self.invalid(name, value, expected) }
        return operand
    }

    private func operands<Operand>(
        _ name: String, _ value: Value, _ expected: String, _ read: (Value) -> Operand?
    ) throws(ProblemDetails) -> [Operand] {
        guard let items = value.asList else { throw self.invalid(name, value, "a list") }
        var operands: [Operand] = []
        for item in items { operands.append(try self.operand(name, item, expected, read)) }
        return operands
    }

    private func invalid(_ name: String, _ value: Value, _ expected: String) -> ProblemDetails {
        let found = value.asContext != nil ? "an object" : value.asList != nil ? "a list" : JSON.string(value)
        return .invalidField(self.path + name, expected: expected, found: String(found.prefix(80)))
    }
}
