import Resilience
import Testing

struct BulkheadTests {
    private func bulkhead(_ maximum: Int, queue: Int = 10, wait: Duration = .seconds(5)) -> Bulkhead {
        var policy = Bulkhead.Policy()
        policy.maximumConcurrent = maximum
        policy.queueMaximum = queue
        policy.waitMaximum = wait
        return Bulkhead(policy: policy)
    }

    private func ticket(_ admission: Bulkhead.Admission) throws -> Bulkhead.Ticket {
        guard case .queued(let ticket) = admission else { throw Unexpected(admission: admission) }
        return ticket
    }

    private struct Unexpected: Error {
        let admission: Bulkhead.Admission
    }

    @Test func placesGoInOrderOfArrival() throws {
        var bulkhead = self.bulkhead(1, queue: 2)
        #expect(bulkhead.enter(at: .zero) == .granted)
        let first = try self.ticket(bulkhead.enter(at: .zero))
        let second = try self.ticket(bulkhead.enter(at: .zero))
        #expect(bulkhead.enter(at: .zero) == .full)
        #expect(bulkhead.leave(at: .seconds(1)).map(\.ticket) == [first])
        #expect(bulkhead.running == 1 && bulkhead.waiting == 1)
        #expect(bulkhead.leave(at: .seconds(1)).map(\.ticket) == [second])
        #expect(bulkhead.leave(at: .seconds(1)).isEmpty)
        #expect(bulkhead.enter(at: .seconds(1)) == .granted)
    }

    @Test func thoseWhoWaitedTooLongAreRefusedAndHoldNothing() throws {
        var bulkhead = self.bulkhead(1)
        _ = bulkhead.enter(at: .zero)
        let late = try self.ticket(bulkhead.enter(at: .zero))
        let hurried = try self.ticket(bulkhead.enter(at: .seconds(4), deadline: .milliseconds(5_500)))
        let patient = try self.ticket(bulkhead.enter(at: .seconds(4)))
        let answers = bulkhead.leave(at: .milliseconds(5_501))
        #expect(answers.map(\.ticket) == [late, hurried, patient])
        #expect(answers.map(\.isGranted) == [false, false, true])
        #expect(bulkhead.running == 1 && bulkhead.waiting == 0)
    }

    @Test func aCancelledWaitLeavesNoGap() throws {
        var bulkhead = self.bulkhead(1)
        _ = bulkhead.enter(at: .zero)
        let first = try self.ticket(bulkhead.enter(at: .zero))
        let second = try self.ticket(bulkhead.enter(at: .zero))
        let (once, twice) = (bulkhead.cancel(first), bulkhead.cancel(first))
        #expect(once && !twice)
        #expect(bulkhead.leave(at: .zero).map(\.ticket) == [second])
        let afterwards = bulkhead.cancel(second)
        #expect(!afterwards, "it has its place")
    }

    @Test func aGrowingLimitLetsThoseInWhoWaitAndAShrinkingOneThrowsNobodyOut() throws {
        var bulkhead = self.bulkhead(3)
        #expect(bulkhead.setLimit(0, at: .zero).isEmpty)
        #expect(bulkhead.limit == 1)
        _ = bulkhead.enter(at: .zero)
        let tickets = try [self.ticket(bulkhead.enter(at: .zero)), self.ticket(bulkhead.enter(at: .zero))]
        #expect(bulkhead.setLimit(100, at: .zero).map(\.ticket) == tickets)
        #expect(bulkhead.limit == 3 && bulkhead.running == 3)
        _ = bulkhead.setLimit(1, at: .zero)
        #expect(bulkhead.running == 3)
        _ = try self.ticket(bulkhead.enter(at: .zero))
        #expect(bulkhead.leave(at: .zero).isEmpty)
        #expect(bulkhead.leave(at: .zero).isEmpty)
        #expect(bulkhead.leave(at: .zero).count == 1)
    }

    static let seeds: [UInt64] = (0..<20).map { 0xB01C_0000 + $0 }

    /// 20 seeds of 500 schedules each, against a list of who came when.
    @Test(arguments: seeds)
    func randomSchedulesAgreeWithTheModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<500 {
            guard let problem = self.run(&generator) else { continue }
            Issue.record("seed \(seed), schedule \(schedule): \(problem)")
            return
        }
    }

    /// What went wrong in one schedule; nil when nothing did.
    private func run(_ generator: inout SeededGenerator) -> String? {
        let (maximum, queue) = (1 + generator.pick(5), generator.pick(6))
        let wait = Duration.milliseconds(generator.pick(2_000))
        var bulkhead = self.bulkhead(maximum, queue: queue, wait: wait)
        var line: [(ticket: Bulkhead.Ticket, until: Duration)] = []
        var (limit, running) = (maximum, 0)
        var now = Duration.zero
        for _ in 0..<60 {
            now += .milliseconds(generator.pick(400))
            var answers: [Bulkhead.Answer]?
            switch generator.pick(5) {
            case 0, 1:
                let admission = bulkhead.enter(at: now)
                switch admission {
                case .granted where running < limit && line.isEmpty: running += 1
                case .queued(let ticket) where (running >= limit || !line.isEmpty) && line.count < queue:
                    line.append((ticket, now + wait))
                case .full where line.count == queue && running >= limit: break
                default: return "\(running) of \(limit) run, \(line.count) wait: \(admission)"
                }
            case 2 where running > 0:
                running -= 1
                answers = bulkhead.leave(at: now)
            case 3 where !line.isEmpty:
                let index = generator.pick(line.count)
                guard bulkhead.cancel(line.remove(at: index).ticket) else { return "a wait could not be cancelled" }
            case 4:
                limit = min(max(1, generator.pick(maximum + 3)), maximum)
                answers = bulkhead.setLimit(limit, at: now)
            default:
                continue
            }
            if let answers {
                var expected: [(Bulkhead.Ticket, Bool)] = []
                while let first = line.first, first.until < now || running < limit {
                    line.removeFirst()
                    let isGranted = first.until >= now
                    if isGranted { running += 1 }
                    expected.append((first.ticket, isGranted))
                }
                guard answers.map(\.ticket) == expected.map(\.0), answers.map(\.isGranted) == expected.map(\.1) else {
                    return "\(answers) instead of \(expected)"
                }
            }
            guard bulkhead.running == running, bulkhead.waiting == line.count, bulkhead.limit == limit else {
                return "counts \(bulkhead.running), \(bulkhead.waiting) instead of \(running), \(line.count)"
            }
        }
        return nil
    }
}
