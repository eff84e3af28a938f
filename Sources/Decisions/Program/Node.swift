import Values

/// A compiled part of an expression.
///
/// Nodes form a tree of final classes, evaluated by one virtual call each; scalars pass through it without allocation.
/// See docs/adr/0012.
///
/// `@unchecked Sendable`: this class and all its subclasses have only `let` properties of `Sendable` types.
class Node: @unchecked Sendable {
    /// What it was compiled from.
    let span: SourceSpan

    init(_ span: SourceSpan) {
        self.span = span
    }

    /// The value; null, with a warning recorded, when it cannot be computed.
    func evaluate(_ machine: inout Machine) -> Value {
        fatalError("\(type(of: self)) does not override evaluate(_:)")
    }

    /// The value as a condition.
    ///
    /// A value that is neither boolean nor null is reported and unknown.
    func truth(_ machine: inout Machine) -> Truth {
        machine.truth(of: evaluate(&machine), span)
    }

    /// The value when it was known at compile time.
    var constant: Value? { nil }
}

/// A boolean of three-valued logic.
enum Truth: UInt8 {
    case no
    case yes
    case unknown

    @inline(__always)
    init(_ flag: Bool) { self = flag ? .yes : .no }

    @inline(__always)
    var boolean: Bool? { self == .unknown ? nil : self == .yes }

    @inline(__always)
    var value: Value { self == .unknown ? .null : .boolean(self == .yes) }

    var negated: Truth {
        switch self {
        case .no: .yes
        case .yes: .no
        case .unknown: .unknown
        }
    }
}

extension Machine {
    @inline(__always)
    mutating func truth(of value: Value, _ span: SourceSpan) -> Truth {
        if case .boolean(let flag) = value { return Truth(flag) }
        return notBoolean(value, span)
    }

    @inline(never)
    private mutating func notBoolean(_ value: Value, _ span: SourceSpan) -> Truth {
        if !value.isNull {
            warn(span) { "Expected a boolean but '\($0.text(span))' is a \(value.typeName)" }
        }
        return .unknown
    }
}

/// A node that knows its truth directly, so that conditions build no values.
class ConditionNode: Node, @unchecked Sendable {
    final override func evaluate(_ machine: inout Machine) -> Value {
        truth(&machine).value
    }
}

/// A value known at compile time.
final class ConstantNode: Node, @unchecked Sendable {
    let value: Value

    init(_ value: Value, _ span: SourceSpan) {
        self.value = value
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value { value }

    override var constant: Value? { value }
}
