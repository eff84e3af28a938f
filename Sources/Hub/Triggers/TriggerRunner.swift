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
    struct State {
        var activation = ActivationMachine()
        var counters = TriggerCounters()
        var pending = 0
        /// The open breaker that keeps it from reading, and when that was found.
        var outage: (found: OutageWatch.Outage, at: Duration)?
        /// How many records were accounted for when that number last changed, and when.
        var progress = (accounted: 0, at: Duration.zero)
        /// Whether another one takes its place: nothing new is read.
        var isRetired = false
    }

    let declaration: TriggerDeclaration
    let pipeline: TriggerPipeline
    let host: TriggerHost
    let logger: Logger
    let metrics: TriggerMetrics
    let watch: OutageWatch
    /// The ordering keys that wait; nil without ordering.
    let order: KeyOrder?
    let state = Mutex(State())
    /// The position of a source, where no store keeps it.
    private let memory = VolatileSourceMemory()
    private let wakeups: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)

    /// How long a read waits for an event; also how long a pause takes to be noticed.
    static let idleWait = Duration.milliseconds(500)
    /// How often breakers are looked at, open ones as well as closed ones.
    static let outageInterval = Duration.milliseconds(100)

    init(_ declaration: TriggerDeclaration, host: TriggerHost, watch: OutageWatch) {
        self.declaration = declaration
        self.host = host
        self.watch = watch
        self.pipeline = TriggerPipeline(declaration)
        var logger = host.logger
        logger[metadataKey: "trigger.id"] = "\(declaration.id)"
        self.logger = logger
        self.metrics = TriggerMetrics(trigger: declaration.id)
        let isOrdered = declaration.ordering.map { $0.onFailure != .skip } ?? false
        self.order = isOrdered ? KeyOrder(trigger: declaration.id, letters: host.letters, service: host.service) : nil
        self.wakeups = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        if !declaration.isEnabled { self.state.withLock { $0.activation.pause() } }
    }

    var service: any WorkflowService { self.host.service }
    var effects: TriggerEffects { self.host.effects }
    var clock: any ConnectorClock { self.host.clock }
    var random: @Sendable () -> Double { self.host.random }

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
                source: self.declaration.source.type.name, connection: self.declaration.source.name,
                workflow: self.declaration.target.name, state: state.activation.state,
                trouble: state.activation.trouble,
                rearmMilliseconds: state.activation.rearmAt.map { max(.zero, $0 - now).wholeMilliseconds },
                pending: state.pending, counters: state.counters, heldBy: state.outage?.found.connection,
                heldMilliseconds: state.outage.flatMap { outage in
                    outage.found.remaining.map { max(.zero, outage.at + $0 - now).wholeMilliseconds }
                })
        }
    }

    var isPaused: Bool { self.state.withLock { $0.activation.state == .paused } }
    /// Whether nothing new is to be read.
    ///
    /// So after a pause that was over before it was noticed, too: the trigger is armed anew.
    var isStopping: Bool {
        self.state.withLock { $0.isRetired || $0.activation.state == .paused || $0.activation.state == .draft }
    }
    private var isRetired: Bool { self.state.withLock { $0.isRetired } }

    /// Lets go of the source after the records that are being worked on: another declaration takes its place.
    func retire() {
        self.state.withLock { $0.isRetired = true }
        self.wakeups.continuation.yield()
    }

    // MARK: Running

    /// Runs until the task is cancelled.
    ///
    /// What is being worked on then is finished; what is not acknowledged comes again.
    func run() async {
        var wakeups = self.wakeups.stream.makeAsyncIterator()
        while !Task.isCancelled, !self.isRetired {
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
        return self.host.sources.pool.secrets.redacted(text).shortened(to: 2_000)
    }

    /// Reads a source that was made for this once, to its end.
    func readOnce(_ source: any EventSource) async throws -> IntakeMachine.End {
        self.state.withLock { state in
            state.activation.arm()
            state.activation.armed()
        }
        return try await self.intake(source, tenure: nil)
    }

    /// Waits until this node may read the source, arms it and reads it to its end.
    private func runSource() async throws -> IntakeMachine.End {
        guard let ownership = self.host.ownership,
            let resources = try self.host.sources.resources(of: self.declaration.source)
        else { return try await self.readSource(self.memory, tenure: nil) }
        return try await ownership.run(
            trigger: self.declaration.id, resources: resources,
            onStandby: { owned in
                let holder = owned?.owner ?? "another trigger of this hub"
                let resource = owned?.resource ?? "The source"
                self.state.withLock { $0.activation.standby("\(resource) is read by \(holder).") }
            },
            onTrouble: { error in
                self.state.withLock { $0.activation.standby("The table of owners fails: \(error.message)") }
            },
            body: { memory, tenure in try await self.readSource(memory, tenure: tenure) })
    }

    private func readSource(
        _ memory: any SourceMemory, tenure: SourceTenure?
    ) async throws -> IntakeMachine.End {
        let source = try await self.host.sources.arm(self.declaration, memory: memory)
        do {
            try await source.connect()
            self.state.withLock { $0.activation.armed() }
            self.logger.info("trigger armed")
            let end = try await self.intake(source, tenure: tenure)
            await source.close()
            return end
        } catch {
            await source.close()
            throw error
        }
    }
}
