internal import ConnectorKit

/// A schema document, and the namespace it declares for.
struct SchemaDocument: Sendable {
    /// Where it was found, for messages.
    var location: String
    /// Its target namespace, or for one without that of the document that includes it.
    var namespace: String
    var root: XMLNode
}

/// Reads schema documents into one set.
struct SchemaReader {
    private(set) var set = SchemaSet()
    private var document: SchemaDocument
    private var isElementQualified = false
    private var isAttributeQualified = false
    /// Elements without a type that may stand for another, whose type they have.
    private var untyped: [(name: XMLName, head: XMLName)] = []

    /// Reads documents; the order does not matter.
    ///
    /// - Throws: `ConnectorError` for names that are declared nowhere and for what is not supported.
    static func read(_ documents: [SchemaDocument]) throws(ConnectorError) -> SchemaSet {
        guard let first = documents.first else { return SchemaSet() }
        var reader = SchemaReader(document: first)
        for document in documents { try reader.readDocument(document) }
        reader.inheritTypes()
        var set = reader.set
        set.shapes = try ShapeBuilder.shapes(of: set)
        return set
    }

    private init(document: SchemaDocument) {
        self.document = document
    }

    private mutating func readDocument(_ document: SchemaDocument) throws(ConnectorError) {
        self.document = document
        self.isElementQualified = document.root.attribute("elementFormDefault") == "qualified"
        self.isAttributeQualified = document.root.attribute("attributeFormDefault") == "qualified"
        for node in document.root.children where node.name.uri == Namespace.schema {
            switch node.name.local {
            case "annotation", "import", "include", "notation": continue
            case "redefine":
                throw SOAPErrors.unsupported(
                    "\(document.location), line \(node.line): xs:redefine is not supported.",
                    "Use a schema without it.")
            default: break
            }
            let name = XMLName(document.namespace, try self.required("name", node))
            switch node.name.local {
            case "element":
                let element = try self.element(node, name: name)
                self.set.elements[name] = element
                if let text = node.attribute("substitutionGroup") {
                    let head = try self.name(text, node)
                    self.set.substitutions[head, default: []].append(name)
                    if element.type == .anyType, node.attribute("type") == nil { self.untyped.append((name, head)) }
                }
            case "attribute": self.set.attributes[name] = try self.attribute(node, name: name)
            case "complexType": self.set.types[name] = try self.complexType(node, name: name)
            case "simpleType": self.set.types[name] = try self.simpleType(node)
            case "group": self.set.groups[name] = try self.firstParticle(node)
            case "attributeGroup": self.set.attributeGroups[name] = try self.attributes(node)
            default: throw self.invalid(node, "xs:\(node.name.local) has no place here.")
            }
        }
    }

    /// Gives elements without a type that of the head of their group, which may have one of another.
    private mutating func inheritTypes() {
        for _ in 0..<min(self.untyped.count, 16) {
            for (name, head) in self.untyped {
                if let type = self.set.elements[head]?.type { self.set.elements[name]?.type = type }
            }
        }
    }

    // MARK: - Names

    private func invalid(_ node: XMLNode, _ reason: String) -> ConnectorError {
        SOAPErrors.invalid(self.document.location, line: node.line, reason)
    }

    private func required(_ attribute: String, _ node: XMLNode) throws(ConnectorError) -> String {
        guard let value = node.attribute(attribute)?.trimmingXMLSpace, !value.isEmpty else {
            throw self.invalid(node, "xs:\(node.name.local) has no \(attribute).")
        }
        return value
    }

    private func name(_ text: String, _ node: XMLNode) throws(ConnectorError) -> XMLName {
        guard let name = node.resolve(text) else {
            throw self.invalid(node, "The prefix of \"\(text.prefix(80))\" is not declared.")
        }
        // A document without a namespace of its own takes that of whoever includes it.
        let isChameleon = name.uri.isEmpty && self.document.root.attribute("targetNamespace") == nil
        return isChameleon ? XMLName(self.document.namespace, name.local) : name
    }

    /// The type an attribute names, or the one declared inside; nil when there is neither.
    private mutating func type(_ node: XMLNode) throws(ConnectorError) -> TypeReference? {
        if let text = node.attribute("type") { return .named(try self.name(text, node)) }
        if let inner = node.child("simpleType", in: Namespace.schema) { return try self.simpleType(inner) }
        if let inner = node.child("complexType", in: Namespace.schema) { return try self.complexType(inner, name: nil) }
        return nil
    }

    private func documentation(_ node: XMLNode) -> String? {
        let text = node.child("annotation", in: Namespace.schema)?.child("documentation", in: Namespace.schema)?.text
        let words = text?.xmlTokens.joined(separator: " ") ?? ""
        return words.isEmpty ? nil : String(words.prefix(500))
    }

    // MARK: - Elements and attributes

    private mutating func element(_ node: XMLNode, name: XMLName) throws(ConnectorError) -> ElementDeclaration {
        ElementDeclaration(
            name: name, type: try self.type(node) ?? .anyType, isNillable: Self.isTrue(node.attribute("nillable")),
            isAbstract: Self.isTrue(node.attribute("abstract")),
            defaultText: node.attribute("default") ?? node.attribute("fixed"), documentation: self.documentation(node))
    }

    private mutating func attribute(_ node: XMLNode, name: XMLName) throws(ConnectorError) -> AttributeDeclaration {
        AttributeDeclaration(
            name: name, type: try self.type(node) ?? .string, isRequired: node.attribute("use") == "required",
            isProhibited: node.attribute("use") == "prohibited",
            defaultText: node.attribute("default") ?? node.attribute("fixed"), fixedText: node.attribute("fixed"))
    }

    private static func isTrue(_ text: String?) -> Bool { text == "true" || text == "1" }

    private mutating func attributes(_ node: XMLNode) throws(ConnectorError) -> AttributeUses {
        var uses = AttributeUses()
        for child in node.children where child.name.uri == Namespace.schema {
            switch child.name.local {
            case "attribute":
                if let reference = child.attribute("ref") {
                    let name = try self.name(reference, child)
                    if name.local == "arrayType", let item = child.attribute("arrayType", in: Namespace.wsdl) {
                        uses.arrayItem = try self.name(String(item.prefix { $0 != "[" }), child)
                    }
                    let use = child.attribute("use")
                    uses.references.append((name, use == "required", use == "prohibited"))
                } else {
                    let local = try self.required("name", child)
                    let isQualified = child.attribute("form").map { $0 == "qualified" } ?? self.isAttributeQualified
                    let name = XMLName(isQualified ? self.document.namespace : "", local)
                    uses.declared.append(try self.attribute(child, name: name))
                }
            case "attributeGroup": uses.groups.append(try self.name(try self.required("ref", child), child))
            case "anyAttribute": uses.allowsAny = true
            default: continue
            }
        }
        return uses
    }

    // MARK: - Types

    private mutating func simpleType(_ node: XMLNode) throws(ConnectorError) -> TypeReference {
        let type: SimpleType
        if let restriction = node.child("restriction", in: Namespace.schema) {
            type = SimpleType(
                variety: .restriction(try self.base(restriction, attribute: "base")), facets: Self.facets(restriction))
        } else if let list = node.child("list", in: Namespace.schema) {
            type = SimpleType(variety: .list(try self.base(list, attribute: "itemType")))
        } else if let union = node.child("union", in: Namespace.schema) {
            var members: [TypeReference] = []
            for text in union.attribute("memberTypes")?.xmlTokens ?? [] {
                members.append(.named(try self.name(text, union)))
            }
            for inner in union.children("simpleType", in: Namespace.schema) {
                members.append(try self.simpleType(inner))
            }
            type = SimpleType(variety: .union(members))
        } else {
            throw self.invalid(node, "A simple type is a restriction, a list or a union.")
        }
        self.set.simpleTypes.append(type)
        return .simple(self.set.simpleTypes.count - 1)
    }

    private mutating func base(_ node: XMLNode, attribute: String) throws(ConnectorError) -> TypeReference {
        if let text = node.attribute(attribute) { return .named(try self.name(text, node)) }
        guard let inner = node.child("simpleType", in: Namespace.schema) else {
            throw self.invalid(node, "xs:\(node.name.local) has no \(attribute).")
        }
        return try self.simpleType(inner)
    }

    private static func facets(_ node: XMLNode) -> Facets {
        var facets = Facets()
        for child in node.children where child.name.uri == Namespace.schema {
            guard let value = child.attribute("value") else { continue }
            if child.name.local == "enumeration" {
                facets.enumeration.append(value)
            } else {
                facets.bounds[child.name.local] = value
            }
        }
        return facets
    }

    private mutating func complexType(_ node: XMLNode, name: XMLName?) throws(ConnectorError) -> TypeReference {
        // The place is taken first: what is inside may take more.
        let index = self.set.complexTypes.count
        self.set.complexTypes.append(ComplexType())
        var type = ComplexType()
        type.name = name
        type.isAbstract = Self.isTrue(node.attribute("abstract"))
        type.isMixed = Self.isTrue(node.attribute("mixed"))
        type.documentation = self.documentation(node)
        let simple = node.child("simpleContent", in: Namespace.schema)
        let complex = node.child("complexContent", in: Namespace.schema)
        if let content = simple ?? complex {
            type.simpleContent = simple != nil
            if let mixed = complex?.attribute("mixed") { type.isMixed = Self.isTrue(mixed) }
            let derivation = content.children.first {
                $0.name.uri == Namespace.schema && ($0.name.local == "extension" || $0.name.local == "restriction")
            }
            guard let derivation else { throw self.invalid(content, "Expected an extension or a restriction.") }
            type.isExtension = derivation.name.local == "extension"
            type.base = .named(try self.name(try self.required("base", derivation), derivation))
            if simple != nil { type.facets = Self.facets(derivation) }
            if complex != nil { type.particle = try self.firstParticle(derivation) }
            type.attributes = try self.attributes(derivation)
        } else {
            type.particle = try self.firstParticle(node)
            type.attributes = try self.attributes(node)
        }
        self.set.complexTypes[index] = type
        return .complex(index)
    }

    // MARK: - Content models

    private mutating func firstParticle(_ node: XMLNode) throws(ConnectorError) -> Particle? {
        for child in node.children where child.name.uri == Namespace.schema {
            if ["sequence", "choice", "all", "group"].contains(child.name.local) { return try self.particle(child) }
        }
        return nil
    }

    private mutating func particle(_ node: XMLNode) throws(ConnectorError) -> Particle? {
        let term: Particle.Term
        switch node.name.local {
        case "element":
            if let reference = node.attribute("ref") {
                term = .reference(try self.name(reference, node))
            } else {
                let isQualified = node.attribute("form").map { $0 == "qualified" } ?? self.isElementQualified
                let name = XMLName(isQualified ? self.document.namespace : "", try self.required("name", node))
                term = .element(try self.element(node, name: name))
            }
        case "sequence": term = .sequence(try self.particles(node))
        case "choice": term = .choice(try self.particles(node))
        case "all": term = .all(try self.particles(node))
        case "group": term = .group(try self.name(try self.required("ref", node), node))
        case "any": term = .any
        default: return nil
        }
        let minimum = try self.occurrence("minOccurs", node)
        let maximum = node.attribute("maxOccurs") == "unbounded" ? Int.max : try self.occurrence("maxOccurs", node)
        return Particle(term: term, minimum: minimum, maximum: maximum)
    }

    private mutating func particles(_ node: XMLNode) throws(ConnectorError) -> [Particle] {
        var particles: [Particle] = []
        for child in node.children where child.name.uri == Namespace.schema {
            if let particle = try self.particle(child) { particles.append(particle) }
        }
        return particles
    }

    private func occurrence(_ attribute: String, _ node: XMLNode) throws(ConnectorError) -> Int {
        guard let text = node.attribute(attribute) else { return 1 }
        guard let count = Int(text.trimmingXMLSpace), count >= 0 else {
            throw self.invalid(node, "\(attribute) is no count.")
        }
        return count
    }
}
