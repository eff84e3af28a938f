/// Named values in insertion order: a FEEL context, a JSON object.
///
/// Keys are unique. Two contexts are equal when they hold equal values under the same keys, in whatever order.
/// A context of up to `linearSearchMax` entries is one array, searched linearly; a larger one carries an index.
public struct ValueContext: Sendable {
    /// One named value.
    @usableFromInline
    struct Entry: Sendable {
        @usableFromInline var key: String
        @usableFromInline var value: Value

        @usableFromInline
        init(key: String, value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The largest number of entries that is searched without an index.
    static let linearSearchMax = 16

    @usableFromInline var entries: [Entry]
    /// Positions by key; not in use in a small context.
    @usableFromInline var index: KeyIndex

    /// Creates an empty context.
    @inlinable
    public init() {
        self.entries = []
        self.index = KeyIndex()
    }

    /// Takes entries whose keys are known to be distinct, and their index if there are many.
    init(distinct entries: [Entry], index: KeyIndex) {
        self.entries = entries
        self.index = index
    }

    /// Creates a context; of two pairs with one key the last wins, at the place of the first.
    public init(_ pairs: [(String, Value)]) {
        self.init()
        self.entries.reserveCapacity(pairs.count)
        for (key, value) in pairs {
            self[key] = value
        }
    }

    /// The number of entries.
    @inlinable
    public var count: Int { self.entries.count }

    /// Whether there are no entries.
    @inlinable
    public var isEmpty: Bool { self.entries.isEmpty }

    /// The keys in insertion order.
    public var keys: [String] { self.entries.map(\.key) }

    /// The values in insertion order.
    public var values: [Value] { self.entries.map(\.value) }

    /// The entry at `position`, which must lie in `0..<count`.
    @inlinable
    public func entry(at position: Int) -> (key: String, value: Value) {
        let entry = self.entries[position]
        return (entry.key, entry.value)
    }

    /// The value under `key`.
    ///
    /// Setting nil removes the entry and keeps the order of the others.
    public subscript(key: String) -> Value? {
        get {
            self.position(of: key).map { self.entries[$0].value }
        }
        set {
            guard let newValue else {
                self.removeValue(forKey: key)
                return
            }
            if let position = self.position(of: key) {
                self.entries[position].value = newValue
            } else {
                self.append(key: key, value: newValue)
            }
        }
    }

    /// Makes room for `count` entries.
    public mutating func reserveCapacity(_ count: Int) {
        self.entries.reserveCapacity(count)
    }

    /// Removes the entry under `key` and returns its value, or nil when there is none.
    ///
    /// O(count).
    @discardableResult
    public mutating func removeValue(forKey key: String) -> Value? {
        guard let position = self.position(of: key) else { return nil }
        let entry = self.entries.remove(at: position)
        self.rebuildIndex()
        return entry.value
    }

    /// Sets every entry of `other` in this context; its values win.
    public mutating func merge(_ other: ValueContext) {
        for entry in other.entries {
            self[entry.key] = entry.value
        }
    }

    /// The position of `key`, or nil.
    @usableFromInline
    func position(of key: String) -> Int? {
        if self.index.isInUse {
            return self.index.position(of: key) { self.entries[$0].key == key }
        }
        return self.entries.firstIndex { $0.key == key }
    }

    /// Appends an entry whose key is known to be new.
    mutating func append(key: String, value: Value) {
        self.entries.append(Entry(key: key, value: value))
        if self.index.isInUse {
            self.index.append(key, at: self.entries.count - 1)
        } else if self.entries.count > Self.linearSearchMax {
            self.rebuildIndex()
        }
    }

    private mutating func rebuildIndex() {
        guard self.entries.count > Self.linearSearchMax else {
            self.index = KeyIndex()
            return
        }
        self.index = KeyIndex(count: self.entries.count)
        for (position, entry) in self.entries.enumerated() { self.index.append(entry.key, at: position) }
    }
}

extension ValueContext: Hashable {
    /// Whether both hold equal values under the same keys.
    public static func == (lhs: ValueContext, rhs: ValueContext) -> Bool {
        guard lhs.count == rhs.count else { return false }
        return lhs.entries.allSatisfy { rhs[$0.key] == $0.value }
    }

    /// Hashes the entries independently of their order.
    public func hash(into hasher: inout Hasher) {
        var combined = 0
        for entry in self.entries {
            var entryHasher = Hasher()
            entryHasher.combine(entry.key)
            entryHasher.combine(entry.value)
            combined &+= entryHasher.finalize()
        }
        hasher.combine(combined)
    }
}

extension ValueContext: Sequence {
    /// Walks the entries in insertion order.
    public struct Iterator: IteratorProtocol {
        @usableFromInline let entries: [Entry]
        @usableFromInline var position = 0

        @inlinable
        init(_ entries: [Entry]) {
            self.entries = entries
        }

        /// The next entry, or nil at the end.
        @inlinable
        public mutating func next() -> (key: String, value: Value)? {
            guard self.position < self.entries.count else { return nil }
            defer { self.position += 1 }
            return (self.entries[self.position].key, self.entries[self.position].value)
        }
    }

    /// An iterator over the entries in insertion order.
    @inlinable
    public func makeIterator() -> Iterator {
        Iterator(self.entries)
    }

    /// The number of entries.
    @inlinable
    public var underestimatedCount: Int { self.count }
}

extension ValueContext: ExpressibleByDictionaryLiteral {
    /// Creates a context with its entries in the order written.
    public init(dictionaryLiteral elements: (String, Value)...) {
        self.init(elements)
    }
}
