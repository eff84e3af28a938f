import Foundation
import Hub
import HubDocuments
import Values

/// The project file `junction.yaml`: what a folder of models, triggers and connections is served with.
///
/// Every key is optional. Paths are relative to the folder of the file.
struct ProjectConfiguration: Sendable, Hashable {
    /// The data directory.
    var data: String?
    /// The TCP port on loopback; none without it.
    var port: Int?
    /// Documents to deploy, in this order.
    var deploy: [String] = []
    /// Trigger files.
    var triggers: [String] = []
    /// The connections file.
    var connections: String?
    /// The file with encrypted secrets.
    var vault: String?
    /// The file with the key of the vault.
    var vaultKey: String?
    /// Connectors that are no part of this program.
    var plugins: [PluginDeclaration] = []
    /// Specifications of declarative connectors.
    var connectors: [String] = []
    /// Logical partitions of a new data directory.
    var partitions: Int?
    /// Threads that process partitions.
    var threads: Int?
    /// How dead letters are kept, replayed and watched.
    var deadLetters = DeadLetterSettings()

    static let fileName = "junction.yaml"

    /// Reads the project file of a folder; nil when there is none and `isRequired` is false.
    static func load(folder: String, isRequired: Bool) throws(CommandFailure) -> ProjectConfiguration? {
        let path = join(folder, Self.fileName)
        guard isRequired || FileManager.default.fileExists(atPath: path) else { return nil }
        let log = DiagnosticLog(file: path)
        let text = String(decoding: try FileText.bytes(path), as: UTF8.self)
        let project = YAMLDocument.parse(text, log: log).map { Self.read($0, folder: folder, log: log) }
        guard let project, log.isAcceptable else {
            throw CommandFailure(
                .projectFile, "The project file \(path) has errors.", remedy: "Correct them, then start again.",
                diagnostics: log.diagnostics)
        }
        return project
    }

    /// Reads a parsed project file; what is wrong is in `log`.
    static func read(_ document: DocumentNode, folder: String, log: DiagnosticLog) -> ProjectConfiguration {
        let reader = MappingReader(document, log: log)
        var project = ProjectConfiguration()
        project.data = reader.string("data").map { join(folder, $0) }
        project.connections = reader.string("connections").map { join(folder, $0) }
        if let http = reader.mapping("http") {
            project.port = http.integer("port", in: 0...65_535)
            http.finish()
        }
        if let secrets = reader.mapping("secrets") {
            project.vault = secrets.string("vault").map { join(folder, $0) }
            project.vaultKey = secrets.string("key").map { join(folder, $0) }
            secrets.finish()
        }
        if let engine = reader.mapping("engine") {
            project.partitions = engine.integer("partitions", in: 1...1_024)
            project.threads = engine.integer("threads", in: 1...256)
            engine.finish()
        }
        if let letters = reader.mapping("deadLetters") { project.deadLetters = DeadLetterSettings(letters) }
        project.deploy = Self.files("deploy", reader, folder, log)
        project.triggers = Self.files("triggers", reader, folder, log)
        project.plugins = PluginDeclaration.read(reader, folder: folder)
        project.connectors =
            reader.node("connectors") == nil
            ? ConnectorFiles.specifications(in: join(folder, ConnectorFiles.folder))
            : Self.files("connectors", reader, folder, log)
        reader.finish()
        return project
    }

    /// The files that patterns stand for, sorted within each pattern; a pattern without files is reported.
    private static func files(
        _ key: String, _ reader: MappingReader, _ folder: String, _ log: DiagnosticLog
    ) -> [String] {
        var files: [String] = []
        for pattern in reader.strings(key) {
            let found = Self.expand(join(folder, pattern))
            if found.isEmpty {
                log.warning(
                    .unreadable, "\"\(key)\": no file matches \(pattern).", remedy: "Check the pattern.",
                    at: reader.node(key)?.position)
            }
            files += found.filter { !files.contains($0) }
        }
        return files
    }

    private static func expand(_ pattern: String) -> [String] {
        var result = glob_t()
        defer { globfree(&result) }
        guard glob(pattern, 0, nil, &result) == 0, let paths = result.gl_pathv else { return [] }
        return (0..<Int(result.gl_pathc)).compactMap { paths[$0].map { String(cString: $0) } }
    }
}

/// The path from the root on.
func absolute(_ path: String) -> String {
    URL(fileURLWithPath: path).standardizedFileURL.path
}

/// A path below a folder; an absolute path stays.
func join(_ folder: String, _ path: String) -> String {
    if path.hasPrefix("/") || folder == "." || folder.isEmpty { return path }
    return folder.hasSuffix("/") ? folder + path : "\(folder)/\(path)"
}
