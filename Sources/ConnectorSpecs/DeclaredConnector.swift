public import ConnectorKit
import Decisions
import HTTPTransport
import HubDocuments
public import Resilience
import Values

/// A connector that is described, not programmed: hosts a specification like any other module.
public struct DeclaredConnector: ConnectorModule {
    /// What it is made from.
    public let spec: ConnectorSpec
    /// What it says about itself.
    public let descriptor: ConnectorDescriptor

    /// Hosts `spec`, which must have been read without errors.
    public init(_ spec: ConnectorSpec) {
        self.spec = spec
        self.descriptor = spec.descriptor
    }

    /// How the calls of a connection are guarded unless it says otherwise.
    public func profile(base: ResilienceProfile = .standard) -> ResilienceProfile { self.spec.profile(base: base) }

    /// How the calls of one operation are guarded unless the connection says otherwise.
    public func profile(operation: String, base: ResilienceProfile = .standard) -> ResilienceProfile {
        self.spec.profile(operation: operation, base: base)
    }

    /// Checks the parameters and prepares a connection; nothing is sent.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let parameters = try self.parameters(configuration.parameters)
        var plain = parameters
        for name in self.spec.connection.credentials.keys { plain.removeValue(forKey: name) }
        let credential = try self.credential(parameters, plain, configuration)
        let builder = RequestBuilder(spec: self.spec, connection: plain)
        // The base address is part of every request: better known to be wrong now.
        let base = try builder.base()
        guard HTTPAddress(base)?.isHTTP == true else {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "The base address \"\(base.prefix(80))\" is no http or https URL.",
                remedy: "Correct the parameters it is made of.")
        }
        var settings = try self.settings(plain)
        let profile = self.profile()
        settings.connectTimeout = profile.connectTimeout
        if let credential {
            try SpecAuthentication(
                auth: credential.auth, connection: plain, given: Self.given(credential.fields, credential.auth)
            ).apply(to: &settings)
        }
        let client = try HTTPClient(
            id: configuration.id, settings: settings,
            secrets: credential.map { $0 as any SecretResolver } ?? configuration.secrets, clock: configuration.clock,
            userAgent: "junction-\(self.spec.metadata.id)/\(self.spec.metadata.version)")
        let services = try self.services(settings, configuration, credential)
        let runner = OperationRunner(
            spec: self.spec, connection: plain,
            transport: HTTPSpecTransport(client: client, services: services, session: credential?.session),
            clock: configuration.clock)
        return DeclaredConnection(
            id: configuration.id, module: self, runner: runner, credential: credential, secrets: configuration.secrets)
    }

    /// Clients for operations that are signed for another service than the connection's.
    private func services(
        _ settings: HTTPSettings, _ configuration: ConnectionConfiguration, _ credential: SpecCredential?
    ) throws -> [String: HTTPClient] {
        var clients: [String: HTTPClient] = [:]
        for service in Set(self.spec.operations.compactMap(\.request.service)) {
            guard case .awsSignature(var signature) = settings.auth else { continue }
            signature.service = service
            var own = settings
            own.auth = .awsSignature(signature)
            clients[service] = try HTTPClient(
                id: configuration.id, settings: own,
                secrets: credential.map { $0 as any SecretResolver } ?? configuration.secrets,
                clock: configuration.clock,
                userAgent: "junction-\(self.spec.metadata.id)/\(self.spec.metadata.version)")
        }
        return clients
    }

    /// What a credential of these fields can be asked for: all of it when it is one secret, whose content is not known.
    private static func given(_ fields: Value, _ auth: AuthSpec) -> Set<String> {
        if SecretReference(fields) != nil { return Set(auth.credentialFields) }
        return Set(fields.asContext?.keys ?? [])
    }

    // MARK: - Parameters

    /// The parameters with defaults, under their names of today.
    private func parameters(_ value: Value) throws(ConnectorError) -> ValueContext {
        var parameters = value.asContext ?? ValueContext()
        for migration in self.spec.migrations.sorted(by: { $0.to < $1.to }) {
            for (old, new) in migration.parameters {
                if let value = parameters.removeValue(forKey: old), parameters[new] == nil { parameters[new] = value }
            }
        }
        for (name, standard) in self.spec.connection.defaults where parameters[name] == nil {
            parameters[name] = standard
        }
        let violations = self.spec.connection.parameters.compiled.violations(
            of: value.asContext == nil && !value.isNull ? value : .context(parameters))
        if !violations.isEmpty {
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters,
                "The parameters of \(self.spec.metadata.id) are wrong: "
                    + violations.map(\.description).joined(separator: " "),
                remedy: "Correct the parameters named.")
        }
        return parameters
    }

    // MARK: - Credentials

    private func credential(
        _ parameters: ValueContext, _ plain: ValueContext, _ configuration: ConnectionConfiguration
    ) throws(ConnectorError) -> SpecCredential? {
        guard let name = self.spec.connection.credentials.keys.sorted().first(where: { parameters[$0] != nil }),
            let fields = parameters[name], let kinds = self.spec.connection.credentials[name]
        else {
            // Without a credential in its parameters, a connection has the one kind that asks for none.
            guard self.spec.connection.credentials.isEmpty, let auth = self.spec.connection.auth.first else {
                return nil
            }
            return self.credential(auth, .context(ValueContext()), plain, configuration)
        }
        guard fields.asContext != nil else {
            throw Self.invalid(
                "\(name): expected a credential but found \(fields.typeName.lowercased()).",
                "Give the fields of the credential, each a secret reference.")
        }
        let kind = fields["kind"]?.asString
        guard
            let auth = self.spec.connection.auth.first(where: {
                kind.map { [$0] }?.contains($0.id) ?? kinds.contains($0.id)
            }),
            kinds.contains(auth.id)
        else {
            throw Self.invalid(
                "\(name).kind: expected one of \(kinds.joined(separator: ", ")).", "Name the kind of the credential.")
        }
        if SecretReference(fields) == nil {
            try self.check(fields.asContext ?? ValueContext(), name, auth)
        }
        return self.credential(auth, fields, plain, configuration)
    }

    private func check(_ fields: ValueContext, _ name: String, _ auth: AuthSpec) throws(ConnectorError) {
        let known = auth.credentialFields + self.spec.verificationFields.filter { !auth.credentialFields.contains($0) }
        for key in fields.keys where key != "kind" && !known.contains(key) {
            throw Self.invalid(
                "\(name).\(key): the credential \(auth.id) has no such field.",
                ClosestMatch.of(key, in: known).map { "Did you mean \($0)?" }
                    ?? "It has \(known.joined(separator: ", ")).")
        }
        // Fields whose use is required must be there.
        for field in auth.kind.fields where field.isRequired {
            for expression in auth.fields[field.name]?.expressions ?? [] {
                for member in SpecReader.members(of: "credential", in: expression.source) where fields[member] == nil {
                    throw Self.invalid(
                        "\(name).\(member): the credential \(auth.id) needs it.",
                        "Write \(member): { secret: \"env:NAME\" }.")
                }
            }
        }
    }

    private func credential(
        _ auth: AuthSpec, _ fields: Value, _ plain: ValueContext, _ configuration: ConnectionConfiguration
    ) -> SpecCredential {
        let session = auth.kind == .sessionToken ? self.session(auth, plain, configuration) : nil
        return SpecCredential(
            auth: auth, connection: plain, fields: fields, secrets: configuration.secrets, session: session)
    }

    private static func invalid(_ message: String, _ remedy: String) -> ConnectorError {
        ConnectorError(.validation, code: ConnectorError.Code.invalidParameters, message, remedy: remedy)
    }

    // MARK: - Transport

    private func settings(_ connection: ValueContext) throws(ConnectorError) -> HTTPSettings {
        var settings = HTTPSettings()
        let scope = SpecScope(
            input: .null, connection: connection, call: ValueContext(), unixMilliseconds: 0
        ).map
        settings.allowsPrivate = self.spec.connection.egress.allowPrivate.holds(scope)
        settings.privateHosts = Set(
            self.spec.connection.egress.allowPrivateHosts.compactMap { try? $0.plain(scope).lowercased() })
        settings.caFile = (try? self.spec.connection.tls.caFile?.plain(scope)) ?? nil
        return settings
    }

    /// How a session is begun: one request whose answer has the token.
    private func session(
        _ auth: AuthSpec, _ connection: ValueContext, _ configuration: ConnectionConfiguration
    ) -> SpecSession {
        let lifetime = auth.fields["lifetime"]?.text(MapScope()).flatMap { Quantity.duration($0) } ?? .seconds(900)
        let builder = RequestBuilder(spec: self.spec, connection: connection)
        let (id, clock, title) = (configuration.id, configuration.clock, self.spec.metadata.title)
        let settings = try? self.settings(connection)
        return SpecSession(lifetime: lifetime, clock: clock) { credential in
            let login = try await credential.context("login")
            let path = login["path"]?.plainText ?? ""
            let url = path.contains("://") ? path : try builder.base() + path
            let checked = try builder.checked(url, MapScope())
            guard let address = HTTPAddress(checked) else { throw ConnectorError.closed(id) }
            var body: HTTPRequest.Body?
            if let value = login["body"] {
                let encoding = login["encoding"]?.asString.flatMap { BodySpec.Encoding(rawValue: $0) } ?? .json
                let encoded = try BodyEncoder.encode(value, as: encoding, keepsNulls: false)
                body = .bytes(encoded.bytes, contentType: encoded.contentType)
            }
            let headers = (login["headers"]?.asContext ?? ValueContext()).map { ($0.key, $0.value.plainText ?? "") }
            let client = try HTTPClient(
                id: id, settings: settings ?? HTTPSettings(), secrets: NoSecrets(), clock: clock,
                userAgent: "junction")
            let request = HTTPRequest(
                method: login["method"]?.plainText ?? "POST", target: .url(address),
                headers: headers.map { (name: $0.0, value: $0.1) }, body: body, timeout: .seconds(20),
                isRepeatable: true)
            let response: HTTPResponse
            do {
                response = try await client.send(request)
                await client.close()
            } catch {
                await client.close()
                throw error
            }
            guard (200..<300).contains(response.status) else { throw client.failure(response, of: request) }
            let answer = SpecResponse(status: response.status, headers: response.fields, body: response.bytes)
            let value = (try? AnswerReader.value(answer, .auto, isLenient: true)) ?? .null
            let scope = try await credential.scope()
            scope.variables["response"] = value
            guard let token = credential.auth.fields["token"]?.text(scope), !token.isEmpty else {
                throw ConnectorError(
                    .auth, code: SpecErrorCode.credential, "\(title) gave no token when logging in.",
                    remedy: "Check the user and password of the credential.")
            }
            // What is sent is the token, with whatever the service wants around it.
            return credential.auth.fields["value"]?.text(scope) ?? token
        }
    }
}
