import ConnectorKit
import Foundation
import LoopbackTestSupport
import Synchronization
import Testing
import Values

@testable import RedisConnector

@Suite struct ConnectionTests {
    @Test(
        arguments: [
            (parameters: [:], name: "parameters.host"), (parameters: ["host": "a:b"], name: "parameters.host"),
            (parameters: ["host": "a", "password": "plain"], name: "parameters.password"),
            (parameters: ["host": "a", "user": "u"], name: "parameters.user"),
            (parameters: ["host": "a", "database": -1], name: "parameters.database"),
            (parameters: ["host": "a", "dedupeWindow": "1ms"], name: "parameters.dedupeWindow"),
            (parameters: ["host": "a", "maxReply": "1GiB"], name: "parameters.maxReply"),
            (parameters: ["host": "a", "port": 1], name: "parameters.port"),
        ] as [(parameters: Value, name: String)])
    func wrongParametersAreNamed(_ row: (parameters: Value, name: String)) async throws {
        let error = await #expect(throws: ConnectorError.self) {
            try await RedisModule().connect(ConnectionConfiguration(id: "c", parameters: row.parameters))
        }
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.name) == true, "\(error?.message ?? "")")
        #expect(error?.message.contains("plain") != true)
    }

    @Test func tlsIsRefusedClearly() async throws {
        let error = await #expect(throws: ConnectorError.self) {
            try await RedisModule().connect(
                ConnectionConfiguration(id: "c", parameters: ["host": "a", "tls": true]))
        }
        #expect(error?.kind == .unsupported)
        #expect(error?.code == RedisErrors.Code.tls)
    }

    @Test(
        arguments: [
            (event: "stream", parameters: ["group": "g"], name: "redis.stream"),
            (event: "stream", parameters: ["stream": "s"], name: "redis.group"),
            (event: "stream", parameters: ["stream": "s", "group": "g", "claimIdle": "1ms"], name: "redis.claimIdle"),
            (
                event: "stream", parameters: ["stream": "s", "group": "g", "deadLetterStream": "s"],
                name: "redis.deadLetterStream"
            ),
            (event: "list", parameters: ["list": ""], name: "redis.list"),
            (event: "list", parameters: ["list": "a", "processing": "a"], name: "processing"),
            (event: "channel", parameters: [:], name: "channels"),
            (event: "channel", parameters: ["chanels": "x"], name: "redis.chanels"),
        ] as [(event: String, parameters: Value, name: String)])
    func wrongSourceParametersAreNamed(_ row: (event: String, parameters: Value, name: String)) async throws {
        let connection = try await RedisModule().connect(
            ConnectionConfiguration(id: "c", parameters: ["host": "127.0.0.1"]))
        let error = await #expect(throws: ConnectorError.self) {
            try await connection.armSource(SourceRequest(event: row.event, parameters: row.parameters))
        }
        #expect(error?.kind == .validation)
        #expect(error?.message.contains(row.name) == true, "\(error?.message ?? "")")
        await connection.close()
    }

    @Test func csvDoesNotFitMessages() async throws {
        let connection = try await RedisModule().connect(
            ConnectionConfiguration(id: "c", parameters: ["host": "127.0.0.1"]))
        var decoding = RecordDecoding()
        decoding.format = .csv
        let error = await #expect(throws: ConnectorError.self) {
            try await connection.armSource(
                SourceRequest(event: "list", parameters: ["list": "l"], decoding: decoding))
        }
        #expect(error?.message.contains("decode.format") == true)
        await connection.close()
    }

    @Test(arguments: ["wrong-canary", nil])
    func aWrongOrMissingPasswordIsAnAuthErrorWithoutThePassword(_ password: String?) async throws {
        let server = try Server.running()
        let connection = try await RedisModule().connect(server.configuration(password: password))
        let error = try #require(await connection.call("get", ["key": "k"]).error)
        #expect(error.kind == .auth)
        #expect(error.code == RedisErrors.Code.credentials)
        #expect(!error.mayHaveExecuted)
        #expect(!"\(error) \(error.details)".contains("canary"))
        await connection.close()
    }

    @Test func aRotatedPasswordIsUsedWithoutRestart() async throws {
        let secrets = RotatingSecrets("old-password")
        var configuration = try Server.running().configuration()
        configuration.secrets = secrets
        let connection = try await RedisModule().connect(configuration)
        let error = await #expect(throws: ConnectorError.self) { try await connection.test() }
        #expect(error?.kind == .auth)
        secrets.rotate(Server.password)
        try await connection.test()
        await connection.close()
    }

    /// A user of the ACL that may read a few keys and nothing else.
    @Test func permissionsOfTheUserAreReported() async throws {
        let server = try Server.running()
        let admin = try await server.connect(["allowCommands": "ACL"])
        let user = "test-\(UUID().uuidString)"
        try await admin.redis("ACL", "SETUSER", .string(user), "on", ">junction-redis", "~allowed:*", "+get", "+ping")
        let connection = try await server.connect(["user": .string(user)])
        #expect(await connection.call("get", ["key": "allowed:x"]).error == nil)
        let key = try #require(await connection.call("get", ["key": "other"]).error)
        let command = try #require(await connection.call("set", ["key": "allowed:x", "value": 1]).error)
        for error in [key, command] {
            #expect(error.kind == .permission)
            #expect(error.code == RedisErrors.Code.permission)
            #expect(error.message.contains("NOPERM"))
        }
        try await admin.redis("ACL", "DELUSER", .string(user))
        await connection.close()
        await admin.close()
    }

    @Test func databasesAreApart() async throws {
        let server = try Server.running()
        let zero = try await server.connect()
        let one = try await server.connect(["database": 1])
        let key = newName("database")
        #expect(await one.call("set", ["key": .string(key), "value": 1]).error == nil)
        #expect(await zero.call("get", ["key": .string(key)]).value == ["value": .null])
        #expect(await one.call("delete", ["keys": .string(key)]).value == ["deleted": 1])
        let none = try await server.connect(["database": 900_000])
        #expect(await none.call("get", ["key": .string(key)]).error?.kind == .validation)
        for connection in [zero, one, none] { await connection.close() }
    }

    @Test func nobodyListeningIsUnavailableAndNothingWasDone() async throws {
        let connection = try await Server(port: 1).connect()
        let error = try #require(await connection.call("get", ["key": "k"]).error)
        #expect(error.kind == .unavailable)
        #expect(error.code == RedisErrors.Code.unreachable)
        #expect(!error.mayHaveExecuted && error.isRetryable)
        await connection.close()
    }

    /// A broken connection fails what was sent, honestly, and the next call opens another.
    @Test func aCutConnectionIsReplaced() async throws {
        let server = try Server.running()
        let proxy = try LoopbackServer.proxy(to: server.port)
        let direct = try await server.connect()
        let connection = try await server.connect(port: proxy.port)
        let key = newName("cut")
        var (confirmed, uncertain): (Int64, Int64) = (0, 0)
        for round in 0..<60 {
            if round % 6 == 3 { Thread.detachNewThread { proxy.cut() } }
            let calls = (0..<50).map { _ in OperationCall(operation: "increment", input: ["key": .string(key)]) }
            for outcome in await connection.invokeBatch(calls) {
                if outcome.error == nil { confirmed += 1 }
                if outcome.error?.mayHaveExecuted == true { uncertain += 1 }
            }
        }
        let counted = try #require(try await direct.redis("GET", .string(key)).asString.flatMap { Int64($0) })
        #expect((confirmed...(confirmed + uncertain)).contains(counted))
        #expect(confirmed > 0)
        #expect(await direct.call("delete", ["keys": .string(key)]).error == nil)
        await connection.close()
        await direct.close()
        proxy.stop()
    }

    /// Calls that are repeated under their keys through a broken network count once each.
    @Test func repeatedCallsCountOnceThroughCuts() async throws {
        let server = try Server.running()
        let proxy = try LoopbackServer.proxy(to: server.port)
        let direct = try await server.connect()
        let connection = try await server.connect(port: proxy.port)
        let key = newName("exactly")
        for number in 0..<200 {
            if number % 20 == 10 { Thread.detachNewThread { proxy.cut() } }
            let input: ValueContext = ["key": .string(key)]
            var attempts = 0
            while let error = await connection.call("increment", input, key: "\(key)-\(number)").error {
                attempts += 1
                try #require(attempts < 1_000, "\(error)")
            }
        }
        #expect(try await direct.redis("GET", .string(key)) == "200")
        #expect(await direct.call("delete", ["keys": .string(key)]).error == nil)
        await connection.close()
        await direct.close()
        proxy.stop()
    }
}

/// A resolver whose one secret changes.
final class RotatingSecrets: SecretResolver {
    private let secret: Mutex<Secret>

    init(_ text: String) { self.secret = Mutex(Secret(text)) }

    func rotate(_ text: String) { self.secret.withLock { $0 = Secret(text) } }

    func secret(_ reference: SecretReference) async throws -> Secret { self.secret.withLock { $0 } }
}
