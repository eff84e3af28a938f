internal import ConnectorKit
internal import PluginHost
internal import Values

/// The parameters of a connection, checked.
struct ScriptSettings: Sendable {
    /// Whether bubblewrap confines the programs.
    enum SandboxWish: String, CaseIterable, Sendable {
        case required, preferred, none
    }

    var programs: [String: ScriptProgram] = [:]
    var sandbox = SandboxWish.preferred
    /// The path of bubblewrap; nil: wherever it is.
    var bubblewrap: String?
    var concurrentMax = 16
    var inputBytesMax = 4 << 20

    init(_ parameters: Value) throws {
        let reader = FieldReader(parameters, path: "parameters", code: ConnectorError.Code.invalidParameters)
        self.sandbox = reader.word("sandbox", of: SandboxWish.self) ?? self.sandbox
        let network = reader.word("network", of: ScriptProgram.Network.self) ?? .none
        self.bubblewrap = reader.string("bubblewrap")
        self.concurrentMax = reader.integer("maxConcurrent", in: 1...256) ?? self.concurrentMax
        self.inputBytesMax = reader.bytes("maxInput") ?? self.inputBytesMax
        reader.require("programs")
        if let programs = reader.object("programs") {
            for name in programs.keys() {
                guard let fields = programs.object(name) else { continue }
                self.programs[name] = ScriptProgram(fields, network: network)
            }
            if self.programs.isEmpty { programs.add("parameters.programs: expected at least one program.") }
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}

/// One program that may be run.
struct ScriptProgram: Sendable {
    /// What it reaches.
    enum Network: String, CaseIterable, Sendable {
        case none, host
    }

    /// How its standard output is read.
    enum Output: String, CaseIterable, Sendable {
        case json, ndjson, text
    }

    /// What running it twice means.
    enum Idempotency: String, CaseIterable, Sendable {
        case none, natural, key
    }

    /// A variable's value.
    enum Variable: Sendable {
        case text(String)
        case secret(SecretReference)
    }

    /// All a program sees of the environment, unless declared otherwise.
    static let path = "/usr/local/bin:/usr/bin:/bin"

    var command: [String] = []
    var description = ""
    var directory: String?
    var environment: [String: Variable] = [:]
    var takesArguments = false
    var output = Output.json
    var outputBytesMax = 1 << 20
    var timeout = Duration.seconds(60)
    var network: Network
    var readable: [String] = []
    var writable: [String] = []
    var limits = LaunchSpecification.Limits(
        cpuSeconds: 60, memoryBytes: 1 << 30, openFiles: 256, fileBytes: 64 << 20)
    var exitCodes: [Int: ExitMeaning] = [:]
    var effect = Effect.other
    var idempotency = Idempotency.none

    init(_ reader: FieldReader, network: Network) {
        self.network = reader.word("network", of: Network.self) ?? network
        reader.require("command")
        self.command = reader.strings("command") ?? []
        if reader.has("command"), self.command.first?.isEmpty ?? true {
            reader.add("\(reader.path).command: expected a program and its arguments.")
        }
        self.description = reader.string("description") ?? ""
        self.directory = reader.string("directory")
        self.takesArguments = reader.boolean("arguments") ?? false
        self.output = reader.word("output", of: Output.self) ?? self.output
        self.outputBytesMax = reader.bytes("maxOutput") ?? self.outputBytesMax
        self.timeout = reader.duration("timeout") ?? self.timeout
        if self.timeout <= .zero { reader.add("\(reader.path).timeout: expected more than nothing.") }
        self.readable = reader.strings("readable") ?? []
        self.writable = reader.strings("writable") ?? []
        for path in self.readable + self.writable + [self.directory].compactMap({ $0 }) where !path.hasPrefix("/") {
            reader.add("\(reader.path): expected an absolute path but found \"\(path.prefix(80))\".")
        }
        self.effect = reader.word("effect", of: Effect.self) ?? self.effect
        self.idempotency = reader.word("idempotency", of: Idempotency.self) ?? self.idempotency
        self.readEnvironment(reader)
        self.readLimits(reader)
        self.readExitCodes(reader)
        reader.finish()
    }

    /// Whether it may be run again although it may have been run.
    var isRepeatable: Bool { self.effect == .read || self.idempotency != .none }

    private mutating func readEnvironment(_ reader: FieldReader) {
        guard let fields = reader.object("environment") else { return }
        for name in fields.keys() {
            if name.isEmpty || name.contains("=") || name.utf8.contains(0) {
                fields.add("\(fields.path): \"\(name.prefix(80))\" is no name of a variable.")
            } else if let text = fields.value(name)?.asString {
                self.environment[name] = .text(text)
            } else if let reference = fields.value(name).flatMap({ SecretReference($0) }) {
                self.environment[name] = .secret(reference)
            } else {
                fields.add("\(fields.path).\(name): expected a text or { secret: \"env:NAME\" }.")
            }
        }
    }

    private mutating func readLimits(_ reader: FieldReader) {
        guard let fields = reader.object("limits") else { return }
        if let cpu = fields.duration("cpu") { self.limits.cpuSeconds = max(1, Int(cpu.components.seconds)) }
        self.limits.memoryBytes = fields.bytes("memory") ?? self.limits.memoryBytes
        self.limits.openFiles = fields.integer("openFiles", in: 3...1_048_576) ?? self.limits.openFiles
        self.limits.processes = fields.integer("processes", in: 1...1_048_576) ?? self.limits.processes
        self.limits.fileBytes = fields.bytes("fileSize") ?? self.limits.fileBytes
        fields.finish()
    }

    private mutating func readExitCodes(_ reader: FieldReader) {
        guard let fields = reader.object("exitCodes") else { return }
        for key in fields.keys() {
            guard let code = Int(key), (1...255).contains(code) else {
                fields.add("\(fields.path): expected a code from 1 to 255 but found \"\(key.prefix(20))\".")
                continue
            }
            self.exitCodes[code] = fields.word(key, of: ExitMeaning.self)
        }
    }
}
