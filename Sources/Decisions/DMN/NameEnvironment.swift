import Values

/// What names mean inside one element of a decision model: its requirements, imported models, and types.
struct NameEnvironment: Sendable {
    /// The required elements of this model, or of models imported without a name, by the names of their variables.
    var elements: [String: Int] = [:]
    /// The required elements of imported models, by the name of the import.
    var imports: [String: [String: Int]] = [:]
    /// The item definitions, those of imported models with their prefix.
    var types: [String: ItemType] = [:]
    /// The names of entries that values of the model may have.
    var entryNames: [String] = []

    /// The names the parser needs to know.
    var knownNames: [String] { Array(elements.keys) + Array(imports.keys) }

    /// The node that reads `name`; nil when the model does not offer it here.
    func node(_ name: String, _ span: SourceSpan) -> Node? {
        if let element = elements[name] { return ElementNode(element, span) }
        guard let members = imports[name] else { return nil }
        return ImportNode(members.sorted { $0.key < $1.key }.map { (name: $0.key, element: $0.value) }, span)
    }

    /// A type by the name an author gave it, such as `number`, `feel:number`, `tPerson` or `other.tPerson`.
    func type(_ reference: String) -> TypeSyntax? {
        if let known = types[reference] { return .item(known) }
        if let builtin = Self.builtins[reference] { return builtin }
        // DMN 1.1 wrote types as qualified XML names.
        guard let colon = reference.firstIndex(of: ":") else { return nil }
        let local = String(reference[reference.index(after: colon)...])
        let prefix = String(reference[..<colon])
        if let known = types["\(prefix).\(local)"] ?? types[local] { return .item(known) }
        return Self.builtins[local]
    }

    /// The types of FEEL by every name that a version of DMN gave them.
    static let builtins: [String: TypeSyntax] = [
        "Any": .any, "any": .any, "Null": .null, "number": .number, "string": .string, "boolean": .boolean,
        "date": .date, "time": .time, "date and time": .dateTime, "dateTime": .dateTime,
        "years and months duration": .yearMonthDuration, "yearMonthDuration": .yearMonthDuration,
        "days and time duration": .dayTimeDuration, "dayTimeDuration": .dayTimeDuration,
        "day and time duration": .dayTimeDuration, "year and month duration": .yearMonthDuration,
        "duration": .duration, "list": .list(nil), "range": .range(nil), "context": .context(nil),
        "function": .anyFunction,
    ]
}

extension Compiler {
    /// The type with the item definitions of the model in the place of their names.
    func resolve(_ type: TypeSyntax) -> TypeSyntax {
        guard let environment else { return type }
        return switch type {
        case .named(let name): environment.type(name) ?? type
        case .list(let element?): .list(resolve(element))
        case .range(let end?): .range(resolve(end))
        case .context(let entries?): .context(entries.map { TypeEntrySyntax(key: $0.key, type: resolve($0.type)) })
        case .function(let parameters, let result):
            .function(parameters.map { resolve($0) }, result: resolve(result))
        default: type
        }
    }

    /// The element `base.name` of an imported model; nil when it is none.
    func importedElement(_ base: Syntax, _ name: String) -> Int? {
        guard let environment, case .name(let prefix) = base.kind, !isBound(prefix) else { return nil }
        return environment.imports[prefix]?[name]
    }
}

/// A requirement: an input, decision, knowledge model or service of the model.
final class ElementNode: Node, @unchecked Sendable {
    let element: Int

    init(_ element: Int, _ span: SourceSpan) {
        self.element = element
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        machine.value(ofElement: element, at: span)
    }
}

/// An imported model as a value: a context of the elements that are required of it.
final class ImportNode: Node, @unchecked Sendable {
    let members: [(name: String, element: Int)]

    init(_ members: [(name: String, element: Int)], _ span: SourceSpan) {
        self.members = members
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        .context(ValueContext(members.map { ($0.name, machine.value(ofElement: $0.element, at: span)) }))
    }
}
