import CRDKafka
import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Kafka, against a broker")
struct KafkaBrokerTests {
    @Test func aMessageArrivesAsItWasSent() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("message")
        let connection = try await Make.connection([broker], ["producer": ["idempotencyHeader": "key-of-call"]])
        var call = Make.produce([
            "topic": .string(topic), "key": "order-7", "value": ["id": 7, "name": "ä€𝄞"], "partition": 0,
            "timestamp": 1_700_000_000_123,
            "headers": ["trace": "abc", "many": ["x", 1, true], "none": .null, "empty": ""],
        ])
        call.idempotencyKey = "K1"
        call.traceparent = "00-1-2-03"
        let outcome = await connection.invoke(call)
        #expect(outcome.error == nil, "\(String(describing: outcome.error))")
        #expect(outcome.value?["topic"] == .string(topic))
        #expect(outcome.value?["partition"] == 0)
        #expect(outcome.value?["offset"] == 0)
        let tombstone = await connection.invoke(Make.produce(["topic": .string(topic), "key": "order-7"]))
        #expect(tombstone.value?["offset"] == 1)

        let source = try await Make.source(connection, topic, group: topic)
        let events = try await source.readEvents(2).map(\.1)
        await source.close()
        let event = try #require(events.first)
        #expect(event.id == "\(topic)/0/0")
        guard case .value(let value) = event.body else {
            Issue.record("The body is \(event.body).")
            return
        }
        #expect(value == ["id": 7, "name": "ä€𝄞"])
        #expect(event.contentType == "application/json")
        #expect(event.coordinates["key"] == "order-7")
        #expect(event.coordinates["offset"] == 0 && event.coordinates["partition"] == 0)
        #expect(event.coordinates["timestamp"] == 1_700_000_000_123)
        #expect(event.occurredAtMilliseconds == 1_700_000_000_123)
        #expect(event.headers["many"] == ["x", "1", "true"])
        #expect(event.headers["none"] == .null && event.headers["empty"] == "")
        #expect(event.headers["key-of-call"] == "K1" && event.headers["traceparent"] == "00-1-2-03")
        guard case .value(.null) = events[1].body else {
            Issue.record("The tombstone is \(events[1].body).")
            return
        }
        await connection.close()
    }

    @Test func aBatchHasAnOutcomePerCall() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("batch")
        let connection = try await Make.connection([broker])
        let outcomes = await connection.invokeBatch([
            Make.produce(["topic": .string(topic), "value": 1]),
            Make.produce(["topic": .string(topic), "wrong": 1]),
            Make.produce(["topic": .string(topic), "value": .string(String(repeating: "x", count: 2_000_000))]),
            OperationCall(operation: "consume", input: [:]),
            Make.produce(["topic": .string(topic), "value": 2]),
        ])
        #expect(outcomes.map { $0.error?.kind } == [nil, .validation, .validation, .unsupported, nil])
        #expect(outcomes[2].error?.code == KafkaErrors.Code.refused)
        #expect(outcomes[2].error?.mayHaveExecuted == false)
        #expect(outcomes[4].value?["offset"] == 1)
        await connection.close()
    }

    @Test func whatIsAcknowledgedOutOfOrderIsNotCommittedPastAGap() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("gaps")
        let connection = try await Make.connection([broker])
        await Make.fill(connection, topic, 40)
        let source = try await Make.source(connection, topic, group: topic)
        var batches: [EventBatch.ID] = []
        while batches.count < 4 {
            if let batch = try await source.read(maximum: 10, wait: .seconds(5)) { batches.append(batch.id) }
        }
        for batch in batches[1...] { try await source.acknowledge(batch) }
        try await source.acknowledge(EventBatch.ID(rawValue: 999_999))
        // A commit that would come must have come by the time another partition's worth of records is done.
        try await source.acknowledge(batches[0])
        let committed = try await eventually { try committedOffset([broker], group: topic, topic: topic) == 40 }
        #expect(committed)
        await source.close()

        let second = try await Make.source(connection, topic, group: topic + "-2")
        var ids: [EventBatch.ID] = []
        while ids.count < 4 {
            if let batch = try await second.read(maximum: 10, wait: .seconds(5)) { ids.append(batch.id) }
        }
        try await second.acknowledge(ids[0])
        try await second.acknowledge(ids[2])
        try await second.acknowledge(ids[3])
        await second.close()
        #expect(try committedOffset([broker], group: topic + "-2", topic: topic) == 10)
        await connection.close()
    }

    @Test func aRejectedBatchComesAgainAndHoldsTheCommitBack() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("reject")
        let connection = try await Make.connection([broker])
        await Make.fill(connection, topic, 20)
        let source = try await Make.source(connection, topic, group: topic)
        let first = try #require(try await source.read(maximum: 10, wait: .seconds(10)))
        let rest = 20 - first.events.count
        try await source.reject(first.id, .redeliver(after: .milliseconds(50)))
        let others = try await source.readEvents(rest + first.events.count)
        #expect(Set(others.map(\.1.id)).count == 20)
        for batch in Set(others.map(\.0)) {
            if others.contains(where: { $0.0 == batch && $0.1.id == first.events[0].id }) {
                try await source.reject(batch, .setAside)
            } else {
                try await source.acknowledge(batch)
            }
        }
        await source.close()
        #expect(try committedOffset([broker], group: topic, topic: topic) == 20)
        await connection.close()
    }

    @Test func aTransactionIsSeenAsAWhole() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("transaction")
        let connection = try await Make.connection([broker], ["transactionalId": .string(topic)])
        let good = await connection.invoke(
            OperationCall(
                operation: "produceTransaction",
                input: [
                    "messages": [
                        ["topic": .string(topic), "value": 1], ["topic": .string(topic), "value": 2, "key": "k"],
                    ]
                ], timeout: .seconds(20)))
        #expect(good.error == nil, "\(String(describing: good.error))")
        #expect(good.value?["messages"]?.asList?.count == 2)
        let bad = await connection.invoke(
            OperationCall(
                operation: "produceTransaction",
                input: [
                    "messages": [
                        ["topic": .string(topic), "value": 3],
                        ["topic": .string(topic), "value": .string(String(repeating: "x", count: 2_000_000))],
                    ]
                ], timeout: .seconds(20)))
        #expect(bad.error?.code == KafkaErrors.Code.refused)
        #expect(bad.error?.mayHaveExecuted == false)
        let again = await connection.invoke(
            OperationCall(
                operation: "produceTransaction", input: ["messages": [["topic": .string(topic), "value": 4]]],
                timeout: .seconds(20)))
        #expect(again.error == nil, "\(String(describing: again.error))")
        let source = try await Make.source(connection, topic, group: topic)
        let events = try await source.readEvents(3).map(\.1)
        let values = events.compactMap { event -> Value? in
            if case .value(let value) = event.body { value } else { nil }
        }
        #expect(values == [1, 2, 4])
        await source.close()
        await connection.close()
    }

    @Test func transactionsNeedAnID() async throws {
        let connection = try await Make.connection([try Broker.address()])
        let outcome = await connection.invoke(
            OperationCall(operation: "produceTransaction", input: ["messages": [["topic": "t", "value": 1]]]))
        #expect(outcome.error?.code == KafkaErrors.Code.noTransactions)
        await connection.close()
    }

    @Test func avroTravelsWithItsFingerprint() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("avro")
        let connection = try await Make.connection(
            [broker],
            ["schemas": ["order": ["type": "record", "name": "Order", "fields": [["name": "id", "type": "long"]]]]])
        let good = await connection.invoke(
            Make.produce(["topic": .string(topic), "value": ["id": 7], "valueFormat": "avro", "schema": "order"]))
        #expect(good.error == nil)
        let bad = await connection.invoke(
            Make.produce(["topic": .string(topic), "value": ["id": "x"], "valueFormat": "avro", "schema": "order"]))
        #expect(bad.error?.code == KafkaErrors.Code.encoding)
        let unknown = await connection.invoke(
            Make.produce(["topic": .string(topic), "value": ["id": 7], "valueFormat": "avro", "schema": "ordr"]))
        #expect(unknown.error?.message.contains("Did you mean order") == true)
        await Make.fill(connection, topic, 1)
        let source = try await Make.source(connection, topic, group: topic, ["value": "avro"])
        let events = try await source.readEvents(2).map(\.1)
        guard case .value(["id": 7]) = events.first?.body, case .undecodable(let finding) = events.last?.body else {
            Issue.record("The bodies are \(events.map(\.body)).")
            return
        }
        #expect(finding.reason.contains("name no Avro schema"))
        await source.close()
        await connection.close()
    }

    @Test func contentThatCannotBeReadIsHandedOnAsSuch() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("bad")
        let connection = try await Make.connection([broker])
        let contents: [[UInt8]] = [[], Array("{\"a\":".utf8), [0xC3, 0x28], [UInt8](repeating: 0x20, count: 5_000)]
        for content in contents {
            let outcome = await connection.invoke(
                Make.produce([
                    "topic": .string(topic), "value": .string(Base64.encode(content)), "valueFormat": "base64",
                ]))
            #expect(outcome.error == nil)
        }
        let source = try await connection.armSource(
            SourceRequest(
                event: "record", parameters: ["topics": [.string(topic)], "group": .string(topic)],
                decoding: {
                    var decoding = RecordDecoding()
                    decoding.recordBytesMaximum = 1_000
                    return decoding
                }()))
        try await source.connect()
        let events = try await source.readEvents(4).map(\.1)
        #expect(events.map(\.payload) == contents)
        for event in events {
            guard case .undecodable = event.body else {
                Issue.record("\(event.id) is \(event.body).")
                continue
            }
        }
        await source.close()
        await connection.close()
    }

    @Test func aGroupThatHasNoOffsetMayBeAnError() async throws {
        let broker = try Broker.address()
        let topic = Broker.unique("start")
        let connection = try await Make.connection([broker])
        await Make.fill(connection, topic, 1)
        let source = try await Make.source(connection, topic, group: topic, ["start": "error"])
        do {
            _ = try await source.readEvents(1)
            Issue.record("The source read without an offset.")
        } catch {
            #expect(ConnectorError(wrapping: error).code == KafkaErrors.Code.noOffset, "\(error)")
        }
        await source.close()
        await connection.close()
    }
}
