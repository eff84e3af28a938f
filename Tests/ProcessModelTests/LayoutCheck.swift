import ProcessModel
import Testing

/// Checks what every drawing promises.
struct LayoutCheck {
    private let document: BPMNDocument
    private let name: String
    /// The lane that names a node first, and the first pool of a process.
    private var lanes: [ElementID: ElementID] = [:]
    private var pools: [ElementID: ElementID] = [:]

    init(_ document: BPMNDocument, _ name: String) {
        self.document = document
        self.name = name
        for element in document.descendants(of: document.root) {
            switch document[element].name.local {
            case "flowNodeRef":
                guard let node = document.resolve(document.text(of: element)), lanes[node] == nil else { continue }
                lanes[node] = document[element].parent
            case "participant":
                guard let process = document.target(of: element, "processRef"), pools[process] == nil else { continue }
                pools[process] = element
            default: continue
            }
        }
    }

    func run() {
        for diagram in document.diagrams() {
            var bounds: [ElementID: DiagramBounds] = [:]
            for shape in diagram.shapes { bounds[shape.element] = shape.bounds }
            checkShapes(diagram, bounds)
            let nodes = diagram.shapes.filter { !["group", "lane", "participant"].contains(local($0.element)) }
            let siblings = Dictionary(grouping: nodes) { document[$0.element].parent }
            for edge in diagram.edges {
                check(edge, bounds)
                checkCrossings(edge, siblings[document[edge.element].parent] ?? [])
            }
        }
    }

    private func local(_ element: ElementID) -> String { document[element].name.local }

    private func label(_ element: ElementID) -> String {
        "\(local(element)) \(document[element].attribute("id") ?? "") in \(name)"
    }

    // MARK: Shapes

    private func checkShapes(_ diagram: DiagramGeometry, _ bounds: [ElementID: DiagramBounds]) {
        var siblings: [ElementID: [DiagramGeometry.Shape]] = [:]
        for shape in diagram.shapes {
            for container in containers(of: shape.element) {
                guard let around = bounds[container] else { continue }
                #expect(around.contains(shape.bounds), "\(label(shape.element)) outside \(label(container))")
            }
            if local(shape.element) == "boundaryEvent" {
                checkBoundary(shape, bounds)
            } else if let parent = document[shape.element].parent, local(shape.element) != "group" {
                siblings[parent, default: []].append(shape)
            }
        }
        for group in siblings.values {
            let sorted = group.sorted { $0.bounds.x < $1.bounds.x }
            for (index, shape) in sorted.enumerated() {
                for other in sorted[(index + 1)...] {
                    guard other.bounds.x < shape.bounds.maxX else { break }
                    if containers(of: shape.element).contains(other.element)
                        || containers(of: other.element).contains(shape.element)
                    {
                        continue
                    }
                    if shape.bounds.overlaps(other.bounds) {
                        Issue.record("\(label(shape.element)) on \(label(other.element))")
                    }
                }
            }
        }
    }

    private func checkBoundary(_ shape: DiagramGeometry.Shape, _ bounds: [ElementID: DiagramBounds]) {
        guard let host = document.target(of: shape.element, "attachedToRef").flatMap({ bounds[$0] }) else { return }
        let middle = shape.bounds.center
        #expect(middle.y == host.maxY && host.x <= middle.x && middle.x <= host.maxX, "\(label(shape.element)) is off")
    }

    /// The sub-process around, the lanes that name it, and the pools of its process.
    private func containers(of element: ElementID) -> [ElementID] {
        let kinds = ["subProcess", "adHocSubProcess", "transaction"]
        guard let parent = document[element].parent else { return [] }
        if kinds.contains(local(parent)) { return [parent] }
        if local(element) == "lane" {
            return document[parent].parent.map { local($0) == "lane" ? [$0] : [] } ?? []
        }
        guard local(parent) == "process" else { return [] }
        return [lanes[element], pools[parent]].compactMap { $0 }
    }

    // MARK: Edges

    private func check(_ edge: DiagramGeometry.Edge, _ bounds: [ElementID: DiagramBounds]) {
        let line = edge.waypoints
        for (from, to) in zip(line, line.dropFirst()) {
            #expect((from.x == to.x) != (from.y == to.y), "\(label(edge.element)) is not at right angles: \(line)")
        }
        guard let first = line.first, let last = line.last else { return }
        let owner = document[edge.element].parent
        let kind = local(edge.element)
        let source = kind == "dataOutputAssociation" ? owner : document.target(of: edge.element, "sourceRef")
        let target = kind == "dataInputAssociation" ? owner : document.target(of: edge.element, "targetRef")
        for (end, point) in [(source, first), (target, last)] {
            guard let end, let box = bounds[end] else {
                Issue.record("\(label(edge.element)) has no end")
                continue
            }
            #expect(isOnBorder(point, of: end, box), "\(label(edge.element)) misses \(label(end)): \(point), \(box)")
        }
    }

    /// Flows between nodes pass none; into a boundary event only the way that crosses least is promised.
    private func checkCrossings(_ edge: DiagramGeometry.Edge, _ siblings: [DiagramGeometry.Shape]) {
        guard local(edge.element) == "sequenceFlow", let target = document.target(of: edge.element, "targetRef"),
            local(target) != "boundaryEvent"
        else { return }
        for (from, to) in zip(edge.waypoints, edge.waypoints.dropFirst()) {
            let piece = DiagramBounds(
                x: min(from.x, to.x), y: min(from.y, to.y), width: abs(from.x - to.x), height: abs(from.y - to.y))
            for shape in siblings where shape.bounds.overlaps(piece) {
                Issue.record("\(label(edge.element)) crosses \(label(shape.element)): \(edge.waypoints)")
            }
        }
    }

    private func isOnBorder(_ point: DiagramPoint, of element: ElementID, _ box: DiagramBounds) -> Bool {
        let (dx, dy) = (abs(point.x - box.center.x), abs(point.y - box.center.y))
        let kind = local(element)
        if kind.hasSuffix("Event") { return abs((dx * dx + dy * dy).squareRoot() - box.width / 2) < 0.01 }
        if kind.hasSuffix("Gateway") { return abs(dx / (box.width / 2) + dy / (box.height / 2) - 1) < 0.01 }
        return max(dx - box.width / 2, dy - box.height / 2) == 0
    }
}
