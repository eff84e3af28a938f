import ConnectorKit
import Resilience

/// Moves batches of events from a source to their acknowledgement: what to read, which record to work on, when to wait,
/// when a batch may be acknowledged.
///
/// Pure: no clock, no randomness, no I/O.
///
/// A driver asks `next` and does what it says; the outcome goes back in through one of the other methods. A batch is
/// acknowledged when all its records are accounted for: started, recognised as duplicates, filtered, dropped, or safe
/// on the dead-letter list. Whatever is not acknowledged comes again after a restart.
struct IntakeMachine: Sendable {
    /// The settings.
    struct Settings: Sendable {
        /// Records worked on at once.
        var concurrencyMax: Int
        /// Records of one ordering key worked on at once.
        var perKeyMax = 1
        /// Records read and not yet accounted for.
        var windowMax: Int
        /// Records begun in a period, repeated attempts included; nil: as many as come.
        var rate: RateLimiter.Policy?
        /// Attempts per record, backpressure aside.
        var retry: RetryPolicy
        /// How long one record is tried.
        var retryElapsedMax: Duration
        /// How long a read waits when nothing else is to be done.
        var idleWait: Duration
    }

    /// One record of one batch.
    struct RecordID: Hashable, Sendable {
        let batch: EventBatch.ID
        let index: Int
    }

    /// What the driver does next.
    enum Step: Equatable, Sendable {
        /// Tell the source that the batch is safe.
        case acknowledge(EventBatch.ID)
        /// Begin to work on a record; several may be worked on at once.
        case process(RecordID)
        /// Read at most `maximum` events, waiting at most `wait`.
        case read(maximum: Int, wait: Duration)
        /// Wait for a record that is being worked on.
        case awaitRecord
        /// Wait this long; nothing is being worked on.
        case wait(Duration)
        /// Nothing more will happen.
        case finish(End)

        /// Whether this is a step of a session that has nothing to do.
        var isIdle: Bool {
            switch self {
            case .read(_, let wait): wait > .zero
            case .wait: true
            case .acknowledge, .process, .awaitRecord, .finish: false
            }
        }
    }

    /// Why it is over.
    enum End: Equatable, Sendable {
        /// Somebody asked for it.
        case stopped
        /// The source has nothing more.
        case endOfInput
        /// A record could neither be started nor be put aside; everything unacknowledged must be read again later.
        case failed(String)
    }

    /// Why a record could not be accounted for now.
    enum Trouble: Equatable, Sendable {
        /// The engine is full and names the time to come back. Costs no attempt.
        case backpressure(after: Duration)
        /// It may work the next time.
        case transient(String)
    }

    /// The records of one ordering key: those under way, and those that wait for them.
    private struct Lane {
        var active = 0
        var waiting: [RecordID] = []
        /// The first of `waiting` that still waits.
        var head = 0
    }

    private struct Attempts {
        var retry = RetryMachine()
        var since: Duration
    }

    private let settings: Settings
    /// Records to begin with, oldest first; those that failed come back to the front.
    private var queue: [RecordID] = []
    private var queueStart = 0
    private var open: [EventBatch.ID: Int] = [:]
    private var completed: [EventBatch.ID] = []
    private var attempts: [RecordID: Attempts] = [:]
    private var keys: [RecordID: String] = [:]
    private var lanes: [String: Lane] = [:]
    private var inFlight = 0
    private var outstanding = 0
    /// Until when nothing new begins.
    private var pausedUntil: Duration?
    /// Until when the source is left alone.
    private var sourcePausedUntil: Duration?
    private var limiter: RateLimiter?
    private var readFoundNothing = false
    private var ending: End?

    init(_ settings: Settings) {
        self.settings = settings
        self.limiter = settings.rate.map { RateLimiter(policy: $0) }
    }

    /// Whether new work waits for the engine to recover.
    var isPaused: Bool { self.pausedUntil != nil }
    /// Records read and not yet accounted for.
    var outstandingRecords: Int { self.outstanding }

    /// What to do at `now`.
    mutating func next(at now: Duration) -> Step {
        if let batch = self.completed.first {
            self.completed.removeFirst()
            return .acknowledge(batch)
        }
        if let ending, ending != .endOfInput {
            return self.inFlight > 0 ? .awaitRecord : .finish(ending)
        }
        if let until = self.pausedUntil {
            guard now >= until else { return self.inFlight > 0 ? .awaitRecord : .wait(until - now) }
            self.pausedUntil = nil
        }
        while self.queueStart < self.queue.count, self.inFlight < self.settings.concurrencyMax {
            if let wait = self.limiter?.wait(at: now), wait > .zero {
                return self.inFlight > 0 ? .awaitRecord : .wait(wait)
            }
            let record = self.takeFromQueue()
            guard self.enterLane(record) else { continue }
            self.limiter?.take(at: now)
            self.inFlight += 1
            return .process(record)
        }
        if let step = self.read(at: now) { return step }
        if self.inFlight > 0 { return .awaitRecord }
        if let ending { return .finish(ending) }
        return .wait(self.sourcePausedUntil.map { $0 - now } ?? self.settings.idleWait)
    }

    private mutating func takeFromQueue() -> RecordID {
        let record = self.queue[self.queueStart]
        self.queueStart += 1
        if self.queueStart == self.queue.count || self.queueStart >= 4_096 {
            self.queue.removeFirst(self.queueStart)
            self.queueStart = 0
        }
        return record
    }

    private mutating func putInFront(_ record: RecordID) {
        if self.queueStart > 0 {
            self.queueStart -= 1
            self.queue[self.queueStart] = record
        } else {
            self.queue.insert(record, at: 0)
        }
    }

    /// Whether the record may begin; one whose key is busy waits in its lane.
    private mutating func enterLane(_ record: RecordID) -> Bool {
        guard let key = self.keys[record] else { return true }
        if self.lanes[key, default: Lane()].active < self.settings.perKeyMax {
            self.lanes[key, default: Lane()].active += 1
            return true
        }
        self.lanes[key]?.waiting.append(record)
        return false
    }

    /// The record is out of its lane: the next of its key may begin, before anything else when it is accounted for.
    private mutating func leaveLane(_ record: RecordID, isAccounted: Bool) {
        guard let key = self.keys[record], var lane = self.lanes[key] else { return }
        lane.active -= 1
        if isAccounted {
            self.keys[record] = nil
            if lane.head < lane.waiting.count {
                self.putInFront(lane.waiting[lane.head])
                lane.head += 1
                if lane.head == lane.waiting.count || lane.head >= 256 {
                    lane.waiting.removeFirst(lane.head)
                    lane.head = 0
                }
            }
        }
        self.lanes[key] = lane.active == 0 && lane.waiting.isEmpty ? nil : lane
    }

    private mutating func read(at now: Duration) -> Step? {
        guard self.ending == nil else { return nil }
        if let until = self.sourcePausedUntil {
            guard now >= until else { return nil }
            self.sourcePausedUntil = nil
        }
        let room = self.settings.windowMax - self.outstanding
        guard room > 0 else { return nil }
        // While there is work, many are read at once or none: a read of one record costs as much as one of hundreds.
        guard self.inFlight == 0 || room >= self.settings.windowMax / 4 else { return nil }
        if self.inFlight == 0 { return .read(maximum: room, wait: self.settings.idleWait) }
        return self.readFoundNothing ? nil : .read(maximum: room, wait: .zero)
    }

    /// A read gave a batch of `count` events; nil for none within its wait.
    ///
    /// `orderedBy` has the ordering key of each event, or is empty when none has one. Events of one key are worked on in
    /// the order in which they were received, at most `perKeyMax` at once.
    mutating func received(_ batch: EventBatch.ID?, count: Int, orderedBy keys: [String?] = []) {
        guard let batch else {
            self.readFoundNothing = true
            return
        }
        self.readFoundNothing = false
        guard count > 0 else {
            self.completed.append(batch)
            return
        }
        self.open[batch] = count
        self.outstanding += count
        self.queue.append(contentsOf: (0..<count).map { RecordID(batch: batch, index: $0) })
        for (index, key) in keys.enumerated() {
            if let key { self.keys[RecordID(batch: batch, index: index)] = key }
        }
    }

    /// The source may have something although the last read found nothing.
    mutating func sourceMayHaveMore() { self.readFoundNothing = false }

    /// The source asks to be left alone.
    mutating func sourceAsksForPause(_ duration: Duration, at now: Duration) {
        self.sourcePausedUntil = now + duration
    }

    /// Nothing new is read or begun before `moment`.
    mutating func hold(until moment: Duration) {
        self.pause(until: moment)
    }

    /// The source has nothing more; what was read is finished first.
    mutating func endOfInput() {
        self.ending = self.ending ?? .endOfInput
    }

    /// Nothing new begins; what is being worked on is finished, and complete batches are acknowledged.
    mutating func stop() {
        if self.ending == nil || self.ending == .endOfInput { self.ending = .stopped }
    }

    /// The record is accounted for.
    mutating func accounted(_ record: RecordID) {
        self.inFlight -= 1
        self.outstanding -= 1
        self.readFoundNothing = false
        self.attempts[record] = nil
        self.leaveLane(record, isAccounted: true)
        guard let left = self.open[record.batch] else { return }
        if left == 1 {
            self.open[record.batch] = nil
            self.completed.append(record.batch)
        } else {
            self.open[record.batch] = left - 1
        }
    }

    /// The record is not accounted for.
    ///
    /// `unit` is a random number in [0, 1).
    mutating func failed(_ record: RecordID, _ trouble: Trouble, at now: Duration, unit: Double) {
        self.inFlight -= 1
        self.leaveLane(record, isAccounted: false)
        self.putInFront(record)
        switch trouble {
        case .backpressure(let after):
            self.pause(until: now + after)
        case .transient(let message):
            var attempts = self.attempts[record] ?? Attempts(since: now)
            let decision = attempts.retry.attemptFailed(
                CallFailure(kind: .transient), safety: .idempotent, policy: self.settings.retry, unit: unit)
            self.attempts[record] = attempts
            guard case .retry(let delay) = decision, now + delay - attempts.since <= self.settings.retryElapsedMax
            else {
                self.ending = .failed(message)
                return
            }
            self.pause(until: now + delay)
        }
    }

    private mutating func pause(until moment: Duration) {
        self.pausedUntil = max(self.pausedUntil ?? moment, moment)
    }
}
