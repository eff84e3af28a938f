import ConnectorKit
import FilesConnector
import Foundation
import HubDocuments
import Resilience
import Runtime
import Testing
import Values

@testable import Hub

@Suite struct HubConfigurationTests {
    private static let connections = """
        apiVersion: hub/v1
        kind: Connections
        profiles:
          patient: { base: background, retry: { max: 20 } }
        connections:
          inbox: { connector: files, parameters: { root: /data } }
          vendor:
            connector: http
            parameters: { baseUrl: "http://127.0.0.1:1", token: { secret: "env:TOKEN" } }
            resilience: { base: patient, breaker: { open: 5s } }
            concurrency: { max: 3 }
          plain: { connector: http, resilience: interactive }
          pair:
            connector: http
            parameters: { baseUrl: "http://127.0.0.1:1", redirects: 1 }
            endpoints: [{ baseUrl: "http://127.0.0.1:2" }, { baseUrl: "http://127.0.0.1:3" }]
            resilience: interactive
            operations:
              act: { resilience: { retry: { max: 7 } } }
              look: { resilience: patient }
        """

    private static let registry = ConnectorRegistry([FakeConnector(id: "files"), FakeConnector(id: "http")])

    private static func load(
        _ files: [String: String], registry: ConnectorRegistry = HubConfigurationTests.registry
    ) throws -> (
        configuration: HubConfiguration, diagnostics: [String]
    ) {
        let folder = try Folder(files)
        let triggers = files.keys.filter { $0.hasSuffix("trigger.yaml") }.sorted().map { folder.path + "/" + $0 }
        let result = HubConfiguration.load(
            connections: folder.path + "/connections.yaml", triggers: triggers, registry: registry)
        return (
            result.configuration,
            result.diagnostics.map { $0.description.split(separator: folder.path + "/").joined() }
        )
    }

    @Test func filesThatFitEachOtherAreLoaded() throws {
        let trigger = goodTrigger.split(separator: "inline: { type: object, required: [orderId, amount] }")
            .joined(separator: "ref: ../order.json")
        let (configuration, diagnostics) = try Self.load([
            "connections.yaml": Self.connections, "sub/trigger.yaml": trigger, "order.json": "{\"type\": \"object\"}",
        ])
        #expect(diagnostics == [])
        #expect(configuration.triggers.map(\.id) == ["orders"])
        #expect(configuration.connections.map(\.id) == ["inbox", "vendor", "plain", "pair"])
        let vendor = configuration.connections[1]
        #expect(vendor.concurrencyMax == 3)
        #expect(vendor.profile.retry.maximumAttempts == 20)
        #expect(vendor.profile.breaker?.openDuration == .seconds(5))
        #expect(vendor.profile.attemptTimeout == ResilienceProfile.background.attemptTimeout)
        #expect(vendor.parameters["token"] == ["secret": "env:TOKEN"])
        #expect(configuration.connections[2].profile == .interactive)
        #expect(configuration.connections[0].profile == .standard)
        let pair = configuration.connections[3]
        #expect(pair.parameters(endpoint: 1) == ["baseUrl": "http://127.0.0.1:3", "redirects": 1])
        #expect(pair.parameters(endpoint: 2) == pair.parameters)
        #expect(pair.operations["act"]?.retry.maximumAttempts == 7)
        #expect(pair.operations["act"]?.totalTimeout == .seconds(5), "it changes the connection's profile")
        #expect(pair.operations["look"]?.name == "patient")
        #expect(configuration.profiles.last?.name == "patient")
    }

    @Test(arguments: [
        (
            "connector: files", "connector: fiels",
            [
                "connections.yaml:6: error HB301: Connection inbox uses the connector \"fiels\", which does not exist. — Did you mean \"files\"?",
                "sub/trigger.yaml: error HB110: A file source needs a connection of the connector files, but inbox belongs to fiels. — Use another connection.",
            ]
        ),
        (
            "inbox:", "inbx:",
            ["sub/trigger.yaml: error HB301: There is no connection \"inbox\". — Did you mean \"inbx\"?"]
        ),
        (
            "inbox: { connector: files,", "inbox: { connector: http,",
            [
                "sub/trigger.yaml: error HB110: A file source needs a connection of the connector files, but inbox belongs to http. — Use another connection."
            ]
        ),
        (
            "base: patient", "base: patent",
            [
                "connections.yaml:10:25: error HB301: There is no resilience profile \"patent\". — Did you mean \"patient\"?"
            ]
        ),
        (
            "interactive", "nosuchthing",
            [
                "connections.yaml:12:41: error HB301: There is no resilience profile \"nosuchthing\". — Use one of default, interactive, background, none, patient."
            ]
        ),
        (
            "act: {", "atc: {",
            [
                "connections.yaml:13: error HB301: Connection pair: the connector http has no operation \"atc\". — Did you mean \"act\"?"
            ]
        ),
        (
            "max: 20", "maxx: 20",
            ["connections.yaml:4:12: error RES-0001: Unknown field profiles.patient.retry.maxx. — Did you mean max?"]
        ),
        (
            "max: 3", "max: 0",
            [
                "connections.yaml:11:25: error HB107: Expected \"connections.vendor.concurrency.max\" to be a whole number from 1 to 10000 but found the number 0."
            ]
        ),
        (
            "kind: Connections", "kind: Connection",
            [
                "connections.yaml:2:7: error HB107: Expected \"kind\" to be Connections but found the text \"Connection\"."
            ]
        ),
        (
            "connector: http\n", "conector: http\n",
            [
                "connections.yaml:8:5: error HB106: \"connections.vendor.connector\" is missing. — Add it, for example: connector: http",
                "connections.yaml:8:5: error HB105: Unknown key \"connections.vendor.conector\". — Did you mean \"connector\"?",
            ]
        ),
    ])
    func whatDoesNotFitIsReported(_ row: (part: String, replacement: String, diagnostics: [String])) throws {
        let text = Self.connections.split(separator: row.part, maxSplits: 1, omittingEmptySubsequences: false)
            .joined(separator: row.replacement)
        let (_, diagnostics) = try Self.load(["connections.yaml": text, "sub/trigger.yaml": goodTrigger])
        #expect(diagnostics == row.diagnostics)
    }

    @Test(arguments: [
        (
            "root: /data", "rot: /data",
            [
                "connections.yaml:6: connections.inbox.parameters: Expected the member \"root\" but it is missing.",
                "connections.yaml:6: connections.inbox.parameters/rot: Expected no member of this name. "
                    + "Did you mean \"root\"?",
            ]
        ),
        (
            "root: /data", "root: /data }, endpoints: [{}, { rot: 1 }], operations: {",
            [
                "connections.yaml:6: connections.inbox.endpoints[1]/rot: Expected no member of this name. "
                    + "Did you mean \"root\"?"
            ]
        ),
        (
            "dir: in", "dri: in",
            [
                "sub/trigger.yaml:7:9: source.file: Expected the member \"dir\" but it is missing.",
                "sub/trigger.yaml:7:9: source.file/dri: Expected no member of this name. Did you mean \"dir\"?",
            ]
        ),
    ])
    func parametersAConnectorDoesNotKnowAreReported(
        _ row: (part: String, replacement: String, diagnostics: [String])
    ) throws {
        func changed(_ text: String) -> String {
            text.split(separator: row.part, maxSplits: 1, omittingEmptySubsequences: false)
                .joined(separator: row.replacement)
        }
        let (_, diagnostics) = try Self.load(
            ["connections.yaml": changed(Self.connections), "sub/trigger.yaml": changed(goodTrigger)],
            registry: ConnectorRegistry([FilesModule(), FakeConnector(id: "http")]))
        #expect(diagnostics.map { $0.split(separator: "error HB107: ").joined() } == row.diagnostics)
    }

    @Test func twoTriggersOfOneNameAreRefused() throws {
        let (_, diagnostics) = try Self.load([
            "connections.yaml": Self.connections, "a-trigger.yaml": goodTrigger, "b-trigger.yaml": goodTrigger,
        ])
        #expect(diagnostics.count == 1)
        #expect(diagnostics.first?.hasPrefix("b-trigger.yaml: error HB110: The trigger orders is declared in ") == true)
    }

    @Test func twoTriggersOfTheSameFilesAreRefused() throws {
        func other(_ pattern: String) -> String {
            goodTrigger.split(separator: "id: orders").joined(separator: "id: other")
                .split(separator: "*.csv").joined(separator: pattern)
        }
        let files = ["connections.yaml": Self.connections, "a-trigger.yaml": goodTrigger]
        let (_, diagnostics) = try Self.load(files.merging(["b-trigger.yaml": other("*.csv")]) { $1 })
        #expect(
            diagnostics == [
                "b-trigger.yaml:7:9: error HB611: The triggers orders and other both read file:inbox/in/*.csv. — Let one "
                    + "trigger read it, or give each its own path, queue or slot."
            ])
        #expect(try Self.load(files.merging(["b-trigger.yaml": other("*.json")]) { $1 }).diagnostics == [])
    }

    @Test func filesThatCannotBeReadAreReported() throws {
        let folder = try Folder(["empty.yaml": "", "large.yaml": String(repeating: "#", count: 2 << 20)])
        try Data([0xFF, 0xFE]).write(to: URL(filePath: folder.path + "/binary.yaml"))
        let names = ["missing.yaml", "large.yaml", "binary.yaml", "empty.yaml"]
        let (_, diagnostics) = HubConfiguration.load(
            connections: nil, triggers: names.map { folder.path + "/" + $0 }, registry: Self.registry)
        #expect(diagnostics.prefix(3).map(\.code) == ["HB111", "HB111", "HB111"])
        // An empty trigger lacks everything.
        #expect(Set(diagnostics.dropFirst(3).map(\.code)) == ["HB106"])
    }

    @Test func secretsComeFromTheEnvironmentAndFiles() async throws {
        let folder = try Folder([
            "plain": "s3cret", "line": "s3cret\r\n", "empty": "", "large": String(repeating: "x", count: 70_000),
        ])
        let store = SecretStore(
            environment: { $0 == "TOKEN" ? "t0ken" : nil }, file: { DiskFile.bytes($0, maximum: SecretStore.bytesMax) })
        func read(_ text: String) async throws -> String {
            try await store.secret(try #require(SecretReference(text))).reveal { $0 }
        }
        #expect(try await read("env:TOKEN") == "t0ken")
        #expect(try await read("file:\(folder.path)/plain") == "s3cret")
        #expect(try await read("file:\(folder.path)/line") == "s3cret")
        for missing in [
            "env:NONE", "file:\(folder.path)/none", "file:\(folder.path)/empty", "file:\(folder.path)/large", "vault:x",
        ] {
            await #expect(throws: ConnectorError.self, "\(missing)") { try await read(missing) }
        }
        #expect(store.redacted("a s3cret, a t0ken and s3cret") == "a <secret>, a <secret> and <secret>")
        #expect(store.redacted("nothing") == "nothing")
    }

    @Test func aConnectionCanBeTested() async throws {
        var configuration = HubConfiguration()
        configuration.connections = [ConnectionDeclaration(id: "a", connector: "files", parameters: [:])]
        let hub = HubService(
            service: FakeEngine(), modules: [FakeConnector(id: "files")], configuration: configuration,
            logger: LogCapture().logger)
        try await hub.testConnection("a")
        #expect(hub.connections()[0].isConnected)
        await #expect(throws: HubError.self) { try await hub.testConnection("b") }
        #expect(hub.connections()[0].breaker == "closed")
    }

    @Test func manyCallersShareOneConnection() async throws {
        let connector = FakeConnector(id: "files")
        let clock = ManualConnectorClock()
        let pool = ConnectionPool(
            [ConnectionDeclaration(id: "a", connector: "files", parameters: [:])],
            registry: ConnectorRegistry([connector]),
            secrets: SecretStore(environment: { _ in nil }, file: { _ in nil }), clock: clock)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 { group.addTask { _ = try await pool.connection("a") } }
            try await group.waitForAll()
        }
        #expect(connector.change { $0.connections } == 1)
        await pool.close()
        #expect(connector.change { $0.closed } == 1)
    }
}
