import ConnectorKit
import Values

/// Decides which runs of a schedule happen, and when.
///
/// Pure: no clock, no randomness, no I/O. A driver asks `next` and does what it says; what became of a batch goes back in
/// through `acknowledged` and `returned`. Instants are seconds since 1970, `now` is in Unix milliseconds.
struct CronMachine: Sendable {
    /// One run.
    struct Run: Sendable, Hashable {
        /// When it was due by the schedule.
        var instant: Int64
        /// Whether it comes late because nobody looked when it was due.
        var isMissed: Bool
        /// The run before it; nil for the first.
        var previous: Int64?
    }

    /// What the driver does next.
    enum Step: Sendable, Equatable {
        /// Emit these runs, oldest first.
        case emit(EventBatch.ID, [Run])
        /// Find out whether an instance of the trigger is running, say so with `answered`, and ask again.
        case askWhetherRunning
        /// Nothing is to be done for so many milliseconds.
        case wait(milliseconds: Int64)
        /// No run will ever follow; what is out may still come back.
        case end
    }

    /// What is durable about a schedule.
    struct Position: Sendable, Hashable {
        /// Every run up to here has been acknowledged or left out.
        var decided: Int64
        /// The last run that happened; nil when none has.
        var fired: Int64?
    }

    /// How many runs were left out, by reason.
    struct LeftOut: Sendable, Hashable {
        /// Times at which missed runs were left out; how many runs these were is not counted.
        var missed = 0
        /// Runs that would have overlapped.
        var overlapping = 0
    }

    private struct Outstanding {
        var id: EventBatch.ID
        var runs: [Run]
        var isAcknowledged = false
        /// Since it came back: when it goes out again.
        var returnedUntil: Int64?
    }

    /// A run is missed when it is later than this.
    static let graceMilliseconds: Int64 = 60_000
    /// How often a queued run looks whether it may start.
    static let pollMilliseconds: Int64 = 1_000

    private let parameters: CronParameters
    private let jitterMilliseconds: Int64
    /// A number in [0, 1) for the jitter of the run at an instant; the same each time.
    private let unit: @Sendable (Int64) -> Double
    /// For a range that is emitted again: everything at once, nothing is late.
    private let isReplay: Bool
    /// Runs that will happen, oldest first, although others may be left out by then.
    private var chosen: [Run] = []
    /// Everything up to here has been chosen or left out.
    private var chosenThrough: Int64
    private var following: (after: Int64, instant: Int64?)?
    private var lastFired: Int64?
    private var outstanding: [Outstanding] = []
    private var isRunning: Bool?
    private var lastID: UInt64 = 0

    /// What may be made durable now.
    private(set) var position: Position
    private(set) var leftOut = LeftOut()

    init(
        _ parameters: CronParameters, position: Position, isReplay: Bool = false,
        unit: @escaping @Sendable (Int64) -> Double
    ) {
        self.parameters = parameters
        self.position = position
        self.chosenThrough = position.decided
        self.lastFired = position.fired
        self.isReplay = isReplay
        self.jitterMilliseconds = isReplay ? 0 : parameters.jitter.wholeMilliseconds
        self.unit = unit
    }

    // MARK: What happens next

    /// What to do at `now`, emitting at most `maximum` runs.
    mutating func next(at now: Int64, maximum: Int) -> Step {
        defer { self.isRunning = nil }
        let maximum = max(1, maximum)
        if let step = self.returnedBatch(at: now, maximum: maximum) { return step }
        var wait: Int64?
        while true {
            if self.chosen.isEmpty { wait = self.choose(at: now, maximum: maximum) }
            guard !self.chosen.isEmpty else { break }
            if self.parameters.overlap == .allow || self.isReplay {
                return self.emit(min(maximum, self.chosen.count))
            }
            // What is out will run, whatever the engine says of it now.
            let isBusy = self.outstanding.contains { !$0.isAcknowledged } ? true : self.isRunning
            guard let isBusy else { return .askWhetherRunning }
            if !isBusy { return self.emit(1) }
            if self.parameters.overlap == .queue {
                let poll = Self.pollMilliseconds
                return .wait(milliseconds: max(1, min(poll, self.returnWait(at: now) ?? poll)))
            }
            self.leftOut.overlapping += 1
            self.chosen.removeFirst()
            self.decide()
        }
        let waits = [wait, self.returnWait(at: now)].compactMap(\.self)
        return waits.min().map { .wait(milliseconds: max(1, $0)) } ?? .end
    }

    /// Whether an instance is running, for the next call of `next` only.
    mutating func answered(isRunning: Bool) { self.isRunning = isRunning }

    /// Chooses the runs that are due; says how long it takes until the next is, nil when none ever is.
    private mutating func choose(at now: Int64, maximum: Int) -> Int64? {
        while self.chosen.count < maximum {
            guard let instant = self.nextUndecided() else { return nil }
            let due = self.due(instant)
            guard due <= now else { return due - now }
            if !self.isReplay, self.isLate(due, at: now) {
                self.chooseMissed(from: instant, at: now)
                if !self.chosen.isEmpty { return nil }
            } else {
                self.choose(instant, isMissed: false)
            }
        }
        return nil
    }

    /// The first run that nothing is decided about; looked for once, however often it is asked for.
    private mutating func nextUndecided() -> Int64? {
        if let following, following.after == self.chosenThrough { return following.instant }
        let instant = self.parameters.next(after: self.chosenThrough)
        self.following = (self.chosenThrough, instant)
        return instant
    }

    /// Chooses among the runs that came due while nobody looked; the first of them at `first`.
    private mutating func chooseMissed(from first: Int64, at now: Int64) {
        // Later runs may still be put off by their jitter: they are looked at one by one.
        let horizon = max(first, (now - self.jitterMilliseconds).wholeSeconds)
        let upper = min(horizon, self.parameters.until ?? horizon)
        let count = self.parameters.missed == .all ? self.parameters.missedMaximum : 1
        let newest = self.parameters.schedule.newest(
            count, after: first - 1, through: upper, in: self.parameters.zone)
        if newest.first != first { self.leftOut.missed += 1 }
        for instant in newest {
            let isLate = self.isLate(self.due(instant), at: now)
            if isLate, self.parameters.missed == .none {
                if instant == first { self.leftOut.missed += 1 }
                continue
            }
            self.choose(instant, isMissed: isLate)
        }
        self.chosenThrough = max(self.chosenThrough, upper)
        self.decide()
    }

    private mutating func choose(_ instant: Int64, isMissed: Bool) {
        self.chosen.append(Run(instant: instant, isMissed: isMissed, previous: nil))
        self.chosenThrough = instant
    }

    private func due(_ instant: Int64) -> Int64 {
        guard self.jitterMilliseconds > 0 else { return instant * 1_000 }
        return instant * 1_000 + Int64(Double(self.jitterMilliseconds) * min(max(self.unit(instant), 0), 1))
    }

    private func isLate(_ due: Int64, at now: Int64) -> Bool { now - due > Self.graceMilliseconds }

    // MARK: Batches

    private mutating func emit(_ count: Int) -> Step {
        var runs = Array(self.chosen.prefix(count))
        self.chosen.removeFirst(count)
        for index in runs.indices {
            runs[index].previous = self.lastFired
            self.lastFired = runs[index].instant
        }
        let id = self.nextID()
        self.outstanding.append(Outstanding(id: id, runs: runs))
        return .emit(id, runs)
    }

    /// A batch that came back and goes out again, cut in two when it is larger than what is asked for.
    private mutating func returnedBatch(at now: Int64, maximum: Int) -> Step? {
        guard let index = self.outstanding.firstIndex(where: { $0.returnedUntil.map { $0 <= now } ?? false }) else {
            return nil
        }
        var batch = self.outstanding[index]
        let rest = batch.runs.dropFirst(maximum)
        if !rest.isEmpty {
            batch.runs.removeLast(rest.count)
            let id = self.nextID()
            self.outstanding.insert(Outstanding(id: id, runs: Array(rest), returnedUntil: now), at: index + 1)
        }
        batch.returnedUntil = nil
        batch.id = self.nextID()
        self.outstanding[index] = batch
        return .emit(batch.id, batch.runs)
    }

    /// How long it takes until a batch that came back goes out again.
    private func returnWait(at now: Int64) -> Int64? {
        self.outstanding.compactMap { $0.returnedUntil.map { $0 - now } }.min()
    }

    private mutating func nextID() -> EventBatch.ID {
        self.lastID += 1
        return EventBatch.ID(rawValue: self.lastID)
    }

    /// The batch is durable on the other side.
    mutating func acknowledged(_ id: EventBatch.ID) {
        guard let index = self.outstanding.firstIndex(where: { $0.id == id }) else { return }
        self.outstanding[index].isAcknowledged = true
        while let first = self.outstanding.first, first.isAcknowledged {
            self.outstanding.removeFirst()
            guard let last = first.runs.last else { continue }
            self.position = Position(decided: last.instant, fired: last.instant)
        }
        self.decide()
    }

    /// The batch was not taken and goes out again at `until`.
    mutating func returned(_ id: EventBatch.ID, until: Int64) {
        guard let index = self.outstanding.firstIndex(where: { $0.id == id && !$0.isAcknowledged }) else { return }
        self.outstanding[index].returnedUntil = until
    }

    /// What was left out is decided once nothing before it is out.
    private mutating func decide() {
        guard self.outstanding.isEmpty else { return }
        let decided = self.chosen.first.map { $0.instant - 1 } ?? self.chosenThrough
        self.position.decided = max(self.position.decided, decided)
    }
}
