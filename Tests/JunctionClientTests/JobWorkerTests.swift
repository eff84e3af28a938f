import JunctionClient
import Synchronization
import Testing
import Values

@Suite(.timeLimit(.minutes(1))) struct JobWorkerTests {
    /// A server's side of jobs: offers them once, keeps the answers.
    final class Queue: Sendable {
        struct State {
            var offered: [UInt64]
            var completed: [String] = []
            var failed: [Value] = []
            var errors: [Value] = []
            var activations: [Int] = []
            var refusals = 0
        }

        let state: Mutex<State>

        init(_ jobs: ClosedRange<UInt64>, refusals: Int = 0) {
            state = Mutex(State(offered: Array(jobs), refusals: refusals))
        }

        var answered: Int { state.withLock { $0.completed.count + $0.failed.count + $0.errors.count } }

        func answer(_ request: SentRequest) -> StubAnswer {
            state.withLock { state in
                switch request.path {
                case "/v2/jobs/activation":
                    if state.refusals > 0 {
                        state.refusals -= 1
                        return StubAnswer(status: 503, body: #"{"code":"EN503","detail":"busy"}"#)
                    }
                    let maximum = Int(request.value["maxJobsToActivate"]?.asInt64 ?? 0)
                    state.activations.append(maximum)
                    let batch = state.offered.prefix(maximum)
                    state.offered.removeFirst(batch.count)
                    let jobs = batch.map { #"{"jobKey":"\#($0)","type":"t","retries":3,"variables":{"n":\#($0)}}"# }
                    return StubAnswer(body: #"{"jobs":[\#(jobs.joined(separator: ","))]}"#)
                case "/hub/v1/jobs/completions":
                    let items = request.value["completions"]?.asList ?? []
                    state.completed += items.compactMap { $0["jobKey"]?.asString }
                    return StubAnswer(
                        body:
                            #"{"results":[{"jobKey":"404","completed":false,"problem":{"status":404,"code":"EN404"}}]}"#
                    )
                default:
                    let key = String(request.path.split(separator: "/")[2])
                    if request.path.hasSuffix("completion") {
                        state.completed.append(key)
                    } else if request.path.hasSuffix("failure") {
                        state.failed.append(request.value)
                    } else {
                        state.errors.append(request.value)
                    }
                    return StubAnswer(status: 204, body: "")
                }
            }
        }
    }

    /// Runs a worker until all of `count` jobs are answered.
    private func work(
        _ queue: Queue, count: Int, capacity: Int = 10, batch: Int = 4,
        report: @escaping @Sendable (JobWorker.Report) -> Void = { _ in },
        handler: @escaping @Sendable (Job) async throws -> JobWorker.Outcome
    ) async throws {
        try await StubServer.run({ queue.answer($0) }) { server in
            let worker = JobWorker(
                client: server.client,
                configuration: .init(type: "t", name: "w", capacity: capacity, batch: batch, wait: .zero),
                report: report, handler: handler)
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await worker.run() }
                while queue.answered < count { await Task.yield() }
                worker.stop()
            }
        }
    }

    @Test func everyJobIsHandledOnceWithItsVariables() async throws {
        let queue = Queue(1...50)
        let seen = Mutex<[Int64]>([])
        try await work(queue, count: 50) { job in
            seen.withLock { $0.append(job.variablesValue["n"]?.asInt64 ?? 0) }
            return .completed(variables: nil)
        }
        #expect(seen.withLock { $0.sorted() } == Array(1...50))
        let completed = queue.state.withLock { $0.completed.compactMap { UInt64($0) }.sorted() }
        #expect(completed == Array(1...50))
        #expect(queue.state.withLock { $0.activations.allSatisfy { (1...4).contains($0) } })
    }

    @Test func noMoreJobsAreInHandThanTheCapacity() async throws {
        let queue = Queue(1...30)
        let running = Mutex((now: 0, most: 0))
        try await work(queue, count: 30, capacity: 3, batch: 100) { _ in
            running.withLock { state in
                state.now += 1
                state.most = max(state.most, state.now)
            }
            await Task.yield()
            running.withLock { $0.now -= 1 }
            return .completed()
        }
        #expect((1...3).contains(running.withLock { $0.most }))
    }

    @Test func aHandlerThatThrowsFailsItsAttempt() async throws {
        struct Trouble: Error, CustomStringConvertible { var description: String { "no paper" } }
        let queue = Queue(1...1)
        try await work(queue, count: 1) { _ in throw Trouble() }
        #expect(
            queue.state.withLock { $0.failed } == [["retries": 2, "errorMessage": "no paper", "retryBackOff": 1000]])
    }

    @Test func outcomesBecomeFailuresAndErrors() async throws {
        let queue = Queue(1...2)
        try await work(queue, count: 2) { job in
            job.key.rawValue == 1
                ? .failed(retries: 1, backoff: .milliseconds(5), message: "later")
                : .error(code: "E", message: nil, variables: Array("{}".utf8))
        }
        #expect(queue.state.withLock { $0.failed } == [["retries": 1, "errorMessage": "later", "retryBackOff": 5]])
        #expect(queue.state.withLock { $0.errors } == [["errorCode": "E", "variables": [:]]])
    }

    @Test func aBusyServerIsWaitedOutAndLostAnswersAreReported() async throws {
        let queue = Queue(1...8, refusals: 1)
        let reports = Mutex((activations: 0, answers: [Key]()))
        try await work(
            queue, count: 8,
            report: { report in
                reports.withLock { state in
                    switch report {
                    case .activationFailed: state.activations += 1
                    case .answerFailed(let key, _): state.answers.append(key)
                    }
                }
            },
            handler: { _ in .completed() })
        #expect(reports.withLock { $0.activations } == 1)
        #expect(reports.withLock { Set($0.answers) }.isSubset(of: [Key(rawValue: 404)]))
    }

    @Test func cancellationEndsAWorkerThatWaits() async throws {
        let queue = Queue(1...1)
        try await StubServer.run({ queue.answer($0) }) { server in
            let worker = JobWorker(
                client: server.client, configuration: .init(type: "t", name: "w", wait: .zero)
            ) { _ in .completed() }
            let task = Task { await worker.run() }
            while queue.answered < 1 { await Task.yield() }
            task.cancel()
            await task.value
        }
    }
}
