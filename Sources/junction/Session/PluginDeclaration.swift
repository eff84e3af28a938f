import ConnectorKit
import Hub
import HubDocuments
import MCPConnector
import PluginHost
import Values

/// A connector that is no part of this program: a plugin, or a server of the Model Context Protocol.
struct PluginDeclaration: Sendable, Hashable {
    /// What a plugin speaks.
    enum Language: String, Sendable, Hashable, CaseIterable {
        case plugin, mcp
    }

    /// The name connections use.
    var id: String
    var language: Language = .plugin
    /// How it is started; nil for one that is reached over HTTP.
    var launch: LaunchSpecification?
    /// Where it is reached.
    var url: String?
    /// The variable of ours that holds the bearer token with which a server is asked for its tools.
    var tokenVariable: String?
    /// How long a message may be, and the like.
    var limits = RPCLimits()

    /// Reads the section `plugins`.
    ///
    ///     plugins:
    ///       sqlite:
    ///         command: [python3, plugins/sqlite_plugin.py]
    ///         directory: .                     # where it runs; the folder of the project
    ///         environment: [HOME]              # what it may see of ours, besides PATH, LANG, LC_ALL and TZ
    ///         variables: { MODE: fast }        # what it gets
    ///         limits: { cpu: 1h, memory: 512MiB, files: 256, processes: 64, message: 16MiB }
    ///       weather: { protocol: mcp, command: [weather-server] }
    ///       search: { protocol: mcp, url: "http://127.0.0.1:8000/mcp", token: { env: SEARCH_TOKEN } }
    static func read(_ root: MappingReader, folder: String) -> [PluginDeclaration] {
        guard let reader = root.mapping("plugins") else { return [] }
        return reader.entries.compactMap { entry in
            guard let fields = reader.mapping(entry.key) else { return nil }
            defer { fields.finish() }
            return Self.read(entry.key, fields, folder: folder)
        }
    }

    private static func read(_ id: String, _ fields: MappingReader, folder: String) -> PluginDeclaration? {
        var plugin = PluginDeclaration(id: id)
        plugin.language = fields.word("protocol", Language.self) ?? .plugin
        if plugin.language == .mcp {
            plugin.url = fields.string("url")
            if plugin.url != nil, let token = fields.mapping("token") {
                plugin.tokenVariable = token.requiredName("env", example: "token: { env: SEARCH_TOKEN }")
                token.finish()
            }
        }
        var limits = LaunchSpecification.Limits()
        if let section = fields.mapping("limits") {
            limits.cpuSeconds = section.duration("cpu", in: .seconds(1)...(.seconds(31_536_000)))
                .map { Int($0.components.seconds) }
            limits.memoryBytes = section.byteCount("memory", in: (16 << 20)...(1 << 40))
            limits.openFiles = section.integer("files", in: 16...1_048_576) ?? limits.openFiles
            limits.processes = section.integer("processes", in: 1...1_048_576)
            plugin.limits.frameBytesMax =
                section.byteCount("message", in: (64 << 10)...(64 << 20)) ?? plugin.limits.frameBytesMax
            section.finish()
        }
        let names = fields.strings("environment")
        var variables: [String: String] = [:]
        if let section = fields.mapping("variables") {
            for entry in section.entries { variables[entry.key] = section.string(entry.key) }
            section.finish()
        }
        let directory = join(folder, fields.string("directory") ?? ".")
        if plugin.url == nil {
            guard fields.requiredNode("command", example: "command: [python3, plugin.py]") != nil else { return nil }
        }
        var command = fields.strings("command")
        guard plugin.url != nil || !command.isEmpty else { return nil }
        if let program = command.first, program.contains("/") { command[0] = absolute(join(folder, program)) }
        if plugin.url == nil {
            plugin.launch = LaunchSpecification(
                command: command, directory: absolute(directory), environmentNames: names, environment: variables,
                limits: limits)
        }
        return plugin
    }

    /// Starts it for as long as it takes to learn what it can do.
    func load(_ log: @escaping RemoteModule.Log) async throws -> any ConnectorModule {
        switch (self.language, self.launch, self.url) {
        case (.plugin, let launch?, _):
            let module = try await RemoteModule.load(launch, name: self.id, limits: self.limits, log: log)
            return module.named(self.id)
        case (.mcp, let launch?, _):
            return try await MCPModule.load(id: self.id, .process(launch), limits: self.limits, log: log)
        case (.mcp, nil, let url?):
            let token = self.tokenVariable.flatMap { Environment.current[$0] }.map { Secret($0) }
            return try await MCPModule.load(id: self.id, .http(url), token: token, limits: self.limits, log: log)
        default:
            throw ConnectorError(
                .validation, code: ConnectorError.Code.invalidParameters, "It has neither a command nor a URL.",
                remedy: "Give it a command.")
        }
    }
}
