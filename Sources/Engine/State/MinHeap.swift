/// A binary min-heap.
///
/// Entries are removed lazily by their users: a popped entry may be out of date.
struct MinHeap<Element: Comparable> {
    private var storage: [Element] = []

    var first: Element? { storage.first }

    /// O(log n).
    mutating func insert(_ element: Element) {
        storage.append(element)
        var child = storage.count - 1
        while child > 0 {
            let parent = (child - 1) >> 1
            guard storage[child] < storage[parent] else { return }
            storage.swapAt(child, parent)
            child = parent
        }
    }

    /// O(log n).
    mutating func popFirst() -> Element? {
        guard let first = storage.first else { return nil }
        let last = storage.removeLast()
        guard !storage.isEmpty else { return first }
        storage[0] = last
        var parent = 0
        while true {
            var child = 2 * parent + 1
            guard child < storage.count else { return first }
            if child + 1 < storage.count, storage[child + 1] < storage[child] { child += 1 }
            guard storage[child] < storage[parent] else { return first }
            storage.swapAt(child, parent)
            parent = child
        }
    }
}
