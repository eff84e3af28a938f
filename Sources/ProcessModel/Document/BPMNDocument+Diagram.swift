/// Reading and writing diagrams (BPMN 2.0.2 clause 12: BPMNDI).
extension BPMNDocument {
    /// The diagrams of the document; shapes and edges of elements that are not part of it are left out.
    public func diagrams() -> [DiagramGeometry] {
        children(of: root).filter { self[$0].kind == .diagram && self[$0].name.local == "BPMNDiagram" }
            .flatMap { children(of: $0) }
            .filter { self[$0].name.local == "BPMNPlane" }
            .map { geometry(of: $0) }
    }

    private func geometry(of plane: ElementID) -> DiagramGeometry {
        var geometry = DiagramGeometry(element: target(of: plane, "bpmnElement"), shapes: [], edges: [])
        for child in descendants(of: plane) where self[child].kind == .diagram {
            guard let element = target(of: child, "bpmnElement") else { continue }
            switch self[child].name.local {
            case "BPMNShape":
                guard let bounds = bounds(of: child) else { continue }
                geometry.shapes.append(
                    .init(
                        element: element, bounds: bounds, label: labelBounds(of: child),
                        isExpanded: flag("isExpanded", of: child), isHorizontal: flag("isHorizontal", of: child),
                        fill: color(["fill", "background-color"], of: child),
                        stroke: color(["stroke", "border-color"], of: child)))
            case "BPMNEdge":
                let waypoints = children(of: child).filter { self[$0].name.local == "waypoint" }.compactMap { point in
                    number("x", of: point).flatMap { x in number("y", of: point).map { DiagramPoint(x: x, y: $0) } }
                }
                guard waypoints.count > 1 else { continue }
                geometry.edges.append(
                    .init(
                        element: element, waypoints: waypoints, label: labelBounds(of: child),
                        stroke: color(["stroke", "border-color"], of: child)))
            default:
                continue
            }
        }
        return geometry
    }

    private func bounds(of element: ElementID) -> DiagramBounds? {
        guard let box = children(of: element).first(where: { self[$0].name.local == "Bounds" }),
            let x = number("x", of: box), let y = number("y", of: box), let width = number("width", of: box),
            let height = number("height", of: box)
        else { return nil }
        return DiagramBounds(x: x, y: y, width: width, height: height)
    }

    private func labelBounds(of element: ElementID) -> DiagramBounds? {
        children(of: element).first { self[$0].name.local == "BPMNLabel" }.flatMap { bounds(of: $0) }
    }

    private func number(_ local: String, of element: ElementID) -> Double? {
        self[element].attribute(local).flatMap { Double($0.trimmingXMLSpace) }.flatMap { abs($0) < 1e9 ? $0 : nil }
    }

    private func flag(_ local: String, of element: ElementID) -> Bool? {
        self[element].attribute(local).map { $0 == "true" || $0 == "1" }
    }

    /// Colours are attributes of extensions: `bioc` and OMG's BPMN in Color.
    private func color(_ locals: [String], of element: ElementID) -> String? {
        self[element].attributes.first { !$0.name.uri.isEmpty && locals.contains($0.name.local) }?.value
    }

    // MARK: Writing

    /// Adds the shapes and edges of a drawing, to the plane of its element when there is one.
    mutating func addDiagram(_ geometry: DiagramGeometry) {
        guard let subject = geometry.element, let subjectID = self[subject].attribute("id") else { return }
        let plane = existingPlane(of: subject) ?? newPlane(for: subjectID)
        for shape in geometry.shapes { add(shape, to: plane) }
        for edge in geometry.edges { add(edge, to: plane) }
    }

    /// The plane of an element, or one that shows anything of it.
    private func existingPlane(of subject: ElementID) -> ElementID? {
        let planes = children(of: root).filter { self[$0].name.local == "BPMNDiagram" }
            .flatMap { children(of: $0) }.filter { self[$0].name.local == "BPMNPlane" }
        if let own = planes.first(where: { target(of: $0, "bpmnElement") == subject }) { return own }
        let elements = Set(DiagramLayout(self).elements(of: subject))
        return planes.first { plane in
            children(of: plane).contains { target(of: $0, "bpmnElement").map(elements.contains) ?? false }
        }
    }

    private mutating func newPlane(for id: String) -> ElementID {
        let diagram = append(
            ExpandedName(uri: DocumentNamespace.diagram, local: "BPMNDiagram"), prefix: "bpmndi",
            attributes: [("id", free("\(id)_diagram"))], to: root)
        declare("bpmndi", DocumentNamespace.diagram, on: diagram)
        declare("di", DocumentNamespace.interchange, on: diagram)
        declare("dc", DocumentNamespace.common, on: diagram)
        return append(
            ExpandedName(uri: DocumentNamespace.diagram, local: "BPMNPlane"), prefix: "bpmndi",
            attributes: [("id", free("\(id)_plane")), ("bpmnElement", id)], to: diagram)
    }

    /// Declares a namespace where nothing around does.
    private mutating func declare(_ prefix: String, _ uri: String, on element: ElementID) {
        guard namespace(of: prefix, at: element) != uri else { return }
        self[element].namespaces.append(NamespaceDeclaration(prefix: prefix, uri: uri))
    }

    private mutating func add(_ shape: DiagramGeometry.Shape, to plane: ElementID) {
        guard let id = self[shape.element].attribute("id"), elementsByID[id] == shape.element else { return }
        var attributes = [("id", free("\(id)_di")), ("bpmnElement", id)]
        if let isHorizontal = shape.isHorizontal { attributes.append(("isHorizontal", "\(isHorizontal)")) }
        if let isExpanded = shape.isExpanded { attributes.append(("isExpanded", "\(isExpanded)")) }
        if self[shape.element].name.local == "exclusiveGateway" { attributes.append(("isMarkerVisible", "true")) }
        let element = append(
            ExpandedName(uri: DocumentNamespace.diagram, local: "BPMNShape"), prefix: "bpmndi", attributes: attributes,
            to: plane)
        addBounds(shape.bounds, to: element)
        addLabel(shape.label, to: element)
    }

    private mutating func add(_ edge: DiagramGeometry.Edge, to plane: ElementID) {
        guard let id = self[edge.element].attribute("id"), elementsByID[id] == edge.element else { return }
        let element = append(
            ExpandedName(uri: DocumentNamespace.diagram, local: "BPMNEdge"), prefix: "bpmndi",
            attributes: [("id", free("\(id)_di")), ("bpmnElement", id)], to: plane)
        for point in edge.waypoints {
            append(
                ExpandedName(uri: DocumentNamespace.interchange, local: "waypoint"), prefix: "di",
                attributes: [("x", point.x.pixels), ("y", point.y.pixels)], to: element)
        }
        addLabel(edge.label, to: element)
    }

    private mutating func addBounds(_ bounds: DiagramBounds, to element: ElementID) {
        append(
            ExpandedName(uri: DocumentNamespace.common, local: "Bounds"), prefix: "dc",
            attributes: [
                ("x", bounds.x.pixels), ("y", bounds.y.pixels), ("width", bounds.width.pixels),
                ("height", bounds.height.pixels),
            ], to: element)
    }

    private mutating func addLabel(_ bounds: DiagramBounds?, to element: ElementID) {
        guard let bounds else { return }
        let label = append(
            ExpandedName(uri: DocumentNamespace.diagram, local: "BPMNLabel"), prefix: "bpmndi", to: element)
        addBounds(bounds, to: label)
    }

    /// An id nothing has yet.
    private func free(_ id: String) -> String {
        guard elementsByID[id] != nil else { return id }
        var number = 2
        while elementsByID["\(id)_\(number)"] != nil { number += 1 }
        return "\(id)_\(number)"
    }
}

extension Double {
    /// A coordinate as people write it: without a fraction where there is none.
    var pixels: String {
        self == rounded() && abs(self) < 1e15 ? String(Int(self)) : String(self)
    }
}
