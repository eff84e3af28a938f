/// Where edges turn in the channels between layers, and the drawing that comes of it.
struct ChannelRouting {
    /// A vertical line in a channel: of one edge, or of several that leave one block at one place.
    struct Turn {
        /// Where lines meet it from the left and from the right.
        var left: Set<Int> = []
        var right: Set<Int> = []
        var top = Int.max
        var bottom = Int.min
        var track = 0

        mutating func add(_ ys: [Int]) {
            for y in ys {
                top = min(top, y)
                bottom = max(bottom, y)
            }
        }
    }

    /// Edges that leave one block at one height share a turn.
    private struct TurnKey: Hashable {
        let channel: Int
        let item: Int
        let y: Int
        /// Tells the turns of edges apart that do not start here.
        let edge: Int
    }

    private struct Channel {
        var turns: [Turn] = []
        var labelWidth = 0
        var left = 0
        var width = 0
        var trackCount = 0
    }

    /// Space between turns, and the least width of a channel between layers.
    private static let (trackPitch, widthMin, outerRowPitch) = (14, 50, 12)

    private let layering: Layering
    private let rows: RowPlacement
    private var channels: [Channel]
    private var turnNumbers: [TurnKey: Int] = [:]
    /// The heights of the edges that run outside, by edge.
    private var outerRows: [Int: Int] = [:]
    private var layerLefts: [Int] = []
    private var layerWidths: [Int]

    init(_ layering: Layering, _ rows: RowPlacement) {
        self.layering = layering
        self.rows = rows
        channels = Array(repeating: Channel(), count: layering.layerCount + 1)
        layerWidths = Array(repeating: 0, count: layering.layerCount)
        for (block, shape) in layering.graph.blocks.enumerated() {
            let layer = layering.items[block].layer
            layerWidths[layer] = max(layerWidths[layer], shape.width)
        }
        assignOuterRows()
        collectTurns()
        for channel in channels.indices { assignTracks(channel) }
        spread()
    }

    // MARK: Heights

    private func startY(_ edge: Int) -> Int {
        rows.tops[layering.graph.edges[edge].source] + layering.graph.edges[edge].sourceY
    }

    private func endY(_ edge: Int) -> Int {
        rows.tops[layering.graph.edges[edge].target] + layering.graph.edges[edge].targetY
    }

    /// The heights at both ends of a hop.
    private func heights(_ hop: Layering.Hop, _ edge: Int) -> (Int, Int) {
        let from = layering.items[hop.from].block == nil ? rows.tops[hop.from] : startY(edge)
        let to = layering.items[hop.to].block == nil ? rows.tops[hop.to] : endY(edge)
        return (from, to)
    }

    /// Long edges run above everything, in as few rows as their lengths allow.
    private mutating func assignOuterRows() {
        let long = layering.hops.indices.filter { layering.hops[$0].isEmpty }
        let spans = long.map { edge -> (start: Int, end: Int, index: Int) in
            let (source, target) = layering.layers(of: edge)
            return (min(source + 1, target), max(source + 1, target), edge)
        }
        for (edge, row) in IntervalColoring.colors(of: spans) {
            outerRows[edge] = -LayeredGraph.blockGap - ChannelRouting.outerRowPitch * row
        }
    }

    // MARK: Turns

    private mutating func collectTurns() {
        for (edge, hops) in layering.hops.enumerated() {
            let labelWidth = layering.graph.edges[edge].labelWidth
            let first = layering.layers(of: edge).source + 1
            channels[first].labelWidth = max(channels[first].labelWidth, labelWidth)
            if let row = outerRows[edge] {
                let (source, target) = layering.layers(of: edge)
                addTurn(in: source + 1, key(edge, source + 1, startY(edge)), left: [startY(edge)], others: [row])
                addTurn(in: target, key(edge, target, row), right: [endY(edge)], others: [row])
            }
            for hop in hops {
                let (from, to) = heights(hop, edge)
                let key = self.key(edge, hop.channel, from)
                switch hop.shape {
                case .across where from == to, .acrossBackwards where from == to: continue
                case .across: addTurn(in: hop.channel, key, left: [from], right: [to])
                case .acrossBackwards: addTurn(in: hop.channel, key, left: [to], right: [from])
                case .backOnTheRight: addTurn(in: hop.channel, key, left: [from, to])
                case .backOnTheLeft: addTurn(in: hop.channel, key, right: [from, to])
                }
            }
        }
    }

    private func key(_ edge: Int, _ channel: Int, _ y: Int) -> TurnKey {
        let source = layering.graph.edges[edge].source
        let startsHere = channel == layering.items[source].layer + 1 && y == startY(edge)
        return TurnKey(channel: channel, item: startsHere ? source : -1, y: y, edge: startsHere ? -1 : edge)
    }

    private mutating func addTurn(
        in channel: Int, _ key: TurnKey, left: [Int] = [], right: [Int] = [], others: [Int] = []
    ) {
        let number = turnNumbers[key] ?? channels[channel].turns.count
        if number == channels[channel].turns.count { channels[channel].turns.append(Turn()) }
        turnNumbers[key] = number
        channels[channel].turns[number].left.formUnion(left)
        channels[channel].turns[number].right.formUnion(right)
        channels[channel].turns[number].add(left + right + others)
    }

    private mutating func assignTracks(_ channel: Int) {
        channels[channel].trackCount = TrackAssignment.assign(&channels[channel].turns)
    }

    /// Gives layers and channels their places from left to right.
    private mutating func spread() {
        var x = 0
        for index in channels.indices {
            channels[index].left = x
            let tracks = channels[index].trackCount
            let isBetween = index > 0 && index < layering.layerCount
            var width = tracks == 0 ? 0 : ChannelRouting.trackPitch * (tracks + 1)
            if channels[index].labelWidth > 0 {
                width = ChannelRouting.trackPitch * (tracks + 1) + channels[index].labelWidth
            }
            if isBetween { width = max(width, ChannelRouting.widthMin) }
            channels[index].width = width
            x += width
            if index < layering.layerCount {
                layerLefts.append(x)
                x += layerWidths[index]
            }
        }
    }

    private func trackX(_ channel: Int, _ track: Int) -> Int {
        let channel = channels[channel]
        guard channel.labelWidth == 0 else { return channel.left + ChannelRouting.trackPitch * (track + 1) }
        return channel.left + channel.width * (track + 1) / (channel.trackCount + 1)
    }

    private func turnX(_ key: TurnKey) -> Int? {
        turnNumbers[key].map { trackX(key.channel, channels[key.channel].turns[$0].track) }
    }

    // MARK: Drawing

    func draw() -> LayeredGraph.Drawing {
        var drawing = LayeredGraph.Drawing()
        drawing.bands = rows.bands
        drawing.places = layering.graph.blocks.indices.map { block in
            let layer = layering.items[block].layer
            let x = layerLefts[layer] + (layerWidths[layer] - layering.graph.blocks[block].width) / 2
            return LayeredGraph.Place(x: x, y: rows.tops[block])
        }
        drawing.lines = layering.graph.edges.indices.map { line($0, drawing.places) }
        // Edges that run outside are above zero; everything moves down under them.
        let shift = outerRows.values.min().map { -$0 } ?? 0
        for index in drawing.places.indices { drawing.places[index].y += shift }
        for index in drawing.lines.indices {
            for corner in drawing.lines[index].indices { drawing.lines[index][corner].y += shift }
        }
        for index in drawing.bands.indices { drawing.bands[index].top += shift }
        if shift > 0, layering.graph.hasLanes {
            drawing.bands[0].top = 0
            drawing.bands[0].height += shift
        }
        drawing.width = channels.last.map { $0.left + $0.width } ?? 0
        drawing.height = (rows.bands.last.map { $0.top + $0.height } ?? 0) + shift
        return drawing
    }

    private func line(_ index: Int, _ places: [LayeredGraph.Place]) -> [LayeredGraph.Place] {
        let edge = layering.graph.edges[index]
        var corners = [LayeredGraph.Place(x: places[edge.source].x + edge.sourceX, y: startY(index))]
        func turn(_ channel: Int, from: Int, to: Int) {
            guard let x = turnX(key(index, channel, from)) else { return }
            corners.append(LayeredGraph.Place(x: x, y: from))
            corners.append(LayeredGraph.Place(x: x, y: to))
        }
        if let row = outerRows[index] {
            let (source, target) = layering.layers(of: index)
            turn(source + 1, from: startY(index), to: row)
            turn(target, from: row, to: endY(index))
        }
        for hop in layering.hops[index] {
            let (from, to) = heights(hop, index)
            if from != to { turn(hop.channel, from: from, to: to) }
        }
        corners.append(LayeredGraph.Place(x: places[edge.target].x + edge.targetX, y: endY(index)))
        return corners
    }
}
