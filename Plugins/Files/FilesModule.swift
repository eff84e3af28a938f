public import ConnectorKit
internal import Values

/// Reads, writes, moves, copies, finds and checks files below a root directory, and emits the records of files dropped
/// there.
public struct FilesModule: ConnectorModule {
    /// Creates the module.
    public init() {}

    /// What it can do.
    public var descriptor: ConnectorDescriptor { Self.description }

    /// Checks the parameters and opens the root.
    public func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let settings = try FilesSettings(configuration.parameters)
        let root = try RootDirectory(settings.root)
        return FilesConnection(configuration, settings, root: root, thread: try FileThread.start())
    }

    static let description = ConnectorDescriptor(
        id: "files", version: 1, title: "Files",
        summary:
            "Reads, writes, moves, copies, finds and checks files below a root directory, and emits records of dropped ones.",
        parameters: [
            "type": "object",
            "required": ["root"],
            "additionalProperties": false,
            "properties": [
                "root": ["type": "string", "description": "Absolute path; nothing outside is ever touched."],
                "readOnly": ["type": "boolean", "default": false],
                "maxFileBytes": ["type": "string", "default": "64MiB"],
            ],
        ],
        operations: [
            OperationDescriptor(
                id: "read", title: "Read a file", summary: "Returns the content of a file.", effect: .read,
                idempotency: .natural,
                input: Self.object(
                    [
                        "path": ["type": "string"],
                        "encoding": ["enum": ["text", "json", "xml", "base64", "records"], "default": "text"],
                        "decode": [
                            "type": "object",
                            "description": "For records: format, delimiter, columns, record, maxBytes.",
                        ],
                        "offset": [
                            "type": "integer",
                            "description": "For records of CSV and NDJSON: the next of the page before.",
                        ],
                        "limit": [
                            "type": "integer",
                            "description": "For records: at most so many; with it files of any size can be read.",
                        ],
                    ], required: ["path"]),
                output: Self.object([
                    "path": ["type": "string"], "size": ["type": "integer"], "content": true,
                    "malformed": ["type": "array", "description": "For records: line and reason of the bad ones."],
                    "next": ["type": ["integer", "null"], "description": "For records: where the next page begins."],
                ])),
            OperationDescriptor(
                id: "write", title: "Write a file",
                summary: "Writes a file as a whole: others see the old content or the new, never a part.",
                effect: .update, idempotency: .natural,
                input: Self.object(
                    [
                        "path": ["type": "string"], "content": true,
                        "encoding": ["enum": ["text", "json", "ndjson", "csv", "xml", "base64"]],
                        "columns": ["type": "array", "description": "For csv; default: all fields of the records."],
                        "delimiter": ["type": "string", "default": ",", "description": "For csv."],
                        "mode": ["enum": ["replace", "create"], "default": "replace"],
                    ], required: ["path", "content"]),
                output: Self.object(["path": ["type": "string"], "size": ["type": "integer"]])),
            OperationDescriptor(
                id: "move", title: "Move a file", summary: "Moves or renames a file within the root.", effect: .update,
                idempotency: .none,
                input: Self.object(
                    [
                        "from": ["type": "string"], "to": ["type": "string"],
                        "overwrite": ["type": "boolean", "default": false],
                    ], required: ["from", "to"]),
                output: Self.object(["path": ["type": "string"]])),
            OperationDescriptor(
                id: "copy", title: "Copy a file", summary: "Copies a file of any size; the copy appears as a whole.",
                effect: .create, idempotency: .none,
                input: Self.object(
                    [
                        "from": ["type": "string"], "to": ["type": "string"],
                        "overwrite": ["type": "boolean", "default": false],
                    ], required: ["from", "to"]),
                output: Self.object(["path": ["type": "string"], "size": ["type": "integer"]])),
            OperationDescriptor(
                id: "delete", title: "Delete a file", summary: "Removes a file; that it is gone already is a success.",
                effect: .delete, idempotency: .natural,
                input: Self.object(["path": ["type": "string"]], required: ["path"]),
                output: Self.object(["path": ["type": "string"], "deleted": ["type": "boolean"]])),
            OperationDescriptor(
                id: "glob", title: "Find files",
                summary: "Finds files below the root by a pattern such as in/**/*.csv, sorted by path.", effect: .read,
                idempotency: .natural,
                input: Self.object(
                    ["pattern": ["type": "string"], "limit": ["type": "integer", "default": 1_000]],
                    required: ["pattern"]),
                output: Self.object(["files": ["type": "array"], "isComplete": ["type": "boolean"]])),
            OperationDescriptor(
                id: "checksum", title: "Checksum",
                summary: "Computes the digest of a file of any size, and compares it.",
                effect: .read, idempotency: .natural,
                input: Self.object(
                    [
                        "path": ["type": "string"],
                        "algorithm": ["enum": ["sha256", "sha512", "sha1", "md5"], "default": "sha256"],
                        "expect": ["type": "string", "description": "Hexadecimal; another digest is an error."],
                    ], required: ["path"]),
                output: Self.object([
                    "path": ["type": "string"], "algorithm": ["type": "string"], "checksum": ["type": "string"],
                    "size": ["type": "integer"],
                ])),
            OperationDescriptor(
                id: "list", title: "List files", summary: "Lists a directory, sorted by name.", effect: .read,
                idempotency: .natural,
                input: Self.object([
                    "dir": ["type": "string"], "pattern": ["type": "string", "default": "*"],
                    "limit": ["type": "integer", "default": 1_000],
                ]),
                output: Self.object(["files": ["type": "array"], "isComplete": ["type": "boolean"]])),
        ],
        events: [
            EventDescriptor(
                id: "file", title: "File dropped",
                summary: "Emits each record of each file that appears in a directory and has settled.",
                parameters: Self.object(
                    [
                        "dir": ["type": "string"], "pattern": ["type": ["string", "array"], "default": "*"],
                        "stable": Self.object([
                            "quietFor": ["type": "string", "default": "2s"],
                            "checks": ["type": "integer", "default": 2],
                            "orMarker": ["type": "string"],
                        ]),
                        "claim": Self.object(["rename": ["type": "string", "default": ".processing"]]),
                        "done": Self.object(["move": ["type": "string", "default": "archive"]]),
                        "failed": Self.object(["move": ["type": "string", "default": "failed"]]),
                        "rescan": ["type": "string", "default": "60s"],
                        "identity": ["type": "array", "default": ["path", "size", "mtime", "inode"]],
                    ], required: ["dir"]),
                payload: true, delivery: .atLeastOnce, isOrdered: false)
        ])

    private static func object(_ properties: ValueContext, required: [Value] = []) -> Value {
        [
            "type": "object", "additionalProperties": false, "required": .list(required),
            "properties": .context(properties),
        ]
    }
}

/// The parameters of a connection, checked.
struct FilesSettings: Sendable {
    var root: String
    var isReadOnly = false
    var fileBytesMaximum = 64 << 20

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        reader.require("root")
        self.root = reader.string("root") ?? ""
        if !self.root.isEmpty, !self.root.hasPrefix("/") {
            reader.add("parameters.root: expected an absolute path but found \"\(self.root.prefix(80))\".")
        }
        self.isReadOnly = reader.boolean("readOnly") ?? false
        self.fileBytesMaximum = reader.bytes("maxFileBytes") ?? self.fileBytesMaximum
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}
