import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import KafkaConnector

/// Accepts connections, one after the other, and answers each with the same bytes, whatever is said.
///
/// Its thread owns the sockets: nobody else closes them, and the server is gone only when the thread is.
final class RawServer: Sendable {
    let port: UInt16
    /// Readable once the server is to end.
    private let ending: WakeupDescriptor
    private let ended = DispatchSemaphore(value: 0)

    init(_ answer: [UInt8]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        try #require(isBound)
        self.port = UInt16(bigEndian: address.sin_port)
        self.ending = try WakeupDescriptor()
        let (ending, ended) = (self.ending.number, self.ended)
        Thread.detachNewThread {
            while Self.isReadable(listener, before: ending) {
                let client = accept(listener, nil, nil)
                if client >= 0 { Self.serve(client, answer, until: ending) }
            }
            close(listener)
            ended.signal()
        }
    }

    deinit {
        self.ending.signal()
        self.ended.wait()
        self.ending.close()
    }

    private static func serve(_ client: Int32, _ answer: [UInt8], until ending: Int32) {
        defer { close(client) }
        guard Self.isReadable(client, before: ending) else { return }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        _ = recv(client, &buffer, buffer.count, 0)
        _ = send(client, answer, answer.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        shutdown(client, Int32(SHUT_WR))
    }

    /// Waits until `socket` can be read; `false` when the server is to end.
    private static func isReadable(_ socket: Int32, before ending: Int32) -> Bool {
        var descriptors = [
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
            pollfd(fd: ending, events: Int16(POLLIN), revents: 0),
        ]
        while poll(&descriptors, 2, -1) < 0, errno == EINTR {}
        return descriptors[1].revents == 0
    }
}

@Suite("Kafka, when what answers is no broker")
struct KafkaHostileTests {
    private static let frame: [UInt8] = [0, 0, 0, 20]

    @Test(
        arguments: [
            ("nothing", []),
            ("an HTTP server", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
            ("a frame cut off", frame + [0, 0, 0, 1, 0, 0]),
            ("a frame of 2 GiB", [0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1]),
            ("a negative frame", [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 1]),
            ("an answer to another request", frame + [UInt8](repeating: 0xEE, count: 20)),
            ("an answer full of rubbish", frame + [0, 0, 0, 1] + [UInt8](repeating: 0xFF, count: 16)),
        ] as [(String, [UInt8])])
    func garbageIsAnErrorOfTheTaxonomy(_ row: (name: String, answer: [UInt8])) async throws {
        let server = try RawServer(row.answer)
        let connection = try await Make.connection(
            ["127.0.0.1:\(server.port)"], ["connectTimeout": "700ms", "producer": ["messageTimeout": "700ms"]])
        do {
            try await connection.test()
            Issue.record("\(row.name) passed for a broker.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect([.unavailable, .timeout, .transient].contains(error.kind), "\(row.name): \(error)")
        }
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 1]))
        #expect(outcome.error?.isRetryable == true, "\(row.name): \(String(describing: outcome.error))")
        await connection.close()
    }

    @Test func aSecretIsNowhereInWhatIsSaid() async throws {
        let canary = "canary-\(UInt64.random(in: 0...UInt64.max))"
        let server = try RawServer([])
        let secrets = FixedSecrets([SecretReference(store: "env", name: "P"): Secret(canary)])
        let connection = try await Make.connection(
            ["127.0.0.1:\(server.port)"],
            [
                "connectTimeout": "500ms", "producer": ["messageTimeout": "500ms"],
                "sasl": ["mechanism": "PLAIN", "username": "u", "password": ["secret": "env:P"]],
            ], secrets: secrets)
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 1]))
        let error = try #require(outcome.error)
        #expect(!error.description.contains(canary) && !"\(error.details)".contains(canary))
        do {
            try await connection.test()
            Issue.record("The test passed.")
        } catch {
            #expect(!"\(error)".contains(canary))
        }
        await connection.close()
        let other = try await Make.connection(
            ["127.0.0.1:\(server.port)"],
            ["sasl": ["mechanism": "PLAIN", "username": "u", "password": ["secret": "env:Q"]]], secrets: secrets)
        let missing = await other.invoke(Make.produce(["topic": "t", "value": 1]))
        #expect(missing.error?.code == ConnectorError.Code.secretUnavailable)
        await other.close()
    }

    @Test func aBrokerWithoutTLSIsNotTrusted() async throws {
        let cluster = try MockCluster()
        let connection = try await Make.connection(cluster.brokers, ["tls": [:], "connectTimeout": "1500ms"])
        do {
            try await connection.test()
            Issue.record("A broker without TLS passed.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .unavailable, "\(error)")
            #expect(error.code == KafkaErrors.Code.untrusted || error.code == KafkaErrors.Code.unreachable, "\(error)")
        }
        await connection.close()
    }

    private static func http(_ status: String, _ body: String) -> [UInt8] {
        Array("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n\(body)".utf8)
    }

    private static let good =
        #"{"id":7,"schemaType":"AVRO","schema":"{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"}]}"}"#

    @Test func theRegistryGivesTheSchemaOfAMessage() async throws {
        let registry = try RawServer(Self.http("200 OK", Self.good))
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(
            cluster.brokers,
            ["schemaRegistry": ["baseUrl": .string("http://127.0.0.1:\(registry.port)"), "allowPrivate": true]])
        let outcome = await connection.invoke(
            Make.produce(["topic": "t", "value": ["a": 5], "valueFormat": "avro", "subject": "t-value"]))
        #expect(outcome.error == nil, "\(String(describing: outcome.error))")
        let source = try await Make.source(connection, "t", group: "g", ["value": "avro"])
        let event = try #require(try await source.readEvents(1).first?.1)
        #expect(event.payload == [0, 0, 0, 0, 7, 10])
        guard case .value(["a": 5]) = event.body else {
            Issue.record("The body is \(event.body).")
            return
        }
        await source.close()
        await connection.close()
    }

    @Test(
        arguments: [
            ("a number it does not have", "404 Not Found", #"{"error_code":40403,"message":"Schema not found"}"#, true),
            ("no JSON", "200 OK", "<html>", true),
            ("a schema of another type", "200 OK", #"{"schemaType":"PROTOBUF","schema":"x"}"#, true),
            ("no schema", "200 OK", "{}", true),
            ("a schema that is none", "200 OK", #"{"schema":"{\"type\":\"Nothing\"}"}"#, true),
            ("an error that passes", "503 Service Unavailable", "", false),
        ] as [(String, String, String, Bool)])
    func whatTheRegistryCannotGiveIsUndecodable(
        _ row: (name: String, status: String, body: String, isFinal: Bool)
    ) async throws {
        let registry = try RawServer(Self.http(row.status, row.body))
        let configuration = Make.configuration(
            ["127.0.0.1:1"],
            ["schemaRegistry": ["baseUrl": .string("http://127.0.0.1:\(registry.port)"), "allowPrivate": true]])
        let store = try SchemaStore(try KafkaSettings(configuration.parameters), configuration)
        if row.isFinal {
            try await store.fetch(7)
            guard case .unusable = store.cached(7) else {
                Issue.record("\(row.name): \(String(describing: store.cached(7)))")
                return
            }
        } else {
            await #expect(throws: ConnectorError.self) { try await store.fetch(7) }
            #expect(store.cached(7) == nil)
        }
        await store.close()
    }
}
