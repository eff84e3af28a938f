import ConnectorKit
import Engine
import HubDocuments
import Logging
import Resilience
import Runtime
public import Storage
import Synchronization
public import Values

/// What a replay did, or would do.
public enum ReplayResult: Sendable, Equatable {
    /// It started this instance.
    case started(Key)
    /// Its message reached this instance.
    case correlated(Key)
    /// It was taken: a message that waits for somebody, a signal, a call that was made.
    case sent
    /// An earlier replay, interrupted before it was recorded, had started this instance.
    case alreadyStarted(Key)
    /// The trigger's filter stops it now: nothing was started.
    case filtered
    /// It failed again: a new dead letter, with the reason, replaces the old one.
    case deadLettered(Key, reason: String)
    /// The job of this instance is offered again; the letter is resolved once the job has ended.
    case retried(instance: Key, element: String)
    /// A dry run: it would fail again.
    case wouldFail(reason: String)
    /// A dry run: it would start this process with these variables (a JSON object document).
    case wouldStart(workflow: String, variables: [UInt8])
    /// A dry run: it would send this message or signal, or call this operation, with these variables or this input (a
    /// JSON document).
    case wouldSend(target: String, content: [UInt8])
    /// A dry run: the job of this element would be offered again with this input.
    case wouldRetry(element: String, input: [UInt8])
}

extension DeadLetters {
    /// Sends a dead letter on its way again: an event through its trigger from the start, a call at its step.
    ///
    /// The trigger's dedupe key does not count: a replay starts although the event was seen. Repeating an interrupted
    /// replay starts nothing twice, and neither does replaying a letter that replaced another, unless `usesNewKey` says
    /// that the effect may happen again. A letter that fails again is replaced by a new one, which names it and counts
    /// the replays; when the engine cannot be reached, the letter stays as it is.
    ///
    /// - Parameters:
    ///   - letter: The dead letter, from the records.
    ///   - payload: Sent instead of the letter's own payload, in the same format; nil for the letter's own.
    ///   - usesNewKey: Whether the effect may happen again.
    ///   - isDryRun: Only says what would happen.
    ///   - actor: Who asks.
    /// - Throws: `HubError`: `HB301` when the trigger is gone, `HB304` when the letter ended or was replayed too often,
    ///   `HB305` when the engine does not take it now, `HB312` when it descends from itself, `HB314` when its job has
    ///   ended, `HB319` when it was sealed and cannot be opened.
    public func replay(
        _ letter: DeadLetterRecord, payload: [UInt8]? = nil, usesNewKey: Bool = false, isDryRun: Bool = false,
        actor: String
    ) async throws(HubError) -> ReplayResult {
        // One that could not be opened says why, or can be opened now.
        let isUnreadable = letter.contentType == LetterSeal.unreadable
        let letter = isUnreadable ? try await self.letter(Key(rawValue: letter.key)) : letter
        var report = DeadLetterReport(json: letter.report)
        let trigger = letter.kind == NewDeadLetter.Kind.job.rawValue ? nil : try self.trigger(letter.origin)
        try self.check(letter, report, limit: trigger?.redriveMax ?? self.settings.redriveMax)
        report.request = DeadLetterReport.Request(actor: actor, usesNewKey: usesNewKey)
        guard !isDryRun else {
            if let trigger { return self.forecast(letter, report, trigger, payload: payload) }
            return try await self.retry(letter, report, payload: payload, isDryRun: true)
        }
        let isFirst = self.state.withLock { $0.active.insert(letter.key).inserted }
        guard isFirst else {
            throw HubError(
                .deadLetterState, "The dead letter \(Key(rawValue: letter.key)) is being replayed.",
                remedy: "Look at it again in a moment.")
        }
        defer { _ = self.state.withLock { $0.active.remove(letter.key) } }
        guard let trigger else { return try await self.retry(letter, report, payload: payload, isDryRun: false) }
        let key = Key(rawValue: letter.key)
        var update = DeadLetterUpdate(.replay, detail: payload == nil ? nil : "with another payload")
        update.report = report.json
        try await self.update(key, update, actor: actor)
        do {
            return try await self.send(letter, report, trigger, payload: payload, actor: actor)
        } catch {
            // One that was queued stays queued: the queue comes back to it.
            if letter.state == 0 { try? await self.update(key, DeadLetterUpdate(.park), actor: actor) }
            throw error
        }
    }

    private func trigger(_ id: String) throws(HubError) -> TriggerDeclaration {
        guard let trigger = self.triggers.first(where: { $0.id == id }) else {
            throw HubError.unknownTrigger(id, known: self.triggers.map(\.id))
        }
        return trigger
    }

    private func check(_ letter: DeadLetterRecord, _ report: DeadLetterReport, limit: Int) throws(HubError) {
        let key = Key(rawValue: letter.key)
        guard letter.state != 1, letter.state != 2 else {
            throw HubError(
                .deadLetterState, "The dead letter \(key) was \(letter.stateName).",
                remedy: "Only open dead letters can be replayed.")
        }
        guard letter.redriveCount < limit else {
            throw HubError(
                .deadLetterState, "The dead letter \(key) was replayed \(letter.redriveCount) times already.",
                remedy: "Correct the payload or the trigger, raise redrive.maxCount, or discard it.")
        }
        guard !report.ancestors.contains(key) else {
            throw HubError(
                .replayCycle, "The dead letter \(key) descends from itself.",
                remedy: "Discard it, and look for what sends the events of the trigger \(letter.origin) back to it.")
        }
    }

    // MARK: Events

    private func verdict(
        _ letter: DeadLetterRecord, _ report: DeadLetterReport, _ trigger: TriggerDeclaration, payload: [UInt8]?
    ) -> (event: SourceEvent, pipeline: TriggerPipeline, redrive: TriggerPipeline.Redrive, TriggerPipeline.Verdict) {
        let event = letter.event(payload: payload, decoding: trigger.decoding)
        let pipeline = TriggerPipeline(trigger)
        let redrive = TriggerPipeline.Redrive(
            key: Key(rawValue: letter.key), count: letter.redriveCount + 1, report: report,
            wasParked: letter.stage == TriggerPipeline.Stage.order.rawValue)
        let verdict = pipeline.verdict(on: event, receivedAt: self.clock.unixMilliseconds, redrive: redrive)
        return (event, pipeline, redrive, verdict)
    }

    private func forecast(
        _ letter: DeadLetterRecord, _ report: DeadLetterReport, _ trigger: TriggerDeclaration, payload: [UInt8]?
    ) -> ReplayResult {
        switch self.verdict(letter, report, trigger, payload: payload).3 {
        case .start(let request):
            .wouldStart(workflow: trigger.target.name, variables: request.variables ?? [])
        case .correlate(let request):
            .wouldSend(target: "\(request.message) (\(request.correlationKey))", content: request.variables ?? [])
        case .signal(let request): .wouldSend(target: request.name, content: request.variables)
        case .call(let request):
            .wouldSend(target: "\(request.connection).\(request.operation)", content: request.input.objectJSON)
        case .filtered, .dropped: .filtered
        case .deadLetter(let again): .wouldFail(reason: again.errorMessage)
        }
    }

    private func send(
        _ letter: DeadLetterRecord, _ report: DeadLetterReport, _ trigger: TriggerDeclaration, payload: [UInt8]?,
        actor: String
    ) async throws(HubError) -> ReplayResult {
        let key = Key(rawValue: letter.key)
        let (event, pipeline, redrive, verdict) = self.verdict(letter, report, trigger, payload: payload)
        let result: TriggerEffects.Result
        switch verdict {
        case .start(let request):
            result = await self.effects.start(request, holds: trigger.acknowledgement.moment == .completed)
        case .correlate(let request): result = await self.effects.correlate(request)
        case .signal(let request): result = await self.effects.signal(request, actor: actor)
        case .call(let request): result = await self.effects.call(request)
        case .filtered, .dropped:
            try await self.end(key, as: .resolved, actor: actor)
            return .filtered
        case .deadLetter(let again):
            return try await self.replace(key, by: again, actor: actor)
        }
        switch result {
        case .done(_, let outcome):
            try await self.end(key, as: .resolved, actor: actor)
            return outcome.replayResult
        case .refused(let refusal):
            let again = pipeline.deadLetter(
                for: event, refusal: refusal, at: self.clock.unixMilliseconds, redrive: redrive)
            return try await self.replace(key, by: again, actor: actor)
        case .trouble(.backpressure):
            throw HubError(.replayFailed, "The replay failed: the engine is full.", remedy: "Try again in a moment.")
        case .trouble(.transient(let reason)):
            throw HubError(.replayFailed, "The replay failed: \(reason)", remedy: "Try again in a moment.")
        }
    }

    /// Writes the new letter before the old one ends, so that none is lost in between.
    private func replace(
        _ key: Key, by letter: NewDeadLetter, actor: String
    ) async throws(HubError) -> ReplayResult {
        let newKey: Key
        do {
            newKey = try await self.record(letter)
        } catch {
            throw HubError(.replayFailed, "The replay failed: \(error.message)", remedy: error.remedy)
        }
        try await self.end(key, as: .resolved, actor: actor)
        return .deadLettered(newKey, reason: letter.errorMessage)
    }

    // MARK: Calls

    /// What the records know about the job of a letter.
    private struct JobPlace: Sendable {
        var job: JobRecord
        var incident: UInt64?
    }

    private func place(ofJob key: UInt64) async throws(HubError) -> JobPlace? {
        try await self.read { (records) throws(StoreError) -> JobPlace? in
            var jobs = JobFilter()
            jobs.key = [.equal(key)]
            guard let job = try records.jobs(Query(filter: jobs, page: PageRequest(limit: 1))).items.first else {
                return nil
            }
            var incidents = IncidentFilter()
            incidents.elementInstanceKey = [.equal(job.record.elementInstanceKey)]
            incidents.isResolved = false
            let incident = try records.incidents(Query(filter: incidents, page: PageRequest(limit: 1))).items.first
            return JobPlace(job: job.record, incident: incident?.record.key)
        }
    }

    /// Offers the job of a letter again; what it is to be sent, and under which key, waits for it.
    private func retry(
        _ letter: DeadLetterRecord, _ report: DeadLetterReport, payload: [UInt8]?, isDryRun: Bool
    ) async throws(HubError) -> ReplayResult {
        let key = Key(rawValue: letter.key)
        let actor = report.request?.actor ?? ""
        guard letter.state != 4 else {
            throw HubError(
                .deadLetterState, "The dead letter \(key) is being replayed.",
                remedy: "Wait for its job: it completes, or fails with a new letter.")
        }
        guard let jobKey = letter.jobKey, let place = try await self.place(ofJob: jobKey) else {
            if !isDryRun { try? await self.end(key, as: .resolved, actor: actor) }
            throw HubError(
                .jobEnded, "The job of dead letter \(key) has ended.",
                remedy: "Nothing is left to be replayed: the letter is resolved.")
        }
        let input = payload ?? letter.payload
        guard (try? JSON.parse(input))?.asContext != nil else {
            throw HubError(
                .patchFailed, "The input of a call is a JSON object, but the payload of \(key) is none.",
                remedy: "Correct it with `junction dead-letter edit`.")
        }
        if isDryRun { return .wouldRetry(element: place.job.elementID, input: input) }
        var update = DeadLetterUpdate(.replay)
        update.payload = payload
        update.redriveCount = letter.redriveCount + 1
        update.report = report.json
        try await self.update(key, update, actor: actor)
        let isCorrected = payload != nil || letter.originalPayload != nil
        self.jobs.set(
            JobRedrives.Redrive(letter: key, input: isCorrected ? input : nil, suffix: report.keySuffix(of: key)),
            for: Key(rawValue: jobKey))
        if let incident = place.incident {
            do {
                try await self.service.resolveIncident(key: Key(rawValue: incident), actor: actor)
            } catch  where error.code == .notFound {
                // Somebody else resolved it: the job is on its way.
            } catch {
                self.jobs.remove(Key(rawValue: jobKey))
                if letter.state == 0 { try? await self.update(key, DeadLetterUpdate(.park), actor: actor) }
                throw HubError(.replayFailed, "The replay failed: \(error.message)", remedy: error.remedy)
            }
        }
        return .retried(instance: Key(rawValue: place.job.instanceKey), element: place.job.elementID)
    }

    /// Goes on with the replay of a call that was interrupted before its job was offered again.
    func resume(_ letter: DeadLetterRecord) async throws(HubError) {
        guard !self.state.withLock({ $0.active.contains(letter.key) }), let job = letter.jobKey,
            let incident = try await self.place(ofJob: job)?.incident
        else { return }
        let report = DeadLetterReport(json: letter.report)
        self.jobs.set(JobRedrives.Redrive(letter, report), for: Key(rawValue: job))
        do {
            try await self.service.resolveIncident(
                key: Key(rawValue: incident), actor: report.request?.actor ?? "hub")
        } catch {
            throw HubError(.replayFailed, error.message, remedy: error.remedy)
        }
    }
}

extension EventOutcome {
    fileprivate var replayResult: ReplayResult {
        switch self {
        case .started(let key, _): .started(key)
        case .correlated(let key): .correlated(key)
        case .duplicate(let key?): .alreadyStarted(key)
        case .filtered, .dropped: .filtered
        case .accepted, .duplicate(nil), .deadLettered, .failed: .sent
        }
    }
}

extension DeadLetterReport {
    /// What is appended to the idempotency key of the call; nil keeps the original one.
    func keySuffix(of letter: Key) -> String? {
        self.request?.usesNewKey == true ? "-redrive-\(letter)" : nil
    }
}

extension DeadLetterRecord {
    /// The event as its source gave it, with another payload if one is given.
    func event(payload: [UInt8]?, decoding: RecordDecoding) -> SourceEvent {
        let bytes = payload ?? self.payload
        let known = (try? JSON.parse(self.coordinates))?.asContext ?? ValueContext()
        var coordinates = known
        for key in ["type", "eventId", "triggerRevision", "headers", "redriveOf"] { coordinates[key] = nil }
        // Letters of earlier versions keep the headers among the coordinates.
        let headers = (try? JSON.parse(self.headers))?.asContext ?? known["headers"]?.asContext ?? ValueContext()
        let event = SourceEvent(
            id: known["eventId"]?.asString ?? "dead-letter:\(self.key)", payload: bytes, contentType: self.contentType,
            body: RecordDecoder.decode(
                record: bytes, contentType: self.contentType, headers: headers, decoding: decoding),
            coordinates: coordinates, headers: headers)
        return decoding.opened(event)
    }
}
