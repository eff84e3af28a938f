/// Writes the schema documents of a service as one self-contained set.
///
/// One document imports each namespace; that of a namespace includes all documents that declare for it. So it does not
/// matter how a description spreads its schemas, and nothing has to be fetched.
enum SchemaSources {
    private static let main = "urn:junction:soap"

    static func make(of service: SOAPService) throws(XMLWriter.UnwritableText) -> [(location: String, bytes: [UInt8])] {
        var byNamespace: [String: [SchemaDocument]] = [:]
        for document in service.documents { byNamespace[document.namespace, default: []].append(document) }
        let wrappers = Self.wrappers(service)
        let namespaces = Set(byNamespace.keys).union(wrappers.keys).union(Self.builtin.keys).sorted()
        var sources: [(location: String, bytes: [UInt8])] = []
        var writer = XMLWriter(preferred: [Namespace.schema: "xs"])
        writer.start(XMLName(Namespace.schema, "schema"))
        try writer.attribute(XMLName("", "targetNamespace"), Self.main)
        try Self.imports(namespaces, except: Self.main, into: &writer)
        writer.end()
        sources.append((Self.main, writer.bytes))
        for namespace in namespaces {
            if let text = Self.builtin[namespace], byNamespace[namespace] == nil {
                sources.append((Self.location(namespace), Array(text.utf8)))
                continue
            }
            var driver = XMLWriter(preferred: [Namespace.schema: "xs"])
            driver.start(XMLName(Namespace.schema, "schema"))
            if !namespace.isEmpty { try driver.attribute(XMLName("", "targetNamespace"), namespace) }
            var parts: [[UInt8]] = []
            for document in byNamespace[namespace] ?? [] { parts.append(try Self.copy(document, namespaces)) }
            if let wrappers = wrappers[namespace] {
                parts.append(try Self.write(wrappers, namespace, namespaces))
            }
            for (index, part) in parts.enumerated() {
                let location = "\(Self.location(namespace))#\(index)".replacing("#", with: "-")
                driver.start(XMLName(Namespace.schema, "include"))
                try driver.attribute(XMLName("", "schemaLocation"), location)
                driver.end()
                sources.append((location, part))
            }
            driver.end()
            sources.append((Self.location(namespace), driver.bytes))
        }
        return sources
    }

    /// A location that says nothing but which namespace it is.
    private static func location(_ namespace: String) -> String {
        "urn:cxml:" + namespace.utf8.map { String($0, radix: 16) }.joined(separator: ".")
    }

    private static func imports(
        _ namespaces: [String], except own: String, into writer: inout XMLWriter
    ) throws(XMLWriter.UnwritableText) {
        for namespace in namespaces where namespace != own {
            writer.start(XMLName(Namespace.schema, "import"))
            if !namespace.isEmpty { try writer.attribute(XMLName("", "namespace"), namespace) }
            try writer.attribute(XMLName("", "schemaLocation"), Self.location(namespace))
            writer.end()
        }
    }

    private static func copy(
        _ document: SchemaDocument, _ namespaces: [String]
    ) throws(XMLWriter.UnwritableText) -> [UInt8] {
        var writer = XMLWriter(preferred: [Namespace.schema: "xs"])
        let root = document.root
        writer.start(root.name, declaring: root.scope.all)
        for attribute in root.attributes where attribute.name.uri.isEmpty {
            try writer.attribute(attribute.name, attribute.value)
        }
        // A document without a namespace cannot import the absence of one, also when it gets one by inclusion.
        let others = root.attribute("targetNamespace") == nil ? namespaces.filter { !$0.isEmpty } : namespaces
        try Self.imports(others, except: document.namespace, into: &writer)
        for child in root.children where child.name.uri == Namespace.schema {
            if ["import", "include", "annotation"].contains(child.name.local) { continue }
            try writer.copy(child, inside: root, isKept: { $0.name != XMLName(Namespace.schema, "annotation") })
        }
        writer.end()
        return writer.bytes
    }

    // MARK: - RPC

    /// The elements around the parts of RPC messages, by namespace: no schema declares them.
    private static func wrappers(_ service: SOAPService) -> [String: [(name: String, parts: [MessagePart])]] {
        var wrappers: [String: [(name: String, parts: [MessagePart])]] = [:]
        func add(_ name: String, _ binding: MessageBinding) {
            let isKnown = service.schemas.elements[XMLName(binding.namespace, name)] != nil
            let isTwice = wrappers[binding.namespace]?.contains { $0.name == name } == true
            if !binding.isEncoded, !isKnown, !isTwice {
                wrappers[binding.namespace, default: []].append((name, binding.parts))
            }
        }
        for operation in service.operations where operation.isRPC {
            add(operation.name, operation.input)
            if let output = operation.output { add("\(operation.name)Response", output) }
        }
        return wrappers
    }

    private static func write(
        _ wrappers: [(name: String, parts: [MessagePart])], _ namespace: String, _ namespaces: [String]
    ) throws(XMLWriter.UnwritableText) -> [UInt8] {
        var writer = XMLWriter(preferred: [Namespace.schema: "xs"])
        writer.start(XMLName(Namespace.schema, "schema"))
        if !namespace.isEmpty { try writer.attribute(XMLName("", "targetNamespace"), namespace) }
        try Self.imports(namespaces, except: namespace, into: &writer)
        for wrapper in wrappers {
            writer.start(XMLName(Namespace.schema, "element"))
            try writer.attribute(XMLName("", "name"), wrapper.name)
            writer.start(XMLName(Namespace.schema, "complexType"))
            writer.start(XMLName(Namespace.schema, "all"))
            for part in wrapper.parts {
                writer.start(XMLName(Namespace.schema, "element"))
                try writer.attribute(XMLName("", "name"), part.name)
                if case .named(let type) = part.declaration.type {
                    let prefix = writer.prefix(of: type.uri)
                    try writer.attribute(XMLName("", "type"), prefix.isEmpty ? type.local : "\(prefix):\(type.local)")
                }
                writer.end()
            }
            for _ in 0..<3 { writer.end() }
        }
        writer.end()
        return writer.bytes
    }

    // MARK: - Built in

    /// Documents of namespaces that schemas refer to without saying where they are.
    private static let builtin: [String: String] = [
        Namespace.xml: """
        <xs:schema xmlns:xs="\(Namespace.schema)" targetNamespace="\(Namespace.xml)">
        <xs:attribute name="lang" type="xs:string"/><xs:attribute name="space" type="xs:NCName"/>
        <xs:attribute name="base" type="xs:anyURI"/><xs:attribute name="id" type="xs:ID"/>
        </xs:schema>
        """,
        SchemaValidator.mimeNamespace: """
        <xs:schema xmlns:xs="\(Namespace.schema)" targetNamespace="\(SchemaValidator.mimeNamespace)">
        <xs:attribute name="contentType" type="xs:string"/><xs:attribute name="expectedContentTypes" type="xs:string"/>
        </xs:schema>
        """,
    ]
}
