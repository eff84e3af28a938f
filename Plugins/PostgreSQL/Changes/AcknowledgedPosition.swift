/// Up to where everything is durable on our side: behind the last transaction of which, and before which, every event
/// is acknowledged.
///
/// Pure. `Progress` is what else becomes true with a batch, such as how far a snapshot is read.
struct AcknowledgedPosition<Progress: Sendable> {
    private struct Item {
        var batch: UInt64
        var isDone = false
        var events: Int
        var bytes: Int
        /// What may be confirmed with it and everything before.
        var position: LogPosition?
        var progress: Progress?
    }

    /// What may be told to the server.
    private(set) var confirmed: LogPosition
    private var items: [Item] = []
    private var head = 0
    /// Events out.
    private(set) var events = 0
    /// Bytes of their payloads.
    private(set) var bytes = 0

    init(_ confirmed: LogPosition) { self.confirmed = confirmed }

    var isEmpty: Bool { self.head == self.items.count }

    /// A batch goes out.
    mutating func add(batch: UInt64, events: Int, bytes: Int, position: LogPosition?, progress: Progress? = nil) {
        self.items.append(
            Item(batch: batch, events: events, bytes: bytes, position: position, progress: progress))
        self.events += events
        self.bytes += bytes
    }

    /// Everything up to `position` has been given out, or was not for us.
    mutating func reached(_ position: LogPosition) {
        if self.isEmpty {
            self.confirmed = max(self.confirmed, position)
        } else {
            let last = self.items.count - 1
            self.items[last].position = max(self.items[last].position ?? position, position)
        }
    }

    /// `progress` becomes true with everything that is out; returned when that is nothing.
    mutating func reached(_ progress: Progress) -> Progress? {
        if self.isEmpty { return progress }
        self.items[self.items.count - 1].progress = progress
        return nil
    }

    /// A batch is done; returns the latest progress that has become true by that.
    ///
    /// Unknown batches are ignored.
    mutating func done(_ batch: UInt64) -> Progress? {
        guard let index = self.items[self.head...].firstIndex(where: { $0.batch == batch }),
            !self.items[index].isDone
        else { return nil }
        self.items[index].isDone = true
        self.events -= self.items[index].events
        self.bytes -= self.items[index].bytes
        var progress: Progress?
        while self.head < self.items.count, self.items[self.head].isDone {
            let item = self.items[self.head]
            if let position = item.position { self.confirmed = max(self.confirmed, position) }
            progress = item.progress ?? progress
            self.head += 1
        }
        if self.head > 64, self.head * 2 > self.items.count {
            self.items.removeFirst(self.head)
            self.head = 0
        }
        return progress
    }
}
