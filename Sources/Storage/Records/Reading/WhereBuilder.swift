/// A value bound to a statement of a query.
enum SQLParameter: Sendable, Hashable {
    case integer(Int64)
    case text(String)
    case null

    func bind(_ index: Int32, to statement: SQLiteStatement) {
        switch self {
        case .integer(let value): statement.bind(index, value)
        case .text(let value): statement.bind(index, value)
        case .null: statement.bind(index, nil as Int64?)
        }
    }
}

/// What a column can be compared with.
protocol SQLOperand: Hashable, Sendable {
    /// The value as it is stored.
    var parameter: SQLParameter { get }
    /// The value as SQL text, for small codes only: a partial index is used only when its condition is in the text.
    var literal: String? { get }
}

extension SQLOperand {
    var literal: String? { nil }
}

extension String: SQLOperand {
    var parameter: SQLParameter { .text(self) }
}

extension Int64: SQLOperand {
    var parameter: SQLParameter { .integer(self) }
}

extension UInt64: SQLOperand {
    var parameter: SQLParameter { .integer(Int64(bitPattern: self)) }
}

extension UInt8: SQLOperand {
    var parameter: SQLParameter { .integer(Int64(self)) }
    var literal: String? { String(self) }
}

extension LifecycleState: SQLOperand {
    var parameter: SQLParameter { .integer(Int64(self.rawValue)) }
    var literal: String? { String(self.rawValue) }
}

/// Collects the conditions of a query with their parameters.
struct WhereBuilder {
    /// Conditions that must all hold.
    private(set) var clauses: [String] = []
    /// Their parameters, in order.
    private(set) var parameters: [SQLParameter] = []

    /// All conditions as one; always true when there are none.
    var sql: String {
        self.clauses.isEmpty ? "1" : self.clauses.joined(separator: " AND ")
    }

    /// Adds a condition written in SQL.
    mutating func add(_ sql: String, _ parameters: [SQLParameter] = []) {
        self.clauses.append(sql)
        self.parameters += parameters
    }

    /// Adds a condition, or its opposite, when it matters.
    mutating func add(_ sql: String, if condition: Bool?, else opposite: String) {
        guard let condition else { return }
        self.add(condition ? sql : opposite)
    }

    /// Adds comparisons of an expression, all of which must hold.
    mutating func add<Operand: SQLOperand>(_ expression: String, _ comparisons: [Comparison<Operand>]) {
        for comparison in comparisons {
            switch comparison {
            case .equal(let value): self.compare(expression, "=", value)
            case .notEqual(let value): self.compare(expression, "IS NOT", value)
            case .less(let value): self.compare(expression, "<", value)
            case .lessOrEqual(let value): self.compare(expression, "<=", value)
            case .greater(let value): self.compare(expression, ">", value)
            case .greaterOrEqual(let value): self.compare(expression, ">=", value)
            case .exists(let isPresent): self.add("\(expression) IS \(isPresent ? "NOT " : "")NULL")
            case .oneOf(let values): self.add(expression, in: values)
            case .noneOf(let values):
                let list = Self.list(values)
                self.add("(\(expression) IS NULL OR \(expression) NOT IN (\(list.sql)))", list.parameters)
            case .like(let pattern): self.add("\(expression) GLOB ?", [.text(Self.glob(pattern))])
            }
        }
    }

    /// Adds a choice of values.
    mutating func add<Operand: SQLOperand>(_ expression: String, in values: [Operand]) {
        if values.count == 1 {
            self.compare(expression, "=", values[0])
        } else {
            let list = Self.list(values)
            self.add("\(expression) IN (\(list.sql))", list.parameters)
        }
    }

    /// Adds a condition that one of several groups holds.
    mutating func add(anyOf groups: [WhereBuilder]) {
        guard !groups.isEmpty else { return }
        self.add("(" + groups.map { "(\($0.sql))" }.joined(separator: " OR ") + ")", groups.flatMap(\.parameters))
    }

    private mutating func compare(_ expression: String, _ comparator: String, _ value: some SQLOperand) {
        if let literal = value.literal {
            self.add("\(expression) \(comparator) \(literal)")
        } else {
            self.add("\(expression) \(comparator) ?", [value.parameter])
        }
    }

    private static func list(_ values: [some SQLOperand]) -> (sql: String, parameters: [SQLParameter]) {
        if let literals = values.map(\.literal) as? [String] { return (literals.joined(separator: ", "), []) }
        return (values.map { _ in "?" }.joined(separator: ", "), values.map(\.parameter))
    }

    /// A pattern with `*`, `?` and backslashes in the language of SQLite's GLOB, where brackets are special too.
    static func glob(_ pattern: String) -> String {
        var glob = ""
        var isEscaped = false
        for character in pattern {
            switch character {
            case "\\" where !isEscaped:
                isEscaped = true
                continue
            case "[": glob += "[[]"
            case "*" where isEscaped, "?" where isEscaped: glob += "[\(character)]"
            default: glob.append(character)
            }
            isEscaped = false
        }
        return isEscaped ? glob + "\\" : glob
    }
}
