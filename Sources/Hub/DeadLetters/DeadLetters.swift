import ConnectorKit
import Dispatch
import Engine
import HubDocuments
import Logging
import Resilience
import Runtime
public import Storage
import Synchronization
public import Values

/// What could not be delivered: lists it, corrects it, replays it, discards it, and forgets it after its time.
///
/// A letter is open until it is resolved or discarded: parked, queued for a replay, or being replayed. Everything a
/// person does is in the audit trail. All methods may be called from any task at any time.
public final class DeadLetters: Sendable {
    struct State {
        /// Letters being replayed by a call of this process.
        var active: Set<UInt64> = []
        var drain: Task<Void, Never>?
        var isDrainWanted = false
        var isStopped = false
        /// How fast the queue is worked on, when whoever filled it said so.
        var requestedRate: RateLimiterBox?
        var limiters: [String: RateLimiterBox] = [:]
        var queueTrouble: String?
        var ageAlarm: DeadLetterAlarm?
        var inflowAlarm: DeadLetterAlarm?
        var triggers: [TriggerDeclaration]
    }

    let service: any WorkflowService
    let effects: TriggerEffects
    let jobs: JobRedrives
    let settings: DeadLetterSettings
    let seal: LetterSeal
    let clock: any ConnectorClock
    let logger: Logger
    let metrics = DeadLetterMetrics()
    let state: Mutex<State>
    private let records: (any RecordReader)?
    private let queue = DispatchQueue(label: "dead-letters.records")

    init(
        effects: TriggerEffects, triggers: [TriggerDeclaration], records: (any RecordReader)?,
        settings: DeadLetterSettings, seal: LetterSeal = .plain, clock: any ConnectorClock, logger: Logger
    ) {
        self.service = effects.service
        self.effects = effects
        self.records = records
        self.settings = settings
        self.seal = seal
        self.clock = clock
        self.logger = logger
        self.jobs = JobRedrives()
        var state = State(triggers: triggers)
        state.ageAlarm = settings.alerts.age.map { DeadLetterAlarm(limit: Double($0.wholeMilliseconds) / 1_000) }
        state.inflowAlarm = settings.alerts.inflow.map { DeadLetterAlarm(limit: Double($0.count)) }
        self.state = Mutex(state)
    }

    /// The triggers whose events can be replayed.
    var triggers: [TriggerDeclaration] {
        get { self.state.withLock { $0.triggers } }
        set { self.state.withLock { $0.triggers = newValue } }
    }

    /// Whether there are records to read.
    var hasRecords: Bool { self.records != nil }

    /// Reads the records once they show everything committed before, on a thread that may block.
    func read<Result: Sendable>(
        _ body: @escaping @Sendable (any RecordReader) throws(StoreError) -> Result
    ) async throws(HubError) -> Result {
        guard let records else {
            throw HubError(
                .lettersUnreadable, "The hub was started without records.", remedy: "This is a defect; report it.")
        }
        do {
            try await self.service.waitForRecords()
        } catch {
            throw HubError(.lettersUnreadable, error.message, remedy: error.remedy)
        }
        let result = await withCheckedContinuation { continuation in
            self.queue.async {
                continuation.resume(returning: Swift.Result { () throws(StoreError) in try body(records) })
            }
        }
        do {
            return try result.get()
        } catch {
            throw HubError(.lettersUnreadable, error.message, remedy: error.remedy)
        }
    }

    // MARK: Reading

    /// The letters meant, the oldest first.
    ///
    /// At most 100,000 letters are looked at for what the records cannot decide by themselves.
    public func list(
        _ selection: DeadLetterSelection, states: [UInt8] = [0]
    ) async throws(HubError) -> [DeadLetterRecord] {
        let now = self.clock.unixMilliseconds
        let limit = min(max(0, selection.limit), DeadLetterSelection.limitMax)
        let filter = selection.filter(states: states, now: now)
        let seal = self.seal
        return try await self.read { (records) throws(StoreError) in
            var found: [DeadLetterRecord] = []
            var cursor: String?
            for _ in 0..<200 where found.count < limit {
                let page = try records.deadLetters(
                    Query(
                        filter: filter, sort: [SortCriterion(.createdAt)],
                        page: PageRequest(cursor.map { .after($0) } ?? .from(0), limit: 500)))
                found += page.items.lazy.map { seal.opened($0) }.filter { selection.includes($0, now: now) }
                    .prefix(limit - found.count)
                cursor = page.endCursor
                if page.items.count < 500 || cursor == nil { break }
            }
            return found
        }
    }

    /// One letter.
    ///
    /// Throws `HubError`: `HB311` when there is none of this key, `HB319` when it was sealed and cannot be opened.
    public func letter(_ key: Key) async throws(HubError) -> DeadLetterRecord {
        let found = try await self.read { (records) throws(StoreError) in
            var filter = DeadLetterFilter()
            filter.key = [.equal(key.rawValue)]
            return try records.deadLetters(Query(filter: filter, page: PageRequest(limit: 1))).items.first
        }
        guard let found else {
            throw HubError(
                .unknownLetter, "There is no dead letter \(key).",
                remedy: "List them with `junction dead-letter list --state all`; old ones are not kept.")
        }
        return try self.seal.open(found)
    }

    // MARK: Changing

    /// Records what could not be delivered, sealed as the project asks.
    func record(_ letter: NewDeadLetter) async throws(CommandRejection) -> Key {
        let sealed: NewDeadLetter
        do {
            sealed = try self.seal.seal(letter)
        } catch {
            // As when the store does not take it: the event stays where it is.
            throw CommandRejection(.storeFailed, error.message, remedy: error.remedy)
        }
        return try await self.service.recordDeadLetter(sealed)
    }

    /// Corrects the payload of a parked letter.
    ///
    /// What was received is kept beside it, and `document`, the patch as it was given, is in the audit trail. A payload that is no JSON is one text to the patch: replace the path `""`.
    ///
    /// Throws `HubError`: `HB304` when it is not parked, `HB313` when the patch does not apply.
    public func edit(
        _ key: Key, patch: JSONPatch, document: [UInt8], actor: String
    ) async throws(HubError) -> (before: Value, after: Value) {
        let letter = try await self.letter(key)
        guard letter.state == 0 else {
            throw HubError(
                .deadLetterState, "The dead letter \(key) is \(letter.stateName).",
                remedy: "Only parked dead letters can be edited.")
        }
        let before = letter.payloadValue
        let after: Value
        do {
            after = try patch.applied(to: before)
        } catch {
            throw HubError(
                .patchFailed, "The patch does not apply to the payload of \(key): \(error)",
                remedy: "Look at the payload with `junction dead-letter show \(key)`.")
        }
        var update = DeadLetterUpdate(
            .edit, detail: String(decoding: self.seal.isActive ? Self.withoutValues(document) : document, as: UTF8.self)
        )
        update.payload = Self.payload(after, contentType: letter.contentType)
        try await self.update(key, update, actor: actor)
        return (before, after)
    }

    /// A patch as the audit trail may keep it where payloads are sealed: what was changed, but not into what.
    private static func withoutValues(_ document: [UInt8]) -> [UInt8] {
        guard let operations = (try? JSON.parse(document))?.asList else { return [] }
        let kept = operations.map { operation -> Value in
            guard var fields = operation.asContext, fields["value"] != nil else { return operation }
            fields["value"] = "(sealed)"
            return .context(fields)
        }
        var bytes: [UInt8] = []
        JSON.write(.list(kept), into: &bytes)
        return bytes
    }

    private static func payload(_ value: Value, contentType: String) -> [UInt8] {
        if !contentType.contains("json"), case .string(let text) = value { return Array(text.utf8) }
        var bytes: [UInt8] = []
        JSON.write(value, into: &bytes)
        return bytes
    }

    /// Ends a letter without doing anything about it.
    ///
    /// Throws `HubError` (`HB304`) when there is no such open letter.
    public func discard(_ key: Key, actor: String) async throws(HubError) {
        try await self.end(key, as: .discarded, actor: actor)
    }

    func update(_ key: Key, _ update: DeadLetterUpdate, actor: String) async throws(HubError) {
        var update = update
        if let payload = update.payload { update.payload = try self.seal.seal(payload, for: .letterPayload) }
        let sealed = update
        do {
            try await self.service.updateDeadLetter(key: key, sealed, actor: actor)
        } catch {
            throw Self.error(error)
        }
    }

    func end(_ key: Key, as outcome: DeadLetterOutcome, actor: String) async throws(HubError) {
        do {
            try await self.service.endDeadLetter(key: key, as: outcome, actor: actor)
        } catch {
            throw Self.error(error)
        }
    }

    /// What the engine's refusal to change a letter means: it is gone, or it is not the time.
    private static func error(_ rejection: CommandRejection) -> HubError {
        let isGone = rejection.code == .notFound || rejection.code == .invalidState
        return HubError(isGone ? .deadLetterState : .replayFailed, rejection.message, remedy: rejection.remedy)
    }
}
