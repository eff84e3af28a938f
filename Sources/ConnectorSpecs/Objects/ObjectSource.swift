import ConnectorKit
import Values

/// The records of the objects of a store: told of by notifications, found by listings, read one object after the other.
///
/// An object is accounted for when everything in it is acknowledged. Then its notification is removed, what `done` says
/// is done, and the position of the listings is saved. At least once: ids are those of bucket, key, version and record,
/// so that what comes by both ways, or again, is recognised.
actor ObjectSource: EventSource {
    /// An object that was read, or is being read.
    private struct Reading {
        var object: ObjectReference
        var notice: UInt64?
        /// Batches with events of it that are out.
        var out = 0
        var isExhausted = false
    }

    /// Moments between which objects are wanted again.
    struct Range: Sendable {
        var prefix: String?
        var from: Int64?
        var to: Int64?
    }

    private let event: EventSpec
    private let spec: ObjectsSpec
    private let runner: OperationRunner
    private let parameters: ObjectParameters
    private let decoding: RecordDecoding
    private let memory: any SourceMemory
    private let replay: Range?
    private let notices: QueueSource?

    private var isConnected = false
    private var progress = PollProgress()
    /// What is to be read, and by which notification it is known.
    private var pending: [(object: ObjectReference, notice: UInt64?)] = []
    private var nextListing: Duration = .zero
    /// Objects a batch of notifications tells of that are not done.
    private var open: [UInt64: Int] = [:]
    private var readings: [Int: Reading] = [:]
    private var nextReading = 0
    private var current: (reading: Int, records: ObjectRecords)?
    private var out: [UInt64: (reading: Int, events: [SourceEvent])] = [:]
    private var again: [(due: Duration, reading: Int, events: [SourceEvent])] = []
    private var nextBatch: UInt64 = 1

    init(
        event: EventSpec, spec: ObjectsSpec, runner: OperationRunner, parameters: ObjectParameters,
        decoding: RecordDecoding, memory: any SourceMemory, replay: Range?, notices: QueueSource?
    ) {
        self.event = event
        self.spec = spec
        self.runner = runner
        self.parameters = parameters
        self.decoding = decoding
        self.memory = memory
        self.replay = replay
        self.notices = notices
    }

    private var clock: any ConnectorClock { self.runner.clock }

    // MARK: - EventSource

    func connect() async throws {
        let saved = self.replay == nil ? try await self.memory.load() : nil
        self.progress = saved.flatMap { PollProgress($0) } ?? PollProgress()
        self.pending = []
        self.open = [:]
        self.readings = [:]
        self.current = nil
        self.out = [:]
        self.again = []
        self.nextListing = self.clock.now
        self.isConnected = true
        await self.notices?.connect()
    }

    func read(maximum: Int, wait: Duration) async throws -> EventBatch? {
        let deadline = self.clock.now + wait
        while true {
            guard self.isConnected else { throw SourceInterruption.notConnected(reason: "The source is closed.") }
            if let batch = try await self.take(maximum) { return batch }
            if !self.pending.isEmpty {
                let next = self.pending.removeFirst()
                try await self.begin(next.object, notice: next.notice)
                continue
            }
            let now = self.clock.now
            if self.nextListing <= now, let interval = self.replay == nil ? self.parameters.reconcile : .seconds(1) {
                if try await self.list(every: interval) { continue }
            }
            let left = deadline - self.clock.now
            if let notices {
                guard try await self.readNotices(notices, wait: max(.zero, min(left, self.nextListing - now))) else {
                    guard left > .zero else { return nil }
                    continue
                }
                continue
            }
            guard left > .zero else { return nil }
            let due = self.again.map(\.due).min() ?? deadline
            try await self.clock.sleep(for: max(.milliseconds(5), min(left, min(due, self.nextListing) - now)))
        }
    }

    func acknowledge(_ batch: EventBatch.ID) async throws {
        guard let events = self.out.removeValue(forKey: batch.rawValue) else { return }
        self.readings[events.reading]?.out -= 1
        try await self.finishIfDone(events.reading)
    }

    func reject(_ batch: EventBatch.ID, _ disposition: BatchDisposition) async throws {
        switch disposition {
        case .setAside: try await self.acknowledge(batch)
        case .redeliver(let after):
            guard let events = self.out.removeValue(forKey: batch.rawValue) else { return }
            self.readings[events.reading]?.out -= 1
            self.again.append((self.clock.now + after, events.reading, events.events))
        }
    }

    func close() async {
        self.isConnected = false
        self.current = nil
        await self.notices?.close()
    }

    func backlog() async -> Int? {
        let told = await self.notices?.backlog() ?? 0
        return told + self.pending.count + self.readings.count
    }

    // MARK: - Finding

    /// Lists the bucket; whether anything was found.
    private func list(every interval: Duration) async throws -> Bool {
        if self.replay != nil, self.nextReading > 0 || self.isListed { throw SourceInterruption.endOfInput }
        self.nextListing = self.clock.now + interval
        let answer: OperationRunner.Answer
        do {
            answer = try await self.runner.run(
                OperationCall(
                    operation: self.spec.list,
                    input: [
                        "bucket": .string(self.parameters.bucket),
                        "prefix": .string(self.replay?.prefix ?? self.parameters.prefix),
                    ], timeout: .seconds(300)))
        } catch {
            let error = ConnectorError(wrapping: error)
            guard error.isRetryable else { throw error }
            throw SourceInterruption.backOff(error.retryAfter ?? .seconds(5))
        }
        self.isListed = true
        let known = Set(self.pending.map(\.object.mark)).union(self.readings.values.map(\.object.mark))
        let oldest = self.progress.position.map { Self.lookingBack($0) }
        let found = answer.records.compactMap { record -> ObjectReference? in
            guard let key = record["key"]?.asString else { return nil }
            let object = ObjectReference(
                bucket: self.parameters.bucket, key: key,
                etag: record["etag"]?.asString.map { ObjectReference.plain(etag: $0) },
                size: record["size"]?.asInt64 ?? record["size"]?.asString.flatMap { Int64($0) },
                modified: record["modified"]?.asString.flatMap { Timestamp.milliseconds($0) })
            guard self.parameters.includes(object), !known.contains(object.mark) else { return nil }
            guard let modified = object.modified else { return object }
            if let replay { return modified >= replay.from ?? .min && modified <= replay.to ?? .max ? object : nil }
            if let oldest, Number(modified) < oldest { return nil }
            return self.progress.seen[object.mark] == nil ? object : nil
        }
        let sorted = found.sorted { ($0.modified ?? 0, $0.key) < ($1.modified ?? 0, $1.key) }
        self.pending += sorted.map { ($0, nil) }
        return !sorted.isEmpty
    }

    private var isListed = false

    private static func lookingBack(_ position: Number) -> Number {
        let seconds = ObjectParameters.lookback.components.seconds
        return position.int64.map { Number($0 - seconds * 1_000) } ?? position
    }

    /// Takes notifications; whether there were any.
    private func readNotices(_ notices: QueueSource, wait: Duration) async throws -> Bool {
        guard let batch = try await notices.read(maximum: 10, wait: wait) else { return false }
        var objects: [ObjectReference] = []
        var strange: [SourceEvent] = []
        for event in batch.events {
            guard case .value(let value) = event.body else {
                strange.append(event)
                continue
            }
            switch ObjectNotice(value) {
            case .created(let found): objects += found.filter { self.parameters.includes($0) }
            case .other: break
            case .unknown: strange.append(event)
            }
        }
        let id = batch.id.rawValue
        self.open[id] = objects.count + (strange.isEmpty ? 0 : 1)
        if !strange.isEmpty {
            // No notification: it is not lost but shown, as what cannot be read.
            let reason = "The message is no notification about objects."
            let events = strange.map { event -> SourceEvent in
                var event = event
                if case .undecodable = event.body { return event }
                event.body = .undecodable(.init(line: 1, reason: reason))
                return event
            }
            let reading = self.begin(
                Reading(object: ObjectReference(bucket: "", key: ""), notice: id, isExhausted: true))
            self.again.append((.zero, reading, events))
        }
        self.pending += objects.map { ($0, id) }
        if self.open[id] == 0 { try await self.close(notice: id) }
        return true
    }

    private func close(notice id: UInt64) async throws {
        self.open[id] = nil
        try await self.notices?.acknowledge(EventBatch.ID(rawValue: id))
    }

    // MARK: - Reading

    private func begin(_ reading: Reading) -> Int {
        let id = self.nextReading
        self.nextReading += 1
        self.readings[id] = reading
        return id
    }

    /// Fetches an object, whose records come next.
    private func begin(_ object: ObjectReference, notice: UInt64?) async throws {
        let id = self.begin(Reading(object: object, notice: notice))
        if let size = object.size, size > Int64(self.parameters.bytesMaximum) {
            self.current = (id, self.tooLarge(object))
            return
        }
        var input: ValueContext = ["bucket": .string(object.bucket), "key": .string(object.key)]
        input["version"] = object.version.map { .string($0) }
        do {
            let (bytes, response) = try await self.runner.bytes(
                OperationCall(operation: self.spec.get, input: .context(input), timeout: .seconds(300)),
                bytesMaximum: self.parameters.bytesMaximum)
            self.current = (
                id,
                ObjectRecords(
                    bytes, response: response, object: object, event: self.event.id, decoding: self.decoding)
            )
        } catch {
            let error = ConnectorError(wrapping: error)
            if error.kind == .notFound {
                // Gone since: somebody else was faster, or it was taken back.
                self.readings[id]?.isExhausted = true
                return try await self.finishIfDone(id)
            }
            self.readings[id] = nil
            self.pending.insert((object, notice), at: 0)
            guard error.isRetryable else { throw error }
            throw SourceInterruption.backOff(error.retryAfter ?? .seconds(5))
        }
    }

    private func tooLarge(_ object: ObjectReference) -> ObjectRecords {
        ObjectRecords(
            unreadable: "The object has \(object.size ?? 0) bytes; maxObject allows \(self.parameters.bytesMaximum).",
            object: object, event: self.event.id)
    }

    /// Events that are due again, else the next of the current object.
    private func take(_ maximum: Int) async throws -> EventBatch? {
        if let index = self.again.firstIndex(where: { $0.due <= self.clock.now }) {
            let again = self.again.remove(at: index)
            let events = Array(again.events.prefix(max(1, maximum)))
            if events.count < again.events.count {
                self.again.insert((again.due, again.reading, Array(again.events.dropFirst(events.count))), at: index)
            }
            return self.hand(out: events, of: again.reading)
        }
        guard var current else { return nil }
        let events = current.records.next(max(1, maximum))
        self.current = current.records.isAtEnd ? nil : current
        if current.records.isAtEnd { self.readings[current.reading]?.isExhausted = true }
        guard !events.isEmpty else {
            try await self.finishIfDone(current.reading)
            return nil
        }
        return self.hand(out: events, of: current.reading)
    }

    private func hand(out events: [SourceEvent], of reading: Int) -> EventBatch {
        let id = self.nextBatch
        self.nextBatch += 1
        self.out[id] = (reading, events)
        self.readings[reading]?.out += 1
        return EventBatch(id: EventBatch.ID(rawValue: id), events: events)
    }

    // MARK: - Finishing

    private func finishIfDone(_ id: Int) async throws {
        guard let reading = self.readings[id], reading.isExhausted, reading.out == 0,
            !self.again.contains(where: { $0.reading == id })
        else { return }
        self.readings[id] = nil
        guard self.replay == nil else { return }
        if !reading.object.key.isEmpty {
            try await self.conclude(reading.object)
            let held =
                (self.readings.values.map(\.object) + self.pending.map(\.object)).compactMap(\.modified).min()
                .map { Number($0) }
            self.progress.acknowledge(
                [
                    Poller.Found(
                        id: reading.object.mark, payload: .null, position: reading.object.modified.map { Number($0) })
                ], held: held
            ) { Self.lookingBack($0) }
            try await self.memory.save(self.progress.value)
        }
        guard let notice = reading.notice, let left = self.open[notice] else { return }
        self.open[notice] = left - 1
        if left == 1 { try await self.close(notice: notice) }
    }

    /// Does with an object what is to be done when its events are safe; twice is as good as once.
    private func conclude(_ object: ObjectReference) async throws {
        var input: ValueContext = ["bucket": .string(object.bucket), "key": .string(object.key)]
        func call(_ operation: String?, _ input: ValueContext) async throws {
            guard let operation else { return }
            do {
                _ = try await self.runner.run(OperationCall(operation: operation, input: .context(input)))
            } catch let error as ConnectorError where error.kind == .notFound {
                // Done before, or gone.
            }
        }
        switch self.parameters.done {
        case .keep: break
        case .delete: try await call(self.spec.delete, input)
        case .tag:
            input["tags"] = ["junction": "done"]
            try await call(self.spec.tag, input)
        case .move(let target):
            let segments = object.key.split(separator: "/", omittingEmptySubsequences: false)
            let path = segments.map { URLEncoding.component(String($0)) }.joined(separator: "/")
            let source = "/\(object.bucket)/\(path)"
            try await call(
                self.spec.copy,
                [
                    "bucket": .string(object.bucket), "source": .string(source),
                    "key": .string(target + object.key.dropFirst(self.parameters.prefix.count)),
                ])
            try await call(self.spec.delete, input)
        }
    }
}
