/// Turns the syntax of a pattern into instructions.
struct PatternCompiler {
    private(set) var instructions: [Pattern.Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private(set) var slotCount: Int
    private let isMultiline: Bool
    private let dotMatchesAll: Bool

    init(groupCount: Int, isMultiline: Bool, dotMatchesAll: Bool) {
        slotCount = 2 * (groupCount + 1)
        self.isMultiline = isMultiline
        self.dotMatchesAll = dotMatchesAll
    }

    mutating func append(_ instruction: Pattern.Instruction) throws(Mistake) {
        guard instructions.count < Pattern.sizeMax else { throw Mistake("The pattern is too large") }
        instructions.append(instruction)
    }

    mutating func emit(_ syntax: PatternSyntax) throws(Mistake) {
        switch syntax {
        case .scalar(let scalar): try append(.scalar(scalar))
        case .any: try append(dotMatchesAll ? .any : .anyButLineEnd)
        case .set(let set):
            try append(.set(sets.count))
            sets.append(set)
        case .sequence(let parts): for part in parts { try emit(part) }
        case .alternatives(let alternatives): try emit(alternatives: alternatives[...])
        case .group(let inner, let number):
            try append(.save(2 * number))
            try emit(inner)
            try append(.save(2 * number + 1))
        case .repetition(let inner, let least, let most, let isReluctant):
            for _ in 0..<least { try emit(inner) }
            if let most {
                try emit(optional: inner, count: most - least, isReluctant)
            } else {
                try emit(loop: inner, isReluctant)
            }
        case .backreference(let group): try append(.backreference(group))
        case .start: try append(isMultiline ? .lineStart : .textStart)
        case .end: try append(isMultiline ? .lineEnd : .textEnd)
        }
    }

    private mutating func emit(alternatives: ArraySlice<PatternSyntax>) throws(Mistake) {
        var exits: [Int] = []
        for alternative in alternatives.dropLast() {
            let split = try reserve()
            try emit(alternative)
            exits.append(try reserve())
            instructions[split] = .split(split + 1, instructions.count)
        }
        if let last = alternatives.last { try emit(last) }
        for exit in exits { instructions[exit] = .jump(instructions.count) }
    }

    /// `inner` up to `count` times.
    private mutating func emit(optional inner: PatternSyntax, count: Int, _ isReluctant: Bool) throws(Mistake) {
        var splits: [Int] = []
        for _ in 0..<count {
            splits.append(try reserve())
            try emit(inner)
        }
        for split in splits { instructions[split] = fork(split + 1, instructions.count, isReluctant) }
    }

    /// `inner` any number of times; an iteration that matches nothing ends the loop.
    private mutating func emit(loop inner: PatternSyntax, _ isReluctant: Bool) throws(Mistake) {
        let split = try reserve()
        let slot = slotCount
        slotCount += 1
        try append(.save(slot))
        try emit(inner)
        try append(.progress(slot))
        try append(.jump(split))
        instructions[split] = fork(split + 1, instructions.count, isReluctant)
    }

    private func fork(_ inside: Int, _ outside: Int, _ isReluctant: Bool) -> Pattern.Instruction {
        isReluctant ? .split(outside, inside) : .split(inside, outside)
    }

    /// Leaves room for an instruction that is known later.
    private mutating func reserve() throws(Mistake) -> Int {
        try append(.match)
        return instructions.count - 1
    }
}
