/// Finds the position of a key among many: open addressing, one allocation, no keys of its own.
///
/// Hashes are Swift's own, seeded in each process, so that nobody can choose keys that collide.
@usableFromInline
struct KeyIndex: Sendable {
    /// The upper half of a slot holds 32 bits of the key's hash, the lower half its position plus one; 0 is empty.
    ///
    /// The count is a power of two, or zero for an index that is not in use.
    private var slots: [UInt64] = []

    @usableFromInline
    init() {}

    /// Makes room for `count` keys.
    init(count: Int) {
        var capacity = 32
        while capacity < count * 2 { capacity *= 2 }
        self.slots = [UInt64](repeating: 0, count: capacity)
    }

    /// Whether the index is in use.
    var isInUse: Bool { !self.slots.isEmpty }

    /// The position of `key`, or nil; `isSame` tells whether the key at a position is equal.
    @inline(__always)
    func position(of key: String, isSame: (Int) -> Bool) -> Int? {
        self.position(hash: Self.hash(key), isSame: isSame)
    }

    /// The position of `key`, or nil after noting it at `position`, the number of keys so far.
    @inline(__always)
    mutating func position(of key: String, orAppendAt position: Int, isSame: (Int) -> Bool) -> Int? {
        let hash = Self.hash(key)
        if let found = self.position(hash: hash, isSame: isSame) { return found }
        self.append(hash: hash, at: position)
        return nil
    }

    @inline(__always)
    private func position(hash: UInt64, isSame: (Int) -> Bool) -> Int? {
        var slot = Int(hash) & (self.slots.count &- 1)
        while self.slots[slot] != 0 {
            if self.slots[slot] >> 32 == hash {
                let position = Int(self.slots[slot] & 0xFFFF_FFFF) &- 1
                if isSame(position) { return position }
            }
            slot = (slot &+ 1) & (self.slots.count &- 1)
        }
        return nil
    }

    /// Notes that `key`, which is new, stands at `position`, the number of keys so far.
    mutating func append(_ key: String, at position: Int) {
        self.append(hash: Self.hash(key), at: position)
    }

    private mutating func append(hash: UInt64, at position: Int) {
        if (position + 1) * 4 > self.slots.count * 3 { self.grow() }
        self.place(hash << 32 | UInt64(position + 1))
    }

    private mutating func grow() {
        let old = self.slots
        self.slots = [UInt64](repeating: 0, count: old.count * 2)
        for entry in old where entry != 0 { self.place(entry) }
    }

    private mutating func place(_ entry: UInt64) {
        var slot = Int(entry >> 32) & (self.slots.count &- 1)
        while self.slots[slot] != 0 { slot = (slot &+ 1) & (self.slots.count &- 1) }
        self.slots[slot] = entry
    }

    @inline(__always)
    private static func hash(_ key: String) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(key)
        return UInt64(UInt32(truncatingIfNeeded: hasher.finalize()))
    }
}
