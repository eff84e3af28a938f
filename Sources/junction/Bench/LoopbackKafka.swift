import CRDKafka
import Foundation

/// A Kafka cluster in this process, on loopback: librdkafka's mock.
///
/// `@unchecked Sendable`: the library's mock functions may be called from any thread.
final class LoopbackKafka: @unchecked Sendable {
    private let owner: OpaquePointer
    private let cluster: OpaquePointer

    /// Starts one broker with one topic.
    init(topic: String, partitions: Int) throws {
        guard let options = rd_kafka_conf_new() else { throw BenchFailure("librdkafka has no memory.") }
        jkr_conf_discard_log(options)
        guard let owner = rd_kafka_new(RD_KAFKA_PRODUCER, options, nil, 0) else {
            rd_kafka_conf_destroy(options)
            throw BenchFailure("librdkafka cannot start.")
        }
        guard let cluster = rd_kafka_mock_cluster_new(owner, 1) else {
            rd_kafka_destroy(owner)
            throw BenchFailure("librdkafka cannot start its mock cluster.")
        }
        self.owner = owner
        self.cluster = cluster
        rd_kafka_mock_topic_create(cluster, topic, Int32(partitions), 1)
    }

    /// `host:port` of the broker.
    var brokers: [String] {
        String(cString: rd_kafka_mock_cluster_bootstraps(self.cluster)).split(separator: ",").map(String.init)
    }

    /// Ends it; once.
    func close() {
        rd_kafka_mock_cluster_destroy(self.cluster)
        rd_kafka_destroy(self.owner)
    }
}
