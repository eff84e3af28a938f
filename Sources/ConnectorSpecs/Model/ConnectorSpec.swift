import ConnectorKit
import HubDocuments
import Values

/// A declarative connector: everything `connector-specs/*.yaml` says about one remote.
///
/// Read with ``read(_:log:)``, hosted as ``DeclaredConnector``, checked with ``SpecTestRunner``.
public struct ConnectorSpec: Sendable {
    /// Who it is.
    public var metadata: Metadata
    /// The format of the files read here.
    public static let apiVersion = "hub/v1"
    /// The kind of the files read here.
    public static let kind = "Connector"

    var connection: ConnectionSpec
    var defaults: DefaultsSpec
    var schemas: [(name: String, schema: SpecSchema)]
    var operations: [OperationSpec]
    var events: [EventSpec]
    var migrations: [MigrationSpec]
    /// What `junction connector test` checks.
    public var tests: [SpecTest]

    /// Names, version and the people behind a specification.
    public struct Metadata: Sendable, Hashable {
        /// Unique name of the connector.
        public var id: String
        /// Version of its contract, from 1.
        public var version: Int
        /// Name for people.
        public var title: String
        /// One sentence.
        public var summary: String
        /// Who stands behind it.
        public var support: Support
        /// A file with a picture.
        public var icon: String?
        /// Where it is described.
        public var docs: String?
        /// Who maintains it.
        public var owner: String?
    }

    /// Who stands behind a specification.
    public enum Support: String, Sendable, Hashable, CaseIterable {
        /// Tested against the real remote, with every release.
        case certified
        /// Written after the vendor's documentation and tested with fixtures.
        case community
        /// May change or be wrong.
        case experimental
    }

    func operation(_ id: String) -> OperationSpec? { self.operations.first { $0.id == id } }
    func event(_ id: String) -> EventSpec? { self.events.first { $0.id == id } }

    /// The ids of its operations, in the order of the file.
    public var operationIDs: [String] { self.operations.map(\.id) }
    /// The ids of its events, in the order of the file.
    public var eventIDs: [String] { self.events.map(\.id) }
}

/// A JSON Schema of a specification.
struct SpecSchema: Sendable {
    /// The schema as a value, for descriptions; references point into its own `$defs`.
    var value: Value
    /// The schema, compiled.
    var compiled: JSONSchema
}

/// How to reach the remote, and as whom.
struct ConnectionSpec: Sendable {
    var parameters: SpecSchema
    /// Defaults of the parameters.
    var defaults: ValueContext
    /// Parameters that hold a credential, each with the kinds it may be.
    var credentials: [String: [String]]
    /// Parameters that hold a secret by reference.
    var secrets: [String]
    var auth: [AuthSpec]
    var baseURL: TextTemplate
    var tls: TLSSpec
    var egress: EgressSpec
    var test: TestOperation?

    struct TLSSpec: Sendable {
        var caFile: TextTemplate?
    }

    struct EgressSpec: Sendable {
        /// Names of hosts; `*.example.com` stands for every name below it.
        var allowHosts: [TextTemplate] = []
        var allowPrivate: SpecTemplate = .literal(false)
        var allowPrivateHosts: [TextTemplate] = []
    }

    struct TestOperation: Sendable {
        var operation: String
        var input: SpecTemplate
    }
}

/// One way to authorise requests.
struct AuthSpec: Sendable {
    var id: String
    var kind: AuthKind
    /// Its fields, as `AuthKind.fields` lists them.
    var fields: [String: SpecTemplate]
    /// The fields of a credential that its expressions read.
    var credentialFields: [String]
}

/// What applies to every operation that does not say otherwise.
struct DefaultsSpec: Sendable {
    var headers: [(name: String, value: SpecTemplate)] = []
    /// A resilience profile in the words of a connections file, `timeout` included.
    var resilience = ValueContext()
    var rateLimits: [RateLimitRule] = []
    var errors: [ErrorRule] = []
}

/// A limit on calls.
struct RateLimitRule: Sendable {
    var id: String
    /// Effects it applies to; empty: all.
    var effects: Set<Effect>
    /// Operations it applies to; empty: all.
    var operations: Set<String>
    var limit: Int
    var period: Duration
    var burst: Int
}

/// Names a failure when it applies; of several the first that does.
struct ErrorRule: Sendable {
    var status: StatusSet?
    var condition: SpecTemplate?
    var kind: ConnectorError.Kind
    var code: SpecTemplate?
    var message: SpecTemplate?
    var isRetryable: Bool?
    /// Seconds, or a length of time as text.
    var retryAfter: SpecTemplate?
}

/// A set of HTTP status codes: `200`, `[200, 404]`, `2xx`.
struct StatusSet: Sendable, Hashable {
    var ranges: [ClosedRange<Int>]

    func contains(_ status: Int) -> Bool { self.ranges.contains { $0.contains(status) } }

    static let success = StatusSet(ranges: [200...299])
}

/// What a later version calls by another name.
struct MigrationSpec: Sendable {
    var to: Int
    var operations: [String: String]
    var parameters: [String: String]
    var note: String?
}
