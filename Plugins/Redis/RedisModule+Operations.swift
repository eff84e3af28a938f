internal import ConnectorKit
internal import Values

extension RedisModule {
    private static let text: Value = ["type": "string"]
    private static let count: Value = ["type": "integer"]
    private static let format: Value = [
        "enum": ["text", "json", "base64"], "default": "text",
        "description": "How values are shown; what does not fit becomes { base64: … }.",
    ]
    private static let encoding: Value = [
        "enum": ["text", "json", "base64"], "description": "Default: text for a text, else json.",
    ]
    private static let remembered = OperationIdempotency.key(window: .seconds(86_400))

    static let keyOperations: [OperationDescriptor] = [
        OperationDescriptor(
            id: "get", title: "Read a key", summary: "Returns the value of a key, null when there is none.",
            effect: .read, idempotency: .natural,
            input: Self.object(["key": Self.text, "as": Self.format], required: ["key"]),
            output: Self.object(["value": true])),
        OperationDescriptor(
            id: "set", title: "Write a key", summary: "Sets the value of a key, always or on a condition.",
            effect: .update, idempotency: .natural,
            input: Self.object(
                [
                    "key": Self.text, "value": true, "encoding": Self.encoding,
                    "ttl": ["type": "string", "description": "Such as 30s."], "keepTtl": ["type": "boolean"],
                    "condition": [
                        "enum": ["ifAbsent", "ifPresent"],
                        "description": "A repeated ifAbsent finds the value of the first and says set: false.",
                    ],
                ], required: ["key", "value"]),
            output: Self.object(["set": ["type": "boolean"]])),
        OperationDescriptor(
            id: "delete", title: "Delete keys", summary: "Deletes keys.", effect: .delete, idempotency: .natural,
            input: Self.object(["keys": ["type": ["string", "array"]]], required: ["keys"]),
            output: Self.object(["deleted": Self.count])),
        OperationDescriptor(
            id: "exists", title: "Count keys", summary: "Counts which of the keys exist.", effect: .read,
            idempotency: .natural,
            input: Self.object(["keys": ["type": ["string", "array"]]], required: ["keys"]),
            output: Self.object(["count": Self.count])),
        OperationDescriptor(
            id: "expire", title: "Limit a key's life", summary: "Lets a key vanish after a time.", effect: .update,
            idempotency: .natural,
            input: Self.object(["key": Self.text, "ttl": Self.text], required: ["key", "ttl"]),
            output: Self.object(["set": ["type": "boolean"]])),
        OperationDescriptor(
            id: "increment", title: "Count up", summary: "Adds to a number, once per idempotency key.",
            effect: .update, idempotency: Self.remembered,
            input: Self.object(["key": Self.text, "by": ["type": "integer", "default": 1]], required: ["key"]),
            output: Self.object(["value": Self.count])),
    ]

    static let hashOperations: [OperationDescriptor] = [
        OperationDescriptor(
            id: "hget", title: "Read a field", summary: "Returns a field of a hash, null when there is none.",
            effect: .read, idempotency: .natural,
            input: Self.object(
                ["key": Self.text, "field": Self.text, "as": Self.format], required: ["key", "field"]),
            output: Self.object(["value": true])),
        OperationDescriptor(
            id: "hgetall", title: "Read a hash", summary: "Returns all fields of a hash.", effect: .read,
            idempotency: .natural,
            input: Self.object(["key": Self.text, "as": Self.format], required: ["key"]),
            output: Self.object(["fields": ["type": "object"]])),
        OperationDescriptor(
            id: "hset", title: "Write fields", summary: "Sets fields of a hash.", effect: .update,
            idempotency: .natural,
            input: Self.object(["key": Self.text, "fields": ["type": "object"]], required: ["key", "fields"]),
            output: Self.object(["added": Self.count])),
        OperationDescriptor(
            id: "hdel", title: "Delete fields", summary: "Deletes fields of a hash.", effect: .delete,
            idempotency: .natural,
            input: Self.object(
                ["key": Self.text, "fields": ["type": ["string", "array"]]], required: ["key", "fields"]),
            output: Self.object(["deleted": Self.count])),
    ]

    static let queueOperations: [OperationDescriptor] = [
        OperationDescriptor(
            id: "push", title: "Push to a list", summary: "Adds values to a list, once per idempotency key.",
            effect: .create, idempotency: Self.remembered,
            input: Self.object(
                [
                    "list": Self.text, "value": true, "values": ["type": "array", "maxItems": 1_000],
                    "encoding": Self.encoding, "side": ["enum": ["left", "right"], "default": "right"],
                ], required: ["list"]),
            output: Self.object(["length": Self.count]), batchMaximum: 100),
        OperationDescriptor(
            id: "pop", title: "Take from a list",
            summary: "Takes values from a list; lost when the answer is. The event list is the safe way.",
            effect: .delete, idempotency: .none,
            input: Self.object(
                [
                    "list": Self.text, "count": ["type": "integer", "default": 1, "maximum": 1_000],
                    "side": ["enum": ["left", "right"], "default": "left"], "as": Self.format,
                ], required: ["list"]),
            output: Self.object(["values": ["type": "array"]])),
        OperationDescriptor(
            id: "xadd", title: "Add to a stream", summary: "Adds an entry to a stream, once per idempotency key.",
            effect: .create, idempotency: Self.remembered,
            input: Self.object(
                [
                    "stream": Self.text, "fields": ["type": "object"],
                    "maxLength": ["type": "integer", "description": "Older entries are dropped."],
                    "exact": ["type": "boolean", "default": false], "create": ["type": "boolean", "default": true],
                ], required: ["stream", "fields"]),
            output: Self.object(["id": Self.text]), batchMaximum: 100),
        OperationDescriptor(
            id: "publish", title: "Publish to a channel", summary: "Tells whoever listens now.", effect: .create,
            idempotency: .none,
            input: Self.object(
                ["channel": Self.text, "message": true, "encoding": Self.encoding], required: ["channel", "message"]),
            output: Self.object(["receivers": Self.count]), batchMaximum: 100),
        OperationDescriptor(
            id: "command", title: "Run a command",
            summary: "Runs one command of the data types, or another that the connection allows.",
            effect: .other, idempotency: .none,
            input: Self.object(
                [
                    "command": ["type": "array", "description": "Such as [\"ZADD\", \"key\", 1, \"member\"]."],
                    "as": Self.format,
                ], required: ["command"]),
            output: Self.object(["result": true])),
    ]

    static let events: [EventDescriptor] = [
        EventDescriptor(
            id: "stream", title: "Entry of a stream",
            summary: "Emits each entry of a stream to one consumer of a group.",
            parameters: Self.object(
                [
                    "stream": Self.text, "group": Self.text,
                    "consumer": ["type": "string", "description": "Default: the connection's name."],
                    "create": ["type": "boolean", "default": true, "description": "Make stream and group."],
                    "from": ["type": "string", "default": "0", "description": "Where a new group begins."],
                    "claimIdle": [
                        "type": ["string", "boolean"], "default": "5m",
                        "description": "Take over what others leave for so long; false: never.",
                    ],
                    "field": ["type": "string", "description": "Holds the payload; default: all fields."],
                    "contentType": ["type": "string", "description": "Of that field."],
                    "deadLetterStream": ["type": "string", "description": "Where entries set aside are copied."],
                ], required: ["stream", "group"]),
            payload: true, delivery: .atLeastOnce, isOrdered: false, holdMaximum: .seconds(300)),
        EventDescriptor(
            id: "list", title: "Value of a list",
            summary: "Emits each value of a list, which is kept in a second one until it is acknowledged.",
            parameters: Self.object(
                [
                    "list": Self.text, "side": ["enum": ["left", "right"], "default": "left"],
                    "processing": ["type": "string", "description": "Default: LIST:processing:CONNECTION."],
                    "deadLetterList": ["type": "string", "description": "Default: LIST:dead."],
                    "contentType": Self.text,
                ], required: ["list"]),
            payload: true, delivery: .atLeastOnce, isOrdered: false),
        EventDescriptor(
            id: "channel", title: "Message of a channel",
            summary: "Emits each message that is published while the source is connected.",
            parameters: Self.object([
                "channels": ["type": ["string", "array"]], "patterns": ["type": ["string", "array"]],
                "contentType": Self.text,
            ]),
            payload: true, delivery: .atMostOnce, isOrdered: true),
    ]
}
