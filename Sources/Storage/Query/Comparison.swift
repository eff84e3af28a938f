/// One condition on one field of a filter.
///
/// A field holds a list of them: all must hold, none means any value.
///
/// These are the operators of the Camunda API's advanced filters.
public enum Comparison<Operand: Sendable & Hashable>: Sendable, Hashable {
    /// `$eq`
    case equal(Operand)
    /// `$neq`; a missing value differs from every value.
    case notEqual(Operand)
    /// `$exists`
    case exists(Bool)
    /// `$lt`
    case less(Operand)
    /// `$lte`
    case lessOrEqual(Operand)
    /// `$gt`
    case greater(Operand)
    /// `$gte`
    case greaterOrEqual(Operand)
    /// `$in`
    case oneOf([Operand])
    /// `$notIn`; a missing value is in no list.
    case noneOf([Operand])
    /// `$like`: `*` stands for any characters, `?` for one, a backslash takes the next character as it is. Text only;
    /// on other fields it compares their decimal text.
    case like(String)
}

/// Text of JSON: what a variable must be named and hold.
public struct VariableCondition: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Conditions on its JSON text, so a string value carries its quotes.
    public var value: [Comparison<String>]

    /// Creates a condition.
    public init(name: String, value: [Comparison<String>]) {
        self.name = name
        self.value = value
    }
}
