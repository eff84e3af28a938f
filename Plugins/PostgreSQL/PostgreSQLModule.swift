public import ConnectorKit
internal import SQLSupport
internal import Values

/// Queries and changes PostgreSQL databases through libpq, and emits changes of their rows and their notifications.
public struct PostgreSQLModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters; connects when there is something to do.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        PostgresConnection(configuration, try PostgresSettings(configuration.parameters))
    }

    static let description = ConnectorDescriptor(
        id: "postgresql", version: 1, title: "PostgreSQL",
        summary: "Queries and changes PostgreSQL databases, and emits changes of rows, outboxes and notifications.",
        parameters: SQLSchema.object(Self.parameters, required: ["host", "database", "user"]),
        secrets: [SecretDescriptor(parameter: "password", title: "Password", isRequired: false)],
        operations: Self.operations,
        events: Self.events)

    private static let parameters: ValueContext = [
        "host": ["type": ["string", "array"], "description": "Name, address or socket directory; several are tried."],
        "port": ["type": "integer", "default": 5432],
        "database": SQLSchema.text("Name of the database."),
        "user": SQLSchema.text("Name of the user."),
        "password": SQLSchema.secret,
        "sslmode": [
            "enum": ["disable", "prefer", "require", "verify-ca", "verify-full"],
            "description": "As of libpq; verify-full unless every host is the machine itself, then prefer.",
        ],
        "caFile": SQLSchema.text("Certificates of authorities; the system's unless given."),
        "clientCertificate": SQLSchema.text("File with the client's certificate."),
        "clientKey": SQLSchema.text("File with the client's key."),
        "targetSession": [
            "enum": ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"],
            "default": "read-write",
        ],
        "searchPath": [
            "type": ["string", "array"], "description": "Schemas that names without one are looked up in.",
        ],
        "applicationName": ["type": "string", "default": "junction"],
        "maxConnections": SQLSchema.integer("Physical connections at most.", default: 8),
        "connectTimeout": SQLSchema.duration("Time to connect.", default: "10s"),
        "idleTimeout": SQLSchema.duration("Idle connections older than this are closed.", default: "5m"),
        "maxLifetime": SQLSchema.duration("Connections older than this are replaced.", default: "30m"),
        "statementCache": SQLSchema.integer(
            "Prepared statements per physical connection.", default: 100, minimum: 4),
        "maxResult": ["type": "string", "default": "8MiB", "description": "Bytes of a result at most."],
        "idempotencyTable": SQLSchema.text(
            "Table (key text PRIMARY KEY, result jsonb) in which a call's idempotency key is recorded in the "
                + "transaction of its effect: done once, however often it is sent."),
        "fileRoot": SQLSchema.text("Absolute path below which copyIn and copyOut may use files; none unless given."),
    ]
}
