import ConnectorKit
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

/// What a queue's source does about trouble, with answers made up for it.
@Suite struct QueueFailureTests {
    private static func source(
        _ answer: @escaping @Sendable (_ target: String, _ body: Value, _ count: Int) throws -> SpecResponse,
        parameters: ValueContext = [:]
    ) async throws -> (any EventSource, ScriptedTransport) {
        let counts = Mutex<[String: Int]>([:])
        let transport = ScriptedTransport { request in
            let target = String((request.header("X-Amz-Target") ?? "").split(separator: ".").last ?? "")
            let count = counts.withLock { counts in
                counts[target, default: 0] += 1
                return counts[target, default: 0]
            }
            return try answer(target, (try? JSON.parse(request.body ?? [])) ?? .null, count)
        }
        let connector = DeclaredConnector(try specification(try Files.repository("connector-specs/aws-sqs.yaml")))
        let connection = try await ScriptedModule(connector: connector, transport: transport).connect(
            ConnectionConfiguration(
                id: "q",
                parameters: [
                    "region": "eu-central-1", "queueUrl": "https://q/orders",
                    "credential": ["accessKeyId": ["secret": "test:id"], "secretAccessKey": ["secret": "test:key"]],
                ]))
        var all: ValueContext = ["receivers": 1, "waitTime": "0s"]
        all.merge(parameters)
        let source = try await connection.armSource(SourceRequest(event: "message", parameters: .context(all)))
        try await source.connect()
        return (source, transport)
    }

    private static let twoMessages = SpecResponse.json([
        "Messages": [
            ["MessageId": "m-1", "ReceiptHandle": "h-1", "Body": "a"],
            ["MessageId": "m-2", "ReceiptHandle": "h-2", "Body": "b"],
        ]
    ])

    private static func deletions(_ transport: ScriptedTransport) -> [[Value]] {
        transport.requests.filter { $0.header("X-Amz-Target")?.hasSuffix("DeleteMessageBatch") ?? false }.map {
            request in
            ((try? JSON.parse(request.body ?? []))?["Entries"]?.asList ?? []).map { $0["ReceiptHandle"] ?? .null }
        }
    }

    @Test func onlyWhatCouldNotBeDeletedIsDeletedAgain() async throws {
        let (source, transport) = try await Self.source { target, body, count in
            switch (target, count) {
            case ("ReceiveMessage", 1): Self.twoMessages
            case ("DeleteMessageBatch", 1):
                .json(["Successful": [["Id": "m0"]], "Failed": [["Id": "m1", "SenderFault": false, "Code": "Busy"]]])
            case ("DeleteMessageBatch", 2): .json(["message": "wait"], status: 503)
            default: .json([:])
            }
        }
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        try await source.acknowledge(batch.id)
        #expect(Self.deletions(transport) == [["h-1", "h-2"], ["h-2"], ["h-2"]])
        await source.close()
    }

    @Test func aMessageThatIsNoLongerOursIsLeftAlone() async throws {
        let (source, transport) = try await Self.source { target, _, count in
            switch (target, count) {
            case ("ReceiveMessage", 1): Self.twoMessages
            case ("DeleteMessageBatch", _):
                .json(["Failed": [["Id": "m0", "SenderFault": true, "Code": "ReceiptHandleIsInvalid"]]])
            default: .json([:])
            }
        }
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        try await source.acknowledge(batch.id)
        #expect(Self.deletions(transport).count == 1)
        await source.close()
    }

    @Test func whatCannotBeDeletedAtAllIsSaid() async throws {
        let (source, transport) = try await Self.source { target, _, count in
            switch (target, count) {
            case ("ReceiveMessage", 1): Self.twoMessages
            case ("DeleteMessageBatch", _):
                .json(["Failed": [["Id": "m0", "SenderFault": false, "Code": "InternalError"]]])
            default: .json([:])
            }
        }
        let batch = try #require(try await source.read(maximum: 10, wait: .seconds(5)))
        let error = await #expect(throws: ConnectorError.self) { try await source.acknowledge(batch.id) }
        #expect(error?.code == "CON-6108")
        #expect(error?.message.contains("InternalError") == true)
        #expect(Self.deletions(transport).count == 5)
        await source.close()
    }

    @Test func anOutageIsSaidAfterAFewAttempts() async throws {
        let (source, _) = try await Self.source { _, _, _ in .json(["message": "down"], status: 503) }
        let error = await #expect(throws: SourceInterruption.self) {
            _ = try await source.read(maximum: 1, wait: .seconds(20))
        }
        guard case .notConnected(let reason) = error else {
            Issue.record("Expected notConnected but found \(String(describing: error)).")
            return
        }
        #expect(reason.contains("503"))
        await source.close()
    }

    @Test func throttlingIsWaitedOut() async throws {
        let (source, _) = try await Self.source { target, _, count in
            guard target == "ReceiveMessage" else { return .json([:]) }
            guard count > 2 else {
                return .json(["__type": "com.amazonaws.sqs#RequestThrottled", "message": "slow"], status: 400)
            }
            return count == 3 ? Self.twoMessages : .json([:])
        }
        #expect(try await source.read(maximum: 10, wait: .seconds(10))?.events.map(\.id) == ["m-1", "m-2"])
        await source.close()
    }

    @Test(arguments: [
        ("ExpiredTokenException", ConnectorError.Kind.auth), ("AccessDeniedException", .permission),
        ("QueueDoesNotExist", .notFound),
    ])
    func whatDoesNotPassIsSaidAtOnce(_ row: (type: String, kind: ConnectorError.Kind)) async throws {
        let (source, transport) = try await Self.source { _, _, _ in
            .json(["__type": .string("com.amazonaws.sqs#" + row.type), "message": "no"], status: 400)
        }
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await source.read(maximum: 1, wait: .seconds(10))
        }
        #expect(error?.kind == row.kind)
        #expect(transport.requests.count == 1)
        // Until it is connected again, nothing is asked.
        await #expect(throws: SourceInterruption.self) { _ = try await source.read(maximum: 1, wait: .zero) }
        await source.close()
    }

    @Test(
        arguments: [
            .json(["Messages": "none"]), .json(["Messages": [["Body": "x"]]]),
            SpecResponse(
                status: 200, headers: [("content-type", "application/x-amz-json-1.0")],
                body: Array(#"{"Messages":[{"#.utf8)),
        ] as [SpecResponse])
    func anAnswerThatIsSomethingElseIsSaid(_ answer: SpecResponse) async throws {
        let (source, _) = try await Self.source { _, _, _ in answer }
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await source.read(maximum: 1, wait: .seconds(10))
        }
        #expect(error?.code == "CON-6103")
        await source.close()
    }

    @Test func aReaderThatDoesNotReadStopsTheReceivers() async throws {
        let (source, transport) = try await Self.source { target, _, count in
            guard target == "ReceiveMessage" else { return .json([:]) }
            return .json([
                "Messages": .list(
                    (0..<10).map { number in
                        [
                            "MessageId": .string("m-\(count)-\(number)"),
                            "ReceiptHandle": .string("h-\(count)-\(number)"),
                            "Body": "x",
                        ]
                    })
            ])
        }
        let deadline = ContinuousClock.now + .seconds(5)
        while await source.backlog() ?? 0 < 20, ContinuousClock.now < deadline { await Task.yield() }
        for _ in 0..<1_000 { await Task.yield() }
        #expect(await source.backlog() == 20)
        #expect(transport.requests.count == 2)
        await source.close()
    }

    @Test(
        arguments: [
            (["waitTime": "21s"], "waitTime"), (["visibility": "13h"], "visibility"), (["receivers": 17], "receivers"),
            (["unwrap": "soap"], "unwrap"), (["queue": "x"], "queue"),
        ] as [(ValueContext, String)])
    func wrongParametersAreNamed(_ row: (parameters: ValueContext, name: String)) async throws {
        let error = await #expect(throws: ConnectorError.self) {
            _ = try await Self.source({ _, _, _ in .json([:]) }, parameters: row.parameters)
        }
        #expect(error?.code == ConnectorError.Code.invalidParameters)
        #expect(error?.message.contains(row.name) == true)
    }
}
