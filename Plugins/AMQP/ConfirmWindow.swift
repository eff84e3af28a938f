/// What was published on a channel and not confirmed yet, by sequence number.
///
/// The broker counts the messages of a channel from 1, and so does this. Pure.
struct ConfirmWindow<Entry> {
    private var slots: [Entry?] = []
    /// Where in `slots` the message `base` stands; those before are settled.
    private var head = 0
    private var base: UInt64 = 1
    /// How many are not confirmed.
    private(set) var count = 0

    /// Adds the message published next.
    mutating func append(_ entry: Entry) {
        self.slots.append(entry)
        self.count += 1
    }

    /// Takes out what a confirmation covers: message `tag`, and with `multiple` all before it (0: all there are).
    ///
    /// Numbers that are not waiting cover nothing.
    mutating func settle(_ tag: UInt64, multiple: Bool) -> [Entry] {
        let end = self.base + UInt64(self.slots.count - self.head)
        let last = multiple && tag == 0 ? end - 1 : min(tag, end - 1)
        guard last >= self.base, multiple || tag < end else { return [] }
        var settled: [Entry] = []
        for number in (multiple ? self.base : last)...last {
            let index = self.head + Int(number - self.base)
            guard let entry = self.slots[index] else { continue }
            settled.append(entry)
            self.slots[index] = nil
        }
        self.count -= settled.count
        self.advance()
        return settled
    }

    /// Takes out everything, oldest first.
    mutating func drain() -> [Entry] {
        defer { self = ConfirmWindow() }
        return self.slots[self.head...].compactMap { $0 }
    }

    /// The oldest that fulfils `predicate`.
    func first(where predicate: (Entry) -> Bool) -> Entry? {
        for slot in self.slots[self.head...] {
            if let slot, predicate(slot) { return slot }
        }
        return nil
    }

    private mutating func advance() {
        while self.head < self.slots.count, self.slots[self.head] == nil {
            self.head += 1
            self.base += 1
        }
        if self.head > 64, self.head * 2 > self.slots.count {
            self.slots.removeFirst(self.head)
            self.head = 0
        }
    }
}
