/// A place on a diagram, in pixels; x grows to the right, y downwards.
public struct DiagramPoint: Hashable, Sendable {
    /// From the left.
    public var x: Double
    /// From the top.
    public var y: Double

    /// Creates a point.
    public init(x: Double, y: Double) {
        self.x = x
        self.y = y
    }
}

/// A rectangle on a diagram, in pixels.
public struct DiagramBounds: Hashable, Sendable {
    /// The left edge.
    public var x: Double
    /// The upper edge.
    public var y: Double
    /// Never negative in what the layout makes.
    public var width: Double
    /// Never negative in what the layout makes.
    public var height: Double

    /// Creates a rectangle from its upper left corner and its size.
    public init(x: Double, y: Double, width: Double, height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// The right edge.
    public var maxX: Double { x + width }
    /// The lower edge.
    public var maxY: Double { y + height }
    /// The point in the middle.
    public var center: DiagramPoint { DiagramPoint(x: x + width / 2, y: y + height / 2) }

    /// Whether two rectangles share more than an edge.
    public func overlaps(_ other: DiagramBounds) -> Bool {
        x < other.maxX && other.x < maxX && y < other.maxY && other.y < maxY
    }

    /// Whether another rectangle lies inside this one.
    public func contains(_ other: DiagramBounds) -> Bool {
        x <= other.x && other.maxX <= maxX && y <= other.y && other.maxY <= maxY
    }

    /// The smallest rectangle around both.
    public func union(_ other: DiagramBounds) -> DiagramBounds {
        let (left, top) = (min(x, other.x), min(y, other.y))
        return DiagramBounds(
            x: left, y: top, width: max(maxX, other.maxX) - left, height: max(maxY, other.maxY) - top)
    }

    func moved(_ dx: Double, _ dy: Double) -> DiagramBounds {
        DiagramBounds(x: x + dx, y: y + dy, width: width, height: height)
    }
}

/// A diagram without its spelling: where each element is drawn.
public struct DiagramGeometry: Sendable {
    /// A node, a pool, a lane, a data object, an annotation.
    public struct Shape: Sendable, Hashable {
        /// The element drawn.
        public var element: ElementID
        /// Where it stands.
        public var bounds: DiagramBounds
        /// Where its name stands, when that is not inside.
        public var label: DiagramBounds?
        /// Of sub-processes: whether their contents are drawn inside.
        public var isExpanded: Bool?
        /// Of pools and lanes: whether they run from left to right.
        public var isHorizontal: Bool?
        /// The colour inside, as the document writes it.
        public var fill: String?
        /// The colour of the border, as the document writes it.
        public var stroke: String?
    }

    /// A flow or an association.
    public struct Edge: Sendable, Hashable {
        /// The element drawn.
        public var element: ElementID
        /// The corners of its line with both ends, in its direction.
        public var waypoints: [DiagramPoint]
        /// Where its name stands.
        public var label: DiagramBounds?
        /// The colour, as the document writes it.
        public var stroke: String?
    }

    /// The process or collaboration drawn, when the document says.
    public var element: ElementID?
    /// The shapes; what contains others comes before them.
    public var shapes: [Shape]
    /// The lines between shapes.
    public var edges: [Edge]

    /// Creates a drawing.
    public init(element: ElementID?, shapes: [Shape], edges: [Edge]) {
        self.element = element
        self.shapes = shapes
        self.edges = edges
    }

    /// The smallest rectangle around everything drawn; nil when nothing is.
    public var bounds: DiagramBounds? {
        var around = shapes.map(\.bounds)
        around += shapes.compactMap(\.label) + edges.compactMap(\.label)
        around += edges.flatMap(\.waypoints).map { DiagramBounds(x: $0.x, y: $0.y, width: 0, height: 0) }
        guard let first = around.first else { return nil }
        return around.dropFirst().reduce(first) { $0.union($1) }
    }

    mutating func move(_ dx: Double, _ dy: Double) {
        for index in shapes.indices {
            shapes[index].bounds = shapes[index].bounds.moved(dx, dy)
            shapes[index].label = shapes[index].label?.moved(dx, dy)
        }
        for index in edges.indices {
            edges[index].waypoints = edges[index].waypoints.map { DiagramPoint(x: $0.x + dx, y: $0.y + dy) }
            edges[index].label = edges[index].label?.moved(dx, dy)
        }
    }

    mutating func append(_ other: DiagramGeometry) {
        shapes += other.shapes
        edges += other.edges
    }
}
