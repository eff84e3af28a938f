import ConnectorKit
import Decisions
import Synchronization
import Values

/// The credential of a connection: finds its secrets, and computes from them what `connection.auth` asks for.
///
/// Asked each time a request is authorised, so that a rotated secret is used at once. The only place where expressions
/// see secrets; what they compute stays a `Secret`.
struct SpecCredential: SecretResolver {
    /// The store of computed secrets; its names are the fields of `auth`.
    static let store = "connection.auth"

    let auth: AuthSpec
    let connection: ValueContext
    /// The credential as it stands in the connection's parameters: fields, or one reference to a JSON object.
    let fields: Value
    let secrets: any SecretResolver
    /// Gives the token of a session, for the kind that logs in first.
    let session: SpecSession?

    func secret(_ reference: SecretReference) async throws -> Secret {
        guard reference.store == Self.store else { return try await self.secrets.secret(reference) }
        if reference.name == SpecSession.name, let session {
            return try await session.token(self)
        }
        guard let text = try await self.text(reference.name) else {
            throw ConnectorError(
                .auth, code: SpecErrorCode.credential,
                "The credential gives no \(reference.name) for \(self.auth.id).",
                remedy: "Give the fields \(self.auth.credentialFields.joined(separator: ", ")).")
        }
        return Secret(text)
    }

    /// The value of a field of `auth`, with the secrets it is made of; `nil` when it is not given.
    func text(_ field: String) async throws -> String? {
        guard let template = self.auth.fields[field] else { return nil }
        return template.text(try await self.scope())
    }

    /// The values of a field that is a context.
    func context(_ field: String) async throws -> ValueContext {
        guard let template = self.auth.fields[field] else { return ValueContext() }
        return template.value(try await self.scope()).asContext ?? ValueContext()
    }

    func scope() async throws -> MapScope {
        MapScope(["connection": .context(self.connection), "credential": .context(try await self.resolved())])
    }

    /// The fields of the credential, each reference replaced by its secret.
    func resolved() async throws -> ValueContext {
        var members = self.fields.asContext ?? ValueContext()
        if let reference = SecretReference(self.fields) {
            let text = try await self.secrets.secret(reference).reveal { $0 }
            if let object = (try? JSON.parse(text))?.asContext {
                members = object
            } else if self.auth.credentialFields.count == 1 {
                // A credential of one field may be that secret itself.
                members = [self.auth.credentialFields[0]: .string(text)]
            } else {
                throw ConnectorError(
                    .auth, code: SpecErrorCode.credential, "The secret \(reference) is no JSON object.",
                    remedy: "Store an object with \(self.auth.credentialFields.joined(separator: ", ")).")
            }
        }
        for (name, value) in members {
            guard let reference = SecretReference(value) else { continue }
            members[name] = .string(try await self.secrets.secret(reference).reveal { $0 })
        }
        return members
    }
}

/// The token of a session, kept until it expires or is refused.
final class SpecSession: Sendable {
    static let name = "session"

    private let login: @Sendable (SpecCredential) async throws -> String
    private let lifetime: Duration
    private let clock: any ConnectorClock
    private let state = Mutex<(token: Secret, until: Duration)?>(nil)

    init(
        lifetime: Duration, clock: any ConnectorClock,
        login: @escaping @Sendable (SpecCredential) async throws -> String
    ) {
        self.lifetime = lifetime
        self.clock = clock
        self.login = login
    }

    func token(_ credential: SpecCredential) async throws -> Secret {
        let now = self.clock.now
        if let known = self.state.withLock({ $0 }), known.until > now { return known.token }
        let token = Secret(try await self.login(credential))
        self.state.withLock { $0 = (token, now + self.lifetime) }
        return token
    }

    /// The remote refused it: the next request logs in again.
    func forget() { self.state.withLock { $0 = nil } }
}
