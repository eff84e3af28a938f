import Values

/// A compiled decision model: its elements and those of the models it imports, each by its position.
final class ModelProgram: Sendable {
    let elements: [DRGElement]

    init(elements: [DRGElement]) { self.elements = elements }
}

/// One compiled element of a decision requirements graph.
struct DRGElement: Sendable {
    enum Kind: Sendable {
        case input
        case decision(DecisionBody)
        /// A node whose value is the function.
        case knowledge(DecisionBody)
        case service(ServiceProgram)
    }

    let id: String
    let name: String
    /// The namespace of its model.
    let namespace: String
    /// The name of its variable.
    let variableName: String
    let type: TypeSyntax?
    let kind: Kind
}

/// The compiled logic of a decision, and what running it takes.
struct DecisionBody: Sendable {
    let node: Node
    let slotCount: Int
    /// How many nodes deep it is.
    let height: Int
    let source: SourceText
    /// What the decision requires, for the record of decisions that are no tables.
    let requirements: [Int]
    /// Whether the logic is a decision table.
    let isTable: Bool
}

/// A compiled decision service.
final class ServiceProgram: Sendable {
    struct Parameter: Sendable {
        let name: String
        let type: TypeSyntax?
        let element: Int
    }

    let name: String
    let parameters: [Parameter]
    let outputs: [(name: String, element: Int)]
    let type: TypeSyntax?

    init(name: String, parameters: [Parameter], outputs: [(name: String, element: Int)], type: TypeSyntax?) {
        self.name = name
        self.parameters = parameters
        self.outputs = outputs
        self.type = type
    }
}
