extension BPMNDocument {
    /// The same document with a diagram for what has none; where there is one, it is kept as it is.
    ///
    /// Each collaboration, and each process in none, of which nothing is drawn gets a whole diagram: layered from left to
    /// right, lines at right angles, sub-processes expanded, pools and lanes around their contents. Of what is partly
    /// drawn, lines are added whose both ends are drawn, and below everything the nodes of a process that stands in no
    /// pool; nodes inside drawn pools and sub-processes are not added.
    ///
    /// Elements without id cannot be drawn. Deterministic; takes time in proportion to the document, up to a logarithm.
    public func withLayout() -> BPMNDocument {
        var document = self
        for geometry in missingDiagrams() { document.addDiagram(geometry) }
        return document
    }

    /// What `withLayout()` adds, as plain geometry; a drawing that completes another has the same `element` as that.
    public func missingDiagrams() -> [DiagramGeometry] {
        let layout = DiagramLayout(self)
        let existing = diagrams()
        let drawn = Set(existing.flatMap { $0.shapes.map(\.element) + $0.edges.map(\.element) })
        return layout.subjects.compactMap { subject in
            let elements = layout.elements(of: subject)
            let geometry =
                elements.contains(where: drawn.contains)
                ? completion(of: subject, elements, existing) : layout.geometry(of: subject)
            return geometry.shapes.isEmpty && geometry.edges.isEmpty ? nil : geometry
        }
    }

    /// What is missing in the diagrams that show a subject.
    private func completion(
        of subject: ElementID, _ elements: [ElementID], _ existing: [DiagramGeometry]
    ) -> DiagramGeometry {
        let own = Set(elements)
        var geometry = DiagramGeometry(element: subject, shapes: [], edges: [])
        for diagram in existing {
            geometry.append(
                DiagramGeometry(
                    element: nil, shapes: diagram.shapes.filter { own.contains($0.element) },
                    edges: diagram.edges.filter { own.contains($0.element) }))
        }
        let (shapeCount, edgeCount) = (geometry.shapes.count, geometry.edges.count)
        let content = ScopeContent(of: subject, in: self)
        let drawn = Set(geometry.shapes.map(\.element))
        if self[subject].name.local != "collaboration", let bounds = geometry.bounds {
            var x = bounds.x
            let missing = (content.nodes + content.artifacts).filter { !drawn.contains($0) }
            for node in missing {
                let isActivity =
                    LayoutRole(self[node].name.local) == .activity || LayoutRole(self[node].name.local) == .scope
                let (width, height) = isActivity ? (100.0, 80.0) : (50.0, 50.0)
                geometry.shapes.append(
                    .init(
                        element: node,
                        bounds: DiagramBounds(x: x, y: bounds.maxY + 60, width: width, height: height),
                        isExpanded: LayoutRole(self[node].name.local) == .scope ? false : nil))
                x += width + 50
            }
        }
        DiagramLayout(self).connect(missingConnections(elements, geometry), in: &geometry)
        geometry.shapes.removeFirst(shapeCount)
        geometry.edges.removeFirst(edgeCount)
        return geometry
    }

    /// The flows and associations that are not drawn though both their ends are.
    private func missingConnections(
        _ elements: [ElementID], _ geometry: DiagramGeometry
    ) -> [ScopeContent.Connection] {
        let drawnEdges = Set(geometry.edges.map(\.element))
        let places = Set(geometry.shapes.map(\.element))
        return elements.compactMap { element in
            let local = self[element].name.local
            guard self[element].kind == .model, !drawnEdges.contains(element), self[element].attribute("id") != nil,
                ["sequenceFlow", "messageFlow", "association"].contains(local),
                let source = target(of: element, "sourceRef"), places.contains(source),
                let target = target(of: element, "targetRef"), places.contains(target), source != target
            else { return nil }
            return ScopeContent.Connection(element: element, source: source, target: target)
        }
    }
}
