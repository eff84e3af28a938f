import ConnectorKit
import Decisions
import Engine
import HubDocuments
import Logging
import Metrics
import Resilience
import Runtime
import Synchronization
import Values

/// Runs one trigger: arms its source, moves its events through the pipeline, and arms it again when it fails.
///
/// The driver of `ActivationMachine`, `IntakeMachine` and `TriggerPipeline`, which decide; this only does.
final class TriggerRunner: Sendable {
    private struct State {
        var activation = ActivationMachine()
        var counters = TriggerCounters()
        var pending = 0
        /// The open breaker that keeps it from reading, and when that was found.
        var outage: (found: OutageWatch.Outage, at: Duration)?
    }

    let declaration: TriggerDeclaration
    private let pipeline: TriggerPipeline
    private let service: any WorkflowService
    private let pool: ConnectionPool
    private let clock: any ConnectorClock
    private let random: @Sendable () -> Double
    private let logger: Logger
    private let metrics: TriggerMetrics
    private let watch: OutageWatch
    private let state = Mutex(State())
    private let wakeups: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    /// How long a read waits for an event; also how long a pause takes to be noticed.
    private static let idleWait = Duration.milliseconds(500)
    /// How often breakers are looked at, open ones as well as closed ones.
    private static let outageInterval = Duration.milliseconds(100)

    init(
        _ declaration: TriggerDeclaration, service: any WorkflowService, pool: ConnectionPool,
        clock: any ConnectorClock, random: @escaping @Sendable () -> Double, watch: OutageWatch, logger: Logger
    ) {
        self.declaration = declaration
        self.watch = watch
        self.pipeline = TriggerPipeline(declaration)
        self.service = service
        self.pool = pool
        self.clock = clock
        self.random = random
        var logger = logger
        logger[metadataKey: "trigger.id"] = "\(declaration.id)"
        self.logger = logger
        self.metrics = TriggerMetrics(trigger: declaration.id)
        self.wakeups = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        if !declaration.isEnabled { self.state.withLock { $0.activation.pause() } }
    }

    // MARK: Operators

    /// Stops reading after the records that are being worked on.
    func pause() {
        self.state.withLock { $0.activation.pause() }
    }

    /// Arms the trigger again after a pause.
    func resume() {
        self.state.withLock { $0.activation.resume() }
        self.wakeups.continuation.yield()
    }

    /// The trigger for displays.
    var status: TriggerStatus {
        let now = self.clock.now
        return self.state.withLock { state in
            TriggerStatus(
                id: self.declaration.id, revision: self.declaration.revision,
                source: self.declaration.source.kind.rawValue, connection: self.declaration.source.connection,
                workflow: self.declaration.target.workflow, state: state.activation.state,
                trouble: state.activation.trouble,
                rearmMilliseconds: state.activation.rearmAt.map { max(.zero, $0 - now).wholeMilliseconds },
                pending: state.pending, counters: state.counters, heldBy: state.outage?.found.connection,
                heldMilliseconds: state.outage.flatMap { outage in
                    outage.found.remaining.map { max(.zero, outage.at + $0 - now).wholeMilliseconds }
                })
        }
    }

    private var isPaused: Bool { self.state.withLock { $0.activation.state == .paused } }

    // MARK: Running

    /// Runs until the task is cancelled.
    ///
    /// What is being worked on then is finished; what is not acknowledged comes again.
    func run() async {
        var wakeups = self.wakeups.stream.makeAsyncIterator()
        while !Task.isCancelled {
            if self.isPaused {
                guard await wakeups.next() != nil else { return }
                continue
            }
            self.state.withLock { $0.activation.arm() }
            do {
                let end = try await self.runSource()
                if case .failed(let reason) = end { throw Failed(reason: reason) }
                if end == .endOfInput {
                    self.pause()
                    self.logger.info("source ended")
                }
            } catch is CancellationError {
                return
            } catch {
                guard !Task.isCancelled else { return }
                let reason = self.describe(error)
                let (unit, now) = (self.random(), self.clock.now)
                let delay = self.state.withLock { $0.activation.failed(reason, at: now, unit: unit) }
                self.logger.info(
                    "trigger failed",
                    metadata: ["error.message": "\(reason)", "rearm.after": "\(Quantity.text(delay))"])
                do { try await self.clock.sleep(for: delay) } catch { return }
            }
        }
    }

    private struct Failed: Error {
        var reason: String
    }

    private func describe(_ error: any Error) -> String {
        let text =
            switch error {
            case let error as Failed: error.reason
            case let error as HubError: error.description
            case SourceInterruption.notConnected(let reason): "The source is not connected: \(reason)"
            default: ConnectorError(wrapping: error).description
            }
        return self.pool.secrets.redacted(text).shortened(to: 2_000)
    }

    /// Arms the source and reads it to its end.
    private func runSource() async throws -> IntakeMachine.End {
        let source = try await self.armSource()
        do {
            try await source.connect()
            self.state.withLock { $0.activation.armed() }
            self.logger.info("trigger armed")
            let end = try await self.intake(source)
            await source.close()
            return end
        } catch {
            await source.close()
            throw error
        }
    }

    private func armSource() async throws -> any EventSource {
        let declared = self.declaration.source
        let connection = try await self.pool.connection(declared.connection)
        let parameters = self.pool.declaration(declared.connection)?.parameters ?? .context(ValueContext())
        do {
            let value = try declared.parameters.evaluate(MapScope(["connection": parameters]))
            return try await connection.armSource(
                SourceRequest(
                    event: declared.kind.connector.event, parameters: value, decoding: self.declaration.decoding))
        } catch let failure as ValueTemplate.Failure {
            throw HubError(
                .invalidExpression, "source.\(declared.kind.rawValue).\(failure.path): \(failure.reason)",
                remedy: "Correct the expression; it sees the connection's parameters as connection.")
        }
    }
}

// MARK: - Intake

extension TriggerRunner {
    /// What came of one attempt to account for a record.
    private enum Account: Sendable {
        case accounted(TriggerCounters.Result)
        case trouble(IntakeMachine.Trouble)
    }

    /// Does what the machine says until it is over.
    ///
    /// The source is only used from here, one call at a time.
    private func intake(_ source: any EventSource) async throws -> IntakeMachine.End {
        var machine = IntakeMachine(
            IntakeMachine.Settings(
                concurrencyMax: self.declaration.concurrencyMax, windowMax: 4 * self.declaration.concurrencyMax,
                rate: self.declaration.rate, retry: self.declaration.retry,
                retryElapsedMax: self.declaration.retryElapsedMax,
                idleWait: Self.idleWait))
        var batches: [EventBatch.ID: [SourceEvent]] = [:]
        var lookAt = Duration.zero
        return try await withThrowingTaskGroup(of: (IntakeMachine.RecordID, Account).self) { group in
            defer { self.forget(machine.outstandingRecords) }
            while true {
                if Task.isCancelled || self.isPaused { machine.stop() }
                let now = self.clock.now
                if now >= lookAt {
                    lookAt = now + Self.outageInterval
                    if self.meetsOutage(at: now) { machine.hold(until: lookAt) }
                }
                let step = machine.next(at: self.clock.now)
                let pending = machine.outstandingRecords + (step.isIdle ? await source.backlog() ?? 0 : 0)
                self.state.withLock { $0.pending = pending }
                switch step {
                case .acknowledge(let batch):
                    try await source.acknowledge(batch)
                    batches[batch] = nil
                case .process(let record):
                    guard let event = batches[record.batch]?[record.index] else {
                        preconditionFailure("record \(record) belongs to no open batch")
                    }
                    group.addTask {
                        let started = self.clock.now
                        let account = await self.account(for: event)
                        self.metrics.seconds.record(duration: self.clock.now - started)
                        return (record, account)
                    }
                case .read(let maximum, let wait):
                    let batch = try await self.read(source, maximum: maximum, wait: wait, machine: &machine)
                    if let batch { batches[batch.id] = batch.events }
                case .awaitRecord:
                    guard let (record, account) = try await group.next() else { continue }
                    self.settle(record, account, &machine)
                case .wait(let duration):
                    // A pause by an operator must not wait for a long pause of the engine.
                    try? await self.clock.sleep(for: min(duration, Self.idleWait))
                case .finish(let end):
                    return end
                }
            }
        }
    }

    /// Whether an open breaker keeps the trigger from reading and starting; says so when that changes.
    private func meetsOutage(at now: Duration) -> Bool {
        let found = self.watch.outage(at: now)
        let before = self.state.withLock { state in
            let before = state.outage?.found
            state.outage = found.map { ($0, now) }
            if let found {
                let until = found.remaining.map { " for \(Quantity.text($0))" } ?? ", until an operator changes it"
                state.activation.degraded(
                    "The source is paused: the circuit breaker of connection \(found.connection) is \(found.state)\(until)."
                )
            } else if before != nil {
                state.activation.progressed()
            }
            return before
        }
        if (before == nil) != (found == nil) {
            self.metrics.held.record(found == nil ? 0 : 1)
            self.logger.info(
                found == nil ? "trigger resumed after an outage" : "trigger paused by an outage",
                metadata: ["connection.id": "\(found?.connection ?? before?.connection ?? "")"])
        }
        return found != nil
    }

    /// Records that were read and not accounted for come again: they do not count as received.
    private func forget(_ count: Int) {
        self.state.withLock { state in
            state.counters.received -= count
            state.pending = 0
            state.outage = nil
        }
    }

    private func read(
        _ source: any EventSource, maximum: Int, wait: Duration, machine: inout IntakeMachine
    ) async throws -> EventBatch? {
        do {
            let batch = try await source.read(maximum: maximum, wait: wait)
            machine.received(batch?.id, count: batch?.events.count ?? 0)
            if let batch {
                self.state.withLock { $0.counters.received += batch.events.count }
                self.metrics.received.increment(by: batch.events.count)
            }
            return batch
        } catch SourceInterruption.endOfInput {
            machine.endOfInput()
        } catch SourceInterruption.backOff(let duration) {
            machine.sourceAsksForPause(duration, at: self.clock.now)
        } catch is CancellationError {
            machine.stop()
        }
        return nil
    }

    private func settle(_ record: IntakeMachine.RecordID, _ account: Account, _ machine: inout IntakeMachine) {
        switch account {
        case .accounted(let result):
            machine.accounted(record)
            self.state.withLock { state in
                state.counters.count(result)
                state.activation.progressed()
            }
            self.metrics.results[result]?.increment()
        case .trouble(let trouble):
            machine.failed(record, trouble, at: self.clock.now, unit: self.random())
            let reason =
                switch trouble {
                case .backpressure: "The engine is full; the source waits."
                case .transient(let message): message
                }
            self.state.withLock { state in
                state.counters.failed += 1
                state.activation.degraded(reason)
            }
            self.metrics.failed.increment()
        }
    }

    /// Decides about an event and makes the decision durable.
    private func account(for event: SourceEvent) async -> Account {
        switch self.pipeline.verdict(on: event, receivedAt: self.clock.unixMilliseconds) {
        case .filtered:
            return .accounted(.filtered)
        case .dropped:
            return .accounted(.dropped)
        case .deadLetter(let letter):
            return await self.keep(letter)
        case .start(let request):
            do {
                let created = try await self.service.createInstance(request)
                return .accounted(created.alreadyExisted ? .duplicate : .started)
            } catch {
                return await self.refused(event, error)
            }
        }
    }

    /// What the engine's refusal of a start means: the event is wrong, or it is not the time.
    private func refused(_ event: SourceEvent, _ rejection: CommandRejection) async -> Account {
        switch rejection.code {
        case .resourceExhausted:
            return .trouble(.backpressure(after: .milliseconds(max(1, rejection.retryAfterMilliseconds ?? 100))))
        case .invalidArgument:
            let refusal = TriggerPipeline.Refusal(
                stage: .commit, code: .startRefused, message: rejection.description, disposition: .dlq)
            return await self.keep(
                self.pipeline.deadLetter(for: event, refusal: refusal, at: self.clock.unixMilliseconds))
        default:
            // A process that is not deployed is the configuration's fault, not the event's: keep the event at its source.
            return .trouble(.transient(rejection.description))
        }
    }

    private func keep(_ letter: NewDeadLetter) async -> Account {
        do {
            _ = try await self.service.recordDeadLetter(letter)
            self.logger.info(
                "event dead-lettered",
                metadata: [
                    "error.code": "\(letter.errorCode)", "stage": "\(letter.stage)",
                    "payload.bytes": "\(letter.payload.count)",
                ])
            return .accounted(.deadLettered)
        } catch {
            switch error.code {
            case .resourceExhausted:
                return .trouble(.backpressure(after: .milliseconds(max(1, error.retryAfterMilliseconds ?? 100))))
            default:
                return .trouble(.transient(error.description))
            }
        }
    }
}

/// Figures of one trigger.
struct TriggerMetrics: Sendable {
    let received: Counter
    let failed: Counter
    /// 1 while an open breaker keeps the source from being read.
    let held: Gauge
    /// From the beginning of the work on a record to its durable end.
    let seconds: Timer
    let results: [TriggerCounters.Result: Counter]

    init(trigger: String) {
        func counter(_ result: String) -> Counter {
            Counter(label: "trigger_events_total", dimensions: [("trigger", trigger), ("result", result)])
        }
        self.received = counter("received")
        self.failed = counter("failed")
        self.held = Gauge(label: "trigger_paused_by_outage", dimensions: [("trigger", trigger)])
        self.seconds = Timer(label: "trigger_event_seconds", dimensions: [("trigger", trigger)])
        self.results = Dictionary(
            uniqueKeysWithValues: TriggerCounters.Result.allCases.map { ($0, counter($0.rawValue)) })
    }
}
