import Values

extension ModelCompiler {
    /// Makes a type of every item definition.
    mutating func defineTypes() {
        for module in modules.indices {
            for definition in modules[module].definitions.itemDefinitions {
                if modules[module].types[definition.name] != nil {
                    findings.add(
                        .duplicateName, "The type '\(definition.name)' is defined twice; the last counts.",
                        remedy: "rename one of them", file: file(module), at: definition.place)
                }
                modules[module].types[definition.name] = ItemType(definition.name)
            }
        }
        for module in modules.indices {
            let types = visibleTypes(module)
            for definition in modules[module].definitions.itemDefinitions {
                guard let type = modules[module].types[definition.name] else { continue }
                define(type, as: definition, types, module)
            }
            for definition in modules[module].definitions.itemDefinitions {
                modules[module].types[definition.name].map { breakCycle(at: $0, definition, module) }
            }
        }
    }

    /// The types by the names they have in a document.
    func visibleTypes(_ module: Int) -> [String: ItemType] {
        var types = modules[module].types
        for reference in modules[module].definitions.imports {
            guard let owner = modules.first(where: { $0.definitions.namespace == reference.namespace }) else {
                continue
            }
            for (name, type) in owner.types {
                let visible = reference.name.isEmpty ? name : "\(reference.name).\(name)"
                if types[visible] == nil { types[visible] = type }
            }
        }
        return types
    }

    private func define(
        _ type: ItemType, as definition: DMNItemDefinition, _ types: [String: ItemType], _ module: Int
    ) {
        var environment = NameEnvironment()
        environment.types = types
        type.isCollection = definition.isCollection
        type.base = base(of: definition, environment, module)
        type.allowedValues = tests(definition.allowedValues, definition, module)
        type.typeConstraint = tests(definition.typeConstraint, definition, module)
        if let text = definition.allowedValues, let syntax = try? Parser.unaryTests(text),
            let program = try? Compiler.compile(syntax, source: SourceText(text), knownNames: [])
        {
            type.allowedOrder = BoxedCompiler.constants(program.root)
        }
    }

    private func base(
        of definition: DMNItemDefinition, _ environment: NameEnvironment, _ module: Int
    ) -> TypeSyntax {
        if let function = definition.function {
            return .function(
                function.parameters.map { named($0.type, environment, definition, module) },
                result: named(function.result, environment, definition, module))
        }
        guard definition.components.isEmpty else {
            return .context(
                definition.components.map { component in
                    TypeEntrySyntax(key: component.name, type: componentType(component, environment, module))
                })
        }
        return named(definition.type, environment, definition, module)
    }

    private func componentType(
        _ component: DMNItemDefinition, _ environment: NameEnvironment, _ module: Int
    ) -> TypeSyntax {
        let isPlain =
            !component.isCollection && component.components.isEmpty && component.function == nil
            && component.allowedValues == nil && component.typeConstraint == nil
        if isPlain { return named(component.type, environment, component, module) }
        let type = ItemType(component.name)
        define(type, as: component, environment.types, module)
        return .item(type)
    }

    private func named(
        _ reference: String?, _ environment: NameEnvironment, _ definition: DMNItemDefinition, _ module: Int
    ) -> TypeSyntax {
        guard let reference, !reference.isEmpty else { return .any }
        if let type = environment.type(reference) { return type }
        findings.add(
            .unknownType, "There is no type '\(reference)'.",
            remedy: "define it as an item definition, or use a type of FEEL", file: file(module), at: definition.place)
        return .any
    }

    private func tests(_ text: String?, _ definition: DMNItemDefinition, _ module: Int) -> Expression? {
        guard let text, !text.isEmpty else { return nil }
        do {
            return try Expression.compile(text, mode: .unaryTests)
        } catch {
            findings.add(
                .badExpression, "\(error.message) (in the allowed values '\(text)').",
                remedy: error.remedy ?? "correct the test there", file: file(module), at: definition.place)
            return nil
        }
    }

    /// A type that is only another name of itself describes everything instead of nothing.
    private func breakCycle(at type: ItemType, _ definition: DMNItemDefinition, _ module: Int) {
        var seen: Set<ItemType> = [type]
        var current = type
        while case .item(let next) = current.base {
            guard seen.insert(next).inserted else {
                current.base = .any
                findings.add(
                    .cyclicType, "The type '\(definition.name)' is defined by itself.",
                    remedy: "give one of the types a base", file: file(module), at: definition.place)
                return
            }
            current = next
        }
    }

    /// The names of entries that contexts of the model may have, as far as the parser must know them: components,
    /// context entries, columns, outputs.
    var entryNames: [String] {
        var names: Set<String> = []
        for module in modules {
            for definition in module.definitions.itemDefinitions { Self.collect(definition, &names) }
            for decision in module.definitions.decisions { Self.collect(decision.expression, &names) }
            for model in module.definitions.knowledgeModels { Self.collect(model.logic?.body, &names) }
        }
        for position in origins.indices {
            let origin = origins[position].origin
            names.insert(origin.variable.name.isEmpty ? origin.name : origin.variable.name)
        }
        return names.filter(NameTable.isCompound).sorted()
    }

    private static func collect(_ definition: DMNItemDefinition, _ names: inout Set<String>) {
        for component in definition.components {
            names.insert(component.name)
            collect(component, &names)
        }
    }

    private static func collect(_ expression: DMNExpression?, _ names: inout Set<String>) {
        switch expression?.kind {
        case .context(let entries):
            for entry in entries {
                if let variable = entry.variable { names.insert(variable.name) }
                collect(entry.value, &names)
            }
        case .relation(let columns, _): names.formUnion(columns.map(\.name))
        case .list(let elements): for element in elements { collect(element, &names) }
        case .function(let function): collect(function.body, &names)
        case .table(let table): names.formUnion(table.outputs.map(\.name))
        case .conditional(_, let consequence, let alternative):
            collect(consequence, &names)
            collect(alternative, &names)
        case .iteration(_, let source, let result):
            collect(source, &names)
            collect(result, &names)
        case .filter(let source, _): collect(source, &names)
        default: break
        }
    }
}
