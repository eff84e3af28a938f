/// Draws the processes and collaborations of a document.
struct DiagramLayout {
    private let document: BPMNDocument
    /// Space between pools, and the width of the strip with a pool's name.
    private static let (poolGap, poolHeader, emptyPoolHeight, poolWidthMin) = (50, 30, 60, 600)
    private static let margin = 80.0

    init(_ document: BPMNDocument) {
        self.document = document
    }

    /// What a diagram can show: each collaboration, and each process or choreography in none.
    var subjects: [ElementID] {
        let collaborations = document.children(of: document.root, named: ["collaboration"])
        let inPools = Set(collaborations.flatMap { participants(of: $0) }.compactMap { process(of: $0) })
        let flows = document.children(of: document.root, named: ["process", "choreography"])
        return collaborations + flows.filter { !inPools.contains($0) }
    }

    /// The elements that are part of a subject: what is drawn with it.
    func elements(of subject: ElementID) -> [ElementID] {
        let processes = participants(of: subject).compactMap { process(of: $0) }
        return ([subject] + processes).flatMap { document.descendants(of: $0) }
    }

    /// The drawing of a collaboration or process.
    func geometry(of subject: ElementID) -> DiagramGeometry {
        var geometry = DiagramGeometry(element: subject, shapes: [], edges: [])
        var connections: [ScopeContent.Connection] = []
        if document[subject].name.local == "collaboration" {
            drawPools(of: subject, into: &geometry, &connections)
        } else {
            let scope = ScopeLayout(of: subject, in: document)
            geometry.shapes += scope.laneShapes(width: scope.width)
            geometry.append(scope.geometry)
            connections += scope.connections
        }
        connect(connections, in: &geometry)
        if let bounds = geometry.bounds {
            geometry.move(
                DiagramLayout.margin - bounds.x.rounded(.down), DiagramLayout.margin - bounds.y.rounded(.down))
        }
        return geometry
    }

    /// Draws lines between shapes that have their places.
    func connect(_ connections: [ScopeContent.Connection], in geometry: inout DiagramGeometry) {
        guard !connections.isEmpty else { return }
        var places: [ElementID: DiagramBounds] = [:]
        for shape in geometry.shapes where places[shape.element] == nil { places[shape.element] = shape.bounds }
        var router = ConnectorRouter(obstacles: geometry.shapes.flatMap { obstacles($0) })
        for connection in connections {
            guard let source = end(connection.source, places), let target = end(connection.target, places) else {
                continue
            }
            let line = router.line(from: source, to: target)
            let label = EdgeLabel.bounds(document[connection.element].attribute("name"), line)
            geometry.edges.append(.init(element: connection.element, waypoints: line, label: label))
        }
    }

    /// What of a shape no line should cross: itself and its name; of containers only the strip with the name.
    private func obstacles(_ shape: DiagramGeometry.Shape) -> [DiagramBounds] {
        let local = document[shape.element].name.local
        if shape.isExpanded == true || local == "group" { return [] }
        guard local == "participant" || local == "lane" else {
            return [shape.bounds] + (shape.label.map { [$0] } ?? [])
        }
        var strip = shape.bounds
        if shape.isHorizontal == false { strip.height = 30 } else { strip.width = 30 }
        return [strip]
    }

    private func end(_ element: ElementID, _ places: [ElementID: DiagramBounds]) -> ConnectorRouter.End? {
        guard let bounds = places[element] else { return nil }
        let local = document[element].name.local
        let role = LayoutRole(local)
        return ConnectorRouter.End(
            bounds: bounds, isFlat: role == .activity || role == .scope || role == .annotation,
            isPool: local == "participant")
    }

    // MARK: Pools

    private func participants(of subject: ElementID) -> [ElementID] {
        document.children(of: subject, named: ["participant"])
    }

    private func process(of participant: ElementID) -> ElementID? {
        document.target(of: participant, "processRef").flatMap { document[$0].name.local == "process" ? $0 : nil }
    }

    private func drawPools(
        of collaboration: ElementID, into geometry: inout DiagramGeometry,
        _ connections: inout [ScopeContent.Connection]
    ) {
        var drawn: Set<ElementID> = []
        let pools = participants(of: collaboration).map { participant -> (ElementID, ScopeLayout?) in
            // A process that two participants name is drawn once.
            guard let process = process(of: participant), drawn.insert(process).inserted else {
                return (participant, nil)
            }
            let scope = ScopeLayout(of: process, in: document)
            return (participant, scope.isEmpty && scope.bands.isEmpty ? nil : scope)
        }
        let padding = 30
        let widths = pools.map { _, scope in
            scope.map { $0.width + ($0.bands.isEmpty ? 2 * padding : 0) } ?? DiagramLayout.poolWidthMin
        }
        let width = max(widths.max() ?? 0, DiagramLayout.poolWidthMin)
        var top = 0
        for (participant, scope) in pools {
            let hasLanes = scope.map { !$0.bands.isEmpty } ?? false
            let height = scope.map { hasLanes ? $0.height : $0.height + 2 * padding } ?? DiagramLayout.emptyPoolHeight
            geometry.shapes.append(
                .init(
                    element: participant,
                    bounds: DiagramBounds(
                        x: 0, y: Double(top), width: Double(width + DiagramLayout.poolHeader), height: Double(height)),
                    isHorizontal: true))
            if let scope {
                var content = scope.geometry
                content.shapes.insert(contentsOf: scope.laneShapes(width: width), at: 0)
                content.move(
                    Double(DiagramLayout.poolHeader + (hasLanes ? 0 : padding)), Double(top + (hasLanes ? 0 : padding)))
                geometry.append(content)
                connections += scope.connections
            }
            top += height + DiagramLayout.poolGap
        }
        let own = ScopeContent(of: collaboration, in: document)
        addArtifacts(own.artifacts, top: top, to: &geometry)
        for flow in document.children(of: collaboration, named: ["messageFlow"]) {
            guard let source = document.target(of: flow, "sourceRef"),
                let target = document.target(of: flow, "targetRef"), source != target
            else { continue }
            connections.append(.init(element: flow, source: source, target: target))
        }
        connections += own.associations
    }

    /// Annotations and groups of the collaboration itself stand below the pools.
    private func addArtifacts(_ artifacts: [ElementID], top: Int, to geometry: inout DiagramGeometry) {
        for (number, artifact) in artifacts.enumerated() {
            let bounds = DiagramBounds(x: Double(number * 140), y: Double(top), width: 100, height: 50)
            geometry.shapes.append(.init(element: artifact, bounds: bounds))
        }
    }
}
