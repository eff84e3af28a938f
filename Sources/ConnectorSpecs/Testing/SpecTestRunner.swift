import ConnectorKit
import Decisions
import HTTPTransport
public import HubDocuments
import Resilience
import Values

/// Runs the tests of a specification: requests are built and answers read, but nothing is sent.
public struct SpecTestRunner: Sendable {
    /// How one test ended.
    public struct Result: Sendable {
        /// The test's name.
        public var name: String
        /// The operation or event it is about.
        public var target: String
        /// What was not as expected; empty when it passed.
        public var failures: [String]
        /// Where the test stands.
        public var position: DocumentPosition

        /// Whether it passed.
        public var hasPassed: Bool { self.failures.isEmpty }
    }

    let spec: ConnectorSpec

    /// Creates a runner for the tests of `spec`.
    public init(_ spec: ConnectorSpec) {
        self.spec = spec
    }

    /// Runs every test, in the order of the file.
    public func run() async -> [Result] {
        var results: [Result] = []
        for test in self.spec.tests { results.append(await self.run(test)) }
        return results
    }

    /// Runs one test.
    public func run(_ test: SpecTest) async -> Result {
        var check = SpecTestCheck()
        if test.operation != nil {
            await self.runOperation(test, &check)
        } else if test.webhook != nil {
            self.runWebhook(test, &check)
        } else if test.queue != nil {
            await self.runQueue(test, &check)
        } else {
            await self.runPoll(test, &check)
        }
        return Result(
            name: test.name, target: test.operation ?? test.event ?? "", failures: check.failures,
            position: test.position)
    }

    // MARK: - What a test runs in

    /// The connection of a test: its own parameters, else examples and defaults of the schema.
    func connection(_ test: SpecTest) -> ValueContext {
        var connection = ValueContext()
        for (name, schema) in self.spec.connection.parameters.value["properties"]?.asContext ?? ValueContext() {
            guard self.spec.connection.credentials[name] == nil else { continue }
            if let value = schema["default"] ?? schema["examples"]?.asList?.first { connection[name] = value }
        }
        for (name, value) in test.connection where self.spec.connection.credentials[name] == nil {
            connection[name] = value
        }
        return connection
    }

    /// The credential of a test: every field it does not give is `test-FIELD`.
    func credential(_ test: SpecTest) -> (auth: AuthSpec?, fields: ValueContext) {
        let given = self.spec.connection.credentials.keys.sorted().lazy.compactMap { test.connection[$0]?.asContext }
            .first
        let kind = given?["kind"]?.asString
        let auth = self.spec.connection.auth.first { kind == nil || $0.id == kind }
        var fields = ValueContext()
        for name in (auth?.credentialFields ?? []) + self.spec.verificationFields {
            fields[name] = .string("test-" + name)
        }
        for (name, value) in given ?? ValueContext() where name != "kind" { fields[name] = value }
        return (auth, fields)
    }

    private func transport(_ test: SpecTest) -> FixtureTransport {
        let (auth, fields) = self.credential(test)
        return FixtureTransport(
            responses: test.responses,
            authorization: FixtureAuthorization(auth: auth, connection: self.connection(test), credential: fields))
    }

    private func runner(_ test: SpecTest, _ transport: FixtureTransport) -> OperationRunner {
        let now = test.call["now"]?.asInt64 ?? test.webhook?["now"]?.asInt64 ?? 1_750_000_000
        return OperationRunner(
            spec: self.spec, connection: self.connection(test), transport: transport,
            clock: ManualConnectorClock(unixMilliseconds: now * 1_000))
    }

    // MARK: - Operations

    private func runOperation(_ test: SpecTest, _ check: inout SpecTestCheck) async {
        guard let id = test.operation, let operation = self.spec.operation(id) else {
            return check.fail("There is no such operation.")
        }
        let transport = self.transport(test)
        let runner = self.runner(test, transport)
        var attempts = 0
        var answer: OperationRunner.Answer?
        var error: ConnectorError?
        let maximum = self.spec.profile(operation: id).retry.maximumAttempts
        while attempts < max(1, maximum) {
            attempts += 1
            do {
                answer = try await runner.run(
                    OperationCall(
                        operation: id, input: test.input, idempotencyKey: test.call["idempotencyKey"]?.plainText,
                        attempt: attempts, traceparent: test.call["traceparent"]?.plainText))
                error = nil
                break
            } catch let thrown {
                let failure = ConnectorError(wrapping: thrown)
                error = failure
                // As the hub decides: what may have been carried out is repeated only if that does no harm.
                guard failure.isRetryable, operation.isRepeatable || !failure.mayHaveExecuted else { break }
            }
        }
        if let problem = transport.problem { check.fail(problem) }
        check.requests(test.expectedRequests, transport.requests)
        check.outcome(test.expected, answer, error, attempts: attempts, requests: transport.requests.count)
    }

    // MARK: - Events

    private func runWebhook(_ test: SpecTest, _ check: inout SpecTestCheck) {
        guard let event = test.event, let receiver = WebhookReceiver(self.spec, event: event),
            let fields = test.webhook
        else { return check.fail("The event does not come by webhook.") }
        var url = fields["url"]?.plainText ?? "https://hub.example.com/webhooks/test"
        if let query = fields["query"]?.asContext {
            url +=
                "?"
                + query.map { URLEncoding.component($0.key) + "=" + URLEncoding.component($0.value.plainText ?? "") }
                .joined(separator: "&")
        }
        var headers = (fields["headers"]?.asContext ?? ValueContext()).map { ($0.key, $0.value.plainText ?? "") }
        var body = Array((fields["bodyText"]?.plainText ?? "").utf8)
        if let json = fields["json"] {
            body = Array(JSON.string(json).utf8)
            if !headers.contains(where: { $0.0.lowercased() == "content-type" }) {
                headers.append(("Content-Type", "application/json"))
            }
        }
        let request = WebhookRequest(
            method: fields["method"]?.plainText ?? "POST", url: url,
            headers: headers.map { (name: $0.0, value: $0.1) }, body: body)
        let verdict = receiver.receive(
            request, connection: self.connection(test), credential: self.credential(test).fields, kept: test.kept,
            now: fields["now"]?.asInt64 ?? 1_750_000_000)
        check.verdict(test.expected, verdict)
    }

    private func runPoll(_ test: SpecTest, _ check: inout SpecTestCheck) async {
        guard let id = test.event, let poll = self.spec.event(id)?.poll, let fields = test.poll else {
            return check.fail("The event is not polled.")
        }
        let transport = self.transport(test)
        let poller = Poller(spec: poll, runner: self.runner(test, transport))
        do {
            let found = try await poller.fetch(
                after: fields["cursor"].flatMap { poller.cursor.position($0) },
                source: fields["parameters"]?.asContext ?? ValueContext(), timeout: .seconds(30))
            check.found(test.expected, found, poller.cursor, requests: transport.requests.count)
        } catch {
            check.fail("Fetching failed: \(ConnectorError(wrapping: error))")
        }
        if let problem = transport.problem { check.fail(problem) }
        check.requests(test.expectedRequests, transport.requests)
    }

    /// Takes messages once, and does with them what `then` says.
    private func runQueue(_ test: SpecTest, _ check: inout SpecTestCheck) async {
        guard let id = test.event, let event = self.spec.event(id), let queue = event.queue, let fields = test.queue
        else { return check.fail("The event does not come from a queue.") }
        let transport = self.transport(test)
        do {
            var mistakes: [Diagnostic] = []
            let decoding = RecordDecoding(fields["decode"] ?? [:], diagnostics: &mistakes)
            if let mistake = mistakes.first { return check.fail(mistake.message) }
            let client = QueueClient(
                event: event, spec: queue, runner: self.runner(test, transport),
                parameters: try QueueParameters(fields["parameters"] ?? [:], of: queue), decoding: decoding)
            let messages = try await client.receive(maximum: queue.receive.maximum)
            check.messages(test.expected, messages, requests: transport.requests.count)
            if let word = fields["then"]?.asString {
                let delay = fields["delay"]?.asString.flatMap { Quantity.duration($0) } ?? .zero
                let actions = [
                    "acknowledge": queue.acknowledge, "extend": queue.extend, "release": queue.release,
                    "setAside": queue.setAside,
                ]
                guard let action = actions[word] ?? nil else { return check.fail("The queue has no \(word).") }
                var failed: [Int] = []
                for batch in client.batches(messages, of: action) {
                    failed += try await client.perform(action, on: batch, lock: client.parameters.lock, delay: delay)
                        .map(\.index)
                }
                check.failed(test.expected, failed)
            }
        } catch {
            check.fail("It failed: \(ConnectorError(wrapping: error))")
        }
        if let problem = transport.problem { check.fail(problem) }
        check.requests(test.expectedRequests, transport.requests)
    }
}
