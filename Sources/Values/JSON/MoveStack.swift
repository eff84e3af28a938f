/// A stack of elements under construction, from whose top exact arrays are moved without copying.
struct MoveStack<Element>: ~Copyable {
    private var base: UnsafeMutablePointer<Element>?
    private var capacity = 0
    private(set) var count = 0

    init() {}

    deinit {
        self.base?.deinitialize(count: self.count)
        self.base?.deallocate()
    }

    @inline(__always)
    mutating func push(_ element: consuming Element) {
        if self.count == self.capacity { self.grow() }
        // `grow` has allocated; the pointer is only nil while the capacity is zero.
        self.base.unsafelyUnwrapped.advanced(by: self.count).initialize(to: element)
        self.count &+= 1
    }

    @inline(never)
    private mutating func grow() {
        let capacity = Swift.max(16, self.capacity * 2)
        let base = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
        if let old = self.base {
            base.moveInitialize(from: old, count: self.count)
            old.deallocate()
        }
        self.base = base
        self.capacity = capacity
    }

    /// Moves everything above `position` into an array.
    mutating func popArray(from position: Int) -> [Element] {
        let popped = self.count - position
        guard popped > 0, let base else { return [] }
        self.count = position
        var array: [Element] = []
        array.reserveCapacity(popped)
        for index in position..<position + popped { array.append((base + index).move()) }
        return array
    }

    /// The element at `index`, which must be below `count`.
    subscript(index: Int) -> Element {
        @inline(__always)
        get { self.base.unsafelyUnwrapped[index] }
        @inline(__always)
        set { self.base.unsafelyUnwrapped[index] = newValue }
    }
}
