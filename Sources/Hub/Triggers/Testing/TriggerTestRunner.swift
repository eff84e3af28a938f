public import HubDocuments
import Values

/// Runs the tests of a trigger: events go through its steps up to the decision, and nothing is started.
public struct TriggerTestRunner: Sendable {
    /// How one test ended.
    public struct Result: Sendable {
        /// The test's name.
        public var name: String
        /// What was not as expected; empty when it passed.
        public var failures: [String]
        /// Where the test stands.
        public var position: DocumentPosition

        /// Whether it passed.
        public var hasPassed: Bool { self.failures.isEmpty }
    }

    private let trigger: TriggerDeclaration
    private let files: @Sendable (String) -> [UInt8]?

    /// The largest payload file.
    public static let fileBytesMax = 16 << 20

    /// Creates a runner for the tests of `trigger`.
    ///
    /// `files` gives the content of a file by its path; without it, paths are relative to the file of the trigger.
    public init(_ trigger: TriggerDeclaration, files: (@Sendable (String) -> [UInt8]?)? = nil) {
        self.trigger = trigger
        self.files =
            files ?? { path in
                DiskFile.bytes(DiskFile.sibling(path, of: trigger.file), maximum: Self.fileBytesMax)
            }
    }

    /// Runs `tests`, in their order.
    public func run(_ tests: [TriggerTest]) -> [Result] {
        tests.map { Result(name: $0.name, failures: self.failures(of: $0), position: $0.position) }
    }

    private func failures(of test: TriggerTest) -> [String] {
        var input = test.event
        if let path = test.payloadFile {
            guard let bytes = self.files(path) else {
                return ["The payload file \(path) cannot be read, or has more than \(Self.fileBytesMax) bytes."]
            }
            input.content = .bytes(bytes)
        }
        let events = input.events(for: self.trigger)
        guard events.count == test.expected.count else {
            return ["Expected \(Self.records(test.expected.count)) but the event holds \(events.count)."]
        }
        var failures: [String] = []
        for (index, event) in events.enumerated() {
            let decision = TriggerDecision(self.trigger, on: event, receivedAt: test.now)
            let place = events.count == 1 ? "" : "record \(index + 1): "
            failures += test.expected[index].mismatches(decision).map { place + $0 }
        }
        return failures
    }

    private static func records(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }
}

extension TriggerTest.Expectation {
    /// What of `decision` is not as expected.
    func mismatches(_ decision: TriggerDecision) -> [String] {
        guard decision.kind == self.kind else {
            return ["Expected \(self.kind.rawValue) but found \(decision.summary)."]
        }
        let kind = self.kind.rawValue
        var failures: [String] = []
        for (name, value) in self.facts {
            let found = decision.facts[name] ?? .null
            failures += ValueComparison.mismatches(value, found, path: "\(kind).\(name)").map(\.description)
        }
        if let variables = self.variablesEqual {
            failures += ValueComparison.mismatches(
                variables, decision.facts["variables"] ?? .null, rule: .whole, path: "\(kind).variables"
            ).map(\.description)
        }
        if let text = self.message, decision.facts["message"]?.asString?.contains(text) != true {
            let found = decision.facts["message"]?.asString ?? ""
            failures.append("\(kind).message: Expected a text with \"\(text)\" but found \"\(found)\".")
        }
        if let key = self.dedupeKey, key != decision.dedupeKey {
            failures.append(
                "dedupeKey: Expected \"\(key)\" but found \(decision.dedupeKey.map { "\"\($0)\"" } ?? "nothing").")
        }
        return failures
    }
}
