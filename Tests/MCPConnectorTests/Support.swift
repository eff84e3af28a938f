import ConnectorKit
import Foundation
import PluginHost
import Testing
import Values

@testable import MCPConnector

/// The Python of the virtual environment with the official SDK, which Scripts/bootstrap makes.
enum Python {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static var program: String {
        ProcessInfo.processInfo.environment["JUNCTION_PYTHON"]
            ?? self.root.appending(path: "var/python/bin/python").path
    }

    static func fixture(_ name: String) -> String {
        self.root.appending(path: "Tests/MCPConnectorTests/Fixtures/\(name)").path
    }

    static var stdioServer: MCPModule.Transport {
        .process(LaunchSpecification(command: [Self.program, Self.fixture("server.py"), "stdio"]))
    }
}

/// The SDK's server over HTTP, on a port of its own, ended with the test.
final class HTTPServer: Sendable {
    let url: String
    private let process: Process

    init() throws {
        let port = try Self.freePort()
        self.url = "http://127.0.0.1:\(port)/mcp"
        self.process = Process()
        self.process.executableURL = URL(filePath: Python.program)
        self.process.arguments = [Python.fixture("server.py"), "http", "\(port)"]
        self.process.standardOutput = FileHandle.nullDevice
        self.process.standardError = FileHandle.nullDevice
        try self.process.run()
    }

    /// The module, once the server answers.
    func module() async throws -> MCPModule {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(30)
        while true {
            do {
                return try await MCPModule.load(id: "arithmetic", .http(self.url))
            } catch {
                guard clock.now < deadline, self.process.isRunning else { throw error }
                usleep(50_000)
            }
        }
    }

    /// Ends it at once: asked, it would wait for streams that are open.
    func stop() {
        kill(self.process.processIdentifier, SIGKILL)
        self.process.waitUntilExit()
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 ? getsockname(descriptor, address, &length) : -1
            }
        }
        guard result == 0 else { throw POSIXError(.EADDRINUSE) }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
