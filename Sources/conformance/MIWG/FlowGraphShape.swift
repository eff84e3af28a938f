import ProcessModel

/// What a model draws, without ids: its kinds of nodes and which kinds of nodes its flows connect.
///
/// Two tools that draw the same picture differ in ids, names, prefixes and extensions, but not in this.
struct FlowGraphShape {
    /// How often each kind of node or edge occurs, as `boundaryEvent timer` or `sequenceFlow: task → endEvent`.
    private(set) var counts: [String: Int] = [:]

    private static let edges: Set<String> = ["sequenceFlow", "messageFlow", "association"]

    init(_ document: BPMNDocument) {
        for id in document.descendants(of: document.root) where document[id].isModel {
            let name = document[id].name.local
            if FlowGraphShape.isNode(name) {
                counts[FlowGraphShape.kind(of: id, in: document), default: 0] += 1
            } else if FlowGraphShape.edges.contains(name) {
                let ends = ["sourceRef", "targetRef"].map { role in
                    document.target(of: id, role).map { FlowGraphShape.kind(of: $0, in: document) } ?? "nothing"
                }
                counts["\(name): \(ends[0]) → \(ends[1])", default: 0] += 1
            }
        }
    }

    /// What differs from another model, in a fixed order.
    func differences(from reference: FlowGraphShape) -> [String] {
        Set(counts.keys).union(reference.counts.keys).sorted().compactMap { key in
            let (count, expected) = (counts[key] ?? 0, reference.counts[key] ?? 0)
            return count == expected ? nil : "\(key): \(count) instead of \(expected)"
        }
    }

    private static func isNode(_ name: String) -> Bool {
        name == "task" || name.hasSuffix("Task") || name.hasSuffix("Gateway") || name.hasSuffix("Event")
            || ["subProcess", "transaction", "adHocSubProcess", "callActivity", "participant", "lane"].contains(name)
            || ["dataObjectReference", "dataStoreReference", "textAnnotation", "group"].contains(name)
    }

    /// The element's name and, of an event, what it is about.
    private static func kind(of id: ElementID, in document: BPMNDocument) -> String {
        let name = document[id].name.local
        guard name.hasSuffix("Event") else { return name }
        let definitions = document.children(of: id).compactMap { child -> String? in
            let local = document[child].name.local
            if local == "eventDefinitionRef" {
                return document.resolve(document.text(of: child)).map { document[$0].name.local }
            }
            return local.hasSuffix("EventDefinition") ? local : nil
        }
        guard !definitions.isEmpty else { return name }
        return name + " " + definitions.map { String($0.dropLast("EventDefinition".count)) }.joined(separator: "+")
    }
}
