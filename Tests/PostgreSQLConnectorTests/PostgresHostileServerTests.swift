import ConnectorKit
import Foundation
import Glibc
import PostgreSQLConnector
import Synchronization
import Testing
import Values

/// A server that speaks as much of PostgreSQL's protocol as it takes to be believed, and then does not.
final class HostileServer: Sendable {
    /// What comes after a statement was prepared and described as returning one column of a type.
    struct Script: Sendable {
        var columnType: UInt32 = 23
        /// Sent in answer to an execution; `nil`: nothing more is ever sent.
        var answer: [UInt8]?
        var closes = true
        /// Sent in place of the greeting.
        var greeting: [UInt8]?
    }

    let port: Int
    private let listener: Int32
    private let script: Script
    private let sockets = Mutex<[Int32]>([])

    init(_ script: Script) throws {
        self.script = script
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
                self.sockets.withLock { $0.append(client) }
                Thread.detachNewThread { self.serve(client) }
            }
        }
    }

    func stop() {
        shutdown(self.listener, Int32(SHUT_RDWR))
        close(self.listener)
        for client in self.sockets.withLock({ $0 }) { shutdown(client, Int32(SHUT_RDWR)) }
    }

    static func message(_ type: Character, _ body: [UInt8], length: Int32? = nil) -> [UInt8] {
        let count = length ?? Int32(body.count + 4)
        return [type.asciiValue ?? 0] + withUnsafeBytes(of: count.bigEndian, Array.init) + body
    }

    static func row(_ value: [UInt8], length: Int32? = nil, columns: Int16 = 1) -> [UInt8] {
        Self.message(
            "D",
            withUnsafeBytes(of: columns.bigEndian, Array.init)
                + withUnsafeBytes(of: (length ?? Int32(value.count)).bigEndian, Array.init) + value)
    }

    static func error(_ state: String, _ message: String) -> [UInt8] {
        Self.message("E", Array("SERROR\0VERROR\0C\(state)\0M\(message)\0\0".utf8))
    }

    static let complete = message("C", Array("SELECT 1\0".utf8))
    static let ready = message("Z", [UInt8(ascii: "I")])

    private func serve(_ client: Int32) {
        defer { close(client) }
        guard let length = self.integer(client), length >= 8, let code = self.integer(client) else { return }
        if code == 80_877_103 {
            // The question for TLS.
            self.send(client, [UInt8(ascii: "N")])
            self.serve2(client, nil)
        } else {
            self.serve2(client, length - 8)
        }
    }

    private func serve2(_ client: Int32, _ rest: Int32?) {
        var left = rest
        if left == nil {
            guard let length = self.integer(client), self.integer(client) != nil else { return }
            left = length - 8
        }
        guard self.read(client, Int(left ?? 0)) != nil else { return }
        if let greeting = self.script.greeting {
            self.send(client, greeting)
            return
        }
        self.send(
            client,
            Self.message("R", [0, 0, 0, 0]) + Self.message("S", Array("server_version\u{0}15.0\0".utf8))
                + Self.message("S", Array("default_transaction_read_only\u{0}off\0".utf8))
                + Self.message("S", Array("in_hot_standby\u{0}off\0".utf8))
                + Self.message("K", [0, 0, 0, 1, 0, 0, 0, 2]) + Self.ready)
        self.converse(client)
    }

    private func converse(_ client: Int32) {
        // Whether what was bound last is the statement that was prepared under a name.
        var isNamed = false
        while let type = self.read(client, 1)?.first, let length = self.integer(client),
            let body = self.read(client, Int(length) - 4)
        {
            switch Character(Unicode.Scalar(type)) {
            case "P": self.send(client, Self.message("1", []))
            case "B":
                isNamed = body.split(separator: 0, omittingEmptySubsequences: false)[1].isEmpty == false
                self.send(client, Self.message("2", []))
            case "D":
                let isStatement = body.first == UInt8(ascii: "S")
                if isStatement { self.send(client, Self.message("t", [0, 0])) }
                guard isStatement || isNamed else {
                    self.send(client, Self.message("n", []))
                    continue
                }
                let type = withUnsafeBytes(of: self.script.columnType.bigEndian, Array.init)
                self.send(
                    client,
                    Self.message(
                        "T",
                        [0, 1] + Array("v\0".utf8) + [0, 0, 0, 0, 0, 0] + type + [0, 4, 255, 255, 255, 255, 0, 0]))
            case "E" where !isNamed: self.send(client, Self.complete)
            case "E":
                guard let answer = self.script.answer else { continue }
                self.send(client, answer)
                if self.script.closes { return }
            case "S":
                self.send(client, Self.ready)
            case "X": return
            default: break
            }
        }
    }

    private func send(_ client: Int32, _ bytes: [UInt8]) {
        _ = Glibc.send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    private func integer(_ client: Int32) -> Int32? {
        self.read(client, 4).map { $0.reduce(0) { $0 << 8 | Int32($1) } }
    }

    private func read(_ client: Int32, _ count: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: max(count, 0))
        var position = 0
        while position < count {
            let got = bytes[position...].withUnsafeMutableBytes { recv(client, $0.baseAddress, $0.count, 0) }
            guard got > 0 else { return nil }
            position += got
        }
        return bytes
    }
}

@Suite struct PostgresHostileServerTests {
    typealias Server = HostileServer

    private func outcome(_ script: HostileServer.Script, timeout: Duration = .seconds(2)) async throws -> Outcome {
        let server = try HostileServer(script)
        let connection = try await PostgreSQLModule().connect(
            ConnectionConfiguration(
                id: "hostile",
                parameters: [
                    "host": "127.0.0.1", "port": .number(Number(Int64(server.port))), "database": "d", "user": "u",
                    "sslmode": "disable", "maxResult": "1MiB",
                ]))
        let outcome = await connection.call("execute", ["sql": "SELECT v"], timeout: timeout)
        await connection.close()
        server.stop()
        return outcome
    }

    @Test func serverThatBehavesIsBelieved() async throws {
        let answer = Server.row(Array("7".utf8)) + Server.complete
        let outcome = try await self.outcome(.init(answer: answer, closes: false))
        #expect(outcome.value?["rows"] == [["v": 7]])
    }

    @Test(arguments: [
        ("a truncated message", Array(Server.row(Array("7".utf8)).prefix(6))),
        ("a message shorter than its length", Server.message("D", [0, 1, 0, 0, 0, 1, 55], length: 4)),
        ("a length below the minimum", Server.message("D", [], length: 2)),
        ("a negative length", Server.message("D", [], length: -5)),
        ("a value longer than its message", Server.row([55], length: 1_000)),
        ("more columns than described", Server.row([55], columns: 9)),
        ("a message of no known type", Server.message("?", [1, 2, 3])),
        ("an end without a beginning", Server.message("C", Array("SELECT".utf8))),
        ("no answer at all", []),
    ])
    func brokenProtocolIsAnErrorOfTheConnection(_ row: (name: String, answer: [UInt8])) async throws {
        let outcome = try await self.outcome(.init(answer: row.answer))
        let error = try #require(outcome.error, "\(row.name)")
        #expect(["CON-5104", "CON-5101", "CON-5109"].contains(error.code), "\(error)")
        #expect(error.mayHaveExecuted)
    }

    @Test(
        arguments: [
            (16, Array("maybe".utf8)), (17, Array("\\xzz".utf8)), (25, [0xFF, 0xFE]), (1007, Array("{1,".utf8)),
            (1007, Array("{\"1".utf8)), (1009, Array("{{{{{{{{1}}}}}}}}".utf8)),
        ] as [(UInt32, [UInt8])])
    func valueOfTheWrongFormIsAnError(_ row: (type: UInt32, bytes: [UInt8])) async throws {
        let answer = Server.row(row.bytes) + Server.complete
        let outcome = try await self.outcome(.init(columnType: row.type, answer: answer, closes: false))
        let error = try #require(outcome.error)
        #expect(error.code == "CON-5109")
        #expect(error.kind == .unknown)
    }

    @Test func numbersAndTimesThatCannotBeReadStayText() async throws {
        for (type, text) in [
            (UInt32(23), "many"), (1082, "someday"), (1114, "2026-13-45 99:99"), (1186, "P"), (114, "{"),
        ] {
            let answer = Server.row(Array(text.utf8)) + Server.complete
            let outcome = try await self.outcome(.init(columnType: type, answer: answer, closes: false))
            #expect(outcome.value?["rows"] == [["v": .string(text)]], "\(type)")
        }
    }

    @Test func errorInTheMiddleOfAResultIsTheServersError() async throws {
        let answer = Server.row(Array("7".utf8)) + Server.error("22012", "division by zero")
        let outcome = try await self.outcome(.init(answer: answer, closes: false))
        let error = try #require(outcome.error)
        #expect(error.kind == .validation)
        #expect(error.details["message"] == "division by zero")
    }

    @Test(
        arguments: [nil, HostileServer.row([55], length: 1 << 30)]
            as [[UInt8]?])
    func waitingForWhatNeverComesEndsWithTheTimeout(_ answer: [UInt8]?) async throws {
        let outcome = try await self.outcome(.init(answer: answer, closes: false), timeout: .milliseconds(200))
        let error = try #require(outcome.error)
        #expect(error.kind == .timeout || error.code == "CON-5104", "\(error)")
        #expect(error.mayHaveExecuted)
    }

    @Test(arguments: [
        ("HTTP", Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)), ("nothing", []),
        ("an unknown authentication", Server.message("R", [0, 0, 0, 99])), ("zeros", [UInt8](repeating: 0, count: 64)),
        ("a refusal", Server.error("53300", "sorry, too many clients already")),
    ])
    func greetingThatIsNoneIsNoConnection(_ row: (name: String, bytes: [UInt8])) async throws {
        let outcome = try await self.outcome(.init(greeting: row.bytes))
        let error = try #require(outcome.error)
        #expect(!error.mayHaveExecuted)
        #expect(error.kind == (row.name == "a refusal" ? .rateLimited : .unavailable), "\(error)")
    }
}
