import Foundation
import JunctionClient
import Logging
import Server
import Values

/// Gives a command a client of the server that has the data, or of one of its own.
enum Session {
    /// Runs `body` with a client: of the server named by `--server`, else of the one on the socket in the data directory,
    /// else of an engine opened in this process for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - createsData: Whether a data directory that is not there is created.
    ///   - runsConnectors: Whether an engine of its own carries out connector calls.
    static func run(
        _ options: GlobalOptions, _ console: Console, createsData: Bool = false, runsConnectors: Bool = false,
        body: @escaping @Sendable (JunctionClient) async throws -> Void
    ) async throws {
        let environment = Environment.current
        if let url = options.server ?? environment["JUNCTION_SERVER"] {
            try await Self.withClient(.http(url), environment.user, body)
            return
        }
        let folder = options.project ?? "."
        let project = try ProjectConfiguration.load(folder: folder, isRequired: options.project != nil)
        let directory = options.dataDirectory(environment, project: project)
        let socket = join(directory, APISocket.fileName)
        if APISocket.answers(socket) {
            try await Self.withClient(.unixSocket(socket), environment.user, body)
            return
        }
        guard createsData || FileManager.default.fileExists(atPath: join(directory, "journal.db")) else {
            throw CommandFailure(
                .noData, "There is no data in \(directory).",
                remedy: "Name the data directory with --data or JUNCTION_DATA, or start `junction serve`.")
        }
        try await Self.withOwnEngine(
            directory: directory, project: project, folder: folder, runsConnectors: runsConnectors,
            user: environment.user, console: console, body)
    }

    private static func withClient(
        _ endpoint: Endpoint, _ user: String, _ body: (JunctionClient) async throws -> Void
    ) async throws {
        let client = JunctionClient(endpoint: endpoint, actor: user)
        do {
            try await body(client)
        } catch {
            await client.shutdown()
            throw error
        }
        await client.shutdown()
    }

    /// The engine in this process listens on a socket nobody else knows.
    private static func withOwnEngine(
        directory: String, project: ProjectConfiguration?, folder: String, runsConnectors: Bool, user: String,
        console: Console, _ body: @escaping @Sendable (JunctionClient) async throws -> Void
    ) async throws {
        let private_ = try PrivateFolder()
        defer { private_.remove() }
        let socket = private_.path + "/s"
        let logger = Logger(label: "junction") { _ in
            ConsoleLogHandler(console: console, format: .text, logLevel: .warning)
        }
        let connectors = try await ModuleTable.load(project, isStarted: runsConnectors, logger: logger)
        let host = try EngineHost(
            .init(
                dataDirectory: directory, socketPath: socket, project: project, projectFolder: folder,
                servesProject: false, runsConnectors: runsConnectors, connectors: connectors,
                actor: user),
            logger: logger)
        for warning in host.warnings { console.note("\(warning)") }
        _ = try await host.serve { _ in
            try await Self.withClient(.unixSocket(socket), user, body)
            return true
        }
    }
}

/// A new folder that only this user may open.
private struct PrivateFolder {
    let path: String

    init() throws(CommandFailure) {
        let base = FileManager.default.temporaryDirectory.path
        var template = Array("\(base)/junction-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CommandFailure(
                .unwritableFile, "Cannot create a folder in \(base): \(String(cString: strerror(errno)))",
                remedy: "Set TMPDIR to a folder that may be written.")
        }
        self.path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: self.path)
    }
}
