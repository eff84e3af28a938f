import ConnectorSpecs
import Foundation
import HubDocuments
import Values

/// The declarative connectors of a project.
enum ConnectorFiles {
    /// The folder whose specifications a project has unless it says otherwise.
    static let folder = "connector-specs"

    /// Reads a specification; every problem is in `log`, and what could be read is returned.
    static func read(_ path: String, log: DiagnosticLog) -> ConnectorSpec? {
        DiskFile.text(path, log: log).flatMap { ConnectorSpec.read($0, log: log) }
    }

    /// Reads a specification that must be right.
    static func connector(_ path: String) throws(CommandFailure) -> DeclaredConnector {
        let log = DiagnosticLog(file: path)
        guard let spec = Self.read(path, log: log), log.isAcceptable else {
            throw CommandFailure(
                .configuration, "The connector specification \(path) has errors.",
                remedy: "Correct them; junction connector lint shows them too.",
                diagnostics: log.diagnostics.filter { $0.severity == .error })
        }
        return DeclaredConnector(spec)
    }

    /// The specifications of a folder without a project file, or of a project.
    static func paths(_ project: ProjectConfiguration?, folder: String) -> [String] {
        project?.connectors ?? Self.specifications(in: join(folder, Self.folder))
    }

    /// The files of a folder that can be specifications, sorted; empty when there is no such folder.
    static func specifications(in folder: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(".yaml") || $0.hasSuffix(".yml") }.sorted().map { join(folder, $0) }
    }
}
