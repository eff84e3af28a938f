public import ConnectorKit
internal import Values

/// Sends mail over SMTP and reads it over IMAP.
public struct MailModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters and starts a thread for each server.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        try MailConnection(configuration, try MailSettings(configuration.parameters))
    }

    private static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }

    private static func server(_ port: String) -> Value {
        Self.object(
            [
                "host": ["type": "string"],
                "port": ["type": "integer", "description": .string("Default: \(port).")],
                "tls": [
                    "enum": ["starttls", "implicit", "none"], "default": "starttls",
                    "description": "starttls and implicit never go on without TLS.",
                ],
                "allowPlaintext": [
                    "type": "boolean", "default": false, "description": "Whether tls may be none.",
                ],
                "user": ["type": "string"],
                "password": ["type": "object", "description": "{ secret: \"env:NAME\" }"],
                "token": ["type": "object", "description": "Instead of password: an OAuth 2 access token."],
                "caFile": ["type": "string", "description": "PEM file of the authorities to trust."],
                "connectTimeout": ["type": "string", "default": "20s"],
                "idle": [
                    "type": "string", "default": "30s", "description": "How long an open session is kept unused.",
                ],
            ], required: ["host"])
    }

    private static let address: Value = [
        "type": ["string", "object"], "description": "user@host, Name <user@host> or { name, address }.",
    ]

    private static let addresses: Value = [
        "type": ["string", "object", "array"], "description": "One address or a list of them.",
    ]

    private static let message: ValueContext = [
        "messageId": ["type": "string"], "inReplyTo": ["type": "string"], "date": ["type": "string"],
        "subject": ["type": "string"], "from": ["type": "array"], "to": ["type": "array"], "cc": ["type": "array"],
        "replyTo": ["type": "array"], "headers": ["type": "object"], "text": ["type": "string"],
        "html": ["type": "string"],
        "attachments": [
            "type": "array",
            "items": [
                "type": "object",
                "properties": [
                    "name": ["type": "string"], "contentType": ["type": "string"], "size": ["type": "integer"],
                    "contentId": ["type": "string"],
                    "content": ["type": "string", "description": "In base64; absent beyond the bound."],
                ],
            ],
        ],
    ]

    static let description = ConnectorDescriptor(
        id: "mail", version: 1, title: "Mail", summary: "Sends mail over SMTP, and reads and emits mail over IMAP.",
        parameters: Self.object([
            "smtp": Self.server("587 with starttls, 465 with implicit, 25 with none"),
            "imap": Self.server("143, 993 with implicit"),
            "from": Self.address,
            "attachmentsRoot": ["type": "string", "description": "Absolute path that attached files are below."],
            "maxMessage": ["type": "string", "default": "25MiB"],
            "maxRecipients": ["type": "integer", "default": 100],
        ]),
        secrets: [
            SecretDescriptor(parameter: "smtp.password", title: "SMTP password", isRequired: false),
            SecretDescriptor(parameter: "smtp.token", title: "SMTP access token", isRequired: false),
            SecretDescriptor(parameter: "imap.password", title: "IMAP password", isRequired: false),
            SecretDescriptor(parameter: "imap.token", title: "IMAP access token", isRequired: false),
        ],
        operations: [Self.send, Self.search, Self.fetch, Self.move], events: [Self.mailbox])

    private static let send = OperationDescriptor(
        id: "send", title: "Send a message",
        summary: "Hands a message to the server; its Message-ID is the same for the same idempotency key.",
        effect: .create, idempotency: .none,
        input: Self.object([
            "from": Self.address, "to": Self.addresses, "cc": Self.addresses, "bcc": Self.addresses,
            "replyTo": Self.addresses, "subject": ["type": "string"], "text": ["type": "string"],
            "html": ["type": "string"],
            "headers": ["type": "object", "description": "Further header fields."],
            "attachments": [
                "type": "array",
                "items": Self.object([
                    "name": ["type": "string"], "contentType": ["type": "string"],
                    "content": ["type": "string", "description": "In base64."],
                    "text": ["type": "string", "description": "Instead of content."],
                    "file": ["type": "string", "description": "Instead of content: a path below attachmentsRoot."],
                    "contentId": ["type": "string", "description": "What HTML refers to it by, as cid:…"],
                ]),
            ],
            "recipients": [
                "enum": ["all", "any"], "default": "all",
                "description": "Whether nothing is sent when one recipient is refused, or it goes to the others.",
            ],
        ]),
        output: Self.object([
            "messageId": ["type": "string"], "accepted": ["type": "array"],
            "refused": ["type": "array", "description": "address, code and message of each."],
            "response": ["type": "string"],
        ]))

    private static var searchInput: ValueContext {
        var properties = IMAPSearch.schema
        properties.merge([
            "mailbox": ["type": "string", "default": "INBOX"], "limit": ["type": "integer", "default": 100],
        ])
        return properties
    }

    private static let search = OperationDescriptor(
        id: "search", title: "Search messages",
        summary: "Finds the messages that meet all criteria, oldest first; changes nothing.", effect: .read,
        idempotency: .natural, input: Self.object(Self.searchInput),
        output: Self.object([
            "messages": [
                "type": "array", "description": "uid, size, flags, subject, from, date, messageId of each.",
            ],
            "total": ["type": "integer"], "uidValidity": ["type": "integer"],
        ]))

    private static let fetch = OperationDescriptor(
        id: "fetch", title: "Fetch a message", summary: "Reads a message without marking it seen.", effect: .read,
        idempotency: .natural,
        input: Self.object(
            [
                "mailbox": ["type": "string", "default": "INBOX"], "uid": ["type": "integer"],
                "raw": ["type": "boolean", "default": false, "description": "Whether the whole source is given too."],
            ], required: ["uid"]),
        output: ["type": "object", "properties": .context(Self.message)])

    private static let move = OperationDescriptor(
        id: "move", title: "Move a message", summary: "Moves a message to another mailbox.", effect: .update,
        idempotency: .none,
        input: Self.object(
            [
                "mailbox": ["type": "string", "default": "INBOX"], "uid": ["type": "integer"],
                "to": ["type": "string"], "create": ["type": "boolean", "default": false],
            ], required: ["uid", "to"]),
        output: Self.object(["uid": ["type": ["integer", "null"], "description": "Where the server tells it."]]))

    private static var sourceParameters: ValueContext {
        var properties = IMAPSearch.schema
        properties.merge([
            "mailbox": ["type": "string", "default": "INBOX"], "poll": ["type": "string", "default": "60s"],
            "unseen": [
                "type": "boolean", "default": true, "description": "false: seen messages too; done must remove them.",
            ],
            "done": Self.object([
                "seen": ["type": "boolean", "default": true], "delete": ["type": "boolean"],
                "move": ["type": "string"],
                "keep": [
                    "type": "boolean", "description": "The mailbox is only read; the source remembers where it stands.",
                ],
            ]),
            "start": [
                "enum": ["earliest", "latest"], "default": "earliest",
                "description": "Where a source begins that only reads.",
            ],
            "failed": Self.object(["move": ["type": "string", "default": "Failed"]]),
            "maxAttachments": ["type": "string", "default": "8MiB"],
        ])
        return properties
    }

    private static let mailbox = EventDescriptor(
        id: "mailbox", title: "Message received",
        summary: "Emits the messages of a mailbox; acknowledged ones are marked seen, moved, deleted or remembered.",
        parameters: Self.object(Self.sourceParameters),
        payload: ["type": "object", "properties": .context(Self.message)], delivery: .atLeastOnce, isOrdered: true)
}
