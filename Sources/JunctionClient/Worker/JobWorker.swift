import Synchronization
public import Values

/// Takes jobs of one type from a server, handles them concurrently, and answers each one.
///
/// Jobs are activated in batches whenever a part of the capacity is free; results are sent in batches too. A handler
/// that throws fails its attempt, with one retry less. Connection problems are waited out with a growing, jittered
/// pause. Delivery is at least once: a job whose answer got lost comes again after its lock ends, with the same
/// `idempotencyKey`.
public final class JobWorker: Sendable {
    /// How a worker works.
    public struct Configuration: Sendable, Hashable {
        /// The job type.
        public var type: String
        /// The name for logs and records.
        public var name: String
        /// Jobs in hand at most.
        public var capacity: Int
        /// Jobs activated by one call at most.
        public var batch: Int
        /// How long a job stays locked; longer than its handler takes.
        public var lock: Duration
        /// How long one call waits for a job.
        public var wait: Duration
        /// The variables wanted; empty means all.
        public var fetchVariables: [String]
        /// The pause before the next attempt of a job whose handler threw.
        public var retryBackoff: Duration

        /// Creates a configuration.
        public init(
            type: String, name: String, capacity: Int = 100, batch: Int = 100, lock: Duration = .seconds(60),
            wait: Duration = .seconds(20), fetchVariables: [String] = [], retryBackoff: Duration = .seconds(1)
        ) {
            self.type = type
            self.name = name
            self.capacity = capacity
            self.batch = batch
            self.lock = lock
            self.wait = wait
            self.fetchVariables = fetchVariables
            self.retryBackoff = retryBackoff
        }
    }

    /// How a job is answered.
    public enum Outcome: Sendable {
        /// Done, with this result: a JSON object.
        case completed(variables: [UInt8]? = nil)
        /// This attempt failed.
        case failed(retries: Int, backoff: Duration, message: String)
        /// A BPMN error.
        case error(code: String, message: String?, variables: [UInt8]? = nil)
    }

    /// What a worker reports about itself.
    public enum Report: Sendable {
        /// Jobs could not be activated; the next attempt comes after the pause.
        case activationFailed(any Error, pause: Duration)
        /// An answer was not taken: the job ended meanwhile, or the server could not be reached.
        case answerFailed(Key, any Error)
    }

    private let client: JunctionClient
    private let configuration: Configuration
    private let handler: @Sendable (Job) async throws -> Outcome
    private let report: @Sendable (Report) -> Void
    private let slots: JobSlots
    private let answers = AnswerQueue<(key: Key, outcome: Outcome)>()
    private let isStopping = Atomic(false)
    private let polling = Mutex<Task<[Job], any Error>?>(nil)

    /// Creates a worker; nothing happens before `run`.
    public init(
        client: JunctionClient, configuration: Configuration,
        report: @escaping @Sendable (Report) -> Void = { _ in },
        handler: @escaping @Sendable (Job) async throws -> Outcome
    ) {
        self.client = client
        self.configuration = configuration
        self.handler = handler
        self.report = report
        self.slots = JobSlots(configuration.capacity)
    }

    /// Works until `stop` was called and every job in hand is answered, or until its task is cancelled.
    public func run() async {
        await withTaskCancellationHandler {
            // Two senders: while one batch becomes durable, the next one is on its way.
            await withTaskGroup(of: Void.self) { senders in
                for _ in 0..<2 { senders.addTask { await self.sendAnswers() } }
                await withDiscardingTaskGroup { handlers in
                    while !self.isStopping.load(ordering: .relaxed) {
                        for job in await self.activate() { handlers.addTask { await self.handle(job) } }
                    }
                }
                self.answers.finish()
            }
        } onCancel: {
            self.stop()
        }
    }

    /// Takes no more jobs; `run` returns when those in hand are answered.
    public func stop() {
        self.isStopping.store(true, ordering: .relaxed)
        self.slots.close()
        self.polling.withLock { $0 }?.cancel()
    }

    private func activate() async -> [Job] {
        let count = await self.slots.take(self.configuration.batch)
        guard count > 0 else { return [] }
        var pause = Duration.milliseconds(100)
        while !self.isStopping.load(ordering: .relaxed) {
            do {
                let jobs = try await self.poll(count)
                self.slots.give(count - jobs.count)
                return jobs
            } catch {
                if self.isStopping.load(ordering: .relaxed) { break }
                let jittered = pause * Double.random(in: 0.5...1)
                self.report(.activationFailed(error, pause: jittered))
                try? await Task.sleep(for: jittered)
                pause = min(pause * 2, .seconds(5))
            }
        }
        self.slots.give(count)
        return []
    }

    /// One call, in a task of its own so that `stop` can end its wait.
    private func poll(_ count: Int) async throws -> [Job] {
        let configuration = self.configuration
        let task = Task {
            try await self.client.activateJobs(
                configuration.type, worker: configuration.name, maximum: count, lock: configuration.lock,
                fetchVariables: configuration.fetchVariables, waiting: configuration.wait)
        }
        self.polling.withLock { $0 = task }
        if self.isStopping.load(ordering: .relaxed) { task.cancel() }
        return try await task.value
    }

    private func handle(_ job: Job) async {
        let outcome: Outcome
        do {
            outcome = try await self.handler(job)
        } catch {
            outcome = .failed(
                retries: max(0, job.retries - 1), backoff: self.configuration.retryBackoff, message: "\(error)")
        }
        self.answers.append((job.key, outcome))
    }

    private func sendAnswers() async {
        while case let batch = await self.answers.next(self.configuration.batch), !batch.isEmpty {
            await self.send(batch)
            self.slots.give(batch.count)
        }
    }

    private func send(_ batch: [(key: Key, outcome: Outcome)]) async {
        var completions: [(key: Key, variables: [UInt8]?)] = []
        for answer in batch {
            switch answer.outcome {
            case .completed(let variables):
                completions.append((answer.key, variables))
            case .failed(let retries, let backoff, let message):
                await self.deliver(answer.key) {
                    try await self.client.failJob(answer.key, retries: retries, message: message, backoff: backoff)
                }
            case .error(let code, let message, let variables):
                await self.deliver(answer.key) {
                    try await self.client.throwJobError(
                        answer.key, code: code, message: message, variables: variables)
                }
            }
        }
        switch completions.count {
        case 0:
            break
        case 1:
            await self.deliver(completions[0].key) {
                try await self.client.completeJob(completions[0].key, variables: completions[0].variables)
            }
        default:
            do {
                let problems = try await self.client.completeJobs(completions)
                for (key, problem) in problems { self.report(.answerFailed(key, ClientError.problem(problem))) }
            } catch {
                for completion in completions { self.report(.answerFailed(completion.key, error)) }
            }
        }
    }

    private func deliver(_ key: Key, _ call: () async throws -> Void) async {
        do {
            try await call()
        } catch {
            self.report(.answerFailed(key, error))
        }
    }
}
