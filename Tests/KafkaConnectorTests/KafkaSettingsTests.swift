import ConnectorKit
import Testing
import Values

@testable import KafkaConnector

@Suite("Parameters of Kafka connections")
struct KafkaSettingsTests {
    @Test(
        arguments: [
            ("no brokers", [:], "brokers"),
            ("an empty list", ["brokers": []], "at least one"),
            ("a broker without port", ["brokers": ["kafka"]], "host:port"),
            ("two brokers in one text", ["brokers": ["a:1,b:2"]], "host:port"),
            (
                "a password in the open", ["brokers": ["a:1"], "sasl": ["username": "u", "password": "hunter2"]],
                "reference"
            ),
            ("an unknown mechanism", ["brokers": ["a:1"], "sasl": ["mechanism": "PLAIM"]], "PLAIN"),
            ("a certificate without key", ["brokers": ["a:1"], "tls": ["certificateFile": "/c.pem"]], "key together"),
            ("a field of the producer", ["brokers": ["a:1"], "producer": ["lingers": "1s"]], "linger"),
            ("a schema", ["brokers": ["a:1"], "schemas": ["x": ["type": "record"]]], "schemas.x"),
            ("a registry without address", ["brokers": ["a:1"], "schemaRegistry": [:]], "baseUrl"),
        ] as [(String, Value, String)])
    func wrongOnesAreNamed(_ row: (name: String, parameters: Value, expected: String)) {
        do {
            _ = try KafkaSettings(row.parameters)
            Issue.record("\(row.name) was accepted.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .validation, "\(row.name)")
            #expect((error.message + error.remedy).contains(row.expected), "\(row.name): \(error)")
            #expect(!error.description.contains("hunter2"))
        }
    }

    @Test(
        arguments: [
            ("no topics", ["group": "g"], "topics"),
            ("no group", ["topics": ["t"]], "group"),
            ("a start", ["topics": ["t"], "group": "g", "start": "begin"], "earliest"),
            (
                "a poll interval below the session",
                ["topics": ["t"], "group": "g", "sessionTimeout": "10s", "maxPollInterval": "5s"], "maxPollInterval"
            ),
            ("a schema without Avro", ["topics": ["t"], "group": "g", "schema": "s"], "avro"),
        ] as [(String, Value, String)])
    func wrongOnesOfASourceAreNamed(_ row: (name: String, parameters: Value, expected: String)) {
        do {
            _ = try RecordSourceSettings(row.parameters, decoding: RecordDecoding())
            Issue.record("\(row.name) was accepted.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .validation && error.message.contains(row.expected), "\(row.name): \(error)")
        }
    }
}
