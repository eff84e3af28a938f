import Values

/// One evaluation of a decision model: the values of its elements so far.
///
/// As a scope it has no variables: names that the model does not offer mean nothing, unless the run is open.
final class DecisionRun: VariableScope {
    let program: ModelProgram
    let inputs: any VariableScope
    let recorder: DecisionRecorder?
    /// Whether names that the model does not offer are looked up among the inputs.
    let isOpen: Bool
    /// The value of each element, once known.
    var values: [Value?]
    /// The elements being evaluated, innermost last.
    var open: [Int] = []

    init(_ program: ModelProgram, inputs: any VariableScope, recorder: DecisionRecorder?, isOpen: Bool = false) {
        self.isOpen = isOpen
        self.program = program
        self.inputs = inputs
        self.recorder = recorder
        self.values = Array(repeating: nil, count: program.elements.count)
    }

    func variable(_ name: String) -> Value? { isOpen ? inputs.variable(name) : nil }

    var now: DateTime { inputs.now }

    /// The element being evaluated, for a warning.
    func place(of machine: Machine) -> String? {
        open.last.map { "'\(program.elements[$0].name)'" }
    }
}

extension Machine {
    /// The value of an element of the model, evaluated when it is first asked for.
    mutating func value(ofElement index: Int, at span: SourceSpan) -> Value {
        guard let run else {
            warn(span) { "'\($0.text(span))' has a meaning only inside its decision model" }
            return .null
        }
        if let value = run.values[index] { return value }
        let element = run.program.elements[index]
        let value: Value
        switch element.kind {
        case .input: value = input(element, of: run, at: span)
        case .decision(let body): value = decide(element, index, body, of: run, at: span)
        case .knowledge(let body): value = evaluate(body, at: span)
        case .service(let service):
            let function = FunctionValue(
                name: service.name, parameterNames: service.parameters.map(\.name),
                payload: FunctionBody(.service(run.program, service)))
            value = .function(function)
        }
        run.values[index] = value
        return value
    }

    private mutating func input(_ element: DRGElement, of run: DecisionRun, at span: SourceSpan) -> Value {
        let value = run.inputs.variable(element.variableName) ?? run.inputs.variable(element.name) ?? .null
        guard let type = element.type else { return value }
        return coerce(value, to: type, at: span) { "the input '\(element.name)'" } ?? .null
    }

    private mutating func decide(
        _ element: DRGElement, _ index: Int, _ body: DecisionBody, of run: DecisionRun, at span: SourceSpan
    ) -> Value {
        run.open.append(index)
        run.recorder?.begin(element)
        var value = evaluate(body, at: span)
        if let type = element.type {
            value = coerce(value, to: type, at: body.node.span) { "the result of '\(element.name)'" } ?? .null
        }
        if let recorder = run.recorder {
            let inputs = body.isTable ? [] : body.requirements.compactMap { DecisionRecorder.input($0, of: run) }
            recorder.end(value, inputs: inputs)
        }
        run.open.removeLast()
        return value
    }

    /// Evaluates logic that stands on its own, without the variables of whoever asks for it.
    private mutating func evaluate(_ body: DecisionBody, at span: SourceSpan) -> Value {
        guard height + body.height <= Self.heightMax else {
            warn(span) { "The decisions required by '\($0.text(span))' are nested too deeply" }
            budget = -1
            return .null
        }
        guard spend(1, at: span) else { return .null }
        let outer = (base: base, function: function, source: source, input: input)
        base = stack.count
        for _ in 0..<body.slotCount { stack.append(.null) }
        function = nil
        source = body.source
        input = .null
        height += body.height
        let value = body.node.evaluate(&self)
        height -= body.height
        stack.removeLast(stack.count - base)
        (base, function, source, input) = outer
        return admits(value, at: span) ? value : .null
    }

    /// Invokes a decision service with arguments by position.
    mutating func invoke(
        _ service: ServiceProgram, of program: ModelProgram, _ arguments: [Value], at span: SourceSpan
    ) -> Value {
        guard arguments.count == service.parameters.count else {
            warn(span) {
                "Expected \(service.parameters.count) arguments but found \(arguments.count) in '\($0.text(span))'"
            }
            return .null
        }
        guard spend(2 + program.elements.count / 8, at: span) else { return .null }
        guard height + 4 <= Self.heightMax else {
            warn(span) { "The recursion of '\($0.text(span))' is too deep" }
            budget = -1
            return .null
        }
        let scope: any VariableScope = run.map { NoInputs(now: $0.now) } ?? NoInputs(now: self.scope.now)
        let inner = DecisionRun(program, inputs: scope, recorder: run?.recorder)
        for (parameter, argument) in zip(service.parameters, arguments) {
            var value = argument
            if let type = parameter.type {
                guard let converted = coerce(argument, to: type, at: span, what: { "argument '\(parameter.name)'" })
                else { return .null }
                value = converted
            }
            inner.values[parameter.element] = value
        }
        let outer = run
        run = inner
        height += 4
        let value = outputs(of: service, at: span)
        height -= 4
        run = outer
        return value
    }

    /// The value of the one output decision of a service, or a context of all.
    mutating func outputs(of service: ServiceProgram, at span: SourceSpan) -> Value {
        var value: Value
        if service.outputs.count == 1, let output = service.outputs.first {
            value = self.value(ofElement: output.element, at: span)
        } else {
            var context = ValueContext()
            for output in service.outputs {
                context[output.name] = self.value(ofElement: output.element, at: span)
            }
            value = .context(context)
        }
        if let type = service.type {
            value = coerce(value, to: type, at: span) { "the result of '\(service.name)'" } ?? .null
        }
        return value
    }
}

/// The inputs of a decision service: those that are no parameters are null.
private final class NoInputs: VariableScope {
    let now: DateTime

    init(now: DateTime) { self.now = now }

    func variable(_ name: String) -> Value? { nil }
}
