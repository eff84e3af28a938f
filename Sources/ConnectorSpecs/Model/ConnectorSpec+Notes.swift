import ConnectorKit
import Values

extension ConnectorSpec {
    /// What a specification says beyond the description of the connector, in words.
    public struct Notes: Sendable, Hashable {
        /// The ways to authorise requests.
        public var authentication: [String]
        /// What the remote allows.
        public var rateLimits: [String]
        /// The events the remote delivers by calling.
        public var webhooks: [String]
    }

    /// What to know about the specification beyond its description.
    public var notes: Notes {
        Notes(
            authentication: self.connection.auth.map(\.note),
            rateLimits: self.defaults.rateLimits.map(\.note),
            webhooks: self.events.compactMap { event in
                event.webhook.map { "`\(event.id)`: \(event.title). \($0.verify.note)" }
            })
    }
}

extension AuthSpec {
    fileprivate var note: String {
        let fields = self.credentialFields.map { "`\($0)`" }.joined(separator: ", ")
        return "`\(self.id)`: \(self.kind.rawValue)"
            + (fields.isEmpty ? "." : ", with the credential's \(fields).")
    }
}

extension RateLimitRule {
    fileprivate var note: String {
        let words = self.effects.map(\.rawValue).sorted() + self.operations.sorted()
        let calls = self.limit == 1 ? "1 call" : "\(self.limit) calls"
        return "`\(self.id)`: \(calls) in \(Quantity.text(self.period)), \(self.burst) at once"
            + (words.isEmpty ? "." : "; for " + words.map { "`\($0)`" }.joined(separator: ", ") + ".")
    }
}

extension VerifySpec {
    fileprivate var note: String {
        guard self.scheme != .none else { return "Requests are not signed." }
        return "Verified by \(self.scheme.rawValue)" + (self.header.map { " in `\($0)`." } ?? ".")
    }
}
