import Values

/// A named type of a decision model: an item definition (DMN 1.5, clause 7.3.2).
///
/// `@unchecked Sendable`: written while the model is compiled, before anything else sees it, and only read then.
final class ItemType: @unchecked Sendable, Hashable {
    let name: String
    /// The type of the value, or of its elements when it is a collection.
    var base = TypeSyntax.any
    var isCollection = false
    /// Tests about the value, or about each element of a collection.
    var allowedValues: Expression?
    /// The values that `allowedValues` lists, in its order.
    var allowedOrder: [Value] = []
    /// Tests about the value, or about the whole collection.
    var typeConstraint: Expression?

    init(_ name: String) { self.name = name }

    static func == (left: ItemType, right: ItemType) -> Bool { left === right }

    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// Whether a value that is not null is an instance of the type.
    func describes(_ value: Value) -> Bool {
        guard isCollection else { return describesElement(value) && satisfies(typeConstraint, value) }
        guard case .list(let elements) = value else { return false }
        return elements.allSatisfy { $0.isNull || describesElement($0) } && satisfies(typeConstraint, value)
    }

    private func describesElement(_ value: Value) -> Bool {
        base.describes(value) && satisfies(allowedValues, value)
    }

    private func satisfies(_ tests: Expression?, _ value: Value) -> Bool {
        guard let tests else { return true }
        return tests.matches(value, in: MapScope()) == true
    }
}

extension TypeSyntax {
    /// The type without the names in front of it; a constraint on the way is left out.
    var unaliased: TypeSyntax {
        var type = self
        while case .item(let item) = type, !item.isCollection { type = item.base }
        return type
    }

    /// Whether its instances are lists.
    var isList: Bool {
        switch unaliased {
        case .list: true
        case .item(let item): item.isCollection
        default: false
        }
    }
}
