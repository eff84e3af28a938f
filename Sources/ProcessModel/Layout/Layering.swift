/// Which layer each block of a graph goes to, and the slots of the edges that pass layers.
struct Layering {
    /// What stands in a layer: a block, or a slot that lets an edge through.
    struct Item {
        var layer: Int
        var band: Int
        /// The block; nil for a slot.
        var block: Int?
        var height: Int
        /// How far below its top the line runs.
        var port: Int
    }

    /// A piece of an edge from one item to another: over a channel, or back on the same side of it.
    struct Hop {
        enum Shape {
            /// From the left side of a channel to its right.
            case across
            /// From a block into its right channel and back left into a slot of the same layer.
            case backOnTheRight
            /// From a slot into the channel on its left and back right into a block of the same layer.
            case backOnTheLeft
            /// From the right side of a channel to its left: between slots of an edge that goes back.
            case acrossBackwards
        }

        var from: Int
        var to: Int
        var shape: Shape
        /// The channel: n lies right of layer n - 1 and left of layer n.
        var channel: Int
    }

    let graph: LayeredGraph
    /// The blocks, by their number, then the slots.
    private(set) var items: [Item] = []
    private(set) var layerCount = 0
    /// The way of each edge; empty for one that runs outside.
    private(set) var hops: [[Hop]] = []

    init(_ graph: LayeredGraph) {
        self.graph = graph
        let isBack = Layering.backEdges(of: graph)
        let layers = Layering.layers(of: graph, isBack: isBack)
        layerCount = (layers.max() ?? -1) + 1
        items = graph.blocks.enumerated().map { index, block in
            Item(layer: layers[index], band: block.band, block: index, height: block.height, port: block.port)
        }
        hops = graph.edges.map { _ in [] }
        for index in graph.edges.indices { addHops(of: index, layers: layers) }
    }

    /// The layer of an edge's ends.
    func layers(of edge: Int) -> (source: Int, target: Int) {
        (items[graph.edges[edge].source].layer, items[graph.edges[edge].target].layer)
    }

    private mutating func addHops(of index: Int, layers: [Int]) {
        let edge = graph.edges[index]
        let (from, to) = (layers[edge.source], layers[edge.target])
        guard abs(to - from) <= LayeredGraph.slotSpanMax else { return }
        let band = graph.blocks[edge.source].band
        var hops: [Hop] = []
        var last = edge.source
        if to > from {
            for layer in stride(from: from + 1, to: to, by: 1) {
                let slot = addSlot(layer: layer, band: band)
                hops.append(Hop(from: last, to: slot, shape: .across, channel: layer))
                last = slot
            }
            hops.append(Hop(from: last, to: edge.target, shape: .across, channel: to))
        } else {
            for layer in stride(from: from, through: to, by: -1) {
                let slot = addSlot(layer: layer, band: band)
                let shape: Hop.Shape = layer == from ? .backOnTheRight : .acrossBackwards
                hops.append(Hop(from: last, to: slot, shape: shape, channel: layer + 1))
                last = slot
            }
            hops.append(Hop(from: last, to: edge.target, shape: .backOnTheLeft, channel: to))
        }
        self.hops[index] = hops
    }

    private mutating func addSlot(layer: Int, band: Int) -> Int {
        items.append(Item(layer: layer, band: band, block: nil, height: 0, port: 0))
        return items.count - 1
    }

    /// The edges that close a cycle, found depth first from the blocks nothing leads to, in their order.
    private static func backEdges(of graph: LayeredGraph) -> [Bool] {
        var outgoing: [[Int]] = graph.blocks.map { _ in [] }
        var isEntered = graph.blocks.map { _ in false }
        for (index, edge) in graph.edges.enumerated() {
            outgoing[edge.source].append(index)
            if edge.source != edge.target { isEntered[edge.target] = true }
        }
        var isBack = graph.edges.map { $0.source == $0.target }
        enum Color { case unseen, open, done }
        var colors = graph.blocks.map { _ in Color.unseen }
        var path: [(block: Int, next: Int)] = []
        let starts = graph.blocks.indices.filter { !isEntered[$0] } + graph.blocks.indices.filter { isEntered[$0] }
        for start in starts where colors[start] == .unseen {
            path.append((start, 0))
            colors[start] = .open
            while let (block, next) = path.last {
                guard next < outgoing[block].count else {
                    colors[block] = .done
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                let edge = outgoing[block][next]
                let target = graph.edges[edge].target
                switch colors[target] {
                case .unseen:
                    colors[target] = .open
                    path.append((target, 0))
                case .open:
                    isBack[edge] = true
                case .done:
                    continue
                }
            }
        }
        return isBack
    }

    /// The longest way to each block; what nothing leads to stands right before what it leads to.
    private static func layers(of graph: LayeredGraph, isBack: [Bool]) -> [Int] {
        var outgoing: [[Int]] = graph.blocks.map { _ in [] }
        var missing = graph.blocks.map { _ in 0 }
        for (index, edge) in graph.edges.enumerated() where !isBack[index] {
            outgoing[edge.source].append(edge.target)
            missing[edge.target] += 1
        }
        var layers = graph.blocks.map { _ in 0 }
        let starts = graph.blocks.indices.filter { missing[$0] == 0 }
        var ready = starts
        var done = 0
        while done < ready.count {
            let block = ready[done]
            done += 1
            for target in outgoing[block] {
                layers[target] = max(layers[target], layers[block] + 1)
                missing[target] -= 1
                if missing[target] == 0 { ready.append(target) }
            }
        }
        for start in starts {
            guard let first = outgoing[start].map({ layers[$0] }).min() else { continue }
            layers[start] = first - 1
        }
        return layers
    }
}
