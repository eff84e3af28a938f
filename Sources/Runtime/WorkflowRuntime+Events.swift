public import Engine
public import Values

extension WorkflowRuntime {
    /// See `WorkflowService.correlate(_:)`.
    public func correlate(_ request: CorrelateRequest) async throws(CommandRejection) -> CorrelationResult {
        let new = NewCorrelation(
            message: request.message, correlationKey: request.correlationKey,
            variables: try document(request.variables), uniqueKey: request.idempotencyKey,
            uniqueMilliseconds: request.idempotencyMilliseconds, noMatch: request.noMatch,
            manyMatches: request.manyMatches, received: request.received)
        await pace()
        try checkCapacity()
        let hash = MessageHash.of(name: request.message, correlationKey: request.correlationKey)
        let partition = MessageHash.partition(hash, of: core.units.count)
        switch await send(.correlate(new), to: partition, actor: request.actor.isEmpty ? nil : request.actor) {
        case .correlation(let reply): return CorrelationResult(reply)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("correlate")
        }
    }

    /// See `WorkflowService.broadcastSignal(name:variables:actor:idempotencyKey:idempotencyMilliseconds:received:)`.
    public func broadcastSignal(
        name: String, variables: [UInt8]?, actor: String, idempotencyKey: String?, idempotencyMilliseconds: Int64,
        received: ReceivedEvent?
    ) async throws(CommandRejection) -> Key {
        let signal = NewSignal(
            name: name, variables: try document(variables), uniqueKey: idempotencyKey,
            uniqueMilliseconds: idempotencyMilliseconds, received: received)
        // One partition tells all others, so signals of one name keep their order, and it knows the keys of all.
        let partition = Int(StableHash.mixed(StableHash.fnv1a64(name)) % UInt64(core.units.count))
        switch await send(.broadcastSignal(signal), to: partition, actor: actor.isEmpty ? nil : actor) {
        case .key(let key): return Key(rawValue: key)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("broadcastSignal")
        }
    }
}

extension CorrelationResult {
    init(_ reply: CorrelationReply) {
        switch reply {
        case .refusedNoMatch: self.init(outcome: .refusedNoMatch, key: Key(rawValue: 0), alreadyExisted: false)
        case .refusedManyMatches: self.init(outcome: .refusedManyMatches, key: Key(rawValue: 0), alreadyExisted: false)
        case .decided(let effect, let rawKey, let alreadyExisted):
            let key = Key(rawValue: rawKey)
            let outcome: Outcome =
                switch effect {
                case .started: .started(key)
                case .correlated: .correlated
                case .buffered: .buffered
                case .nothing, .signalled, .published: .nothing
                }
            self.init(outcome: outcome, key: key, alreadyExisted: alreadyExisted)
        }
    }
}
