/// Bounds how many calls run at once and how many wait for a place, first come, first served.
///
/// Pure: no clock, no tasks. Counting is all it does: whoever got a place calls `leave` exactly once, whoever waits is
/// told by what `leave`, `setLimit` or `serve` return.
public struct Bulkhead: Sendable {
    /// The sizes.
    public struct Policy: Sendable, Hashable {
        /// Calls that run at once; with `adaptive`, at most.
        ///
        /// Default 25.
        public var maximumConcurrent = 25
        /// Calls that wait for a place; further ones are refused at once.
        ///
        /// Default 1,000.
        public var queueMaximum = 1_000
        /// How long a call waits before it is refused.
        ///
        /// Default 5 s.
        public var waitMaximum: Duration = .seconds(5)
        /// How the limit follows the remote; nil, the default: it stays at `maximumConcurrent`.
        public var adaptive: AdaptiveLimit.Policy?

        /// Creates the default sizes.
        public init() {}
    }

    /// A place in the queue.
    public struct Ticket: Sendable, Hashable {
        let number: UInt64
    }

    /// What became of a request for a place.
    public enum Admission: Sendable, Hashable {
        /// It may run.
        case granted
        /// It waits.
        case queued(Ticket)
        /// The queue is full.
        case full
    }

    /// What became of one that waited.
    public struct Answer: Sendable, Hashable {
        /// Who waited.
        public let ticket: Ticket
        /// Whether it got a place; otherwise it waited too long.
        public let isGranted: Bool
    }

    private struct Waiter: Sendable {
        let ticket: Ticket
        let until: Duration
        var isGone = false
    }

    /// The sizes.
    public let policy: Policy
    /// Calls that may run at once now; at least 1.
    public private(set) var limit: Int
    /// Calls that run.
    ///
    /// More than `limit` for a while after it shrank.
    public private(set) var running = 0
    /// Calls that wait.
    public private(set) var waiting = 0
    private var queue: [Waiter] = []
    private var head = 0
    private var nextTicket: UInt64 = 1

    /// Creates an empty bulkhead.
    public init(policy: Policy = Policy()) {
        self.policy = policy
        self.limit = max(1, policy.maximumConcurrent)
    }

    /// Asks for a place at `now`, for a call that makes no sense after `deadline`.
    public mutating func enter(at now: Duration, deadline: Duration? = nil) -> Admission {
        if self.running < self.limit, self.waiting == 0 {
            self.running += 1
            return .granted
        }
        guard self.waiting < self.policy.queueMaximum else { return .full }
        let ticket = Ticket(number: self.nextTicket)
        self.nextTicket += 1
        let until = now + self.policy.waitMaximum
        self.queue.append(Waiter(ticket: ticket, until: deadline.map { min($0, until) } ?? until))
        self.waiting += 1
        return .queued(ticket)
    }

    /// Gives a place back, and says who is told what because of it.
    public mutating func leave(at now: Duration) -> [Answer] {
        precondition(self.running > 0, "leave: nobody is inside")
        self.running -= 1
        return self.serve(at: now)
    }

    /// Takes somebody who waits out of the queue.
    ///
    /// False when they do not wait any more: they got an answer before.
    public mutating func cancel(_ ticket: Ticket) -> Bool {
        // Tickets are in order, so the place is known but for those who left.
        guard let index = self.queue[self.head...].firstIndex(where: { $0.ticket == ticket }),
            !self.queue[index].isGone
        else { return false }
        self.queue[index].isGone = true
        self.waiting -= 1
        return true
    }

    /// Changes the limit, within 1 and the policy's maximum, and says who is told what because of it.
    public mutating func setLimit(_ limit: Int, at now: Duration) -> [Answer] {
        self.limit = min(max(1, limit), max(1, self.policy.maximumConcurrent))
        return self.serve(at: now)
    }

    /// Gives places to those who wait, in order; those who waited too long are refused on the way.
    public mutating func serve(at now: Duration) -> [Answer] {
        var answers: [Answer] = []
        while self.head < self.queue.count {
            let waiter = self.queue[self.head]
            if !waiter.isGone {
                let isLate = waiter.until < now
                guard isLate || self.running < self.limit else { break }
                if !isLate { self.running += 1 }
                self.waiting -= 1
                answers.append(Answer(ticket: waiter.ticket, isGranted: !isLate))
            }
            self.head += 1
        }
        if self.head == self.queue.count {
            self.queue.removeAll(keepingCapacity: true)
            self.head = 0
        } else if self.head >= 256, self.head * 2 >= self.queue.count {
            self.queue.removeFirst(self.head)
            self.head = 0
        }
        return answers
    }
}
