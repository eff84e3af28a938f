import Values

extension BPMNReader {
    /// Records an element that BPMN does not define.
    func reportUnknown(_ element: XMLElement) {
        report(
            .unknownElement, at: element,
            "Expected an element of BPMN 2.0 here, but found <\(element.name.local)>.",
            remedy: correction(of: element.name.local, among: BPMNTag.allCases.map(\.rawValue))
                ?? "correct the name, or move it into extensionElements under a namespace of its own")
    }

    /// Records an element that is none of BPMN, beside elements that are.
    func reportStranger(_ element: XMLElement) {
        switch element.space {
        case .bpmn: reportUnknown(element)
        case .zeebe, .camunda, .apg:
            report(
                .misplacedExtension, at: element,
                "Expected \(element.name.description) inside extensionElements, but found it beside BPMN elements.",
                remedy: "move it into <extensionElements>")
        case .none, .diagram, .schemaInstance, .foreign:
            mention(.foreignExtensionKept, element.name.uri.isEmpty ? "no namespace" : element.name.uri, at: element)
        }
    }

    /// Says what is done with an extension element that is not in the table.
    func reportUnknownExtension(_ element: XMLElement) {
        switch element.space {
        case .apg:
            report(
                .unknownAPG, at: element,
                "Expected an element of the apg vocabulary, but found \(element.name.description).",
                remedy: correction(of: element.name.description, among: ExtensionTag.allCases.map(\.rawValue))
                    ?? "correct the name")
        case .zeebe, .camunda:
            report(
                .unknownVendorExtension, at: element, "\(element.name.description) is not known and has no effect.",
                remedy: correction(of: element.name.description, among: ExtensionTag.allCases.map(\.rawValue))
                    ?? "check that the process does not depend on it")
        case .bpmn, .diagram, .foreign, .none, .schemaInstance:
            mention(.foreignExtensionKept, element.name.uri.isEmpty ? "no namespace" : element.name.uri, at: element)
        }
    }

    /// Records a part of an extension of ours that it does not have.
    func reportUnknownPart(_ element: XMLElement) {
        report(
            .unknownAPG, at: element,
            "Expected only known parts in \(element.parent?.name.description ?? "an extension"), but found "
                + "\(element.name.description).",
            remedy: "correct or remove it")
    }

    /// Finds unknown attributes on an extension of ours and the parts inside it.
    func checkAPGAttributes(of element: XMLElement) {
        guard element.space == .apg, let known = BPMNReader.apgAttributes[element.name.local] else { return }
        for (name, _) in element.attributes where name.space == .none && !known.contains(name.local) {
            report(
                .unknownAPG, at: element,
                "Expected only known attributes on \(element.name.description), but found \(name.local).",
                remedy: correction(of: name.local, among: known)
                    ?? (known.isEmpty ? "remove it" : "use one of: \(known.joined(separator: ", "))"))
        }
        for child in element.children { checkAPGAttributes(of: child) }
    }

    private static let apgAttributes: [String: [String]] = [
        "call": ["connector", "operation", "connection"], "with": ["target", "source"], "errors": [],
        "error": ["when", "code"], "resilience": ["profile"], "result": ["variable"], "set": ["variable", "value"],
        "io": ["output"], "map": ["direction", "source", "target"], "priority": ["value"],
    ]

    /// "did you mean", when a name is near a known one.
    private func correction(of name: String, among known: [String]) -> String? {
        guard name.utf8.count <= 64 else { return nil }
        return ClosestMatch.of(name, in: known).map { "did you mean \($0)?" }
    }
}
