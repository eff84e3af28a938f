internal import ConnectorKit
internal import Values

/// The parameters of a source, checked.
struct MailboxSourceSettings: Sendable {
    /// What becomes of a message that was taken.
    enum Done: Sendable, Hashable {
        case seen
        case delete
        case move(String)
    }

    var mailbox = "INBOX"
    var poll = Duration.seconds(60)
    var done = Done.seen
    /// Where messages go that are not taken.
    var failed = "Failed"
    var search: IMAPSearch
    var messageBytesMax: Int
    var attachmentBytesMax = 8 << 20

    init(_ parameters: Value, messageBytesMax: Int) throws {
        self.messageBytesMax = messageBytesMax
        let reader = FieldReader(parameters, path: "mailbox", code: ConnectorError.Code.invalidParameters)
        self.mailbox = reader.string("mailbox") ?? self.mailbox
        self.poll = reader.duration("poll") ?? self.poll
        if self.poll < .milliseconds(100) { reader.add("mailbox.poll: expected at least 100ms.") }
        self.attachmentBytesMax = reader.bytes("maxAttachments") ?? self.attachmentBytesMax
        // Unless told otherwise, what was seen is done.
        let takesSeen = reader.boolean("unseen") == false
        self.search = IMAPSearch(reader, unseen: takesSeen ? nil : true)
        if let done = reader.object("done") {
            let choices = ["seen", "delete", "move"].filter { done.has($0) }
            if choices.count != 1 { done.add("mailbox.done: expected one of seen, delete and move.") }
            if done.boolean("delete") == true { self.done = .delete }
            if let name = done.string("move") { self.done = .move(name) }
            _ = done.boolean("seen")
            done.finish()
        }
        if takesSeen, self.done == .seen {
            reader.add(
                "mailbox.done: with unseen: false, messages must be moved or deleted; they would come again for ever.")
        }
        if let failed = reader.object("failed") {
            failed.require("move")
            self.failed = failed.string("move") ?? self.failed
            failed.finish()
        }
        for name in [self.mailbox, self.failed] where IMAPText.mailbox(name) == nil {
            reader.add("mailbox: \"\(name.prefix(80).filter { !$0.isNewline })\" is no name of a mailbox.")
        }
        if self.failed == self.mailbox || self.done == .move(self.mailbox) {
            reader.add("mailbox: expected other mailboxes in done and failed.")
        }
        reader.finish()
        if let error = ConnectorError.invalidParameters(reader.diagnostics) { throw error }
    }
}

/// Emits the messages of a mailbox.
///
/// It is looked at every so often; a message that was not seen is fetched without marking it, and marked, moved or
/// deleted once it is acknowledged. What was not comes again, under the same id: UIDVALIDITY and UID. When the server
/// numbers anew (another UIDVALIDITY), what was out is forgotten and comes again.
actor MailboxSource: EventSource {
    private struct Batch {
        var uidValidity: UInt32
        var uids: [UInt32]
    }

    private static let callTimeout = Duration.seconds(120)
    /// What a batch holds at most, besides its last message.
    private static let batchBytesMax = 32 << 20

    private let settings: MailboxSourceSettings
    private let lane: MailLane<IMAPSession>
    private let clock: any ConnectorClock
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

    init(_ settings: MailboxSourceSettings, _ lane: MailLane<IMAPSession>, clock: any ConnectorClock) {
        self.settings = settings
        self.lane = lane
        self.clock = clock
    }

    /// Opens the mailbox.
    func connect() async throws {
        if self.isClosed { throw ConnectorError.closed("mailbox source") }
        let name = self.settings.mailbox
        let mailbox = try await self.lane.perform(within: Self.callTimeout) { try $0.select(name, isReadOnly: false) }
        guard !mailbox.isReadOnly else {
            throw ConnectorError(
                .permission, code: MailErrors.Code.notFound, "The mailbox \"\(name)\" can only be read.",
                remedy: "Give the user the right to mark and move messages.")
        }
        self.isConnected = true
        self.note(mailbox.uidValidity)
        self.nextPoll = self.clock.now
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected, !self.isClosed else {
                throw SourceInterruption.notConnected(reason: "The source is not connected.")
            }
            if self.pending.isEmpty, self.clock.now >= self.nextPoll { try await self.look() }
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
        let done = self.settings.done
        try await self.withOpen(known) { session, uids in
            switch done {
            case .seen: try session.add(flag: "\\Seen", to: uids)
            case .delete: try session.delete(uids)
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
        let criteria = self.settings.search.parts
        let (uidValidity, uids) = try await self.perform { session in
            let mailbox = try session.select(name, isReadOnly: false)
            return (mailbox.uidValidity, try session.search(criteria))
        }
        self.note(uidValidity)
        let now = self.clock.now
        self.nextPoll = now + self.settings.poll
        let all = Set(uids)
        self.notBefore = self.notBefore.filter { all.contains($0.key) }
        if let soonest = self.notBefore.values.filter({ $0 > now }).min() {
            self.nextPoll = min(self.nextPoll, soonest)
        }
        self.pending = uids.filter { !self.outstanding.contains($0) && self.notBefore[$0] ?? now <= now }
    }

    /// The next messages; nil when all of them are gone.
    private func batch(_ maximum: Int) async throws -> EventBatch? {
        let uids = Array(self.pending.prefix(maximum))
        let settings = self.settings
        let uidValidity = self.uidValidity
        let fetched = try await self.perform { session -> (events: [SourceEvent], count: Int) in
            let mailbox = try session.select(settings.mailbox, isReadOnly: false)
            guard mailbox.uidValidity == uidValidity else { return ([], uids.count) }
            let summaries = try session.summaries(uids)
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
        self.batches[id] = Batch(uidValidity: uidValidity, uids: taken)
        return EventBatch(id: id, events: fetched.events)
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
            headers: ["flags": .list(summary.flags.map { .string($0) })],
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
