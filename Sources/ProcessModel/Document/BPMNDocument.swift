public import Values

/// A BPMN 2.0 document with everything that stands in it, known or not.
///
/// Where `BPMNImporter` reads what can be executed, this keeps the document itself: read, looked at, changed in places
/// and written again, it loses nothing but the bytes of its spelling (encoding, quotes, white space inside tags, entity
/// references, an empty DOCTYPE).
///
/// A value: copies are independent. Elements are named by `ElementID`, which stays valid while the element is part of the
/// document and of all copies made meanwhile.
public struct BPMNDocument: Sendable {
    /// The elements by their identity; those taken out stay here without being reachable.
    var elements: [DocumentElement]
    /// The elements by `id` attribute; the first of several.
    var elementsByID: [String: ElementID]
    /// The outermost element, `definitions`.
    public let root: ElementID
    /// Comments and instructions before the root.
    public internal(set) var prolog: [DocumentContent]
    /// Comments and instructions after the root.
    public internal(set) var epilog: [DocumentContent]
    /// What the XML declaration says of `standalone`.
    public internal(set) var isStandalone: Bool?

    /// Reads a document.
    ///
    /// - Parameters:
    ///   - bytes: The document in any encoding its byte-order mark or its declaration names.
    ///   - file: How the failure calls the document.
    /// - Throws: `DocumentFailure` with the one reason when it is no well-formed XML, larger than 64 MiB, nested deeper
    ///   than 256, or no BPMN 2.0.
    public init(_ bytes: [UInt8], file: String? = nil) throws(DocumentFailure) {
        self = try DocumentReader.read(bytes, file: file)
    }

    init(elements: [DocumentElement], root: ElementID) {
        self.elements = elements
        self.root = root
        prolog = []
        epilog = []
        elementsByID = [:]
    }

    /// Finds every element that has an id.
    mutating func indexIDs() {
        elementsByID = [:]
        for element in descendants(of: root) {
            guard self[element].isIdentified, let id = self[element].attribute("id") else { continue }
            if elementsByID[id] == nil { elementsByID[id] = element }
        }
    }
}

/// Why a document could not be read.
public struct DocumentFailure: Error, Sendable, CustomStringConvertible {
    /// What is wrong, with its code and place.
    public let diagnostic: Diagnostic

    /// The diagnostic in one line.
    public var description: String { diagnostic.description }
}

// MARK: Walking

extension BPMNDocument {
    /// An element.
    public internal(set) subscript(element: ElementID) -> DocumentElement {
        _read { yield elements[Int(element.index)] }
        _modify { yield &elements[Int(element.index)] }
    }

    /// The elements directly inside an element, in document order.
    public func children(of element: ElementID) -> [ElementID] {
        self[element].content.compactMap(\.element)
    }

    /// The elements of BPMN with one of these names directly inside an element, in document order.
    public func children(of element: ElementID, named names: Set<String>) -> [ElementID] {
        children(of: element).filter { self[$0].isModel && names.contains(self[$0].name.local) }
    }

    /// The first element of BPMN with this name directly inside an element.
    public func child(of element: ElementID, named local: String) -> ElementID? {
        for case .element(let child) in self[element].content
        where self[child].isModel && self[child].name.local == local { return child }
        return nil
    }

    /// An element and all elements inside it, in document order.
    public func descendants(of element: ElementID) -> [ElementID] {
        var found: [ElementID] = []
        var pending = [element]
        while let next = pending.popLast() {
            found.append(next)
            for case .element(let child) in self[next].content.reversed() { pending.append(child) }
        }
        return found
    }

    /// The element of BPMN or of its diagram with this id; the first one when several have it.
    public func element(id: String) -> ElementID? { elementsByID[id] }

    /// The text directly inside an element, verbatim.
    public func text(of element: ElementID) -> String {
        var text = ""
        for piece in self[element].content {
            switch piece {
            case .text(let more), .cdata(let more): text += more
            case .element, .comment, .instruction: break
            }
        }
        return text
    }

    /// The documentation of an element, verbatim, one string for each `documentation` in it.
    public func documentation(of element: ElementID) -> [String] {
        children(of: element, named: ["documentation"]).map { text(of: $0) }
    }

    /// What other vocabularies say about an element: the contents of its `extensionElements`.
    public func extensionElements(of element: ElementID) -> [ElementID] {
        children(of: element, named: ["extensionElements"]).flatMap { children(of: $0) }
    }
}
