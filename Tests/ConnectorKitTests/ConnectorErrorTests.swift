import ConnectorKit
import Testing
import Values

struct ConnectorErrorTests {
    private static let descriptor = MemoryConnector().descriptor

    @Test func retryabilityIsTheKindsUnlessGiven() {
        let retryable: Set<ConnectorError.Kind> = [.rateLimited, .transient, .timeout, .unavailable]
        for kind in ConnectorError.Kind.allCases {
            #expect(ConnectorError(kind, code: "X", "m", remedy: "r").isRetryable == retryable.contains(kind))
        }
        #expect(ConnectorError(.validation, code: "X", "m", remedy: "r", isRetryable: true).isRetryable)
        #expect(!ConnectorError(.transient, code: "X", "m", remedy: "r", isRetryable: false).isRetryable)
    }

    @Test func anyErrorFindsItsPlaceInTheTaxonomy() {
        struct Odd: Error {}
        let own = ConnectorError(.conflict, code: "X", "m", remedy: "r")
        #expect(ConnectorError(wrapping: own).kind == .conflict)
        let cancelled = ConnectorError(wrapping: CancellationError())
        #expect(cancelled.kind == .timeout && cancelled.code == "CON-0001" && cancelled.mayHaveExecuted)
        let odd = ConnectorError(wrapping: Odd())
        #expect(odd.kind == .unknown && odd.code == "CON-0002" && odd.mayHaveExecuted && !odd.isRetryable)
        #expect(odd.message.contains("Odd"))
    }

    @Test func unknownNamesComeWithTheOneMeantOrAll() {
        let near = ConnectorError.unknownOperation("ehco", of: Self.descriptor)
        #expect(
            near.description == "unsupported CON-0003: Connector memory has no operation ehco. — Did you mean echo?")
        #expect(ConnectorError.unknownOperation("zzz", of: Self.descriptor).remedy == "Use one of echo, wait.")
        #expect(ConnectorError.unknownEvent("x", of: Self.descriptor).code == "CON-0004")
        var empty = Self.descriptor
        empty.events = []
        #expect(ConnectorError.unknownEvent("x", of: empty).remedy == "It has none.")
    }

    @Test func onlyErrorsMakeParametersInvalid() {
        let warning = Diagnostic(code: "X", severity: .warning, message: "w")
        #expect(ConnectorError.invalidParameters([]) == nil)
        #expect(ConnectorError.invalidParameters([warning]) == nil)
        let error = ConnectorError.invalidParameters([
            warning, Diagnostic(code: "X", severity: .error, message: "a.", remedy: "do b"),
            Diagnostic(code: "X", severity: .error, message: "c."),
        ])
        #expect(error?.message == "a. c." && error?.remedy == "do b" && error?.kind == .validation)
    }

    typealias OutcomeRow = (kind: ConnectorError.Kind, outcome: String)

    @Test(
        arguments: [
            (.transient, "retry"), (.rateLimited, "retry"), (.auth, "park"), (.quotaExhausted, "park"),
            (.validation, "reject"), (.unknown, "reject"), (.unsupported, "reject"),
        ] as [OutcomeRow])
    func anErrorBecomesTheOutcomeItStandsFor(_ row: OutcomeRow) {
        let details: ValueContext = ["status": 1]
        let error = ConnectorError(row.kind, code: "X", "m", remedy: "r", retryAfter: .seconds(3), details: details)
        let outcome = Outcome.failed(error)
        switch outcome {
        case .retry(let after, _): #expect(row.outcome == "retry" && after == .seconds(3))
        case .park: #expect(row.outcome == "park")
        case .reject: #expect(row.outcome == "reject")
        case .done, .alreadyDone: Issue.record("a failure became \(outcome)")
        }
        #expect(outcome.error?.kind == row.kind && outcome.value == nil && outcome.facts == details)
    }

    @Test func successesHaveValueAndFacts() {
        for outcome in [Outcome.done(1, facts: ["a": 2]), .alreadyDone(1, facts: ["a": 2])] {
            #expect(outcome.value == 1 && outcome.error == nil && outcome.facts == ["a": 2])
        }
    }
}

struct SecretTests {
    @Test func nothingThatPrintsASecretShowsIt() {
        let secret = Secret("canary")
        var dumped = ""
        dump(["nested": (secret, Optional(secret))], to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped, "\([secret])", "\(Mirror(reflecting: secret))"] {
            #expect(!text.contains("canary"), "\(text)")
        }
        #expect(secret.reveal { $0 } == "canary")
        #expect(secret == Secret("canary") && secret != Secret("other"))
    }

    @Test func referencesNameStoreAndSecret() {
        #expect(SecretReference("env:A:B") == SecretReference(store: "env", name: "A:B"))
        #expect(SecretReference("env:A")?.description == "env:A")
        for text in ["", "env", ":A", "env:"] { #expect(SecretReference(text) == nil) }
        #expect(SecretReference(["secret": "file:x"] as Value) == SecretReference(store: "file", name: "x"))
        for value in ["env:A", ["secret": 1], ["secret": "env:A", "b": 1], ["secret": "env"]] as [Value] {
            #expect(SecretReference(value) == nil)
        }
    }

    @Test func resolversFindWhatTheyHave() async throws {
        let reference = SecretReference(store: "env", name: "A")
        #expect(try await FixedSecrets([reference: Secret("x")]).secret(reference) == Secret("x"))
        for resolver in [NoSecrets(), FixedSecrets([:])] as [any SecretResolver] {
            let error = try await #require(throws: ConnectorError.self) { _ = try await resolver.secret(reference) }
            #expect(error.kind == .auth && error.code == "CON-0007" && error.message.contains("env:A"))
        }
    }
}

struct ConnectorClockTests {
    @Test func theManualClockMovesOnlyWhenTold() async throws {
        let clock = ManualConnectorClock(start: .seconds(5), unixMilliseconds: 1_000)
        #expect(clock.now == .seconds(5) && clock.unixMilliseconds == 6_000)
        clock.advance(by: .milliseconds(1_500))
        #expect(clock.now == .milliseconds(6_500) && clock.unixMilliseconds == 7_500)
        try await clock.sleep(for: .seconds(1))
        #expect(clock.now == .milliseconds(7_500))
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await clock.sleep(for: .seconds(1))
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        #expect(clock.now == .milliseconds(7_500))
    }

    @Test func theSystemClockGoesForward() async throws {
        let clock = SystemConnectorClock()
        let (before, wall) = (clock.now, clock.unixMilliseconds)
        try await clock.sleep(for: .nanoseconds(1))
        #expect(clock.now > before)
        #expect(wall > 1_700_000_000_000)
    }
}

struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ])
    func agreesWithRFC4648(_ row: (plain: String, encoded: String)) {
        #expect(Base64.encode(Array(row.plain.utf8)) == row.encoded)
        #expect(Base64.decode(row.encoded) == Array(row.plain.utf8))
    }

    @Test func everyByteSurvives() {
        let bytes = (0...255).map { UInt8($0) } + [0xFF, 0xFB, 0xEF]
        #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }

    @Test(arguments: ["Zg", "Zg=", "Zg==Zg==", "Z===", "====", "Zh==", "Zm9=", "Zm9v!AAA", "Zm 9v", "Zm9v\n"])
    func anythingElseIsRefused(_ text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
