import ConnectorKit
import Crypto
import Decisions
import HTTPTransport
import HubDocuments
import Storage
import Values

/// Where the requests of one armed trigger arrive: verifies them, takes their events in, and answers what became of them.
public final class IngressEndpoint: Sendable {
    let trigger: String
    let settings: IngressSettings
    let source: PushSource
    let decoding: RecordDecoding
    private let verifier: RequestVerifier
    private let gate: RequestGate?
    private let note: @Sendable (_ refusal: String) -> Void

    /// Header fields that are never part of an event.
    private static let privateHeaders: Set = ["authorization", "proxy-authorization", "cookie"]
    /// How many events one request may bring.
    private static let eventsMaximum = 1_000

    init(
        _ trigger: IngressTrigger, _ settings: IngressSettings, source: PushSource, verifier: RequestVerifier,
        gate: RequestGate?, note: @escaping @Sendable (_ refusal: String) -> Void
    ) {
        self.trigger = trigger.id
        self.decoding = trigger.decoding
        self.settings = settings
        self.source = source
        self.verifier = verifier
        self.gate = gate
        self.note = note
    }

    /// A larger body is refused before it is read.
    public var bodyLimit: Int { self.settings.bodyLimit }

    /// Whether it is part of the server's API, and so reached as the rest of it is.
    public var isPartOfAPI: Bool { self.settings.kind == .api }

    /// Whether requests prove that they are genuine, so that a page of another site cannot make one.
    public var isVerified: Bool { self.settings.kind != .api && !self.settings.schemes.contains(where: \.isNone) }

    /// Takes a request in, and says how to answer it once everything it caused is durable.
    public func receive(_ request: IngressRequest) async -> IngressReply {
        guard request.body.count <= self.settings.bodyLimit else { return self.tooLarge() }
        switch self.settings.kind {
        case .api: return await self.call(request)
        case .cloudevents where request.method == "OPTIONS": return self.handshake(request)
        default: break
        }
        switch await self.verifier.verdict(on: request) {
        case .refused(let reason):
            self.note(reason)
            return IngressReply(
                401, .unverified, "The request could not be verified.",
                remedy: "Sign it, or authenticate, as the trigger expects.")
        case .unavailable(let reason):
            self.note(reason)
            return IngressReply(
                503, .unverifiable, "Requests cannot be verified now.", remedy: "Repeat the request later.",
                retryAfter: .seconds(5))
        case .genuine(let scheme, let claims):
            if case .slack = scheme, let challenge = Self.slackChallenge(request.body) { return challenge }
            let events =
                self.settings.kind == .cloudevents
                ? self.cloudEvents(request) : self.events(of: request, by: scheme, claims: claims)
            switch events {
            case .success(let events): return await self.deliver(events)
            case .failure(let refusal): return refusal.reply
            }
        }
    }

    /// The answer to a body that was not read because it is too large.
    public func tooLarge() -> IngressReply {
        IngressReply(
            413, .contentTooLarge, "The request body is larger than \(self.settings.bodyLimit) bytes.",
            remedy: "Send less, or raise bodyLimit in the trigger.")
    }

    struct Refused: Error {
        let reply: IngressReply
    }

    /// Frees what it holds open.
    func close() async { await self.verifier.close() }

    // MARK: - Answers

    private func deliver(_ events: [SourceEvent]) async -> IngressReply {
        guard events.count <= Self.eventsMaximum else {
            return IngressReply(
                413, .contentTooLarge, "The request has \(events.count) events; \(Self.eventsMaximum) are allowed.",
                remedy: "Send several requests.")
        }
        let outcomes = await self.source.submit(events)
        return IngressAnswer(settings: self.settings).reply(outcomes)
    }

    // MARK: - Operations of the API

    private func call(_ request: IngressRequest) async -> IngressReply {
        if !self.settings.callers.isEmpty,
            !self.settings.callers.contains(where: { PrefixPattern.matches($0, request.actor) })
        {
            self.note("\(request.actor) may not call the operation.")
            return IngressReply(
                403, .forbidden, "\(request.actor) may not call \(self.settings.operation).",
                remedy: "Add the caller to authz in the trigger.")
        }
        let key = self.settings.keyUse == .none ? nil : request.header("idempotency-key")
        if let key, !(1...255).contains(key.utf8.count) {
            return IngressReply(
                400, .keyMissing, "Expected an Idempotency-Key of 1 to 255 bytes.", remedy: "Send a shorter one.")
        }
        guard let key else {
            guard self.settings.keyUse != .required else {
                return IngressReply(
                    400, .keyMissing, "\(self.settings.operation) needs the header Idempotency-Key.",
                    remedy: "Choose a new key for each thing that is to happen once, and send it with every repetition."
                )
            }
            return await self.carryOut(request, id: Self.randomID())
        }
        let id = "\(request.actor)/\(key)"
        guard let gate = self.gate else { return await self.carryOut(request, id: id) }
        let keyed = RequestGate.Request(
            scope: "operation/\(request.actor)/\(self.settings.operation)", key: key, parts: [request.body])
        do {
            switch try await gate.admit(keyed) {
            case .replay(let answer):
                return IngressReply(
                    status: answer.status, headers: [("Idempotency-Replayed", "true")],
                    contentType: answer.contentType, body: answer.body)
            case .refuse(.otherRequest):
                return IngressReply(
                    422, .invalidContent, "The idempotency key was used for another request.",
                    remedy: "Use a new key for each request; repeat a request only as it was.")
            case .refuse(.inProgress(let milliseconds)):
                return IngressReply(
                    409, .busy, "The first request with this idempotency key has not finished.",
                    remedy: "Wait, then repeat the request.", retryAfter: .milliseconds(milliseconds))
            case .refuse(.invalidKey):
                return IngressReply(
                    400, .keyMissing, "The Idempotency-Key is empty or too long.", remedy: "Correct it.")
            case .refuse(.interrupted):
                // The event carries the key: what the first request caused is recognised.
                return await self.carryOut(request, id: id)
            case .execute(let ticket):
                let reply = await self.carryOut(request, id: id)
                let ending: RequestGate.Ending =
                    reply.problem == nil
                    ? .answered(.init(status: reply.status, contentType: reply.contentType, body: reply.body))
                    : .nothingHappened
                try await gate.finish(ticket, ending)
                return reply
            }
        } catch {
            return IngressReply(
                503, .busy, "The idempotency key cannot be kept now: \(error.message)",
                remedy: "Repeat the request later.", retryAfter: .seconds(1))
        }
    }

    private func carryOut(_ request: IngressRequest, id: String) async -> IngressReply {
        let content = self.content(of: request)
        var event = SourceEvent(
            id: id, payload: content.payload, contentType: content.contentType, body: content.body)
        event.coordinates = ["operation": .string(self.settings.operation), "actor": .string(request.actor)]
        event.headers = self.headers(of: request)
        return await self.deliver([event])
    }

    private static func randomID() -> String {
        Hex.encode((0..<16).map { _ in UInt8.random(in: 0 ... .max) })
    }
}

// MARK: - Webhooks

extension IngressEndpoint {
    private struct Content {
        var payload: [UInt8]
        var contentType: String
        var body: SourceEvent.Body
    }

    private func events(
        of request: IngressRequest, by scheme: VerificationScheme, claims: ValueContext?
    ) -> Result<[SourceEvent], Refused> {
        let headers = self.headers(of: request)
        var coordinates: ValueContext = ["method": .string(request.method), "path": .string(request.path)]
        let query = self.query(of: request)
        if !query.isEmpty { coordinates["query"] = .context(query) }
        if let claims { coordinates["claims"] = .context(claims) }
        if self.settings.splits, let ranges = try? JSON.elements(of: request.body[...]) {
            let id = Self.identity(of: request, by: scheme, .null)
            return .success(
                ranges.enumerated().map { index, range in
                    let payload = Array(request.body[range])
                    let message = self.decoding.message(payload, contentType: "application/json")
                    var place = coordinates
                    place["index"] = .number(Number(index))
                    return SourceEvent(
                        id: "\(id)/\(index)", payload: payload, contentType: message.contentType, body: message.body,
                        coordinates: place, headers: headers)
                })
        }
        let content = self.content(of: request)
        var value = Value.null
        if case .value(let read) = content.body { value = read }
        return .success([
            SourceEvent(
                id: Self.identity(of: request, by: scheme, value), payload: content.payload,
                contentType: content.contentType, body: content.body, coordinates: coordinates, headers: headers)
        ])
    }

    /// What a request carries: its body as its type says, the fields of a form, or the query when there is no body.
    private func content(of request: IngressRequest) -> Content {
        if request.body.isEmpty { return Self.fields(self.query(of: request)) }
        let type = request.header("content-type")
        if self.decoding.format == .auto, Self.isForm(type), let text = String(validating: request.body, as: UTF8.self)
        {
            return Self.fields(FormText.context(FormText.pairs(text)))
        }
        let message = self.decoding.message(request.body, contentType: type)
        return Content(payload: request.body, contentType: message.contentType, body: message.body)
    }

    /// Fields as a record; kept as JSON, which a dead letter can be corrected in.
    private static func fields(_ fields: ValueContext) -> Content {
        var payload: [UInt8] = []
        JSON.write(.context(fields), into: &payload)
        return Content(payload: payload, contentType: "application/json", body: .value(.context(fields)))
    }

    private static func isForm(_ type: String?) -> Bool {
        type?.prefix { $0 != ";" && $0 != " " }.lowercased() == "application/x-www-form-urlencoded"
    }

    /// The header fields, without those that hold secrets.
    private func headers(of request: IngressRequest) -> ValueContext {
        let secret = self.settings.schemes.flatMap(\.secretHeaders)
        var context = ValueContext()
        context.reserveCapacity(request.headers.count)
        for (name, value) in request.headers where !Self.privateHeaders.contains(name) && !secret.contains(name) {
            context[name] = .string((context[name]?.asString).map { $0 + ", " + value } ?? value)
        }
        return context
    }

    private func query(of request: IngressRequest) -> ValueContext {
        let secret = self.settings.schemes.flatMap(\.secretParameters)
        return FormText.context(request.queryPairs.filter { !secret.contains($0.name) })
    }

    /// The same for every delivery of one event: what the scheme names it by, else its content.
    static func identity(
        of request: IngressRequest, by scheme: VerificationScheme, _ content: Value
    ) -> String {
        let named: String? =
            switch scheme {
            case .standardWebhooks: request.header("webhook-id")
            case .github: request.header("x-github-delivery")
            case .stripe: content["id"]?.asString
            case .slack: content["event_id"]?.asString
            case .twilio: request.header("i-twilio-idempotency-token")
            case .jwt: content["message"]?["messageId"]?.asString
            case .sendGrid, .sharedToken, .basic, .mtls, .none: nil
            }
        if let named, !named.isEmpty, named.utf8.count <= 255 { return named }
        var hash = SHA256()
        hash.update(data: Array((request.query ?? "").utf8))
        hash.update(data: [0])
        hash.update(data: request.body)
        return "sha256:" + Hex.encode(hash.finalize())
    }

    /// The answer to Slack's question whether we are there.
    private static func slackChallenge(_ body: [UInt8]) -> IngressReply? {
        guard let value = try? JSON.parse(body), value["type"]?.asString == "url_verification",
            let challenge = value["challenge"]?.asString
        else { return nil }
        return IngressReply(status: 200, contentType: "text/plain; charset=utf-8", body: Array(challenge.utf8))
    }
}

// MARK: - CloudEvents

extension IngressEndpoint {
    /// The handshake of the HTTP webhook binding: whether the sender may send at all.
    private func handshake(_ request: IngressRequest) -> IngressReply {
        guard let origin = request.header("webhook-request-origin") else {
            return IngressReply(status: 204, headers: [("Allow", "POST, OPTIONS")])
        }
        guard self.settings.origins.isEmpty || self.settings.origins.contains(origin.lowercased()) else {
            self.note("The handshake of \(origin.shortened(to: 80)) was refused.")
            return IngressReply(
                403, .forbidden, "Events from this origin are not taken.", remedy: "Add it to origins in the trigger.")
        }
        var headers = [("Allow", "POST, OPTIONS"), ("WebHook-Allowed-Origin", origin)]
        if let rate = request.header("webhook-request-rate") { headers.append(("WebHook-Allowed-Rate", rate)) }
        return IngressReply(status: 200, headers: headers)
    }

    private func cloudEvents(_ request: IngressRequest) -> Result<[SourceEvent], Refused> {
        let read: [CloudEventRequest.Item]
        do { read = try CloudEventRequest.items(of: request) } catch { return .failure(Refused(reply: error.reply)) }
        let headers = self.headers(of: request)
        return .success(
            read.map { item in
                var event = item.sourceEvent
                event.headers = headers
                return event
            })
    }
}
