import ProcessModel
import Values

/// What becomes due with time.
extension PartitionEngine {
    /// How much one tick does at most; the rest follows with the next.
    static let duePerTickMax = 1_000

    /// When the next thing is due, in Unix milliseconds; nil when nothing waits for time.
    ///
    /// May be too early.
    public var nextDue: Int64? { state.deadlines.first?.at }

    func fireDue() {
        var done = 0
        defer {
            for deadline in undeployedStarts { state.deadlines.insert(deadline) }
            undeployedStarts.removeAll(keepingCapacity: true)
        }
        while done < Self.duePerTickMax, let first = state.deadlines.first, first.at <= state.now {
            _ = state.deadlines.popFirst()
            beginSteps()
            fire(first)
            runSegment()
            done += 1
        }
    }

    private func fire(_ deadline: Deadline) {
        switch deadline.kind {
        case .timer: fireTimer(deadline)
        case .startTimer: fireStartTimer(deadline)
        case .jobBackoff, .jobLock: endJobWait(deadline)
        case .message: expireMessage(deadline.key)
        case .uniqueKey:
            if let taken = state.uniqueKeys[deadline.key], taken.expiresAt <= state.now {
                emit(.uniqueKeyExpired(hash: deadline.key))
            }
        }
    }

    private func fireTimer(_ deadline: Deadline) {
        guard let owner = state.owners[deadline.key], let instance = instance(owner.instance),
            let timer = instance.timers.first(where: { $0.key == deadline.key }), timer.dueAt == deadline.at
        else { return }
        let node = instance.process.nodes[Int(timer.node)]
        if let next = nextDue(after: timer.dueAt, timer.repetitions, timer.interval),
            staysOpen(node, in: instance.process)
        {
            emit(
                .timerRescheduled(key: timer.key, dueAt: next.dueAt, repetitions: next.repetitions), on: instance)
        } else {
            emit(.timerFired(key: timer.key), on: instance)
        }
        trigger(node, timer.ordinal, of: instance, variables: .empty)
    }

    private func fireStartTimer(_ deadline: Deadline) {
        guard let timer = state.startTimers[deadline.key], timer.dueAt == deadline.at else { return }
        guard definitions.definition(key: Key(rawValue: timer.definition)) != nil else {
            // Due before its deployment is durable: stays due.
            undeployedStarts.append(deadline)
            return
        }
        if let next = nextDue(after: timer.dueAt, timer.repetitions, timer.interval) {
            emit(
                .startTimerScheduled(
                    key: timer.key, definition: timer.definition, node: timer.node, dueAt: next.dueAt,
                    repetitions: next.repetitions, interval: timer.interval))
        } else {
            emit(.startTimerEnded(key: timer.key))
        }
        startInstance(
            InstanceCreated(
                key: newKey(), definitionKey: timer.definition, parent: 0, parentOrdinal: 0, parentElementKey: 0,
                depth: 0, businessID: nil),
            start: Int(timer.node), variables: .empty)
    }

    /// The next time of a repeating timer.
    ///
    /// Repetitions missed while nobody ran are made up one by one, except that an endless one skips to the present.
    private func nextDue(
        after due: Int64, _ repetitions: Int32, _ interval: String?
    ) -> (dueAt: Int64, repetitions: Int32)? {
        guard repetitions != 0, let interval = interval.flatMap({ ISO8601Duration($0) }), !interval.isZero,
            var next = interval.added(toEpochMilliseconds: due)
        else { return nil }
        if repetitions < 0, next <= state.now, let length = interval.milliseconds, length > 0 {
            next += (state.now - next + length) / length * length
        }
        return (next, repetitions < 0 ? -1 : repetitions - 1)
    }

    private func endJobWait(_ deadline: Deadline) {
        guard let owner = state.owners[deadline.key], let instance = instance(owner.instance),
            let position = instance.position(of: owner.ordinal), let job = instance.elements[position].job,
            job.key == deadline.key, job.until == deadline.at
        else { return }
        switch (deadline.kind, job.phase) {
        case (.jobBackoff, .backingOff):
            emit(.jobBackoffEnded(ordinal: owner.ordinal), on: instance)
        case (.jobLock, .activated):
            if job.lockExpiries + 1 >= Self.lockExpiriesMax {
                let message = "The lock of the job ran out \(Self.lockExpiriesMax) times without an answer"
                emit(
                    .jobFailed(ordinal: owner.ordinal, retries: 0, until: state.now, message: message), on: instance)
                raiseIncident(
                    owner.ordinal, of: instance, kind: .job, type: "JOB_NO_RETRIES",
                    message: """
                        \(message). Its worker may crash on it or need a longer timeout: correct that, then resolve \
                        the incident.
                        """)
            } else {
                emit(.jobLockExpired(ordinal: owner.ordinal), on: instance)
            }
        default:
            break
        }
    }
}
