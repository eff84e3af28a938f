public import Decisions
public import Runtime
public import Storage
public import Values

/// Which dead letters are meant; what is not given does not matter.
public struct DeadLetterSelection: Sendable {
    /// One of these.
    public var keys: [Key] = []
    /// The trigger or connector they came through.
    public var origin: String?
    /// The connection they came or were to go through.
    public var connection: String?
    /// The code of their newest error.
    public var code: String?
    /// How far they came.
    public var stage: String?
    /// What they are about.
    public var kind: NewDeadLetter.Kind?
    /// At least this old.
    public var minimumAge: Duration?
    /// Part of the message, the coordinates or the payload.
    public var text: String?
    /// A FEEL condition over `DeadLetterRecord.scope`.
    public var condition: Expression?
    /// The most letters meant, the oldest first.
    public var limit = 1_000

    /// The most letters one selection may mean.
    public static let limitMax = 10_000

    /// Selects every letter that waits.
    public init() {}

    /// The part of it the records can decide, for letters in these states at `now`.
    func filter(states: [UInt8], now: Int64) -> DeadLetterFilter {
        var filter = DeadLetterFilter()
        filter.state = [states.count == 1 ? .equal(states[0]) : .oneOf(states)]
        if !self.keys.isEmpty { filter.key = [.oneOf(self.keys.map(\.rawValue))] }
        if let origin { filter.origin = [.equal(origin)] }
        if let connection { filter.connection = [.equal(connection)] }
        if let code { filter.errorCode = [.equal(code)] }
        if let stage { filter.stage = [.equal(stage)] }
        if let kind { filter.kind = [.equal(kind.rawValue)] }
        if let minimumAge { filter.createdAt = [.lessOrEqual(now &- minimumAge.wholeMilliseconds)] }
        return filter
    }

    /// The rest of it.
    func includes(_ letter: DeadLetterRecord, now: Int64) -> Bool {
        if let text, !letter.mentions(text) { return false }
        guard let condition else { return true }
        return condition.evaluateCondition(
            MapScope(letter.scope(now: now), now: DateTime(epochMilliseconds: now) ?? .feelEpoch)) == true
    }
}

extension DeadLetterRecord {
    /// What its state is called.
    public var stateName: String {
        switch self.state {
        case 0: "parked"
        case 1: "resolved"
        case 2: "discarded"
        case 3: "queued"
        default: "replaying"
        }
    }

    /// The payload as a value: parsed when it is JSON, text when it is text, else null.
    var payloadValue: Value {
        if let value = try? JSON.parse(self.payload), self.contentType.contains("json") { return value }
        return String(validating: self.payload, as: UTF8.self).map { .string($0) } ?? .null
    }

    /// What conditions see of a dead letter.
    func scope(now: Int64) -> ValueContext {
        let report = DeadLetterReport(json: self.report)
        return ValueContext([
            ("key", .string(Key(rawValue: self.key).description)), ("origin", .string(self.origin)),
            ("connection", self.connection.map { .string($0) } ?? .null),
            ("kind", .string(self.kind == NewDeadLetter.Kind.job.rawValue ? "job" : "trigger")),
            ("stage", .string(self.stage)), ("code", .string(self.errorCode)), ("message", .string(self.errorMessage)),
            ("state", .string(self.stateName)), ("ageSeconds", .number(Number((now - self.createdAt) / 1_000))),
            ("redriveCount", .number(Number(self.redriveCount))), ("attempts", .number(Number(report.attempts))),
            ("orderingKey", self.orderingKey.map { .string($0) } ?? .null),
            ("schemaId", self.schemaID.map { .string($0) } ?? .null),
            ("coordinates", (try? JSON.parse(self.coordinates)) ?? .null),
            ("headers", (try? JSON.parse(self.headers)) ?? .context(ValueContext())),
            ("first", report.value["first"] ?? .null), ("last", report.value["last"] ?? .null),
            ("payload", self.payloadValue),
        ])
    }

    fileprivate func mentions(_ text: String) -> Bool {
        if self.errorMessage.contains(text) { return true }
        let bytes = Array(text.utf8)
        return self.payload.firstRange(of: bytes) != nil || self.coordinates.firstRange(of: bytes) != nil
    }
}
