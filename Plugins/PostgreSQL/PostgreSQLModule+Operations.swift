internal import ConnectorKit
internal import SQLSupport
internal import Values

extension PostgreSQLModule {
    private static let idempotent = SQLSchema.flag(
        "Doing it twice changes nothing more: it may be sent again although the server may have done it.")
    private static let values: Value = [
        "type": ["array", "object"],
        "description": "Values of $1, $2, … as a list, or of :name as an object. bytea as base64, json as it is.",
    ]
    private static let sql = SQLSchema.text("One statement, with $1, $2, … or :name for parameters.")
    private static let rows = SQLSchema.integer(
        "Rows returned at most; isComplete says whether there were more.", default: Int64(PostgresInput.rowsDefault),
        minimum: 0)
    private static let format: Value = ["enum": ["csv", "text"], "default": "csv"]
    private static let result: Value = SQLSchema.object([
        "affected": ["type": "integer"], "rows": SQLSchema.rows, "isComplete": ["type": "boolean"],
    ])

    static let operations: [OperationDescriptor] = [
        OperationDescriptor(
            id: "query", title: "Query", summary: "Returns the rows of a statement, which runs read-only.",
            effect: .read, idempotency: .natural,
            input: SQLSchema.object(["sql": sql, "parameters": values, "maxRows": rows], required: ["sql"]),
            output: SQLSchema.object([
                "rows": SQLSchema.rows, "count": ["type": "integer"], "isComplete": ["type": "boolean"],
            ])),
        OperationDescriptor(
            id: "execute", title: "Execute", summary: "Runs a statement that changes something, as one transaction.",
            effect: .other, idempotency: .none,
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
                    "mode": ["enum": ["atomic", "perItem"], "default": "atomic"], "maxRows": rows,
                    "idempotent": idempotent,
                ], required: ["sql", "parameters"]),
            output: SQLSchema.object([
                "affected": ["type": "integer"], "failed": ["type": "integer"],
                "items": ["type": "array", "description": "For each set: affected and rows, or error."],
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
                    "isolation": [
                        "enum": ["readCommitted", "repeatableRead", "serializable"], "default": "readCommitted",
                    ],
                    "maxRows": rows, "idempotent": idempotent,
                ], required: ["statements"]),
            output: SQLSchema.object(["results": ["type": "array", "items": result]])),
        OperationDescriptor(
            id: "copyIn", title: "Copy in", summary: "Copies many rows, or a file, into a table, all or nothing.",
            effect: .create, idempotency: .none,
            input: SQLSchema.object(
                [
                    "table": SQLSchema.text("Name, with its schema if need be; as it is, without quotes."),
                    "columns": ["type": "array", "items": ["type": "string"]],
                    "rows": ["type": "array", "description": "Lists of values, or objects of columns."],
                    "file": SQLSchema.text("Path below fileRoot, in place of rows."),
                    "format": format, "header": SQLSchema.flag("Whether the file begins with column names."),
                    "delimiter": ["type": "string"], "null": ["type": "string"], "idempotent": idempotent,
                ], required: ["table"]),
            output: SQLSchema.object(["affected": ["type": "integer"]])),
        OperationDescriptor(
            id: "copyOut", title: "Copy out", summary: "Copies a table or the rows of a query out, as text or a file.",
            effect: .read, idempotency: .natural,
            input: SQLSchema.object([
                "table": ["type": "string"], "columns": ["type": "array", "items": ["type": "string"]],
                "sql": SQLSchema.text("A query without parameters, in place of table."),
                "file": SQLSchema.text("Path below fileRoot; the content is returned unless given."),
                "format": format, "header": SQLSchema.flag("Whether column names come first."),
                "delimiter": ["type": "string"], "null": ["type": "string"],
                "maxBytes": ["type": ["string", "integer"], "description": "maxResult, or 1GiB for a file."],
            ]),
            output: SQLSchema.object([
                "rows": ["type": "integer"], "bytes": ["type": "integer"], "content": ["type": "string"],
                "file": ["type": "string"],
            ])),
        OperationDescriptor(
            id: "call", title: "Call a routine", summary: "Calls a function or a procedure.", effect: .other,
            idempotency: .none,
            input: SQLSchema.object(
                [
                    "name": SQLSchema.text("Name, with its schema if need be; as it is, without quotes."),
                    "kind": ["enum": ["function", "procedure"], "default": "function"],
                    "arguments": ["type": ["array", "object"], "description": "In order, or by name."],
                    "maxRows": rows, "idempotent": idempotent,
                ], required: ["name"]),
            output: result),
        OperationDescriptor(
            id: "notify", title: "Notify", summary: "Sends a notification to those that listen to a channel.",
            effect: .other, idempotency: .none,
            input: SQLSchema.object(
                [
                    "channel": ["type": "string"],
                    "payload": ["description": "A text, or any value, sent as JSON; at most 7,999 bytes."],
                    "idempotent": idempotent,
                ], required: ["channel"]),
            output: result),
    ]
}
