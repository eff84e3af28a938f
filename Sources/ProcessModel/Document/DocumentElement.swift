/// Names one element of a `BPMNDocument`.
public struct ElementID: Hashable, Comparable, Sendable {
    let index: Int32

    init(_ index: Int) {
        self.index = Int32(index)
    }

    /// Orders elements as the document was read; those added later come last.
    public static func < (lhs: ElementID, rhs: ElementID) -> Bool {
        lhs.index < rhs.index
    }
}

/// A name with its namespace; prefixes are spelling.
public struct ExpandedName: Hashable, Sendable {
    /// The namespace; empty when there is none.
    public let uri: String
    /// The name without prefix.
    public let local: String

    /// Creates a name.
    public init(uri: String, local: String) {
        self.uri = uri
        self.local = local
    }
}

/// One attribute of an element.
public struct DocumentAttribute: Hashable, Sendable {
    /// The resolved name.
    public let name: ExpandedName
    /// The prefix it is written with; empty for none.
    public let prefix: String
    /// The value, entities replaced.
    public var value: String
}

/// A namespace declared on an element.
public struct NamespaceDeclaration: Hashable, Sendable {
    /// The prefix; empty for the default namespace.
    public let prefix: String
    /// The namespace; empty to take the default away.
    public let uri: String
}

/// What can stand inside an element.
public enum DocumentContent: Hashable, Sendable {
    /// An element.
    case element(ElementID)
    /// Text, entities replaced.
    case text(String)
    /// Text written as a CDATA section.
    case cdata(String)
    /// A comment.
    case comment(String)
    /// A processing instruction.
    case instruction(target: String, data: String)

    /// The element, when it is one.
    public var element: ElementID? {
        if case .element(let element) = self { element } else { nil }
    }

    /// Whether it is white space only.
    var isBlank: Bool {
        switch self {
        case .text(let text), .cdata(let text): text.utf8.allSatisfy { $0.isXMLSpace }
        case .element, .comment, .instruction: false
        }
    }
}

/// One element of a `BPMNDocument`.
public struct DocumentElement: Sendable {
    /// Which vocabulary an element belongs to.
    public enum Kind: Sendable, Hashable {
        /// An element the BPMN 2.0 metamodel defines.
        case model
        /// An element in the namespace of BPMN that BPMN does not define; some tools write their own there.
        case unknownModel
        /// Diagram interchange: BPMNDI, DI, DC.
        case diagram
        /// Anything else.
        case foreign
    }

    /// The resolved name.
    public let name: ExpandedName
    /// The prefix it is written with; empty for none.
    public internal(set) var prefix: String
    /// What it is.
    public let kind: Kind
    /// Its attributes in their order.
    public internal(set) var attributes: [DocumentAttribute]
    /// The namespaces declared on it.
    public internal(set) var namespaces: [NamespaceDeclaration]
    /// What stands inside, in its order.
    public internal(set) var content: [DocumentContent]
    /// The element around; nil of the root and of what was taken out.
    public internal(set) var parent: ElementID?
    /// The line of its start tag; nil of what was added.
    public let line: Int?

    init(
        name: ExpandedName, prefix: String, attributes: [DocumentAttribute] = [],
        namespaces: [NamespaceDeclaration] = [], content: [DocumentContent] = [], parent: ElementID? = nil,
        line: Int? = nil
    ) {
        self.name = name
        self.prefix = prefix
        self.kind = Kind(name)
        self.attributes = attributes
        self.namespaces = namespaces
        self.content = content
        self.parent = parent
        self.line = line
    }

    /// The value of an attribute without namespace.
    public func attribute(_ local: String) -> String? {
        attribute(ExpandedName(uri: "", local: local))
    }

    /// The value of an attribute.
    public func attribute(_ name: ExpandedName) -> String? {
        for attribute in attributes where attribute.name.local == name.local && attribute.name.uri == name.uri {
            return attribute.value
        }
        return nil
    }

    /// Whether it stands in the namespace of BPMN.
    public var isModel: Bool { kind == .model || kind == .unknownModel }

    /// Whether its `id` attribute is one that references mean.
    var isIdentified: Bool { kind != .foreign }
}

extension DocumentElement.Kind {
    init(_ name: ExpandedName) {
        switch name.uri {
        case DocumentNamespace.model: self = BPMNTag(rawValue: name.local) != nil ? .model : .unknownModel
        case DocumentNamespace.diagram, DocumentNamespace.interchange, DocumentNamespace.common: self = .diagram
        default: self = .foreign
        }
    }
}

/// The namespaces a BPMN document is made of (BPMN 2.0.2 clauses 12 and 15).
enum DocumentNamespace {
    static let model = XMLName.bpmnURI
    /// BPMNDI.
    static let diagram = "http://www.omg.org/spec/BPMN/20100524/DI"
    /// DI: edges and their waypoints.
    static let interchange = "http://www.omg.org/spec/DD/20100524/DI"
    /// DC: bounds and fonts.
    static let common = "http://www.omg.org/spec/DD/20100524/DC"
    static let schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"
    static let xml = "http://www.w3.org/XML/1998/namespace"
}

extension UInt8 {
    /// Whether it is white space of XML.
    var isXMLSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
