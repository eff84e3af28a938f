/// The order of the items in each layer, from top to bottom.
struct SlotOrder {
    /// The items of each layer.
    private(set) var layers: [[Int]]
    private let layering: Layering
    /// The items each item is connected to in the layer before and in the layer after.
    private let before: [[Int]]
    private let after: [[Int]]
    /// Where each item stands in its layer.
    private var positions: [Int]

    init(_ layering: Layering) {
        self.layering = layering
        var before: [[Int]] = layering.items.map { _ in [] }
        var after = before
        for hop in layering.hops.joined() {
            switch hop.shape {
            case .across:
                after[hop.from].append(hop.to)
                before[hop.to].append(hop.from)
            case .acrossBackwards:
                before[hop.from].append(hop.to)
                after[hop.to].append(hop.from)
            case .backOnTheLeft, .backOnTheRight:
                continue
            }
        }
        self.before = before
        self.after = after
        layers = Array(repeating: [], count: layering.layerCount)
        positions = layering.items.map { _ in 0 }
        for item in SlotOrder.visit(layering, after) { layers[layering.items[item].layer].append(item) }
        let items = layering.items
        for layer in layers.indices {
            // Stable: equal bands keep the order of the visit.
            layers[layer] = layers[layer].enumerated()
                .sorted { (items[$0.element].band, $0.offset) < (items[$1.element].band, $1.offset) }
                .map(\.element)
            number(layer)
        }
    }

    /// The items as depth-first search from the first layers meets them; slots of edges that go back come last.
    private static func visit(_ layering: Layering, _ after: [[Int]]) -> [Int] {
        var isSeen = layering.items.map { _ in false }
        var visited: [Int] = []
        let blocks = layering.items.indices.filter { layering.items[$0].block != nil }
        let slots = layering.items.indices.filter { layering.items[$0].block == nil }
        let starts = blocks.sorted { (layering.items[$0].layer, $0) < (layering.items[$1].layer, $1) } + slots
        for start in starts where !isSeen[start] {
            var pending = [start]
            while let item = pending.popLast() {
                guard !isSeen[item] else { continue }
                isSeen[item] = true
                visited.append(item)
                pending.append(contentsOf: after[item].reversed())
            }
        }
        return visited
    }

    private mutating func number(_ layer: Int) {
        for (position, item) in layers[layer].enumerated() { positions[item] = position }
    }

    /// Sorts each layer by the middle of its neighbours, forwards and backwards a few times, and keeps the best.
    mutating func reduceCrossings() {
        var best = layers
        var fewest = crossings
        let rounds = layering.items.count > 20_000 ? 2 : 8
        for round in 0..<rounds where fewest > 0 {
            let isForward = round.isMultiple(of: 2)
            for layer in isForward ? Array(layers.indices) : layers.indices.reversed() {
                sort(layer, by: isForward ? before : after)
            }
            let count = crossings
            if count < fewest {
                fewest = count
                best = layers
            }
        }
        layers = best
        for layer in layers.indices { number(layer) }
    }

    private mutating func sort(_ layer: Int, by neighbours: [[Int]]) {
        let items = layering.items
        let keyed = layers[layer].enumerated().map { position, item in
            let around = neighbours[item]
            let middle =
                around.isEmpty
                ? Double(position) : Double(around.reduce(0) { $0 + positions[$1] }) / Double(around.count)
            return (item: item, band: items[item].band, middle: middle, position: position)
        }
        layers[layer] =
            keyed
            .sorted { ($0.band, $0.middle, $0.position) < ($1.band, $1.middle, $1.position) }
            .map(\.item)
        number(layer)
    }

    /// How many pairs of connections between neighbouring layers cross.
    private var crossings: Int {
        var count = 0
        for layer in layers.indices.dropFirst() {
            var tree = CountingTree(size: layers[layer - 1].count)
            for item in layers[layer] {
                let ends = before[item].map { positions[$0] }
                for end in ends { count += tree.countAbove(end) }
                for end in ends { tree.add(end) }
            }
        }
        return count
    }
}

/// Counts how many of the numbers added are greater than one, in logarithmic time (a Fenwick tree).
private struct CountingTree {
    private var sums: [Int]
    private var total = 0

    init(size: Int) {
        sums = Array(repeating: 0, count: size + 1)
    }

    mutating func add(_ number: Int) {
        total += 1
        var index = number + 1
        while index < sums.count {
            sums[index] += 1
            index += index & -index
        }
    }

    func countAbove(_ number: Int) -> Int {
        var count = total
        var index = number + 1
        while index > 0 {
            count -= sums[index]
            index -= index & -index
        }
        return count
    }
}
