internal import ConnectorKit
internal import Values

/// One root directory. Operations run on the connection's own thread.
actor FilesConnection: Connection {
    private let id: String
    private let settings: FilesSettings
    private let root: RootDirectory
    private let thread: FileThread
    private let clock: any ConnectorClock
    private var tokens = 0
    private var isClosed = false

    private enum Encoding: String, CaseIterable {
        case text, json, base64, records
    }

    private enum Mode: String, CaseIterable {
        case replace, create
    }

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
            case "list": return try self.list(reader)
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

    private static func readOnly(_ id: String) -> ConnectorError {
        ConnectorError(
            .permission, code: FileErrors.Code.readOnly, "The connection \(id) is read-only.",
            remedy: "Use another connection, or set readOnly to false.")
    }

    // MARK: - Operations

    private func read(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        let encoding = reader.word("encoding", of: Encoding.self) ?? .text
        var decoding = RecordDecoding()
        if let decode = reader.object("decode") {
            decoding.read(from: decode)
            decode.finish()
        }
        try Self.finish(reader)
        let (bytes, _) = try self.root.withParent(of: path) { directory, name in
            try RootDirectory.read(directory, name, maximum: self.settings.fileBytesMaximum)
        }
        var result: ValueContext = ["path": .string(path), "size": .number(Number(Int64(bytes.count)))]
        switch encoding {
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Self.content(path, "is not valid UTF-8", "Read it as base64.")
            }
            result["content"] = .string(text)
        case .json:
            do {
                result["content"] = try JSON.parse(bytes)
            } catch {
                throw Self.content(path, "is not valid JSON: \(error)", "Correct the file.")
            }
        case .base64:
            result["content"] = .string(Base64.encode(bytes))
        case .records:
            var decoder = RecordDecoder(bytes, name: path, decoding: decoding)
            var records: [Value] = []
            var malformed: [Value] = []
            while let record = decoder.next() {
                switch record.body {
                case .value(let value): records.append(value)
                case .undecodable(let finding):
                    malformed.append(
                        ["line": .number(Number(Int64(finding.line))), "reason": .string(finding.reason)])
                case .undecoded: records.append(.string(Base64.encode(Array(bytes[record.range]))))
                }
            }
            result["content"] = .list(records)
            result["malformed"] = .list(malformed)
        }
        return .done(.context(result), facts: ["bytes": .number(Number(Int64(bytes.count)))])
    }

    private func write(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        let content = reader.value("content")
        let encoding = reader.word("encoding", of: Encoding.self) ?? (content?.asString == nil ? .json : .text)
        let mode = reader.word("mode", of: Mode.self) ?? .replace
        var bytes: [UInt8] = []
        switch encoding {
        case .json: JSON.write(content ?? .null, into: &bytes)
        case .text:
            if let text = content?.asString {
                bytes = Array(text.utf8)
            } else {
                reader.add("input.content: expected a text.")
            }
        case .base64:
            if let decoded = content?.asString.flatMap({ Base64.decode($0) }) {
                bytes = decoded
            } else {
                reader.add("input.content: expected base64.")
            }
        case .records: reader.add("input.encoding: expected one of text, json, base64 but found \"records\".")
        }
        try Self.finish(reader)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        guard bytes.count <= self.settings.fileBytesMaximum else {
            throw FileErrors.tooLarge(path, bytes.count, self.settings.fileBytesMaximum)
        }
        let result: Value = ["path": .string(path), "size": .number(Number(Int64(bytes.count)))]
        let wasThere = try self.root.withParent(of: path, create: true) { directory, name in
            if let entry = try RootDirectory.entry(directory, name) {
                guard entry.kind == .file else { throw FileErrors.notAFile(path, "is a \(entry.kind.rawValue)") }
                if mode == .create {
                    // The same content under the same name is what a repeated call finds.
                    let limit = self.settings.fileBytesMaximum
                    if entry.size == bytes.count,
                        try RootDirectory.read(directory, name, maximum: limit).bytes == bytes
                    {
                        return true
                    }
                }
            }
            try RootDirectory.write(directory, name, bytes, replacing: mode == .replace, token: self.token(name))
            return false
        }
        let facts: ValueContext = ["bytes": .number(Number(Int64(bytes.count)))]
        return wasThere ? .alreadyDone(result, facts: facts) : .done(result, facts: facts)
    }

    private func move(_ reader: FieldReader) throws -> Outcome {
        reader.require("from")
        reader.require("to")
        let from = reader.string("from") ?? ""
        let to = reader.string("to") ?? ""
        let overwrites = reader.boolean("overwrite") ?? false
        try Self.finish(reader)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        try self.root.withParent(of: from) { source, name in
            guard let entry = try RootDirectory.entry(source, name) else {
                throw FileErrors.system(FileFailure.missing(from))
            }
            guard entry.kind == .file else { throw FileErrors.notAFile(from, "is a \(entry.kind.rawValue)") }
            try self.root.withParent(of: to, create: true) { target, newName in
                if let existing = try RootDirectory.entry(target, newName) {
                    guard overwrites, existing.kind == .file else { throw FileErrors.system(FileFailure.taken(to)) }
                }
                try RootDirectory.move(source, name, to: target, as: newName)
                try RootDirectory.sync(target)
                try RootDirectory.sync(source)
            }
        }
        return .done(["path": .string(to)], facts: ValueContext())
    }

    private func list(_ reader: FieldReader) throws -> Outcome {
        let directory = reader.string("dir") ?? ""
        let pattern = reader.string("pattern") ?? "*"
        let limit = reader.integer("limit", in: 1...100_000) ?? 1_000
        let glob = Glob(pattern)
        if glob == nil { reader.add("input.pattern: \"\(pattern.prefix(80))\" is no pattern.") }
        try Self.finish(reader)
        let entries = try self.root.withDirectory(directory) { try RootDirectory.entries($0) }
            .filter { glob?.matches($0.name) ?? false }
            .sorted { $0.name < $1.name }
        let files = entries.prefix(limit).map { entry -> Value in
            [
                "name": .string(entry.name), "kind": .string(entry.kind.rawValue),
                "size": .number(Number(Int64(entry.size))),
                "modified": entry.modified,
            ]
        }
        return .done(
            ["files": .list(files), "isComplete": .boolean(entries.count <= limit)],
            facts: ["entries": .number(Number(Int64(entries.count)))])
    }

    private static func finish(_ reader: FieldReader) throws {
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }

    private static func content(_ path: String, _ what: String, _ remedy: String) -> ConnectorError {
        ConnectorError(.validation, code: FileErrors.Code.content, "\(path) \(what).", remedy: remedy)
    }

    /// A name for a temporary file that no other writer uses, also not one in another process.
    private func token(_ name: String) -> String {
        self.tokens += 1
        let seed = "\(self.id)|\(name)|\(self.clock.unixMilliseconds)|\(self.clock.now)|\(self.tokens)"
        return String(StableHash.mixed(StableHash.fnv1a64(seed)), radix: 36)
    }
}
