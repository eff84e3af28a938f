import ConnectorKit
import HTTPConnector
import Testing
import Values

/// A connection to a stub, both ended when the body is done.
func withStub<Result>(
    _ parameters: ValueContext = ValueContext(), secrets: any SecretResolver = NoSecrets(),
    clock: any ConnectorClock = SystemConnectorClock(),
    answering handler: @escaping @Sendable (StubRequest) -> StubReply,
    _ body: (any Connection, StubServer) async throws -> Result
) async throws -> Result {
    let server = try StubServer(handler)
    defer { server.stop() }
    var all: ValueContext = ["baseUrl": .string(server.url), "allowPrivate": true]
    all.merge(parameters)
    let connection = try await HTTPModule().connect(
        ConnectionConfiguration(id: "stub", parameters: .context(all), secrets: secrets, clock: clock))
    do {
        let result = try await body(connection, server)
        await connection.close()
        return result
    } catch {
        await connection.close()
        throw error
    }
}

func request(_ input: Value, key: String? = nil, timeout: Duration = .seconds(10)) -> OperationCall {
    OperationCall(operation: "request", input: input, idempotencyKey: key, timeout: timeout)
}

struct HTTPRequestTests {
    typealias RepeatRow = (method: String, body: Value, isRepeated: Bool)
    typealias BodyRow = (name: String, input: ValueContext, type: String, body: String)

    @Test func sendsMethodPathQueryHeadersAndJSON() async throws {
        try await withStub(
            ["headers": ["X-Tenant": "a", "X-Drop": "x"]], answering: { _ in .json("{\"id\": 7}", status: 201) }
        ) {
            connection, server in
            let outcome = await connection.invoke(
                request(
                    [
                        "method": "POST", "path": "/orders/a b", "query": ["q": "ä&=", "n": [1, 2], "gone": .null],
                        "headers": ["X-Own": "1", "X-Drop": .null], "body": ["amount": 15],
                    ], key: "k-1"))
            #expect(outcome.error == nil)
            #expect(outcome.value?["status"]?.asInt64 == 201)
            #expect(outcome.value?["body"]?["id"]?.asInt64 == 7)
            #expect(outcome.value?["headers"]?["content-type"]?.asString == "application/json")
            let received = try #require(server.requests.first)
            #expect(received.method == "POST")
            #expect(received.target == "/orders/a%20b?q=%C3%A4%26%3D&n=1&n=2")
            #expect(received.text == "{\"amount\":15}")
            #expect(received.headers["content-type"] == "application/json")
            #expect(received.headers["x-tenant"] == "a")
            #expect(received.headers["x-own"] == "1")
            #expect(received.headers["x-drop"] == nil)
            #expect(received.headers["idempotency-key"] == "k-1")
        }
    }

    @Test(
        arguments: [
            (name: "text", input: ["body": "hi"] as ValueContext, type: "text/plain; charset=utf-8", body: "hi"),
            ("number as text", ["body": 3, "bodyEncoding": "text"], "text/plain; charset=utf-8", "3"),
            ("text as JSON", ["body": "hi", "bodyEncoding": "json"], "application/json", "\"hi\""),
            (
                "form", ["body": ["a": "1 2", "b": [true, 2]], "bodyEncoding": "form"],
                "application/x-www-form-urlencoded", "a=1%202&b=true&b=2"
            ),
            ("base64", ["body": "AP8B", "bodyEncoding": "base64"], "application/octet-stream", "\0\u{FFFD}\u{1}"),
            ("own type", ["body": "<a/>", "headers": ["content-type": "application/xml"]], "application/xml", "<a/>"),
            ("empty text", ["body": ""], "text/plain; charset=utf-8", ""),
        ] as [BodyRow])
    func writesTheBodyAsAsked(_ row: BodyRow) async throws {
        try await withStub(answering: { _ in .status(204) }) { connection, server in
            var input = row.input
            input["method"] = "PUT"
            let outcome = await connection.invoke(request(.context(input)))
            #expect(outcome.value?["status"]?.asInt64 == 204, "\(row.name): \(String(describing: outcome.error))")
            #expect(outcome.value?["body"] == .null)
            #expect(server.requests.first?.headers["content-type"] == row.type)
            #expect(server.requests.first?.text == row.body)
        }
    }

    @Test func methodsWithoutBodySendNone() async throws {
        try await withStub(answering: { _ in .status(200) }) { connection, server in
            for method in ["GET", "HEAD", "DELETE", "OPTIONS", "POST"] {
                let outcome = await connection.invoke(request(["method": .string(method), "path": "x"]))
                #expect(outcome.error == nil, "\(method)")
            }
            #expect(server.requests.map(\.method) == ["GET", "HEAD", "DELETE", "OPTIONS", "POST"])
            #expect(server.requests.allSatisfy { $0.body.isEmpty && $0.headers["content-type"] == nil })
            #expect(server.requests.allSatisfy { $0.headers["expect"] == nil && $0.target == "/x" })
        }
    }

    @Test func reusesTheConnectionUnlessARepeatWouldDoHarm() async throws {
        try await withStub(answering: { _ in .status(200) }) { connection, server in
            _ = await connection.invoke(request(["path": "1"]))
            _ = await connection.invoke(request(["path": "2"]))
            let post = request(["path": "3", "method": "POST", "body": "x"])
            #expect(await connection.isRepeatable(post) == false)
            _ = await connection.invoke(post)
            _ = await connection.invoke(request(["path": "4", "method": "POST"]))
            #expect(server.requests.map(\.connection) == [1, 1, 1, 2])
            #expect(server.requests[2].text == "x")
        }
        try await withStub(["honoursIdempotencyKey": true], answering: { _ in .status(200) }) { connection, server in
            let post = request(["method": "POST"], key: "k")
            #expect(await connection.isRepeatable(post) == true)
            _ = await connection.invoke(post)
            _ = await connection.invoke(post)
            #expect(server.requests.map(\.connection) == [1, 1])
        }
    }

    /// libcurl repeats a request by itself when a connection it used before is closed without an answer.
    @Test(
        arguments: [
            ("POST", "x", false), ("PATCH", ["a": [1, 2]], false),
            ("POST", .string(String(repeating: "y", count: 300_000)), false), ("PUT", "x", true), ("GET", .null, true),
        ] as [RepeatRow])
    func onlyARequestThatMayBeRepeatedIs(_ row: RepeatRow) async throws {
        try await withStub(answering: { $0.target == "/first" || $0.connection > 1 ? .status(200) : .close }) {
            connection, server in
            _ = await connection.invoke(request(["path": "first"]))
            let outcome = await connection.invoke(
                request(["path": "second", "method": .string(row.method), "body": row.body]))
            if row.isRepeated {
                #expect(outcome.error == nil)
                #expect(server.requests.map(\.target) == ["/first", "/second", "/second"])
            } else {
                #expect(outcome.error?.code == "CON-1004" && outcome.error?.mayHaveExecuted == true, "\(outcome)")
                #expect(server.requests.map(\.target) == ["/first", "/second"])
            }
        }
    }

    @Test func readsWhatABodyIs() async throws {
        let bodies: [(String, [UInt8])] = [
            ("text/plain", Array("grüß".utf8)), ("application/octet-stream", [0xFF, 0x00]),
            ("application/problem+json", Array("[1]".utf8)),
        ]
        try await withStub(answering: { request in
            let (type, bytes) = bodies[Int(request.target.dropFirst()) ?? 0]
            return .rawThenClose(
                Array("HTTP/1.1 200 OK\r\nContent-Type: \(type)\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8) + bytes
            )
        }) { connection, _ in
            let results = [
                await connection.invoke(request(["path": "0"])), await connection.invoke(request(["path": "1"])),
                await connection.invoke(request(["path": "2"])),
            ].map(\.value)
            #expect(results[0]?["body"] == "grüß")
            #expect(results[0]?["bodyEncoding"] == "text")
            #expect(results[1]?["body"] == "/wA=")
            #expect(results[1]?["bodyEncoding"] == "base64")
            #expect(results[2]?["body"] == [1])
        }
    }

    @Test func repeatedHeadersAreJoined() async throws {
        try await withStub(answering: { _ in
            .raw(
                "HTTP/1.1 200 OK\r\nVia: a\r\nvia:  b \r\nSet-Cookie: x=1\r\nSet-Cookie: y=2\r\nContent-Length: 0\r\n\r\n"
            )
        }) { connection, _ in
            let value = await connection.invoke(request([:])).value
            #expect(value?["headers"]?["via"] == "a, b")
            #expect(value?["headers"]?["set-cookie"] == "x=1\ny=2")
        }
    }

    @Test func aReplayedAnswerCountsAsDoneBefore() async throws {
        try await withStub(answering: { _ in .json("{}", headers: ["Idempotency-Replayed": "true"]) }) {
            connection, _ in
            guard case .alreadyDone = await connection.invoke(request([:])) else {
                Issue.record("expected alreadyDone")
                return
            }
        }
    }

    @Test func credentialsAreResolvedForEachCall() async throws {
        let secrets = FixedSecrets([
            SecretReference(store: "env", name: "T"): Secret("s3cret"),
            SecretReference(store: "env", name: "BAD"): Secret("s3cret\r\nX-Evil: 1"),
        ])
        let cases: [(auth: Value, header: String, value: String)] = [
            (["type": "bearer", "token": ["secret": "env:T"]], "authorization", "Bearer s3cret"),
            (
                ["type": "basic", "user": "u", "password": ["secret": "env:T"]], "authorization",
                "Basic dTpzM2NyZXQ="
            ),
            (["type": "apiKey", "header": "X-Key", "value": ["secret": "env:T"]], "x-key", "s3cret"),
        ]
        for row in cases {
            try await withStub(["auth": row.auth], secrets: secrets, answering: { _ in .status(200) }) {
                connection, server in
                _ = await connection.invoke(request([:]))
                #expect(server.requests.first?.headers[row.header] == row.value)
            }
        }
        for name in ["BAD", "MISSING"] {
            let auth: Value = ["type": "bearer", "token": ["secret": .string("env:" + name)]]
            try await withStub(["auth": auth], secrets: secrets, answering: { _ in .status(200) }) {
                connection, server in
                let outcome = await connection.invoke(request([:]))
                guard case .park(let error) = outcome else {
                    Issue.record("expected park but got \(outcome)")
                    return
                }
                #expect(error.kind == .auth)
                #expect(!"\(error)".contains("s3cret"))
                #expect(server.requests.isEmpty)
            }
        }
    }

    @Test func manyCallsAtOnceAllEnd() async throws {
        try await withStub(["maxConnections": 8], answering: { .json("{\"echo\": \"\($0.target)\"}") }) {
            connection, server in
            let echoes = await withTaskGroup(of: String?.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        await connection.invoke(request(["path": .string("n/\(number)")])).value?["body"]?["echo"]?
                            .asString
                    }
                }
                return await group.reduce(into: Set<String>()) { if let text = $1 { $0.insert(text) } }
            }
            #expect(echoes == Set((0..<200).map { "/n/\($0)" }))
            #expect(Set(server.requests.map(\.connection)).count <= 8)
        }
    }
}
