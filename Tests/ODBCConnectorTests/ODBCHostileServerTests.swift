import ConnectorKit
import Foundation
import Glibc
import ODBCConnector
import Synchronization
import Testing
import Values

/// A server that says the same to everybody, and hangs up or does not.
final class MuttererServer: Sendable {
    let port: Int
    private let listener: Int32
    private let words: [UInt8]
    private let hangsUp: Bool
    private let sockets = Mutex<[Int32]>([])

    init(_ words: [UInt8], hangsUp: Bool) throws {
        self.words = words
        self.hangsUp = hangsUp
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        try #require(bound)
        self.listener = listener
        self.port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                _ = send(client, self.words, self.words.count, Int32(MSG_NOSIGNAL))
                if self.hangsUp { shutdown(client, Int32(SHUT_WR)) }
                self.sockets.withLock { $0.append(client) }
            }
        }
    }

    func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
        for client in self.sockets.withLock({ $0 }) { close(client) }
    }
}

@Suite struct ODBCHostileServerTests {
    private func error(_ target: Target, _ words: [UInt8], hangsUp: Bool) async throws -> ConnectorError {
        let server = try MuttererServer(words, hangsUp: hangsUp)
        var (parameters, secrets) = try target.parameters(file: "")
        var attributes = parameters["attributes"]?.asContext ?? ValueContext()
        attributes["Port"] = .number(Number(Int64(server.port)))
        parameters["attributes"] = .context(attributes)
        parameters["connectTimeout"] = "1s"
        let connection = try await ODBCModule().connect(
            ConnectionConfiguration(id: "hostile", parameters: .context(parameters), secrets: secrets))
        let outcome = await connection.call("query", ["sql": "SELECT 1"], timeout: .seconds(2))
        await connection.close()
        server.stop()
        return try #require(outcome.error)
    }

    @Test(
        arguments: [Target.postgreSQL, .mariaDB],
        [
            ("nothing", []), ("zeros", [UInt8](repeating: 0, count: 200)),
            ("ones", [UInt8](repeating: 255, count: 200)),
            ("HTTP", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
            ("a truncated greeting", [78, 0, 0, 0, 10, 53, 46, 53]),
            ("a greeting without an end", [70, 0, 0, 0, 10] + [UInt8](repeating: 65, count: 70)),
            ("an error", [0x17, 0, 0, 0, 0xFF, 0x10, 0x04] + Array("Too many connections".utf8)),
            ("an error of nothing", [1, 0, 0, 0, 0xFF]),
        ] as [(String, [UInt8])])
    func greetingThatIsNoneIsNoConnection(_ target: Target, _ row: (name: String, bytes: [UInt8])) async throws {
        let error = try await self.error(target, row.bytes, hangsUp: true)
        #expect(error.code == "CON-5202", "\(error)")
        #expect(!error.mayHaveExecuted)
        #expect(!"\(error) \(error.details)".contains("junction-test"))
    }

    @Test(arguments: [Target.postgreSQL, .mariaDB])
    func silenceEndsWithTheTimeout(_ target: Target) async throws {
        let start = ContinuousClock.now
        let error = try await self.error(target, [], hangsUp: false)
        #expect([.timeout, .unavailable, .auth].contains(error.kind), "\(error)")
        #expect(!error.mayHaveExecuted)
        #expect(ContinuousClock.now - start < .seconds(8))
    }
}
