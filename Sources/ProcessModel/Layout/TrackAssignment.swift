/// Puts the turns of a channel side by side.
enum TrackAssignment {
    /// Above this many turns in one channel, only overlaps are avoided.
    private static let orderedMax = 300

    /// Gives each turn a track, counted from the left, so that no two overlap; returns how many tracks there are.
    ///
    /// Where one turn is met from the left at the height at which another goes on to the right, it stands left of that
    /// one, so that their lines do not lie on each other; cycles of such wishes are broken at their first turn.
    static func assign(_ turns: inout [ChannelRouting.Turn]) -> Int {
        guard turns.count <= orderedMax else {
            let intervals = turns.enumerated().map { (start: $1.top, end: $1.bottom, index: $0) }
            let colors = IntervalColoring.colors(of: intervals)
            for (turn, color) in colors { turns[turn].track = color }
            return (colors.values.max() ?? -1) + 1
        }
        let (after, leftOf) = wishes(turns)
        var missing = leftOf.map(\.count)
        var remaining = turns.indices.sorted {
            (turns[$0].top, turns[$0].bottom, $0) < (turns[$1].top, turns[$1].bottom, $1)
        }
        var placed: [[Int]] = []
        var isPlaced = turns.map { _ in false }
        while !remaining.isEmpty {
            let position = remaining.firstIndex { missing[$0] == 0 } ?? remaining.startIndex
            let turn = remaining.remove(at: position)
            var track = leftOf[turn].filter { isPlaced[$0] }.map { turns[$0].track + 1 }.max() ?? 0
            while track < placed.count, placed[track].contains(where: { overlap(turns[$0], turns[turn]) }) {
                track += 1
            }
            while placed.count <= track { placed.append([]) }
            placed[track].append(turn)
            turns[turn].track = track
            isPlaced[turn] = true
            for next in after[turn] { missing[next] -= 1 }
        }
        return placed.count
    }

    private static func overlap(_ one: ChannelRouting.Turn, _ other: ChannelRouting.Turn) -> Bool {
        one.top <= other.bottom && other.top <= one.bottom
    }

    /// Which turns want to stand right of each turn, and left of it.
    private static func wishes(_ turns: [ChannelRouting.Turn]) -> (after: [[Int]], leftOf: [[Int]]) {
        var after: [[Int]] = turns.map { _ in [] }
        var leftOf = after
        var metFromLeft: [Int: [Int]] = [:]
        for (turn, content) in turns.enumerated() {
            for y in content.left { metFromLeft[y, default: []].append(turn) }
        }
        for (turn, content) in turns.enumerated() {
            for y in content.right.sorted() {
                for other in metFromLeft[y] ?? [] where other != turn {
                    after[other].append(turn)
                    leftOf[turn].append(other)
                }
            }
        }
        return (after, leftOf)
    }
}

/// Colours intervals so that those of one colour do not overlap, with as few colours as possible.
enum IntervalColoring {
    /// The colour of each interval by its index; ends are inclusive.
    static func colors(of intervals: [(start: Int, end: Int, index: Int)]) -> [Int: Int] {
        var colors: [Int: Int] = [:]
        var heap = EndHeap()
        var count = 0
        for interval in intervals.sorted(by: { ($0.start, $0.end, $0.index) < ($1.start, $1.end, $1.index) }) {
            var color = count
            if let first = heap.first, first.end < interval.start {
                color = first.color
                heap.removeFirst()
            } else {
                count += 1
            }
            heap.insert((interval.end, color))
            colors[interval.index] = color
        }
        return colors
    }

    /// The colours in use, the one that ends first on top.
    private struct EndHeap {
        private var items: [(end: Int, color: Int)] = []

        var first: (end: Int, color: Int)? { items.first }

        mutating func insert(_ item: (end: Int, color: Int)) {
            items.append(item)
            var child = items.count - 1
            while child > 0, items[child] < items[(child - 1) / 2] {
                items.swapAt(child, (child - 1) / 2)
                child = (child - 1) / 2
            }
        }

        mutating func removeFirst() {
            items.swapAt(0, items.count - 1)
            items.removeLast()
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < items.count && items[child] < items[least] {
                    least = child
                }
                guard least != parent else { return }
                items.swapAt(parent, least)
                parent = least
            }
        }
    }
}
