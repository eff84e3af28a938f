/// A layered drawing of a directed graph, left to right (after Sugiyama, Tagawa and Toda, 1981).
///
/// Nodes are blocks: rectangles that hold a shape and whatever belongs to it. Edges leave a block to the right and enter
/// another from the left; between two layers lies a channel in which they turn. Where an edge passes a layer, or comes
/// back through it, it has a slot of its own among the blocks, so that no edge crosses a block.
///
/// Deterministic; takes time O((n + m) log n) for n nodes and m edges, since an edge has at most `slotSpanMax` slots.
struct LayeredGraph {
    /// A rectangle to place.
    struct Block {
        var width: Int
        var height: Int
        /// How far below its top the main line runs: blocks in a row are aligned there.
        var port: Int
        /// The lane it must stay in; 0 where there are none.
        var band = 0
    }

    /// A line to draw.
    struct Edge {
        var source: Int
        var target: Int
        /// Where it starts, from the upper left corner of the source block.
        var sourceX: Int
        var sourceY: Int
        /// Where it ends, from the upper left corner of the target block.
        var targetX: Int
        var targetY: Int
        /// What its channel must have room for.
        var labelWidth = 0
    }

    /// Where a block or a corner of a line went.
    struct Place: Hashable {
        var x: Int
        var y: Int
    }

    var blocks: [Block] = []
    var edges: [Edge] = []
    /// How many lanes there are.
    var bandCount = 1
    /// Whether bands are lanes, with space around their contents.
    var hasLanes = false

    /// The drawing.
    struct Drawing {
        /// The upper left corner of each block.
        var places: [Place] = []
        /// The corners of each edge, from its start to its end.
        var lines: [[Place]] = []
        /// Top and height of each lane.
        var bands: [(top: Int, height: Int)] = []
        var width = 0
        var height = 0
    }

    /// Space between blocks of a layer, between a block and a slot, between slots, around a lane's content.
    static let (blockGap, slotGap, slotPitch, bandPadding) = (30, 18, 14, 20)
    /// The least height of a lane.
    static let bandHeightMin = 120
    /// Edges over more layers run outside, above everything.
    static let slotSpanMax = 24

    /// Draws the graph.
    func draw() -> Drawing {
        let layering = Layering(self)
        var order = SlotOrder(layering)
        order.reduceCrossings()
        var rows = RowPlacement(layering, order)
        rows.place()
        return ChannelRouting(layering, rows).draw()
    }
}
