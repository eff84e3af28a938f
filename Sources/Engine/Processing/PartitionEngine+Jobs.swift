import Decisions
import ProcessModel
import Values

/// Commands about jobs, and handing them out.
extension PartitionEngine {
    /// A lock may run out this often before the job becomes an incident.
    static let lockExpiriesMax: UInt8 = 5

    private struct OpenJob {
        var instance: ProcessInstance
        var ordinal: UInt32
        var element: ElementInstance
        var job: JobState
        var node: FlowNode
    }

    private func openJob(_ key: UInt64) -> OpenJob? {
        guard let owner = state.owners[key], owner.jobType >= 0, let instance = instance(owner.instance),
            let position = instance.position(of: owner.ordinal), let job = instance.elements[position].job,
            job.key == key
        else { return nil }
        let element = instance.elements[position]
        return OpenJob(
            instance: instance, ordinal: owner.ordinal, element: element, job: job,
            node: instance.process.nodes[Int(element.node)])
    }

    private func waitsInIncident(_ key: UInt64) -> Reply {
        .rejected(
            CommandRejection(
                .invalidState, "Job \(key) has no attempts left and waits in an incident",
                remedy: "Resolve the incident first (`junction incident resolve`)."))
    }

    func completeJob(_ key: UInt64, _ variables: VariableDocument) -> Reply {
        guard let open = openJob(key) else { return .rejected(notFound("job", key)) }
        guard open.job.phase != .incident else { return waitsInIncident(key) }
        emit(.jobCompleted(ordinal: open.ordinal), on: open.instance)
        if let definition = open.node.job, !definition.errors.isEmpty || definition.resultVariable != nil {
            let result: Value = .context(
                ValueContext(variables.members.map { ($0.name, $0.value.value) }))
            for rule in definition.errors {
                scopeView.point(
                    at: open.ordinal, of: open.instance, now: state.now, extras: [("result", result)])
                if rule.condition.evaluateCondition(scopeView) == true {
                    throwError(rule.code, message: nil, variables: .empty, from: open.ordinal, of: open.instance)
                    return .done
                }
            }
            if let name = definition.resultVariable {
                let value = VariableValue(json: variables.json)
                accept(VariableDocument(members: [(name, value)]), open.node, open.ordinal, of: open.instance)
            } else {
                accept(variables, open.node, open.ordinal, of: open.instance)
            }
        } else {
            accept(variables, open.node, open.ordinal, of: open.instance)
        }
        leave(open.ordinal, of: open.instance)
        return .done
    }

    func failJob(
        _ key: UInt64, _ retries: Int32, _ backoff: Int64, _ message: String, _ variables: VariableDocument
    ) -> Reply {
        guard let open = openJob(key) else { return .rejected(notFound("job", key)) }
        guard open.job.phase != .incident else { return waitsInIncident(key) }
        for member in variables.members {
            emit(.variableSet(scope: open.ordinal, name: member.name, value: member.value), on: open.instance)
        }
        emit(
            .jobFailed(
                ordinal: open.ordinal, retries: Swift.max(0, retries), until: time(after: backoff),
                message: message), on: open.instance)
        if retries <= 0 {
            raiseIncident(
                open.ordinal, of: open.instance, kind: .job, type: "JOB_NO_RETRIES",
                message: "\(message). No attempts are left: remove the cause, then resolve the incident.")
        }
        return .done
    }

    func postponeJob(_ key: UInt64, _ milliseconds: Int64, _ message: String) -> Reply {
        guard let open = openJob(key) else { return .rejected(notFound("job", key)) }
        guard open.job.phase != .incident else { return waitsInIncident(key) }
        emit(
            .jobFailed(
                ordinal: open.ordinal, retries: open.job.retries, until: time(after: Swift.max(1, milliseconds)),
                message: message), on: open.instance)
        return .done
    }

    func throwJobError(_ key: UInt64, _ code: String, _ message: String?, _ variables: VariableDocument) -> Reply {
        guard let open = openJob(key) else { return .rejected(notFound("job", key)) }
        guard open.job.phase != .incident else { return waitsInIncident(key) }
        emit(.jobErrorThrown(ordinal: open.ordinal, code: code, message: message), on: open.instance)
        throwError(code, message: message, variables: variables, from: open.ordinal, of: open.instance)
        return .done
    }

    func updateJob(_ key: UInt64, _ retries: Int32?, _ timeout: Int64?) -> Reply {
        guard let open = openJob(key) else { return .rejected(notFound("job", key)) }
        if let retries, retries <= 0 {
            return .rejected(
                CommandRejection(
                    .invalidArgument, "Expected retries of at least 1, but got \(retries)",
                    remedy: "To stop a job, cancel its process instance."))
        }
        if timeout != nil, open.job.phase != .activated {
            return .rejected(
                CommandRejection(
                    .invalidState, "Job \(key) is not activated, so it has no deadline",
                    remedy: "Change the deadline only while a worker has the job."))
        }
        if let retries { emit(.jobRetriesUpdated(ordinal: open.ordinal, retries: retries), on: open.instance) }
        if let timeout {
            emit(.jobDeadlineUpdated(ordinal: open.ordinal, until: time(after: timeout)), on: open.instance)
        }
        return .done
    }

    // MARK: Handing out

    /// Locks jobs for an external worker, durably.
    func activateJobs(_ activation: JobActivation) -> Reply {
        guard let type = state.jobs.existingNumber(of: activation.type) else { return .jobs([]) }
        let until = time(after: activation.timeoutMilliseconds)
        var jobs: [ActivatedJob] = []
        while jobs.count < activation.maximum, let open = nextActivatable(type) {
            emit(
                .jobActivated(ordinal: open.ordinal, worker: activation.worker, until: until), on: open.instance)
            jobs.append(activated(open, activation.worker, until, activation.fetchVariables))
        }
        return .jobs(jobs)
    }

    /// Takes jobs for an in-process worker.
    ///
    /// Nothing is recorded: the lock dies with the process, as the worker does, and recovery offers the jobs again
    /// (ADR-0005).
    public func takeJobs(type: String, maximum: Int) -> [ActivatedJob] {
        guard let type = state.jobs.existingNumber(of: type) else { return [] }
        var jobs: [ActivatedJob] = []
        while jobs.count < maximum, let open = nextActivatable(type) { jobs.append(activated(open, "", 0, nil)) }
        return jobs
    }

    /// The types with new jobs since the last call.
    public func takeOfferedTypes() -> [String] {
        guard !offeredTypes.isEmpty else { return [] }
        defer { offeredTypes.removeAll(keepingCapacity: true) }
        return offeredTypes.map { state.jobs.names[Int($0)] }
    }

    /// Whether jobs of a type may be waiting.
    public func hasJobs(type: String) -> Bool {
        state.jobs.existingNumber(of: type).map { state.jobs.counts[Int($0)] > 0 } ?? false
    }

    private func nextActivatable(_ type: Int32) -> OpenJob? {
        while let key = state.jobs.pop(type: type) {
            guard let index = state.owners.index(forKey: key) else { continue }
            state.owners.values[index].isQueued = false
            if let open = openJob(key), open.job.phase == .activatable { return open }
        }
        return nil
    }

    private func activated(
        _ open: OpenJob, _ worker: String, _ until: Int64, _ names: [String]?
    ) -> ActivatedJob {
        let variables: [UInt8]
        if let input = open.node.job?.callInput {
            var value: Value = .context(ValueContext())
            for mapping in input {
                value = value.replacing(
                    member: mapping.target[...], with: evaluate(mapping.source, open.ordinal, of: open.instance))
            }
            variables = VariableValue(value).json
        } else {
            variables = resolved(visibleVariables(from: open.ordinal, of: open.instance, only: names)).json
        }
        let type: String
        if case .literal(let literal) = open.node.job?.type {
            type = literal
        } else {
            type = open.element.detail?.jobType ?? ""
        }
        return ActivatedJob(
            key: Key(rawValue: open.job.key), type: type, instanceKey: Key(rawValue: open.instance.key),
            elementInstanceKey: Key(rawValue: open.element.key), definition: open.instance.definition,
            element: open.node, retries: Int(open.job.retries), worker: worker, deadline: until,
            variables: variables, priority: Int(open.job.priority))
    }
}
