import Resilience
import Testing

struct IdempotencyKeyTests {
    @Test func isDerivedFromWhoAsksAndHowOften() {
        let key = IdempotencyKey(instance: 7, element: 9, epoch: 2)
        #expect(key.description == "7-9-2")
        #expect(IdempotencyKey(namespace: "prod", instance: 7, element: 9).description == "prod-7-9-0")
        #expect(key == IdempotencyKey(instance: 7, element: 9, epoch: 2))
    }

    @Test func aUUIDIsOneOfVersion8AndNeverShared() {
        let cases: [IdempotencyKey] = [
            IdempotencyKey(instance: 1, element: 1), IdempotencyKey(instance: 1, element: 2),
            IdempotencyKey(instance: 1, element: 1, epoch: 1), IdempotencyKey(instance: 2, element: 1),
            IdempotencyKey(namespace: "x", instance: 1, element: 1),
            IdempotencyKey(instance: 1, element: .max >> 1, epoch: .max), IdempotencyKey(instance: 1, element: 8),
        ]
        for key in cases {
            #expect(
                key.uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
        }
        #expect(Set(cases.map(\.uuid)).count == cases.count)
        #expect(cases[0].uuid == "00000000-0000-8000-8800-00000" + cases[0].uuid.suffix(7))
    }

    @Test func uuidsDifferForManyElements() {
        let seed: UInt64 = 0x1DE4
        var generator = SeededGenerator(seed: seed)
        var seen: Set<String> = []
        for _ in 0..<20_000 {
            let key = IdempotencyKey(instance: 1, element: generator.next() >> 1, epoch: UInt32(generator.pick(3)))
            #expect(seen.insert(key.uuid).inserted, "seed \(seed): \(key)")
        }
    }
}

struct IdempotencyRecordTests {
    private let policy = IdempotencyRecord.Policy()
    private let request = IdempotencyRecord.Request(scope: "t/op", key: "k", fingerprint: "f", owner: "me")
    private let answer = IdempotencyRecord.StoredAnswer(
        status: 201, headers: [.init(name: "Location", value: "/1")], body: [1, 2])

    private func decide(
        _ request: IdempotencyRecord.Request, _ existing: IdempotencyRecord?, at now: Int64
    ) -> IdempotencyRecord.Decision {
        IdempotencyRecord.decide(request, existing: existing, policy: self.policy, atMilliseconds: now)
    }

    private func first(at now: Int64 = 1_000) throws -> IdempotencyRecord {
        guard case .execute(let record) = self.decide(self.request, nil, at: now) else {
            throw Unexpected()
        }
        return record
    }

    private struct Unexpected: Error {}

    @Test func theFirstRequestIsCarriedOutUnderALease() throws {
        let record = try self.first()
        #expect(record.state == .inFlight(owner: "me", leaseUntilMilliseconds: 61_000))
        #expect(record.expiresMilliseconds == 1_000 + 86_400_000)
    }

    @Test func aRepeatedRequestGetsTheStoredAnswer() throws {
        var record = try self.first()
        let isKept = record.complete(self.answer, owner: "me")
        #expect(isKept)
        #expect(self.decide(self.request, record, at: 2_000) == .replay(self.answer))
        let isKeptTwice = record.complete(self.answer, owner: "me")
        #expect(!isKeptTwice, "only once")
        #expect(!record.mayBeReleased(by: "me"))
        let isRenewed = record.renew(owner: "me", policy: self.policy, atMilliseconds: 2_000)
        #expect(!isRenewed)
    }

    @Test func aConcurrentRequestIsToldToWait() throws {
        let record = try self.first()
        #expect(self.decide(self.request, record, at: 41_000) == .refuse(.inProgress(retryAfter: .seconds(20))))
    }

    @Test func aDifferentRequestUnderTheSameKeyIsRefused() throws {
        var other = self.request
        other.fingerprint = "g"
        #expect(self.decide(other, try self.first(), at: 2_000) == .refuse(.fingerprintDiffers))
    }

    @Test func anExpiredLeaseGoesToRecoveryNotToASecondTry() throws {
        var other = self.request
        other.owner = "you"
        var old = try self.first()
        guard case .recover(var taken) = self.decide(other, old, at: 61_000) else {
            Issue.record("expected recovery")
            return
        }
        #expect(taken.state == .inFlight(owner: "you", leaseUntilMilliseconds: 121_000))
        let isZombieHeard = taken.complete(self.answer, owner: "me")
        #expect(!isZombieHeard, "the zombie's answer does not count")
        #expect(!taken.mayBeReleased(by: "me") && taken.mayBeReleased(by: "you"))
        let isRenewed = taken.renew(owner: "you", policy: self.policy, atMilliseconds: 70_000)
        #expect(isRenewed)
        #expect(taken.state == .inFlight(owner: "you", leaseUntilMilliseconds: 130_000))
        // A record that expired while in flight is still no licence to execute again.
        let isRenewedLate = old.renew(owner: "me", policy: self.policy, atMilliseconds: 86_400_000)
        #expect(isRenewedLate)
        #expect(self.decide(self.request, old, at: 86_402_000) == .refuse(.inProgress(retryAfter: .seconds(58))))
    }

    @Test func anExpiredAnswerIsForgotten() throws {
        var record = try self.first()
        _ = record.complete(self.answer, owner: "me")
        guard case .execute(let fresh) = self.decide(self.request, record, at: 1_000 + 86_400_000) else {
            Issue.record("expected execution")
            return
        }
        #expect(fresh.createdMilliseconds == 86_401_000)
    }

    @Test func keysAreCheckedFirst() {
        var request = self.request
        request.key = nil
        #expect(self.decide(request, nil, at: 0) == .executeUnkeyed)
        var strict = self.policy
        strict.isKeyRequired = true
        #expect(
            IdempotencyRecord.decide(request, existing: nil, policy: strict, atMilliseconds: 0)
                == .refuse(.keyMissing))
        for key in ["", String(repeating: "x", count: 256)] {
            request.key = key
            #expect(self.decide(request, nil, at: 0) == .refuse(.keyInvalid))
        }
        request.key = String(repeating: "x", count: 255)
        guard case .execute = self.decide(request, nil, at: 0) else {
            Issue.record("expected execution")
            return
        }
    }

    @Test(arguments: [
        (IdempotencyRecord.Refusal.keyMissing, 400), (.keyInvalid, 400), (.fingerprintDiffers, 422),
        (.inProgress(retryAfter: .zero), 409),
    ])
    func refusalsHaveTheirStatus(_ row: (refusal: IdempotencyRecord.Refusal, status: Int)) {
        #expect(row.refusal.status == row.status)
    }
}

/// The decisions over random schedules of several clients and owners, against a list of what happened to each key.
struct IdempotencyPropertyTests {
    private typealias Record = IdempotencyRecord

    /// What happened under one key since it was last free.
    private struct History {
        var fingerprint: String
        var expires: Int64
        var lease: Int64
        var holder: String
        var answer: Int?
    }

    static let seeds: [UInt64] = (0..<20).map { 0x1DEA_0000 + $0 }

    /// 20 seeds of 500 schedules each.
    @Test(arguments: seeds)
    func randomSchedulesAgreeWithTheModel(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for schedule in 0..<500 {
            guard let problem = self.run(&generator) else { continue }
            Issue.record("seed \(seed), schedule \(schedule): \(problem)")
            return
        }
    }

    private func run(_ generator: inout SeededGenerator) -> String? {
        var policy = Record.Policy()
        policy.lease = .milliseconds(1 + generator.pick(200))
        policy.retention = .milliseconds(1 + generator.pick(1_000))
        let (lease, retention) = (Self.milliseconds(policy.lease), Self.milliseconds(policy.retention))
        var store: [String: Record] = [:]
        var model: [String: History] = [:]
        var now: Int64 = 0
        for step in 0..<60 {
            now += Int64(generator.pick(100))
            let key = "k\(generator.pick(2))"
            let owner = "o\(generator.pick(3))"
            let history = model[key]
            switch generator.pick(6) {
            case 0, 1, 2:
                let request = Record.Request(
                    scope: "s", key: key, fingerprint: "f\(generator.pick(3) / 2)", owner: owner)
                let decision = Record.decide(request, existing: store[key], policy: policy, atMilliseconds: now)
                let isFree = history.map { $0.answer != nil && $0.expires <= now } ?? true
                switch decision {
                case .execute(let record) where isFree:
                    store[key] = record
                    model[key] = History(
                        fingerprint: request.fingerprint, expires: now + retention, lease: now + lease, holder: owner)
                case .refuse(.fingerprintDiffers) where !isFree && history?.fingerprint != request.fingerprint: break
                case .replay(let answer) where !isFree && history?.answer == answer.status: break
                case .refuse(.inProgress(let wait)) where !isFree && history?.answer == nil:
                    guard let history, history.lease > now, wait == .milliseconds(history.lease - now) else {
                        return "step \(step): refused although the lease is over"
                    }
                case .recover(let record) where !isFree && history?.answer == nil:
                    guard let history, history.lease <= now else { return "step \(step): taken from its holder" }
                    store[key] = record
                    model[key]?.holder = owner
                    model[key]?.lease = now + lease
                default: return "step \(step): \(decision) after \(String(describing: history))"
                }
            case 3:
                let isKept = store[key]?.complete(.init(status: step), owner: owner) ?? false
                guard isKept == (history?.holder == owner && history?.answer == nil && history != nil) else {
                    return "step \(step): an answer of somebody else counts"
                }
                if isKept { model[key]?.answer = step }
            case 4:
                let isRenewed = store[key]?.renew(owner: owner, policy: policy, atMilliseconds: now) ?? false
                guard isRenewed == (history?.holder == owner && history?.answer == nil && history != nil) else {
                    return "step \(step): renewed by somebody else"
                }
                if isRenewed { model[key]?.lease = now + lease }
            default:
                let mayRelease = store[key]?.mayBeReleased(by: owner) ?? false
                guard mayRelease == (history?.holder == owner && history?.answer == nil && history != nil) else {
                    return "step \(step): released by somebody else"
                }
                if mayRelease {
                    store[key] = nil
                    model[key] = nil
                }
            }
        }
        return nil
    }

    private static func milliseconds(_ duration: Duration) -> Int64 {
        duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    }
}
