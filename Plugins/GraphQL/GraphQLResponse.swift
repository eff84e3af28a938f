internal import ConnectorKit
internal import HTTPTransport
internal import Values

/// A response of a service (section 7 of the specification), whatever HTTP said of it.
struct GraphQLResponse: Sendable {
    /// One error.
    struct RemoteError: Sendable {
        var message: String
        /// What the service calls it, where it does.
        var code: String?
        /// The field it belongs to, with dots between.
        var path: String?
    }

    /// Why a body is no response.
    struct Malformed: Error {
        var reason: String
    }

    private static let errorsMax = 20
    private static let messageMax = 300

    /// `nil` when the operation did not even begin.
    let data: Value?
    let errors: [RemoteError]
    let extensions: Value?
    let http: HTTPResponse

    /// Reads the body.
    init(_ http: HTTPResponse) throws(Malformed) {
        self.http = http
        let body: Value
        do throws(JSONError) {
            body = try JSON.parse(http.bytes)
        } catch {
            throw Malformed(reason: "status \(http.status), and a body that is no JSON (\(error))")
        }
        guard let fields = body.asContext else { throw Malformed(reason: "a \(body.typeName) instead of an object") }
        self.extensions = fields["extensions"]
        self.data = fields["data"]
        if let data = self.data, !data.isNull, data.asContext == nil {
            throw Malformed(reason: "data that is a \(data.typeName)")
        }
        switch fields["errors"] {
        case nil, .some(.null): self.errors = []
        case .some(.list(let errors)):
            self.errors = errors.prefix(Self.errorsMax).map(Self.error)
        case .some(let other): throw Malformed(reason: "errors that are a \(other.typeName)")
        }
        if self.errors.isEmpty, self.data?.isNull ?? true { throw Malformed(reason: "neither data nor errors") }
    }

    private static func error(_ value: Value) -> RemoteError {
        let extensions = value["extensions"]
        let code = extensions?["code"] ?? value["type"] ?? extensions?["type"] ?? extensions?["classification"]
        let path = value["path"]?.asList?.prefix(50).map { $0.asString ?? JSON.string($0) }.joined(separator: ".")
        let message = value["message"]?.asString ?? ""
        return RemoteError(
            message: String(
                message.prefix(Self.messageMax).map { $0.isNewline ? " " : $0 }),
            code: code?.asString.map { String($0.prefix(100)) }, path: path.map { String($0.prefix(200)) })
    }

    /// Whether the service says that it does not know a document by its digest or id.
    var isUnknownDocument: Bool {
        self.errors.contains { error in
            let code = error.code.map(GraphQLErrorCodes.normalized)
            return code == "PERSISTED_QUERY_NOT_FOUND" || error.message == "PersistedQueryNotFound"
        }
    }

    /// Whether the service says that it takes no digests.
    var refusesDigests: Bool {
        self.errors.contains { error in
            let code = error.code.map(GraphQLErrorCodes.normalized)
            return code == "PERSISTED_QUERY_NOT_SUPPORTED" || error.message == "PersistedQueryNotSupported"
        }
    }

    /// The errors as a value, for results and details.
    var errorValues: Value {
        .list(
            self.errors.map { error in
                var value: ValueContext = ["message": .string(error.message)]
                value["code"] = error.code.map { .string($0) }
                value["path"] = error.path.map { .string($0) }
                return .context(value)
            })
    }

    // MARK: - Failure

    /// The failure its errors stand for.
    ///
    /// Of several, one that another attempt cannot help decides.
    func failure(_ own: [String: ConnectorError.Kind], now: Int64, remote: ConnectorError?) -> ConnectorError {
        let status = self.http.status
        let kinds = self.errors.map { error -> ConnectorError.Kind in
            if let code = error.code {
                if let kind = own[GraphQLErrorCodes.normalized(code)] ?? GraphQLErrorCodes.kind(of: code) {
                    return kind
                }
            }
            // The status of the whole says more than a code nobody knows.
            if let remote, !(200..<300).contains(status) { return remote.kind }
            // Without data the request itself was refused: it was parsed or validated in vain.
            return self.data == nil ? .validation : .unknown
        }
        let index = kinds.firstIndex { !$0.isRetryable } ?? 0
        let kind = kinds.isEmpty ? .unknown : kinds[index]
        let first = self.errors.isEmpty ? RemoteError(message: "no words") : self.errors[index]
        var details = self.facts
        details["errors"] = self.errorValues
        details["partial"] = .boolean(self.isPartial)
        details["code"] = first.code.map { .string($0) }
        details["path"] = first.path.map { .string($0) }
        let place = first.path.map { " at \($0)" } ?? ""
        let more = self.errors.count > 1 ? " (and \(self.errors.count - 1) more)" : ""
        let words = first.message.isEmpty ? first.code ?? "an error without words" : first.message
        return ConnectorError(
            kind, code: GraphQLErrors.Code.remote, "The service answered\(place): \(words)\(more)",
            remedy: GraphQLErrors.remedy(kind),
            // Errors of fields come after the operation began, errors of the request before.
            mayHaveExecuted: self.data != nil || kind == .transient || kind == .timeout,
            retryAfter: remote?.retryAfter ?? (kind == .rateLimited ? self.budget.wait(now: now) : nil),
            details: details)
    }

    /// Whether there are both data and errors.
    var isPartial: Bool { !self.errors.isEmpty && !(self.data?.isNull ?? true) }

    /// What the service says about the cost of the call, and what is left.
    var budget: GraphQLBudget { GraphQLBudget(self) }

    /// What is worth recording.
    var facts: ValueContext {
        var facts = self.http.facts
        facts.merge(self.budget.facts)
        return facts
    }
}
