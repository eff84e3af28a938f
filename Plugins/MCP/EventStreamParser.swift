/// Reads a stream of server-sent events (HTML Living Standard, "Server-sent events").
///
/// Pure. Only the data of events is kept; an event larger than the bound ends the stream.
struct EventStreamParser: Sendable {
    /// An event grew beyond the bound.
    struct Oversized: Error {}

    private let bytesMax: Int
    private var line: [UInt8] = []
    private var data: [UInt8] = []
    private var hasData = false
    private var sawReturn = false
    private var isFirst = true

    init(bytesMax: Int) {
        self.bytesMax = bytesMax
    }

    /// Takes bytes, and gives the data of the events that end in them.
    mutating func append(_ bytes: some Sequence<UInt8>) throws(Oversized) -> [[UInt8]] {
        var events: [[UInt8]] = []
        for byte in bytes {
            let followsReturn = self.sawReturn
            self.sawReturn = byte == UInt8(ascii: "\r")
            switch byte {
            case UInt8(ascii: "\n") where followsReturn: break
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"): self.endLine(&events)
            default:
                self.line.append(byte)
                guard self.line.count + self.data.count <= self.bytesMax else { throw Oversized() }
            }
        }
        return events
    }

    private mutating func endLine(_ events: inout [[UInt8]]) {
        defer { self.line.removeAll(keepingCapacity: true) }
        if self.isFirst, self.line.starts(with: [0xEF, 0xBB, 0xBF]) { self.line.removeFirst(3) }
        self.isFirst = false
        guard !self.line.isEmpty else {
            if self.hasData { events.append(self.data) }
            self.data = []
            self.hasData = false
            return
        }
        let colon = self.line.firstIndex(of: UInt8(ascii: ":")) ?? self.line.endIndex
        guard self.line[..<colon].elementsEqual("data".utf8) else { return }
        var value = self.line[min(colon + 1, self.line.endIndex)...]
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        if self.hasData { self.data.append(UInt8(ascii: "\n")) }
        self.data += value
        self.hasData = true
    }
}
