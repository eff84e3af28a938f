import Decisions
import Values

/// What expressions see of a webhook request.
struct WebhookScope: Sendable {
    var variables: [String: Value]
    var now: DateTime
    /// The body, read as its media type says; text when it cannot be.
    var body: Value
    let raw: [UInt8]
    /// Names in lower case.
    let headers: ValueContext

    init(_ request: WebhookRequest, connection: ValueContext, kept: ValueContext, now: Int64) {
        var headers = ValueContext()
        for (name, value) in request.headers {
            let name = name.lowercased()
            headers[name] = .string((headers[name]?.asString).map { $0 + ", " + value } ?? value)
        }
        let type = (headers["content-type"]?.asString ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
        let text = String(validating: request.body, as: UTF8.self)
        let form: [(String, String)] =
            type == "application/x-www-form-urlencoded" ? Self.pairs(text ?? "") : []
        if !form.isEmpty {
            self.body = .context(ValueContext(form.map { ($0.0, .string($0.1)) }))
        } else if let json = try? JSON.parse(request.body) {
            self.body = json
        } else {
            self.body = text.map { .string($0) } ?? .null
        }
        let query =
            request.url.firstIndex(of: "?").map { Self.pairs(request.url[request.url.index(after: $0)...]) } ?? []
        let sorted = form.sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
        self.raw = request.body
        self.headers = headers
        self.now = DateTime(epochMilliseconds: now.multipliedReportingOverflow(by: 1_000).partialValue) ?? .feelEpoch
        self.variables = [
            "rawBody": .string(text ?? ""), "body": self.body, "headers": .context(headers),
            "url": .string(request.url), "method": .string(request.method),
            "query": .context(ValueContext(query.map { ($0.0, .string($0.1)) })),
            "form": .context(ValueContext(form.map { ($0.0, .string($0.1)) })),
            "sortedForm": .string(sorted.map { $0.0 + $0.1 }.joined()), "connection": .context(connection),
            "kept": .context(kept),
        ]
    }

    /// The scope of keys and conditions.
    func event(_ payload: Value) -> MapScope {
        var variables = self.variables
        variables["event"] = payload.isNull ? self.body : payload
        return MapScope(variables, now: self.now)
    }

    private static func pairs(_ text: some StringProtocol) -> [(String, String)] {
        text.split(separator: "&").prefix(1_000).map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                URLEncoding.decode(parts[0], isForm: true),
                parts.count > 1 ? URLEncoding.decode(parts[1], isForm: true) : ""
            )
        }
    }
}
