import ArgumentParser
import ConnectorKit
import ConnectorSpecs
import Foundation
import Hub
import Values

extension ConnectorCommand {
    struct Docs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Write a page about each connector, and a table of what all of them guarantee.",
            discussion: "Made of the connectors' descriptions. The folder is made if it is not there.")

        @Argument(help: ArgumentHelp("Where the pages go.", valueName: "dir"), completion: .directory)
        var folder: String

        @OptionGroup var options: ProjectOptions

        func run() async throws {
            let console = Console(isJSON: self.options.json)
            try await carryOut(console) {
                let project = try ProjectConfiguration.load(folder: self.options.folder, isRequired: false)
                let pages = try ConnectorPages.all(
                    specifications: ConnectorFiles.paths(project, folder: self.options.folder), folder: self.folder)
                try FileManager.default.createDirectory(atPath: self.folder, withIntermediateDirectories: true)
                for page in pages {
                    let path = join(self.folder, page.name)
                    try FileText.replace(path, with: Array(page.text.utf8))
                    if console.isJSON {
                        console.print(json: ["file": .string(path)])
                    } else {
                        console.print(path)
                    }
                }
            }
        }
    }
}

/// The pages about connectors.
enum ConnectorPages {
    /// Guides about single connectors, seen from the folder of the pages.
    private static let guides: [String: ConnectorPage.Guide] = [
        "http": .init(title: "HTTP", path: "../guides/http-connector.md"),
        "soap": .init(title: "SOAP services", path: "../guides/soap-connector.md"),
        "postgresql": .init(title: "SQL databases", path: "../guides/sql-connectors.md"),
        "odbc": .init(title: "SQL databases", path: "../guides/sql-connectors.md"),
        "files": .init(title: "Triggers", path: "../guides/triggers.md"),
        "kafka": .init(title: "Triggers", path: "../guides/triggers.md"),
    ]
    private static let specificationGuide = ConnectorPage.Guide(
        title: "Connector specifications", path: "../guides/connector-specs.md")

    /// Every page that belongs into `folder`, by name: one a connector, and the table of all.
    ///
    /// A guide is named where it is there.
    static func all(specifications: [String], folder: String) throws(CommandFailure) -> [(name: String, text: String)] {
        var connectors = ModuleTable.builtIn.map { module in
            let descriptor = module.descriptor
            return (
                descriptor: descriptor,
                facts: ConnectorPage.Facts(
                    tier: "built in", isIsolated: ModuleTable.isolated.contains(descriptor.id),
                    guide: Self.guides[descriptor.id])
            )
        }
        for path in specifications {
            let connector = try ConnectorFiles.connector(path)
            let notes = connector.spec.notes
            connectors.append(
                (
                    descriptor: connector.descriptor,
                    facts: ConnectorPage.Facts(
                        tier: "specification", guide: Self.specificationGuide, authentication: notes.authentication,
                        rateLimits: notes.rateLimits, webhooks: notes.webhooks)
                ))
        }
        for index in connectors.indices {
            guard let guide = connectors[index].facts.guide else { continue }
            if !FileManager.default.fileExists(atPath: join(folder, guide.path)) { connectors[index].facts.guide = nil }
        }
        return [("README.md", ConnectorPage.table(connectors))]
            + connectors.map { ($0.descriptor.id + ".md", ConnectorPage.page(for: $0.descriptor, $0.facts)) }
    }
}
