import ConnectorKit
import HTTPConnector
import Testing
import Values

struct HTTPFailureTests {
    typealias StatusRow = (status: Int, kind: ConnectorError.Kind, retryable: Bool, executed: Bool)
    typealias RetryAfterRow = (text: String, expected: Duration?)
    typealias BrokenRow = (name: String, reply: StubReply, kind: ConnectorError.Kind)

    @Test(
        arguments: [
            (400, .validation, false, true),
            (401, .auth, false, false), (402, .quotaExhausted, false, true), (403, .permission, false, false),
            (404, .notFound, false, false), (408, .timeout, true, false), (409, .conflict, false, true),
            (410, .notFound, false, true), (415, .validation, false, false), (422, .validation, false, true),
            (425, .transient, true, false), (429, .rateLimited, true, false), (500, .transient, true, true),
            (501, .unsupported, false, true), (502, .transient, true, true), (503, .unavailable, true, false),
            (504, .timeout, true, true), (302, .validation, false, true),
        ] as [StatusRow])
    func statusesMapToTheTaxonomy(_ row: StatusRow) async throws {
        try await withStub(answering: { _ in .json("{\"detail\": \"because\\nof it\"}", status: row.status) }) {
            connection, _ in
            let error = try #require(await connection.invoke(request(["path": "p"])).error)
            #expect(error.kind == row.kind)
            #expect(error.isRetryable == row.retryable)
            #expect(error.mayHaveExecuted == row.executed)
            #expect(error.message.contains("\(row.status)") && error.message.contains("because of it"))
            #expect(error.details["status"]?.asInt64 == Int64(row.status))
            #expect(!error.remedy.isEmpty)
        }
    }

    @Test func anExpectedStatusIsNoFailure() async throws {
        try await withStub(answering: { _ in .status(404) }) { connection, _ in
            #expect(await connection.invoke(request(["expect": [200, 404]])).value?["status"]?.asInt64 == 404)
        }
    }

    @Test(
        arguments: [
            ("7", .seconds(7)),
            ("0", .zero), ("-1", nil), ("soon", nil),
            ("99999999999999999999", .seconds(31_536_000)),
            // The manual clock stands at 2025-06-15T15:06:40Z.
            ("Sun, 15 Jun 2025 15:07:10 GMT", .seconds(30)), ("Sunday, 15-Jun-25 15:07:10 GMT", .seconds(30)),
            ("Sun, 15 Jun 2025 15:00:00 GMT", .zero),
        ] as [RetryAfterRow])
    func retryAfterIsReadAsSecondsOrDate(_ row: RetryAfterRow) async throws {
        try await withStub(
            clock: ManualConnectorClock(), answering: { _ in .status(503, headers: ["Retry-After": row.text]) }
        ) {
            connection, _ in
            guard case .retry(let after, _) = await connection.invoke(request([:])) else {
                Issue.record("expected retry")
                return
            }
            #expect(after == row.expected)
        }
    }

    typealias LimitRow = (status: Int, headers: [String: String], kind: ConnectorError.Kind, after: Duration?)

    /// The manual clock stands at Unix second 1,750,000,000.
    @Test(
        arguments: [
            (429, ["RateLimit-Reset": "30"], .rateLimited, .seconds(30)),
            (429, ["X-RateLimit-Reset": "1750000045"], .rateLimited, .seconds(45)),
            (429, ["X-RateLimit-Reset": "1750000045000"], .rateLimited, .seconds(45)),
            (
                429, ["X-RateLimit-Reset-After": "1.5", "X-RateLimit-Reset": "1750000045"], .rateLimited,
                .milliseconds(1_500)
            ),
            (429, ["X-RateLimit-Reset": "1740000000"], .rateLimited, .zero),
            (429, ["X-RateLimit-Reset": "9999999999"], .rateLimited, .seconds(86_400)),
            (429, ["X-RateLimit-Reset": "soon"], .rateLimited, nil),
            (429, ["RateLimit-Reset": "30", "Retry-After": "2"], .rateLimited, .seconds(2)),
            (403, ["X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1750000045"], .rateLimited, .seconds(45)),
            (403, ["X-RateLimit-Remaining": "7", "X-RateLimit-Reset": "1750000045"], .permission, nil),
        ] as [LimitRow])
    func limitsSayWhenTheyAreNew(_ row: LimitRow) async throws {
        try await withStub(
            clock: ManualConnectorClock(), answering: { _ in .status(row.status, headers: row.headers) }
        ) { connection, _ in
            let error = try #require(await connection.invoke(request([:])).error)
            #expect(error.kind == row.kind && error.retryAfter == row.after, "\(error), \(row.headers)")
        }
    }

    @Test(
        arguments: [
            ("closed at once", .close, .transient),
            ("reset", .reset, .transient),
            ("half a body", .rawThenClose(Array("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc".utf8)), .transient),
            ("no HTTP", .rawThenClose(Array("SSH-2.0-OpenSSH\r\n".utf8)), .unknown),
            ("broken gzip", .rawThenClose(Self.brokenGzip), .unknown),
            ("JSON that is none", .json("{\"a\": "), .unknown),
            ("JSON in Latin-1", .rawThenClose(Self.latin1), .unknown),
        ] as [BrokenRow])
    func brokenAnswersAreNamedAndMayHaveExecuted(_ row: BrokenRow) async throws {
        try await withStub(answering: { _ in row.reply }) { connection, _ in
            let error = try #require(await connection.invoke(request(["method": "POST", "body": "x"])).error)
            #expect(error.kind == row.kind, "\(row.name): \(error)")
            #expect(error.mayHaveExecuted, "\(row.name)")
        }
    }

    static let brokenGzip =
        Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd".utf8)
    static let latin1 =
        Array("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n\"".utf8) + [0xE4, 0x22]

    @Test func nothingListeningIsUnavailableAndNotExecuted() async throws {
        let server = try StubServer { _ in .close }
        server.stop()
        let connection = try await HTTPModule().connect(
            ConnectionConfiguration(id: "x", parameters: ["baseUrl": .string(server.url), "allowPrivate": true]))
        // The listener closes on another thread; until then the kernel still takes the connection and drops it.
        var error: ConnectorError?
        for _ in 0..<200 where error?.kind != .unavailable { error = await connection.invoke(request([:])).error }
        await connection.close()
        #expect(error?.kind == .unavailable)
        #expect(error?.mayHaveExecuted == false)
    }

    @Test func silenceIsATimeout() async throws {
        try await withStub(answering: { _ in .hang }) { connection, _ in
            let error = try #require(await connection.invoke(request([:], timeout: .milliseconds(50))).error)
            #expect(error.kind == .timeout)
            #expect(error.mayHaveExecuted)
            #expect(error.message.contains("50ms"))
        }
    }

    @Test func cancellationEndsTheCallAtOnce() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        try await withStub(answering: { _ in
            arrival.yield()
            return .hang
        }) { connection, _ in
            let task = Task { await connection.invoke(request([:], timeout: .seconds(60))) }
            for await _ in arrived { break }
            task.cancel()
            let error = try #require(await task.value.error)
            #expect(error.code == ConnectorError.Code.cancelled)
            #expect(error.mayHaveExecuted)
            let early = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await connection.invoke(request([:]))
            }
            #expect(await early.value.error?.mayHaveExecuted == false)
        }
    }

    @Test func closingEndsCallsThatRun() async throws {
        let (arrived, arrival) = AsyncStream.makeStream(of: Void.self)
        try await withStub(answering: { _ in
            arrival.yield()
            return .hang
        }) { connection, _ in
            let task = Task { await connection.invoke(request([:], timeout: .seconds(60))) }
            for await _ in arrived { break }
            await connection.close()
            let error = try #require(await task.value.error)
            #expect(error.code == ConnectorError.Code.closed)
            #expect(error.mayHaveExecuted)
            #expect(await connection.invoke(request([:])).error?.code == ConnectorError.Code.closed)
        }
    }

    @Test(
        arguments: [
            ["path": "a/../b"], ["path": "a/%2E%2e/b"], ["path": "a?b=1"], ["path": "a#b"], ["url": "ftp://a/"],
            ["url": "http://u:p@127.0.0.1/"], ["url": "http://elsewhere.example/"], ["url": "http://x", "path": "y"],
            ["headers": ["X-A": "1\r\nX-Evil: 2"]], ["headers": ["X A": "1"]], ["headers": ["Host": "x"]],
            ["headers": ["Content-Length": "0"]], ["headers": ["X-A": ["b": 1]]], ["method": "BREW"], ["body": "x"],
            ["method": "PUT", "body": ["a": 1], "bodyEncoding": "text"],
            ["method": "PUT", "body": "!", "bodyEncoding": "base64"],
            ["method": "PUT", "body": "x", "bodyEncoding": "form"],
            ["expect": [99]], ["expect": []], ["query": ["a": ["b": 1]]], ["nonsense": 1], "no object",
        ] as [Value])
    func wrongInputIsRefusedBeforeAnythingIsSent(_ input: Value) async throws {
        try await withStub(answering: { _ in .status(200) }) { connection, server in
            let outcome = await connection.invoke(request(input))
            guard case .reject(let error) = outcome else {
                Issue.record("expected reject but got \(outcome)")
                return
            }
            #expect(error.kind == .validation)
            #expect(error.message.contains("input"))
            #expect(!error.mayHaveExecuted)
            #expect(server.requests.isEmpty)
        }
    }

    @Test func anUnknownFieldIsNamedWithTheOneMeant() async throws {
        try await withStub(answering: { _ in .status(200) }) { connection, _ in
            let error = await connection.invoke(request(["querry": [:]])).error
            #expect(error?.remedy == "Did you mean query?")
            let operation = await connection.invoke(OperationCall(operation: "requst", input: [:])).error
            #expect(operation?.kind == .unsupported)
            #expect(operation?.remedy == "Did you mean request?")
        }
    }
}
