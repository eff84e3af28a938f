import Values

/// The relations between points and intervals (DMN 1.5, table 83).
extension Builtin {
    static let rangeFunctions: [Builtin] = [
        relation("before", "point1, point2", "point, range", "range, point", "range1, range2") { a, b in
            guard let order = try Interval.order(a.upper, b.lower) else { return false }
            return order == .less || (order == .equal && !(a.includesUpper && b.includesLower))
        },
        relation("after", "point1, point2", "point, range", "range, point", "range1, range2") { a, b in
            guard let order = try Interval.order(a.lower, b.upper) else { return false }
            return order == .greater || (order == .equal && !(a.includesLower && b.includesUpper))
        },
        relation("meets", "range1, range2") { a, b in
            try Interval.order(a.upper, b.lower) == .equal && a.includesUpper && b.includesLower
        },
        relation("met by", "range1, range2") { a, b in
            try Interval.order(a.lower, b.upper) == .equal && a.includesLower && b.includesUpper
        },
        relation("overlaps", "range1, range2") { a, b in try a.reaches(b) && b.reaches(a) },
        relation("overlaps before", "range1, range2") { a, b in
            try a.startsBefore(b) && a.reaches(b) && b.reaches(a) && a.endsNoLater(b)
        },
        relation("overlaps after", "range1, range2") { a, b in
            try b.startsBefore(a) && a.reaches(b) && b.reaches(a) && b.endsNoLater(a)
        },
        relation("finishes", "point, range", "range1, range2") { a, b in try a.endsWith(b) && !a.startsBefore(b) },
        relation("finished by", "range, point", "range1, range2") { a, b in try b.endsWith(a) && !b.startsBefore(a) },
        relation("includes", "range, point", "range1, range2") { a, b in try !b.startsBefore(a) && b.endsNoLater(a) },
        relation("during", "point, range", "range1, range2") { a, b in try !a.startsBefore(b) && a.endsNoLater(b) },
        relation("starts", "point, range", "range1, range2") { a, b in try a.startsWith(b) && a.endsNoLater(b) },
        relation("started by", "range, point", "range1, range2") { a, b in try b.startsWith(a) && b.endsNoLater(a) },
        relation("coincides", "point1, point2", "range1, range2") { a, b in try a.startsWith(b) && a.endsWith(b) },
        Builtin("range", "from") { (arguments, _) throws(Mistake) in
            let text = try arguments.string(0)
            guard let expression = try? Expression.compile(text), case .range(let range) = expression.constant else {
                throw Mistake("'\(text)' is no range of constants")
            }
            return .range(range)
        },
    ]

    private static func relation(
        _ name: String, _ signatures: String..., holds: @escaping @Sendable (Interval, Interval) throws -> Bool
    ) -> Builtin {
        let takesPoints = (
            signatures.contains { $0.hasPrefix("point") }, signatures.contains { $0.contains(", point") }
        )
        let body: Body = { (arguments, _) throws(Mistake) in
            let left = try Interval(arguments, 0, pointAllowed: takesPoints.0)
            let right = try Interval(arguments, 1, pointAllowed: takesPoints.1)
            do {
                return .boolean(try holds(left, right))
            } catch {
                throw Mistake("The two cannot be compared")
            }
        }
        return Builtin(name, all: signatures, body: body)
    }

    private init(_ name: String, all signatures: [String], body: @escaping Body) {
        self.name = name
        self.signatures = signatures.map { Signature($0) }
        self.isPure = true
        self.buildsCollections = false
        self.body = body
    }
}

/// A range, or a point as the range that holds nothing else.
private struct Interval {
    var lower: Value?
    var upper: Value?
    var includesLower = true
    var includesUpper = true

    init(_ arguments: Arguments, _ index: Int, pointAllowed: Bool) throws(Mistake) {
        switch arguments[index] {
        case .range(let range):
            (lower, upper) = (range.lower, range.upper)
            (includesLower, includesUpper) = (range.includesLower, range.includesUpper)
        case let point where pointAllowed && Order.between(point, point) != nil:
            (lower, upper) = (point, point)
        default: throw arguments.expected(pointAllowed ? "point or range" : "range", index)
        }
    }

    /// The order of two ends; nil when one is unbounded.
    static func order(_ a: Value?, _ b: Value?) throws(Mistake) -> Order? {
        guard let a, let b else { return nil }
        guard let order = Order.between(a, b) else { throw Mistake("not comparable") }
        return order
    }

    /// Whether this begins at a point that `other` does not hold because it begins later.
    func startsBefore(_ other: Interval) throws(Mistake) -> Bool {
        guard other.lower != nil else { return false }
        guard let order = try Self.order(lower, other.lower) else { return true }
        return order == .less || (order == .equal && includesLower && !other.includesLower)
    }

    /// Whether this ends where `other` ends or earlier.
    func endsNoLater(_ other: Interval) throws(Mistake) -> Bool {
        guard other.upper != nil else { return true }
        guard let order = try Self.order(upper, other.upper) else { return false }
        return order == .less || (order == .equal && (!includesUpper || other.includesUpper))
    }

    /// Whether this ends at or behind the beginning of `other`.
    func reaches(_ other: Interval) throws(Mistake) -> Bool {
        guard let order = try Self.order(upper, other.lower) else { return true }
        return order == .greater || (order == .equal && includesUpper && other.includesLower)
    }

    func startsWith(_ other: Interval) throws(Mistake) -> Bool {
        guard let order = try Self.order(lower, other.lower) else { return lower == nil && other.lower == nil }
        return order == .equal && includesLower == other.includesLower
    }

    func endsWith(_ other: Interval) throws(Mistake) -> Bool {
        guard let order = try Self.order(upper, other.upper) else { return upper == nil && other.upper == nil }
        return order == .equal && includesUpper == other.includesUpper
    }
}
