import ConnectorKit
import HubDocuments
import Metrics
import Resilience
import Runtime
import Values

/// Calls outside any process: by the hub's own API, and by triggers whose target is an operation.
struct DirectCalls: Sendable {
    let lanes: [ConnectionLane]
    let registry: ConnectorRegistry
    let pool: ConnectionPool
    let clock: any ConnectorClock
    let random: @Sendable () -> Double

    /// See `HubService.call(_:operation:input:idempotencyKey:)`.
    func call(
        _ name: String, operation: String, input: Value, idempotencyKey: String? = nil
    ) async throws -> Value {
        guard let lane = self.lanes.first(where: { $0.declaration.id == name }) else {
            throw HubError.unknownConnection(name, known: self.lanes.map(\.declaration.id))
        }
        let module = try self.registry.module(for: lane.declaration)
        let descriptor = lane.descriptor(of: module)
        guard let described = descriptor.operation(operation) else {
            throw ConnectorError.unknownOperation(operation, of: descriptor)
        }
        let connection = try await self.pool.connection(name)
        let profile = lane.declaration.operations[operation] ?? lane.declaration.profile
        let call = OperationCall(operation: operation, input: input, idempotencyKey: idempotencyKey)
        let isRepeatable = await connection.isRepeatable(call) ?? described.isRepeatable
        let safety: RepeatSafety = isRepeatable ? (described.effect == .read ? .safe : .idempotent) : .unsafe
        let own = lane.declaration.profile
        var driver = CallDriver(
            lane.guard(
                group: input["url"]?.asString?.urlAuthority ?? "",
                profile: profile.sharesGuards(with: own) ? own : profile),
            clock: self.clock, random: self.random, metrics: lane.metrics,
            make: { $0.call(profile: profile, safety: safety, idempotencyKey: idempotencyKey ?? "", at: $1) },
            send: { [pool] attempt in
                lane.noteAttempt()
                do {
                    let endpoint = try await pool.connection(name, endpoint: attempt.endpoint)
                    var call = call
                    call.timeout = attempt.timeout
                    call.attempt = attempt.number
                    return await endpoint.invoke(call)
                } catch {
                    // What could not be connected was not sent.
                    var error = ConnectorError(wrapping: error)
                    error.mayHaveExecuted = false
                    return .failed(error)
                }
            })
        switch await driver.run() {
        case .succeeded(let outcome):
            lane.noteCall(error: nil, at: self.clock.unixMilliseconds)
            lane.metrics.succeeded.increment()
            return self.pool.secrets.redacted(outcome.value ?? .null)
        case .postponed(let reschedule, let error):
            lane.metrics.postponed.increment()
            throw ConnectorError(
                .unavailable, code: HubCode.callFailed.rawValue,
                "The call through connection \(name) was not sent: \(reschedule.reason)."
                    + (error.map { " Last failure: \(self.pool.secrets.redacted($0.message))" } ?? ""),
                remedy: "Try again later; see junction connection show \(name).", retryAfter: reschedule.after)
        case .failed(let ending, var error?):
            lane.metrics.failed.increment()
            error.message = self.pool.secrets.redacted(error.message)
            error.remedy = self.pool.secrets.redacted(error.remedy)
            lane.noteCall(
                error: "\(error.code): \(error.message) — \(error.remedy)", at: self.clock.unixMilliseconds)
            error.isRetryable = error.isRetryable && ending.reason != .notRetryable
            throw error
        case .failed(let ending, nil):
            lane.metrics.failed.increment()
            throw ConnectorError(
                .unavailable, code: HubCode.callFailed.rawValue,
                "The call through connection \(name) was not sent: \(ending.reason).",
                remedy: "See junction connection show \(name).")
        case .stopped:
            throw CancellationError()
        }
    }
}
