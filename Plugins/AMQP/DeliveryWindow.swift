/// What the broker delivered on a channel and we have not settled yet, by delivery tag.
///
/// The broker counts the deliveries of a channel from 1. Pure.
struct DeliveryWindow {
    /// One acknowledgement: of `tag`, and with `isMultiple` of all unsettled before it.
    struct Settlement: Equatable {
        var tag: UInt64
        var isMultiple: Bool
    }

    private var isOutstanding: [Bool] = []
    private var head = 0
    private var base: UInt64 = 1
    /// How many are not settled.
    private(set) var count = 0

    /// Notes a delivery; false when its tag is not the next one, which a broker does not do.
    mutating func arrive(_ tag: UInt64) -> Bool {
        guard tag == self.base + UInt64(self.isOutstanding.count - self.head) else { return false }
        self.isOutstanding.append(true)
        self.count += 1
        return true
    }

    /// Settles `tags` with as few acknowledgements as possible: one for those before which nothing is unsettled.
    ///
    /// Tags that are settled already, or never arrived, are ignored.
    mutating func settle(_ tags: [UInt64]) -> [Settlement] {
        let known = tags.filter { self.index($0).map { self.isOutstanding[$0] } ?? false }.sorted()
        guard !known.isEmpty else { return [] }
        var covered = 0
        var index = self.head
        while covered < known.count, index < self.isOutstanding.count {
            if self.isOutstanding[index] {
                guard known[covered] == self.base + UInt64(index - self.head) else { break }
                covered += 1
            }
            index += 1
        }
        for tag in known {
            if let index = self.index(tag) { self.isOutstanding[index] = false }
        }
        self.count -= known.count
        self.advance()
        let first = covered > 0 ? [Settlement(tag: known[covered - 1], isMultiple: covered > 1)] : []
        return first + known[covered...].map { Settlement(tag: $0, isMultiple: false) }
    }

    private func index(_ tag: UInt64) -> Int? {
        guard tag >= self.base else { return nil }
        let offset = tag - self.base
        return offset < UInt64(self.isOutstanding.count - self.head) ? self.head + Int(offset) : nil
    }

    private mutating func advance() {
        while self.head < self.isOutstanding.count, !self.isOutstanding[self.head] {
            self.head += 1
            self.base += 1
        }
        if self.head > 64, self.head * 2 > self.isOutstanding.count {
            self.isOutstanding.removeFirst(self.head)
            self.head = 0
        }
    }
}
