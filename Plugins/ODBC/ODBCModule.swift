public import ConnectorKit
internal import SQLSupport
internal import Values

/// Queries and changes databases through their ODBC drivers.
public struct ODBCModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters; connects when there is something to do.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        ODBCConnection(configuration, try ODBCSettings(configuration.parameters))
    }

    static let description = ConnectorDescriptor(
        id: "odbc", version: 1, title: "ODBC",
        summary: "Queries and changes any database that has an ODBC driver, by data source name or by driver.",
        parameters: SQLSchema.object([
            "dsn": SQLSchema.text("Name of a data source of odbc.ini; or driver."),
            "driver": SQLSchema.text("Name of a driver of odbcinst.ini, or the path of its library; or dsn."),
            "attributes": [
                "type": "object", "additionalProperties": ["type": ["string", "number", "boolean"]],
                "description": "Further attributes of the connection string, as the driver names them.",
            ],
            "secretAttributes": [
                "type": "object", "additionalProperties": SQLSchema.secret,
                "description": "Attributes whose values are secrets, other than the password.",
            ],
            "user": SQLSchema.text("Name of the user (UID)."),
            "password": SQLSchema.secret,
            "onConnect": [
                "type": "array", "items": ["type": "string"],
                "description": "Statements run on each new physical connection.",
            ],
            "maxConnections": SQLSchema.integer("Physical connections at most.", default: 8),
            "connectTimeout": SQLSchema.duration("Time to connect.", default: "15s"),
            "idleTimeout": SQLSchema.duration("Idle connections older than this are closed.", default: "5m"),
            "validateAfter": SQLSchema.duration("Connections idle for longer are tried before use.", default: "30s"),
            "maxLifetime": SQLSchema.duration("Connections older than this are replaced.", default: "30m"),
            "maxResult": ["type": "string", "default": "8MiB", "description": "Bytes of a result at most."],
            "arrayRows": SQLSchema.integer("Sets of parameters sent at once at most.", default: 500),
        ]),
        secrets: [SecretDescriptor(parameter: "password", title: "Password", isRequired: false)],
        operations: Self.operations, events: [Self.row])

    private static let values: Value = [
        "type": ["array", "object"],
        "description": .string(
            "Values of ? as a list, or of :name as an object; { type, value } for one of another type, such as "
                + "{ type: \"binary\", value: base64 } or a time given as text. Types: "
                + ODBCValue.Kind.allCases.map(\.rawValue).joined(separator: ", ") + "."),
    ]
    private static let sql = SQLSchema.text("One statement, with ? or :name for parameters.")
    private static let rows = SQLSchema.integer(
        "Rows returned at most; isComplete says whether there were more.", default: Int64(ODBCInput.rowsDefault),
        minimum: 0)
    private static let idempotent = SQLSchema.flag(
        "Doing it twice changes nothing more: it may be sent again although the database may have done it.")
    private static let result: Value = SQLSchema.object([
        "affected": ["type": "integer"], "rows": SQLSchema.rows, "isComplete": ["type": "boolean"],
    ])

    private static let operations: [OperationDescriptor] = [
        OperationDescriptor(
            id: "query", title: "Query",
            summary: "Returns the rows of a statement; whatever it changed is rolled back.", effect: .read,
            idempotency: .natural,
            input: SQLSchema.object(["sql": sql, "parameters": values, "maxRows": rows], required: ["sql"]),
            output: SQLSchema.object([
                "rows": SQLSchema.rows, "count": ["type": "integer"], "isComplete": ["type": "boolean"],
            ])),
        OperationDescriptor(
            id: "execute", title: "Execute", summary: "Runs a statement that changes something.", effect: .other,
            idempotency: .none,
            input: SQLSchema.object(
                ["sql": sql, "parameters": values, "maxRows": rows, "idempotent": idempotent], required: ["sql"]),
            output: result),
        OperationDescriptor(
            id: "batch", title: "Execute for many",
            summary: "Runs a statement with many sets of parameters, all or nothing, or each for itself.",
            effect: .other, idempotency: .none,
            input: SQLSchema.object(
                [
                    "sql": sql, "parameters": ["type": "array", "items": values],
                    "mode": ["enum": ["atomic", "perItem"], "default": "atomic"], "idempotent": idempotent,
                ], required: ["sql", "parameters"]),
            output: SQLSchema.object([
                "affected": ["type": "integer"], "failed": ["type": "integer"],
                "items": ["type": "array", "description": "For each set: affected, or error."],
            ])),
        OperationDescriptor(
            id: "transaction", title: "Transaction", summary: "Runs several statements in one transaction.",
            effect: .other, idempotency: .none,
            input: SQLSchema.object(
                [
                    "statements": [
                        "type": "array",
                        "items": SQLSchema.object(["sql": sql, "parameters": values], required: ["sql"]),
                    ],
                    "maxRows": rows, "idempotent": idempotent,
                ], required: ["statements"]),
            output: SQLSchema.object(["results": ["type": "array", "items": result]])),
        OperationDescriptor(
            id: "call", title: "Call a procedure",
            summary: "Calls a stored procedure, with parameters that come back where the driver has them.",
            effect: .other, idempotency: .none,
            input: SQLSchema.object(
                [
                    "name": SQLSchema.text("Name of the procedure."),
                    "arguments": [
                        "type": "array", "description": "Values, or { value, type, direction: in|out|inout, size }.",
                    ],
                    "returns": ["enum": .list(ODBCValue.Kind.allCases.map { .string($0.rawValue) })],
                    "maxRows": rows, "idempotent": idempotent,
                ], required: ["name"]),
            output: SQLSchema.object([
                "affected": ["type": "integer"], "rows": SQLSchema.rows, "isComplete": ["type": "boolean"],
                "outputs": ["type": "array", "description": "What came out, the returned value first."],
            ])),
    ]

    private static let row = EventDescriptor(
        id: ODBCPollSettings.event, title: "Row",
        summary: "Emits the rows of a query as they appear, by a cursor of columns that only grow.",
        parameters: SQLSchema.object(
            [
                "query": SQLSchema.text(
                    "A query for the rows after a cursor, ordered by it, with a ? for each of its columns, or :column."),
                "cursor": [
                    "type": "array", "items": ["type": "string"], "minItems": 1,
                    "description": "Columns that say where a row stands; together unique.",
                ],
                "identity": [
                    "type": "array", "items": ["type": "string"],
                    "description": "Columns that say which row it is; by default those of the cursor.",
                ],
                "parameters": [
                    "type": ["array", "object"],
                    "description": "The query's other values: of the ? before those of the cursor, or by name.",
                ],
                "every": SQLSchema.duration("Time between rounds.", default: "30s"),
                "lookback": [
                    "type": ["string", "number"],
                    "description":
                        "How far before its position each round begins, in the first column, for late commits.",
                ],
                "fetch": SQLSchema.integer("Rows read at once.", default: 500),
                "timeout": SQLSchema.duration("Time a look may take.", default: "60s"),
                "start": [
                    "type": ["string", "object"], "default": "earliest",
                    "description": "earliest, latest, or a value for each column of the cursor.",
                ],
            ], required: ["query", "cursor"]),
        payload: ["type": "object", "description": "The columns of the row."], delivery: .atLeastOnce, isOrdered: true)
}
