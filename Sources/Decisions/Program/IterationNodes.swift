import Values

/// `name in source` of a loop.
struct Iterator: Sendable {
    let slot: Int
    let source: Node
    /// The second end of `first..last`.
    let last: Node?
}

/// `for … return …`.
final class IterationNode: Node, @unchecked Sendable {
    let iterators: [Iterator]
    let result: Node
    /// The slot of `partial`, the results so far; nil when nobody reads it.
    let partialSlot: Int?

    init(_ iterators: [Iterator], result: Node, partialSlot: Int?, _ span: SourceSpan) {
        self.iterators = iterators
        self.result = result
        self.partialSlot = partialSlot
        super.init(span)
    }

    override func evaluate(_ machine: inout Machine) -> Value {
        var results: [Value] = []
        let completed = iterators[...].forEach(&machine, span) { machine in
            if let partialSlot { machine.stack[machine.base + partialSlot] = .list(results) }
            let value = result.evaluate(&machine)
            if let partialSlot {
                machine.stack[machine.base + partialSlot] = .null
                guard machine.admits(value, at: span) else { return .abandon }
            }
            results.append(value)
            return .proceed
        }
        return completed ? .list(results) : .null
    }
}

/// `some … satisfies …` and `every … satisfies …`, which stop at the first element that decides.
final class QuantifiedNode: ConditionNode, @unchecked Sendable {
    let iterators: [Iterator]
    let condition: Node
    let every: Bool

    init(_ iterators: [Iterator], condition: Node, every: Bool, _ span: SourceSpan) {
        self.iterators = iterators
        self.condition = condition
        self.every = every
        super.init(span)
    }

    override func truth(_ machine: inout Machine) -> Truth {
        let deciding: Truth = every ? .no : .yes
        var result = deciding.negated
        let completed = iterators[...].forEach(&machine, span) { machine in
            let truth = condition.truth(&machine)
            guard truth != deciding else {
                result = deciding
                return .finish
            }
            if truth == .unknown { result = .unknown }
            return .proceed
        }
        return completed ? result : .unknown
    }
}

/// What a loop does after an iteration.
enum LoopControl {
    case proceed
    /// Done: the outcome is known.
    case finish
    /// Given up: the outcome is null.
    case abandon
}

extension ArraySlice<Iterator> {
    /// Runs `body` for every combination, the last iterator fastest.
    ///
    /// False when the loop was given up.
    fileprivate func forEach(
        _ machine: inout Machine, _ span: SourceSpan, _ body: (inout Machine) -> LoopControl
    ) -> Bool {
        run(&machine, span, body) != .abandon
    }

    private func run(
        _ machine: inout Machine, _ span: SourceSpan, _ body: (inout Machine) -> LoopControl
    ) -> LoopControl {
        guard let iterator = first else { return body(&machine) }
        guard let domain = iterator.domain(&machine) else { return .abandon }
        var position = 0
        while let value = domain.value(at: position) {
            guard machine.spend(1, at: span) else { return .abandon }
            machine.stack[machine.base + iterator.slot] = value
            let control = dropFirst().run(&machine, span, body)
            guard control == .proceed else { return control }
            position += 1
        }
        return .proceed
    }
}

/// What a loop runs over, without building it.
private enum Domain {
    case list([Value])
    case numbers(first: Int64, step: Int64, count: Int)
    case dates(first: Int, step: Int, count: Int)

    func value(at position: Int) -> Value? {
        switch self {
        case .list(let elements):
            return position < elements.count ? elements[position] : nil
        case .numbers(let first, let step, let count):
            return position < count ? .number(Number(first + step * Int64(position))) : nil
        case .dates(let first, let step, let count):
            guard position < count else { return nil }
            return CalendarDate(daysSinceEpoch: first + step * position).map(Value.date)
        }
    }
}

extension Iterator {
    /// What the iterator runs over; nil, with a warning recorded, when that is nothing it can run over.
    fileprivate func domain(_ machine: inout Machine) -> Domain? {
        let value = source.evaluate(&machine)
        if let last { return domain(from: value, to: last.evaluate(&machine), &machine) }
        switch value {
        case .list(let elements): return .list(elements)
        case .range(let range):
            guard var first = range.lower, var last = range.upper else {
                machine.warn(source.span) { "Cannot iterate over '\($0.text(source.span))', which has an open end" }
                return nil
            }
            if !range.includesLower { first = first.successor(1) ?? .null }
            if !range.includesUpper { last = last.successor(-1) ?? .null }
            if Order.between(first, last) == .greater { return .list([]) }
            return domain(from: first, to: last, &machine)
        case .null:
            machine.warn(source.span) { "Cannot iterate because '\($0.text(source.span))' is null" }
            return nil
        default: return .list([value])
        }
    }

    private func domain(from first: Value, to last: Value, _ machine: inout Machine) -> Domain? {
        switch (first, last) {
        case (.number(let low), .number(let high)):
            guard let low = low.int64, let high = high.int64, low.magnitude < 1 << 62, high.magnitude < 1 << 62 else {
                break
            }
            return .numbers(first: low, step: low <= high ? 1 : -1, count: Int((high - low).magnitude) + 1)
        case (.date(let low), .date(let high)):
            let (low, high) = (low.daysSinceEpoch, high.daysSinceEpoch)
            return .dates(first: low, step: low <= high ? 1 : -1, count: abs(high - low) + 1)
        default: break
        }
        machine.warn(source.span) { _ in
            "Cannot iterate from a \(first.typeName) to a \(last.typeName): both ends must be whole numbers or dates"
        }
        return nil
    }
}

extension Value {
    /// The next whole number or date in the direction of `step`, 1 or −1.
    fileprivate func successor(_ step: Int) -> Value? {
        switch self {
        case .number(let number):
            guard let integer = number.int64, integer.magnitude < 1 << 62 else { return nil }
            return .number(Number(integer + Int64(step)))
        case .date(let date): return date.adding(days: step).map(Value.date)
        default: return nil
        }
    }
}
