/// A compiled regular expression of XML Schema and XPath (XPath functions 3.1, clause 5.6), as FEEL uses them.
///
/// It runs on a backtracking machine whose stack is on the heap and whose steps are counted, so that no pattern makes an
/// evaluation hang or overflow.
struct Pattern: Sendable {
    /// A step of the machine.
    enum Instruction: Sendable {
        case scalar(Unicode.Scalar)
        case any
        case anyButLineEnd
        case set(Int)
        /// Tries the first address, and the second when that fails.
        case split(Int, Int)
        case jump(Int)
        /// Stores the position in a slot.
        case save(Int)
        /// Fails when the position has not moved since it was stored in a slot.
        case progress(Int)
        case backreference(Int)
        case lineStart
        case lineEnd
        case textStart
        case textEnd
        case match
    }

    let instructions: [Instruction]
    let sets: [ScalarSet]
    let groupCount: Int
    let slotCount: Int
    let ignoresCase: Bool

    /// The most instructions a pattern may compile to.
    static let sizeMax = 20_000
    /// The most steps one search may take.
    static let stepsMax = 1_000_000

    /// - Throws: ``Mistake`` when the pattern or a flag is wrong.
    init(_ text: String, flags: String) throws(Mistake) {
        for flag in flags.unicodeScalars where !"smixq".unicodeScalars.contains(flag) {
            throw Mistake("There is no flag '\(flag)'; the flags are s, m, i, x and q")
        }
        var parser = PatternParser(text, isLiteral: flags.contains("q"), ignoresBlanks: flags.contains("x"))
        let tree = try parser.parse()
        var compiler = PatternCompiler(
            groupCount: parser.groupCount, isMultiline: flags.contains("m"), dotMatchesAll: flags.contains("s"))
        try compiler.emit(.group(tree, 0))
        try compiler.append(.match)
        instructions = compiler.instructions
        sets = compiler.sets
        groupCount = parser.groupCount
        slotCount = compiler.slotCount
        ignoresCase = flags.contains("i")
    }

    /// Where a match and its groups lie, as pairs of positions; −1 for a group that took no part.
    struct Match: Sendable {
        let slots: [Int]

        var range: Range<Int> { slots[0]..<slots[1] }

        func group(_ index: Int) -> Range<Int>? {
            let (start, end) = (slots[2 * index], slots[2 * index + 1])
            return start >= 0 && end >= start ? start..<end : nil
        }
    }

    /// The first match that begins at `start` or later.
    ///
    /// - Parameter budget: The steps that remain; each one taken is subtracted.
    /// - Throws: ``Mistake`` when they are used up.
    func firstMatch(
        in text: [Unicode.Scalar], from start: Int, budget: inout Int
    ) throws(Mistake) -> Match? {
        var position = start
        while position <= text.count {
            if let match = try match(in: text, at: position, budget: &budget) { return match }
            position += 1
        }
        return nil
    }

    /// What to do when an alternative fails: go on elsewhere, or first restore a slot.
    private enum Resumption {
        case resume(address: Int, position: Int)
        case restore(slot: Int, value: Int)
    }

    private func match(
        in text: [Unicode.Scalar], at start: Int, budget: inout Int
    ) throws(Mistake) -> Match? {
        var slots = [Int](repeating: -1, count: slotCount)
        var stack: [Resumption] = []
        var address = 0
        var position = start
        while true {
            budget -= 1
            guard budget >= 0 else { throw Mistake("The pattern takes too many steps on this text") }
            var matched = true
            switch instructions[address] {
            case .match: return Match(slots: slots)
            case .jump(let target):
                address = target
                continue
            case .split(let first, let second):
                stack.append(.resume(address: second, position: position))
                address = first
                continue
            case .save(let slot):
                stack.append(.restore(slot: slot, value: slots[slot]))
                slots[slot] = position
            case .progress(let slot): matched = slots[slot] != position
            case .textStart: matched = position == 0
            case .textEnd: matched = position == text.count
            case .lineStart: matched = position == 0 || (text[position - 1] == "\n" && position < text.count)
            case .lineEnd: matched = position == text.count || text[position] == "\n"
            case .backreference(let group): matched = skip(group, slots, text, &position)
            case let instruction:
                matched = position < text.count && accepts(instruction, text[position])
                if matched { position += 1 }
            }
            if matched {
                address += 1
                continue
            }
            guard resume(&stack, &slots, &address, &position) else { return nil }
        }
    }

    private func resume(
        _ stack: inout [Resumption], _ slots: inout [Int], _ address: inout Int, _ position: inout Int
    ) -> Bool {
        while let resumption = stack.popLast() {
            switch resumption {
            case .restore(let slot, let value): slots[slot] = value
            case .resume(let target, let there):
                (address, position) = (target, there)
                return true
            }
        }
        return false
    }

    private func accepts(_ instruction: Instruction, _ scalar: Unicode.Scalar) -> Bool {
        switch instruction {
        case .scalar(let wanted): scalar == wanted || (ignoresCase && scalar.hasCaseVariant(wanted))
        case .any: true
        case .anyButLineEnd: scalar != "\n" && scalar != "\r"
        case .set(let index): sets[index].contains(scalar, ignoringCase: ignoresCase)
        default: false
        }
    }

    private func skip(_ group: Int, _ slots: [Int], _ text: [Unicode.Scalar], _ position: inout Int) -> Bool {
        let (start, end) = (slots[2 * group], slots[2 * group + 1])
        guard start >= 0, end >= start else { return true }
        guard position + end - start <= text.count else { return false }
        for offset in 0..<(end - start) {
            let (wanted, found) = (text[start + offset], text[position + offset])
            guard wanted == found || (ignoresCase && found.hasCaseVariant(wanted)) else { return false }
        }
        position += end - start
        return true
    }
}

extension Unicode.Scalar {
    /// The scalar, its upper and its lower case, where that is one scalar.
    var caseVariants: [Unicode.Scalar] {
        [self]
            + [properties.lowercaseMapping, properties.uppercaseMapping].compactMap { mapping in
                mapping.unicodeScalars.count == 1 ? mapping.unicodeScalars.first : nil
            }
    }

    /// Whether both are the same letter in different case.
    func hasCaseVariant(_ other: Unicode.Scalar) -> Bool {
        let variants = caseVariants
        return other.caseVariants.contains { variants.contains($0) }
    }
}
