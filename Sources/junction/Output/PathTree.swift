import Values

/// The path a process instance took, drawn as a tree: what was entered inside what, when, and for how long.
struct PathTree: Sendable {
    /// One element instance.
    struct Node: Sendable, Hashable {
        var elementID: String
        var name: String?
        /// The element type of the API, such as `SERVICE_TASK`.
        var type: String
        var state: String
        /// Unix milliseconds.
        var startedAt: Int64
        var endedAt: Int64?
        /// What it waits for or why it stands still.
        var note: String?
        var children: [Node] = []
    }

    var processID: String
    var version: Int
    var key: String
    var state: String
    var startedAt: Int64
    var endedAt: Int64?
    var nodes: [Node]

    /// The lines of the drawing; `now` measures what has not ended.
    func lines(_ style: Style, now: Int64) -> [String] {
        var head = "\(self.processID) v\(self.version)  \(self.key)  "
        head += style.paint(self.state.lowercased(), Style.tone(ofState: self.state))
        head += "  \(DurationText.of(milliseconds: (self.endedAt ?? now) - self.startedAt))"
        var table = Table([
            .init("ELEMENT", shrinks: true), .init("TYPE"), .init("STATE", state: true), .init("AT", right: true),
            .init("TOOK", right: true), .init("NOTE", shrinks: true),
        ])
        self.add(self.nodes, prefix: "", to: &table, style, now: now)
        if !self.nodes.contains(where: Self.hasNote) {
            table.columns.removeLast()
            table.rows = table.rows.map { $0.dropLast() }
        }
        return [head] + (self.nodes.isEmpty ? [] : table.lines(style))
    }

    private static func hasNote(_ node: Node) -> Bool {
        node.note != nil || node.children.contains(where: Self.hasNote)
    }

    private func add(_ nodes: [Node], prefix: String, to table: inout Table, _ style: Style, now: Int64) {
        for (index, node) in nodes.enumerated() {
            let isLast = index == nodes.count - 1
            let branch = style.hasUnicode ? (isLast ? "└─ " : "├─ ") : (isLast ? "`- " : "|- ")
            let label = node.name.map { "\(node.elementID) (\($0))" } ?? node.elementID
            table.add([
                prefix + branch + label, node.type.lowercased().map { $0 == "_" ? " " : String($0) }.joined(),
                node.state.lowercased(), "+" + DurationText.of(milliseconds: node.startedAt - self.startedAt),
                DurationText.of(milliseconds: (node.endedAt ?? now) - node.startedAt), node.note,
            ])
            let continuation = isLast ? "   " : style.hasUnicode ? "│  " : "|  "
            self.add(node.children, prefix: prefix + continuation, to: &table, style, now: now)
        }
    }
}

extension PathTree {
    /// Reads the answer of `GET /hub/v1/process-instances/{key}/path`; nil when it is something else.
    init?(_ value: Value) {
        guard let processID = value["processDefinitionId"]?.asString,
            let key = value["processInstanceKey"]?.asString, let state = value["state"]?.asString,
            let started = value["startDate"]?.asString.flatMap({ Timestamp.milliseconds($0) }),
            let elements = value["elements"]?.asList
        else { return nil }
        self.init(
            processID: processID, version: value["processDefinitionVersion"]?.asInt64.map { Int($0) } ?? 0, key: key,
            state: state, startedAt: started,
            endedAt: value["endDate"]?.asString.flatMap { Timestamp.milliseconds($0) },
            nodes: elements.compactMap { Node($0) })
    }
}

extension PathTree.Node {
    init?(_ value: Value) {
        guard let elementID = value["elementId"]?.asString,
            let started = value["startDate"]?.asString.flatMap({ Timestamp.milliseconds($0) })
        else { return nil }
        let name = value["elementName"]?.asString
        self.init(
            elementID: elementID, name: name == elementID ? nil : name, type: value["type"]?.asString ?? "",
            state: value["state"]?.asString ?? "", startedAt: started,
            endedAt: value["endDate"]?.asString.flatMap { Timestamp.milliseconds($0) },
            note: value["note"]?.asString,
            children: (value["elements"]?.asList ?? []).compactMap { PathTree.Node($0) })
    }
}
