import ConnectorKit
import Foundation
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

/// The source of aws-sqs against moto, an independent implementation of SQS.
@Suite(.serialized) struct QueueSourceTests {
    private static let secrets = FixedSecrets([
        SecretReference(store: "test", name: "id"): Secret("AKIDEXAMPLE"),
        SecretReference(store: "test", name: "key"): Secret("canary/secret+key"),
    ])

    /// A connection, and a queue of its own.
    private struct Queue {
        let connection: any Connection
        let url: Value

        init(fifo: Bool = false, attributes: ValueContext = [:]) async throws {
            let connector = DeclaredConnector(try specification(try Files.repository("connector-specs/aws-sqs.yaml")))
            self.connection = try await connector.connect(
                ConnectionConfiguration(
                    id: "q",
                    parameters: [
                        "region": "eu-central-1", "endpoint": .string(try Service.url("MOTO")), "allowPrivate": true,
                        "credential": [
                            "accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"],
                        ],
                    ], secrets: QueueSourceTests.secrets))
            var attributes = attributes
            if fifo { attributes["FifoQueue"] = "true" }
            let made = try await QueueSourceTests.value(
                self.connection, "queues.create",
                [
                    "name": .string("q-\(UUID().uuidString)" + (fifo ? ".fifo" : "")),
                    "attributes": .context(attributes),
                ])
            self.url = try #require(made["url"])
        }

        func source(_ more: ValueContext = [:], decoding: RecordDecoding = .init()) async throws -> any EventSource {
            var parameters: ValueContext = [
                "queueUrl": self.url, "waitTime": "1s", "visibility": "30s", "receivers": 1,
            ]
            parameters.merge(more)
            let source = try await self.connection.armSource(
                SourceRequest(event: "message", parameters: .context(parameters), decoding: decoding))
            try await source.connect()
            return source
        }

        func send(_ entries: [Value]) async throws {
            for start in stride(from: 0, to: entries.count, by: 10) {
                _ = try await QueueSourceTests.value(
                    self.connection, "messages.sendBatch",
                    ["queueUrl": self.url, "entries": .list(Array(entries[start..<min(start + 10, entries.count)]))])
            }
        }

        func send(_ bodies: [String]) async throws {
            try await self.send(
                bodies.enumerated().map { ["Id": .string("e\($0.offset)"), "MessageBody": .string($0.element)] })
        }

        /// What is in the queue, hidden or not.
        func count() async throws -> Int {
            let found = try await QueueSourceTests.value(
                self.connection, "queues.attributes", ["queueUrl": self.url])
            return ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"].reduce(0) {
                $0 + (found[$1]?.asString.flatMap { Int($0) } ?? 0)
            }
        }
    }

    /// The ids each was seen under.
    private final class Tally: Sendable {
        private let seen = Mutex<[String: Set<String>]>([:])
        var ids: [String: Set<String>] { self.seen.withLock { $0 } }
        var count: Int { self.seen.withLock { $0.count } }
        func add(_ name: String, _ id: String) { _ = self.seen.withLock { $0[name, default: []].insert(id) } }
    }

    private static func value(_ connection: any Connection, _ operation: String, _ input: Value) async throws -> Value {
        let outcome = await connection.invoke(OperationCall(operation: operation, input: input))
        if let error = outcome.error { throw error }
        return try #require(outcome.value)
    }

    /// Reads until `count` events are there.
    private static func read(_ source: any EventSource, _ count: Int) async throws -> [EventBatch] {
        let deadline = ContinuousClock.now + .seconds(20)
        var batches: [EventBatch] = []
        while batches.reduce(0, { $0 + $1.events.count }) < count, ContinuousClock.now < deadline {
            if let batch = try await source.read(maximum: 100, wait: .seconds(1)) { batches.append(batch) }
        }
        return batches
    }

    @Test func twoThousandMessagesComeUnderOneIDEachToTwoNodesAndAreDeleted() async throws {
        let queue = try await Queue()
        let seen = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                let source = try await queue.source(["receivers": 1, "waitTime": "0s"])
                group.addTask {
                    let deadline = ContinuousClock.now + .seconds(60)
                    while seen.count < 2_000, ContinuousClock.now < deadline {
                        guard let batch = try await source.read(maximum: 50, wait: .milliseconds(200)) else { continue }
                        for event in batch.events {
                            guard case .value(let value) = event.body, let number = value["n"] else { continue }
                            seen.add("\(number)", event.id)
                        }
                        try await source.acknowledge(batch.id)
                    }
                    await source.close()
                }
            }
            // Few at a time: the time moto takes for a message grows with those it has.
            group.addTask {
                for start in stride(from: 0, to: 2_000, by: 50) {
                    let deadline = ContinuousClock.now + .seconds(20)
                    while seen.count < start - 50, ContinuousClock.now < deadline {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    try await queue.send((start..<start + 50).map { "{\"n\":\($0)}" })
                }
            }
            try await group.waitForAll()
        }
        #expect(seen.count == 2_000)
        #expect(seen.ids.values.allSatisfy { $0.count == 1 })
        #expect(try await queue.count() == 0)
        await queue.connection.close()
    }

    @Test func aGroupOfAFIFOQueueStaysInOrder() async throws {
        let queue = try await Queue(fifo: true)
        try await queue.send(
            (0..<30).map { number in
                [
                    "Id": .string("e\(number % 10)"), "MessageBody": .string("\(number)"),
                    "MessageGroupId": .string("g\(number % 3)"), "MessageDeduplicationId": .string("d\(number)"),
                ]
            })
        // One receiver: moto, unlike SQS, may give a group to two calls at once.
        let source = try await queue.source(["receivers": 1, "waitTime": "0s"])
        var order: [String: [Int]] = [:]
        let deadline = ContinuousClock.now + .seconds(30)
        while order.values.reduce(0, { $0 + $1.count }) < 30, ContinuousClock.now < deadline {
            guard let batch = try await source.read(maximum: 7, wait: .seconds(1)) else { continue }
            for event in batch.events {
                let number = try #require(Int(String(decoding: event.payload, as: UTF8.self)))
                #expect(event.id == "d\(number)")
                order[event.coordinates["orderingKey"]?.asString ?? "", default: []].append(number)
            }
            try await source.acknowledge(batch.id)
        }
        #expect(order.count == 3)
        for numbers in order.values { #expect(numbers == numbers.sorted() && numbers.count == 10) }
        await source.close()
        await queue.connection.close()
    }

    @Test func aRejectedMessageComesAgainUnderItsIDAndSaysHowOften() async throws {
        let queue = try await Queue()
        try await queue.send(["x"])
        let source = try await queue.source()
        let first = try #require(try await Self.read(source, 1).first)
        #expect(first.events[0].coordinates["deliveries"] == 1)
        try await source.reject(first.id, .redeliver(after: .seconds(1)))
        #expect(try await source.read(maximum: 1, wait: .milliseconds(300)) == nil)
        let second = try #require(try await Self.read(source, 1).first)
        #expect(second.events[0].id == first.events[0].id)
        #expect(second.events[0].coordinates["deliveries"] == 2)
        try await source.acknowledge(second.id)
        #expect(try await queue.count() == 0)
        await source.close()
        await queue.connection.close()
    }

    @Test func aSlowConsumerKeepsItsMessageWhileItIsExtendedAndLosesItOtherwise() async throws {
        for extend in [true, false] {
            let queue = try await Queue()
            try await queue.send(["x"])
            let slow = try await queue.source(["visibility": "4s", "extend": .boolean(extend)])
            let held = try #require(try await Self.read(slow, 1).first)
            let other = try await queue.source()
            var again: EventBatch?
            let deadline = ContinuousClock.now + (extend ? .seconds(5) : .seconds(15))
            while again == nil, ContinuousClock.now < deadline {
                // Either may get it: the slow one goes on receiving.
                again = try await other.read(maximum: 1, wait: .milliseconds(200))
                if again == nil { again = try await slow.read(maximum: 1, wait: .milliseconds(200)) }
            }
            if extend {
                #expect(again == nil)
                try await slow.acknowledge(held.id)
                #expect(try await queue.count() == 0)
            } else {
                #expect(again?.events.map(\.id) == held.events.map(\.id))
            }
            await slow.close()
            await other.close()
            await queue.connection.close()
        }
    }

    @Test func whatNobodyReadIsForOthersWhenASourceCloses() async throws {
        let queue = try await Queue()
        try await queue.send((0..<10).map { "\($0)" })
        let first = try await queue.source(["receivers": 1])
        let batch = try #require(try await first.read(maximum: 1, wait: .seconds(5)))
        await first.close()
        let second = try await queue.source()
        let others = try await Self.read(second, 9)
        #expect(others.reduce(0) { $0 + $1.events.count } == 9)
        #expect(!others.joinedIDs.contains(batch.events[0].id))
        await second.close()
        await queue.connection.close()
    }

    @Test func poisonIsUndecodableAndTheRestIsNot() async throws {
        let queue = try await Queue()
        try await queue.send([#"{"n":1}"#, #"{"n":"#, "\u{1}?"])
        var decoding = RecordDecoding()
        decoding.format = .json
        let source = try await queue.source(decoding: decoding)
        let events = try await Self.read(source, 3).flatMap(\.events)
        let bad = events.filter { if case .undecodable = $0.body { true } else { false } }
        #expect(events.count == 3)
        #expect(Set(bad.map { String(decoding: $0.payload, as: UTF8.self) }) == [#"{"n":"#, "\u{1}?"])
        await source.close()
        await queue.connection.close()
    }

    @Test func aQueueThatDoesNotExistIsSaidToTheReader() async throws {
        let queue = try await Queue()
        let missing = "\(try Service.url("MOTO"))/123456789012/nothing"
        let source = try await queue.source(["queueUrl": .string(missing)])
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await source.read(maximum: 1, wait: .seconds(10))
        }
        #expect(error?.kind == .notFound)
        await source.close()
        await queue.connection.close()
    }

    @Test func aQueueCannotReplay() async throws {
        let queue = try await Queue()
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await queue.connection.armSource(
                SourceRequest(event: "message", parameters: ["queueUrl": queue.url], replay: ["from": 1]))
        }
        #expect(error?.code == "CON-6109")
        await queue.connection.close()
    }
}

extension [EventBatch] {
    fileprivate var joinedIDs: [String] { self.flatMap(\.events).map(\.id) }
}
