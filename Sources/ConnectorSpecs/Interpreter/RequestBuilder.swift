import ConnectorKit
import Decisions
import HTTPTransport
import Values

/// Builds requests from what a specification says.
struct RequestBuilder: Sendable {
    let spec: ConnectorSpec
    /// The parameters of the connection, without secrets.
    let connection: ValueContext

    /// The request of one page of an operation.
    ///
    /// - Parameter url: The address a link of the page before leads to, instead of the operation's own.
    func request(
        _ operation: OperationSpec, _ scope: SpecScope, call: OperationCall, timeout: Duration, url: String? = nil
    ) throws(ConnectorError) -> SpecRequest {
        let map = scope.map
        var headers = self.headers(operation, map)
        var key: String?
        var place: IdempotencySpec.Place?
        if case .key(let where0, let value, _, _) = operation.idempotency {
            key = value.text(map)
            place = where0
        }
        var query: [(String, String)] = []
        let parameters = operation.request.query.value(map)
        guard parameters.isNull || parameters.asContext != nil else {
            throw Self.invalid(operation, "query: expected a context of parameters.")
        }
        for (name, value) in parameters.asContext ?? ValueContext() {
            query += BodyEncoder.pairs(name, value, nested: value.asContext != nil)
        }
        if let key {
            switch place {
            case .header(let name):
                headers.removeAll { $0.name.lowercased() == name.lowercased() }
                headers.append((name, key))
            case .query(let name): query.append((name, key))
            case .bodyField, nil: break
            }
        }
        var body: [UInt8]?
        if let spec = operation.request.body {
            var value = spec.value.value(map)
            if let key, case .bodyField(let name) = place, var members = value.asContext {
                members[name] = .string(key)
                value = .context(members)
            }
            if !value.isNull || spec.keepsNulls {
                let encoded = try self.encoded(value, spec, operation)
                body = encoded.bytes
                if !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
                    headers.append(("Content-Type", spec.contentType?.text(map) ?? encoded.contentType))
                }
            }
        }
        if !headers.contains(where: { $0.name.lowercased() == "accept" }) {
            headers.append(("Accept", "application/json"))
        }
        if let traceparent = call.traceparent { headers.append(("traceparent", traceparent)) }
        for header in headers {
            if let problem = HTTPFields.problem(name: header.name, value: header.value) {
                throw Self.invalid(operation, "headers: \(problem)")
            }
        }
        var address: String
        if let url {
            address = url
        } else {
            address = try self.address(operation, map)
            if !query.isEmpty {
                address += address.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
                address += query.map { URLEncoding.component($0.0) + "=" + URLEncoding.component($0.1) }
                    .joined(separator: "&")
            }
        }
        return SpecRequest(
            method: try self.method(operation, map), url: try self.checked(address, map), headers: headers, body: body,
            timeout: timeout, isRepeatable: operation.isRepeatable, service: operation.request.service)
    }

    private func method(_ operation: OperationSpec, _ map: MapScope) throws(ConnectorError) -> String {
        let method = operation.request.method.text(map) ?? ""
        guard RequestSpec.methods.contains(method) else {
            throw Self.invalid(
                operation, "method: expected one of \(RequestSpec.methods.joined(separator: ", ")).")
        }
        return method
    }

    private func headers(_ operation: OperationSpec, _ map: MapScope) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        for (name, value) in self.spec.defaults.headers + operation.request.headers {
            headers.removeAll { $0.name.lowercased() == name.lowercased() }
            // A context is sent as JSON, its empty members left out like empty header fields.
            if let text = value.value(map).withoutNulls.plainText { headers.append((name, text)) }
        }
        return headers
    }

    private func encoded(
        _ value: Value, _ spec: BodySpec, _ operation: OperationSpec
    ) throws(ConnectorError) -> (bytes: [UInt8], contentType: String) {
        do {
            return try BodyEncoder.encode(value, as: spec.encoding, keepsNulls: spec.keepsNulls)
        } catch {
            throw Self.invalid(operation, error.message)
        }
    }

    // MARK: - Addresses

    /// The base address of the connection, without a slash at its end.
    func base() throws(ConnectorError) -> String {
        let scope = MapScope(["connection": .context(self.connection)])
        do {
            var base = try self.spec.connection.baseURL.plain(scope)
            while base.hasSuffix("/") { base.removeLast() }
            return base
        } catch {
            throw ConnectorError(
                .validation, code: SpecErrorCode.expression,
                "The base address of \(self.spec.metadata.id) cannot be built from the connection's parameters.",
                remedy: "Give the parameters it is made of.")
        }
    }

    private func address(_ operation: OperationSpec, _ map: MapScope) throws(ConnectorError) -> String {
        let template = operation.request.path
        do {
            if template.isExpression {
                let text = try template.plain(map)
                if text.hasPrefix("https://") || text.hasPrefix("http://") { return text }
            }
            let path = try template.path(map)
            if path.hasPrefix("https://") || path.hasPrefix("http://") { return path }
            let base = try self.base()
            return path.isEmpty ? base : base + (path.hasPrefix("/") ? path : "/" + path)
        } catch let error as TextTemplate.Failure {
            switch error {
            case .empty(let source):
                throw Self.invalid(operation, "The path needs \(source), which is empty.")
            case .dots(let source):
                throw Self.invalid(operation, "The path needs \(source), which must not be . or .. here.")
            }
        } catch let error as ConnectorError {
            throw error
        } catch {
            throw ConnectorError(wrapping: error)
        }
    }

    /// The address, when requests may go there.
    func checked(_ text: String, _ map: MapScope) throws(ConnectorError) -> String {
        guard let address = HTTPAddress(text), address.isHTTP, !address.hasUser, !address.hasFragment else {
            throw ConnectorError(
                .validation, code: SpecErrorCode.egress, "\"\(text.prefix(80))\" is no address that can be called.",
                remedy: "Correct the parameters it is made of.")
        }
        guard self.allows(address, map) else {
            throw ConnectorError(
                .permission, code: SpecErrorCode.egress,
                "\(self.spec.metadata.id) may not call the host \(address.host).",
                remedy: "Add it to connection.egress.allowHosts of the specification if it is to be called.")
        }
        return address.text
    }

    /// Whether requests may go to `address`: the server of the base address, or a host `egress` lists.
    private func allows(_ address: HTTPAddress, _ map: MapScope) -> Bool {
        if let base = try? self.base(), let origin = HTTPAddress(base), address.hasSameOrigin(as: origin) {
            // Hosts that are listed are the only ones, the base address's included.
            if self.spec.connection.egress.allowHosts.isEmpty { return true }
        }
        return self.spec.connection.egress.allowHosts.contains { template in
            guard let pattern = try? template.plain(map) else { return false }
            return HostPattern.matches(address.host, pattern)
        }
    }

    static func invalid(_ operation: OperationSpec, _ message: String) -> ConnectorError {
        ConnectorError(
            .validation, code: ConnectorError.Code.invalidParameters, "\(operation.id): \(message)",
            remedy: "Correct the input.")
    }
}
