internal import ConnectorKit
internal import Values

/// Errors of this connector, in the taxonomy.
enum GraphQLErrors {
    /// Codes, each with a page in `docs/errors`.
    enum Code {
        static let remote = "CON-3201"
        static let document = "CON-3202"
        static let malformed = "CON-3203"
        static let wrongKind = "CON-3204"
        static let persisted = "CON-3205"
        static let pages = "CON-3206"
        static let outdated = "CON-3207"
    }

    static func document(_ reason: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.document, "The document cannot be read: \(reason).",
            remedy: "Correct the document; it was not sent.")
    }

    static func unclearOperation(_ name: String?, _ document: GraphQLDocument) -> ConnectorError {
        let names = document.operations.compactMap(\.name)
        return ConnectorError(
            .validation, code: Code.document,
            name.map { "The document has no operation \"\($0.prefix(80))\"." }
                ?? "The document has several operations, and operationName says not which.",
            remedy: names.isEmpty ? "Leave operationName out." : "Use one of \(names.joined(separator: ", ")).")
    }

    static func wrongKind(_ kind: GraphQLDocument.Kind, operation: String) -> ConnectorError {
        let remedy =
            switch kind {
            case .query: "Use the operation query."
            case .mutation: "Use the operation mutate: what it does must be known before it is repeated."
            case .subscription: "Subscriptions are not supported."
            }
        return ConnectorError(
            kind == .subscription ? .unsupported : .validation, code: Code.wrongKind,
            "The document holds a \(kind.rawValue), which \(operation) does not send.", remedy: remedy)
    }

    static func malformed(_ reason: String, details: ValueContext) -> ConnectorError {
        ConnectorError(
            .unknown, code: Code.malformed, "The service answered with no GraphQL response: \(reason).",
            remedy: "Check that baseUrl and path lead to a GraphQL service.", mayHaveExecuted: true, details: details)
    }

    static func unknownPersisted(_ id: String, details: ValueContext) -> ConnectorError {
        ConnectorError(
            .notFound, code: Code.persisted, "The service knows no document \"\(id.prefix(100))\".",
            remedy: "Publish the document to the service, or correct its id.", details: details)
    }

    static func pages(_ reason: String, details: ValueContext) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.pages, "The pages cannot be read: \(reason).",
            remedy: "Correct paginate or the document.", details: details)
    }

    static func outdated(_ name: String, _ field: String, _ type: String) -> ConnectorError {
        ConnectorError(
            .validation, code: Code.outdated,
            "The declared document \(name) asks for \(field), which the service's type \(type) does not have.",
            remedy: "Correct the document after the service's schema.")
    }

    static func remedy(_ kind: ConnectorError.Kind) -> String {
        switch kind {
        case .auth: "Check the credential of the connection; it may have expired."
        case .permission: "Give the credential the right, or use another."
        case .notFound: "Check the ids given."
        case .conflict: "Look at the state of the resource; another change may have come first."
        case .rateLimited, .quotaExhausted: "Call less often, ask for less, or ask the service for a higher limit."
        case .timeout, .transient, .unavailable: "Usually passes; look at the service's log if it does not."
        case .unsupported: "The service cannot do this."
        case .validation, .unknown: "Correct the document or the variables as the message says."
        }
    }
}
