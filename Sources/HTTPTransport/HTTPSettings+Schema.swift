public import ConnectorKit
public import Values

extension HTTPSettings {
    /// JSON Schema properties of the shared parameters, for the descriptor of a connector.
    public static let schemaProperties: ValueContext = [
        "baseUrl": ["type": "string", "description": "Where paths are relative to."],
        "headers": ["type": "object", "description": "Sent with every request."],
        "auth": Self.authSchema,
        "allowHosts": ["type": "array", "items": ["type": "string"], "description": "Other hosts that may be called."],
        "allowPrivate": [
            "type": "boolean", "default": false,
            "description": "Whether the service may have a private or loopback address.",
        ],
        "allowPrivateHosts": [
            "type": "array", "items": ["type": "string"],
            "description": "Hosts that may have a private or loopback address.",
        ],
        "redirects": [
            "type": "integer", "minimum": 0, "maximum": 20, "default": 0,
            "description": "How many redirects are followed; each is checked like a first request.",
        ],
        "connectTimeout": ["type": "string", "default": "5s"],
        "maxResponse": ["type": "string", "default": "8MiB", "description": "After decompression."],
        "maxConnections": ["type": "integer", "minimum": 1, "maximum": 4_096, "default": 64],
        "idempotencyHeader": ["type": "string", "default": "Idempotency-Key"],
        "honoursIdempotencyKey": [
            "type": "boolean", "default": false,
            "description": "Whether the service recognises a repeated request by that header.",
        ],
        "httpVersion": [
            "enum": ["auto", "1.1", "2"], "default": "auto",
            "description": "auto: HTTP/2 where TLS agrees on it; 2: at once, also without TLS.",
        ],
        "tlsMinimum": ["enum": ["1.2", "1.3"], "default": "1.2"],
        "caFile": [
            "type": "string", "description": "PEM file of the authorities to trust instead of the system's.",
        ],
        "clientCertificate": [
            "type": ["string", "object"],
            "description": "The certificate this client shows, PEM: a file, or { secret: … }.",
        ],
        "clientKey": ["type": ["string", "object"], "description": "Its key, PEM: { secret: … }, or a file."],
        "clientKeyPassword": ["type": "object", "description": "{ secret: … }, if the key has one."],
        "proxy": Self.proxySchema,
    ]

    /// The secrets these parameters may name.
    public static let secretDescriptors: [SecretDescriptor] = [
        ("auth.token", "Bearer token"), ("auth.user", "User"), ("auth.password", "Password"),
        ("auth.value", "API key"), ("auth.clientId", "OAuth 2 client"), ("auth.clientSecret", "OAuth 2 client secret"),
        ("auth.refreshToken", "OAuth 2 refresh token"), ("auth.code", "OAuth 2 authorization code"),
        ("auth.codeVerifier", "PKCE code verifier"), ("auth.assertion.key", "Key that signs the assertion"),
        ("auth.key", "Key that signs"), ("auth.accessKeyId", "AWS access key id"),
        ("auth.secretAccessKey", "AWS secret access key"), ("auth.sessionToken", "AWS session token"),
        ("clientCertificate", "Client certificate"), ("clientKey", "Key of the client certificate"),
        ("clientKeyPassword", "Password of that key"), ("proxy.user", "User of the proxy"),
        ("proxy.password", "Password of the proxy"),
    ].map { SecretDescriptor(parameter: $0.0, title: $0.1, isRequired: false) }

    private static let text: Value = ["type": "string"]

    private static let proxySchema: Value = [
        "type": "object", "required": ["url"], "additionalProperties": false,
        "properties": [
            "url": ["type": "string", "description": "http, https, socks5 (names resolved here) or socks5h (there)."],
            "user": ["type": ["string", "object"]],
            "password": ["type": "object", "description": "{ secret: … }"],
            "noProxy": [
                "type": "array", "items": ["type": "string"],
                "description": "Hosts called directly: a name, .domain for everything below, * for all.",
            ],
        ],
    ]

    private static let authSchema: Value = [
        "type": "object", "required": ["type"], "additionalProperties": false,
        "description":
            "How requests are authorised; the fields depend on type. Secrets are { secret: \"store:name\" }.",
        "properties": .context(Self.authProperties),
    ]

    private static let authProperties: ValueContext = {
        var all: ValueContext = [
            "type": [
                "enum": ["none", "bearer", "basic", "apiKey", "digest", "oauth2", "jwt", "awsSignature", "hmac"]
            ],
            "token": Self.secret("bearer: the token."),
            "user": Self.credential("basic, digest: the user."),
            "password": Self.secret("basic, digest: the password."),
            "query": Self.text("apiKey: name of the query parameter, instead of header."),
            "value": Self.secret("apiKey: the key."),
            "region": Self.text("awsSignature: such as eu-central-1."),
            "service": Self.text("awsSignature: such as sqs, lambda, s3."),
            "accessKeyId": Self.credential("awsSignature: names the key."),
            "secretAccessKey": Self.secret("awsSignature: the key."),
            "sessionToken": Self.secret("awsSignature: of temporary credentials."),
        ]
        all.merge(Self.oauth2)
        all.merge(Self.jwt)
        all.merge(Self.hmac)
        return all
    }()

    private static func text(_ description: String) -> Value {
        ["type": "string", "description": .string(description)]
    }

    private static func secret(_ description: String) -> Value {
        ["type": "object", "required": ["secret"], "description": .string(description)]
    }

    private static func credential(_ description: String) -> Value {
        ["type": ["string", "object"], "description": .string(description + " A text or a secret.")]
    }

    private static func words<Word: RawRepresentable<String> & CaseIterable>(
        _ type: Word.Type, _ description: String
    ) -> Value {
        ["enum": .list(Word.allCases.map { .string($0.rawValue) }), "description": .string(description)]
    }

    private static let oauth2: ValueContext = [
        "grant": [
            "enum": ["clientCredentials", "refreshToken", "authorizationCode", "jwtBearer"],
            "description": "oauth2: what is shown for a token.",
        ],
        "tokenUrl": Self.text("oauth2: where tokens are had."),
        "clientId": Self.credential("oauth2: the client."),
        "clientSecret": Self.secret("oauth2: its secret."),
        "clientAuth": Self.words(
            OAuth2Settings.ClientAuthentication.self, "oauth2: how both are shown. Default: basic."),
        "scope": ["type": ["string", "array"], "description": "oauth2: the scopes."],
        "parameters": ["type": "object", "description": "oauth2: further fields of the form, such as audience."],
        "refreshToken": Self.secret(
            "oauth2, grant refreshToken: the token; grant authorizationCode: where the one it brings is kept."),
        "code": Self.secret("oauth2, grant authorizationCode: the code."),
        "redirectUri": Self.text("oauth2, grant authorizationCode: as it was when the code was had."),
        "codeVerifier": Self.secret("oauth2, grant authorizationCode: the verifier of PKCE."),
        "assertion": [
            "type": "object", "additionalProperties": false, "required": ["algorithm", "key"],
            "description": "oauth2, grant jwtBearer: the token that is signed; fields as for jwt.",
            "properties": .context(Self.jwt),
        ],
    ]

    private static let jwt: ValueContext = [
        "algorithm": [
            "enum": .list(
                (JWTSettings.Algorithm.allCases.map(\.rawValue) + HMACSettings.Algorithm.allCases.map(\.rawValue))
                    .map { .string($0) }),
            "description": "jwt: HS256 to ES384; hmac: sha1 to sha512. Default for hmac: sha256.",
        ],
        "key": Self.secret("jwt, hmac: the key that signs; a private key is PEM."),
        "keyEncoding": Self.words(SecretEncoding.self, "jwt, hmac: how a shared secret is written. Default: text."),
        "keyId": Self.text("jwt: kid."), "issuer": Self.text("jwt: iss."), "subject": Self.text("jwt: sub."),
        "audience": Self.text("jwt: aud."), "lifetime": Self.text("jwt: from iat to exp. Default: 5m."),
        "claims": ["type": "object", "description": "jwt: further claims."],
    ]

    private static let hmac: ValueContext = [
        "stringToSign": Self.text(
            "hmac: with {method}, {host}, {path}, {query}, {target}, {timestamp}, {nonce}, {body}, {bodyHash}, "
                + "{header:NAME}."),
        "header": Self.text("apiKey: the header of the key; hmac: that of the signature."),
        "prefix": Self.text("hmac: what stands before the signature; names in braces as in stringToSign."),
        "encoding": Self.words(HMACSettings.Encoding.self, "hmac: how the signature is written. Default: hex."),
        "timestampHeader": Self.text("hmac: the header of the time, if there is one."),
        "timestampFormat": Self.words(HMACSettings.TimeFormat.self, "hmac: how it is written. Default: seconds."),
        "nonceHeader": Self.text("hmac: the header of the nonce, if there is one."),
    ]
}
