import ConnectorKit
import Foundation
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct ObjectNoticeTests {
    private static func record(_ name: String, _ key: String, _ sequencer: String? = nil, _ etag: String = "e") -> Value
    {
        var object: ValueContext = ["key": .string(key), "size": 3, "eTag": .string(etag), "versionId": "null"]
        object["sequencer"] = sequencer.map { .string($0) }
        return [
            "eventName": .string(name), "eventTime": "2026-01-01T00:00:00.000Z",
            "s3": ["bucket": ["name": "in"], "object": .context(object)],
        ]
    }

    @Test func keysAreDecodedAndWritesToOneKeyComeInTheirOrder() throws {
        let notice = ObjectNotice([
            "Records": .list([
                Self.record("ObjectCreated:Put", "a+b%2Bc%C3%A4.csv", "0A0", "2"),
                Self.record("ObjectRemoved:Delete", "gone"),
                Self.record("ObjectCreated:Copy", "other", "1"),
                Self.record("ObjectCreated:Put", "a+b%2Bc%C3%A4.csv", "9F", "1"),
            ])
        ])
        guard case .created(let objects) = notice else {
            Issue.record("Expected objects but found \(notice).")
            return
        }
        #expect(objects.map(\.key) == ["a b+cä.csv", "other", "a b+cä.csv"])
        #expect(objects.map(\.etag) == ["1", "e", "2"])
        #expect(objects[0].version == nil && objects[0].modified == 1_767_225_600_000)
    }

    @Test(
        arguments: [
            (["Event": "s3:TestEvent", "Bucket": "in"], false), (["Records": []], false),
            (["Records": [["eventName": "ObjectCreated:Put"]]], true), (["other": 1], true), ("text", true),
            (.null, true),
        ] as [(Value, Bool)])
    func whatIsNoNewsIsToldFromWhatIsNoNotification(_ row: (value: Value, isUnknown: Bool)) {
        switch ObjectNotice(row.value) {
        case .created: Issue.record("Expected no objects.")
        case .other: #expect(!row.isUnknown)
        case .unknown: #expect(row.isUnknown)
        }
    }
}

/// The source of aws-s3 against moto, an independent implementation of S3 and SQS.
@Suite(.serialized) struct ObjectSourceTests {
    private static let secrets = FixedSecrets([
        SecretReference(store: "test", name: "id"): Secret("AKIDEXAMPLE"),
        SecretReference(store: "test", name: "key"): Secret("canary/secret+key"),
    ])

    private struct Store {
        let connection: any Connection
        let queues: any Connection
        let bucket = "b-\(UUID().uuidString.lowercased())"
        let queue: Value

        init() async throws {
            let endpoint = Value.string(try Service.url("MOTO"))
            func connect(_ name: String, _ more: ValueContext) async throws -> any Connection {
                var parameters: ValueContext = [
                    "region": "eu-central-1", "endpoint": endpoint, "allowPrivate": true,
                    "credential": ["accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"]],
                ]
                parameters.merge(more)
                let spec = try specification(try Files.repository("connector-specs/\(name).yaml"))
                return try await DeclaredConnector(spec).connect(
                    ConnectionConfiguration(
                        id: name, parameters: .context(parameters), secrets: ObjectSourceTests.secrets))
            }
            self.connection = try await connect("aws-s3", ["queueEndpoint": endpoint])
            self.queues = try await connect("aws-sqs", [:])
            _ = try await ObjectSourceTests.value(
                self.connection, "buckets.create", ["bucket": .string(self.bucket)])
            let made = try await ObjectSourceTests.value(
                self.queues, "queues.create", ["name": .string("q-" + self.bucket)])
            self.queue = try #require(made["url"])
        }

        func put(_ key: String, _ text: String) async throws {
            _ = try await ObjectSourceTests.value(
                self.connection, "objects.put",
                ["bucket": .string(self.bucket), "key": .string(key), "text": .string(text)])
        }

        /// Tells of an object, as the bucket would.
        func tell(_ keys: [String], event: String = "ObjectCreated:Put") async throws {
            let records = keys.map { key -> Value in
                [
                    "eventName": .string(event), "eventTime": "2026-01-01T00:00:00.000Z",
                    "s3": [
                        "bucket": ["name": .string(self.bucket)],
                        "object": ["key": .string(URLEncoding.form(key)), "sequencer": "01"],
                    ],
                ]
            }
            try await self.send(JSON.string(["Records": .list(records)]))
        }

        func send(_ body: String) async throws {
            _ = try await ObjectSourceTests.value(
                self.queues, "messages.send", ["queueUrl": self.queue, "body": .string(body)])
        }

        func notified(_ more: ValueContext = [:]) -> ValueContext {
            var parameters: ValueContext = [
                "bucket": .string(self.bucket), "notify": "queue", "queueUrl": self.queue, "waitTime": "0s",
                "receivers": 1, "reconcile": "off",
            ]
            parameters.merge(more)
            return parameters
        }

        func source(
            _ parameters: ValueContext, memory: any SourceMemory = VolatileSourceMemory(), replay: Value? = nil
        ) async throws -> any EventSource {
            let source = try await self.connection.armSource(
                SourceRequest(event: "object", parameters: .context(parameters), memory: memory, replay: replay))
            try await source.connect()
            return source
        }

        func keys() async throws -> [String] {
            let listed = try await ObjectSourceTests.value(
                self.connection, "objects.list", ["bucket": .string(self.bucket)])
            return (listed["records"]?.asList ?? []).compactMap { $0["key"]?.asString }.sorted()
        }

        func notifications() async throws -> Int {
            let found = try await ObjectSourceTests.value(self.queues, "queues.attributes", ["queueUrl": self.queue])
            return ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"].reduce(0) {
                $0 + (found[$1]?.asString.flatMap { Int($0) } ?? 0)
            }
        }

        func close() async {
            await self.connection.close()
            await self.queues.close()
        }
    }

    private static func value(_ connection: any Connection, _ operation: String, _ input: Value) async throws -> Value {
        let outcome = await connection.invoke(OperationCall(operation: operation, input: input))
        if let error = outcome.error { throw error }
        return try #require(outcome.value)
    }

    /// Reads and acknowledges until `count` events were there.
    private static func drain(_ source: any EventSource, _ count: Int) async throws -> [SourceEvent] {
        let deadline = ContinuousClock.now + .seconds(20)
        var events: [SourceEvent] = []
        while events.count < count, ContinuousClock.now < deadline {
            guard let batch = try await source.read(maximum: 64, wait: .seconds(1)) else { continue }
            events += batch.events
            try await source.acknowledge(batch.id)
        }
        return events
    }

    @Test func operationsWorkOnObjects() async throws {
        let store = try await Store()
        try await store.connection.test()
        let bucket = Value.string(store.bucket)
        let key: Value = "orders/a b+ä/1.txt"
        _ = try await Self.value(store.connection, "objects.put", ["bucket": bucket, "key": key, "text": "grüße"])
        let text = try await Self.value(store.connection, "objects.getText", ["bucket": bucket, "key": key])
        #expect(text["text"] == "grüße")
        _ = try await Self.value(
            store.connection, "objects.putBytes", ["bucket": bucket, "key": "b", "base64": "AAH/"])
        let bytes = try await Self.value(store.connection, "objects.get", ["bucket": bucket, "key": "b"])
        #expect(bytes["base64"] == "AAH/")
        let head = try await Self.value(store.connection, "objects.head", ["bucket": bucket, "key": "b"])
        #expect(head["size"] == 3)
        _ = try await Self.value(
            store.connection, "objects.copy", ["bucket": bucket, "key": "c", "source": .string("/\(store.bucket)/b")])
        _ = try await Self.value(
            store.connection, "objects.tag", ["bucket": bucket, "key": "c", "tags": ["state": "done"]])
        _ = try await Self.value(store.connection, "objects.delete", ["bucket": bucket, "key": "b"])
        #expect(try await store.keys() == ["c", "orders/a b+ä/1.txt"])
        let missing = await store.connection.invoke(
            OperationCall(operation: "objects.get", input: ["bucket": bucket, "key": "b"]))
        #expect(missing.error?.kind == .notFound)
        #expect(missing.error?.details["code"] == "NoSuchKey")
        await store.close()
    }

    @Test func twoThousandRecordsOfObjectsThatWereToldOfComeOnceAndAreRemoved() async throws {
        let store = try await Store()
        for number in 0..<20 {
            let rows = (0..<100).map { "{\"n\":\(number * 100 + $0)}\n" }.joined()
            try await store.put("in/part \(number).jsonl", rows)
            try await store.tell(["in/part \(number).jsonl"])
        }
        let source = try await store.source(store.notified(["prefix": "in/", "done": "delete"]))
        let events = try await Self.drain(source, 2_000)
        #expect(events.count == 2_000)
        #expect(Set(events.map(\.id)).count == 2_000)
        let numbers = events.compactMap { event -> Value? in
            if case .value(let value) = event.body { value["n"] } else { nil }
        }
        #expect(Set(numbers.map { "\($0)" }).count == 2_000)
        #expect(events[0].coordinates["bucket"] == .string(store.bucket))
        #expect(try await store.keys() == [])
        #expect(try await store.notifications() == 0)
        await source.close()
        await store.close()
    }

    @Test func whatBothWaysTellOfHasOneID() async throws {
        let store = try await Store()
        try await store.put("a.txt", "hello")
        try await store.tell(["a.txt", "gone.txt"])
        let told = try await store.source(store.notified())
        let first = try await Self.drain(told, 1)
        await told.close()
        let listed = try await store.source(["bucket": .string(store.bucket)])
        let second = try await Self.drain(listed, 1)
        #expect(first.map(\.id) == second.map(\.id))
        #expect(first.count == 1)
        await listed.close()
        await store.close()
    }

    @Test func aListingFindsWhatIsNewAndNothingTwiceAlsoAfterARestart() async throws {
        let store = try await Store()
        let memory = VolatileSourceMemory()
        let parameters: ValueContext = ["bucket": .string(store.bucket), "reconcile": "1s"]
        try await store.put("a.txt", "1")
        try await store.put("b.txt", "2")
        let source = try await store.source(parameters, memory: memory)
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        // The second is read but not acknowledged.
        let other = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        try await source.acknowledge(batch.id)
        await source.close()
        try await store.put("c.txt", "3")
        let again = try await store.source(parameters, memory: memory)
        let events = try await Self.drain(again, 2)
        #expect(Set(events.map { $0.coordinates["key"] }) == [other.events[0].coordinates["key"], "c.txt"])
        #expect(try await again.read(maximum: 10, wait: .milliseconds(1_500)) == nil)
        await again.close()
        await store.close()
    }

    @Test func doneObjectsAreMovedAndNotFoundAgain() async throws {
        let store = try await Store()
        try await store.put("in/a b+ä.csv", "id\n1\n2\n")
        let source = try await store.source([
            "bucket": .string(store.bucket), "prefix": "in/", "reconcile": "1s", "done": ["move": "in/done/"],
        ])
        let events = try await Self.drain(source, 2)
        #expect(events.map { $0.coordinates["line"] } == [2, 3])
        #expect(try await store.keys() == ["in/done/a b+ä.csv"])
        #expect(try await source.read(maximum: 10, wait: .milliseconds(1_500)) == nil)
        await source.close()
        await store.close()
    }

    @Test func aRangeIsReadAgainAndNothingIsChanged() async throws {
        let store = try await Store()
        for key in ["x/a.txt", "x/b.txt", "y/c.txt"] { try await store.put(key, key) }
        let memory = VolatileSourceMemory()
        let source = try await store.source(
            ["bucket": .string(store.bucket), "done": "delete"], memory: memory,
            replay: ["prefix": "x/", "from": "2020-01-01T00:00:00Z"])
        let events = try await Self.drain(source, 2)
        #expect(events.map { $0.coordinates["key"] } == ["x/a.txt", "x/b.txt"])
        await #expect(throws: SourceInterruption.endOfInput) {
            _ = try await source.read(maximum: 1, wait: .seconds(1))
        }
        #expect(try await store.keys().count == 3)
        #expect(memory.load() == nil)
        await source.close()
        await store.close()
    }

    @Test func aTestEventIsForgottenAndWhatIsNoNotificationIsShown() async throws {
        let store = try await Store()
        try await store.send(#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#)
        try await store.tell(["gone"], event: "ObjectRemoved:Delete")
        try await store.send(#"{"hello":1}"#)
        try await store.send("no JSON")
        let source = try await store.source(store.notified())
        let events = try await Self.drain(source, 2)
        #expect(Set(events.map { String(decoding: $0.payload, as: UTF8.self) }) == [#"{"hello":1}"#, "no JSON"])
        for event in events { if case .undecodable = event.body {} else { Issue.record("\(event.body)") } }
        #expect(try await store.notifications() == 0)
        await source.close()
        await store.close()
    }

    @Test func anObjectThatIsTooLargeIsShownAndNotRead() async throws {
        let store = try await Store()
        try await store.put("big.txt", String(repeating: "x", count: 3_000))
        let source = try await store.source(["bucket": .string(store.bucket), "maxObject": "1KiB"])
        let events = try await Self.drain(source, 1)
        guard case .undecodable(let reason) = events.first?.body else {
            Issue.record("Expected it to be undecodable.")
            return
        }
        #expect(reason.reason.contains("3000"))
        await source.close()
        await store.close()
    }

    @Test func aRejectedBatchComesAgainAndItsObjectIsNotDoneBefore() async throws {
        let store = try await Store()
        try await store.put("a.jsonl", "1\n2\n")
        let source = try await store.source(["bucket": .string(store.bucket), "done": "delete"])
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        try await source.reject(batch.id, .redeliver(after: .milliseconds(200)))
        #expect(try await store.keys() == ["a.jsonl"])
        let again = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        #expect(again.events.map(\.id) == batch.events.map(\.id))
        try await source.acknowledge(again.id)
        _ = try await source.read(maximum: 10, wait: .milliseconds(50))
        #expect(try await store.keys() == [])
        await source.close()
        await store.close()
    }

    @Test(
        arguments: [
            ([:], "bucket"), (["bucket": "b", "notify": "queue"], "queueUrl"),
            (["bucket": "b", "reconcile": "off"], "reconcile"),
            (["bucket": "b", "done": "shred"], "done"), (["bucket": "b", "done": ["move": ""]], "move"),
            (["bucket": "b", "waitTime": "1s"], "waitTime"),
        ] as [(ValueContext, String)])
    func wrongParametersAreNamed(_ row: (parameters: ValueContext, name: String)) async throws {
        let spec = try specification(try Files.repository("connector-specs/aws-s3.yaml"))
        let connection = try await DeclaredConnector(spec).connect(
            ConnectionConfiguration(
                id: "s",
                parameters: [
                    "region": "eu-central-1",
                    "credential": ["accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"]],
                ], secrets: Self.secrets))
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await connection.armSource(SourceRequest(event: "object", parameters: .context(row.parameters)))
        }
        #expect(error?.message.contains(row.name) == true)
        await connection.close()
    }

    @Test func theConformanceSuitePasses() async throws {
        let store = try await Store()
        let suite = ConnectorConformance(
            module: DeclaredConnector(try specification(try Files.repository("connector-specs/aws-s3.yaml"))),
            configuration: ConnectionConfiguration(
                id: "s",
                parameters: [
                    "region": "eu-central-1", "endpoint": .string(try Service.url("MOTO")), "allowPrivate": true,
                    "credential": ["accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"]],
                ], secrets: Self.secrets),
            calls: [.init(OperationCall(operation: "objects.list", input: ["bucket": .string(store.bucket)]))])
        #expect(await suite.run().map(\.description) == [])
        await store.close()
    }
}
