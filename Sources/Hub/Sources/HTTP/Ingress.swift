public import ConnectorKit
import HubDocuments
import Logging
import Synchronization
import Values

/// Where events come in that nobody fetches: the requests to triggers over HTTP, and the events of capabilities.
///
/// Knows which paths are declared and which are armed: a declared path whose trigger is paused or not armed yet answers
/// 503, an unknown one 404. Safe from any thread.
public final class Ingress: Sendable {
    /// Where a request leads.
    public enum Route: Sendable {
        /// To a trigger that takes events.
        case endpoint(IngressEndpoint)
        /// To the events of capabilities, `eventsPath`.
        case events
        /// To something that does not take it now, or not with this method.
        case closed(IngressReply)
        /// Nowhere.
        case nothing
    }

    private struct Place: Hashable {
        var method: String
        var path: String
    }

    private struct Subscription: Sendable {
        var event: String
        var sourcePattern: String?
        /// Nil while the trigger is not armed.
        var source: PushSource?

        func takes(_ event: CloudEvent) -> Bool {
            event.type == self.event && (self.sourcePattern.map { PrefixPattern.matches($0, event.source) } ?? true)
        }
    }

    private struct State {
        var declared: [Place: String] = [:]
        var armed: [Place: IngressEndpoint] = [:]
        var subscriptions: [String: Subscription] = [:]
        var notedAt: [String: Duration] = [:]
    }

    private let secrets: any SecretResolver
    private let gate: RequestGate?
    private let clock: any ConnectorClock
    private let logger: Logger
    private let state = Mutex(State())
    private let heldBytes = Atomic(0)

    /// Refusals are logged once in this time for each trigger: anybody can cause them.
    private static let noteInterval = Duration.seconds(1)
    private static let retryAfter = Duration.seconds(5)
    private static let methods = ["DELETE", "GET", "OPTIONS", "PATCH", "POST", "PUT"]
    /// How many bytes of bodies are held at once: anybody can send them.
    private static let bytesMaximum = 256 << 20
    /// The largest body of a request to `eventsPath`.
    public static let eventsBodyLimit = 8 << 20
    /// Where events of capabilities are sent to over HTTP.
    public static var eventsPath: String { IngressSettings.eventsPath }

    /// Creates an ingress in which nothing is declared.
    ///
    /// - Parameters:
    ///   - secrets: Finds the secrets that requests are verified with.
    ///   - requests: Remembers the answers to requests with an idempotency key; nil: nobody does.
    ///   - clock: The time.
    ///   - logger: Where refusals are noted, at `info`.
    init(secrets: any SecretResolver, requests: RequestGate?, clock: any ConnectorClock, logger: Logger) {
        self.secrets = secrets
        self.gate = requests
        self.clock = clock
        self.logger = logger
    }

    // MARK: - Triggers

    /// Takes these triggers as the declared ones, in place of those before; armed ones stay until their source closes.
    func declare(_ triggers: [IngressTrigger]) {
        var declared: [Place: String] = [:]
        var subscriptions: [String: Subscription] = [:]
        for trigger in triggers {
            guard let settings = IngressSettings.read(trigger).settings else { continue }
            if trigger.kind == .capability {
                subscriptions[trigger.id] = Subscription(event: settings.event, sourcePattern: settings.sourcePattern)
            }
            for place in Self.places(settings) where declared[place] == nil { declared[place] = trigger.id }
        }
        self.state.withLock { state in
            state.declared = declared
            for (id, subscription) in state.subscriptions where subscription.source != nil {
                if subscriptions[id] == nil {
                    subscriptions[id] = subscription
                } else {
                    subscriptions[id]?.source = subscription.source
                }
            }
            state.subscriptions = subscriptions
        }
    }

    /// The source of a trigger; requests reach it from `connect` to `close`.
    ///
    /// Throws `HubError` (`HB620`) when its parameters are wrong, and (`HB109`) for a range to emit again.
    func source(of trigger: IngressTrigger, replay: Value? = nil) throws(HubError) -> PushSource {
        guard replay == nil else {
            throw HubError(
                .notSupported,
                "The remote of a \(trigger.kind.rawValue) source keeps nothing that could be asked for again.",
                remedy: "Replay from the inbox or from the dead letters.")
        }
        let (read, diagnostics) = IngressSettings.read(trigger)
        guard let settings = read else {
            throw HubError(
                .invalidIngress, diagnostics.first?.message ?? "The parameters of the source are wrong.",
                remedy: diagnostics.first?.remedy ?? "Correct them.")
        }
        var limits = PushSource.Limits()
        limits.rejectsAtFailure = trigger.rejectsWhenFull
        limits.patience += settings.sync?.wait ?? .zero
        let box = Box()
        let source = PushSource(
            limits: limits, clock: self.clock,
            onOpen: { [weak self] in try self?.open(trigger, settings, box) },
            onClose: { [weak self] in await self?.close(trigger, settings, box) })
        let verifier = RequestVerifier(settings.schemes, secrets: self.secrets, clock: self.clock)
        let endpoint = IngressEndpoint(
            trigger, settings, source: source, verifier: verifier, gate: self.gate,
            note: { [weak self] in self?.note($0, trigger.id) })
        box.set(endpoint)
        return source
    }

    /// Breaks the circle between a source and its endpoint.
    private final class Box: Sendable {
        private let endpoint = Mutex<IngressEndpoint?>(nil)

        func set(_ endpoint: IngressEndpoint?) { self.endpoint.withLock { $0 = endpoint } }
        var value: IngressEndpoint? { self.endpoint.withLock { $0 } }
    }

    private static func places(_ settings: IngressSettings) -> [Place] {
        settings.path.isEmpty ? [] : settings.methods.map { Place(method: $0, path: settings.path) }
    }

    private func open(_ trigger: IngressTrigger, _ settings: IngressSettings, _ box: Box) throws(HubError) {
        guard let endpoint = box.value else { return }
        let places = Self.places(settings)
        let owner = self.state.withLock { state -> (Place, String)? in
            for place in places {
                if let other = state.armed[place], other.trigger != trigger.id { return (place, other.trigger) }
            }
            for place in places { state.armed[place] = endpoint }
            if trigger.kind == .capability {
                state.subscriptions[trigger.id] = Subscription(
                    event: settings.event, sourcePattern: settings.sourcePattern, source: endpoint.source)
            }
            return nil
        }
        if let (place, other) = owner {
            throw HubError(
                .pathTaken, "\(place.method) \(place.path) belongs to the trigger \(other).",
                remedy: "Give one of them another path.")
        }
    }

    private func close(_ trigger: IngressTrigger, _ settings: IngressSettings, _ box: Box) async {
        guard let endpoint = box.value else { return }
        self.state.withLock { state in
            for place in Self.places(settings) where state.armed[place] === endpoint { state.armed[place] = nil }
            if state.subscriptions[trigger.id]?.source === endpoint.source {
                state.subscriptions[trigger.id]?.source = nil
            }
        }
        await endpoint.close()
    }

    private func note(_ reason: String, _ trigger: String) {
        let now = self.clock.now
        let isDue = self.state.withLock { state in
            if let last = state.notedAt[trigger], now - last < Self.noteInterval { return false }
            state.notedAt[trigger] = now
            return true
        }
        guard isDue else { return }
        self.logger.info(
            "request to a trigger refused",
            metadata: ["trigger.id": "\(trigger)", "error.message": "\(reason.shortened(to: 300))"])
    }

    // MARK: - Requests

    /// Makes room for the body of a request, before it is read; false when too much is held already.
    ///
    /// Whoever got it gives it back with `release`.
    public func reserve(_ bytes: Int) -> Bool {
        if self.heldBytes.add(bytes, ordering: .relaxed).newValue <= Self.bytesMaximum { return true }
        self.release(bytes)
        return false
    }

    /// Gives room back.
    public func release(_ bytes: Int) {
        self.heldBytes.subtract(bytes, ordering: .relaxed)
    }

    /// Where a request with this method and path leads; the path as it was sent, without the query.
    public func route(_ method: String, path: Substring) -> Route {
        guard let path = PathText.normalized(path) else { return .nothing }
        if path == Self.eventsPath { return method == "POST" ? .events : Self.otherMethods(method, path, ["POST"]) }
        let place = Place(method: method, path: path)
        return self.state.withLock { state in
            if let endpoint = state.armed[place] { return .endpoint(endpoint) }
            if let trigger = state.declared[place] {
                return .closed(
                    IngressReply(
                        503, .notArmed, "The trigger \(trigger) does not take events now.",
                        remedy: "Repeat the request later.", retryAfter: Self.retryAfter))
            }
            let others = Self.methods.filter { method in
                let place = Place(method: method, path: path)
                return state.declared[place] != nil || state.armed[place] != nil
            }
            return others.isEmpty ? .nothing : Self.otherMethods(method, path, others)
        }
    }

    private static func otherMethods(_ method: String, _ path: String, _ allowed: [String]) -> Route {
        var reply = IngressReply(
            405, .invalidContent, "\(path) does not take \(method).",
            remedy: "Use \(allowed.joined(separator: " or ")).")
        reply.headers = [("Allow", allowed.joined(separator: ", "))]
        return .closed(reply)
    }

    // MARK: - Events of capabilities

    /// What became of a published event at one trigger.
    public struct Delivery: Sendable, Hashable {
        /// The trigger.
        public var trigger: String
        /// `started`, `correlated`, `accepted`, `duplicate`, `filtered`, `dropped`, `deadLettered`.
        public var outcome: String
    }

    /// Gives an event to every trigger that is declared for it; returns when what it causes is durable.
    ///
    /// - Returns: What became of it at each of them; empty when none is.
    /// - Throws: `HubError` (`HB624`) when one of them cannot take it now; publish it again then, the others recognise it.
    @discardableResult
    public func publish(_ event: CloudEvent) async throws(HubError) -> [Delivery] {
        let outcomes = await self.outcomes(of: event)
        for (trigger, outcome) in outcomes {
            if case .failed(let reason, _) = outcome {
                throw HubError(
                    .busy, "The trigger \(trigger) cannot take the event now: \(reason)",
                    remedy: "Publish it again; nothing happens twice.")
            }
        }
        return outcomes.map { Delivery(trigger: $0.trigger, outcome: IngressAnswer.word($0.outcome)) }
    }

    /// Takes a request to `eventsPath` in.
    public func receiveEvents(_ request: IngressRequest) async -> IngressReply {
        let items: [CloudEventRequest.Item]
        do { items = try CloudEventRequest.items(of: request) } catch { return error.reply }
        var events: [CloudEvent] = []
        for item in items {
            switch item {
            case .event(let event): events.append(event)
            case .malformed(_, _, let problem):
                // Nobody is asked for an event that is none, so nobody's dead letter it could be.
                return IngressReply(
                    400, .invalidContent, problem.reason, remedy: "Send events as CloudEvents 1.0 says.")
            }
        }
        let all = await withTaskGroup(of: [(trigger: String, outcome: EventOutcome)].self) { group in
            for event in events { group.addTask { await self.outcomes(of: event) } }
            return await group.reduce(into: []) { $0 += $1 }
        }
        return IngressAnswer(settings: IngressSettings(kind: .capability)).reply(all.map(\.outcome))
    }

    private func outcomes(of event: CloudEvent) async -> [(trigger: String, outcome: EventOutcome)] {
        let takers = self.state.withLock { state in
            state.subscriptions.filter { $0.value.takes(event) }.map { (trigger: $0.key, source: $0.value.source) }
        }.sorted { $0.trigger < $1.trigger }
        guard !takers.isEmpty else { return [] }
        let record = event.sourceEvent
        return await withTaskGroup(of: (Int, EventOutcome).self) { group in
            for (index, taker) in takers.enumerated() {
                group.addTask {
                    guard let source = taker.source, let outcome = await source.submit([record]).first else {
                        return (index, .failed(reason: "It is not armed.", retryAfter: Self.retryAfter))
                    }
                    return (index, outcome)
                }
            }
            var outcomes = Array(repeating: EventOutcome.filtered, count: takers.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return zip(takers, outcomes).map { (trigger: $0.trigger, outcome: $1) }
        }
    }
}
