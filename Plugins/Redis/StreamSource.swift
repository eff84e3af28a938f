internal import ConnectorKit
internal import Values

/// Reads a stream as one consumer of a group.
///
/// What is read stays pending at the server until it is acknowledged. After `connect` the consumer's own pending entries
/// come first, then those that other consumers have left, then new ones.
actor StreamSource: EventSource {
    private let settings: StreamSourceSettings
    private let session: SourceSession
    /// Where reading the consumer's own pending entries stands; `nil`: there are no more.
    private var recovery: String?
    private var nextClaim: ContinuousClock.Instant
    private var claimCursor = "0-0"
    private var batches: [EventBatch.ID: [String]] = [:]
    /// Entries that are in a batch or held.
    private var out: Set<String> = []
    private var held: [HeldBatch<String>] = []
    private var nextBatch: UInt64 = 1
    private var isConnected = false

    /// So long the server is let wait at a time, so that a cancelled read ends.
    private static let blockMaximum = Duration.seconds(1)

    init(_ settings: StreamSourceSettings, _ session: RedisSession) {
        self.settings = settings
        self.session = SourceSession(session)
        self.nextClaim = .now
    }

    // MARK: - EventSource

    func connect() async throws {
        self.isConnected = false
        try await self.session.reopen()
        if self.settings.creates {
            do {
                _ = try await self.session.run([
                    "XGROUP", "CREATE", .init(self.settings.stream), .init(self.settings.group),
                    .init(self.settings.from), "MKSTREAM",
                ])
            } catch let error as ConnectorError where error.details["error"] == "BUSYGROUP" {
                // It is there already.
            }
        }
        self.recovery = "0"
        self.claimCursor = "0-0"
        self.nextClaim = .now
        self.batches = [:]
        self.out = []
        self.held = []
        self.isConnected = true
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        guard self.isConnected else { throw SourceInterruption.notConnected(reason: "connect was not called") }
        let deadline = ContinuousClock.now + wait
        let maximum = min(max(1, maximum), 10_000)
        do {
            while true {
                var entries = try await self.due()
                if entries.isEmpty { entries = try await self.recovered(maximum) }
                if entries.isEmpty { entries = try await self.claimed(maximum) }
                if entries.isEmpty { entries = try await self.fresh(maximum, until: deadline) }
                if let batch = try await self.batch(entries) { return batch }
                if ContinuousClock.now >= deadline || Task.isCancelled { return nil }
            }
        } catch let interruption as SourceInterruption {
            self.isConnected = false
            throw interruption
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let ids = self.batches.removeValue(forKey: batch) else { return }
        await self.settle([self.command("XACK") + ids.map { .init($0) }], ids)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let ids = self.batches.removeValue(forKey: batch) else { return }
        switch disposition {
        case .redeliver(let after): self.held.append(HeldBatch(ids, after: after))
        case .setAside:
            do {
                try await self.setAside(ids)
            } catch let interruption as SourceInterruption {
                self.isConnected = false
                throw interruption
            } catch {
                // Still pending, and still this batch.
                self.batches[batch] = ids
                throw error
            }
        }
    }

    func close() async {
        self.isConnected = false
        await self.session.close()
    }

    func backlog() async -> Int? { self.out.count }

    // MARK: - Where entries come from

    /// A command on the stream and the group.
    private func command(_ name: RedisArgument) -> RedisCommand {
        [name, .init(self.settings.stream), .init(self.settings.group)]
    }

    /// Rejected entries whose time has come.
    private func due() async throws -> [StreamEntry] {
        guard let index = self.held.firstIndex(where: { $0.due <= .now }) else { return [] }
        let ids = self.held.remove(at: index).items
        let reply = try await self.session.run(
            self.command("XCLAIM") + [.init(self.settings.consumer), "0"] + ids.map { .init($0) })
        self.out.subtract(ids)
        return try await self.counted(try StreamEntry.list(reply))
    }

    /// Entries this consumer has read before it was connected.
    private func recovered(_ maximum: Int) async throws -> [StreamEntry] {
        guard let cursor = self.recovery else { return [] }
        let entries = try await self.readGroup(maximum, from: cursor, block: nil)
        self.recovery = entries.last?.id
        return try await self.counted(entries.filter { !self.out.contains($0.id) })
    }

    /// Entries other consumers have left.
    private func claimed(_ maximum: Int) async throws -> [StreamEntry] {
        guard let idle = self.settings.claimIdle, self.nextClaim <= .now else { return [] }
        let reply = try await self.session.run(
            self.command("XAUTOCLAIM") + [
                .init(self.settings.consumer), .init(idle.milliseconds), .init(self.claimCursor), "COUNT",
                .init(maximum),
            ])
        guard let parts = reply.elements, parts.count >= 2, let cursor = parts[0].text else {
            throw RedisErrors.unexpected(reply)
        }
        self.claimCursor = cursor
        if cursor == "0-0" { self.nextClaim = .now + idle / 4 }
        return try await self.counted(try StreamEntry.list(parts[1]).filter { !self.out.contains($0.id) })
    }

    /// Entries nobody has read, as soon as there are any.
    private func fresh(_ maximum: Int, until deadline: ContinuousClock.Instant) async throws -> [StreamEntry] {
        let now = ContinuousClock.now
        var wait = min(deadline - now, Self.blockMaximum)
        for held in self.held { wait = min(wait, max(held.due - now, .milliseconds(1))) }
        return try await self.readGroup(maximum, from: ">", block: wait > .zero ? wait : nil)
    }

    private func readGroup(_ maximum: Int, from cursor: String, block: Duration?) async throws -> [StreamEntry] {
        var command: RedisCommand = [
            "XREADGROUP", "GROUP", .init(self.settings.group), .init(self.settings.consumer), "COUNT",
            .init(maximum),
        ]
        if let block { command = command + ["BLOCK", .init(max(1, block.milliseconds))] }
        command = command + ["STREAMS", .init(self.settings.stream), .init(cursor)]
        let reply = try await self.session.run(command, waiting: block ?? .zero)
        guard reply != .null else { return [] }
        guard let entries = reply.elements?.first?.elements, entries.count == 2 else {
            throw RedisErrors.unexpected(reply)
        }
        return try StreamEntry.list(entries[1])
    }

    /// Finds out how often entries that are not new were delivered.
    private func counted(_ entries: [StreamEntry]) async throws -> [StreamEntry] {
        let ids = entries.map(\.id)
        guard !ids.isEmpty else { return [] }
        let commands = ids.map { self.command("XPENDING") + [.init($0), .init($0), "1"] }
        let replies = try await self.session.run(commands)
        return zip(entries, replies).map { entry, reply in
            var entry = entry
            if let parts = reply.elements?.first?.elements, parts.count == 4 {
                entry.deliveryCount = parts[3].number ?? 1
            }
            return entry
        }
    }

    // MARK: - Batches

    private func batch(_ entries: [StreamEntry]) async throws -> EventBatch? {
        // An entry that was deleted while it was pending has nothing to give.
        let gone = entries.filter { $0.parts == nil }.map(\.id)
        if !gone.isEmpty { _ = try await self.session.run(self.command("XACK") + gone.map { .init($0) }) }
        let events = entries.compactMap { $0.event(self.settings) }
        guard !events.isEmpty else { return nil }
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        let ids = entries.filter { $0.parts != nil }.map(\.id)
        self.batches[id] = ids
        self.out.formUnion(ids)
        return EventBatch(id: id, events: events)
    }

    /// Copies entries to the dead-letter stream, if there is one, and acknowledges them once that is done.
    ///
    /// A crash in between leaves a copy too many, never one too few.
    private func setAside(_ ids: [String]) async throws {
        if let target = self.settings.deadLetterStream {
            let reads = ids.map { ["XRANGE", .init(self.settings.stream), .init($0), .init($0)] as RedisCommand }
            let entries = try await self.session.run(reads).compactMap { try StreamEntry.list($0).first }
            let copies = entries.compactMap { entry in
                entry.parts.map { parts in
                    ["XADD", .init(target), "*"] + parts.map { .init($0) } + [
                        "junction.stream", .init(self.settings.stream), "junction.entry", .init(entry.id),
                    ]
                }
            }
            _ = try await self.session.run(copies)
        }
        await self.settle([self.command("XACK") + ids.map { .init($0) }], ids)
    }

    /// Sends what ends the life of entries here.
    ///
    /// When it does not get through, they are pending still and come again after the next `connect`.
    private func settle(_ commands: [RedisCommand], _ ids: [String]) async {
        do {
            _ = try await self.session.run(commands)
            self.out.subtract(ids)
        } catch {
            self.isConnected = false
        }
    }
}
