import ConnectorKit
import HTTPConnector
import Testing
import Values

struct HTTPAddressGuardTests {
    @Test(arguments: ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]", "[::ffff:127.0.0.1]"])
    func aLoopbackServiceIsNotCalledUnlessAllowed(_ host: String) async throws {
        let server = try StubServer { _ in .status(200) }
        defer { server.stop() }
        let connection = try await HTTPModule().connect(
            ConnectionConfiguration(id: "x", parameters: ["baseUrl": .string("http://\(host):\(server.port)")]))
        let error = try #require(await connection.invoke(request([:])).error)
        #expect(error.kind == .permission)
        #expect(error.code == "CON-1006")
        #expect(!error.mayHaveExecuted)
        #expect(server.requests.isEmpty)
        await connection.close()
    }

    @Test func anAllowListedHostMayBePrivate() async throws {
        let parameters: ValueContext = ["allowPrivate": false, "allowPrivateHosts": ["127.0.0.1"]]
        try await withStub(parameters, answering: { _ in .status(200) }) { connection, _ in
            #expect(await connection.invoke(request([:])).error == nil)
        }
    }
}

struct HTTPRedirectTests {
    @Test func redirectsAreNotFollowedByDefault() async throws {
        try await withStub(answering: { _ in .status(302, headers: ["Location": "/next"]) }) { connection, server in
            let error = try #require(await connection.invoke(request([:])).error)
            #expect(error.code == "CON-1010")
            #expect(error.message.contains("/next"))
            #expect(server.requests.count == 1)
        }
    }

    @Test(arguments: [
        (status: 301, method: "POST", after: "GET"), (302, "POST", "GET"), (303, "PUT", "GET"), (307, "POST", "POST"),
        (308, "PUT", "PUT"), (301, "GET", "GET"), (303, "HEAD", "HEAD"),
    ])
    func allowedRedirectsKeepOrChangeTheMethod(_ row: (status: Int, method: String, after: String)) async throws {
        try await withStub(
            ["redirects": 1],
            answering: { request in
                request.target == "/a" ? .status(row.status, headers: ["Location": "b?c=1"]) : .status(200)
            }
        ) { connection, server in
            let body: Value = row.method == "GET" || row.method == "HEAD" ? .null : ["x": 1]
            let outcome = await connection.invoke(
                request(["method": .string(row.method), "path": "a", "body": body]))
            #expect(outcome.error == nil)
            #expect(outcome.facts["redirects"]?.asInt64 == 1)
            #expect(server.requests.map(\.target) == ["/a", "/b?c=1"])
            #expect(server.requests.last?.method == row.after)
            #expect(server.requests.last?.text == (row.after == "GET" || body.isNull ? "" : "{\"x\":1}"))
            #expect((server.requests.last?.headers["content-type"] == nil) == (row.after == "GET" || body.isNull))
        }
    }

    @Test(arguments: [
        "http://elsewhere.example/", "ftp://127.0.0.1/", "file:///etc/passwd", "http://u:p@127.0.0.1/", "http://[::1/",
    ])
    func redirectsToPlacesNotAllowedAreNotFollowed(_ target: String) async throws {
        try await withStub(["redirects": 5], answering: { _ in .status(302, headers: ["Location": target]) }) {
            connection, server in
            #expect(await connection.invoke(request([:])).error?.code == "CON-1010")
            #expect(server.requests.count == 1)
        }
    }

    @Test func aRedirectLoopEnds() async throws {
        try await withStub(["redirects": 3], answering: { _ in .status(307, headers: ["Location": "/"]) }) {
            connection, server in
            #expect(await connection.invoke(request([:])).error?.code == "CON-1010")
            #expect(server.requests.count == 4)
        }
    }

    @Test func credentialsDoNotFollowToAnotherHost() async throws {
        let other = try StubServer { _ in .status(200) }
        defer { other.stop() }
        let location = "http://127.0.0.1:\(other.port)/"
        let secrets = FixedSecrets([SecretReference(store: "env", name: "T"): Secret("s3cret")])
        let parameters: ValueContext = [
            "redirects": 1, "allowHosts": ["127.0.0.1"], "headers": ["X-Api-Key": "k"],
            "auth": ["type": "bearer", "token": ["secret": "env:T"]],
        ]
        try await withStub(
            parameters, secrets: secrets, answering: { _ in .status(302, headers: ["Location": location]) }
        ) {
            connection, server in
            let outcome = await connection.invoke(request(["headers": ["X-Plain": "1", "Cookie": "c=1"]]))
            #expect(outcome.error == nil)
            #expect(server.requests.first?.headers["authorization"] == "Bearer s3cret")
            let headers = try #require(other.requests.first).headers
            #expect(headers["x-plain"] == "1")
            #expect(headers["authorization"] == nil && headers["x-api-key"] == nil && headers["cookie"] == nil)
        }
    }
}

struct HTTPCanaryTests {
    static let canary = "c4nary-s3cret"

    static let auths: [Value] = [
        ["type": "bearer", "token": ["secret": "env:C"]],
        ["type": "basic", "user": ["secret": "env:C"], "password": ["secret": "env:C"]],
        ["type": "digest", "user": "u", "password": ["secret": "env:C"]],
        ["type": "apiKey", "query": "key", "value": ["secret": "env:C"]],
        ["type": "apiKey", "header": "X-Key", "value": ["secret": "env:C"]],
        ["type": "jwt", "algorithm": "HS256", "key": ["secret": "env:C"]],
        ["type": "jwt", "algorithm": "RS256", "key": ["secret": "env:C"]],
        [
            "type": "awsSignature", "region": "r", "service": "s3", "accessKeyId": ["secret": "env:C"],
            "secretAccessKey": ["secret": "env:C"], "sessionToken": ["secret": "env:C"],
        ],
        ["type": "hmac", "key": ["secret": "env:C"], "header": "X-Sig", "stringToSign": "{body}"],
    ]

    /// Whatever goes wrong, no error and no fact holds a secret.
    @Test(arguments: auths)
    func noErrorHoldsASecret(_ auth: Value) async throws {
        let secrets = FixedSecrets([SecretReference(store: "env", name: "C"): Secret(Self.canary)])
        let handler: @Sendable (StubRequest) -> StubReply = { request in
            switch request.target.split(separator: "?")[0] {
            case "/close": .close
            case "/hang": .hang
            case "/redirect": .status(302, headers: ["Location": "http://elsewhere.example" + request.target])
            case "/odd": .raw("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n{")
            case "/refused":
                .status(401, headers: ["WWW-Authenticate": "Digest realm=\"r\", nonce=\"n\", qop=\"auth\""])
            default: .status(500)
            }
        }
        let parameters: ValueContext = ["auth": auth, "redirects": 3]
        try await withStub(parameters, secrets: secrets, answering: handler) { connection, _ in
            for path in ["close", "hang", "redirect", "odd", "refused", "failed"] {
                let outcome = await connection.invoke(
                    request(["path": .string(path)], timeout: path == "hang" ? .milliseconds(50) : .seconds(5)))
                #expect(outcome.error != nil, "\(path)")
                #expect(!"\(outcome) \(outcome.facts)".contains(Self.canary), "\(path): \(outcome)")
            }
        }
        var unreachable = parameters
        unreachable["baseUrl"] = "http://127.0.0.1:1"
        try await withStub(unreachable, secrets: secrets, answering: handler) { connection, _ in
            let outcome = await connection.invoke(request(["path": "x"]))
            #expect(outcome.error != nil && !"\(outcome)".contains(Self.canary), "\(outcome)")
        }
    }
}

struct HTTPLimitTests {
    @Test func aBodyLargerThanAllowedIsRefused() async throws {
        let bodies = [String(repeating: "x", count: 1_024), String(repeating: "x", count: 1_025)]
        try await withStub(
            ["maxResponse": "1KiB"],
            answering: { request in
                let body = bodies[request.target == "/large" ? 1 : 0]
                // Without a length, so that only counting can tell.
                return .rawThenClose(Array("HTTP/1.1 200 OK\r\n\r\n\(body)".utf8))
            }
        ) { connection, _ in
            #expect(await connection.invoke(request(["path": "small"])).value?["body"]?.asString?.utf8.count == 1_024)
            let error = try #require(await connection.invoke(request(["path": "large"])).error)
            #expect(error.code == "CON-1007")
            #expect(error.mayHaveExecuted)
        }
        try await withStub(["maxResponse": "1KiB"], answering: { _ in .status(200, bodies[1]) }) { connection, _ in
            #expect(await connection.invoke(request([:])).error?.code == "CON-1007")
        }
    }

    @Test func aCompressionBombIsRefused() async throws {
        // 64 KiB of zeros in 96 bytes of gzip, made by Python's gzip.compress(bytes(65536), mtime=0).
        let bomb = try #require(hex(Self.gzip64KiB))
        let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: \(bomb.count)\r\n\r\n"
        try await withStub(["maxResponse": "32KiB"], answering: { _ in .rawThenClose(Array(head.utf8) + bomb) }) {
            connection, _ in
            #expect(await connection.invoke(request([:])).error?.code == "CON-1007")
        }
        try await withStub(["maxResponse": "64KiB"], answering: { _ in .rawThenClose(Array(head.utf8) + bomb) }) {
            connection, _ in
            #expect(await connection.invoke(request([:])).value?["body"]?.asString?.utf8.count == 65_536)
        }
    }

    static let gzip64KiB =
        "1f8b0800000000000203edc101010000008090feafee080a0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000006aeb8e97d700000100"

    @Test func endlessHeadersAreRefused() async throws {
        let line = "X-Filler: \(String(repeating: "y", count: 8_000))\r\n"
        try await withStub(answering: { _ in
            .rawThenClose(Array(("HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 20) + "\r\n").utf8))
        }) { connection, _ in
            #expect(await connection.invoke(request([:])).error?.code == "CON-1007")
        }
    }

    private func hex(_ text: String) -> [UInt8]? {
        let digits = text.compactMap(\.hexDigitValue)
        guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }
}

struct HTTPSettingsTests {
    @Test(
        arguments: [
            (["baseUrl": "ftp://x"], "baseUrl"), (["baseUrl": "http://u:p@x/"], "credentials"),
            (["baseUrl": "http://x/?a=1"], "query"), (["baseUrl": 7], "baseUrl"),
            (["headers": ["X-A": "1\n2"]], "headers"), (["headers": ["Host": "x"]], "Host"),
            (["auth": ["type": "bearer"]], "token"),
            (["auth": ["type": "bearer", "token": "plain"]], "secret reference"),
            (["auth": ["type": "basic", "user": "a:b", "password": ["secret": "env:X"]]], "colon"),
            (["auth": ["type": "apiKey", "header": "X A", "value": ["secret": "env:X"]]], "header"),
            (["auth": ["type": "brearer"]], "bearer"), (["auth": [:]], "type"), (["redirects": 99], "redirects"),
            (["maxResponse": "lots"], "maxResponse"), (["idempotencyHeader": "a b"], "idempotencyHeader"),
            (["baseURL": "http://x"], "baseURL"),
        ] as [(Value, String)])
    func wrongParametersAreNamed(_ row: (parameters: Value, word: String)) async throws {
        let error = try await #require(throws: ConnectorError.self) {
            _ = try await HTTPModule().connect(ConnectionConfiguration(id: "x", parameters: row.parameters))
        }
        #expect(error.kind == .validation)
        #expect(error.message.contains(row.word) || error.remedy.contains(row.word), "\(error)")
        #expect(!"\(error)".contains("plain"))
    }

    @Test func aTestAsksForHeadersOnly() async throws {
        try await withStub(answering: { _ in .status(405) }) { connection, server in
            try await connection.test()
            #expect(server.requests.map(\.method) == ["HEAD"])
        }
        try await withStub(answering: { _ in .status(401) }) { connection, _ in
            let error = try await #require(throws: ConnectorError.self) { try await connection.test() }
            #expect(error.kind == .auth)
        }
        let bare = try await HTTPModule().connect(ConnectionConfiguration(id: "x", parameters: [:]))
        try await bare.test()
        await #expect(throws: ConnectorError.self) {
            _ = try await bare.armSource(SourceRequest(event: "any", parameters: [:]))
        }
        #expect(await bare.invoke(request(["path": "a"])).error?.message.contains("There is no URL") == true)
        await bare.close()
        await bare.close()
    }

    @Test func theReadOperationOnlyReads() async throws {
        try await withStub(answering: { _ in .status(200) }) { connection, server in
            let get = OperationCall(
                operation: "get", input: ["path": "a"], idempotencyKey: "k", traceparent: "00-ab-cd-01")
            #expect(await connection.isRepeatable(get) == true)
            #expect(await connection.invoke(get).error == nil)
            #expect(server.requests.first?.headers["idempotency-key"] == nil)
            #expect(server.requests.first?.headers["traceparent"] == "00-ab-cd-01")
            let post = OperationCall(operation: "get", input: ["method": "POST"])
            #expect(await connection.invoke(post).error?.kind == .validation)
        }
    }
}
