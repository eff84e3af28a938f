import Values

/// The check of one value against a schema.
struct SchemaRun {
    let program: SchemaProgram
    private(set) var violations: [JSONSchema.Violation] = []
    /// Whether violations are noted; alternatives that are only tried note none.
    private var isSilent = false
    private var steps = 0
    private var depth = 0
    /// The resources entered, outermost first: where dynamic references look.
    private var scope: [Int] = []

    /// The most schemas applied in one check.
    static let stepsMax = 5_000_000
    /// The deepest nesting of schemas applied in one another.
    static let depthMax = 400

    /// The members and items some schema looked at.
    struct Evaluated {
        var members: Set<String> = []
        var items: Set<Int> = []

        mutating func merge(_ other: Evaluated) {
            self.members.formUnion(other.members)
            self.items.formUnion(other.items)
        }
    }

    init(_ program: SchemaProgram) {
        self.program = program
    }

    var isFull: Bool { self.violations.count >= JSONSchema.violationsMax }

    mutating func report(_ path: String, _ message: @autoclosure () -> String) {
        guard !self.isSilent, !self.isFull else { return }
        self.violations.append(JSONSchema.Violation(path: path, message: message()))
    }

    /// Whether `value` matches the node; what was looked at is added to `evaluated`.
    mutating func check(_ index: Int, _ value: Value, at path: String, _ evaluated: inout Evaluated) -> Bool {
        let node = self.program.nodes[index]
        if let constant = node.constant {
            if !constant { self.report(path, "Expected nothing here.") }
            return constant
        }
        self.steps += 1
        guard self.steps <= Self.stepsMax, self.depth < Self.depthMax else {
            self.report(path, "The schema cannot be applied: it refers to itself without end, or is too complex.")
            return false
        }
        self.depth += 1
        let isEntering = self.scope.last != node.resource
        if isEntering { self.scope.append(node.resource) }
        defer {
            self.depth -= 1
            if isEntering { self.scope.removeLast() }
        }
        if !node.types.isEmpty, !node.types.contains(where: { $0.matches(value) }) {
            let expected = node.types.map(\.rawValue).sorted().joined(separator: " or ")
            self.report(path, "Expected \(expected) but found \(value.typeName.lowercased()).")
            return false
        }
        var matches = true
        if let allowed = node.allowed, !allowed.contains(value) {
            self.report(path, "Expected one of \(allowed.map(\.description).joined(separator: ", ")).")
            matches = false
        }
        var seen = Evaluated()
        matches = self.checkReferences(node, value, at: path, &seen) && matches
        matches = self.checkAlternatives(node, value, at: path, &seen) && matches
        switch value {
        case .number(let number): matches = self.check(node, number, at: path) && matches
        case .string(let text): matches = self.check(node, text, at: path) && matches
        case .list(let items): matches = self.check(node, items, at: path, &seen) && matches
        case .context(let members): matches = self.check(node, members, at: path, &seen) && matches
        default: break
        }
        guard self.program.tracksEvaluation, matches else { return matches }
        matches = self.checkUnevaluated(node, value, at: path, &seen)
        if matches { evaluated.merge(seen) }
        return matches
    }

    private mutating func checkReferences(
        _ node: SchemaNode, _ value: Value, at path: String, _ seen: inout Evaluated
    ) -> Bool {
        var matches = true
        if let reference = node.reference { matches = self.check(reference, value, at: path, &seen) }
        if let (target, name) = node.dynamicReference {
            var target = target
            let anchors = self.program.dynamicAnchors
            if let name, let outer = self.scope.first(where: { anchors[$0][name] != nil }) {
                target = anchors[outer][name] ?? target
            }
            matches = self.check(target, value, at: path, &seen) && matches
        }
        return matches
    }

    /// Whether the node matches, without noting why not.
    mutating func accepts(_ index: Int, _ value: Value, _ seen: inout Evaluated) -> Bool {
        let wasSilent = self.isSilent
        self.isSilent = true
        defer { self.isSilent = wasSilent }
        return self.check(index, value, at: "", &seen)
    }

    private mutating func checkAlternatives(
        _ node: SchemaNode, _ value: Value, at path: String, _ seen: inout Evaluated
    ) -> Bool {
        var matches = true
        for index in node.allOf { matches = self.check(index, value, at: path, &seen) && matches }
        if !node.anyOf.isEmpty {
            // Each alternative that matches counts for what was looked at.
            var isAny = false
            for index in node.anyOf where !isAny || self.program.tracksEvaluation {
                if self.accepts(index, value, &seen) { isAny = true }
            }
            if !isAny {
                self.reportNearest(node.anyOf, value, at: path)
                matches = false
            }
        }
        if !node.oneOf.isEmpty {
            var fitting = 0
            for index in node.oneOf where self.accepts(index, value, &seen) { fitting += 1 }
            if fitting == 0 { self.reportNearest(node.oneOf, value, at: path) }
            if fitting > 1 {
                self.report(
                    path, "Expected a match of exactly one of \(node.oneOf.count) alternatives but found \(fitting).")
            }
            matches = fitting == 1 && matches
        }
        if let not = node.not {
            var ignored = Evaluated()
            if self.accepts(not, value, &ignored) {
                self.report(path, "Expected a value that the schema under \"not\" does not accept.")
                matches = false
            }
        }
        if let condition = node.condition {
            let holds = self.accepts(condition, value, &seen)
            if let branch = holds ? node.then : node.otherwise {
                matches = self.check(branch, value, at: path, &seen) && matches
            }
        }
        for (name, index) in node.dependentSchemas where value[name] != nil {
            matches = self.check(index, value, at: path, &seen) && matches
        }
        return matches
    }

    /// Notes what keeps the value from the alternative it comes nearest to: the one that fails deepest inside.
    private mutating func reportNearest(_ alternatives: [Int], _ value: Value, at path: String) {
        guard !self.isSilent, !self.isFull else { return }
        var nearest: JSONSchema.Violation?
        for index in alternatives {
            var trial = SchemaRun(self.program)
            trial.steps = self.steps
            trial.depth = self.depth
            trial.scope = self.scope
            var ignored = Evaluated()
            _ = trial.check(index, value, at: path, &ignored)
            self.steps = trial.steps
            guard let violation = trial.violations.first else { continue }
            if violation.path.utf8.count > nearest?.path.utf8.count ?? -1 { nearest = violation }
        }
        let count = alternatives.count
        guard let nearest, nearest.path != path || count == 1 else {
            return self.report(path, "Expected a match of one of \(count) alternatives but found none.")
        }
        self.report(nearest.path, nearest.message)
    }

    // MARK: - Numbers and texts

    private mutating func check(_ node: SchemaNode, _ number: Number, at path: String) -> Bool {
        var matches = true
        func fail(_ message: @autoclosure () -> String, _ run: inout SchemaRun) {
            run.report(path, message())
            matches = false
        }
        if let minimum = node.minimum, number < minimum {
            fail("Expected at least \(minimum) but found \(number).", &self)
        }
        if let maximum = node.maximum, number > maximum {
            fail("Expected at most \(maximum) but found \(number).", &self)
        }
        if let limit = node.exclusiveMinimum, number <= limit {
            fail("Expected more than \(limit) but found \(number).", &self)
        }
        if let limit = node.exclusiveMaximum, number >= limit {
            fail("Expected less than \(limit) but found \(number).", &self)
        }
        if let divisor = node.multipleOf, number.modulo(divisor)?.isZero != true {
            fail("Expected a multiple of \(divisor) but found \(number).", &self)
        }
        return matches
    }

    private mutating func check(_ node: SchemaNode, _ text: String, at path: String) -> Bool {
        var matches = true
        func fail(_ message: @autoclosure () -> String, _ run: inout SchemaRun) {
            run.report(path, message())
            matches = false
        }
        if node.minimumLength != nil || node.maximumLength != nil {
            // JSON Schema counts Unicode code points.
            let length = text.unicodeScalars.count
            if let minimum = node.minimumLength, length < minimum {
                fail("Expected at least \(minimum) characters but found \(length).", &self)
            }
            if let maximum = node.maximumLength, length > maximum {
                fail("Expected at most \(maximum) characters but found \(length).", &self)
            }
        }
        if let pattern = node.pattern, !pattern.matches(text) {
            fail("Expected text that matches \(pattern.source).", &self)
        }
        if let format = node.format, !format.accepts(text) {
            fail("Expected a text of the format \(format.rawValue).", &self)
        }
        return matches
    }
}

extension SchemaNode.JSONType {
    func matches(_ value: Value) -> Bool {
        switch (self, value) {
        case (.null, .null), (.boolean, .boolean), (.number, .number), (.string, .string), (.array, .list),
            (.object, .context):
            true
        case (.integer, .number(let number)): number.isInteger
        default: false
        }
    }
}
