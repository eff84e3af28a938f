import ConnectorKit
import Foundation
import LoopbackTestSupport
import Testing
import Values

@testable import RedisConnector

@Suite struct HostileServerTests {
    /// A server that answers the login, and then says `answer` to whatever comes next.
    private static func server(_ answer: [UInt8], hangsUp: Bool = true) throws -> LoopbackServer {
        try LoopbackServer { server, socket in
            if !LoopbackServer.read(socket).isEmpty, LoopbackServer.write(socket, Array("+OK\r\n+OK\r\n".utf8)),
                !LoopbackServer.read(socket).isEmpty
            {
                _ = LoopbackServer.write(socket, answer)
                if !hangsUp { while !LoopbackServer.read(socket).isEmpty {} }
            }
            server.finish(socket)
        }
    }

    private static func connection(_ server: LoopbackServer) async throws -> any Connection {
        try await RedisModule().connect(
            Server(port: server.port).configuration(
                password: "canary-password", ["connectTimeout": "500ms", "maxReply": "1MiB"]))
    }

    /// An answer known by its name: printing two million bytes takes longer than reading them.
    struct Answer: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            self.name = name
            self.bytes = bytes
        }

        var testDescription: String { self.name }
    }

    static let badReplies: [Answer] = [
        Answer("hangs up", []),
        Answer("garbage", Array("hello\r\n".utf8)),
        Answer("HTTP", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)),
        Answer("zeros", [UInt8](repeating: 0, count: 100)),
        Answer("truncated value", Array("$10\r\nabc".utf8)),
        Answer("truncated length", Array("$1".utf8)),
        Answer("length of letters", Array("$abc\r\n".utf8)),
        Answer("negative length", Array("$-5\r\n".utf8)),
        Answer("number of letters", Array(":x\r\n".utf8)),
        Answer("number too large", Array(":99999999999999999999999999\r\n".utf8)),
        Answer("value of 2 GiB", Array("$2147483647\r\n".utf8) + [UInt8](repeating: 1, count: 2_000_000)),
        Answer("value of 8 EiB", Array("$9223372036854775807\r\nabc".utf8)),
        Answer("array of 2^31", Array("*2147483647\r\n".utf8)),
        Answer("array of 2^32 + 1", Array("*4294967297\r\n".utf8)),
        Answer("arrays of arrays", Array(String(repeating: "*1000000\r\n", count: 7).utf8)),
        Answer("nested too deep", Array(String(repeating: "*1\r\n", count: 100_000).utf8)),
        Answer("line without end", [UInt8(ascii: "+")] + [UInt8](repeating: UInt8(ascii: "a"), count: 2_000_000)),
        Answer("two answers to one question", Array("$1\r\na\r\n$1\r\nb\r\n".utf8)),
    ]

    @Test(arguments: badReplies)
    func aBadReplyIsAnError(_ row: Answer) async throws {
        let server = try Self.server(row.bytes)
        let connection = try await Self.connection(server)
        let outcome = await connection.call("get", ["key": "k"], timeout: .seconds(5))
        if row.name == "two answers to one question" {
            #expect(outcome.value == ["value": "a"])
        } else {
            let error = try #require(outcome.error, "\(row.name)")
            #expect(error.code.hasPrefix("CON-43") && error.kind == .unavailable, "\(row.name): \(error)")
            #expect(error.mayHaveExecuted, "\(row.name)")
            #expect(!"\(error) \(error.details)".contains("canary"), "\(row.name)")
        }
        await connection.close()
        server.stop()
    }

    static let misfits: [(name: String, operation: String, input: ValueContext, answer: String)] = [
        ("a list for a number", "increment", ["key": "k"], "*1\r\n$1\r\na\r\n"),
        ("a text for a number", "delete", ["keys": "k"], "$1\r\na\r\n"),
        ("an odd number of parts", "hgetall", ["key": "k"], "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"),
        ("a number for a hash", "hgetall", ["key": "k"], ":1\r\n"),
    ]

    @Test(arguments: misfits)
    func aReplyOfAnotherShapeIsAnError(
        _ row: (name: String, operation: String, input: ValueContext, answer: String)
    ) async throws {
        let server = try Self.server(Array(row.answer.utf8), hangsUp: false)
        let connection = try await Self.connection(server)
        let error = try #require(await connection.call(row.operation, row.input).error, "\(row.name)")
        #expect(error.code == RedisErrors.Code.protocolViolation)
        await connection.close()
        server.stop()
    }

    @Test func aSilentServerIsATimeoutThatMayHaveExecuted() async throws {
        let server = try Self.server([], hangsUp: false)
        let connection = try await Self.connection(server)
        let error = try #require(await connection.call("get", ["key": "k"], timeout: .milliseconds(100)).error)
        #expect(error.kind == .timeout)
        #expect(error.code == RedisErrors.Code.timeout)
        #expect(error.mayHaveExecuted)
        await connection.close()
        server.stop()
    }

    @Test func aServerThatNeverAnswersTheLoginIsUnreachable() async throws {
        let server = try LoopbackServer { _, socket in while !LoopbackServer.read(socket).isEmpty {} }
        let connection = try await Self.connection(server)
        let error = try #require(await connection.call("get", ["key": "k"]).error)
        #expect(error.code == RedisErrors.Code.unreachable)
        #expect(!error.mayHaveExecuted)
        await connection.close()
        server.stop()
    }

    @Test func aServerThatIsFullSaysSo() async throws {
        let server = try LoopbackServer { server, socket in
            _ = LoopbackServer.write(socket, Array("-ERR max number of clients reached\r\n".utf8))
            _ = LoopbackServer.read(socket)
            server.finish(socket)
        }
        let connection = try await Self.connection(server)
        let error = try #require(await connection.call("get", ["key": "k"]).error)
        #expect(error.code.hasPrefix("CON-43"))
        #expect(!error.mayHaveExecuted)
        await connection.close()
        server.stop()
    }

    static let badEvents: [(event: String, parameters: ValueContext, answer: String)] = [
        ("stream", ["stream": "s", "group": "g", "create": false], ":1\r\n"),
        ("stream", ["stream": "s", "group": "g", "create": false], "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*1\r\n$1\r\na\r\n"),
        ("stream", ["stream": "s", "group": "g", "create": false], "*1\r\n*2\r\n$1\r\ns\r\n:1\r\n"),
        ("list", ["list": "l"], ":1\r\n"),
        ("list", ["list": "l"], "-ERR something\r\n"),
        ("channel", ["channels": "c"], "-NOPERM no\r\n"),
    ]

    @Test(arguments: badEvents)
    func aSourceReportsWhatDoesNotFit(
        _ row: (event: String, parameters: ValueContext, answer: String)
    ) async throws {
        let server = try Self.server(Array(row.answer.utf8), hangsUp: false)
        let connection = try await Self.connection(server)
        let source = try await connection.armSource(
            SourceRequest(event: row.event, parameters: .context(row.parameters)))
        do {
            try await source.connect()
            _ = try await source.read(maximum: 1, wait: .milliseconds(100))
            Issue.record("\(row.answer) was accepted")
        } catch let error as ConnectorError {
            #expect(error.code.hasPrefix("CON-43"), "\(error)")
            #expect(!"\(error) \(error.details)".contains("canary"))
        } catch {
            #expect(error is SourceInterruption, "\(error)")
        }
        await source.close()
        await connection.close()
        server.stop()
    }
}
