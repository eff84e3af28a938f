/// Which offset of a partition may be committed: everything before it was delivered and acknowledged.
///
/// Records are delivered in spans, in the order of their offsets; spans are acknowledged in any order. The position only
/// moves over spans that are done, so a commit never passes a record that is still out. Offsets may have holes
/// (compaction, transaction markers): what counts is the order of delivery, not that numbers follow each other.
///
/// Pure.
struct OffsetTracker: Sendable {
    /// Names a span of this tracker.
    struct Span: Sendable, Hashable {
        fileprivate let number: Int
    }

    private struct Entry {
        /// One past the last offset of the span.
        let end: Int64
        var isDone = false
    }

    /// Spans that are out, oldest first, from `first` on.
    private var entries: [Entry] = []
    private var first = 0
    /// Number of the span at `first`.
    private var base = 0

    /// One past the last offset before which everything is done; `nil` before the first span is done.
    private(set) var position: Int64?
    /// What was committed last.
    private(set) var committed: Int64?

    /// Whether there is something to commit.
    var isDirty: Bool { self.position != self.committed }

    /// How many spans are out, those included that wait for an older one.
    var spanCount: Int { self.entries.count - self.first }

    /// Notes that the records up to `last` were delivered after all those before.
    mutating func deliver(through last: Int64) -> Span {
        self.entries.append(Entry(end: last + 1))
        return Span(number: self.base + self.entries.count - self.first - 1)
    }

    /// Notes that a span is done.
    ///
    /// Returns whether the position moved. A span that was done before is ignored.
    @discardableResult
    mutating func finish(_ span: Span) -> Bool {
        let index = self.first + span.number - self.base
        guard index >= self.first, index < self.entries.count else { return false }
        self.entries[index].isDone = true
        guard index == self.first else { return false }
        while self.first < self.entries.count, self.entries[self.first].isDone {
            self.position = self.entries[self.first].end
            self.first += 1
            self.base += 1
        }
        if self.first == self.entries.count || self.first > 1_024 {
            self.entries.removeFirst(self.first)
            self.first = 0
        }
        return true
    }

    /// Notes that `offset` was committed.
    mutating func commit(_ offset: Int64) {
        self.committed = offset
    }
}
