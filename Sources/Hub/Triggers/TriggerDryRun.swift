import ConnectorKit
import HubDocuments
public import Values

/// What a trigger would do with an event, step by step; nothing is started.
public struct TriggerDryRun: Sendable {
    /// One of the steps an event passes.
    public struct Step: Sendable, Hashable {
        /// How a step ended.
        public enum State: String, Sendable {
            /// The event goes on.
            case passed
            /// The event ends here, as declared.
            case stopped
            /// The event is wrong.
            case failed
            /// The trigger asks for nothing here.
            case none
            /// The event did not come so far.
            case skipped
        }

        /// The step's name.
        public var name: String
        /// How it ended.
        public var state: State
        /// What there is to say about it.
        public var detail: String
    }

    /// The steps, in their order.
    public var steps: [Step]
    /// The record after decoding; nil when it cannot be read.
    public var record: Value?
    /// What comes of it.
    public var decision: TriggerDecision

    /// The most characters of a value that are shown.
    private static let excerptMax = 400

    /// Lets `event`, received at `receivedAt` (Unix milliseconds), pass the steps of `trigger`.
    init(_ trigger: TriggerDeclaration, on event: SourceEvent, receivedAt: Int64) {
        self.decision = TriggerDecision(trigger, on: event, receivedAt: receivedAt)
        if case .value(let value) = event.body { self.record = value }
        self.steps = Self.steps(trigger, event, self.record, self.decision, receivedAt)
    }

    private static func steps(
        _ trigger: TriggerDeclaration, _ event: SourceEvent, _ record: Value?, _ decision: TriggerDecision,
        _ receivedAt: Int64
    ) -> [Step] {
        let orderingKey = TriggerPipeline(trigger).orderingKey(of: event, receivedAt: receivedAt)
        let names = ["decode", "validate", "filter", "dedupe", "order", "transform", "decide"]
        let details: [String: String?] = [
            "decode": record.map { "\(event.contentType): \(Self.excerpt($0))" },
            "validate": trigger.schema == nil ? nil : trigger.schemaID ?? "schema.inline",
            "filter": trigger.filter == nil ? nil : "it is of interest",
            "dedupe": decision.dedupeKey.map { "key \($0)" } ?? "no key",
            "order": orderingKey.map { "key \($0)" } ?? (trigger.ordering == nil ? nil : "no key: in no order"),
            "transform": decision.facts["variables"].map { Self.excerpt($0) }
                ?? decision.facts["input"].map { Self.excerpt($0) } ?? "",
            "decide": decision.summary,
        ]
        let end = Self.end(trigger, decision, record)
        let endIndex = end.flatMap { names.firstIndex(of: $0.name) } ?? names.count
        return names.enumerated().map { index, name in
            if let end, index == endIndex { return end }
            if index > endIndex { return Step(name: name, state: .skipped, detail: "") }
            guard let detail = details[name] ?? nil else { return Step(name: name, state: .none, detail: "") }
            return Step(name: name, state: .passed, detail: detail)
        }
    }

    /// The step at which the event ends before it has an effect.
    private static func end(_ trigger: TriggerDeclaration, _ decision: TriggerDecision, _ record: Value?) -> Step? {
        switch decision.kind {
        case .start, .correlate, .signal, .call:
            return nil
        case .filtered:
            return Step(name: "filter", state: .stopped, detail: "it is not of interest")
        case .dropped:
            // Of the steps whose errors may be dropped, the first that finds one.
            let violations = record.flatMap { trigger.schema?.violations(of: $0) } ?? []
            let name = record == nil ? "decode" : violations.isEmpty ? "filter" : "validate"
            let reason = violations.first.map { "\($0)" } ?? "it is wrong"
            return Step(name: name, state: .stopped, detail: "dropped as declared: \(reason)")
        case .deadLetter:
            let code = decision.facts["code"]?.asString ?? ""
            let stage = decision.facts["stage"]?.asString ?? ""
            let name: String
            switch (stage, code) {
            case (_, HubCode.noDedupeKey.rawValue): name = "dedupe"
            case ("decode", _), ("validate", _), ("filter", _), ("transform", _): name = stage
            default: name = "decide"
            }
            return Step(name: name, state: .failed, detail: "\(code): \(decision.facts["message"]?.asString ?? "")")
        }
    }

    private static func excerpt(_ value: Value) -> String { JSON.string(value).shortened(to: Self.excerptMax) }

    /// The run as one object.
    public var value: Value {
        [
            "steps": .list(
                self.steps.map {
                    ["step": .string($0.name), "state": .string($0.state.rawValue), "detail": .string($0.detail)]
                }),
            "record": self.record ?? .null, "result": self.decision.value,
        ]
    }
}

extension TriggerDeclaration {
    /// What the trigger would do with `input` at `now` (Unix milliseconds): one run for each record it holds.
    ///
    /// Pure: nothing is started, kept or called.
    public func dryRun(_ input: TriggerEventInput, now: Int64) -> [TriggerDryRun] {
        input.events(for: self).map { TriggerDryRun(self, on: $0, receivedAt: now) }
    }
}
