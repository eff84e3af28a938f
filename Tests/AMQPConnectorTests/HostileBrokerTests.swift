import ConnectorKit
import Foundation
import Glibc
import LoopbackTestSupport
import Testing
import Values

@testable import AMQPConnector

/// Frames of AMQP 0-9-1 as a broker writes them.
enum Frame {
    static func method(_ channel: UInt16, _ classID: UInt16, _ methodID: UInt16, _ arguments: [UInt8]) -> [UInt8] {
        Self.frame(1, channel, Self.short(classID) + Self.short(methodID) + arguments)
    }

    static func frame(_ type: UInt8, _ channel: UInt16, _ payload: [UInt8]) -> [UInt8] {
        [type] + Self.short(channel) + Self.long(UInt32(payload.count)) + payload + [0xCE]
    }

    static func short(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(truncatingIfNeeded: value)] }
    static func long(_ value: UInt32) -> [UInt8] {
        Self.short(UInt16(value >> 16)) + Self.short(UInt16(truncatingIfNeeded: value))
    }
    static func longLong(_ value: UInt64) -> [UInt8] {
        Self.long(UInt32(value >> 32)) + Self.long(UInt32(truncatingIfNeeded: value))
    }
    static func name(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
    static func longText(_ text: String) -> [UInt8] { Self.long(UInt32(text.utf8.count)) + text.utf8 }

    static let start = Self.method(0, 10, 10, [0, 9] + Self.long(0) + Self.longText("PLAIN") + Self.longText("en_US"))
    static func tune(frameMax: UInt32) -> [UInt8] {
        Self.method(0, 10, 30, Self.short(2_047) + Self.long(frameMax) + Self.short(60))
    }
    static let openOK = Self.method(0, 10, 41, Self.name(""))
    static let channelOpenOK = Self.method(1, 20, 11, Self.long(0))
    static let confirmOK = Self.method(1, 85, 11, [])
    static let declareOK = Self.method(1, 50, 11, Self.name("q") + Self.long(0) + Self.long(0))
    static let qosOK = Self.method(1, 60, 11, [])
    static let consumeOK = Self.method(1, 60, 21, Self.name("t"))

    static func deliver(tag: UInt64 = 1) -> [UInt8] {
        Self.method(1, 60, 60, Self.name("t") + Self.longLong(tag) + [0] + Self.name("") + Self.name("q"))
    }
    static func header(size: UInt64, properties: [UInt8] = [0, 0]) -> [UInt8] {
        Self.frame(2, 1, Self.short(60) + [0, 0] + Self.longLong(size) + properties)
    }

    /// The answers until a connection is open, one for each thing the client says.
    static let handshake: [[UInt8]] = [Self.start, Self.tune(frameMax: 131_072), [], Self.openOK]
    static let publishing = Self.handshake + [Self.channelOpenOK, Self.confirmOK]
    static let consuming = Self.handshake + [Self.channelOpenOK, Self.declareOK, Self.qosOK, Self.consumeOK]
}

@Suite struct HostileBrokerTests {
    /// A broker that answers what it reads, one after the other, and then hangs up or waits.
    private static func broker(_ answers: [[UInt8]], hangsUp: Bool = true) throws -> LoopbackServer {
        try LoopbackServer { server, socket in
            var unread: [UInt8] = []
            for answer in answers {
                guard Self.takeOne(&unread, socket), LoopbackServer.write(socket, answer) else { break }
            }
            if !hangsUp { while !LoopbackServer.read(socket).isEmpty {} }
            server.finish(socket)
        }
    }

    /// Reads one frame, or the protocol header.
    private static func takeOne(_ unread: inout [UInt8], _ socket: Int32) -> Bool {
        while true {
            if unread.starts(with: Array("AMQP".utf8)), unread.count >= 8 {
                unread.removeFirst(8)
                return true
            }
            if unread.count >= 7, !unread.starts(with: Array("AMQP".utf8)) {
                let size = unread[3..<7].reduce(0) { $0 << 8 | Int($1) } + 8
                if unread.count >= size {
                    unread.removeFirst(size)
                    return true
                }
            }
            let bytes = LoopbackServer.read(socket)
            if bytes.isEmpty { return false }
            unread += bytes
        }
    }

    private static func connection(
        _ server: LoopbackServer, _ extra: ValueContext = [:]
    ) async throws -> any Connection {
        var parameters: ValueContext = ["connectTimeout": "300ms", "rpcTimeout": "300ms"]
        parameters.merge(extra)
        return try await AMQPModule().connect(
            Broker(port: server.port, tlsPort: 0, folder: "")
                .configuration(password: "canary-password", parameters))
    }

    private static func check(_ error: ConnectorError?, _ name: String) {
        #expect(error != nil, "\(name)")
        guard let error else { return }
        #expect(error.code.hasPrefix("CON-42"), "\(name): \(error)")
        #expect(error.kind != .unknown, "\(name): \(error)")
        #expect(!"\(error) \(error.details)".contains("canary"), "\(name)")
    }

    static let badHandshakes: [(name: String, answers: [[UInt8]])] = [
        ("hangs up", [[]]),
        ("another version", [Array("AMQP".utf8) + [0, 0, 9, 1]]),
        ("AMQP 1.0", [Array("AMQP".utf8) + [0, 1, 0, 0]]),
        ("HTTP", [Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8)]),
        ("garbage", [[UInt8](repeating: 0xFF, count: 4_096)]),
        ("zeros", [[UInt8](repeating: 0, count: 4_096)]),
        ("truncated frame", [Array(Frame.start.dropLast(5))]),
        ("no frame end", [Array(Frame.start.dropLast()) + [0]]),
        ("huge frame", [[1, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 1, count: 1_000)]),
        ("frame of 4 GiB", [[1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF] + [UInt8](repeating: 1, count: 1_000)]),
        ("unknown method", [Frame.method(0, 10, 99, [])]),
        ("method of 1 byte", [Frame.frame(1, 0, [0])]),
        ("wrong order", [Frame.tune(frameMax: 131_072)]),
        ("mechanisms cut", [Frame.method(0, 10, 10, [0, 9] + Frame.long(0) + Frame.long(1_000) + [1])]),
        (
            "no PLAIN",
            [Frame.method(0, 10, 10, [0, 9] + Frame.long(0) + Frame.longText("EXTERNAL") + Frame.longText("en"))]
        ),
        ("tiny frames", [Frame.start, Frame.tune(frameMax: 1)]),
        ("small frames", [Frame.start, Frame.tune(frameMax: 4_095)]),
        ("asks for more", [Frame.start, Frame.method(0, 10, 20, Frame.longText("more"))]),
        ("body in the handshake", [Frame.start, Frame.frame(3, 0, [1, 2, 3])]),
    ]

    @Test(arguments: badHandshakes)
    func aBadHandshakeIsAnError(_ row: (name: String, answers: [[UInt8]])) async throws {
        let server = try Self.broker(row.answers)
        let connection = try await Self.connection(server)
        let error = await connection.invoke(.publish(1, to: "q")).error
        Self.check(error, row.name)
        #expect(error?.mayHaveExecuted == false, "\(row.name)")
        await connection.close()
        server.stop()
    }

    @Test(arguments: [0, 1, 2, 3])
    func aBrokerThatFallsSilentIsGivenUp(_ answers: Int) async throws {
        let server = try Self.broker(Array(Frame.handshake.prefix(answers)), hangsUp: false)
        let connection = try await Self.connection(server)
        Self.check(await connection.invoke(.publish(1, to: "q")).error, "silent after \(answers)")
        await connection.close()
        server.stop()
    }

    static let badConfirmations: [(name: String, answer: [UInt8])] = [
        ("hangs up", []),
        ("a confirmation of nothing", Frame.method(1, 60, 80, Frame.longLong(99) + [0])),
        ("a confirmation on another channel", Frame.method(200, 60, 80, Frame.longLong(1) + [0])),
        ("a confirmation on no channel", Frame.method(60_000, 60, 80, Frame.longLong(1) + [0])),
        ("a delivery nobody asked for", Frame.deliver() + Frame.header(size: 3)),
        ("a body without a message", Frame.frame(3, 1, [1, 2, 3])),
        ("a header without a message", Frame.header(size: 3)),
        ("a question", Frame.method(1, 60, 10, Frame.long(0) + [0, 0, 0])),
        ("garbage", [UInt8](repeating: 0xAA, count: 100)),
        (
            "channel closed",
            Frame.method(1, 20, 40, Frame.short(406) + Frame.name("PRECONDITION_FAILED - no") + Frame.long(0))
        ),
        (
            "connection closed",
            Frame.method(0, 10, 50, Frame.short(320) + Frame.name("CONNECTION_FORCED - bye") + Frame.long(0))
        ),
        ("reply text cut", Frame.method(0, 10, 50, Frame.short(320) + [200, 1, 2])),
    ]

    @Test(arguments: badConfirmations)
    func aBadConfirmationIsAnErrorThatMayHaveExecuted(_ row: (name: String, answer: [UInt8])) async throws {
        // The client writes a message as three frames.
        let server = try Self.broker(Frame.publishing + [[], [], row.answer])
        let connection = try await Self.connection(server)
        let error = await connection.invoke(.publish(1, to: "q", timeout: .seconds(3))).error
        Self.check(error, row.name)
        if row.name != "channel closed" { #expect(error?.mayHaveExecuted == true, "\(row.name)") }
        await connection.close()
        server.stop()
    }

    @Test func aMissingConfirmationIsATimeout() async throws {
        let server = try Self.broker(Frame.publishing, hangsUp: false)
        let connection = try await Self.connection(server)
        let error = try #require(await connection.invoke(.publish(1, to: "q", timeout: .milliseconds(200))).error)
        #expect(error.code == AMQPErrors.Code.unconfirmed)
        #expect(error.kind == .timeout && error.mayHaveExecuted)
        await connection.close()
        server.stop()
    }

    /// What was not confirmed keeps its place, also when its caller has given up.
    @Test func tooManyWaitingCallsAreTurnedAway() async throws {
        let server = try Self.broker(Frame.publishing, hangsUp: false)
        let connection = try await Self.connection(server, ["maxWaiting": 1])
        let first = await connection.invoke(.publish(1, to: "q", timeout: .milliseconds(100)))
        #expect(first.error?.code == AMQPErrors.Code.unconfirmed)
        let error = try #require(await connection.invoke(.publish(2, to: "q")).error)
        #expect(error.kind == .rateLimited)
        #expect(error.code == AMQPErrors.Code.tooMany)
        #expect(!error.mayHaveExecuted)
        await connection.close()
        server.stop()
    }

    /// Its socket takes no more bytes, and the library would wait for ever.
    @Test func aBrokerThatStopsReadingIsGivenUp() async throws {
        let server = try LoopbackServer { _, socket in
            var size: Int32 = 4_096
            setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
            var unread: [UInt8] = []
            for answer in Frame.publishing {
                guard Self.takeOne(&unread, socket), LoopbackServer.write(socket, answer) else { return }
            }
        }
        let connection = try await Self.connection(server)
        let body = Value.string(String(repeating: "x", count: 8_000_000))
        let start = ContinuousClock.now
        let error = try #require(await connection.invoke(.publish(body, to: "q", timeout: .seconds(1))).error)
        #expect(error.code.hasPrefix("CON-42"))
        #expect(error.mayHaveExecuted)
        await connection.close()
        #expect(ContinuousClock.now - start < .seconds(15))
        server.stop()
    }

    @Test func aBlockedBrokerIsNotWrittenTo() async throws {
        let blocked = Frame.method(0, 10, 60, Frame.name("low on memory"))
        let ack = Frame.method(1, 60, 80, Frame.longLong(1) + [0])
        let server = try Self.broker(Frame.publishing + [[], [], ack + blocked], hangsUp: false)
        let connection = try await Self.connection(server)
        #expect(await connection.invoke(.publish(1, to: "q")).error == nil)
        _ = await connection.invoke(.publish(2, to: "q", timeout: .milliseconds(100)))
        let error = try #require(await connection.invoke(.publish(3, to: "q", timeout: .milliseconds(200))).error)
        #expect(error.code == AMQPErrors.Code.blocked)
        #expect(error.message.contains("low on memory"))
        #expect(!error.mayHaveExecuted && error.isRetryable)
        await connection.close()
        server.stop()
    }

    static let badDeliveries: [(name: String, answer: [UInt8])] = [
        ("hangs up", []),
        ("inside another", Frame.deliver() + Frame.deliver(tag: 2)),
        ("miscounted", Frame.deliver(tag: 7) + Frame.header(size: 0)),
        ("counted twice", Frame.deliver() + Frame.header(size: 0) + Frame.deliver() + Frame.header(size: 0)),
        ("more body than announced", Frame.deliver() + Frame.header(size: 2) + Frame.frame(3, 1, [1, 2, 3])),
        ("a body of 16 EiB", Frame.deliver() + Frame.header(size: .max) + Frame.frame(3, 1, [1, 2, 3])),
        ("properties cut", Frame.deliver() + Frame.header(size: 1, properties: [0xFF, 0xFE, 200, 1])),
        ("headers cut", Frame.deliver() + Frame.header(size: 1, properties: [0x20, 0] + Frame.long(1_000) + [1, 2])),
        (
            "header of another class",
            Frame.deliver() + Frame.frame(2, 1, Frame.short(90) + [0, 0] + Frame.longLong(0) + [0, 0])
        ),
        ("more than prefetch", (1...9).flatMap { Frame.deliver(tag: $0) + Frame.header(size: 0) }),
        ("truncated", Array(Frame.deliver().dropLast(4))),
        ("the consumer cancelled", Frame.method(1, 60, 30, Frame.name("t") + [1])),
    ]

    @Test(arguments: badDeliveries)
    func aBadDeliveryInterruptsTheSource(_ row: (name: String, answer: [UInt8])) async throws {
        var answers = Frame.consuming
        answers[answers.count - 1] += row.answer
        let server = try Self.broker(answers)
        let connection = try await Self.connection(server)
        let source = try await connection.armSource(
            SourceRequest(event: "message", parameters: ["queue": "q", "prefetch": 8]))
        do {
            try await source.connect()
            while let batch = try await source.read(maximum: 10, wait: .seconds(5)) { _ = batch }
            Issue.record("\(row.name): nothing was noticed")
        } catch let interruption as SourceInterruption {
            guard case .notConnected(let reason) = interruption else { throw interruption }
            #expect(!reason.isEmpty && !reason.contains("canary"), "\(row.name)")
        } catch {
            Self.check(error as? ConnectorError, row.name)
        }
        await source.close()
        await connection.close()
        server.stop()
    }

    /// rabbitmq-c reads them recursively, and so needs a stack that is deep enough.
    @Test func headersNestedAsDeepAsAFrameAllowsAreRead() async throws {
        // Tables under empty names, from the outside in: six bytes each.
        let depth = 21_000
        let table =
            (0..<depth).flatMap { Frame.long(UInt32(6 * (depth - $0))) + [0, UInt8(ascii: "F")] } + Frame.long(0)
        var answers = Frame.consuming
        answers[answers.count - 1] += Frame.deliver() + Frame.header(size: 0, properties: [0x20, 0] + table)
        let server = try Self.broker(answers, hangsUp: false)
        let connection = try await Self.connection(server)
        let source = try await connection.armSource(SourceRequest(event: "message", parameters: ["queue": "q"]))
        try await source.connect()
        let event = try #require(try await source.read(maximum: 1, wait: .seconds(5))?.events.first)
        #expect(event.headers.count == 1)
        await source.close()
        await connection.close()
        server.stop()
    }

    @Test func aMessageThatIsNotWhatItSaysIsUndecodable() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("undecodable")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let bad: [ValueContext] = [
            ["body": "{\"a\":", "contentType": "application/json"],
            ["body": "/w==", "encoding": "base64", "contentType": "text/plain"],
        ]
        for input in bad { #expect(await connection.invoke(.publish(.null, to: queue, input)).error == nil) }
        for event in try await source.events(2) {
            guard case .undecodable(let finding) = event.body else {
                Issue.record("\(event.body)")
                continue
            }
            #expect(!finding.reason.isEmpty)
            #expect(!event.payload.isEmpty)
        }
        await source.close()
        await connection.close()
    }
}
