import Engine
import Synchronization
import Values

/// A worker inside this process, with how many more jobs it may be given.
final class JobWorkerRegistration: Sendable {
    let type: String
    let handler: @Sendable ([ActivatedJob]) -> Void
    private let credits: Atomic<Int>

    init(type: String, capacity: Int, handler: @escaping @Sendable ([ActivatedJob]) -> Void) {
        self.type = type
        self.handler = handler
        self.credits = Atomic(capacity)
    }

    /// Whether it may be given another job.
    var hasCapacity: Bool { credits.load(ordering: .relaxed) > 0 }

    /// Takes up to `wanted` credits; returns how many.
    func reserve(_ wanted: Int) -> Int {
        var current = credits.load(ordering: .relaxed)
        while current > 0 {
            let taken = Swift.min(current, wanted)
            let (exchanged, original) = credits.weakCompareExchange(
                expected: current, desired: current - taken, ordering: .acquiringAndReleasing)
            if exchanged { return taken }
            current = original
        }
        return 0
    }

    func release(_ count: Int) {
        if count > 0 { credits.wrappingAdd(count, ordering: .acquiringAndReleasing) }
    }
}

/// Brings jobs to workers: pushes to those inside this process as far as their capacity goes, and tells waiting polls
/// of external ones where jobs are.
final class JobDispatcher: Sendable {
    private struct Content {
        var workers: [String: JobWorkerRegistration] = [:]
        /// Partitions that had jobs of a type left when its worker had no capacity.
        var backlog: [String: Set<Int>] = [:]
        /// Partitions that may have jobs of a type for external workers, each with the number of its newest announcement.
        var available: [String: [Int: UInt64]] = [:]
        var announcements: UInt64 = 0
        var waiters: [String: [UInt64: CheckedContinuation<Void, Never>]] = [:]
        var nextWaiter: UInt64 = 0
        /// Whether nothing will be announced any more.
        var isClosed = false
    }

    private let content = Mutex(Content())

    func register(type: String, capacity: Int, _ handler: @escaping @Sendable ([ActivatedJob]) -> Void) {
        content.withLock { content in
            content.workers[type] = JobWorkerRegistration(type: type, capacity: capacity, handler: handler)
        }
    }

    func worker(_ type: String) -> JobWorkerRegistration? {
        content.withLock { $0.workers[type] }
    }

    /// Notes the jobs a partition has after recovery, for external workers and for those inside this process.
    func announce(_ types: [String], recoveredIn partition: Int) {
        content.withLock { content in
            for type in types {
                content.announcements += 1
                content.available[type, default: [:]][partition] = content.announcements
                content.backlog[type, default: []].insert(partition)
            }
        }
    }

    // MARK: In-process workers (on the partition's thread)

    /// Takes the jobs of a partition that workers inside this process have capacity for, grouped by type.
    func takeJobs(from unit: PartitionUnit) -> [[ActivatedJob]] {
        let offered = unit.engine.takeOfferedTypes()
        let types = content.withLock { content -> [(String, JobWorkerRegistration?)] in
            var types: [(String, JobWorkerRegistration?)] = []
            for type in offered {
                if let worker = content.workers[type] {
                    types.append((type, worker))
                } else {
                    types.append((type, nil))
                }
            }
            if !content.backlog.isEmpty {
                for (type, partitions) in content.backlog
                where partitions.contains(unit.number) && !offered.contains(type) {
                    if let worker = content.workers[type] { types.append((type, worker)) }
                }
            }
            return types
        }
        var groups: [[ActivatedJob]] = []
        for (type, worker) in types {
            guard let worker else {
                unit.offeredToPolls.append(type)
                continue
            }
            let jobs = take(type, worker, from: unit)
            if !jobs.isEmpty { groups.append(jobs) }
        }
        return groups
    }

    private func take(_ type: String, _ worker: JobWorkerRegistration, from unit: PartitionUnit) -> [ActivatedJob] {
        var jobs: [ActivatedJob] = []
        var isExhausted: Bool
        repeat {
            isExhausted = false
            while unit.engine.hasJobs(type: type) {
                let credits = worker.reserve(1_000)
                guard credits > 0 else {
                    isExhausted = true
                    break
                }
                let taken = unit.engine.takeJobs(type: type, maximum: credits)
                worker.release(credits - taken.count)
                jobs.append(contentsOf: taken)
                if taken.count < credits { break }
            }
            content.withLock { content in
                if isExhausted {
                    content.backlog[type, default: []].insert(unit.number)
                } else if content.backlog[type]?.remove(unit.number) != nil, content.backlog[type]?.isEmpty == true {
                    content.backlog[type] = nil
                }
            }
            // An answer between the last look and the note found no backlog to wake: look again.
        } while isExhausted && worker.hasCapacity
        guard !jobs.isEmpty else { return [] }
        unit.outstanding.withLock { outstanding in
            for job in jobs { outstanding[job.key.rawValue] = worker }
        }
        return jobs
    }

    /// Types with new jobs for external workers since the last call, to announce once they are durable.
    func pendingOffers(of unit: PartitionUnit) -> [String] {
        guard !unit.offeredToPolls.isEmpty else { return [] }
        defer { unit.offeredToPolls.removeAll(keepingCapacity: true) }
        return unit.offeredToPolls
    }

    /// A worker answered: gives back its capacity; returns a partition that has a backlog for it.
    func finished(_ worker: JobWorkerRegistration) -> Int? {
        worker.release(1)
        return content.withLock { content in
            content.backlog.isEmpty ? nil : content.backlog[worker.type]?.first
        }
    }

    /// A partition with a backlog for a worker that has capacity left; the one asked last is not it.
    ///
    /// Whoever has taken jobs asks the next one, so that a backlog goes on even when an answered job was the last one out.
    func nextBacklog(after partition: Int) -> Int? {
        content.withLock { content in
            for (type, partitions) in content.backlog where content.workers[type]?.hasCapacity == true {
                if let next = partitions.first(where: { $0 != partition }) { return next }
            }
            return nil
        }
    }

    /// Notes that a partition has jobs a new worker may take.
    func addBacklog(_ type: String, partition: Int) {
        content.withLock { _ = $0.backlog[type, default: []].insert(partition) }
    }

    // MARK: External workers

    /// Partitions that may have jobs of a type.
    func partitionsWithJobs(_ type: String) -> [(partition: Int, announcement: UInt64)] {
        content.withLock { content in (content.available[type] ?? [:]).map { ($0.key, $0.value) } }
    }

    /// A partition had fewer jobs than asked for; `announcement` is what was known when it was asked, so that jobs
    /// announced meanwhile are not forgotten.
    func exhausted(_ type: String, partition: Int, announcement: UInt64) {
        content.withLock { content in
            if content.available[type]?[partition] == announcement { content.available[type]?[partition] = nil }
        }
    }

    /// Durable jobs of these types are available in a partition.
    ///
    /// - Returns: Whether a worker inside this process wants some of them: it registered after they were offered, so the
    ///   partition must be asked again.
    func announce(_ types: [String], partition: Int) -> Bool {
        var isWanted = false
        let waiters = content.withLock { content -> [CheckedContinuation<Void, Never>] in
            var waiters: [CheckedContinuation<Void, Never>] = []
            for type in types {
                if content.workers[type] != nil {
                    content.backlog[type, default: []].insert(partition)
                    isWanted = true
                }
                content.announcements += 1
                content.available[type, default: [:]][partition] = content.announcements
                if let waiting = content.waiters.removeValue(forKey: type) {
                    waiters.append(contentsOf: waiting.values)
                }
            }
            return waiters
        }
        for waiter in waiters { waiter.resume() }
        return isWanted
    }

    /// Polls that wait for jobs.
    var waitingPolls: Int { content.withLock { $0.waiters.values.reduce(0) { $0 + $1.count } } }

    /// Lets every waiting poll go on: nothing will be announced any more.
    func wakeAll() {
        let waiters = content.withLock { content in
            defer { content.waiters = [:] }
            content.isClosed = true
            return content.waiters.values.flatMap(\.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns when jobs of a type are announced, or the task is cancelled.
    func waitForJobs(_ type: String) async {
        let id = content.withLock { content -> UInt64 in
            content.nextWaiter += 1
            return content.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isReady = content.withLock { content -> Bool in
                    if Task.isCancelled || content.isClosed || content.available[type]?.isEmpty == false {
                        return true
                    }
                    content.waiters[type, default: [:]][id] = continuation
                    return false
                }
                if isReady { continuation.resume() }
            }
        } onCancel: {
            content.withLock { $0.waiters[type]?.removeValue(forKey: id) }?.resume()
        }
    }
}
