import ConnectorKit
import Resilience
import Testing

@testable import Hub

@Suite struct IntakeMachineTests {
    private static func machine(
        concurrencyMax: Int = 2, attemptsMax: Int = 3, elapsedMax: Duration = .seconds(100),
        rate: RateLimiter.Policy? = nil
    ) -> IntakeMachine {
        var retry = RetryPolicy()
        retry.maximumAttempts = attemptsMax
        retry.backoff = .constant(.seconds(1))
        return IntakeMachine(
            IntakeMachine.Settings(
                concurrencyMax: concurrencyMax, windowMax: 4, rate: rate, retry: retry, retryElapsedMax: elapsedMax,
                idleWait: .seconds(5)))
    }

    private static func batch(_ id: UInt64) -> EventBatch.ID { EventBatch.ID(rawValue: id) }
    private static func record(_ batch: UInt64, _ index: Int) -> IntakeMachine.RecordID {
        IntakeMachine.RecordID(batch: Self.batch(batch), index: index)
    }

    @Test func aBatchIsAcknowledgedWhenAllItsRecordsAreAccountedFor() {
        var machine = Self.machine()
        #expect(machine.next(at: .zero) == .read(maximum: 4, wait: .seconds(5)))
        machine.received(Self.batch(1), count: 3)
        #expect(machine.next(at: .zero) == .process(Self.record(1, 0)))
        #expect(machine.next(at: .zero) == .process(Self.record(1, 1)))
        #expect(machine.next(at: .zero) == .read(maximum: 1, wait: .zero))
        machine.received(nil, count: 0)
        #expect(machine.next(at: .zero) == .awaitRecord)
        machine.accounted(Self.record(1, 1))
        #expect(machine.next(at: .zero) == .process(Self.record(1, 2)))
        machine.accounted(Self.record(1, 0))
        machine.accounted(Self.record(1, 2))
        #expect(machine.next(at: .zero) == .acknowledge(Self.batch(1)))
        #expect(machine.outstandingRecords == 0)
        #expect(machine.next(at: .zero) == .read(maximum: 4, wait: .seconds(5)))
    }

    @Test func anEmptyBatchIsAcknowledgedAtOnce() {
        var machine = Self.machine()
        machine.received(Self.batch(9), count: 0)
        #expect(machine.next(at: .zero) == .acknowledge(Self.batch(9)))
    }

    @Test func backpressurePausesTheSourceAndCostsNoAttempt() {
        var machine = Self.machine(attemptsMax: 1)
        machine.received(Self.batch(1), count: 2)
        for second in 0..<10 {
            let now = Duration.seconds(second)
            #expect(machine.next(at: now) == .process(Self.record(1, 0)))
            machine.failed(Self.record(1, 0), .backpressure(after: .seconds(1)), at: now, unit: 0.5)
            #expect(machine.isPaused)
            #expect(machine.next(at: now) == .wait(.seconds(1)))
        }
        #expect(machine.next(at: .seconds(10)) == .process(Self.record(1, 0)))
        #expect(!machine.isPaused)
    }

    @Test func aPauseWaitsForTheRecordsThatAreOut() {
        var machine = Self.machine()
        machine.received(Self.batch(1), count: 2)
        _ = machine.next(at: .zero)
        _ = machine.next(at: .zero)
        machine.failed(Self.record(1, 0), .backpressure(after: .seconds(3)), at: .zero, unit: 0)
        #expect(machine.next(at: .zero) == .awaitRecord)
        machine.accounted(Self.record(1, 1))
        #expect(machine.next(at: .seconds(1)) == .wait(.seconds(2)))
        #expect(machine.next(at: .seconds(3)) == .process(Self.record(1, 0)))
        machine.accounted(Self.record(1, 0))
        #expect(machine.next(at: .seconds(3)) == .acknowledge(Self.batch(1)))
    }

    @Test func aRecordThatKeepsFailingEndsTheSessionUnacknowledged() {
        var machine = Self.machine(attemptsMax: 2)
        machine.received(Self.batch(1), count: 2)
        #expect(machine.next(at: .zero) == .process(Self.record(1, 0)))
        machine.failed(Self.record(1, 0), .transient("disk"), at: .zero, unit: 0)
        #expect(machine.next(at: .zero) == .wait(.seconds(1)))
        #expect(machine.next(at: .seconds(1)) == .process(Self.record(1, 0)))
        #expect(machine.next(at: .seconds(1)) == .process(Self.record(1, 1)))
        machine.failed(Self.record(1, 0), .transient("disk"), at: .seconds(1), unit: 0)
        #expect(machine.next(at: .seconds(1)) == .awaitRecord)
        machine.accounted(Self.record(1, 1))
        #expect(machine.next(at: .seconds(1)) == .finish(.failed("disk")))
        machine.stop()
        #expect(machine.next(at: .seconds(1)) == .finish(.failed("disk")))
    }

    @Test func aRecordIsNotTriedBeyondItsTime() {
        var machine = Self.machine(attemptsMax: 100, elapsedMax: .seconds(2))
        machine.received(Self.batch(1), count: 1)
        _ = machine.next(at: .zero)
        machine.failed(Self.record(1, 0), .transient("full"), at: .zero, unit: 0)
        _ = machine.next(at: .seconds(1))
        machine.failed(Self.record(1, 0), .transient("full"), at: .milliseconds(1_500), unit: 0)
        #expect(machine.next(at: .seconds(2)) == .finish(.failed("full")))
    }

    @Test func stoppingFinishesWhatIsOutAndAcknowledgesWhatIsComplete() {
        var machine = Self.machine()
        machine.received(Self.batch(1), count: 1)
        machine.received(Self.batch(2), count: 2)
        _ = machine.next(at: .zero)
        machine.stop()
        #expect(machine.next(at: .zero) == .awaitRecord)
        machine.accounted(Self.record(1, 0))
        #expect(machine.next(at: .zero) == .acknowledge(Self.batch(1)))
        #expect(machine.next(at: .zero) == .finish(.stopped))
    }

    @Test func theEndOfInputComesAfterWhatWasRead() {
        var machine = Self.machine()
        machine.received(Self.batch(1), count: 1)
        machine.endOfInput()
        #expect(machine.next(at: .zero) == .process(Self.record(1, 0)))
        #expect(machine.next(at: .zero) == .awaitRecord)
        machine.accounted(Self.record(1, 0))
        #expect(machine.next(at: .zero) == .acknowledge(Self.batch(1)))
        #expect(machine.next(at: .zero) == .finish(.endOfInput))
    }

    @Test func recordsAreBegunAtTheRateThatWasDeclared() {
        var machine = Self.machine(concurrencyMax: 4, rate: RateLimiter.Policy(limit: 2, period: .seconds(1), burst: 2))
        machine.received(Self.batch(1), count: 4)
        #expect(machine.next(at: .zero) == .process(Self.record(1, 0)))
        #expect(machine.next(at: .zero) == .process(Self.record(1, 1)))
        #expect(machine.next(at: .zero) == .awaitRecord)
        machine.accounted(Self.record(1, 0))
        machine.accounted(Self.record(1, 1))
        #expect(machine.next(at: .zero) == .wait(.milliseconds(500)))
        #expect(machine.next(at: .milliseconds(500)) == .process(Self.record(1, 2)))
        #expect(machine.next(at: .milliseconds(500)) == .awaitRecord)
        #expect(machine.next(at: .seconds(1)) == .process(Self.record(1, 3)))
    }

    @Test func aSourceThatAsksForAPauseIsLeftAlone() {
        var machine = Self.machine()
        machine.sourceAsksForPause(.seconds(7), at: .zero)
        #expect(machine.next(at: .seconds(1)) == .wait(.seconds(6)))
        #expect(machine.next(at: .seconds(7)) == .read(maximum: 4, wait: .seconds(5)))
    }

    /// Whatever happens, every record is accounted for exactly once before its batch is acknowledged, and the limits hold.
    @Test(arguments: 0..<200)
    func limitsAndAcknowledgementsHoldUnderRandomSchedules(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        var machine = Self.machine(concurrencyMax: 3, attemptsMax: 1_000, elapsedMax: .seconds(1_000_000))
        var now = Duration.zero
        var out: Set<IntakeMachine.RecordID> = []
        var done: Set<IntakeMachine.RecordID> = []
        var sizes: [EventBatch.ID: Int] = [:]
        var acknowledged: Set<EventBatch.ID> = []
        for _ in 0..<2_000 {
            switch machine.next(at: now) {
            case .read(let maximum, let wait):
                #expect(maximum > 0 && (wait == .zero || out.isEmpty), "seed \(seed)")
                guard sizes.count < 40 else {
                    machine.endOfInput()
                    continue
                }
                if Int.random(in: 0..<4, using: &generator) == 0 {
                    machine.received(nil, count: 0)
                } else {
                    let id = Self.batch(UInt64(sizes.count))
                    sizes[id] = Int.random(in: 0...maximum, using: &generator)
                    machine.received(id, count: sizes[id] ?? 0)
                }
            case .process(let record):
                #expect(!done.contains(record), "seed \(seed)")
                #expect(out.insert(record).inserted, "seed \(seed)")
                #expect(out.count <= 3, "seed \(seed)")
            case .awaitRecord:
                guard let record = out.randomElement(using: &generator) else {
                    Issue.record("seed \(seed): waits for nothing")
                    return
                }
                out.remove(record)
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: machine.failed(record, .transient("x"), at: now, unit: 0)
                case 1: machine.failed(record, .backpressure(after: .milliseconds(5)), at: now, unit: 0)
                default:
                    done.insert(record)
                    machine.accounted(record)
                }
            case .wait(let duration):
                #expect(out.isEmpty, "seed \(seed)")
                now += duration
            case .acknowledge(let id):
                #expect(acknowledged.insert(id).inserted, "seed \(seed)")
                #expect(done.filter { $0.batch == id }.count == sizes[id], "seed \(seed)")
            case .finish(let end):
                #expect(end == .endOfInput, "seed \(seed)")
                #expect(acknowledged.count == sizes.count, "seed \(seed)")
                return
            }
        }
        Issue.record("seed \(seed): no end")
    }
}

@Suite struct ActivationMachineTests {
    @Test func theUsualLife() {
        var machine = ActivationMachine()
        #expect(machine.state == .draft)
        machine.arm()
        #expect(machine.state == .arming)
        machine.armed()
        #expect(machine.state == .armed)
        machine.degraded("engine full")
        #expect(machine.state == .degraded)
        #expect(machine.trouble == "engine full")
        machine.progressed()
        #expect(machine.state == .armed)
        #expect(machine.trouble == nil)
    }

    @Test func failuresInARowWaitLonger() {
        var machine = ActivationMachine(backoff: .exponential(base: .seconds(1), multiplier: 2, cap: .seconds(60)))
        var delays: [Duration] = []
        for _ in 0..<3 {
            machine.arm()
            delays.append(machine.failed("no such folder", at: .seconds(10), unit: 0))
        }
        #expect(delays == [.seconds(1), .seconds(2), .seconds(4)])
        #expect(machine.state == .failed)
        #expect(machine.rearmAt == .seconds(14))
        machine.arm()
        #expect(machine.rearmAt == nil)
        #expect(machine.trouble == "no such folder")
        machine.armed()
        machine.progressed()
        machine.arm()
        #expect(machine.failed("again", at: .zero, unit: 0) == .seconds(1))
    }

    @Test func pausingWinsOverEverythingButResuming() {
        var machine = ActivationMachine()
        machine.arm()
        machine.armed()
        machine.pause()
        machine.degraded("x")
        machine.progressed()
        #expect(machine.failed("x", at: .zero, unit: 0) == .zero)
        machine.armed()
        #expect(machine.state == .paused)
        machine.resume()
        #expect(machine.state == .draft)
        machine.resume()
        #expect(machine.state == .draft)
        machine.degraded("not armed")
        #expect(machine.state == .draft)
    }
}
