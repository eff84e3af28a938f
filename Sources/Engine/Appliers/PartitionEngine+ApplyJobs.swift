import Decisions
import ProcessModel
import Values

/// The appliers of job events.
extension PartitionEngine {
    func applyJobEvent(_ event: Event, to instance: ProcessInstance) {
        switch event {
        case .jobCreated(let ordinal, let key, let retries, let priority, let type):
            guard let position = instance.position(of: ordinal) else { return }
            noteKey(key)
            let job = JobState(key: key, retries: retries, priority: priority, phase: .activatable)
            instance.elements[position].job = job
            instance.elements[position].state = .active
            if let type { detail(ordinal, of: instance)?.jobType = type }
            let number = state.jobs.number(of: type ?? literalJobType(instance.elements[position].node, of: instance))
            state.owners[key] = KeyOwner(
                instance: instance.key, ordinal: ordinal, jobType: number, isQueued: true)
            state.openJobs += 1
            counters.jobsCreated += 1
            offer(job, type: number)
        case .jobActivated(let ordinal, let worker, let until):
            updateJob(ordinal, of: instance) { job, detail in
                job.phase = .activated
                job.until = until
                detail.worker = worker
                self.state.deadlines.insert(Deadline(at: until, key: job.key, kind: .jobLock))
            }
        case .jobCompleted(let ordinal), .jobErrorThrown(let ordinal, _, _):
            guard let position = instance.position(of: ordinal), let job = instance.elements[position].job else {
                return
            }
            if case .jobCompleted = event { counters.jobsCompleted += 1 }
            removeJob(job)
            instance.elements[position].job = nil
            if let detail = instance.elements[position].detail {
                detail.worker = nil
                detail.jobError = nil
                detail.jobType = nil
                if detail.isEmpty { instance.elements[position].detail = nil }
            }
        case .jobFailed(let ordinal, let retries, let until, let message):
            updateJob(ordinal, of: instance) { job, detail in
                job.retries = retries
                job.until = until
                detail.worker = nil
                detail.jobError = message
                if retries == 0 {
                    job.phase = .incident
                } else if until > self.state.now {
                    job.phase = .backingOff
                    self.state.deadlines.insert(Deadline(at: until, key: job.key, kind: .jobBackoff))
                } else {
                    self.reoffer(&job)
                }
            }
        case .jobBackoffEnded(let ordinal):
            updateJob(ordinal, of: instance) { job, _ in self.reoffer(&job) }
        case .jobLockExpired(let ordinal):
            updateJob(ordinal, of: instance) { job, detail in
                job.lockExpiries += 1
                detail.worker = nil
                self.reoffer(&job)
            }
        case .jobRetriesUpdated(let ordinal, let retries):
            updateJob(ordinal, of: instance) { job, _ in
                job.retries = retries
                if job.phase == .incident, retries > 0, self.incident(ordinal, of: instance) == nil {
                    job.lockExpiries = 0
                    self.reoffer(&job)
                }
            }
        case .jobDeadlineUpdated(let ordinal, let until):
            updateJob(ordinal, of: instance) { job, _ in
                job.until = until
                self.state.deadlines.insert(Deadline(at: until, key: job.key, kind: .jobLock))
            }
        default:
            break
        }
    }

    func incident(_ ordinal: UInt32, of instance: ProcessInstance) -> IncidentState? {
        instance.position(of: ordinal).flatMap { instance.elements[$0].detail?.incident }
    }

    /// The job type of a node whose type is a literal.
    func literalJobType(_ node: Int32, of instance: ProcessInstance) -> String {
        if case .literal(let type) = instance.process.nodes[Int(node)].job?.type { return type }
        return ""
    }

    func removeJob(_ job: JobState) {
        if state.owners.removeValue(forKey: job.key) != nil { state.openJobs -= 1 }
    }

    private func updateJob(
        _ ordinal: UInt32, of instance: ProcessInstance, _ change: (inout JobState, ElementDetail) -> Void
    ) {
        guard let position = instance.position(of: ordinal), var job = instance.elements[position].job,
            let detail = detail(ordinal, of: instance)
        else { return }
        change(&job, detail)
        instance.elements[position].job = job
        if detail.isEmpty { instance.elements[position].detail = nil }
    }

    private func reoffer(_ job: inout JobState) {
        job.phase = .activatable
        job.until = 0
        // A job that was never popped, as after replay or when a worker answers too late, keeps its place.
        guard let index = state.owners.index(forKey: job.key), !state.owners.values[index].isQueued else { return }
        state.owners.values[index].isQueued = true
        offer(job, type: state.owners.values[index].jobType)
    }

    /// Puts a job into the queue of its type; its owner must say so.
    func offer(_ job: JobState, type: Int32) {
        state.jobs.push(job.key, type: type, priority: job.priority)
        offeredTypes.insert(type)
    }
}
