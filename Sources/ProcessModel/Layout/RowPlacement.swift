/// Where the items of each layer stand from top to bottom.
struct RowPlacement {
    /// The top of each item; within its band until `place` has stacked the bands.
    private(set) var tops: [Int]
    /// Top and height of each band.
    private(set) var bands: [(top: Int, height: Int)] = []
    private let layering: Layering
    private let order: SlotOrder
    /// For each item what it is connected to in the layer before or after: the item, and both ends' places below the
    /// items' tops.
    private var before: [[Link]]
    private var after: [[Link]]

    private struct Link {
        let item: Int
        let itsPort: Int
        let myPort: Int
    }

    init(_ layering: Layering, _ order: SlotOrder) {
        self.layering = layering
        self.order = order
        tops = layering.items.map { _ in 0 }
        before = layering.items.map { _ in [] }
        after = before
        for (index, hops) in layering.hops.enumerated() {
            for hop in hops where hop.shape == .across || hop.shape == .acrossBackwards {
                let (left, right) = hop.shape == .across ? (hop.from, hop.to) : (hop.to, hop.from)
                guard layering.items[left].band == layering.items[right].band else { continue }
                let leftPort = layering.items[left].block == nil ? 0 : layering.graph.edges[index].sourceY
                let rightPort = layering.items[right].block == nil ? 0 : layering.graph.edges[index].targetY
                after[left].append(Link(item: right, itsPort: rightPort, myPort: leftPort))
                before[right].append(Link(item: left, itsPort: leftPort, myPort: rightPort))
            }
        }
    }

    /// Places everything: neighbours in line where the order and the sizes allow it.
    mutating func place() {
        for layer in order.layers.indices { place(layer, by: [before]) }
        for layer in order.layers.indices.reversed() { place(layer, by: [after]) }
        for layer in order.layers.indices { place(layer, by: [before]) }
        for layer in order.layers.indices.reversed() { place(layer, by: [before, after]) }
        for layer in order.layers.indices { place(layer, by: [before]) }
        for layer in order.layers.indices { straighten(layer, before, slotsOnly: false) }
        for layer in order.layers.indices.reversed() { straighten(layer, after, slotsOnly: true) }
        stackBands()
    }

    /// Moves items that stand almost in line with their neighbours into line, pushing slots aside but no block.
    private mutating func straighten(_ layer: Int, _ neighbours: [[Link]], slotsOnly: Bool) {
        let items = order.layers[layer]
        for position in items.indices {
            let item = items[position]
            if slotsOnly, layering.items[item].block != nil { continue }
            let wanted = middle(neighbours[item].map { tops[$0.item] + $0.itsPort - $0.myPort })
            guard let wanted, abs(Int(wanted) - tops[item]) <= RowPlacement.straightenedMax else { continue }
            let moved = pushed(from: position, of: items, to: Int(wanted), slotsToo: !slotsOnly)
            for (index, top) in moved { tops[index] = top }
        }
    }

    /// How far out of line an item may be to be moved.
    private static let straightenedMax = 12

    /// What moves when an item moves, or nothing when a block is in the way.
    private func pushed(
        from position: Int, of items: [Int], to top: Int, slotsToo: Bool
    ) -> [(item: Int, top: Int)] {
        let step = top > tops[items[position]] ? 1 : -1
        var moved = [(item: items[position], top: top)]
        var next = position + step
        while items.indices.contains(next), layering.items[items[next]].band == layering.items[items[position]].band {
            guard let last = moved.last else { return [] }
            let (upper, lower) = step > 0 ? (last.item, items[next]) : (items[next], last.item)
            let gap = distance(from: upper, to: lower)
            let limit = step > 0 ? last.top + gap : last.top - gap
            if step > 0 ? tops[items[next]] >= limit : tops[items[next]] <= limit { return moved }
            guard slotsToo, layering.items[items[next]].block == nil else { return [] }
            moved.append((items[next], limit))
            next += step
        }
        return moved
    }

    private mutating func place(_ layer: Int, by neighbours: [[[Link]]]) {
        var items = order.layers[layer][...]
        while let first = items.first {
            let band = layering.items[first].band
            let group = items.prefix { layering.items[$0].band == band }
            items = items.dropFirst(group.count)
            place(Array(group), by: neighbours)
        }
    }

    /// Places items below each other, each as close as possible to where its neighbours want it: the least sum of
    /// squares under the order (pool adjacent violators).
    private mutating func place(_ group: [Int], by neighbours: [[[Link]]]) {
        /// Items that touch: how many, and the mean of where they want to begin.
        struct Pool {
            var count: Int
            var weight: Double
            var mean: Double
        }
        var pools: [Pool] = []
        var offsets: [Int] = []
        var offset = 0
        for (position, item) in group.enumerated() {
            if position > 0 { offset += distance(from: group[position - 1], to: item) }
            offsets.append(offset)
            let links = neighbours.flatMap { $0[item] }
            let wanted = middle(links.map { tops[$0.item] + $0.itsPort - $0.myPort }) ?? Double(tops[item])
            // Blocks in line matter more than straight slots.
            let weight = links.isEmpty ? 0.01 : layering.items[item].block == nil ? 1 : 8
            var pool = Pool(count: 1, weight: weight, mean: wanted - Double(offset))
            while let last = pools.last, last.mean >= pool.mean {
                let sum = last.weight + pool.weight
                pool = Pool(
                    count: last.count + pool.count, weight: sum,
                    mean: (last.mean * last.weight + pool.mean * pool.weight) / sum)
                pools.removeLast()
            }
            pools.append(pool)
        }
        var position = 0
        var least = Int.min
        for pool in pools {
            let start = max(Int(pool.mean.rounded()), least)
            least = start
            for _ in 0..<pool.count {
                tops[group[position]] = start + offsets[position]
                position += 1
            }
        }
    }

    private func middle(_ numbers: [Int]) -> Double? {
        guard !numbers.isEmpty else { return nil }
        let sorted = numbers.sorted()
        return Double(sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
    }

    /// From the top of one item to the top of the one below.
    private func distance(from upper: Int, to lower: Int) -> Int {
        let (above, below) = (layering.items[upper], layering.items[lower])
        switch (above.block, below.block) {
        case (nil, nil): return LayeredGraph.slotPitch
        case (nil, _), (_, nil): return above.height + LayeredGraph.slotGap
        default: return above.height + LayeredGraph.blockGap
        }
    }

    private mutating func stackBands() {
        let count = layering.graph.bandCount
        var spans: [(top: Int, bottom: Int)?] = Array(repeating: nil, count: count)
        for (index, item) in layering.items.enumerated() {
            let (top, bottom) = (tops[index], tops[index] + item.height)
            let span = spans[item.band]
            spans[item.band] = (min(span?.top ?? top, top), max(span?.bottom ?? bottom, bottom))
        }
        let hasLanes = layering.graph.hasLanes
        let padding = hasLanes ? LayeredGraph.bandPadding : 0
        var shifts: [Int] = []
        var top = 0
        for span in spans {
            let content = span.map { $0.bottom - $0.top } ?? 0
            let height = hasLanes ? max(content + 2 * padding, LayeredGraph.bandHeightMin) : content
            bands.append((top, height))
            shifts.append(top + (height - content) / 2 - (span?.top ?? 0))
            top += height
        }
        for index in tops.indices { tops[index] += shifts[layering.items[index].band] }
    }
}
