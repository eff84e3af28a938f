import ConnectorKit
import ConnectorSpecs
import Foundation
import PluginHost
import Testing
import Values

@testable import junction

/// Every connector of the program keeps the promises of the kit: what is in the binary is tested.
@Suite(.timeLimit(.minutes(5))) struct RegistryConformanceTests {
    private static let builtIn = ModuleTable.builtIn.map(\.descriptor.id)

    private static func module(_ id: String) throws -> any ConnectorModule {
        try #require(ModuleTable.builtIn.first { $0.descriptor.id == id })
    }

    /// Against a remote that works; an entry without one fails.
    private static func check(
        _ id: String, as module: any ConnectorModule, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let make = try #require(
            Fixture.byID[id], "The connector \(id) is in the program but has no fixture: add one to Fixture.byID.",
            sourceLocation: sourceLocation)
        for fixture in try await make(try Self.module(id)) {
            let suite = ConnectorConformance(
                module: module, configuration: fixture.configuration, calls: fixture.calls, sources: fixture.sources)
            for finding in await suite.run() {
                Issue.record("\(fixture.name): \(finding)", sourceLocation: sourceLocation)
            }
            await fixture.end()
        }
    }

    @Test(arguments: Self.builtIn)
    func aBuiltInModuleKeepsThePromises(id: String) async throws {
        try await Self.check(id, as: try Self.module(id))
    }

    /// As connections of these modules are by default.
    @Test(arguments: ModuleTable.isolated.sorted())
    func aModuleInAProcessOfItsOwnKeepsThePromises(id: String) async throws {
        let program = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: "junction").path
        let launch = LaunchSpecification(command: [program, PluginHostCommand.name, id])
        try await Self.check(id, as: RemoteModule(try Self.module(id).descriptor, launch: launch))
    }

    @Test(arguments: try Repository.specifications().map(\.lastPathComponent))
    func aSpecificationKeepsThePromises(file: String) async throws {
        let path = Repository.root.appending(path: "connector-specs/\(file)").path
        let recorded = try await RecordedConnector(try ConnectorFiles.connector(path).spec)
        // A specification whose tests show no successful call would be tested by its refusals alone.
        #expect(!recorded.fixture.calls.isEmpty)
        let suite = ConnectorConformance(
            module: recorded, configuration: recorded.fixture.configuration, calls: recorded.fixture.calls)
        for finding in await suite.run() { Issue.record("\(finding)") }
    }

    @Test func noConnectorIsThereTwiceAndNoFixtureIsLeftOver() throws {
        #expect(Set(Self.builtIn).count == Self.builtIn.count)
        #expect(Set(Fixture.byID.keys).subtracting(Self.builtIn) == [])
        #expect(ModuleTable.isolated.subtracting(Self.builtIn) == [])
        let specifications = try Repository.specifications().map { try ConnectorFiles.connector($0.path).descriptor.id }
        #expect(Set(specifications).isDisjoint(with: Self.builtIn))
    }
}
