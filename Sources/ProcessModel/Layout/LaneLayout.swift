/// The lanes of a process: which node belongs to which, and where each is drawn.
struct LaneLayout {
    private struct Lane {
        let element: ElementID
        let depth: Int
        /// The bands it covers; one of a lane without lanes inside.
        let bands: ClosedRange<Int>
    }

    private var lanes: [Lane] = []
    private(set) var bandCount = 0
    private(set) var bands: [ElementID: Int] = [:]
    private var depth = 0

    /// The width of the strip with a lane's name.
    static let headerWidth = 30

    /// - Parameter nodes: The nodes to sort into lanes; those in none get a band of their own above all.
    init(_ laneSets: [ElementID], nodes: [ElementID], in document: BPMNDocument) {
        let known = Set(nodes)
        var hasStray = false
        for laneSet in laneSets { add(laneSet, depth: 0, known, document) }
        guard bandCount > 0 else { return }
        for node in nodes where bands[node] == nil {
            bands[node] = -1
            hasStray = true
        }
        guard hasStray else { return }
        bandCount += 1
        bands = bands.mapValues { $0 + 1 }
        lanes = lanes.map {
            Lane(element: $0.element, depth: $0.depth, bands: $0.bands.lowerBound + 1...$0.bands.upperBound + 1)
        }
    }

    /// How much of the left side the names of lanes take.
    var headersWidth: Int { bandCount == 0 ? 0 : (depth + 1) * LaneLayout.headerWidth }

    /// Recursive: documents are nested at most 256 deep.
    private mutating func add(
        _ laneSet: ElementID, depth: Int, _ known: Set<ElementID>, _ document: BPMNDocument
    ) {
        for lane in document.children(of: laneSet, named: ["lane"]) {
            let first = bandCount
            let place = lanes.count
            if let inner = document.child(of: lane, named: "childLaneSet") {
                add(inner, depth: depth + 1, known, document)
            }
            if bandCount == first { bandCount += 1 }
            lanes.insert(Lane(element: lane, depth: depth, bands: first...bandCount - 1), at: place)
            self.depth = max(self.depth, depth)
            for reference in document.children(of: lane, named: ["flowNodeRef"]) {
                guard let node = document.resolve(document.text(of: reference)), known.contains(node),
                    bands[node] == nil
                else { continue }
                bands[node] = first
            }
        }
    }

    /// The shapes of the lanes, outer ones first.
    ///
    /// - Parameters:
    ///   - spans: Top and height of each band.
    ///   - width: The width of an outermost lane.
    func shapes(_ spans: [(top: Int, height: Int)], width: Int) -> [DiagramGeometry.Shape] {
        lanes.map { lane in
            let (first, last) = (spans[lane.bands.lowerBound], spans[lane.bands.upperBound])
            let x = lane.depth * LaneLayout.headerWidth
            return DiagramGeometry.Shape(
                element: lane.element,
                bounds: DiagramBounds(
                    x: Double(x), y: Double(first.top), width: Double(width - x),
                    height: Double(last.top + last.height - first.top)),
                isHorizontal: true)
        }
    }
}
