/// Draws lines between shapes that already have their places, around what is between where it can.
///
/// A line leaves and enters at the middle of a side, on activities a little aside of lines that are there already. Of the
/// simple ways (at most five bends) the shortest with the fewest bends that crosses no shape is taken, or the one that
/// crosses fewest.
struct ConnectorRouter {
    /// An end of a line.
    struct End {
        let bounds: DiagramBounds
        /// Whether its border is straight, so that lines may meet it beside the middle.
        let isFlat: Bool
        /// Whether it is drawn around others, so that lines only meet it above and below: a pool.
        var isPool = false
    }

    private enum Side: CaseIterable {
        case top, bottom, left, right

        var isHorizontal: Bool { self == .left || self == .right }
    }

    /// Shapes no line should cross, sorted by their left edge.
    private var obstacles: [DiagramBounds]
    /// How many lines meet a shape above or below.
    private var meetings: [DiagramBounds: Int] = [:]
    private let widest: Double
    private static let stub = 12.0
    /// How many ways are compared with the shapes before the best so far is taken.
    private static let comparedMax = 40
    /// How many comparisons of a line with a shape are left; then the shortest ways are taken as they are.
    private var comparisonsLeft = 20_000_000

    init(obstacles: [DiagramBounds]) {
        self.obstacles = obstacles.sorted { ($0.x, $0.y) < ($1.x, $1.y) }
        widest = obstacles.map(\.width).max() ?? 0
    }

    /// The corners of a line from one shape to another.
    mutating func line(from source: End, to target: End) -> [DiagramPoint] {
        let (from, to) = (facing(source, target), facing(target, source))
        let shift = max(nextShift(source), nextShift(target))
        var ways: [(cost: Double, line: [DiagramPoint])] = []
        for start in sides(source) {
            for end in sides(target) {
                for line in lines(from, start, source.isFlat ? shift : 0, to, end, target.isFlat ? shift : 0) {
                    ways.append((cost(line), line))
                }
            }
        }
        ways.sort { $0.cost < $1.cost }
        var best: (crossings: Int, line: [DiagramPoint])?
        for way in ways.prefix(comparisonsLeft > 0 ? ConnectorRouter.comparedMax : 1) {
            let crossings = crossings(way.line)
            if best.map({ crossings < $0.crossings }) ?? true { best = (crossings, way.line) }
            if crossings == 0 { break }
        }
        meetings[source.bounds, default: 0] += 1
        meetings[target.bounds, default: 0] += 1
        return best?.line ?? [from.center, to.center]
    }

    private func sides(_ end: End) -> [Side] {
        end.isPool ? [.top, .bottom] : Side.allCases
    }

    /// Of a pool, the piece of it that lies opposite the other end.
    private func facing(_ end: End, _ other: End) -> DiagramBounds {
        guard end.isPool else { return end.bounds }
        let reference = other.isPool ? max(end.bounds.x, other.bounds.x) + 60 : other.bounds.center.x
        let x = min(max(reference, end.bounds.x + 20), end.bounds.maxX - 20)
        return DiagramBounds(x: x - 20, y: end.bounds.y, width: 40, height: end.bounds.height)
    }

    /// How far from the middle the next line meets a shape: 0, 12, -12, 24, -24, then the same again.
    private func nextShift(_ end: End) -> Double {
        guard end.isFlat else { return 0 }
        let number = (meetings[end.bounds] ?? 0) % 5
        return Double((number + 1) / 2 * (number.isMultiple(of: 2) ? -12 : 12))
    }

    private func port(_ bounds: DiagramBounds, _ side: Side, _ shift: Double) -> DiagramPoint {
        let shift = min(max(shift, -bounds.width / 2 + 6), bounds.width / 2 - 6)
        switch side {
        case .top: return DiagramPoint(x: bounds.center.x + shift, y: bounds.y)
        case .bottom: return DiagramPoint(x: bounds.center.x + shift, y: bounds.maxY)
        case .left: return DiagramPoint(x: bounds.x, y: bounds.center.y)
        case .right: return DiagramPoint(x: bounds.maxX, y: bounds.center.y)
        }
    }

    private func stub(_ point: DiagramPoint, _ side: Side) -> DiagramPoint {
        switch side {
        case .top: DiagramPoint(x: point.x, y: point.y - ConnectorRouter.stub)
        case .bottom: DiagramPoint(x: point.x, y: point.y + ConnectorRouter.stub)
        case .left: DiagramPoint(x: point.x - ConnectorRouter.stub, y: point.y)
        case .right: DiagramPoint(x: point.x + ConnectorRouter.stub, y: point.y)
        }
    }

    /// The simple ways between two sides.
    private func lines(
        _ from: DiagramBounds, _ start: Side, _ startShift: Double, _ to: DiagramBounds, _ end: Side,
        _ endShift: Double
    ) -> [[DiagramPoint]] {
        let (first, last) = (port(from, start, startShift), port(to, end, endShift))
        let (a, b) = (stub(first, start), stub(last, end))
        let middle = DiagramPoint(x: ((a.x + b.x) / 2).rounded(), y: ((a.y + b.y) / 2).rounded())
        let around = from.union(to)
        func overX(_ x: Double) -> [DiagramPoint] { [DiagramPoint(x: x, y: a.y), DiagramPoint(x: x, y: b.y)] }
        func overY(_ y: Double) -> [DiagramPoint] { [DiagramPoint(x: a.x, y: y), DiagramPoint(x: b.x, y: y)] }
        let ways = [
            overX(a.x), overX(b.x), overX(middle.x), overY(middle.y),
            overX(around.x - 2 * ConnectorRouter.stub), overX(around.maxX + 2 * ConnectorRouter.stub),
            overY(around.y - 2 * ConnectorRouter.stub), overY(around.maxY + 2 * ConnectorRouter.stub),
        ]
        return ways.compactMap { way in
            let line = ([first, a] + way + [b, last])
            let corners = line.withoutNeedlessCorners
            return turnsBack(line) || corners.count < 2 ? nil : corners
        }
    }

    /// Whether a line runs back over itself.
    private func turnsBack(_ line: [DiagramPoint]) -> Bool {
        var previous: (Double, Double)?
        for (from, to) in zip(line, line.dropFirst()) where from != to {
            let direction = (to.x - from.x, to.y - from.y)
            if let previous, previous.0 * direction.0 + previous.1 * direction.1 < 0 { return true }
            previous = direction
        }
        return false
    }

    private func cost(_ line: [DiagramPoint]) -> Double {
        let length = zip(line, line.dropFirst()).reduce(0) { $0 + abs($1.0.x - $1.1.x) + abs($1.0.y - $1.1.y) }
        return length + 40 * Double(line.count)
    }

    private mutating func crossings(_ line: [DiagramPoint]) -> Int {
        var count = 0
        for (start, end) in zip(line, line.dropFirst()) {
            let (left, right) = (min(start.x, end.x), max(start.x, end.x))
            let (top, bottom) = (min(start.y, end.y), max(start.y, end.y))
            guard comparisonsLeft > 0 else { return count }
            var index = firstObstacle(from: left - widest)
            while index < obstacles.count, obstacles[index].x < right {
                let obstacle = obstacles[index]
                index += 1
                comparisonsLeft -= 1
                if obstacle.maxX > left, obstacle.y < bottom, obstacle.maxY > top { count += 1 }
                if count > 20 { return count }
            }
        }
        return count
    }

    /// The first obstacle whose left edge is not before this.
    private func firstObstacle(from x: Double) -> Int {
        var (low, high) = (0, obstacles.count)
        while low < high {
            let middle = (low + high) / 2
            if obstacles[middle].x < x { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
