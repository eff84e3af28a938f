import ConnectorKit
import Decisions
import Engine
import HubDocuments
import Runtime
import Values

/// What becomes of one event: the trigger's steps from decode to decide, in their normative order, as a function.
///
/// Pure: no clock, no I/O. The same event always gets the same verdict, so an event delivered again after a crash has
/// the same idempotency key and the same dead-letter key.
struct TriggerPipeline: Sendable {
    /// What to do about an event.
    enum Verdict: Sendable {
        /// Start a process.
        case start(CreateInstanceRequest)
        /// Give a message to an instance, or start one.
        case correlate(CorrelateRequest)
        /// Tell everybody.
        case signal(SignalRequest)
        /// Call an operation.
        case call(CallRequest)
        /// Nothing: it is not of interest.
        case filtered
        /// Nothing: it is wrong, and the declaration says to forget such events.
        case dropped
        /// Keep it for a person.
        case deadLetter(NewDeadLetter)
    }

    /// A signal to be broadcast.
    struct SignalRequest: Sendable {
        var name: String
        var variables: [UInt8]
        var idempotencyKey: String
        var idempotencyMilliseconds: Int64
        var received: ReceivedEvent?
    }

    /// An operation to be called.
    struct CallRequest: Sendable {
        var connection: String
        var operation: String
        var input: Value
        var idempotencyKey: String
    }

    /// Says that an event comes from the dead-letter list.
    struct Redrive: Sendable {
        /// The dead letter.
        var key: Key
        /// How often it was replayed before, this time included.
        var count: Int
        /// What is known about its errors.
        var report: DeadLetterReport
        /// Whether it only waited behind another one of its ordering key: then nothing has been tried yet.
        var wasParked = false

        /// Where the chain of letters began that replaced each other.
        var root: Key { self.report.ancestors.first ?? self.key }
    }

    /// Why an event is not started.
    struct Refusal: Error, Sendable {
        var stage: Stage
        var code: HubCode
        var message: String
        var disposition: ErrorDisposition
    }

    /// The steps, as dead letters name them.
    enum Stage: String, Sendable {
        case decode, validate, filter, order, transform, correlate, invoke, commit
    }

    let declaration: TriggerDeclaration
    private let trigger: Value
    /// How long senders wait for the end of the instance they start; nil: not.
    private let syncWait: Duration?

    init(_ declaration: TriggerDeclaration) {
        self.declaration = declaration
        self.trigger = .context(declaration.context)
        self.syncWait = declaration.ingress.flatMap { IngressSettings.read($0).settings?.sync?.wait }
    }

    /// The verdict on `event`, received at `receivedAt` (Unix milliseconds).
    func verdict(on event: SourceEvent, receivedAt: Int64, redrive: Redrive? = nil) -> Verdict {
        do {
            return try self.decide(about: event, receivedAt: receivedAt, redrive: redrive) ?? .filtered
        } catch {
            switch error.disposition {
            case .drop: return .dropped
            case .dlq:
                return .deadLetter(self.deadLetter(for: event, refusal: error, at: receivedAt, redrive: redrive))
            }
        }
    }

    /// The dead letter of `event`.
    ///
    /// Its dedupe key names the content and the place, so that the same bad record of a file dropped twice is one dead
    /// letter.
    func deadLetter(
        for event: SourceEvent, refusal: Refusal, at moment: Int64, redrive: Redrive? = nil
    ) -> NewDeadLetter {
        var coordinates = event.coordinates
        coordinates["type"] = .string(self.declaration.source.type.name)
        coordinates["eventId"] = .string(event.id)
        coordinates["triggerRevision"] = .number(Number(self.declaration.revision))
        if let redrive { coordinates["redriveOf"] = .string(redrive.key.description) }
        let line = event.coordinates["line"]?.asInt64 ?? 0
        let fingerprint = redrive.map { "redrive:\($0.key)" } ?? "\(line):\(Self.fingerprint(event.payload))"
        var letter = NewDeadLetter(
            origin: self.declaration.id, coordinates: Value.context(coordinates).objectJSON,
            dedupeKey: "\(self.declaration.id):\(fingerprint)", stage: refusal.stage.rawValue,
            errorCode: refusal.code.rawValue, errorMessage: refusal.message, contentType: event.contentType,
            payload: event.payload, redriveCount: redrive?.count ?? 0)
        letter.connection = self.declaration.source.connection
        letter.parent = redrive?.key
        letter.orderingKey = self.orderingKey(of: event, receivedAt: moment)
        letter.schemaID = self.declaration.schemaID
        if !event.headers.isEmpty { letter.headers = Value.context(event.headers).objectJSON }
        letter.report = self.report(on: event, refusal, at: moment, redrive).json
        return letter
    }

    private func report(
        on event: SourceEvent, _ refusal: Refusal, at moment: Int64, _ redrive: Redrive?
    ) -> DeadLetterReport {
        var report = redrive.map { $0.report.succeeding($0.key) } ?? DeadLetterReport()
        report.died(
            DeadLetterReport.Failure(
                code: refusal.code.rawValue, errorClass: "event", isRetryable: false, stage: refusal.stage.rawValue,
                message: refusal.message, at: moment))
        report.revision = self.declaration.revision
        report.traceID = event.headers.traceID ?? report.traceID
        return report
    }

    /// 128 bits that differ for different contents: two hashes from different starting points.
    private static func fingerprint(_ bytes: [UInt8]) -> String {
        let first = StableHash.fnv1a64(bytes)
        let second = StableHash.fnv1a64(bytes, state: StableHash.mixed(first ^ UInt64(bytes.count)))
        return String(first, radix: 16) + "-" + String(second, radix: 16)
    }
}

// MARK: - The steps

extension TriggerPipeline {
    /// What an event asks for; nil when the filter stops it.
    private func decide(
        about event: SourceEvent, receivedAt: Int64, redrive: Redrive?
    ) throws(Refusal) -> Verdict? {
        let data = try self.decode(event)
        try self.validate(data)
        let context = self.context(of: event, receivedAt: receivedAt)
        let scope = self.scope(data, context, receivedAt: receivedAt)
        guard try self.passesFilter(context, scope) else { return nil }
        let key = try self.idempotencyKey(of: event, scope, redrive)
        let declared = self.declaration
        let target = declared.target
        let lifetime = declared.dedupe.timeToLive.wholeMilliseconds
        // What comes from the dead-letter list is kept there.
        let received = redrive == nil ? self.received(event, key: key, at: receivedAt) : nil
        switch target.mode {
        case .start:
            var request = CreateInstanceRequest(
                target: .process(id: target.workflow ?? "", version: target.version),
                variables: try self.variables(data, scope), businessID: try self.businessID(scope), idempotencyKey: key,
                idempotencyMilliseconds: lifetime, actor: self.actor)
            request.received = received
            if declared.acknowledgement.moment == .completed {
                request.awaitMilliseconds = declared.acknowledgement.holdMax?.wholeMilliseconds
            } else {
                request.awaitMilliseconds = self.syncWait?.wholeMilliseconds
            }
            return .start(request)
        case .correlate, .startOrCorrelate:
            return .correlate(
                CorrelateRequest(
                    message: target.event ?? "", correlationKey: try self.correlationKey(scope),
                    variables: try self.variables(data, scope), idempotencyKey: key,
                    idempotencyMilliseconds: lifetime, actor: self.actor, noMatch: try self.noMatch(scope),
                    manyMatches: target.manyMatches.request, received: received))
        case .signal:
            return .signal(
                SignalRequest(
                    name: target.event ?? "", variables: try self.variables(data, scope), idempotencyKey: key,
                    idempotencyMilliseconds: lifetime, received: received))
        case .capability:
            guard let call = target.call else { return nil }
            return .call(
                CallRequest(
                    connection: call.connection, operation: call.operation,
                    input: try self.input(of: call, data, scope), idempotencyKey: key))
        }
    }

    private var actor: String { "trigger:\(self.declaration.id)" }

    private func scope(_ data: Value, _ context: ValueContext, receivedAt: Int64) -> MapScope {
        MapScope(
            ["data": data, "event": .context(context), "trigger": self.trigger],
            now: DateTime(epochMilliseconds: receivedAt) ?? .feelEpoch)
    }

    /// What the event is ordered by; nil for one that cannot be read, has no key, or is in no order.
    func orderingKey(of event: SourceEvent, receivedAt: Int64) -> String? {
        guard let ordering = self.declaration.ordering, case .value(let data) = event.body else { return nil }
        let scope = self.scope(data, self.context(of: event, receivedAt: receivedAt), receivedAt: receivedAt)
        return ordering.key.evaluate(scope).value.keyText.map(Self.bounded)
    }

    /// The dead letter of an event that waits behind an earlier one of its ordering key.
    func parkedLetter(for event: SourceEvent, behind key: String, at moment: Int64) -> NewDeadLetter {
        self.deadLetter(
            for: event,
            refusal: Refusal(
                stage: .order, code: .parkedBehind,
                message: "An earlier event of the ordering key \(key.shortened(to: 80)) is a dead letter.",
                disposition: .dlq),
            at: moment)
    }

    /// The copy of the event that is kept in the inbox; nil when none is.
    private func received(_ event: SourceEvent, key: String, at moment: Int64) -> ReceivedEvent? {
        guard let retention = self.declaration.inboxRetention else { return nil }
        return ReceivedEvent(
            trigger: self.declaration.id, eventID: event.id, dedupeKey: key, contentType: event.contentType,
            payload: event.payload, headers: Value.context(event.headers).objectJSON,
            coordinates: Value.context(event.coordinates).objectJSON, receivedAt: moment,
            retainMilliseconds: retention.wholeMilliseconds)
    }

    private static func bounded(_ key: String) -> String {
        key.utf8.count <= 200 ? key : Self.fingerprint(Array(key.utf8))
    }

    private func decode(_ event: SourceEvent) throws(Refusal) -> Value {
        switch event.body {
        case .value(let value):
            return value
        case .undecodable(let finding):
            let place = finding.column.map { "line \(finding.line), column \($0)" } ?? "line \(finding.line)"
            throw Refusal(
                stage: .decode, code: .malformed, message: "\(place): \(finding.reason)",
                disposition: self.declaration.decodeErrors)
        case .undecoded:
            throw Refusal(
                stage: .decode, code: .malformed,
                message: "The format of the content (\(event.contentType)) is not known; set decode.format.",
                disposition: self.declaration.decodeErrors)
        }
    }

    private func validate(_ data: Value) throws(Refusal) {
        guard let violations = self.declaration.schema?.violations(of: data), !violations.isEmpty else { return }
        throw Refusal(
            stage: .validate, code: .schemaViolation,
            message: violations.map(\.description).joined(separator: " "),
            disposition: self.declaration.schemaErrors)
    }

    private func passesFilter(_ event: ValueContext, _ scope: MapScope) throws(Refusal) -> Bool {
        switch self.declaration.filter?.verdict(event: event, scope: scope) {
        case nil, .pass: return true
        case .stop: return false
        case .undecided(let reason):
            let disposition: ErrorDisposition
            switch self.declaration.filterErrors {
            case .accept: return true
            case .drop: disposition = .drop
            case .dlq: disposition = .dlq
            }
            throw Refusal(stage: .filter, code: .filterFailed, message: reason, disposition: disposition)
        }
    }

    /// Unique per event and stable over redelivery; a replay has one of its own, so that it starts although the event
    /// was seen, and yet only once.
    private func idempotencyKey(
        of event: SourceEvent, _ scope: MapScope, _ redrive: Redrive?
    ) throws(Refusal) -> String {
        let dedupe = self.declaration.dedupe
        let prefix = dedupe.scope == .trigger ? self.declaration.id : "workflow"
        if let redrive, !redrive.wasParked {
            // Replaying a letter that replaced another starts nothing that the other one started.
            let isNew = redrive.report.request?.usesNewKey == true
            return "\(prefix):redrive:" + (isNew ? "\(redrive.key):new" : "\(redrive.root)")
        }
        let evaluation = dedupe.key.evaluate(scope)
        guard let key = evaluation.value.keyText else {
            let reason = evaluation.warnings.first.map(\.message) ?? "it is \(evaluation.value.typeName)"
            throw Refusal(
                stage: .validate, code: .noDedupeKey,
                message: "Expected the dedupe key =\(dedupe.key.source.shortened(to: 80)) to be text but \(reason).",
                disposition: .dlq)
        }
        let bounded = Self.bounded(key)
        return switch dedupe.onDuplicate {
        case .ack: "\(prefix):\(bounded)"
        case .reprocess: "\(prefix):\(bounded):\(event.id)"
        }
    }

    private func variables(_ data: Value, _ scope: MapScope) throws(Refusal) -> [UInt8] {
        let value = try self.transformed(data, scope)
        guard case .context = value else {
            throw Refusal(
                stage: .transform, code: .transformFailed,
                message: "Expected the start variables to be an object but found \(value.typeName.lowercased()).",
                disposition: .dlq)
        }
        var json: [UInt8] = []
        JSON.write(value, into: &json)
        return json
    }

    private func transformed(_ data: Value, _ scope: MapScope) throws(Refusal) -> Value {
        guard let template = self.declaration.variables else { return data }
        return try self.evaluate(template, scope, place: "transform.set")
    }

    private func input(of call: TriggerTarget.Call, _ data: Value, _ scope: MapScope) throws(Refusal) -> Value {
        guard let input = call.input else { return try self.transformed(data, scope) }
        return try self.evaluate(input, scope, place: "target.input")
    }

    private func evaluate(_ template: ValueTemplate, _ scope: MapScope, place: String) throws(Refusal) -> Value {
        do {
            return try template.evaluate(scope)
        } catch {
            throw Refusal(
                stage: .transform, code: .transformFailed,
                message: "\(place)\(error.path.isEmpty ? "" : "." + error.path): \(error.reason)", disposition: .dlq)
        }
    }

    private func correlationKey(_ scope: MapScope) throws(Refusal) -> String {
        guard let expression = self.declaration.target.correlationKey else { return "" }
        let evaluation = expression.evaluate(scope)
        guard let key = evaluation.value.keyText else {
            let reason = evaluation.warnings.first.map(\.message) ?? "it is \(evaluation.value.typeName)"
            throw Refusal(
                stage: .correlate, code: .transformFailed,
                message: "Expected target.correlationKey to be text but \(reason).", disposition: .dlq)
        }
        return key
    }

    private func noMatch(_ scope: MapScope) throws(Refusal) -> CorrelateRequest.NoMatch {
        let target = self.declaration.target
        switch target.noMatch {
        case .start:
            return .start(
                process: target.workflow ?? "", version: target.version, businessID: try self.businessID(scope))
        case .buffer(let time): return .buffer(milliseconds: time.wholeMilliseconds)
        case .dlq: return .refuse
        case .ack: return .ignore
        }
    }

    private func businessID(_ scope: MapScope) throws(Refusal) -> String? {
        guard let expression = self.declaration.target.businessKey else { return nil }
        let evaluation = expression.evaluate(scope)
        if evaluation.value.isNull, let warning = evaluation.warnings.first {
            throw Refusal(
                stage: .transform, code: .transformFailed, message: "target.businessKey: \(warning.message)",
                disposition: .dlq)
        }
        return evaluation.value.keyText
    }

    /// What expressions see as `event`, and filters as its attributes: the context attributes of CloudEvents 1.0, and
    /// where the source had it.
    private func context(of event: SourceEvent, receivedAt: Int64) -> ValueContext {
        var context = ValueContext([
            ("id", .string(event.id)), ("source", .string(self.declaration.source.name)),
            ("type", .string(self.declaration.source.type.name)),
            ("contentType", .string(event.contentType)),
            ("time", .string(Timestamp.text(event.occurredAtMilliseconds ?? receivedAt))),
            ("receivedAt", .string(Timestamp.text(receivedAt))),
        ])
        if let subject = event.coordinates["file"] { context["subject"] = subject }
        // The attributes of a CloudEvent are the event's own.
        if let attributes = event.coordinates["cloudEvent"]?.asContext {
            for (name, value) in attributes { context[name] = value }
        }
        context["coordinates"] = .context(event.coordinates)
        context["headers"] = .context(event.headers)
        return context
    }
}

extension TriggerTarget.ManyMatches {
    fileprivate var request: CorrelateRequest.ManyMatches {
        switch self {
        case .error: .refuse
        case .all: .all
        case .first: .first
        }
    }
}

extension Value {
    /// The value as a key: text, numbers and booleans as they are written, and nothing else.
    var keyText: String? {
        switch self {
        case .string(let text): text.isEmpty ? nil : text
        case .number(let number): number.description
        case .boolean(let flag): flag ? "true" : "false"
        default: self.temporalText
        }
    }
}

extension ValueContext {
    /// The trace a header `traceparent` names (W3C Trace Context); nil when there is none.
    fileprivate var traceID: String? {
        let parts = self["traceparent"]?.asString?.split(separator: "-") ?? []
        return parts.count >= 4 && parts[1].utf8.count == 32 ? String(parts[1]) : nil
    }
}

extension Duration {
    /// The length in whole milliseconds, rounded up, at most that of `Int64`.
    var wholeMilliseconds: Int64 {
        let (seconds, attoseconds) = self.components
        let part = attoseconds / 1_000_000_000_000_000 + (attoseconds % 1_000_000_000_000_000 > 0 ? 1 : 0)
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : product + part
    }
}
