import ConnectorKit
import Engine
import HubDocuments
import Runtime
import Storage
public import Values

/// What a trigger decided about an event, in the words of its documents.
///
/// The one place outside the runner that looks into a verdict of the pipeline.
public struct TriggerDecision: Sendable {
    /// What is to be done.
    public enum Kind: String, Sendable, CaseIterable {
        case start, correlate, signal, call, filtered, dropped, deadLetter
    }

    /// What is to be done.
    public var kind: Kind
    /// What the effect is given: `workflow`, `variables`, `message`, `key`, `code`, `stage` and the like.
    public var facts: ValueContext
    /// The key by which the event is recognised when it comes again, without the trigger's own prefix; nil when the event
    /// did not get that far.
    public var dedupeKey: String?

    /// The decision of `trigger` on `event`, received at `receivedAt` (Unix milliseconds).
    ///
    /// Pure: nothing is started.
    init(_ trigger: TriggerDeclaration, on event: SourceEvent, receivedAt: Int64) {
        self.facts = ValueContext()
        let key: String?
        switch TriggerPipeline(trigger).verdict(on: event, receivedAt: receivedAt) {
        case .start(let request):
            self.kind = .start
            key = request.idempotencyKey
            if case .process(let id, let version) = request.target {
                self.facts["workflow"] = .string(id)
                if let version { self.facts["version"] = .number(Number(version)) }
            }
            self.facts["businessKey"] = request.businessID.map { .string($0) }
            self.facts["variables"] = Self.json(request.variables)
        case .correlate(let request):
            self.kind = .correlate
            key = request.idempotencyKey
            self.facts["message"] = .string(request.message)
            self.facts["key"] = .string(request.correlationKey)
            self.facts["variables"] = Self.json(request.variables)
            if case .start(let process, let version, let businessID, _) = request.noMatch {
                self.facts["workflow"] = .string(process)
                if let version { self.facts["version"] = .number(Number(version)) }
                self.facts["businessKey"] = businessID.map { .string($0) }
            }
        case .signal(let request):
            self.kind = .signal
            key = request.idempotencyKey
            self.facts["name"] = .string(request.name)
            self.facts["variables"] = Self.json(request.variables)
        case .call(let request):
            self.kind = .call
            key = request.idempotencyKey
            self.facts["connection"] = .string(request.connection)
            self.facts["operation"] = .string(request.operation)
            self.facts["input"] = request.input
        case .filtered:
            self.kind = .filtered
            key = nil
        case .dropped:
            self.kind = .dropped
            key = nil
        case .deadLetter(let letter):
            self.kind = .deadLetter
            key = nil
            self.facts["code"] = .string(letter.errorCode)
            self.facts["stage"] = .string(letter.stage)
            self.facts["message"] = .string(letter.errorMessage)
        }
        let prefix = trigger.dedupe.scope == .trigger ? trigger.id + ":" : "workflow:"
        self.dedupeKey = key.map { $0.hasPrefix(prefix) ? String($0.dropFirst(prefix.count)) : $0 }
    }

    private static func json(_ bytes: [UInt8]?) -> Value { bytes.flatMap { try? JSON.parse($0) } ?? [:] }

    /// The decision as one object.
    public var value: Value {
        var context = self.facts
        context["decision"] = .string(self.kind.rawValue)
        if let key = self.dedupeKey { context["dedupeKey"] = .string(key) }
        return .context(context)
    }

    /// The decision in a few words, such as `start of order-intake`.
    public var summary: String {
        func fact(_ name: String) -> String { self.facts[name]?.asString ?? "" }
        return switch self.kind {
        case .start: "start of \(fact("workflow"))"
        case .correlate: "message \(fact("message")) for \(fact("key"))"
        case .signal: "signal \(fact("name"))"
        case .call: "call of \(fact("connection")).\(fact("operation"))"
        case .filtered: "filtered"
        case .dropped: "dropped"
        case .deadLetter: "dead letter \(fact("code")) at \(fact("stage")): \(fact("message"))"
        }
    }
}
