public import ConnectorKit
internal import Values

/// Runs programs that the connection declares, in a sandbox, with JSON on both sides.
public struct ScriptModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters, and finds out which sandbox works here.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let settings = try ScriptSettings(configuration.parameters)
        return ScriptConnection(configuration, settings, try await Sandbox.establish(settings))
    }

    private static let limits: Value = [
        "type": "object", "additionalProperties": false,
        "description": "Enforced by the kernel. The number of processes counts all those of the same user.",
        "properties": [
            "cpu": ["type": "string", "default": "60s"],
            "memory": ["type": "string", "description": "Address space of one process.", "default": "1GiB"],
            "openFiles": ["type": "integer", "default": 256],
            "processes": ["type": "integer"],
            "fileSize": ["type": "string", "default": "64MiB"],
        ],
    ]

    private static let program: Value = [
        "type": "object", "additionalProperties": false, "required": ["command"],
        "properties": [
            "command": [
                "type": ["array", "string"], "items": ["type": "string"],
                "description": "The program and its arguments. Without a slash it is looked for in PATH.",
            ],
            "description": ["type": "string"],
            "directory": [
                "type": "string", "description": "Absolute path it runs in; it can read what is there.",
            ],
            "environment": [
                "type": "object",
                "description": "All it sees besides PATH, HOME and LANG: texts, or { secret: \"env:NAME\" }.",
            ],
            "arguments": [
                "type": "boolean", "description": "Whether a call may add arguments.", "default": false,
            ],
            "output": ["enum": ["json", "ndjson", "text"], "default": "json"],
            "maxOutput": ["type": "string", "default": "1MiB"],
            "timeout": ["type": "string", "default": "60s"],
            "network": ["enum": ["none", "host"], "description": "Default: the connection's."],
            "readable": ["type": "array", "description": "Further absolute paths it can read."],
            "writable": ["type": "array", "description": "Absolute paths it can read and write."],
            "limits": Self.limits,
            "exitCodes": [
                "type": "object",
                "description": "Meanings: done, retry, park, reject, or a kind of error. Others: as in sysexits.h.",
            ],
            "effect": ["enum": .list(Effect.allCases.map { .string($0.rawValue) }), "default": "other"],
            "idempotency": [
                "enum": ["none", "natural", "key"], "default": "none",
                "description": "key: it heeds the variable JUNCTION_IDEMPOTENCY_KEY.",
            ],
        ],
    ]

    static let description = ConnectorDescriptor(
        id: "script", version: 1, title: "Script",
        summary: "Runs declared programs in a sandbox: JSON on standard input, JSON, lines or text on standard output.",
        parameters: [
            "type": "object", "required": ["programs"], "additionalProperties": false,
            "properties": [
                "programs": [
                    "type": "object", "description": "What can be run, by name.",
                    "additionalProperties": Self.program,
                ],
                "sandbox": [
                    "enum": ["required", "preferred", "none"], "default": "preferred",
                    "description": "Whether bubblewrap gives each run a read-only root, an own /tmp and own processes.",
                ],
                "network": [
                    "enum": ["none", "host"], "default": "none",
                    "description": "none is enforced by bubblewrap or a network namespace, or the connection refused.",
                ],
                "bubblewrap": ["type": "string", "description": "Path of bwrap; default: looked for in PATH."],
                "maxConcurrent": ["type": "integer", "default": 16],
                "maxInput": ["type": "string", "default": "4MiB"],
            ],
        ],
        operations: [
            OperationDescriptor(
                id: "run", title: "Run a program",
                summary: "Runs a declared program once; its declaration says what repeating it means.",
                effect: .other, idempotency: .none,
                input: [
                    "type": "object", "additionalProperties": false, "required": ["program"],
                    "properties": [
                        "program": ["type": "string"],
                        "arguments": ["type": "array", "items": ["type": "string"]],
                        "input": ["description": "Given to it as JSON; nothing when absent."],
                        "timeout": ["type": "string", "description": "At most the program's own."],
                    ],
                ],
                output: [
                    "type": "object", "required": ["output", "exitCode", "stderr"],
                    "properties": [
                        "output": true, "exitCode": ["type": "integer"],
                        "stderr": ["type": "string", "description": "The end of what it wrote to standard error."],
                    ],
                ]),
            OperationDescriptor(
                id: "programs", title: "List programs",
                summary: "Says which programs can be run and what confines them.", effect: .read,
                idempotency: .natural,
                input: ["type": "object", "additionalProperties": false],
                output: [
                    "type": "object",
                    "properties": [
                        "sandbox": ["enum": ["bubblewrap", "none"]],
                        "reason": ["type": "string", "description": "Why there is no sandbox."],
                        "programs": [
                            "type": "array",
                            "items": [
                                "type": "object",
                                "properties": [
                                    "name": ["type": "string"], "description": ["type": "string"],
                                    "network": ["enum": ["none", "host"]], "effect": ["type": "string"],
                                    "isRepeatable": ["type": "boolean"],
                                ],
                            ],
                        ],
                    ],
                ]),
        ])
}
