internal import ConnectorKit
internal import Values

/// One root directory. Operations run on the connection's own thread.
actor FilesConnection: Connection {
    let id: String
    let settings: FilesSettings
    let root: RootDirectory
    private let thread: FileThread
    private let clock: any ConnectorClock
    private var tokens = 0
    private var isClosed = false

    init(_ configuration: ConnectionConfiguration, _ settings: FilesSettings, root: RootDirectory, thread: FileThread) {
        self.id = configuration.id
        self.clock = configuration.clock
        self.settings = settings
        self.root = root
        self.thread = thread
    }

    nonisolated var unownedExecutor: UnownedSerialExecutor { self.thread.asUnownedSerialExecutor() }

    func test() async throws {
        try self.checkOpen()
        try self.root.withDirectory("") { _ = try RootDirectory.entry($0, ".") }
    }

    func invoke(_ call: OperationCall) async -> Outcome {
        do {
            try self.checkOpen()
            try Task.checkCancellation()
            let reader = FieldReader(call.input, path: "input", code: ConnectorError.Code.invalidParameters)
            switch call.operation {
            case "read": return try self.read(reader)
            case "write": return try self.write(reader)
            case "move": return try self.move(reader)
            case "copy": return try self.copy(reader)
            case "delete": return try self.delete(reader)
            case "list": return try self.list(reader)
            case "glob": return try self.glob(reader)
            case "checksum": return try self.checksum(reader)
            default: return .failed(.unknownOperation(call.operation, of: FilesModule.description))
            }
        } catch {
            var wrapped = ConnectorError(wrapping: error)
            // Each operation changes nothing until its last system call, which is the one that failed.
            wrapped.mayHaveExecuted = false
            return .failed(wrapped)
        }
    }

    func armSource(_ request: SourceRequest) async throws -> any EventSource {
        try self.checkOpen()
        guard FilesModule.description.event(request.event) != nil else {
            throw ConnectorError.unknownEvent(request.event, of: FilesModule.description)
        }
        guard request.replay == nil else {
            throw ConnectorError(
                .unsupported, code: FileErrors.Code.replay, "A folder has no range that could be read again.",
                remedy: "Move the files back from the archive (what was taken is recognised), or replay from the inbox."
            )
        }
        let settings = try FileSourceSettings(
            request.parameters, decoding: request.decoding, fileBytesMaximum: self.settings.fileBytesMaximum)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        _ = try self.root.components(settings.directory)
        return FileSource(settings, root: self.root, thread: try FileThread.start(), clock: self.clock)
    }

    func close() async {
        self.isClosed = true
    }

    private func checkOpen() throws {
        if self.isClosed { throw ConnectorError.closed(self.id) }
    }

    static func readOnly(_ id: String) -> ConnectorError {
        ConnectorError(
            .permission, code: FileErrors.Code.readOnly, "The connection \(id) is read-only.",
            remedy: "Use another connection, or set readOnly to false.")
    }

    // MARK: - For the operations

    /// Ends the reading of an input; throws what is wrong with it.
    static func finish(_ reader: FieldReader) throws {
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    static func content(_ path: String, _ what: String, _ remedy: String) -> ConnectorError {
        ConnectorError(.validation, code: FileErrors.Code.content, "\(path) \(what).", remedy: remedy)
    }

    /// A name for a temporary file that no other writer uses, also not one in another process.
    func token(_ name: String) -> String {
        self.tokens += 1
        let seed = "\(self.id)|\(name)|\(self.clock.unixMilliseconds)|\(self.clock.now)|\(self.tokens)"
        return String(StableHash.mixed(StableHash.fnv1a64(seed)), radix: 36)
    }
}
