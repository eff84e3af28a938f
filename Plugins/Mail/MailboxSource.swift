internal import ConnectorKit
internal import Values

/// Emits the messages of a mailbox.
///
/// It is looked at every so often; a message that was not seen is fetched without marking it, and marked, moved or
/// deleted once it is acknowledged. What was not comes again, under the same id: UIDVALIDITY and UID. When the server
/// numbers anew (another UIDVALIDITY), what was out is forgotten and comes again.
///
/// With `done: { keep: true }` the mailbox is only read: where the source stands, a UID, is saved with acknowledgements.
/// A range that is asked for again is read once, and nothing is done to its messages.
actor MailboxSource: EventSource {
    private struct Batch {
        var uidValidity: UInt32
        var uids: [UInt32]
        var received: Int64?
    }

    private static let callTimeout = Duration.seconds(120)
    /// What a batch holds at most, besides its last message.
    private static let batchBytesMax = 32 << 20

    private let settings: MailboxSourceSettings
    private let lane: MailLane<IMAPSession>
    private let memory: any SourceMemory
    private let clock: any ConnectorClock
    /// Where it stands, if it is it that keeps the place.
    private var place: MailboxPlace?
    private var hasLooked = false
    private var isConnected = false
    private var isClosed = false
    private var uidValidity: UInt32 = 0
    /// Found, and not handed out yet, oldest first.
    private var pending: [UInt32] = []
    private var outstanding: Set<UInt32> = []
    private var notBefore: [UInt32: Duration] = [:]
    private var nextPoll = Duration.zero
    private var batches: [EventBatch.ID: Batch] = [:]
    private var nextBatch: UInt64 = 1

    init(
        _ settings: MailboxSourceSettings, _ lane: MailLane<IMAPSession>, memory: any SourceMemory,
        clock: any ConnectorClock
    ) {
        self.settings = settings
        self.lane = lane
        self.memory = memory
        self.clock = clock
    }

    /// Opens the mailbox.
    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed("mailbox source") }
        let name = self.settings.mailbox
        let onlyReads = self.onlyReads
        let mailbox = try await self.lane.perform(within: Self.callTimeout) {
            try $0.select(name, isReadOnly: onlyReads)
        }
        guard onlyReads || !mailbox.isReadOnly else {
            throw ConnectorError(
                .permission, code: MailErrors.Code.notFound, "The mailbox \"\(name)\" can only be read.",
                remedy: "Give the user the right to mark and move messages.")
        }
        self.isConnected = true
        self.hasLooked = false
        self.note(mailbox.uidValidity)
        try self.settings.replay?.check(mailbox.uidValidity, of: name)
        if self.settings.done == .keep, self.settings.replay == nil { try await self.takePlace(mailbox.uidValidity) }
        self.nextPoll = self.clock.now
    }

    /// Whether nothing is done to messages.
    private var onlyReads: Bool { self.settings.done == .keep || self.settings.replay != nil }

    /// Takes up the place that was saved; a source that begins with what is new finds out where that is, and saves it.
    private func takePlace(_ uidValidity: UInt32) async throws {
        if let saved = try await self.memory.load() {
            self.place = try MailboxPlace(saved)
            self.place?.note(uidValidity)
            return
        }
        var place = MailboxPlace(uidValidity: uidValidity)
        if self.settings.start == .latest {
            place.uid = try await self.lane.perform(within: Self.callTimeout) { session in
                try session.search([.text("ALL")]).last ?? 0
            }
            // Before the first event: a restart must not begin with what is new then.
            try await self.memory.save(place.saved)
        }
        self.place = place
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected, !self.isClosed else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            if self.pending.isEmpty, self.clock.now >= self.nextPoll { try await self.look() }
            if self.settings.replay != nil, self.hasLooked, self.pending.isEmpty, self.notBefore.isEmpty {
                guard self.clock.now < deadline || self.outstanding.isEmpty else { return nil }
                if self.outstanding.isEmpty { throw SourceInterruption.endOfInput }
                try await self.clock.sleep(for: max(.milliseconds(1), deadline - self.clock.now))
                continue
            }
            if !self.pending.isEmpty, let batch = try await self.batch(max(1, maximum)) { return batch }
            let now = self.clock.now
            guard now < deadline else { return nil }
            if self.pending.isEmpty {
                try await self.clock.sleep(for: max(.milliseconds(1), min(deadline, self.nextPoll) - now))
            }
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let known = self.batches[batch] else { return }
        guard !self.onlyReads else { return try await self.settle(batch, known) }
        let done = self.settings.done
        try await self.withOpen(known) { session, uids in
            switch done {
            case .seen: try session.add(flag: "\\Seen", to: uids)
            case .delete: try session.delete(uids)
            case .keep: break
            case .move(let target):
                try session.add(flag: "\\Seen", to: uids)
                try session.move(uids, to: target, creates: true)
            }
        }
        self.forget(batch)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let known = self.batches[batch] else { return }
        switch disposition {
        case .redeliver(let after):
            let moment = self.clock.now + after
            self.forget(batch)
            guard known.uidValidity == self.uidValidity else { return }
            for uid in known.uids { self.notBefore[uid] = moment }
            self.nextPoll = min(self.nextPoll, moment)
        case .setAside where self.onlyReads: try await self.settle(batch, known)
        case .setAside:
            let failed = self.settings.failed
            try await self.withOpen(known) { session, uids in
                try session.add(flag: "\\Seen", to: uids)
                try session.move(uids, to: failed, creates: true)
            }
            self.forget(batch)
        }
    }

    func close() async {
        self.isClosed = true
        self.isConnected = false
        self.pending = []
        self.outstanding = []
        self.batches = [:]
        await self.lane.close()
    }

    /// Messages found and not acknowledged.
    func backlog() async -> Int? { self.pending.count + self.outstanding.count }

    /// The messages of a batch are done with; nothing is done to them.
    private func settle(_ batch: EventBatch.ID, _ known: Batch) async throws {
        self.forget(batch)
        guard known.uidValidity == self.uidValidity, self.settings.replay == nil else { return }
        guard self.place?.settle(known.uids, received: known.received) == true, let place = self.place else { return }
        try await self.memory.save(place.saved)
    }

    private func forget(_ batch: EventBatch.ID) {
        guard let known = self.batches.removeValue(forKey: batch) else { return }
        if known.uidValidity == self.uidValidity { self.outstanding.subtract(known.uids) }
    }

    /// Everything that was known goes when the server numbers its messages anew.
    private func note(_ uidValidity: UInt32) {
        guard uidValidity != self.uidValidity else { return }
        self.uidValidity = uidValidity
        self.pending = []
        self.outstanding = []
        self.notBefore = [:]
        self.place?.note(uidValidity)
    }

    // MARK: - Talking

    /// Does something over the lane; a failure that may pass means that the source has to be connected anew.
    private func perform<Result: Sendable>(
        _ body: @escaping @Sendable (IMAPSession) throws -> Result
    ) async throws -> Result {
        do {
            return try await self.lane.perform(within: Self.callTimeout, body)
        } catch let error as ConnectorError where error.isRetryable && error.code != ConnectorError.Code.cancelled {
            self.isConnected = false
            throw SourceInterruption.notConnected(reason: error.message)
        }
    }

    /// Does something to the messages of a batch, if they still have the numbers they had.
    private func withOpen(
        _ batch: Batch, _ body: @escaping @Sendable (IMAPSession, [UInt32]) throws -> Void
    ) async throws {
        let name = self.settings.mailbox
        let found = try await self.perform { session in
            let mailbox = try session.select(name, isReadOnly: false)
            if mailbox.uidValidity == batch.uidValidity { try body(session, batch.uids) }
            return mailbox.uidValidity
        }
        self.note(found)
    }

    private func look() async throws {
        let name = self.settings.mailbox
        let base = self.settings.search.parts
        let range = self.settings.replay
        let place = self.place
        let onlyReads = self.onlyReads
        let (uidValidity, found) = try await self.perform { session in
            let mailbox = try session.select(name, isReadOnly: onlyReads)
            let place = place.map { $0.noting(mailbox.uidValidity) }
            return (mailbox.uidValidity, try session.search(base + (range?.criteria ?? place?.criteria ?? [])))
        }
        self.note(uidValidity)
        try range?.check(uidValidity, of: name)
        // What was found before is still wanted: a replay looks once more only for what it has to emit again.
        let uids = self.hasLooked && range != nil ? found.filter { self.notBefore[$0] != nil } : found
        self.hasLooked = true
        self.place?.found(uids)
        let now = self.clock.now
        self.nextPoll = now + self.settings.poll
        let all = Set(uids)
        self.notBefore = self.notBefore.filter { all.contains($0.key) }
        if let soonest = self.notBefore.values.filter({ $0 > now }).min() {
            self.nextPoll = min(self.nextPoll, soonest)
        }
        self.pending = uids.filter {
            !self.outstanding.contains($0) && self.notBefore[$0] ?? now <= now && self.place?.wants($0) ?? true
        }
    }

    /// The next messages; nil when all of them are gone.
    private func batch(_ maximum: Int) async throws -> EventBatch? {
        let uids = Array(self.pending.prefix(maximum))
        let settings = self.settings
        let uidValidity = self.uidValidity
        let fetched = try await self.perform { session -> (events: [SourceEvent], count: Int) in
            let mailbox = try session.select(
                settings.mailbox, isReadOnly: settings.done == .keep || settings.replay != nil)
            guard mailbox.uidValidity == uidValidity else { return ([], uids.count) }
            let summaries = try session.summaries(uids).filter { settings.replay?.contains($0) ?? true }
            var events: [SourceEvent] = []
            var bytes = 0
            for summary in summaries {
                guard bytes < Self.batchBytesMax else {
                    return (events, uids.firstIndex(of: summary.uid) ?? uids.count)
                }
                guard let event = try Self.event(summary, uidValidity, settings, session) else { continue }
                bytes += event.payload.count
                events.append(event)
            }
            return (events, uids.count)
        }
        self.pending.removeFirst(min(fetched.count, self.pending.count))
        guard !fetched.events.isEmpty, !self.isClosed else { return nil }
        let taken = fetched.events.compactMap { $0.coordinates["uid"]?.asInt64.map { UInt32(truncatingIfNeeded: $0) } }
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.outstanding.formUnion(taken)
        for uid in taken { self.notBefore[uid] = nil }
        self.batches[id] = Batch(
            uidValidity: uidValidity, uids: taken, received: fetched.events.compactMap(\.occurredAtMilliseconds).max())
        return EventBatch(id: id, events: fetched.events)
    }

    /// What the sender calls the message: the same in every mailbox, and when the server numbers anew.
    private static func messageID(_ summary: IMAPSession.Summary) -> Value {
        let field = HeaderReader.split(summary.header[...]).fields.first { $0.name.lowercased() == "message-id" }
        return field.map { .string(String(HeaderReader.text($0.value).prefix(1_000))) } ?? .null
    }

    private static func event(
        _ summary: IMAPSession.Summary, _ uidValidity: UInt32, _ settings: MailboxSourceSettings, _ session: IMAPSession
    ) throws -> SourceEvent? {
        var event = SourceEvent(
            id: "\(settings.mailbox)|\(uidValidity)|\(summary.uid)", payload: [], contentType: "message/rfc822",
            coordinates: [
                "mailbox": .string(settings.mailbox), "uidValidity": .number(Number(Int64(uidValidity))),
                "uid": .number(Number(Int64(summary.uid))), "size": .number(Number(Int64(summary.size))),
            ],
            headers: ["flags": .list(summary.flags.map { .string($0) }), "messageId": Self.messageID(summary)],
            occurredAtMilliseconds: summary.receivedMilliseconds)
        guard summary.size <= settings.messageBytesMax else {
            event.body = .undecodable(
                .init(
                    line: 1,
                    reason: "The message has \(summary.size) bytes; at most \(settings.messageBytesMax) are allowed."))
            return event
        }
        guard let bytes = try session.message(summary.uid, bytesMax: settings.messageBytesMax) else { return nil }
        event.payload = bytes
        event.body = .value(IncomingMessage.value(bytes, attachmentBytesMax: settings.attachmentBytesMax))
        return event
    }
}
