import ConnectorKit
import Foundation
import LoopbackTestSupport
import Synchronization
import Testing
import Values

@testable import AMQPConnector

@Suite struct ConnectionTests {
    @Test(
        arguments: [
            (parameters: ["password": ["secret": "env:P"]], name: "parameters.hosts"),
            (parameters: ["hosts": "a"], name: "parameters.password"),
            (parameters: ["hosts": "a", "password": "plain"], name: "parameters.password"),
            (parameters: ["hosts": "a:b", "password": ["secret": "env:P"]], name: "parameters.hosts"),
            (parameters: ["hosts": [], "password": ["secret": "env:P"]], name: "parameters.hosts"),
            (
                parameters: ["hosts": "a", "password": ["secret": "env:P"], "heartbeat": "0s"],
                name: "parameters.heartbeat"
            ),
            (
                parameters: ["hosts": "a", "password": ["secret": "env:P"], "tls": ["keyFile": "/k"]],
                name: "parameters.tls"
            ),
            (
                parameters: ["hosts": "a", "password": ["secret": "env:P"], "maxMessage": "1GiB"],
                name: "parameters.maxMessage"
            ),
        ] as [(parameters: Value, name: String)])
    func wrongParametersAreNamed(_ row: (parameters: Value, name: String)) async throws {
        let error = await #expect(throws: ConnectorError.self) {
            try await AMQPModule().connect(ConnectionConfiguration(id: "c", parameters: row.parameters))
        }
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.name) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("plain") != true)
    }

    @Test(arguments: [
        (text: "rabbit", host: "rabbit", port: 5_672), (text: "rabbit:7", host: "rabbit", port: 7),
        (text: "[::1]:7", host: "::1", port: 7), (text: "[::1]", host: "::1", port: 5_672),
    ])
    func hostsAreRead(_ row: (text: String, host: String, port: Int)) throws {
        let address = try #require(BrokerAddress(row.text, defaultPort: 5_672))
        #expect(address.host == row.host)
        #expect(address.port == row.port)
    }

    @Test func aWrongPasswordIsAnAuthErrorWithoutThePassword() async throws {
        let broker = try Broker.running()
        let configuration = broker.configuration(password: "wrong-canary")
        let connection = try await AMQPModule().connect(configuration)
        let error = try #require(await connection.invoke(.publish(1, to: "q")).error)
        #expect(error.kind == .auth)
        #expect(error.code == AMQPErrors.Code.credentials)
        #expect(error.message.contains("ACCESS_REFUSED"))
        #expect(!"\(error) \(error.details)".contains("wrong-canary"))
        await connection.close()
    }

    @Test func aRotatedPasswordIsUsedWithoutRestart() async throws {
        let broker = try Broker.running()
        let secrets = RotatingSecrets("old-password")
        var configuration = broker.configuration()
        configuration.secrets = secrets
        let connection = try await AMQPModule().connect(configuration)
        let error = await #expect(throws: ConnectorError.self) { try await connection.test() }
        #expect(error?.kind == .auth)
        secrets.rotate(Broker.password)
        try await connection.test()
        await connection.close()
    }

    @Test func anUnknownVhostIsNotFound() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["vhost": "no-such-vhost"])
        let error = await #expect(throws: ConnectorError.self) { try await connection.test() }
        #expect(error?.kind == .notFound, "\(String(describing: error))")
        await connection.close()
    }

    @Test func theSecondHostServesWhenTheFirstIsDown() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["hosts": ["127.0.0.1:1", .string("127.0.0.1:\(broker.port)")]])
        try await connection.test()
        await connection.close()
    }

    @Test func nobodyListeningIsUnavailableAndNothingWasDone() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(port: 1)
        let error = try #require(await connection.invoke(.publish(1, to: "q")).error)
        #expect(error.kind == .unavailable)
        #expect(error.code == AMQPErrors.Code.unreachable)
        #expect(!error.mayHaveExecuted && error.isRetryable)
        await connection.close()
    }

    @Test func tlsIsVerified() async throws {
        let broker = try Broker.running()
        // The library compares names, and no addresses.
        let trusting = try await broker.connect([
            "hosts": .string("localhost:\(broker.tlsPort)"), "tls": ["caFile": .string(broker.folder + "/ca.pem")],
        ])
        let queue = newName("tls")
        let source = try await broker.source(trusting, queue, arguments: shortLived)
        #expect(await trusting.invoke(.publish("secret", to: queue)).error == nil)
        #expect(try await source.events(1).map(\.value) == ["secret"])
        await source.close()
        await trusting.close()

        for parameters: ValueContext in [
            ["hosts": .string("localhost:\(broker.tlsPort)"), "tls": true],
            [
                "hosts": .string("127.0.0.1:\(broker.tlsPort)"),
                "tls": ["caFile": .string(broker.folder + "/ca.pem")],
            ],
        ] {
            let wary = try await broker.connect(parameters)
            let error = await #expect(throws: ConnectorError.self) { try await wary.test() }
            #expect(error?.code == AMQPErrors.Code.tls, "\(String(describing: error))")
            #expect(error?.isRetryable == false)
            await wary.close()
        }
    }

    @Test func aClosedConnectionEndsItsCalls() async throws {
        let silent = try LoopbackServer { _, socket in while !LoopbackServer.read(socket).isEmpty {} }
        let broker = try Broker.running()
        let connection = try await broker.connect(port: silent.port, ["connectTimeout": "500ms"])
        let error = try #require(await connection.invoke(.publish(1, to: "q")).error)
        #expect(error.kind == .unavailable)
        #expect(!error.mayHaveExecuted)
        await connection.close()
        #expect(await connection.invoke(.publish(1, to: "q")).error?.code == ConnectorError.Code.closed)
        silent.stop()
    }
}

/// A resolver whose one secret changes.
final class RotatingSecrets: SecretResolver {
    private let secret: Mutex<Secret>

    init(_ text: String) { self.secret = Mutex(Secret(text)) }

    func rotate(_ text: String) { self.secret.withLock { $0 = Secret(text) } }

    func secret(_ reference: SecretReference) async throws -> Secret { self.secret.withLock { $0 } }
}
