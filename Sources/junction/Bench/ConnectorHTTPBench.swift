import ConnectorKit
import Foundation
import HTTPConnector
import Hub
import Logging
import Runtime
import Storage
import Values

/// Calls of the HTTP connector through the whole resilience pipeline, to a server in this process.
///
/// The server's thread, the connector's and the callers' share the machine's cores.
struct ConnectorHTTPBench {
    let settings: BenchSettings

    /// A JSON document of 1 KiB.
    private static let document: [UInt8] = {
        var text = #"{"id":"order-4711","customer":{"name":"Ada Lovelace","tier":"gold"},"total":129.5,"note":""#
        text += String(repeating: "x", count: 1_024 - text.utf8.count - 2) + "\"}"
        return Array(text.utf8)
    }()

    func run() async throws -> BenchReport {
        let server = try LoopbackHTTPServer(document: Self.document)
        defer { server.close() }
        let count = self.settings.count ?? 1_000_000
        let callers = min(self.settings.inFlight, 64)
        let store = try BenchEngine(self.settings)
        store.start()
        var configuration = HubConfiguration()
        configuration.connections = [
            ConnectionDeclaration(
                id: "service", connector: "http",
                parameters: [
                    "baseUrl": .string("http://127.0.0.1:\(server.port)"), "allowPrivate": true,
                    "maxConnections": .number(Number(Int64(callers))),
                ], concurrencyMax: callers),
            ConnectionDeclaration(id: "nothing", connector: "nothing", parameters: [:], concurrencyMax: callers),
        ]
        let hub = HubService(
            service: store.runtime, modules: [HTTPModule(), NothingModule()], configuration: configuration,
            logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() })
        // Warm: connections are open, code is paged in, buffers have their size.
        try await Self.call(
            hub, "service", operation: "get", input: ["path": "/orders/4711"], min(count, 20_000), callers)
        ProcessReading.releaseFreeMemory()
        let before = ProcessReading.residentBytes()
        let seconds = try await Self.call(
            hub, "service", operation: "get", input: ["path": "/orders/4711"], count, callers)
        ProcessReading.releaseFreeMemory()
        let after = ProcessReading.residentBytes()
        let overhead = try await Self.call(hub, "nothing", operation: "nothing", input: [:], min(count, 500_000), 1)
        await hub.shutdown()
        store.stop()

        var report = BenchReport("connector-http")
        report.set("calls", count)
        report.set("callers", callers)
        report.set("response_bytes", Self.document.count)
        report.set("calls_per_second", Double(count) / seconds)
        report.set("pipeline_microseconds", overhead / Double(min(count, 500_000)) * 1e6, digits: 2)
        report.set("memory_before_mib", Double(before) / 1_048_576)
        report.set("memory_after_mib", Double(after) / 1_048_576)
        report.set("memory_growth_mib", Double(after - before) / 1_048_576)
        return report
    }

    /// Makes `count` calls from `callers` tasks; returns the seconds it took.
    @discardableResult
    private static func call(
        _ hub: HubService, _ connection: String, operation: String, input: Value, _ count: Int, _ callers: Int
    ) async throws -> Double {
        let calls = Numbers()
        let clock = ContinuousClock()
        let started = clock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<callers {
                group.addTask {
                    while calls.take() < count {
                        _ = try await hub.call(connection, operation: operation, input: input)
                    }
                }
            }
            try await group.waitForAll()
        }
        let took = clock.now - started
        return Double(took.components.seconds) + Double(took.components.attoseconds) / 1e18
    }
}

/// A connector that does nothing: what a call of it costs is the pipeline.
private struct NothingModule: ConnectorModule {
    let descriptor = ConnectorDescriptor(
        id: "nothing", version: 1, title: "Nothing", summary: "Answers at once.", parameters: ["type": "object"],
        operations: [
            OperationDescriptor(
                id: "nothing", title: "Nothing", summary: "Answers at once.", effect: .read, idempotency: .natural,
                input: true, output: true)
        ])

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection { Connected() }

    private struct Connected: Connection {
        func test() async throws {}
        func invoke(_ call: OperationCall) async -> Outcome { .done(.null, facts: ValueContext()) }
        func armSource(_ request: SourceRequest) async throws -> any EventSource {
            throw ConnectorError.closed("nothing")
        }
        func close() async {}
    }
}
