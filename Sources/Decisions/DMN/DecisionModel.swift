public import Values

/// A DMN model, compiled once and evaluated many times, by any number of threads.
///
/// Evaluation is deterministic, never throws and never runs away: what cannot be computed is null with a warning. Each
/// decision is evaluated at most once, when something needs it. It is made by `DMNImporter`.
public final class DecisionModel: Sendable {
    /// A decision, input or service of the model itself, not of one it imports.
    public struct Element: Sendable, Hashable {
        /// The element's id; empty when it has none.
        public let id: String
        /// The element's name.
        public let name: String
        /// The author's label of a version of a decision; nil when it has none.
        public var versionTag: String?
        /// The logic of a decision; nil for inputs and services.
        public var logic: Logic?
    }

    /// The kinds of logic of a decision.
    public enum Logic: Sendable, Hashable {
        /// A decision table.
        case table
        /// A literal expression.
        case literalExpression
        /// Any other boxed expression, or none.
        case other
    }

    /// The id of the model's definitions; its namespace when they have none.
    public let id: String
    /// The model's name.
    public let name: String
    /// The model's namespace.
    public let namespace: String
    /// The decisions, in document order.
    public let decisions: [Element]
    /// The input data, in document order.
    public let inputData: [Element]
    /// The decision services, in document order.
    public let services: [Element]

    /// The document, for models that import this one.
    package let definitions: DMNDefinitions
    /// The documents it imports, by namespace.
    package let imported: [String: DMNDefinitions]

    private let program: ModelProgram
    /// Decisions and services by id and by name; an id goes before a name.
    private let positions: [String: Int]

    /// Compiles a document.
    ///
    /// - Parameters:
    ///   - definitions: The document.
    ///   - imports: The models it imports, by namespace.
    /// - Returns: The model, unless a finding forbids one, and all findings.
    package static func compile(
        _ definitions: DMNDefinitions, imports: [String: DecisionModel] = [:]
    ) -> (model: DecisionModel?, findings: [Diagnostic]) {
        var imported: [String: DMNDefinitions] = [:]
        for (namespace, model) in imports {
            imported.merge(model.imported) { first, _ in first }
            imported[namespace] = model.definitions
        }
        var compiler = ModelCompiler(definitions, imported: imported)
        let program = compiler.compile()
        let findings = compiler.findings.findings
        guard let program, !findings.contains(where: { DMNCode(rawValue: $0.code)?.isFatal == true }) else {
            return (nil, findings)
        }
        return (DecisionModel(definitions, imported: imported, program), findings)
    }

    private init(_ definitions: DMNDefinitions, imported: [String: DMNDefinitions], _ program: ModelProgram) {
        self.definitions = definitions
        self.imported = imported
        self.program = program
        id = definitions.id ?? definitions.namespace
        name = definitions.name
        namespace = definitions.namespace
        decisions = definitions.decisions.map { decision in
            Element(
                id: decision.place.id ?? "", name: decision.name, versionTag: decision.versionTag,
                logic: Logic(decision.expression))
        }
        inputData = definitions.inputData.map { Element(id: $0.place.id ?? "", name: $0.name) }
        services = definitions.services.map { Element(id: $0.place.id ?? "", name: $0.name) }
        var positions: [String: Int] = [:]
        for (position, element) in program.elements.enumerated() where element.namespace == definitions.namespace {
            if positions[element.name] == nil, element.isEvaluable { positions[element.name] = position }
        }
        for (position, element) in program.elements.enumerated() where element.namespace == definitions.namespace {
            if !element.id.isEmpty, element.isEvaluable { positions[element.id] = position }
        }
        self.positions = positions
    }

    /// How many output decisions a service has; 0 when there is no such service.
    public func outputCount(ofService service: String) -> Int {
        guard let position = positions[service], case .service(let program) = program.elements[position].kind else {
            return 0
        }
        return program.outputs.count
    }

    // MARK: Evaluation

    /// Whether there is a decision or decision service of this id or name.
    public func has(decision: String) -> Bool { positions[decision] != nil }

    /// Evaluates a decision or decision service, with a record of every decision evaluated on the way.
    ///
    /// - Parameters:
    ///   - decision: The id or name. Of a service all output decisions are evaluated; with several the value is a
    ///     context of them.
    ///   - inputs: Where input data are found by name, each asked for at most once; those it does not know are null.
    ///     For a service, the values of its input decisions too. Its `now` is the time of the evaluation.
    ///   - isOpen: Whether expressions may also read inputs that the model does not declare, as models of engines that
    ///     need no declarations do.
    public func evaluate(
        decision: String, inputs: any VariableScope, isOpen: Bool = false
    ) -> DecisionOutcome {
        let recorder = DecisionRecorder()
        let (value, warnings) = run(decision, inputs, recorder: recorder, collects: true, isOpen: isOpen)
        return DecisionOutcome(value: value, warnings: warnings, evaluated: recorder.evaluated)
    }

    /// Evaluates a decision or decision service over the entries of a context.
    ///
    /// - Parameters:
    ///   - decision: The id or name.
    ///   - inputs: The input data by name.
    ///   - now: What `now()` and `today()` answer.
    public func evaluate(
        decision: String, inputs: ValueContext, now: DateTime = .feelEpoch
    ) -> DecisionOutcome {
        evaluate(decision: decision, inputs: MapScope(inputs, now: now))
    }

    /// The value alone; the same as `evaluate(decision:inputs:).value` without the cost of warnings and record.
    public func evaluateValue(decision: String, inputs: any VariableScope) -> Value {
        run(decision, inputs, recorder: nil, collects: false).value
    }

    private func run(
        _ decision: String, _ inputs: any VariableScope, recorder: DecisionRecorder?, collects: Bool,
        isOpen: Bool = false
    ) -> (value: Value, warnings: [EvaluationWarning]) {
        guard let position = positions[decision] else {
            let remedy = ClosestMatch.of(decision, in: Array(positions.keys)).map { "; did you mean '\($0)'?" } ?? ""
            let message = "There is no decision '\(decision)' in the model '\(name)'\(remedy)"
            return (.null, [EvaluationWarning(message: message, offset: 0)])
        }
        let run = DecisionRun(program, inputs: inputs, recorder: recorder, isOpen: isOpen)
        let source = SourceText(decision)
        let span = SourceSpan(0, decision.utf8.count)
        var machine = Machine(scope: run, source: source, collects: collects)
        machine.run = run
        let value: Value
        if case .service(let service) = program.elements[position].kind {
            value = machine.evaluate(service, of: run, at: span)
        } else {
            value = machine.value(ofElement: position, at: span)
        }
        return withExtendedLifetime(source) { (value, machine.warnings) }
    }
}

extension DecisionModel.Logic {
    fileprivate init(_ expression: DMNExpression?) {
        switch expression?.kind {
        case .table: self = .table
        case .literal: self = .literalExpression
        default: self = .other
        }
    }
}

extension DRGElement {
    /// Whether it can be asked for by name: a decision or a service.
    fileprivate var isEvaluable: Bool {
        switch kind {
        case .decision, .service: true
        case .input, .knowledge: false
        }
    }
}

extension Machine {
    /// Evaluates a service whose arguments are the inputs of the run.
    fileprivate mutating func evaluate(
        _ service: ServiceProgram, of run: DecisionRun, at span: SourceSpan
    ) -> Value {
        for parameter in service.parameters {
            let value = run.inputs.variable(parameter.name) ?? .null
            guard let type = parameter.type else {
                run.values[parameter.element] = value
                continue
            }
            run.values[parameter.element] =
                coerce(value, to: type, at: span) { "argument '\(parameter.name)'" } ?? .null
        }
        return outputs(of: service, at: span)
    }
}
