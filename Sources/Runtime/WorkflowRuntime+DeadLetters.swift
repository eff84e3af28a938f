public import Engine
public import Values

extension WorkflowRuntime {
    /// See `WorkflowService.recordDeadLetter(_:)`.
    public func recordDeadLetter(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key {
        // Letters of one ordering key go to one partition, so that their keys say which came first.
        let place =
            letter.orderingKey.map { StableHash.fnv1a64($0) } ?? letter.dedupeKey.map { StableHash.fnv1a64($0) }
            ?? StableHash.fnv1a64(letter.payload)
        var context = DeadLetterContext()
        context.kind = letter.kind.rawValue
        context.connection = letter.connection
        context.jobKey = letter.jobKey?.rawValue ?? 0
        context.parentKey = letter.parent?.rawValue ?? 0
        context.orderingKey = letter.orderingKey
        context.schemaID = letter.schemaID
        context.headers = letter.headers
        context.report = letter.report
        let record = DeadLetterRecorded(
            key: 0, origin: letter.origin, coordinates: letter.coordinates, dedupeKey: letter.dedupeKey,
            stage: letter.stage, errorCode: letter.errorCode, errorMessage: letter.errorMessage,
            contentType: letter.contentType, payload: letter.payload,
            redriveCount: Int32(clamping: letter.redriveCount), context: context)
        let partition = Int(StableHash.mixed(place) % UInt64(core.units.count))
        switch await send(.recordDeadLetter(record), to: partition) {
        case .key(let key): return Key(rawValue: key)
        case .rejected(let rejection): throw rejection
        default: throw unexpected("recordDeadLetter")
        }
    }

    /// See `WorkflowService.endDeadLetter(key:as:actor:)`.
    public func endDeadLetter(
        key: Key, as outcome: DeadLetterOutcome, actor: String
    ) async throws(CommandRejection) {
        try await perform(.endDeadLetter(key: key.rawValue, outcome: outcome.rawValue), on: key, actor: actor)
    }

    /// See `WorkflowService.updateDeadLetter(key:_:actor:)`.
    public func updateDeadLetter(
        key: Key, _ update: DeadLetterUpdate, actor: String
    ) async throws(CommandRejection) {
        var change: DeadLetterChanged
        switch update.action {
        case .park:
            change = DeadLetterChanged(.park)
            change.state = 0
        case .queue:
            change = DeadLetterChanged(.queue)
            change.state = 3
        case .replay:
            change = DeadLetterChanged(.replay)
            change.state = 4
        case .edit:
            change = DeadLetterChanged(.edit)
        }
        change.payload = update.payload
        change.redriveCount = update.redriveCount.map { Int32(clamping: $0) }
        change.report = update.report
        change.detail = update.detail
        try await perform(.changeDeadLetter(key: key.rawValue, change), on: key, actor: actor)
    }

    /// See `WorkflowService.purgeDeadLetters(_:)`.
    public func purgeDeadLetters(_ keys: [Key]) async throws(CommandRejection) {
        for (_, keys) in Dictionary(grouping: keys, by: \.partition).sorted(by: { $0.key < $1.key }) {
            guard let first = keys.first else { continue }
            try await perform(.purgeDeadLetters(keys.map(\.rawValue)), on: first)
        }
    }
}
