import ConnectorKit
import Synchronization
import Testing
import Values

@testable import ConnectorSpecs

/// A declared connector whose service answers as the successful tests of its specification say.
struct RecordedConnector: ConnectorModule {
    private let connector: DeclaredConnector
    private let answers: RecordedAnswers
    /// A connection, and one call for each operation that a test shows to succeed.
    let fixture: Fixture

    var descriptor: ConnectorDescriptor { self.connector.descriptor }

    /// Makes every call once, to learn which request it sends.
    init(_ spec: ConnectorSpec) async throws {
        self.connector = DeclaredConnector(spec)
        let runner = SpecTestRunner(spec)
        // What a connection is made with must be the same for all; the credential makes no difference to a request
        // before it is authorised.
        let shown = spec.tests.filter { test in
            test.operation != nil && test.expected["error"] == nil && !test.responses.isEmpty
                && test.connection.allSatisfy { spec.connection.credentials[$0.key] != nil }
                && test.responses.allSatisfy { $0["fail"] == nil && $0["status"]?.asInt64 ?? 200 < 400 }
        }
        let any = try #require(shown.first ?? spec.tests.first, "The specification has no tests.")
        let answers = RecordedAnswers()
        let clock = ManualConnectorClock(unixMilliseconds: 1_750_000_000_000)
        var calls: [Fixture.GoodCall] = []
        var operations: Set<String> = []
        for test in shown {
            guard let id = test.operation, operations.insert(id).inserted else { continue }
            let transport = FixtureTransport(
                responses: test.responses,
                authorization: FixtureAuthorization(auth: nil, connection: [:], credential: [:]))
            let call = OperationCall(
                operation: id, input: test.input, idempotencyKey: test.call["idempotencyKey"]?.plainText ?? "key")
            let learning = OperationRunner(
                spec: spec, connection: runner.connection(any), transport: LearningTransport(transport, answers),
                clock: clock)
            _ = try await learning.run(call)
            calls.append(.init(call))
        }
        var parameters = runner.connection(any)
        let (auth, fields) = runner.credential(any)
        if let auth, let name = spec.connection.credentials.keys.sorted().first {
            var credential: ValueContext = ["kind": .string(auth.id)]
            for (name, _) in fields { credential[name] = Fixture.secret }
            parameters[name] = .context(credential)
        }
        self.answers = answers
        self.fixture = Fixture(
            name: spec.metadata.id,
            configuration: ConnectionConfiguration(
                id: "c", parameters: .context(parameters), secrets: Fixture.secrets("test"), clock: clock),
            calls: calls)
    }

    func connect(_ configuration: ConnectionConfiguration) async throws -> any Connection {
        let connection = try await self.connector.connect(configuration)
        let real = try #require(connection as? DeclaredConnection)
        await real.runner.transport.close()
        return DeclaredConnection(
            id: configuration.id, module: self.connector,
            runner: OperationRunner(
                spec: self.connector.spec, connection: real.runner.connection, transport: self.answers,
                clock: configuration.clock),
            credential: real.credential, secrets: configuration.secrets)
    }
}

/// What a service answered, by request.
private final class RecordedAnswers: SpecTransport {
    private let known = Mutex<[String: SpecResponse]>([:])

    /// The request with everything in it.
    private static func whole(_ request: SpecRequest) -> String {
        "\(request.method) \(request.url) \(String(decoding: request.body ?? [], as: UTF8.self))"
    }

    /// The request without what may differ from call to call.
    private static func gist(_ request: SpecRequest) -> String {
        "\(request.method) \(request.url.prefix { $0 != "?" })"
    }

    /// Of pages the last one answers requests that are only alike: lists end.
    func learn(_ request: SpecRequest, _ response: SpecResponse) {
        self.known.withLock { known in
            if known[Self.whole(request)] == nil { known[Self.whole(request)] = response }
            known[Self.gist(request)] = response
        }
    }

    func send(_ request: SpecRequest) async throws -> SpecResponse {
        try Task.checkCancellation()
        let known = self.known.withLock { $0 }
        return known[Self.whole(request)] ?? known[Self.gist(request)]
            ?? SpecResponse(status: 404, headers: [], body: Array("\(request.method) \(request.url)".utf8))
    }

    func close() async {}
}

/// Remembers the answers of another transport.
private struct LearningTransport: SpecTransport {
    private let other: any SpecTransport
    private let answers: RecordedAnswers

    init(_ other: any SpecTransport, _ answers: RecordedAnswers) {
        self.other = other
        self.answers = answers
    }

    func send(_ request: SpecRequest) async throws -> SpecResponse {
        let response = try await self.other.send(request)
        self.answers.learn(request, response)
        return response
    }

    func close() async { await self.other.close() }
}
