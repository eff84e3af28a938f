internal import CRDKafka
internal import ConnectorKit
internal import Synchronization
internal import Values

/// When to commit: in batches, one commit at a time.
struct CommitMachine {
    /// Commits sent and not answered.
    private(set) var sent: [RecordLedger.Commit]?
    /// When the next may be sent; `nil` when there is nothing to commit.
    private(set) var dueAt: Duration?

    /// There is something to commit.
    mutating func request(at now: Duration, interval: Duration) {
        if self.dueAt == nil { self.dueAt = now + interval }
    }

    /// Whether a commit is to be sent now.
    func isDue(at now: Duration) -> Bool {
        guard let dueAt, self.sent == nil else { return false }
        return dueAt <= now
    }

    mutating func began(_ commits: [RecordLedger.Commit]) {
        self.sent = commits.isEmpty ? nil : commits
        self.dueAt = nil
    }

    mutating func ended() -> [RecordLedger.Commit] {
        defer { self.sent = nil }
        return self.sent ?? []
    }
}

extension ConsumerWorker {
    /// How long a revocation or the end waits for a commit.
    private static let waitMaximum = Duration.seconds(3)

    /// Takes the answers to commits, and sends the next when it is time.
    func serveCommits() {
        while let event = rd_kafka_queue_poll(self.results, 0) { self.take(event) }
        let now = Monotonic.now
        if self.loop.shared.withLock({ shared in
            defer { shared.isCommitDue = false }
            return shared.isCommitDue
        }) {
            self.committing.request(at: now, interval: self.loop.settings.commitInterval)
        }
        if self.committing.isDue(at: now) { self.send(nil) }
    }

    /// Sends what may be committed, of all partitions or of some.
    private func send(_ generations: Set<Int64>?) {
        let commits = self.loop.shared.withLock { $0.ledger.commits(of: generations) }
        self.committing.began(commits)
        guard !commits.isEmpty else { return }
        let list = rd_kafka_topic_partition_list_new(Int32(commits.count))
        defer { rd_kafka_topic_partition_list_destroy(list) }
        for commit in commits {
            rd_kafka_topic_partition_list_add(list, commit.topic, commit.partition).pointee.offset = commit.offset
        }
        let number = rd_kafka_commit_queue(self.client, list, self.results, nil, nil)
        if number != RD_KAFKA_RESP_ERR_NO_ERROR { self.ended([:], KafkaErrors.Fault(number)) }
    }

    private func take(_ event: OpaquePointer) {
        defer { rd_kafka_event_destroy(event) }
        guard rd_kafka_event_type(event) == RD_KAFKA_EVENT_OFFSET_COMMIT else { return }
        var faults: [String: rd_kafka_resp_err_t] = [:]
        if let list = rd_kafka_event_topic_partition_list(event) {
            for index in 0..<Int(list.pointee.cnt) {
                let entry = list.pointee.elems[index]
                guard entry.err != RD_KAFKA_RESP_ERR_NO_ERROR, let topic = entry.topic else { continue }
                faults[Self.name(String(cString: topic), entry.partition)] = entry.err
            }
        }
        let number = rd_kafka_event_error(event)
        self.ended(faults, number == RD_KAFKA_RESP_ERR_NO_ERROR ? nil : KafkaErrors.Fault(number))
    }

    /// A commit was answered; what failed is tried again with the next.
    ///
    /// A partition whose assignment has ended is no longer in the ledger, so nothing of it is tried again.
    private func ended(_ faults: [String: rd_kafka_resp_err_t], _ fault: KafkaErrors.Fault?) {
        var hasFailed = false
        let commits = self.committing.ended()
        self.loop.shared.withLock { shared in
            for commit in commits {
                let isPartial = !faults.isEmpty
                if isPartial ? faults[Self.name(commit.topic, commit.partition)] == nil : fault == nil {
                    shared.ledger.committed(commit)
                } else {
                    hasFailed = true
                }
            }
        }
        if hasFailed {
            self.committing.request(
                at: Monotonic.now, interval: max(.milliseconds(500), self.loop.settings.commitInterval))
        }
    }

    /// Commits what is done and waits for the answer, but not for ever.
    func commitAndWait(_ generations: Set<Int64>?) {
        let deadline = Monotonic.now + Self.waitMaximum
        self.await(deadline)
        guard self.committing.sent == nil else { return }
        self.send(generations)
        self.await(deadline)
    }

    private func await(_ deadline: Duration) {
        while self.committing.sent != nil, Monotonic.now < deadline {
            if let event = rd_kafka_queue_poll(self.results, 20) { self.take(event) }
        }
    }
}
