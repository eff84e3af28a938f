/// The ways to authorise requests.
enum AuthKind: String, Sendable, CaseIterable {
    case none, basic, bearer, apiKey, oauth2, jwt, sessionToken, awsSigV4, mtls, hmac

    /// One field of an entry of `connection.auth`.
    struct Field: Sendable {
        enum Shape: Sendable {
            /// Text or an expression.
            case text
            /// A context with texts and expressions.
            case context
            /// A list of texts.
            case list
            /// A number of seconds or a length of time.
            case duration
        }

        var name: String
        var isRequired: Bool
        var shape: Shape
        var words: [String] = []

        init(_ name: String, required: Bool = false, _ shape: Shape = .text, words: [String] = []) {
            self.name = name
            self.isRequired = required
            self.shape = shape
            self.words = words
        }
    }

    /// What can be said about each.
    var fields: [Field] {
        switch self {
        case .none: []
        case .basic: [Field("username", required: true), Field("password")]
        case .bearer: [Field("token", required: true)]
        case .apiKey:
            [
                Field("in", words: ["header", "query"]), Field("name", required: true),
                Field("value", required: true),
            ]
        case .oauth2:
            [
                Field(
                    "grant", required: true,
                    words: ["client_credentials", "authorization_code", "refresh", "refresh_token"]),
                Field("tokenUrl", required: true), Field("authorizeUrl"), Field("clientId", required: true),
                Field("clientSecret"), Field("refreshToken"), Field("code"), Field("redirectUri"),
                Field("codeVerifier"), Field("scopes", .list), Field("audience"),
                Field("clientAuth", words: ["header", "body"]), Field("parameters", .context),
            ]
        case .jwt:
            [
                Field("algorithm", words: ["RS256", "RS384", "RS512", "ES256", "ES384", "HS256", "HS384", "HS512"]),
                Field("key", required: true), Field("keyId"), Field("issuer"), Field("subject"), Field("audience"),
                Field("claims", .context), Field("scopes", .list), Field("lifetime", .duration), Field("tokenUrl"),
            ]
        case .sessionToken:
            [
                Field("login", required: true, .context), Field("token", required: true),
                Field("in", words: ["header", "query"]),
                Field("name"), Field("value"), Field("lifetime", .duration),
            ]
        case .awsSigV4:
            [
                Field("service", required: true), Field("region", required: true),
                Field("accessKeyId", required: true), Field("secretAccessKey", required: true),
                Field("sessionToken"),
            ]
        case .mtls: [Field("certificate", required: true), Field("key")]
        case .hmac:
            [
                Field("algorithm", words: ["sha1", "sha256", "sha384", "sha512"]), Field("secret", required: true),
                Field("secretDecode", words: ["text", "hex", "base64"]), Field("signed", required: true),
                Field("encoding", words: ["hex", "base64", "base64url"]), Field("header"), Field("prefix"),
                Field("timestampHeader"), Field("timestampFormat", words: ["seconds", "milliseconds", "iso8601"]),
                Field("nonceHeader"),
            ]
        }
    }
}
