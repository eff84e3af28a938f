import ConnectorKit
import Decisions
import HTTPTransport
import Values

/// What `connection.auth` means to the transport.
struct SpecAuthentication {
    let auth: AuthSpec
    let connection: ValueContext

    /// The settings of the transport; secrets stand in them as references that `SpecCredential` resolves.
    func apply(to settings: inout HTTPSettings) throws(ConnectorError) {
        switch self.auth.kind {
        case .none: break
        case .basic:
            settings.auth = .basic(
                user: self.credential("username") ?? .text(""), password: self.credential("password") ?? .text(""))
        case .bearer: settings.auth = .bearer(token: self.reference("token"))
        case .apiKey:
            settings.auth = .apiKey(name: try self.need("name"), place: self.place, value: self.reference("value"))
        case .oauth2: settings.auth = .oauth2(try self.oauth2())
        case .jwt:
            let jwt = try self.jwt()
            guard self.auth.fields["tokenUrl"] != nil else {
                settings.auth = .jwt(jwt)
                return
            }
            var oauth2 = OAuth2Settings(grant: .jwtBearer(jwt), tokenAddress: try self.address("tokenUrl"))
            oauth2.scope = self.scope
            settings.auth = .oauth2(oauth2)
        case .sessionToken:
            settings.auth = .apiKey(
                name: self.plain("name") ?? "Authorization", place: self.place,
                value: SecretReference(store: SpecCredential.store, name: SpecSession.name))
        case .awsSigV4:
            settings.auth = .awsSignature(
                AWSSignatureSettings(
                    region: try self.need("region"), service: try self.need("service"),
                    accessKeyID: self.credential("accessKeyId") ?? .text(""),
                    secretAccessKey: self.reference("secretAccessKey"),
                    sessionToken: self.isGiven("sessionToken") ? self.reference("sessionToken") : nil))
        case .mtls:
            settings.clientIdentity = HTTPClientIdentity(
                certificate: .secret(self.reference("certificate")),
                key: .secret(self.reference(self.auth.fields["key"] == nil ? "certificate" : "key")))
        case .hmac: settings.auth = .hmac(try self.hmac())
        }
    }

    /// Fields of the credential that are there; a field of `auth` that reads an absent one is left out.
    var given: Set<String> = []

    // MARK: - Fields

    private func reference(_ field: String) -> SecretReference {
        SecretReference(store: SpecCredential.store, name: field)
    }

    /// Whether everything a field reads of the credential is there.
    private func isGiven(_ field: String) -> Bool {
        guard let template = self.auth.fields[field] else { return false }
        let names = template.expressions.flatMap { SpecReader.members(of: "credential", in: $0.source) }
        return names.allSatisfy { self.given.contains($0) }
    }

    /// A field as plain text, when it reads no credential.
    private func plain(_ field: String) -> String? {
        self.auth.fields[field]?.text(MapScope(["connection": .context(self.connection)]))
    }

    private func need(_ field: String) throws(ConnectorError) -> String {
        guard let text = self.plain(field), !text.isEmpty else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "The parameters of the connection give no \(field) for \(self.auth.id).",
                remedy: "Give the parameter it is read from.")
        }
        return text
    }

    private func address(_ field: String) throws(ConnectorError) -> HTTPAddress {
        let text = try self.need(field)
        guard let address = HTTPAddress(text), address.isHTTP, !address.hasUser, !address.hasFragment else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "\(field) of \(self.auth.id): \"\(text.prefix(80))\" is no http or https URL.",
                remedy: "Correct the parameter it is made of.")
        }
        return address
    }

    /// Text, or a secret when the field reads the credential.
    private func credential(_ field: String) -> HTTPCredential? {
        guard let template = self.auth.fields[field] else { return nil }
        if template.expressions.contains(where: { $0.variableNames.contains("credential") }) {
            return self.isGiven(field) ? .secret(self.reference(field)) : nil
        }
        return self.plain(field).map { .text($0) }
    }

    private func word<Word: RawRepresentable<String>>(_ field: String, _ type: Word.Type) -> Word? {
        self.plain(field).flatMap { Word(rawValue: $0) }
    }

    private var place: HTTPKeyPlace { self.word("in", HTTPKeyPlace.self) ?? .header }

    private var scope: String? {
        guard let value = self.auth.fields["scopes"]?.value(MapScope(["connection": .context(self.connection)])) else {
            return nil
        }
        let texts = (value.asList ?? [value]).compactMap(\.asString)
        return texts.isEmpty ? nil : texts.joined(separator: " ")
    }

    // MARK: - Kinds with settings

    private func oauth2() throws(ConnectorError) -> OAuth2Settings {
        let grant: OAuth2Settings.Grant
        switch self.plain("grant") {
        case "authorization_code" where self.isGiven("code"):
            grant = .authorizationCode(
                self.reference("code"), redirectURI: self.plain("redirectUri"),
                verifier: self.isGiven("codeVerifier") ? self.reference("codeVerifier") : nil)
        // Whoever logged in before has a refresh token.
        case "authorization_code", "refresh", "refresh_token": grant = .refreshToken(self.reference("refreshToken"))
        default: grant = .clientCredentials
        }
        var settings = OAuth2Settings(
            grant: grant, tokenAddress: try self.address("tokenUrl"), clientID: self.credential("clientId"),
            clientSecret: self.isGiven("clientSecret") ? self.reference("clientSecret") : nil)
        settings.clientAuthentication = self.plain("clientAuth") == "body" ? .body : .basic
        settings.scope = self.scope
        let parameters = self.auth.fields["parameters"]?.value(MapScope(["connection": .context(self.connection)]))
        settings.parameters = (parameters?.asContext ?? ValueContext()).compactMap { name, value in
            value.plainText.map { (name, $0) }
        }
        if let audience = self.plain("audience") { settings.parameters.append(("audience", audience)) }
        return settings
    }

    private func jwt() throws(ConnectorError) -> JWTSettings {
        var settings = JWTSettings(
            algorithm: self.word("algorithm", JWTSettings.Algorithm.self) ?? .rs256, key: self.reference("key"))
        settings.keyID = self.plain("keyId")
        settings.issuer = self.plain("issuer")
        settings.subject = self.plain("subject")
        settings.audience = self.plain("audience") ?? self.plain("tokenUrl")
        if let text = self.plain("lifetime"), let lifetime = Quantity.duration(text) { settings.lifetime = lifetime }
        let claims = self.auth.fields["claims"]?.value(MapScope(["connection": .context(self.connection)]))
        settings.claims = claims?.withoutNulls.asContext ?? ValueContext()
        // A server that exchanges the token wants the scopes in it (RFC 7523 leaves it open; Google's does).
        if let scope = self.scope, settings.claims["scope"] == nil { settings.claims["scope"] = .string(scope) }
        return settings
    }

    private func hmac() throws(ConnectorError) -> HMACSettings {
        var settings = HMACSettings(
            key: self.reference("secret"), text: try self.need("signed"),
            header: self.plain("header") ?? "Authorization")
        settings.algorithm = self.word("algorithm", HMACSettings.Algorithm.self) ?? .sha256
        settings.keyEncoding = self.word("secretDecode", SecretEncoding.self) ?? .text
        settings.encoding = self.word("encoding", HMACSettings.Encoding.self) ?? .hex
        settings.prefix = self.plain("prefix") ?? ""
        settings.timestampHeader = self.plain("timestampHeader")
        settings.timestampFormat = self.word("timestampFormat", HMACSettings.TimeFormat.self) ?? .seconds
        settings.nonceHeader = self.plain("nonceHeader")
        return settings
    }
}
