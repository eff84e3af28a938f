internal import ConnectorKit
internal import Values

/// Takes values from a list by way of a second one, in which they stay until they are acknowledged.
///
/// The second list belongs to this source alone: what it holds when the source connects was taken and not acknowledged
/// before, and comes again.
actor ListSource: EventSource {
    private let settings: ListSourceSettings
    private let session: SourceSession
    /// Taken before `connect`, and not handed out yet.
    private var recovered: [[UInt8]] = []
    private var batches: [EventBatch.ID: [[UInt8]]] = [:]
    private var outCount = 0
    private var held: [HeldBatch<[UInt8]>] = []
    private var nextBatch: UInt64 = 1
    private var isConnected = false

    /// So long the server is let wait at a time, so that a cancelled read ends.
    private static let blockMaximum = Duration.seconds(1)
    /// So many values are taken and not acknowledged at a time.
    private static let outMaximum = 10_000

    init(_ settings: ListSourceSettings, _ session: RedisSession) {
        self.settings = settings
        self.session = SourceSession(session)
    }

    // MARK: - EventSource

    func connect() async throws {
        self.isConnected = false
        try await self.session.reopen()
        let reply = try await self.session.run(
            ["LRANGE", .init(self.settings.processing), "0", .init(Self.outMaximum - 1)])
        guard let values = reply.elements else { throw RedisErrors.unexpected(reply) }
        self.recovered = values.compactMap(\.bytes)
        self.batches = [:]
        self.held = []
        self.outCount = self.recovered.count
        self.isConnected = true
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        guard self.isConnected else { throw SourceInterruption.notConnected(reason: "connect was not called") }
        let deadline = ContinuousClock.now + wait
        do {
            while true {
                try await self.giveBack()
                if !self.recovered.isEmpty {
                    let values = Array(self.recovered.prefix(max(1, maximum)))
                    self.recovered.removeFirst(values.count)
                    return self.batch(values)
                }
                let values = try await self.take(min(maximum, Self.outMaximum - self.outCount), until: deadline)
                if !values.isEmpty {
                    self.outCount += values.count
                    return self.batch(values)
                }
                if ContinuousClock.now >= deadline || Task.isCancelled { return nil }
            }
        } catch let interruption as SourceInterruption {
            self.isConnected = false
            throw interruption
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let values = self.batches.removeValue(forKey: batch) else { return }
        await self.settle(values.map { self.removal(of: $0) }, values.count)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        guard let values = self.batches.removeValue(forKey: batch) else { return }
        switch disposition {
        case .redeliver(let after): self.held.append(HeldBatch(values, after: after))
        case .setAside:
            do {
                // A crash in between leaves a copy too many, never one too few.
                _ = try await self.session.run(
                    ["RPUSH", .init(self.settings.deadLetterList)] + values.map { .init($0) })
            } catch let interruption as SourceInterruption {
                self.isConnected = false
                throw interruption
            } catch {
                self.batches[batch] = values
                throw error
            }
            await self.settle(values.map { self.removal(of: $0) }, values.count)
        }
    }

    func close() async {
        self.isConnected = false
        await self.session.close()
    }

    func backlog() async -> Int? { self.outCount }

    // MARK: - Values

    private func removal(of value: [UInt8]) -> RedisCommand {
        ["LREM", .init(self.settings.processing), "1", .init(value)]
    }

    private var isLeft: Bool { self.settings.side == .left }

    /// Moves values to the second list: what is there at once, or else what comes first.
    private func take(_ maximum: Int, until deadline: ContinuousClock.Instant) async throws -> [[UInt8]] {
        guard maximum > 0 else {
            // Full: only an acknowledgement makes room, and that is a call of its own.
            try await Task.sleep(for: min(max(deadline - .now, .zero), .milliseconds(50)))
            return []
        }
        let (list, processing) = (RedisArgument(self.settings.list), RedisArgument(self.settings.processing))
        let ends: [RedisArgument] = [self.isLeft ? "LEFT" : "RIGHT", "RIGHT"]
        let length = try await self.session.run(["LLEN", list]).number ?? 0
        if length > 0 {
            let moves = Array(
                repeating: ["LMOVE", list, processing] + ends as RedisCommand, count: min(Int(length), maximum))
            return try await self.session.run(moves).compactMap(\.bytes)
        }
        let wait = self.nextWait(until: deadline)
        guard wait > .zero else { return [] }
        let seconds = "\(wait.milliseconds / 1_000).\(String(wait.milliseconds % 1_000 + 1_000).dropFirst())"
        let reply = try await self.session.run(
            ["BLMOVE", list, processing] + ends + [.init(seconds)], waiting: wait)
        return reply.bytes.map { [$0] } ?? []
    }

    private func nextWait(until deadline: ContinuousClock.Instant) -> Duration {
        let now = ContinuousClock.now
        var wait = min(deadline - now, Self.blockMaximum)
        for held in self.held { wait = min(wait, held.due - now) }
        // Zero would wait for ever.
        return wait > .zero ? max(wait, .milliseconds(1)) : .zero
    }

    /// Moves rejected values whose time has come back to the end they are taken from.
    private func giveBack() async throws {
        while let index = self.held.firstIndex(where: { $0.due <= .now }) {
            let values = self.held[index].items
            let name: RedisArgument = self.isLeft ? "LPUSH" : "RPUSH"
            _ = try await self.session.run(
                [name, .init(self.settings.list)] + values.reversed().map { .init($0) })
            self.held.remove(at: index)
            _ = try await self.session.run(values.map { self.removal(of: $0) })
            self.outCount -= values.count
        }
    }

    private func batch(_ values: [[UInt8]]) -> EventBatch {
        let id = EventBatch.ID(rawValue: self.nextBatch)
        self.nextBatch += 1
        self.batches[id] = values
        return EventBatch(id: id, events: values.map { self.event($0) })
    }

    /// A list knows its values by nothing but their content, and so equal values have one id.
    private func event(_ value: [UInt8]) -> SourceEvent {
        let (type, body) = self.settings.decoding.message(value, contentType: self.settings.contentType)
        return SourceEvent(
            id: "\(self.settings.list):#\(value.digest)", payload: value, contentType: type, body: body,
            coordinates: ["list": .string(self.settings.list)])
    }

    /// Sends what ends the life of values here.
    ///
    /// When it does not get through, they are in the second list still and come again after the next `connect`.
    private func settle(_ commands: [RedisCommand], _ count: Int) async {
        do {
            _ = try await self.session.run(commands)
            self.outCount -= count
        } catch {
            self.isConnected = false
        }
    }
}
