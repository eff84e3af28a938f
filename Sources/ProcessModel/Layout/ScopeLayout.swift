/// The drawing of what stands in one process or sub-process; its upper left corner is the origin.
struct ScopeLayout {
    private(set) var geometry = DiagramGeometry(element: nil, shapes: [], edges: [])
    private(set) var width = 0
    private(set) var height = 0
    /// Lines between elements that were placed apart; drawn when everything has its place.
    private(set) var connections: [ScopeContent.Connection] = []
    private(set) var lanes: LaneLayout
    private(set) var bands: [(top: Int, height: Int)] = []

    private let document: BPMNDocument
    private let content: ScopeContent
    private var blocks: [LayoutBlock] = []
    private var blockNumbers: [ElementID: Int] = [:]
    /// The drawings inside the blocks of sub-processes.
    private var inner: [ElementID: ScopeLayout] = [:]
    private var bandNumbers: [Int] = []
    /// The associations between a companion and its node, by the companion.
    private var uprights: [ElementID: [ScopeContent.Connection]] = [:]

    /// Space between the drawings of parts that are not connected, and around the contents of a sub-process.
    private static let (partGap, scopePadding, scopeHeader) = (40, 30, 40)
    /// Rows of single blocks are not longer than this, unless other content is.
    private static let rowWidthMin = 800

    /// Recursive over sub-processes: documents are nested at most 256 deep.
    init(of scope: ElementID, in document: BPMNDocument) {
        self.document = document
        content = ScopeContent(of: scope, in: document)
        lanes = LaneLayout(content.laneSets, nodes: content.nodes, in: document)
        makeBlocks()
        draw()
    }

    // MARK: Blocks

    private mutating func makeBlocks() {
        let attached = attachArtifacts()
        for node in content.nodes {
            let companions = (attached[node] ?? []).map { companion($0) }
            let events = (content.boundary[node] ?? []).map { companion($0) }
            var size = self.size(of: node)
            if LayoutRole(document[node].name.local) == .scope {
                let drawing = ScopeLayout(of: node, in: document)
                if !drawing.isEmpty {
                    size = (
                        drawing.width + 2 * ScopeLayout.scopePadding,
                        drawing.height + ScopeLayout.scopeHeader + ScopeLayout.scopePadding
                    )
                    connections += drawing.connections
                    inner[node] = drawing
                }
            }
            append(
                LayoutBlock(
                    node: node, width: size.width, height: size.height, labelBelow: labelSize(of: node),
                    above: companions, boundary: events), band: lanes.bands[node] ?? 0)
        }
        let placed = Set(attached.values.joined())
        for artifact in content.artifacts where !placed.contains(artifact) {
            let size = self.size(of: artifact)
            append(
                LayoutBlock(
                    node: artifact, width: size.width, height: size.height, labelBelow: labelSize(of: artifact),
                    above: [], boundary: []), band: 0)
        }
    }

    private mutating func append(_ block: LayoutBlock, band: Int) {
        blockNumbers[block.node] = blocks.count
        blocks.append(block)
        bandNumbers.append(band)
    }

    /// Sorts data and annotations to the node of their first association.
    private mutating func attachArtifacts() -> [ElementID: [ElementID]] {
        let artifacts = Set(content.artifacts)
        let nodes = Set(content.nodes)
        var hosts: [ElementID: ElementID] = [:]
        for (host, events) in content.boundary { for event in events { hosts[event] = host } }
        var attached: [ElementID: [ElementID]] = [:]
        var placed: [ElementID: ElementID] = [:]
        for association in content.associations {
            let ends = [association.source, association.target]
            guard let artifact = ends.first(where: artifacts.contains),
                let other = ends.first(where: { $0 != artifact })
            else {
                connections.append(association)
                continue
            }
            let host = nodes.contains(other) ? other : hosts[other]
            if placed[artifact] == nil, let host {
                attached[host, default: []].append(artifact)
                placed[artifact] = host
            }
            // One line straight up; any other is drawn around what is between.
            if placed[artifact] == other {
                uprights[artifact, default: []].append(association)
            } else {
                connections.append(association)
            }
        }
        return attached
    }

    private func companion(_ element: ElementID) -> LayoutBlock.Companion {
        let size = self.size(of: element)
        return LayoutBlock.Companion(
            element: element, width: size.width, height: size.height, label: labelSize(of: element))
    }

    private func size(of element: ElementID) -> (width: Int, height: Int) {
        switch LayoutRole(document[element].name.local) {
        case .event, .boundaryEvent: return (36, 36)
        case .gateway: return (50, 50)
        case .dataObject: return (36, 50)
        case .dataStore: return (50, 50)
        case .annotation:
            let text = document.child(of: element, named: "text").map { document.text(of: $0) } ?? ""
            return (100, max(LabelText.size(text, width: 90).height + 10, 30))
        case .group: return (200, 150)
        default: return (100, 80)
        }
    }

    /// The room for a name below a shape; names of activities stand inside.
    private func labelSize(of element: ElementID) -> (width: Int, height: Int) {
        switch LayoutRole(document[element].name.local) {
        case .event, .boundaryEvent, .gateway, .dataObject, .dataStore:
            return LabelText.size(document[element].attribute("name") ?? "", width: 90)
        default:
            return (0, 0)
        }
    }

    // MARK: Drawing

    /// Whether there is nothing to draw.
    var isEmpty: Bool { blocks.isEmpty }

    private mutating func draw() {
        guard !blocks.isEmpty else { return }
        var flows = drawableFlows()
        if lanes.bandCount > 0 {
            let drawing = draw(Array(blocks.indices), flows, dx: lanes.headersWidth + 20)
            bands = drawing.bands
            width = lanes.headersWidth + drawing.width + 40
            height = drawing.height
            return
        }
        var top = 0
        var singles: [Int] = []
        for part in parts(&flows) {
            let members = Set(part)
            let own = flows.prefix { members.contains($0.source) }
            flows = flows.dropFirst(own.count)
            if part.count == 1, own.isEmpty {
                singles += part
                continue
            }
            let drawing = draw(part, own, dy: top)
            width = max(width, drawing.width)
            top += drawing.height + ScopeLayout.partGap
        }
        top = placeInRows(singles, top: top)
        height = top - ScopeLayout.partGap
    }

    private struct Flow {
        let connection: ScopeContent.Connection
        let source: Int
        let target: Int
        /// The number of the boundary event it leaves, when it does.
        var boundary: Int?
    }

    /// The flows that can be drawn between blocks; those into boundary events are drawn later.
    private mutating func drawableFlows() -> ArraySlice<Flow> {
        var events: [ElementID: (host: Int, number: Int)] = [:]
        for (number, block) in blocks.enumerated() {
            for (position, event) in block.boundary.enumerated() {
                events[event.companion.element] = (number, position)
            }
        }
        var flows: [Flow] = []
        for flow in content.flows {
            guard let target = blockNumbers[flow.target] else {
                connections.append(flow)
                continue
            }
            if let source = blockNumbers[flow.source] {
                flows.append(Flow(connection: flow, source: source, target: target))
            } else if let event = events[flow.source] {
                flows.append(Flow(connection: flow, source: event.host, target: target, boundary: event.number))
            }
        }
        return flows[...]
    }

    /// The connected parts in the order of their first blocks; `flows` is sorted along with them.
    private func parts(_ flows: inout ArraySlice<Flow>) -> [[Int]] {
        var roots = Array(blocks.indices)
        func root(_ block: Int) -> Int {
            var block = block
            while roots[block] != block {
                roots[block] = roots[roots[block]]
                block = roots[block]
            }
            return block
        }
        for flow in flows {
            let (one, other) = (root(flow.source), root(flow.target))
            roots[max(one, other)] = min(one, other)
        }
        var members: [[Int]] = Array(repeating: [], count: blocks.count)
        for block in blocks.indices { members[root(block)].append(block) }
        var flowsOf: [[Flow]] = Array(repeating: [], count: blocks.count)
        for flow in flows { flowsOf[root(flow.source)].append(flow) }
        flows = flowsOf.flatMap { $0 }[...]
        return members.filter { !$0.isEmpty }
    }

    /// Draws one connected part, or everything in lanes.
    private mutating func draw(
        _ part: [Int], _ flows: ArraySlice<Flow>, dx: Int = 0, dy: Int = 0
    ) -> LayeredGraph.Drawing {
        var graph = LayeredGraph()
        graph.bandCount = max(lanes.bandCount, 1)
        graph.hasLanes = lanes.bandCount > 0
        var numbers: [Int: Int] = [:]
        for (number, index) in part.enumerated() {
            numbers[index] = number
            let block = blocks[index]
            graph.blocks.append(
                .init(width: block.width, height: block.height, port: block.port, band: bandNumbers[index]))
        }
        for flow in flows {
            guard let source = numbers[flow.source], let target = numbers[flow.target] else { continue }
            let (from, to) = (blocks[flow.source], blocks[flow.target])
            var edge = LayeredGraph.Edge(
                source: source, target: target, sourceX: from.shape.x + from.shape.width, sourceY: from.port,
                targetX: to.shape.x, targetY: to.port)
            if let number = flow.boundary {
                edge.sourceX = from.boundary[number].x + LayoutBlock.eventSize / 2
                edge.sourceY = from.boundaryTurns[number]
            }
            edge.labelWidth = LabelText.size(document[flow.connection.element].attribute("name") ?? "", width: 90).width
            if edge.labelWidth > 0 { edge.labelWidth += 8 }
            graph.edges.append(edge)
        }
        let drawing = graph.draw()
        for (number, index) in part.enumerated() {
            place(index, x: drawing.places[number].x + dx, y: drawing.places[number].y + dy)
        }
        for (flow, line) in zip(flows, drawing.lines) {
            var corners = line.map { DiagramPoint(x: Double($0.x + dx), y: Double($0.y + dy)) }
            if let number = flow.boundary, let first = corners.first {
                let block = blocks[flow.source]
                let drop = block.boundaryTurns[number] - block.boundary[number].y - LayoutBlock.eventSize
                corners.insert(DiagramPoint(x: first.x, y: first.y - Double(drop)), at: 0)
            }
            addEdge(flow.connection.element, corners)
        }
        return drawing
    }

    private mutating func placeInRows(_ singles: [Int], top: Int) -> Int {
        var (x, y, rowHeight) = (0, top, 0)
        let limit = max(width, ScopeLayout.rowWidthMin)
        for index in singles {
            if x > 0, x + blocks[index].width > limit {
                (x, y, rowHeight) = (0, y + rowHeight + ScopeLayout.partGap, 0)
            }
            place(index, x: x, y: y)
            width = max(width, x + blocks[index].width)
            x += blocks[index].width + ScopeLayout.partGap
            rowHeight = max(rowHeight, blocks[index].height)
        }
        return singles.isEmpty ? y : y + rowHeight + ScopeLayout.partGap
    }

    // MARK: Shapes and edges

    private func bounds(_ x: Int, _ y: Int, _ width: Int, _ height: Int) -> DiagramBounds {
        DiagramBounds(x: Double(x), y: Double(y), width: Double(width), height: Double(height))
    }

    /// Adds everything that belongs to a block.
    private mutating func place(_ index: Int, x: Int, y: Int) {
        let block = blocks[index]
        let shape = bounds(x + block.shape.x, y + block.shape.y, block.shape.width, block.shape.height)
        let isScope = LayoutRole(document[block.node].name.local) == .scope
        geometry.shapes.append(
            .init(
                element: block.node, bounds: shape,
                label: block.label.map { bounds(x + $0.x, y + $0.y, $0.width, $0.height) },
                isExpanded: isScope ? inner[block.node] != nil : nil))
        if let drawing = inner[block.node] {
            var content = drawing.geometry
            content.shapes.insert(contentsOf: drawing.laneShapes(width: drawing.width), at: 0)
            // The shape may be wider than its content, when it has many boundary events.
            content.move(
                shape.x + ((shape.width - Double(drawing.width)) / 2).rounded(),
                shape.y + Double(ScopeLayout.scopeHeader))
            geometry.append(content)
        }
        for (companion, left, top) in block.above {
            add(companion, x: x + left, y: y + top)
            for association in uprights[companion.element] ?? [] {
                let line = uprightLine(from: companion, at: (x + left, y + top), to: shape, of: block.node)
                let isDownwards = association.source == companion.element
                addEdge(association.element, isDownwards ? line : line.reversed())
            }
        }
        for (event, left, top) in block.boundary { add(event, x: x + left, y: y + top, isBoundary: true) }
    }

    private mutating func add(_ companion: LayoutBlock.Companion, x: Int, y: Int, isBoundary: Bool = false) {
        var label: DiagramBounds?
        if companion.label.height > 0 {
            // Below a boundary event its flow leaves, so the name stands to the right of that.
            let left = isBoundary ? x + companion.width / 2 + 4 : x + (companion.width - companion.label.width) / 2
            label = bounds(left, y + companion.height + 2, companion.label.width, companion.label.height)
        }
        geometry.shapes.append(
            .init(element: companion.element, bounds: bounds(x, y, companion.width, companion.height), label: label))
    }

    /// From a companion down to the upper border of its node, through the space kept between them.
    private func uprightLine(
        from companion: LayoutBlock.Companion, at corner: (x: Int, y: Int), to shape: DiagramBounds, of node: ElementID
    ) -> [DiagramPoint] {
        let x = Double(corner.x) + Double(companion.width) / 2
        let bottom = Double(corner.y + companion.height + companion.label.height)
        let role = LayoutRole(document[node].name.local)
        let hasFlatTop = role == .activity || role == .scope
        let end = hasFlatTop ? min(max(x, shape.x + 10), shape.maxX - 10) : shape.center.x
        // With a name below, the line starts at the side of the shape that has none.
        var line = [DiagramPoint(x: x, y: Double(corner.y + companion.height))]
        if companion.label.height > 0 {
            let side = Double(corner.x) + Double(companion.width)
            let middle = Double(corner.y) + Double(companion.height) / 2
            let lane = max(side, x + Double(companion.label.width) / 2) + 6
            line = [DiagramPoint(x: side, y: middle), DiagramPoint(x: lane, y: middle)]
        }
        let turn = max(bottom, shape.y - 12)
        if let last = line.last, last.x != end {
            line += [DiagramPoint(x: last.x, y: turn), DiagramPoint(x: end, y: turn)]
        }
        line.append(DiagramPoint(x: end, y: shape.y))
        return line
    }

    private mutating func addEdge(_ element: ElementID, _ corners: [DiagramPoint]) {
        let line = corners.withoutNeedlessCorners
        geometry.edges.append(
            .init(
                element: element, waypoints: line, label: EdgeLabel.bounds(document[element].attribute("name"), line)))
    }

    /// The shapes of the lanes, as wide as told.
    func laneShapes(width: Int) -> [DiagramGeometry.Shape] {
        bands.isEmpty ? [] : lanes.shapes(bands, width: width)
    }
}
