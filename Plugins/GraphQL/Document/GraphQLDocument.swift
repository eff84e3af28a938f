/// An executable document: operations, and the fragments they use.
///
/// Only what a client needs to know is kept.
struct GraphQLDocument: Sendable, Hashable {
    /// What an operation does.
    enum Kind: String, Sendable {
        case query, mutation, subscription
    }

    /// One operation.
    struct Operation: Sendable, Hashable {
        var kind: Kind
        /// `nil` for one without a name.
        var name: String?
        var variables: [Variable] = []
        /// The fields it asks the root for, fragments aside.
        var rootFields: [String] = []
    }

    /// One variable an operation takes.
    struct Variable: Sendable, Hashable {
        var name: String
        var type: TypeReference
        var hasDefault = false

        /// Whether a value must be given.
        var isRequired: Bool {
            if case .nonNull = self.type { !self.hasDefault } else { false }
        }
    }

    /// A type, as a document names it.
    indirect enum TypeReference: Sendable, Hashable {
        case named(String)
        case list(TypeReference)
        case nonNull(TypeReference)
    }

    /// As it was written.
    let text: String
    private(set) var operations: [Operation]
    private(set) var fragments: [String]

    /// Reads a document.
    init(_ text: String) throws(GraphQLSyntaxError) {
        self.text = text
        var parser = try GraphQLParser(text)
        (self.operations, self.fragments) = try parser.document()
    }

    /// The operation called `name`, or the only one; `nil` when that is not clear.
    func operation(_ name: String?) -> Operation? {
        guard let name else { return self.operations.count == 1 ? self.operations.first : nil }
        return self.operations.first { $0.name == name }
    }
}

extension GraphQLDocument.TypeReference: CustomStringConvertible {
    var description: String {
        switch self {
        case .named(let name): name
        case .list(let element): "[\(element)]"
        case .nonNull(let type): "\(type)!"
        }
    }
}
