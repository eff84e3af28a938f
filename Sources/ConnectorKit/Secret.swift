public import Values

/// A secret in memory.
///
/// Nothing that prints it shows it.
public struct Secret: Sendable, Hashable {
    private let text: String

    /// Wraps a secret.
    public init(_ text: String) { self.text = text }

    /// Gives the secret to `body`.
    ///
    /// Do not let it outlive the call where it is needed.
    public func reveal<Result, Failure: Error>(_ body: (String) throws(Failure) -> Result) throws(Failure) -> Result {
        try body(self.text)
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `<secret>`.
    public var description: String { "<secret>" }
    /// Always `<secret>`.
    public var debugDescription: String { "<secret>" }
    /// Empty.
    public var customMirror: Mirror { Mirror(self, children: [:] as KeyValuePairs<String, Any>) }
}

/// Where a secret is kept.
///
/// Configuration holds references, never secrets.
///
/// Written in parameters as `{ secret: "store:name" }`, such as `{ secret: "env:STRIPE_KEY" }`.
public struct SecretReference: Sendable, Hashable, CustomStringConvertible {
    /// The store: `env`, `file`, or one the hub was configured with.
    public var store: String
    /// Its name there.
    public var name: String

    /// Creates a reference.
    public init(store: String, name: String) {
        self.store = store
        self.name = name
    }

    /// Reads `store:name`.
    public init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else { return nil }
        let name = text[text.index(after: colon)...]
        guard !name.isEmpty else { return nil }
        self.init(store: String(text[..<colon]), name: String(name))
    }

    /// Reads `{ secret: "store:name" }`; `nil` for anything else.
    public init?(_ value: Value) {
        guard let context = value.asContext, context.count == 1, let text = context["secret"]?.asString else {
            return nil
        }
        self.init(text)
    }

    /// `store:name`.
    public var description: String { "\(self.store):\(self.name)" }
}

/// Finds secrets.
///
/// Asked each time one is needed, so that a rotated secret is used without restart.
public protocol SecretResolver: Sendable {
    /// The secret; throws `ConnectorError` (`auth`) when there is none.
    func secret(_ reference: SecretReference) async throws -> Secret

    /// Keeps `secret` in place of the one there was, for remotes that hand out a new credential with each use.
    ///
    /// False when the store cannot be written: whoever asked keeps the secret in memory.
    func replace(_ reference: SecretReference, with secret: Secret) async -> Bool
}

extension SecretResolver {
    /// False: nothing is kept.
    public func replace(_ reference: SecretReference, with secret: Secret) async -> Bool { false }
}

/// A resolver without secrets.
public struct NoSecrets: SecretResolver {
    /// Creates it.
    public init() {}

    /// Always throws.
    public func secret(_ reference: SecretReference) async throws -> Secret {
        throw ConnectorError.secretUnavailable(reference)
    }
}

/// A resolver with a fixed table, for tests.
public struct FixedSecrets: SecretResolver {
    private let table: [SecretReference: Secret]

    /// Creates a table.
    public init(_ table: [SecretReference: Secret]) { self.table = table }

    /// The secret in the table.
    public func secret(_ reference: SecretReference) async throws -> Secret {
        guard let secret = self.table[reference] else { throw ConnectorError.secretUnavailable(reference) }
        return secret
    }
}

extension ConnectorError {
    /// The error of a reference that leads nowhere.
    public static func secretUnavailable(_ reference: SecretReference) -> ConnectorError {
        ConnectorError(
            .auth, code: Code.secretUnavailable, "There is no secret \(reference).",
            remedy: "Set it in its store, or correct the reference in the connection.")
    }
}
