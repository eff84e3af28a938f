import ConnectorKit
import FilesConnector
import Foundation
import HTTPConnector
import Hub
import ProcessModel
import Testing
import Values

/// The files of examples/order-intake fit each other, before anything runs.
@Suite struct OrderIntakeFilesTests {
    static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "examples/order-intake")

    private func path(_ name: String) -> String {
        Self.folder.appending(path: name).path
    }

    private func model() throws -> ImportResult {
        BPMNImporter.read([UInt8](try Data(contentsOf: Self.folder.appending(path: "order-intake.bpmn"))), file: nil)
    }

    private func hub() -> (configuration: HubConfiguration, diagnostics: [Diagnostic]) {
        HubConfiguration.load(
            connections: path("connections.yaml"), triggers: [path("triggers/orders.yaml")],
            registry: ConnectorRegistry([HTTPModule(), FilesModule()]))
    }

    @Test func modelDeploysWithoutAFinding() throws {
        let result = try model()
        #expect(result.diagnostics == [])
        #expect(result.processes.map(\.id) == ["order-intake"])
    }

    @Test func connectionsAndTriggersLoadWithoutAFinding() {
        let (configuration, diagnostics) = hub()
        #expect(diagnostics == [])
        #expect(configuration.triggers.map(\.target.workflow) == ["order-intake"])
    }

    @Test func everyCallGoesToADeclaredConnection() throws {
        let connections = Dictionary(
            uniqueKeysWithValues: hub().configuration.connections.map { ($0.id, $0.connector) })
        let jobs = try #require(try model().processes.first).nodes.compactMap(\.job)
        #expect(jobs.count == 3)
        for job in jobs {
            let connection = try #require(job.headers.first { $0.key == "connection" }).value
            #expect(connections[connection] == "http", "\(connection)")
        }
    }

    /// The manifest, with which a run is compared, counts what the trigger will see.
    @Test(arguments: [1, 2, 3])
    func manifestSaysWhatWasDropped(seed: Int) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "junction-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let inbox = folder.appending(path: "inbox")
        let manifestFile = folder.appending(path: "manifest.json")
        let generator = Process()
        generator.executableURL = Self.folder.appending(path: "generate-orders")
        generator.arguments = ["--inbox", inbox.path, "--manifest", manifestFile.path, "--seed", "\(seed)"]
        generator.standardError = nil
        try generator.run()
        generator.waitUntilExit()
        try #require(generator.terminationStatus == 0)

        let manifest = try JSON.parse([UInt8](try Data(contentsOf: manifestFile)))
        let trigger = try #require(hub().configuration.triggers.first)
        let schema = try #require(trigger.schema)
        var orders: Set<String> = []
        var malformed: Set<String> = []
        var records = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: inbox.path) {
            let bytes = [UInt8](try Data(contentsOf: inbox.appending(path: name)))
            var decoder = RecordDecoder(bytes, name: name, decoding: trigger.decoding)
            while let record = decoder.next() {
                records += 1
                if case .value(let order) = record.body, schema.violations(of: order).isEmpty,
                    let id = order["orderId"]?.asString
                {
                    orders.insert(id)
                } else {
                    malformed.insert(String(decoding: bytes[record.range], as: UTF8.self))
                }
            }
        }
        #expect(manifest["wellFormed"]?.asInt64 == Int64(orders.count))
        #expect(manifest["malformed"]?.asInt64 == Int64(malformed.count))
        #expect(manifest["orders"]?.asInt64 == 200)
        #expect(records > 200, "one file is dropped twice")
    }
}
