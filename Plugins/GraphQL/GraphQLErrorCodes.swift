internal import ConnectorKit

/// What the codes of GraphQL services mean.
///
/// There is no standard; these are the ones of Apollo, graphql-java, Shopify, GitHub and Hasura that say one thing.
enum GraphQLErrorCodes {
    /// A code, however it was written.
    static func normalized(_ code: String) -> String {
        String(code.uppercased().map { $0 == "-" || $0 == " " ? "_" : $0 })
    }

    /// The place of a code in the taxonomy.
    static func kind(of code: String) -> ConnectorError.Kind? {
        switch Self.normalized(code) {
        case "UNAUTHENTICATED", "UNAUTHORIZED", "AUTHENTICATION_ERROR", "INVALID_TOKEN", "INVALID_JWT",
            "ACCESS_TOKEN_EXPIRED":
            .auth
        case "FORBIDDEN", "ACCESS_DENIED", "PERMISSION_DENIED", "INSUFFICIENT_SCOPES", "PERMISSION_ERROR": .permission
        case "NOT_FOUND", "RESOURCE_NOT_FOUND": .notFound
        case "CONFLICT", "ALREADY_EXISTS", "STALE_DATA", "CONSTRAINT_VIOLATION": .conflict
        case "BAD_USER_INPUT", "BAD_REQUEST", "GRAPHQL_VALIDATION_FAILED", "GRAPHQL_PARSE_FAILED", "VALIDATION_FAILED",
            "VALIDATION_ERROR", "INVALID_ARGUMENT", "INVALID_INPUT", "OPERATION_RESOLUTION_FAILURE", "PARSE_FAILED",
            "INVALIDSYNTAX", "VALIDATIONERROR", "MAX_COST_EXCEEDED", "UNPROCESSABLE":
            .validation
        case "RATE_LIMITED", "RATELIMITED", "RATE_LIMIT", "RATE_LIMIT_EXCEEDED", "THROTTLED", "TOO_MANY_REQUESTS":
            .rateLimited
        case "QUOTA_EXCEEDED", "PAYMENT_REQUIRED": .quotaExhausted
        case "INTERNAL_SERVER_ERROR", "INTERNAL_ERROR", "INTERNAL": .transient
        case "SERVICE_UNAVAILABLE", "UNAVAILABLE", "MAINTENANCE": .unavailable
        case "TIMEOUT", "GATEWAY_TIMEOUT", "REQUEST_TIMEOUT", "DEADLINE_EXCEEDED": .timeout
        case "NOT_IMPLEMENTED", "UNSUPPORTED": .unsupported
        default: nil
        }
    }
}
