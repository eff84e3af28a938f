import Values

/// What a FEEL function value carries: a built-in function or a closure.
final class FunctionBody: Sendable {
    enum Kind: Sendable {
        case builtin(Builtin)
        case closure(FunctionDefinition, captured: [Value])
        /// A decision service of a model.
        case service(ModelProgram, ServiceProgram)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }
}

/// A compiled `function(…) …`, without the values it captures.
final class FunctionDefinition: Sendable {
    let name: String
    let parameters: [ParameterSyntax]
    let body: Node
    /// The slot each captured value goes to.
    let captureSlots: [Int]
    let slotCount: Int
    /// How many nodes deep the body is.
    let height: Int
    /// The text that the body's spans refer to.
    let source: SourceText
    /// What the result is converted to; nil when it is any value.
    let resultType: TypeSyntax?

    init(
        name: String, parameters: [ParameterSyntax], body: Node, captureSlots: [Int], slotCount: Int, height: Int,
        source: SourceText, resultType: TypeSyntax?
    ) {
        self.name = name
        self.parameters = parameters
        self.body = body
        self.captureSlots = captureSlots
        self.slotCount = slotCount
        self.height = height
        self.source = source
        self.resultType = resultType
    }
}

/// `function(…) …`: makes a closure over the values its body reads.
final class FunctionNode: Node, @unchecked Sendable {
    let definition: FunctionDefinition
    let captures: [Node]

    init(_ definition: FunctionDefinition, captures: [Node], _ span: SourceSpan) {
        self.definition = definition
        self.captures = captures
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        var captured: [Value] = []
        captured.reserveCapacity(captures.count)
        for capture in captures { captured.append(capture.evaluate(&machine)) }
        let body = FunctionBody(.closure(definition, captured: captured))
        return .function(
            FunctionValue(
                name: definition.name, parameterNames: definition.parameters.map(\.name), payload: body))
    }
}

/// An invocation of a built-in function, its arguments in the order of the parameters.
final class BuiltinNode: Node, @unchecked Sendable {
    let builtin: Builtin
    let arguments: [Node]
    private let compiledPattern: Pattern?

    init(_ builtin: Builtin, _ arguments: [Node], compiledPattern: Pattern?, _ span: SourceSpan) {
        self.builtin = builtin
        self.arguments = arguments
        self.compiledPattern = compiledPattern
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        var values: [Value] = []
        values.reserveCapacity(arguments.count)
        for argument in arguments { values.append(argument.evaluate(&machine)) }
        return machine.invoke(builtin, values, compiledPattern: compiledPattern, at: span)
    }
}

/// An invocation of a function that only evaluation finds.
final class InvocationNode: Node, @unchecked Sendable {
    let callee: Node
    let arguments: [Node]
    /// The names of the arguments, or nil when they are given by position.
    let names: [String]?

    init(_ callee: Node, _ arguments: [Node], names: [String]?, _ span: SourceSpan) {
        self.callee = callee
        self.arguments = arguments
        self.names = names
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        let value = callee.evaluate(&machine)
        guard case .function(let function) = value else {
            machine.warn(span) { "Expected a function but '\($0.text(callee.span))' is a \(value.typeName)" }
            return .null
        }
        var values: [Value] = []
        values.reserveCapacity(arguments.count)
        for argument in arguments { values.append(argument.evaluate(&machine)) }
        guard let names else { return machine.invoke(function, values, at: span) }
        return machine.invoke(function, named: Array(zip(names, values)), at: span)
    }
}

extension Machine {
    /// Invokes a function with arguments by position.
    mutating func invoke(_ function: FunctionValue, _ arguments: [Value], at span: SourceSpan) -> Value {
        guard let body = function.payload as? FunctionBody else {
            warn(span) { _ in "The function '\(function.name)' cannot be invoked from FEEL" }
            return .null
        }
        switch body.kind {
        case .builtin(let builtin): return invoke(builtin, arguments, at: span)
        case .closure(let definition, let captured):
            return invoke(definition, captured, arguments, itself: function, at: span)
        case .service(let model, let service): return invoke(service, of: model, arguments, at: span)
        }
    }

    /// Invokes a function with arguments by name.
    fileprivate mutating func invoke(
        _ function: FunctionValue, named arguments: [(String, Value)], at span: SourceSpan
    ) -> Value {
        if let body = function.payload as? FunctionBody, case .builtin(let builtin) = body.kind {
            guard let order = builtin.order(of: arguments.map(\.0)) else {
                warn(span) { _ in builtin.mismatch(names: arguments.map(\.0)) }
                return .null
            }
            return invoke(builtin, order.map { $0.map { arguments[$0].1 } ?? .null }, at: span)
        }
        var values: [Value] = []
        for name in function.parameterNames {
            guard let argument = arguments.first(where: { $0.0 == name }) else {
                warn(span) { "The argument '\(name)' is missing in '\($0.text(span))'" }
                return .null
            }
            values.append(argument.1)
        }
        guard values.count == arguments.count else {
            let names = function.parameterNames.map { "'\($0)'" }.joined(separator: ", ")
            warn(span) { "'\($0.text(span))' names an argument the function does not have; it has \(names)" }
            return .null
        }
        return invoke(function, values, at: span)
    }

    private mutating func invoke(
        _ definition: FunctionDefinition, _ captured: [Value], _ arguments: [Value], itself: FunctionValue,
        at span: SourceSpan
    ) -> Value {
        guard arguments.count == definition.parameters.count else {
            warn(span) {
                "Expected \(definition.parameters.count) arguments but found \(arguments.count) in '\($0.text(span))'"
            }
            return .null
        }
        guard spend(2, at: span) else { return .null }
        guard height + definition.height <= Self.heightMax else {
            warn(span) { "The recursion of '\($0.text(span))' is too deep" }
            budget = -1
            return .null
        }
        let newBase = stack.count
        for (parameter, argument) in zip(definition.parameters, arguments) {
            guard let value = coerce(argument, to: parameter, at: span), admits(value, at: span) else {
                stack.removeLast(stack.count - newBase)
                return .null
            }
            stack.append(value)
        }
        for _ in arguments.count..<definition.slotCount { stack.append(.null) }
        for (slot, value) in zip(definition.captureSlots, captured) { stack[newBase + slot] = value }

        let outer = (base: base, function: function, source: source)
        base = newBase
        function = itself
        source = definition.source
        height += definition.height
        let result = definition.body.evaluate(&self)
        height -= definition.height
        (base, function, source) = outer
        stack.removeLast(stack.count - newBase)
        guard admits(result, at: span) else { return .null }
        guard let type = definition.resultType else { return result }
        return coerce(result, to: type, at: span) { "the result of '\(definition.name)'" } ?? .null
    }

    /// The argument as the parameter's type, with FEEL's implicit conversions; nil, with a warning, when it has none.
    private mutating func coerce(_ value: Value, to parameter: ParameterSyntax, at span: SourceSpan) -> Value? {
        guard let type = parameter.type else { return value }
        return coerce(value, to: type, at: span) { "argument '\(parameter.name)'" }
    }

    /// The value as an instance of a type, with FEEL's implicit conversions; nil, with a warning about `what`, when it
    /// has none.
    mutating func coerce(
        _ value: Value, to type: TypeSyntax, at span: SourceSpan, what: () -> String
    ) -> Value? {
        if value.isNull { return value }
        if let converted = type.convert(value) { return converted }
        warn(span) {
            // A value of the right type may be outside of the values an item definition allows.
            let found = if case .item = type { $0.summary(of: value) } else { "a \(value.typeName)" }
            return "Expected \(type.name) as \(what()) but found \(found) in '\($0.text(span))'"
        }
        return nil
    }

    /// Invokes a built-in function with arguments by position; null arguments may stand for those left out.
    mutating func invoke(
        _ builtin: Builtin, _ arguments: [Value], compiledPattern: Pattern? = nil, at span: SourceSpan
    ) -> Value {
        guard spend(1, at: span) else { return .null }
        guard builtin.accepts(arguments.count) else {
            warn(span) {
                "'\(builtin.name)' takes \(builtin.arityText) but \(arguments.count) are given in '\($0.text(span))'"
            }
            return .null
        }
        do {
            return try builtin.body(
                Arguments(arguments, of: builtin, span: span, compiledPattern: compiledPattern), &self)
        } catch {
            warn(span) { "\(error.message) in '\($0.text(span))'" }
            return .null
        }
    }
}
