internal import ConnectorKit
internal import HTTPTransport

/// Gets the description of a service from where it is.
enum ServiceLoader {
    /// Whether a location is a URL.
    static func isURL(_ wsdl: String) -> Bool {
        let start = wsdl.prefix(8).lowercased()
        return start.hasPrefix("http://") || start.hasPrefix("https://")
    }

    /// Reads a file, or fetches a URL with a client that `client` makes.
    ///
    /// - Throws: `ConnectorError`.
    static func load(
        _ wsdl: String, service: String?, port: String?, client: () throws -> HTTPClient
    ) async throws -> SOAPService {
        guard Self.isURL(wsdl) else { return try Self.load(file: wsdl, service: service, port: port) }
        guard let address = HTTPAddress(wsdl), !address.hasUser else {
            throw SOAPErrors.unreadable(wsdl, "it is no URL, or holds credentials")
        }
        let client = try client()
        let documents: ServiceDocuments
        do {
            documents = try await DocumentLoader.load(address.text, from: RemoteDocuments(client: client))
            await client.close()
        } catch {
            await client.close()
            throw error
        }
        return try WSDLReader.read(documents, service: service, port: port)
    }

    /// Reads a file, and what it imports.
    static func load(file: String, service: String?, port: String?) throws(ConnectorError) -> SOAPService {
        let (source, location) = try FileDocuments.open(file)
        return try WSDLReader.read(try DocumentLoader.load(location, from: source), service: service, port: port)
    }

    /// Where calls go: `baseUrl` of the connection, or the address in the description.
    ///
    /// A description that came over the network may only name its own server, or hosts the connection allows.
    ///
    /// - Throws: `ConnectorError`.
    static func endpoint(_ service: SOAPService, _ settings: SOAPSettings) throws -> HTTPAddress {
        if let base = settings.http.base { return base }
        guard let address = HTTPAddress(service.address), address.isHTTP, !address.hasUser, !address.hasFragment else {
            throw SOAPErrors.port(
                "The port \(service.port) has the address \"\(service.address.prefix(200))\", which is no http or https URL.",
                "Set baseUrl of the connection.")
        }
        if Self.isURL(settings.wsdl), let origin = HTTPAddress(settings.wsdl), !address.hasSameOrigin(as: origin),
            !settings.http.allowedHosts.contains(address.host)
        {
            throw SOAPErrors.port(
                "The description at \(origin.host) leads to another server, \(address.scheme)://\(address.host):\(address.port).",
                "Set baseUrl of the connection, or add the host to allowHosts.")
        }
        return address
    }
}
