extension BPMNDocument {
    /// Draws diagrams as one SVG document, one below the other.
    ///
    /// - Parameter diagrams: What to draw; nil draws the diagrams of the document and what it lacks of them.
    public func svg(_ diagrams: [DiagramGeometry]? = nil) -> String {
        let drawn = diagrams ?? withLayout().diagrams()
        var body = ""
        var (width, height) = (0.0, 0.0)
        for geometry in drawn {
            guard let bounds = geometry.bounds else { continue }
            let (dx, dy) = (DiagramSVG.margin - bounds.x, height + DiagramSVG.margin - bounds.y)
            var svg = DiagramSVG(document: self)
            svg.draw(geometry)
            body += "<g transform=\"translate(\(dx.pixels) \(dy.pixels))\">\n\(svg.text)</g>\n"
            width = max(width, bounds.width + 2 * DiagramSVG.margin)
            height += bounds.height + 2 * DiagramSVG.margin
        }
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(width.pixels)" height="\(height.pixels)" \
            viewBox="0 0 \(width.pixels) \(height.pixels)">
            \(DiagramSVG.style)
            \(body)</svg>

            """
    }
}

/// Writes the shapes and edges of one diagram as SVG elements.
private struct DiagramSVG {
    let document: BPMNDocument
    private(set) var text = ""

    static let margin = 20.0
    static let style = """
        <style>
        svg { background: #fff; font: 12px sans-serif; }
        g { fill: #fff; stroke: #22242a; stroke-width: 1.5; }
        text { fill: #22242a; stroke: none; text-anchor: middle; }
        .line, .mark { fill: none; } .mark { stroke-width: 1.2; }
        .full, .full * { fill: #22242a; } .full path { stroke: #fff; } .full.event path { stroke: #22242a; }
        .thick { stroke-width: 3; } .dashed { stroke-dasharray: 5 3; } .dotted { stroke-dasharray: 1.5 3; }
        .container { fill: none; }
        </style>
        <defs>
        <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">\
        <path d="M0 1 10 5 0 9Z" fill="#22242a" stroke="none"/></marker>
        <marker id="open" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" orient="auto">\
        <path d="M1 1 9 5 1 9" fill="none" stroke="#22242a"/></marker>
        <marker id="ring" viewBox="0 0 10 10" refX="5" refY="5" markerWidth="7" markerHeight="7">\
        <circle cx="5" cy="5" r="4" fill="#fff" stroke="#22242a"/></marker>
        </defs>
        """

    init(document: BPMNDocument) {
        self.document = document
    }

    mutating func draw(_ geometry: DiagramGeometry) {
        for shape in geometry.shapes { draw(shape) }
        for edge in geometry.edges { draw(edge) }
    }

    // MARK: Pieces

    private func name(_ element: ElementID) -> String {
        document[element].attribute("name") ?? ""
    }

    private mutating func put(_ line: String) {
        text += line + "\n"
    }

    private mutating func rectangle(_ box: DiagramBounds, radius: Int = 0, classes: String = "", style: String = "") {
        let corner = radius == 0 ? "" : " rx=\"\(radius)\""
        put(
            "<rect x=\"\(box.x.pixels)\" y=\"\(box.y.pixels)\" width=\"\(box.width.pixels)\" "
                + "height=\"\(box.height.pixels)\"\(corner)\(attribute("class", classes))\(style)/>")
    }

    private mutating func circle(_ box: DiagramBounds, inset: Double, classes: String, style: String) {
        let radius = max(min(box.width, box.height) / 2 - inset, 1)
        put(
            "<circle cx=\"\(box.center.x.pixels)\" cy=\"\(box.center.y.pixels)\" "
                + "r=\"\(radius.pixels)\"\(attribute("class", classes))\(style)/>")
    }

    private mutating func mark(_ svg: String?, x: Double, y: Double, classes: String = "mark") {
        guard let svg else { return }
        put("<g class=\"\(classes)\" transform=\"translate(\(x.pixels) \(y.pixels))\">\(svg)</g>")
    }

    /// Text in the middle of a box.
    private mutating func write(_ name: String, in box: DiagramBounds) {
        let lines = LabelText.lines(name, width: Int(min(max(box.width, 24), 10_000)))
        let first = box.center.y - Double(lines.count - 1) * Double(LabelText.lineHeight) / 2 + 4
        for (number, line) in lines.enumerated() {
            let y = first + Double(number * LabelText.lineHeight)
            put("<text x=\"\(box.center.x.pixels)\" y=\"\(y.pixels)\">\(escaped(line))</text>")
        }
    }

    private func attribute(_ name: String, _ value: String) -> String {
        value.isEmpty ? "" : " \(name)=\"\(escaped(value))\""
    }

    private func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private func colors(fill: String?, stroke: String?) -> String {
        attribute("fill", fill ?? "") + attribute("stroke", stroke ?? "")
    }

    // MARK: Shapes

    private mutating func draw(_ shape: DiagramGeometry.Shape) {
        let local = document[shape.element].name.local
        let style = colors(fill: shape.fill, stroke: shape.stroke)
        switch LayoutRole(local) {
        case .activity, .scope: drawActivity(shape, local, style)
        case .event, .boundaryEvent: drawEvent(shape, local, style)
        case .gateway: drawGateway(shape, local, style)
        case .dataObject, .dataStore, .annotation, .group: drawArtifact(shape, local, style)
        default: drawContainer(shape, local, style)
        }
    }

    private mutating func drawActivity(_ shape: DiagramGeometry.Shape, _ local: String, _ style: String) {
        let (box, element) = (shape.bounds, document[shape.element])
        let isEventSubProcess = element.attribute("triggeredByEvent") == "true"
        let classes = local == "callActivity" ? "thick" : isEventSubProcess ? "dotted" : ""
        rectangle(box, radius: 10, classes: classes, style: style)
        if local == "transaction" {
            let inner = DiagramBounds(x: box.x + 3, y: box.y + 3, width: box.width - 6, height: box.height - 6)
            rectangle(inner, radius: 8, style: style)
        }
        mark(DiagramMarkers.tasks[local], x: box.x + 15, y: box.y + 15)
        let isOpen = LayoutRole(local) == .scope && shape.isExpanded != false && box.width > 120
        let title = DiagramBounds(
            x: box.x + 6, y: box.y + 4, width: box.width - 12, height: isOpen ? 24 : box.height - 8)
        write(name(shape.element), in: title)
        let marks = activityMarks(shape.element, local, isOpen: isOpen)
        for (number, svg) in marks.enumerated() {
            let x = box.center.x + Double(2 * number - marks.count + 1) * 9
            mark(svg, x: x, y: box.maxY - 10)
        }
    }

    private func activityMarks(_ id: ElementID, _ local: String, isOpen: Bool) -> [String] {
        var marks: [String] = []
        if document.child(of: id, named: "standardLoopCharacteristics") != nil { marks.append(DiagramMarkers.loop) }
        if let loop = document.child(of: id, named: "multiInstanceLoopCharacteristics") {
            let isSequential = document[loop].attribute("isSequential") == "true"
            marks.append(isSequential ? DiagramMarkers.sequentialInstances : DiagramMarkers.parallelInstances)
        }
        if document[id].attribute("isForCompensation") == "true" { marks.append(DiagramMarkers.compensation) }
        if local == "adHocSubProcess" { marks.append(DiagramMarkers.adHoc) }
        if LayoutRole(local) == .scope, !isOpen { marks.append(DiagramMarkers.collapsed) }
        return marks
    }

    private mutating func drawEvent(_ shape: DiagramGeometry.Shape, _ local: String, _ style: String) {
        let (box, element) = (shape.bounds, document[shape.element])
        let isDashed =
            element.attribute("cancelActivity") == "false" || element.attribute("isInterrupting") == "false"
        let classes = local == "endEvent" ? "thick" : isDashed ? "dashed" : ""
        circle(box, inset: 0, classes: classes, style: style)
        if ["boundaryEvent", "intermediateCatchEvent", "intermediateThrowEvent"].contains(local) {
            circle(box, inset: 3, classes: classes, style: style)
        }
        let isThrown = local == "endEvent" || local == "intermediateThrowEvent" || local == "implicitThrowEvent"
        mark(eventMark(shape.element), x: box.center.x, y: box.center.y, classes: isThrown ? "mark full event" : "mark")
        drawName(of: shape)
    }

    private func eventMark(_ id: ElementID) -> String? {
        let definitions = document.children(of: id).compactMap { child -> String? in
            let local = document[child].name.local
            if local == "eventDefinitionRef" {
                return document.resolve(document.text(of: child)).map { document[$0].name.local }
            }
            return local.hasSuffix("EventDefinition") ? local : nil
        }
        guard definitions.count > 1 else { return definitions.first.flatMap { DiagramMarkers.events[$0] } }
        let isParallel = document[id].attribute("parallelMultiple") == "true"
        return DiagramMarkers.events[isParallel ? "parallelMultiple" : "multiple"]
    }

    private mutating func drawGateway(_ shape: DiagramGeometry.Shape, _ local: String, _ style: String) {
        let (box, middle) = (shape.bounds, shape.bounds.center)
        put(
            "<path d=\"M\(box.x.pixels) \(middle.y.pixels)L\(middle.x.pixels) \(box.y.pixels) \(box.maxX.pixels) "
                + "\(middle.y.pixels) \(middle.x.pixels) \(box.maxY.pixels)Z\"\(style)/>")
        mark(DiagramMarkers.gateways[local], x: middle.x, y: middle.y)
        drawName(of: shape)
    }

    private mutating func drawArtifact(_ shape: DiagramGeometry.Shape, _ local: String, _ style: String) {
        let box = shape.bounds
        switch LayoutRole(local) {
        case .annotation:
            put(
                "<path class=\"line\" d=\"M\((box.x + 12).pixels) \(box.y.pixels)H\(box.x.pixels)V\(box.maxY.pixels)"
                    + "h12\"\(style)/>")
            let note = document.child(of: shape.element, named: "text").map { document.text(of: $0) } ?? ""
            write(note, in: box)
        case .group:
            rectangle(box, radius: 10, classes: "container dashed")
        case .dataStore:
            let rim = "a\((box.width / 2).pixels) 6 0 0"
            put(
                "<path d=\"M\(box.x.pixels) \((box.y + 6).pixels)\(rim) 1 \(box.width.pixels) 0"
                    + "V\((box.maxY - 6).pixels)\(rim) 1 \((-box.width).pixels) 0ZM\(box.x.pixels) \((box.y + 6).pixels)"
                    + "\(rim) 0 \(box.width.pixels) 0\"\(style)/>")
            drawName(of: shape)
        default:
            put(
                "<path d=\"M\(box.x.pixels) \(box.y.pixels)H\((box.maxX - 10).pixels)l10 10V\(box.maxY.pixels)"
                    + "H\(box.x.pixels)ZM\((box.maxX - 10).pixels) \(box.y.pixels)v10h10\"\(style)/>")
            drawName(of: shape)
        }
    }

    /// Pools and lanes; their names run upwards in the strip on the left.
    private mutating func drawContainer(_ shape: DiagramGeometry.Shape, _ local: String, _ style: String) {
        let box = shape.bounds
        rectangle(box, classes: shape.fill == nil ? "container" : "", style: style)
        guard ["participant", "lane"].contains(local), shape.isHorizontal != false, box.height > box.width / 40 else {
            write(name(shape.element), in: DiagramBounds(x: box.x, y: box.y, width: box.width, height: 30))
            return
        }
        put("<path class=\"line\" d=\"M\((box.x + 30).pixels) \(box.y.pixels)V\(box.maxY.pixels)\"/>")
        let (x, y) = ((box.x + 19).pixels, box.center.y.pixels)
        put("<text x=\"\(x)\" y=\"\(y)\" transform=\"rotate(-90 \(x) \(y))\">\(escaped(name(shape.element)))</text>")
    }

    /// A name outside its shape: where its label is, else below.
    private mutating func drawName(of shape: DiagramGeometry.Shape) {
        let box = shape.bounds
        let below = DiagramBounds(x: box.center.x - 45, y: box.maxY + 2, width: 90, height: 14)
        write(name(shape.element), in: shape.label ?? below)
    }

    // MARK: Edges

    private mutating func draw(_ edge: DiagramGeometry.Edge) {
        let local = document[edge.element].name.local
        let points = edge.waypoints.map { "\($0.x.pixels) \($0.y.pixels)" }.joined(separator: " L")
        let (classes, markers) =
            switch local {
            case "messageFlow": ("line dashed", " marker-start=\"url(#ring)\" marker-end=\"url(#open)\"")
            case "dataInputAssociation", "dataOutputAssociation": ("line dotted", " marker-end=\"url(#open)\"")
            case "association": ("line dotted", "")
            default: ("line", " marker-end=\"url(#arrow)\"")
            }
        put("<path class=\"\(classes)\" d=\"M\(points)\"\(markers)\(attribute("stroke", edge.stroke ?? ""))/>")
        if let box = edge.label ?? EdgeLabel.bounds(name(edge.element), edge.waypoints) {
            write(name(edge.element), in: box)
        }
    }
}
