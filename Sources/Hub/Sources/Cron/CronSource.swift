public import ConnectorKit
import HubDocuments
import Metrics
public import Values

/// The clock as a source of events: one event for each time a schedule names.
///
/// The event's id is the time it was due by the schedule, so that a run that is emitted again is a duplicate. How far
/// the schedule has come is kept in `memory`, when runs are acknowledged. Errors: HB601, HB602, HB604.
public actor CronSource: EventSource {
    private let parameters: CronParameters
    private let trigger: String
    private let clock: any ConnectorClock
    private let memory: any SourceMemory
    private let replay: ClosedRange<Int64>?
    private let isRunning: @Sendable (_ trigger: String) async -> Bool
    private let unit: @Sendable (_ trigger: String, _ instant: Int64) -> Double
    private let skips: (missed: Counter, overlapping: Counter)
    private var machine: CronMachine?
    private var saved: CronMachine.Position?
    private var counted = CronMachine.LeftOut()

    /// Creates the source of `trigger`.
    ///
    /// - Parameters:
    ///   - parameters: Those of `cron` in the trigger, see `CronParameters`.
    ///   - trigger: Its id.
    ///   - clock: The time.
    ///   - memory: Keeps how far the schedule has come.
    ///   - replay: `{ from, to }`, both RFC 3339: emits the runs from `from` until before `to` (at most now) again.
    ///   - isRunning: Whether an instance that the trigger started is still running; asked for `overlap` only.
    ///   - unit: A number in [0, 1) for the jitter of a run; must be the same each time it is asked for.
    /// - Throws: `ConnectorError` (validation) that names the fields.
    public init(
        parameters: Value, trigger: String, clock: any ConnectorClock, memory: any SourceMemory, replay: Value? = nil,
        isRunning: @escaping @Sendable (_ trigger: String) async -> Bool,
        unit: @escaping @Sendable (_ trigger: String, _ instant: Int64) -> Double = CronSource.scatteredUnit
    ) throws {
        self.parameters = try Self.read(parameters, now: clock.unixMilliseconds)
        self.trigger = trigger
        self.clock = clock
        self.memory = memory
        self.replay = try replay.map { try Self.range($0, now: clock.unixMilliseconds) }
        self.isRunning = isRunning
        self.unit = unit
        func counter(_ reason: String) -> Counter {
            Counter(label: "trigger_runs_skipped_total", dimensions: [("trigger", trigger), ("reason", reason)])
        }
        self.skips = (counter("missed"), counter("overlap"))
    }

    /// Reads the position, or begins now: with a new schedule, and with one that was never seen.
    public func connect() async throws {
        if let replay {
            self.machine = self.replaying(replay)
            return
        }
        let now = self.clock.unixMilliseconds.wholeSeconds
        let kept = CronMemory(try await self.memory.load())
        // A clock that was put back: what it names again is recognised by its id.
        var decided = min(kept?.position.decided ?? now, now)
        if kept?.schedule != self.parameters.schedule.text || kept?.timezone != self.parameters.timezone {
            decided = now
        }
        let position = CronMachine.Position(decided: decided, fired: kept?.position.fired)
        let (trigger, unit) = (self.trigger, self.unit)
        let machine = CronMachine(self.parameters, position: position) { unit(trigger, $0) }
        self.saved = decided == kept?.position.decided ? position : nil
        self.counted = CronMachine.LeftOut()
        self.machine = machine
        try await self.save()
    }

    private func replaying(_ range: ClosedRange<Int64>) -> CronMachine {
        var parameters = self.parameters
        parameters.from = max(parameters.from ?? range.lowerBound, range.lowerBound)
        parameters.until = min(parameters.until ?? range.upperBound, range.upperBound)
        let start = range.lowerBound - 1
        let before = parameters.schedule.newest(
            1, after: start - CronSchedule.horizonSeconds, through: start, in: parameters.zone)
        return CronMachine(
            parameters, position: CronMachine.Position(decided: start, fired: before.last), isReplay: true
        ) { _ in 0 }
    }

    /// The runs that are due; see `EventSource.read(maximum:wait:)`.
    public func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard let step = self.machine?.next(at: self.clock.unixMilliseconds, maximum: maximum) else {
                throw SourceInterruption.notConnected(reason: "the schedule was closed")
            }
            if case .askWhetherRunning = step {
                let isRunning = await self.isRunning(self.trigger)
                self.machine?.answered(isRunning: isRunning)
                continue
            }
            self.count()
            try await self.save()
            switch step {
            case .emit(let id, let runs):
                let now = self.clock.unixMilliseconds
                return EventBatch(id: id, events: runs.map { self.event($0, firedAt: now) })
            case .wait(let milliseconds):
                let left = deadline - self.clock.now
                guard left > .zero else { return nil }
                try await self.clock.sleep(for: min(.milliseconds(milliseconds), left))
            case .askWhetherRunning:
                continue
            case .end:
                throw SourceInterruption.endOfInput
            }
        }
    }

    /// Keeps the position when everything before it is acknowledged too.
    public func acknowledge(_ batch: EventBatch.ID) async throws {
        self.machine?.acknowledged(batch)
        try await self.save()
    }

    /// Emits the runs again later, or counts them as done.
    public func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .redeliver(let after):
            self.machine?.returned(batch, until: self.clock.unixMilliseconds + after.wholeMilliseconds)
        case .setAside:
            try await self.acknowledge(batch)
        }
    }

    /// Stops.
    public func close() { self.machine = nil }

    /// Always 0: time does not pile up.
    public func backlog() async -> Int? { 0 }

    private func save() async throws {
        guard self.replay == nil, let position = self.machine?.position, position != self.saved else { return }
        try await self.memory.save(
            CronMemory(
                schedule: self.parameters.schedule.text, timezone: self.parameters.timezone, position: position
            ).value)
        self.saved = position
    }

    private func count() {
        guard let leftOut = self.machine?.leftOut, leftOut != self.counted else { return }
        self.skips.missed.increment(by: leftOut.missed - self.counted.missed)
        self.skips.overlapping.increment(by: leftOut.overlapping - self.counted.overlapping)
        self.counted = leftOut
    }

    private func event(_ run: CronMachine.Run, firedAt: Int64) -> SourceEvent {
        let scheduled = Timestamp.text(run.instant * 1_000)
        let body = Value.context(
            ValueContext([
                ("scheduledTime", .string(scheduled)), ("firedTime", .string(Timestamp.text(firedAt))),
                ("missed", .boolean(run.isMissed)),
                ("previous", run.previous.map { .string(Timestamp.text($0 * 1_000)) } ?? .null),
            ]))
        var payload: [UInt8] = []
        JSON.write(body, into: &payload)
        return SourceEvent(
            id: scheduled, payload: payload, contentType: "application/json", body: .value(body),
            coordinates: ValueContext([
                ("schedule", .string(self.parameters.schedule.text)), ("timezone", .string(self.parameters.timezone)),
                ("scheduledTime", .string(scheduled)), ("localTime", .string(self.parameters.localText(run.instant))),
            ]),
            occurredAtMilliseconds: run.instant * 1_000)
    }
}

/// What a schedule keeps between its lives.
private struct CronMemory {
    var schedule: String
    var timezone: String
    var position: CronMachine.Position

    init(schedule: String, timezone: String, position: CronMachine.Position) {
        self.schedule = schedule
        self.timezone = timezone
        self.position = position
    }

    /// Nil for what another kind of source kept.
    init?(_ value: Value?) {
        guard let value, let schedule = value["schedule"]?.asString, let timezone = value["timezone"]?.asString,
            let decided = value["decided"]?.asString.flatMap({ Timestamp.milliseconds($0) })
        else { return nil }
        let fired = value["fired"]?.asString.flatMap { Timestamp.milliseconds($0) }
        self.init(
            schedule: schedule, timezone: timezone,
            position: CronMachine.Position(decided: decided.wholeSeconds, fired: fired?.wholeSeconds))
    }

    var value: Value {
        .context(
            ValueContext([
                ("schedule", .string(self.schedule)), ("timezone", .string(self.timezone)),
                ("decided", .string(Timestamp.text(self.position.decided * 1_000))),
                ("fired", self.position.fired.map { .string(Timestamp.text($0 * 1_000)) } ?? .null),
            ]))
    }
}
