import CRDKafka
import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import KafkaConnector

/// The broker that Scripts/services starts.
enum Broker {
    static func address() throws -> String {
        try #require(
            ProcessInfo.processInfo.environment["JUNCTION_SERVICE_KAFKA"],
            "JUNCTION_SERVICE_KAFKA is not set: run the tests under Scripts/services run, or start kafka.")
    }

    /// Makes a topic of several partitions.
    static func makeTopic(_ name: String, partitions: Int32) throws {
        let options = try #require(rd_kafka_conf_new())
        jkr_conf_discard_log(options)
        rd_kafka_conf_set(options, "bootstrap.servers", try Self.address(), nil, 0)
        let client = try #require(rd_kafka_new(RD_KAFKA_PRODUCER, options, nil, 0))
        defer { rd_kafka_destroy(client) }
        var topic = rd_kafka_NewTopic_new(name, partitions, 1, nil, 0)
        defer { rd_kafka_NewTopic_destroy(topic) }
        let queue = rd_kafka_queue_new(client)
        defer { rd_kafka_queue_destroy(queue) }
        rd_kafka_CreateTopics(client, &topic, 1, nil, queue)
        let event = try #require(rd_kafka_queue_poll(queue, 10_000))
        defer { rd_kafka_event_destroy(event) }
        try #require(rd_kafka_event_error(event) == RD_KAFKA_RESP_ERR_NO_ERROR)
    }

    /// A name that no other run of the tests has used.
    static func unique(_ prefix: String) -> String {
        "\(prefix)-\(String(UInt64.random(in: 0...UInt64.max), radix: 36))"
    }
}

/// librdkafka's mock cluster, which can be told to fail.
///
/// `@unchecked Sendable`: the library's mock functions may be called from any thread.
final class MockCluster: @unchecked Sendable {
    private let owner: OpaquePointer
    let cluster: OpaquePointer

    init(brokers: Int32 = 1) throws {
        let options = try #require(rd_kafka_conf_new())
        jkr_conf_discard_log(options)
        self.owner = try #require(rd_kafka_new(RD_KAFKA_PRODUCER, options, nil, 0))
        self.cluster = try #require(rd_kafka_mock_cluster_new(self.owner, brokers))
    }

    deinit {
        rd_kafka_mock_cluster_destroy(self.cluster)
        rd_kafka_destroy(self.owner)
    }

    var brokers: [String] {
        String(cString: rd_kafka_mock_cluster_bootstraps(self.cluster)).split(separator: ",").map(String.init)
    }

    func makeTopic(_ name: String, partitions: Int32) {
        rd_kafka_mock_topic_create(self.cluster, name, partitions, 1)
    }

    /// The next answers to requests of `key` say `errors`.
    func fail(_ key: Int16, _ errors: [rd_kafka_resp_err_t]) {
        rd_kafka_mock_push_request_errors_array(self.cluster, key, errors.count, errors)
    }

    func clearFailures(_ key: Int16) { rd_kafka_mock_clear_request_errors(self.cluster, key) }

    func setDown(_ broker: Int32 = 1) { rd_kafka_mock_broker_set_down(self.cluster, broker) }
    func setUp(_ broker: Int32 = 1) { rd_kafka_mock_broker_set_up(self.cluster, broker) }
}

/// Numbers of requests in Kafka's protocol.
enum Request {
    static let produce: Int16 = 0
    static let fetch: Int16 = 1
    static let metadata: Int16 = 3
    static let offsetCommit: Int16 = 8
    static let heartbeat: Int16 = 12
    static let initProducerID: Int16 = 22
    static let endTransaction: Int16 = 26
}

enum Make {
    static func connection(
        _ brokers: [String], _ more: ValueContext = [:], secrets: any SecretResolver = NoSecrets()
    ) async throws -> any Connection {
        try await KafkaModule().connect(Self.configuration(brokers, more, secrets: secrets))
    }

    static func configuration(
        _ brokers: [String], _ more: ValueContext = [:], secrets: any SecretResolver = NoSecrets()
    ) -> ConnectionConfiguration {
        var parameters: ValueContext = ["brokers": .list(brokers.map { .string($0) })]
        parameters.merge(more)
        return ConnectionConfiguration(id: "bus", parameters: .context(parameters), secrets: secrets)
    }

    /// A source that has connected.
    static func source(
        _ connection: any Connection, _ topic: String, group: String, _ more: ValueContext = [:]
    ) async throws -> any EventSource {
        var parameters: ValueContext = [
            "topics": [.string(topic)], "group": .string(group), "sessionTimeout": "6s", "commitInterval": "20ms",
        ]
        parameters.merge(more)
        let source = try await connection.armSource(
            SourceRequest(event: "record", parameters: .context(parameters)))
        try await source.connect()
        return source
    }

    static func produce(_ input: ValueContext, timeout: Duration = .seconds(10)) -> OperationCall {
        OperationCall(operation: "produce", input: .context(input), timeout: timeout)
    }

    /// Sends numbered messages and expects that all arrive.
    static func fill(
        _ connection: any Connection, _ topic: String, _ count: Int, partition: Int? = nil
    ) async {
        let calls = (0..<count).map { number -> OperationCall in
            var input: ValueContext = ["topic": .string(topic), "value": ["n": .number(Number(number))]]
            if let partition { input["partition"] = .number(Number(partition)) }
            return Self.produce(input)
        }
        for outcome in await connection.invokeBatch(calls) {
            if let error = outcome.error { Issue.record("\(error)") }
        }
    }
}

extension EventSource {
    /// Reads until there were `count` events, or for 15 seconds.
    func readEvents(_ count: Int, maximum: Int = 100) async throws -> [(EventBatch.ID, SourceEvent)] {
        var events: [(EventBatch.ID, SourceEvent)] = []
        let deadline = ContinuousClock.now + .seconds(15)
        while events.count < count, ContinuousClock.now < deadline {
            guard let batch = try await self.read(maximum: maximum, wait: .milliseconds(200)) else { continue }
            events += batch.events.map { (batch.id, $0) }
        }
        return events
    }
}

/// Waits until `condition` holds, at most 15 seconds.
func eventually(_ condition: () async throws -> Bool) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(15)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try? await Task.sleep(for: .milliseconds(10))
    }
    return false
}

/// The offset a group has committed, as a client of its own is told.
func committedOffset(_ brokers: [String], group: String, topic: String, partition: Int32 = 0) throws -> Int64? {
    let options = try #require(rd_kafka_conf_new())
    jkr_conf_discard_log(options)
    rd_kafka_conf_set(options, "bootstrap.servers", brokers.joined(separator: ","), nil, 0)
    rd_kafka_conf_set(options, "group.id", group, nil, 0)
    let client = try #require(rd_kafka_new(RD_KAFKA_CONSUMER, options, nil, 0))
    defer { rd_kafka_destroy(client) }
    let list = rd_kafka_topic_partition_list_new(1)
    defer { rd_kafka_topic_partition_list_destroy(list) }
    let entry = try #require(rd_kafka_topic_partition_list_add(list, topic, partition))
    guard rd_kafka_committed(client, list, 10_000) == RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
    return entry.pointee.offset >= 0 ? entry.pointee.offset : nil
}

/// A random sequence that can be repeated.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        return StableHash.mixed(self.state)
    }
}
