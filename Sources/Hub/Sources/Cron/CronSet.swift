/// A set of whole numbers from 0 to 63, in one word.
struct CronSet: Sendable, Hashable {
    private(set) var bits: UInt64 = 0

    /// Creates a set of the numbers of `range`, every `step`th of them.
    init(_ range: ClosedRange<Int>, step: Int = 1) {
        for number in stride(from: range.lowerBound, through: range.upperBound, by: step) { self.insert(number) }
    }

    /// Creates an empty set.
    init() {}

    var isEmpty: Bool { self.bits == 0 }

    /// The least number; nil in an empty set.
    var first: Int? { self.first(from: 0) }

    func contains(_ number: Int) -> Bool { self.bits & (1 << UInt64(number)) != 0 }

    /// The least number that is at least `number`.
    func first(from number: Int) -> Int? {
        guard number < 64 else { return nil }
        let rest = self.bits >> UInt64(number)
        return rest == 0 ? nil : number + rest.trailingZeroBitCount
    }

    mutating func insert(_ number: Int) { self.bits |= 1 << UInt64(number) }

    mutating func formUnion(_ other: CronSet) { self.bits |= other.bits }
}
