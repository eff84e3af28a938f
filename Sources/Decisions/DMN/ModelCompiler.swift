import Values

/// Compiles a DMN document and those it imports into one program.
struct ModelCompiler {
    /// One document.
    struct Module {
        let definitions: DMNDefinitions
        var types: [String: ItemType] = [:]
        /// The positions of its elements by id.
        var elements: [String: Int] = [:]
    }

    /// Where an element was defined.
    enum Origin {
        case input(DMNInputData)
        case decision(DMNDecision)
        case knowledge(DMNKnowledgeModel)
        case service(DMNDecisionService)

        var name: String {
            switch self {
            case .input(let input): input.name
            case .decision(let decision): decision.name
            case .knowledge(let model): model.name
            case .service(let service): service.name
            }
        }

        var place: DMNPlace {
            switch self {
            case .input(let input): input.place
            case .decision(let decision): decision.place
            case .knowledge(let model): model.place
            case .service(let service): service.place
            }
        }

        var variable: DMNVariable {
            switch self {
            case .input(let input): input.variable
            case .decision(let decision): decision.variable
            case .knowledge(let model): model.variable
            case .service(let service): service.variable
            }
        }

        /// What must be known before it: the edges of the graph.
        var requirements: [DMNReference] {
            switch self {
            case .input: []
            case .decision(let decision): decision.requirements
            case .knowledge(let model): model.requirements
            case .service(let service): service.outputs + service.encapsulated
            }
        }
    }

    var modules: [Module] = []
    var origins: [(module: Int, origin: Origin)] = []
    let findings = FindingList()
    private var moduleByNamespace: [String: Int] = [:]
    /// What names mean in a module before any requirement; built once.
    private var surroundings: [NameEnvironment] = []

    /// The largest number of elements of a model with all it imports.
    static let elementsMax = 20_000

    /// - Parameters:
    ///   - definitions: The document.
    ///   - imported: The documents it imports, and those they import, by namespace.
    init(_ definitions: DMNDefinitions, imported: [String: DMNDefinitions]) {
        add(definitions)
        var next = 0
        while next < modules.count {
            for reference in modules[next].definitions.imports where moduleByNamespace[reference.namespace] == nil {
                if let definitions = imported[reference.namespace] { add(definitions) }
            }
            next += 1
        }
    }

    private mutating func add(_ definitions: DMNDefinitions) {
        moduleByNamespace[definitions.namespace] = modules.count
        var module = Module(definitions: definitions)
        let number = modules.count
        let all: [Origin] =
            definitions.inputData.map { .input($0) } + definitions.decisions.map { .decision($0) }
            + definitions.knowledgeModels.map { .knowledge($0) } + definitions.services.map { .service($0) }
        for origin in all {
            if let id = origin.place.id {
                if module.elements[id] != nil {
                    findings.add(
                        .duplicateID, "The id '\(id)' is used twice.", remedy: "rename one of them",
                        file: definitions.file, at: origin.place)
                }
                module.elements[id] = origins.count
            }
            origins.append((number, origin))
        }
        modules.append(module)
    }

    func file(_ module: Int) -> String? { modules[module].definitions.file }

    /// The element a reference means; nil, with a finding, when there is none.
    func element(_ reference: DMNReference, from module: Int, at place: DMNPlace) -> Int? {
        let owner = reference.namespace.map { moduleByNamespace[$0] } ?? module
        if let owner, let element = modules[owner].elements[reference.id] { return element }
        findings.add(
            .unknownReference, "There is no element '\(reference.id)'.",
            remedy: "draw the requirement again, or import the model that has the element",
            file: file(module), at: DMNPlace(id: place.id, line: reference.line))
        return nil
    }

    // MARK: Compiling

    /// The program; nil when a finding forbids one.
    mutating func compile() -> ModelProgram? {
        guard origins.count <= Self.elementsMax else {
            findings.add(
                .tooLarge, "The model has \(origins.count) elements; at most \(Self.elementsMax) are accepted.",
                remedy: "split the model", file: file(0), at: DMNPlace(id: nil, line: 0))
            return nil
        }
        for module in modules.indices { checkImports(module) }
        defineTypes()
        let entryNames = self.entryNames
        surroundings = modules.indices.map { module in
            var environment = NameEnvironment()
            environment.types = visibleTypes(module)
            environment.entryNames = entryNames
            return environment
        }
        let edges = requirements()
        guard isAcyclic(edges) else { return nil }
        var elements: [DRGElement] = []
        for position in origins.indices { elements.append(compile(position, requirements: edges[position])) }
        return ModelProgram(elements: elements)
    }

    private func checkImports(_ module: Int) {
        for reference in modules[module].definitions.imports where moduleByNamespace[reference.namespace] == nil {
            findings.add(
                .unknownImport, "There is no model of the namespace '\(reference.namespace)' to import.",
                remedy: "read the imported model together with this one", file: file(module), at: reference.place)
        }
    }

    /// The elements each element requires.
    private func requirements() -> [[Int]] {
        origins.map { module, origin in
            origin.requirements.compactMap { element($0, from: module, at: origin.place) }
        }
    }

    /// Whether no element requires itself through others; a knowledge model may call itself.
    private func isAcyclic(_ edges: [[Int]]) -> Bool {
        var state = [UInt8](repeating: 0, count: edges.count)
        for start in edges.indices where state[start] == 0 {
            var path: [(element: Int, next: Int)] = [(start, 0)]
            state[start] = 1
            while let (element, next) = path.last {
                guard next < edges[element].count else {
                    state[element] = 2
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let required = edges[element][next]
                if required == element, case .knowledge = origins[element].origin { continue }
                switch state[required] {
                case 0:
                    state[required] = 1
                    path.append((required, 0))
                case 1:
                    let names = (path.drop { $0.element != required }.map(\.element) + [required])
                        .prefix(20).map { "'\(origins[$0].origin.name)'" }
                    findings.add(
                        .cyclicRequirements, "The requirements form a cycle: \(names.joined(separator: " requires ")).",
                        remedy: "remove one of these requirements", file: file(origins[element].module),
                        at: origins[element].origin.place)
                    return false
                default: continue
                }
            }
        }
        return true
    }

    // MARK: Elements

    /// What names mean inside an element.
    private func environment(_ position: Int, requirements: [Int]) -> NameEnvironment {
        let module = origins[position].module
        var environment = surroundings[module]
        for required in requirements {
            if required == position { continue }
            let name = variableName(required)
            let owner = origins[required].module
            guard owner != module else {
                environment.elements[name] = required
                continue
            }
            let namespace = modules[owner].definitions.namespace
            let prefix = modules[module].definitions.imports.first { $0.namespace == namespace }?.name ?? ""
            if prefix.isEmpty {
                environment.elements[name] = required
            } else {
                environment.imports[prefix, default: [:]][name] = required
            }
        }
        return environment
    }

    private func variableName(_ position: Int) -> String {
        let origin = origins[position].origin
        return origin.variable.name.isEmpty ? origin.name : origin.variable.name
    }

    private mutating func compile(_ position: Int, requirements: [Int]) -> DRGElement {
        let (module, origin) = origins[position]
        let environment = self.environment(position, requirements: requirements)
        var boxed = BoxedCompiler(
            environment, element: origin.name, id: origin.place.id, findings: findings, file: file(module))
        var type = boxed.type(origin.variable.type, at: origin.place)
        let kind: DRGElement.Kind
        switch origin {
        case .input: kind = .input
        case .decision(let decision):
            kind = .decision(body(decision, requirements: requirements, &boxed))
        case .knowledge(let model):
            kind = .knowledge(body(model, type: type, requirements: requirements, &boxed))
            type = nil
        case .service(let service):
            kind = .service(program(service, type: type, module))
            type = nil
        }
        return DRGElement(
            id: origin.place.id ?? "", name: origin.name, namespace: modules[module].definitions.namespace,
            variableName: variableName(position), type: type, kind: kind)
    }

    private func body(
        _ decision: DMNDecision, requirements: [Int], _ boxed: inout BoxedCompiler
    ) -> DecisionBody {
        let source = boxed.compiler.source
        guard let expression = decision.expression else {
            findings.add(
                .noLogic, "The decision '\(decision.name)' has no logic; it is null.",
                remedy: "give it an expression, or use it only as an input of decision services", file: boxed.file,
                at: decision.place)
            let node = FailureNode("The decision has no logic", boxed.span)
            return boxed.body(node, source: source, requirements: requirements, isTable: false)
        }
        let node = boxed.compile(expression, name: nil)
        var isTable = false
        if case .table = expression.kind { isTable = true }
        return boxed.body(node, source: source, requirements: requirements, isTable: isTable)
    }

    private func body(
        _ model: DMNKnowledgeModel, type: TypeSyntax?, requirements: [Int], _ boxed: inout BoxedCompiler
    ) -> DecisionBody {
        let source = boxed.compiler.source
        guard let logic = model.logic else {
            findings.add(
                .noLogic, "The knowledge model '\(model.name)' has no logic; it is null.",
                remedy: "give it an encapsulated logic", file: boxed.file, at: model.place)
            let node = FailureNode("The knowledge model has no logic", boxed.span)
            return boxed.body(node, source: source, requirements: requirements, isTable: false)
        }
        // The type of the variable is the result's, or that of the function as a value.
        var result = boxed.type(model.logicType, at: model.place) ?? type
        switch result?.unaliased {
        case .function(_, let inner)?: result = inner == .any ? nil : inner
        case .anyFunction?: result = nil
        default: break
        }
        let name = model.variable.name.isEmpty ? model.name : model.variable.name
        let node = boxed.function(logic, name: name, resultType: result)
        return boxed.body(node, source: source, requirements: requirements, isTable: false)
    }

    private func program(_ service: DMNDecisionService, type: TypeSyntax?, _ module: Int) -> ServiceProgram {
        let inputs = (service.inputData + service.inputDecisions).compactMap {
            element($0, from: module, at: service.place)
        }
        let parameters = inputs.map { input in
            var boxed = BoxedCompiler(
                environment(input, requirements: []), element: service.name, id: service.place.id, findings: findings,
                file: file(origins[input].module))
            return ServiceProgram.Parameter(
                name: variableName(input), type: boxed.type(origins[input].origin.variable.type, at: service.place),
                element: input)
        }
        let outputs = service.outputs.compactMap { element($0, from: module, at: service.place) }
        var result = type
        switch result?.unaliased {
        case .function(_, let inner)?: result = inner == .any ? nil : inner
        case .anyFunction?: result = nil
        default: break
        }
        return ServiceProgram(
            name: service.name, parameters: parameters, outputs: outputs.map { (variableName($0), $0) }, type: result)
    }
}
