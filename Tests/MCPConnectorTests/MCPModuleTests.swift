import ConnectorKit
import Foundation
import PluginHost
import Testing
import Values

@testable import MCPConnector

/// Servers written with the official Python SDK, over both transports.
@Suite(.serialized) struct MCPModuleTests {
    private static let add = OperationCall(operation: "add", input: ["a": 20, "b": 22])

    private static func check(_ module: MCPModule) async throws {
        let descriptor = module.descriptor
        #expect(descriptor.operations.map(\.id) == ["add", "fail", "wait", "grow", "count", "big_Text"])
        #expect(descriptor.operation("add")?.effect == .read)
        #expect(descriptor.operation("add")?.input["required"] == ["a", "b"])
        #expect(descriptor.operation("grow")?.idempotency == .natural)
        #expect(descriptor.operation("fail")?.isRepeatable == false)
        let suite = ConnectorConformance(
            module: module, configuration: ConnectionConfiguration(id: "c", parameters: [:]), calls: [.init(Self.add)])
        #expect(await suite.run() == [])

        let connection = try await module.connect(ConnectionConfiguration(id: "c", parameters: [:]))
        let sum = await connection.invoke(Self.add)
        #expect(sum.value?["structured"] == ["result": 42], "\(sum)")
        #expect(sum.value?["text"] == "42")

        let failed = await connection.invoke(OperationCall(operation: "fail", input: ["reason": "because"]))
        guard case .reject(let error) = failed else {
            Issue.record("A tool that fails gave \(failed).")
            return
        }
        #expect(error.code == "CON-9101")
        let wrong = await connection.invoke(OperationCall(operation: "add", input: ["a": 1]))
        #expect(wrong.error?.kind == .validation)

        let slow = await connection.invoke(
            OperationCall(operation: "wait", input: ["seconds": 60], timeout: .milliseconds(200)))
        #expect(slow.error?.kind == .timeout)
        #expect(slow.error?.mayHaveExecuted == true)

        #expect(await connection.invoke(OperationCall(operation: "grow", input: ["name": "later"])).error == nil)
        let later = await connection.invoke(OperationCall(operation: "later", input: ["text": "new"]))
        #expect(later.value?["text"] == "later: new", "\(later)")
        let big = await connection.invoke(OperationCall(operation: "big_Text", input: ["count": 1_000_000]))
        #expect(big.value?["text"]?.asString?.utf8.count == 1_000_000)
        await connection.close()
    }

    @Test func aServerOnStandardStreamsIsAConnector() async throws {
        try await Self.check(try await MCPModule.load(id: "arithmetic", Python.stdioServer))
    }

    @Test func aServerOverHTTPIsAConnector() async throws {
        let server = try HTTPServer()
        defer { server.stop() }
        try await Self.check(try await server.module())
    }

    @Test func aServerThatIsNotThereIsReported() async throws {
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await MCPModule.load(id: "gone", .http("http://127.0.0.1:9/mcp"))
        }
        #expect(failure?.kind == .unavailable)
        #expect(failure?.mayHaveExecuted == false)
    }

    @Test func aURLThatIsNoneIsRefused() async throws {
        let failure = await #expect(throws: ConnectorError.self) {
            _ = try await MCPModule.load(id: "gone", .http("ftp://127.0.0.1/"))
        }
        #expect(failure?.kind == .validation)
    }
}
