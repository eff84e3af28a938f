import ConnectorKit
import Decisions
import HubDocuments
public import Values

/// Decides what a webhook request of an event is: genuine or forged, an event, a question or nothing.
///
/// A pure function of the request, the secrets and the time; whoever listens calls it, stores the event, and answers.
public struct WebhookReceiver: Sendable {
    private let event: EventSpec
    private let webhook: WebhookSpec

    /// Creates the receiver of the event `id`.
    ///
    /// `nil` when the specification has no such event, or it does not come by webhook.
    public init?(_ spec: ConnectorSpec, event id: String) {
        guard let event = spec.event(id), let webhook = event.webhook else { return nil }
        self.event = event
        self.webhook = webhook
    }

    /// How long the remote waits for its answer, as far as the specification says.
    public var answerWithin: Duration? { self.webhook.ack.within }

    /// Whether the answer waits for the process the event starts.
    public var waitsForCompletion: Bool { self.webhook.ack.moment == .completed }

    /// The parameters of the connection that hold the secret, if it stands there.
    ///
    /// - Parameters:
    ///   - connection: The connection's parameters, without secrets.
    ///   - credential: The fields of the connection's credential, with their secrets, for `verify.secret` alone.
    ///   - kept: What was kept when the webhook was subscribed to.
    ///   - now: Unix seconds.
    public func receive(
        _ request: WebhookRequest, connection: ValueContext, credential: ValueContext = ValueContext(),
        kept: ValueContext = ValueContext(), now: Int64
    ) -> WebhookVerdict {
        guard request.body.count <= WebhookRequest.bodyBytesMaximum else {
            return .refused(reply: WebhookReply(status: 413), reason: "The body is too large.")
        }
        let scope = WebhookScope(request, connection: connection, kept: kept, now: now)
        if let challenge = self.webhook.challenge, !challenge.isVerified, challenge.condition.holds(scope.event(.null))
        {
            return .challenge(reply: self.reply(challenge, scope))
        }
        var secretVariables = scope.variables
        secretVariables["credential"] = .context(credential)
        let secret = self.webhook.verify.secret?.text(MapScope(secretVariables, now: scope.now))
        if let reason = WebhookVerifier(spec: self.webhook.verify).problem(scope, secret: secret, now: now) {
            return .refused(reply: WebhookReply(status: 401), reason: reason)
        }
        if let challenge = self.webhook.challenge, challenge.isVerified, challenge.condition.holds(scope.event(.null)) {
            return .challenge(reply: self.reply(challenge, scope))
        }
        let payload = self.webhook.payload?.value(scope.event(.null)) ?? scope.body
        let map = scope.event(payload)
        let acknowledgement = self.acknowledgement(map)
        if let condition = self.webhook.condition, !condition.holds(map) {
            return .ignored(reply: acknowledgement)
        }
        if let violation = self.event.schema.compiled.violations(of: payload).first {
            return .refused(
                reply: WebhookReply(status: 400), reason: "The event is not as declared: \(violation)")
        }
        let event = WebhookEvent(
            payload: payload, dedupeKey: self.webhook.dedupeKey?.text(map),
            orderingKey: self.webhook.orderingKey?.text(map),
            occurredAtMilliseconds: self.webhook.occurredAt.flatMap { EventTime.milliseconds($0.value(map)) })
        return .event(event, reply: acknowledgement)
    }

    private func acknowledgement(_ map: MapScope) -> WebhookReply {
        guard let body = self.webhook.ack.body?.value(map), !body.isNull else {
            return WebhookReply(status: self.webhook.ack.status)
        }
        return Self.reply(self.webhook.ack.status, body)
    }

    private func reply(_ challenge: ChallengeSpec, _ scope: WebhookScope) -> WebhookReply {
        let map = scope.event(.null)
        var reply: WebhookReply
        if let json = challenge.json?.value(map) {
            reply = Self.reply(
                challenge.status, json.asString == nil ? json : .string(json.asString ?? ""), isJSON: true)
        } else {
            reply = Self.reply(challenge.status, challenge.text.map { .string($0.text(map) ?? "") } ?? .null)
        }
        for (name, value) in challenge.headers {
            if let text = value.text(map) { reply.headers.append((name, text)) }
        }
        return reply
    }

    private static func reply(_ status: Int, _ body: Value, isJSON: Bool = false) -> WebhookReply {
        if body.isNull, !isJSON { return WebhookReply(status: status) }
        if let text = body.asString, !isJSON {
            return WebhookReply(
                status: status, headers: [("Content-Type", "text/plain; charset=utf-8")], body: Array(text.utf8))
        }
        return WebhookReply(
            status: status, headers: [("Content-Type", "application/json")], body: Array(JSON.string(body).utf8))
    }
}

/// Times of events as services write them.
enum EventTime {
    /// Unix milliseconds out of a number of seconds or milliseconds, text with one, or a timestamp.
    static func milliseconds(_ value: Value) -> Int64? {
        switch value {
        case .number(let number):
            // A number of seconds stays below this until the year 5138, and a number of milliseconds was above in 1973.
            let amount = number.double
            guard amount.magnitude < 100_000_000_000_000 else { return nil }
            return Int64((amount.magnitude < 100_000_000_000 ? amount * 1_000 : amount).rounded())
        case .string(let text):
            if let number = Double(text), let number = Number(number) { return Self.milliseconds(.number(number)) }
            return Timestamp.milliseconds(text)
        default: return value.temporalText.flatMap { Timestamp.milliseconds($0) }
        }
    }
}
