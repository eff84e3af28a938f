internal import ConnectorKit
internal import HTTPTransport

/// Where the documents of a description come from.
protocol DocumentSource: Sendable {
    /// The location `reference` means, seen from the document at `base`; nil when it must not be read.
    func location(of reference: String, from base: String) -> String?
}

/// Documents of a service, read and taken apart.
struct ServiceDocuments: Sendable {
    /// The `wsdl:definitions` elements, the one asked for first.
    var definitions: [(location: String, root: XMLNode)] = []
    var schemas: [SchemaDocument] = []
}

/// Reads a description and everything it imports.
struct DocumentLoader {
    /// How much is read in all.
    static let bytesMax = 16 << 20
    private static let documentsMax = 200
    /// Namespaces that need no document.
    private static let known: Set<String> = [
        "", Namespace.xml, Namespace.schema, Namespace.wsdl, Namespace.encoding11, Namespace.encoding12,
        Namespace.envelope11, Namespace.envelope12, SchemaValidator.mimeNamespace,
    ]

    private struct Pending {
        var location: String
        /// The namespace of a document that has none.
        var namespace: String?
    }

    private let source: any DocumentSource
    private var found = ServiceDocuments()
    private var queue: [Pending] = []
    private var seen: Set<String> = []
    private var bytes = 0
    /// Imports that could not be followed.
    private var unfollowed: [(namespace: String, reference: String, place: String, line: Int)] = []

    /// Reads the description at `location` from a folder.
    static func load(_ location: String, from source: FileDocuments) throws(ConnectorError) -> ServiceDocuments {
        var loader = DocumentLoader(location, source)
        while let next = try loader.next() {
            try loader.take(try source.read(next.location, bytesMax: loader.bytesLeft), next)
        }
        return try loader.finish()
    }

    /// Reads the description at `location` from a server.
    static func load(_ location: String, from source: RemoteDocuments) async throws -> ServiceDocuments {
        var loader = DocumentLoader(location, source)
        while let next = try loader.next() {
            try loader.take(try await source.read(next.location, bytesMax: loader.bytesLeft), next)
        }
        return try loader.finish()
    }

    private var bytesLeft: Int { Self.bytesMax - self.bytes }

    private func finish() throws(ConnectorError) -> ServiceDocuments {
        let namespaces = Set(self.found.schemas.map(\.namespace))
        for item in self.unfollowed
        where !namespaces.contains(item.namespace) && !Self.known.contains(item.namespace) {
            throw SOAPErrors.invalid(
                item.place, line: item.line,
                "It imports \(item.reference.prefix(200)), which is not below the description's folder or server.")
        }
        return self.found
    }

    private init(_ location: String, _ source: any DocumentSource) {
        self.source = source
        self.queue = [Pending(location: location)]
    }

    /// The next document to read that was not read yet.
    private mutating func next() throws(ConnectorError) -> Pending? {
        while let pending = self.queue.popLast() {
            guard self.seen.insert("\(pending.namespace ?? "") \(pending.location)").inserted else { continue }
            guard self.seen.count <= Self.documentsMax else {
                throw SOAPErrors.unreadable(pending.location, "there are more than \(Self.documentsMax) documents")
            }
            return pending
        }
        return nil
    }

    private mutating func take(_ bytes: [UInt8], _ pending: Pending) throws(ConnectorError) {
        self.bytes += bytes.count
        let root: XMLNode
        do {
            root = try XMLParser.parse(bytes, bytesMax: Self.bytesMax)
        } catch {
            throw SOAPErrors.unreadable(pending.location, "it is no XML: \(error)")
        }
        switch (root.name.uri, root.name.local) {
        case (Namespace.wsdl, "definitions"): try self.takeDefinitions(root, pending.location)
        case (Namespace.schema, "schema") where !self.found.definitions.isEmpty:
            try self.takeSchema(root, pending.location, including: pending.namespace)
        default:
            let reason =
                root.name.uri == "http://www.w3.org/ns/wsdl"
                ? "it is WSDL 2.0; only 1.1 is supported" : "its root is \(root.name), expected wsdl:definitions"
            throw SOAPErrors.unreadable(pending.location, reason)
        }
    }

    private mutating func takeDefinitions(_ root: XMLNode, _ location: String) throws(ConnectorError) {
        self.found.definitions.append((location, root))
        for node in root.children("import", in: Namespace.wsdl) {
            guard let reference = node.attribute("location") else { continue }
            self.follow(reference, from: location, node, namespace: node.attribute("namespace") ?? "", including: nil)
        }
        for types in root.children("types", in: Namespace.wsdl) {
            for schema in types.children("schema", in: Namespace.schema) {
                try self.takeSchema(schema, location, including: nil)
            }
        }
    }

    private mutating func takeSchema(
        _ root: XMLNode, _ location: String, including: String?
    ) throws(ConnectorError) {
        let own = root.attribute("targetNamespace")
        if let own, let including, own != including {
            throw SOAPErrors.invalid(location, line: root.line, "It is included by a schema of another namespace.")
        }
        let namespace = own ?? including ?? ""
        self.found.schemas.append(SchemaDocument(location: location, namespace: namespace, root: root))
        for node in root.children where node.name.uri == Namespace.schema {
            let isInclude = node.name.local == "include"
            guard isInclude || node.name.local == "import", let reference = node.attribute("schemaLocation") else {
                continue
            }
            self.follow(
                reference, from: location, node,
                namespace: isInclude ? "\u{0}" : node.attribute("namespace") ?? "",
                including: isInclude ? namespace : nil)
        }
    }

    private mutating func follow(
        _ reference: String, from base: String, _ node: XMLNode, namespace: String, including: String?
    ) {
        if Self.known.contains(namespace), !namespace.isEmpty { return }
        if let location = self.source.location(of: reference.trimmingXMLSpace, from: base) {
            self.queue.append(Pending(location: location, namespace: including))
        } else {
            self.unfollowed.append((namespace, reference, base, node.line))
        }
    }
}

/// Documents of a server, within its origin or the hosts the connection allows.
struct RemoteDocuments: DocumentSource {
    let client: HTTPClient

    func location(of reference: String, from base: String) -> String? {
        guard let address = HTTPAddress(reference, relativeTo: base), address.isHTTP, !address.hasUser,
            let origin = HTTPAddress(base)
        else { return nil }
        let isAllowed =
            address.hasSameOrigin(as: origin) || self.client.settings.allowedHosts.contains(address.host)
        return isAllowed ? address.text : nil
    }

    /// The document.
    ///
    /// - Throws: `ConnectorError`.
    func read(_ location: String, bytesMax: Int) async throws -> [UInt8] {
        guard let address = HTTPAddress(location) else { throw SOAPErrors.unreadable(location, "it is no URL") }
        let request = HTTPRequest(
            target: .url(address), headers: [("Accept", "text/xml, application/xml, application/wsdl+xml")],
            timeout: .seconds(30), responseBytesMaximum: max(1, bytesMax))
        let response = try await self.client.send(request)
        guard response.status == 200 else { throw self.client.failure(response, of: request) }
        return response.bytes
    }
}
