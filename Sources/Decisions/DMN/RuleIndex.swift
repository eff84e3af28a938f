import Values

/// One input column of a decision table, arranged so that a value finds the rules it matches without trying each.
struct RuleColumn: Sendable {
    /// The rules that match whatever the value is.
    private let anything: RuleSet
    /// The rules that ask for one text or number.
    private let texts: [String: RuleSet]
    private let numbers: [Number: RuleSet]
    /// The rules whose tests must be evaluated, and the tests by rule.
    private let tested: RuleSet
    private let tests: [TableNode.Cell?]

    /// - Parameter column: The test of each rule.
    init(_ column: [TableNode.Test]) {
        var anything = RuleSet(count: column.count)
        var texts: [String: RuleSet] = [:]
        var numbers: [Number: RuleSet] = [:]
        var tested = RuleSet(count: column.count)
        var tests: [TableNode.Cell?] = Array(repeating: nil, count: column.count)
        for (rule, test) in column.enumerated() {
            switch test {
            case .anything: anything.insert(rule)
            case .string(let text): texts[text, default: RuleSet(count: column.count)].insert(rule)
            case .number(let number): numbers[number, default: RuleSet(count: column.count)].insert(rule)
            case .tests(let cell):
                tested.insert(rule)
                tests[rule] = cell
            }
        }
        self.anything = anything
        self.texts = texts
        self.numbers = numbers
        self.tested = tested
        self.tests = tests
    }

    /// Whether every rule is found without evaluating a test.
    var isIndexed: Bool { tested.isEmpty }

    /// Keeps those candidates that match `value`.
    func narrow(_ candidates: inout RuleSet, _ value: Value, _ machine: inout Machine, _ span: SourceSpan) {
        var matching = anything
        switch value {
        case .string(let text):
            if let rules = texts[text] { matching.formUnion(rules) }
            if !numbers.isEmpty { warn(value, "number", &machine, span) }
        case .number(let number):
            if let rules = numbers[number] { matching.formUnion(rules) }
            if !texts.isEmpty { warn(value, "string", &machine, span) }
        case .null: break
        default:
            if !numbers.isEmpty || !texts.isEmpty {
                warn(value, numbers.isEmpty ? "string" : "number", &machine, span)
            }
        }
        if !tested.isEmpty {
            machine.input = value
            candidates.forEach(in: tested) { rule in
                guard let cell = tests[rule] else { return }
                machine.source = cell.source
                if cell.node.truth(&machine) == .yes { matching.insert(rule) }
            }
        }
        candidates.formIntersection(matching)
    }

    /// A value of another type does not match, which is worth a warning.
    @inline(never)
    private func warn(_ value: Value, _ type: String, _ machine: inout Machine, _ span: SourceSpan) {
        machine.warn(span) { _ in "Cannot compare a \(value.typeName) with a \(type)" }
    }
}

/// A set of rules of one table, as bits.
struct RuleSet: Sendable {
    private var words: [UInt64]

    /// An empty set for so many rules.
    init(count: Int) { words = Array(repeating: 0, count: (count + 63) / 64) }

    /// All of so many rules.
    init(all count: Int) {
        words = Array(repeating: .max, count: (count + 63) / 64)
        if count % 64 != 0 { words[words.count - 1] = (1 << UInt64(count % 64)) - 1 }
    }

    var isEmpty: Bool { words.allSatisfy { $0 == 0 } }

    /// The rules in the order of the table.
    var positions: [Int] {
        var positions: [Int] = []
        forEach { positions.append($0) }
        return positions
    }

    mutating func insert(_ rule: Int) { words[rule >> 6] |= 1 << UInt64(rule & 63) }

    mutating func formUnion(_ other: RuleSet) {
        for index in words.indices { words[index] |= other.words[index] }
    }

    mutating func formIntersection(_ other: RuleSet) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Calls `body` with each rule that is in both sets, in the order of the table.
    func forEach(in other: RuleSet, _ body: (Int) -> Void) {
        for index in words.indices {
            var word = words[index] & other.words[index]
            while word != 0 {
                body(index << 6 | word.trailingZeroBitCount)
                word &= word - 1
            }
        }
    }

    private func forEach(_ body: (Int) -> Void) { forEach(in: self, body) }
}
