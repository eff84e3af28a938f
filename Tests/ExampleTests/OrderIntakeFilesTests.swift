import ConnectorKit
import FilesConnector
import Foundation
import HTTPConnector
import Hub
import HubDocuments
import ProcessModel
import Testing
import Values

/// The files of examples/order-intake fit each other, before anything runs.
@Suite struct OrderIntakeFilesTests {
    private static let folder = Program.root.appending(path: "examples/order-intake")

    private func path(_ name: String) -> String {
        Self.folder.appending(path: name).path
    }

    private func model() throws -> ImportResult {
        BPMNImporter.read([UInt8](try Data(contentsOf: Self.folder.appending(path: "order-intake.bpmn"))), file: nil)
    }

    private func hub() -> (configuration: HubConfiguration, diagnostics: [Diagnostic]) {
        HubConfiguration.load(
            connections: path("connections.yaml"), triggers: [path("triggers/orders.yaml")],
            registry: ConnectorRegistry([HTTPModule(), FilesModule()]),
            variables: ["data": ["directory": "/data"], "env": ["STUB_PORT": "8090"]])
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
        #expect(configuration.connections.first { $0.id == "inbox" }?.parameters["root"] == "/data")
        #expect(
            configuration.connections.first { $0.id == "compliance" }?.parameters["baseUrl"] == "http://127.0.0.1:8090")
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
    func manifestSaysWhatWasDropped(seed: Int) async throws {
        let folder = try TemporaryFolder()
        let inbox = folder.url.appending(path: "inbox")
        let manifestFile = folder.url.appending(path: "manifest.json")
        let generator = try await Program.run(
            "examples/order-intake/generate-orders",
            ["--inbox", inbox.path, "--manifest", manifestFile.path, "--seed", "\(seed)"])
        try #require(generator.status == 0, "\(generator.errors)")

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
