internal import ConnectorKit
internal import SQLSupport
internal import Values

extension PostgreSQLModule {
    static let events: [EventDescriptor] = [
        EventDescriptor(
            id: "change", title: "Change of a row",
            summary: "Emits the rows of tables, then each change of them, out of the server's log; or an outbox.",
            parameters: SQLSchema.object(changeParameters), payload: change, delivery: .atLeastOnce, isOrdered: true),
        EventDescriptor(
            id: "notification", title: "Notification",
            summary: "Emits what NOTIFY sends, which may be lost; with poll, rows of a query, at least once.",
            parameters: SQLSchema.object(notificationParameters), payload: true, delivery: .atMostOnce,
            isOrdered: true),
    ]

    private static let notificationParameters: ValueContext = [
        "channels": ["type": ["array", "string"], "items": ["type": "string"], "minItems": 1],
        "channel": SQLSchema.text("The only channel."),
        "poll": SQLSchema.object(
            [
                "query": SQLSchema.text(
                    "A SELECT in the order of cursor, with $1, $2, … for the values of the last row that was taken."),
                "cursor": [
                    "type": ["array", "string"], "description": "Columns that order the rows and tell them apart.",
                ],
                "initial": ["description": "What stands for the last row before there is one; NULL unless given."],
                "every": SQLSchema.duration("The query runs at least that often.", default: "30s"),
            ], required: ["query", "cursor"]),
    ]

    private static let changeParameters: ValueContext = [
        "slot": SQLSchema.text("The replication slot: the source's position. Made if it is not there."),
        "publication": SQLSchema.text("What of the database is published to the slot."),
        "tables": [
            "type": ["string", "array"],
            "description": "Tables such as public.orders; those of the publication unless given.",
        ],
        "snapshot": [
            "enum": ["initial", "never", "only"], "default": "initial",
            "description": "Whether the rows that are there come first; only: they, and no changes.",
        ],
        "createPublication": SQLSchema.flag(
            "Makes the publication, and adds listed tables to it.", default: true),
        "heartbeat": [
            "type": ["string", "object"],
            "description": .string(
                "How often something is written to the log, so that a quiet database holds up nothing: 30s, "
                    + "or { every: 30s, statement: UPDATE … } for a statement in place of an empty message."),
        ],
        "maxLagBytes": [
            "type": ["string", "integer"],
            "description": "The source complains when the server keeps more of its log for the slot.",
        ],
        "onSlotLoss": [
            "enum": ["fail", "snapshot"], "default": "fail",
            "description": "When the slot is gone or was given up: an error, or a new slot and all rows again.",
        ],
        "outbox": SQLSchema.object(outboxParameters, required: ["table"]),
    ]

    private static let outboxParameters: ValueContext = [
        "table": SQLSchema.text("The outbox."),
        "mode": [
            "enum": ["cdc", "poll"], "default": "cdc",
            "description": "cdc: inserts, out of the log. poll: rows, without slot and publication.",
        ],
        "id": ["type": "string", "default": "id", "description": "Column with the id of the event."],
        "key": ["type": "string", "default": "key", "description": "Column of what events are in order by."],
        "type": ["type": "string", "default": "type", "description": "Column with the type of the event."],
        "payload": ["type": "string", "default": "payload", "description": "Column with the content."],
        "headers": ["type": "string", "default": "headers", "description": "Column with a JSON object of headers."],
        "time": ["type": "string", "default": "occurred_at", "description": "Column with the time of the event."],
        "contentType": SQLSchema.text("Media type of a payload that is text or bytea."),
        "order": SQLSchema.text("poll: column that orders the rows of a key; id unless given."),
        "delete": SQLSchema.flag("poll: rows are deleted when they are acknowledged.", default: true),
        "mark": SQLSchema.text("poll: timestamptz column set then instead; rows that have it are done."),
        "every": SQLSchema.duration("poll: pause after an empty look.", default: "1s"),
    ]

    private static let row: Value = ["type": ["object", "null"]]
    private static let change: Value = SQLSchema.object([
        "operation": ["enum": .list(ChangeEvent.Operation.allCases.map { .string($0.rawValue) })],
        "schema": ["type": "string"], "table": ["type": "string"],
        "key": ["type": ["object", "null"], "description": "The primary key."],
        "before": ["type": ["object", "null"], "description": "The row, or its replica identity, before."],
        "after": row,
        "unchanged": [
            "type": "array", "items": ["type": "string"],
            "description": "Large columns that the change did not touch and that are in neither row.",
        ],
        "lsn": ["type": "string", "description": "Where the transaction stands in the log."],
        "committedAt": ["type": ["string", "null"]], "transactionId": ["type": ["integer", "null"]],
        "index": ["type": "integer", "description": "Which change of the transaction it is."],
    ])
}
