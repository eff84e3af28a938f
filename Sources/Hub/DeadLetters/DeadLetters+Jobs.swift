import ConnectorKit
import Engine
import HubDocuments
import Logging
import ProcessModel
import Runtime
import Storage
import Synchronization
import Values

extension DeadLetters {
    /// Keeps the call of a job that failed for good; returns once that is durable.
    ///
    /// An open letter of the same job is replaced: it died again.
    func keep(
        _ job: ActivatedJob, connector: String, input: [UInt8], failure: DeadLetterReport.Failure, attempts: Int
    ) async throws(HubError) {
        let previous = self.hasRecords ? try await self.open(ofJob: job.key) : []
        let parent = previous.last
        var report = DeadLetterReport()
        if let parent {
            report = DeadLetterReport(json: parent.report).succeeding(Key(rawValue: parent.key))
        }
        report.died(failure, attempts: attempts)
        let redrive = self.jobs[job.key]
        report.idempotencyKey = job.idempotencyKey + (redrive?.suffix ?? "")
        report.revision = job.definition.version
        var letter = NewDeadLetter(
            origin: connector, coordinates: Self.coordinates(job),
            dedupeKey: "job:\(job.key):\(parent.map { "\($0.key)" } ?? "first")", stage: failure.stage,
            errorCode: failure.code, errorMessage: failure.message, contentType: "application/json",
            payload: input, redriveCount: parent?.redriveCount ?? 0)
        letter.kind = .job
        letter.connection = job.header("connection")
        letter.jobKey = job.key
        letter.parent = parent.map { Key(rawValue: $0.key) }
        letter.report = report.json
        let key: Key
        do {
            key = try await self.record(letter)
        } catch {
            throw HubError(.replayFailed, error.message, remedy: error.remedy)
        }
        for old in previous where old.key != key.rawValue {
            try? await self.end(Key(rawValue: old.key), as: .resolved, actor: "hub")
        }
        self.jobs.remove(job.key)
        self.logger.info(
            "call dead-lettered",
            metadata: [
                "error.code": "\(failure.code)", "stage": "\(failure.stage)", "job.id": "\(job.key)",
                "dead.letter.id": "\(key)", "payload.bytes": "\(input.count)",
            ])
    }

    /// How the call of a job differs because its letter is replayed; nil when it does not.
    ///
    /// What replays of an earlier run of the hub say is read once, before the first call.
    func redrive(of job: Key) async throws(HubError) -> JobRedrives.Redrive? {
        if self.hasRecords, !self.jobs.isLoaded { try await self.loadRedrives() }
        return self.jobs[job]
    }

    private func loadRedrives() async throws(HubError) {
        let letters = try await self.read { (records) throws(StoreError) in
            var filter = DeadLetterFilter()
            filter.kind = [.equal(NewDeadLetter.Kind.job.rawValue)]
            filter.state = [.equal(4)]
            var found: [DeadLetterRecord] = []
            var page: ResultPage<DeadLetterRecord>
            var position = PageRequest.Position.from(0)
            repeat {
                page = try records.deadLetters(Query(filter: filter, page: PageRequest(position, limit: 1_000)))
                found += page.items
                if let cursor = page.endCursor { position = .after(cursor) }
            } while page.items.count == 1_000
            return found
        }
        self.jobs.load(
            letters.compactMap { letter in
                guard let job = letter.jobKey else { return nil }
                let letter = self.seal.opened(letter)
                return (Key(rawValue: job), JobRedrives.Redrive(letter, DeadLetterReport(json: letter.report)))
            })
    }

    private func open(ofJob job: Key) async throws(HubError) -> [DeadLetterRecord] {
        try await self.read { (records) throws(StoreError) in
            var filter = DeadLetterFilter()
            filter.jobKey = [.equal(job.rawValue)]
            filter.state = [.oneOf([0, 3, 4])]
            return try records.deadLetters(Query(filter: filter, page: PageRequest(limit: 100))).items
        }
    }

    private static func coordinates(_ job: ActivatedJob) -> [UInt8] {
        let coordinates = ValueContext([
            ("type", "job"), ("processDefinitionId", .string(job.definition.process.id)),
            ("processInstanceKey", .string(job.instanceKey.description)),
            ("elementId", .string(job.element.id)),
            ("elementInstanceKey", .string(job.elementInstanceKey.description)),
            ("jobKey", .string(job.key.description)),
            ("operation", job.header("operation").map { .string($0) } ?? .null),
        ])
        var json: [UInt8] = []
        JSON.write(.context(coordinates), into: &json)
        return json
    }
}
