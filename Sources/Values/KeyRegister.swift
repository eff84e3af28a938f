/// Tells repeated keys from new ones while a context is read, and grows its index when it becomes large.
struct KeyRegister {
    private var filter = KeyFilter()
    private(set) var index = KeyIndex()

    /// The position of an equal key among the `count` noted before, or nil after noting `key` as the next one.
    ///
    /// `utf8` are the bytes the key was written with; `keyAt` gives a key noted before.
    @inline(__always)
    mutating func note(
        _ key: String, utf8: UnsafeRawBufferPointer, isASCII: Bool, count: Int, keyAt: (Int) -> String
    ) -> Int? {
        if count < ValueContext.linearSearchMax {
            guard self.filter.insertMayContain(utf8, isASCII: isASCII) else { return nil }
            return (0..<count).first { keyAt($0) == key }
        }
        if count == ValueContext.linearSearchMax, !self.index.isInUse {
            self.index = KeyIndex(count: count * 2)
            for position in 0..<count { self.index.append(keyAt(position), at: position) }
        }
        return self.index.position(of: key, orAppendAt: count) { keyAt($0) == key }
    }
}
