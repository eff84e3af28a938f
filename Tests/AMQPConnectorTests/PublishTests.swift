import ConnectorKit
import Foundation
import LoopbackTestSupport
import Testing
import Values

@testable import AMQPConnector

@Suite struct PublishTests {
    @Test func everyPropertyArrives() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("properties")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        var call = OperationCall.publish(
            ["order": 17, "name": "grün"], to: queue,
            [
                "headers": ["tries": 3, "deep": ["list": [1, "two"]]], "priority": 4, "correlationId": "c-1",
                "replyTo": "answers", "type": "order", "appId": "shop", "expiration": "1h",
                "contentEncoding": "identity",
            ])
        call.idempotencyKey = "key-1"
        call.traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        let outcome = await connection.invoke(call)
        #expect(outcome.value == ["messageId": "key-1"], "\(String(describing: outcome.error))")

        let event = try #require(try await source.events(1).first)
        #expect(event.id == "\(queue):key-1")
        #expect(event.contentType == "application/json")
        #expect(event.value == ["order": 17, "name": "grün"])
        #expect(event.coordinates["queue"] == .string(queue))
        #expect(event.coordinates["redelivered"] == false)
        let expected: ValueContext = [
            "tries": 3, "deep": ["list": [1, "two"]], "priority": 4, "correlationId": "c-1", "replyTo": "answers",
            "type": "order", "appId": "shop", "expiration": "3600000", "contentEncoding": "identity",
            "messageId": "key-1", "contentType": "application/json", "persistent": true,
            "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ]
        #expect(event.headers == expected)
        await source.close()
        await connection.close()
    }

    @Test(
        arguments: [
            (name: "text", input: ["body": "grün"], bytes: Array("grün".utf8), type: "text/plain; charset=utf-8"),
            (name: "empty", input: ["body": ""], bytes: [], type: "text/plain; charset=utf-8"),
            (
                name: "json text", input: ["body": "a", "encoding": "json"], bytes: Array("\"a\"".utf8),
                type: "application/json"
            ),
            (
                name: "base64", input: ["body": "AP8=", "encoding": "base64"], bytes: [0, 255],
                type: "application/octet-stream"
            ),
            (
                name: "own type", input: ["body": [1], "contentType": "application/x"], bytes: Array("[1]".utf8),
                type: "application/x"
            ),
        ] as [(name: String, input: ValueContext, bytes: [UInt8], type: String)])
    func bodiesAreWrittenAsAsked(_ row: (name: String, input: ValueContext, bytes: [UInt8], type: String)) throws {
        var input = row.input
        input["routingKey"] = "q"
        let message = try PublishRequest.message(
            OperationCall(operation: "publish", input: .context(input)), bodyBytesMaximum: 1_000)
        #expect(message.body == row.bytes)
        #expect(message.properties.contentType == row.type)
        #expect(message.isMandatory)
    }

    @Test(
        arguments: [
            (input: [:], names: ["input.body", "input.routingKey"]),
            (input: ["routingKey": "q", "body": 1, "priority": 256], names: ["input.priority"]),
            (input: ["routingKey": "q", "body": 1, "encoding": "text"], names: ["input.body"]),
            (input: ["routingKey": "q", "body": "!", "encoding": "base64"], names: ["input.body"]),
            (
                input: ["routingKey": .string(String(repeating: "x", count: 256)), "body": 1],
                names: ["input.routingKey"]
            ),
            (input: ["routingKey": "q", "body": 1, "expiration": "60d"], names: ["input.expiration"]),
            (input: ["routingKey": "q", "body": 1, "headers": 7], names: ["input.headers"]),
            (input: ["routingKey": "q", "body": 1, "persistant": true], names: ["input.persistant"]),
        ] as [(input: ValueContext, names: [String])])
    func wrongInputIsNamed(_ row: (input: ValueContext, names: [String])) throws {
        let error = #expect(throws: ConnectorError.self) {
            try PublishRequest.message(
                OperationCall(operation: "publish", input: .context(row.input)), bodyBytesMaximum: 1_000)
        }
        #expect(error?.kind == .validation)
        for name in row.names { #expect(error?.message.contains(name) == true, "\(error?.message ?? "")") }
    }

    @Test func aBodyOverTheLimitIsRefusedBeforeItIsSent() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["maxMessage": 100])
        let call = OperationCall.publish(.string(String(repeating: "x", count: 101)), to: "anywhere")
        let error = try #require(await connection.invoke(call).error)
        #expect(error.code == AMQPErrors.Code.tooLarge)
        #expect(!error.mayHaveExecuted)
        await connection.close()
    }

    @Test func headersOverAFrameAreRefusedAndHarmNobody() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("headers")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let large: Value = ["headers": ["x": .string(String(repeating: "x", count: 200_000))]]
        let outcomes = await connection.invokeBatch([
            .publish(1, to: queue), .publish(2, to: queue, large.asContext ?? [:]), .publish(3, to: queue),
        ])
        #expect(outcomes.map { $0.error?.code } == [nil, AMQPErrors.Code.tooLarge, nil])
        #expect(try await source.events(2).map(\.value) == [1, 3])
        await source.close()
        await connection.close()
    }

    @Test func largeBodiesSpanFrames() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("large")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let text = String(repeating: "0123456789abcdef", count: 65_536)
        #expect(await connection.invoke(.publish(.string(text), to: queue)).error == nil)
        let event = try #require(try await source.events(1).first)
        #expect(event.payload == Array(text.utf8))
        await source.close()
        await connection.close()
    }

    @Test func whatNoQueueTakesComesBack() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("mandatory")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let nowhere = newName("nowhere")
        let outcomes = await connection.invokeBatch([
            .publish("lost", to: nowhere), .publish("kept", to: queue), .publish("lost", to: nowhere),
            .publish("unheeded", to: nowhere, ["mandatory": false]),
        ])
        #expect(outcomes.map { $0.error?.code } == [AMQPErrors.Code.unroutable, nil, AMQPErrors.Code.unroutable, nil])
        let error = try #require(outcomes[0].error)
        #expect(error.kind == .notFound)
        #expect(error.details["replyCode"] == 312)
        #expect(error.details["replyText"] == "NO_ROUTE")
        #expect(!error.mayHaveExecuted)
        await source.close()
        await connection.close()
    }

    /// An objection of the broker concerns the exchange it is about, and no other.
    @Test func anUnknownExchangeFailsAlone() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("isolation")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let outcomes = await connection.invokeBatch([
            .publish(1, to: queue), .publish(2, to: queue, ["exchange": "test-no-such-exchange"]),
            .publish(3, to: queue),
        ])
        #expect(outcomes.map { $0.error?.code } == [nil, AMQPErrors.Code.notFound, nil])
        let error = try #require(outcomes[1].error)
        #expect(error.message.contains("NOT_FOUND - no exchange 'test-no-such-exchange'"))
        #expect(!error.isRetryable && !error.mayHaveExecuted)
        #expect(try await source.events(2).map(\.value) == [1, 3])
        #expect(await connection.invoke(.publish(4, to: queue)).error == nil)
        await source.close()
        await connection.close()
    }

    @Test func moreExchangesThanChannelsTakeTurns() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        for number in 0..<80 {
            let exchange = ["", "amq.direct", "amq.topic", "amq.fanout"][number % 4]
            let input: ValueContext = ["exchange": .string(exchange), "mandatory": false]
            #expect(await connection.invoke(.publish(1, to: "test-nobody", input)).error == nil)
        }
        await connection.close()
    }

    @Test func aFullQueueRefusesAndTheCallMayBeRepeated() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect()
        let queue = newName("full")
        var arguments = shortLived
        arguments["x-max-length"] = 1
        arguments["x-overflow"] = "reject-publish"
        let source = try await broker.source(connection, queue, arguments: arguments, ["prefetch": 1])
        await source.close()
        var outcomes: [Outcome] = []
        for number in 0..<8 { outcomes.append(await connection.invoke(.publish(.number(Number(number)), to: queue))) }
        let error = try #require(outcomes.compactMap(\.error).first)
        #expect(error.code == AMQPErrors.Code.notTaken)
        #expect(error.isRetryable)
        #expect(outcomes[0].error == nil)
        await connection.close()
    }

    @Test func manyCallsAtOnceAreConfirmedEach() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["maxUnconfirmed": 100])
        let queue = newName("many")
        let source = try await broker.source(connection, queue, arguments: shortLived)
        let failures = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<1_000 {
                group.addTask { await connection.invoke(.publish(.number(Number(number)), to: queue)).error != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(failures == 0)
        let values = try await source.events(1_000).compactMap { $0.value?.asInt64 }
        #expect(Set(values) == Set(0..<1_000))
        await source.close()
        await connection.close()
    }

    @Test func aBatchThatIsAloneIsTakenWhateverItsSize() async throws {
        let broker = try Broker.running()
        let connection = try await broker.connect(["maxWaiting": 10, "maxUnconfirmed": 3])
        let calls = (0..<50).map { _ in OperationCall.publish(1, to: "test-nobody", ["mandatory": false]) }
        #expect(await connection.invokeBatch(calls).allSatisfy { $0.error == nil })
        await connection.close()
    }

    @Test func theCallerDecidesAboutDuplicates() async throws {
        let broker = try Broker.running()
        let careful = try await broker.connect()
        #expect(await careful.isRepeatable(.publish(1, to: "q")) == nil)
        #expect(await careful.isRepeatable(.publish(1, to: "q", ["allowDuplicates": true])) == true)
        let careless = try await broker.connect(["allowDuplicates": true])
        #expect(await careless.isRepeatable(.publish(1, to: "q")) == true)
        await careful.close()
        await careless.close()
    }

    /// A broken connection fails what was sent, honestly, and the next call opens another.
    @Test func aCutConnectionIsReplaced() async throws {
        let broker = try Broker.running()
        let proxy = try LoopbackServer.proxy(to: broker.port)
        let connection = try await broker.connect(port: proxy.port)
        let queue = newName("cut")
        let source = try await broker.source(
            try await broker.connect(), queue, arguments: shortLived, ["prefetch": 60_000])
        var confirmed: Set<Int64> = []
        var uncertain: Set<Int64> = []
        var next: Int64 = 0
        var round: UInt32 = 0
        // As often as it takes until a cut met messages under way, within bounds.
        while round < 40 || (uncertain.isEmpty && round < 400) {
            let numbers = Array(next..<next + 100)
            next += 100
            if round % 4 == 2 {
                // While confirmations are under way, as near as that can be had: each cut a little later than the last.
                let delay = round * 25 % 4_000
                Thread.detachNewThread {
                    usleep(delay)
                    proxy.cut()
                }
            }
            round += 1
            let calls = numbers.map { OperationCall.publish(.number(Number($0)), to: queue) }
            for (number, outcome) in zip(numbers, await connection.invokeBatch(calls)) {
                if outcome.error == nil { confirmed.insert(number) }
                if outcome.error?.mayHaveExecuted == true { uncertain.insert(number) }
            }
        }
        #expect(!uncertain.isEmpty, "no message was under way when the connection broke")
        let arrived = try await source.events(Int(next), wait: .seconds(1)).compactMap { $0.value?.asInt64 }
        #expect(confirmed.isSubset(of: arrived))
        #expect(Set(arrived).isSubset(of: confirmed.union(uncertain)))
        #expect(arrived.count == Set(arrived).count)
        await source.close()
        await connection.close()
        proxy.stop()
    }
}
