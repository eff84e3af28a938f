/// A name with its namespace, classified once per document.
struct XMLName: Hashable, Sendable {
    /// The vocabularies the importer tells apart.
    enum Space: UInt8, Sendable {
        /// No namespace: plain attributes.
        case none
        /// BPMN 2.0 itself.
        case bpmn
        /// Shapes and edges of diagrams.
        case diagram
        case zeebe
        /// Camunda 7 and the engines that share its vocabulary.
        case camunda
        /// Our own.
        case apg
        /// XML Schema instance attributes.
        case schemaInstance
        /// Anything else.
        case foreign
    }

    /// The namespace URI; empty when there is none.
    let uri: String
    /// The name without prefix.
    let local: String
    /// The vocabulary it belongs to.
    let space: Space
    /// The BPMN element of this name, when it is one.
    let tag: BPMNTag?
    /// The extension element of this name that the importer knows.
    let extensionTag: ExtensionTag?

    init(uri: String, local: String) {
        self.uri = uri
        self.local = local
        space = XMLName.spaces[uri] ?? (uri.isEmpty ? .none : .foreign)
        tag = space == .bpmn ? BPMNTag(rawValue: local) : nil
        extensionTag = XMLName.prefixes[space].flatMap { ExtensionTag(rawValue: "\($0):\(local)") }
    }

    /// The name as people write it: with the customary prefix of its vocabulary.
    var description: String {
        if let prefix = XMLName.prefixes[space] { return "\(prefix):\(local)" }
        return local
    }

    /// The namespace of BPMN 2.0.
    static let bpmnURI = "http://www.omg.org/spec/BPMN/20100524/MODEL"

    private static let spaces: [String: Space] = [
        bpmnURI: .bpmn,
        "http://www.omg.org/spec/BPMN/20100524/DI": .diagram,
        "http://www.omg.org/spec/DD/20100524/DC": .diagram,
        "http://www.omg.org/spec/DD/20100524/DI": .diagram,
        "http://camunda.org/schema/zeebe/1.0": .zeebe,
        "http://camunda.org/schema/1.0/bpmn": .camunda,
        "http://operaton.org/schema/1.0/bpmn": .camunda,
        "http://activiti.org/bpmn": .camunda,
        "http://flowable.org/bpmn": .camunda,
        "urn:junction:apg:1.0": .apg,
        "http://www.w3.org/2001/XMLSchema-instance": .schemaInstance,
    ]

    private static let prefixes: [Space: String] = [.zeebe: "zeebe", .camunda: "camunda", .apg: "apg"]
}
