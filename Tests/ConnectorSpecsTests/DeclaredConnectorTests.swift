import ConnectorKit
import Resilience
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

@Suite struct DeclaredConnectorTests {
    private static func kitchen() throws -> DeclaredConnector {
        DeclaredConnector(try specification(try Files.fixture("kitchen.yaml")))
    }

    private static let secrets = FixedSecrets([
        SecretReference(store: "test", name: "key"): Secret("canary-key"),
        SecretReference(store: "test", name: "whole"): Secret(#"{"user":"u","password":"canary-password"}"#),
        SecretReference(store: "test", name: "text"): Secret("canary-text"),
    ])

    private static func configuration(_ parameters: Value) -> ConnectionConfiguration {
        ConnectionConfiguration(id: "c", parameters: parameters, secrets: Self.secrets)
    }

    /// A service that has things and lists changes.
    private static func service(_ changes: @escaping @Sendable () -> [Value] = { [] }) -> ScriptedTransport {
        ScriptedTransport { request in
            switch true {
            case request.url.contains("/things/"): .json(["id": "a"])
            case request.url.contains("/next"): .json(["value": .list(changes())])
            default: .json([:], status: 404)
            }
        }
    }

    @Test func aDeclaredConnectorPassesTheConformanceSuite() async throws {
        let changes = Mutex<[Value]>([])
        let source = ConnectorConformance.Source(
            SourceRequest(event: "change", parameters: ["start": "beginning"]), silence: .seconds(600)
        ) {
            changes.withLock { $0.append(["id": .string("c\($0.count)"), "at": "2026-01-01T00:00:00Z"]) }
        }
        let transport = Self.service { changes.withLock { $0 } }
        let suite = ConnectorConformance(
            module: ScriptedModule(connector: try Self.kitchen(), transport: transport),
            configuration: ConnectionConfiguration(
                id: "c", parameters: ["tenant": "t"], clock: ManualConnectorClock()),
            calls: [.init(OperationCall(operation: "things.get", input: ["id": "a"]))], sources: [source])
        let findings = await suite.run().map(\.description)
        #expect(findings == [])
    }

    @Test(
        arguments: [
            ("unknown", ["region": "eu", "regoin": "eu"], "regoin"),
            ("not among the words", ["region": "mars"], "region"),
            ("no object", [1], "object"),
            ("a credential that is text", ["credential": "sk_live"], "credential"),
            ("a kind that is none", ["credential": ["kind": "kitchen.kye"]], "kitchen.key"),
            ("a field that is none", ["credential": ["kye": ["secret": "test:key"]]], "Did you mean key"),
            ("a field that is missing", ["credential": ["kind": "kitchen.user", "password": "x"]], "user"),
        ] as [(String, Value, String)])
    func wrongParametersAreNamed(_ row: (name: String, parameters: Value, word: String)) async throws {
        let connector = try Self.kitchen()
        do {
            let connection = try await connector.connect(Self.configuration(row.parameters))
            await connection.close()
            Issue.record("\(row.name) was accepted.")
        } catch {
            let error = ConnectorError(wrapping: error)
            #expect(error.kind == .validation)
            #expect(error.description.contains(row.word), "\(row.name): \(error)")
        }
    }

    @Test(
        arguments: [
            ("a field", ["key": ["secret": "test:key"]], "value", "canary-key"),
            ("a secret that is the only field", ["secret": "test:text"], "value", "canary-text"),
            ("a whole credential", ["kind": "kitchen.user", "secret": "test:whole"], "password", nil),
        ] as [(String, Value, String, String?)])
    func credentialsAreResolved(_ row: (name: String, fields: Value, field: String, secret: String?)) async throws {
        let auth = try #require(try Self.kitchen().spec.connection.auth.first)
        let credential = SpecCredential(
            auth: auth, connection: [:], fields: row.fields, secrets: Self.secrets, session: nil)
        let reference = SecretReference(store: SpecCredential.store, name: row.field)
        guard let wanted = row.secret else {
            await #expect(throws: ConnectorError.self) { _ = try await credential.secret(reference) }
            return
        }
        #expect(try await credential.secret(reference).reveal { $0 } == wanted)
    }

    @Test func formerNamesStillWork() async throws {
        let transport = Self.service()
        let module = ScriptedModule(connector: try Self.kitchen(), transport: transport)
        let connection = try await module.connect(Self.configuration(["zone": "us"]))
        let outcome = await connection.invoke(OperationCall(operation: "things.fetch", input: ["id": "a"]))
        #expect(outcome.error == nil)
        #expect(transport.requests.first?.url.hasPrefix("https://us.kitchen.example/api/things/a") == true)
        await connection.close()
    }

    @Test func formerNamesOfParametersAreInTheDescription() throws {
        let parameters = try Self.kitchen().descriptor.parameters
        #expect(parameters["required"] == nil)
        #expect(parameters["properties"]?["zone"]?["deprecated"] == true)
        #expect(parameters["properties"]?["zone"]?["enum"] == ["eu", "us"])
    }

    /// The secret of a webhook is found where the specification says, anew each time.
    @Test(
        arguments: [
            ("a parameter that is a secret", "hook", ["hook": ["secret": "test:text"]], true),
            (
                "a field of the credential", "signing",
                ["credential": ["key": "k", "signing": ["secret": "test:text"]]], true
            ),
            ("another secret", "hook", ["hook": ["secret": "test:key"]], false),
        ] as [(String, String, Value, Bool)])
    func webhooksAreVerifiedWithTheConnectionsSecrets(
        _ row: (name: String, field: String, parameters: Value, isGenuine: Bool)
    ) async throws {
        let text = SpecLintTests.good
            .replacing("kept.secret", with: "credential.\(row.field)")
            .replacing("scheme: hmac-sha256", with: "scheme: token")
            .replacing("properties: { credential:", with: "properties: { hook: { x-secret: true }, credential:")
        let module = ScriptedModule(
            connector: DeclaredConnector(try specification(text)), transport: ScriptedTransport { _ in .json([:]) })
        let connection = try #require(
            try await module.connect(Self.configuration(row.parameters)) as? DeclaredConnection)
        let verdict = try await connection.receive(
            event: "item", WebhookRequest(url: "", headers: [("X-Sig", "canary-text")], body: Array("{}".utf8)))
        #expect(verdict.reply.status == (row.isGenuine ? 200 : 401), "\(row.name)")
        await connection.close()
    }

    @Test(arguments: [["hook": "plain text"], ["hook": ["secret": "test:key", "more": 1]]] as [Value])
    func aParameterThatIsASecretIsAReference(_ parameters: Value) async throws {
        let text = SpecLintTests.good
            .replacing("properties: { credential:", with: "properties: { hook: { x-secret: true }, credential:")
        let connector = DeclaredConnector(try specification(text))
        await #expect(throws: ConnectorError.self) { _ = try await connector.connect(Self.configuration(parameters)) }
    }

    @Test func guardsAreThoseOfTheSpecification() throws {
        let connector = try Self.kitchen()
        let profile = connector.profile()
        #expect(profile.attemptTimeout == .seconds(10))
        #expect(profile.totalTimeout == .seconds(20))
        #expect(profile.retry.maximumAttempts == 3)
        #expect(profile.rateLimit == RateLimiter.Policy(limit: 5, period: .seconds(1), burst: 5))
        #expect(connector.profile(operation: "things.create").retry.maximumAttempts == 2)
        #expect(connector.profile(operation: "things.create").attemptTimeout == .seconds(10))
    }

    @Test func repeatabilityIsThatOfTheSpecification() throws {
        let descriptor = try Self.kitchen().descriptor
        #expect(descriptor.operation("things.get")?.isRepeatable == true)
        #expect(descriptor.operation("things.put")?.isRepeatable == true)
        #expect(descriptor.operation("things.create")?.isRepeatable == false)
        #expect(descriptor.operation("things.pay")?.idempotency == .key(window: .seconds(3_600)))
        #expect(descriptor.operation("things.mark")?.isRepeatable == false)
    }

    @Test func optionsComeFromAnotherOperation() async throws {
        let connector = DeclaredConnector(try specification(SpecLintTests.good))
        let transport = ScriptedTransport { _ in .json(["items": [["id": "a"], ["id": "b"]]]) }
        let connection = try #require(
            try await ScriptedModule(connector: connector, transport: transport).connect(Self.configuration([:]))
                as? DeclaredConnection)
        let options = try await connection.options(operation: "items.create", member: "name")
        #expect(options.map(\.value) == ["a", "b"])
        #expect(options.map(\.label) == ["a", "b"])
        await connection.close()
    }

    /// Answers no service should give.
    @Test(
        arguments: [
            ("truncated JSON", 200, "application/json", Array(#"{"id":"a""#.utf8)),
            ("another type", 200, "application/json", Array("[1]".utf8)),
            ("bytes that are no text", 200, "application/json", [0xFF, 0xFE]),
            ("deep nesting", 200, "application/json", Array(String(repeating: "[", count: 100_000).utf8)),
            ("nothing", 200, "application/json", []),
            ("a failure that is no JSON", 500, "application/json", Array("<html>".utf8)),
            ("a failure of bytes", 400, "text/plain", [0xFF, 0x00]),
            ("a status that is none", 299, "application/json", Array(#""x""#.utf8)),
            ("a redirect", 302, "text/plain", Array("moved".utf8)),
        ] as [(String, Int, String, [UInt8])])
    func hostileAnswersAreErrorsOfTheTaxonomy(_ row: (name: String, status: Int, type: String, body: [UInt8]))
        async throws
    {
        let transport = ScriptedTransport { _ in
            SpecResponse(status: row.status, headers: [("content-type", row.type)], body: row.body)
        }
        let connection = try await ScriptedModule(connector: try Self.kitchen(), transport: transport)
            .connect(Self.configuration(["credential": ["key": ["secret": "test:key"]]]))
        let outcome = await connection.invoke(OperationCall(operation: "things.get", input: ["id": "a"]))
        let error = try #require(outcome.error, "\(row.name)")
        #expect(error.code.hasPrefix("CON-61"), "\(row.name): \(error)")
        #expect(!error.remedy.isEmpty)
        #expect(!"\(error) \(error.details)".contains("canary"))
        await connection.close()
    }
}

/// A declared connector against a real service: the HTTP echo service of PyPI.
@Suite struct DeclaredConnectorServiceTests {
    private static func parameters(_ more: ValueContext = [:]) throws -> ValueContext {
        var parameters: ValueContext = ["url": .string(try Service.url("HTTPBIN")), "local": true]
        parameters.merge(more)
        return parameters
    }

    private static func connect(_ more: ValueContext = [:]) async throws -> any Connection {
        let secrets = FixedSecrets([
            SecretReference(store: "test", name: "token"): Secret("t0ken"),
            SecretReference(store: "test", name: "password"): Secret("p:w"),
        ])
        return try await DeclaredConnector(try specification(try Files.fixture("httpbin.yaml"))).connect(
            ConnectionConfiguration(id: "h", parameters: .context(try Self.parameters(more)), secrets: secrets))
    }

    @Test func theConformanceSuitePasses() async throws {
        let suite = ConnectorConformance(
            module: DeclaredConnector(try specification(try Files.fixture("httpbin.yaml"))),
            configuration: ConnectionConfiguration(id: "h", parameters: .context(try Self.parameters())),
            calls: [
                .init(OperationCall(operation: "echo", input: ["text": "hé"])),
                .init(OperationCall(operation: "wait", input: ["seconds": 1]), waits: true),
            ])
        #expect(await suite.run().map(\.description) == [])
    }

    @Test func requestsArriveAsDescribed() async throws {
        let connection = try await Self.connect(["credential": ["token": ["secret": "test:token"]]])
        let outcome = await connection.invoke(
            OperationCall(operation: "echo", input: ["text": "a&b é"], idempotencyKey: "k-1"))
        #expect(outcome.value?["form"] == ["text": "a&b é"])
        #expect(outcome.value?["args"] == ["q": ["1", "2"]])
        #expect(outcome.value?["headers"]?["Authorization"] == "Bearer t0ken")
        #expect(outcome.value?["headers"]?["Idempotency-Key"] == "k-1")
        await connection.close()
    }

    @Test func userAndPasswordAreShown() async throws {
        let connection = try await Self.connect([
            "credential": ["kind": "httpbin.user", "user": "u", "password": ["secret": "test:password"]]
        ])
        #expect(await connection.invoke(OperationCall(operation: "login", input: [:])).value == "u")
        await connection.close()
    }

    @Test func statusesAreNamed() async throws {
        let connection = try await Self.connect()
        for (status, kind) in [
            (401, .auth), (404, .notFound), (418, .conflict), (429, .rateLimited), (500, .transient),
        ]
            as [(Int64, ConnectorError.Kind)]
        {
            let outcome = await connection.invoke(
                OperationCall(operation: "status", input: ["status": .number(Number(status))]))
            #expect(outcome.error?.kind == kind, "\(status)")
        }
        await connection.close()
    }

    @Test func sessionsAreBegunOnceAndAgainWhenTheyEnd() async throws {
        let connection = try await Self.connect([
            "credential": ["kind": "httpbin.session", "name": ["secret": "test:token"]]
        ])
        let outcome = await connection.invoke(OperationCall(operation: "echo", input: ["text": ""]))
        #expect(outcome.value?["headers"]?["X-Session"] == "Session t0ken")
        // A service that refuses the token is asked for another, once.
        let refused = await connection.invoke(OperationCall(operation: "status", input: ["status": 401]))
        #expect(refused.error?.kind == .auth)
        await connection.close()
    }

    @Test func privateAddressesAreRefusedUnlessAllowed() async throws {
        let connection = try await Self.connect(["local": false])
        let outcome = await connection.invoke(OperationCall(operation: "echo", input: ["text": ""]))
        #expect(outcome.error?.kind == .permission)
        #expect(outcome.error?.mayHaveExecuted == false)
        await connection.close()
    }
}
