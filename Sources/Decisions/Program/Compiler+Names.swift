import Values

extension Compiler {
    /// The node that reads `name` in frame `index`.
    mutating func resolve(_ name: String, in index: Int, _ span: SourceSpan) -> Node {
        var elements: [Int] = []
        var found: Node?
        search: for (bound, binding) in frames[index].bindings.reversed() {
            switch binding {
            case .element(let slot):
                elements.append(slot)
                if name == "item" {
                    found = read(slot, index, span)
                    break search
                }
            case .local(let slot) where bound == name:
                found = read(slot, index, span)
                break search
            case .itself where bound == name:
                found = ItselfNode(span)
                break search
            default: continue
            }
        }
        let outside = found ?? (index == 0 ? root(name, span) : capture(name, in: index, span))
        return elements.isEmpty ? outside : ElementNameNode(name, slots: elements, outside: outside)
    }

    /// Whether `name` is bound inside the expression, so that it is no variable of the scope.
    func isBound(_ name: String) -> Bool {
        frames.contains { frame in
            frame.bindings.contains { bound, binding in
                if case .element = binding { return name == "item" }
                return bound == name
            }
        }
    }

    private mutating func read(_ slot: Int, _ index: Int, _ span: SourceSpan) -> Node {
        frames[index].readSlots.insert(slot)
        return LocalNode(slot, span)
    }

    private mutating func root(_ name: String, _ span: SourceSpan) -> Node {
        if let environment {
            return environment.node(name, span) ?? RootNode(name, span)
        }
        if seenNames.insert(name).inserted { variableNames.append(name) }
        let node = RootNode(name, span)
        guard loopDepth > 0 else { return node }
        let index = cachedRoots[name] ?? cachedRoots.count
        cachedRoots[name] = index
        return CachedRootNode(node, index: index)
    }

    /// Brings a name of an outer function into this one: its value is read when the function is defined.
    private mutating func capture(_ name: String, in index: Int, _ span: SourceSpan) -> Node {
        if let captured = frames[index].captures.first(where: { $0.name == name }) {
            return LocalNode(captured.slot, span)
        }
        let value = resolve(name, in: index - 1, span)
        let slot = frames[index].newSlot()
        frames[index].captures.append((name, slot, value))
        return LocalNode(slot, span)
    }

    // MARK: Constructs that bind names

    mutating func compileIterators(_ iterators: [IteratorSyntax]) throws(FEELError) -> [Iterator] {
        bindsLocals = true
        var compiled: [Iterator] = []
        for iterator in iterators {
            if !compiled.isEmpty { loopDepth += 1 }
            defer { if !compiled.isEmpty { loopDepth -= 1 } }
            let source = try compile(iterator.source)
            var last: Node?
            if let syntax = iterator.last { last = try compile(syntax) }
            let slot = frames[frames.count - 1].bind(iterator.name)
            if compiled.isEmpty {
                compiled = [Iterator(slot: slot, source: source, last: last)]
                loopDepth += 1
            } else {
                compiled.append(Iterator(slot: slot, source: source, last: last))
            }
        }
        return compiled
    }

    mutating func compileIteration(
        _ iterators: [IteratorSyntax], _ result: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        let frame = frames.count - 1
        let (outer, outerLoop) = (frames[frame].bindings.count, loopDepth)
        defer {
            frames[frame].unbind(to: outer)
            loopDepth = outerLoop
        }
        canGrow = true
        let compiled = try compileIterators(iterators)
        loopDepth = outerLoop + 1
        let partial = frames[frame].bind("partial")
        let body = try compile(result)
        let partialSlot = frames[frame].readSlots.contains(partial) ? partial : nil
        return IterationNode(compiled, result: body, partialSlot: partialSlot, span)
    }

    mutating func compileQuantified(
        every: Bool, _ iterators: [IteratorSyntax], _ condition: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        let frame = frames.count - 1
        let (outer, outerLoop) = (frames[frame].bindings.count, loopDepth)
        defer {
            frames[frame].unbind(to: outer)
            loopDepth = outerLoop
        }
        let compiled = try compileIterators(iterators)
        loopDepth = outerLoop + 1
        return QuantifiedNode(compiled, condition: try compile(condition), every: every, span)
    }

    mutating func compileFilter(
        _ base: Syntax, _ condition: Syntax, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        let base = try compile(base)
        bindsLocals = true
        let frame = frames.count - 1
        let slot = frames[frame].newSlot()
        frames[frame].bindings.append(("item", .element(slot: slot)))
        loopDepth += 1
        defer {
            frames[frame].bindings.removeLast()
            loopDepth -= 1
        }
        let node = FilterNode(base, try compile(condition), slot: slot, span)
        return base.constant != nil && node.condition.constant != nil ? folded(node) : node
    }

    mutating func compileContext(_ entries: [EntrySyntax], _ span: SourceSpan) throws(FEELError) -> Node {
        canGrow = true
        bindsLocals = true
        let frame = frames.count - 1
        let outer = frames[frame].bindings.count
        defer { frames[frame].unbind(to: outer) }
        var compiled: [(key: String, slot: Int, value: Node)] = []
        for entry in entries {
            let value: Node
            if case .function(let parameters, let body) = entry.value.kind {
                value = try compileFunction(parameters, body, name: entry.key, entry.value.span)
            } else {
                value = try compile(entry.value)
            }
            compiled.append((entry.key, frames[frame].bind(entry.key), value))
        }
        let read = frames[frame].readSlots
        let node = ContextNode(
            compiled.map { .init(key: $0.key, slot: read.contains($0.slot) ? $0.slot : nil, value: $0.value) }, span)
        return compiled.allSatisfy { $0.value.constant != nil } ? folded(node) : node
    }

    /// - Parameter name: The context entry that defines the function, which may invoke itself by it.
    mutating func compileFunction(
        _ parameters: [ParameterSyntax], _ body: Syntax, name: String?, _ span: SourceSpan
    ) throws(FEELError) -> Node {
        try compileFunction(parameters, name: name, resultType: nil, span) { (compiler) throws(FEELError) in
            try compiler.compile(body)
        }
    }

    mutating func compileFunction(
        _ parameters: [ParameterSyntax], name: String?, resultType: TypeSyntax?, _ span: SourceSpan,
        body: (inout Compiler) throws(FEELError) -> Node
    ) throws(FEELError) -> Node {
        let parameters = parameters.map { ParameterSyntax(name: $0.name, type: $0.type.map { resolve($0) }) }
        canGrow = true
        bindsLocals = true
        var frame = Frame()
        if let name, !isBound(name), !knownNames.contains(name), Builtin.named(name) == nil {
            frame.bindings.append((name, .itself))
        }
        for parameter in parameters { _ = frame.bind(parameter.name) }
        frames.append(frame)
        let (outerReached, outerLoop) = (depthReached, loopDepth)
        depthReached = depth
        let node = try body(&self)
        let height = depthReached - depth + 1
        depthReached = max(depthReached, outerReached)
        loopDepth = outerLoop
        let finished = frames.removeLast()
        let definition = FunctionDefinition(
            name: name ?? "", parameters: parameters, body: node, captureSlots: finished.captures.map(\.slot),
            slotCount: finished.slotCount, height: height, source: source, resultType: resultType)
        return FunctionNode(definition, captures: finished.captures.map(\.value), span)
    }
}
