import Values

/// One of the four order comparisons.
enum Relation: Sendable {
    case less, lessOrEqual, greater, greaterOrEqual

    init?(_ binary: BinaryOperator) {
        switch binary {
        case .less: self = .less
        case .lessOrEqual: self = .lessOrEqual
        case .greater: self = .greater
        case .greaterOrEqual: self = .greaterOrEqual
        default: return nil
        }
    }

    @inline(__always)
    func holds(_ order: Order) -> Bool {
        switch self {
        case .less: order == .less
        case .lessOrEqual: order != .greater
        case .greater: order == .greater
        case .greaterOrEqual: order != .less
        }
    }
}

/// How two values of one ordered type lie to each other.
enum Order: Sendable {
    case less, equal, greater

    @inline(__always)
    init<Element: Comparable>(_ left: Element, _ right: Element) {
        self = left < right ? .less : left == right ? .equal : .greater
    }

    init(_ comparison: Int) {
        self = comparison < 0 ? .less : comparison == 0 ? .equal : .greater
    }

    /// The order of two numbers, strings (by code point), or temporal values of one type; nil for everything else
    /// (DMN 1.5, table 45).
    static func between(_ left: Value, _ right: Value) -> Order? {
        switch (left, right) {
        case (.number(let a), .number(let b)): Order(a, b)
        case (.string(let a), .string(let b)):
            a == b ? .equal : a.utf8.lexicographicallyPrecedes(b.utf8) ? .less : .greater
        case (.date(let a), .date(let b)): Order(a, b)
        case (.dateTime(let a), .dateTime(let b)): DateTime.compare(a, b).map { Order($0) }
        case (.time(let a), .time(let b)): TimeOfDay.compare(a, b).map { Order($0) }
        case (.yearMonthDuration(let a), .yearMonthDuration(let b)): Order(a, b)
        case (.dayTimeDuration(let a), .dayTimeDuration(let b)): Order(a, b)
        default: nil
        }
    }
}

extension Machine {
    @inline(__always)
    mutating func compare(_ left: Value, _ relation: Relation, _ right: Value, at span: SourceSpan) -> Truth {
        if case .number(let a) = left, case .number(let b) = right { return Truth(relation.holds(Order(a, b))) }
        return compareOther(left, relation, right, span)
    }

    @inline(never)
    private mutating func compareOther(
        _ left: Value, _ relation: Relation, _ right: Value, _ span: SourceSpan
    ) -> Truth {
        if let order = Order.between(left, right) { return Truth(relation.holds(order)) }
        switch (left, right) {
        case (.null, _), (_, .null):
            if warnings.isEmpty {
                warn(span) { "Cannot compare a \(left.typeName) and a \(right.typeName) in '\($0.text(span))'" }
            }
        case (.dateTime, .dateTime), (.time, .time):
            warn(span) {
                "Cannot compare in '\($0.text(span))': one has a zone and the other has none, or a zone is unknown"
            }
        default:
            warn(span) { "Cannot compare a \(left.typeName) and a \(right.typeName) in '\($0.text(span))'" }
        }
        return .unknown
    }

    /// FEEL equality (DMN 1.5, table 44): null for values of different types, unless one is null.
    @inline(__always)
    mutating func equal(_ left: Value, _ right: Value, at span: SourceSpan) -> Truth {
        switch (left, right) {
        case (.number(let a), .number(let b)): Truth(a == b)
        case (.string(let a), .string(let b)): Truth(a == b)
        default: equalOther(left, right, span)
        }
    }

    @inline(never)
    private mutating func equalOther(_ left: Value, _ right: Value, _ span: SourceSpan) -> Truth {
        if let result = equality(left, right, span) { return result }
        warn(span) { "Cannot compare a \(left.typeName) and a \(right.typeName) in '\($0.text(span))'" }
        return .unknown
    }

    /// Whether two elements are the same; values of different types are not.
    mutating func isSame(_ left: Value, _ right: Value, at span: SourceSpan) -> Bool {
        equality(left, right, span) == .yes
    }

    /// Equality, or nil for values of different types.
    private mutating func equality(_ left: Value, _ right: Value, _ span: SourceSpan) -> Truth? {
        switch (left, right) {
        case (.null, .null): return .yes
        case (.null, _), (_, .null): return .no
        case (.boolean(let a), .boolean(let b)): return Truth(a == b)
        case (.list(let a), .list(let b)):
            guard a.count == b.count else { return .no }
            guard spend(a.count / 4, at: span) else { return .unknown }
            for (x, y) in zip(a, b) where equality(x, y, span) != .yes { return .no }
            return .yes
        case (.context(let a), .context(let b)):
            guard a.count == b.count else { return .no }
            guard spend(a.count, at: span) else { return .unknown }
            for (key, x) in a {
                guard let y = b[key], equality(x, y, span) == .yes else { return .no }
            }
            return .yes
        case (.range(let a), .range(let b)):
            return Truth(
                a.includesLower == b.includesLower && a.includesUpper == b.includesUpper
                    && isSame(a.lower ?? .null, b.lower ?? .null, at: span)
                    && isSame(a.upper ?? .null, b.upper ?? .null, at: span))
        case (.function(let a), .function(let b)): return Truth(a == b)
        case (.dateTime, .dateTime), (.time, .time):
            // With and without a zone they have no order, but are surely different.
            return Truth(Order.between(left, right) == .equal)
        default: return Order.between(left, right).map { Truth($0 == .equal) }
        }
    }

    /// Whether `value` is `candidate`, lies in it when it is a range, or belongs to it when it is a list of either.
    mutating func belongs(_ value: Value, to candidate: Value, at span: SourceSpan) -> Truth {
        switch candidate {
        case .range(let range): return contains(range, value, at: span)
        case .list(let elements):
            guard spend(elements.count / 4, at: span) else { return .unknown }
            for element in elements {
                if case .range(let range) = element, case .no = Truth(value.isRange) {
                    if contains(range, value) == true { return .yes }
                } else if isSame(value, element, at: span) {
                    return .yes
                }
            }
            if case .list = value { return Truth(isSame(value, candidate, at: span)) }
            return .no
        case .boolean(let flag):
            if case .boolean(let input) = value { return Truth(flag == input) }
            return Truth(flag)
        default: return equal(value, candidate, at: span)
        }
    }

    private mutating func contains(_ range: ValueRange, _ value: Value, at span: SourceSpan) -> Truth {
        if case .range = value { return Truth(isSame(value, .range(range), at: span)) }
        if let result = contains(range, value) { return Truth(result) }
        if !value.isNull || warnings.isEmpty {
            warn(span) { "A \(value.typeName) cannot lie in '\($0.text(span))'" }
        }
        return .unknown
    }

    /// Whether the value lies in the range; nil when they cannot be compared.
    func contains(_ range: ValueRange, _ value: Value) -> Bool? {
        if let lower = range.lower {
            guard let order = Order.between(value, lower) else { return nil }
            guard order == .greater || (order == .equal && range.includesLower) else { return false }
        }
        if let upper = range.upper {
            guard let order = Order.between(value, upper) else { return nil }
            guard order == .less || (order == .equal && range.includesUpper) else { return false }
        }
        return true
    }
}

extension Value {
    fileprivate var isRange: Bool {
        if case .range = self { true } else { false }
    }
}
