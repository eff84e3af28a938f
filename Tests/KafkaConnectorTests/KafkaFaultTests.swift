import CRDKafka
import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Kafka, when brokers fail")
struct KafkaFaultTests {
    @Test(
        arguments: [
            ("a message that is too large", RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, .validation, "CON-4105", false),
            (
                "a topic that is not allowed", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, .permission, "CON-4103",
                false
            ),
            ("a record that is not valid", RD_KAFKA_RESP_ERR_INVALID_RECORD, .validation, "CON-4105", false),
            ("a policy", RD_KAFKA_RESP_ERR_POLICY_VIOLATION, .validation, "CON-4105", false),
            ("a timestamp", RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP, .validation, "CON-4105", false),
        ] as [(String, rd_kafka_resp_err_t, ConnectorError.Kind, String, Bool)])
    func refusalsHaveTheirPlace(
        _ row: (name: String, error: rd_kafka_resp_err_t, kind: ConnectorError.Kind, code: String, executed: Bool)
    ) async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(
            cluster.brokers, ["producer": ["idempotence": false, "linger": "0"]])
        cluster.fail(Request.produce, [row.error])
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 1]))
        let error = try #require(outcome.error, "\(row.name)")
        #expect(error.kind == row.kind && error.code == row.code, "\(row.name): \(error)")
        #expect(error.mayHaveExecuted == row.executed, "\(row.name)")
        #expect(!error.isRetryable, "\(row.name)")
        await connection.close()
    }

    @Test func errorsThatPassAreTriedAgainByTheLibrary() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers)
        cluster.fail(
            Request.produce,
            [
                RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            ])
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 1], timeout: .seconds(20)))
        #expect(outcome.error == nil, "\(String(describing: outcome.error))")
        await connection.close()
    }

    @Test func aBrokerThatIsDownIsSaidToBe() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(
            cluster.brokers, ["producer": ["messageTimeout": "600ms"], "connectTimeout": "600ms"])
        cluster.setDown()
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 1]))
        let error = try #require(outcome.error)
        #expect(error.kind == .timeout && error.isRetryable && !error.mayHaveExecuted, "\(error)")
        await #expect(throws: ConnectorError.self) { try await connection.test() }
        do {
            _ = try await Make.source(connection, "t", group: "g")
            Issue.record("The source connected.")
        } catch {
            guard case SourceInterruption.notConnected = error else {
                Issue.record("\(error)")
                return
            }
        }
        cluster.setUp()
        try await connection.test()
        let again = await connection.invoke(Make.produce(["topic": "t", "value": 1]))
        #expect(again.error == nil, "\(String(describing: again.error))")
        await connection.close()
    }

    @Test func aCallThatRunsOutOfTimeMayHaveExecuted() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers)
        #expect(await connection.invoke(Make.produce(["topic": "t", "value": 1])).error == nil)
        rd_kafka_mock_broker_set_rtt(cluster.cluster, 1, 3_000)
        let outcome = await connection.invoke(Make.produce(["topic": "t", "value": 2], timeout: .milliseconds(150)))
        let error = try #require(outcome.error)
        #expect(error.kind == .timeout && error.mayHaveExecuted, "\(error)")
        let task = Task { await connection.invoke(Make.produce(["topic": "t", "value": 3])) }
        task.cancel()
        #expect(await task.value.error?.code == ConnectorError.Code.cancelled)
        rd_kafka_mock_broker_set_rtt(cluster.cluster, 1, 0)
        await connection.close()
    }

    @Test func closingCountsWhatIsDroppedAsFailed() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers)
        #expect(await connection.invoke(Make.produce(["topic": "t", "value": 1])).error == nil)
        cluster.setDown()
        let calls = Task {
            await connection.invokeBatch((0..<50).map { Make.produce(["topic": "t", "value": .number(Number($0))]) })
        }
        try await Task.sleep(for: .milliseconds(50))
        await connection.close()
        let outcomes = await calls.value
        #expect(outcomes.count == 50)
        for outcome in outcomes {
            #expect(outcome.error?.code == ConnectorError.Code.closed, "\(String(describing: outcome.error))")
        }
    }

    @Test func aFullQueueMakesCallersWait() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers, ["producer": ["queueMessages": 10]])
        let outcomes = await connection.invokeBatch(
            (0..<500).map { Make.produce(["topic": "t", "value": .number(Number($0))]) })
        #expect(outcomes.allSatisfy { $0.error == nil })
        await connection.close()
        let slow = try await Make.connection(cluster.brokers, ["producer": ["queueMessages": 10]])
        cluster.setDown()
        let refused = await slow.invokeBatch(
            (0..<20).map { Make.produce(["topic": "t", "value": .number(Number($0))], timeout: .milliseconds(400)) })
        #expect(refused.filter { $0.error?.code == KafkaErrors.Code.queueFull }.count == 10)
        #expect(refused.filter { $0.error?.code == KafkaErrors.Code.notDelivered }.count == 10)
        await slow.close()
    }

    @Test func aTransactionThatFailsIsTakenBack() async throws {
        let cluster = try MockCluster(brokers: 3)
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers, ["transactionalId": "tx"])
        func send(_ value: Int) async -> Outcome {
            await connection.invoke(
                OperationCall(
                    operation: "produceTransaction",
                    input: ["messages": [["topic": "t", "value": .number(Number(value))]]], timeout: .seconds(20)))
        }
        let first = await send(1)
        #expect(first.error == nil, "\(String(describing: first.error))")
        // Passes: tried again.
        cluster.fail(Request.endTransaction, [RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS])
        let second = await send(2)
        #expect(second.error == nil, "\(String(describing: second.error))")
        // To be aborted: the message is refused.
        cluster.fail(Request.produce, [RD_KAFKA_RESP_ERR_INVALID_RECORD])
        let third = await send(3)
        #expect(third.error?.kind == .validation, "\(String(describing: third.error))")
        #expect(third.error?.mayHaveExecuted == false)
        await connection.close()
    }

    @Test func aTransactionalClientThatWasFencedIsReplaced() async throws {
        let cluster = try MockCluster(brokers: 3)
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers, ["transactionalId": "tx"])
        let call = OperationCall(
            operation: "produceTransaction", input: ["messages": [["topic": "t", "value": 1]]], timeout: .seconds(20))
        cluster.fail(Request.endTransaction, [RD_KAFKA_RESP_ERR_PRODUCER_FENCED])
        let fenced = await connection.invoke(call)
        #expect(fenced.error?.code == KafkaErrors.Code.fenced, "\(String(describing: fenced.error))")
        #expect(fenced.error?.isRetryable == false)
        let again = await connection.invoke(call)
        #expect(again.error == nil, "\(String(describing: again.error))")
        await connection.close()
    }

    @Test func aConsumerSurvivesARestartOfTheBroker() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers)
        await Make.fill(connection, "t", 10)
        let source = try await Make.source(connection, "t", group: "g")
        #expect(try await source.readEvents(10).count == 10)
        cluster.setDown()
        #expect(try await source.read(maximum: 10, wait: .milliseconds(300)) == nil)
        cluster.setUp()
        await Make.fill(connection, "t", 5)
        #expect(try await source.readEvents(5).count == 5)
        await source.close()
        await connection.close()
    }

    @Test func anOutageThatLastsIsAnInterruptionAndEnds() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers, ["connectTimeout": "2s"])
        await Make.fill(connection, "t", 10)
        let source = try await Make.source(connection, "t", group: "g", ["outageTolerance": "200ms"])
        let first = try await source.readEvents(10)
        cluster.setDown()
        let isInterrupted = await eventually {
            do {
                _ = try await source.read(maximum: 10, wait: .milliseconds(100))
                return false
            } catch SourceInterruption.notConnected {
                return true
            } catch {
                return false
            }
        }
        #expect(isInterrupted)
        await #expect(throws: SourceInterruption.self) { try await source.connect() }
        cluster.setUp()
        try await source.connect()
        // Acknowledgements from before belong to an assignment that has ended.
        for batch in Set(first.map(\.0)) { try await source.acknowledge(batch) }
        let again = try await source.readEvents(10)
        #expect(Set(again.map(\.1.id)) == Set(first.map(\.1.id)))
        await source.close()
        await connection.close()
    }

    @Test func aCommitThatFailsIsTriedAgain() async throws {
        let cluster = try MockCluster()
        cluster.makeTopic("t", partitions: 1)
        let connection = try await Make.connection(cluster.brokers)
        await Make.fill(connection, "t", 10)
        let source = try await Make.source(connection, "t", group: "g")
        cluster.fail(
            Request.offsetCommit, [RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, RD_KAFKA_RESP_ERR_OFFSET_METADATA_TOO_LARGE])
        for batch in Set(try await source.readEvents(10).map(\.0)) { try await source.acknowledge(batch) }
        #expect(try await eventually { try committedOffset(cluster.brokers, group: "g", topic: "t") == 10 })
        await source.close()
        await connection.close()
    }
}
