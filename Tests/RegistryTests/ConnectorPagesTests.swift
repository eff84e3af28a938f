import ConnectorKit
import Foundation
import Testing

@testable import junction

/// `docs/connectors` says what the connectors say now.
@Suite struct ConnectorPagesTests {
    @Test func thePagesAreUpToDate() throws {
        let folder = Repository.root.appending(path: "docs/connectors")
        let pages = try ConnectorPages.all(
            specifications: try Repository.specifications().map(\.path), folder: folder.path)
        if ProcessInfo.processInfo.environment["JUNCTION_WRITE_DOCS"] == "1" {
            for page in pages { try Data(page.text.utf8).write(to: folder.appending(path: page.name)) }
        }
        let remedy = "write them again: JUNCTION_WRITE_DOCS=1 Scripts/test --filter ConnectorPagesTests"
        for page in pages {
            let written = try? String(contentsOf: folder.appending(path: page.name), encoding: .utf8)
            #expect(written == page.text, "\(page.name): \(remedy)")
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(names == pages.map(\.name).sorted(), "a page whose connector is gone: remove it")
    }

    @Test func theTableNamesEveryConnector() throws {
        let pages = try ConnectorPages.all(
            specifications: try Repository.specifications().map(\.path), folder: Repository.root.path)
        let table = try #require(pages.first { $0.name == "README.md" }?.text)
        for module in ModuleTable.builtIn {
            let descriptor = module.descriptor
            #expect(table.contains("(\(descriptor.id).md) | built in |"))
            for operation in descriptor.operations { #expect(table.contains("`\(operation.id)`")) }
        }
        #expect(table.contains("(stripe.md) | specification |"))
    }
}
