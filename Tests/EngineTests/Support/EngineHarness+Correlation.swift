import Testing
import Values

@testable import Engine

/// Processes that wait for the message `msg` in different ways.
enum CorrelationModels {
    private static let root = [Model.message("msg")]

    /// Waits, then works.
    static let waiting = Model.process(
        "start -> r1 -> a1 -> end", id: "p", nodes: [Model.receive("r1", "msg")], root: root)
    /// Works, then waits.
    static let working = Model.process(
        "start -> a2 -> r2 -> end", id: "w", nodes: [Model.receive("r2", "msg")], root: root)
    /// Ends at once.
    static let quick = Model.process("start -> end", id: "q")

    /// Begins with the message, beside a none start event, and works.
    static func begun(behind task: String = "b") -> String {
        Model.process(
            "sM -> \(task) -> end; start -> other -> end2", id: "m",
            nodes: [Model.start("sM", Model.onMessage("msg"))], root: root)
    }

    static func deploy(to harness: EngineHarness) throws {
        for model in [waiting, working, quick, begun()] { try harness.deploy(model) }
    }
}

extension NewCorrelation.NoMatch {
    static func start(
        _ process: String, version: Int? = nil, business: String? = nil, buffer: Int64 = 3_600_000
    ) -> Self {
        .start(process: process, version: version, businessID: business, bufferMilliseconds: buffer)
    }
}

extension EngineHarness {
    /// The partition where events of `msg` with a correlation key are decided.
    func home(_ correlationKey: String) -> Int {
        MessageHash.partition(MessageHash.of(name: "msg", correlationKey: correlationKey), of: partitions.count)
    }

    /// Decides an event of the message `msg`.
    @discardableResult
    func correlate(
        _ correlationKey: String, _ variables: String, _ noMatch: NewCorrelation.NoMatch, unique: String? = nil,
        many: NewCorrelation.ManyMatches = .refuse, received: ReceivedEvent? = nil
    ) throws -> Reply {
        send(
            .correlate(
                NewCorrelation(
                    message: "msg", correlationKey: correlationKey, variables: try document(variables),
                    uniqueKey: unique, uniqueMilliseconds: 60_000, noMatch: noMatch, manyMatches: many,
                    received: received)),
            to: home(correlationKey))
    }

    /// Messages that have not ended, in all partitions.
    var messageCount: Int { partitions.reduce(0) { $0 + $1.engine.state.messages.count } }

    /// Instances that were ever started.
    var startCount: Int {
        events.count {
            if case .instanceCreated = $0 { return true }
            return false
        }
    }

    /// Completes the job an instance has.
    func completeJob(of instance: UInt64) throws {
        let job = try #require(jobs.first { $0.instance == instance }, "\(live)")
        #expect(send(.completeJob(key: job.key, variables: .empty), forKey: job.key).isDone)
    }

    /// Every partition loses its memory, after a checkpoint.
    func restart() {
        checkpointAll()
        for index in partitions.indices { crash(index) }
    }
}

extension Reply {
    /// What came of an event for the first time.
    var decided: (EventEffect, UInt64) {
        guard case .correlation(.decided(let effect, let key, false)) = self else {
            Issue.record("not decided now: \(self)")
            return (.nothing, .max)
        }
        return (effect, key)
    }

    static func == (reply: Reply, expected: CorrelationAnswer) -> Bool {
        guard case .correlation(let answer) = reply else { return false }
        return answer == expected.reply
    }
}

/// An answer to compare a reply with.
struct CorrelationAnswer {
    var reply: CorrelationReply

    static func correlation(_ reply: CorrelationReply) -> Self { Self(reply: reply) }
}
