import ConnectorKit
import Engine
import HubDocuments
import Runtime
import Values

/// Carries out what the pipeline decided, and says what came of it.
///
/// Everything an event causes in the engine is one durable commit with its idempotency key (ADR 0028): carrying out the
/// same verdict again causes nothing twice.
struct TriggerEffects: Sendable {
    let service: any WorkflowService
    let calls: DirectCalls

    /// What came of a verdict.
    enum Result: Sendable {
        /// It is done, now or before.
        case done(TriggerCounters.Result, EventOutcome)
        /// The event is wrong: a person has to look at it.
        case refused(TriggerPipeline.Refusal)
        /// It is not the time.
        case trouble(IntakeMachine.Trouble)
    }

    /// Starts a process.
    ///
    /// One whose end is waited for and does not come in time is refused when the source `holds` the event until then, and
    /// started without a result when only a sender waits.
    func start(_ request: CreateInstanceRequest, holds: Bool) async -> Result {
        do {
            let created = try await self.service.createInstance(request)
            return created.alreadyExisted
                ? .done(.duplicate, .duplicate(created.key))
                : .done(.started, .started(created.key, result: created.result))
        } catch {
            switch error.code {
            case .timeout where holds:
                return .refused(Self.refusal(.invoke, .notCompleted, error.description))
            case .timeout:
                var again = request
                again.awaitMilliseconds = nil
                switch await self.start(again, holds: false) {
                case .done(_, .duplicate(let key?)), .done(_, .started(let key, _)):
                    return .done(.started, .started(key, result: nil))
                case let other: return other
                }
            case .invalidState where request.awaitMilliseconds != nil:
                // It was started and was ended by somebody: nothing is left to wait for.
                return .done(.started, .accepted)
            default:
                return Self.outcome(of: error)
            }
        }
    }

    /// Gives a message to whoever waits for it, or starts a process.
    func correlate(_ request: CorrelateRequest) async -> Result {
        do {
            let result = try await self.service.correlate(request)
            if result.alreadyExisted { return .done(.duplicate, .duplicate(result.key)) }
            switch result.outcome {
            case .correlated: return .done(.correlated, .correlated(result.key))
            case .started(let instance): return .done(.started, .started(instance, result: nil))
            case .buffered: return .done(.buffered, .accepted)
            case .nothing: return .done(.unmatched, .accepted)
            case .refusedNoMatch:
                return .refused(
                    Self.refusal(
                        .correlate, .nobodyWaits,
                        "Nobody waits for the message \(request.message) with the correlation key "
                            + "\(request.correlationKey.shortened(to: 80))."))
            case .refusedManyMatches:
                return .refused(
                    Self.refusal(
                        .correlate, .severalWait,
                        "Several instances wait for the message \(request.message) with the correlation key "
                            + "\(request.correlationKey.shortened(to: 80))."))
            }
        } catch {
            return Self.outcome(of: error)
        }
    }

    /// Broadcasts a signal.
    func signal(_ request: TriggerPipeline.SignalRequest, actor: String) async -> Result {
        do {
            _ = try await self.service.broadcastSignal(
                name: request.name, variables: request.variables, actor: actor,
                idempotencyKey: request.idempotencyKey, idempotencyMilliseconds: request.idempotencyMilliseconds,
                received: request.received)
            return .done(.signalled, .accepted)
        } catch {
            return Self.outcome(of: error)
        }
    }

    /// Calls an operation, with the event's key as idempotency key.
    func call(_ request: TriggerPipeline.CallRequest) async -> Result {
        do {
            _ = try await self.calls.call(
                request.connection, operation: request.operation, input: request.input,
                idempotencyKey: request.idempotencyKey)
            return .done(.called, .accepted)
        } catch let error as HubError {
            // A connection or operation that does not exist is the configuration's fault, not the event's.
            return .trouble(.transient(error.description))
        } catch {
            let error = ConnectorError(wrapping: error)
            if let pause = error.retryAfter, error.kind == .unavailable { return .trouble(.backpressure(after: pause)) }
            return error.isRetryable
                ? .trouble(.transient(error.description))
                : .refused(Self.refusal(.invoke, .callRefused, "\(error.code): \(error.message)"))
        }
    }

    /// What the engine's refusal means: the event is wrong, or it is not the time.
    private static func outcome(of rejection: CommandRejection) -> Result {
        switch rejection.code {
        case .resourceExhausted:
            .trouble(.backpressure(after: .milliseconds(max(1, rejection.retryAfterMilliseconds ?? 100))))
        case .invalidArgument:
            .refused(Self.refusal(.commit, .startRefused, rejection.description))
        default:
            // A process that is not deployed is the configuration's fault, not the event's: keep the event at its source.
            .trouble(.transient(rejection.description))
        }
    }

    private static func refusal(
        _ stage: TriggerPipeline.Stage, _ code: HubCode, _ message: String
    ) -> TriggerPipeline.Refusal {
        TriggerPipeline.Refusal(stage: stage, code: code, message: message, disposition: .dlq)
    }
}
