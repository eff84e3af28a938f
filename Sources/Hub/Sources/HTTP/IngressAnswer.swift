import ConnectorKit
import Decisions
import HubDocuments
import Values

/// What is answered to what became of events.
struct IngressAnswer: Sendable {
    let settings: IngressSettings

    /// The rejections that are the sender's fault; others are ours, and the event is safe.
    private static let sendersFault: Set = [
        HubCode.malformed.rawValue, HubCode.schemaViolation.rawValue, HubCode.filterFailed.rawValue,
        HubCode.noDedupeKey.rawValue, HubCode.transformFailed.rawValue, HubCode.startRefused.rawValue,
    ]

    func reply(_ outcomes: [EventOutcome]) -> IngressReply {
        guard outcomes.count != 1 else { return self.reply(outcomes[0]) }
        // Whoever repeats all of them repeats the others in vain: they are recognised.
        for case .failed(let reason, let retryAfter) in outcomes { return self.busy(reason, retryAfter) }
        if !outcomes.isEmpty, outcomes.allSatisfy({ Self.isSendersFault($0) }) { return self.reply(outcomes[0]) }
        let status =
            outcomes.isEmpty || outcomes.allSatisfy { Self.isUninteresting($0) }
            ? self.settings.replies.filtered : self.settings.replies.accepted
        return .json(status, .context(["outcomes": .list(outcomes.map { .context(Self.description($0)) })]))
    }

    private func reply(_ outcome: EventOutcome) -> IngressReply {
        let replies = self.settings.replies
        switch outcome {
        case .started(let key, let result):
            guard let sync = self.settings.sync else {
                return .json(replies.accepted, .context(Self.description(outcome)))
            }
            return self.answer(key, result, sync)
        case .correlated, .accepted:
            return .json(replies.accepted, .context(Self.description(outcome)))
        case .duplicate(let key):
            var reply = IngressReply.json(replies.duplicate, .context(Self.description(outcome)))
            if self.settings.sync != nil, let key { reply.headers = [Self.location(key)] }
            return reply
        case .filtered, .dropped:
            return .json(replies.filtered, .context(Self.description(outcome)))
        case .deadLettered(_, let code, let message):
            guard Self.isSendersFault(outcome) else {
                return .json(replies.accepted, .context(Self.description(outcome)))
            }
            guard replies.invalid >= 400 else { return .json(replies.invalid, .context(Self.description(outcome))) }
            return IngressReply(
                replies.invalid, .eventRejected, "\(code): \(message.shortened(to: 500))",
                remedy: "Correct the event; it is kept for whoever looks after the trigger.")
        case .failed(let reason, let retryAfter):
            return self.busy(reason, retryAfter)
        }
    }

    private func busy(_ reason: String, _ retryAfter: Duration?) -> IngressReply {
        IngressReply(
            self.settings.replies.busy, .busy, "The event cannot be taken now: \(reason.shortened(to: 200))",
            remedy: "Send it again after the time in Retry-After; nothing happens twice.",
            retryAfter: retryAfter ?? .seconds(1))
    }

    /// The answer of an instance that ended; a link to one that goes on.
    private func answer(_ key: Key, _ result: [UInt8]?, _ sync: IngressSettings.Sync) -> IngressReply {
        guard let result else {
            var reply = IngressReply.json(
                202, .context(["outcome": "running", "processInstanceKey": .string("\(key)")]))
            reply.headers = [Self.location(key)]
            return reply
        }
        let variables = (try? JSON.parse(result)) ?? .context(ValueContext())
        guard let output = sync.output else { return .json(200, variables) }
        let run: ValueContext = ["key": .string("\(key)"), "output": variables]
        do throws(ValueTemplate.Failure) {
            return .json(200, try output.evaluate(MapScope(["run": .context(run)])))
        } catch {
            return IngressReply(
                500, .answerFailed, "sync.output.\(error.path): \(error.reason)",
                remedy: "The instance \(key) has ended; correct the expression in the trigger.")
        }
    }

    /// The outcome in one word.
    static func word(_ outcome: EventOutcome) -> String {
        switch outcome {
        case .started: "started"
        case .correlated: "correlated"
        case .accepted: "accepted"
        case .duplicate: "duplicate"
        case .filtered: "filtered"
        case .dropped: "dropped"
        case .deadLettered: "deadLettered"
        case .failed: "failed"
        }
    }

    private static func location(_ key: Key) -> (name: String, value: String) {
        ("Location", "/v2/process-instances/\(key)")
    }

    private static func isSendersFault(_ outcome: EventOutcome) -> Bool {
        if case .deadLettered(_, let code, _) = outcome { Self.sendersFault.contains(code) } else { false }
    }

    private static func isUninteresting(_ outcome: EventOutcome) -> Bool {
        switch outcome {
        case .filtered, .dropped: true
        default: false
        }
    }

    private static func description(_ outcome: EventOutcome) -> ValueContext {
        var context: ValueContext = ["outcome": .string(Self.word(outcome))]
        switch outcome {
        case .started(let key, _), .correlated(let key): context["processInstanceKey"] = .string("\(key)")
        case .duplicate(let key?): context["processInstanceKey"] = .string("\(key)")
        case .deadLettered(let key, let code, _):
            context["deadLetterKey"] = .string("\(key)")
            context["code"] = .string(code)
        default: break
        }
        return context
    }
}
