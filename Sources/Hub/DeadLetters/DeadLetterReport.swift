public import Values

/// What is known about the errors of a dead letter: the first, the last, how often it died where, how often it was tried.
public struct DeadLetterReport: Sendable, Hashable {
    /// One error.
    public struct Failure: Sendable, Hashable {
        /// The code, which has a page in `docs/errors`.
        public var code: String
        /// Its place in the taxonomy of connector errors, or `event` for what is wrong with an event.
        public var errorClass: String
        /// Whether another attempt may have helped.
        public var isRetryable: Bool
        /// How far it came: `decode`, `validate`, `filter`, `transform`, `correlate`, `invoke`, `commit`.
        public var stage: String
        /// What happened; never a secret.
        public var message: String
        /// Unix milliseconds.
        public var at: Int64

        /// Creates an error.
        public init(
            code: String, errorClass: String, isRetryable: Bool, stage: String, message: String, at: Int64
        ) {
            self.code = code
            self.errorClass = errorClass
            self.isRetryable = isRetryable
            self.stage = stage
            self.message = message
            self.at = at
        }
    }

    /// How often it died in one stage of one error.
    public struct Death: Sendable, Hashable {
        /// Where.
        public var stage: String
        /// Of what.
        public var code: String
        /// How often.
        public var count: Int
        /// When first; Unix milliseconds.
        public var firstAt: Int64
        /// When last; Unix milliseconds.
        public var lastAt: Int64
    }

    /// A replay that was asked for and has not ended.
    public struct Request: Sendable, Hashable {
        /// Who asked.
        public var actor: String
        /// Whether the effect may happen again: the original idempotency key is not used.
        public var usesNewKey: Bool
    }

    /// The error it first died of.
    public var first: Failure?
    /// The error it last died of.
    public var last: Failure?
    /// All deaths, the newest last.
    public var history: [Death] = []
    /// Attempts that were made, all in all.
    public var attempts = 0
    /// The revision of the declaration that judged it; 0 when there is none.
    public var revision = 0
    /// The trace it belongs to (W3C Trace Context).
    public var traceID: String?
    /// What makes its effect happen once.
    public var idempotencyKey: String?
    /// The letters it descends from, the oldest first; at most `ancestorsMax`.
    public var ancestors: [Key] = []
    /// The replay that was asked for.
    public var request: Request?

    /// More deaths than this are not told apart: the least recent is forgotten.
    static let historyMax = 32
    /// More ancestors than this are not remembered.
    static let ancestorsMax = 64

    /// Creates a report of nothing.
    public init() {}

    /// Notes a death.
    public mutating func died(_ failure: Failure, attempts: Int = 1) {
        self.first = self.first ?? failure
        self.last = failure
        self.attempts += attempts
        var death = Death(
            stage: failure.stage, code: failure.code, count: 1, firstAt: failure.at, lastAt: failure.at)
        if let index = self.history.firstIndex(where: { $0.stage == failure.stage && $0.code == failure.code }) {
            death.count += self.history[index].count
            death.firstAt = self.history[index].firstAt
            self.history.remove(at: index)
        }
        self.history.append(death)
        if self.history.count > Self.historyMax { self.history.removeFirst() }
    }

    /// The report of the letter that replaces `key` once it dies again.
    func succeeding(_ key: Key) -> DeadLetterReport {
        var report = self
        report.request = nil
        report.ancestors.append(key)
        // The oldest names the chain and stays.
        if report.ancestors.count > Self.ancestorsMax { report.ancestors.remove(at: 1) }
        return report
    }
}

// MARK: - JSON

extension DeadLetterReport {
    /// Reads the JSON form; what is missing or wrong is left out.
    public init(json: [UInt8]) {
        guard let members = (try? JSON.parse(json))?.asContext else { return }
        self.first = Self.failure(members["first"])
        self.last = Self.failure(members["last"])
        self.history = (members["history"]?.asList ?? []).compactMap { item in
            guard let stage = item["stage"]?.asString, let code = item["code"]?.asString else { return nil }
            return Death(
                stage: stage, code: code, count: Int(item["count"]?.asInt64 ?? 1),
                firstAt: Self.instant(item["firstAt"]), lastAt: Self.instant(item["lastAt"]))
        }
        self.attempts = Int(members["attempts"]?.asInt64 ?? 0)
        self.revision = Int(members["revision"]?.asInt64 ?? 0)
        self.traceID = members["traceId"]?.asString
        self.idempotencyKey = members["idempotencyKey"]?.asString
        self.ancestors = (members["ancestors"]?.asList ?? []).compactMap { $0.asString.flatMap { Key($0) } }
        if let request = members["replay"], let actor = request["actor"]?.asString {
            self.request = Request(actor: actor, usesNewKey: request["newKey"]?.asBoolean ?? false)
        }
    }

    /// The JSON form.
    public var value: Value {
        var members = ValueContext()
        members["first"] = self.first.map(Self.value)
        members["last"] = self.last.map(Self.value)
        members["history"] = .list(
            self.history.map { death in
                .context(
                    ValueContext([
                        ("stage", .string(death.stage)), ("code", .string(death.code)),
                        ("count", .number(Number(death.count))), ("firstAt", .string(Timestamp.text(death.firstAt))),
                        ("lastAt", .string(Timestamp.text(death.lastAt))),
                    ]))
            })
        members["attempts"] = .number(Number(self.attempts))
        if self.revision != 0 { members["revision"] = .number(Number(self.revision)) }
        members["traceId"] = self.traceID.map { .string($0) }
        members["idempotencyKey"] = self.idempotencyKey.map { .string($0) }
        if !self.ancestors.isEmpty { members["ancestors"] = .list(self.ancestors.map { .string($0.description) }) }
        members["replay"] = self.request.map { request in
            .context(ValueContext([("actor", .string(request.actor)), ("newKey", .boolean(request.usesNewKey))]))
        }
        return .context(members)
    }

    /// The JSON form as bytes.
    var json: [UInt8] {
        var bytes: [UInt8] = []
        JSON.write(self.value, into: &bytes)
        return bytes
    }

    private static func value(_ failure: Failure) -> Value {
        .context(
            ValueContext([
                ("code", .string(failure.code)), ("class", .string(failure.errorClass)),
                ("retryable", .boolean(failure.isRetryable)), ("stage", .string(failure.stage)),
                ("message", .string(failure.message)), ("at", .string(Timestamp.text(failure.at))),
            ]))
    }

    private static func failure(_ value: Value?) -> Failure? {
        guard let value, let code = value["code"]?.asString else { return nil }
        return Failure(
            code: code, errorClass: value["class"]?.asString ?? "", isRetryable: value["retryable"]?.asBoolean ?? false,
            stage: value["stage"]?.asString ?? "", message: value["message"]?.asString ?? "",
            at: Self.instant(value["at"]))
    }

    private static func instant(_ value: Value?) -> Int64 {
        value?.asString.flatMap { Timestamp.milliseconds($0) } ?? 0
    }
}
