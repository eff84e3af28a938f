import ConnectorKit
import HubDocuments
import Logging
import Runtime
import Storage
import Values

extension HubService {
    /// The triggers, in the order declared.
    public func triggers() -> [TriggerStatus] {
        self.triggerSet.runners.map(\.status)
    }

    /// One trigger.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func trigger(_ id: String) throws(HubError) -> TriggerStatus {
        try self.runner(id).status
    }

    /// The newest declaration of a trigger.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func declaration(ofTrigger id: String) throws(HubError) -> TriggerDeclaration {
        try self.runner(id).declaration
    }

    /// Takes these triggers in place of those that run: new ones are armed, those that are gone finish what they work on,
    /// and one that means something else is armed once its predecessor has let go of the source.
    public func reload(triggers: [TriggerDeclaration]) -> TriggerReload {
        self.deadLetters.triggers = triggers
        self.ingress.declare(triggers.compactMap(\.ingress))
        let report = self.triggerSet.reload(triggers)
        self.logger.info(
            "triggers reloaded",
            metadata: [
                "added": "\(report.added.joined(separator: " "))",
                "replaced": "\(report.replaced.joined(separator: " "))",
                "removed": "\(report.removed.joined(separator: " "))", "unchanged": "\(report.unchanged.count)",
            ])
        return report
    }

    /// Stops a trigger after the records it works on.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func pauseTrigger(_ id: String) throws(HubError) {
        try self.runner(id).pause()
    }

    /// Arms a paused trigger again.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func resumeTrigger(_ id: String) throws(HubError) {
        try self.runner(id).resume()
    }

    /// What a trigger would do with an event: one run for each record it holds.
    ///
    /// Nothing is started, kept or called.
    ///
    /// Throws `HubError` (`HB301`) when there is none of this id.
    public func dryRun(trigger id: String, event: TriggerEventInput) throws(HubError) -> [TriggerDryRun] {
        try self.runner(id).declaration.dryRun(event, now: self.clock.unixMilliseconds)
    }

    /// Takes events of a trigger again: from its source, from the inbox, or from the dead letters.
    ///
    /// What is remembered of an event counts: one that was taken is a duplicate, one that was lost is taken now. Letters
    /// are queued and replayed in the background; everything else is done when this returns. The trigger itself goes on
    /// meanwhile.
    ///
    /// Throws `HubError`: `HB301` when there is none of this id, `HB305` when the range cannot be read.
    public func replayTrigger(
        _ id: String, _ request: TriggerReplayRequest
    ) async throws(HubError) -> TriggerReplayReport {
        var declaration = try self.runner(id).declaration
        if request.origin == .letters { return try await self.replayLetters(of: id, request) }
        if let rate = request.rate { declaration.rate = rate }
        declaration.isEnabled = true
        // A copy that is made from the inbox is not copied again.
        declaration.inboxRetention = nil
        do {
            let source: any EventSource =
                request.origin == .inbox
                ? InboxSource(
                    declaration, range: (request.from ?? 0)..<(request.to ?? .max), letters: self.deadLetters)
                : try await self.triggerHost.sources.arm(
                    declaration, memory: VolatileSourceMemory(), replay: request.range)
            let report = try await self.replay(declaration, source, isDryRun: request.isDryRun)
            await source.close()
            return report
        } catch let error as HubError {
            throw error
        } catch {
            let error = ConnectorError(wrapping: error)
            throw HubError(
                .replayFailed, self.pool.secrets.redacted("\(error.code): \(error.message)"), remedy: error.remedy)
        }
    }

    /// How long a dry run waits for the next event of a range.
    private static let forecastWait = Duration.seconds(5)

    private func replay(
        _ declaration: TriggerDeclaration, _ source: any EventSource, isDryRun: Bool
    ) async throws -> TriggerReplayReport {
        var report = TriggerReplayReport()
        try await source.connect()
        guard isDryRun else {
            let runner = TriggerRunner(declaration, host: self.triggerHost, watch: self.outages(of: declaration))
            if case .failed(let reason) = try await runner.readOnce(source) {
                throw HubError(.replayFailed, reason, remedy: "Replay the range again; what was taken stays taken.")
            }
            report.counters = runner.status.counters
            return report
        }
        while report.forecast.count < TriggerReplayReport.forecastMax {
            let room = TriggerReplayReport.forecastMax - report.forecast.count
            do {
                guard let batch = try await source.read(maximum: room, wait: Self.forecastWait) else { break }
                let now = self.clock.unixMilliseconds
                report.forecast += batch.events.map {
                    TriggerDryRun(declaration, on: declaration.decoding.opened($0), receivedAt: now)
                }
            } catch SourceInterruption.endOfInput {
                break
            }
        }
        return report
    }

    private func replayLetters(
        of id: String, _ request: TriggerReplayRequest
    ) async throws(HubError) -> TriggerReplayReport {
        var selection = DeadLetterSelection()
        selection.origin = id
        selection.kind = .trigger
        selection.limit = DeadLetterSelection.limitMax
        let range = (request.from ?? 0)..<(request.to ?? .max)
        let keys = try await self.deadLetters.list(selection).filter { range.contains($0.createdAt) }.map(\.key)
        var report = TriggerReplayReport()
        guard !keys.isEmpty else { return report }
        selection.keys = keys.map { Key(rawValue: $0) }
        let result = try await self.deadLetters.replay(
            selection, rate: request.rate.map { DeadLetterRate($0) }, isDryRun: request.isDryRun, actor: request.actor)
        report.queued = request.isDryRun ? result.forecast.count : result.queued.count
        return report
    }

    func runner(_ id: String) throws(HubError) -> TriggerRunner {
        let runners = self.triggerSet.runners
        guard let runner = runners.first(where: { $0.declaration.id == id }) else {
            throw HubError.unknownTrigger(id, known: runners.map(\.declaration.id))
        }
        return runner
    }

    private func outages(of trigger: TriggerDeclaration) -> OutageWatch {
        OutageWatch(
            trigger: trigger, service: self.triggerHost.service,
            lanes: Dictionary(self.lanes.map { ($0.declaration.id, $0) }, uniquingKeysWith: { first, _ in first }))
    }
}
