public import ConnectorKit
internal import Values

/// How a token is had from an OAuth 2 authorisation server (RFC 6749).
public struct OAuth2Settings: Sendable {
    /// What is shown to the server for it.
    public enum Grant: Sendable {
        /// The client's own credential (section 4.4).
        case clientCredentials
        /// A refresh token (section 6). When the server hands out another one with an answer, that is used from then on.
        case refreshToken(SecretReference)
        /// A code that a person got by logging in (section 4.1), once; the verifier is that of PKCE (RFC 7636).
        case authorizationCode(SecretReference, redirectURI: String?, verifier: SecretReference?)
        /// A token signed here (RFC 7523).
        case jwtBearer(JWTSettings)
    }

    /// How the client says who it is (section 2.3.1).
    public enum ClientAuthentication: String, Sendable, CaseIterable {
        /// In the header field `Authorization`.
        case basic
        /// In the form.
        case body
    }

    /// What is shown to the server.
    public var grant: Grant
    /// Where tokens are had; need not be among the connection's allowed hosts.
    public var tokenAddress: HTTPAddress
    /// The client's name there.
    public var clientID: HTTPCredential?
    /// The client's secret; a public client has none.
    public var clientSecret: SecretReference?
    /// How both are shown.
    public var clientAuthentication = ClientAuthentication.basic
    /// Scopes, separated by spaces.
    public var scope: String?
    /// Further fields of the form, such as `audience`.
    public var parameters: [(String, String)] = []
    /// Where a refresh token is looked for, and kept when the server hands out another one, if the store can be written.
    public var refreshToken: SecretReference?

    /// Creates settings.
    public init(
        grant: Grant, tokenAddress: HTTPAddress, clientID: HTTPCredential? = nil, clientSecret: SecretReference? = nil
    ) {
        self.grant = grant
        self.tokenAddress = tokenAddress
        self.clientID = clientID
        self.clientSecret = clientSecret
        if case .refreshToken(let reference) = grant { self.refreshToken = reference }
    }

    private enum Word: String, CaseIterable {
        case clientCredentials, refreshToken, authorizationCode, jwtBearer
    }

    init?(_ reader: FieldReader) {
        reader.require("grant")
        reader.require("tokenUrl")
        let grant = Self.grant(reader)
        let clientID = reader.optionalCredential("clientId")
        let secret = reader.optionalSecret("clientSecret")
        let authentication = reader.word("clientAuth", of: ClientAuthentication.self) ?? .basic
        let scope = reader.strings("scope")?.joined(separator: " ")
        var parameters: [(String, String)] = []
        if let extra = reader.object("parameters") {
            for name in extra.keys() {
                if let text = extra.string(name) { parameters.append((name, text)) }
            }
        }
        if case .clientCredentials = grant {
            reader.require("clientId")
            reader.require("clientSecret")
        }
        guard let text = reader.string("tokenUrl") else { return nil }
        guard let address = HTTPAddress(text), address.isHTTP, !address.hasUser, !address.hasFragment else {
            reader.add("\(reader.path).tokenUrl: expected an http or https URL without credentials.")
            return nil
        }
        guard let grant else { return nil }
        self.init(grant: grant, tokenAddress: address, clientID: clientID, clientSecret: secret)
        self.clientAuthentication = authentication
        self.scope = scope
        self.parameters = parameters
        if case .authorizationCode = grant { self.refreshToken = reader.optionalSecret("refreshToken") }
    }

    private static func grant(_ reader: FieldReader) -> Grant? {
        switch reader.word("grant", of: Word.self) {
        case nil: return nil
        case .clientCredentials: return .clientCredentials
        case .refreshToken: return reader.secret("refreshToken").map { .refreshToken($0) }
        case .authorizationCode:
            let redirect = reader.string("redirectUri")
            let verifier = reader.optionalSecret("codeVerifier")
            return reader.secret("code").map { .authorizationCode($0, redirectURI: redirect, verifier: verifier) }
        case .jwtBearer:
            reader.require("assertion")
            guard let assertion = reader.object("assertion") else { return nil }
            defer { assertion.finish() }
            return JWTSettings(assertion).map { .jwtBearer($0) }
        }
    }
}
