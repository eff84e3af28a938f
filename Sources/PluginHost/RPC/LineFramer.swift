/// Cuts a stream of bytes into lines, none longer than a bound.
///
/// Pure. Bytes are looked at once; memory is at most one line and what the last `append` brought.
public struct LineFramer: Sendable {
    /// What was found.
    public enum Item: Sendable, Hashable {
        /// A line without its end; never empty.
        case line([UInt8])
        /// A line longer than the bound; all of it is dropped.
        case oversized
    }

    private let bytesMax: Int
    private var partial: [UInt8] = []
    private var isDropping = false

    /// Creates a framer for lines of at most `bytesMax` bytes.
    public init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Takes bytes, and gives the lines that end in them, in order.
    public mutating func append(_ bytes: some RandomAccessCollection<UInt8>) -> [Item] {
        var items: [Item] = []
        var rest = bytes[...]
        while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
            self.take(rest[..<end], &items)
            rest = rest[rest.index(after: end)...]
            if self.isDropping {
                self.isDropping = false
            } else if !self.partial.isEmpty {
                if self.partial.last == UInt8(ascii: "\r") { self.partial.removeLast() }
                if !self.partial.isEmpty { items.append(.line(self.partial)) }
                self.partial.removeAll(keepingCapacity: self.partial.count <= 64 << 10)
            }
        }
        self.take(rest, &items)
        return items
    }

    /// What is left when the stream ends: a last line without an end.
    public mutating func finish() -> Item? {
        defer { self.partial = [] }
        return self.partial.isEmpty ? nil : .line(self.partial)
    }

    private mutating func take(_ bytes: some RandomAccessCollection<UInt8>, _ items: inout [Item]) {
        guard !self.isDropping else { return }
        guard self.partial.count + bytes.count <= self.bytesMax else {
            self.partial = []
            self.isDropping = true
            items.append(.oversized)
            return
        }
        self.partial += bytes
    }
}
