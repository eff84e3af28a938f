internal import ConnectorKit
internal import Values

/// The events that a source emitted within its look-back, so that it does not emit them at each look.
///
/// Bounded: of more than that the oldest are forgotten, and come again under the ids they had.
struct ODBCWindow: Sendable {
    /// Stands for an event's id: 128 bits of it.
    struct Mark: Sendable, Hashable {
        private let high: UInt64
        private let low: UInt64

        init(_ id: String) {
            self.high = StableHash.fnv1a64(id)
            self.low = StableHash.fnv1a64(id, state: StableHash.mixed(self.high))
        }

        init?(saved text: String) {
            guard text.utf8.count == 32, let high = UInt64(text.prefix(16), radix: 16),
                let low = UInt64(text.suffix(16), radix: 16)
            else { return nil }
            self.high = high
            self.low = low
        }

        var text: String { Self.digits(self.high) + Self.digits(self.low) }

        private static func digits(_ number: UInt64) -> String {
            let text = String(number, radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }
    }

    private static let marksMaximum = 100_000
    /// How many of the newest acknowledged ones are kept with the position.
    private static let savedMaximum = 1_000

    private var places: [Mark: [Value]] = [:]
    /// In the order they came.
    private var order: [Mark] = []
    private var orderStart = 0
    private var acknowledged: [Mark] = []

    func contains(_ mark: Mark) -> Bool { self.places[mark] != nil }

    /// `mark` was emitted, for a row at `place`.
    mutating func insert(_ mark: Mark, at place: [Value]) {
        guard self.places.updateValue(place, forKey: mark) == nil else { return }
        self.order.append(mark)
        while self.order.count - self.orderStart > Self.marksMaximum { self.forgetFirst() }
    }

    /// Forgets what lies before `place`.
    mutating func trim(before place: [Value]) {
        while self.orderStart < self.order.count, let first = self.places[self.order[self.orderStart]],
            ODBCPosition.compare(Array(first.prefix(1)), Array(place.prefix(1))) == -1
        {
            self.forgetFirst()
        }
    }

    private mutating func forgetFirst() {
        self.places[self.order[self.orderStart]] = nil
        self.orderStart += 1
        guard self.orderStart > 1_000, self.orderStart * 2 > self.order.count else { return }
        self.order.removeFirst(self.orderStart)
        self.orderStart = 0
    }

    /// `marks` are safe on our side.
    mutating func acknowledge(_ marks: some Sequence<Mark>) {
        self.acknowledged += marks
        let excess = self.acknowledged.count - Self.savedMaximum
        if excess > 0 { self.acknowledged.removeFirst(excess) }
    }

    // MARK: - Keeping

    /// The newest acknowledged ones.
    var saved: Value { .list(self.acknowledged.filter { self.contains($0) }.map { .string($0.text) }) }

    /// Takes up what was saved.
    mutating func restore(_ value: Value?, at place: [Value]) {
        for mark in (value?.asList ?? []).suffix(Self.savedMaximum).compactMap({
            $0.asString.flatMap { Mark(saved: $0) }
        }) {
            self.insert(mark, at: place)
            self.acknowledged.append(mark)
        }
    }
}
