import ConnectorKit
import Foundation
import Glibc
import GraphQLConnector
import Testing
import Values

/// Connections to the services of the tests.
enum Service {
    /// The address of the service on Ariadne; fails when it does not run.
    static func url() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["JUNCTION_SERVICE_GRAPHQL"],
            "Start it: Scripts/services start graphql, and set JUNCTION_SERVICE_GRAPHQL to the address it prints.")
    }

    static func configuration(
        _ url: String, _ more: ValueContext = [:], secrets: any SecretResolver = NoSecrets()
    ) -> ConnectionConfiguration {
        var parameters: ValueContext = ["baseUrl": .string(url), "path": "graphql", "allowPrivate": true]
        parameters.merge(more)
        return ConnectionConfiguration(id: "service", parameters: .context(parameters), secrets: secrets)
    }

    /// Opens, uses, closes.
    static func with<Result>(
        _ url: String, _ more: ValueContext = [:], secrets: any SecretResolver = NoSecrets(),
        _ body: (any Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await GraphQLModule().connect(Self.configuration(url, more, secrets: secrets))
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    static func call(_ operation: String, _ input: ValueContext, key: String? = nil) -> OperationCall {
        OperationCall(operation: operation, input: .context(input), idempotencyKey: key, timeout: .seconds(10))
    }
}

/// A server that answers every request with the same bytes, and closes.
final class CannedServer: Sendable {
    let url: String
    private let listener: Int32

    init(_ answer: [UInt8]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(listener, raw, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, raw, &length) == 0
            }
        }
        try #require(isListening, "Cannot listen: \(errno).")
        self.url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread {
            while true {
                let client = accept(listener, nil, nil)
                guard client >= 0 else {
                    close(listener)
                    return
                }
                Self.readRequest(client)
                _ = answer.withUnsafeBytes { send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                shutdown(client, Int32(SHUT_WR))
                Self.readToEnd(client)
                close(client)
            }
        }
    }

    convenience init(status: Int = 200, type: String = "application/json", headers: String = "", _ body: String) throws
    {
        try self.init(
            Array(
                "HTTP/1.1 \(status) X\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
                    .utf8))
    }

    /// Wakes the thread, which closes the socket: its number must not be used again before.
    deinit { shutdown(self.listener, Int32(SHUT_RDWR)) }

    /// Reads until the JSON body has come, which ends every request of these tests.
    private static func readRequest(_ client: Int32) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let length = text.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                .flatMap { Int($0.split(separator: " ").last ?? "") }
            if text[end.upperBound...].utf8.count >= length ?? 0 { return }
        }
    }

    private static func readToEnd(_ client: Int32) {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while recv(client, &buffer, buffer.count, 0) > 0 {}
    }
}
