import ConnectorKit
import Foundation
import Values

/// Message brokers.
extension Fixture {
    static func kafka(_ module: any ConnectorModule) async throws -> [Fixture] {
        let topic = Self.unique("registry-")
        let configuration = ConnectionConfiguration(
            id: "c",
            parameters: [
                "brokers": [.string(try Service.address("KAFKA"))], "transactionalId": .string(Self.unique("tx-")),
            ])
        // The suite opens connections of its own, and a transactional id is one producer's.
        let filler = try await module.connect(
            ConnectionConfiguration(id: "f", parameters: ["brokers": [.string(try Service.address("KAFKA"))]]))
        let source = Source(
            SourceRequest(
                event: "record",
                parameters: ["topics": [.string(topic + "-source")], "group": .string(topic), "sessionTimeout": "6s"]),
            eventsMinimum: 25,
            provoke: {
                try await Self.invokeAll(
                    filler,
                    (0..<25).map {
                        OperationCall(
                            operation: "produce",
                            input: ["topic": .string(topic + "-source"), "value": ["n": .number(Number($0))]])
                    })
            })
        return [
            Fixture(
                name: "a broker", configuration: configuration,
                calls: [
                    Self.call("produce", ["topic": .string(topic), "key": "k", "value": ["a": 1]]),
                    Self.call(
                        "produceTransaction",
                        ["messages": [["topic": .string(topic + "-tx"), "value": "x", "valueFormat": "text"]]]),
                ],
                sources: [source], end: { await filler.close() })
        ]
    }

    static func amqp(_ module: any ConnectorModule) async throws -> [Fixture] {
        let url = try Service.url("RABBITMQ")
        let configuration = ConnectionConfiguration(
            id: "c",
            parameters: [
                "hosts": .string("127.0.0.1:\(url.port ?? 0)"), "user": .string(url.user ?? ""),
                "password": Self.secret,
            ],
            secrets: Self.secrets(url.password ?? ""))
        let connection = try await module.connect(configuration)
        let target = Self.unique("registry-")
        let queue = target + "-source"
        for name in [target, queue] {
            // The broker deletes it when nobody has used it for a while.
            let parameters: Value = ["queue": .string(name), "declare": ["arguments": ["x-expires": 60_000]]]
            let source = try await connection.armSource(SourceRequest(event: "message", parameters: parameters))
            try await source.connect()
            await source.close()
        }
        let source = Source(
            SourceRequest(event: "message", parameters: ["queue": .string(queue)]), eventsMinimum: 25,
            silence: .seconds(1)
        ) {
            try await Self.invokeAll(
                connection,
                (0..<25).map {
                    OperationCall(
                        operation: "publish",
                        input: [
                            "routingKey": .string(queue), "body": .number(Number($0)),
                            "messageId": .string("m\($0)"),
                        ])
                })
        }
        return [
            Fixture(
                name: "RabbitMQ", configuration: configuration,
                calls: [Self.call("publish", ["routingKey": .string(target), "body": ["x": 1]])], sources: [source],
                end: { await connection.close() })
        ]
    }

    static func redis(_ module: any ConnectorModule) async throws -> [Fixture] {
        let url = try Service.url("REDIS")
        let configuration = ConnectionConfiguration(
            id: "c", parameters: ["host": .string("127.0.0.1:\(url.port ?? 0)"), "password": Self.secret],
            secrets: Self.secrets(url.password ?? ""))
        let connection = try await module.connect(configuration)
        let key = Value.string(Self.unique("registry:key:"))
        let stream = Value.string(Self.unique("registry:stream:"))
        let list = Value.string(Self.unique("registry:list:"))
        let sources = [
            Source(
                SourceRequest(event: "stream", parameters: ["stream": stream, "group": "g"]), eventsMinimum: 25,
                silence: .milliseconds(300)
            ) {
                for number in 0..<25 {
                    let entry: Value = ["XADD", stream, "*", "n", .number(Number(number))]
                    try await connection.call("command", ["command": entry])
                }
            },
            Source(
                SourceRequest(event: "list", parameters: ["list": list]), eventsMinimum: 25, silence: .milliseconds(300)
            ) {
                for number in 0..<25 {
                    try await connection.call("command", ["command": ["RPUSH", list, .number(Number(number))]])
                }
            },
            // Nobody listens yet when these are published.
            Source(
                SourceRequest(event: "channel", parameters: ["channels": list]), eventsMinimum: 0,
                silence: .milliseconds(100)
            ) {
                try await connection.call("command", ["command": ["PUBLISH", list, "x"]])
            },
        ]
        return [
            Fixture(
                name: "Redis", configuration: configuration,
                calls: [
                    Self.call("set", ["key": key, "value": 1]), Self.call("get", ["key": key]),
                    Self.call("increment", ["key": key], key: Self.unique("i")),
                    Self.call("command", ["command": ["PING"]]),
                ],
                sources: sources,
                end: {
                    _ = try? await connection.call("delete", ["keys": [key, stream, list]])
                    await connection.close()
                })
        ]
    }

    /// Makes calls that must succeed.
    private static func invokeAll(_ connection: any Connection, _ calls: [OperationCall]) async throws {
        for outcome in await connection.invokeBatch(calls) {
            if let error = outcome.error { throw error }
        }
    }
}
